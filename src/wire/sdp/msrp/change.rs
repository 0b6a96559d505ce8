//! What a further offer of the peer changes (RFC 3264 8).

use super::{Agreed, is_message};
use crate::wire::msrp::uri::Path;
use crate::wire::sdp::Session;

/// What an offer inside a session asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the session is refreshed, and the answer is the one given before, o= included.
    Nothing,
    /// Something about the same MSRP session, for instance its direction: the answer has the next version.
    Terms,
    /// Another path, which is another MSRP session (RFC 4975 5.4 and 8): the one before ends.
    Path,
    /// The stream is removed, or another medium stands in its place.
    Removal,
}

/// Compares an offer with what was agreed before. The o= line is not trusted alone: peers change descriptions without
/// counting their version up.
#[must_use]
pub fn change(offer: &Session<'_>, before: &Agreed) -> Change {
    let Some(media) = offer.media().nth(before.position).filter(|media| is_message(media) && media.port != 0) else {
        return Change::Removal;
    };
    let path = media.attribute(b"path").unwrap_or_default();
    if path != before.peer_path && !Path::new(path).is_equivalent(&Path::new(&before.peer_path)) {
        return Change::Path;
    }
    let same = offer.origin().value == before.peer_origin && media.direction() == before.peer_direction;
    if same { Change::Nothing } else { Change::Terms }
}
