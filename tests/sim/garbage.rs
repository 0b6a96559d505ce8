//! Octets that no peer should send: nothing panics, every answer can be read, and the next good message is served.

use std::time::Duration;

use isthmus::engine::Random;
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Pdu, Tag, Tlvs, tlv};

use crate::audit::{outgoing, seeds, texts};
use crate::world::{World, settings};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Changes, removes, doubles or inserts a few octets.
fn damage(octets: &mut Vec<u8>, random: &mut Random) {
    const INTERESTING: &[u8] = b"\0\xFF\r\n :;,<>\"@%=/\\\t0987";
    for _ in 0..=random.below(3) {
        let at = usize::try_from(random.below(octets.len() as u64)).unwrap();
        let any = u8::try_from(random.below(256)).unwrap();
        let interesting = INTERESTING[usize::from(any) % INTERESTING.len()];
        match random.below(6) {
            0 => octets[at] = any,
            1 => octets[at] = interesting,
            2 => octets.insert(at, interesting),
            3 => drop(octets.remove(at)),
            4 => octets.truncate(at.max(1)),
            _ => {
                let piece = octets[at..(at + 9).min(octets.len())].to_vec();
                octets.splice(at..at, piece);
            }
        }
        if octets.is_empty() {
            octets.push(any);
        }
    }
}

/// A trusted peer that is not the CPM side; what it is told is kept in `strays`.
const PEER: &str = "192.0.2.9:5099";

fn good_requests() -> Vec<Vec<u8>> {
    let mut message = outgoing(3);
    message.headers = "Expires: 3600\r\nPriority: urgent\r\nPrivacy: none\r\nSubject: folded\r\n".into();
    let cpim = message.bytes("UDP", "z9hG4bKgood");
    let options = String::from_utf8(cpim.clone()).unwrap().replace("MESSAGE", "OPTIONS").into_bytes();
    let mixed =
        b"MESSAGE tel:+491700000002 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.9:5099;branch=z9hG4bKm\r\nMax-Forwards: 70\r\n\
                  f: <sip:+491700000001@home.example;user=phone>;tag=1\r\nt: <tel:+491700000002>\r\ni: mixed@peer\r\n\
                  CSeq: 9 MESSAGE\r\nP-Asserted-Identity: <sip:+491700000001@home.example;user=phone>\r\n\
                  c: multipart/mixed;boundary=b\r\nl: 64\r\n\r\n\
                  --b\r\nContent-Type: text/plain;charset=utf-8\r\n\r\nonly this\r\n--b--\r\n";
    vec![cpim, options, mixed.to_vec()]
}

#[test]
fn damaged_sip_over_udp_and_tcp() {
    seeds(6, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &settings(1));
        let good = good_requests();
        for round in 0..1_500 {
            let mut octets = good[round % good.len()].clone();
            damage(&mut octets, &mut random);
            if round % 5 == 0 {
                let tcp = world.tcp_open(round % usize::from(shards), PEER);
                world.tcp_send(tcp, &octets);
            } else {
                world.datagram_from(PEER, &octets);
            }
            world.run_for(ms(5));
        }
        let mut index = Index::new();
        let written = world.strays.iter().map(|(_, octets)| octets).chain(world.tcp.iter().flat_map(|tcp| &tcp.writes));
        for octets in written.filter(|octets| *octets != b"\r\n") {
            let message = Message::parse(octets, &mut index).expect("an answer that can be read");
            assert!((100..700).contains(&message.code()));
        }
        expect_service(&mut world);
    });
}

fn good_deliveries() -> Vec<Vec<u8>> {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 7]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[1]);
    let plain = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: b"from afar",
        ..DeliverSm::default()
    };
    let headed = DeliverSm { esm_class: 0x40, short_message: b"\x05\x00\x03\x07\x02\x01half", ..plain };
    let part = DeliverSm { tlvs: Tlvs::parse(&tlvs).unwrap(), ..plain };
    let report = DeliverSm {
        esm_class: 4,
        short_message:
            b"id:31535 sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD err:000 text:x",
        ..plain
    };
    let pdus = [plain, headed, part, report].map(|pdu| {
        let mut octets = Vec::new();
        Pdu::DeliverSm(pdu).emit(&mut octets, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, 0x0100_0000);
        octets
    });
    pdus.into()
}

#[test]
fn damaged_smpp() {
    seeds(6, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &settings(1));
        let good = good_deliveries();
        for round in 0..1_500 {
            let mut octets = good[round % good.len()].clone();
            damage(&mut octets, &mut random);
            // Mostly the framing stays whole, else nothing behind it would be tried.
            if round % 7 != 0 && octets.len() >= 16 {
                let length = u32::try_from(octets.len()).unwrap();
                octets[..4].copy_from_slice(&length.to_be_bytes());
            }
            if world.smscs[0].receivers().next().is_some() {
                let now = world.now.moment;
                world.smscs[0].send_raw(now, octets);
            }
            world.run_for(ms(if round % 7 == 0 { 4_000 } else { 5 }));
        }
        world.run_for(ms(400_000));
        expect_service(&mut world);
    });
}

/// The gateway still does what it is for, both ways.
fn expect_service(world: &mut World) {
    world.run_for(ms(120_000));
    let message = crate::cpm::Outgoing { call_id: "after@all".into(), ..outgoing(0) };
    world.cpm.send(world.now.moment, &message);
    world.run_for(ms(10_000));
    assert_eq!(world.cpm.answers.get("after@all"), Some(&202));
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"4915000000001",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: b"after all",
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].deliver(now, &pdu);
    world.run_for(ms(10_000));
    assert_eq!(texts(world)["tel:+4915000000001;nccsid=SMS"], ["after all"]);
    assert_eq!(world.count(|stats| stats.held_reports + stats.undelivered), 0);
}
