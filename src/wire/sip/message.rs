//! The view of one SIP message: a start line, an index of header fields, a body.

use core::cell::Cell;

use crate::limits;
use crate::wire::Malformed;
use crate::wire::scan;
use crate::wire::span::Span;

use super::chars::is_token;
use super::lists::Values;
use super::section::{self, Parts, Step, Walk};
use super::{Name, NameAddr, Names, Via, address, decimal, place, trim, via};

/// Where the header fields of a message are. Reused from message to message: its table is taken once.
#[derive(Debug)]
pub struct Index {
    fields: Vec<Parts>,
    /// Of each name, one more than the place of its first field in `fields`; 0 if it has none.
    first: [u8; Name::COUNT],
    /// A bit for each name that more than one field has.
    repeated: u64,
    left_out: usize,
    body: Span,
    read: Read,
}

/// What was read of the header fields that everybody asks for, once somebody has asked.
#[derive(Debug, Default)]
struct Read {
    via: Cell<Option<TopVia>>,
    from: Cell<Option<address::Place>>,
    to: Cell<Option<address::Place>>,
    cseq: Cell<Option<(u32, Span)>>,
}

/// The topmost Via, and whether its field has no other.
#[derive(Clone, Copy, Debug)]
struct TopVia {
    place: via::Place,
    is_alone: bool,
}

const _: () = assert!(limits::SIP_HEADERS_MAX < u8::MAX as usize && Name::COUNT < u64::BITS as usize);

/// A SIP message in the buffer it arrived in.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    index: &'a Index,
    start_line: StartLine<'a>,
}

/// RFC 3261 7.1 and 7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `Method SP Request-URI SP SIP-Version`.
    Request {
        /// Case-sensitive token.
        method: &'a [u8],
        /// As it came.
        request_uri: &'a [u8],
        /// As it came: "SIP/2.0" in any case if it is ours; white space at the end of the line stays.
        version: &'a [u8],
    },
    /// `SIP-Version SP Status-Code SP Reason-Phrase`.
    Response {
        /// Three digits.
        code: u16,
        /// May be empty.
        reason: &'a [u8],
    },
}

/// One header field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Which, or `Other`.
    pub name: Name,
    /// As written; empty if the line has no readable name, and then `value` is the whole line.
    pub raw_name: &'a [u8],
    /// Without white space at its ends; folds inside stay.
    pub value: &'a [u8],
    /// The line with its end, if it is printable ASCII and what [`Writer::header`](super::Writer::header) makes of the
    /// name and the value; else empty.
    pub line: &'a [u8],
}

/// RFC 3261 20.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31.
    pub number: u32,
    /// Case-sensitive.
    pub method: &'a [u8],
}

impl Parts {
    fn of(self, bytes: &[u8]) -> Field<'_> {
        let line = self.usual_line().of(bytes);
        Field { name: self.name, raw_name: self.raw_name.of(bytes), value: self.value.of(bytes), line }
    }
}

impl Field<'_> {
    /// Whether `name`, in any case, is how this field is written. A line without a name has none.
    fn is_named(&self, name: &[u8]) -> bool {
        !name.is_empty() && self.raw_name.eq_ignore_ascii_case(name)
    }
}

impl Index {
    /// An index with room for every message within limits.
    #[must_use]
    pub fn new() -> Index {
        Index { fields: Vec::with_capacity(limits::SIP_HEADERS_MAX), ..Index::default() }
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.first = [0; Name::COUNT];
        self.repeated = 0;
        self.left_out = 0;
        self.read = Read::default();
    }

    /// Walks the header section and returns where the body starts.
    fn fill(&mut self, bytes: &[u8], mut walk: Walk<'_>) -> Option<usize> {
        self.clear();
        let mut fields = core::mem::take(&mut self.fields);
        let body = loop {
            if fields.len() < limits::SIP_HEADERS_MAX
                && let Some(parts) = walk.usual()
            {
                fields.push(parts);
                continue;
            }
            match walk.step() {
                Some(Step::End(body)) => break Some(body),
                Some(Step::Line(_)) if fields.len() >= limits::SIP_HEADERS_MAX => self.left_out += 1,
                Some(Step::Line(line)) => fields.push(section::parts(bytes, line).unwrap_or_else(|| raw(bytes, line))),
                None => break None,
            }
        };
        self.fields = fields;
        self.note_names();
        body
    }

    fn note_names(&mut self) {
        for (at, entry) in (1..).zip(&self.fields) {
            match self.first.get_mut(entry.name as usize) {
                Some(first @ 0) => *first = at,
                Some(_) => self.repeated |= 1 << entry.name as u32,
                None => {}
            }
        }
    }

    /// The first field of this name.
    #[inline]
    fn first(&self, name: Name) -> Option<&Parts> {
        match self.first.get(name as usize) {
            Some(0) => None,
            Some(&first) => self.fields.get(usize::from(first) - 1),
            None => self.fields.iter().find(|entry| entry.name == name),
        }
    }

    /// The fields from the first of this name on; none if there is no such field.
    fn since(&self, name: Name) -> &[Parts] {
        let from = match self.first.get(name as usize) {
            Some(0) => self.fields.len(),
            Some(&first) => usize::from(first) - 1,
            None => 0,
        };
        self.fields.get(from..).unwrap_or_default()
    }
}

impl Default for Index {
    /// An index that takes its room with the first message.
    fn default() -> Index {
        Index {
            fields: Vec::new(),
            first: [0; Name::COUNT],
            repeated: 0,
            left_out: 0,
            body: Span::default(),
            read: Read::default(),
        }
    }
}

impl<'a> Message<'a> {
    /// Finds the start line, the header fields and the body. The body is what follows the blank line, cut to
    /// Content-Length if that is readable and shorter (RFC 3261 18.3). A header line that is none stays where it is,
    /// as a field without name.
    ///
    /// # Errors
    /// The start line is none, or the blank line is missing.
    pub fn parse(bytes: &'a [u8], index: &'a mut Index) -> Result<Message<'a>, Malformed> {
        let (first, walk) = section::start(bytes).ok_or(Malformed::new("start line", 0))?;
        let start_line = start_line(first)?;
        let body = index.fill(bytes, walk).ok_or(Malformed::new("end of header", bytes.len()))?;
        index.body = Span::new(body, bytes.len());
        let index = &*index;
        Ok(Message { bytes, index, start_line })
    }

    /// The start line.
    #[must_use]
    pub fn start_line(&self) -> StartLine<'a> {
        self.start_line
    }

    /// Whether this is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.start_line, StartLine::Request { .. })
    }

    /// The method of a request; of a response, the empty one.
    #[must_use]
    pub fn method(&self) -> &'a [u8] {
        if let StartLine::Request { method, .. } = self.start_line { method } else { b"" }
    }

    /// The Request-URI of a request; of a response, the empty one.
    #[must_use]
    pub fn request_uri(&self) -> &'a [u8] {
        if let StartLine::Request { request_uri, .. } = self.start_line { request_uri } else { b"" }
    }

    /// The status code of a response; of a request, 0.
    #[must_use]
    pub fn code(&self) -> u16 {
        if let StartLine::Response { code, .. } = self.start_line { code } else { 0 }
    }

    /// The header fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let bytes = self.bytes;
        self.index.fields.iter().map(move |entry| entry.of(bytes))
    }

    /// The header fields of these names in order.
    pub fn fields_of(&self, names: Names) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let bytes = self.bytes;
        self.index.fields.iter().filter(move |entry| names.has(entry.name)).map(move |entry| entry.of(bytes))
    }

    /// Header lines beyond [`limits::SIP_HEADERS_MAX`]; no accessor sees them.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.index.left_out
    }

    /// The value of the first header field of this name.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<&'a [u8]> {
        self.index.first(name).map(|entry| entry.value.of(self.bytes))
    }

    /// The value of the first header field of this name, in any case; of a known name in any of its forms.
    #[must_use]
    pub fn header_named(&self, name: &[u8]) -> Option<&'a [u8]> {
        match Name::parse(name) {
            Name::Other => self.fields().find(|field| field.is_named(name)).map(|field| field.value),
            known => self.header(known),
        }
    }

    /// Every value of this name, repeated fields and comma lists alike, in order.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.named(name).flat_map(|field| Values::new(field.value))
    }

    /// Whether more than one header field has this name; of `Other`, never.
    #[must_use]
    pub fn is_repeated(&self, name: Name) -> bool {
        name != Name::Other && self.index.repeated >> name as u32 & 1 == 1
    }

    /// Whether a header that a message may hold only once is there again.
    #[must_use]
    pub fn is_any_single_repeated(&self) -> bool {
        self.index.repeated & Name::SINGLES != 0
    }

    fn named(&self, name: Name) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let bytes = self.bytes;
        self.index.since(name).iter().filter(move |entry| entry.name == name).map(move |entry| entry.of(bytes))
    }

    /// The body, as far as Content-Length says.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        let body = self.index.body.of(self.bytes);
        match self.content_length() {
            Ok(Some(len)) => body.get(..len).unwrap_or(body),
            _ => body,
        }
    }

    /// Octets present after the blank line, whatever Content-Length says.
    #[must_use]
    pub fn body_len_received(&self) -> usize {
        self.index.body.len()
    }

    /// RFC 3261 20.8; never empty.
    #[must_use]
    pub fn call_id(&self) -> Option<&'a [u8]> {
        self.header(Name::CallId).filter(|value| !value.is_empty())
    }

    /// RFC 3261 20.16.
    ///
    /// # Errors
    /// Absent, not `number method`, or the number is 2^31 or more.
    #[inline]
    pub fn cseq(&self) -> Result<CSeq<'a>, Malformed> {
        let read = self.index.read.cseq.get().or_else(|| self.read_cseq());
        let cseq = read.map(|(number, method)| CSeq { number, method: method.of(self.bytes) });
        cseq.ok_or(Malformed::new("CSeq", 0))
    }

    /// RFC 3261 20.20.
    ///
    /// # Errors
    /// Absent or not a name-addr or addr-spec.
    #[inline]
    pub fn from(&self) -> Result<NameAddr<'a>, Malformed> {
        self.address(&self.index.read.from, Name::From).ok_or(Malformed::new("From", 0))
    }

    /// RFC 3261 20.39.
    ///
    /// # Errors
    /// Absent or not a name-addr or addr-spec.
    #[inline]
    pub fn to(&self) -> Result<NameAddr<'a>, Malformed> {
        self.address(&self.index.read.to, Name::To).ok_or(Malformed::new("To", 0))
    }

    /// The topmost Via (RFC 3261 20.42).
    ///
    /// # Errors
    /// Absent or malformed.
    #[inline]
    pub fn top_via(&self) -> Result<Via<'a>, Malformed> {
        let top = self.index.read.via.get().or_else(|| self.read_top_via());
        top.map(|top| top.place.of(self.bytes)).ok_or(Malformed::new("Via", 0))
    }

    /// Whether there is one Via and no more.
    #[must_use]
    pub fn has_one_via(&self) -> bool {
        match self.index.read.via.get().or_else(|| self.read_top_via()) {
            Some(top) => top.is_alone && !self.is_repeated(Name::Via),
            None => self.values(Name::Via).nth(1).is_none() && self.header(Name::Via).is_some(),
        }
    }

    #[inline]
    fn address(&self, read: &Cell<Option<address::Place>>, name: Name) -> Option<NameAddr<'a>> {
        read.get().or_else(|| self.read_address(read, name)).map(|place| place.of(self.bytes))
    }

    #[inline(never)]
    fn read_cseq(&self) -> Option<(u32, Span)> {
        let value = self.header(Name::CSeq)?;
        let cseq = CSeq::of_method(value, self.method()).or_else(|| CSeq::parse(value))?;
        let read = Some((cseq.number, place(self.bytes, cseq.method)));
        self.index.read.cseq.set(read);
        read
    }

    #[inline(never)]
    fn read_top_via(&self) -> Option<TopVia> {
        let value = self.header(Name::Via)?;
        let read = match Via::usual(value) {
            Some(via) => Some(TopVia { place: via.place(self.bytes), is_alone: true }),
            None => {
                let mut values = Values::new(value);
                let place = Via::parse(values.next()?)?.place(self.bytes);
                Some(TopVia { place, is_alone: values.next().is_none() })
            }
        };
        self.index.read.via.set(read);
        read
    }

    #[inline(never)]
    fn read_address(&self, read: &Cell<Option<address::Place>>, name: Name) -> Option<address::Place> {
        let value = self.header(name)?;
        let place = Some(NameAddr::usual(value).or_else(|| NameAddr::parse(value))?.place(self.bytes));
        read.set(place);
        place
    }

    /// RFC 3261 20.22; `None` if absent.
    ///
    /// # Errors
    /// Not a number of 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, Malformed> {
        let Some(value) = self.header(Name::MaxForwards) else { return Ok(None) };
        let hops = decimal(value).and_then(|hops| u8::try_from(hops).ok());
        hops.map(Some).ok_or(Malformed::new("Max-Forwards", 0))
    }

    /// RFC 3261 20.14; `None` if absent.
    ///
    /// # Errors
    /// Not a number.
    pub fn content_length(&self) -> Result<Option<usize>, Malformed> {
        let Some(value) = self.header(Name::ContentLength) else { return Ok(None) };
        decimal(value).map(|len| Some(len as usize)).ok_or(Malformed::new("Content-Length", 0))
    }

    /// RFC 3261 20.19 in seconds; `None` if absent or unreadable, which only costs its own effect.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.header(Name::Expires).and_then(decimal)
    }
}

impl<'a> CSeq<'a> {
    /// The same as [`CSeq::parse`] where one space stands before this method, which is a token.
    pub(super) fn of_method(value: &'a [u8], method: &[u8]) -> Option<CSeq<'a>> {
        let (digits, written) = value.split_at_checked(value.len().checked_sub(method.len())?)?;
        let number = decimal(digits.strip_suffix(b" ")?).filter(|&number| number < 1 << 31)?;
        (written == method && !method.is_empty()).then_some(CSeq { number, method: written })
    }

    pub(super) fn parse(value: &'a [u8]) -> Option<CSeq<'a>> {
        let space = value.iter().position(|&octet| !octet.is_ascii_digit())?;
        let (digits, method) = value.split_at(space);
        let number = decimal(digits).filter(|&number| number < 1 << 31)?;
        let method = trim(method);
        is_token(method).then_some(CSeq { number, method })
    }
}

/// A header line that is none stays raw (RFC 3261 8.2: what is not necessary for processing is ignored).
fn raw(bytes: &[u8], line: &[u8]) -> Parts {
    Parts { name: Name::Other, raw_name: Span::default(), value: place(bytes, line), is_usual: false }
}

/// Splits where the elements are, not where they should be: what stands beside them is for `check`, which can answer.
fn start_line(line: &[u8]) -> Result<StartLine<'_>, Malformed> {
    let bad = Malformed::new("start line", 0);
    let first = scan::find(b' ', line).ok_or(bad)?;
    let (head, rest) = (line.get(..first).unwrap_or_default(), line.get(first + 1..).unwrap_or_default());
    if is_sip(head) {
        return status_line(head, rest).ok_or(bad);
    }
    if let Some((request_uri, version)) = as_usual(rest) {
        return is_token(head).then_some(StartLine::Request { method: head, request_uri, version }).ok_or(bad);
    }
    let last = rest.trim_ascii_end().iter().rposition(|&octet| octet == b' ').ok_or(bad)?;
    let (request_uri, version) = (rest.get(..last).unwrap_or_default(), rest.get(last + 1..).unwrap_or_default());
    (is_token(head) && is_sip(version)).then_some(StartLine::Request { method: head, request_uri, version }).ok_or(bad)
}

/// The Request-URI and the version, if this is written as nearly always.
fn as_usual(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, version) = rest.split_last_chunk::<8>()?;
    (version == b" SIP/2.0").then(|| (before, version.get(1..).unwrap_or_default()))
}

fn is_sip(version: &[u8]) -> bool {
    version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn status_line<'a>(version: &[u8], rest: &'a [u8]) -> Option<StartLine<'a>> {
    let code = decimal(rest.get(..3)?).and_then(|code| u16::try_from(code).ok())?;
    let reason = match rest.get(3..)? {
        [] => b"".as_slice(),
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    (version.eq_ignore_ascii_case(b"SIP/2.0") && code >= 100).then_some(StartLine::Response { code, reason })
}
