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
    let mut out = Inline::new();
    digits(u64::from(date.year().unsigned_abs()), 4, &mut out);
    let parts =
        [(b'-', date.month()), (b'-', date.day()), (b'T', date.hour()), (b':', date.minute()), (b':', date.second())];
    for (before, part) in parts {
        push(before, &mut out);
        digits(u64::from(part.unsigned_abs()), 2, &mut out);
    }
    push(b'.', &mut out);
    digits(unix_ms % 1000, 3, &mut out);
    push(b'Z', &mut out);
    out
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

fn digits(number: u64, count: u32, out: &mut Inline<BYTES>) {
    for place in (0..count).rev() {
        let digit = number / 10_u64.pow(place) % 10;
        push(b'0' + u8::try_from(digit).unwrap_or(0), out);
    }
}

fn push(octet: u8, out: &mut Inline<BYTES>) {
    let fits = out.push(octet);
    debug_assert!(fits, "a date has as many octets as its form");
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
