//! Everything that one core shows at one moment.

use super::{Codes, Latencies, LinkStats, ShellStats, StageTimes, Stats, StepTimes};

/// What a core publishes about once a second, and at once when it becomes ready or drains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The core, by its number in the configuration's order.
    pub core: usize,
    /// Whether a submission would find a bind.
    pub ready: bool,
    /// Whether the core takes no new work.
    pub draining: bool,
    /// What its shard counted.
    pub stats: Stats,
    /// How long things took.
    pub latencies: Latencies,
    /// How long messages were in each stage, if that is looked at.
    pub stages: Option<Box<StageTimes>>,
    /// How long the steps of turns took, if that is looked at.
    pub steps: Option<Box<StepTimes>>,
    /// SIP results.
    pub sip_codes: SipCodes,
    /// Its SMPP binds.
    pub links: Vec<LinkStats>,
    /// What its shell counted.
    pub shell: ShellStats,
}

/// Final responses by status code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SipCodes {
    /// Ours.
    pub sent: Codes<48>,
    /// Our peers'.
    pub received: Codes<48>,
}
