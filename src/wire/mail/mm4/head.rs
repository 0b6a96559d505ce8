//! An abstract message to the header section of its mail.

use super::codes::{Expiry, ResKind};
use super::name::Name;
use super::{DeliveryReportReq, ForwardReq, ReadReplyReportReq, Res};
use crate::wire::digits::digits;
use crate::wire::mail::{date, encoded_word, header};

impl ForwardReq<'_> {
    /// Appends the header section, its empty line included; the content follows it. `mail_id` is the id of this mail
    /// without angle brackets, not that of the multimedia message.
    pub fn write_head(&self, mail_id: &[u8], out: &mut Vec<u8>) {
        let mut head = Head { out };
        head.begin(self.version, b"MM4_forward.REQ", self.transaction_id, self.message_id);
        head.list(Name::To, self.to);
        head.list(Name::Cc, self.cc);
        head.put(Name::From, self.from);
        head.put(Name::MessageClass, self.message_class);
        head.date(Name::Date, self.date_unix_s);
        head.expiry(self.expiry);
        head.yes_or_no(Name::DeliveryReport, self.delivery_report);
        head.yes(Name::OriginatorRsDeliveryReport, self.originator_rs_delivery_report);
        head.put(Name::Priority, self.priority.map_or(b"", |priority| priority.token()));
        head.put(Name::SenderVisibility, self.sender_visibility.map_or(b"", |visibility| visibility.token()));
        head.yes_or_no(Name::ReadReply, self.read_reply);
        head.text(Name::Subject, self.subject);
        self.write_systems(&mut head);
        head.end(mail_id, self.content_type, self.content_transfer_encoding);
    }

    fn write_systems(&self, head: &mut Head<'_>) {
        head.yes_or_no(Name::AckRequest, self.ack_request);
        if let Some(count) = self.forward_counter {
            head.put(Name::ForwardCounter, &digits(u64::from(count)));
        }
        head.put(Name::OriginatorSystem, self.originator_system);
        head.list(Name::ForwardRoute, self.forward_route);
        head.list(Name::ReturnRoute, self.return_route);
        head.put(Name::OriginatorRecipientAddress, self.originator_recipient_address);
        head.put(Name::ApplicId, self.applic_id);
        head.put(Name::Sender, if self.sender.is_empty() { self.originator_system } else { self.sender });
    }
}

impl DeliveryReportReq<'_> {
    /// Appends the whole mail, which has no content. `mail_id` is the id of this mail without angle brackets.
    pub fn write_head(&self, mail_id: &[u8], out: &mut Vec<u8>) {
        let mut head = Head { out };
        head.begin(self.version, b"MM4_delivery_report.REQ", self.transaction_id, self.message_id);
        head.put(Name::From, self.from);
        head.list(Name::To, self.to);
        head.date(Name::Date, self.date_unix_s);
        head.yes_or_no(Name::AckRequest, self.ack_request);
        if let Some(forward) = self.forward_to_originator_ua {
            head.yes_or_no(Name::ForwardToOriginatorUa, forward);
        }
        head.put(Name::MmStatusCode, either(self.mm_status.token(), self.mm_status_token));
        head.put(Name::MmStatusExtension, self.mm_status_extension);
        head.text(Name::StatusText, self.status_text);
        head.list(Name::ForwardRoute, self.forward_route);
        head.put(Name::OriginatorSystem, self.originator_system);
        head.put(Name::Sender, self.sender);
        head.end_empty(mail_id);
    }
}

impl ReadReplyReportReq<'_> {
    /// Appends the whole mail, which has no content. `mail_id` is the id of this mail without angle brackets.
    pub fn write_head(&self, mail_id: &[u8], out: &mut Vec<u8>) {
        let mut head = Head { out };
        head.begin(self.version, b"MM4_read_reply_report.REQ", self.transaction_id, self.message_id);
        head.put(Name::From, self.from);
        head.list(Name::To, self.to);
        head.date(Name::Date, self.date_unix_s);
        head.yes_or_no(Name::AckRequest, self.ack_request);
        head.put(Name::ReadStatus, either(self.read_status.token(), self.read_status_token));
        head.text(Name::StatusText, self.status_text);
        head.list(Name::ForwardRoute, self.forward_route);
        head.put(Name::OriginatorSystem, self.originator_system);
        head.put(Name::Sender, self.sender);
        head.end_empty(mail_id);
    }
}

impl Res<'_> {
    /// Appends the whole mail, which has no content. `mail_id` is the id of this mail without angle brackets.
    pub fn write_head(&self, mail_id: &[u8], out: &mut Vec<u8>) {
        let mut head = Head { out };
        let message_type: &[u8] = match self.kind {
            ResKind::Forward => b"MM4_forward.RES",
            ResKind::DeliveryReport => b"MM4_delivery_report.RES",
            ResKind::ReadReplyReport => b"MM4_read_reply_report.RES",
        };
        head.begin(self.version, message_type, self.transaction_id, self.message_id);
        head.put(Name::RequestStatusCode, either(self.request_status.token(), self.request_status_token));
        head.text(Name::StatusText, self.status_text);
        head.list(Name::RequestRecipients, self.request_recipients);
        head.list(Name::ReturnRoute, self.return_route);
        head.put(Name::OriginatorRecipientAddress, self.originator_recipient_address);
        head.put(Name::Sender, self.sender);
        head.list(Name::To, self.to);
        head.date(Name::Date, self.date_unix_s);
        head.end_empty(mail_id);
    }
}

/// A known value's token, or what stood in its place.
fn either<'a>(token: &'a [u8], received: &'a [u8]) -> &'a [u8] {
    if token.is_empty() { received } else { token }
}

struct Head<'o> {
    out: &'o mut Vec<u8>,
}

impl Head<'_> {
    fn begin(&mut self, version: &[u8], message_type: &[u8], transaction_id: &[u8], message_id: &[u8]) {
        self.put(Name::Version, version);
        self.put(Name::MessageType, message_type);
        self.put(Name::TransactionId, transaction_id);
        self.put(Name::MessageId, message_id);
    }

    fn end(&mut self, mail_id: &[u8], content_type: &[u8], content_transfer_encoding: &[u8]) {
        if !mail_id.is_empty() {
            self.put(Name::MailId, &[b"<", super::id::unquoted(mail_id), b">"].concat());
        }
        self.put(Name::MimeVersion, b"1.0");
        self.put(Name::ContentType, content_type);
        self.put(Name::ContentTransferEncoding, content_transfer_encoding);
        self.out.extend_from_slice(b"\r\n");
    }

    fn end_empty(&mut self, mail_id: &[u8]) {
        self.end(mail_id, b"text/plain", b"");
    }

    fn put(&mut self, name: Name, value: &[u8]) {
        header::write(name.written(), value, self.out);
    }

    fn list(&mut self, name: Name, value: &[u8]) {
        header::write_list(name.written(), value, self.out);
    }

    /// What a person reads: words of it that are not ASCII are encoded.
    fn text(&mut self, name: Name, value: &[u8]) {
        let mut encoded = Vec::with_capacity(value.len());
        encoded_word::encode_octets(value, &mut encoded);
        self.put(name, &encoded);
    }

    fn date(&mut self, name: Name, unix_s: Option<i64>) {
        if let Some(unix_s) = unix_s {
            let mut value = Vec::with_capacity(31);
            date::write(unix_s, &mut value);
            self.put(name, &value);
        }
    }

    fn expiry(&mut self, expiry: Option<Expiry>) {
        match expiry {
            Some(Expiry::At(unix_s)) => self.date(Name::Expiry, Some(unix_s)),
            Some(Expiry::In(seconds)) => self.put(Name::Expiry, &digits(u64::from(seconds))),
            None => {}
        }
    }

    fn yes_or_no(&mut self, name: Name, yes: bool) {
        self.put(name, if yes { b"Yes" } else { b"No" });
    }

    fn yes(&mut self, name: Name, yes: bool) {
        if yes {
            self.yes_or_no(name, true);
        }
    }
}
