//! Time as SMPP writes it (SMPP 3.4 7.1): `YYMMDDhhmmsstnnp`.

use crate::wire::inline::Inline;

/// A validity_period or schedule_delivery_time without its NUL.
pub type Time = Inline<16>;

/// A relative time: `seconds` from when the SM-SC receives it, each unit within its range. Beyond 99 years it is cut.
#[must_use]
pub fn relative(seconds: u32) -> Time {
    // Years of 365 and months of 30 days are the SM-SC's to interpret, so days carry up to 99 and then months begin.
    let days = seconds / 86_400;
    let (months, days) = if days > 99 { (days / 30, days % 30) } else { (0, days) };
    let (years, months) = ((months / 12).min(99), months % 12);
    let parts = [years, months, days, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60];
    let mut time = Time::new();
    for part in parts {
        let two = |digit: u32| b'0' + u8::try_from(digit % 10).unwrap_or(0);
        let _fits = time.extend(&[two(part / 10), two(part)]);
    }
    let _fits = time.extend(b"000R");
    time
}

/// The seconds of a relative time (a month counts 30 days, a year 12 months); `None` if it is not one.
#[must_use]
pub fn relative_seconds(time: &[u8]) -> Option<u32> {
    if time.len() != 16 || time.last() != Some(&b'R') || !time.get(..15)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let pair = |at: usize| u32::from(time[at] - b'0') * 10 + u32::from(time[at + 1] - b'0');
    let days = (pair(0) * 12 + pair(2)) * 30 + pair(4);
    days.checked_mul(86_400)?.checked_add(pair(6) * 3600 + pair(8) * 60 + pair(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times() {
        assert_eq!(&*relative(2 * 86_400), b"000002000000000R");
        assert_eq!(&*relative(90), b"000000000130000R");
        for seconds in [0, 59, 3_600, 86_399, 99 * 86_400, 100 * 86_400] {
            assert_eq!(relative_seconds(&relative(seconds)), Some(seconds));
        }
        assert_eq!(relative_seconds(b"261121093000004+"), None);
    }
}
