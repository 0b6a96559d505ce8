//! Cost of handing a value to another core: our ring beside crossbeam's queue, and the question whether it sleeps.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossbeam::queue::ArrayQueue;
use isthmus::queue::{Sleeper, mesh, ring};

/// What a parcel weighs: an address, a lease and some numbers.
type Parcel = [u64; 10];

const CAPACITY: usize = 1024;

fn same_core(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue, one core, 32 in and 32 out");
    group.throughput(Throughput::Elements(32));
    let (mut sender, mut receiver) = ring::<Parcel>(CAPACITY);
    group.bench_function("ring", |bencher| {
        bencher.iter(|| {
            (0..32).for_each(|n| assert!(black_box(sender.push([n; 10])).is_ok()));
            while let Some(parcel) = receiver.pop() {
                black_box(parcel);
            }
        });
    });
    let queue = ArrayQueue::<Parcel>::new(CAPACITY);
    group.bench_function("crossbeam ArrayQueue", |bencher| {
        bencher.iter(|| {
            (0..32).for_each(|n| assert!(black_box(queue.push([n; 10])).is_ok()));
            while let Some(parcel) = queue.pop() {
                black_box(parcel);
            }
        });
    });
    let mut posts = mesh::<Parcel>(2, CAPACITY);
    group.bench_function("mesh with wake", |bencher| {
        bencher.iter(|| {
            (0..32).for_each(|n| assert!(black_box(posts[0].send(1, [n; 10])).is_ok()));
            posts[0].wake(|_| ());
            while let Some(parcel) = posts[1].take() {
                black_box(parcel);
            }
        });
    });
    group.finish();
}

fn two_cores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue, two cores");
    group.throughput(Throughput::Elements(1));
    group.bench_function("ring", |bencher| bencher.iter_custom(ring_across));
    group.bench_function("crossbeam ArrayQueue", |bencher| bencher.iter_custom(array_queue_across));
    group.finish();
}

fn ring_across(values: u64) -> Duration {
    let (mut sender, mut receiver) = ring::<Parcel>(CAPACITY);
    across(values, move |n| sender.push([n; 10]).is_ok(), move || receiver.pop().is_some())
}

fn array_queue_across(values: u64) -> Duration {
    let queue = std::sync::Arc::new(ArrayQueue::<Parcel>::new(CAPACITY));
    let other = std::sync::Arc::clone(&queue);
    across(values, move |n| queue.push([n; 10]).is_ok(), move || other.pop().is_some())
}

fn across(values: u64, mut push: impl FnMut(u64) -> bool + Send, mut pop: impl FnMut() -> bool + Send) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..values {
                while !push(n) {
                    thread::yield_now();
                }
            }
        });
        for _ in 0..values {
            while !pop() {
                thread::yield_now();
            }
        }
    });
    start.elapsed()
}

fn sleeping(criterion: &mut Criterion) {
    let sleeper = Sleeper::default();
    criterion.bench_function("sleeper, asked while up", |bencher| bencher.iter(|| black_box(sleeper.must_be_woken())));
}

criterion_group!(benches, same_core, two_cores, sleeping);
criterion_main!(benches);
