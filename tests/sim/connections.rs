//! Messages over TCP: in pieces of any size, many on one connection, on any core, with connections that end at any moment.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::engine::Random;
use isthmus::wire::Framing;
use isthmus::wire::sip::{Index, Message, frame};

use crate::audit::{outgoing, seeds};
use crate::text::joined;
use crate::world::{World, settings};

const PEER: &str = "192.0.2.9:5099";

fn request(number: usize) -> Vec<u8> {
    let octets = outgoing(number).bytes("TCP", &format!("z9hG4bKtcp{number}"));
    let text = String::from_utf8(octets).unwrap();
    text.replace("192.0.2.1:5070", PEER).into_bytes()
}

/// Codes by Call-ID of all final responses on all connections.
fn answers(world: &World) -> BTreeMap<String, Vec<u16>> {
    let mut answers: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    let mut index = Index::new();
    for tcp in &world.tcp {
        let received = tcp.received();
        let mut rest = received.as_slice();
        while let Framing::Complete(len) = frame(rest) {
            let (octets, after) = rest.split_at(len);
            rest = after;
            let response = Message::parse(octets, &mut index).unwrap();
            if response.code() >= 200 {
                let call_id = String::from_utf8(response.call_id().unwrap().to_vec()).unwrap();
                answers.entry(call_id).or_default().push(response.code());
            }
        }
        assert!(rest.is_empty(), "whole responses only");
    }
    answers
}

/// Each of these was answered 202 once and taken once.
fn expect_each_once(world: &World, numbers: core::ops::Range<usize>) {
    let answers = answers(world);
    for number in numbers {
        let message = outgoing(number);
        assert_eq!(answers.get(&message.call_id), Some(&vec![202]), "message {number}");
        let digits = message.to.trim_start_matches('+').as_bytes();
        let taken: Vec<_> = world.smscs[0].accepted.iter().filter(|a| a.destination_addr == digits).collect();
        assert_eq!(joined(&taken), message.text, "message {number}");
    }
}

#[test]
fn pieces_of_any_size_on_many_connections() {
    seeds(9, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.response_delay = Duration::from_millis(300);
        let mut streams: Vec<(usize, Vec<u8>)> = (0..5)
            .map(|number| {
                let requests = (number * 20..(number + 1) * 20).flat_map(|number| {
                    let pings = if number % 4 == 0 { b"\r\n\r\n".to_vec() } else { Vec::new() };
                    [pings, request(number)].concat()
                });
                (world.tcp_open(number % usize::from(shards), PEER), requests.collect())
            })
            .collect();
        while let Some(at) = streams.iter().position(|(_, octets)| !octets.is_empty()) {
            let pick = usize::try_from(random.below(streams.len() as u64)).unwrap();
            let at = if streams[pick].1.is_empty() { at } else { pick };
            let (tcp, octets) = &mut streams[at];
            let piece = usize::try_from(random.below(1_500)).unwrap().clamp(1, octets.len());
            let piece: Vec<u8> = octets.drain(..piece).collect();
            let tcp = *tcp;
            world.tcp_send(tcp, &piece);
            world.run_for(Duration::from_millis(random.below(5)));
        }
        world.run_for(Duration::from_secs(5));
        let pongs: usize =
            world.tcp.iter().map(|tcp| tcp.writes.iter().filter(|write| *write == b"\r\n").count()).sum();
        assert_eq!(pongs, 25);
        world.tcp.iter_mut().for_each(|tcp| tcp.writes.retain(|write| write != b"\r\n"));
        expect_each_once(&world, 0..100);
    });
}

/// What had arrived whole when its connection ended is served, and its response comes by a new connection to the address
/// in its Via (RFC 3261 18.2.2); half a message is no message.
#[test]
fn connections_end_with_responses_on_their_way() {
    seeds(9, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.response_delay = Duration::from_millis(500);
        for round in 0..10 {
            let tcp = world.tcp_open(round % usize::from(shards), "192.0.2.9:40000");
            let whole: Vec<u8> = (round * 6..(round + 1) * 6).flat_map(request).collect();
            let half = request(900 + round);
            let cut = usize::try_from(random.below(half.len() as u64 - 1)).unwrap() + 1;
            world.tcp_send(tcp, &[whole.as_slice(), &half[..cut]].concat());
            world.run_for(Duration::from_millis(random.below(400)));
            world.tcp_close(tcp);
        }
        world.run_for(Duration::from_secs(20));
        expect_each_once(&world, 0..60);
        assert!(answers(&world).len() == 60 && !world.dials.is_empty());
        assert!(world.dials.iter().all(|peer| *peer == PEER.parse().unwrap()));
    });
}
