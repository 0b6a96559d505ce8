//! Parts of concatenated short messages in any order: every part that was kept comes out once, as it came, and the table
//! stays within its bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use isthmus::engine::joining::{Expired, Incomplete, Joined, Joining, JoiningOptions, Outcome, Part};
use isthmus::engine::{Moment, Now};
use isthmus::wire::short_message::National;

use super::input::Input;

const STEPS_MAX: usize = 400;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.check();
    }
    world.end();
}

struct World {
    joining: Joining,
    options: JoiningOptions,
    now: Now,
    tickets: u64,
    /// Parts that were kept and have not come out.
    kept: BTreeMap<u64, Vec<u8>>,
    /// Parts that were put back: for want of room they may be lost.
    put_back: BTreeSet<u64>,
    last: Option<Joined>,
}

impl World {
    fn new(input: &mut Input<'_>) -> World {
        let options = JoiningOptions {
            timeout: Duration::from_secs(60),
            incomplete: if input.below(2) == 0 { Incomplete::DeliverWhatCame } else { Incomplete::Refuse },
            sets_max: 1 + input.below(8),
            octets_max: 1 + input.below(256),
        };
        let now = Now { moment: Moment(1), unix_ms: 0 };
        let (kept, put_back) = (BTreeMap::new(), BTreeSet::new());
        World { joining: Joining::new(options), options, now, tickets: 0, kept, put_back, last: None }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(8) {
            0..=4 => self.part(input),
            5 => self.put_back(input),
            6 => self.pass(Duration::from_secs(u64::from(input.u8() % 80))),
            _ => self.joining.end_all(),
        }
        while let Some(Expired { incomplete, joined }) = self.joining.poll_expired() {
            assert_eq!(incomplete, self.options.incomplete);
            assert!(!joined.is_complete());
            self.came_out(&joined);
            self.joining.recycle(joined);
        }
    }

    fn part(&mut self, input: &mut Input<'_>) {
        let what = input.u8();
        // The key says the total as well.
        let (key, total) = (u64::from(what & 0x1F), what >> 2 & 7);
        let (number, octets) = (input.u8() % 8, input.octets());
        self.tickets += 1;
        let ticket = self.tickets;
        let part = Part { number, total, ticket, data_coding: 0, national: National::NONE, octets };
        match self.joining.handle_part(self.now, key, part) {
            Outcome::Stored => drop(self.kept.insert(ticket, octets.to_vec())),
            Outcome::Complete(joined) => {
                self.kept.insert(ticket, octets.to_vec());
                assert!(joined.is_complete());
                let numbers = joined.parts().map(|part| part.number);
                assert!(numbers.eq(1..=total), "no part twice, none missing");
                self.came_out(&joined);
                self.last = Some(joined);
            }
            Outcome::Single => assert_eq!((number, total), (1, 1)),
            Outcome::Unusable => assert!(number == 0 || number > total),
            Outcome::Duplicate | Outcome::Full => {}
        }
    }

    /// The message could not be delivered.
    fn put_back(&mut self, input: &mut Input<'_>) {
        let Some(joined) = self.last.take() else { return };
        let without = input.u8() % 8;
        for part in joined.parts().filter(|part| part.number != without) {
            self.put_back.insert(part.ticket);
            self.kept.insert(part.ticket, part.octets.to_vec());
        }
        self.joining.put_back(self.now, &joined, without);
        self.joining.recycle(joined);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.joining.handle_timeout(self.now);
    }

    fn came_out(&mut self, joined: &Joined) {
        for part in joined.parts() {
            let kept = self.kept.remove(&part.ticket).expect("it was kept and had not come out");
            assert_eq!(kept, part.octets);
            self.put_back.remove(&part.ticket);
        }
    }

    fn check(&mut self) {
        assert!(self.joining.len() <= self.options.sets_max);
        assert!(self.joining.octets() <= self.options.octets_max);
        assert_eq!(self.joining.poll_timeout().is_none(), self.joining.is_empty());
        assert!(self.joining.poll_timeout().is_none_or(|at| at > self.now.moment));
    }

    fn end(mut self) {
        self.pass(Duration::from_secs(61));
        while let Some(expired) = self.joining.poll_expired() {
            self.came_out(&expired.joined);
        }
        assert!(self.joining.is_empty() && self.joining.octets() == 0);
        self.kept.retain(|ticket, _| !self.put_back.contains(ticket));
        assert!(self.kept.is_empty(), "lost: {:?}", self.kept);
    }
}
