//! How long short things take: in nanoseconds, eight buckets to the octave, so that a bucket is at most an eighth wider than
//! its lower edge.

use super::histogram::{Buckets, buckets};

const SUB_BITS: u32 = 3;
/// Longer values (more than 137 s) share the last bucket.
const VALUE_BITS_MAX: u32 = 37;
const BUCKETS: usize = buckets(SUB_BITS, VALUE_BITS_MAX);
/// The shortest power of two that [`FineHistogram::octaves`] shows.
const OCTAVE_MIN: u32 = 7;

/// Counts of durations. One writer; adding costs a few instructions and no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FineHistogram {
    buckets: Buckets<SUB_BITS, VALUE_BITS_MAX, BUCKETS>,
    max_ns: u64,
}

impl FineHistogram {
    /// One more that took `duration_ns` nanoseconds.
    pub fn add(&mut self, duration_ns: u64) {
        self.buckets.add(duration_ns);
        self.max_ns = self.max_ns.max(duration_ns);
    }

    /// How many were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.count()
    }

    /// Their sum in nanoseconds.
    #[must_use]
    pub const fn sum_ns(&self) -> u64 {
        self.buckets.sum()
    }

    /// The longest in nanoseconds, 0 while there is none.
    #[must_use]
    pub const fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// For each power of two from 128 nanoseconds to 137 seconds: it, and how many took no longer.
    pub fn octaves(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.buckets.octaves(OCTAVE_MIN)
    }

    /// An upper bound of what `share` (0 to 1) of all took, in nanoseconds; 0 while nothing was added.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> u64 {
        // No bound is more than the longest; it is also what is known of the last bucket.
        self.buckets.quantile(share).map_or(self.max_ns, |upper| upper.min(self.max_ns))
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &FineHistogram) {
        self.buckets.merge(&other.buckets);
        self.max_ns = self.max_ns.max(other.max_ns);
    }
}

impl Default for FineHistogram {
    fn default() -> FineHistogram {
        FineHistogram { buckets: Buckets::EMPTY, max_ns: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::histogram::{bucket_of, bucket_upper};

    #[test]
    fn buckets_hold_what_their_edges_say() {
        let bucket_of = |ns| bucket_of(ns, SUB_BITS, VALUE_BITS_MAX);
        for bucket in 0..BUCKETS - 1 {
            let upper = bucket_upper(bucket, SUB_BITS);
            assert_eq!((bucket_of(upper), bucket_of(upper + 1)), (bucket, bucket + 1), "{upper}");
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, BUCKETS - 1));
        assert_eq!(bucket_upper(BUCKETS - 2, SUB_BITS), 1 << VALUE_BITS_MAX);
    }

    #[test]
    fn quantiles_are_upper_bounds_and_never_more_than_the_longest() {
        let mut histogram = FineHistogram::default();
        assert_eq!(histogram.quantile_ns(0.5), 0);
        (1..=10_000).for_each(|ns| histogram.add(ns));
        for (share, exact) in [(0.5, 5_000), (0.99, 9_900), (0.999, 9_990), (1.0, 10_000)] {
            let bound = histogram.quantile_ns(share);
            assert!(exact <= bound && bound <= (exact + exact / 8).min(10_000), "{share}: {bound}");
        }
        histogram.add(1 << 50);
        assert_eq!((histogram.quantile_ns(1.0), histogram.max_ns()), (1 << 50, 1 << 50));
    }

    #[test]
    fn octaves_are_cumulative_and_merging_adds() {
        let mut histogram = FineHistogram::default();
        [1, 128, 129, 1 << 37, 1 << 40].into_iter().for_each(|ns| histogram.add(ns));
        let mut twice = histogram.clone();
        twice.merge(&histogram);
        let octaves: Vec<_> = twice.octaves().collect();
        assert_eq!(octaves[..2], [(128, 4), (256, 6)]);
        assert_eq!(octaves.last(), Some(&(1 << 37, 8)));
        assert_eq!((twice.count(), twice.sum_ns()), (10, 2 * histogram.sum_ns()));
    }
}
