//! Time, read once a turn.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use crate::engine::{Moment, Now};

/// The same for all cores: moments cross between them.
static START: OnceLock<Instant> = OnceLock::new();

/// The monotonic clock since the process first asked, and the date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { start: *START.get_or_init(Instant::now) }
    }

    pub(super) fn now(self) -> Now {
        let moment = Moment(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX));
        // A date before 1970 is a host without a clock.
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { moment, unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
    }

    /// For what lasts less than a microsecond.
    pub(super) fn nanos(self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// When `moment` is, for the runtime's timers.
    pub(super) fn instant(self, moment: Moment) -> Instant {
        const FAR_US: u64 = 3_600_000_000;
        let now = self.start.elapsed();
        let after = Duration::from_micros(moment.0).min(now + Duration::from_micros(FAR_US));
        self.start + after
    }
}
