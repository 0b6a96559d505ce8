//! What the state machines take: SIP transactions and dialogs, the SMPP session, joining of parts, timers. The work of
//! their peers, reading what these send included, is part of the time; `--bench instructions` counts without it.

#![allow(missing_docs, unreachable_pub, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has failed")]
#![allow(dead_code, reason = "another bench does the other operations")]

use criterion::{Criterion, criterion_group, criterion_main};

mod operations;
mod samples;
#[path = "../tests/allocations/surroundings.rs"]
mod surroundings;
#[path = "../tests/allocations/watch.rs"]
mod watch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn engine(criterion: &mut Criterion) {
    for operation in operations::engine::<watch::Unwatched>() {
        let mut once = (operation.start)();
        criterion.bench_function(operation.name, |bencher| bencher.iter(&mut once));
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
