//! Whether a stream can be taken, and what was agreed if so.

use super::target::{connection_place, is_anchored, target, uri_place};
use super::{Agreed, Local, NotAcceptable, Setup, Target, Wrapped, types};
use crate::limits;
use crate::wire::msrp::uri::{MsrpUri, Path};
use crate::wire::sdp::{Address, Media, decimal, words};

/// A stream of the peer as far as it is the same in offers and answers.
struct Peer<'a> {
    media: Media<'a>,
    path: Path<'a>,
    next_hop: MsrpUri<'a>,
    setup: Option<Setup>,
    cema: bool,
    accept_types: Vec<u8>,
    accept_wrapped_types: Vec<u8>,
}

/// What an offered stream comes to.
pub(super) fn offered(media: &Media<'_>, local: &Local<'_>) -> Result<Agreed, NotAcceptable> {
    let peer = Peer::read(media)?;
    check_address(&peer, local)?;
    check_types(&peer, local)?;
    // Not CEMA, so the peer connects past the middlebox that it does not know of (RFC 6714).
    if local.cema && !peer.cema && is_anchored(peer.path, media) {
        return Err(NotAcceptable::Cema);
    }
    let setup = local.setup.in_answer_to(peer.setup);
    let by_connection_line = local.cema && peer.cema;
    peer.agreed(setup, by_connection_line, local)
}

/// What an answered stream comes to.
pub(super) fn answered(media: &Media<'_>, local: &Local<'_>) -> Result<Agreed, NotAcceptable> {
    let mut peer = Peer::read(media)?;
    if peer.accept_types.is_empty() {
        // Took the offer, types included.
        peer.accept_types.extend_from_slice(local.accept_types);
    }
    check_types(&peer, &Local { accept_wrapped_types: b"", ..*local })?;
    let setup = local.setup.answered_by(peer.setup).ok_or(NotAcceptable::Setup)?;
    let anchored = local.cema && !peer.cema && is_anchored(peer.path, media);
    if anchored && setup == Setup::Passive {
        return Err(NotAcceptable::Cema);
    }
    let by_connection_line = local.cema && (peer.cema || anchored);
    peer.agreed(setup, by_connection_line, local)
}

impl<'a> Peer<'a> {
    fn read(media: &Media<'a>) -> Result<Peer<'a>, NotAcceptable> {
        if media.port == 0 {
            return Err(NotAcceptable::NoStream);
        }
        if !media.protocol.eq_ignore_ascii_case(b"TCP/MSRP") {
            return Err(NotAcceptable::Transport);
        }
        let (path, next_hop) = read_path(media).ok_or(NotAcceptable::Path)?;
        if next_hop.secure {
            return Err(NotAcceptable::Transport);
        }
        Ok(Peer {
            media: *media,
            path,
            next_hop,
            setup: media.inherited(b"setup").and_then(Setup::read),
            cema: media.has(b"msrp-cema"),
            accept_types: read_types(media, b"accept-types"),
            accept_wrapped_types: read_types(media, b"accept-wrapped-types"),
        })
    }

    fn agreed(self, setup: Setup, by_connection_line: bool, local: &Local<'_>) -> Result<Agreed, NotAcceptable> {
        let connect = match setup {
            Setup::Active => Some(self.target(by_connection_line).ok_or(NotAcceptable::Unreachable)?),
            _ => None,
        };
        let kept = |name| self.media.attribute(name).map(<[u8]>::to_vec);
        let peer_direction = self.media.direction();
        Ok(Agreed {
            position: 0,
            peer_origin: Vec::new(),
            peer_path: join(self.path.uris()),
            setup,
            connect,
            direction: local.direction.against(peer_direction),
            peer_direction,
            max_size: self.media.attribute(b"max-size").and_then(decimal),
            cema: local.cema && self.cema,
            file_selector: kept(b"file-selector"),
            file_transfer_id: kept(b"file-transfer-id"),
            accept_types: self.accept_types,
            accept_wrapped_types: self.accept_wrapped_types,
        })
    }

    fn target(&self, by_connection_line: bool) -> Option<Target> {
        let connection = by_connection_line.then(|| connection_place(&self.media)).flatten();
        connection.or_else(|| uri_place(&self.next_hop, &self.media)).and_then(target)
    }
}

/// The path and its first URI.
fn read_path<'a>(media: &Media<'a>) -> Option<(Path<'a>, MsrpUri<'a>)> {
    let value = media.attribute(b"path").filter(|path| path.len() <= limits::MSRP_PATH_BYTES_MAX)?;
    let path = Path::new(value);
    let fine =
        path.uris().all(|uri| MsrpUri::parse(uri).is_some()) && path.uris().count() <= limits::MSRP_PATH_URIS_MAX;
    MsrpUri::parse(path.first()).filter(|_| fine).map(|next_hop| (path, next_hop))
}

/// The words of every attribute `name`, as many as fit.
fn read_types(media: &Media<'_>, name: &'static [u8]) -> Vec<u8> {
    let mut room = limits::SDP_TYPES_BYTES_MAX;
    join(media.attributes(name).flat_map(words).take_while(|word| {
        room = room.saturating_sub(word.len() + 1);
        room > 0
    }))
}

/// The words with a space between.
fn join<'a>(words: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        line.extend_from_slice(if line.is_empty() { b"" } else { b" " });
        line.extend_from_slice(word);
    }
    line
}

/// RFC 3261 20.43, 301: neither side would reach the other.
fn check_address(peer: &Peer<'_>, local: &Local<'_>) -> Result<(), NotAcceptable> {
    let address = peer.media.connection().unwrap_or(Address::parse(peer.next_hop.host));
    match address {
        Address::Ip(ip) if ip.is_ipv4() == local.address.is_ipv4() => Ok(()),
        Address::Name(_) => Ok(()),
        _ => Err(NotAcceptable::AddressFormat),
    }
}

fn check_types(peer: &Peer<'_>, local: &Local<'_>) -> Result<(), NotAcceptable> {
    let sent = words(local.accept_types).next().unwrap_or_default();
    if !types::accepts(&peer.accept_types, sent) {
        return Err(NotAcceptable::AcceptTypes);
    }
    let (wrapped, ours) = (&peer.accept_wrapped_types, local.accept_wrapped_types);
    let fine = match local.wrapped {
        _ if wrapped.is_empty() || ours.is_empty() => true,
        Wrapped::AllOf => types::are_all_in(wrapped, ours),
        Wrapped::AnyOf => types::share(wrapped, ours) || types::share(&peer.accept_types, ours),
    };
    fine.then_some(()).ok_or(NotAcceptable::WrappedTypes)
}
