//! Time as SMPP writes it (SMPP 3.4 7.1): `YYMMDDhhmmsstnnp`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

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
    let mut time = *b"000000000000000R";
    for (part, place) in parts.into_iter().zip(time.as_chunks_mut().0) {
        let digit = |digit: u32| b'0' + digit.to_le_bytes()[0];
        *place = [digit(part / 10), digit(part % 10)];
    }
    Inline::from_slice(&time).unwrap_or_default()
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

/// A point in time, `unix_seconds` after 1970-01-01T00:00:00Z, written in UTC.
#[must_use]
pub fn absolute(unix_seconds: i64) -> Time {
    let at = jiff::Timestamp::from_second(unix_seconds).unwrap_or_default();
    let utc = TimeZone::UTC.to_datetime(at);
    let year = (utc.year() % 100).unsigned_abs();
    let rest =
        [utc.month(), utc.day(), utc.hour(), utc.minute(), utc.second()].map(|part| u16::from(part.unsigned_abs()));
    let mut time = Time::new();
    for part in core::iter::once(year).chain(rest) {
        let two = |digit: u16| b'0' + u8::try_from(digit % 10).unwrap_or(0);
        let _fits = time.extend(&[two(part / 10), two(part)]);
    }
    let _fits = time.extend(b"000+");
    time
}

/// The point in time of an absolute time, in seconds since 1970-01-01T00:00:00Z; `None` if it is not one. `nn` counts
/// quarter hours that the local time is ahead of UTC (`+`) or behind (`-`).
#[must_use]
pub fn absolute_unix_seconds(time: &[u8]) -> Option<i64> {
    let sign = match (time.len(), time.last()?) {
        (16, b'+') => 1,
        (16, b'-') => -1,
        _ => return None,
    };
    let [quarters] = pairs(time.get(13..)?)?;
    let local = two_digit_year_unix_seconds(pairs(time)?)?;
    (quarters <= 48).then(|| local - sign * i64::from(quarters) * 15 * 60)
}

/// Year, month, day, hour, minute and second of `YYMMDDhhmmss` as if in UTC. Years 00 to 37 are this century's (7.1.1).
pub(super) fn two_digit_year_unix_seconds([year, rest @ ..]: [u8; 6]) -> Option<i64> {
    unix_seconds(i16::from(year) + if year <= 37 { 2000 } else { 1900 }, rest)
}

/// Month, day, hour, minute and second of a year as if in UTC, if there is such a moment.
pub(super) fn unix_seconds(year: i16, rest: [u8; 5]) -> Option<i64> {
    let [month, day, hour, minute, second] = rest.map(|part| i8::try_from(part).unwrap_or(-1));
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_second())
}

/// The numbers that the first digits write by twos.
pub(super) fn pairs<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut pairs = [0; N];
    for (pair, two) in pairs.iter_mut().zip(digits.get(..2 * N)?.chunks_exact(2)) {
        let [tens, ones] = [two[0].wrapping_sub(b'0'), two[1].wrapping_sub(b'0')];
        *pair = (tens <= 9 && ones <= 9).then(|| tens * 10 + ones)?;
    }
    Some(pairs)
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

    #[test]
    fn absolute_times() {
        assert_eq!(absolute_unix_seconds(b"261121093000004+"), Some(1_795_249_800));
        assert_eq!(absolute_unix_seconds(b"261121073000004-"), Some(1_795_249_800));
        assert_eq!(&*absolute(1_795_249_800), b"261121083000000+");
        assert_eq!(absolute_unix_seconds(b"990101000000000+"), Some(915_148_800));
        for bad in [&b"261321093000004+"[..], b"261121093000049+", b"2611210930000A4+", b"", b"000002000000000R"] {
            assert_eq!(absolute_unix_seconds(bad), None);
        }
    }
}
