//! What the SM-SC side does later, in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sender::Report;
use crate::engine::Moment;
use crate::engine::transport::LinkId;

/// Something to be done later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task {
    /// Answer a submission that was taken.
    Respond { link: LinkId, sequence: u32, id: u64 },
    /// Send a status report.
    Report(Report),
}

/// What is to be done later; of the same time, what was added first.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// When, in which order, and where the task is.
    order: BinaryHeap<Reverse<(Moment, u64, usize)>>,
    tasks: slab::Slab<Task>,
    added: u64,
}

impl Later {
    pub(super) fn add(&mut self, at: Moment, task: Task) {
        self.added += 1;
        let place = self.tasks.insert(task);
        self.order.push(Reverse((at, self.added, place)));
    }

    /// What is due next.
    pub(super) fn poll(&mut self, now: Moment) -> Option<Task> {
        let Reverse((at, _, place)) = *self.order.peek()?;
        if at > now {
            return None;
        }
        self.order.pop();
        self.tasks.try_remove(place)
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.order.peek().map(|Reverse((at, ..))| *at)
    }
}
