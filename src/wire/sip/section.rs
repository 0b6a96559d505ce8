//! The header section, line by line (RFC 3261 7.3.1, 25.1). Whatever looks into one walks it with this, so that framing,
//! the search for an owner and parsing cannot disagree about where a field or the section ends.
//!
//! A line ends with CRLF or LF alone; a line that starts with white space continues the one before it; a line without a
//! single octet ends the section.

use memchr::memchr;

use crate::wire::span::Span;

use super::chars::TOKEN;
use super::{offset, trim};

/// What a walk meets next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A header line with its folds, without its last line end.
    Line(Span),
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
pub(super) fn start(bytes: &[u8]) -> Option<(Span, Walk<'_>)> {
    let line = physical(bytes, 0)?;
    Some((Span::new(0, line.end), Walk { bytes, at: line.next }))
}

impl Walk<'_> {
    /// The next step; `None` if `bytes` end before it does. After `End`, nothing of use.
    pub(super) fn step(&mut self) -> Option<Step> {
        let start = self.at;
        let mut line = physical(self.bytes, start)?;
        if line.end == start {
            return Some(Step::End(line.next));
        }
        while matches!(self.bytes.get(line.next)?, b' ' | b'\t') {
            line = physical(self.bytes, line.next)?;
        }
        self.at = line.next;
        Some(Step::Line(Span::new(start, line.end)))
    }
}

struct Physical {
    end: usize,
    next: usize,
}

/// The line at `start` up to the next LF.
fn physical(bytes: &[u8], start: usize) -> Option<Physical> {
    let lf = start + memchr(b'\n', bytes.get(start..)?)?;
    let end = if lf > start && bytes.get(lf - 1) == Some(&b'\r') { lf - 1 } else { lf };
    Some(Physical { end, next: lf + 1 })
}

/// A header line as field name and value, both as they came but without white space around them. `None` if the line
/// has no colon or what stands before it is no name: such a line is nobody's.
pub(super) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = line.split_at_checked(TOKEN.run(line))?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    (!name.is_empty()).then(|| (name, trim(value)))
}

/// The span of `part`, which lies in `bytes`.
pub(super) fn span(bytes: &[u8], part: &[u8]) -> Span {
    let start = offset(bytes, part);
    Span::new(start, start + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(bytes: &[u8]) -> (Vec<&[u8]>, Option<usize>) {
        let (_, mut walk) = start(bytes).unwrap();
        let mut lines = Vec::new();
        loop {
            match walk.step() {
                Some(Step::Line(line)) => lines.push(line.of(bytes)),
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
        assert_eq!(field(b"To :\r\n sip:a"), Some((b"To".as_slice(), b"sip:a".as_slice())));
        for line in [b"no colon".as_slice(), b": x", b"two words: x", b"", b"a\r\n b: c"] {
            assert_eq!(field(line), None);
        }
    }
}
