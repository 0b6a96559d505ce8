//! The CPM side as records, their fields named as the headers are.

use crate::policy::Policy;
use crate::wire::cpim::Dispositions;
use crate::wire::short_message::segments::Segment;

use super::table::Record;

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

/// Names the record in tables.
pub enum PagerRecord {}

impl Record for PagerRecord {
    type Of<'a> = Pager<'a>;
}
