//! The responses: MM4_forward.RES, MM4_delivery_report.RES, MM4_read_reply_report.RES (3GPP TS 23.140 8.4.1 to 8.4.3).

use super::codes::{RequestStatus, ResKind};

/// A response to any request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Res<'a> {
    /// What it responds to.
    pub kind: ResKind,
    /// X-Mms-3GPP-MMS-Version, "6.10.0".
    pub version: &'a [u8],
    /// X-Mms-Transaction-ID of the request, as it stood there.
    pub transaction_id: &'a [u8],
    /// X-Mms-Message-ID of the request, as it stood there.
    pub message_id: &'a [u8],
    /// X-Mms-Request-Status-Code.
    pub request_status: RequestStatus,
    /// X-Mms-Request-Status-Code as received; written where `request_status` is [`RequestStatus::Unknown`].
    pub request_status_token: &'a [u8],
    /// X-Mms-Status-Text.
    pub status_text: &'a [u8],
    /// X-Mms-Request-Recipients: the addresses that the status is about; all of them if it is absent.
    pub request_recipients: &'a [u8],
    /// X-Mms-Return-Route: the request's Forward-Route.
    pub return_route: &'a [u8],
    /// X-Mms-Originator-Recipient-Address.
    pub originator_recipient_address: &'a [u8],
    /// Sender, the address of the Relay/Server that responds.
    pub sender: &'a [u8],
    /// To, the address of the Relay/Server that requested.
    pub to: &'a [u8],
    /// Date, in seconds since 1970-01-01T00:00:00Z.
    pub date_unix_s: Option<i64>,
    /// The header section as it was received. Not written.
    pub head: &'a [u8],
}
