//! Two sessions back to back, over connections that cut wherever they like and may be lost.

use std::collections::BTreeMap;

use bytes::Bytes;
use isthmus::engine::msrp::{
    Accept, Budget, Config, Event, Framed, Framer, Outcome, Outgoing, Role, Session, Settings,
};
use isthmus::engine::{Now, Random};
use isthmus::wire::msrp::FailureReport;
use proptest::prelude::*;

use super::world::{ident, outgoing};

const BUDGET: usize = 64 << 20;
const PATHS: [&str; 2] = ["msrp://one.example.net:1/0011;tcp", "msrp://two.example.net:2/0022;tcp"];

struct End {
    session: Session,
    budget: Budget,
    framer: Framer,
    random: Random,
    /// On its way to the other end.
    stream: Vec<u8>,
    outcomes: BTreeMap<u64, Outcome>,
    received: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    reports: usize,
}

impl End {
    fn new(which: usize, settings: Settings) -> End {
        let budget = Budget::new(BUDGET);
        let config = Config {
            local_path: PATHS[which].as_bytes().into(),
            peer_path: PATHS[1 - which].as_bytes().into(),
            role: if which == 0 { Role::Active } else { Role::Passive },
            accept: Accept::ANY,
            settings,
        };
        End {
            session: Session::new(config, &budget),
            budget,
            framer: Framer::new(),
            random: Random::from_seed([u8::try_from(which).unwrap(); 32]),
            stream: Vec::new(),
            outcomes: BTreeMap::new(),
            received: BTreeMap::new(),
            reports: 0,
        }
    }

    fn drain(&mut self, now: Now) {
        self.session.poll_transmit(now, &mut self.random, &mut self.stream);
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Received { incoming, message } => {
                    let mut content = Vec::new();
                    message.copy_to(&mut content);
                    assert!(self.session.respond(incoming, 200));
                    self.received.entry(message.message_id.to_vec()).or_default().push(content);
                }
                Event::Sent { token, outcome } => {
                    assert!(self.outcomes.insert(token, outcome).is_none(), "told twice");
                }
                Event::Reported { status, .. } => self.reports += usize::from(status == 200),
                Event::Bound | Event::Discarded { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn take(&mut self, now: Now, octets: Vec<u8>) {
        self.framer.push(now.moment, Bytes::from(octets));
        loop {
            match self.framer.next_piece() {
                Framed::Piece(piece) => self.session.handle_piece(now, piece),
                Framed::Nothing => return,
                Framed::Broken(why) => panic!("{why}"),
            }
        }
    }
}

/// Carries up to `octets` from one end to the other. Whether there were any.
fn carry(ends: &mut [End; 2], from: usize, octets: usize, now: Now) -> bool {
    let taken = octets.min(ends[from].stream.len());
    let carried: Vec<u8> = ends[from].stream.drain(..taken).collect();
    ends[from].session.handle_room(taken);
    if taken > 0 {
        ends[1 - from].take(now, carried);
    }
    ends[1 - from].drain(now);
    ends[from].drain(now);
    taken > 0
}

fn body(len: usize, salt: usize) -> Vec<u8> {
    (0..len).map(|at| ((at * 31 + salt) % 256).to_le_bytes()[0]).collect()
}

fn connect(ends: &mut [End; 2], now: Now) {
    for end in ends {
        end.framer = Framer::new();
        end.stream.clear();
        end.session.handle_bound(now);
        end.drain(now);
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let chunk = prop_oneof![1..20usize, 20..3_000usize, Just(2_048), Just(16_384)];
    (chunk, 1..20_000usize).prop_map(|(chunk_bytes, in_flight_bytes)| Settings {
        chunk_bytes,
        in_flight_bytes,
        open_messages_max: 64,
        ..Settings::default()
    })
}

proptest! {
    /// Every message arrives once and whole if the connection holds, and if not, no message is told to have arrived that did
    /// not, and none arrives in part.
    #[test]
    fn every_message_arrives_once_or_is_told(
        (one, two) in (settings(), settings()),
        messages in proptest::collection::vec((0..2usize, 0..5_000usize, 0..3u8, any::<bool>()), 1..12),
        cuts in proptest::collection::vec(1..9_000usize, 1..40),
        lost_after in proptest::option::of(0..60usize),
    ) {
        let now = Now::default();
        let mut ends = [End::new(0, one), End::new(1, two)];
        let mut expected: [BTreeMap<Vec<u8>, Vec<u8>>; 2] = Default::default();
        for (number, (from, len, failure_report, success_report)) in messages.iter().enumerate() {
            let id = format!("mess{number}");
            let failure_report = [FailureReport::Yes, FailureReport::Partial, FailureReport::No][usize::from(*failure_report)];
            let what = Outgoing { failure_report, success_report: *success_report, ..outgoing(&id, &body(*len, number)) };
            ends[*from].session.send(number as u64, what).unwrap();
            expected[1 - *from].insert(ident(&id).to_vec(), body(*len, number));
        }
        connect(&mut ends, now);
        let mut turn = 0;
        let mut still = 0;
        while still < 4 && lost_after.is_none_or(|after| turn < after) {
            let moved = carry(&mut ends, turn % 2, cuts[turn % cuts.len()], now);
            still = if moved { 0 } else { still + 1 };
            turn += 1;
        }
        let lost = still < 4;
        if lost {
            for end in &mut ends {
                end.session.handle_unbound(now);
                end.stream.clear();
                end.drain(now);
            }
        }
        for (which, end) in ends.iter().enumerate() {
            for (id, contents) in &end.received {
                prop_assert_eq!(contents.as_slice(), core::slice::from_ref(&expected[which][id]));
            }
            prop_assert_eq!((end.session.bytes_held(), end.budget.left()), (0, BUDGET));
            prop_assert_eq!((end.session.open_messages(), end.session.poll_timeout().is_some() && lost), ((0, 0), false));
        }
        for (number, (from, ..)) in messages.iter().enumerate() {
            let arrived = ends[1 - from].received.contains_key(format!("mess{number}").as_bytes());
            let outcome = ends[*from].outcomes[&(number as u64)];
            match outcome {
                Outcome::Delivered => prop_assert!(arrived),
                Outcome::Unsent => prop_assert!(!arrived && lost),
                Outcome::Unknown => prop_assert!(lost),
                Outcome::Written => prop_assert!(arrived || lost),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        if !lost {
            let wanted = |from: usize| messages.iter().filter(|(whose, .., success)| *whose == from && *success).count();
            prop_assert_eq!((ends[0].reports, ends[1].reports), (wanted(0), wanted(1)));
        }
    }
}

#[test]
fn ten_megabytes_in_chunks_of_every_kind() {
    let now = Now::default();
    for chunk_bytes in [1_000, 2_048, 65_536] {
        let mut ends = [0, 1].map(|which| End::new(which, Settings { chunk_bytes, ..Settings::default() }));
        let content = body(10 << 20, 1);
        ends[0].session.send(1, outgoing("long", &content)).unwrap();
        ends[0].session.send(2, outgoing("shrt", b"short")).unwrap();
        connect(&mut ends, now);
        let mut still = 0;
        while still < 2 {
            let moved = carry(&mut ends, 0, 16_384, now) | carry(&mut ends, 1, 16_384, now);
            still = if moved { 0 } else { still + 1 };
        }
        assert_eq!(ends[0].outcomes, BTreeMap::from([(1, Outcome::Delivered), (2, Outcome::Delivered)]));
        assert!(ends[1].received[b"long".as_slice()] == [content]);
    }
}

#[test]
fn sixty_four_kilobytes_octet_by_octet() {
    let now = Now::default();
    let mut ends = [0, 1].map(|which| End::new(which, Settings { chunk_bytes: 1, ..Settings::default() }));
    let content = body(64 << 10, 2);
    ends[0].session.send(1, outgoing("long", &content)).unwrap();
    connect(&mut ends, now);
    let mut still = 0;
    while still < 2 {
        let moved = carry(&mut ends, 0, 16_384, now) | carry(&mut ends, 1, 16_384, now);
        still = if moved { 0 } else { still + 1 };
    }
    assert_eq!(ends[0].outcomes, BTreeMap::from([(1, Outcome::Delivered)]));
    assert!(ends[1].received[b"long".as_slice()] == [content]);
}
