//! The dates of a delivery receipt.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::wire::smpp::time;

/// When a short message reached its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneDate {
    /// Seconds since 1970-01-01T00:00:00Z; as if the date were UTC where it does not say its zone.
    pub unix_seconds: i64,
    /// Whether the date says its zone. Otherwise it is the SM-SC's local time.
    pub zone_known: bool,
}

impl DoneDate {
    /// Reads a date in any of the forms met: `YYMMDDhhmm`, with seconds, with a four-digit year or both; seconds or
    /// milliseconds since 1970; ISO 8601 with or without zone; the form of SMPP 3.4 7.1.1.
    ///
    /// Ten digits that can be a date are not seconds since 1970. Twelve digits that can be `YYMMDDhhmmss` are not
    /// `YYYYMMDDhhmm`, which from 2013 on cannot be the former.
    pub(super) fn read(date: &[u8]) -> Option<DoneDate> {
        if !date.is_empty() && date.iter().all(u8::is_ascii_digit) {
            return two_digit_year(date).or_else(|| four_digit_year(date)).or_else(|| epoch(date));
        }
        time::absolute_unix_seconds(date).map(zoned).or_else(|| iso(date))
    }
}

fn zoned(unix_seconds: i64) -> DoneDate {
    DoneDate { unix_seconds, zone_known: true }
}

fn local(unix_seconds: i64) -> DoneDate {
    DoneDate { unix_seconds, zone_known: false }
}

/// `YYMMDDhhmm` or `YYMMDDhhmmss`.
fn two_digit_year(date: &[u8]) -> Option<DoneDate> {
    let pairs = match date.len() {
        10 => with_zero_seconds(time::pairs(date)?),
        12 => time::pairs(date)?,
        _ => return None,
    };
    time::two_digit_year_unix_seconds(pairs).map(local)
}

/// `YYYYMMDDhhmm` or `YYYYMMDDhhmmss`.
fn four_digit_year(date: &[u8]) -> Option<DoneDate> {
    let (century, rest) = date.split_at_checked(2)?;
    let [year, rest @ ..] = match date.len() {
        12 => with_zero_seconds(time::pairs(rest)?),
        14 => time::pairs(rest)?,
        _ => return None,
    };
    let [century] = time::pairs(century)?;
    time::unix_seconds(i16::from(century) * 100 + i16::from(year), rest).map(local)
}

fn with_zero_seconds([year, month, day, hour, minute]: [u8; 5]) -> [u8; 6] {
    [year, month, day, hour, minute, 0]
}

/// Seconds or milliseconds since 1970. Both have had these lengths since 2001; one digit less is a broken date.
fn epoch(date: &[u8]) -> Option<DoneDate> {
    let number: i64 = core::str::from_utf8(date).ok()?.parse().ok()?;
    match date.len() {
        10 => Some(zoned(number)),
        13 => Some(zoned(number / 1_000)),
        _ => None,
    }
}

fn iso(date: &[u8]) -> Option<DoneDate> {
    let date = core::str::from_utf8(date).ok()?;
    if let Ok(at) = date.parse::<jiff::Timestamp>() {
        return Some(zoned(at.as_second()));
    }
    let civil: DateTime = date.parse().ok()?;
    Some(local(TimeZone::UTC.to_timestamp(civil).ok()?.as_second()))
}
