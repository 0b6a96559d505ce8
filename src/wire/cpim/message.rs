//! A CPIM message in place. RFC 3862 2: message headers, a blank line, MIME headers of the content, a blank line,
//! content. RFC 5438 6.3: the imdn headers.
//!
//! Read liberally where deployed clients differ: bare LF, names in any case, no space behind the colon, MIME headers
//! among the message headers or none at all, addresses without angle brackets, a Content-Length that is wrong. After
//! [`Message::parse`] no accessor fails.

use super::disposition::Dispositions;
use super::known::{Content, Known};
use super::mime;
use crate::limits;
use crate::wire::{Malformed, scan};

/// The namespace of the imdn headers, whatever prefix a message gives it (RFC 5438 6.1.1).
pub const IMDN_NAMESPACE: &[u8] = b"urn:ietf:params:imdn";

/// A received message/cpim body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    head: &'a [u8],
    known: Known<'a>,
    content: Content<'a>,
}

/// One message header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Prefix in front of the dot, empty if there is none.
    pub prefix: &'a [u8],
    /// Name behind the prefix.
    pub name: &'a [u8],
    /// Value without the language parameter, escapes as received ([`unescape`]).
    pub value: &'a [u8],
}

/// The value of an address header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// Formal name, quotes removed, possibly empty.
    pub display_name: &'a [u8],
    /// The URI.
    pub uri: &'a [u8],
}

impl<'a> Message<'a> {
    /// Finds the three parts and checks the shape of every message header.
    ///
    /// # Errors
    /// [`Malformed`] for a NUL or a line without a colon among the headers, or more of them than
    /// [`limits::CPIM_HEADERS_MAX`].
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        let start = bytes.iter().position(|octet| !matches!(octet, b'\r' | b'\n')).unwrap_or(bytes.len());
        let bytes = bytes.get(start..).unwrap_or_default();
        let Lines { mut head, mut rest, content_at, known, .. } = Lines::read(bytes)?;
        if rest.is_empty() && head.is_empty() {
            return Err(Malformed::new("CPIM headers", start));
        }
        if let Some(at) = content_at {
            // no blank line before the MIME headers: they end where the message headers did
            rest = bytes.get(at..).unwrap_or_default();
            head = head.get(..at).unwrap_or_default();
        }
        let mut message = Message { head, known, content: Content::split(rest) };
        message.content.body = message.within_content_length();
        Ok(message)
    }

    /// The message headers in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        headers(self.head)
    }

    /// From, the author.
    #[must_use]
    pub fn from(&self) -> Option<Address<'a>> {
        self.known.from.map(address)
    }

    /// The first To.
    #[must_use]
    pub fn to(&self) -> Option<Address<'a>> {
        self.known.to.map(address)
    }

    /// Every cc.
    pub fn cc(&self) -> impl Iterator<Item = Address<'a>> + use<'a> {
        plain(self.rare(), b"cc").map(address)
    }

    /// `DateTime`, RFC 3339, as received.
    #[must_use]
    pub fn date_time(&self) -> Option<&'a [u8]> {
        self.known.date_time
    }

    /// The first Subject, escapes as received.
    #[must_use]
    pub fn subject(&self) -> Option<&'a [u8]> {
        plain(self.rare(), b"Subject").next()
    }

    /// The first header named in Require that this gateway does not understand: such a message must be refused
    /// (RFC 3862 4.7).
    #[must_use]
    pub fn unknown_requirement(&self) -> Option<&'a [u8]> {
        if !self.known.others {
            return None;
        }
        let names = plain(self.rare(), b"Require").flat_map(|value| value.split(|octet| *octet == b','));
        names.map(<[u8]>::trim_ascii).find(|name| !name.is_empty() && !self.understands(name))
    }

    /// imdn.Message-ID.
    #[must_use]
    pub fn message_id(&self) -> Option<&'a [u8]> {
        if self.known.own_prefixes { self.imdn(b"Message-ID").next() } else { self.known.message_id }
    }

    /// What imdn.Disposition-Notification asks for; nothing if it is absent.
    #[must_use]
    pub fn dispositions(&self) -> Dispositions {
        const NAME: &[u8] = b"Disposition-Notification";
        let Known { disposition_notification: first, others, own_prefixes, .. } = self.known;
        if others || own_prefixes {
            return self.imdn(NAME).fold(Dispositions::NONE, Dispositions::with_list);
        }
        first.map_or(Dispositions::NONE, |list| Dispositions::NONE.with_list(list))
    }

    /// imdn.Original-To: the recipient before a list or forwarding server replaced it.
    #[must_use]
    pub fn original_to(&self) -> Option<Address<'a>> {
        self.imdn(b"Original-To").next().map(address)
    }

    /// Every imdn.IMDN-Record-Route in order, values as received.
    pub fn record_routes(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.imdn(b"IMDN-Record-Route")
    }

    /// Every imdn.IMDN-Route in order, values as received.
    pub fn routes(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.imdn(b"IMDN-Route")
    }

    /// Content-Type of the content, `None` if it says none (RFC 3862: text/plain then).
    #[must_use]
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.content.content_type
    }

    /// A MIME header of the content by name, in any case.
    #[must_use]
    pub fn content_header(&self, name: &[u8]) -> Option<&'a [u8]> {
        if !self.content.others && !name.eq_ignore_ascii_case(b"Content-Type") {
            return None;
        }
        mime::header(self.content.head, name)
    }

    /// The MIME headers of the content as received.
    #[must_use]
    pub const fn content_headers(&self) -> &'a [u8] {
        self.content.head
    }

    /// The content.
    #[must_use]
    pub const fn content(&self) -> &'a [u8] {
        self.content.body
    }

    /// Whether the content is a disposition notification, for which none is ever sent (RFC 5438 7.2).
    #[must_use]
    pub fn is_imdn(&self) -> bool {
        self.content_type().is_some_and(|content_type| mime::is_type(content_type, b"message/imdn+xml"))
    }

    /// Where the headers are that few messages have.
    const fn rare(&self) -> &'a [u8] {
        if self.known.others { self.head } else { b"" }
    }

    /// Whether a header's prefix is of the imdn namespace, under whatever name a NS header gives it.
    fn imdn(&self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let head = self.head;
        let named =
            move |header: &Header<'a>| header.name.eq_ignore_ascii_case(name) && is_imdn_prefix(head, header.prefix);
        headers(if self.known.own_prefixes { head } else { self.rare() }).filter(named).map(|header| header.value)
    }

    fn understands(&self, required: &[u8]) -> bool {
        const PLAIN: [&[u8]; 7] = [b"From", b"To", b"cc", b"DateTime", b"Subject", b"NS", b"Require"];
        const IMDN: [&[u8]; 5] =
            [b"Message-ID", b"Disposition-Notification", b"Original-To", b"IMDN-Record-Route", b"IMDN-Route"];
        let (prefix, name) = split_prefix(required);
        let known = |names: &[&[u8]]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is_imdn_prefix(self.head, prefix) { known(&IMDN) } else { prefix.is_empty() && known(&PLAIN) }
    }

    /// RFC 3862 leaves Content-Length optional; the transport's length counts unless the header says less.
    fn within_content_length(&self) -> &'a [u8] {
        let body = self.content.body;
        let length = self.content_header(b"Content-Length").and_then(|value| str::from_utf8(value).ok()?.parse().ok());
        length.and_then(|length: usize| body.get(..length)).unwrap_or(body)
    }
}

/// Splits `display-name <uri>`; without brackets all of it is the URI.
#[must_use]
pub fn address(value: &[u8]) -> Address<'_> {
    if let [b'<', uri @ .., b'>'] = value
        && scan::find2(b'<', b'>', uri).is_none()
    {
        return Address { display_name: b"", uri: uri.trim_ascii() };
    }
    let bare = Address { display_name: b"", uri: value.trim_ascii() };
    let Some(open) = scan::find_last(b'<', value) else { return bare };
    let (name, rest) = value.split_at(open);
    let uri = rest.get(1..).unwrap_or_default();
    let end = scan::find(b'>', uri).unwrap_or(uri.len());
    Address { display_name: unquoted(name.trim_ascii()), uri: uri.get(..end).unwrap_or_default().trim_ascii() }
}

/// Appends `value` with its backslash escapes undone (RFC 3862 3.1); an escape that is none stays as it is.
pub fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let length = unescape_one(escape, out);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn unescape_one(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let plain = match escape.get(1) {
        Some(b'b') => 0x08,
        Some(b't') => b'\t',
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(quoted @ (b'\\' | b'"' | b'\'')) => *quoted,
        Some(b'u') => return unescape_code_point(escape, out),
        _ => {
            out.push(b'\\');
            return 1;
        }
    };
    out.push(plain);
    2
}

fn unescape_code_point(escape: &[u8], out: &mut Vec<u8>) -> usize {
    let digits = escape.get(2..6).and_then(|digits| str::from_utf8(digits).ok());
    let Some(c) = digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?)) else {
        out.push(b'\\');
        return 1;
    };
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    6
}

fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
}

fn is_imdn_prefix(head: &[u8], prefix: &[u8]) -> bool {
    match namespace(head, prefix) {
        Some(uri) => uri == IMDN_NAMESPACE,
        // clients that forget the declaration mean this one
        None => prefix.eq_ignore_ascii_case(b"imdn"),
    }
}

/// The URI a NS header binds to `prefix`; the empty prefix is the default namespace.
fn namespace<'a>(head: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    plain(head, b"NS").map(address).find(|bound| bound.display_name == prefix).map(|bound| bound.uri)
}

fn headers(head: &[u8]) -> impl Iterator<Item = Header<'_>> {
    mime::lines(head).filter_map(read_header)
}

/// Values of an un-prefixed header.
fn plain<'a>(head: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let named = move |header: &Header<'a>| header.prefix.is_empty() && header.name.eq_ignore_ascii_case(name);
    headers(head).filter(named).map(|header| header.value)
}

/// The header block, and what its lines say.
struct Lines<'a> {
    head: &'a [u8],
    /// What follows the blank line; nothing if there is none.
    rest: &'a [u8],
    /// Where among the message headers the MIME headers of the content begin, if they do.
    content_at: Option<usize>,
    /// The message headers before those.
    known: Known<'a>,
    /// Where the first NUL is.
    nul_at: Option<usize>,
}

impl<'a> Lines<'a> {
    fn read(bytes: &'a [u8]) -> Result<Lines<'a>, Malformed> {
        let mut read = Lines { head: bytes, rest: b"", content_at: None, known: Known::default(), nul_at: None };
        let (mut at, mut count) = (0, 0);
        while let Some((line, next)) = read.line(bytes, at) {
            if line.is_empty() {
                read.head = bytes.get(..at).unwrap_or_default();
                read.rest = bytes.get(next..).unwrap_or_default();
                break;
            }
            count += 1;
            read.take_line(line, count, at)?;
            at = next;
        }
        match read.nul_at {
            Some(at) => Err(Malformed::new("CPIM header", at)),
            None => Ok(read),
        }
    }

    /// The line at `at`, and where the next one is. Only in one that is not plain a NUL is looked for.
    #[inline]
    fn line(&mut self, bytes: &'a [u8], at: usize) -> Option<(&'a [u8], usize)> {
        let rest = bytes.get(at..)?;
        if let Some(end) = scan::plain_line(rest) {
            return Some((rest.get(..end)?, at + end + 2));
        }
        let (line, next) = mime::line(bytes, at)?;
        self.nul_at = self.nul_at.or_else(|| memchr::memchr(0, line).map(|nul| at + nul));
        Some((line, next))
    }

    fn take_line(&mut self, line: &'a [u8], count: usize, at: usize) -> Result<(), Malformed> {
        if count > limits::CPIM_HEADERS_MAX {
            return Err(Malformed::new("CPIM header count", at));
        }
        if self.content_at.is_none() && self.known.note_usual(line) {
            return Ok(());
        }
        let colon = scan::find(b':', line);
        if colon.is_none_or(|colon| colon == 0) && !matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Malformed::new("CPIM header", at));
        }
        if self.content_at.is_none() && mime::is_content_header(line) {
            self.content_at = Some(at);
        }
        let header = colon.and_then(|colon| header_at(line, colon)).filter(|_| self.content_at.is_none());
        if let Some(header) = header {
            self.known.note(header);
        }
        Ok(())
    }
}

fn read_header(line: &[u8]) -> Option<Header<'_>> {
    header_at(line, scan::find(b':', line)?)
}

fn header_at(line: &[u8], colon: usize) -> Option<Header<'_>> {
    let (prefix, name) = split_prefix(line.get(..colon)?.trim_ascii());
    let mut value = line.get(colon + 1..)?;
    if value.first() == Some(&b';') {
        // ";lang=xx" stands between colon and value (RFC 3862 2.2)
        value = value.get(scan::find(b' ', value)?..)?;
    }
    Some(Header { prefix, name, value: value.trim_ascii() })
}

fn split_prefix(name: &[u8]) -> (&[u8], &[u8]) {
    match scan::find(b'.', name) {
        Some(dot) => (name.get(..dot).unwrap_or_default(), name.get(dot + 1..).unwrap_or_default()),
        None => (b"", name),
    }
}
