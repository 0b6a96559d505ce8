//! MM4_delivery_report.REQ and MM4_read_reply_report.REQ (3GPP TS 23.140 8.4.2, 8.4.3): what became of a message, one
//! recipient at a time.

use super::codes::{MmStatus, ReadStatus};

/// MM4_delivery_report.REQ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReportReq<'a> {
    /// X-Mms-3GPP-MMS-Version, "6.10.0".
    pub version: &'a [u8],
    /// X-Mms-Transaction-ID; the response repeats it.
    pub transaction_id: &'a [u8],
    /// X-Mms-Message-ID of the multimedia message that is reported on.
    pub message_id: &'a [u8],
    /// From: the recipient of the multimedia message. Some peers exchange it with `to`.
    pub from: &'a [u8],
    /// To: the originator of the multimedia message.
    pub to: &'a [u8],
    /// Date: when the message was handled, in seconds since 1970-01-01T00:00:00Z.
    pub date_unix_s: Option<i64>,
    /// X-Mms-Ack-Request: whoever reports waits for the response.
    pub ack_request: bool,
    /// X-Mms-Forward-To-Originator-UA: whether the originator, too, is told.
    pub forward_to_originator_ua: Option<bool>,
    /// X-Mms-MM-Status-Code.
    pub mm_status: MmStatus,
    /// X-Mms-MM-Status-Code as received; written where `mm_status` is [`MmStatus::Unknown`].
    pub mm_status_token: &'a [u8],
    /// X-Mms-MM-Status-Extension: Rejection-By-MMS-Recipient or Rejection-By-Other-RS.
    pub mm_status_extension: &'a [u8],
    /// X-Mms-Status-Text.
    pub status_text: &'a [u8],
    /// X-Mms-Forward-Route.
    pub forward_route: &'a [u8],
    /// X-Mms-Originator-System; where it is absent, the response goes to `sender`.
    pub originator_system: &'a [u8],
    /// Sender, the address of the Relay/Server that reports.
    pub sender: &'a [u8],
    /// The header section as it was received. Not written.
    pub head: &'a [u8],
}

/// MM4_read_reply_report.REQ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadReplyReportReq<'a> {
    /// X-Mms-3GPP-MMS-Version, "6.10.0".
    pub version: &'a [u8],
    /// X-Mms-Transaction-ID; the response repeats it.
    pub transaction_id: &'a [u8],
    /// From: the recipient of the multimedia message. Some peers exchange it with `to`.
    pub from: &'a [u8],
    /// To: the originator of the multimedia message.
    pub to: &'a [u8],
    /// X-Mms-Message-ID of the multimedia message that was read.
    pub message_id: &'a [u8],
    /// Date: when it was read, in seconds since 1970-01-01T00:00:00Z.
    pub date_unix_s: Option<i64>,
    /// X-Mms-Ack-Request: whoever reports waits for the response.
    pub ack_request: bool,
    /// X-Mms-Read-Status.
    pub read_status: ReadStatus,
    /// X-Mms-Read-Status as received; written where `read_status` is [`ReadStatus::Unknown`].
    pub read_status_token: &'a [u8],
    /// X-Mms-Status-Text.
    pub status_text: &'a [u8],
    /// X-Mms-Forward-Route.
    pub forward_route: &'a [u8],
    /// X-Mms-Originator-System; where it is absent, the response goes to `sender`.
    pub originator_system: &'a [u8],
    /// Sender, the address of the Relay/Server that reports.
    pub sender: &'a [u8],
    /// The header section as it was received. Not written.
    pub head: &'a [u8],
}
