//! A Pager Mode message on its way to an MMS Relay/Server that refuses it, goes away, or is not there (IWF V3.0 6.3.1.1.1;
//! RFC 5321 4.2, 4.5.3.2).

use isthmus::policy::UnknownOutcome;
use isthmus::shard::settings::MmscSettings;

use crate::mms::{Gateway, Message, response};
use crate::world::settings_with_mms;

/// A command, "" for the end of the data; the reply to it; the response of SIP.
const REFUSALS: [(&str, &str, u16); 10] = [
    ("MAIL", "550 5.7.1 not you", 404),
    ("MAIL", "451 4.3.0 not now", 480),
    ("RCPT", "550 5.1.1 no such user", 404),
    ("RCPT", "450 4.2.1 not now", 480),
    ("DATA", "554 5.7.1 no", 403),
    ("DATA", "451 4.3.0 not now", 480),
    ("", "552 5.3.4 too large", 488),
    ("", "554 5.6.0 no", 403),
    ("", "501 5.5.4 what", 400),
    ("", "452 4.3.1 full", 480),
];

#[test]
fn what_smtp_refuses_is_refused() {
    for (command, reply, code) in REFUSALS {
        let mut gateway = Gateway::new(1);
        if command.is_empty() {
            gateway.mmscs[0].reply = reply;
        } else {
            gateway.mmscs[0].instead = Some((command, reply));
        }
        gateway.send(&Message::asking("one@cpm", "positive-delivery"));
        assert_eq!(gateway.status("one@cpm"), Some(code), "{command}: {reply}");
        assert_eq!(gateway.mails().len(), usize::from(command.is_empty()), "{command}: {reply}");
        (gateway.mmscs[0].reply, gateway.mmscs[0].instead) = ("250 2.0.0 taken", None);
        gateway.accepted(&Message::text("two@cpm", "x"));
        gateway.nothing_stays();
    }
}

/// What it does in the middle of a mail.
const ENDS: [(&str, &str); 4] = [("MAIL", ""), ("RCPT", ""), ("DATA", ""), ("MAIL", "421 4.3.2 closing")];

/// Its end was never sent, so it was not taken. A connection that was well before is worth another; so is another session.
#[test]
fn a_mail_whose_end_was_not_sent_goes_by_another_connection() {
    for (command, reply) in ENDS {
        for sessions in [1, 2] {
            let mut settings = settings_with_mms(0);
            settings.mmscs[0].connections = sessions;
            let mut gateway = Gateway::of(1, &settings);
            if sessions == 1 {
                gateway.accepted(&Message::text("first@cpm", "x"));
            }
            gateway.mmscs[0].instead = Some((command, reply));
            gateway.send(&Message::text("one@cpm", "x"));
            gateway.mmscs[0].hang_up(&mut gateway.world);
            assert_eq!(gateway.status("one@cpm"), None, "{command} {reply}");
            for _ in 0..5 {
                gateway.pass(1);
                gateway.greet();
            }
            let mail = gateway.mail();
            gateway.bring(0, &response(&mail, "Ok"));
            assert_eq!(gateway.status("one@cpm"), Some(202), "{command} {reply}");
            gateway.nothing_stays();
        }
    }
}

/// Where there is no other, its sender hears of it at once.
#[test]
fn a_mail_whose_end_was_not_sent_is_refused_where_nobody_else_takes_it() {
    for (command, reply) in ENDS {
        let mut gateway = Gateway::new(1);
        gateway.mmscs[0].instead = Some((command, reply));
        gateway.send(&Message::text("one@cpm", "x"));
        gateway.mmscs[0].hang_up(&mut gateway.world);
        assert_eq!((gateway.status("one@cpm"), gateway.mails().len()), (Some(503), 0), "{command} {reply}");
        gateway.nothing_stays();
    }
}

/// Nobody knows whether it was taken, so it is not sent again: the response tells, or the doubt stays.
#[test]
fn a_mail_whose_reply_was_lost_is_not_sent_twice() {
    for (unknown_outcome, answers, code) in [
        (UnknownOutcome::Accept, false, 202),
        (UnknownOutcome::Refuse, false, 480),
        (UnknownOutcome::Refuse, true, 202),
    ] {
        let mut settings = settings_with_mms(0);
        settings.policy.submission.unknown_outcome = unknown_outcome;
        let mut gateway = Gateway::of(1, &settings);
        gateway.mmscs[0].reply = "";
        let mail = gateway.forwarded(&Message::text("one@cpm", "x"));
        gateway.mmscs[0].hang_up(&mut gateway.world);
        for _ in 0..5 {
            gateway.pass(1);
            gateway.greet();
        }
        assert_eq!(gateway.status("one@cpm"), None, "{unknown_outcome:?}");
        if answers {
            gateway.bring(0, &response(&mail, "Ok"));
        } else {
            gateway.pass(25);
        }
        assert_eq!(gateway.status("one@cpm"), Some(code), "{unknown_outcome:?}");
        assert_eq!(gateway.world.count(|stats| stats.mms_outcome_unknown), u64::from(!answers));
        assert!(gateway.mails().is_empty(), "not once more");
        gateway.nothing_stays();
    }
}

/// The reply to the mail never comes, its connection stays.
#[test]
fn a_reply_that_does_not_come_is_a_doubt() {
    let mut settings = settings_with_mms(0);
    settings.policy.submission.unknown_outcome = UnknownOutcome::Accept;
    let mut gateway = Gateway::of(1, &settings);
    gateway.mmscs[0].reply = "";
    gateway.forwarded(&Message::text("one@cpm", "x"));
    gateway.pass(26);
    assert_eq!(gateway.status("one@cpm"), Some(202), "as policy has it");
    assert_eq!(gateway.world.count(|stats| stats.mms_outcome_unknown), 1);
}

/// It was accepted in doubt, and then it turns out that it was refused.
#[test]
fn a_refusal_after_the_doubt_is_a_notification() {
    let mut settings = settings_with_mms(0);
    settings.policy.submission.unknown_outcome = UnknownOutcome::Accept;
    let mut gateway = Gateway::of(1, &settings);
    gateway.mmscs[0].reply = "";
    gateway.forwarded(&Message::asking("one@cpm", "negative-delivery"));
    gateway.pass(26);
    assert_eq!(gateway.status("one@cpm"), Some(202));
    gateway.mmscs[0].say(&mut gateway.world, "554 5.6.0 no");
    gateway.pass(1);
    assert_eq!(crate::sip::outcomes(&gateway.world, "imdn-one@cpm").len(), 1);
    gateway.nothing_stays();
}

/// [MM4-PAGER-02]
#[test]
fn without_its_relay_a_message_is_503_until_that_is_back() {
    let mut gateway = Gateway::new(1);
    gateway.world.accept_dials = false;
    gateway.mmscs[0].hang_up(&mut gateway.world);
    gateway.pass(5);
    gateway.send(&Message::text("one@cpm", "x"));
    assert_eq!(gateway.status("one@cpm"), Some(503));
    assert!(gateway.answer("one@cpm").has("Retry-After"));
    gateway.world.accept_dials = true;
    gateway.pass(60);
    gateway.greet();
    gateway.pass(1);
    gateway.accepted(&Message::text("two@cpm", "x"));
    gateway.nothing_stays();
}

/// It was never there.
#[test]
fn a_gateway_may_start_before_its_relay() {
    let mut world = crate::world::World::new(3, 1, &settings_with_mms(0));
    world.accept_dials = false;
    world.tcp_close(0);
    let mut gateway = Gateway::around(world);
    gateway.send(&Message::text("one@cpm", "x"));
    assert_eq!(gateway.status("one@cpm"), Some(503));
    gateway.pass(100);
    assert!(gateway.world.dials.len() > 3, "it tries again and again");
    gateway.world.accept_dials = true;
    gateway.pass(61);
    gateway.greet();
    gateway.pass(1);
    gateway.accepted(&Message::text("two@cpm", "x"));
}

/// It takes the connection, and says nothing.
#[test]
fn a_relay_that_does_not_greet_gets_nothing_and_the_sender_hears_in_time() {
    let mut gateway = Gateway::new(1);
    gateway.mmscs[0].hang_up(&mut gateway.world);
    gateway.pass(5);
    gateway.send(&Message::text("one@cpm", "x"));
    gateway.pass(25);
    assert_eq!(gateway.status("one@cpm"), Some(503));
    gateway.greet();
    gateway.pass(1);
    assert!(gateway.mails().is_empty(), "its sender was told that it did not go");
    gateway.nothing_stays();
}

fn two_relays() -> Gateway {
    let mut settings = settings_with_mms(0);
    settings.mmscs[0].prefixes = vec!["1555".into()];
    settings.mmscs.push(MmscSettings {
        name: "other".into(),
        address: "192.0.2.31:25".parse().unwrap(),
        domain: "mms.other.example".into(),
        prefixes: vec!["15550003".into(), "49".into()],
        ..MmscSettings::default()
    });
    Gateway::of(1, &settings)
}

/// [MM4-ROUTE-01] [MM4-OUT-01] [MM4-PAGER-02] [MM4-T12-rcpt_to]
#[test]
fn each_relay_gets_the_numbers_that_it_serves() {
    for (uri, place, address) in [
        ("tel:+15550002", 0, "+15550002/TYPE=PLMN@mms.example.com"),
        ("tel:+15550003", 1, "+15550003/TYPE=PLMN@mms.other.example"),
        ("tel:+491700000002", 1, "+491700000002/TYPE=PLMN@mms.other.example"),
    ] {
        let mut gateway = two_relays();
        gateway.send(&Message { uri: uri.into(), ..Message::text("one@cpm", "x") });
        gateway.hear();
        let mails = &gateway.mmscs[place].mails;
        assert_eq!(mails.len(), 1, "{uri}");
        assert_eq!((mails[0].rcpt_to.as_slice(), mails[0].get("To").as_str()), (&[address.to_owned()][..], address));
        assert!(gateway.mmscs[1 - place].mails.is_empty(), "{uri}");
    }
}

#[test]
fn a_number_that_no_relay_serves_is_404() {
    let mut gateway = two_relays();
    gateway.send(&Message { uri: "tel:+33100000000".into(), ..Message::text("one@cpm", "x") });
    assert_eq!((gateway.status("one@cpm"), gateway.mails().len()), (Some(404), 0));
    gateway.nothing_stays();
}
