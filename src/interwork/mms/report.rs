//! An MM4 report that a CPM notification becomes: the records of Tables 41 to 44.

use crate::interwork::table::Record;
use crate::policy::Policy;
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::mail::mm4::{DeliveryReportReq, ReadReplyReportReq};
use crate::wire::span::Span;

/// A CPM notification, the multimedia message that it is about, and what the gateway adds. Empty fields are absent headers;
/// addresses are URIs without brackets and header parameters.
#[derive(Clone, Copy, Debug)]
pub struct Notified<'a> {
    /// Request-URI
    pub request_uri: &'a [u8],
    /// To
    pub to: &'a [u8],
    /// From
    pub from: &'a [u8],
    /// P-Asserted-Identity
    pub p_asserted_identity: [&'a [u8]; 2],
    /// Date (RFC 3261 20.17)
    pub date: &'a [u8],
    /// Body: the notification and its status
    pub status: (Notification, Status),
    /// Message ID of the multimedia message, as its request wrote it
    pub message_id: &'a [u8],
    /// Sender address of the multimedia message, as its request wrote it
    pub originator: &'a [u8],
    /// The current date and time, seconds since 1970-01-01T00:00:00Z
    pub now_unix_s: i64,
    /// Minted: Transaction ID
    pub transaction_id: &'a [u8],
    /// Domain of the MMS Relay/Server that it goes to
    pub mmsc_domain: &'a [u8],
    /// Domain of the gateway as an MMS Relay/Server
    pub own_domain: &'a [u8],
    /// Address of the gateway as an MMS Relay/Server
    pub system_address: &'a [u8],
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The information elements of Table 42.
#[derive(Clone, Debug, Default)]
pub struct DeliveryReport<'a> {
    /// Those that are the notification's or the gateway's own.
    pub borrowed: DeliveryReportReq<'a>,
    /// Both addresses.
    pub between: Between,
}

/// The information elements of Table 44.
#[derive(Clone, Debug, Default)]
pub struct ReadReplyReport<'a> {
    /// Those that are the notification's or the gateway's own.
    pub borrowed: ReadReplyReportReq<'a>,
    /// Both addresses.
    pub between: Between,
}

/// Who reports to whom, as MMS addresses.
#[derive(Clone, Debug, Default)]
pub struct Between {
    /// Where the addresses stand.
    pub octets: Vec<u8>,
    /// Recipient of the multimedia message: who reports.
    pub recipient: Span,
    /// Originator of the multimedia message: to whom.
    pub originator: Span,
}

impl Between {
    /// From and To of the report.
    fn addresses(&self) -> (&[u8], &[u8]) {
        (self.recipient.of(&self.octets), self.originator.of(&self.octets))
    }
}

impl DeliveryReport<'_> {
    /// The MM4_delivery_report.REQ.
    #[must_use]
    pub fn delivery_report_req(&self) -> DeliveryReportReq<'_> {
        let (from, to) = self.between.addresses();
        DeliveryReportReq { from, to, ..self.borrowed }
    }
}

impl ReadReplyReport<'_> {
    /// The MM4_read_reply_report.REQ.
    #[must_use]
    pub fn read_reply_report_req(&self) -> ReadReplyReportReq<'_> {
        let (from, to) = self.between.addresses();
        ReadReplyReportReq { from, to, ..self.borrowed }
    }
}

/// Names the record in tables.
pub enum NotifiedRecord {}

impl Record for NotifiedRecord {
    type Of<'a> = Notified<'a>;
}

/// Names the record in tables.
pub enum DeliveryReportRecord {}

impl Record for DeliveryReportRecord {
    type Of<'a> = DeliveryReport<'a>;
}

/// Names the record in tables.
pub enum ReadReplyReportRecord {}

impl Record for ReadReplyReportRecord {
    type Of<'a> = ReadReplyReport<'a>;
}
