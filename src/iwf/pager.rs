//! Pager Mode CPM Standalone Message handling (IWF V3.0 6.1.1, 6.2.2.1.1): a SIP MESSAGE becomes short messages, and what
//! must be kept of it is kept.

use crate::engine::Now;
use crate::interwork::cpm::{Pager, PagerRecord, Part};
use crate::interwork::sms::pager_to_submit_sm::TABLE_1;
use crate::interwork::sms::short_message::ShortMessageRecord;
use crate::interwork::table::{FieldTable, NotConvertible};
use crate::policy::{EndToEndProtection, Policy};
use crate::wire::cpim::{self, Dispositions, NotText};
use crate::wire::short_message::fingerprint;
use crate::wire::sip::{Message, Name};
use crate::wire::span::Span;

use super::body::Body;
use super::headers::Headers;
use super::retained::Retained;
use super::{date_time, split};

pub use super::split::Form;

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAcceptable {
    /// The wrapper or a header that is needed makes no sense.
    Malformed(&'static str),
    /// There is no text in it that we can read (6.1.1 step 1).
    MediaType,
    /// CPIM demands what we do not understand.
    Requirement,
    /// End to end protection is demanded (6.6).
    Protected,
    /// An address has no E.164 number, or the sender must stay anonymous.
    Address(NotConvertible),
    /// More short messages than one message may have.
    TooLarge,
}

/// A message that was read.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    headers: Headers<'a>,
    cpim: Option<cpim::Message<'a>>,
    /// The notifications it asks for.
    pub requested: Dispositions,
    /// Seconds it is valid, from Expires.
    pub expires_s: Option<u32>,
}

/// Looks into the body of a MESSAGE: what kind of message it is.
///
/// # Errors
/// A wrapper makes no sense.
pub fn look<'a>(message: &Message<'a>, policy: &Policy) -> Result<Body<'a>, NotAcceptable> {
    look_into(message.header(Name::ContentType).unwrap_or_default(), message.body(), policy)
}

/// The same for a message that came otherwise: `content_type` describes `body`.
///
/// # Errors
/// A wrapper makes no sense.
pub fn look_into<'a>(content_type: &'a [u8], body: &'a [u8], policy: &Policy) -> Result<Body<'a>, NotAcceptable> {
    Body::look(content_type, body, &policy.submission.protected_content_types)
}

/// Reads a MESSAGE whose body was looked into; its text replaces what `text` holds.
///
/// # Errors
/// Why it is not acceptable.
pub fn read<'a>(
    message: &Message<'a>,
    body: &Body<'a>,
    policy: &Policy,
    text: &mut String,
) -> Result<Read<'a>, NotAcceptable> {
    if !is_identity(message.header(Name::ContentEncoding)) {
        return Err(NotAcceptable::MediaType);
    }
    read_text(body, text)?;
    let expires_s = message.header(Name::Expires).and_then(seconds);
    Ok(Read::new(Headers::of(message, policy)?, body.cpim, expires_s))
}

/// Reads the text of a body that was looked into; it replaces what `text` holds.
pub(super) fn read_text(body: &Body<'_>, text: &mut String) -> Result<(), NotAcceptable> {
    if body.protected {
        return Err(NotAcceptable::Protected);
    }
    text.clear();
    body.content.text(text).map(|_| ()).map_err(not_text)
}

fn is_identity(content_encoding: Option<&[u8]>) -> bool {
    content_encoding.is_none_or(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity"))
}

fn not_text(why: NotText) -> NotAcceptable {
    match why {
        NotText::Malformed(malformed) => NotAcceptable::Malformed(malformed.what),
        NotText::Requirement => NotAcceptable::Requirement,
        NotText::MediaType | NotText::Charset | NotText::Encoding | NotText::Depth => NotAcceptable::MediaType,
    }
}

pub(super) fn seconds(value: &[u8]) -> Option<u32> {
    core::str::from_utf8(value).ok()?.trim().parse().ok()
}

impl<'a> Read<'a> {
    #[inline]
    pub(super) fn new(headers: Headers<'a>, cpim: Option<cpim::Message<'a>>, expires_s: Option<u32>) -> Read<'a> {
        let requested = cpim.as_ref().map_or(Dispositions::NONE, cpim::Message::dispositions);
        Read { headers: headers.with_language_of(cpim.as_ref()), cpim, requested, expires_s }
    }

    /// Appends the short messages of `text` to `pdus`, the number of each from 0 as its sequence_number, and says how
    /// many they are. `octets` is cleared and used. All of them are written, or none.
    ///
    /// # Errors
    /// Why they cannot be written.
    pub fn write_short_messages(
        &self,
        text: &str,
        form: &Form<'_>,
        reference: u16,
        policy: &Policy,
        octets: &mut Vec<u8>,
        pdus: &mut Vec<u8>,
    ) -> Result<u8, NotAcceptable> {
        split::write(self, text, form, reference, policy, octets, pdus)
    }

    /// Stores what 6.1.1 steps 2a and 2b name, and the fingerprint of `text`.
    pub fn retain(&self, now: Now, text: &str, retained: &mut Retained) {
        self.headers.retain(retained);
        retained.correlator = Span::append_with(&mut retained.octets, |octets| fingerprint::write(text, octets));
        retain_cpim(self.cpim.as_ref(), now, retained);
    }
}

impl split::Source for Read<'_> {
    type Record = PagerRecord;
    const TABLE: &'static FieldTable<PagerRecord, ShortMessageRecord> = &TABLE_1;

    fn of_part<'a>(&'a self, part: Part<'a>) -> Pager<'a> {
        let headers = &self.headers;
        Pager {
            request_uri: headers.request_uri,
            to: headers.to,
            from: headers.from,
            p_asserted_identity: headers.p_asserted_identity,
            anonymous: headers.anonymous,
            priority: headers.priority,
            expires_s: self.expires_s,
            content_language: headers.content_language,
            disposition_notification: self.requested,
            part,
        }
    }
}

/// Stores the CPIM headers for IMDN (RFC 5438).
pub(super) fn retain_cpim(cpim: Option<&cpim::Message<'_>>, now: Now, retained: &mut Retained) {
    let octets = &mut retained.octets;
    let uri = |address: Option<cpim::Address<'_>>, octets: &mut Vec<u8>| {
        address.map_or(Span::default(), |address| Span::append(octets, address.uri))
    };
    retained.imdn_message_id = Span::append(octets, cpim.and_then(|cpim| cpim.message_id()).unwrap_or_default());
    retained.cpim_from = uri(cpim.and_then(cpim::Message::from), octets);
    retained.cpim_to = uri(cpim.and_then(cpim::Message::to), octets);
    retained.original_to = uri(cpim.and_then(|cpim| cpim.original_to()), octets);
    retained.date_time = match cpim.and_then(|cpim| cpim.date_time()) {
        Some(date_time) => Span::append(octets, date_time),
        None => Span::append(octets, &date_time::of(now.unix_ms)),
    };
    retained.imdn_record_route = Span::append_with(octets, |octets| {
        let Some(cpim) = cpim else { return };
        for route in cpim.record_routes() {
            octets.extend_from_slice(route);
            octets.push(b'\n');
        }
    });
}

/// The SIP response for a message that is not taken.
#[must_use]
pub fn refusal(why: NotAcceptable, policy: &Policy) -> (u16, &'static str) {
    match why {
        NotAcceptable::Malformed(_) => (400, "Bad Request"),
        NotAcceptable::MediaType => (415, "Unsupported Media Type"),
        NotAcceptable::Requirement => (488, "Not Acceptable Here"),
        NotAcceptable::Protected => match policy.submission.end_to_end_protection {
            EndToEndProtection::NotAcceptableHere => (488, "Not Acceptable Here"),
            EndToEndProtection::Forbidden => (403, "Forbidden"),
        },
        NotAcceptable::Address(NotConvertible::Anonymous) => (433, "Anonymity Disallowed"),
        NotAcceptable::Address(NotConvertible::Originator | NotConvertible::Target) => (488, "Not Acceptable Here"),
        NotAcceptable::TooLarge => (413, "Request Entity Too Large"),
    }
}
