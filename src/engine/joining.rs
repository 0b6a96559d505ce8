//! Joining the parts of a concatenated short message. TS 23.040 9.2.3.24.1; IWF V3.0 6.2.2.2.1.
//!
//! Parts come in any order and more than once. Their octets are kept as received and handed out in order, to be decoded
//! once as a whole. A set that stays incomplete ends at its deadline; a set that became complete is remembered until
//! then, so that a part which the SM-SC repeats because its answer was lost does not start a set of its own.
//!
//! After [`Joining::handle_timeout`] or [`Joining::handle_part`] drain [`Joining::poll_expired`], then arm
//! [`Joining::poll_timeout`].

use core::time::Duration;
use std::collections::VecDeque;

use hashbrown::HashTable;
use slab::Slab;

use super::{Moment, Now};
use crate::limits;
use crate::wire::short_message::National;

/// What to do with a set whose time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incomplete {
    /// Deliver the parts that came.
    #[default]
    DeliverWhatCame,
    /// Drop them; deliver_sm still unanswered get an error.
    Refuse,
}

/// Bounds and policy.
#[derive(Clone, Copy, Debug)]
pub struct JoiningOptions {
    /// How long after its first part a set waits for the others.
    pub timeout: Duration,
    /// What happens then.
    pub incomplete: Incomplete,
    /// Sets held, complete ones that are remembered among them.
    pub sets_max: usize,
    /// Octets of all parts held.
    pub octets_max: usize,
}

impl Default for JoiningOptions {
    fn default() -> JoiningOptions {
        JoiningOptions {
            timeout: Duration::from_secs(300),
            incomplete: Incomplete::DeliverWhatCame,
            sets_max: limits::JOINING_MAX,
            octets_max: limits::JOINING_BYTES_MAX,
        }
    }
}

/// One part as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Position, 1 to `total`.
    pub number: u8,
    /// Parts of the message.
    pub total: u8,
    /// The deliver_sm whose answer may be waiting, in the caller's own numbering.
    pub ticket: u64,
    /// Its data_coding.
    pub data_coding: u8,
    /// The national tables its header named.
    pub national: National,
    /// Its text behind the header, not decoded.
    pub octets: &'a [u8],
}

/// What became of a part.
#[derive(Debug)]
pub enum Outcome {
    /// The message has only this part: nothing was kept.
    Single,
    /// It is kept and others are missing.
    Stored,
    /// It was the last missing one.
    Complete(Joined),
    /// The same part was there already, in this set or in one completed a short time ago.
    Duplicate,
    /// There is no room: refuse it for now.
    Full,
    /// Its number is zero or above its total.
    Unusable,
}

/// The parts of one message in order of their numbers, owned: give it back with [`Joining::recycle`].
#[derive(Debug, Default)]
pub struct Joined {
    key: u64,
    total: u8,
    parts: Vec<StoredPart>,
    octets: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct StoredPart {
    number: u8,
    ticket: u64,
    data_coding: u8,
    national: National,
    digest: u64,
    start: usize,
    len: usize,
}

impl Joined {
    /// The key the parts came with.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// Whether no part is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.parts.len() == usize::from(self.total)
    }

    /// The parts, ascending.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.parts.iter().map(|part| Part {
            number: part.number,
            total: self.total,
            ticket: part.ticket,
            data_coding: part.data_coding,
            national: part.national,
            octets: self.octets.get(part.start..part.start + part.len).unwrap_or_default(),
        })
    }
}

/// A set whose time is over, and what to do with it.
#[derive(Debug)]
pub struct Expired {
    /// The policy.
    pub incomplete: Incomplete,
    /// The parts that came.
    pub joined: Joined,
}

/// One set.
#[derive(Debug)]
struct Set {
    deadline: Moment,
    /// Tells this set from an earlier one in the same place of the slab.
    generation: u64,
    joined: Joined,
    /// Handed out already; only the digests are kept.
    complete: bool,
}

/// The table of sets.
#[derive(Debug)]
pub struct Joining {
    options: JoiningOptions,
    sets: Slab<Set>,
    /// Places in `sets` by key.
    by_key: HashTable<usize>,
    /// Places and generations in the order of their deadlines, which is the order of their first parts.
    deadlines: VecDeque<(usize, u64)>,
    expired: VecDeque<Joined>,
    spare: Vec<Joined>,
    octets: usize,
    generations: u64,
}

impl Joining {
    /// An empty table.
    #[must_use]
    pub fn new(options: JoiningOptions) -> Joining {
        Joining {
            options,
            sets: Slab::new(),
            by_key: HashTable::new(),
            deadlines: VecDeque::new(),
            expired: VecDeque::new(),
            spare: Vec::new(),
            octets: 0,
            generations: 0,
        }
    }

    /// Sets held, those remembered after completion among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Octets of the parts held.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Takes a part in. `key` is a keyed hash of all that its message's parts share: account, sender, recipient, width
    /// of the reference, reference, total.
    pub fn handle_part(&mut self, now: Now, key: u64, part: Part<'_>) -> Outcome {
        let full = self.octets + part.octets.len() > self.options.octets_max;
        self.take_part(key, part, full, |joining| joining.open(now, key, part.total))
    }

    /// The same for a part that an earlier run has acknowledged: the bounds do not turn it away.
    pub fn handle_kept_part(&mut self, now: Now, key: u64, part: Part<'_>) -> Outcome {
        self.take_part(key, part, false, |joining| Some(joining.begin(now, key, part.total)))
    }

    fn take_part(
        &mut self,
        key: u64,
        part: Part<'_>,
        full: bool,
        open: impl FnOnce(&mut Joining) -> Option<usize>,
    ) -> Outcome {
        if part.number == 0 || part.number > part.total {
            return Outcome::Unusable;
        }
        if part.total == 1 {
            return Outcome::Single;
        }
        let digest = digest(part.octets);
        match self.place_for(key, part.number, digest) {
            Place::Duplicate => Outcome::Duplicate,
            _ if full => Outcome::Full,
            Place::In(place) => self.store(place, part, digest),
            Place::New => match open(self) {
                Some(place) => self.store(place, part, digest),
                None => Outcome::Full,
            },
        }
    }

    /// Ends the set of a key, if there is one, as if its deadline had come.
    pub fn end_set(&mut self, key: u64) {
        if let Some(place) = self.find(key) {
            self.end(place);
        }
    }

    /// The message that was handed out could not be delivered now, and the sender will repeat its part `without`: the
    /// other parts wait for it again, for the whole time. They were acknowledged, so the bounds do not turn them away. A
    /// set that was begun under the key meanwhile ends.
    pub fn put_back(&mut self, now: Now, joined: &Joined, without: u8) {
        if let Some(place) = self.find(joined.key) {
            self.end(place);
        }
        let mut parts = joined.parts().filter(|part| part.number != without).peekable();
        if parts.peek().is_none() {
            return;
        }
        let place = self.begin(now, joined.key, joined.total);
        for part in parts {
            let digest = digest(part.octets);
            let _stored = self.store(place, part, digest);
        }
    }

    /// A message was handed out in an earlier run, with `last` as the part that completed it: that part may come again.
    pub fn remember(&mut self, now: Now, key: u64, last: Part<'_>) {
        self.end_set(key);
        let place = self.begin(now, key, last.total);
        let Part { number, ticket, data_coding, national, octets, .. } = last;
        let known = StoredPart { number, ticket, data_coding, national, digest: digest(octets), start: 0, len: 0 };
        let set = &mut self.sets[place];
        set.complete = true;
        set.joined.parts.push(known);
    }

    /// Ends the sets whose deadline has come.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((place, generation)) = self.deadlines.front().copied() {
            match self.sets.get(place).filter(|set| set.generation == generation) {
                Some(set) if set.deadline > now.moment => return,
                Some(_) => self.end(place),
                None => {}
            }
            self.deadlines.pop_front();
        }
    }

    /// Ends every set now, as if its deadline had come.
    pub fn end_all(&mut self) {
        while let Some((place, generation)) = self.deadlines.pop_front() {
            if self.sets.get(place).is_some_and(|set| set.generation == generation) {
                self.end(place);
            }
        }
    }

    /// The next set that ended incomplete.
    pub fn poll_expired(&mut self) -> Option<Expired> {
        let joined = self.expired.pop_front()?;
        Some(Expired { incomplete: self.options.incomplete, joined })
    }

    /// When [`Joining::handle_timeout`] has something to do.
    pub fn poll_timeout(&mut self) -> Option<Moment> {
        while let Some((place, generation)) = self.deadlines.front() {
            match self.sets.get(*place).filter(|set| set.generation == *generation) {
                Some(set) => return Some(set.deadline),
                None => self.deadlines.pop_front(),
            };
        }
        None
    }

    /// Takes the buffers of a set back for the next one.
    pub fn recycle(&mut self, mut joined: Joined) {
        const SPARE_MAX: usize = 64;
        if self.spare.len() < SPARE_MAX {
            joined.parts.clear();
            joined.octets.clear();
            self.spare.push(joined);
        }
    }

    /// Where a part belongs. A number that comes again with other octets is a new message under a reused reference:
    /// the set before it will not be completed any more.
    fn place_for(&mut self, key: u64, number: u8, digest: u64) -> Place {
        let Some(place) = self.find(key) else { return Place::New };
        let set = &self.sets[place];
        let same_number = set.joined.parts.iter().find(|part| part.number == number);
        match same_number {
            Some(part) if part.digest == digest => Place::Duplicate,
            None if !set.complete => Place::In(place),
            _ => {
                self.end(place);
                Place::New
            }
        }
    }

    fn find(&self, key: u64) -> Option<usize> {
        self.by_key.find(key, |place| self.sets[*place].joined.key == key).copied()
    }

    fn open(&mut self, now: Now, key: u64, total: u8) -> Option<usize> {
        self.forget_complete();
        if self.sets.len() >= self.options.sets_max {
            return None;
        }
        Some(self.begin(now, key, total))
    }

    fn begin(&mut self, now: Now, key: u64, total: u8) -> usize {
        let joined = Joined { key, total, ..self.spare.pop().unwrap_or_default() };
        self.generations += 1;
        let generation = self.generations;
        let deadline = now.moment + self.options.timeout;
        let place = self.sets.insert(Set { deadline, generation, joined, complete: false });
        self.by_key.insert_unique(key, place, |place| self.sets[*place].joined.key);
        self.deadlines.push_back((place, generation));
        self.drop_stale_deadlines();
        place
    }

    /// A sender who reuses a reference again and again leaves deadlines of ended sets behind.
    fn drop_stale_deadlines(&mut self) {
        const SLACK: usize = 64;
        if self.deadlines.len() > 2 * self.sets.len() + SLACK {
            let sets = &self.sets;
            let current = |place, generation| sets.get(place).is_some_and(|set: &Set| set.generation == generation);
            self.deadlines.retain(|(place, generation)| current(*place, *generation));
        }
    }

    /// Under pressure the oldest sets go first if they are only remembered.
    fn forget_complete(&mut self) {
        while self.sets.len() >= self.options.sets_max {
            match self.deadlines.front().copied() {
                Some((place, generation)) => {
                    let set = self.sets.get(place).filter(|set| set.generation == generation);
                    match set.map(|set| set.complete) {
                        Some(false) => return,
                        Some(true) => self.end(place),
                        None => {}
                    }
                    self.deadlines.pop_front();
                }
                None => return,
            }
        }
    }

    fn store(&mut self, place: usize, part: Part<'_>, digest: u64) -> Outcome {
        let set = &mut self.sets[place];
        let joined = &mut set.joined;
        let (start, len) = (joined.octets.len(), part.octets.len());
        let Part { number, ticket, data_coding, national, octets, .. } = part;
        joined.octets.extend_from_slice(octets);
        let at = joined.parts.partition_point(|known| known.number < number);
        joined.parts.insert(at, StoredPart { number, ticket, data_coding, national, digest, start, len });
        self.octets += len;
        if self.sets[place].joined.is_complete() { self.complete(place) } else { Outcome::Stored }
    }

    /// Hands the set out and keeps what is needed to know its parts again.
    fn complete(&mut self, place: usize) -> Outcome {
        let set = &mut self.sets[place];
        set.complete = true;
        self.octets -= set.joined.octets.len();
        let Joined { key, total, .. } = set.joined;
        let octets = core::mem::take(&mut set.joined.octets);
        Outcome::Complete(Joined { key, total, parts: set.joined.parts.clone(), octets })
    }

    /// Takes a set out of the table, to `expired` if it was not handed out before.
    fn end(&mut self, place: usize) {
        let set = self.sets.remove(place);
        let key = set.joined.key;
        if let Ok(entry) = self.by_key.find_entry(key, |known| *known == place) {
            entry.remove();
        }
        self.octets -= set.joined.octets.len();
        if set.complete {
            self.recycle(set.joined);
        } else {
            self.expired.push_back(set.joined);
        }
    }
}

enum Place {
    New,
    In(usize),
    Duplicate,
}

/// FNV-1a: tells a repeated part from another one of the same sender. A sender who makes them collide loses a part of
/// his own message.
fn digest(octets: &[u8]) -> u64 {
    octets.iter().fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01B3))
}
