//! Where media go: the address of a c= line (RFC 4566 5.7).

use core::net::IpAddr;
use std::io::Write;

use super::words;

/// An address as a description gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// IPv4 or IPv6.
    Ip(IpAddr),
    /// A domain name.
    Name(&'a [u8]),
    /// Of a network or in a form that we do not know.
    Other,
}

impl<'a> Address<'a> {
    /// A host as URIs and c= lines write it: a number, one in brackets, or a name.
    #[must_use]
    pub fn parse(host: &'a [u8]) -> Address<'a> {
        let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
        if let Some(ip) = core::str::from_utf8(bare).ok().and_then(|text| text.parse::<IpAddr>().ok()) {
            return Address::Ip(ip.to_canonical());
        }
        let named = !bare.is_empty() && bare.len() == host.len() && bare.len() <= NAME_BYTES_MAX;
        if named && bare.iter().all(|&octet| is_name(octet)) { Address::Name(host) } else { Address::Other }
    }

    /// Whether something can be sent there: neither unknown nor all zeros, which said "hold" before RFC 3264.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match self {
            Address::Ip(ip) => !ip.is_unspecified(),
            Address::Name(_) => true,
            Address::Other => false,
        }
    }
}

/// RFC 1035 2.3.4.
const NAME_BYTES_MAX: usize = 253;

const fn is_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_')
}

/// The address of a c= value, `IN IP4 192.0.2.1`; what follows a '/' belongs to multicast.
pub(super) fn read(value: &[u8]) -> Option<Address<'_>> {
    let mut words = words(value);
    let (network, kind, address) = (words.next()?, words.next()?, words.next()?);
    if !network.eq_ignore_ascii_case(b"IN") || !kind.get(..2).is_some_and(|kind| kind.eq_ignore_ascii_case(b"IP")) {
        return Some(Address::Other);
    }
    address.split(|octet| *octet == b'/').next().map(Address::parse)
}

/// Appends `IN IP4 …` or `IN IP6 …`.
pub(super) fn write(address: IpAddr, out: &mut Vec<u8>) {
    let kind: &[u8] = if address.is_ipv4() { b"IN IP4 " } else { b"IN IP6 " };
    out.extend_from_slice(kind);
    // A vector takes everything.
    let _ = write!(out, "{address}");
}
