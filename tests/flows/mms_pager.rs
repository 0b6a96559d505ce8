//! A Pager Mode message becomes an MM (IWF V3.0 6.3.1.1.1, Tables 12 to 14), and what its MMS Relay/Server says to it is the
//! answer.

use isthmus::policy::NoResponse;

use crate::mms::{CPM_USER, Gateway, MMS_USER, Message, OURS, delivery_report, response};
use crate::mmsc::{Bringing, Mail};
use crate::sip::{imdns, outcomes};
use crate::world::settings_with_mms;
use isthmus::wire::cpim::imdn::{Notification, Status};

/// What it says of itself, all of it.
fn rich(call_id: &str) -> Message {
    Message {
        identity: "<sip:alice@example.net>, <tel:+15550001>".into(),
        from: "<sip:alice@example.net>".into(),
        headers: "Subject: Gr\u{fc}\u{df}e\r\nExpires: 3600\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n".into(),
        ..Message::asking(call_id, "positive-delivery, negative-delivery, display")
    }
}

/// [MM4-ROUTE-02] [MM4-ROUTE-03] [MM4-GEN-02a] [MM4-OUT-02] [MM4-PAGER-03] [MM4-PAGER-04] [MM4-T12-mail_from]
/// [MM4-T12-rcpt_to] [MM4-T12-data] [MM4-T13-version] [MM4-T13-message_type] [MM4-T13-recipient-single]
/// [MM4-T13-sender] [MM4-T13-content_type] [MM4-T13-date] [MM4-T13-expiry] [MM4-T13-delivery_report] [MM4-T13-priority]
/// [MM4-T13-read_reply] [MM4-T13-subject] [MM4-T13-ack_request] [MM4-T13-forward_counter]
/// [MM4-T13-originator_system] [MM4-T13-forward_route] [MM4-T13-content]
#[test]
fn a_message_becomes_an_mm() {
    let mut gateway = Gateway::new(1);
    let mail = gateway.forwarded(&rich("one@cpm"));
    assert_eq!((mail.mail_from.as_str(), mail.rcpt_to.as_slice()), (CPM_USER, &[MMS_USER.to_owned()][..]));
    for (name, value) in [
        ("X-Mms-3GPP-MMS-Version", "6.10.0"),
        ("X-Mms-Message-Type", "MM4_forward.REQ"),
        ("To", MMS_USER),
        ("From", CPM_USER),
        ("Date", "Sat, 21 Nov 2026 10:15:30 +0000"),
        ("X-Mms-Delivery-Report", "Yes"),
        ("X-Mms-Priority", "Normal"),
        ("X-Mms-Read-Reply", "Yes"),
        ("Subject", "=?UTF-8?B?R3LDvMOfZQ==?="),
        ("X-Mms-Ack-Request", "Yes"),
        ("X-Mms-Forward-Counter", "1"),
        ("X-Mms-Originator-System", OURS),
        ("X-Mms-Forward-Route", OURS),
        ("Sender", OURS),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain;charset=utf-8"),
    ] {
        assert_eq!(mail.get(name), value, "{name}");
    }
    let mut expiry = Vec::new();
    isthmus::wire::mail::date::write(1_795_255_530 + 3_600 + 1, &mut expiry);
    assert_eq!(mail.get("X-Mms-Expiry"), String::from_utf8(expiry).unwrap());
    assert_eq!(mail.body(), "Bonjour\r\n");
    assert!(mail.header("X-Mms-Sender-Visibility").is_none() && mail.header("Cc").is_none());
}

/// [MM4-T13-expiry] [MM4-T13-delivery_report] [MM4-T13-read_reply] [MM4-T13-subject] [MM4-T13-ack_request]
/// [MM4-T13-date] [MM4-T12-mail_from]
#[test]
fn what_a_message_does_not_say_its_mm_does_not_say() {
    let mut gateway = Gateway::new(1);
    let plain = Message { identity: String::new(), date_time: String::new(), ..Message::text("one@cpm", "x") };
    let mail = gateway.forwarded(&plain);
    assert_eq!(mail.mail_from, CPM_USER, "From, without an identity");
    for absent in ["X-Mms-Expiry", "Subject", "X-Mms-Sender-Visibility"] {
        assert_eq!(mail.header(absent), None, "{absent}");
    }
    for (name, value) in [("X-Mms-Delivery-Report", "No"), ("X-Mms-Read-Reply", "No"), ("X-Mms-Ack-Request", "Yes")] {
        assert_eq!(mail.get(name), value, "{name}");
    }
    let mut now = Vec::new();
    isthmus::wire::mail::date::write(1_795_255_531, &mut now);
    assert_eq!(mail.get("Date"), String::from_utf8(now).unwrap());
}

/// [MM4-T13-transaction_id] [MM4-T13-message_id]
#[test]
fn ids_are_new_each_time_and_say_which_conversation_it_is() {
    let mut gateway = Gateway::new(1);
    let relation = |mail: &Mail| {
        let id = mail.get("X-Mms-Message-ID");
        id.split(['-', '@']).nth(1).expect("the end of the id").to_owned()
    };
    let mut mails = Vec::new();
    for (call_id, conversation) in [("a@cpm", "c1"), ("b@cpm", "c1"), ("c@cpm", "c2")] {
        let mut message = Message::text(call_id, "x");
        message.headers = format!("In-Reply-To-Contribution-ID: {conversation}\r\n");
        let bytes = String::from_utf8(message.bytes()).unwrap();
        let bytes = bytes.replace(&format!("conv-{call_id}"), conversation).replace(&format!("contrib-{call_id}"), "k");
        gateway.world.cpm.send_bytes(gateway.world.now.moment, call_id, bytes.into_bytes(), false);
        gateway.pass(1);
        mails.push(gateway.mail());
    }
    assert_eq!(relation(&mails[0]), relation(&mails[1]));
    assert_ne!(relation(&mails[0]), relation(&mails[2]));
    for name in ["X-Mms-Message-ID", "X-Mms-Transaction-ID"] {
        assert_ne!(mails[0].get(name), mails[1].get(name), "{name}");
    }
}

/// X-Mms-Request-Status-Code, and the response of SIP.
const STATUSES: [(&str, u16, &str); 11] = [
    ("Ok", 202, "Accepted"),
    ("Error-unspecified", 400, "Bad Request"),
    ("Error-network-problem", 400, "Bad Request"),
    ("Error-service-denied", 403, "Forbidden"),
    ("Error-content-not-accepted", 415, "Unsupported Media Type"),
    ("Error-message-format-corrupt", 415, "Unsupported Media Type"),
    ("Error-sending-address-unresolved", 404, "Not Found"),
    ("Error-message-not-found", 404, "Not Found"),
    ("Error-unsupported-message", 488, "Not Acceptable Here"),
    ("Error-transient-failure", 480, "Temporarily Unavailable"),
    ("Error-of-a-new-kind", 400, "Bad Request"),
];

/// [MM4-PAGER-05] [MM4-T14-Server] [MM4-T14-status] [MM4-T14-202] [MM4-T14-400-unspecified] [MM4-T14-400-network]
/// [MM4-T14-403] [MM4-T14-415-content] [MM4-T14-415-format] [MM4-T14-other] [MM4-T14-Call-ID] [MM4-T14-To] [MM4-T14-Via]
/// [MM4-T14-From] [MM4-T14-CSeq] [MM4-T14-Content-Length] [MM4-OK-A1] [MM4-OK-A2]
#[test]
fn every_request_status_is_its_sip_response() {
    for (status, code, reason) in STATUSES {
        let mut gateway = Gateway::new(1);
        let mail = gateway.forwarded(&Message::text("one@cpm", "Bonjour"));
        assert_eq!(gateway.status("one@cpm"), None, "not before the response");
        assert!(gateway.bring(0, &response(&mail, status)).starts_with("250"), "{status}");
        let answer = gateway.answer("one@cpm");
        assert_eq!(answer.status(), (code, reason), "{status}");
        assert!(answer.get("Server").contains("/OMA"), "{answer:?}");
        assert!(answer.get("Via").starts_with("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKone-cpm"), "{answer:?}");
        assert_eq!(answer.get("From"), "<tel:+15550001>;tag=a1");
        assert!(answer.get("To").starts_with("<tel:+15550002>"), "{answer:?}");
        assert_eq!((answer.get("Call-ID"), answer.get("CSeq")), ("one@cpm", "1 MESSAGE"));
        assert_eq!(answer.get("Content-Length"), "0");
        let told = (code == 202).then(|| mail.get("X-Mms-Message-ID"));
        assert_eq!(answer.all("Message-Correlator").first().map(|id| (*id).to_owned()), told, "{status}");
        assert_eq!(answer.all("Message-Context").first(), told.is_some().then_some(&"multimedia-message"), "{status}");
        gateway.nothing_stays();
    }
}

/// The response arrives by another connection, and may be there before the reply to the mail.
#[test]
fn the_response_may_outrun_the_reply_to_the_mail() {
    for (status, code) in [("Ok", 202), ("Error-service-denied", 403)] {
        for dispositions in ["", "positive-delivery"] {
            let mut gateway = Gateway::new(1);
            gateway.mmscs[0].reply = "";
            let message = if dispositions.is_empty() {
                Message::text("one@cpm", "x")
            } else {
                Message::asking("one@cpm", dispositions)
            };
            let mail = gateway.forwarded(&message);
            gateway.bring(0, &response(&mail, status));
            assert_eq!(gateway.status("one@cpm"), Some(code), "{status}");
            gateway.mmscs[0].say(&mut gateway.world, "250 2.0.0 taken");
            gateway.pass(1);
            if code == 202 && !dispositions.is_empty() {
                gateway.bring(0, &delivery_report(&mail, "Retrieved"));
                assert_eq!(outcomes(&gateway.world, "imdn-one@cpm").len(), 1);
            }
            gateway.nothing_stays();
        }
    }
}

/// It arrives at any core, and its message is another's.
#[test]
fn the_response_finds_its_message_from_every_core() {
    for shards in [2, 3] {
        let mut gateway = Gateway::new(shards);
        let mut owners = std::collections::BTreeSet::new();
        for number in 0..24 {
            let call_id = format!("call{number}@cpm");
            let mail = gateway.forwarded(&Message::asking(&call_id, "positive-delivery"));
            owners.insert(mail.get("X-Mms-Transaction-ID")[..5].to_owned());
            let core = number % usize::from(shards);
            assert!(gateway.bring(core, &response(&mail, "Ok")).starts_with("250"));
            assert_eq!(gateway.status(&call_id), Some(202), "{call_id}");
            let core = (number / usize::from(shards)) % usize::from(shards);
            assert!(gateway.bring(core, &delivery_report(&mail, "Retrieved")).starts_with("250"));
            assert_eq!(outcomes(&gateway.world, &format!("imdn-{call_id}")).len(), 1, "{call_id}");
            gateway.mails();
        }
        assert_eq!(owners.len(), usize::from(shards), "every core had some");
        gateway.nothing_stays();
    }
}

#[test]
fn without_a_response_in_time_policy_answers() {
    for (no_response, code) in [(NoResponse::Accept, 202), (NoResponse::Refuse, 480)] {
        let mut settings = settings_with_mms(0);
        settings.policy.mms.no_response = no_response;
        let mut gateway = Gateway::of(1, &settings);
        let mail = gateway.forwarded(&Message::asking("one@cpm", "negative-delivery"));
        gateway.pass(22);
        assert_eq!(gateway.status("one@cpm"), None);
        gateway.pass(4);
        assert_eq!(gateway.status("one@cpm"), Some(code));
        assert_eq!(gateway.world.count(|stats| stats.mms_responses_missing), 1);
        assert!(gateway.bring(0, &response(&mail, "Error-service-denied")).starts_with("250"));
        let told = outcomes(&gateway.world, "imdn-one@cpm");
        let failed = (Notification::Delivery, Status::Failed);
        assert_eq!(told, if code == 202 { vec![failed] } else { vec![] }, "{no_response:?}");
        gateway.nothing_stays();
    }
}

/// It was accepted by policy, and its sender is told that it was refused after all, once.
#[test]
fn a_late_refusal_is_a_notification() {
    for (dispositions, told) in [
        ("negative-delivery", vec![(Notification::Delivery, Status::Failed)]),
        ("positive-delivery", vec![]),
        ("interworking", vec![(Notification::Interworking, Status::Error)]),
    ] {
        let mut gateway = Gateway::new(1);
        let mail = gateway.forwarded(&Message::asking("one@cpm", dispositions));
        gateway.pass(26);
        assert_eq!(gateway.status("one@cpm"), Some(202));
        for _ in 0..2 {
            gateway.bring(0, &response(&mail, "Error-content-not-accepted"));
        }
        assert_eq!(outcomes(&gateway.world, "imdn-one@cpm"), told, "{dispositions}");
        for imdn in imdns(&gateway.world) {
            assert_eq!(imdn.request.first_line, "MESSAGE tel:+15550001 SIP/2.0");
            assert!(imdn.request.get("From").contains("+15550002"), "{imdn:?}");
            assert_eq!(imdn.request.get("Conversation-ID"), "conv-one@cpm");
        }
        gateway.nothing_stays();
    }
}

/// The client is not there when it is to be told; nobody but us can say it again.
#[test]
fn a_late_refusal_is_told_again_to_who_was_not_there() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.no_response = NoResponse::Accept;
    let mut gateway = Gateway::of(1, &settings);
    let mail = gateway.forwarded(&Message::asking("absent@cpm", "negative-delivery"));
    gateway.pass(30);
    assert_eq!(gateway.status("absent@cpm"), Some(202));
    gateway.world.cpm.respond = [503, 503, 200].into();
    gateway.bring(0, &response(&mail, "Error-unspecified"));
    gateway.pass(150);
    let told = outcomes(&gateway.world, "imdn-absent@cpm");
    assert_eq!(told, vec![(Notification::Delivery, Status::Failed); 3], "twice in vain");
    gateway.pass(300);
    assert_eq!(outcomes(&gateway.world, "imdn-absent@cpm").len(), 3);
    gateway.nothing_stays();
}

/// A late "Ok" changes nothing: reports are still awaited.
#[test]
fn a_late_ok_leaves_the_message_to_its_reports() {
    let mut gateway = Gateway::new(1);
    let mail = gateway.forwarded(&Message::asking("one@cpm", "positive-delivery"));
    gateway.pass(26);
    gateway.bring(0, &response(&mail, "Ok"));
    assert!(imdns(&gateway.world).is_empty());
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    assert_eq!(outcomes(&gateway.world, "imdn-one@cpm"), [(Notification::Delivery, Status::Delivered)]);
    gateway.nothing_stays();
}

/// One that nobody waits for is taken, counted, and answers nobody.
#[test]
fn a_response_to_nothing_is_taken() {
    let mut gateway = Gateway::new(2);
    let mail = gateway.forwarded(&Message::text("one@cpm", "x"));
    let mut stray = response(&mail, "Error-unspecified");
    let id = mail.get("X-Mms-Transaction-ID");
    stray.data = stray.data.replace(&id, "somebody-elses");
    assert!(gateway.bring(0, &stray).starts_with("250"));
    assert_eq!(gateway.status("one@cpm"), None);
    assert_eq!(gateway.world.count(|stats| stats.mm4_unmatched), 1);
    gateway.bring(1, &response(&mail, "Ok"));
    assert_eq!(gateway.status("one@cpm"), Some(202));
    gateway.bring(1, &response(&mail, "Error-unspecified"));
    assert_eq!(gateway.world.count(|stats| stats.mm4_unmatched), 2, "once more, and it is over");
    gateway.nothing_stays();
}

/// What was accepted is finished before the gateway goes; nothing new is.
#[test]
fn a_drain_waits_for_the_response() {
    let mut gateway = Gateway::new(2);
    let mail = gateway.forwarded(&Message::text("one@cpm", "x"));
    gateway.world.drain();
    gateway.send(&Message::text("two@cpm", "x"));
    assert_eq!(gateway.status("two@cpm"), Some(503));
    assert!(!gateway.world.is_drained());
    let mut bringing = Bringing::connect(&mut gateway.world, 1);
    bringing.bring(&mut gateway.world, &response(&mail, "Ok"));
    gateway.pass(1);
    assert!(bringing.replies(&gateway.world).starts_with("250"));
    assert_eq!(gateway.status("one@cpm"), Some(202));
    gateway.pass(10);
    assert!(gateway.world.is_drained());
}
