//! Where a value stands on an axis, and which values are named there.

/// Ticks that an axis of plain numbers has at most.
const TICKS_MAX: u32 = 6;
/// Decades beyond which only powers of ten are named.
const DECADES_NAMED: i32 = 3;

/// A value that is named at its axis.
#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    /// The value.
    pub(super) at: f64,
    /// Its name.
    pub(super) label: String,
}

/// An axis.
#[derive(Clone, Debug)]
pub(in super::super) enum Scale {
    /// From 0 to `max`, in steps.
    Plain { max: f64, step: f64 },
    /// Microseconds from `min` to `max`, each decade as long as the others.
    Decades { min: f64, max: f64 },
    /// Shares from 0 to 1 - 10^-`nines`, each nine as long as the others.
    Nines { nines: f64 },
}

impl Scale {
    /// From 0 to a round number not below `max`.
    pub(in super::super) fn rounded(max: f64) -> Scale {
        let step = step(max);
        Scale::Plain { max: (max / step).ceil().max(1.0) * step, step }
    }

    /// From 0 to exactly `max`.
    pub(in super::super) fn exact(max: f64) -> Scale {
        Scale::Plain { max, step: step(max) }
    }

    /// Round numbers of microseconds around `min` to `max`.
    pub(in super::super) fn decades(min_us: u64, max_us: u64) -> Scale {
        let min = round_down(min_us.max(1) as f64);
        Scale::Decades { min, max: round_up(max_us as f64).max(10.0 * min) }
    }

    /// As many nines as `count` values can tell apart.
    pub(in super::super) fn nines(count: u64) -> Scale {
        Scale::Nines { nines: (count as f64).log10().clamp(2.0, 7.0) }
    }

    /// Where `value` stands: 0 is the beginning of the axis, 1 its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match *self {
            Scale::Plain { max, .. } => value / max,
            Scale::Decades { min, max } => (value.max(min) / min).log10() / (max / min).log10(),
            Scale::Nines { nines } => -(1.0 - value).log10() / nines,
        };
        place.clamp(0.0, 1.0)
    }

    /// The named values.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        match *self {
            Scale::Plain { max, step } => plain_ticks(max, step),
            Scale::Decades { min, max } => decade_ticks(min, max),
            Scale::Nines { nines } => nine_ticks(nines),
        }
    }
}

fn plain_ticks(max: f64, step: f64) -> Vec<Tick> {
    let values = (0..=TICKS_MAX).map(|n| f64::from(n) * step).take_while(|at| *at <= max * 1.000_001);
    values.map(|at| Tick { at, label: amount(at, step) }).collect()
}

fn decade_ticks(min: f64, max: f64) -> Vec<Tick> {
    let (first, last) = (exponent(min), exponent(max));
    let factors: &[f64] = if last - first > DECADES_NAMED { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let values = (first..=last).flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)));
    let inside = values.filter(|at| *at >= min * 0.999 && *at <= max * 1.001);
    inside.map(|at| Tick { at, label: microseconds(at) }).collect()
}

fn nine_ticks(nines: f64) -> Vec<Tick> {
    let half = Tick { at: 0.5, label: String::from("50 %") };
    let tick = |count: u32| Tick { at: 1.0 - 0.1_f64.powf(f64::from(count)), label: nines_label(count) };
    let tails = (0..8).filter(|count| f64::from(*count) <= nines + 0.001).map(tick);
    let mut ticks: Vec<_> = tails.collect();
    ticks.insert(1, half);
    ticks
}

fn nines_label(count: u32) -> String {
    match count {
        0 => String::from("0 %"),
        1 => String::from("90 %"),
        2 => String::from("99 %"),
        _ => format!("99.{} %", "9".repeat(count as usize - 2)),
    }
}

/// A step of 1, 2 or 5 times a power of ten, of which a few reach `max`.
fn step(max: f64) -> f64 {
    let least = max.max(f64::MIN_POSITIVE) / f64::from(TICKS_MAX - 1);
    round_up(least).max(if max > 0.0 { 0.0 } else { 1.0 })
}

fn round_up(value: f64) -> f64 {
    rounds(value).find(|round| *round >= value * 0.999_999).unwrap_or(value)
}

fn round_down(value: f64) -> f64 {
    rounds(value).filter(|round| *round <= value * 1.000_001).last().unwrap_or(value)
}

/// Round numbers about `value`, ascending.
fn rounds(value: f64) -> impl Iterator<Item = f64> {
    let decade = 10_f64.powi(exponent(value));
    [1.0, 2.0, 5.0, 10.0].into_iter().map(move |factor| factor * decade)
}

#[allow(clippy::cast_possible_truncation, reason = "an exponent of a finite f64 has three digits")]
fn exponent(value: f64) -> i32 {
    (value.log10() + 1e-9).floor() as i32
}

fn amount(value: f64, step: f64) -> String {
    match value {
        value if value >= 1_000_000.0 => format!("{} M", value / 1_000_000.0),
        value if value >= 10_000.0 => format!("{} k", value / 1_000.0),
        value if step < 1.0 => format!("{value:.1}"),
        value => format!("{value}"),
    }
}

fn microseconds(us: f64) -> String {
    match us {
        us if us < 999.0 => format!("{us:.0} µs"),
        us if us < 999_000.0 => format!("{:.0} ms", us / 1_000.0),
        us => format!("{:.0} s", us / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn plain_axes_have_round_steps() {
        assert_eq!(labels(&Scale::rounded(11_000.0)), ["0", "5000", "10 k", "15 k"]);
        assert_eq!(labels(&Scale::rounded(0.0)), ["0", "1"]);
        assert_eq!(labels(&Scale::exact(60.0)), ["0", "20", "40", "60"]);
        assert_eq!(labels(&Scale::exact(3.0)), ["0", "1", "2", "3"]);
        assert!((Scale::rounded(11_000.0).place(15_000.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn decades_begin_and_end_round() {
        let scale = Scale::decades(130, 4_200);
        assert_eq!(labels(&scale), ["100 µs", "200 µs", "500 µs", "1 ms", "2 ms", "5 ms"]);
        assert!(scale.place(100.0).abs() < 1e-9 && (scale.place(5_000.0) - 1.0).abs() < 1e-9);
        assert_eq!(labels(&Scale::decades(0, 0)), ["1 µs", "2 µs", "5 µs", "10 µs"]);
        assert_eq!(labels(&Scale::decades(90, 2_000_000)), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
    }

    #[test]
    fn each_nine_is_as_long() {
        let scale = Scale::nines(10_000);
        assert_eq!(labels(&scale), ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        for (share, place) in [(0.0, 0.0), (0.9, 0.25), (0.99, 0.5), (0.9999, 1.0), (1.0, 1.0)] {
            assert!((scale.place(share) - place).abs() < 1e-6, "{share}");
        }
    }
}
