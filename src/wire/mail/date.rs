//! Dates (RFC 5322 3.3), and the other forms in which relays write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::wire::digits::decimal;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const WEEKDAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
/// Zones by name, hours from UTC (RFC 5322 4.3); any other name says nothing, and is UTC.
const ZONES: [(&[u8], i64); 8] =
    [(b"EDT", -4), (b"EST", -5), (b"CDT", -5), (b"CST", -6), (b"MDT", -6), (b"MST", -7), (b"PDT", -7), (b"PST", -8)];

/// Seconds since 1970-01-01T00:00:00Z; `None` if `value` is no date. Day, month, year, time and zone may stand in the
/// order of RFC 5322, of HTTP, of C's `asctime`, or as ISO 8601 has it; without a zone it is UTC.
#[must_use]
pub fn unix_s(value: &[u8]) -> Option<i64> {
    let value = value.trim_ascii();
    if let [y, _, _, _, b'-', ..] = value
        && y.is_ascii_digit()
    {
        return iso_8601(str::from_utf8(value).ok()?);
    }
    let mut parts = Parts::default();
    let separator = |octet: &u8| octet.is_ascii_whitespace() || *octet == b',';
    let words = value.split(separator).filter(|word| !word.is_empty());
    // A comment is the end: the zone's name stands in it.
    words.take_while(|word| !word.starts_with(b"(")).for_each(|word| parts.note(word));
    parts.unix_s()
}

/// Appends a date as RFC 5322 has it, in UTC.
pub fn write(unix_s: i64, out: &mut Vec<u8>) {
    let at = TimeZone::UTC.to_datetime(Timestamp::from_second(unix_s).unwrap_or_default());
    let weekday = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
    out.extend_from_slice(WEEKDAYS.get(weekday).copied().unwrap_or(b"Mon"));
    out.extend_from_slice(b", ");
    two(at.day(), b' ', out);
    out.extend_from_slice(MONTHS.get(usize::from(at.month().unsigned_abs()) - 1).copied().unwrap_or(b"Jan"));
    out.push(b' ');
    let year = at.year().unsigned_abs();
    (0..4_usize.saturating_sub(decimal_len(year))).for_each(|_| out.push(b'0'));
    decimal(out, u64::from(year));
    out.push(b' ');
    two(at.hour(), b':', out);
    two(at.minute(), b':', out);
    two(at.second(), b' ', out);
    out.extend_from_slice(b"+0000");
}

fn decimal_len(year: u16) -> usize {
    year.checked_ilog10().map_or(1, |digits| digits as usize + 1)
}

fn two(number: i8, then: u8, out: &mut Vec<u8>) {
    let number = number.unsigned_abs();
    out.extend_from_slice(&[b'0' + number / 10 % 10, b'0' + number % 10, then]);
}

fn iso_8601(value: &str) -> Option<i64> {
    if let Ok(at) = value.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    let local: DateTime = value.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(local).ok()?.as_second())
}

/// What the words say, in whatever order they stand.
#[derive(Default)]
struct Parts {
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    time: Option<[i8; 3]>,
    /// Seconds that the zone is ahead of UTC.
    ahead_s: i64,
}

impl Parts {
    fn note(&mut self, word: &[u8]) {
        match word {
            [b'+' | b'-', digits @ ..] => {
                let sign = if word.starts_with(b"-") { -1 } else { 1 };
                self.ahead_s = sign * offset_s(digits).unwrap_or(0);
            }
            _ if word.contains(&b':') => self.time = time(word),
            [first, ..] if first.is_ascii_digit() => {
                word.split(|octet| *octet == b'-').for_each(|part| self.day_of(part))
            }
            _ => self.name(word),
        }
    }

    /// A day, a year, or the month between them in `21-Nov-2026`.
    fn day_of(&mut self, part: &[u8]) {
        let Some(number) = number(part) else { return self.name(part) };
        match (self.day, part.len()) {
            (None, 1 | 2) => self.day = i8::try_from(number).ok(),
            // RFC 5322 4.3: two digits from 50 on and three are of the last century.
            (_, 2) if number < 50 => self.year = Some(2000 + number),
            (_, 2 | 3) => self.year = Some(1900 + number),
            _ => self.year = Some(number),
        }
    }

    fn name(&mut self, word: &[u8]) {
        let start = word.get(..3).unwrap_or(word);
        if let Some(at) = MONTHS.iter().position(|month| start.eq_ignore_ascii_case(*month)) {
            self.month = i8::try_from(at + 1).ok();
        } else if let Some((_, hours)) = ZONES.iter().find(|(zone, _)| word.eq_ignore_ascii_case(zone)) {
            self.ahead_s = hours * 3_600;
        }
    }

    fn unix_s(&self) -> Option<i64> {
        let [hour, minute, second] = self.time?;
        // A leap second is the one before it.
        let civil = DateTime::new(self.year?, self.month?, self.day?, hour, minute, second.min(59), 0).ok()?;
        Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_second() - self.ahead_s)
    }
}

fn number(digits: &[u8]) -> Option<i16> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all.then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`.
fn time(word: &[u8]) -> Option<[i8; 3]> {
    let mut parts = word.split(|octet| matches!(octet, b':' | b'.'));
    let mut next = || parts.next().map(|part| number(part).and_then(|number| i8::try_from(number).ok()));
    Some([next()??, next()??, next().unwrap_or(Some(0))?])
}

/// The seconds of `hhmm` or `hh:mm`.
fn offset_s(digits: &[u8]) -> Option<i64> {
    let (hours, minutes) = match digits {
        [h, g, b':', m, n] | [h, g, m, n] => ([*h, *g], [*m, *n]),
        [h, g] => ([*h, *g], *b"00"),
        _ => return None,
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    (hours < 24 && minutes < 60).then_some(i64::from(hours) * 3_600 + i64::from(minutes) * 60)
}
