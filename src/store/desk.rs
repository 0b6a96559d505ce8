//! Where a core leaves its orders, and hears how far they are carried out.

use core::fmt;
use core::mem::swap;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crossbeam::sync::Unparker;

use crate::engine::transport::RecordId;

use super::orders;
use super::shared::{Shared, add, lock};
use crate::limits;

/// The desk of one core. Nothing here waits for the disk.
pub struct Desk {
    /// Orders that were not handed in.
    orders: Vec<u8>,
    /// How many orders were handed in.
    handed: u64,
    /// Those that were given and not handed in.
    given: u64,
    /// How many orders were last said to be carried out.
    told: u64,
    /// Since when nothing was, though there are orders.
    since: Option<Instant>,
    inbox: Arc<Inbox>,
    shared: Arc<Shared>,
    unparker: Unparker,
}

/// What a desk and the store's thread hand each other.
pub(super) struct Inbox {
    orders: Mutex<Vec<u8>>,
    /// How many orders of this desk are carried out.
    done: AtomicU64,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, unparker: Unparker, wake: Box<dyn Fn() + Send + Sync>) -> Desk {
        let inbox = Arc::new(Inbox { orders: Mutex::new(Vec::new()), done: AtomicU64::new(0), wake });
        shared.inboxes().push(Arc::clone(&inbox));
        Desk { orders: Vec::new(), handed: 0, given: 0, told: 0, since: None, inbox, shared, unparker }
    }

    /// Orders a record to be written. No two records have the same name.
    pub fn write(&mut self, record: RecordId, octets: &[u8]) {
        self.given += 1;
        orders::write(&mut self.orders, record, octets);
    }

    /// Orders a record to be removed: one that was written at this desk, or one of which the desk where it was has been
    /// told that it is written. One that is not there is no error.
    pub fn forget(&mut self, record: RecordId) {
        self.given += 1;
        orders::forget(&mut self.orders, record);
    }

    /// Hands in what was ordered; once a turn of the core. What is not handed in is not written, also when the store is
    /// closed.
    pub fn hand_in(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        self.handed += core::mem::take(&mut self.given);
        self.since.get_or_insert_with(Instant::now);
        self.inbox.put(&self.shared, &mut self.orders);
        self.unparker.unpark();
    }

    /// How many of the orders that were given here, to write and to forget, are carried out, in the order in which they
    /// were given; if that is more than when it was asked for last.
    pub fn done(&mut self) -> Option<u64> {
        let done = self.inbox.done.load(Ordering::Acquire);
        if done == self.told {
            return None;
        }
        self.told = done;
        self.since = (done < self.handed).then(Instant::now);
        Some(done)
    }

    /// Whether nothing can be written at the moment: it was tried in vain, or the disk has not answered for
    /// [`limits::STORE_SILENCE_S_MAX`]. What was ordered is kept and tried again.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.shared.is_failing()
            || self.since.is_some_and(|since| since.elapsed().as_secs() >= limits::STORE_SILENCE_S_MAX)
    }
}

impl Inbox {
    /// Takes all of `more`, and leaves an empty buffer.
    fn put(&self, shared: &Shared, more: &mut Vec<u8>) {
        let mut orders = lock(&self.orders);
        // Below the lock: who sees that something waits finds it, and it is not taken off before it was added.
        add(&shared.counters.waiting_bytes, more.len());
        if orders.is_empty() {
            return swap(&mut *orders, more);
        }
        orders.extend_from_slice(more);
        orders::empty(more);
    }

    /// Gives all that was handed in for the empty buffer `orders`.
    pub(super) fn take(&self, orders: &mut Vec<u8>) {
        swap(&mut *lock(&self.orders), orders);
    }

    /// Says that so many more orders are carried out.
    pub(super) fn tell(&self, orders: u64) {
        self.done.fetch_add(orders, Ordering::Release);
        self.wake();
    }

    pub(super) fn wake(&self) {
        (self.wake)();
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("told", &self.told).finish_non_exhaustive()
    }
}
