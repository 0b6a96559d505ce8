//! What offer and answer came to, kept for as long as the session lasts.

use super::types;
use super::{Setup, Target};
use crate::wire::sdp::Direction;

/// The outcome of offer and answer, from our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Which m= line, counted from 0.
    pub position: usize,
    /// The peer's o= value.
    pub peer_origin: Vec<u8>,
    /// The peer's path: the To-Path of what we send, the From-Path of what we get.
    pub peer_path: Vec<u8>,
    /// Active or passive: what we are.
    pub setup: Setup,
    /// Where we connect to; `None` if we are passive.
    pub connect: Option<Target>,
    /// What we may send and will get.
    pub direction: Direction,
    /// What the peer says of its direction.
    pub peer_direction: Direction,
    /// Octets of the largest message that the peer takes.
    pub max_size: Option<u64>,
    /// The types that the peer takes, a space between.
    pub accept_types: Vec<u8>,
    /// The types that the peer takes inside another, a space between; empty if it does not say.
    pub accept_wrapped_types: Vec<u8>,
    /// Whether both sides speak CEMA.
    pub cema: bool,
    /// file-selector, if the stream is about a file (RFC 5547 6).
    pub file_selector: Option<Vec<u8>>,
    /// file-transfer-id, likewise.
    pub file_transfer_id: Option<Vec<u8>>,
}

impl Agreed {
    /// Whether we may send a message of this type.
    #[must_use]
    pub fn accepts(&self, media_type: &[u8]) -> bool {
        types::accepts(&self.accept_types, media_type)
    }

    /// Whether we may send this type inside another one: every type may stand there that may stand alone (RFC 4975 8.6).
    /// A peer that does not list any is taken not to mind.
    #[must_use]
    pub fn accepts_wrapped(&self, media_type: &[u8]) -> bool {
        self.accept_wrapped_types.is_empty()
            || types::accepts(&self.accept_wrapped_types, media_type)
            || self.accepts(media_type)
    }

    /// Whether we may send a message of so many octets.
    #[must_use]
    pub fn takes_octets(&self, octets: u64) -> bool {
        self.max_size.is_none_or(|max| octets <= max)
    }
}
