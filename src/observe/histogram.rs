//! How long things take, in fixed buckets: four to the octave, so that a bucket is at most a quarter wider than its lower
//! edge.

/// Bits of a value below its highest one that choose the bucket.
const SUB_BITS: u32 = 2;
/// Longer values (more than 134 s) share the last bucket.
const VALUE_BITS_MAX: u32 = 27;

/// Buckets of a histogram.
pub const BUCKETS: usize = buckets(SUB_BITS, VALUE_BITS_MAX);
/// Powers of two microseconds, from 2 to 2^27, at which [`Histogram::octaves`] adds up.
pub const OCTAVES: usize = VALUE_BITS_MAX as usize;

/// Counts of durations. One writer; adding costs two additions and no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram(Buckets<SUB_BITS, VALUE_BITS_MAX, BUCKETS>);

impl Histogram {
    /// One more that took `duration_us` microseconds.
    pub fn add(&mut self, duration_us: u64) {
        self.0.add(duration_us);
    }

    /// How many were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// Their sum in microseconds.
    #[must_use]
    pub const fn sum_us(&self) -> u64 {
        self.0.sum()
    }

    /// For each power of two from 2 microseconds to 134 seconds: it, and how many took no longer.
    pub fn octaves(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.octaves(1)
    }

    /// An upper bound of what `share` (0 to 1) of all took, in microseconds; `None` while nothing was added, and for
    /// what took longer than 134 seconds.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        self.0.quantile(share)
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Histogram) {
        self.0.merge(&other.0);
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram(Buckets::EMPTY)
    }
}

/// Counts in `N` buckets, 2^`SUB_BITS` to the octave, of values up to `BITS_MAX` bits; longer ones share the last bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buckets<const SUB_BITS: u32, const BITS_MAX: u32, const N: usize> {
    counts: [u64; N],
    sum: u64,
}

impl<const SUB_BITS: u32, const BITS_MAX: u32, const N: usize> Buckets<SUB_BITS, BITS_MAX, N> {
    pub(super) const EMPTY: Self = {
        assert!(N == buckets(SUB_BITS, BITS_MAX), "as many as there are, and the last");
        Buckets { counts: [0; N], sum: 0 }
    };

    pub(super) fn add(&mut self, value: u64) {
        if let Some(count) = self.counts.get_mut(bucket_of(value, SUB_BITS, BITS_MAX)) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(value);
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// For each power of two from 2^`bits_min` on: it, and how many were no longer.
    pub(super) fn octaves(&self, bits_min: u32) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (mut bucket, mut count) = (0, 0);
        (bits_min..=BITS_MAX).map(move |bits| {
            let edge = 1_u64 << bits;
            while bucket + 1 < N && bucket_upper(bucket, SUB_BITS) <= edge {
                count += self.counts.get(bucket).copied().unwrap_or(0);
                bucket += 1;
            }
            (edge, count)
        })
    }

    /// An upper bound of `share` of all; `None` while there is none, and in the last bucket.
    pub(super) fn quantile(&self, share: f64) -> Option<u64> {
        let all = self.count();
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below > 0 && below as f64 >= share * all as f64
        })?;
        (bucket + 1 < N).then(|| bucket_upper(bucket, SUB_BITS))
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// How many buckets there are, the last one included.
pub(super) const fn buckets(sub_bits: u32, bits_max: u32) -> usize {
    ((bits_max - sub_bits + 1) as usize) << sub_bits | 1
}

/// Which of the buckets, 2^`sub_bits` to the octave, counts `duration`. Upper edges belong to the bucket, so that powers of
/// two are edges, and 0 counts as 1. The last one is for all that has more than `bits_max` bits.
#[inline]
pub(super) const fn bucket_of(duration: u64, sub_bits: u32, bits_max: u32) -> usize {
    let subs = 1 << sub_bits;
    let value = duration.saturating_sub(1);
    let bits = u64::BITS - value.leading_zeros();
    if bits > bits_max {
        return ((bits_max - sub_bits + 1) as usize) << sub_bits;
    }
    if bits <= sub_bits {
        return low_bits(value, subs);
    }
    let octave = bits - sub_bits;
    octave as usize * subs + low_bits(value >> (octave - 1), subs) - subs
}

/// The longest duration that `bucket`, which is not the last, counts.
#[inline]
pub(super) const fn bucket_upper(bucket: usize, sub_bits: u32) -> u64 {
    let subs = 1 << sub_bits;
    if bucket < subs {
        return bucket as u64 + 1;
    }
    let octave = bucket / subs - 1;
    ((subs + bucket % subs) as u64 + 1) << octave
}

#[allow(clippy::cast_possible_truncation, reason = "few bits are left")]
const fn low_bits(value: u64, subs: usize) -> usize {
    (value & (2 * subs as u64 - 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket_of(us: u64) -> usize {
        super::bucket_of(us, SUB_BITS, VALUE_BITS_MAX)
    }

    fn bucket_upper_us(bucket: usize) -> u64 {
        bucket_upper(bucket, SUB_BITS)
    }

    #[test]
    fn buckets_hold_what_their_edges_say() {
        for bucket in 0..BUCKETS - 1 {
            let upper = bucket_upper_us(bucket);
            assert_eq!((bucket_of(upper), bucket_of(upper + 1)), (bucket, bucket + 1), "{upper}");
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, BUCKETS - 1));
        assert_eq!(bucket_upper_us(BUCKETS - 2), 1 << VALUE_BITS_MAX);
    }

    #[test]
    fn octaves_are_cumulative() {
        let mut histogram = Histogram::default();
        [1, 2, 3, 4, 5, 1_000, 1 << 40].into_iter().for_each(|us| histogram.add(us));
        let octaves: Vec<_> = histogram.octaves().collect();
        assert_eq!(octaves.len(), OCTAVES);
        assert_eq!(octaves[..3], [(2, 2), (4, 4), (8, 5)]);
        assert_eq!((octaves[9], octaves[OCTAVES - 1]), ((1_024, 6), (1 << 27, 6)));
        assert_eq!(histogram.count(), 7);
    }

    #[test]
    fn quantiles_are_upper_bounds() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile_us(0.5), None);
        (1..=1_000).for_each(|us| histogram.add(us));
        for (share, exact) in [(0.0, 1), (0.5, 500), (0.99, 990), (1.0, 1_000)] {
            let bound = histogram.quantile_us(share).unwrap();
            assert!(exact <= bound && bound <= exact + exact / 4, "{share}: {bound}");
        }
    }
}
