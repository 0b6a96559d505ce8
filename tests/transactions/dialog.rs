//! Dialogs (RFC 3261 12): what is kept of the first messages, and what requests in them say.

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Dialog, FirstRequest, Role};
use isthmus::wire::sip::{Index, Message, Name};

const CONTACT: &[u8] = b"<sip:gw@192.0.2.9:5060>;+sip.instance=\"<urn:x>\"";

fn invite(record_routes: &str) -> String {
    format!(
        "INVITE sip:gw@gw.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{record_routes}From: \"A, B\" <tel:+1>;tag=peer\r\n\
         To: <sip:gw@gw.example>\r\nCall-ID: c@d\r\nCSeq: 7 INVITE\r\nContact: <sip:a@192.0.2.1;ob>;x\r\nContent-Length: 0\r\n\r\n"
    )
}

fn uas(record_routes: &str) -> Dialog {
    let (bytes, mut index) = (invite(record_routes).into_bytes(), Index::new());
    let message = Message::parse(&bytes, &mut index).unwrap();
    Dialog::uas(&message, b"ours", CONTACT).unwrap()
}

fn uac(record_routes: &str) -> Dialog {
    let first = FirstRequest {
        request_uri: b"tel:+1",
        from: b"<sip:gw@gw.example>",
        to: b"<tel:+1>",
        call_id: b"c@d",
        contact: CONTACT,
    };
    let mut dialog = Dialog::uac(&first, b"ours");
    assert_eq!(dialog.next_cseq(), 1);
    let response = format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{record_routes}From: <sip:gw@gw.example>;tag=ours\r\n\
         To: <tel:+1>;tag=peer\r\nCall-ID: c@d\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1;ob>\r\nContent-Length: 0\r\n\r\n"
    );
    let mut index = Index::new();
    dialog.establish(&Message::parse(response.as_bytes(), &mut index).unwrap());
    dialog
}

/// The request line and the Routes of a BYE in this dialog.
fn routed(dialog: &Dialog) -> (String, Vec<String>) {
    let mut out = Vec::new();
    dialog.write_request(b"BYE", 3, &mut out).end();
    let mut index = Index::new();
    let message = Message::parse(&out, &mut index).unwrap();
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (text(message.request_uri()), message.values(Name::Route).map(text).collect())
}

const TWO: &str = "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>;x=y\r\n";

#[test]
fn the_route_set_is_in_the_order_of_record_route_at_the_uas_and_reversed_at_the_uac() {
    assert_eq!(uas(TWO).route_set(), b"<sip:p1.example;lr>, <sip:p2.example;lr>;x=y");
    assert_eq!(uac(TWO).route_set(), b"<sip:p2.example;lr>;x=y, <sip:p1.example;lr>");
    assert_eq!(uac("").route_set(), b"");
    assert_eq!(uac(TWO).first_hop(), Some(b"sip:p2.example;lr".as_slice()));
}

#[test]
fn both_ends_know_the_same_dialog() {
    let (uas, uac) = (uas(""), uac(""));
    assert_eq!((uas.role(), uac.role()), (Role::Uas, Role::Uac));
    for dialog in [&uas, &uac] {
        assert_eq!((dialog.call_id(), dialog.contact()), (b"c@d".as_slice(), CONTACT));
        assert_eq!((dialog.local_tag(), dialog.remote_tag()), (b"ours".as_slice(), b"peer".as_slice()));
        assert_eq!(dialog.remote_target(), b"sip:a@192.0.2.1;ob");
    }
    assert_eq!(uas.remote(), b"\"A, B\" <tel:+1>;tag=peer", "a peer of RFC 2543 wants it as it was");
    assert_eq!((uas.remote_cseq(), uac.remote_cseq()), (Some(7), None));
}

#[test]
fn requests_go_to_the_remote_target_by_the_route_set() {
    let route = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let target = "sip:a@192.0.2.1;ob".to_string();
    assert_eq!(routed(&uas("")), (target.clone(), route(&[])));
    assert_eq!(routed(&uas(TWO)), (target, route(&["<sip:p1.example;lr>", "<sip:p2.example;lr>;x=y"])));
}

#[test]
fn a_strict_route_becomes_the_request_uri_and_the_target_comes_last() {
    let strict = "Record-Route: <sip:p1.example;transport=tcp?a=b>\r\nRecord-Route: <sip:p2.example;lr>\r\n";
    let (uri, routes) = routed(&uas(strict));
    assert_eq!(uri, "sip:p1.example;transport=tcp");
    assert_eq!(routes, ["<sip:p2.example;lr>", "<sip:a@192.0.2.1;ob>"]);
}

#[test]
fn a_request_in_the_dialog_says_all_that_it_must() {
    let mut out = Vec::new();
    uac(TWO).write_request(b"UPDATE", 12, &mut out).end();
    let mut index = Index::new();
    let message = Message::parse(&out, &mut index).unwrap();
    let header = |name| String::from_utf8(message.header(name).unwrap().to_vec()).unwrap();
    assert_eq!(header(Name::From), "<sip:gw@gw.example>;tag=ours");
    assert_eq!(header(Name::To), "<tel:+1>;tag=peer");
    assert_eq!((header(Name::CallId), header(Name::CSeq)), ("c@d".into(), "12 UPDATE".into()));
    assert_eq!(header(Name::MaxForwards), "70");
}

#[test]
fn a_request_is_found_by_call_id_and_both_tags() {
    let hash = KeyedHash::new([1, 2]);
    let dialog = uas("");
    let found = |call_id: &str, from: &str, to: &str| {
        let bytes = format!(
            "BYE sip:gw@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK2\r\nFrom: <tel:+1>{from}\r\nTo: <sip:gw@h>{to}\r\n\
             Call-ID: {call_id}\r\nCSeq: 8 BYE\r\n\r\n"
        );
        let mut index = Index::new();
        let message = Message::parse(bytes.as_bytes(), &mut index).unwrap();
        let same = Dialog::key_of(&message, &hash) == Some(dialog.key(&hash));
        assert_eq!(same, dialog.has(&message));
        same
    };
    assert!(found("c@d", ";tag=peer", ";tag=ours"));
    for (call_id, from, to) in [("C@d", "peer", "ours"), ("c@d", "ours", "peer"), ("c@d", "peer", "others")] {
        assert!(!found(call_id, &format!(";tag={from}"), &format!(";tag={to}")));
    }
    assert!(!found("c@d", "", ";tag=ours") && !found("c@d", ";tag=peer", ""));
}

#[test]
fn a_lower_cseq_is_out_of_order() {
    let mut dialog = uas("");
    assert!(dialog.is_in_order(7), "the ACK, or the same by another path");
    assert!(dialog.is_in_order(9) && !dialog.is_in_order(8) && dialog.is_in_order(10));
    assert_eq!((dialog.next_cseq(), dialog.next_cseq()), (1, 2));
}

#[test]
fn a_target_refresh_changes_the_target_and_nothing_else() {
    let mut dialog = uas(TWO);
    let refresh = invite("Record-Route: <sip:other.example;lr>\r\n").replace("sip:a@192.0.2.1;ob", "sip:b@192.0.2.2");
    let mut index = Index::new();
    dialog.refresh_target(&Message::parse(refresh.as_bytes(), &mut index).unwrap());
    assert_eq!(dialog.remote_target(), b"sip:b@192.0.2.2");
    assert_eq!((dialog.route_set(), dialog.remote_tag()), (uas(TWO).route_set(), b"peer".as_slice()));
    let without = refresh.replace("Contact", "X");
    dialog.refresh_target(&Message::parse(without.as_bytes(), &mut index).unwrap());
    assert_eq!(dialog.remote_target(), b"sip:b@192.0.2.2");
    assert!(Dialog::uas(&Message::parse(without.as_bytes(), &mut index).unwrap(), b"t", b"").is_none());
}

#[test]
fn what_a_peer_writes_adds_no_header() {
    let bytes = invite("").replace("<sip:a@192.0.2.1;ob>;x", "<sip:a@192.0.2.1>\r\n ;x").replace("\"A, B\"", "A\r\n B");
    let mut index = Index::new();
    let message = Message::parse(bytes.as_bytes(), &mut index).unwrap();
    let dialog = Dialog::uas(&message, b"ours", CONTACT).unwrap();
    let mut out = Vec::new();
    dialog.write_request(b"BYE", 1, &mut out).end();
    let mut index = Index::new();
    assert_eq!(Message::parse(&out, &mut index).unwrap().header(Name::To), Some(b"A   B <tel:+1>;tag=peer".as_slice()));
}
