//! The configured next hop: its targets now, asked for again before they are stale.

use core::time::Duration;

use crate::engine::transport::{Record, RecordKind};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::uri::Uri;

use super::locate::{Locate, Reach, Step};
use super::targets::Targets;
use super::{Target, timers};

/// Where requests of ours go.
///
/// Calling order: `poll_query` at start, after each `answered`, and when `poll_timeout` is due; a question it returned is
/// answered once. `targets` at any time.
#[derive(Debug)]
pub struct NextHop {
    uri: Box<[u8]>,
    reach: Reach,
    targets: Targets,
    state: State,
    /// Lookups that failed since the last that did not.
    failures: u32,
    pauses: Vec<(Target, Moment)>,
}

#[derive(Debug)]
enum State {
    /// An address is an address for good.
    Fixed,
    /// Nothing to ask before this moment.
    Waiting(Moment),
    /// A question to ask, then `None` until it is answered.
    Asking(Locate, Option<(String, RecordKind)>),
}

impl NextHop {
    /// The next hop named by a SIP URI. `None` if it is not one, or needs a transport that we do not have.
    #[must_use]
    pub fn new(uri: &[u8], reach: Reach) -> Option<NextHop> {
        let (targets, state) = match start(uri, reach)?.1 {
            Step::Failed => return None,
            Step::Done(targets) => (targets, State::Fixed),
            Step::Ask { .. } => (Targets::default(), State::Waiting(Moment(0))),
        };
        Some(NextHop { uri: uri.into(), reach, targets, state, failures: 0, pauses: Vec::new() })
    }

    /// Whether there is somewhere to send to.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.targets.as_slice().is_empty()
    }

    /// Where the next request goes, in the order to try: drawn anew by priority and weight (RFC 2782), paused targets
    /// last. Empty as long as no lookup has succeeded. Allocates nothing.
    pub fn targets(&mut self, now: Moment, random: &mut Random) -> &[Target] {
        if self.targets.as_slice().len() > 1 {
            self.pauses.retain(|(_, until)| *until > now);
            let pauses = &self.pauses;
            self.targets.draw(random, |target| !pauses.iter().any(|(paused, _)| paused == target));
        }
        self.targets.as_slice()
    }

    /// A target failed: others are preferred for as long as its Retry-After says (RFC 3261 21.5.4), or for a while.
    pub fn pause(&mut self, now: Moment, target: Target, retry_after_s: Option<u32>) {
        let pause = retry_after_s.map_or(timers::TARGET_PAUSE, |s| Duration::from_secs(u64::from(s)));
        let until = now + pause.min(Duration::from_secs(limits::SIP_TARGET_PAUSE_S_MAX));
        self.pauses.retain(|(paused, until)| *paused != target && *until > now);
        if self.pauses.len() < limits::SIP_TARGETS_MAX {
            self.pauses.push((target, until));
        }
    }

    /// The question to ask the DNS now, if any.
    pub fn poll_query(&mut self, now: Moment) -> Option<(String, RecordKind)> {
        if matches!(self.state, State::Waiting(until) if until <= now) {
            let (locate, step) = start(&self.uri, self.reach)?;
            self.step(now, locate, step);
        }
        match &mut self.state {
            State::Asking(_, question) => question.take(),
            _ => None,
        }
    }

    /// The answer to the last question; see [`Locate::answered`]. Until the lookup is done, and if it fails, the targets
    /// stay what they are.
    pub fn answered(&mut self, now: Moment, records: &[Record], ttl_s: u32, random: &mut Random) {
        let State::Asking(mut locate, None) = core::mem::replace(&mut self.state, State::Waiting(now)) else { return };
        let step = locate.answered(records, ttl_s, random);
        self.step(now, locate, step);
    }

    fn step(&mut self, now: Moment, locate: Locate, step: Step) {
        self.state = match step {
            Step::Ask { name, kind } => State::Asking(locate, Some((name, kind))),
            Step::Done(targets) => {
                self.failures = 0;
                self.targets = targets;
                State::Waiting(now + lifetime(&self.targets))
            }
            Step::Failed => {
                self.failures = self.failures.saturating_add(1);
                State::Waiting(now + back_off(self.failures))
            }
        };
    }

    /// When to call `poll_query` next; `None` if nothing is to be asked, or an answer is awaited.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        match &self.state {
            State::Fixed | State::Asking(_, None) => None,
            State::Waiting(until) => Some(*until),
            State::Asking(_, Some(_)) => Some(Moment(0)),
        }
    }
}

fn start(uri: &[u8], reach: Reach) -> Option<(Locate, Step)> {
    match Uri::parse(uri)? {
        Uri::Sip(uri) => Some(Locate::start(&uri, reach)),
        _ => None,
    }
}

fn lifetime(targets: &Targets) -> Duration {
    let ttl = targets.ttl().unwrap_or(timers::LOOKUP_AGAIN_MAX);
    ttl.clamp(timers::LOOKUP_AGAIN_MIN, timers::LOOKUP_AGAIN_MAX)
}

/// Doubling, from the first failure.
fn back_off(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    timers::LOOKUP_RETRY_MIN.saturating_mul(doubled).min(timers::LOOKUP_RETRY_MAX)
}
