//! Numbers as people read them.

/// A count in groups of three digits.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration of `us` microseconds with three significant digits.
pub(super) fn duration(us: u64) -> String {
    let us_exact = us as f64;
    match us {
        0..1_000 => format!("{us} us"),
        1_000..10_000 => format!("{:.2} ms", us_exact / 1e3),
        10_000..100_000 => format!("{:.1} ms", us_exact / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", us_exact / 1e3),
        1_000_000..10_000_000 => format!("{:.2} s", us_exact / 1e6),
        _ => format!("{:.1} s", us_exact / 1e6),
    }
}

/// How many a second `count` in `us` microseconds are.
pub(super) fn per_second(count: u64, us: u64) -> String {
    if us == 0 {
        return String::from("-");
    }
    grouped(u64::try_from(u128::from(count) * 1_000_000 / u128::from(us)).unwrap_or(u64::MAX))
}

/// `part` of `whole` in percent.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        for (us, text) in [
            (0, "0 us"),
            (999, "999 us"),
            (1_234, "1.23 ms"),
            (45_678, "45.7 ms"),
            (999_000, "999 ms"),
            (61_000_000, "61.0 s"),
        ] {
            assert_eq!(duration(us), text);
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!((per_second(30_000, 10_000_000), per_second(1, 0)), (String::from("3,000"), String::from("-")));
        assert_eq!((percent(1, 4), percent(0, 0)), (String::from("25.00 %"), String::from("0.00 %")));
    }
}
