//! What happened in one second of the load.

use hdrhistogram::Histogram;

use crate::limits::LOAD_LATENCY_US_MAX;

/// Significant decimal digits of a second's latencies: a plot shows no more, and a long run has many seconds.
const DIGITS: u8 = 2;

/// Counts and latencies of one second.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// Messages sent in it.
    pub sent: u64,
    /// Messages answered in it as taken, or arrived in it where the flow ends with an arrival.
    pub answered: u64,
    /// Messages refused in it.
    pub refused: u64,
    /// None in a second without an end, which costs no memory then.
    latency_us: Option<Histogram<u32>>,
}

impl Second {
    /// One more message came to its end, `latency_us` microseconds after it was due.
    pub fn record(&mut self, latency_us: u64) {
        self.answered += 1;
        self.latency_us.get_or_insert_with(empty).saturating_record(latency_us);
    }

    /// The latency in microseconds that `share` (0 to 1) of the messages did not exceed; `None` if there were none.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        self.latency_us.as_ref().map(|latency_us| latency_us.value_at_quantile(share))
    }

    /// The longest latency in microseconds; `None` if there were none.
    #[must_use]
    pub fn max_us(&self) -> Option<u64> {
        self.latency_us.as_ref().map(Histogram::max)
    }

    /// Adds another second, such as the same one of another core.
    pub fn merge(&mut self, other: &Second) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.refused += other.refused;
        if let Some(more) = &other.latency_us {
            // Both have the same bounds.
            let _ = self.latency_us.get_or_insert_with(empty).add(more);
        }
    }
}

#[allow(clippy::expect_used, reason = "constant bounds that every test holds")]
fn empty() -> Histogram<u32> {
    Histogram::new_with_bounds(1, LOAD_LATENCY_US_MAX, DIGITS).expect("valid bounds")
}
