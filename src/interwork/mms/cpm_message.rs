//! A CPM Standalone Message that a multimedia message becomes: the records of Tables 35, 36, 39 and 40, and of the table of
//! the MSRP SEND behind them.

use crate::interwork::address::Number;
use crate::interwork::sms::parties::Parties;
use crate::interwork::table::Record;
use crate::policy::Policy;
use crate::wire::cpim::Dispositions;
use crate::wire::mail::mm4::ForwardReq;
use crate::wire::resource_lists::{self, CopyControl};
use crate::wire::span::Span;

/// A multimedia message for one of its recipients.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The MM4_forward.REQ; its Content type and Content as a CPM message can hold them
    pub forward_req: ForwardReq<'a>,
    /// RCPT To
    pub recipient: Number,
    /// The current date and time, seconds since 1970-01-01T00:00:00Z
    pub now_unix_s: i64,
    /// User-Agent of the gateway (Appendix C)
    pub product: &'a [u8],
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The SIP MESSAGE, or the SIP INVITE and the MSRP SEND behind it, as far as they are not the same for all.
#[derive(Clone, Debug, Default)]
pub struct CpmMessage<'a> {
    /// Request-URI and To, P-Asserted-Identity, From
    pub parties: Parties,
    /// Display name of From, if it needs one
    pub display_name: &'static str,
    /// User-Agent
    pub user_agent: &'a [u8],
    /// Entries of the recipient-list-history, spans of `parties`; empty for one recipient
    pub recipients: Vec<(Span, CopyControl)>,
    /// Date, seconds since 1970-01-01T00:00:00Z
    pub date_unix_s: i64,
    /// Expires, or Message-Expires
    pub expires_s: Option<u32>,
    /// imdn.Disposition-Notification
    pub disposition_notification: Dispositions,
    /// Privacy
    pub privacy: &'static str,
    /// Subject
    pub subject: String,
    /// Max-Forwards
    pub max_forwards: u32,
    /// Accept-Contact, of an INVITE
    pub accept_contact: &'static str,
    /// Content-Type, of a SEND
    pub content_type: &'static str,
    /// CPIM Content-Type
    pub cpim_content_type: &'a [u8],
    /// Content-Transfer-Encoding beside it
    pub cpim_content_transfer_encoding: &'a [u8],
    /// The content of the CPIM body
    pub body: &'a [u8],
}

impl CpmMessage<'_> {
    /// Appends the recipient-list-history document (RFC 5365 5). There must be more than one recipient.
    pub fn write_recipient_list(&self, out: &mut Vec<u8>) {
        debug_assert!(self.recipients.len() > 1, "one recipient needs no list");
        let entries = self.recipients.iter().map(|(uri, copy_control)| (self.parties.get(*uri), *copy_control));
        resource_lists::write(entries, out);
    }
}

/// Names the record in tables.
pub enum ReceivedRecord {}

impl Record for ReceivedRecord {
    type Of<'a> = Received<'a>;
}

/// Names the record in tables.
pub enum CpmMessageRecord {}

impl Record for CpmMessageRecord {
    type Of<'a> = CpmMessage<'a>;
}
