//! Where the data of a chunk end (RFC 4975 7.1, 9 `end-line`).

use super::{Continuation, Head, TRANSACTION_ID_BYTES_MAX};
use crate::wire::inline::Inline;
use crate::wire::scan;

/// What every end line after data starts with.
const PREFIX: &[u8; 9] = b"\r\n-------";
/// What a word in the midst of seven hyphens is.
const HYPHENS_OF_WORD: [u8; 4] = *b"----";
/// Octets of the flag and the line end.
const TAIL_BYTES: usize = 3;

/// Finds the end line of one chunk after the other, over however many buffers each comes in.
///
/// Data end where CRLF, seven hyphens, the chunk's own transact-id, a flag and CRLF follow one another; anything less is
/// data. Octets that may yet turn out to be the begin of an end line are *held*: neither data nor end line until the
/// next buffer decides. They are the caller's to keep; here they are only counted.
#[derive(Clone, Debug)]
pub struct Scanner {
    transaction_id: Inline<TRANSACTION_ID_BYTES_MAX>,
    /// Octets of the end line that the stream ends with so far.
    matched: usize,
    /// Of these, how many were handed in as part of the data.
    held: usize,
    continuation: Continuation,
}

/// What a buffer turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Octets of earlier buffers that were held and are data after all: all that were held, or none.
    pub released: usize,
    /// Octets at the start of this buffer that are data.
    pub data: usize,
    /// The end line, if it ends in this buffer. Otherwise what follows the data is held.
    pub end: Option<End>,
}

/// The end of an end line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Where in the buffer the next head starts.
    pub at: usize,
    /// The flag.
    pub continuation: Continuation,
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner::new()
    }
}

impl Scanner {
    /// One for a connection.
    #[must_use]
    pub fn new() -> Scanner {
        Scanner { transaction_id: Inline::new(), matched: 0, held: 0, continuation: Continuation::Complete }
    }

    /// Turns to the data that follow a head, `head` being the octets it was read from.
    ///
    /// After a head without Content-Type there are no data, and so no blank line. If one came nevertheless, its CRLF may
    /// be the one of an end line that follows.
    pub fn begin(&mut self, index: &Head, head: &[u8]) {
        self.transaction_id = Inline::from_slice(index.transaction_id(head)).unwrap_or_default();
        self.held = 0;
        self.matched = if index.has_body() { 0 } else { 2 };
    }

    /// [`begin`](Scanner::begin) and [`scan`](Scanner::scan) in one: `stream` is the head and what came behind it.
    #[must_use]
    #[inline]
    pub fn begin_in(&mut self, index: &Head, stream: &[u8]) -> Scanned {
        match expected_end(index, stream) {
            Some((data, end)) => Scanned { released: 0, data, end: Some(end) },
            None => self.begin_and_scan(index, stream),
        }
    }

    #[inline(never)]
    fn begin_and_scan(&mut self, index: &Head, stream: &[u8]) -> Scanned {
        self.begin(index, stream);
        self.scan(stream.get(index.len()..).unwrap_or_default())
    }

    /// Octets that are held.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Looks through the next octets of the stream. After an end, [`begin`](Scanner::begin) comes first.
    #[must_use]
    pub fn scan(&mut self, buffer: &[u8]) -> Scanned {
        if self.matched == 0 {
            return self.search(0, buffer, 0);
        }
        match self.advance(buffer) {
            Advance::End(at) => self.end(0, 0, at),
            Advance::Pending => self.hold(0, 0, self.held + buffer.len()),
            Advance::Broken(at) => self.search(self.held, buffer, at),
        }
    }

    /// Searches `buffer` from `from`, before which all is data.
    fn search(&mut self, released: usize, buffer: &[u8], mut from: usize) -> Scanned {
        while let Some(found) = buffer.get(from..).and_then(find) {
            let start = from + found;
            let after = start + PREFIX.len();
            let rest = buffer.get(after..).unwrap_or_default();
            if let Some((continuation, len)) = end_of(&self.transaction_id, rest) {
                self.continuation = continuation;
                return self.end(released, start, after + len);
            }
            self.matched = PREFIX.len();
            match self.advance(rest) {
                Advance::End(at) => return self.end(released, start, after + at),
                Advance::Pending => return self.hold(released, start, buffer.len() - start),
                Advance::Broken(at) => from = after + at,
            }
        }
        self.matched = begun(buffer.get(from..).unwrap_or_default());
        self.hold(released, buffer.len() - self.matched, self.matched)
    }

    /// Goes on comparing with the end line. What breaks a match is data up to the octet that does not fit: an end line
    /// holds no CR but its first and the one that LF must follow, so none can have begun inside.
    fn advance(&mut self, octets: &[u8]) -> Advance {
        for (at, &octet) in octets.iter().enumerate() {
            if !self.fits(octet) {
                return Advance::Broken(at);
            }
            self.matched += 1;
            if self.matched == PREFIX.len() + self.transaction_id.len() + TAIL_BYTES {
                return Advance::End(at + 1);
            }
        }
        Advance::Pending
    }

    fn fits(&mut self, octet: u8) -> bool {
        let Some(at) = self.matched.checked_sub(PREFIX.len()) else { return PREFIX.get(self.matched) == Some(&octet) };
        if let Some(expected) = self.transaction_id.get(at) {
            return *expected == octet;
        }
        match (at - self.transaction_id.len(), Continuation::from_flag(octet)) {
            (0, Some(flag)) => {
                self.continuation = flag;
                true
            }
            (1, _) => octet == b'\r',
            (2, _) => octet == b'\n',
            _ => false,
        }
    }

    fn end(&mut self, released: usize, data: usize, at: usize) -> Scanned {
        (self.matched, self.held) = (0, 0);
        Scanned { released, data, end: Some(End { at, continuation: self.continuation }) }
    }

    fn hold(&mut self, released: usize, data: usize, held: usize) -> Scanned {
        self.held = held;
        Scanned { released, data, end: None }
    }
}

enum Advance {
    /// The end line ends before this octet.
    End(usize),
    /// All octets fit, more are needed.
    Pending,
    /// This octet does not fit.
    Broken(usize),
}

/// The flag and length of what follows [`PREFIX`], if it is all there.
#[inline]
fn end_of(transaction_id: &[u8], rest: &[u8]) -> Option<(Continuation, usize)> {
    let (id, tail) = rest.split_at_checked(transaction_id.len())?;
    match tail {
        [flag, b'\r', b'\n', ..] if scan::same(id, transaction_id) => {
            Some((Continuation::from_flag(*flag)?, transaction_id.len() + TAIL_BYTES))
        }
        _ => None,
    }
}

/// Octets of the data behind a head, and where in what follows the head their end line ends, if that is where Byte-Range
/// says and none comes before: as it mostly is, and then nothing has to be kept.
#[inline]
fn expected_end(index: &Head, stream: &[u8]) -> Option<(usize, End)> {
    let len = usize::try_from(index.byte_range()?.len()?).ok()?;
    let (before, rest) = stream.get(index.len()..)?.split_at_checked(len)?;
    let (continuation, tail) = end_of(index.transaction_id(stream), rest.strip_prefix(PREFIX)?)?;
    let at = len + PREFIX.len() + tail;
    (index.has_body() && find(before).is_none()).then_some((len, End { at, continuation }))
}

/// Where the first [`PREFIX`] starts.
///
/// Seven hyphens in a row fill one of the words that data can be cut in, wherever they start, and comparing words is
/// faster than any search for octets.
#[inline(always)]
fn find(data: &[u8]) -> Option<usize> {
    let (words, _) = data.as_chunks();
    let mut at = 0;
    loop {
        at += scan::find_word(HYPHENS_OF_WORD, words.get(at..)?)?;
        let before = words.get(at.wrapping_sub(1)).map_or(0, hyphens_at_end);
        let start = (4 * at).checked_sub(before + 2);
        if let Some(start) = start.filter(|start| data.get(*start..).is_some_and(|data| data.starts_with(PREFIX))) {
            return Some(start);
        }
        at += 1;
    }
}

/// How many octets of a word are hyphens behind the last that is none.
#[inline]
fn hyphens_at_end(word: &[u8; 4]) -> usize {
    let others = u32::from_le_bytes(*word) ^ u32::from_le_bytes(HYPHENS_OF_WORD);
    others.leading_zeros() as usize / 8
}

/// How many octets at the end of `data` are the begin of [`PREFIX`].
fn begun(data: &[u8]) -> usize {
    let tail = data.get(data.len().saturating_sub(PREFIX.len() - 1)..).unwrap_or_default();
    let last = scan::find_last(b'\r', tail).and_then(|at| tail.get(at..)).unwrap_or_default();
    if PREFIX.starts_with(last) { last.len() } else { 0 }
}
