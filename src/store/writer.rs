//! The store's thread: sleeps until something is ordered, and writes it.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam::sync::Parker;

use crate::limits;

use super::Tempo;
use super::disk::{Disk, Done};
use super::group::Group;
use super::shared::{Shared, add};

/// Says the time: seconds since 1970-01-01T00:00:00Z.
pub(super) type Clock = Box<dyn Fn() -> u32 + Send>;

/// What the thread has.
pub(super) struct Writer {
    shared: Arc<Shared>,
    parker: Parker,
    disk: Disk,
    group: Group,
    clock: Clock,
    tempo: Tempo,
    /// Before this no transaction begins.
    next: Instant,
    /// When records beyond their time are looked for though nothing is ordered.
    look: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, parker: Parker, disk: Disk, clock: Clock, tempo: Tempo) -> Writer {
        let now = Instant::now();
        Writer { shared, parker, disk, group: Group::default(), clock, tempo, next: now, look: now }
    }

    /// Writes until the store is closed.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        // However the thread ends, nothing is written afterwards.
        let _end = End(&shared);
        loop {
            // Before the orders are looked at: what was handed in before the closing is seen.
            let closing = self.shared.is_closing();
            let waiting = self.shared.is_waiting();
            if !waiting && closing {
                return;
            }
            if !waiting && Instant::now() < self.look {
                self.parker.park_deadline(self.look);
            } else if !self.write_group(closing) {
                return;
            }
        }
    }

    /// Whether it was written in the end.
    fn write_group(&mut self, closing: bool) -> bool {
        if !closing {
            thread::sleep(self.next.saturating_duration_since(Instant::now()));
        }
        self.group.gather(&self.shared);
        let mut tries = 0;
        while !self.try_group() {
            tries += u32::from(self.shared.is_closing());
            if tries >= limits::STORE_CLOSING_TRIES_MAX {
                return false;
            }
            self.rest();
        }
        true
    }

    fn try_group(&mut self) -> bool {
        let began = Instant::now();
        self.next = began + self.tempo.commit;
        match self.disk.carry_out(&self.group, (self.clock)()) {
            Ok(done) => {
                self.written(&done, began);
                true
            }
            Err(error) => {
                self.shared.note_error(error);
                self.set_failing(true);
                false
            }
        }
    }

    fn written(&mut self, done: &Done, began: Instant) {
        if done.changed {
            self.shared.note_commit(began.elapsed());
        }
        add(&self.shared.counters.expired, done.expired);
        let more = done.expired == limits::STORE_EXPIRED_PER_GROUP_MAX;
        self.look = if more { began } else { began + self.tempo.look };
        // Before the desks are told: who hears of his record does not find the store failing.
        self.set_failing(false);
        self.group.settle(&self.shared);
    }

    fn set_failing(&self, failing: bool) {
        if self.shared.set_failing(failing) {
            Group::wake_all(&self.shared);
        }
    }

    /// Waits before the next try; ends early when the store is closed meanwhile.
    fn rest(&self) {
        let closing = self.shared.is_closing();
        let end = Instant::now() + self.tempo.retry;
        while Instant::now() < end && self.shared.is_closing() == closing {
            self.parker.park_deadline(end);
        }
    }
}

/// Says that nothing is written any more when the thread ends with orders that wait.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.0.is_waiting() && self.0.set_failing(true) {
            Group::wake_all(self.0);
        }
    }
}
