//! A response to an MM4 request: the records of Tables 18, 19, 21, 22, 37 and 38.

use crate::interwork::table::Record;
use crate::policy::{Policy, ResponseRecipient};
use crate::wire::mail::header;
use crate::wire::mail::mm4::{DeliveryReportReq, ForwardReq, ReadReplyReportReq, RequestStatus, Res, ResKind};
use crate::wire::span::Span;

/// What a response needs of the request, and what the gateway adds. Empty fields are absent.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Which request it was
    pub kind: ResKind,
    /// Its "Mail From" command parameter, a mailbox without brackets
    pub mail_from: &'a [u8],
    /// Its Originator-System-Address, or its Sender
    pub originator_system: &'a [u8],
    /// Its Transaction ID
    pub transaction_id: &'a [u8],
    /// Its Message ID
    pub message_id: &'a [u8],
    /// Its Forward-Route
    pub forward_route: &'a [u8],
    /// Its Originator-Recipient-Address
    pub originator_recipient_address: &'a [u8],
    /// What became of it
    pub request_status: RequestStatus,
    /// The current date and time, seconds since 1970-01-01T00:00:00Z
    pub now_unix_s: i64,
    /// Address of the gateway as an MMS Relay/Server
    pub system_address: &'a [u8],
    /// The service provider's answers
    pub policy: &'a Policy,
}

impl<'a> Request<'a> {
    /// `self` with what stands in an MM4_forward.REQ.
    #[must_use]
    pub fn of_forward(self, req: &ForwardReq<'a>) -> Request<'a> {
        Request {
            kind: ResKind::Forward,
            originator_system: first(req.originator_system, req.sender),
            transaction_id: req.transaction_id,
            message_id: req.message_id,
            forward_route: req.forward_route,
            originator_recipient_address: req.originator_recipient_address,
            ..self
        }
    }

    /// `self` with what stands in an MM4_delivery_report.REQ.
    #[must_use]
    pub fn of_delivery_report(self, req: &DeliveryReportReq<'a>) -> Request<'a> {
        Request {
            kind: ResKind::DeliveryReport,
            originator_system: first(req.originator_system, req.sender),
            transaction_id: req.transaction_id,
            message_id: req.message_id,
            forward_route: req.forward_route,
            originator_recipient_address: originator_recipient_address(req.head),
            ..self
        }
    }

    /// `self` with what stands in an MM4_read_reply_report.REQ.
    #[must_use]
    pub fn of_read_reply_report(self, req: &ReadReplyReportReq<'a>) -> Request<'a> {
        Request {
            kind: ResKind::ReadReplyReport,
            originator_system: first(req.originator_system, req.sender),
            transaction_id: req.transaction_id,
            message_id: req.message_id,
            forward_route: req.forward_route,
            originator_recipient_address: originator_recipient_address(req.head),
            ..self
        }
    }

    /// Where the response goes, a mailbox without brackets.
    #[must_use]
    pub fn response_recipient(&self) -> &'a [u8] {
        match self.policy.mms.response_recipient {
            ResponseRecipient::MailFrom => first(self.mail_from, self.originator_system),
            ResponseRecipient::OriginatorSystem => first(self.originator_system, self.mail_from),
        }
    }
}

/// TS 23.140 knows it in MM4_forward.REQ only; Tables 19 and 22 expect it in reports, too.
fn originator_recipient_address(head: &[u8]) -> &[u8] {
    header::find(head, b"X-Mms-Originator-Recipient-Address").unwrap_or_default()
}

fn first<'a>(one: &'a [u8], other: &'a [u8]) -> &'a [u8] {
    if one.is_empty() { other } else { one }
}

/// The information elements of Tables 19, 22 and 38.
#[derive(Clone, Debug, Default)]
pub struct Response<'a> {
    /// Those that are the request's or the gateway's own.
    pub borrowed: Res<'a>,
    /// Where those that had to be written stand.
    pub octets: Vec<u8>,
    /// Originator-Recipient-Address
    pub originator_recipient_address: Span,
}

impl Response<'_> {
    /// The response.
    #[must_use]
    pub fn res(&self) -> Res<'_> {
        let originator_recipient_address = self.originator_recipient_address.of(&self.octets);
        Res { originator_recipient_address, ..self.borrowed }
    }
}

/// Names the record in tables.
pub enum RequestRecord {}

impl Record for RequestRecord {
    type Of<'a> = Request<'a>;
}

/// Names the record in tables.
pub enum ResponseRecord {}

impl Record for ResponseRecord {
    type Of<'a> = Response<'a>;
}
