//! How fast we may submit: the configured rate, and pauses the SM-SC asks for.

use core::time::Duration;

use crate::engine::Moment;

/// A token bucket, kept as the moment at which it would be full: a tenth of a second's worth may go at once, because an
/// SM-SC counts whole seconds, and the shell does not wake us for every single PDU.
#[derive(Debug)]
pub(super) struct Throughput {
    /// Between two submissions, in nanoseconds; 0 for no limit.
    interval_ns: u64,
    burst_ns: u64,
    full_at_ns: u64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Throughput {
    pub(super) fn new(per_second: u32) -> Throughput {
        let interval_ns = if per_second == 0 { 0 } else { SECOND_NS.div_ceil(u64::from(per_second)) };
        let burst_ns = (SECOND_NS / 10).max(interval_ns);
        Throughput { interval_ns, burst_ns: burst_ns * u64::from(per_second != 0), full_at_ns: 0 }
    }

    /// When the next submission may be sent.
    pub(super) fn ready_at(&self) -> Moment {
        let room = (self.full_at_ns + self.interval_ns).saturating_sub(self.burst_ns);
        Moment(room.div_ceil(1_000))
    }

    /// Counts one submission.
    pub(super) fn spend(&mut self, now: Moment) {
        self.full_at_ns = self.full_at_ns.max(now.0.saturating_mul(1_000)) + self.interval_ns;
    }
}

/// The pause after ESME_RTHROTTLED or ESME_RMSGQFUL.
#[derive(Debug)]
pub(super) struct Throttle {
    min: Duration,
    max: Duration,
    pause: Duration,
    resume_at: Moment,
}

impl Throttle {
    pub(super) fn new(min: Duration, max: Duration) -> Throttle {
        Throttle { min, max, pause: Duration::ZERO, resume_at: Moment(0) }
    }

    pub(super) fn resume_at(&self) -> Moment {
        self.resume_at
    }

    /// A request sent at `sent_at` was throttled. Returns the end of the pause if this begins one.
    ///
    /// A whole window may be throttled at once; only a request sent after the last pause says that it was too short.
    pub(super) fn throttled(&mut self, now: Moment, sent_at: Moment) -> Option<Moment> {
        if !self.pause.is_zero() && sent_at < self.resume_at {
            return None;
        }
        self.pause = (self.pause * 2).clamp(self.min, self.max);
        self.resume_at = now + self.pause;
        Some(self.resume_at)
    }

    /// A request sent at `sent_at` was not throttled.
    pub(super) fn passed(&mut self, sent_at: Moment) {
        if sent_at >= self.resume_at {
            self.pause = Duration::ZERO;
        }
    }

    /// A new connection begins without a pause.
    pub(super) fn reset(&mut self) {
        self.pause = Duration::ZERO;
        self.resume_at = Moment(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Moment {
        Moment(ms * 1_000)
    }

    #[test]
    fn no_more_than_the_rate_and_a_tenth_of_a_second_at_once() {
        let mut throughput = Throughput::new(50);
        let mut sent = 0;
        for now in (0..2_000).map(ms) {
            while throughput.ready_at() <= now {
                throughput.spend(now);
                sent += 1;
            }
            assert!(now > ms(0) || sent == 5);
        }
        assert!((100..=105).contains(&sent), "{sent}");
    }

    #[test]
    fn no_limit_never_waits() {
        let mut throughput = Throughput::new(0);
        throughput.spend(ms(5));
        assert!(throughput.ready_at() <= ms(5));
    }

    #[test]
    fn pauses_double_only_for_requests_sent_after_the_last_one() {
        let mut throttle = Throttle::new(Duration::from_secs(1), Duration::from_secs(3));
        assert_eq!(throttle.throttled(ms(10), ms(0)), Some(ms(1_010)));
        assert_eq!(throttle.throttled(ms(11), ms(1)), None);
        assert_eq!(throttle.throttled(ms(1_020), ms(1_010)), Some(ms(3_020)));
        assert_eq!(throttle.throttled(ms(3_100), ms(3_050)), Some(ms(6_100)));
        throttle.passed(ms(6_200));
        assert_eq!(throttle.throttled(ms(6_300), ms(6_250)), Some(ms(7_300)));
    }
}
