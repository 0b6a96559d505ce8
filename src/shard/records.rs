//! Acknowledgements that wait until what they acknowledge is on record.
//!
//! A 202 to a message whose reports are awaited, and the answer to a part of a short message, promise to remember. Where
//! promises outlive the process ([`Settings::durable`](super::settings::Settings)), they are made only when the shell says
//! that the record is written; elsewhere at once.

use std::collections::VecDeque;

use crate::engine::Now;
use crate::engine::transport::{RecordId, Transmit};

use super::Shard;
use super::handoff::DeliverRef;

/// What is promised once its record is written.
#[derive(Debug)]
pub(super) enum Acknowledgement {
    /// 202 to the sender of a CPM message.
    Accept {
        /// Its key.
        message: u64,
    },
    /// ESME_ROK to a part of a short message.
    Part {
        /// The deliver_sm.
        deliver: DeliverRef,
        /// What tells a repetition.
        fingerprint: u64,
    },
}

/// Acknowledgements in the order of their records.
#[derive(Debug, Default)]
pub(super) struct Records {
    issued: u64,
    waiting: VecDeque<(RecordId, Acknowledgement)>,
}

impl Records {
    /// Whether no promise waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Shard {
    /// Makes a promise; where promises are durable, after what `write` appends is on record.
    pub(super) fn acknowledge(
        &mut self,
        now: Now,
        acknowledgement: Acknowledgement,
        write: impl FnOnce(&Shard, &mut Vec<u8>),
    ) {
        if !self.settings.durable {
            return self.promise(now, acknowledgement);
        }
        let mut octets = self.pool.take();
        write(self, &mut octets);
        self.records.issued += 1;
        let record = RecordId { expires_s: u32::MAX, run: 0, shard: self.settings.id, number: self.records.issued };
        self.records.waiting.push_back((record, acknowledgement));
        self.outbox.transmits.push_back(Transmit::Record { record, octets });
    }

    /// Everything up to `record` is written.
    pub fn on_recorded(&mut self, now: Now, record: RecordId) {
        while self.records.waiting.front().is_some_and(|(waiting, _)| *waiting <= record) {
            if let Some((_, acknowledgement)) = self.records.waiting.pop_front() {
                self.promise(now, acknowledgement);
            }
        }
        self.settle(now);
    }

    fn promise(&mut self, now: Now, acknowledgement: Acknowledgement) {
        match acknowledgement {
            Acknowledgement::Accept { message } => self.accept(now, message),
            Acknowledgement::Part { deliver, fingerprint } => self.answer_part(now, deliver, fingerprint),
        }
    }
}
