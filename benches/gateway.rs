//! The whole pure pipeline on one core, no sockets: SIP octets to SMPP octets and back, answered, reported, notified. What
//! the SM-SC and the CPM client cost here is part of the time.

#![allow(missing_docs, unreachable_pub, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has failed")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/allocations/one_core.rs"]
mod one_core;

use one_core::{OneCore, Watch};

struct Unwatched;

impl Watch for Unwatched {
    fn inside<T>(call: impl FnOnce() -> T) -> T {
        call()
    }
}

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

criterion_group!(benches, messages);
criterion_main!(benches);
