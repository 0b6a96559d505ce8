//! Where a SIP message ends on a stream (RFC 3261 18.3), and whose it is.

use memchr::{memchr, memmem};

use crate::limits;
use crate::wire::{Framing, Malformed};

use super::{Name, decimal, trim};

/// The first message of a stream that starts with one (leading line ends removed).
#[must_use]
pub fn frame(stream: &[u8]) -> Framing {
    let Some(body) = header_end(stream) else { return unfinished(stream.len()) };
    if body > limits::SIP_HEADER_SECTION_BYTES_MAX {
        return Framing::Malformed(Malformed::new("header section", body));
    }
    match content_length(stream.get(..body).unwrap_or_default()) {
        Ok(len) if body + len > limits::SIP_MESSAGE_BYTES_MAX => {
            Framing::Malformed(Malformed::new("Content-Length", body))
        }
        Ok(len) if body + len <= stream.len() => Framing::Complete(body + len),
        Ok(_) => Framing::Partial,
        Err(why) => Framing::Malformed(why),
    }
}

fn unfinished(len: usize) -> Framing {
    if len > limits::SIP_HEADER_SECTION_BYTES_MAX {
        return Framing::Malformed(Malformed::new("header section", len));
    }
    Framing::Partial
}

/// Where the body starts: after a blank line, its line ends CRLF or LF.
fn header_end(stream: &[u8]) -> Option<usize> {
    memmem::find(stream, b"\r\n\r\n").map(|at| at + 4).or_else(|| memmem::find(stream, b"\n\n").map(|at| at + 2))
}

/// The one Content-Length of a header section. A stream has no other end of message, so it is mandatory, readable and
/// the same wherever it is repeated.
fn content_length(section: &[u8]) -> Result<usize, Malformed> {
    let bad = Malformed::new("Content-Length", 0);
    let mut found = None;
    for value in field_values(section, Name::ContentLength) {
        let len = decimal(trim(value)).ok_or(bad)?;
        if found.is_some_and(|other| other != len) {
            return Err(bad);
        }
        found = Some(len);
    }
    found.map(|len| len as usize).ok_or(bad)
}

fn field_values(section: &[u8], name: Name) -> impl Iterator<Item = &[u8]> {
    section.split(|&octet| octet == b'\n').filter_map(move |line| {
        let colon = memchr(b':', line)?;
        let field = line.get(..colon)?.trim_ascii_end();
        (Name::parse(field) == name).then(|| line.get(colon + 1..).unwrap_or_default())
    })
}

/// The Call-ID of a message that was not parsed, for its owner's hash. `None` if it has none that is easy to find; then
/// any core may refuse it.
#[must_use]
pub fn peek_call_id(message: &[u8]) -> Option<&[u8]> {
    let mut rest = message;
    loop {
        let end = memchr(b'\n', rest)?;
        let line = rest.get(..end)?;
        if line.len() <= 1 {
            return None;
        }
        if matches!(line.first(), Some(b'C' | b'c' | b'I' | b'i')) {
            let colon = memchr(b':', line)?;
            if Name::parse(line.get(..colon)?.trim_ascii_end()) == Name::CallId {
                return line.get(colon + 1..).map(trim).filter(|value| !value.is_empty());
            }
        }
        rest = rest.get(end + 1..)?;
    }
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
        assert_eq!(peek_call_id(b"X\r\n\r\nCall-ID: body\r\n"), None);
    }
}
