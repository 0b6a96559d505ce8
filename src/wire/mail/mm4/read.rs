//! A mail to an abstract message. Every spelling that relays are known for is taken.

use super::codes::{Expiry, MmStatus, Priority, ReadStatus, RequestStatus, ResKind, Visibility};
use super::id::unquoted;
use super::name::{Name, Values};
use super::{DeliveryReportReq, ForwardReq, Mm4, ReadReplyReportReq, Res};
use crate::wire::Malformed;
use crate::wire::mail::{date, header};

/// From here on, digits in X-Mms-Expiry are no seconds to come but those since 1970: 31 years are nobody's validity.
const EXPIRY_EPOCH_S_MIN: i64 = 1_000_000_000;

/// Reads the octets that SMTP's DATA carried, dot-stuffing undone.
///
/// # Errors
/// [`Malformed`] if X-Mms-Message-Type is absent or names no message of MM4, or the header section is too large.
pub fn read(mail: &[u8]) -> Result<Mm4<'_>, Malformed> {
    let (head, content) = header::split(mail)?;
    let values = Values::read(head);
    let kind = Kind::of(values.get(Name::MessageType)).ok_or(Malformed::new("X-Mms-Message-Type", 0))?;
    Ok(match kind {
        Kind::Request(ResKind::Forward) => Mm4::ForwardReq(forward_req(&values, head, content)),
        Kind::Request(ResKind::DeliveryReport) => Mm4::DeliveryReportReq(delivery_report_req(&values, head)),
        Kind::Request(ResKind::ReadReplyReport) => Mm4::ReadReplyReportReq(read_reply_report_req(&values, head)),
        Kind::Response(kind) => Mm4::Res(res(kind, &values, head)),
    })
}

/// A value of X-Mms-Expiry: a date, seconds to come, or seconds since 1970.
#[must_use]
pub fn expiry(value: &[u8]) -> Option<Expiry> {
    let value = unquoted(value);
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        let seconds: i64 = str::from_utf8(value).ok()?.parse().ok()?;
        return match u32::try_from(seconds) {
            Ok(seconds) if i64::from(seconds) < EXPIRY_EPOCH_S_MIN => Some(Expiry::In(seconds)),
            _ => Some(Expiry::At(seconds)),
        };
    }
    date::unix_s(value).map(Expiry::At)
}

enum Kind {
    Request(ResKind),
    Response(ResKind),
}

impl Kind {
    /// "MM4_forward.REQ" and the like, in any case.
    fn of(message_type: &[u8]) -> Option<Kind> {
        let message_type = unquoted(message_type);
        let (start, end) = message_type.split_at_checked(message_type.len().checked_sub(4)?)?;
        let (interface, name) = start.split_at_checked(4)?;
        let kind = message(name).filter(|_| interface.eq_ignore_ascii_case(b"MM4_"))?;
        match () {
            () if end.eq_ignore_ascii_case(b".REQ") => Some(Kind::Request(kind)),
            () if end.eq_ignore_ascii_case(b".RES") => Some(Kind::Response(kind)),
            () => None,
        }
    }
}

/// The names of 23.140, and those that OMA's text has beside them.
fn message(name: &[u8]) -> Option<ResKind> {
    const NAMES: [(&[u8], ResKind); 7] = [
        (b"forward", ResKind::Forward),
        (b"forwards", ResKind::Forward),
        (b"fowards", ResKind::Forward),
        (b"delivery_report", ResKind::DeliveryReport),
        (b"read_reply_report", ResKind::ReadReplyReport),
        (b"read_reply", ResKind::ReadReplyReport),
        (b"read_report", ResKind::ReadReplyReport),
    ];
    NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

fn forward_req<'a>(values: &Values<'a>, head: &'a [u8], content: &'a [u8]) -> ForwardReq<'a> {
    ForwardReq {
        version: values.get(Name::Version),
        transaction_id: values.get(Name::TransactionId),
        message_id: values.get(Name::MessageId),
        to: values.get(Name::To),
        cc: values.get(Name::Cc),
        from: values.get(Name::From),
        content_type: values.get(Name::ContentType),
        content_transfer_encoding: values.get(Name::ContentTransferEncoding),
        message_class: values.get(Name::MessageClass),
        date_unix_s: date::unix_s(values.get(Name::Date)),
        expiry: expiry(values.get(Name::Expiry)),
        delivery_report: is_yes(values.get(Name::DeliveryReport)),
        originator_rs_delivery_report: is_yes(values.get(Name::OriginatorRsDeliveryReport)),
        priority: Priority::from_token(values.get(Name::Priority)),
        sender_visibility: Visibility::from_token(values.get(Name::SenderVisibility)),
        read_reply: is_yes(values.get(Name::ReadReply)),
        subject: values.get(Name::Subject),
        ack_request: is_yes(values.get(Name::AckRequest)),
        forward_counter: number(values.get(Name::ForwardCounter)),
        originator_system: values.get(Name::OriginatorSystem),
        forward_route: values.get(Name::ForwardRoute),
        return_route: values.get(Name::ReturnRoute),
        originator_recipient_address: values.get(Name::OriginatorRecipientAddress),
        applic_id: values.get(Name::ApplicId),
        sender: values.get(Name::Sender),
        head,
        content,
    }
}

fn delivery_report_req<'a>(values: &Values<'a>, head: &'a [u8]) -> DeliveryReportReq<'a> {
    let forward_to_originator_ua = Some(values.get(Name::ForwardToOriginatorUa)).filter(|value| !value.is_empty());
    DeliveryReportReq {
        version: values.get(Name::Version),
        transaction_id: values.get(Name::TransactionId),
        message_id: values.get(Name::MessageId),
        from: values.get(Name::From),
        to: values.get(Name::To),
        date_unix_s: date::unix_s(values.get(Name::Date)),
        ack_request: is_yes(values.get(Name::AckRequest)),
        forward_to_originator_ua: forward_to_originator_ua.map(is_yes),
        mm_status: MmStatus::from_token(values.get(Name::MmStatusCode)),
        mm_status_token: values.get(Name::MmStatusCode),
        mm_status_extension: values.get(Name::MmStatusExtension),
        status_text: values.get(Name::StatusText),
        forward_route: values.get(Name::ForwardRoute),
        originator_system: values.get(Name::OriginatorSystem),
        sender: values.get(Name::Sender),
        head,
    }
}

fn read_reply_report_req<'a>(values: &Values<'a>, head: &'a [u8]) -> ReadReplyReportReq<'a> {
    ReadReplyReportReq {
        version: values.get(Name::Version),
        transaction_id: values.get(Name::TransactionId),
        from: values.get(Name::From),
        to: values.get(Name::To),
        message_id: values.get(Name::MessageId),
        date_unix_s: date::unix_s(values.get(Name::Date)),
        ack_request: is_yes(values.get(Name::AckRequest)),
        read_status: ReadStatus::from_token(values.get(Name::ReadStatus)),
        read_status_token: values.get(Name::ReadStatus),
        status_text: values.get(Name::StatusText),
        forward_route: values.get(Name::ForwardRoute),
        originator_system: values.get(Name::OriginatorSystem),
        sender: values.get(Name::Sender),
        head,
    }
}

fn res<'a>(kind: ResKind, values: &Values<'a>, head: &'a [u8]) -> Res<'a> {
    Res {
        kind,
        version: values.get(Name::Version),
        transaction_id: values.get(Name::TransactionId),
        message_id: values.get(Name::MessageId),
        request_status: RequestStatus::from_token(values.get(Name::RequestStatusCode)),
        request_status_token: values.get(Name::RequestStatusCode),
        status_text: values.get(Name::StatusText),
        request_recipients: values.get(Name::RequestRecipients),
        return_route: values.get(Name::ReturnRoute),
        originator_recipient_address: values.get(Name::OriginatorRecipientAddress),
        sender: values.get(Name::Sender),
        to: values.get(Name::To),
        date_unix_s: date::unix_s(values.get(Name::Date)),
        head,
    }
}

fn is_yes(value: &[u8]) -> bool {
    [&b"Yes"[..], b"True", b"1"].iter().any(|yes| unquoted(value).eq_ignore_ascii_case(yes))
}

fn number(value: &[u8]) -> Option<u32> {
    str::from_utf8(unquoted(value)).ok()?.parse().ok()
}
