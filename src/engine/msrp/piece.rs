//! What goes from a connection to a session: a chunk, or what has arrived of it.

use bytes::{Buf, Bytes};

use crate::wire::msrp::{Continuation, Head, Likeness};

/// Part of a request or response: whole, if it came in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Piece<'a> {
    /// The head, in the first piece, then content, as they stand in the receive buffer: one slice, as each costs a count.
    pub(super) octets: Bytes,
    pub(super) head: Option<&'a Head>,
    pub(super) likeness: Option<Likeness>,
    pub(super) end: Option<Continuation>,
}

/// The same, with an index of its own.
#[derive(Clone, Debug, Default)]
pub struct OwnedPiece {
    octets: Bytes,
    head: Option<Head>,
    likeness: Option<Likeness>,
    end: Option<Continuation>,
}

impl<'a> Piece<'a> {
    pub(super) fn of_data(octets: Bytes, end: Option<Continuation>) -> Piece<'a> {
        Piece { octets, head: None, likeness: None, end }
    }

    /// The octets of the head and its index, in the first piece.
    #[must_use]
    pub fn head(&self) -> Option<(&[u8], &'a Head)> {
        let head = self.head?;
        Some((self.octets.get(..head.len())?, head))
    }

    /// What the head has in common with others of its connection, if others like it are to be expected.
    #[must_use]
    pub fn likeness(&self) -> Option<Likeness> {
        self.likeness
    }

    /// Content: a slice of the receive buffer. May be empty.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.octets.get(self.head_bytes()..).unwrap_or_default()
    }

    /// The same, to be kept.
    #[must_use]
    pub fn into_data(mut self) -> Bytes {
        self.octets.advance(self.head_bytes());
        self.octets
    }

    /// The flag of the end line, in the last piece.
    #[must_use]
    pub fn end(&self) -> Option<Continuation> {
        self.end
    }

    /// For another core.
    #[must_use]
    pub fn into_owned(self) -> OwnedPiece {
        OwnedPiece { octets: self.octets, head: self.head.copied(), likeness: self.likeness, end: self.end }
    }

    fn head_bytes(&self) -> usize {
        self.head.map_or(0, Head::len)
    }
}

impl OwnedPiece {
    /// Whether it has the head.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.head.is_some()
    }

    /// The piece. There is one.
    #[must_use]
    pub fn take(&mut self) -> Piece<'_> {
        let octets = core::mem::take(&mut self.octets);
        Piece { octets, head: self.head.as_ref(), likeness: self.likeness, end: self.end }
    }
}
