//! Bytes to typed values and back.
//!
//! The contract of every module here, in two steps. A *view* borrows the received bytes and judges nothing but their
//! framing; after it was built no accessor panics. A typed value (*repr*) is read from a view and holds only what makes
//! sense. Nothing here does I/O, reads a clock, or allocates while reading; writing appends to a buffer the caller owns.

pub mod cpim;
pub mod digits;
pub mod inline;
pub mod mail;
pub mod msrp;
pub mod resource_lists;
pub mod scan;
pub mod sdp;
pub mod short_message;
pub mod sip;
pub mod smpp;
pub mod smtp;
pub mod span;

/// Why bytes do not make sense, and where: enough to word a refusal or a log line, never the bytes themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, named by the element of the specification ("CSeq", "command_length").
    pub what: &'static str,
    /// Offset in octets from the start of the frame.
    pub at: usize,
}

impl Malformed {
    /// A malformation of `what` at offset `at`.
    #[must_use]
    pub const fn new(what: &'static str, at: usize) -> Malformed {
        Malformed { what, at }
    }
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "malformed {} at offset {}", self.what, self.at)
    }
}

impl core::error::Error for Malformed {}

/// Whether a stream's next bytes hold a whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The first frame ends after this many octets.
    Complete(usize),
    /// The frame needs more octets than have arrived.
    Partial,
    /// No frame can start here; the stream has lost its framing.
    Malformed(Malformed),
}
