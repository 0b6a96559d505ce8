//! What the store's thread, its owner and the desks all see.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::desk::Inbox;

/// What a store has done since it was opened, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Orders to write that were carried out.
    pub written: u64,
    /// Orders to forget that were carried out.
    pub forgotten: u64,
    /// Records that were written and forgotten within one group, and so never came into the file.
    pub short_lived: u64,
    /// Records that were removed because their time was over.
    pub expired: u64,
    /// Transactions that changed the file.
    pub commits: u64,
    /// Transactions that failed.
    pub failed_commits: u64,
    /// Microseconds that all of `commits` took.
    pub commit_us_total: u64,
    /// Octets of orders that were handed in and are not carried out.
    pub waiting_bytes: u64,
    /// The last transaction failed and is being tried again.
    pub failing: bool,
    /// Why a transaction failed the last time; empty if none has.
    pub last_error: String,
}

/// The same while it changes.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) written: AtomicU64,
    pub(super) forgotten: AtomicU64,
    pub(super) short_lived: AtomicU64,
    pub(super) expired: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) failed_commits: AtomicU64,
    pub(super) waiting_bytes: AtomicU64,
    commit_us_total: AtomicU64,
}

/// What all see.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) counters: Counters,
    failing: AtomicBool,
    closing: AtomicBool,
    last_error: Mutex<String>,
    /// One for each desk, in the order in which they were made.
    inboxes: Mutex<Vec<Arc<Inbox>>>,
}

/// Adds to a count that nothing hangs on.
pub(super) fn add(count: &AtomicU64, more: usize) {
    // An usize has no more than 64 bits anywhere.
    count.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// What a lock protects here is whole at every moment, so a thread that panicked has left nothing half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn inboxes(&self) -> MutexGuard<'_, Vec<Arc<Inbox>>> {
        lock(&self.inboxes)
    }

    /// Whether orders wait that nobody has carried out.
    pub(super) fn is_waiting(&self) -> bool {
        self.counters.waiting_bytes.load(Ordering::Acquire) > 0
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Whether the store has begun or ceased to fail by it.
    pub(super) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::AcqRel) != failing
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// So many octets of orders wait no longer.
    pub(super) fn carried_out(&self, octets: usize) {
        self.counters.waiting_bytes.fetch_sub(u64::try_from(octets).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(super) fn note_error(&self, error: String) {
        add(&self.counters.failed_commits, 1);
        *lock(&self.last_error) = error;
    }

    pub(super) fn note_commit(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters.commit_us_total.fetch_add(took, Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> Status {
        let counters = &self.counters;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Status {
            written: read(&counters.written),
            forgotten: read(&counters.forgotten),
            short_lived: read(&counters.short_lived),
            expired: read(&counters.expired),
            commits: read(&counters.commits),
            failed_commits: read(&counters.failed_commits),
            commit_us_total: read(&counters.commit_us_total),
            waiting_bytes: read(&counters.waiting_bytes),
            failing: self.is_failing(),
            last_error: lock(&self.last_error).clone(),
        }
    }
}
