//! The process dies and comes back: reports about MMs find what they are about.

use isthmus::shard::settings::Settings;
use isthmus::wire::cpim::imdn::{Notification, Status};

use crate::mms::{Gateway, Message, delivery_report, read_reply, response};
use crate::mmsc::Mail;
use crate::sip::outcomes;
use crate::world::settings_with_mms;

fn durable() -> Settings {
    Settings { durable: true, ..settings_with_mms(0) }
}

/// As after SIGKILL, with so many cores afterwards; the MMS Relay/Server is there again.
fn restarted(gateway: Gateway, shards: u16) -> Gateway {
    let mut world = gateway.world;
    world.crash(shards);
    let mut gateway = Gateway::around(world);
    gateway.greet();
    gateway.pass(1);
    gateway
}

/// A gateway whose MMS Relay/Server has taken this message, and the mail.
fn accepted(shards: u16, message: &Message) -> (Gateway, Mail) {
    let mut gateway = Gateway::of(shards, &durable());
    let mail = gateway.forwarded(message);
    gateway.bring(0, &response(&mail, "Ok"));
    assert_eq!(gateway.status(&message.call_id), None, "its reports are promised, and nothing is written");
    gateway.world.write_records();
    gateway.pass(1);
    assert_eq!(gateway.status(&message.call_id), Some(202));
    (gateway, mail)
}

#[test]
fn reports_find_messages_of_before_the_restart() {
    let delivered = (Notification::Delivery, Status::Delivered);
    for (before, after) in [(1, 1), (2, 1), (1, 3), (3, 2)] {
        let message = Message::asking("one@cpm", "positive-delivery, display");
        let (gateway, mail) = accepted(before, &message);
        let mut gateway = restarted(gateway, after);
        // One that has the key of the other.
        let other = gateway.forwarded(&Message::asking("other@cpm", "positive-delivery, display"));
        assert!(gateway.bring(usize::from(after) - 1, &delivery_report(&mail, "Retrieved")).starts_with("250"));
        assert_eq!(gateway.mail().get("X-Mms-Request-Status-Code"), "Ok");
        assert_eq!(outcomes(&gateway.world, "imdn-one@cpm"), [delivered]);
        let mut gateway = restarted(gateway, before);
        assert!(gateway.bring(0, &read_reply(&mail, "Read")).starts_with("250"));
        let told = outcomes(&gateway.world, "imdn-one@cpm");
        assert_eq!(told, [delivered, (Notification::Display, Status::Displayed)]);
        assert_eq!(outcomes(&gateway.world, "imdn-other@cpm"), []);
        assert_ne!(mail.get("X-Mms-Message-ID"), other.get("X-Mms-Message-ID"));
    }
}

/// Whom nobody told 202 is promised nothing.
#[test]
fn what_was_not_written_was_not_promised() {
    let mut gateway = Gateway::of(1, &durable());
    let mail = gateway.forwarded(&Message::asking("one@cpm", "positive-delivery"));
    gateway.bring(0, &response(&mail, "Ok"));
    let mut gateway = restarted(gateway, 1);
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    // The client sends its message again meanwhile, and it is another one.
    let mails = gateway.mails();
    let answers: Vec<_> = mails.iter().filter(|mail| mail.data.contains("MM4_delivery_report.RES")).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].get("X-Mms-Request-Status-Code"), "Error-message-not-found");
    assert_eq!(gateway.status("one@cpm"), None);
}

#[test]
fn what_is_over_is_not_on_record() {
    let (mut gateway, mail) = accepted(2, &Message::asking("one@cpm", "positive-delivery"));
    assert_eq!(gateway.world.disk.len(), 1);
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    gateway.world.write_records();
    assert_eq!((gateway.world.disk.len(), gateway.mails().len()), (0, 1));
    let asks_nothing = Message::text("plain@cpm", "Hello");
    let mail = gateway.forwarded(&asks_nothing);
    gateway.bring(0, &response(&mail, "Ok"));
    assert_eq!((gateway.status("plain@cpm"), gateway.world.writing.len()), (Some(202), 0));
    let mut gateway = restarted(gateway, 1);
    gateway.nothing_stays();
}
