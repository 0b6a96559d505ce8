//! Submissions that wait for the window, the rate or the end of a throttling pause, in the order they were made.

use std::collections::VecDeque;

use crate::engine::Moment;
use crate::wire::smpp::{CommandId, CommandStatus};

/// A submission that waits. Its PDU is complete but for the sequence number.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) rank: u64,
    pub(super) token: u64,
    pub(super) command_id: CommandId,
    pub(super) until: Moment,
    pub(super) retry_throttled: bool,
    pub(super) pdu: Vec<u8>,
    /// What the SM-SC said when it was sent before.
    pub(super) throttled: Option<CommandStatus>,
}

/// A bounded queue by rank.
#[derive(Debug)]
pub(super) struct Pending {
    queue: VecDeque<Waiting>,
    max: usize,
    /// At or before the earliest deadline in the queue.
    earliest: Option<Moment>,
}

impl Pending {
    pub(super) fn new(max: usize) -> Pending {
        Pending { queue: VecDeque::new(), max, earliest: None }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.max
    }

    /// Queues a submission at its rank: a new one behind all, a throttled one before those made after it. The latter may
    /// exceed the bound by as many as the window holds.
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.earliest = Some(self.earliest.map_or(waiting.until, |earliest| earliest.min(waiting.until)));
        let place = self.queue.partition_point(|other| other.rank < waiting.rank);
        self.queue.insert(place, waiting);
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.queue.pop_front();
        if self.queue.is_empty() {
            self.earliest = None;
        }
        waiting
    }

    /// When a deadline may have passed.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.earliest.filter(|earliest| *earliest < Moment(u64::MAX))
    }

    /// Takes out one whose deadline has passed; `None` when there is no more, and then the deadline is exact again.
    pub(super) fn pop_overdue(&mut self, now: Moment) -> Option<Waiting> {
        let overdue = self.queue.iter().position(|waiting| waiting.until <= now);
        if overdue.is_none() {
            self.earliest = self.queue.iter().map(|waiting| waiting.until).min();
        }
        self.queue.remove(overdue?)
    }
}
