//! Anything in any order over a bad network: nothing panics, nothing stays, and every session is told to be over once.

use std::collections::BTreeSet;

use isthmus::engine::Random;
use isthmus::engine::sip::calls::{DialogKey, Event, Heard};
use isthmus::engine::sip::{NextHop, Reach};

use super::world::{A, B, World};

struct Storm {
    world: World,
    random: Random,
    known: [BTreeSet<DialogKey>; 2],
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let mut random = Random::from_seed([u8::try_from(seed % 251).unwrap(); 32]);
        for _ in 0..seed {
            random.next_u64();
        }
        let update = random.below(2) == 0;
        let mut world = World::with(|_, config| {
            config.terms.interval_s = 90;
            if !update {
                config.allow = b"INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK".to_vec();
            }
        });
        if random.below(3) == 0 {
            for (end, uri) in [(A, b"sip:192.0.2.2;transport=tcp"), (B, b"sip:192.0.2.1;transport=tcp")] {
                world.ends[end].hop = NextHop::new(uri, Reach::ALL);
            }
        }
        world.noise = Some(random.fork());
        Storm { world, random, known: [BTreeSet::new(), BTreeSet::new()] }
    }

    fn note(&mut self) {
        for end in [A, B] {
            let invited = self.world.ends[end].heard.iter().filter_map(|heard| match heard {
                Heard::Invited { dialog } => Some(*dialog),
                _ => None,
            });
            self.known[end].extend(invited);
        }
    }

    /// One thing at a time, wanted or not.
    fn step(&mut self) {
        self.note();
        let end = usize::from(self.random.below(2) == 1);
        let nth = usize::try_from(self.random.below(1 + self.known[end].len() as u64)).unwrap();
        let dialog = self.known[end].iter().nth_back(nth).copied().unwrap_or(7);
        let world = &mut self.world;
        match self.random.below(12) {
            0 | 1 => {
                let reliable = self.random.below(3) == 0;
                let name = isthmus::wire::sip::Name::Require;
                let dialog =
                    world.invite_with(|headers| headers.header_if(name, if reliable { b"100rel" } else { b"" }));
                self.known[A].insert(dialog);
            }
            2 | 3 => drop(world.act(end, |calls, turn| calls.ring(turn, dialog, 180, "Ringing", |_| {}))),
            4..7 => drop(world.accept(dialog)),
            7 => drop(world.act(end, |calls, turn| calls.refuse(turn, dialog, 486, "Busy Here", |_| {}))),
            8 => drop(world.offer(end, dialog, u32::try_from(nth).unwrap())),
            9 => drop(world.answer(end, dialog)),
            10 => drop(world.act(end, |calls, turn| calls.decline(turn, dialog, 488, "No", |_| {}))),
            _ if self.random.below(3) == 0 => {
                world.act(end, |calls, turn| calls.end(turn, dialog, b"SIP;cause=480"));
            }
            _ => {}
        }
        self.world.run(self.random.below(3_000));
        self.world.outage = self.random.below(12) == 0;
        if self.world.outage {
            self.world.run(self.random.below(80_000));
        }
    }

    fn end(&mut self) {
        self.world.outage = false;
        self.note();
        for end in [A, B] {
            for dialog in self.known[end].clone() {
                self.world.act(end, |calls, turn| calls.end(turn, dialog, b""));
            }
        }
    }
}

#[test]
fn whatever_happens_every_session_ends_once_and_leaves_nothing() {
    let mut happened = BTreeSet::new();
    for seed in 0..100 {
        let mut storm = Storm::new(seed);
        for _ in 0..80 {
            storm.step();
        }
        storm.end();
        storm.world.run(300_000);
        // One that was still under way then.
        storm.end();
        assert!(storm.world.runs_empty(), "seed {seed}");
        for end in [A, B] {
            let gone: Vec<DialogKey> = storm.world.ends[end]
                .events
                .iter()
                .filter_map(|event| match event {
                    Event::Gone { dialog } => Some(*dialog),
                    _ => None,
                })
                .collect();
            assert_eq!(gone.iter().copied().collect::<BTreeSet<_>>(), storm.known[end], "seed {seed} end {end}");
            let of = &storm.world.ends[end];
            let word = |debug: String| debug.split(' ').next().unwrap().to_string();
            happened.extend(of.heard.iter().map(|heard| word(format!("{heard:?}"))));
            happened.extend(of.events.iter().map(|event| word(format!("{event:?}"))));
            assert_eq!(gone.len(), storm.known[end].len(), "seed {seed} end {end}: told twice");
        }
    }
    // `Withdrawn` alone is missing: nobody here cancels a re-INVITE.
    let all = "Accepted Answered Confirmed Ended Expired Failed Gone Invited Lost Modified NoAck Offered Progress Rejected Unanswered";
    assert_eq!(happened, all.split(' ').map(str::to_string).collect());
}
