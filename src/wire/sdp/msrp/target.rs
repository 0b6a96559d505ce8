//! Where the active side connects to, and whether a middlebox stands between (RFC 4975 8, RFC 6714).

use core::net::IpAddr;

use crate::wire::msrp::uri::{MsrpUri, Path};
use crate::wire::sdp::{Address, Media};

/// RFC 4145 4.1: a port that nobody listens at, in the description of an active side.
const DISCARD_PORT: u16 = 9;

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its host.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// A host, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By its address.
    Ip(IpAddr),
    /// By a domain name.
    Name(String),
}

/// Address and port of one place in a description.
pub(super) type Place<'a> = (Address<'a>, u16);

/// The place of the c= and m= lines, if something may listen there.
pub(super) fn connection_place<'a>(media: &Media<'a>) -> Option<Place<'a>> {
    let address = media.connection().filter(Address::is_usable)?;
    (!matches!(media.port, 0 | DISCARD_PORT)).then_some((address, media.port))
}

/// The place of one URI of a path. One without a port is at that of the m= line.
pub(super) fn uri_place<'a>(uri: &MsrpUri<'a>, media: &Media<'_>) -> Option<Place<'a>> {
    let address = Some(Address::parse(uri.host)).filter(Address::is_usable)?;
    let port = uri.port.unwrap_or(media.port);
    (!matches!(port, 0 | DISCARD_PORT)).then_some((address, port))
}

/// Whether the c= and m= lines lead elsewhere than the path does. A name and an address are not told apart: that
/// would take the DNS.
pub(super) fn is_anchored(path: Path<'_>, media: &Media<'_>) -> bool {
    let Some(place) = connection_place(media) else { return false };
    let mut places = path.uris().filter_map(MsrpUri::parse).map(|uri| uri_place(&uri, media));
    !places.any(|other| other.is_none_or(|other| may_be_same(place, other)))
}

fn may_be_same(one: Place<'_>, other: Place<'_>) -> bool {
    let same_host = match (one.0, other.0) {
        (Address::Ip(one), Address::Ip(other)) => one == other,
        (Address::Name(one), Address::Name(other)) => one.eq_ignore_ascii_case(other),
        _ => true,
    };
    same_host && one.1 == other.1
}

/// A copy of the place, to connect to.
pub(super) fn target((address, port): Place<'_>) -> Option<Target> {
    let host = match address {
        Address::Ip(ip) => Host::Ip(ip),
        Address::Name(name) => Host::Name(String::from_utf8_lossy(name).into_owned()),
        Address::Other => return None,
    };
    Some(Target { host, port })
}
