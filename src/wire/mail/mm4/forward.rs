//! MM4_forward.REQ (3GPP TS 23.140 8.4.1): a multimedia message on its way to the recipients' Relay/Server.

use super::codes::{Expiry, Priority, Visibility};

/// MM4_forward.REQ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForwardReq<'a> {
    /// X-Mms-3GPP-MMS-Version, "6.10.0".
    pub version: &'a [u8],
    /// X-Mms-Transaction-ID; the response repeats it.
    pub transaction_id: &'a [u8],
    /// X-Mms-Message-ID; every report about the multimedia message has it.
    pub message_id: &'a [u8],
    /// To, a list of addresses. Who gets the message here is for RCPT TO to say.
    pub to: &'a [u8],
    /// Cc, a list of addresses.
    pub cc: &'a [u8],
    /// From, the sender's address.
    pub from: &'a [u8],
    /// Content-Type of the content.
    pub content_type: &'a [u8],
    /// Content-Transfer-Encoding of the content.
    pub content_transfer_encoding: &'a [u8],
    /// X-Mms-Message-Class: Personal, Advertisement, Informational, Auto or a token.
    pub message_class: &'a [u8],
    /// Date, in seconds since 1970-01-01T00:00:00Z.
    pub date_unix_s: Option<i64>,
    /// X-Mms-Expiry.
    pub expiry: Option<Expiry>,
    /// X-Mms-Delivery-Report: the sender wants delivery reports.
    pub delivery_report: bool,
    /// X-Mms-Originator-R/S-Delivery-Report: the sender's Relay/Server wants them, whatever the sender wants.
    pub originator_rs_delivery_report: bool,
    /// X-Mms-Priority.
    pub priority: Option<Priority>,
    /// X-Mms-Sender-Visibility.
    pub sender_visibility: Option<Visibility>,
    /// X-Mms-Read-Reply: the sender wants read reports.
    pub read_reply: bool,
    /// Subject, with its encoded words (RFC 2047).
    pub subject: &'a [u8],
    /// X-Mms-Ack-Request: the sender's Relay/Server waits for the response.
    pub ack_request: bool,
    /// X-Mms-Forward-Counter: how often the message was forwarded.
    pub forward_counter: Option<u32>,
    /// X-Mms-Originator-System: where the response goes.
    pub originator_system: &'a [u8],
    /// X-Mms-Forward-Route: the Relay/Servers that the message passed.
    pub forward_route: &'a [u8],
    /// X-Mms-Return-Route.
    pub return_route: &'a [u8],
    /// X-Mms-Originator-Recipient-Address.
    pub originator_recipient_address: &'a [u8],
    /// X-Mms-Applic-ID: the message is for this application, not for a person.
    pub applic_id: &'a [u8],
    /// Sender, the address of the Relay/Server that sends this mail. Written from `originator_system` if it is empty.
    pub sender: &'a [u8],
    /// The header section as it was received, for the fields that have no place here. Not written.
    pub head: &'a [u8],
    /// The content's octets, encoded as `content_transfer_encoding` says. Not written with the head.
    pub content: &'a [u8],
}
