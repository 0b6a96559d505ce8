//! The text of a message: out of CPIM, out of multipart bodies, into UTF-8. IWF V3.0 6.1: CPIM headers and recipient
//! lists are no content; 6.2.2: only text goes out as a short message.

use super::message::Message;
use super::{charset, mime, transfer};
use crate::limits;
use crate::wire::{Malformed, scan};

/// What was found beside the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Text parts that were appended, at least 1; several are separated by a line feed.
    pub parts: usize,
    /// Parts that are no text and were left out: pictures, SMIL, unknown types. Recipient lists do not count.
    pub dropped: usize,
}

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotText {
    /// The wrapper makes no sense.
    Malformed(Malformed),
    /// No part is text/plain.
    MediaType,
    /// The text is in a character set we do not have.
    Charset,
    /// The body is compressed or otherwise encoded in a way we do not have.
    Encoding,
    /// CPIM Require names a header we do not understand.
    Requirement,
    /// Multipart bodies are nested deeper than [`limits::MIME_DEPTH_MAX`].
    Depth,
}

/// Appends the text of `body` to `out`. `content_type` is the SIP or MSRP header's value: message/cpim, text/plain
/// (also when empty) or a multipart of them.
///
/// # Errors
/// [`NotText`] says which answer the sender gets; `out` then holds what it held before.
pub fn text_of(content_type: &[u8], body: &[u8], out: &mut String) -> Result<Text, NotText> {
    Part::new(content_type, body).text(out)
}

/// A MIME entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    content_type: &'a [u8],
    encoding: Option<&'a [u8]>,
    body: &'a [u8],
    /// How many wrappers and multipart bodies it is in.
    depth: usize,
}

impl<'a> Part<'a> {
    /// What `content_type` describes, in nothing else.
    #[must_use]
    pub const fn new(content_type: &'a [u8], body: &'a [u8]) -> Part<'a> {
        Part { content_type, encoding: None, body, depth: 0 }
    }

    /// What this CPIM message wraps, itself in nothing else; `None` if it demands what we do not understand.
    #[must_use]
    pub fn within(message: &Message<'a>) -> Option<Part<'a>> {
        message.unknown_requirement().is_none().then(|| Part::of_cpim(message, 1))
    }

    /// Appends its text to `out`, as [`text_of`] does.
    ///
    /// # Errors
    /// Those of [`text_of`].
    pub fn text(&self, out: &mut String) -> Result<Text, NotText> {
        let before = out.len();
        let mut text = Text::default();
        match collect(self, &mut text, out) {
            Ok(()) if text.parts > 0 => Ok(text),
            Ok(()) => Err(NotText::MediaType),
            Err(why) => {
                out.truncate(before);
                Err(why)
            }
        }
    }
}

fn collect(part: &Part<'_>, text: &mut Text, out: &mut String) -> Result<(), NotText> {
    if part.depth > limits::MIME_DEPTH_MAX {
        return Err(NotText::Depth);
    }
    let media_type = mime::media_type(part.content_type);
    match Kind::of(media_type) {
        Kind::Text => append(part, text, out),
        Kind::Cpim => collect_cpim(part, text, out),
        Kind::Multipart { alternative } => collect_multipart(part, alternative, text, out),
        Kind::RecipientList => Ok(()),
        Kind::Other => {
            text.dropped += 1;
            Ok(())
        }
    }
}

enum Kind {
    Text,
    Cpim,
    Multipart { alternative: bool },
    RecipientList,
    Other,
}

impl Kind {
    fn of(media_type: &[u8]) -> Kind {
        let is = |name| scan::is(media_type, name);
        match () {
            () if media_type.is_empty() || is(b"text/plain") => Kind::Text,
            () if is(b"message/cpim") => Kind::Cpim,
            () if is(b"multipart/alternative") => Kind::Multipart { alternative: true },
            () if is(b"application/resource-lists+xml") => Kind::RecipientList,
            () if media_type.get(..10).is_some_and(|top| top.eq_ignore_ascii_case(b"multipart/")) => {
                Kind::Multipart { alternative: false }
            }
            () => Kind::Other,
        }
    }
}

fn collect_cpim(part: &Part<'_>, text: &mut Text, out: &mut String) -> Result<(), NotText> {
    let message = Message::parse(part.body).map_err(NotText::Malformed)?;
    if message.unknown_requirement().is_some() {
        return Err(NotText::Requirement);
    }
    collect(&Part::of_cpim(&message, part.depth + 1), text, out)
}

fn collect_multipart(part: &Part<'_>, alternative: bool, text: &mut Text, out: &mut String) -> Result<(), NotText> {
    let boundary = mime::parameter(part.content_type, b"boundary").filter(|boundary| !boundary.is_empty());
    let boundary = boundary.ok_or(NotText::Malformed(Malformed::new("multipart boundary", 0)))?;
    let (parts_before, dropped_before) = (text.parts, text.dropped);
    for entity in mime::parts(part.body, boundary) {
        collect(&Part::of_entity(entity, part.depth + 1), text, out)?;
        if alternative && text.parts > parts_before {
            // the same in other forms: the text is all there is to say
            text.dropped = dropped_before;
            return Ok(());
        }
    }
    Ok(())
}

impl<'a> Part<'a> {
    /// A part between boundaries: headers, a blank line, body; without headers it is text/plain (RFC 2046 5.1).
    fn of_entity(entity: &'a [u8], depth: usize) -> Part<'a> {
        let without_headers = || match mime::line(entity, 0) {
            Some((b"", next)) => entity.get(next..).unwrap_or_default(),
            _ => entity,
        };
        let (head, body) = mime::split_headers(entity).unwrap_or_else(|| (b"", without_headers()));
        let content_type = mime::header(head, b"Content-Type").unwrap_or(b"text/plain");
        Part { content_type, encoding: mime::header(head, b"Content-Transfer-Encoding"), body, depth }
    }

    fn of_cpim(message: &Message<'a>, depth: usize) -> Part<'a> {
        let content_type = message.content_type().unwrap_or(b"text/plain");
        let encoding = message.content_header(b"Content-Transfer-Encoding");
        Part { content_type, encoding, body: message.content(), depth }
    }
}

fn append(part: &Part<'_>, text: &mut Text, out: &mut String) -> Result<(), NotText> {
    if text.parts > 0 {
        out.push('\n');
    }
    text.parts += 1;
    let label = mime::parameter(part.content_type, b"charset");
    let known = if transfer::is_identity(part.encoding) {
        charset::decode_label(label, part.body, out)
    } else {
        let mut decoded = Vec::with_capacity(part.body.len());
        if !transfer::decode(part.encoding, part.body, &mut decoded) {
            return Err(NotText::Encoding);
        }
        charset::decode_label(label, &decoded, out)
    };
    if known { Ok(()) } else { Err(NotText::Charset) }
}
