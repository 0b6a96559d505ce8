//! How long messages are in each stage of their way, while the stopwatch runs.

use crate::observe::{ArrivedAt, Stage, Stopwatch, Trace};

use super::Shard;
use super::handoff::SubmitOutcome;
use super::uac::Purpose;

/// A request of ours that leaves at the end of this turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaving {
    /// One with a short message, by its token.
    ShortMessage(u64),
    /// Those about a message, by its key.
    Notifications(u64),
}

impl Shard {
    /// From now on times the stages of messages, by a clock in nanoseconds that does not go back and is the same for all
    /// shards. Whoever starts it tells when what is handled [arrived](Shard::arrived) and when what was ordered has been
    /// [handed to the kernel](Shard::flushed).
    pub fn profile(&mut self, ticks_ns: fn() -> u64) {
        self.stopwatch = Stopwatch::start(ticks_ns);
        self.binds.time();
    }

    /// When what is told next arrived.
    pub fn arrived(&mut self, arrival: ArrivedAt) {
        self.stopwatch.arrived(arrival);
    }

    /// All that was polled has been handed to the kernel.
    pub fn flushed(&mut self) {
        let Some(now_ns) = self.stopwatch.flushed() else { return };
        self.binds.flushed(now_ns, &mut self.stopwatch);
        while let Some(leaving) = self.leaving.pop() {
            let trace = match leaving {
                Leaving::ShortMessage(token) => match self.requests.get_mut(token) {
                    Some(Purpose::ShortMessage(delivery)) => Some(&mut delivery.trace),
                    _ => None,
                },
                Leaving::Notifications(key) => self.messages.get_mut(key).map(|message| &mut message.telling.trace),
            };
            if let Some(trace) = trace {
                self.stopwatch.end_at(trace, Stage::LinkQueue, now_ns);
            }
        }
    }

    /// What is handled next is no arrival: a timer.
    pub(super) fn nothing_arrived(&mut self) {
        self.stopwatch.arrived(ArrivedAt::default());
    }

    /// Octets of an SM-SC come next.
    pub(super) fn note_smpp(&mut self) {
        if self.stopwatch.is_on() {
            self.binds.arrived(self.stopwatch.arrival().handed_ns);
        }
    }

    /// A short message has its outcome: with the response's arrival, or now.
    pub(super) fn outcome_known(&mut self, mut trace: Trace, outcome: SubmitOutcome, answered_ns: u64) -> Trace {
        match outcome {
            SubmitOutcome::Responded { .. } => self.stopwatch.end_at(&mut trace, Stage::Smsc, answered_ns),
            SubmitOutcome::Unknown => self.stopwatch.end(&mut trace, Stage::Smsc),
            SubmitOutcome::NotSent => self.stopwatch.end(&mut trace, Stage::LinkQueue),
        }
        trace
    }

    /// The request with a short message is written.
    pub(super) fn request_written(&mut self, token: u64) {
        if !self.stopwatch.is_on() {
            return;
        }
        if let Some(Purpose::ShortMessage(delivery)) = self.requests.get_mut(token) {
            self.stopwatch.end(&mut delivery.trace, Stage::Map);
            self.leaving.push(Leaving::ShortMessage(token));
        }
    }

    /// The notifications about a message are written, if any were wanted.
    pub(super) fn notifications_written(&mut self, key: u64) {
        if !self.stopwatch.is_on() {
            return;
        }
        if let Some(message) = self.messages.get_mut(key).filter(|message| !message.telling.is_idle()) {
            self.stopwatch.end(&mut message.telling.trace, Stage::Map);
            self.leaving.push(Leaving::Notifications(key));
        }
    }
}
