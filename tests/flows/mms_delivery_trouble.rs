//! MMs for CPM users that come twice, from strangers, in odd mails, too many at a time, or while the gateway goes.

use std::time::Duration;

use isthmus::engine::Random;
use isthmus::limits;

use crate::mms_delivery::sides;
use crate::mmsc::{Bringing, Mail};
use crate::multimedia::{HERE, Mm, Sides};
use crate::sip::requests;
use crate::world::settings_with_mms;

/// The gateway relays for nobody.
#[test]
fn recipients_elsewhere_or_without_a_number_are_refused_at_once() {
    let mut sides = sides();
    assert!(sides.brings.ask(&mut sides.world, "MAIL FROM:<system-user@mms.example.com>").starts_with("250 "));
    for (recipient, reply) in [
        ("+15550001/TYPE=PLMN@mms.example.com", "550 5.7.1"),
        ("someone@mms.gw.example.net", "550 5.1.1"),
        ("+15550001/TYPE=PLMN@MMS.GW.example.net", "250 "),
    ] {
        let said = sides.brings.ask(&mut sides.world, &format!("RCPT TO:<{recipient}>"));
        assert!(said.starts_with(reply), "{recipient}: {said}");
    }
    sides.brings.ask(&mut sides.world, "RSET");
    // Our own address is nobody's phone.
    let mm = Mm { rcpt_to: vec![format!("system-user@{HERE}")], ..Mm::text("mm-1", "Hello") };
    assert!(sides.bring(&mm.mail()).starts_with("550 5.1.1"));
    assert!(requests(&sides.world).is_empty());
}

#[test]
fn strangers_bring_nothing() {
    let mut sides = sides();
    let link = sides.world.mail_open(0, "198.51.100.77:40000");
    let said = String::from_utf8(sides.world.tcp[link].received()).unwrap();
    assert!(said.starts_with("554 5.7.1 ") && sides.world.tcp[link].closed, "{said}");
}

#[test]
fn one_connection_too_many_is_told_to_come_later() {
    let mut settings = settings_with_mms(0);
    settings.mm4.sessions_max = 2;
    let mut sides = Sides::of(1, &settings);
    Bringing::connect(&mut sides.world, 0);
    let third = sides.world.mail_open(0, "192.0.2.31:40000");
    let said = String::from_utf8(sides.world.tcp[third].received()).unwrap();
    assert!(said.starts_with("421 ") && sides.world.tcp[third].closed, "{said}");
    assert!(sides.bring(&Mm::text("mm-1", "Hello").mail()).starts_with("250 "));
}

#[test]
fn mails_that_are_no_mm4_messages_are_refused() {
    let mail = Mm::text("mm-1", "Hello").mail();
    for data in [
        "Subject: an ordinary mail\r\n\r\nHello\r\n".to_owned(),
        mail.data.replace("MM4_forward.REQ", "MM4_unheard_of.REQ"),
        "\r\n".to_owned(),
        "no header at all".to_owned(),
    ] {
        let mut sides = sides();
        let said = sides.bring(&Mail { data: data.clone(), ..mail.clone() });
        assert!(said.starts_with("554 5.6.0 "), "{data}: {said}");
        assert_eq!((sides.world.count(|s| s.mm4_malformed), requests(&sides.world).len()), (1, 0), "{data}");
    }
}

/// Whatever a Relay/Server sends has an answer, breaks nothing and leaves nothing.
#[test]
fn damaged_mails_do_no_harm() {
    let mut random = Random::from_seed([7; 32]);
    let mut sides = Sides::of(2, &settings_with_mms(0));
    let forward = Mm::text("mm", "Hello").acknowledged().with("X-Mms-Delivery-Report: Yes\r\nX-Mms-Expiry: 60\r\n");
    let good = forward.mail().data;
    let other = |kind: &str| good.replace("MM4_forward.REQ", kind);
    let mails = [
        good.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=H"),
        other("MM4_forward.RES"),
        other("MM4_delivery_report.REQ"),
        other("MM4_read_reply_report.REQ"),
        other("MM4_delivery_report.RES"),
        good,
    ];
    for round in 0..600 {
        let mut octets = mails[round % mails.len()].clone().into_bytes();
        for _ in 0..=random.below(3) {
            damage(&mut octets, &mut random);
        }
        let mut bringing = Bringing::connect(&mut sides.world, round % 2);
        for command in ["MAIL FROM:<system-user@mms.example.com>", "RCPT TO:<+15550001/TYPE=PLMN@mms.gw.example.net>"] {
            assert!(bringing.ask(&mut sides.world, command).starts_with("250 "), "{round}");
        }
        bringing.ask(&mut sides.world, "DATA");
        bringing.send(&mut sides.world, &octets);
        bringing.send(&mut sides.world, b"\r\n.\r\n");
        sides.world.run_for(Duration::from_millis(20));
        let said = bringing.replies(&sides.world);
        assert!(said.starts_with(['2', '4', '5']), "{round}: {said} to {}", octets.escape_ascii());
        bringing.hang_up(&mut sides.world);
    }
    assert!(sides.bring(&Mm::text("good", "Hello").mail()).starts_with("250 "));
    sides.mails();
    sides.nothing_stays();
}

fn damage(octets: &mut Vec<u8>, random: &mut Random) {
    const INTERESTING: &[u8] = b"\0\xFF\r\n :;,<>\"@%=/\\\t0987";
    let at = usize::try_from(random.below(octets.len() as u64)).unwrap();
    let any = usize::try_from(random.below(INTERESTING.len() as u64)).unwrap();
    match random.below(5) {
        0 => octets[at] = INTERESTING[any],
        1 => octets.insert(at, INTERESTING[any]),
        2 => drop(octets.remove(at)),
        3 => octets.truncate(at.max(1)),
        _ => {
            let piece = octets[at..(at + 20).min(octets.len())].to_vec();
            octets.splice(at..at, piece);
        }
    }
}

/// [MM4-T36-body] Whatever stands in a mail, a Relay/Server gets an answer, and a CPM user a message or nothing.
#[test]
fn odd_contents_have_an_answer() {
    for (content_headers, content) in [
        ("", ""),
        ("", "no type, some text"),
        ("Content-Type: \r\n", "x"),
        ("Content-Type: multipart/mixed\r\n", "no boundary"),
        ("Content-Type: multipart/related; boundary=\"b\"\r\n", "--b\r\n--b\r\n\r\n--b--"),
        (
            "Content-Type: multipart/mixed; boundary=b\r\n",
            "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b",
        ),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", "!!!!"),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n", "=ZZ=\r\n=C3=BC="),
        ("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-unknown\r\n", "x"),
    ] {
        let mut sides = sides();
        let mm = Mm { content_headers: content_headers.into(), content: content.into(), ..Mm::text("mm-1", "") };
        let said = sides.bring(&mm.acknowledged().mail());
        assert!(said.starts_with("250 "), "{content_headers}{content}: {said}");
        assert_eq!(sides.statuses().len(), 1, "{content_headers}{content}");
        sides.nothing_stays();
    }
}

/// A mail whose answer was lost comes again, to any core.
#[test]
fn an_mm_that_comes_again_is_answered_again_and_delivered_once() {
    for shards in [1, 3] {
        let mut sides = Sides::of(shards, &settings_with_mms(0));
        let mail = Mm::text("mm-1", "Hello").acknowledged().mail();
        sides.world.cpm.silent = true;
        assert_eq!(sides.bring(&mail), "");
        let mut others: Vec<Bringing> =
            (0..usize::from(shards)).map(|shard| Bringing::connect(&mut sides.world, shard)).collect();
        for other in &mut others {
            other.bring(&mut sides.world, &mail);
            assert!(other.replies(&sides.world).starts_with("451 4.3.0 "), "it is on its way");
        }
        sides.world.cpm.silent = false;
        sides.pass(10);
        assert!(sides.brings.replies(&sides.world).starts_with("250 "));
        assert_eq!(sides.statuses(), ["Ok"]);
        for other in &mut others {
            other.bring(&mut sides.world, &mail);
            assert!(other.replies(&sides.world).starts_with("250 "));
            sides.pass(1);
            assert_eq!(sides.statuses(), ["Ok"]);
        }
        assert_eq!(requests(&sides.world).len(), 1);
        assert_eq!(sides.world.count(|s| s.mms_repeated), u64::from(shards));
        // Another with the same words is another message.
        assert!(sides.bring(&Mm::text("mm-2", "Hello").mail()).starts_with("250 "));
        assert_eq!(requests(&sides.world).len(), 2);
    }
}

/// A mail without X-Mms-Message-ID is told from others by all that it says.
#[test]
fn mms_without_a_name_are_not_taken_for_each_other() {
    let mut sides = sides();
    let mail = |text: &str| {
        let mail = Mm::text("none", text).mail();
        Mail { data: mail.data.replace("X-Mms-Message-ID: \"none\"\r\n", ""), ..mail }
    };
    for text in ["Hello", "Hello again", "Hello"] {
        assert!(sides.bring(&mail(text)).starts_with("250 "), "{text}");
    }
    assert_eq!((requests(&sides.world).len(), sides.world.count(|s| s.mms_repeated)), (2, 1));
}

/// One that nobody got may be tried again.
#[test]
fn an_mm_that_failed_may_come_again() {
    for ack in [true, false] {
        let mut sides = sides();
        sides.world.cpm.respond = [480, 200].into();
        let mm = Mm::text("mm-1", "Hello");
        let mail = if ack { mm.acknowledged().mail() } else { mm.mail() };
        let said = sides.bring(&mail);
        assert!(said.starts_with(if ack { "250 " } else { "451 " }), "{said}");
        assert!(sides.bring(&mail).starts_with("250 "));
        assert_eq!(sides.statuses(), if ack { vec!["Error-network-problem", "Ok"] } else { vec![] });
        assert_eq!(requests(&sides.world).len(), 2);
    }
}

/// The peer hangs up before it is answered, and comes again.
#[test]
fn a_connection_that_breaks_takes_no_message_with_it() {
    let mut sides = sides();
    let mail = Mm::text("mm-1", "Hello").mail();
    sides.world.cpm.silent = true;
    assert_eq!(sides.bring(&mail), "");
    sides.brings.hang_up(&mut sides.world);
    sides.world.cpm.silent = false;
    sides.pass(10);
    sides.brings = Bringing::connect(&mut sides.world, 0);
    assert!(sides.bring(&mail).starts_with("250 "));
    assert_eq!(requests(&sides.world).len(), 1);
    sides.nothing_stays();
}

/// The bound of what is on its way.
#[test]
fn when_too_many_are_on_their_way_the_next_is_told_to_come_later() {
    let mut sides = sides();
    sides.world.cpm.silent = true;
    let numbers: Vec<String> = (0..100).map(|number| format!("+1555{number:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let mails = limits::MMS_DELIVERIES_MAX / numbers.len();
    for number in 0..mails {
        let mut bringing = Bringing::connect(&mut sides.world, 0);
        // To one and the rest in secret: the lists of so many would be all that takes time here.
        let mm = Mm::text(&format!("mm-{number}"), "Hello");
        bringing.bring(&mut sides.world, &Mm { to: mm.to.clone(), ..mm.for_all(&numbers) }.mail());
        assert_eq!(bringing.replies(&sides.world), "", "{number}");
    }
    sides.brings.bring(&mut sides.world, &Mm::text("mm-last", "Hello").mail());
    assert_eq!(sides.brings.replies(&sides.world), "451 4.3.0 busy, come again later\r\n");
}

/// Not only their number: a few large ones for many would fill the memory.
#[test]
fn when_too_much_is_on_its_way_the_next_is_told_to_come_later() {
    let mut settings = settings_with_mms(0);
    settings.mm4.message_bytes_max = 4 << 20;
    settings.policy.mms.large_message_octets = 100_000;
    let mut sides = Sides::of(1, &settings);
    sides.world.cpm.silent = true;
    let numbers: Vec<String> = (0..99).map(|number| format!("+1555{number:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    // Octets of a mail of which little is left, so that the test needs no such memory.
    let content_headers = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n".to_owned();
    let content = format!("SGVsbG8=\r\n{}", " \r\n".repeat(limits::MMS_DELIVERIES_BYTES_MAX / 100 / 3));
    let large =
        |id: &str| Mm { content_headers: content_headers.clone(), content: content.clone(), ..Mm::text(id, "") };
    sides.brings.bring(&mut sides.world, &large("mm-1").for_all(&numbers).mail());
    assert_eq!(sides.brings.replies(&sides.world), "");
    let mut other = Bringing::connect(&mut sides.world, 0);
    other.bring(&mut sides.world, &large("mm-2").for_all(&numbers[..2]).mail());
    assert_eq!(other.replies(&sides.world), "451 4.3.0 busy, come again later\r\n");
    other.bring(&mut sides.world, &Mm::text("mm-3", "Hello").mail());
    assert_eq!(other.replies(&sides.world), "", "a small one has room");
    sides.world.cpm.silent = false;
    sides.pass(60);
    sides.brings = Bringing::connect(&mut sides.world, 0);
    assert!(sides.bring(&large("mm-2").for_all(&numbers[..2]).mail()).starts_with("250 "));
}

#[test]
fn while_it_drains_what_was_brought_is_finished_and_nothing_more_is_taken() {
    let mut sides = sides();
    sides.world.cpm.silent = true;
    assert_eq!(sides.bring(&Mm::text("mm-1", "Hello").acknowledged().mail()), "");
    sides.world.drain();
    sides.pass(1);
    assert!(!sides.world.is_drained(), "a mail waits for its answer");
    let mut late = Bringing::connect(&mut sides.world, 0);
    late.bring(&mut sides.world, &Mm::text("mm-2", "Hello").mail());
    assert!(late.replies(&sides.world).starts_with("451 "), "but a response would be taken");
    sides.world.cpm.silent = false;
    sides.pass(10);
    assert!(sides.brings.replies(&sides.world).starts_with("250 "));
    assert_eq!(sides.statuses(), ["Ok"]);
    sides.pass(60);
    assert!(sides.world.is_drained());
}
