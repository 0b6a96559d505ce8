//! Time as it is handed to pure code.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point on the monotonic clock, in microseconds since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, after: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(after.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;
    fn sub(self, before: Duration) -> Moment {
        Moment(self.0.saturating_sub(u64::try_from(before.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// The time of one turn: read once by the shell, handed down to everything that turn does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub moment: Moment,
    /// For dates on the wire: milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: u64,
}

impl Now {
    /// The same turn of both clocks, `later` on.
    #[must_use]
    pub fn after(self, later: Duration) -> Now {
        let ms = u64::try_from(later.as_millis()).unwrap_or(u64::MAX);
        Now { moment: self.moment + later, unix_ms: self.unix_ms.saturating_add(ms) }
    }
}
