//! Which octets of a message a chunk holds (RFC 4975 7.1.1, 9 `Byte-Range`).

use crate::wire::digits;

/// Digits of which no number exceeds `u64`.
const SAFE_DIGITS: usize = 19;
/// Octets that are looked at together.
const WORD_BYTES: usize = 8;

/// `start-end/total`, counted from 1; `None` is `*`.
///
/// A parsed range tells no lie that shows in itself: it starts at 1 or later, does not run backwards and stays within
/// its total. The range of an empty body is `1-0/0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The place of the chunk's first octet, from 1.
    pub start: u64,
    /// The place of its last octet. Unknown for a chunk that may be interrupted.
    pub end: Option<u64>,
    /// The octets of the whole message. May be unknown until the last chunk.
    pub total: Option<u64>,
}

impl ByteRange {
    /// What a request without Byte-Range means: from the first octet, end and total unknown.
    pub const UNKNOWN: ByteRange = ByteRange { start: 1, end: None, total: None };
    /// The range of an empty body.
    pub const EMPTY: ByteRange = ByteRange { start: 1, end: Some(0), total: Some(0) };

    /// Reads a header value. `None` if it is no range or a lie.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<ByteRange> {
        let (start, end, rest) = start_and_end(value)?;
        let (total, rest) = number_or_star(rest.strip_prefix(b"/")?)?;
        Some(ByteRange { start, end, total }).filter(|range| rest.is_empty() && range.is_plausible())
    }

    /// Octets of the chunk, if its end is known.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        self.end.map(|end| end.saturating_add(1).saturating_sub(self.start))
    }

    /// Whether the range says that there is not one octet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Appends the range as a header value.
    pub fn write(&self, out: &mut Vec<u8>) {
        digits::decimal(out, self.start);
        out.push(b'-');
        write_or_star(out, self.end);
        out.push(b'/');
        write_or_star(out, self.total);
    }

    /// Whether it tells no lie that shows in itself.
    #[inline]
    pub(super) fn is_plausible(&self) -> bool {
        let forwards = self.end.is_none_or(|end| end >= self.start || (self.start, end) == (1, 0));
        let within = self.total.is_none_or(|total| self.start <= total.max(1) && self.end.unwrap_or(0) <= total);
        self.start >= 1 && forwards && within
    }
}

/// The start and the end of the range that `text` begins with, and what follows them.
#[inline(always)]
pub(super) fn start_and_end(text: &[u8]) -> Option<(u64, Option<u64>, &[u8])> {
    let (start, rest) = number(text)?;
    let (end, rest) = number_or_star(rest.strip_prefix(b"-")?)?;
    Some((start, end, rest))
}

/// The number that `text` starts with, and what follows it.
#[inline(always)]
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    if let Some(word) = text.first_chunk::<WORD_BYTES>() {
        let word = u64::from_le_bytes(*word);
        let len = digits_before(word);
        if (1..WORD_BYTES).contains(&len) {
            return Some((number_of(word << (8 * (WORD_BYTES - len))), text.get(len..)?));
        }
    }
    number_by_digit(text)
}

/// How many octets of a little-endian word are digits before the first that is none.
#[inline]
fn digits_before(word: u64) -> usize {
    const HIGH_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    // A digit stays in its sixteen when six are added. What an octet carries over only changes octets behind it.
    let others = (word ^ ZEROS) | (word.wrapping_add(0x0606_0606_0606_0606) ^ ZEROS);
    (others & HIGH_HALVES).trailing_zeros() as usize / 8
}

/// The number of eight digits, the first in the lowest octet; octets of zero count as digits zero. Neighbours are put
/// together: to pairs, then to fours, then to the whole.
#[inline]
fn number_of(word: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00FF_0000_00FF;
    let digits = word & 0x0F0F_0F0F_0F0F_0F0F;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let (odd, even) = (pairs & PAIRS, (pairs >> 16) & PAIRS);
    let sum = odd.wrapping_mul(100 + (1_000_000 << 32)).wrapping_add(even.wrapping_mul(1 + (10_000 << 32)));
    sum >> 32
}

#[inline(never)]
fn number_by_digit(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut rest) = (0_u64, text);
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        number = if text.len() - rest.len() < SAFE_DIGITS {
            number * 10 + u64::from(digit - b'0')
        } else {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?
        };
        rest = after;
    }
    (rest.len() < text.len()).then_some((number, rest))
}

#[inline(always)]
fn number_or_star(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    match text {
        [b'*', rest @ ..] => Some((None, rest)),
        _ => number(text).map(|(number, rest)| (Some(number), rest)),
    }
}

fn write_or_star(out: &mut Vec<u8>, number: Option<u64>) {
    match number {
        Some(number) => digits::decimal(out, number),
        None => out.push(b'*'),
    }
}
