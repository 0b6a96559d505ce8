//! When to connect again to a server that is configured. Advice: no specification says it.

use core::time::Duration;

use crate::engine::{Moment, Random};

/// A session that held this long shows that the server is well, and the next wait begins at the shortest.
pub(in crate::engine) const STABLE: Duration = Duration::from_secs(10);

/// Waits that double, each cut by up to half at random so that the clients of a restarted server do not come all at once.
#[derive(Debug)]
pub(in crate::engine) struct Reconnect {
    min: Duration,
    max: Duration,
    refused: Duration,
    next: Duration,
    begun_at: Option<Moment>,
}

impl Reconnect {
    pub(in crate::engine) fn new(min: Duration, max: Duration, refused: Duration) -> Reconnect {
        Reconnect { min, max, refused, next: min, begun_at: None }
    }

    /// The server accepted a session.
    pub(in crate::engine) fn begun(&mut self, now: Moment) {
        self.begun_at = Some(now);
    }

    /// The wait after a connection was lost or not opened.
    pub(in crate::engine) fn after_loss(&mut self, now: Moment, random: &mut Random) -> Duration {
        if self.begun_at.take().is_some_and(|begun_at| now.since(begun_at) >= STABLE) {
            self.next = self.min;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.max).max(self.min);
        jittered(wait, random)
    }

    /// The wait after the server refused us by name: hammering would make it worse.
    pub(in crate::engine) fn after_refusal(&mut self, random: &mut Random) -> Duration {
        self.begun_at = None;
        jittered(self.refused, random)
    }
}

/// Between half of `wait` and all of it.
fn jittered(wait: Duration, random: &mut Random) -> Duration {
    let half = wait / 2;
    let spread_us = u64::try_from(half.as_micros()).unwrap_or(u64::MAX - 1);
    half + Duration::from_micros(random.below(spread_us + 1))
}
