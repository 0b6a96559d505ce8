//! Pager Mode CPM Standalone Message handling (IWF V3.0 6.1.1, 6.2.2.1.1): a SIP MESSAGE becomes short messages, and what
//! must be kept of it is kept.

use crate::engine::Now;
use crate::interwork::cpm::Pager;
use crate::interwork::sms::pager_to_submit_sm::{TABLE_1, originator_of};
use crate::interwork::sms::short_message::ShortMessage;
use crate::interwork::table::NotConvertible;
use crate::policy::{EndToEndProtection, Policy};
use crate::wire::cpim::{self, Dispositions, NotText, text_of};
use crate::wire::short_message::segments::{Segment, Segments};
use crate::wire::short_message::{CodingOptions, Concatenation, Plan, SegmentOptions, choose, fingerprint};
use crate::wire::sip::{Message, Name, NameAddr};
use crate::wire::span::Span;

use super::body::Body;
use super::date_time;
use super::retained::Retained;

/// What one SM-SC wants.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// Which alphabets.
    pub coding: &'a CodingOptions,
    /// How long texts are split.
    pub concatenation: Concatenation,
    /// data_sm in place of submit_sm.
    pub data_sm: bool,
}

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

#[derive(Clone, Copy, Debug)]
struct Headers<'a> {
    request_uri: &'a [u8],
    to: &'a [u8],
    from: &'a [u8],
    p_asserted_identity: [&'a [u8]; 2],
    originator: &'a [u8],
    anonymous: bool,
    priority: &'a [u8],
    content_language: &'a [u8],
    conversation_id: &'a [u8],
    contribution_id: &'a [u8],
    in_reply_to_contribution_id: &'a [u8],
}

/// Looks into the body of a MESSAGE: what kind of message it is.
///
/// # Errors
/// A wrapper makes no sense.
pub fn look<'a>(message: &Message<'a>, policy: &Policy) -> Result<Body<'a>, NotAcceptable> {
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    let body = Body::look(content_type, message.body(), &policy.submission.protected_content_types);
    body.map_err(|malformed| NotAcceptable::Malformed(malformed.what))
}

/// Reads a MESSAGE whose body was looked into; its text replaces what `text` holds.
///
/// # Errors
/// Why it is not acceptable.
pub fn read<'a>(
    message: &Message<'a>,
    body: Body<'a>,
    policy: &Policy,
    text: &mut String,
) -> Result<Read<'a>, NotAcceptable> {
    let Body { cpim, protected, .. } = body;
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    if protected {
        return Err(NotAcceptable::Protected);
    }
    if !is_identity(message.header(Name::ContentEncoding)) {
        return Err(NotAcceptable::MediaType);
    }
    text.clear();
    text_of(content_type, message.body(), text).map_err(not_text)?;
    let expires_s = message.header(Name::Expires).and_then(seconds);
    let requested = cpim.map_or(Dispositions::NONE, |cpim| cpim.dispositions());
    Ok(Read { headers: headers(message, cpim.as_ref(), policy)?, cpim, requested, expires_s })
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

fn headers<'a>(
    message: &Message<'a>,
    cpim: Option<&cpim::Message<'a>>,
    policy: &Policy,
) -> Result<Headers<'a>, NotAcceptable> {
    let header = |name| message.header(name).unwrap_or_default();
    let mut p_asserted_identity: [&[u8]; 2] = [b"", b""];
    let asserted = message.values(Name::PAssertedIdentity).filter_map(NameAddr::parse);
    p_asserted_identity.iter_mut().zip(asserted).for_each(|(place, address)| *place = address.uri);
    let language = cpim.and_then(|cpim| cpim.content_header(b"Content-Language")).unwrap_or_default();
    let from = message.from().map_err(|_| NotAcceptable::Malformed("From"))?.uri;
    Ok(Headers {
        request_uri: message.request_uri(),
        to: message.to().map_err(|_| NotAcceptable::Malformed("To"))?.uri,
        from,
        p_asserted_identity,
        originator: originator(&p_asserted_identity, from, policy),
        anonymous: asks_for_anonymity(header(Name::Privacy)),
        priority: header(Name::Priority),
        content_language: Some(header(Name::ContentLanguage)).filter(|tags| !tags.is_empty()).unwrap_or(language),
        conversation_id: header(Name::ConversationId),
        contribution_id: header(Name::ContributionId),
        in_reply_to_contribution_id: header(Name::InReplyToContributionId),
    })
}

/// Table 3: "carrying the MSISDN extracted from the P-Asserted-Identity as described in Table 1"; without a number, which
/// only an anonymous sender may do, any address.
fn originator<'a>(p_asserted_identity: &[&'a [u8]; 2], from: &'a [u8], policy: &Policy) -> &'a [u8] {
    let with_number = originator_of(p_asserted_identity, from, &policy.addresses).map(|(uri, _)| uri);
    let first = if p_asserted_identity[0].is_empty() { from } else { p_asserted_identity[0] };
    with_number.unwrap_or(first)
}

/// RFC 3323 4.2, RFC 3325 9.3: "id" and "user" both hide who sent it.
fn asks_for_anonymity(privacy: &[u8]) -> bool {
    let tokens = privacy.split(|octet| *octet == b';' || *octet == b',').map(<[u8]>::trim_ascii);
    tokens.into_iter().any(|token| token.eq_ignore_ascii_case(b"id") || token.eq_ignore_ascii_case(b"user"))
}

fn seconds(value: &[u8]) -> Option<u32> {
    core::str::from_utf8(value).ok()?.trim().parse().ok()
}

impl Read<'_> {
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
        let options = SegmentOptions { concatenation: form.concatenation, ..SegmentOptions::default() };
        let plan = Plan::new(text, choose(text, form.coding), &options).map_err(|_| NotAcceptable::TooLarge)?;
        let mut segments: Segments<'_> = plan.segments(reference);
        octets.clear();
        while let Some(segment) = segments.next_into(octets) {
            let pager = self.pager(&plan, segment, octets, form.data_sm, policy);
            write_short_message(&pager, pdus).map_err(NotAcceptable::Address)?;
            octets.clear();
        }
        Ok(plan.total())
    }

    fn pager<'a>(
        &'a self,
        plan: &Plan<'_>,
        segment: Segment,
        octets: &'a [u8],
        data_sm: bool,
        policy: &'a Policy,
    ) -> Pager<'a> {
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
            segment,
            data_coding: plan.data_coding(),
            octets,
            in_payload: plan.in_payload(),
            data_sm,
            policy,
        }
    }

    /// Stores what 6.1.1 steps 2a and 2b name, and the fingerprint of `text`.
    pub fn retain(&self, now: Now, text: &str, retained: &mut Retained) {
        let octets = &mut retained.octets;
        octets.clear();
        let headers = &self.headers;
        retained.conversation_id = Span::append(octets, headers.conversation_id);
        retained.contribution_id = Span::append(octets, headers.contribution_id);
        retained.in_reply_to_contribution_id = Span::append(octets, headers.in_reply_to_contribution_id);
        retained.sip_to = Span::append(octets, headers.to);
        retained.originator = Span::append(octets, headers.originator);
        retained.fingerprint = Span::append_with(octets, |octets| fingerprint::write(text, octets));
        self.retain_cpim(now, retained);
    }

    fn retain_cpim(&self, now: Now, retained: &mut Retained) {
        let octets = &mut retained.octets;
        let cpim = self.cpim.as_ref();
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
            for route in cpim.into_iter().flat_map(|cpim| cpim.record_routes()) {
                octets.extend_from_slice(route);
                octets.push(b'\n');
            }
        });
    }
}

fn write_short_message(pager: &Pager<'_>, pdus: &mut Vec<u8>) -> Result<(), NotConvertible> {
    let mut short_message = ShortMessage::default();
    TABLE_1.fill(pager, &mut short_message)?;
    let number = u32::from(pager.segment.number - 1);
    if pager.data_sm {
        short_message.write_data_sm(number, pdus);
    } else {
        short_message.write_submit_sm(number, pdus);
    }
    Ok(())
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
