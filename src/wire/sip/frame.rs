//! Where a SIP message ends on a stream (RFC 3261 18.3), and whose it is.

use crate::limits;
use crate::wire::{Framing, Malformed};

use super::section::{self, Step};
use super::{Name, decimal};

/// The first message of a stream that starts with one (line ends before it removed, RFC 3261 7.5).
#[must_use]
pub fn frame(stream: &[u8]) -> Framing {
    if matches!(stream.first(), Some(b'\r' | b'\n')) {
        return Framing::Malformed(Malformed::new("start line", 0));
    }
    match section_end(stream) {
        Ok(Some((body, _))) if body > limits::SIP_HEADER_SECTION_BYTES_MAX => too_long(body),
        Ok(Some((body, len))) => with_body(stream.len(), body, len),
        Ok(None) if stream.len() > limits::SIP_HEADER_SECTION_BYTES_MAX => too_long(stream.len()),
        Ok(None) => Framing::Partial,
        Err(why) => Framing::Malformed(why),
    }
}

fn too_long(at: usize) -> Framing {
    Framing::Malformed(Malformed::new("header section", at))
}

fn with_body(arrived: usize, body: usize, len: usize) -> Framing {
    match body.saturating_add(len) {
        end if end > limits::SIP_MESSAGE_BYTES_MAX => Framing::Malformed(Malformed::new("Content-Length", body)),
        end if end <= arrived => Framing::Complete(end),
        _ => Framing::Partial,
    }
}

/// Where the body starts and how long it says it is; `None` if the section is not all there. A stream has no other end
/// of message, so Content-Length is mandatory, readable and the same wherever it is repeated.
fn section_end(stream: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let Some((_, mut walk)) = section::start(stream) else { return Ok(None) };
    let mut found: Option<Option<u32>> = None;
    loop {
        match walk.step() {
            None => return Ok(None),
            Some(Step::Line(line)) => {
                let Some(value) = value_of(stream, line, Name::ContentLength) else { continue };
                let len = decimal(value);
                found = Some(len.filter(|_| found.is_none_or(|other| other == len)));
            }
            Some(Step::End(body)) => {
                let len = found.flatten().ok_or(Malformed::new("Content-Length", 0))?;
                return Ok(Some((body, len as usize)));
            }
        }
    }
}

/// The value of a header line if its name is `name`. Both names this is for start with their compact letter or 'C'.
fn value_of<'a>(bytes: &'a [u8], line: &[u8], name: Name) -> Option<&'a [u8]> {
    matches!(line.first()?, b'C' | b'c' | b'L' | b'l' | b'I' | b'i').then_some(())?;
    let parts = section::parts(bytes, line)?;
    (parts.name == name).then(|| parts.value.of(bytes))
}

/// The Call-ID of a message that was not parsed, for its owner's hash. `None` if it has none; then any core may refuse
/// it.
#[must_use]
pub fn peek_call_id(message: &[u8]) -> Option<&[u8]> {
    let (_, mut walk) = section::start(message)?;
    while let Step::Line(line) = walk.step()? {
        if let Some(value) = value_of(message, line, Name::CallId) {
            return Some(value).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_needs_one_readable_content_length() {
        let head = b"MESSAGE sip:a SIP/2.0\r\nCall-ID: x@y\r\n";
        let with = |rest: &str| frame(&[head.as_slice(), rest.as_bytes()].concat());
        assert_eq!(with("l: 2\r\n\r\nhi more"), Framing::Complete(head.len() + 10));
        assert_eq!(with("Content-Length: 9\r\n\r\nhi"), Framing::Partial);
        assert!(matches!(with("\r\n"), Framing::Malformed(_)));
        assert!(matches!(with("l: -1\r\n\r\n"), Framing::Malformed(_)));
        assert!(matches!(with("l: 1\r\nl: 2\r\n\r\n"), Framing::Malformed(_)));
        assert!(matches!(with("l: 99999999\r\n\r\n"), Framing::Malformed(_)));
    }

    #[test]
    fn the_call_id_is_found_in_both_forms() {
        assert_eq!(peek_call_id(b"X\r\nVia: a\r\ni :  A@b \r\n\r\n"), Some(b"A@b".as_slice()));
        assert_eq!(peek_call_id(b"X\r\nContent-Length: 0\r\nCALL-ID:q\r\n\r\n"), Some(b"q".as_slice()));
        assert_eq!(peek_call_id(b"X\r\nCall-ID:\r\n q@h\r\n\r\n"), Some(b"q@h".as_slice()));
        assert_eq!(peek_call_id(b"X\r\n\r\nCall-ID: body\r\n"), None);
    }

    #[test]
    fn the_section_ends_at_its_own_blank_line_whatever_the_body_holds() {
        let bare = b"MESSAGE sip:a SIP/2.0\nl: 4\n\n\r\n\r\n";
        assert_eq!(frame(bare), Framing::Complete(bare.len()));
        assert!(matches!(frame(b"\r\nMESSAGE"), Framing::Malformed(_)));
    }
}
