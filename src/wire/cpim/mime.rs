//! The little of MIME that instant messages use: header blocks, parameters, multipart bodies. RFC 2045, RFC 2046 5.1.

use crate::wire::scan;

/// The line that starts at `at`, without its end, and where the next one starts; `None` behind the last. Ends are CRLF
/// or LF.
#[must_use]
pub fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let Some((end, next)) = scan::line(rest) else {
        return Some((rest.strip_suffix(b"\r").unwrap_or(rest), at + rest.len()));
    };
    Some((rest.get(..end)?, at + next))
}

/// The lines of `bytes`.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let (found, next) = line(bytes, at)?;
        at = next;
        Some(found)
    })
}

/// Header block and body, if `bytes` start with a block of header lines of which at least one is a Content- header.
#[must_use]
pub fn split_headers(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut at, mut content_headers) = (0, 0);
    while let Some((line, next)) = line(bytes, at) {
        if line.is_empty() {
            let body = bytes.get(next..)?;
            return (content_headers > 0).then_some((bytes.get(..at)?, body));
        }
        let folded = at > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        if !folded && !is_header(line) {
            return None;
        }
        content_headers += usize::from(is_content_header(line));
        at = next;
    }
    (content_headers > 0).then_some((bytes, b""))
}

/// The value of the first header `name` (any case), unfolded only as far as its first line goes.
#[must_use]
pub fn header<'a>(block: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    lines(block).find_map(|line| {
        let colon = scan::find(b':', line)?;
        let (found, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        found.trim_ascii().eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}

/// Whether a line is a header of the content.
#[must_use]
pub fn is_content_header(line: &[u8]) -> bool {
    line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-")) && is_header(line)
}

/// Whether `content_type`, parameters aside, is `wanted` ("text/plain").
#[must_use]
pub fn is_type(content_type: &[u8], wanted: &[u8]) -> bool {
    media_type(content_type).eq_ignore_ascii_case(wanted)
}

/// Type and subtype of a Content-Type value.
#[must_use]
pub fn media_type(content_type: &[u8]) -> &[u8] {
    let end = scan::find(b';', content_type).unwrap_or(content_type.len());
    content_type.get(..end).unwrap_or_default().trim_ascii()
}

/// A parameter of a Content-Type value, quotes removed (quoted pairs are left as they are).
#[must_use]
pub fn parameter<'a>(content_type: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = content_type.get(semicolon(content_type)?..)?;
    while let Some(tail) = rest.get(1..) {
        let end = semicolon(tail).unwrap_or(tail.len());
        let parameter = tail.get(..end)?;
        if let Some(equals) = scan::find(b'=', parameter) {
            let (found, value) = (parameter.get(..equals)?.trim_ascii(), parameter.get(equals + 1..)?.trim_ascii());
            if found.eq_ignore_ascii_case(name) {
                return Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value));
            }
        }
        rest = tail.get(end..)?;
    }
    None
}

/// The parts of a multipart body, each with its headers. RFC 2046 5.1.1: what precedes the first boundary and follows
/// the last is no part; a missing last boundary ends with the body.
pub fn parts<'a>(body: &'a [u8], boundary: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    parts_of(body, boundary).into_iter().flatten()
}

/// The same; `None` if the boundary is nowhere.
#[must_use]
pub fn parts_of<'a>(body: &'a [u8], boundary: &'a [u8]) -> Option<Parts<'a>> {
    let at = next_delimiter(body, 0, boundary)?.content_at;
    Some(Parts { body, boundary, at })
}

/// The parts of a multipart body.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    body: &'a [u8],
    boundary: &'a [u8],
    /// Where the next part starts.
    at: Option<usize>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.at?;
        let delimiter = next_delimiter(self.body, start, self.boundary);
        self.at = delimiter.as_ref().and_then(|delimiter| delimiter.content_at);
        let end = delimiter.map_or(self.body.len(), |delimiter| delimiter.line_at);
        Some(without_last_line_end(self.body.get(start..end)?))
    }
}

/// A boundary line.
struct Delimiter {
    line_at: usize,
    /// Where the part behind it starts; `None` behind the last.
    content_at: Option<usize>,
}

fn next_delimiter(body: &[u8], start: usize, boundary: &[u8]) -> Option<Delimiter> {
    let mut at = start;
    while let Some((line, next)) = line(body, at) {
        let tail = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        match tail.map(<[u8]>::trim_ascii_end) {
            Some(b"") => return Some(Delimiter { line_at: at, content_at: Some(next) }),
            Some(b"--") => return Some(Delimiter { line_at: at, content_at: None }),
            _ => at = next,
        }
    }
    None
}

/// The line end in front of a boundary belongs to the boundary.
fn without_last_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn is_header(line: &[u8]) -> bool {
    scan::find(b':', line).and_then(|colon| line.get(..colon)).is_some_and(is_token)
}

fn is_token(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    !name.is_empty() && name.iter().all(|octet| octet.is_ascii_graphic())
}

/// The first semicolon outside quotes.
fn semicolon(value: &[u8]) -> Option<usize> {
    let first = scan::find2(b'"', b';', value)?;
    if value.get(first) == Some(&b';') {
        return Some(first);
    }
    let mut quoted = false;
    value.iter().position(|octet| {
        quoted ^= *octet == b'"';
        *octet == b';' && !quoted
    })
}
