//! Reads a head: one walk over its lines.

use super::lines::{end_line, field, line};
use super::{
    ByteRange, Continuation, FailureReport, Head, Method, Path, Start, Status, is_ident, is_token, three_digits,
};
use crate::limits;
use crate::wire::Malformed;
use crate::wire::span::Span;

/// What every head starts with (RFC 4975 9 `pMSRP`).
pub(super) const MSRP: &[u8] = b"MSRP ";

/// The head at the start of `stream`; `None` if it has not all arrived.
pub(super) fn read(stream: &[u8]) -> Result<Option<Head>, Malformed> {
    if !stream.starts_with(MSRP) && !MSRP.starts_with(stream) {
        return Err(Malformed::new("start line", 0));
    }
    let Some((first, mut at)) = line(stream, 0)? else { return Ok(None) };
    let mut reader = Reader::new(first)?;
    let transaction_id = reader.head.transaction_id.of(stream);
    for _ in 0..=limits::MSRP_HEADERS_MAX {
        let Some((text, next)) = line(stream, at)? else { return Ok(None) };
        let end = end_line(text, transaction_id);
        if text.is_empty() || end.is_some() {
            return reader.finish(at, next, end).map(Some);
        }
        reader.header(text, at);
        at = next;
    }
    Err(Malformed::new("headers", at))
}

struct Reader {
    head: Head,
    /// How many header lines came.
    count: usize,
    /// Which known headers came, a bit for each.
    seen: u8,
}

impl Reader {
    fn new(line: &[u8]) -> Result<Reader, Malformed> {
        let bad = |at| Malformed::new("start line", at);
        let rest = line.get(MSRP.len()..).ok_or(bad(0))?;
        let id_len = memchr::memchr(b' ', rest).ok_or(bad(line.len()))?;
        let id_end = MSRP.len() + id_len;
        if !is_ident(rest.get(..id_len).unwrap_or_default()) {
            return Err(Malformed::new("transact-id", MSRP.len()));
        }
        let (start, text_len) = start(rest.get(id_len + 1..).unwrap_or_default()).ok_or(bad(id_end + 1))?;
        let mut head = empty(start);
        head.transaction_id = Span::new(MSRP.len(), id_end);
        head.method_or_comment = Span::new(line.len() - text_len, line.len());
        head.headers = Span::new(line.len() + 2, line.len() + 2);
        Ok(Reader { head, count: 0, seen: 0 })
    }

    fn header(&mut self, line: &[u8], at: usize) {
        self.count += 1;
        let Some((name, value_at, value)) = field(line) else { return self.flaw("header", at) };
        let Some(known) = Known::of(name) else { return };
        let bit = 1 << known as u8;
        if self.seen & bit != 0 {
            return self.flaw("repeated header", at);
        }
        self.seen |= bit;
        let start = at + value_at;
        self.known(known, Span::new(start, start + value.len()), value);
    }

    fn known(&mut self, known: Known, span: Span, value: &[u8]) {
        let fine = match known {
            Known::ToPath => self.path(1, span, value),
            Known::FromPath => self.path(2, span, value),
            Known::MessageId => self.message_id(span, value),
            Known::SuccessReport => self.success_report(value),
            Known::FailureReport => self.failure_report(value),
            Known::ByteRange => self.byte_range(span, value),
            Known::Status => self.status(span, value),
            Known::ContentType => self.content_type(span),
        };
        if !fine {
            self.flaw(known.name(), span.start());
        }
    }

    /// To-Path is the first header, From-Path the second (RFC 4975 7.1).
    fn path(&mut self, place: usize, span: Span, value: &[u8]) -> bool {
        let path = if place == 1 { &mut self.head.to_path } else { &mut self.head.from_path };
        *path = span;
        self.count == place && Path::new(value).is_within_limit()
    }

    fn message_id(&mut self, span: Span, value: &[u8]) -> bool {
        self.head.message_id = span;
        (1..=limits::MSRP_MESSAGE_ID_BYTES_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic)
    }

    fn success_report(&mut self, value: &[u8]) -> bool {
        self.head.success_report = value.eq_ignore_ascii_case(b"yes");
        self.head.success_report || value.eq_ignore_ascii_case(b"no")
    }

    fn failure_report(&mut self, value: &[u8]) -> bool {
        let found = FailureReport::parse(value);
        self.head.failure_report = found.unwrap_or_default();
        found.is_some()
    }

    fn byte_range(&mut self, span: Span, value: &[u8]) -> bool {
        self.head.byte_range_value = span;
        self.head.byte_range = ByteRange::parse(value);
        self.head.byte_range.is_some()
    }

    fn status(&mut self, span: Span, value: &[u8]) -> bool {
        self.head.status = span;
        Status::parse(value).is_some()
    }

    fn content_type(&mut self, span: Span) -> bool {
        self.head.content_type = span;
        self.head.has_content_type = true;
        !span.is_empty()
    }

    fn finish(mut self, headers_end: usize, len: usize, end: Option<Continuation>) -> Result<Head, Malformed> {
        for (path, known) in [(self.head.to_path, Known::ToPath), (self.head.from_path, Known::FromPath)] {
            if path.is_empty() {
                return Err(Malformed::new(known.name(), headers_end));
            }
        }
        for known in required(self.head.start) {
            if self.seen & (1 << *known as u8) == 0 {
                self.flaw(known.name(), headers_end);
            }
        }
        self.head.headers = Span::new(self.head.headers.start(), headers_end);
        self.head.len = u16::try_from(len).unwrap_or(u16::MAX);
        self.head.end = end;
        Ok(self.head)
    }

    fn flaw(&mut self, what: &'static str, at: usize) {
        self.head.flaw.get_or_insert(Malformed::new(what, at));
    }
}

/// A header whose value is looked at.
#[derive(Clone, Copy)]
enum Known {
    ToPath,
    FromPath,
    MessageId,
    SuccessReport,
    FailureReport,
    ByteRange,
    Status,
    ContentType,
}

impl Known {
    /// The header of a name, in any case. No two names of one length start with the same letter.
    #[inline]
    fn of(name: &[u8]) -> Option<Known> {
        let known = match (name.len(), name.first()?) {
            (7, _) => Known::ToPath,
            (9, _) => Known::FromPath,
            (10, b'M' | b'm') => Known::MessageId,
            (14, b'S' | b's') => Known::SuccessReport,
            (14, _) => Known::FailureReport,
            (10, _) => Known::ByteRange,
            (6, _) => Known::Status,
            (12, _) => Known::ContentType,
            _ => return None,
        };
        name.eq_ignore_ascii_case(known.name().as_bytes()).then_some(known)
    }

    const fn name(self) -> &'static str {
        match self {
            Known::ToPath => "To-Path",
            Known::FromPath => "From-Path",
            Known::MessageId => "Message-ID",
            Known::SuccessReport => "Success-Report",
            Known::FailureReport => "Failure-Report",
            Known::ByteRange => "Byte-Range",
            Known::Status => "Status",
            Known::ContentType => "Content-Type",
        }
    }
}

/// Without which a request means nothing (RFC 4975 7.1.1, 7.1.2).
const fn required(start: Start) -> &'static [Known] {
    match start {
        Start::Request { method: Method::Send } => &[Known::MessageId],
        Start::Request { method: Method::Report } => &[Known::MessageId, Known::Status],
        _ => &[],
    }
}

/// What follows the transact-id, and how many octets at its end are method or comment. Three digits are a response,
/// a token that starts otherwise is a method.
fn start(text: &[u8]) -> Option<(Start, usize)> {
    if text.first()?.is_ascii_digit() {
        let (code, comment) = three_digits(text)?;
        return Some((Start::Response { code }, comment.len()));
    }
    is_token(text).then(|| (Start::Request { method: Method::of(text) }, text.len()))
}

fn empty(start: Start) -> Head {
    let nowhere = Span::default();
    Head {
        start,
        len: 0,
        end: None,
        success_report: false,
        failure_report: FailureReport::Yes,
        has_content_type: false,
        byte_range: None,
        flaw: None,
        transaction_id: nowhere,
        method_or_comment: nowhere,
        headers: nowhere,
        to_path: nowhere,
        from_path: nowhere,
        message_id: nowhere,
        byte_range_value: nowhere,
        status: nowhere,
        content_type: nowhere,
    }
}
