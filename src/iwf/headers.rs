//! The SIP headers that short messages and reports are made of, as they stand in a MESSAGE or as an INVITE left them.

use crate::interwork::sms::pager_to_submit_sm::originator_of;
use crate::policy::Policy;
use crate::wire::cpim;
use crate::wire::sip::{Message, Name, NameAddr};
use crate::wire::span::Span;

use super::pager::NotAcceptable;
use super::retained::Retained;

/// The headers; empty ones are absent. Addresses are URIs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers<'a> {
    pub(super) request_uri: &'a [u8],
    pub(super) to: &'a [u8],
    pub(super) from: &'a [u8],
    pub(super) p_asserted_identity: [&'a [u8]; 2],
    /// See [`originator`].
    pub(super) originator: &'a [u8],
    pub(super) anonymous: bool,
    pub(super) priority: &'a [u8],
    pub(super) content_language: &'a [u8],
    pub(super) conversation_id: &'a [u8],
    pub(super) contribution_id: &'a [u8],
    pub(super) in_reply_to_contribution_id: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Those of a request.
    pub(super) fn of(message: &Message<'a>, policy: &Policy) -> Result<Headers<'a>, NotAcceptable> {
        let header = |name| message.header(name).unwrap_or_default();
        let mut p_asserted_identity: [&[u8]; 2] = [b"", b""];
        let asserted = message.values(Name::PAssertedIdentity).filter_map(NameAddr::parse);
        p_asserted_identity.iter_mut().zip(asserted).for_each(|(place, address)| *place = address.uri);
        let from = message.from().map_err(|_| NotAcceptable::Malformed("From"))?.uri;
        Ok(Headers {
            request_uri: message.request_uri(),
            to: message.to().map_err(|_| NotAcceptable::Malformed("To"))?.uri,
            from,
            p_asserted_identity,
            originator: originator(&p_asserted_identity, from, policy),
            anonymous: asks_for_anonymity(header(Name::Privacy)),
            priority: header(Name::Priority),
            content_language: header(Name::ContentLanguage),
            conversation_id: header(Name::ConversationId),
            contribution_id: header(Name::ContributionId),
            in_reply_to_contribution_id: header(Name::InReplyToContributionId),
        })
    }

    /// The language of the content, if the wrapper is the one to say it.
    #[inline]
    pub(super) fn with_language_of(mut self, cpim: Option<&cpim::Message<'a>>) -> Headers<'a> {
        if self.content_language.is_empty() {
            let language = cpim.and_then(|cpim| cpim.content_header(b"Content-Language"));
            self.content_language = language.unwrap_or_default();
        }
        self
    }

    /// Stores what 6.1.1 step 2a, 6.1.2 step 2 and 6.1.4 step 4 name, and what reports need.
    pub(super) fn retain(&self, retained: &mut Retained) {
        let octets = &mut retained.octets;
        octets.clear();
        retained.conversation_id = Span::append(octets, self.conversation_id);
        retained.contribution_id = Span::append(octets, self.contribution_id);
        retained.in_reply_to_contribution_id = Span::append(octets, self.in_reply_to_contribution_id);
        retained.sip_to = Span::append(octets, self.to);
        retained.originator = Span::append(octets, self.originator);
    }
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
    if privacy.is_empty() {
        return false;
    }
    let tokens = privacy.split(|octet| *octet == b';' || *octet == b',').map(<[u8]>::trim_ascii);
    tokens.into_iter().any(|token| token.eq_ignore_ascii_case(b"id") || token.eq_ignore_ascii_case(b"user"))
}
