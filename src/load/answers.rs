//! How the SM-SC side answers a submission.

use core::time::Duration;

use super::settings::SmscSettings;
use crate::engine::{Moment, Random};
use crate::wire::smpp::CommandStatus;

/// One second, in microseconds.
const SECOND_US: u64 = 1_000_000;
/// Shares are drawn out of as many.
const PARTS: u32 = 1 << 30;

/// What becomes of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is answered with an error at once.
    Refused(CommandStatus),
    /// It is taken, and answered then.
    TakenAt(Moment),
}

/// How the SM-SC side answers a submission.
#[derive(Debug)]
pub(super) struct Answers {
    delay: (Duration, Duration),
    error_share: f64,
    error_status: CommandStatus,
    throttle: u32,
    random: Random,
    /// The second that is counted, and the submissions of it.
    second: (u64, u32),
}

impl Answers {
    pub(super) fn new(settings: &SmscSettings, random: Random) -> Answers {
        Answers {
            delay: settings.answer_delay,
            error_share: settings.error_share,
            error_status: settings.error_status,
            throttle: settings.throttle,
            random,
            second: (0, 0),
        }
    }

    /// What becomes of a submission that arrives now, from somebody who is bound or not.
    pub(super) fn judge(&mut self, now: Moment, bound: bool) -> Judgement {
        if !bound {
            return Judgement::Refused(CommandStatus::ESME_RINVBNDSTS);
        }
        if self.is_throttled(now) {
            return Judgement::Refused(CommandStatus::ESME_RTHROTTLED);
        }
        if self.error_share > 0.0 && self.draw(u64::from(PARTS)) < self.error_share * f64::from(PARTS) {
            return Judgement::Refused(self.error_status);
        }
        Judgement::TakenAt(now + self.pause())
    }

    fn is_throttled(&mut self, now: Moment) -> bool {
        let second = now.0 / SECOND_US;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        if self.throttle > 0 && self.second.1 >= self.throttle {
            return true;
        }
        self.second.1 += 1;
        false
    }

    fn pause(&mut self) -> Duration {
        let (shortest, longest) = self.delay;
        let more = longest.saturating_sub(shortest).as_micros();
        match u64::try_from(more).unwrap_or(u64::MAX) {
            0 => shortest,
            more => shortest + Duration::from_micros(self.random.below(more.saturating_add(1))),
        }
    }

    fn draw(&mut self, below: u64) -> f64 {
        f64::from(u32::try_from(self.random.below(below)).unwrap_or(u32::MAX))
    }
}
