//! The stages of a message's way, and how long it was in each.

use super::fine_histogram::FineHistogram;
use super::turns::{STEPS, Step};

/// What is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A CPM message: from its request, or its last chunk, to the answer.
    CpmToSms,
    /// A short message: from its deliver_sm to the response.
    SmsToCpm,
    /// A status report that is passed on: from its deliver_sm to the response.
    Report,
}

/// How many there are.
pub(super) const FLOWS: usize = 3;

impl Flow {
    /// All of them, in order.
    pub const ALL: [Flow; FLOWS] = [Flow::CpmToSms, Flow::SmsToCpm, Flow::Report];

    /// As metrics name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Flow::CpmToSms => "cpm_to_sms",
            Flow::SmsToCpm => "sms_to_cpm",
            Flow::Report => "report",
        }
    }
}

/// Where a message is. Each begins where the one before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the beginning of the turn that takes it from the kernel to its being in the gateway's hands.
    Receive,
    /// Waiting for its turn, and on the way to the core that owns it.
    Queue,
    /// Being read.
    Parse,
    /// Being converted, and what must be known of it later being kept.
    Map,
    /// Until its last octet towards the other side was handed to the kernel: for the window, the rate, the core with the
    /// bind, the end of the turn.
    LinkQueue,
    /// With the SM-SC: until the turn that takes the response from the kernel.
    Smsc,
    /// With the SIP side, the same way.
    Sip,
    /// From the outcome to the answer's last octet being handed to the kernel.
    Reply,
}

/// How many there are.
pub(super) const STAGES: usize = 8;

impl Stage {
    /// All of them, in order.
    pub const ALL: [Stage; STAGES] = [
        Stage::Receive,
        Stage::Queue,
        Stage::Parse,
        Stage::Map,
        Stage::LinkQueue,
        Stage::Smsc,
        Stage::Sip,
        Stage::Reply,
    ];

    /// As metrics name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Receive => "receive",
            Stage::Queue => "queue",
            Stage::Parse => "parse",
            Stage::Map => "map",
            Stage::LinkQueue => "link_queue",
            Stage::Smsc => "smsc",
            Stage::Sip => "sip",
            Stage::Reply => "reply",
        }
    }
}

/// When something came, in nanoseconds of the stopwatch's clock; zeros if nobody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArrivedAt {
    /// The turn that took it from the kernel began.
    pub received_ns: u64,
    /// The gateway had it in hands.
    pub handed_ns: u64,
}

/// What travels with a message: which flow it is of, and until when its stages are accounted for. Nothing, if nobody
/// looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub(super) flow: Option<Flow>,
    pub(super) at_ns: u64,
}

/// How long messages were in each stage, of one core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageTimes([[FineHistogram; STAGES]; FLOWS]);

impl StageTimes {
    /// One of them.
    #[must_use]
    pub fn of(&self, flow: Flow, stage: Stage) -> &FineHistogram {
        &self.0[flow as usize][stage as usize]
    }

    pub(super) fn add(&mut self, flow: Flow, stage: Stage, duration_ns: u64) {
        self.0[flow as usize][stage as usize].add(duration_ns);
    }

    /// Adds what another core counted.
    pub fn merge(&mut self, other: &StageTimes) {
        let all = self.0.iter_mut().flatten();
        all.zip(other.0.iter().flatten()).for_each(|(times, more)| times.merge(more));
    }
}

/// How long the steps of a core's turns took; those with nothing to do are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTimes([FineHistogram; STEPS]);

impl StepTimes {
    /// One of them.
    #[must_use]
    pub fn of(&self, step: Step) -> &FineHistogram {
        &self.0[step as usize]
    }

    /// A turn is over.
    pub fn add(&mut self, spent_ns: &[u64; STEPS]) {
        let did = self.0.iter_mut().zip(spent_ns).filter(|(_, ns)| **ns > 0);
        did.for_each(|(times, ns)| times.add(*ns));
    }

    /// Adds what another core counted.
    pub fn merge(&mut self, other: &StepTimes) {
        self.0.iter_mut().zip(&other.0).for_each(|(times, more)| times.merge(more));
    }
}
