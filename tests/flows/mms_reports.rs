//! Reports about CPM messages that are MMs: notifications towards CPM, responses towards MMS (IWF V3.0 6.3.1.1.3, 6.3.1.1.4,
//! Tables 17 to 22).

use isthmus::wire::cpim::imdn::{Notification, Status};

use crate::mms::{Gateway, Message, OURS, THEIRS, delivery_report, read_reply, response};
use crate::mmsc::{Bringing, Mail};
use crate::sip::{Imdn, imdns, outcomes};
use crate::world::{World, settings_with_mms};

const DELIVERED: (Notification, Status) = (Notification::Delivery, Status::Delivered);
const LEGACY_MMS: (Notification, Status) = (Notification::Interworking, Status::LegacyMms);
const FAILED: (Notification, Status) = (Notification::Delivery, Status::Failed);
const DISPLAYED: (Notification, Status) = (Notification::Display, Status::Displayed);
const EVERYTHING: &str = "positive-delivery, negative-delivery, interworking, display, processing";

/// A gateway that has sent a message asking for these; the mail that it became.
fn asked(dispositions: &str) -> (Gateway, Mail) {
    let mut gateway = Gateway::new(1);
    let mail = gateway.accepted(&Message::asking("one@cpm", dispositions));
    (gateway, mail)
}

/// What was told so far.
fn told(gateway: &Gateway) -> Vec<(Notification, Status)> {
    outcomes(&gateway.world, "imdn-one@cpm")
}

/// A message with every header that its notifications look at.
fn rich() -> Message {
    let mut message = Message::asking("one@cpm", "positive-delivery, display");
    message.wrapper += "imdn.IMDN-Record-Route: <sip:route@one.example>\r\nimdn.Original-To: <tel:+15550009>\r\n";
    message.headers = "Referred-By: <tel:+15550077>\r\n".into();
    message
}

/// Tables 17 and 20 agree in all of this.
fn check(imdn: &Imdn, original: &Message) {
    let (request, cpim) = (&imdn.request, &imdn.cpim);
    assert_eq!(request.first_line, "MESSAGE tel:+15550001 SIP/2.0");
    for (name, value) in [
        ("To", "<tel:+15550001>"),
        ("P-Asserted-Identity", "<tel:+15550002>"),
        ("Conversation-ID", "conv-one@cpm"),
        ("Contribution-ID", "contrib-one@cpm"),
        ("Date", "Sat, 21 Nov 2026 11:00:00 GMT"),
        ("CSeq", "1 MESSAGE"),
        ("Content-Type", "message/cpim"),
    ] {
        assert_eq!(request.get(name), value, "{name}");
    }
    assert!(request.get("From").starts_with("<tel:+15550002>;tag="), "{request:?}");
    assert!(request.get("User-Agent").contains("/OMA"), "{request:?}");
    assert_ne!(request.get("Call-ID"), original.call_id);
    let referred = original.headers.contains("Referred-By");
    let cpim_to = if referred { "<tel:+15550077>" } else { "<tel:+15550001>" };
    assert_eq!((cpim.get("From"), cpim.get("To")), ("<tel:+15550002>", cpim_to));
    assert!(cpim.get("imdn.Message-ID").len() >= 8 && cpim.get("imdn.Message-ID") != "imdn-one@cpm");
    assert!(cpim.content_header("Content-Type").starts_with("message/imdn+xml"), "{cpim:?}");
    assert_eq!(cpim.content_header("Content-Disposition"), "notification");
    assert_eq!(imdn.message_id, "imdn-one@cpm");
    let element = |name: &str, value: &str| cpim.content.contains(&format!("<{name}>{value}</{name}>"));
    assert!(element("recipient-uri", "tel:+15550002"), "{cpim:?}");
    assert!(element("datetime", "2026-11-21T10:15:30Z"), "{cpim:?}");
    let routed = original.wrapper.contains("Record-Route");
    assert_eq!(element("original-recipient-uri", "tel:+15550009"), routed, "{cpim:?}");
    let route = cpim.headers.iter().find(|(name, _)| name == "imdn.IMDN-Route").map(|(_, value)| value.as_str());
    assert_eq!(route, routed.then_some("<sip:route@one.example>"), "{cpim:?}");
}

/// [MM4-OUT-04] [MM4-GEN-02b] [MM4-DR-01] [MM4-DR-01a] [MM4-DR-01b] [MM4-DR-03b] [MM4-T17-User-Agent] [MM4-T17-from]
/// [MM4-T17-from-tel] [MM4-T17-to] [MM4-T17-to-cpim] [MM4-T17-Conversation-ID] [MM4-T17-Contribution-ID]
/// [MM4-T17-Content-Disposition] [MM4-T17-imdn-Message-ID] [MM4-T17-IMDN-Route] [MM4-T17-original-recipient-uri]
/// [MM4-T17-message-id] [MM4-T17-recipient-uri] [MM4-T17-Date] [MM4-T17-datetime] [MM4-T17-Call-ID] [MM4-T17-CSeq]
/// [MM4-T17-Content-Type] [MM4-OUT-05] [MM4-GEN-02c] [MM4-RR-01] [MM4-RR-01b] [MM4-RR-02] [MM4-T20-User-Agent]
/// [MM4-T20-from] [MM4-T20-from-tel] [MM4-T20-to] [MM4-T20-to-cpim] [MM4-T20-Conversation-ID]
/// [MM4-T20-Contribution-ID] [MM4-T20-Content-Disposition] [MM4-T20-IMDN-Route] [MM4-T20-original-recipient-uri]
/// [MM4-T20-imdn-Message-ID] [MM4-T20-recipient-uri] [MM4-T20-message-id] [MM4-T20-Date] [MM4-T20-datetime]
/// [MM4-T20-Call-ID] [MM4-T20-CSeq] [MM4-T20-Content-Type]
#[test]
fn reports_become_notifications() {
    for message in [Message::asking("one@cpm", "positive-delivery, display"), rich()] {
        let mut gateway = Gateway::new(2);
        let mail = gateway.accepted(&message);
        assert!(gateway.bring(0, &delivery_report(&mail, "Retrieved")).starts_with("250"));
        assert!(gateway.bring(1, &read_reply(&mail, "Read")).starts_with("250"));
        assert_eq!(told(&gateway), [DELIVERED, DISPLAYED]);
        let imdns = imdns(&gateway.world);
        imdns.iter().for_each(|imdn| check(imdn, &message));
        let ids: Vec<_> = imdns.iter().map(|imdn| imdn.cpim.get("imdn.Message-ID")).collect();
        assert_ne!(ids[0], ids[1]);
        gateway.nothing_stays();
    }
}

/// [MM4-T17-from-sip] [MM4-T17-to] [MM4-T20-from-sip] [MM4-T20-to]
#[test]
fn sip_uris_stand_where_there_are_some() {
    let mut settings = settings_with_mms(0);
    settings.policy.delivery.originator_sip_uri = Some("sip:{number}@legacy.example;user=phone".into());
    settings.policy.delivery.recipient_sip_uri = Some("sip:{number}@cpm.example;user=phone".into());
    let mut gateway = Gateway::of(1, &settings);
    let mail = gateway.accepted(&Message::asking("one@cpm", "positive-delivery, display"));
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    gateway.bring(0, &read_reply(&mail, "Read"));
    assert_eq!(told(&gateway), [DELIVERED, DISPLAYED]);
    for Imdn { request, .. } in imdns(&gateway.world) {
        assert_eq!(request.first_line, "MESSAGE sip:+15550001@cpm.example;user=phone SIP/2.0");
        assert_eq!(request.get("To"), "<sip:+15550001@cpm.example;user=phone>");
        assert!(request.get("From").starts_with("<sip:+15550002@legacy.example;user=phone>"), "{request:?}");
        let asserted = request.all("P-Asserted-Identity").join(", ");
        assert!(asserted.contains("<sip:+15550002@legacy.example;user=phone>"), "{asserted}");
        assert!(asserted.contains("<tel:+15550002>"), "{asserted}");
    }
}

/// MM Status, and what it tells whoever asks for everything.
const STATUSES: [(&str, &[(Notification, Status)]); 8] = [
    ("Retrieved", &[DELIVERED, LEGACY_MMS]),
    ("Rejected", &[FAILED, (Notification::Interworking, Status::Error)]),
    ("Expired", &[FAILED, (Notification::Interworking, Status::Error)]),
    ("Unrecognised", &[FAILED, (Notification::Interworking, Status::Error)]),
    ("Indeterminate", &[(Notification::Processing, Status::Processed)]),
    ("Forwarded", &[(Notification::Processing, Status::Processed)]),
    ("Deferred", &[(Notification::Processing, Status::Stored)]),
    ("Unreachable", &[FAILED, (Notification::Interworking, Status::Error)]),
];

/// [MM4-DR-02] [MM4-DR-04] [MM4-T17-interworking-Retrieved] [MM4-T17-interworking-Rejected]
/// [MM4-T17-interworking-expired] [MM4-T17-interworking-unrecognized] [MM4-T17-delivery-Retrieved]
/// [MM4-T17-delivery-Rejected] [MM4-T17-delivery-expired] [MM4-T17-delivery-unrecognized]
/// [MM4-T17-processing-Indeterminate] [MM4-T17-processing-forwarded] [MM4-T17-processing-deferred]
#[test]
fn every_status_tells_what_the_table_says_and_only_once() {
    for (status, expected) in STATUSES {
        let (mut gateway, mail) = asked(EVERYTHING);
        for again in 0..3 {
            assert!(gateway.bring(0, &delivery_report(&mail, status)).starts_with("250"), "{status}");
            let answers = gateway.mails();
            assert_eq!(answers.len(), 1, "{status}: each report has its response");
            let over = again > 0 && expected.contains(&FAILED);
            let code = if over { "Error-message-not-found" } else { "Ok" };
            assert_eq!(answers[0].get("X-Mms-Request-Status-Code"), code, "{status}");
        }
        let told = told(&gateway);
        assert!(told.len() == expected.len() && expected.iter().all(|one| told.contains(one)), "{status}: {told:?}");
        gateway.world.run_for(std::time::Duration::from_secs(300_000));
        gateway.nothing_stays();
    }
}

/// [MM4-DR-01] [MM4-DR-04]
#[test]
fn what_nobody_asked_for_is_only_answered() {
    for (dispositions, status) in [
        ("negative-delivery", "Retrieved"),
        ("positive-delivery", "Rejected"),
        ("positive-delivery", "Expired"),
        ("interworking", "Deferred"),
        ("positive-delivery", "Indeterminate"),
    ] {
        let (mut gateway, mail) = asked(dispositions);
        assert!(gateway.bring(0, &delivery_report(&mail, status)).starts_with("250"), "{dispositions} {status}");
        assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), "Ok", "{dispositions} {status}");
        assert!(told(&gateway).is_empty(), "{dispositions} {status}");
        if status == "Retrieved" || status == "Rejected" {
            gateway.nothing_stays();
        }
    }
    let (mut gateway, mail) = asked("positive-delivery");
    assert!(gateway.bring(0, &read_reply(&mail, "Read")).starts_with("250"));
    assert_eq!((gateway.mail().get("X-Mms-Request-Status-Code").as_str(), told(&gateway).len()), ("Ok", 0));
}

/// [MM4-T20-status-read] [MM4-T20-status-deleted] [MM4-RR-03]
#[test]
fn a_read_reply_says_whether_it_was_read() {
    for (status, expected) in
        [("Read", DISPLAYED), ("Deleted without being read", (Notification::Display, Status::Error))]
    {
        let (mut gateway, mail) = asked("display");
        for code in ["Ok", "Error-message-not-found"] {
            assert!(gateway.bring(0, &read_reply(&mail, status)).starts_with("250"), "{status}");
            assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), code, "{status}");
        }
        assert_eq!(told(&gateway), [expected]);
        gateway.nothing_stays();
    }
}

/// [MM4-DR-04] [MM4-DR-05] [MM4-T18-mail_from] [MM4-T18-rcpt_to] [MM4-T18-data] [MM4-T19-version] [MM4-T19-message_type]
/// [MM4-T19-transaction_id] [MM4-T19-message_id] [MM4-T19-request_status] [MM4-T19-originator_recipient]
/// [MM4-T19-return_route] [MM4-RR-03] [MM4-RR-04] [MM4-T21-mail_from] [MM4-T21-rcpt_to] [MM4-T21-data]
/// [MM4-T22-version] [MM4-T22-message_type] [MM4-T22-transaction_id] [MM4-T22-message_id] [MM4-T22-request_status]
/// [MM4-T22-originator_recipient] [MM4-T22-return_route]
#[test]
fn reports_have_their_responses() {
    let (mut gateway, mail) = asked("positive-delivery, display");
    for (report, kind, transaction_id) in [
        (delivery_report(&mail, "Retrieved"), "MM4_delivery_report.RES", "\"report-1\""),
        (read_reply(&mail, "Read"), "MM4_read_reply_report.RES", "\"read-1\""),
    ] {
        let report = Mail { mail_from: "relay@mms.example.com".into(), ..report };
        assert!(gateway.bring(0, &report).starts_with("250"));
        let answer = gateway.mail();
        assert_eq!(
            (answer.mail_from.as_str(), answer.rcpt_to.as_slice()),
            (OURS, &["relay@mms.example.com".into()][..])
        );
        for (name, value) in [
            ("X-Mms-3GPP-MMS-Version", "6.10.0"),
            ("X-Mms-Message-Type", kind),
            ("X-Mms-Transaction-ID", transaction_id),
            ("X-Mms-Message-ID", mail.get("X-Mms-Message-ID").as_str()),
            ("X-Mms-Request-Status-Code", "Ok"),
            ("X-Mms-Originator-Recipient-Address", &format!("hub@one.example, {OURS}")),
            ("X-Mms-Return-Route", &format!("hub@one.example, {THEIRS}")),
            ("Sender", OURS),
            ("To", "relay@mms.example.com"),
        ] {
            assert_eq!(answer.get(name), value, "{name}");
        }
    }
    gateway.nothing_stays();
}

/// Whoever does not ask for a response gets none; the reply to the mail says all.
#[test]
fn without_ack_request_there_is_no_response() {
    for (ack, responses) in [("X-Mms-Ack-Request: No\r\n", 0), ("", 0), ("X-Mms-Ack-Request: yes\r\n", 1)] {
        let (mut gateway, mail) = asked("positive-delivery");
        let mut report = delivery_report(&mail, "Retrieved");
        report.data = report.data.replace("X-Mms-Ack-Request: Yes\r\n", ack);
        assert!(gateway.bring(0, &report).starts_with("250"));
        assert_eq!((told(&gateway), gateway.mails().len()), (vec![DELIVERED], responses), "{ack}");
    }
}

/// Ids of others, of nobody, of what is over, and of a core that does not exist.
#[test]
fn a_report_about_nothing_known_is_told_so() {
    let (mut gateway, mail) = asked("positive-delivery");
    let id = mail.get("X-Mms-Message-ID");
    let elsewhere = format!("mffff{}", &id[5..]);
    for other in ["\"20261121.1@mms.other.example\"", "m0000", elsewhere.as_str(), "<>"] {
        for report in [delivery_report(&mail, "Retrieved"), read_reply(&mail, "Read")] {
            let report = Mail { data: report.data.replace(&id, other), ..report };
            assert!(gateway.bring(0, &report).starts_with("250"), "{other}");
            let answer = gateway.mail();
            assert_eq!(answer.get("X-Mms-Request-Status-Code"), "Error-message-not-found", "{other}");
            assert_eq!(answer.get("X-Mms-Message-ID"), other);
        }
    }
    assert_eq!((told(&gateway).len(), gateway.world.count(|stats| stats.mm4_unmatched)), (0, 8));
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    assert_eq!(told(&gateway), [DELIVERED]);
    gateway.nothing_stays();
}

/// After a restart keys begin anew: what was named before is nothing that is here now, however alike it is.
#[test]
fn ids_of_an_earlier_run_name_nothing_of_this_one() {
    let (_, earlier) = asked("positive-delivery, display");
    let mut gateway = Gateway::around(World::new(77, 1, &settings_with_mms(0)));
    gateway.greet();
    gateway.pass(1);
    let mail = gateway.forwarded(&Message::asking("one@cpm", "positive-delivery, display"));
    let key = |mail: &Mail, name: &str| mail.get(name).split('-').next().unwrap().to_owned();
    for name in ["X-Mms-Message-ID", "X-Mms-Transaction-ID"] {
        assert_eq!(key(&earlier, name), key(&mail, name), "nothing but the seal tells them apart");
    }
    gateway.bring(0, &response(&earlier, "Ok"));
    assert_eq!(gateway.status("one@cpm"), None, "it is not the response to this message");
    for report in [delivery_report(&earlier, "Retrieved"), read_reply(&earlier, "Read")] {
        assert!(gateway.bring(0, &report).starts_with("250"));
        assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), "Error-message-not-found");
    }
    assert_eq!((told(&gateway), gateway.world.count(|stats| stats.mm4_unmatched)), (vec![], 3));
    gateway.bring(0, &response(&mail, "Ok"));
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    assert_eq!((gateway.status("one@cpm"), told(&gateway)), (Some(202), vec![DELIVERED]));
}

/// The CPM side cannot take it now: so the Relay/Server brings it again, and it is told once.
#[test]
fn a_notification_that_is_refused_for_now_comes_again() {
    for write in [|mail: &Mail| delivery_report(mail, "Retrieved"), |mail: &Mail| read_reply(mail, "Read")] {
        let (mut gateway, mail) = asked(EVERYTHING);
        let report = write(&mail);
        gateway.world.cpm.respond = [480].into();
        assert!(gateway.bring(0, &report).starts_with("451"));
        assert!(gateway.mails().is_empty(), "no response to what is not done");
        let before = imdns(&gateway.world).len();
        gateway.world.cpm.respond = [200].into();
        assert!(gateway.bring(0, &report).starts_with("250"));
        assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), "Ok");
        assert_eq!(imdns(&gateway.world).len(), 2 * before);
        gateway.bring(0, &report);
        assert_eq!(imdns(&gateway.world).len(), 2 * before, "not once more");
    }
}

/// Of two notifications one is refused: only that one comes again.
#[test]
fn what_was_told_is_not_told_again_with_what_was_not() {
    let (mut gateway, mail) = asked("positive-delivery, interworking");
    gateway.world.cpm.respond = [480, 200].into();
    assert!(gateway.bring(0, &delivery_report(&mail, "Retrieved")).starts_with("451"));
    let codes: Vec<u16> = gateway.world.cpm.received.iter().map(|received| received.code).collect();
    assert_eq!(codes, [480, 200]);
    assert!(gateway.bring(0, &delivery_report(&mail, "Retrieved")).starts_with("250"));
    let (all, refused) = (told(&gateway), told(&gateway)[0]);
    assert_eq!((all.len(), all[2]), (3, refused));
    gateway.nothing_stays();
}

/// Refused for good: nobody can do more.
#[test]
fn a_notification_that_is_refused_for_good_is_told_to_nobody() {
    let (mut gateway, mail) = asked("positive-delivery");
    gateway.world.cpm.respond = [404].into();
    assert!(gateway.bring(0, &delivery_report(&mail, "Retrieved")).starts_with("250"));
    assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), "Ok");
    gateway.nothing_stays();
}

/// The CPM side says nothing: the mail waits for it, and the same mail by another connection is put off.
#[test]
fn a_report_waits_for_its_notification_and_is_told_once() {
    let (mut gateway, mail) = asked("positive-delivery");
    gateway.world.cpm.silent = true;
    let report = delivery_report(&mail, "Retrieved");
    let mut first = Bringing::connect(&mut gateway.world, 0);
    first.bring(&mut gateway.world, &report);
    gateway.pass(1);
    assert_eq!(first.replies(&gateway.world), "");
    assert!(gateway.bring(0, &report).starts_with("451"));
    gateway.world.cpm.silent = false;
    gateway.pass(4);
    assert!(first.replies(&gateway.world).starts_with("250"));
    assert_eq!(told(&gateway), [DELIVERED]);
    gateway.nothing_stays();
    let (mut gateway, mail) = asked("positive-delivery");
    gateway.world.cpm.silent = true;
    let mut first = Bringing::connect(&mut gateway.world, 0);
    first.bring(&mut gateway.world, &delivery_report(&mail, "Retrieved"));
    gateway.pass(40);
    assert!(first.replies(&gateway.world).starts_with("451"), "it never came");
}

/// A Relay/Server that delivers fast reports before it has responded.
#[test]
fn a_report_may_outrun_the_response() {
    let mut gateway = Gateway::new(1);
    let mail = gateway.forwarded(&Message::asking("one@cpm", "positive-delivery"));
    assert!(gateway.bring(0, &delivery_report(&mail, "Retrieved")).starts_with("250"));
    assert_eq!((told(&gateway), gateway.status("one@cpm")), (vec![DELIVERED], None));
    gateway.bring(0, &response(&mail, "Ok"));
    assert_eq!(gateway.status("one@cpm"), Some(202));
    gateway.nothing_stays();
}

/// Reports about one message in any order.
#[test]
fn a_read_reply_may_outrun_the_delivery_report() {
    let (mut gateway, mail) = asked("positive-delivery, display");
    gateway.bring(0, &read_reply(&mail, "Read"));
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    assert_eq!(told(&gateway), [DISPLAYED, DELIVERED]);
    gateway.nothing_stays();
}

/// What nobody reports about is forgotten when it has expired.
#[test]
fn a_message_without_reports_is_forgotten() {
    let mut gateway = Gateway::new(1);
    let message = Message { headers: "Expires: 3600\r\n".into(), ..Message::asking("one@cpm", EVERYTHING) };
    let mail = gateway.accepted(&message);
    gateway.world.run_for(std::time::Duration::from_secs(3_600));
    assert_eq!(gateway.world.shards[0].held()[14], ("CPM messages for MMS", 1));
    gateway.world.run_for(std::time::Duration::from_secs(700));
    gateway.bring(0, &delivery_report(&mail, "Expired"));
    assert!(told(&gateway).is_empty());
    gateway.nothing_stays();
}

/// Two reports whose notifications wait for the CPM side at the same time.
#[test]
fn different_reports_are_told_side_by_side() {
    let (mut gateway, mail) = asked("positive-delivery, display");
    gateway.world.cpm.silent = true;
    let mut both = [0, 0].map(|shard| Bringing::connect(&mut gateway.world, shard));
    both[0].bring(&mut gateway.world, &delivery_report(&mail, "Retrieved"));
    both[1].bring(&mut gateway.world, &read_reply(&mail, "Read"));
    gateway.pass(1);
    gateway.world.cpm.silent = false;
    gateway.pass(4);
    for bringing in &mut both {
        assert!(bringing.replies(&gateway.world).starts_with("250"));
    }
    assert_eq!(told(&gateway).len(), 2);
    gateway.nothing_stays();
}
