//! Writing SIP messages: octets appended to a buffer, no format machine.

use crate::limits;

use super::Name;
use crate::wire::digits::decimal;
use crate::wire::scan;

/// Writes one message at the end of a buffer.
///
/// Whatever is handed in may come from a peer: line ends in it become spaces, so that nothing can add a header or end
/// the section (RFC 3261 7.3.1).
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// Starts a request.
    pub fn request(out: &'o mut Vec<u8>, method: &[u8], request_uri: &[u8]) -> Writer<'o> {
        let mut writer = Writer { out };
        writer.value(method);
        writer.out.push(b' ');
        writer.value(request_uri);
        writer.out.extend_from_slice(b" SIP/2.0\r\n");
        writer
    }

    /// Starts a response.
    pub fn response(out: &'o mut Vec<u8>, code: u16, reason: &str) -> Writer<'o> {
        out.extend_from_slice(b"SIP/2.0 ");
        three_digits(out, code);
        out.push(b' ');
        let mut writer = Writer { out };
        writer.value(reason.as_bytes());
        writer.line_end();
        writer
    }

    /// Continues a message whose first lines are in `out`.
    pub fn resume(out: &'o mut Vec<u8>) -> Writer<'o> {
        Writer { out }
    }

    /// `name: value`.
    pub fn header(&mut self, name: Name, value: &[u8]) {
        self.start(name);
        self.value(value);
        self.line_end();
    }

    /// Header lines that another writer has made.
    pub fn lines(&mut self, lines: &[u8]) {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\r\n"), "lines are whole");
        self.out.extend_from_slice(lines);
    }

    /// `name: value` if the value is not empty.
    pub fn header_if(&mut self, name: Name, value: &[u8]) {
        if !value.is_empty() {
            self.header(name, value);
        }
    }

    /// `name: ` and the parts of its value.
    pub fn header_parts(&mut self, name: Name, parts: &[&[u8]]) {
        self.start(name);
        for part in parts {
            self.value(part);
        }
        self.line_end();
    }

    /// A header of any name.
    pub fn header_named(&mut self, name: &[u8], parts: &[&[u8]]) {
        self.name(name);
        for part in parts {
            self.value(part);
        }
        self.line_end();
    }

    /// `name: value, value`; nothing if there is no value.
    pub fn list<'v>(&mut self, name: Name, values: impl IntoIterator<Item = &'v [u8]>) {
        let mut separator: Option<&[u8]> = None;
        for value in values {
            match separator {
                Some(comma) => self.out.extend_from_slice(comma),
                None => self.start(name),
            }
            separator = Some(b", ");
            self.value(value);
        }
        if separator.is_some() {
            self.line_end();
        }
    }

    /// `name: number`.
    pub fn number(&mut self, name: Name, number: u64) {
        self.start(name);
        decimal(self.out, number);
        self.line_end();
    }

    /// Ends the header section with Content-Length 0.
    pub fn end(self) {
        self.out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    }

    /// Ends the header section and writes the body with `write`; Content-Length is put right afterwards.
    pub fn body(mut self, content_type: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.header(Name::ContentType, content_type);
        self.start(Name::ContentLength);
        let Writer { out } = self;
        let digits = out.len();
        out.extend_from_slice(b"     \r\n\r\n");
        let start = out.len();
        write(out);
        let len = out.len() - start;
        debug_assert!(len <= limits::SIP_MESSAGE_BYTES_MAX, "a body of {len} octets is no SIP message");
        patch_decimal(out, digits, len);
    }

    fn start(&mut self, name: Name) {
        self.out.extend_from_slice(name.as_start().as_bytes());
    }

    fn name(&mut self, name: &[u8]) {
        self.value(name);
        self.out.extend_from_slice(b": ");
    }

    fn value(&mut self, value: &[u8]) {
        if scan::is_plain(value) {
            self.out.extend_from_slice(value);
        } else {
            self.out.extend(value.iter().map(|&octet| if matches!(octet, b'\r' | b'\n') { b' ' } else { octet }));
        }
    }

    fn line_end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// A status code; one that is none as it is.
fn three_digits(out: &mut Vec<u8>, code: u16) {
    let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
    match code {
        100..1000 => out.extend_from_slice(&[digit(code / 100), digit(code / 10), digit(code)]),
        _ => decimal(out, u64::from(code)),
    }
}

/// Writes `number` right-aligned into the five octets at `at`; leading white space is legal (RFC 3261 25.1 HCOLON).
fn patch_decimal(out: &mut [u8], at: usize, number: usize) {
    let mut rest = number;
    for octet in out.iter_mut().skip(at).take(5).rev() {
        *octet = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Index, Message};
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_values_cannot_add_headers() {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"MESSAGE", b"tel:+1");
        writer.header(Name::CallId, b"a\r\nEvil: 1");
        writer.list(Name::Allow, [b"MESSAGE".as_slice(), b"OPTIONS"]);
        writer.list(Name::Supported, []);
        writer.body(b"text/plain\r\n\r\nEvil: 2", |body| body.extend_from_slice(b"hello"));
        let mut index = Index::new();
        let message = Message::parse(&out, &mut index).unwrap();
        assert_eq!(message.header(Name::CallId), Some(b"a  Evil: 1".as_slice()));
        assert_eq!(message.header(Name::ContentType), Some(b"text/plain    Evil: 2".as_slice()));
        assert_eq!(message.header(Name::Allow), Some(b"MESSAGE, OPTIONS".as_slice()));
        assert_eq!(message.header(Name::Supported), None);
        assert_eq!(message.body(), b"hello");
        assert!(message.header_named(b"Evil").is_none());
    }
}
