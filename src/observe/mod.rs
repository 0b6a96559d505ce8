//! What can be seen from outside: every counter, gauge and latency declared once, with the name it is exported under.
//!
//! All are plain numbers with one writer. A core copies them into a [`Snapshot`] now and then; nothing here is shared
//! while a message is under way. No address and no text of a message is held.

mod codes;
mod family;
mod fine_histogram;
mod histogram;
mod latencies;
mod link_stats;
mod shell_stats;
mod snapshot;
mod stages;
mod stats;
mod stopwatch;
mod turns;

pub use codes::Codes;
pub use family::{Family, Kind, Labels, Member};
pub use fine_histogram::FineHistogram;
pub use histogram::{BUCKETS, Histogram, OCTAVES};
pub use latencies::Latencies;
pub use link_stats::LinkStats;
pub use shell_stats::ShellStats;
pub use snapshot::{SipCodes, Snapshot};
pub use stages::{ArrivedAt, Flow, Stage, StageTimes, StepTimes, Trace};
pub use stats::Stats;
pub use stopwatch::Stopwatch;
pub use turns::{Overrun, STEPS, Step, TurnWatch};
