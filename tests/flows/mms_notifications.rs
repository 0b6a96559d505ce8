//! Notifications of CPM users about MMs become the reports that were asked for (IWF V3.0 6.3.1.2.3, 6.3.1.2.4, Tables 41 to
//! 44), and are answered when an MMS Relay/Server has these.

use isthmus::shard::settings::Settings;

use crate::callee::Callee;
use crate::large_message::long_text;
use crate::mmsc::{Mail, Mmsc};
use crate::multimedia::{CPM_USER, HERE, MMS_USER, Mm, Sides, THERE, phone};
use crate::sip::{Cpim, requests};
use crate::world::settings_with_mms;

const BOTH: &str = "X-Mms-Delivery-Report: Yes\r\nX-Mms-Read-Reply: Yes\r\n";
const DELIVERY: &str = "X-Mms-Delivery-Report: Yes\r\n";
const READ: &str = "X-Mms-Read-Reply: Yes\r\n";

/// A CPM user who has an MM.
struct Reader {
    sides: Sides,
    /// imdn.Message-ID of what he has.
    message_id: String,
    told: u32,
}

impl Reader {
    /// Of one that asks for these reports.
    fn of(headers: &str) -> Reader {
        Reader::with(Sides::of(1, &settings_with_mms(0)), headers)
    }

    fn with(mut sides: Sides, headers: &str) -> Reader {
        assert!(sides.bring(&Mm::text("mm-1", "Hello").with(headers).mail()).starts_with("250 "));
        let message_id = message_ids(&sides).remove(0);
        Reader { sides, message_id, told: 0 }
    }

    /// Says what became of the message: the kind of notification and its status. Its Call-ID.
    fn says(&mut self, notification: &str, status: &str) -> String {
        let id = self.message_id.clone();
        self.says_of(&id, CPM_USER, &format!("tel:{MMS_USER}"), (notification, status))
    }

    fn says_of(&mut self, message_id: &str, from: &str, to: &str, (notification, status): (&str, &str)) -> String {
        self.told += 1;
        let call_id = format!("imdn-{}@cpm", self.told);
        let imdn = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\
             <message-id>{message_id}</message-id><datetime>2026-11-21T10:06:00Z</datetime>\
             <{notification}><status><{status}/></status></{notification}></imdn>"
        );
        let cpim = format!(
            "From: <tel:{from}>\r\nTo: <{to}>\r\nDateTime: 2026-11-21T10:06:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
             imdn.Message-ID: own-{}\r\n\r\nContent-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\
             Content-Length: {}\r\n\r\n{imdn}",
            self.told,
            imdn.len()
        );
        let message = format!(
            "MESSAGE {to} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKimdn{};rport\r\nMax-Forwards: 70\r\n\
             From: <tel:{from}>;tag=n1\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\n\
             P-Asserted-Identity: <tel:{from}>\r\nDate: Sat, 21 Nov 2026 10:06:01 GMT\r\n\
             Content-Type: message/cpim\r\nContent-Length: {}\r\n\r\n{cpim}",
            self.told,
            cpim.len()
        );
        let now = self.sides.world.now.moment;
        self.sides.world.cpm.send_bytes(now, &call_id, message.into_bytes(), false);
        call_id
    }

    /// The same, and what it was answered within a second.
    fn tells(&mut self, notification: &str, status: &str) -> Option<u16> {
        let call_id = self.says(notification, status);
        self.sides.pass(1);
        self.answer(&call_id)
    }

    fn answer(&self, call_id: &str) -> Option<u16> {
        self.sides.world.cpm.answers.get(call_id).copied()
    }

    /// Type and status of the reports that came since the last time.
    fn reports(&mut self) -> Vec<(String, String)> {
        self.sides.mails().iter().map(report).collect()
    }
}

fn message_ids(sides: &Sides) -> Vec<String> {
    let ids = requests(&sides.world).into_iter().map(|request| {
        Cpim::read(&request.body[request.body.find("From: ").expect("CPIM")..]).get("imdn.Message-ID").to_owned()
    });
    ids.collect()
}

fn report(mail: &Mail) -> (String, String) {
    let status = mail.header("X-Mms-MM-Status-Code").or_else(|| mail.header("X-Mms-Read-Status"));
    (mail.header("X-Mms-Message-Type").expect("a type"), status.expect("a status"))
}

fn delivered(status: &str) -> (String, String) {
    ("MM4_delivery_report.REQ".into(), status.into())
}

fn read() -> (String, String) {
    ("MM4_read_reply_report.REQ".into(), "Read".into())
}

/// What Tables 41 and 43, and what Tables 42 and 44 say alike.
fn is_written_well(mail: &Mail) {
    let system = format!("system-user@{HERE}");
    assert_eq!((&mail.mail_from, &*mail.rcpt_to), (&system, [phone(MMS_USER, THERE)].as_slice()));
    let get = |name: &str| mail.header(name).unwrap_or_else(|| panic!("{name} in {}", mail.data));
    assert_eq!((&*get("X-Mms-3GPP-MMS-Version"), &*get("X-Mms-Message-ID")), ("6.10.0", "\"mm-1\""));
    assert!(!get("X-Mms-Transaction-ID").is_empty() && !get("Message-ID").is_empty(), "{}", mail.data);
    assert_eq!(get("From").trim_matches(['<', '>']), phone(CPM_USER, HERE), "who has the MM");
    assert_eq!(get("To").trim_matches(['<', '>']), phone(MMS_USER, THERE), "who sent it");
    assert!(get("Date").starts_with("Sat, 21 Nov 2026 10:06:01 "), "{}", mail.data);
    assert_eq!((get("X-Mms-Forward-Route"), get("Sender")), (system.clone(), system));
    assert_ne!(mail.header("X-Mms-Ack-Request").as_deref(), Some("Yes"));
}

/// [MM4-IN-03] [MM4-ODR-01] [MM4-ODR-02] [MM4-ODR-03] [MM4-INPAGER-04] [MM4-GEN-02b] [MM4-ROUTE-08b] [MM4-T41-mail_from]
/// [MM4-T41-rcpt_to] [MM4-T41-data] [MM4-T42-version] [MM4-T42-message_type] [MM4-T42-transaction_id]
/// [MM4-T42-message_id] [MM4-T42-recipient] [MM4-T42-sender] [MM4-T42-date] [MM4-T42-ack_request]
/// [MM4-T42-status-delivered] [MM4-T42-forward_route]
#[test]
fn a_delivery_notification_becomes_a_report_of_tables_41_and_42() {
    let mut reader = Reader::of(DELIVERY);
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    let mails = reader.sides.mails();
    assert_eq!(mails.iter().map(report).collect::<Vec<_>>(), [delivered("Retrieved")]);
    is_written_well(&mails[0]);
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 0, "no more is awaited");
}

/// [MM4-IN-04] [MM4-ORR-01] [MM4-ORR-02] [MM4-ORR-03] [MM4-ORR-04] [MM4-GEN-02c] [MM4-ROUTE-08c] [MM4-T43-mail_from]
/// [MM4-T43-rcpt_to] [MM4-T43-data] [MM4-T44-version] [MM4-T44-message_type] [MM4-T44-transaction_id]
/// [MM4-T44-message_id] [MM4-T44-recipient] [MM4-T44-sender] [MM4-T44-date] [MM4-T44-ack_request]
/// [MM4-T44-status-displayed] [MM4-T44-forward_route]
#[test]
fn a_display_notification_becomes_both_reports() {
    let mut reader = Reader::of(BOTH);
    assert_eq!(reader.tells("display-notification", "displayed"), Some(200));
    let mails = reader.sides.mails();
    assert_eq!(mails.iter().map(report).collect::<Vec<_>>(), [delivered("Retrieved"), read()]);
    mails.iter().for_each(is_written_well);
    let transactions = mails.iter().map(|mail| mail.header("X-Mms-Transaction-ID")).collect::<Vec<_>>();
    assert_ne!(transactions[0], transactions[1]);
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 0, "no more is awaited");
}

/// [MM4-T42-ack_request] [MM4-T44-ack_request] By policy; what comes then is taken, and changes nothing.
#[test]
fn responses_to_reports_are_asked_for_by_policy() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.ack_request_reports = true;
    let mut reader = Reader::with(Sides::of(1, &settings), BOTH);
    reader.tells("display-notification", "displayed");
    let mails = reader.sides.mails();
    assert_eq!(mails.len(), 2);
    for mail in mails {
        let get = |name: &str| mail.header(name).unwrap_or_else(|| panic!("{name} in {}", mail.data));
        assert_eq!(get("X-Mms-Ack-Request"), "Yes");
        let data = format!(
            "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: {}\r\nX-Mms-Transaction-ID: {}\r\n\
             X-Mms-Message-ID: \"mm-1\"\r\nX-Mms-Request-Status-Code: Error-message-not-found\r\n\r\n",
            get("X-Mms-Message-Type").replace(".REQ", ".RES"),
            get("X-Mms-Transaction-ID"),
        );
        let rcpt_to = vec![format!("system-user@{HERE}")];
        let response = Mail { mail_from: format!("system-user@{THERE}"), rcpt_to, data };
        assert!(reader.sides.bring(&response).starts_with("250 "));
    }
    assert_eq!(reader.reports(), []);
}

/// [MM4-T42-status-delivered] [MM4-T42-status-failed] [MM4-T42-status-forbidden] [MM4-T42-status-error]
/// [MM4-T42-processing] [MM4-T44-processing]
#[test]
fn each_status_has_its_report_or_none() {
    for (notification, status, expected) in [
        ("delivery-notification", "delivered", Some("Retrieved")),
        ("delivery-notification", "failed", Some("Rejected")),
        ("delivery-notification", "forbidden", Some("Rejected")),
        ("delivery-notification", "error", Some("Indeterminate")),
        ("processing-notification", "processed", None),
        ("processing-notification", "stored", None),
        ("processing-notification", "forbidden", None),
        ("processing-notification", "error", None),
        ("display-notification", "forbidden", None),
        ("display-notification", "error", None),
        ("interworking-notification", "legacysms", None),
    ] {
        let mut reader = Reader::of(BOTH);
        assert_eq!(reader.tells(notification, status), Some(200), "{notification} {status}");
        let expected: Vec<_> = expected.map(delivered).into_iter().collect();
        assert_eq!(reader.reports(), expected, "{notification} {status}");
        assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 1, "the read reply may still come");
    }
}

/// [MM4-ODR-03] [MM4-ORR-04] [MM4-INPAGER-04] Nobody is told what he has not asked for.
#[test]
fn only_what_was_asked_for_is_reported() {
    for (asked, after_delivered, after_displayed) in [
        ("", vec![], vec![]),
        ("X-Mms-Delivery-Report: No\r\nX-Mms-Read-Reply: No\r\n", vec![], vec![]),
        (DELIVERY, vec![delivered("Retrieved")], vec![]),
        (READ, vec![], vec![read()]),
        (BOTH, vec![delivered("Retrieved")], vec![read()]),
    ] {
        let mut sides = Sides::of(1, &settings_with_mms(0));
        sides.bring(&Mm::text("mm-1", "Hello").with(asked).mail());
        let mut reader = Reader { message_id: message_ids(&sides).remove(0), sides, told: 0 };
        assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200), "{asked}");
        assert_eq!(reader.reports(), after_delivered, "{asked}");
        assert_eq!(reader.tells("display-notification", "displayed"), Some(200), "{asked}");
        assert_eq!(reader.reports(), after_displayed, "{asked}");
        reader.sides.nothing_stays();
    }
}

/// [MM4-ORR-03] By policy what was displayed says nothing of delivery.
#[test]
fn a_display_notification_gives_no_delivery_report_by_policy() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.displayed_is_delivered = false;
    let mut reader = Reader::with(Sides::of(1, &settings), BOTH);
    assert_eq!(reader.tells("display-notification", "displayed"), Some(200));
    assert_eq!(reader.reports(), [read()]);
}

/// [MM4-ODR-03] [MM4-ORR-04] The same in other words, or once more while the first is on its way.
#[test]
fn nothing_is_reported_twice() {
    let mut reader = Reader::of(BOTH);
    reader.sides.takes[0].reply = "";
    let first = [reader.says("display-notification", "displayed"), reader.says("display-notification", "displayed")];
    reader.sides.pass(1);
    reader.says("delivery-notification", "delivered");
    reader.sides.pass(1);
    finish_mails(&mut reader.sides, "250 2.0.0 taken", 2);
    assert_eq!(first.map(|call_id| reader.answer(&call_id)), [Some(200); 2]);
    for (notification, status) in [("delivery-notification", "failed"), ("display-notification", "displayed")] {
        assert_eq!(reader.tells(notification, status), Some(200));
    }
    assert_eq!(reader.reports(), [delivered("Retrieved"), read()]);
}

/// The Relay/Server gives this reply to the mail that it has, and to those that follow.
fn finish_mails(sides: &mut Sides, reply: &'static str, mails: usize) {
    for _ in 0..mails {
        let mmsc: &Mmsc = &sides.takes[0];
        mmsc.say(&mut sides.world, reply);
        sides.pass(1);
    }
    sides.takes[0].reply = "250 2.0.0 taken";
}

/// [MM4-ODR-03] What was not taken would be lost: the answer waits.
#[test]
fn the_notification_is_answered_when_the_report_was_taken() {
    let mut reader = Reader::of(DELIVERY);
    reader.sides.takes[0].reply = "";
    let call_id = reader.says("delivery-notification", "delivered");
    reader.sides.pass(10);
    assert_eq!((reader.answer(&call_id), reader.reports().len()), (None, 1));
    finish_mails(&mut reader.sides, "250 2.0.0 taken", 1);
    assert_eq!(reader.answer(&call_id), Some(200));
}

/// It comes again after 503, and what was reported before is not reported again.
#[test]
fn what_was_not_taken_may_come_again() {
    let mut reader = Reader::of(BOTH);
    reader.sides.takes[0].reply = "451 4.3.0 not now";
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(503));
    reader.reports();
    reader.sides.takes[0].reply = "";
    let call_id = reader.says("display-notification", "displayed");
    reader.sides.pass(1);
    finish_mails(&mut reader.sides, "250 2.0.0 taken", 1);
    finish_mails(&mut reader.sides, "451 4.3.0 not now", 1);
    assert_eq!(reader.answer(&call_id), Some(503), "one of both was not taken");
    assert_eq!(reader.reports(), [delivered("Retrieved"), read()]);
    assert_eq!(reader.tells("display-notification", "displayed"), Some(200));
    assert_eq!(reader.reports(), [read()]);
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 0);
}

/// A Relay/Server that does not know the sender will not know him later.
#[test]
fn what_is_refused_for_good_does_not_come_again() {
    let mut reader = Reader::of(DELIVERY);
    reader.sides.takes[0].reply = "550 5.1.1 unknown";
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports().len(), 1);
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!((reader.reports(), reader.sides.world.count(|s| s.mms_reports_failed)), (vec![], 1));
    reader.sides.nothing_stays();
}

#[test]
fn without_a_relay_the_notification_may_come_again() {
    let mut reader = Reader::of(DELIVERY);
    reader.sides.world.accept_dials = false;
    reader.sides.takes[0].hang_up(&mut reader.sides.world);
    reader.sides.takes.clear();
    let call_id = reader.says("delivery-notification", "delivered");
    reader.sides.pass(30);
    assert_eq!(reader.answer(&call_id), Some(503), "within the time of its client");
    let places = reader.sides.world.tcp.len();
    reader.sides.world.accept_dials = true;
    assert!(reader.sides.world.run_until(std::time::Duration::from_secs(200), |world| world.tcp.len() > places));
    let mmsc = Mmsc::greeted_on(&mut reader.sides.world, places);
    reader.sides.takes.push(mmsc);
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports(), [delivered("Retrieved")]);
}

/// [MM4-INPAGER-04] "until the message expires": a notification after that is answered, and says nothing.
#[test]
fn after_the_mm_has_expired_nothing_is_reported() {
    let mut reader = Reader::of(&format!("{BOTH}X-Mms-Expiry: 60\r\n"));
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 1);
    reader.sides.pass(61);
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 0);
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports(), []);
}

#[test]
fn an_mm_that_nobody_got_awaits_nothing() {
    let mut sides = Sides::of(1, &settings_with_mms(0));
    sides.world.cpm.respond = [404].into();
    assert!(sides.bring(&Mm::text("mm-1", "Hello").with(BOTH).mail()).starts_with("550 "));
    assert_eq!(sides.world.count(|s| s.mms_awaited), 0);
}

/// [MM4-ODR-03] An id that is not ours, or leads nowhere.
#[test]
fn notifications_about_what_is_unknown_are_answered() {
    let mut reader = Reader::of(DELIVERY);
    let own = reader.message_id.clone();
    let (letter, rest) = own.split_at(1);
    let (shard, rest) = rest.split_at(4);
    let other_key = rest.replacen(|digit: char| digit != '0', "f", 1);
    for id in [
        "somebody-elses",
        "n",
        "n0000",
        &format!("{letter}0007{rest}"),
        &format!("{letter}ffff{rest}"),
        &format!("{letter}{shard}{other_key}"),
        &format!("m{shard}{rest}"),
        "n000000000000000000-0000000000000000",
        &"n".repeat(300),
    ] {
        let call_id = reader.says_of(id, CPM_USER, &format!("tel:{MMS_USER}"), ("delivery-notification", "delivered"));
        reader.sides.pass(1);
        assert_eq!((reader.answer(&call_id), reader.reports()), (Some(200), vec![]), "{id}");
    }
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports(), [delivered("Retrieved")]);
}

/// A client may say hours later what became of a message, when another one has its key.
#[test]
fn a_notification_about_an_mm_of_an_earlier_run_is_about_none_of_this_one() {
    let earlier = Reader::of(DELIVERY).message_id;
    let mut reader = Reader::with(Sides::seeded(77, 1, &settings_with_mms(0)), DELIVERY);
    assert_eq!(earlier.split('-').next(), reader.message_id.split('-').next(), "only the seal tells them apart");
    let call_id =
        reader.says_of(&earlier, CPM_USER, &format!("tel:{MMS_USER}"), ("delivery-notification", "delivered"));
    reader.sides.pass(1);
    assert_eq!((reader.answer(&call_id), reader.reports()), (Some(200), vec![]));
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports(), [delivered("Retrieved")]);
}

/// What a sender asked for before a restart he gets after it, and nothing of it again after the next one.
#[test]
fn a_notification_finds_an_mm_of_before_the_restart() {
    for (before, after) in [(1, 1), (2, 1), (1, 3), (3, 2)] {
        let mut sides = Sides::of(before, &Settings { durable: true, ..settings_with_mms(0) });
        assert_eq!(sides.bring(&Mm::text("mm-1", "Hello").with(BOTH).mail()), "", "reports are promised with it");
        sides.world.write_records();
        sides.pass(1);
        assert!(sides.brings.replies(&sides.world).starts_with("250 "));
        let message_id = message_ids(&sides).remove(0);
        sides.world.crash(after);
        let mut reader = Reader { message_id, sides: Sides::around(sides.world), told: 0 };
        assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
        assert_eq!(reader.reports(), [delivered("Retrieved")]);
        let Reader { mut sides, message_id, told } = reader;
        sides.world.write_records();
        sides.world.crash(before);
        let mut reader = Reader { message_id, sides: Sides::around(sides.world), told };
        assert_eq!(reader.tells("display-notification", "displayed"), Some(200));
        assert_eq!(reader.reports(), [read()]);
        reader.sides.world.write_records();
        assert_eq!((reader.sides.world.disk.len(), reader.sides.world.count(|s| s.mms_awaited)), (0, 0));
    }
}

/// [MM4-T42-sender] [MM4-T42-message_id] Each recipient reports for himself.
#[test]
fn each_recipient_of_an_mm_has_his_report() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.large_message_octets = 8_000;
    let mut sides = Sides::of(1, &settings);
    let numbers = [CPM_USER, "+15550003"];
    assert!(sides.bring(&Mm::text("mm-1", "Hello").for_all(&numbers).with(DELIVERY).mail()).starts_with("250 "));
    let ids = message_ids(&sides);
    let mut reader = Reader { message_id: String::new(), sides, told: 0 };
    for (id, number) in ids.iter().zip(numbers) {
        reader.says_of(id, number, &format!("tel:{MMS_USER}"), ("delivery-notification", "delivered"));
        reader.sides.pass(1);
        let mails = reader.sides.mails();
        assert_eq!(mails.len(), 1, "{number}");
        assert_eq!(mails[0].header("From").unwrap().trim_matches(['<', '>']), phone(number, HERE));
        assert_eq!(mails[0].header("X-Mms-Message-ID").as_deref(), Some("\"mm-1\""));
    }
}

/// [MM4-T41-rcpt_to] The CPM user knows nobody to report to; the gateway does.
#[test]
fn who_hides_has_his_reports_all_the_same() {
    let mut reader = Reader::of(&format!("{BOTH}X-Mms-Sender-Visibility: Hide\r\n"));
    let id = reader.message_id.clone();
    let to = "sip:anonymous@anonymous.invalid";
    let call_id = reader.says_of(&id, CPM_USER, to, ("display-notification", "displayed"));
    reader.sides.pass(1);
    assert_eq!(reader.answer(&call_id), Some(200));
    let mails = reader.sides.mails();
    assert_eq!(mails.len(), 2);
    mails.iter().for_each(is_written_well);
}

/// [MM4-IN-03] [MM4-IN-04] [MM4-INLMM-03]
#[test]
fn a_large_message_is_reported_on_alike() {
    let mut sides = Sides::of(1, &settings_with_mms(0));
    sides.world.sessions_apart = true;
    sides.bring(&Mm::text("mm-1", &long_text(2_800)).with(BOTH).mail());
    let mut callee = Callee::called(&sides.world);
    callee.accept(&mut sides.world, "passive");
    callee.connected(&sides.world);
    let message = callee.client.listen(&mut sides.world).concat();
    callee.client.take_bye(&mut sides.world);
    sides.pass(1);
    assert!(sides.brings.replies(&sides.world).starts_with("250 "));
    let message_id = Cpim::read(&message).get("imdn.Message-ID").to_owned();
    let mut reader = Reader { sides, message_id, told: 0 };
    assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200));
    assert_eq!(reader.reports(), [delivered("Retrieved")]);
    assert_eq!(reader.tells("display-notification", "displayed"), Some(200));
    assert_eq!(reader.reports(), [read()]);
}

/// Cores share nothing but what they hand over.
#[test]
fn a_notification_finds_its_mm_from_any_core() {
    for at in 0..3 {
        let mut reader = Reader::with(Sides::of(3, &settings_with_mms(0)), BOTH);
        reader.sides.world.arrive_at = Some(at);
        // Names of dialogs that lead to different cores.
        for _ in 0..8 {
            let other = format!("not-{}", reader.told);
            reader.says_of(&other, CPM_USER, &format!("tel:{MMS_USER}"), ("delivery-notification", "delivered"));
        }
        assert_eq!(reader.tells("delivery-notification", "delivered"), Some(200), "{at}");
        assert_eq!(reader.tells("display-notification", "displayed"), Some(200), "{at}");
        assert_eq!(reader.reports(), [delivered("Retrieved"), read()], "{at}");
        assert!(reader.sides.world.cpm.answers.values().all(|code| *code == 200));
    }
}

/// The report goes out before the gateway does, and its answer with it.
#[test]
fn while_it_drains_a_report_is_waited_for() {
    let mut reader = Reader::of(DELIVERY);
    reader.sides.takes[0].reply = "";
    let call_id = reader.says("delivery-notification", "delivered");
    reader.sides.pass(1);
    reader.sides.world.drain();
    reader.sides.pass(1);
    assert!(!reader.sides.world.is_drained());
    finish_mails(&mut reader.sides, "250 2.0.0 taken", 1);
    assert_eq!(reader.answer(&call_id), Some(200));
    reader.sides.pass(60);
    assert!(reader.sides.world.is_drained());
}

/// A relay that hangs up while it is asked leaves a doubt: a report twice would be worse than none.
#[test]
fn a_report_whose_fate_is_unknown_is_not_repeated() {
    let mut reader = Reader::of(DELIVERY);
    reader.sides.takes[0].reply = "";
    let call_id = reader.says("delivery-notification", "delivered");
    reader.sides.pass(1);
    assert_eq!(reader.reports().len(), 1);
    reader.sides.takes[0].hang_up(&mut reader.sides.world);
    reader.sides.takes.clear();
    reader.sides.pass(1);
    assert_eq!(reader.answer(&call_id), Some(200));
    assert_eq!(reader.sides.world.count(|s| s.mms_awaited), 0);
}
