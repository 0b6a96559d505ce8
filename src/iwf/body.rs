//! What a message's body holds beside its text, however it is nested: the CPIM wrapper, whose headers are parameters and
//! never content (6.1), and parts that only the endpoints can read or vouch for (6.6).

use crate::limits;
use crate::wire::cpim::{self, mime};
use crate::wire::scan::is;
use crate::wire::{Malformed, resource_lists};

use super::pager::NotAcceptable;

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// What its text is read from: what a wrapper around everything wraps, otherwise all of it.
    pub content: cpim::Part<'a>,
    /// The outermost CPIM wrapper; a recipient list may stand beside it (RFC 5365 4).
    pub cpim: Option<cpim::Message<'a>>,
    /// Whether any part is of a protected type.
    pub protected: bool,
    /// Whether any part is a disposition notification: there is never one about such a message (RFC 5438 8).
    pub notification: bool,
    /// Whether any part is neither text nor about the message itself: what SMS has no place for.
    pub multimedia: bool,
    /// The list of all recipients that stands beside the message (RFC 5365 4), a document; empty if there is none.
    pub recipient_list: &'a [u8],
    /// Whether it only says that somebody is writing (RFC 3994), which SMS cannot.
    pub composing: bool,
}

impl<'a> Body<'a> {
    /// Looks into `body`, which `content_type` describes. Below [`limits::MIME_DEPTH_MAX`] levels nothing is looked at.
    ///
    /// # Errors
    /// A CPIM wrapper makes no sense.
    pub fn look(content_type: &'a [u8], body: &'a [u8], protected_types: &[String]) -> Result<Body<'a>, NotAcceptable> {
        let content = cpim::Part::new(content_type, body);
        let mut found = Body {
            content,
            cpim: None,
            protected: false,
            notification: false,
            multimedia: false,
            recipient_list: b"",
            composing: false,
        };
        match found.look_into(content_type, body, 0, protected_types) {
            Ok(()) => Ok(found),
            Err(malformed) => Err(NotAcceptable::Malformed(malformed.what)),
        }
    }

    fn look_into(
        &mut self,
        content_type: &'a [u8],
        body: &'a [u8],
        depth: usize,
        protected_types: &[String],
    ) -> Result<(), Malformed> {
        let media_type = mime::media_type(content_type);
        self.protected |= protected_types.iter().any(|known| media_type.eq_ignore_ascii_case(known.as_bytes()));
        self.composing |= is(media_type, b"application/im-iscomposing+xml");
        self.notification |= is(media_type, cpim::imdn::CONTENT_TYPE.as_bytes());
        if depth > limits::MIME_DEPTH_MAX {
            return Ok(());
        }
        if is(media_type, b"message/cpim") {
            let wrapped = cpim::Message::parse(body)?;
            self.unwrap(depth, &wrapped);
            let content_type = wrapped.content_type().unwrap_or_default();
            return self.look_into(content_type, wrapped.content(), depth + 1, protected_types);
        }
        let Some(boundary) = boundary(content_type, media_type) else {
            self.take_leaf(media_type, body);
            return Ok(());
        };
        for part in mime::parts(body, boundary) {
            let Some((head, content)) = mime::split_headers(part) else { continue };
            let content_type = mime::header(head, b"Content-Type").unwrap_or_default();
            self.look_into(content_type, content, depth + 1, protected_types)?;
        }
        Ok(())
    }

    /// Without a type it is text (RFC 2045 5.2).
    fn take_leaf(&mut self, media_type: &[u8], body: &'a [u8]) {
        if is(media_type, resource_lists::CONTENT_TYPE.as_bytes()) {
            self.recipient_list = body;
        } else if !media_type.is_empty() {
            self.multimedia |= !media_type.get(..5).is_some_and(|top| is(top, b"text/"));
        }
    }

    fn unwrap(&mut self, depth: usize, wrapped: &cpim::Message<'a>) {
        if let Some(content) = cpim::Part::within(wrapped).filter(|_| depth == 0) {
            self.content = content;
        }
        if self.cpim.is_none() {
            self.cpim = Some(*wrapped);
        }
    }
}

fn boundary<'t>(content_type: &'t [u8], media_type: &[u8]) -> Option<&'t [u8]> {
    let is_multipart = media_type.get(..10).is_some_and(|top| is(top, b"multipart/"));
    let boundary = if is_multipart { mime::parameter(content_type, b"boundary") } else { None };
    boundary.filter(|boundary| !boundary.is_empty())
}
