//! The whole pure pipeline on one core, no sockets: SIP octets to SMPP octets and back, answered, reported, notified. What
//! the SM-SC and the CPM client cost here is part of the time.

#![allow(missing_docs, unreachable_pub, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has failed")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod beside;
#[path = "../tests/allocations/one_core.rs"]
mod one_core;

#[path = "../tests/allocations/surroundings.rs"]
mod surroundings;
#[path = "../tests/allocations/watch.rs"]
mod watch;

use one_core::OneCore;
use watch::{Unwatched, Watch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Elements(1));
    let step = |dispositions: Option<&'static str>| {
        let (mut core, mut number) = (OneCore::<Unwatched>::new(), 0);
        move || {
            core.pager_message(number, dispositions);
            number += 1;
        }
    };
    let mut pager = step(None);
    group.bench_function("MESSAGE to submit_sm, 202", |bencher| bencher.iter(&mut pager));
    let mut reported = step(Some("positive-delivery"));
    group.bench_function("the same, with status report and IMDN", |bencher| bencher.iter(&mut reported));
    let (mut core, mut number) = (OneCore::<Unwatched>::new(), 0);
    group.bench_function("deliver_sm to MESSAGE", |bencher| {
        bencher.iter(|| {
            core.short_message(number);
            number += 1;
        });
    });
    group.finish();
}

thread_local! {
    static OUTWARD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Looks at the clock around the way from SIP octets to SMPP octets.
struct Outward;

impl Watch for Outward {
    fn inside<T>(call: impl FnOnce() -> T) -> T {
        call()
    }

    fn outward<T>(call: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = call();
        OUTWARD.set(OUTWARD.get() + began.elapsed());
        result
    }
}

/// What the budget is about: without the way back and without the peers. Of many rounds the best, which the rest of the
/// machine disturbs least.
fn outward(_: &mut Criterion) {
    const MESSAGES: u32 = 1_000;
    let (mut core, mut number) = (OneCore::<Outward>::new(), 0);
    let mut round = || {
        OUTWARD.set(Duration::ZERO);
        for _ in 0..MESSAGES {
            core.pager_message(number, None);
            number += 1;
        }
        OUTWARD.get().as_secs_f64() * 1e6 / f64::from(MESSAGES)
    };
    let best = (0..30).map(|_| round()).fold(f64::INFINITY, f64::min);
    beside::row("outward", "-", &format!("{best:.2} us"), "-", &format!("{best:.3}"));
}

criterion_group!(benches, messages, outward);
criterion_main!(benches);
