//! The CPM side as records, their fields named as the headers are.

use crate::policy::Policy;
use crate::wire::cpim::Dispositions;
use crate::wire::short_message::segments::Segment;

use super::address::Number;
use super::table::Record;

/// What one short message of a text holds, and how its SM-SC wants it: the same for every kind of CPM message.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Which short message of the text this is.
    pub segment: Segment,
    /// data_coding that was chosen for the text.
    pub data_coding: u8,
    /// The octets of this short message.
    pub octets: &'a [u8],
    /// Whether they go into message_payload.
    pub in_payload: bool,
    /// data_sm in place of submit_sm (IWF 6.2.2).
    pub data_sm: bool,
    /// The service provider's answers.
    pub policy: &'a Policy,
}

/// A record of which one short message is made.
pub trait HasPart: Record {
    /// What that one holds.
    fn part<'s, 'a>(source: &'s Self::Of<'a>) -> &'s Part<'a>;
}

/// A Pager Mode CPM Standalone Message and the part of it that one short message takes. Empty fields are absent headers;
/// addresses are URIs without brackets and header parameters.
#[derive(Clone, Copy, Debug)]
pub struct Pager<'a> {
    /// Request-URI
    pub request_uri: &'a [u8],
    /// To
    pub to: &'a [u8],
    /// From
    pub from: &'a [u8],
    /// P-Asserted-Identity: RFC 3325 9.1 allows a SIP URI and a tel URI.
    pub p_asserted_identity: [&'a [u8]; 2],
    /// Privacy asks to keep the identity (RFC 3323, RFC 3325).
    pub anonymous: bool,
    /// Priority
    pub priority: &'a [u8],
    /// Expires, seconds
    pub expires_s: Option<u32>,
    /// Content-Language
    pub content_language: &'a [u8],
    /// imdn.Disposition-Notification
    pub disposition_notification: Dispositions,
    /// The part of the text.
    pub part: Part<'a>,
}

/// Names the record in tables.
pub enum PagerRecord {}

impl Record for PagerRecord {
    type Of<'a> = Pager<'a>;
}

impl HasPart for PagerRecord {
    fn part<'s, 'a>(source: &'s Self::Of<'a>) -> &'s Part<'a> {
        &source.part
    }
}

/// A CPM Session Invitation, and the part of the question that one short message takes.
#[derive(Clone, Copy, Debug)]
pub struct SessionInvitation<'a> {
    /// The number that was assigned to the session, if one was.
    pub assigned: Option<Number>,
    /// Request-URI
    pub request_uri: &'a [u8],
    /// To
    pub to: &'a [u8],
    /// From
    pub from: &'a [u8],
    /// P-Asserted-Identity
    pub p_asserted_identity: [&'a [u8]; 2],
    /// Privacy asks to keep the identity (RFC 3323, RFC 3325).
    pub anonymous: bool,
    /// The part of the question.
    pub part: Part<'a>,
}

/// Names the record in tables.
pub enum SessionInvitationRecord {}

impl Record for SessionInvitationRecord {
    type Of<'a> = SessionInvitation<'a>;
}

impl HasPart for SessionInvitationRecord {
    fn part<'s, 'a>(source: &'s Self::Of<'a>) -> &'s Part<'a> {
        &source.part
    }
}

/// A CPM Chat Message of a one-to-one session, and the part of it that one short message takes.
#[derive(Clone, Copy, Debug)]
pub struct ChatMessage<'a> {
    /// The address that represents the CPM user in this session (6.2.2.1.3).
    pub sender: Number,
    /// The SMS user, from the To or Request-URI of the invitation.
    pub sms_user: Number,
    /// imdn.Disposition-Notification
    pub disposition_notification: Dispositions,
    /// The part of the text.
    pub part: Part<'a>,
}

/// Names the record in tables.
pub enum ChatMessageRecord {}

impl Record for ChatMessageRecord {
    type Of<'a> = ChatMessage<'a>;
}

impl HasPart for ChatMessageRecord {
    fn part<'s, 'a>(source: &'s Self::Of<'a>) -> &'s Part<'a> {
        &source.part
    }
}

/// A Pager Mode or Large Message Mode CPM Standalone Message for MMS users, and what the gateway adds to it. Empty fields
/// are absent headers; addresses are URIs without brackets and header parameters.
#[derive(Clone, Copy, Debug)]
pub struct Standalone<'a> {
    /// Request-URI
    pub request_uri: &'a [u8],
    /// From
    pub from: &'a [u8],
    /// P-Asserted-Identity: RFC 3325 9.1 allows a SIP URI and a tel URI.
    pub p_asserted_identity: [&'a [u8]; 2],
    /// Privacy asks to keep the identity (RFC 3323, RFC 3325).
    pub anonymous: bool,
    /// The recipient-list-history body (RFC 5365, RFC 5366)
    pub recipient_list: &'a [u8],
    /// Content-Type of what is in the CPIM wrapper, as it can be in a mail
    pub content_type: &'a [u8],
    /// Content-Transfer-Encoding of it in the mail
    pub content_transfer_encoding: &'a [u8],
    /// CPIM DateTime (RFC 3339)
    pub date_time: &'a [u8],
    /// Date (RFC 3261 20.17)
    pub date: &'a [u8],
    /// Expires of a pager message, Message-Expires of a large one, seconds
    pub expires_s: Option<u32>,
    /// imdn.Disposition-Notification
    pub disposition_notification: Dispositions,
    /// Subject
    pub subject: &'a [u8],
    /// Body of a pager message, payload received via MSRP of a large one, as it can be in a mail
    pub content: &'a [u8],
    /// The current date and time, seconds since 1970-01-01T00:00:00Z
    pub now_unix_s: i64,
    /// Minted: Transaction ID
    pub transaction_id: &'a [u8],
    /// Minted: Message ID, for which the Conversation-ID and the Contribution-ID are kept
    pub message_id: &'a [u8],
    /// Domain of the MMS Relay/Server that it goes to
    pub mmsc_domain: &'a [u8],
    /// Domain of the gateway as an MMS Relay/Server
    pub own_domain: &'a [u8],
    /// Address of the gateway as an MMS Relay/Server
    pub system_address: &'a [u8],
    /// The service provider's answers.
    pub policy: &'a Policy,
}

/// Names the record in tables.
pub enum StandaloneRecord {}

impl Record for StandaloneRecord {
    type Of<'a> = Standalone<'a>;
}
