//! The header section, line by line (RFC 3261 7.3.1, 25.1). Whatever looks into one walks it with this, so that framing,
//! the search for an owner and parsing cannot disagree about where a field or the section ends.
//!
//! A line ends with CRLF or LF alone; a line that starts with white space continues the one before it; a line without a
//! single octet ends the section.

use crate::wire::scan;
use crate::wire::span::Span;

use super::Name;
use super::chars::is_token;
use super::{place, trim};

/// What a walk meets next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A header line with its folds, without its last line end.
    Line(&'a [u8]),
    /// The blank line; the body starts at this octet.
    End(usize),
}

/// A walk over the header lines of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The start line without its line end, and the walk over what follows. `None` if no line ends in `bytes`.
pub(super) fn start(bytes: &[u8]) -> Option<(&[u8], Walk<'_>)> {
    let (end, next) = scan::line(bytes)?;
    Some((bytes.get(..end)?, Walk { bytes, at: next }))
}

impl<'a> Walk<'a> {
    /// The next step; `None` if `bytes` end before it does. After `End`, nothing of use.
    // Its caller does nothing else for each line.
    #[inline(always)]
    pub(super) fn step(&mut self) -> Option<Step<'a>> {
        let start = self.at;
        let rest = self.bytes.get(self.at..)?;
        let (end, next) = scan::line(rest)?;
        let (mut line, mut rest) = (rest.get(..end)?, rest.get(next..)?);
        self.at += next;
        if line.is_empty() {
            return Some(Step::End(self.at));
        }
        while matches!(rest.first()?, b' ' | b'\t') {
            let (end, next) = scan::line(rest)?;
            line = self.bytes.get(start..self.at + end)?;
            rest = rest.get(next..)?;
            self.at += next;
        }
        Some(Step::Line(line))
    }

    /// The parts of the next line, if it is written as nearly every one: printable ASCII, no fold, CRLF. `None` says
    /// nothing: [`Walk::step`] then meets the same line.
    // Its caller does nothing else for each line.
    #[inline(always)]
    pub(super) fn usual(&mut self) -> Option<Parts> {
        let line = self.bytes.get(self.at..)?;
        let Usual { name, colon, value_bytes } = usual(line)?;
        let is_usual = name.is_some();
        let name = match name {
            Some(name) => name,
            // White space before the colon might be the end of a line without one.
            None => other_spelling(line.get(..colon)?).filter(|(_, len)| *len == colon)?.0,
        };
        let raw_name = Span::new(self.at, self.at + colon);
        let value = Span::new(raw_name.end() + 2, raw_name.end() + 2 + value_bytes);
        self.at = value.end() + 2;
        Some(Parts { name, raw_name, value, is_usual })
    }
}

/// A line that is written as nearly every one.
struct Usual {
    /// If it is written letter for letter as in the list.
    name: Option<Name>,
    colon: usize,
    /// Octets of the value, which a colon and one space stand before.
    value_bytes: usize,
}

// A function of its own, which calls none but for a long name: what it works with stays in registers.
#[inline(never)]
fn usual(line: &[u8]) -> Option<Usual> {
    match Name::at_start(line) {
        (_, 0) => None,
        (name, colon) => with_usual_value(line, name, colon),
    }
}

#[inline(always)]
fn with_usual_value(line: &[u8], name: Option<Name>, colon: usize) -> Option<Usual> {
    let [b':', b' ', first, ..] = line.get(colon..)? else { return None };
    let end = scan::find_odd_from(line, colon + 2)?;
    let [b'\r', b'\n', next, _] = line.get(end..)?.first_chunk()? else { return None };
    if matches!(next, b' ' | b'\t') || *first <= b' ' || *line.get(end - 1)? <= b' ' {
        return None;
    }
    Some(Usual { name, colon, value_bytes: end - (colon + 2) })
}

/// A header line in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Which, or `Other`.
    pub(super) name: Name,
    /// As it came, without white space around it.
    pub(super) raw_name: Span,
    /// The same.
    pub(super) value: Span,
    /// Whether the line is what a writer of ours makes of the name and the value.
    pub(super) is_usual: bool,
}

impl Parts {
    /// The line with its end, if it is what a writer of ours makes.
    #[inline]
    pub(super) fn usual_line(self) -> Span {
        if self.is_usual { Span::new(self.raw_name.start(), self.value.end() + 2) } else { Span::default() }
    }
}

/// The parts of `line`, which is one of `bytes`. `None` if the line has no colon or what stands before it is no name: such
/// a line is nobody's.
#[inline(always)]
pub(super) fn parts(bytes: &[u8], line: &[u8]) -> Option<Parts> {
    let (name, colon) = match Name::at_start(line) {
        (_, 0) => (None, scan::find(b':', line)?),
        found => found,
    };
    let raw_name = line.get(..colon)?;
    let (name, len) = match name {
        Some(name) => (name, colon),
        None => other_spelling(raw_name)?,
    };
    let ([b' ', value @ ..] | value) = line.get(colon + 1..)?;
    let value = if is_trimmed(value) { place(bytes, value) } else { place_of_trimmed(bytes, value) };
    Some(Parts { name, raw_name: place(bytes, raw_name.get(..len)?), value, is_usual: false })
}

#[inline]
fn is_trimmed(value: &[u8]) -> bool {
    matches!(value, [first, .., last] if *first > b' ' && *last > b' ')
}

#[inline(never)]
fn place_of_trimmed(bytes: &[u8], value: &[u8]) -> Span {
    place(bytes, trim(value))
}

/// A name in other letters, of another header, or with white space before the colon; and its length.
#[inline(never)]
fn other_spelling(raw_name: &[u8]) -> Option<(Name, usize)> {
    let name = raw_name.trim_ascii_end();
    is_token(name).then(|| (Name::parse(name), name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(bytes: &[u8]) -> (Vec<&[u8]>, Option<usize>) {
        let (_, mut walk) = start(bytes).unwrap();
        let mut lines = Vec::new();
        loop {
            match walk.step() {
                Some(Step::Line(line)) => lines.push(line),
                Some(Step::End(body)) => return (lines, Some(body)),
                None => return (lines, None),
            }
        }
    }

    #[test]
    fn folds_belong_to_their_line_and_only_an_empty_line_ends_the_section() {
        let (lines, body) = walked(b"S\r\na: 1\r\n 2\n\t3\nb:\r\n \r\n\r\nbody\n\n");
        assert_eq!(lines, [b"a: 1\r\n 2\n\t3".as_slice(), b"b:\r\n "]);
        assert_eq!(body, Some(24));
        assert_eq!(walked(b"S\na: 1\n\nbody\r\n\r\n").1, Some(8));
    }

    #[test]
    fn a_line_is_known_when_the_next_has_begun() {
        assert_eq!(walked(b"S\r\na: 1\r\n"), (vec![], None));
        assert_eq!(walked(b"S\r\na: 1\r\n\r"), (vec![b"a: 1".as_slice()], None));
    }

    #[test]
    fn a_line_without_a_name_is_nobodys() {
        let read = |line: &'static [u8]| {
            let parts = parts(line, line)?;
            Some((parts.name, parts.raw_name.of(line), parts.value.of(line)))
        };
        assert_eq!(read(b"To :\r\n sip:a \r\n "), Some((Name::To, b"To".as_slice(), b"sip:a".as_slice())));
        assert_eq!(read(b"tO:"), Some((Name::To, b"tO".as_slice(), b"".as_slice())));
        assert_eq!(read(b"X-Mine:\t:"), Some((Name::Other, b"X-Mine".as_slice(), b":".as_slice())));
        for line in [b"no colon".as_slice(), b": x", b"two words: x", b"", b"a\r\n b: c"] {
            assert_eq!(read(line), None);
        }
    }
}
