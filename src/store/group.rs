//! The orders that go into one transaction.

use core::ops::Range;
use std::sync::Arc;

use crate::limits;

use super::desk::Inbox;
use super::orders::{self, Key};
use super::shared::{Shared, add};

/// One group of orders. It stays as it is until it is carried out, however often that fails.
#[derive(Default)]
pub(super) struct Group {
    sources: Vec<Source>,
    /// From which source the next group takes first, so that none of them can keep the others out.
    first: usize,
    changes: Vec<Change>,
}

/// What one desk has handed in.
struct Source {
    inbox: Arc<Inbox>,
    orders: Vec<u8>,
    /// Before this all is carried out.
    done: usize,
    /// Where the orders of this group end.
    end: usize,
    /// How many orders these are.
    count: u64,
}

/// One order of the group.
struct Change {
    key: Key,
    source: usize,
    /// Where in the source stands what to remember; to forget if none.
    octets: Option<Range<usize>>,
}

/// What is to be done to a record in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect<'a> {
    /// To be written.
    Write(&'a [u8]),
    /// To be removed.
    Remove,
    /// Nothing: it was written and forgotten within the group.
    Nothing,
}

impl Group {
    /// Takes the next orders, as many as one transaction may have. Only when the last ones are carried out.
    pub(super) fn gather(&mut self, shared: &Shared) {
        self.meet(&shared.inboxes());
        let count = self.sources.len();
        let mut room = limits::STORE_GROUP_BYTES_MAX;
        for place in (self.first..count).chain(0..self.first) {
            room = self.sources[place].gather(place, room, &mut self.changes);
        }
        self.first = (self.first + 1) % count.max(1);
        // In the order of the file; of one record the order to forget first, whoever gave it.
        self.changes.sort_unstable_by(|a, b| a.rank().cmp(&b.rank()));
    }

    fn meet(&mut self, inboxes: &[Arc<Inbox>]) {
        let new = inboxes.iter().skip(self.sources.len());
        self.sources.extend(new.map(|inbox| Source::new(Arc::clone(inbox))));
    }

    /// What the group comes to, in the order of the file. A record is never written after it was forgotten, so the order
    /// to forget prevails.
    pub(super) fn effects(&self) -> impl Iterator<Item = (&Key, Effect<'_>)> {
        self.changes.chunk_by(|a, b| a.key == b.key).filter_map(|same| {
            let (first, last) = (same.first()?, same.last()?);
            let effect = match (&first.octets, &last.octets) {
                (Some(_), Some(octets)) => Effect::Write(&self.sources[last.source].orders[octets.clone()]),
                (None, Some(_)) => Effect::Nothing,
                (_, None) => Effect::Remove,
            };
            Some((&first.key, effect))
        })
    }

    /// The group is on disk: counts it, says so at the desks, and forgets it.
    pub(super) fn settle(&mut self, shared: &Shared) {
        let counters = &shared.counters;
        let writes = self.changes.iter().filter(|change| change.octets.is_some()).count();
        add(&counters.written, writes);
        add(&counters.forgotten, self.changes.len() - writes);
        add(&counters.short_lived, self.effects().filter(|(_, effect)| *effect == Effect::Nothing).count());
        self.changes.clear();
        self.sources.iter_mut().for_each(|source| source.settle(shared));
    }

    /// Wakes the owners of all desks.
    pub(super) fn wake_all(shared: &Shared) {
        shared.inboxes().iter().for_each(|inbox| inbox.wake());
    }
}

impl Source {
    const fn new(inbox: Arc<Inbox>) -> Source {
        Source { inbox, orders: Vec::new(), done: 0, end: 0, count: 0 }
    }

    /// Takes orders as long as there is room for them, and says how much is left.
    fn gather(&mut self, place: usize, room: usize, changes: &mut Vec<Change>) -> usize {
        if self.done == self.orders.len() {
            self.refill();
        }
        while self.end - self.done < room
            && let Some(order) = orders::at(&self.orders, self.end)
        {
            self.count += 1;
            self.end = order.end;
            changes.push(Change { key: order.key, source: place, octets: order.octets });
        }
        room.saturating_sub(self.end - self.done)
    }

    fn refill(&mut self) {
        orders::empty(&mut self.orders);
        (self.done, self.end) = (0, 0);
        self.inbox.take(&mut self.orders);
    }

    fn settle(&mut self, shared: &Shared) {
        if self.end == self.done {
            return;
        }
        shared.carried_out(self.end - self.done);
        self.done = self.end;
        self.inbox.tell(core::mem::take(&mut self.count));
    }
}

impl Change {
    fn rank(&self) -> (&Key, bool, usize, usize) {
        let start = self.octets.as_ref().map_or(0, |octets| octets.start);
        (&self.key, self.octets.is_some(), self.source, start)
    }
}
