//! What of a message's content MMS takes, who its sender and recipients are, and which network it goes to (IWF V3.0 6.3,
//! 6.3.1.1.1, 6.6).

use isthmus::policy::{Anonymity, EndToEndProtection, Network, TooLargeMms, UnsupportedMms};

use crate::mms::{CPM_USER, Gateway, MMS_USER, Message, response};
use crate::mmsc::Mail;
use crate::world::settings_with_mms;

/// No UTF-8, and lines that begin with dots.
const PICTURE: &[u8] = b"GIF89a\x00\xff\xfe\r\n.\r\n..\r\n\x80";
const SMIL: &str = "<smil><body><par><img src=\"cid:p\"/></par></body></smil>";

fn part(content_type: &str, head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--inner\r\nContent-Type: {content_type}\r\n{head}\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

/// A message of these parts.
fn mixed(call_id: &str, kind: &str, parts: &[Vec<u8>]) -> Message {
    let content = [parts.concat(), b"--inner--\r\n".to_vec()].concat();
    Message::new(call_id, &format!("{kind};boundary=inner"), &content)
}

fn decoded(base64: &str) -> Vec<u8> {
    let digits: Vec<u32> = base64
        .bytes()
        .filter_map(|octet| match octet {
            b'A'..=b'Z' => Some(octet - b'A'),
            b'a'..=b'z' => Some(octet - b'a' + 26),
            b'0'..=b'9' => Some(octet - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        })
        .map(u32::from)
        .collect();
    let octets = digits.chunks(4).flat_map(|four| {
        let value = four.iter().chain([&0; 3]).take(4).fold(0, |value, digit| value << 6 | digit);
        value.to_be_bytes()[1..four.len()].to_vec()
    });
    octets.collect()
}

/// The parts of a mail's multipart: header sections and contents.
fn parts(mail: &Mail) -> Vec<(String, String)> {
    let content_type = mail.get("Content-Type");
    let boundary = content_type.split("boundary=").nth(1).expect("a boundary").trim_matches('"');
    let boundary = boundary.split([';', '"']).next().unwrap();
    let body = format!("\r\n{}", mail.body());
    let pieces: Vec<&str> = body.split(&format!("\r\n--{boundary}")).collect();
    assert!(pieces.last().expect("an end").starts_with("--"), "{body}");
    let pieces = pieces[1..pieces.len() - 1].iter().map(|piece| piece.split_once("\r\n\r\n").expect("an empty line"));
    pieces.map(|(head, content)| (head.to_owned(), content.to_owned())).collect()
}

/// [MM4-CONTENT-1] [MM4-PAGER-01] [MM4-T13-content_type] [MM4-T13-content]
#[test]
fn a_picture_arrives_as_it_was() {
    let mut gateway = Gateway::new(1);
    let mail = gateway.accepted(&Message::new("one@cpm", "image/gif;name=\"a.gif\"", PICTURE));
    assert_eq!(mail.get("Content-Type"), "image/gif;name=\"a.gif\"");
    assert_eq!(mail.get("Content-Transfer-Encoding"), "base64");
    assert_eq!(decoded(mail.body()), PICTURE);
    gateway.nothing_stays();
}

/// [MM4-CONTENT-1] [MM4-T13-content_type] [MM4-T13-content]
#[test]
fn a_presentation_keeps_its_parts_and_their_names() {
    let mut gateway = Gateway::new(1);
    let parts_of = [
        part("application/smil", "Content-ID: <start>\r\n", SMIL.as_bytes()),
        part("image/gif", "Content-ID: <p>\r\nContent-Location: p.gif\r\n", PICTURE),
        part("text/plain;charset=utf-8", "Content-ID: <t>\r\n", "Gr\u{fc}\u{df}e".as_bytes()),
    ];
    let kind = "multipart/related;type=\"application/smil\";start=\"<start>\"";
    let mail = gateway.accepted(&mixed("one@cpm", kind, &parts_of));
    assert!(mail.get("Content-Type").starts_with(kind), "{}", mail.data);
    let parts = parts(&mail);
    assert_eq!(parts.len(), 3);
    assert!(parts[0].0.contains("Content-ID: <start>") && parts[0].1 == SMIL, "{parts:?}");
    assert!(parts[1].0.contains("Content-Location: p.gif") && decoded(&parts[1].1) == PICTURE, "{parts:?}");
    assert!(parts[2].0.contains("Content-ID: <t>") && mail.data.is_ascii(), "{parts:?}");
}

/// [MM4-CONTENT-1e]
#[test]
fn what_the_relay_does_not_take_is_left_out() {
    let mut gateway = Gateway::new(1);
    let parts_of = [part("image/gif", "", PICTURE), part("application/zip", "", b"PK"), part("text/plain", "", b"Hi")];
    let mail = gateway.accepted(&mixed("one@cpm", "multipart/mixed", &parts_of));
    let types: Vec<_> = parts(&mail).iter().map(|(head, _)| head.contains("image/gif")).collect();
    assert_eq!(types, [true, false]);
    assert!(!mail.data.contains("zip") && !mail.data.contains("PK"), "{}", mail.data);
}

/// [MM4-CONTENT-1a]
#[test]
fn a_message_of_nothing_that_the_relay_takes_is_488() {
    let all_of_it = mixed("two@cpm", "multipart/mixed", &[part("application/zip", "", b"PK"), part("a/b", "", b"c")]);
    for message in [Message::new("one@cpm", "application/zip", b"PK"), all_of_it] {
        for (policy, code) in [(UnsupportedMms::NotAcceptableHere, 488), (UnsupportedMms::UnsupportedMediaType, 415)] {
            let mut settings = settings_with_mms(0);
            settings.policy.mms.unsupported_content = policy;
            let mut gateway = Gateway::of(1, &settings);
            gateway.send(&message);
            assert_eq!((gateway.status(&message.call_id), gateway.mails().len()), (Some(code), 0));
            gateway.nothing_stays();
        }
    }
}

/// [MM4-CONTENT-1b]
#[test]
fn a_message_larger_than_the_relay_takes_is_488() {
    for (policy, code) in [(TooLargeMms::NotAcceptableHere, 488), (TooLargeMms::RequestEntityTooLarge, 413)] {
        let mut settings = settings_with_mms(0);
        settings.mmscs[0].message_bytes_max = 1_000;
        settings.policy.mms.too_large = policy;
        let mut gateway = Gateway::of(1, &settings);
        gateway.send(&Message::new("one@cpm", "image/gif", &[0xAA; 1_001]));
        assert_eq!((gateway.status("one@cpm"), gateway.mails().len()), (Some(code), 0));
        gateway.accepted(&Message::new("two@cpm", "image/gif", &[0xAA; 1_000]));
        gateway.nothing_stays();
    }
}

/// Where there is an SM-SC as well: what is text goes there, unless policy has it otherwise.
#[test]
fn text_goes_to_sms_and_all_else_to_mms() {
    let html = || mixed("one@cpm", "multipart/mixed", &[part("text/plain", "", b"Hi"), part("image/gif", "", PICTURE)]);
    for (message, preferred, mms) in [
        (Message::text("one@cpm", "x"), Network::Sms, false),
        (Message::text("one@cpm", "x"), Network::Mms, true),
        (Message::new("one@cpm", "image/gif", PICTURE), Network::Sms, true),
        (html(), Network::Sms, true),
    ] {
        let mut settings = settings_with_mms(1);
        settings.policy.selection.text = preferred;
        let mut gateway = Gateway::of(1, &settings);
        gateway.send(&message);
        let mails = gateway.mails();
        assert_eq!((mails.len(), gateway.world.smscs[0].accepted.len()), if mms { (1, 0) } else { (0, 1) });
        if let Some(mail) = mails.first() {
            gateway.bring(0, &response(mail, "Ok"));
        }
        assert_eq!(gateway.status("one@cpm"), Some(202));
        assert_eq!(gateway.answer("one@cpm").get("Message-Context") == "multimedia-message", mms);
    }
}

/// [SEC-02b]
#[test]
fn protected_content_is_refused() {
    let encrypted = mixed("one@cpm", "multipart/encrypted", &[part("application/pgp-encrypted", "", b"Version: 1")]);
    let within = mixed("one@cpm", "multipart/mixed", &[part("text/plain", "", b"Hi"), part("message/mls", "", b"x")]);
    for message in [encrypted, within, Message::new("one@cpm", "application/pkcs7-mime", b"x")] {
        for (policy, code) in [(EndToEndProtection::NotAcceptableHere, 488), (EndToEndProtection::Forbidden, 403)] {
            let mut settings = settings_with_mms(0);
            settings.policy.submission.end_to_end_protection = policy;
            let mut gateway = Gateway::of(1, &settings);
            gateway.send(&message);
            assert_eq!((gateway.status("one@cpm"), gateway.mails().len()), (Some(code), 0), "{}", message.content_type);
            gateway.nothing_stays();
        }
    }
}

/// [MM4-T13-visibility] [MM4-T13-sender]
#[test]
fn an_anonymous_sender_asks_to_be_hidden() {
    for (policy, refused) in [(Anonymity::Pass, false), (Anonymity::Refuse, true)] {
        let mut settings = settings_with_mms(0);
        settings.policy.mms.anonymous_sender = policy;
        let mut gateway = Gateway::of(1, &settings);
        let message = Message {
            from: "\"Anonymous\" <sip:anonymous@anonymous.invalid>".into(),
            headers: "Privacy: id\r\n".into(),
            ..Message::text("one@cpm", "x")
        };
        gateway.send(&message);
        assert_eq!(gateway.status("one@cpm"), refused.then_some(433));
        for mail in gateway.mails() {
            assert_eq!((mail.mail_from.as_str(), mail.get("From").as_str()), (CPM_USER, CPM_USER));
            assert_eq!(mail.get("X-Mms-Sender-Visibility"), "Hide");
            gateway.bring(0, &response(&mail, "Ok"));
        }
        gateway.nothing_stays();
    }
}

/// [MM4-T13-recipient-list] [MM4-T13-recipient-to] [MM4-T13-recipient-cc] [MM4-T12-rcpt_to]
#[test]
fn the_mail_names_every_recipient_and_goes_to_its_own() {
    let mut gateway = Gateway::new(1);
    let entry = |uri: &str, control: &str| format!("<entry uri=\"{uri}\" cp:copyControl=\"{control}\"/>");
    let entries = [
        entry("tel:+15550002", "to"),
        entry("sip:+15550003@cpm.example;user=phone", "to"),
        entry("tel:+15550004", "cc"),
        entry("tel:+15550005", "bcc"),
        entry("sip:nobody@cpm.example", "to"),
    ];
    let list = format!(
        "<?xml version=\"1.0\"?><resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" \
         xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\"><list>{}</list></resource-lists>",
        entries.concat()
    );
    let mail = gateway.accepted(&Message { list, ..Message::text("one@cpm", "Bonjour") });
    assert_eq!(mail.rcpt_to, [MMS_USER]);
    assert_eq!(mail.get("To"), format!("{MMS_USER}, +15550003/TYPE=PLMN@mms.example.com"));
    assert_eq!(mail.get("Cc"), "+15550004/TYPE=PLMN@mms.example.com");
    assert!(!mail.data.contains("15550005"), "{}", mail.data);
    assert_eq!((mail.get("Content-Type").as_str(), mail.body()), ("text/plain;charset=utf-8", "Bonjour\r\n"));
    gateway.nothing_stays();
}

/// A client that wraps nothing.
#[test]
fn content_without_a_wrapper_is_content_all_the_same() {
    for (content_type, content) in [("image/gif", PICTURE), ("text/plain", b"Hi".as_slice())] {
        let mut gateway = Gateway::new(1);
        let bytes = Message::new("one@cpm", content_type, content).bytes();
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the headers");
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        let (head, _) = head.split_once("Content-Type").expect("a body");
        let head = format!("{head}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", content.len());
        let bytes = [head.as_bytes(), content].concat();
        gateway.world.cpm.send_bytes(gateway.world.now.moment, "one@cpm", bytes, false);
        gateway.pass(1);
        let mail = gateway.mail();
        assert_eq!(mail.get("Content-Type"), content_type);
        if content_type == "image/gif" {
            assert_eq!(decoded(mail.body()), content);
        }
        gateway.bring(0, &response(&mail, "Ok"));
        assert_eq!(gateway.status("one@cpm"), Some(202));
    }
}
