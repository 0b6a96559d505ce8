//! Open loop: requests leave when they are due, whatever has become of those before them, and what they take is counted
//! from then.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::cpm::Answer;
use crate::site::Site;

/// Requests sent in a row before answers are looked for.
const BURST: usize = 64;
/// Answers that are still under way when the last request has left have this long.
const AFTERWARDS: Duration = Duration::from_millis(500);

/// What became of the requests.
pub struct Outcome {
    pub offered_per_second: f64,
    pub accepted: usize,
    pub refused: usize,
    /// Refusals that were not 503 with Retry-After.
    pub refused_otherwise: usize,
    pub unanswered: usize,
    pub seconds: f64,
    /// Nanoseconds from when a request was due to its 202.
    pub latency: Histogram<u64>,
    /// Nanoseconds by which requests left late.
    pub lateness: Histogram<u64>,
}

/// Sends so many requests a second for this long. Answers that come after the last request has left count as answered,
/// but not towards the rate.
pub fn run(site: &mut Site, per_second: f64, length: Duration, first: usize) -> Outcome {
    let every = 1e9 / per_second;
    let (began, mut due, mut state) = (Instant::now(), Vec::new(), State::new());
    while began.elapsed() < length {
        let now = nanoseconds(began);
        for _ in 0..BURST {
            let at = at_nanoseconds(every, due.len());
            if at > now {
                break;
            }
            state.lateness.saturating_record(now - at);
            site.cpm.send(first + due.len());
            due.push(at);
        }
        site.cpm.flush();
        state.look(site, began, first, &due);
    }
    let (seconds, in_time) = (began.elapsed().as_secs_f64(), state.accepted);
    while began.elapsed() < length + AFTERWARDS {
        state.look(site, began, first, &due);
    }
    let State { latency, lateness, accepted, refused, refused_otherwise } = state;
    let unanswered = due.len() - accepted - refused;
    let offered_per_second = f64::from(u32::try_from(due.len()).unwrap()) / seconds;
    Outcome {
        offered_per_second,
        accepted: in_time,
        refused,
        refused_otherwise,
        unanswered,
        seconds,
        latency,
        lateness,
    }
}

struct State {
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
    accepted: usize,
    refused: usize,
    refused_otherwise: usize,
}

impl State {
    fn new() -> State {
        let histogram = || Histogram::new_with_bounds(1_000, 60_000_000_000, 3).unwrap();
        State { latency: histogram(), lateness: histogram(), accepted: 0, refused: 0, refused_otherwise: 0 }
    }

    fn look(&mut self, site: &mut Site, began: Instant, first: usize, due: &[u64]) {
        let now = nanoseconds(began);
        site.cpm.receive(|answer| match answer {
            Answer::Accepted(number) => {
                self.accepted += 1;
                self.latency.saturating_record(now.saturating_sub(due[number - first]));
            }
            Answer::Refused { code, retry_after, .. } => {
                self.refused += 1;
                self.refused_otherwise += usize::from(code != 503 || !retry_after);
            }
            Answer::Request => {}
        });
        site.smsc.turn();
    }
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate times a count of seconds")]
fn at_nanoseconds(every: f64, nth: usize) -> u64 {
    (every * f64::from(u32::try_from(nth).unwrap())) as u64
}
