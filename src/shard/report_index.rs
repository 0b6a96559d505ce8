//! The index of open message_ids: which message a status report belongs to (IWF 6.2.2.1.2 step 1).
//!
//! A report may come before the submit response, so one that finds nothing is held for a short while before the SM-SC is
//! told ESME_RINVMSGID. One whose answer was lost comes again when its message is over, so ids are remembered for a while
//! after they have done their service.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};
use slab::Slab;

use crate::engine::Moment;
use crate::engine::wheel::{TimerId, Wheel};
use crate::limits;

use super::handoff::{Report, SegmentRef};

/// The build hasher of tables whose keys are already keyed hashes.
type Hashed = foldhash::fast::FixedState;

#[derive(Debug)]
struct Open {
    hash: u64,
    whose: SegmentRef,
    timer: TimerId,
}

#[derive(Debug)]
struct Held {
    hash: u64,
    report: Report,
    until: Moment,
}

/// What a report found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Its message.
    Message(SegmentRef),
    /// Nothing yet; it waits.
    Held,
    /// Nothing, and there is no room to wait.
    Full,
}

/// A report that waited in vain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unclaimed {
    /// It is for a message that is over.
    Closed(Report),
    /// Nobody knows what it is for.
    Unknown(Report),
}

/// Open ids and held reports of one index shard.
#[derive(Debug)]
pub(super) struct ReportIndex {
    by_hash: HashMap<u64, u32, Hashed>,
    open: Slab<Open>,
    timers: Wheel,
    /// In order of their deadlines, since all are held for the same time.
    held: VecDeque<Held>,
    /// How many of them wait for each id, so that the usual one, for which none waits, is not searched for.
    held_for: HashMap<u64, u32, Hashed>,
    closed: HashSet<u64, Hashed>,
    /// The same in the order of their closing, to forget the oldest.
    closed_order: VecDeque<u64>,
}

impl ReportIndex {
    pub(super) fn new() -> ReportIndex {
        ReportIndex {
            by_hash: HashMap::with_hasher(Hashed::default()),
            open: Slab::new(),
            timers: Wheel::new(),
            held: VecDeque::new(),
            held_for: HashMap::with_capacity_and_hasher(2 * limits::HELD_REPORTS_MAX, Hashed::default()),
            // Twice what it holds: with less, ids that come and go would make it grow once more.
            closed: HashSet::with_capacity_and_hasher(2 * limits::CLOSED_REPORTS_MAX, Hashed::default()),
            closed_order: VecDeque::with_capacity(limits::CLOSED_REPORTS_MAX + 1),
        }
    }

    /// Number of open ids.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Number of reports that wait for their message.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Opens an id until `until`. An id that the SM-SC gives out again belongs to the newer message. When the table is
    /// full the id is not kept and `false` is returned; its report will not be found.
    pub(super) fn register(&mut self, hash: u64, whose: SegmentRef, until: Moment) -> bool {
        self.remove(hash);
        self.closed.remove(&hash);
        if self.open.len() >= limits::OPEN_REPORTS_MAX {
            return false;
        }
        let entry = self.open.vacant_entry();
        let key = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let timer = self.timers.arm(until, u64::from(key));
        entry.insert(Open { hash, whose, timer });
        self.by_hash.insert(hash, key);
        true
    }

    /// Takes a held report for `hash`; call until there is none.
    pub(super) fn release(&mut self, hash: u64) -> Option<Report> {
        if !self.held_for.contains_key(&hash) {
            return None;
        }
        let at = self.held.iter().position(|held| held.hash == hash)?;
        self.let_go(at)
    }

    fn let_go(&mut self, at: usize) -> Option<Report> {
        let Held { hash, report, .. } = self.held.remove(at)?;
        let count = self.held_for.get_mut(&hash).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if count == 0 {
            self.held_for.remove(&hash);
        }
        Some(report)
    }

    /// Looks up the message of a report, or holds it until `until`.
    pub(super) fn find(&mut self, hash: u64, report: Report, until: Moment) -> Found {
        if let Some(open) = self.by_hash.get(&hash).and_then(|&key| self.open.get(key as usize)) {
            return Found::Message(open.whose);
        }
        // Also an id that was closed may be given out again, and this be the early report of the new message.
        if self.held.len() >= limits::HELD_REPORTS_MAX {
            return Found::Full;
        }
        self.held.push_back(Held { hash, report, until });
        *self.held_for.entry(hash).or_default() += 1;
        Found::Held
    }

    /// Closes an id if it is still `whose`.
    pub(super) fn forget(&mut self, hash: u64, whose: SegmentRef) {
        let open = self.by_hash.get(&hash).and_then(|&key| self.open.get(key as usize));
        if open.is_some_and(|open| open.whose == whose) {
            self.remove(hash);
            self.remember(hash);
        }
    }

    fn remember(&mut self, hash: u64) {
        if self.closed.insert(hash) {
            self.closed_order.push_back(hash);
        }
        if self.closed_order.len() > limits::CLOSED_REPORTS_MAX
            && let Some(oldest) = self.closed_order.pop_front()
        {
            self.closed.remove(&oldest);
        }
    }

    fn remove(&mut self, hash: u64) {
        let Some(key) = self.by_hash.remove(&hash) else { return };
        let open = self.open.remove(key as usize);
        self.timers.cancel(open.timer);
    }

    /// The next report that waited in vain. Ids whose time is over go as well.
    pub(super) fn poll_expired(&mut self, now: Moment) -> Option<Unclaimed> {
        while let Some(key) = self.timers.poll(now) {
            if let Some(open) = usize::try_from(key).ok().and_then(|key| self.open.try_remove(key)) {
                self.by_hash.remove(&open.hash);
            }
        }
        let hash = self.held.front().filter(|held| held.until <= now)?.hash;
        let report = self.let_go(0)?;
        Some(if self.closed.contains(&hash) { Unclaimed::Closed(report) } else { Unclaimed::Unknown(report) })
    }

    /// When to call `poll_expired` next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let held = self.held.front().map(|held| held.until);
        [held, self.timers.next_deadline()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::smpp::DeliveryId;
    use crate::engine::transport::ShardId;
    use crate::observe::Trace;
    use crate::shard::handoff::DeliverRef;
    use crate::wire::inline::Inline;
    use crate::wire::smpp::{CommandId, MessageState};

    fn report() -> Report {
        let delivery = DeliveryId { connection: 1, sequence_number: 1, command_id: CommandId::DELIVER_SM };
        let deliver = DeliverRef { shard: ShardId(0), bind: 0, smsc: 0, delivery };
        Report {
            deliver,
            message_id: Inline::new(),
            state: MessageState::DELIVERED,
            intermediate: false,
            trace: Trace::default(),
        }
    }

    #[test]
    fn an_id_that_was_closed_is_known_unless_it_is_given_out_again_meanwhile() {
        let mut index = ReportIndex::new();
        let whose = SegmentRef { owner: ShardId(0), message: 1, segment: 0 };
        index.register(7, whose, Moment(90_000));
        assert_eq!(index.find(7, report(), Moment(1)), Found::Message(whose));
        index.forget(7, whose);
        assert_eq!(index.find(7, report(), Moment(2_000)), Found::Held);
        assert_eq!(index.find(8, report(), Moment(2_000)), Found::Held);
        assert_eq!(index.poll_expired(Moment(2_000)), Some(Unclaimed::Closed(report())));
        assert_eq!(index.poll_expired(Moment(2_000)), Some(Unclaimed::Unknown(report())));
        assert_eq!(index.find(7, report(), Moment(9_000)), Found::Held);
        let newer = SegmentRef { message: 2, ..whose };
        index.register(7, newer, Moment(90_000));
        assert_eq!(index.release(7), Some(report()));
        assert_eq!(index.find(7, report(), Moment(1)), Found::Message(newer));
        assert_eq!(index.poll_expired(Moment(9_000)), None);
    }

    #[test]
    fn no_more_closed_ids_are_remembered_than_there_may_be() {
        let mut index = ReportIndex::new();
        let whose = SegmentRef { owner: ShardId(0), message: 1, segment: 0 };
        for hash in 0..limits::CLOSED_REPORTS_MAX as u64 + 10 {
            index.register(hash, whose, Moment(9));
            index.forget(hash, whose);
        }
        assert_eq!(index.closed.len(), limits::CLOSED_REPORTS_MAX);
        assert!(!index.closed.contains(&9) && index.closed.contains(&10));
    }
}
