//! What the tables show of a flow.

use hdrhistogram::Histogram;

use crate::load::Counts;

/// How bad it is if a count is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Not at all.
    Fine,
    /// The numbers say less than they should.
    Doubtful,
    /// The gateway is wrong.
    Wrong,
}

/// A column of counts.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) of: fn(&Counts) -> u64,
    pub(super) weight: Weight,
}

/// The counts in the order of a message's life.
pub(super) const COUNTS: [Column; 10] = [
    column("intended", "due by the plan of the load", |counts| counts.intended, Weight::Fine),
    column("sent", "sent for the first time; repetitions do not count", |counts| counts.sent, Weight::Fine),
    column("answered", "answered, whatever the answer was", |counts| counts.answered, Weight::Fine),
    column("refused", "answered that they were not taken", |counts| counts.refused, Weight::Fine),
    column("arrived", "seen at the other side for the first time", |counts| counts.arrived, Weight::Fine),
    column(
        "lost",
        "sent and never answered, or taken and never seen at the other side",
        |counts| counts.lost,
        Weight::Wrong,
    ),
    column("doubled", "seen at the other side again", |counts| counts.doubled, Weight::Wrong),
    column(
        "damaged",
        "seen at the other side with another content, or unknown there",
        |counts| counts.damaged,
        Weight::Wrong,
    ),
    column("late", "came to their end after they had been given up", |counts| counts.late, Weight::Doubtful),
    column(
        "behind",
        "sent more than 1 ms after they were due: the generator, or its window, was behind",
        |counts| counts.behind,
        Weight::Doubtful,
    ),
];

/// The latencies that are shown, by the share of messages that took no longer.
pub(super) const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0)];

/// The latency in microseconds that `share` of all did not exceed; `None` if there are none.
pub(super) fn quantile_us(latency_us: &Histogram<u64>, share: f64) -> Option<u64> {
    (!latency_us.is_empty()).then(|| latency_us.value_at_quantile(share).min(latency_us.max()))
}

const fn column(name: &'static str, meaning: &'static str, of: fn(&Counts) -> u64, weight: Weight) -> Column {
    Column { name, meaning, of, weight }
}
