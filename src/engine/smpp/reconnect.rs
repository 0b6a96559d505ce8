//! When to connect again. Advice: the specification gives none.

use core::time::Duration;

use crate::engine::{Moment, Random};

/// A bind that held this long shows that the SM-SC is well, and the next wait begins at the shortest.
const STABLE: Duration = Duration::from_secs(10);

/// Waits that double, each cut by up to half at random so that the binds of a restarted SM-SC do not come all at once.
#[derive(Debug)]
pub(super) struct Reconnect {
    min: Duration,
    max: Duration,
    refused: Duration,
    next: Duration,
    bound_at: Option<Moment>,
}

impl Reconnect {
    pub(super) fn new(min: Duration, max: Duration, refused: Duration) -> Reconnect {
        Reconnect { min, max, refused, next: min, bound_at: None }
    }

    pub(super) fn bound(&mut self, now: Moment) {
        self.bound_at = Some(now);
    }

    /// The wait after a connection was lost or not opened.
    pub(super) fn after_loss(&mut self, now: Moment, random: &mut Random) -> Duration {
        if self.bound_at.take().is_some_and(|bound_at| now.since(bound_at) >= STABLE) {
            self.next = self.min;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.max).max(self.min);
        jittered(wait, random)
    }

    /// The wait after the SM-SC refused our name or password: hammering would lock the account.
    pub(super) fn after_refusal(&mut self, random: &mut Random) -> Duration {
        self.bound_at = None;
        jittered(self.refused, random)
    }
}

/// Between half of `wait` and all of it.
fn jittered(wait: Duration, random: &mut Random) -> Duration {
    let half = wait / 2;
    let spread_us = u64::try_from(half.as_micros()).unwrap_or(u64::MAX - 1);
    half + Duration::from_micros(random.below(spread_us + 1))
}
