//! One flow of the load: a kind of message from where it begins to where its time is taken.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use hdrhistogram::Histogram;

use super::second::Second;
use crate::limits::{LOAD_BEHIND_US, LOAD_LATENCY_US_MAX, LOAD_SECONDS_MAX};
use crate::wire::smpp::CommandStatus;

/// Significant decimal digits of a latency.
const DIGITS: u8 = 3;
const US_PER_S: u64 = 1_000_000;

/// How a message was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The status code of a final SIP response.
    Sip(u16),
    /// The command_status of an SMPP response.
    Smpp(CommandStatus),
    /// A word of the protocol, such as the status of a disposition notification.
    Word(&'static str),
    /// None came in time.
    None,
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Answer::Sip(code) => write!(f, "SIP {code}"),
            Answer::Smpp(status) => match status.name() {
                Some(name) => f.write_str(name),
                None => write!(f, "command_status {:#010x}", status.0),
            },
            Answer::Word(word) => f.write_str(word),
            Answer::None => f.write_str("no answer"),
        }
    }
}

/// What became of the messages of a flow. A count that a flow does not know stays 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Due by the plan of the load until it ended.
    pub intended: u64,
    /// Sent for the first time; repetitions do not count.
    pub sent: u64,
    /// Sent more than `LOAD_BEHIND_US` after they were due: the generator, or its window, was behind.
    pub behind: u64,
    /// Answered, whatever the answer was.
    pub answered: u64,
    /// Answered that they were not taken.
    pub refused: u64,
    /// Seen at the other side for the first time.
    pub arrived: u64,
    /// Ended after they had been given up. They are counted as lost no more.
    pub late: u64,
    /// Sent and never answered, or taken and never seen at the other side.
    pub lost: u64,
    /// Seen at the other side again.
    pub doubled: u64,
    /// Seen at the other side with another content, or not known there.
    pub damaged: u64,
}

impl Counts {
    fn merge(&mut self, other: &Counts) {
        self.intended += other.intended;
        self.sent += other.sent;
        self.behind += other.behind;
        self.answered += other.answered;
        self.refused += other.refused;
        self.arrived += other.arrived;
        self.late += other.late;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.damaged += other.damaged;
    }
}

/// Counts and latencies of one flow. All times are microseconds since the load began.
#[derive(Clone, Debug)]
pub struct FlowResult {
    /// What it is, such as "CPM to SMS, answer".
    pub name: String,
    /// What became of its messages.
    pub counts: Counts,
    /// How often each answer came.
    pub answers: BTreeMap<Answer, u64>,
    /// Microseconds from the time at which a message was due to its end (its answer, if that took it, or its arrival).
    pub latency_us: Histogram<u64>,
    /// The seconds of the load in order.
    pub timeline: Vec<Second>,
}

impl FlowResult {
    /// A flow of which nothing has happened.
    #[must_use]
    #[allow(clippy::expect_used, reason = "constant bounds that every test holds")]
    pub fn new(name: impl Into<String>) -> FlowResult {
        FlowResult {
            name: name.into(),
            counts: Counts::default(),
            answers: BTreeMap::new(),
            latency_us: Histogram::new_with_bounds(1, LOAD_LATENCY_US_MAX, DIGITS).expect("valid bounds"),
            timeline: Vec::new(),
        }
    }

    /// A message that was due at `due_us` is sent at `at_us`.
    pub fn sent(&mut self, due_us: u64, at_us: u64) {
        self.counts.sent += 1;
        self.counts.behind += u64::from(at_us.saturating_sub(due_us) > LOAD_BEHIND_US);
        self.second(at_us).sent += 1;
    }

    /// A message that was due at `due_us` is answered at `at_us` that it was taken.
    pub fn taken(&mut self, due_us: u64, at_us: u64, answer: Answer) {
        self.count_answer(answer);
        self.record(due_us, at_us);
    }

    /// A message is answered at `at_us` that it was not taken.
    pub fn refused(&mut self, at_us: u64, answer: Answer) {
        self.count_answer(answer);
        self.counts.refused += 1;
        self.second(at_us).refused += 1;
    }

    /// A message that was due at `due_us` is seen at the other side at `at_us`.
    pub fn arrived(&mut self, due_us: u64, at_us: u64) {
        self.counts.arrived += 1;
        self.record(due_us, at_us);
    }

    /// Adds what another core, or another part of the run, saw of the same flow.
    pub fn merge(&mut self, other: &FlowResult) {
        self.counts.merge(&other.counts);
        other.answers.iter().for_each(|(answer, count)| *self.answers.entry(*answer).or_default() += count);
        // Both have the same bounds.
        let _ = self.latency_us.add(&other.latency_us);
        if self.timeline.len() < other.timeline.len() {
            self.timeline.resize_with(other.timeline.len(), Second::default);
        }
        self.timeline.iter_mut().zip(&other.timeline).for_each(|(second, more)| second.merge(more));
    }

    fn count_answer(&mut self, answer: Answer) {
        self.counts.answered += 1;
        *self.answers.entry(answer).or_default() += 1;
    }

    fn record(&mut self, due_us: u64, at_us: u64) {
        let latency_us = at_us.saturating_sub(due_us);
        self.latency_us.saturating_record(latency_us);
        self.second(at_us).record(latency_us);
    }

    /// The second of `at_us`; whatever comes after the last one that is kept counts there.
    fn second(&mut self, at_us: u64) -> &mut Second {
        let index = usize::try_from(at_us / US_PER_S).unwrap_or(usize::MAX).min(LOAD_SECONDS_MAX - 1);
        if self.timeline.len() <= index {
            self.timeline.resize_with(index + 1, Second::default);
        }
        &mut self.timeline[index]
    }
}
