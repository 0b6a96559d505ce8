//! The head of a request or response: start line and headers (RFC 4975 7, 9), indexed in place.

use super::lines::{field, line};
use super::{ByteRange, Continuation, Path, Status, reader};
use crate::limits;
use crate::wire::Malformed;
use crate::wire::span::Span;

/// What a head is the head of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// `MSRP transact-id METHOD`.
    Request {
        /// The method, as far as we know it.
        method: Method,
    },
    /// `MSRP transact-id code [comment]`.
    Response {
        /// Three digits.
        code: u16,
    },
}

/// A request's method (RFC 4975 7, RFC 4976 4, RFC 7701 7). Methods are written in capitals; anything else is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Carries a message or a part of one.
    Send,
    /// Tells what became of a message. Never answered.
    Report,
    /// Asks a relay for its services.
    Auth,
    /// Asks a conference for a nickname.
    Nickname,
    /// One that we do not know, for a 501.
    Other,
}

/// When the sender wants to hear of failures (RFC 4975 7.1.1 `Failure-Report`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureReport {
    /// Also of silence: every request is answered.
    #[default]
    Yes,
    /// Only of errors.
    Partial,
    /// Never.
    No,
}

impl Method {
    /// The method that `name` stands for.
    #[must_use]
    pub fn of(name: &[u8]) -> Method {
        match name {
            b"SEND" => Method::Send,
            b"REPORT" => Method::Report,
            b"AUTH" => Method::Auth,
            b"NICKNAME" => Method::Nickname,
            _ => Method::Other,
        }
    }
}

impl FailureReport {
    /// Reads a header value, in any case.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<FailureReport> {
        [FailureReport::Yes, FailureReport::Partial, FailureReport::No]
            .into_iter()
            .find(|which| value.eq_ignore_ascii_case(which.as_str().as_bytes()))
    }

    /// As a header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            FailureReport::Yes => "yes",
            FailureReport::Partial => "partial",
            FailureReport::No => "no",
        }
    }
}

/// Where things are in a head. It does not borrow the octets: whoever asks for a value hands them in again, and gets
/// empty values if they are not the ones that were indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub(super) start: Start,
    pub(super) len: u16,
    pub(super) end: Option<Continuation>,
    pub(super) success_report: bool,
    pub(super) failure_report: FailureReport,
    pub(super) has_content_type: bool,
    pub(super) byte_range: Option<ByteRange>,
    pub(super) flaw: Option<Malformed>,
    pub(super) transaction_id: Span,
    pub(super) method_or_comment: Span,
    pub(super) headers: Span,
    pub(super) to_path: Span,
    pub(super) from_path: Span,
    pub(super) message_id: Span,
    pub(super) byte_range_value: Span,
    pub(super) status: Span,
    pub(super) content_type: Span,
}

const _: () = assert!(limits::MSRP_HEADER_SECTION_BYTES_MAX <= u16::MAX as usize);

impl Head {
    /// Indexes the head that `stream` starts with: up to the end of the blank line if there is one, otherwise up to
    /// the end of the end line. `None` if it has not all arrived.
    ///
    /// # Errors
    /// If no head can start here, one has no end within [`limits::MSRP_HEADER_SECTION_BYTES_MAX`], or a request could
    /// not be answered for want of a path.
    pub fn read(stream: &[u8]) -> Result<Option<Head>, Malformed> {
        let section = stream.get(..limits::MSRP_HEADER_SECTION_BYTES_MAX);
        match reader::read(section.unwrap_or(stream))? {
            None if section.is_some() => Err(Malformed::new("header section", limits::MSRP_HEADER_SECTION_BYTES_MAX)),
            head => Ok(head),
        }
    }

    /// Indexes a head that is all there.
    ///
    /// # Errors
    /// As [`read`](Head::read), and if the head has no end.
    pub fn parse(header_section: &[u8]) -> Result<Head, Malformed> {
        Head::read(header_section)?.ok_or(Malformed::new("header section", header_section.len()))
    }

    /// Request or response.
    #[must_use]
    pub const fn start(&self) -> Start {
        self.start
    }

    /// Octets of the head. Data follow, unless [`end`](Head::end) says that the end line has been read.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "no head is empty")]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// The flag of the end line that follows the headers directly; `None` if data follow, be they empty.
    #[must_use]
    pub const fn end(&self) -> Option<Continuation> {
        self.end
    }

    /// The first thing wrong in the head that hinders neither framing nor an answer: the answer is 400.
    #[must_use]
    pub const fn flaw(&self) -> Option<Malformed> {
        self.flaw
    }

    /// The transact-id, an `ident`.
    #[must_use]
    pub fn transaction_id<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        self.transaction_id.of(head)
    }

    /// Where the transact-id starts, and its octets.
    #[must_use]
    pub const fn transaction_id_place(&self) -> (usize, usize) {
        (self.transaction_id.start(), self.transaction_id.end() - self.transaction_id.start())
    }

    /// The method as written; empty for a response.
    #[must_use]
    pub fn method_name<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        match self.start {
            Start::Request { .. } => self.method_or_comment.of(head),
            Start::Response { .. } => b"",
        }
    }

    /// What a response says to people; empty for a request.
    #[must_use]
    pub fn comment<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        match self.start {
            Start::Request { .. } => b"",
            Start::Response { .. } => self.method_or_comment.of(head),
        }
    }

    /// The URIs of To-Path, next hop first.
    #[must_use]
    pub fn to_path<'a>(&self, head: &'a [u8]) -> Path<'a> {
        Path::new(self.to_path.of(head))
    }

    /// The URIs of From-Path, last hop first.
    #[must_use]
    pub fn from_path<'a>(&self, head: &'a [u8]) -> Path<'a> {
        Path::new(self.from_path.of(head))
    }

    /// Message-ID; empty if there is none, which is a flaw of SEND and REPORT.
    #[must_use]
    pub fn message_id<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        self.message_id.of(head)
    }

    /// Byte-Range, if there is one and it is no lie.
    #[must_use]
    pub const fn byte_range(&self) -> Option<ByteRange> {
        self.byte_range
    }

    /// Whether a REPORT is asked for when the message has arrived. No, if not said.
    #[must_use]
    pub const fn success_report(&self) -> bool {
        self.success_report
    }

    /// When a failure is to be reported. Always, if not said.
    #[must_use]
    pub const fn failure_report(&self) -> FailureReport {
        self.failure_report
    }

    /// Status of a REPORT.
    #[must_use]
    pub fn status<'a>(&self, head: &'a [u8]) -> Option<Status<'a>> {
        Status::parse(self.status.of(head))
    }

    /// Content-Type with its parameters; empty if there is none.
    #[must_use]
    pub fn content_type<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        self.content_type.of(head)
    }

    /// Whether the request has a body, be it empty: one without Content-Type has none (RFC 4975 9 `content-stuff`).
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.has_content_type
    }

    /// All headers in their order, names as written.
    pub fn headers<'a>(&self, head: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let lines = self.headers.of(head);
        let mut at = 0;
        let lines = core::iter::from_fn(move || {
            let (found, next) = line(lines, at).ok().flatten()?;
            at = next;
            Some(found)
        });
        lines.filter_map(|line| field(line).map(|(name, _, value)| (name, value)))
    }

    /// The value of the first header of a name, in any case.
    #[must_use]
    pub fn header_named<'a>(&self, head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
        self.headers(head).find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
