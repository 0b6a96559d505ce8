//! A mail: what is read from it can be written, is fit for SMTP and reads the same.

use isthmus::limits;
use isthmus::wire::mail::mm4::{Expiry, Mm4, Name, id, read};
use isthmus::wire::mail::{address, date, encoded_word, header};

pub fn run(data: &[u8]) {
    if let Ok((head, body)) = header::split(data) {
        assert!(head.len() + body.len() <= data.len());
        header::fields(head).for_each(|field| value(field.name, field.value));
    }
    value(b"X", data);
    if let Ok(mail) = read(data) {
        let once = written(&mail);
        let again = read(&once).expect("what we write");
        same(&mail, &again);
        assert_eq!(written(&again), once, "what was written once stays as it is");
    }
}

/// Anything can be a value of anything.
fn value(name: &[u8], value: &[u8]) {
    let _ = (Name::of(name), date::unix_s(value), id::unquoted(value).len() <= value.len());
    for mailbox in address::addresses(value) {
        assert!(!mailbox.address.is_empty());
        let number = address::number(mailbox.address).unwrap_or_default();
        assert!(number.iter().all(|octet| octet.is_ascii_digit() || *octet == b'+'));
        let _ = (address::domain(mailbox.address), address::local_part(mailbox.address));
    }
    let (mut text, mut word) = (String::new(), Vec::new());
    encoded_word::decode(value, &mut text);
    encoded_word::encode(&text, &mut word);
    fits_in_one_field(b"Subject", &word);
    fits_in_one_field(b"X", value);
    let mut back = String::new();
    encoded_word::decode(&word, &mut back);
    // A byte order mark at the start of a word is none of the text's.
    let shown = |text: &str| text.replace(char::is_control, " ").replace('\u{feff}', "");
    assert_eq!(shown(&back), shown(&text));
}

fn fits_in_one_field(name: &[u8], value: &[u8]) {
    let mut out = Vec::new();
    header::write(name, value, &mut out);
    assert!(header::fields(&out).count() <= 1);
    fits_in_a_mail(&out);
}

fn fits_in_a_mail(octets: &[u8]) {
    let lines = octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines {
        assert!(line.len() <= limits::MAIL_LINE_BYTES_MAX && !line.contains(&b'\r') && line.is_ascii());
    }
}

fn written(mail: &Mm4<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match mail {
        Mm4::ForwardReq(req) => req.write_head(b"m@x", &mut out),
        Mm4::DeliveryReportReq(req) => req.write_head(b"m@x", &mut out),
        Mm4::ReadReplyReportReq(req) => req.write_head(b"m@x", &mut out),
        Mm4::Res(res) => res.write_head(b"m@x", &mut out),
    }
    fits_in_a_mail(&out);
    assert!(out.ends_with(b"\r\n\r\n"));
    if let Mm4::ForwardReq(req) = mail {
        out.extend_from_slice(req.content);
    }
    out
}

/// What is no text is the same.
fn same(before: &Mm4<'_>, after: &Mm4<'_>) {
    match (before, after) {
        (Mm4::ForwardReq(before), Mm4::ForwardReq(after)) => {
            assert_eq!(after.content, before.content);
            assert_eq!(after.expiry.is_some(), before.expiry.is_some());
            if let Some(Expiry::In(seconds)) = before.expiry {
                assert_eq!(after.expiry, Some(Expiry::In(seconds)));
            }
            assert_eq!((after.priority, after.sender_visibility), (before.priority, before.sender_visibility));
            assert_eq!((after.delivery_report, after.ack_request), (before.delivery_report, before.ack_request));
            assert_eq!((after.read_reply, after.forward_counter), (before.read_reply, before.forward_counter));
        }
        (Mm4::DeliveryReportReq(before), Mm4::DeliveryReportReq(after)) => {
            assert_eq!((after.mm_status, after.ack_request), (before.mm_status, before.ack_request));
            assert_eq!(after.forward_to_originator_ua, before.forward_to_originator_ua);
        }
        (Mm4::ReadReplyReportReq(before), Mm4::ReadReplyReportReq(after)) => {
            assert_eq!((after.read_status, after.ack_request), (before.read_status, before.ack_request));
        }
        (Mm4::Res(before), Mm4::Res(after)) => {
            assert_eq!((after.kind, after.request_status), (before.kind, before.request_status));
        }
        _ => panic!("another message"),
    }
}
