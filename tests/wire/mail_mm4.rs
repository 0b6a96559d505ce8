//! MM4 mails as relays of several makers write them (`tests/spec/mm4/`), what is read from them, and the same written
//! again.

use std::collections::BTreeMap;

use isthmus::wire::cpim::mime;
use isthmus::wire::mail::mm4::{
    DeliveryReportReq, Expiry, ForwardReq, Mm4, MmStatus, Name, Priority, ReadReplyReportReq, ReadStatus,
    RequestStatus, Res, ResKind, Visibility, expiry, id, read,
};
use isthmus::wire::mail::{address, encoded_word, header};
use proptest::prelude::*;

use crate::tsv;

macro_rules! mails {
    ($($name:literal),+) => {
        const MAILS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../spec/mm4/", $name, ".eml")))),+];
    };
}

mails!(
    "plain_smil",
    "lower_case_unquoted",
    "folded_everywhere",
    "delivery_report",
    "delivery_report_rejected",
    "read_reply",
    "read_reply_deleted",
    "forward_res",
    "forward_res_refused"
);

/// What was found, as rows of `mm4_mails.tsv`.
#[derive(Default)]
struct Facts(Vec<(&'static str, String)>);

impl Facts {
    fn put(&mut self, name: &'static str, value: &[u8]) {
        if !value.is_empty() {
            self.0.push((name, String::from_utf8(header::unfolded(value).collect()).unwrap()));
        }
    }

    fn text(&mut self, name: &'static str, value: &[u8]) {
        let mut text = String::new();
        encoded_word::decode(value, &mut text);
        self.put(name, text.as_bytes());
    }

    fn yes(&mut self, name: &'static str, yes: bool) {
        self.put(name, if yes { b"yes" } else { b"" });
    }

    fn number(&mut self, name: &'static str, number: Option<i64>) {
        self.put(name, number.map_or_else(String::new, |number| number.to_string()).as_bytes());
    }

    fn addresses(&mut self, name: &'static str, number_name: &'static str, list: &[u8]) {
        for mailbox in address::addresses(list) {
            self.put(name, mailbox.address);
            self.put(number_name, address::number(mailbox.address).unwrap_or_default());
        }
    }

    fn ids(&mut self, version: &[u8], transaction_id: &[u8], message_id: &[u8]) {
        self.put("version", version);
        self.put("transaction_id", transaction_id);
        self.put("message_id", message_id);
    }

    fn of(mail: &Mm4<'_>) -> Facts {
        let mut facts = Facts::default();
        match mail {
            Mm4::ForwardReq(req) => facts.forward_req(req),
            Mm4::DeliveryReportReq(req) => facts.delivery_report_req(req),
            Mm4::ReadReplyReportReq(req) => facts.read_reply_report_req(req),
            Mm4::Res(res) => facts.res(res),
        }
        facts
    }

    fn forward_req(&mut self, req: &ForwardReq<'_>) {
        self.put("kind", b"forward_req");
        self.ids(req.version, req.transaction_id, req.message_id);
        self.addresses("to", "to number", req.to);
        self.addresses("cc", "cc number", req.cc);
        self.addresses("from", "from number", req.from);
        self.put("media type", mime::media_type(req.content_type));
        self.put("boundary", mime::parameter(req.content_type, b"boundary").unwrap_or_default());
        self.put("message_class", req.message_class);
        self.number("date", req.date_unix_s);
        let expiry = req.expiry.map_or_else(String::new, |expiry| match expiry {
            Expiry::At(unix_s) => format!("at {unix_s}"),
            Expiry::In(seconds) => format!("in {seconds}"),
        });
        self.put("expiry", expiry.as_bytes());
        self.yes("delivery_report", req.delivery_report);
        self.yes("originator_rs_delivery_report", req.originator_rs_delivery_report);
        self.put("priority", req.priority.map_or(b"", Priority::token));
        self.put("sender_visibility", req.sender_visibility.map_or(b"", Visibility::token));
        self.yes("read_reply", req.read_reply);
        self.text("subject", req.subject);
        self.yes("ack_request", req.ack_request);
        self.number("forward_counter", req.forward_counter.map(i64::from));
        self.put("originator_system", req.originator_system);
        self.addresses("forward_route", "", req.forward_route);
        self.put("originator_recipient_address", req.originator_recipient_address);
        self.put("applic_id", req.applic_id);
        self.put("sender", address::first(req.sender).address);
        let hops = header::all(req.head, b"Received").count();
        self.put("hops", if hops > 0 { b"1" } else { b"" });
    }

    fn delivery_report_req(&mut self, req: &DeliveryReportReq<'_>) {
        self.put("kind", b"delivery_report_req");
        self.ids(req.version, req.transaction_id, req.message_id);
        self.addresses("from", "from number", req.from);
        self.addresses("to", "to number", req.to);
        self.number("date", req.date_unix_s);
        self.yes("ack_request", req.ack_request);
        self.yes("forward_to_originator_ua", req.forward_to_originator_ua == Some(true));
        self.put("mm_status", req.mm_status.token());
        self.put("mm_status_extension", req.mm_status_extension);
        self.text("status_text", req.status_text);
        self.put("sender", req.sender);
    }

    fn read_reply_report_req(&mut self, req: &ReadReplyReportReq<'_>) {
        self.put("kind", b"read_reply_report_req");
        self.ids(req.version, req.transaction_id, req.message_id);
        self.addresses("from", "from number", req.from);
        self.addresses("to", "to number", req.to);
        self.number("date", req.date_unix_s);
        self.yes("ack_request", req.ack_request);
        self.put("read_status", req.read_status.token());
        self.put("originator_system", req.originator_system);
        self.put("sender", req.sender);
    }

    fn res(&mut self, res: &Res<'_>) {
        let kind: &[u8] = match res.kind {
            ResKind::Forward => b"forward_res",
            ResKind::DeliveryReport => b"delivery_report_res",
            ResKind::ReadReplyReport => b"read_reply_report_res",
        };
        self.put("kind", kind);
        self.ids(res.version, res.transaction_id, res.message_id);
        self.put("request_status", res.request_status.token());
        self.text("status_text", res.status_text);
        self.addresses("request_recipients", "", res.request_recipients);
        self.put("return_route", res.return_route);
        self.put("sender", res.sender);
        self.put("to", res.to);
        self.number("date", res.date_unix_s);
    }
}

fn write_again(mail: &Mm4<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match mail {
        Mm4::ForwardReq(req) => {
            req.write_head(b"again@gw", &mut out);
            out.extend_from_slice(req.content);
        }
        Mm4::DeliveryReportReq(req) => req.write_head(b"again@gw", &mut out),
        Mm4::ReadReplyReportReq(req) => req.write_head(b"again@gw", &mut out),
        Mm4::Res(res) => res.write_head(b"again@gw", &mut out),
    }
    out
}

fn expected() -> BTreeMap<&'static str, Vec<(&'static str, String)>> {
    let mut mails: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in tsv::rows(include_str!("../spec/mm4_mails.tsv")) {
        mails.entry(row[0]).or_default().push((row[1], row[2].to_owned()));
    }
    mails
}

#[test]
fn mails_of_several_makers_whatever_ends_their_lines() {
    let expected = expected();
    assert_eq!(expected.len(), MAILS.len());
    for (name, lines) in MAILS {
        for mail in [(*lines).to_owned(), lines.replace('\n', "\r\n"), format!("\r\n{lines}")] {
            let facts = Facts::of(&read(mail.as_bytes()).unwrap()).0;
            let facts: Vec<_> = facts.into_iter().filter(|(field, _)| !field.is_empty()).collect();
            assert_eq!(&facts, &expected[name], "{name}");
        }
    }
}

#[test]
fn what_is_written_reads_the_same() {
    for (name, lines) in MAILS {
        let mail = lines.replace('\n', "\r\n");
        let before = read(mail.as_bytes()).unwrap();
        let again = write_again(&before);
        let mut facts = Facts::of(&before).0;
        facts.retain(|(field, _)| *field != "hops");
        assert_eq!(Facts::of(&read(&again).unwrap()).0, facts, "{name}");
        let (head, _) = header::split(&again).unwrap();
        assert!(head.is_ascii() && head.split(|octet| *octet == b'\n').all(|line| line.len() <= 120), "{name}");
        for (field, value) in [("Message-ID", "<again@gw>"), ("MIME-Version", "1.0")] {
            assert_eq!(header::find(head, field.as_bytes()), Some(value.as_bytes()), "{name}");
        }
        assert!(header::find(head, b"Content-Type").is_some(), "{name}");
        assert_eq!(write_again(&read(&again).unwrap()), again, "{name}");
    }
}

#[test]
fn a_request_as_it_leaves() {
    let mut out = Vec::new();
    ForwardReq {
        version: b"6.10.0",
        transaction_id: b"iw-3-t-0001",
        message_id: b"iw-3-0001@mms.gw.example.net",
        to: b"+447700900456/TYPE=PLMN@mms.mnc001.mcc001.gprs",
        from: b"+447700900123/TYPE=PLMN@mms.gw.example.net",
        content_type: b"text/plain; charset=utf-8",
        content_transfer_encoding: b"base64",
        date_unix_s: Some(1_795_227_049),
        expiry: Some(Expiry::At(1_795_486_249)),
        delivery_report: true,
        priority: Some(Priority::Normal),
        subject: "Grüße\r\nBcc: x@y".as_bytes(),
        ack_request: true,
        originator_system: b"system-user@mms.gw.example.net",
        content: b"not of the head",
        ..ForwardReq::default()
    }
    .write_head(b"m1@gw.example.net", &mut out);
    let expected = "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.REQ\r\n\
        X-Mms-Transaction-ID: iw-3-t-0001\r\nX-Mms-Message-ID: iw-3-0001@mms.gw.example.net\r\n\
        To: +447700900456/TYPE=PLMN@mms.mnc001.mcc001.gprs\r\nFrom: +447700900123/TYPE=PLMN@mms.gw.example.net\r\n\
        Date: Sat, 21 Nov 2026 02:10:49 +0000\r\nX-Mms-Expiry: Tue, 24 Nov 2026 02:10:49 +0000\r\n\
        X-Mms-Delivery-Report: Yes\r\nX-Mms-Priority: Normal\r\nX-Mms-Read-Reply: No\r\n\
        Subject: =?UTF-8?B?R3LDvMOfZUJjYzogeEB5?=\r\nX-Mms-Ack-Request: Yes\r\n\
        X-Mms-Originator-System: system-user@mms.gw.example.net\r\nSender: system-user@mms.gw.example.net\r\n\
        Message-ID: <m1@gw.example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn every_type_in_every_spelling() {
    for (message_type, kind) in [
        ("MM4_forward.REQ", "forward_req"),
        ("\"mm4_Forward.Req\"", "forward_req"),
        ("MM4_delivery_report.REQ", "delivery_report_req"),
        ("MM4_Delivery_report.REQ", "delivery_report_req"),
        ("MM4_read_reply_report.REQ", "read_reply_report_req"),
        ("MM4_Read_reply_report.REQ", "read_reply_report_req"),
        ("MM4_read_reply.REQ", "read_reply_report_req"),
        ("MM4_forward.RES", "forward_res"),
        ("MM4_fowards.RES", "forward_res"),
        ("MM4_delivery_report.RES", "delivery_report_res"),
        ("MM4_read_reply_report.RES", "read_reply_report_res"),
    ] {
        let mail = format!("X-Mms-Message-Type: {message_type}\r\n\r\n");
        assert_eq!(Facts::of(&read(mail.as_bytes()).unwrap()).0[0].1, kind, "{message_type}");
    }
    for other in ["", "MM1_forward.REQ", "MM4_forward", "MM4_forward.ACK", "MM4_.REQ", "MM4_cancel.REQ", "REQ"] {
        let mail = format!("X-Mms-Message-Type: {other}\r\n\r\n");
        assert_eq!(read(mail.as_bytes()).unwrap_err().what, "X-Mms-Message-Type", "{other}");
    }
}

#[test]
fn statuses_by_token_and_number() {
    for (token, status) in [
        ("OK", RequestStatus::Ok),
        ("\"Ok\"", RequestStatus::Ok),
        ("0", RequestStatus::Ok),
        ("200", RequestStatus::Ok),
        ("128", RequestStatus::Ok),
        ("135", RequestStatus::ErrorContentNotAccepted),
        ("error-SERVICE-denied", RequestStatus::ErrorServiceDenied),
        ("Error-permanent-sending-address-unresolved", RequestStatus::ErrorSendingAddressUnresolved),
        ("Error-transient-network-problem", RequestStatus::ErrorTransient),
        ("193", RequestStatus::ErrorTransient),
        ("Error-transient", RequestStatus::Unknown),
        ("1", RequestStatus::Unknown),
        ("", RequestStatus::Unknown),
    ] {
        assert_eq!(RequestStatus::from_token(token.as_bytes()), status, "{token}");
    }
    assert!(RequestStatus::ALL.iter().all(|status| RequestStatus::from_token(status.token()) == *status));
    assert!(MmStatus::ALL.iter().all(|status| MmStatus::from_token(status.token()) == *status));
    assert!(ReadStatus::ALL.iter().all(|status| ReadStatus::from_token(status.token()) == *status));
    assert_eq!(Priority::from_token(b"medium"), Some(Priority::Normal));
    assert_eq!(Priority::from_token(b"urgent"), None);
    let last: Vec<_> = MmStatus::ALL.iter().filter(|status| !status.is_final()).collect();
    assert_eq!(last, [&MmStatus::Deferred, &MmStatus::Indeterminate, &MmStatus::Forwarded]);
}

#[test]
fn a_status_nobody_knows_is_kept() {
    let mail = b"X-Mms-Message-Type: MM4_forward.RES\r\nX-Mms-Request-Status-Code: Error-of-tomorrow\r\n\r\n";
    let Mm4::Res(res) = read(mail).unwrap() else { panic!("not a response") };
    assert_eq!((res.request_status, res.request_status_token), (RequestStatus::Unknown, &b"Error-of-tomorrow"[..]));
    let again = write_again(&Mm4::Res(res));
    assert!(String::from_utf8(again).unwrap().contains("X-Mms-Request-Status-Code: Error-of-tomorrow\r\n"));
}

#[test]
fn expiry_in_every_form() {
    for (value, expected) in [
        ("259200", Some(Expiry::In(259_200))),
        ("\"259200\"", Some(Expiry::In(259_200))),
        ("1795486249", Some(Expiry::At(1_795_486_249))),
        ("5000000000", Some(Expiry::At(5_000_000_000))),
        ("Tue, 24 Nov 2026 02:10:49 GMT", Some(Expiry::At(1_795_486_249))),
        ("2026-11-24T02:10:49Z", Some(Expiry::At(1_795_486_249))),
        ("99999999999999999999", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(expiry(value.as_bytes()), expected, "{value}");
    }
    assert_eq!(Expiry::In(60).unix_s(1_795_227_049), 1_795_227_109);
    assert_eq!(Expiry::At(7).unix_s(1_795_227_049), 7);
}

#[test]
fn ids_are_the_same_whatever_is_around_them() {
    for id in ["a@b", " \"a@b\" ", "<a@b>", "\"<a@b>\"", "<\"a@b\">"] {
        assert_eq!(id::unquoted(id.as_bytes()), b"a@b", "{id}");
        assert!(id::same(id.as_bytes(), b"a@b"));
    }
    assert!(!id::same(b"A@b", b"a@b"));
    assert_eq!(id::unquoted(b"\""), b"\"");
    assert_eq!(id::unquoted(b"<>"), b"");
}

#[test]
fn names_are_known_as_they_are_written() {
    for name in Name::ALL {
        assert_eq!(Name::of(&name.written().to_ascii_uppercase()), Some(*name));
    }
    assert_eq!(Name::of(b"X-Mms-Adaptation-Allowed"), None);
}

proptest! {
    #[test]
    fn any_octets_behind_a_type_are_read(octets in prop::collection::vec(any::<u8>(), 0..300), which in 0..4_usize) {
        let message_type = ["MM4_forward.REQ", "MM4_delivery_report.REQ", "MM4_read_reply_report.REQ", "MM4_forward.RES"][which];
        let mail = [format!("X-Mms-Message-Type: {message_type}\r\nX: ").as_bytes(), &octets].concat();
        prop_assert!(read(&mail).is_ok());
        let _ = read(&octets);
    }

    #[test]
    fn whatever_values_a_response_has_they_come_back(
        ids in prop::collection::vec("[!-~]{1,120}", 2), status_text in "\\PC{1,80}", status in 0..RequestStatus::ALL.len()
    ) {
        let res = Res {
            transaction_id: ids[0].as_bytes(),
            message_id: ids[1].as_bytes(),
            request_status: RequestStatus::ALL[status],
            status_text: status_text.as_bytes(),
            ..Res::default()
        };
        let mut out = Vec::new();
        res.write_head(b"x@y", &mut out);
        let Mm4::Res(again) = read(&out).unwrap() else { panic!("not a response") };
        prop_assert_eq!((again.transaction_id, again.message_id), (res.transaction_id, res.message_id));
        prop_assert_eq!(again.request_status, res.request_status);
        let (mut before, mut after) = (String::new(), String::new());
        encoded_word::decode(res.status_text, &mut before);
        encoded_word::decode(again.status_text, &mut after);
        prop_assert_eq!(after.trim(), before.trim());
    }
}
