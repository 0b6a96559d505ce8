//! When messages are due.

/// Microseconds of a second.
const US: f64 = 1_000_000.0;

/// When messages are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// At a fixed rate, whatever has been answered.
    Open {
        /// Messages a second.
        per_s: f64,
    },
    /// At a rate that changes evenly, and then stays; whatever has been answered.
    Ramp {
        /// Messages a second at first.
        from_per_s: f64,
        /// Messages a second at last.
        to_per_s: f64,
        /// Seconds between them.
        over_s: f64,
    },
    /// A new one for each that is answered.
    Closed {
        /// Messages without an answer.
        window: u32,
    },
}

impl Pace {
    /// When message `number` (from 0) is due, in microseconds after the first; `None` if that depends on answers, or if
    /// it never is.
    #[must_use]
    pub fn due_us(&self, number: u32) -> Option<u64> {
        let number = f64::from(number);
        match *self {
            Pace::Open { per_s } => whole(number / per_s),
            Pace::Ramp { from_per_s, to_per_s, over_s } => {
                let in_ramp = (from_per_s + to_per_s) / 2.0 * over_s;
                if number < in_ramp {
                    whole(in_time(from_per_s, (to_per_s - from_per_s) / over_s, number))
                } else {
                    whole(over_s + (number - in_ramp) / to_per_s)
                }
            }
            Pace::Closed { .. } => None,
        }
    }

    /// The highest rate in messages a second; `None` if that depends on answers.
    #[must_use]
    pub fn peak_per_s(&self) -> Option<f64> {
        match *self {
            Pace::Open { per_s } => Some(per_s),
            Pace::Ramp { from_per_s, to_per_s, .. } => Some(from_per_s.max(to_per_s)),
            Pace::Closed { .. } => None,
        }
    }
}

/// The seconds after which `number` messages were due: the root of `rate * t + slope / 2 * t^2 = number`, in the form that
/// loses nothing where the slope is small.
fn in_time(rate: f64, slope: f64, number: f64) -> f64 {
    let root = (rate * rate + 2.0 * slope * number).max(0.0).sqrt();
    if number == 0.0 { 0.0 } else { 2.0 * number / (rate + root) }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn whole(seconds: f64) -> Option<u64> {
    let us = (seconds * US).round();
    (us.is_finite() && (0.0..1e15).contains(&us)).then_some(us as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_has_as_many_messages_as_its_area_and_meets_the_fixed_rate_at_its_ends() {
        let ramp = Pace::Ramp { from_per_s: 0.0, to_per_s: 1_000.0, over_s: 10.0 };
        let before = |us: u64| (0..20_000).filter(|number| ramp.due_us(*number).is_some_and(|due| due < us)).count();
        assert_eq!((before(5_000_000), before(10_000_000), before(11_000_000)), (1_250, 5_000, 6_000));
        let down = Pace::Ramp { from_per_s: 100.0, to_per_s: 0.0, over_s: 2.0 };
        assert_eq!((down.due_us(0), down.due_us(99).is_some(), down.due_us(100)), (Some(0), true, None));
        let flat = Pace::Ramp { from_per_s: 100.0, to_per_s: 100.0, over_s: 2.0 };
        assert!((0..1_000).all(|number| flat.due_us(number) == Pace::Open { per_s: 100.0 }.due_us(number)));
    }

    #[test]
    fn messages_are_due_in_order() {
        let ramp = Pace::Ramp { from_per_s: 3.0, to_per_s: 70.0, over_s: 3.0 };
        let due: Vec<_> = (0..500).filter_map(|number| ramp.due_us(number)).collect();
        assert!(due.len() == 500 && due.is_sorted());
    }
}
