//! What a message holds after its answer: the answer, for repetitions of its request, and the report that is to come.

use std::time::Duration;

use super::live;
use super::one_core::OneCore;
use super::watch::Unwatched;

const MESSAGES: u64 = 20_000;
/// A response is kept for 32 s (RFC 3261, Timer J): all messages within that time, or hardly any.
const DENSE: Duration = Duration::from_micros(100);
const SPARSE: Duration = Duration::from_millis(200);
/// Twice what was measured: tables grow by doubling.
const ANSWERED_OCTETS_MAX: i64 = 800;
const REPORT_OCTETS_MAX: i64 = 2_600;

fn octets_per_message(dispositions: Option<&str>, pace: Duration) -> i64 {
    let mut core: OneCore<Unwatched> = OneCore::new();
    (0..1_000).for_each(|number| core.unreported_message(number, dispositions, SPARSE));
    let before = live();
    (1_000..1_000 + MESSAGES).for_each(|number| core.unreported_message(number, dispositions, pace));
    (live() - before) / i64::try_from(MESSAGES).unwrap()
}

#[test]
fn an_answered_message() {
    let octets = octets_per_message(None, DENSE);
    eprintln!("an answered message: {octets} octets for 32 s");
    assert!(octets > 0 && octets < ANSWERED_OCTETS_MAX, "{octets}");
}

#[test]
fn an_open_report() {
    let octets = octets_per_message(Some("positive-delivery"), SPARSE);
    eprintln!("an open report: {octets} octets");
    assert!(octets > 0 && octets < REPORT_OCTETS_MAX, "{octets}");
}
