//! Joining of parts, and timers.

use std::time::Duration;

use isthmus::engine::joining::{Joining, JoiningOptions, Outcome, Part};
use isthmus::engine::wheel::Wheel;
use isthmus::engine::{Moment, Now};
use isthmus::wire::short_message::National;

use super::Operation;
use crate::samples;
use crate::watch::Watch;

const PARTS: u8 = 3;
const PACE: Duration = Duration::from_secs(2);
/// Timers that run beside the one that is looked at.
const OTHERS: u64 = 10_000;
/// Timer J (RFC 3261 17.2.2).
const LONG: Duration = Duration::from_secs(32);

pub(super) fn operations<W: Watch + 'static>() -> [Operation; 3] {
    [
        Operation { name: "engine, three parts joined", start: joined::<W> },
        Operation { name: "engine, timer armed and cancelled", start: cancelled::<W> },
        Operation { name: "engine, timer armed and due", start: due::<W> },
    ]
}

/// As many messages are remembered as came in five minutes, and one is forgotten for each.
fn joined<W: Watch>() -> Box<dyn FnMut()> {
    let mut joining = Joining::new(JoiningOptions::default());
    let (mut now, mut key) = (Now::default(), 0);
    Box::new(move || {
        key += 1;
        for number in 1..=PARTS {
            let octets = samples::TEXT.as_bytes();
            let part = Part { number, total: PARTS, ticket: 0, data_coding: 0, national: National::NONE, octets };
            let outcome = W::inside(|| joining.handle_part(now, key, part));
            match outcome {
                Outcome::Complete(joined) => W::inside(|| joining.recycle(joined)),
                other => assert!(number < PARTS && matches!(other, Outcome::Stored), "{other:?}"),
            }
        }
        now = now.after(PACE);
        W::inside(|| joining.handle_timeout(now));
        assert!(joining.poll_expired().is_none());
    })
}

fn wheel() -> Wheel {
    let mut wheel = Wheel::new();
    for token in 0..OTHERS {
        wheel.arm(Moment(token * 3_200) + LONG, token);
    }
    wheel
}

fn cancelled<W: Watch>() -> Box<dyn FnMut()> {
    let mut wheel = wheel();
    Box::new(move || {
        assert!(W::inside(|| {
            let timer = wheel.arm(Moment(0) + LONG, OTHERS);
            wheel.cancel(timer)
        }));
    })
}

/// For each that is armed, one of before is due.
fn due<W: Watch>() -> Box<dyn FnMut()> {
    let mut wheel = wheel();
    let (mut now, mut token) = (Moment(0) + LONG, OTHERS);
    Box::new(move || {
        let polled = W::inside(|| {
            wheel.arm(now + LONG, token);
            wheel.poll(now)
        });
        token += 1;
        now = now + Duration::from_micros(3_200);
        std::hint::black_box(polled);
    })
}
