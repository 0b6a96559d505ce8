//! Mails that wait, in the order they were made.

use std::collections::VecDeque;

use super::Mail;
use crate::engine::Moment;

/// A mail that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) mail: Mail,
    /// Whether it was begun before, on a connection that was lost.
    pub(super) is_repeated: bool,
}

impl Waiting {
    pub(super) fn is_overdue(&self, now: Moment) -> bool {
        self.mail.until.is_some_and(|until| until <= now)
    }
}

/// A queue; its owner holds the bound.
#[derive(Debug, Default)]
pub(super) struct Queue {
    mails: VecDeque<Waiting>,
    /// At or before the earliest moment in the queue.
    earliest: Option<Moment>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }

    pub(super) fn push(&mut self, mail: Mail) {
        self.note(&mail);
        self.mails.push_back(Waiting { mail, is_repeated: false });
    }

    /// Queues a mail once more, before all others.
    pub(super) fn put_back(&mut self, mail: Mail) {
        self.note(&mail);
        self.mails.push_front(Waiting { mail, is_repeated: true });
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.mails.pop_front();
        if self.mails.is_empty() {
            self.earliest = None;
        }
        waiting
    }

    /// When a mail may be overdue.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.earliest
    }

    /// Takes out one that is overdue; `None` when there is no more, and then the deadline is exact again.
    pub(super) fn pop_overdue(&mut self, now: Moment) -> Option<Waiting> {
        let overdue = self.mails.iter().position(|waiting| waiting.is_overdue(now));
        if overdue.is_none() {
            self.earliest = self.mails.iter().filter_map(|waiting| waiting.mail.until).min();
        }
        self.mails.remove(overdue?)
    }

    fn note(&mut self, mail: &Mail) {
        self.earliest = self.earliest.into_iter().chain(mail.until).min();
    }
}
