//! What goes from a connection to a session: a chunk, or what has arrived of it.

use bytes::Bytes;

use super::slices::Lent;
use crate::wire::msrp::{Continuation, Head, Likeness};

/// Part of a request or response: whole, if it came in one buffer.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The head, in the first piece, then content, as they stand in the receive buffer.
    pub(super) octets: Lent<'a>,
    pub(super) head: Option<&'a Head>,
    pub(super) likeness: Option<Likeness>,
    pub(super) end: Option<Continuation>,
}

/// The same, with an index of its own and its buffer kept.
#[derive(Clone, Debug, Default)]
pub struct OwnedPiece {
    buffer: Bytes,
    start: usize,
    stop: usize,
    head: Option<Head>,
    likeness: Option<Likeness>,
    end: Option<Continuation>,
}

impl<'a> Piece<'a> {
    /// The octets of the head and its index, in the first piece.
    #[must_use]
    #[inline]
    pub fn head(&self) -> Option<(&'a [u8], &'a Head)> {
        let head = self.head?;
        Some((self.octets.octets().get(..head.len())?, head))
    }

    /// What the head has in common with others of its connection, if others like it are to be expected.
    #[must_use]
    pub fn likeness(&self) -> Option<Likeness> {
        self.likeness
    }

    /// Content: a slice of the receive buffer. May be empty.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.lent_data().octets()
    }

    #[inline]
    pub(super) fn lent_data(&self) -> Lent<'a> {
        self.octets.from(self.head.map_or(0, Head::len))
    }

    /// The flag of the end line, in the last piece.
    #[must_use]
    pub fn end(&self) -> Option<Continuation> {
        self.end
    }

    /// For another core.
    #[must_use]
    pub fn to_owned(self) -> OwnedPiece {
        let (buffer, start, stop) = self.octets.to_parts();
        OwnedPiece { buffer, start, stop, head: self.head.copied(), likeness: self.likeness, end: self.end }
    }
}

impl OwnedPiece {
    /// Whether it has the head.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.head.is_some()
    }

    /// The piece.
    #[must_use]
    pub fn lend(&self) -> Piece<'_> {
        let octets = Lent::of(&self.buffer, self.start, self.stop);
        Piece { octets, head: self.head.as_ref(), likeness: self.likeness, end: self.end }
    }
}
