//! Whatever is refused or lost, the log says of which message and why, in words that a customer can be told; it never says
//! who wrote what to whom.

use std::time::Duration;

use isthmus::shard::event::Event;
use isthmus::wire::smpp::{CommandStatus, DeliverSm, MessageState, Tag, Tlvs, tlv};

use crate::client::{Client, LARGE_MESSAGE, SESSION, cpim};
use crate::cpm::Outgoing;
use crate::sip::{answer_to, asking, message, send};
use crate::world::{World, settings, settings_with_msrp};

const LONG: &str = "a text that needs more than one short message because it goes on and on, [with brackets] and €uro \
                    signs, until it has gone past one hundred and sixty septets by a good margin, and then on";

/// Whether the last refusal is of this message, with this code and reason.
fn refused(world: &World, call_id: &str, code: u16, reason: &str) -> bool {
    let last = world.events.iter().rev().find(|event| matches!(event, Event::Refused { .. }));
    matches!(last, Some(Event::Refused { call_id: of, code: with, why }) if **of == *call_id.as_bytes()
        && *with == code && why.contains(reason))
}

fn nothing_private(world: &World) {
    for event in &world.events {
        let shown = format!("{event:?}");
        assert!(!shown.contains("4917") && !shown.contains("Hello"), "{shown}");
    }
}

#[test]
fn refused_requests() {
    let mut world = World::new(1, 1, &settings(1));
    let image = |call_id: &str| {
        let request = String::from_utf8(message(call_id, "x").bytes("UDP", "z9hG4bKi")).unwrap();
        request.replace("text/plain;charset=utf-8", "image/jpeg;name=\"abcdef\"")
    };
    world.cpm.send_bytes(world.now.moment, "i@client", image("i@client").into_bytes(), false);
    assert_eq!(answer_to(&mut world, "i@client").status().0, 415);
    assert!(refused(&world, "i@client", 415, "no text"), "{:?}", world.events);
    let nobody = String::from_utf8(message("n@client", "x").bytes("UDP", "z9hG4bKn")).unwrap();
    let nobody = nobody.replace("tel:+491700000002", "sip:bob@home.example");
    // The wrapper's To has changed as well, and with it the length of the body.
    let (head, body) = nobody.split_once("\r\n\r\n").unwrap();
    let head = head.split("Content-Length").next().unwrap();
    let whole = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    world.cpm.send_bytes(world.now.moment, "n@client", whole.into_bytes(), false);
    assert_eq!(answer_to(&mut world, "n@client").status().0, 488);
    assert!(refused(&world, "n@client", 488, "target has no E.164 number"), "{:?}", world.events);
    world.kill_smsc(0);
    world.run_for(Duration::from_millis(10));
    assert_eq!(send(&mut world, &message("b@client", "Hello")).status().0, 503);
    assert!(refused(&world, "b@client", 503, "no SM-SC is bound"), "{:?}", world.events);
    assert_eq!(world.count(|stats| stats.cpm_refused), 3);
    nothing_private(&world);
}

#[test]
fn what_the_smsc_refused_and_what_nobody_knows() {
    let mut world = World::new(2, 1, &settings(1));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_ROK, CommandStatus::ESME_RINVDSTADR].into();
    assert_eq!(send(&mut world, &Outgoing { text: LONG.into(), ..message("part@client", "") }).status().0, 404);
    let told = |event: &Event| {
        matches!(event, Event::RefusedBySmsc { call_id, code: 404, status: CommandStatus::ESME_RINVDSTADR, partial: true }
            if **call_id == *b"part@client")
    };
    assert!(world.events.iter().any(told), "{:?}", world.events);
    world.smscs[0].faults.no_response = true;
    assert_eq!(send(&mut world, &message("doubt@client", "Hello")).status().0, 480);
    let doubt = |event: &Event| matches!(event, Event::Unknown { call_id, code: 480 } if **call_id == *b"doubt@client");
    assert!(world.events.iter().any(doubt), "{:?}", world.events);
    assert_eq!((world.count(|s| s.submit_partial), world.count(|s| s.submit_outcome_unknown)), (1, 1));
    nothing_private(&world);
}

#[test]
fn notifications_and_reports() {
    let mut world = World::new(3, 1, &settings(1));
    world.cpm.respond = [404].into();
    send(&mut world, &asking("n@client", "positive-delivery"));
    world.run_for(Duration::from_secs(2));
    assert!(world.events.iter().any(|event| matches!(event, Event::NotificationFailed { call_id, code: 404 }
        if **call_id == *b"n@client")));
    let now = world.now.moment;
    world.smscs[0].report_on(now, 77, MessageState::DELIVERED);
    world.run_for(Duration::from_secs(8));
    assert!(world.events.iter().any(|event| matches!(event, Event::ReportUnmatched { smsc: 0, message_id }
        if **message_id == *b"77")));
    nothing_private(&world);
}

fn short_message() -> DeliverSm<'static> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: b"Hello",
        ..DeliverSm::default()
    }
}

#[test]
fn short_messages_that_are_refused() {
    let mut world = World::new(4, 1, &settings(1));
    world.cpm.respond = [403].into();
    for (pdu, reason) in [
        (DeliverSm { source_addr_ton: 5, source_addr: b"Bank", ..short_message() }, "no E.164 number"),
        (DeliverSm { data_coding: 4, ..short_message() }, "not text"),
        (short_message(), "SIP side did not take it"),
    ] {
        let now = world.now.moment;
        world.smscs[0].deliver(now, &pdu);
        world.run_for(Duration::from_secs(1));
        let last = world.events.last();
        assert!(matches!(last, Some(Event::DeliverRefused { smsc: 0, why, .. }) if why.contains(reason)), "{last:?}");
    }
    assert_eq!(world.count(|stats| stats.delivers_refused), 3);
    nothing_private(&world);
}

/// Parts that were acknowledged are tried for about a day; then it is said that they are lost.
#[test]
fn a_message_that_nobody_ever_takes() {
    let mut world = World::new(5, 1, &settings(1));
    world.cpm.respond = [503].into();
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 7]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[1]);
    let now = world.now.moment;
    world.smscs[0].deliver(now, &DeliverSm { tlvs: Tlvs::parse(&tlvs).unwrap(), ..short_message() });
    world.run_for(Duration::from_secs(20 * 3600));
    assert_eq!(world.count(|stats| stats.undelivered), 1);
    world.run_for(Duration::from_secs(10 * 3600));
    assert_eq!((world.count(|s| s.undelivered), world.count(|s| s.delivers_refused)), (0, 1));
    assert!(world.events.iter().any(|event| matches!(event, Event::DeliverLost { smsc: 0 })));
}

fn with_sessions(seed: u8) -> World {
    let mut world = World::new(seed, 1, &settings_with_msrp(1));
    world.run_for(Duration::from_secs(1));
    world
}

/// Whether the log has a message of this session with this MSRP code and reason.
fn message_refused(world: &World, of: &str, with: u16, reason: &str) -> bool {
    world.events.iter().any(|event| {
        matches!(event, Event::SessionMessageRefused { call_id, protocol: "msrp", code, why }
            if **call_id == *of.as_bytes() && *code == with && why.contains(reason))
    })
}

#[test]
fn a_refused_invitation() {
    let mut world = with_sessions(6);
    let mut client = Client::new("inv@client", SESSION);
    client.to = "bob".into();
    let responses = client.invite(&mut world);
    let last = responses.last().expect("a response");
    assert!(!last.starts_with("SIP/2.0 2"), "{last}");
    let told = |event: &Event| {
        matches!(event, Event::Refused { call_id, code, why } if **call_id == *b"inv@client"
            && last.starts_with(&format!("SIP/2.0 {code} ")) && !why.is_empty())
    };
    assert!(world.events.iter().any(told), "{:?}", world.events);
    nothing_private(&world);
}

#[test]
fn a_large_message_that_failed() {
    let mut world = with_sessions(7);
    world.smscs[0].faults.statuses = [CommandStatus::ESME_RINVDSTADR].into();
    let mut client = Client { attributes: "a=sendonly\r\n".into(), ..Client::new("large@client", LARGE_MESSAGE) };
    client.establish(&mut world);
    client.say(&mut world, &cpim("id", "", "Hello"), 1_000);
    world.run_for(Duration::from_secs(1));
    let by_smsc = |event: &Event| {
        matches!(event, Event::RefusedBySmsc { call_id, status: CommandStatus::ESME_RINVDSTADR, .. }
            if **call_id == *b"large@client")
    };
    assert!(world.events.iter().any(by_smsc), "{:?}", world.events);
    assert!(message_refused(&world, "large@client", 413, ""), "{:?}", world.events);
    nothing_private(&world);
}

#[test]
fn a_session_without_connection() {
    let mut world = with_sessions(8);
    let mut client = Client::new("lost@client", SESSION);
    client.invite(&mut world);
    client.ack(&mut world);
    world.run_for(Duration::from_secs(40));
    let lost = |event: &Event| {
        matches!(event, Event::SessionLost { call_id, why } if **call_id == *b"lost@client"
            && why.contains("no MSRP connection"))
    };
    assert!(world.events.iter().any(lost), "{:?}", world.events);
    nothing_private(&world);
}
