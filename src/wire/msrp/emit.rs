//! Writing MSRP: octets appended to a buffer, no format machine.

use super::status::three;
use super::{ByteRange, Continuation, FailureReport, HYPHENS, Head, Status, is_ident};
use crate::wire::span::Span;

/// Writes one request or response at the end of a buffer: the start line and both paths when it is made, then headers
/// in the order of the calls, then [`end`](Writer::end) or [`content`](Writer::content).
///
/// Whatever is handed in may come from a peer: line ends in it become spaces, so that nothing can add a header.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    transaction_id: Span,
}

impl<'o> Writer<'o> {
    /// Starts a request. `transaction_id` is an [`ident`](is_ident) of at least 64 random bits; paths are URIs with a
    /// space between.
    pub fn request(
        out: &'o mut Vec<u8>,
        transaction_id: &[u8],
        method: &[u8],
        to_path: &[u8],
        from_path: &[u8],
    ) -> Writer<'o> {
        let mut writer = Writer::start(out, transaction_id);
        writer.value(method);
        writer.line_end();
        writer.header(b"To-Path", to_path);
        writer.header(b"From-Path", from_path);
        writer
    }

    /// Starts a response with the transact-id of what it answers. The comment may be empty.
    pub fn response(
        out: &'o mut Vec<u8>,
        transaction_id: &[u8],
        code: u16,
        comment: &str,
        to_path: &[u8],
        from_path: &[u8],
    ) -> Writer<'o> {
        let mut writer = Writer::start(out, transaction_id);
        three(writer.out, code);
        writer.comment(comment.as_bytes());
        writer.line_end();
        writer.header(b"To-Path", to_path);
        writer.header(b"From-Path", from_path);
        writer
    }

    /// Starts the response to a request: to the hop it came from, from the URI it was sent to (RFC 4975 7.2).
    pub fn response_to(out: &'o mut Vec<u8>, index: &Head, head: &[u8], code: u16, comment: &str) -> Writer<'o> {
        let (to, from) = (index.from_path(head).first(), index.to_path(head).first());
        Writer::response(out, index.transaction_id(head), code, comment, to, from)
    }

    /// `name: value`.
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        self.name(name);
        self.value(value);
        self.line_end();
    }

    /// Message-ID.
    pub fn message_id(&mut self, message_id: &[u8]) {
        self.header(b"Message-ID", message_id);
    }

    /// Byte-Range.
    pub fn byte_range(&mut self, range: ByteRange) {
        self.name(b"Byte-Range");
        range.write(self.out);
        self.line_end();
    }

    /// Success-Report, unless it says what is meant without it.
    pub fn success_report(&mut self, wanted: bool) {
        if wanted {
            self.header(b"Success-Report", b"yes");
        }
    }

    /// Failure-Report, unless it says what is meant without it.
    pub fn failure_report(&mut self, wanted: FailureReport) {
        if wanted != FailureReport::default() {
            self.header(b"Failure-Report", wanted.as_str().as_bytes());
        }
    }

    /// Status of a REPORT.
    pub fn status(&mut self, status: Status<'_>) {
        self.name(b"Status");
        status.write_codes(self.out);
        self.comment(status.comment);
        self.line_end();
    }

    /// Ends what has no body.
    pub fn end(self, continuation: Continuation) {
        let id = self.transaction_id;
        self.out.extend_from_slice(HYPHENS);
        self.out.extend_from_within(id.start()..id.end());
        self.out.extend_from_slice(&[continuation.flag(), b'\r', b'\n']);
    }

    /// Writes the last header and the blank line. The data follow, then the [`end_line`].
    pub fn content_head(mut self, content_type: &[u8]) {
        self.header(b"Content-Type", content_type);
        self.line_end();
    }

    /// Writes the last header, the data and the end line.
    pub fn content(mut self, content_type: &[u8], data: &[u8], continuation: Continuation) {
        self.header(b"Content-Type", content_type);
        self.line_end();
        self.out.extend_from_slice(data);
        self.line_end();
        self.end(continuation);
    }

    fn start(out: &'o mut Vec<u8>, transaction_id: &[u8]) -> Writer<'o> {
        debug_assert!(is_ident(transaction_id), "no transact-id");
        out.extend_from_slice(b"MSRP ");
        let transaction_id = Span::append(out, transaction_id);
        out.push(b' ');
        Writer { out, transaction_id }
    }

    fn name(&mut self, name: &[u8]) {
        self.value(name);
        self.out.extend_from_slice(b": ");
    }

    fn value(&mut self, value: &[u8]) {
        if memchr::memchr2(b'\r', b'\n', value).is_none() {
            self.out.extend_from_slice(value);
        } else {
            self.out.extend(value.iter().map(|&octet| if matches!(octet, b'\r' | b'\n') { b' ' } else { octet }));
        }
    }

    fn comment(&mut self, comment: &[u8]) {
        if !comment.is_empty() {
            self.out.push(b' ');
            self.value(comment);
        }
    }

    fn line_end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Appends the line end after the data and the end line.
pub fn end_line(out: &mut Vec<u8>, transaction_id: &[u8], continuation: Continuation) {
    for part in [b"\r\n", HYPHENS.as_slice(), transaction_id, &[continuation.flag()], b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Whether `data` hold the transaction id, and so might end early: then they need another one (RFC 4975 7.1).
#[must_use]
pub fn clashes(transaction_id: &[u8], data: &[u8]) -> bool {
    memchr::memmem::find(data, transaction_id).is_some()
}
