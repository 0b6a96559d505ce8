//! Dates as CPIM and IMDN write them (RFC 3339), and as SIP does (RFC 3261 20.17).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::wire::inline::Inline;

/// Octets of such a date.
const BYTES: usize = 24;

/// `unix_ms` as `2026-11-21T08:30:00.123Z`.
#[must_use]
pub fn of(unix_ms: u64) -> Inline<BYTES> {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    let date = TimeZone::UTC.to_datetime(at);
    let (year, part) = (date.year().unsigned_abs(), |part: i8| u16::from(part.unsigned_abs()));
    let mut text = *b"yyyy-mm-ddThh:mm:ss.mmmZ";
    let pairs = [
        (0, year / 100),
        (2, year % 100),
        (5, part(date.month())),
        (8, part(date.day())),
        (11, part(date.hour())),
        (14, part(date.minute())),
        (17, part(date.second())),
    ];
    for (at, pair) in pairs {
        (text[at], text[at + 1]) = (digit(pair / 10), digit(pair));
    }
    let ms = u16::try_from(unix_ms % 1000).unwrap_or(0);
    (text[20], text[21], text[22]) = (digit(ms / 100), digit(ms / 10), digit(ms));
    Inline::from_slice(&text).unwrap_or_default()
}

fn digit(number: u16) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or(0)
}

/// Octets of a SIP date.
const SIP_BYTES: usize = 29;

/// `unix_ms` as `Sat, 21 Nov 2026 08:30:00 GMT`.
#[must_use]
pub fn of_sip(unix_ms: u64) -> Inline<SIP_BYTES> {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    let text = TimeZone::UTC.to_datetime(at).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Inline::from_slice(text.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn utc_with_milliseconds() {
        assert_eq!(&*super::of(1_795_249_800_007), b"2026-11-21T08:30:00.007Z");
    }

    #[test]
    fn sip_has_seconds_and_the_day_of_the_week() {
        assert_eq!(&*super::of_sip(1_795_249_800_007), b"Sat, 21 Nov 2026 08:30:00 GMT");
        assert_eq!(super::of_sip(u64::MAX).len(), super::SIP_BYTES);
    }
}
