//! The flows with a window: the gateway always has something to do.

use std::time::{Duration, Instant};

use crate::cpm::Answer;
use crate::site::Site;
use crate::threads;

/// Messages under way.
pub const WINDOW: usize = 512;
/// Deliveries under way: an SM-SC's window is smaller, and the gateway takes this many by default.
const DELIVERIES: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(60);
pub const CPM_USER: &[u8] = b"491700000002";
pub const SMS_USER: &[u8] = b"491710000001";

/// What messages took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time of the gateway's threads for each, in microseconds.
    pub cpu_us: f64,
    pub per_second: f64,
    /// Share of the time in which the gateway's threads ran, over all of them: near their number, it was saturated.
    pub busy: f64,
}

/// What `work` for `count` messages takes.
pub fn measure(count: usize, work: impl FnOnce()) -> Cost {
    let (cpu, began) = (threads::cpu("core-"), Instant::now());
    work();
    let (cpu, wall) = ((threads::cpu("core-") - cpu).as_secs_f64(), began.elapsed().as_secs_f64());
    let messages = f64::from(u32::try_from(count).unwrap());
    Cost { cpu_us: cpu * 1e6 / messages, per_second: messages / wall, busy: cpu / wall }
}

/// Requests of these numbers, each answered 202 and once.
pub fn submit(site: &mut Site, numbers: &[usize]) {
    let first = numbers.first().copied().unwrap_or_default();
    let (mut sent, mut answered) = (0, vec![false; numbers.last().map_or(0, |last| last + 1 - first)]);
    let (mut count, until) = (0, Instant::now() + PATIENCE);
    while count < numbers.len() {
        while sent < numbers.len() && sent - count < WINDOW {
            site.cpm.send(numbers[sent]);
            sent += 1;
        }
        site.cpm.flush();
        site.cpm.receive(|answer| match answer {
            Answer::Accepted(number) => {
                assert!(!std::mem::replace(&mut answered[number - first], true), "{number} was answered twice");
                count += 1;
            }
            Answer::Refused { number, code, .. } => panic!("{number} was refused: {code}"),
            Answer::Request => {}
        });
        site.smsc.turn();
        site.give_way();
        assert!(Instant::now() < until, "{count} of {} answered", numbers.len());
    }
}

/// So many short messages of this SMS user, each delivered and once.
pub fn deliver(site: &mut Site, sender: &[u8], count: usize) {
    exchange(site, count, |site, nth| {
        // No two are the same: a gateway looks for repetitions.
        let text = format!("Short message {:06}, as long as most are.", (site.smsc.delivered + nth) % 1_000_000);
        site.smsc.deliver(0, text.as_bytes(), sender, CPM_USER);
    });
}

/// The reports on the submissions with these message_ids, each notified.
pub fn report(site: &mut Site, ids: &[u64]) {
    let mut rest = ids.iter();
    exchange(site, ids.len(), |site, _| {
        let Some(id) = rest.next() else { return };
        let text = format!(
            "id:{id:010} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD err:000 text:x"
        );
        site.smsc.deliver(4, text.as_bytes(), SMS_USER, CPM_USER);
    });
}

fn exchange(site: &mut Site, count: usize, mut deliver: impl FnMut(&mut Site, u64)) {
    let (mut sent, mut requests, count) = (0, 0, u64::try_from(count).unwrap());
    let (before, until) = (site.smsc.delivered, Instant::now() + PATIENCE);
    while site.smsc.delivered - before < count {
        while sent < count && sent - (site.smsc.delivered - before) < DELIVERIES {
            deliver(site, sent);
            sent += 1;
        }
        site.smsc.turn();
        site.give_way();
        site.cpm.receive(|answer| requests += u64::from(matches!(answer, Answer::Request)));
        assert!(Instant::now() < until, "{} of {count} delivered", site.smsc.delivered - before);
    }
    // One that had no turn for half a second comes again (RFC 3261, Timer E).
    assert!((count..=count + count / 100).contains(&requests), "{count} became {requests} requests");
}
