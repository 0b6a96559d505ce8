//! Where requests of the gateway go: names, several servers, and what happens when one is away (RFC 3263, RFC 3261 18.1.1).

use std::time::Duration;

use isthmus::engine::transport::{Record, RecordKind};
use isthmus::shard::settings::Settings;
use isthmus::wire::smpp::{CommandStatus, DeliverSm};

use crate::sip::{Cpim, requests};
use crate::world::{World, settings};

const OK: CommandStatus = CommandStatus::ESME_ROK;
const TRY_AGAIN: CommandStatus = CommandStatus::ESME_RX_T_APPN;

fn to_a_name() -> Settings {
    let mut settings = settings(1);
    settings.sip.next_hop = "sip:cpm.example.net".into();
    settings
}

fn srv(priority: u16, port: u16, target: &str) -> Record {
    Record::Srv { priority, weight: 1, port, target: target.into() }
}

/// `cpm.example.net` by SRV: servers in the order of their priority.
fn know(world: &mut World, servers: &[(&str, &str, u16)]) {
    let records = servers.iter().zip(1..).map(|((name, _, port), at)| srv(at, *port, name)).collect();
    world.zone.push(("_sip._udp.cpm.example.net".into(), RecordKind::Srv, records));
    for (name, address, _) in servers {
        let records = vec![Record::Address(address.parse().unwrap())];
        world.zone.push(((*name).into(), RecordKind::Address, records));
    }
}

fn deliver(world: &mut World, text: &'static str) {
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: text.as_bytes(),
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].deliver(now, &pdu);
}

fn texts(world: &World) -> Vec<String> {
    requests(world).iter().map(|request| Cpim::read(&request.body).content).collect()
}

#[test]
fn a_name_is_looked_up_and_kept() {
    let mut world = World::new(1, 2, &to_a_name());
    know(&mut world, &[("a.example.net", "192.0.2.1", 5070)]);
    // Before the zone was there the first lookup failed; it is tried again.
    world.run_for(Duration::from_secs(120));
    for text in ["one", "two", "three"] {
        deliver(&mut world, text);
        world.run_for(Duration::from_secs(1));
    }
    assert_eq!(
        (texts(&world), world.smscs[0].statuses()),
        (vec!["one".into(), "two".into(), "three".into()], vec![OK; 3])
    );
    let asked = world.questions;
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.questions, asked, "answers are good for a while");
}

#[test]
fn without_an_address_the_smsc_is_told_to_come_again() {
    let mut world = World::new(2, 1, &to_a_name());
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(30));
    deliver(&mut world, "early");
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.smscs[0].statuses(), [TRY_AGAIN]);
    know(&mut world, &[("a.example.net", "192.0.2.1", 5070)]);
    world.run_for(Duration::from_secs(300));
    assert_eq!(texts(&world), ["early"]);
    assert_eq!(world.smscs[0].statuses().last(), Some(&OK));
}

#[test]
fn a_server_that_does_not_answer_is_passed_over_and_then_spared() {
    let mut world = World::new(3, 1, &to_a_name());
    know(&mut world, &[("dead.example.net", "192.0.2.66", 5060), ("a.example.net", "192.0.2.1", 5070)]);
    world.run_for(Duration::from_secs(120));
    deliver(&mut world, "patient");
    world.run_for(Duration::from_secs(40));
    assert_eq!((texts(&world), world.smscs[0].statuses()), (vec!["patient".to_owned()], vec![OK]));
    assert!(world.strays.iter().all(|(peer, _)| *peer == "192.0.2.66:5060".parse().unwrap()));
    let tried = world.strays.len();
    assert!(tried > 5, "Timer E");
    deliver(&mut world, "at once");
    world.run_for(Duration::from_secs(1));
    assert_eq!((texts(&world).len(), world.strays.len()), (2, tried));
}

#[test]
fn a_server_that_says_503_is_passed_over() {
    let mut world = World::new(4, 1, &to_a_name());
    know(&mut world, &[("busy.example.net", "192.0.2.66", 5060), ("a.example.net", "192.0.2.1", 5070)]);
    world.run_for(Duration::from_secs(120));
    deliver(&mut world, "next, please");
    world.run_for(Duration::from_millis(10));
    let request = String::from_utf8(world.strays[0].1.clone()).unwrap();
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
        let line = request.split("\r\n").find(|line| line.starts_with(&format!("{name}:"))).expect("a header");
        format!("{line}\r\n")
    });
    let response =
        format!("SIP/2.0 503 Service Unavailable\r\n{}Retry-After: 60\r\nContent-Length: 0\r\n\r\n", copied.concat());
    world.datagram_from("192.0.2.66:5060", response.as_bytes());
    world.run_for(Duration::from_secs(1));
    assert_eq!((texts(&world), world.smscs[0].statuses()), (vec!["next, please".to_owned()], vec![OK]));
}

/// RFC 3261 18.1.1: over 1300 octets a request leaves by a congestion controlled transport, which is kept for the next.
#[test]
fn a_large_request_leaves_by_a_stream_that_is_used_again() {
    let mut world = World::new(5, 1, &settings(1));
    for number in 0..3 {
        let text: &'static str = ["x", "y", "z"][number].repeat(250).leak();
        let mut tlvs = Vec::new();
        let long = text.repeat(6);
        isthmus::wire::smpp::tlv::put(&mut tlvs, isthmus::wire::smpp::Tag::MESSAGE_PAYLOAD, long.as_bytes());
        let pdu = DeliverSm {
            source_addr_ton: 1,
            source_addr: b"491700000009",
            dest_addr_ton: 1,
            destination_addr: b"491700000001",
            data_coding: 3,
            tlvs: isthmus::wire::smpp::Tlvs::parse(&tlvs).unwrap(),
            ..DeliverSm::default()
        };
        let now = world.now.moment;
        world.smscs[0].deliver(now, &pdu);
        world.run_for(Duration::from_secs(1));
    }
    assert!(requests(&world).iter().all(|request| request.get("Via").starts_with("SIP/2.0/TCP ")));
    assert_eq!((texts(&world).len(), world.count(|stats| stats.sip_connections)), (3, 1));
    deliver(&mut world, "short");
    world.run_for(Duration::from_secs(1));
    assert!(requests(&world)[3].get("Via").starts_with("SIP/2.0/UDP "));
}
