//! The turns of a core's loop: what each part of one took, and which part held the core up when it took too long.

use crate::limits;

/// A part of a turn, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Taking what arrived from the kernel.
    Collect,
    /// Handling it.
    Arrivals,
    /// Handling what other cores handed over, and answers of the DNS.
    Parcels,
    /// Timers.
    Timers,
    /// Carrying out what was ordered: hand-overs, transmits, lines of the log.
    Orders,
    /// Handing octets to the kernel, waking other cores.
    Flush,
    /// Publishing what is observed.
    Publish,
}

/// How many there are.
pub const STEPS: usize = 7;

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; STEPS] =
        [Step::Collect, Step::Arrivals, Step::Parcels, Step::Timers, Step::Orders, Step::Flush, Step::Publish];

    /// As metrics and logs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Step::Collect => "collect",
            Step::Arrivals => "arrivals",
            Step::Parcels => "parcels",
            Step::Timers => "timers",
            Step::Orders => "orders",
            Step::Flush => "flush",
            Step::Publish => "publish",
        }
    }
}

/// A turn that took longer than [`limits::TURN_BUDGET_US`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// The step that took the most of it.
    pub step: Step,
    /// What that took, in microseconds.
    pub step_us: u64,
    /// What the whole turn took, in microseconds.
    pub turn_us: u64,
    /// Turns that overran since the last one that was told of.
    pub untold: u64,
    /// How often the core's thread had lost its processor to another one, in the second before at most.
    pub preempted: u64,
}

/// Times the steps of turns. It is told the time in nanoseconds of any clock that does not go back.
#[derive(Clone, Copy, Debug, Default)]
pub struct TurnWatch {
    begun: u64,
    last: u64,
    spent_ns: [u64; STEPS],
    /// No overrun is told of before.
    quiet_until: u64,
    untold: u64,
}

/// Between two overruns that are told of.
const TELL_EVERY_NS: u64 = 1_000_000_000;

impl TurnWatch {
    /// A turn begins.
    pub fn begin(&mut self, ticks_ns: u64) {
        (self.begun, self.last) = (ticks_ns, ticks_ns);
        self.spent_ns = [0; STEPS];
    }

    /// A step has ended; it began where the one before ended.
    pub fn passed(&mut self, step: Step, ticks_ns: u64) {
        self.spent_ns[step as usize] += ticks_ns.saturating_sub(self.last);
        self.last = ticks_ns;
    }

    /// When this turn began, and when its latest step ended.
    #[must_use]
    pub const fn so_far_ns(&self) -> (u64, u64) {
        (self.begun, self.last)
    }

    /// What each step of this turn has taken so far, in nanoseconds.
    #[must_use]
    pub fn spent_ns(&self) -> &[u64; STEPS] {
        &self.spent_ns
    }

    /// The step that took too long, if the turn that ended with the last step did.
    #[must_use]
    pub fn overran(&self) -> Option<Step> {
        let budget_ns = limits::TURN_BUDGET_US * 1_000;
        (self.last - self.begun > budget_ns).then(|| self.longest())
    }

    /// What is to be told of a turn that overran, without what the kernel knows of it: not more than once a second, so that a log which is what holds the core
    /// up does not do so more.
    pub fn tell(&mut self) -> Option<Overrun> {
        if self.last < self.quiet_until {
            self.untold += 1;
            return None;
        }
        self.quiet_until = self.last + TELL_EVERY_NS;
        let (step, untold) = (self.longest(), core::mem::take(&mut self.untold));
        let (step_us, turn_us) = (self.spent_ns[step as usize] / 1_000, (self.last - self.begun) / 1_000);
        Some(Overrun { step, step_us, turn_us, untold, preempted: 0 })
    }

    fn longest(&self) -> Step {
        Step::ALL.into_iter().max_by_key(|step| self.spent_ns[*step as usize]).unwrap_or(Step::Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A turn from `begun` in which every step takes 1 ms and `slow` takes `ns`.
    fn turn(watch: &mut TurnWatch, begun: u64, slow: Step, ns: u64) -> u64 {
        let mut at = begun;
        watch.begin(at);
        for step in Step::ALL {
            at += if step == slow { ns } else { MS };
            watch.passed(step, at);
        }
        at
    }

    #[test]
    fn the_slow_step_is_named() {
        for slow in Step::ALL {
            let mut watch = TurnWatch::default();
            turn(&mut watch, 5, slow, 30 * MS);
            assert_eq!(watch.overran(), Some(slow));
            let told = Overrun { step: slow, step_us: 30_000, turn_us: 36_000, untold: 0, preempted: 0 };
            assert_eq!(watch.tell(), Some(told));
        }
    }

    #[test]
    fn a_turn_within_its_budget_is_no_overrun() {
        let mut watch = TurnWatch::default();
        let rest = limits::TURN_BUDGET_US * 1_000 - 6 * MS;
        turn(&mut watch, 0, Step::Flush, rest);
        assert_eq!(watch.overran(), None);
        turn(&mut watch, 0, Step::Flush, rest + 1);
        assert_eq!(watch.overran(), Some(Step::Flush));
    }

    #[test]
    fn a_second_has_one_line_and_the_next_says_how_many_more() {
        let mut watch = TurnWatch::default();
        let mut at = 0;
        let mut told = Vec::new();
        for _ in 0..100 {
            at = turn(&mut watch, at, Step::Orders, 34 * MS);
            told.extend(watch.overran().and_then(|_| watch.tell()).map(|overrun| overrun.untold));
        }
        // 40 ms a turn: at 40 ms, and then in each second at the first that is 1 s later.
        assert_eq!(told, [0, 24, 24, 24]);
    }

    #[test]
    fn a_clock_that_stands_still_is_no_step() {
        let mut watch = TurnWatch::default();
        watch.begin(7);
        Step::ALL.into_iter().for_each(|step| watch.passed(step, 7));
        assert_eq!((watch.overran(), *watch.spent_ns()), (None, [0; STEPS]));
    }
}
