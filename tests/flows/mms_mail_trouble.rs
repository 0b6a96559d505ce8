//! What the mail systems between MMS Relay/Servers add: a mail that was lost after it had been taken, one that goes round in
//! circles, one that comes too late.

use crate::chat::seconds;
use crate::cpm::Outgoing;
use crate::mmsc::{Bringing, Mail, Mmsc};
use crate::world::{World, settings_with_mms};

const CPM_USER: &str = "+15550001";
const CPM_ADDRESS: &str = "+15550001/TYPE=PLMN@mms.gw.example.net";

fn world() -> (World, Mmsc) {
    let mut world = World::new(5, 1, &settings_with_mms(0));
    let mmsc = Mmsc::greeted(&mut world);
    (world, mmsc)
}

/// A small MM for the CPM user, with these fields more.
fn mm(fields: &str) -> Mail {
    let data = format!(
        "{fields}X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.REQ\r\n\
         X-Mms-Transaction-ID: \"t1\"\r\nX-Mms-Message-ID: \"mm1\"\r\n\
         From: +15550002/TYPE=PLMN@mms.example.com\r\nTo: {CPM_ADDRESS}\r\n\
         Content-Type: text/plain\r\nMessage-ID: <1@mms.example.com>\r\n\r\nHello"
    );
    let mail_from = "+15550002/TYPE=PLMN@mms.example.com".into();
    Mail { mail_from, rcpt_to: vec![CPM_ADDRESS.into()], data }
}

/// The reply to the mail.
fn brought(world: &mut World, mail: &Mail) -> String {
    let mut bringing = Bringing::connect(world, 0);
    bringing.bring(world, mail);
    seconds(world, 2);
    bringing.replies(world)
}

/// The relay behind the one that took the mail cannot deliver it, and says so by a notification of the mail system.
#[test]
fn a_mail_that_was_lost_on_its_way_is_as_if_it_had_been_refused() {
    let (mut world, mut mmsc) = world();
    let message = Outgoing {
        call_id: "lost@cpm".into(),
        from: CPM_USER.into(),
        to: "+15550002".into(),
        dispositions: None,
        imdn_message_id: "imdn-lost".into(),
        text: "Bonjour".into(),
        headers: String::new(),
    };
    let now = world.now.moment;
    world.cpm.send(now, &message);
    seconds(&mut world, 1);
    mmsc.listen(&mut world);
    let request = mmsc.mails.pop().expect("a mail");
    let id = request.header("X-Mms-Message-ID").expect("an id");
    let bounce = format!(
        "From: MAILER-DAEMON@relay.example.com\r\nTo: {CPM_ADDRESS}\r\nMessage-ID: <2@relay.example.com>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example.com\r\n\r\n\
         Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         X-Mms-Message-ID: {id}\r\n\r\n--b--\r\n"
    );
    let bounce = Mail { mail_from: String::new(), rcpt_to: vec![CPM_ADDRESS.into()], data: bounce };
    assert!(brought(&mut world, &bounce).starts_with("250 "));
    assert_eq!(world.cpm.answers.get("lost@cpm"), Some(&404));
    let other = Mail { data: bounce.data.replace(&id, "nobody@example.com"), ..bounce };
    assert!(brought(&mut world, &other).starts_with("250 "), "nobody would hear of a refusal");
}

#[test]
fn a_mail_that_goes_round_in_circles_is_refused() {
    let (mut world, _mmsc) = world();
    let received = |count: usize| {
        "Received: from a.example.com by b.example.com; Sat, 21 Nov 2026 10:00:00 +0000\r\n".repeat(count)
    };
    for (fields, expected) in [
        (received(100), "554 5.4.6"),
        ("X-Mms-Forward-Counter: 100\r\n".to_owned(), "554 5.4.6"),
        (received(99) + "X-Mms-Forward-Counter: 99\r\n", "250 "),
    ] {
        let reply = brought(&mut world, &mm(&fields));
        assert!(reply.starts_with(expected), "{expected}: {reply}");
    }
    assert_eq!(world.cpm.received.len(), 1);
}

/// What is over is not delivered.
#[test]
fn an_mm_that_has_expired_is_refused() {
    let (mut world, _mmsc) = world();
    let reply = brought(&mut world, &mm("X-Mms-Expiry: Sat, 21 Nov 2020 02:10:49 +0000\r\n"));
    assert!(reply.starts_with("554 ") && reply.contains("Error-unspecified"), "{reply}");
    assert!(world.cpm.received.is_empty());
    assert!(brought(&mut world, &mm("X-Mms-Expiry: 60\r\n")).starts_with("250 "));
    assert_eq!(world.cpm.received.len(), 1);
}
