//! A place in a buffer that somebody else owns.
//!
//! Spans outlive the borrow of the buffer: a buffer can move to the kernel, to a table or to another core, and its spans
//! stay true.

/// `start` and `len` in octets into one buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The octets from `start` to `end`. From 4 GiB on, beyond every frame limit, it names others.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end);
        let low = |n: usize| u32::try_from(n & 0xffff_ffff).unwrap_or(0);
        Span { start: low(start), len: low(end.wrapping_sub(start)) }
    }

    /// The octets this span names in `buffer`; empty if the buffer is shorter than the one it was made for.
    #[must_use]
    #[inline]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        buffer.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Appends `octets` to `buffer` and names the place.
    pub fn append(buffer: &mut Vec<u8>, octets: &[u8]) -> Span {
        Span::append_with(buffer, |buffer| buffer.extend_from_slice(octets))
    }

    /// Lets `write` append to `buffer` and names the place.
    pub fn append_with(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = buffer.len();
        write(buffer);
        Span::new(start, buffer.len())
    }

    /// First octet.
    #[must_use]
    pub const fn start(self) -> usize {
        self.start as usize
    }

    /// One past the last octet.
    #[must_use]
    pub const fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    /// Length in octets.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether the span names no octet; also how "absent" is stored.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// Appends `bytes` to `buffer` and returns where they are.
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let start = buffer.len();
    buffer.extend_from_slice(bytes);
    Span::new(start, buffer.len())
}

/// Appends what `write` appends to `buffer` and returns where it is.
pub fn append_with(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Span {
    let start = buffer.len();
    write(buffer);
    Span::new(start, buffer.len())
}
