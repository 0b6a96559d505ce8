//! What nearly every message has, noted while its lines are gone through once; the rest is looked for when asked for.

use super::message::{Header, IMDN_NAMESPACE, address};
use super::mime;
use crate::wire::scan::is;

const USUAL_BINDING: &[u8] = b"imdn <urn:ietf:params:imdn>";

/// The message headers that nearly every message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known<'a> {
    /// The first From.
    pub(super) from: Option<&'a [u8]>,
    /// The first To.
    pub(super) to: Option<&'a [u8]>,
    /// The first `DateTime`.
    pub(super) date_time: Option<&'a [u8]>,
    /// The first imdn.Message-ID, if the prefix means what it says.
    pub(super) message_id: Option<&'a [u8]>,
    /// The first imdn.Disposition-Notification, if the prefix means what it says.
    pub(super) disposition_notification: Option<&'a [u8]>,
    /// Whether there are headers beside these and NS, or one of these twice.
    pub(super) others: bool,
    /// Whether a NS header binds the prefix "imdn" to something else, or another prefix to imdn.
    pub(super) own_prefixes: bool,
}

impl<'a> Known<'a> {
    /// Notes a line that is one of these headers, written as nearly every peer writes it; `false` if it is none.
    #[inline]
    pub(super) fn note_usual(&mut self, line: &'a [u8]) -> bool {
        let (place, value) = match line {
            [b'F', b'r', b'o', b'm', b':', b' ', value @ ..] => (&mut self.from, value),
            [b'T', b'o', b':', b' ', value @ ..] => (&mut self.to, value),
            [b'N', b'S', b':', b' ', value @ ..] => return value == USUAL_BINDING,
            [b'D', rest @ ..] => match rest.strip_prefix(b"ateTime: ") {
                Some(value) => (&mut self.date_time, value),
                None => return false,
            },
            [b'i', b'm', b'd', b'n', b'.', rest @ ..] => match rest.strip_prefix(b"Message-ID: ") {
                Some(value) => (&mut self.message_id, value),
                None => match rest.strip_prefix(b"Disposition-Notification: ") {
                    Some(value) => (&mut self.disposition_notification, value),
                    None => return false,
                },
            },
            _ => return false,
        };
        self.others |= place.is_some();
        place.get_or_insert(value.trim_ascii());
        true
    }

    /// Notes one header.
    pub(super) fn note(&mut self, header: Header<'a>) {
        if header.prefix.is_empty() && is(header.name, b"NS") {
            if header.value == USUAL_BINDING {
                return;
            }
            let bound = address(header.value);
            let named = bound.display_name.eq_ignore_ascii_case(b"imdn");
            self.own_prefixes |= named != (bound.uri == IMDN_NAMESPACE);
            return;
        }
        match self.place(&header) {
            Some(place @ None) => *place = Some(header.value),
            _ => self.others = true,
        }
    }

    fn place(&mut self, header: &Header<'_>) -> Option<&mut Option<&'a [u8]>> {
        let named = |name| is(header.name, name);
        if header.prefix.is_empty() {
            return match () {
                () if named(b"From") => Some(&mut self.from),
                () if named(b"To") => Some(&mut self.to),
                () if named(b"DateTime") => Some(&mut self.date_time),
                () => None,
            };
        }
        match is(header.prefix, b"imdn") {
            true if named(b"Message-ID") => Some(&mut self.message_id),
            true if named(b"Disposition-Notification") => Some(&mut self.disposition_notification),
            _ => None,
        }
    }
}

/// The content and its MIME headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content<'a> {
    /// The headers as received.
    pub(super) head: &'a [u8],
    /// The first Content-Type.
    pub(super) content_type: Option<&'a [u8]>,
    /// Whether there are headers beside it.
    pub(super) others: bool,
    /// What follows the blank line.
    pub(super) body: &'a [u8],
}

impl<'a> Content<'a> {
    /// Of what follows the message headers: what does not start with MIME headers is all content.
    pub(super) fn split(rest: &'a [u8]) -> Content<'a> {
        match mime::line(rest, 0) {
            Some((b"", next)) => Content { body: rest.get(next..).unwrap_or_default(), ..Content::default() },
            Some((line, next)) => {
                Content::with_type_alone(line, rest, next).unwrap_or_else(|| Content::with_head(rest))
            }
            None => Content::default(),
        }
    }

    /// The usual case: a Content-Type, then the blank line.
    fn with_type_alone(line: &'a [u8], rest: &'a [u8], next: usize) -> Option<Content<'a>> {
        let (name, value) = line.split_at_checked(b"Content-Type:".len())?;
        let (head, after) = rest.split_at_checked(next)?;
        let body = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"))?;
        let content_type = is(name, b"Content-Type:").then(|| value.trim_ascii())?;
        Some(Content { head, content_type: Some(content_type), others: false, body })
    }

    fn with_head(rest: &'a [u8]) -> Content<'a> {
        let (head, body) = mime::split_headers(rest).unwrap_or((b"", rest));
        Content { head, content_type: mime::header(head, b"Content-Type"), others: !head.is_empty(), body }
    }
}
