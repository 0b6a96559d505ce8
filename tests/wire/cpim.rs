//! CPIM messages as clients really write them, and the text inside.

use isthmus::wire::cpim::message::{address, unescape};
use isthmus::wire::cpim::writer::escape;
use isthmus::wire::cpim::{Dispositions, Message, NotText, Text, Wrapper, text_of};
use proptest::prelude::*;

const DEPLOYED: &str = "From: <sip:anonymous@anonymous.invalid>\r\nTo: \"Bob; B.\" <tel:+491710000000>\r\n\
    NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg+_34\r\nDateTime: 2026-11-21T02:10:49Z\r\n\
    imdn.Disposition-Notification: positive-delivery, display\r\n\r\n\
    Content-Type: text/plain;charset=utf-8\r\nContent-Length: 6\r\n\r\nHall\u{f6}";

fn text(content_type: &str, body: &[u8]) -> Result<(String, Text), NotText> {
    let mut out = String::new();
    text_of(content_type.as_bytes(), body, &mut out).map(|text| (out, text))
}

fn plain(content_type: &str, body: &[u8]) -> String {
    text(content_type, body).unwrap().0
}

#[test]
fn what_deployed_clients_send() {
    let message = Message::parse(DEPLOYED.as_bytes()).unwrap();
    assert_eq!(message.from().unwrap().uri, b"sip:anonymous@anonymous.invalid");
    let to = message.to().unwrap();
    assert_eq!((to.display_name, to.uri), (&b"Bob; B."[..], &b"tel:+491710000000"[..]));
    assert_eq!(message.message_id(), Some(&b"Msg+_34"[..]));
    assert_eq!(message.date_time(), Some(&b"2026-11-21T02:10:49Z"[..]));
    let asked = Dispositions { positive_delivery: true, display: true, ..Dispositions::NONE };
    assert_eq!(message.dispositions(), asked);
    assert_eq!(message.content_type(), Some(&b"text/plain;charset=utf-8"[..]));
    assert_eq!(message.content(), "Hallö".as_bytes());
    assert!(!message.is_imdn());
}

#[test]
fn the_prefix_is_the_senders_choice() {
    let other = DEPLOYED.replace("NS: imdn", "NS: x").replace("imdn.", "x.");
    assert_eq!(Message::parse(other.as_bytes()).unwrap().message_id(), Some(&b"Msg+_34"[..]));
    let foreign = DEPLOYED.replace("urn:ietf:params:imdn", "urn:example:other");
    assert_eq!(Message::parse(foreign.as_bytes()).unwrap().message_id(), None);
    let forgotten = DEPLOYED.replace("NS: imdn <urn:ietf:params:imdn>\r\n", "");
    assert_eq!(Message::parse(forgotten.as_bytes()).unwrap().message_id(), Some(&b"Msg+_34"[..]));
    let default = DEPLOYED.replace("NS: imdn ", "NS: ").replace("imdn.M", "M");
    assert_eq!(Message::parse(default.as_bytes()).unwrap().message_id(), Some(&b"Msg+_34"[..]));
}

#[test]
fn dispositions_in_every_shape() {
    let asked = |list: &str| Dispositions::NONE.with_list(list.as_bytes());
    assert!(asked("").is_none());
    assert!(asked("none, other;x=1").is_none());
    assert!(asked("negative-delivery;q=1,INTERWORKING").negative_delivery);
    assert!(asked("negative-delivery;q=1,INTERWORKING").interworking);
    assert!(asked(" processing ").processing);
    let message = "imdn.Disposition-Notification: positive-delivery\r\nimdn.Disposition-Notification: \
                   negative-delivery\r\n\r\n\r\nx";
    let both = Message::parse(message.as_bytes()).unwrap().dispositions();
    assert!(both.positive_delivery && both.negative_delivery && !both.display);
}

#[test]
fn liberal_where_clients_differ() {
    for changed in [
        DEPLOYED.replace("\r\n", "\n"),
        DEPLOYED.to_lowercase().replace("msg+_34", "Msg+_34").replace("hallö", "Hallö"),
        DEPLOYED.replace(": ", ":"),
        DEPLOYED.replace("display\r\n\r\n", "display\r\n"),
        DEPLOYED.replace("Content-Length: 6", "Content-Length: 600"),
        DEPLOYED.replace("Content-Length: 6", "content-length: x"),
        DEPLOYED.replace("utf-8", "\"UTF8\""),
        format!("\r\n{DEPLOYED}"),
        DEPLOYED.replace("<sip:anonymous@anonymous.invalid>", "sip:anonymous@anonymous.invalid"),
        DEPLOYED.replace("\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: 6\r\n\r\n", "\r\n\r\n"),
        DEPLOYED.replace("Content-Type: text/plain;charset=utf-8\r\nContent-Length: 6\r\n\r\n", ""),
    ] {
        let message = Message::parse(changed.as_bytes()).unwrap();
        assert_eq!(message.message_id(), Some(&b"Msg+_34"[..]), "{changed}");
        assert_eq!(message.from().unwrap().uri, b"sip:anonymous@anonymous.invalid", "{changed}");
        assert_eq!(plain("message/cpim", changed.as_bytes()), "Hallö", "{changed}");
    }
}

#[test]
fn the_smaller_content_length_counts() {
    let longer = format!("{DEPLOYED}\r\n--garbage--");
    assert_eq!(plain("message/cpim", longer.as_bytes()), "Hallö");
}

#[test]
fn what_must_be_understood() {
    let requires = |names: &str| DEPLOYED.replace("DateTime", &format!("Require: {names}\r\nDateTime"));
    assert_eq!(text("Message/CPIM", requires("x.Vital").as_bytes()), Err(NotText::Requirement));
    let known = requires("imdn.Message-ID, Subject");
    assert_eq!(Message::parse(known.as_bytes()).unwrap().unknown_requirement(), None);
    assert_eq!(plain("message/cpim", known.as_bytes()), "Hallö");
}

#[test]
fn subject_languages_and_escapes() {
    let message =
        Message::parse(b"Subject:;lang=fr Objet\\u00e9 \\\\ \\\"x\\\" \\q\r\nSubject: other\r\n\r\n\r\n").unwrap();
    let mut subject = Vec::new();
    unescape(message.subject().unwrap(), &mut subject);
    assert_eq!(String::from_utf8(subject).unwrap(), "Objeté \\ \"x\" \\q");
}

#[test]
fn routes_keep_their_order() {
    let message = Message::parse(
        b"imdn.IMDN-Record-Route: <sip:a>\r\nimdn.IMDN-Record-Route: <sip:b>\r\nimdn.IMDN-Route: <sip:c>\r\n\
          imdn.Original-To: <tel:+1>\r\ncc: <sip:x>\r\ncc: <sip:y>\r\n\r\n\r\n",
    )
    .unwrap();
    assert_eq!(message.record_routes().collect::<Vec<_>>(), [b"<sip:a>", b"<sip:b>"]);
    assert_eq!(message.routes().collect::<Vec<_>>(), [b"<sip:c>"]);
    assert_eq!(message.original_to().unwrap().uri, b"tel:+1");
    assert_eq!(message.cc().count(), 2);
}

#[test]
fn what_is_no_cpim() {
    for wrong in [&b""[..], b"\r\n", b"no colon\r\n\r\n", b"From: \0\r\n\r\n", b": x\r\n\r\n"] {
        assert!(Message::parse(wrong).is_err(), "{wrong:?}");
    }
    assert!(Message::parse("a: b\r\n".repeat(65).as_bytes()).is_err());
    assert!(matches!(text("message/cpim", b"no colon\r\n\r\n"), Err(NotText::Malformed(_))));
}

#[test]
fn character_sets() {
    assert_eq!(plain("text/plain", b"x"), "x");
    assert_eq!(plain("", "ö".as_bytes()), "ö");
    assert_eq!(plain("Text/Plain; charset=ISO-8859-1", b"\xF6"), "ö");
    assert_eq!(plain("text/plain;charset=\"utf-16be\"", b"\0A"), "A");
    assert_eq!(plain("text/plain;charset=us-ascii", "ö".as_bytes()), "ö");
    assert_eq!(plain("text/plain;charset=utf-8", b"\xEF\xBB\xBFx"), "x");
    assert_eq!(text("text/plain;charset=x-martian", b"x"), Err(NotText::Charset));
}

#[test]
fn text_among_other_parts() {
    let mixed = b"preamble\r\n--b\r\nContent-Type: application/resource-lists+xml\r\n\r\n<x/>\r\n--b\r\n\
        Content-Type: message/cpim\r\n\r\nFrom: <sip:a>\r\n\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b  \r\n\
        Content-Type: image/jpeg\r\n\r\n\xFF\xD8\r\n--b\r\n\r\nsecond\r\n--b--\r\nepilogue";
    let (found, parts) = text("multipart/mixed; boundary=\"b\"", mixed).unwrap();
    assert_eq!(found, "first\nsecond");
    assert_eq!(parts, Text { parts: 2, dropped: 1 });
}

#[test]
fn alternatives_say_it_once() {
    let body = b"--x\r\nContent-Type: text/html\r\n\r\n<b>hi</b>\r\n--x\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nh=C3=B6=\r\n!=3D\r\n--x\r\nContent-Type: text/plain\r\n\r\nno\r\n";
    let (found, parts) = text("multipart/alternative;boundary=x", body).unwrap();
    assert_eq!(found, "hö!=");
    assert_eq!(parts, Text { parts: 1, dropped: 0 });
}

#[test]
fn transfer_encodings() {
    let encoded = |encoding: &str, body: &str| {
        format!("From: <sip:a>\r\n\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
    };
    assert_eq!(plain("message/cpim", encoded("BASE64", "aMO2\r\nIQ==").as_bytes()), "hö!");
    assert_eq!(plain("message/cpim", encoded("8bit", "hö").as_bytes()), "hö");
    assert_eq!(text("message/cpim", encoded("x-zip", "hö").as_bytes()), Err(NotText::Encoding));
}

#[test]
fn what_is_no_text() {
    assert_eq!(text("image/jpeg", b"\xFF"), Err(NotText::MediaType));
    assert_eq!(text("application/vnd.gsma.rcs-ft-http+xml", b"<x/>"), Err(NotText::MediaType));
    assert!(matches!(text("multipart/mixed", b"--x\r\n\r\nx"), Err(NotText::Malformed(_))));
    let mut nested = b"x".to_vec();
    for level in 0..6 {
        let boundary = format!("--b{level}\r\nContent-Type: multipart/mixed;boundary=b{}\r\n\r\n", level - 1);
        nested = [boundary.as_bytes(), &nested].concat();
    }
    assert_eq!(text("multipart/mixed;boundary=b5", &nested), Err(NotText::Depth));
    let mut kept = "before".to_owned();
    let partly = b"--b\r\n\r\nx\r\n--b\r\nContent-Type: text/plain;charset=x-martian\r\n\r\ny\r\n--b--";
    assert_eq!(text_of(b"multipart/mixed;boundary=b", partly, &mut kept), Err(NotText::Charset));
    assert_eq!(kept, "before");
}

#[test]
fn written_in_the_order_of_deployed_clients() {
    let mut out = Vec::new();
    Wrapper {
        from: b"sip:anonymous@anonymous.invalid",
        to: b"tel:+491710000000",
        message_id: b"id\r\n1",
        date_time: b"2026-11-21T02:10:49Z",
        dispositions: Dispositions::NONE.with_list(b"display,positive-delivery"),
        content_type: b"text/plain;charset=utf-8",
        ..Wrapper::default()
    }
    .write("Hallö".as_bytes(), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "From: <sip:anonymous@anonymous.invalid>\r\nTo: <tel:+491710000000>\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
         imdn.Message-ID: id1\r\nDateTime: 2026-11-21T02:10:49Z\r\n\
         imdn.Disposition-Notification: positive-delivery, display\r\n\r\n\
         Content-Type: text/plain;charset=utf-8\r\nContent-Length: 6\r\n\r\nHallö"
    );
}

proptest! {
    #[test]
    fn written_and_read_back(
        id in "[A-Za-z0-9+_]{1,20}", subject in "\\PC{1,40}", body in ".{0,80}", routes in proptest::collection::vec("<sip:[a-z]{1,9}>", 0..4)
    ) {
        let lines: Vec<&[u8]> = routes.iter().map(|route| route.as_bytes()).collect();
        let mut out = Vec::new();
        Wrapper {
            from: b"sip:a@b", to: b"tel:+1", message_id: id.as_bytes(), date_time: b"2026-11-21T02:10:49Z",
            routes: &lines, subject: subject.as_bytes(), content_type: b"text/plain;charset=utf-8", ..Wrapper::default()
        }.write(body.as_bytes(), &mut out);
        let message = Message::parse(&out).unwrap();
        prop_assert_eq!(message.message_id(), Some(id.as_bytes()));
        prop_assert_eq!(message.content(), body.as_bytes());
        prop_assert_eq!(message.routes().collect::<Vec<_>>(), lines);
        let mut read = Vec::new();
        unescape(message.subject().unwrap_or_default(), &mut read);
        let read = String::from_utf8(read).unwrap();
        prop_assert_eq!(read.trim(), subject.trim());
    }

    #[test]
    fn escapes_round_trip(value in "[^\\x00-\\x07\\x0b-\\x1f\\x7f]{0,60}") {
        let (mut escaped, mut back) = (Vec::new(), Vec::new());
        escape(value.as_bytes(), &mut escaped);
        prop_assert!(!escaped.iter().any(u8::is_ascii_control));
        unescape(&escaped, &mut back);
        prop_assert_eq!(back, value.as_bytes());
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = address(&bytes);
        let _ = text("message/cpim", &bytes);
        let _ = text("multipart/mixed;boundary=a", &bytes);
    }

    #[test]
    fn damaged_messages_never_panic(at in 0usize..300, octet in any::<u8>(), cut in 0usize..300) {
        let mut bytes = DEPLOYED.as_bytes().to_vec();
        if let Some(place) = bytes.get_mut(at) { *place = octet; }
        bytes.truncate(cut);
        if let Ok(message) = Message::parse(&bytes) {
            let _ = (message.dispositions(), message.unknown_requirement(), message.headers().count(), message.is_imdn());
        }
    }
}
