//! CPM Standalone Message to MMS (IWF V3.0 6.3.1.1.1 steps 1 to 4, 6.3.1.1.2 steps 1 to 5): one becomes the mail that is
//! MM4_forward.REQ, and what must be kept of it is kept.

use crate::engine::Now;
use crate::interwork::address::Number;
use crate::interwork::cpm::Standalone;
use crate::interwork::mms::envelope::Envelope;
use crate::interwork::mms::large_message_to_forward_req::{TABLE_15, TABLE_16};
use crate::interwork::mms::multimedia_message::MultimediaMessage;
use crate::interwork::mms::pager_to_forward_req::{TABLE_12, TABLE_13};
use crate::interwork::mms::successful_transmission::{MESSAGE_CONTEXT, message_correlator};
use crate::interwork::sms::pager_to_submit_sm::target_of;
use crate::interwork::table::NotConvertible;
use crate::iwf::Iwf;
use crate::iwf::body::Body;
use crate::iwf::headers::Headers;
use crate::iwf::invitation::{Invitation, referred_by};
use crate::iwf::pager::{self, NotAcceptable};
use crate::iwf::retained::Retained;
use crate::policy::{Policy, TooLargeMms, UnsupportedMms};
use crate::wire::cpim::{self, Dispositions};
use crate::wire::mail::mime::{self, Channel, Entity, LeftOut};
use crate::wire::sip::{Message, Name, Writer};
use crate::wire::span::Span;

use super::unix_s;

/// What is minted for one MM.
#[derive(Clone, Copy, Debug)]
pub struct Minted<'a> {
    /// Transaction ID.
    pub transaction_id: &'a [u8],
    /// Message ID.
    pub message_id: &'a [u8],
}

/// The MMS Relay/Server that it goes to, and our own.
#[derive(Clone, Copy)]
pub struct Relay<'a> {
    /// Host part of its users' addresses.
    pub domain: &'a [u8],
    /// Octets of the largest content that it takes.
    pub content_bytes_max: usize,
    /// Whether it takes content of a media type.
    pub takes: &'a dyn Fn(&[u8]) -> bool,
    /// Host part of our addresses.
    pub own_domain: &'a [u8],
    /// Our address as an MMS Relay/Server.
    pub system_address: &'a [u8],
}

/// A message that was read.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    headers: Headers<'a>,
    cpim: Option<cpim::Message<'a>>,
    content: Entity<'a>,
    recipient_list: &'a [u8],
    subject: &'a [u8],
    date: &'a [u8],
    referred_by: &'a [u8],
    expires_s: Option<u32>,
    is_large: bool,
    /// The notifications it asks for.
    pub requested: Dispositions,
}

impl<'a> Read<'a> {
    /// A Pager Mode message whose body was looked into.
    ///
    /// # Errors
    /// Why it is not acceptable.
    pub fn pager(message: &Message<'a>, body: &Body<'a>, policy: &Policy) -> Result<Read<'a>, NotAcceptable> {
        let header = |name| message.header(name).unwrap_or_default();
        let transfer_encoding = message.header_named(b"Content-Transfer-Encoding").unwrap_or_default();
        let whole = Entity::new(header(Name::ContentType), transfer_encoding, message.body());
        let read = Read {
            headers: Headers::of(message, policy)?,
            cpim: body.cpim,
            content: content(body, whole),
            recipient_list: body.recipient_list,
            subject: header(Name::Subject),
            date: header(Name::Date),
            referred_by: referred_by(message),
            expires_s: message.header(Name::Expires).and_then(pager::seconds),
            is_large: false,
            requested: requested(body),
        };
        acceptable(body).map(|()| read)
    }

    /// A large message that came whole and whose body was looked into; the rest is what its INVITE said.
    ///
    /// # Errors
    /// Why it is not acceptable.
    pub fn large(
        invitation: &'a Invitation,
        body: &Body<'a>,
        content_type: &'a [u8],
        octets: &'a [u8],
    ) -> Result<Read<'a>, NotAcceptable> {
        let read = Read {
            headers: invitation.headers(),
            cpim: body.cpim,
            content: content(body, Entity::new(content_type, b"", octets)),
            recipient_list: if body.recipient_list.is_empty() {
                invitation.recipient_list()
            } else {
                body.recipient_list
            },
            subject: invitation.subject(),
            date: invitation.date(),
            referred_by: invitation.referred_by(),
            expires_s: invitation.message_expires_s,
            is_large: true,
            requested: requested(body),
        };
        acceptable(body).map(|()| read)
    }

    /// The number of the MMS user.
    ///
    /// # Errors
    /// There is none.
    pub fn target(&self, policy: &Policy) -> Result<Number, NotAcceptable> {
        let target = target_of(self.headers.request_uri, self.headers.to, &policy.addresses);
        target.map_err(NotAcceptable::Address)
    }

    /// Conversation-ID.
    #[must_use]
    pub fn conversation_id(&self) -> &'a [u8] {
        self.headers.conversation_id
    }

    /// Contribution-ID.
    #[must_use]
    pub fn contribution_id(&self) -> &'a [u8] {
        self.headers.contribution_id
    }

    /// Whether MM4_forward.RES is asked for.
    #[must_use]
    pub fn ack_request(&self, policy: &Policy) -> bool {
        !self.is_large || policy.mms.ack_request_large_message
    }

    /// Seconds for which it is valid, or is taken to be.
    #[must_use]
    pub fn wait_s(&self, policy: &Policy) -> u32 {
        policy.mms.expiry_s(self.expires_s).unwrap_or(policy.reports.wait_without_validity_s)
    }

    /// Appends the mail.
    ///
    /// # Errors
    /// Why there is none.
    pub fn write(
        &self,
        minted: &Minted<'_>,
        relay: &Relay<'_>,
        now: Now,
        iwf: &Iwf,
        mail: &mut Vec<u8>,
    ) -> Result<Envelope, NotAcceptable> {
        let (mut content_type, mut body) = (Vec::new(), Vec::new());
        let content_transfer_encoding = self.write_content(relay, &mut content_type, &mut body)?;
        let message = Standalone {
            request_uri: self.target_uri(&iwf.policy),
            from: self.headers.from,
            p_asserted_identity: self.headers.p_asserted_identity,
            anonymous: self.headers.anonymous,
            recipient_list: self.recipient_list,
            content_type: &content_type,
            content_transfer_encoding,
            date_time: self.cpim.and_then(|cpim| cpim.date_time()).unwrap_or_default(),
            date: self.date,
            expires_s: self.expires_s,
            disposition_notification: self.requested,
            subject: self.subject,
            content: &body,
            now_unix_s: unix_s(now),
            transaction_id: minted.transaction_id,
            message_id: minted.message_id,
            mmsc_domain: relay.domain,
            own_domain: relay.own_domain,
            system_address: relay.system_address,
            policy: &iwf.policy,
        };
        let (envelope, mms) = self.filled(&message).map_err(NotAcceptable::Address)?;
        mms.forward_req().write_head(minted.message_id, mail);
        mail.extend_from_slice(&body);
        Ok(envelope)
    }

    /// The Request-URI, or To where only that has a number.
    fn target_uri(&self, policy: &Policy) -> &'a [u8] {
        let has_number = crate::interwork::address::of_uri(self.headers.request_uri, &policy.addresses).is_some();
        if has_number { self.headers.request_uri } else { self.headers.to }
    }

    /// The content as a mail carries it: what the MMS Relay/Server takes of it, in lines of ASCII.
    fn write_content(
        &self,
        relay: &Relay<'_>,
        content_type: &mut Vec<u8>,
        body: &mut Vec<u8>,
    ) -> Result<&'a [u8], NotAcceptable> {
        if mime::decoded_octets(self.content) > relay.content_bytes_max {
            return Err(NotAcceptable::TooLarge);
        }
        let rewritten = mime::rewrite(self.content, relay.takes, Channel::SevenBit, content_type, body);
        if rewritten.left_out == LeftOut::All {
            return Err(NotAcceptable::MediaType);
        }
        Ok(rewritten.content_transfer_encoding)
    }

    fn filled<'s>(&self, message: &Standalone<'s>) -> Result<(Envelope, MultimediaMessage<'s>), NotConvertible> {
        let (mut envelope, mut mms) = (Envelope::default(), MultimediaMessage::default());
        if self.is_large {
            TABLE_15.fill(message, &mut envelope)?;
            TABLE_16.fill(message, &mut mms)?;
        } else {
            TABLE_12.fill(message, &mut envelope)?;
            TABLE_13.fill(message, &mut mms)?;
        }
        Ok((envelope, mms))
    }

    /// Stores what 6.1.1 steps 2a and 2b name, and the Message ID.
    pub fn retain(&self, now: Now, message_id: &[u8], retained: &mut Retained) {
        self.headers.retain(retained);
        retained.correlator = Span::append(&mut retained.octets, message_correlator(message_id));
        retained.referred_by = Span::append(&mut retained.octets, self.referred_by);
        pager::retain_cpim(self.cpim.as_ref(), now, retained);
    }
}

fn requested(body: &Body<'_>) -> Dispositions {
    body.cpim.as_ref().map_or(Dispositions::NONE, cpim::Message::dispositions)
}

/// 6.6: "an incoming CPM request requiring end to end protection SHALL be rejected by the […] MMS IWF".
fn acceptable(body: &Body<'_>) -> Result<(), NotAcceptable> {
    let unknown = body.cpim.as_ref().and_then(cpim::Message::unknown_requirement);
    match (body.protected, unknown) {
        (true, _) => Err(NotAcceptable::Protected),
        (false, Some(_)) => Err(NotAcceptable::Requirement),
        (false, None) => Ok(()),
    }
}

/// What MMS gets "unmodified" (6.3 1): what the CPIM wrapper of a body holds, or else all of it.
fn content<'a>(body: &Body<'a>, whole: Entity<'a>) -> Entity<'a> {
    body.cpim.as_ref().map_or(whole, |cpim| {
        let transfer_encoding = cpim.content_header(b"Content-Transfer-Encoding").unwrap_or_default();
        Entity::new(cpim.content_type().unwrap_or_default(), transfer_encoding, cpim.content())
    })
}

/// The SIP response for a message that is not taken (6.3 1a, 1b, 6.6).
#[must_use]
pub fn refusal(why: NotAcceptable, policy: &Policy) -> (u16, &'static str) {
    match (why, policy.mms.unsupported_content, policy.mms.too_large) {
        (NotAcceptable::MediaType, UnsupportedMms::NotAcceptableHere, _)
        | (NotAcceptable::TooLarge, _, TooLargeMms::NotAcceptableHere) => (488, "Not Acceptable Here"),
        _ => pager::refusal(why, policy),
    }
}

/// 6.3.1.1.7: headers of the 2xx to the MESSAGE, and of the 200 to the BYE of a large message.
pub fn write_successful(sent: &Retained, headers: &mut Writer<'_>) {
    headers.header(Name::MessageContext, MESSAGE_CONTEXT);
    headers.header_if(Name::MessageCorrelator, sent.get(sent.correlator));
}
