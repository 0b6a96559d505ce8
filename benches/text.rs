//! Cost of the character set step: GSM-7 both ways, UCS-2, and cutting into segments.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isthmus::wire::short_message::{CodingOptions, National, Plan, SegmentOptions, choose, gsm7, ucs2};

const ASCII: &str = "The quick brown fox jumps over the lazy dog, and then it does so again: 1234567890 times, as every \
                     engineer who ever typed a test message into a telephone has seen.";
const MIXED: &str =
    "Größere Füße [für 5€] - ça va? Déjà vu, señor Müller: 100% Ωmega & {friends}, à bientôt ou jamais.";

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gsm7");
    for (name, text) in [("ascii", ASCII), ("mixed", MIXED)] {
        let mut out = Vec::with_capacity(512);
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).unwrap_or(0)));
        group.bench_function(format!("encode {name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                gsm7::encode(black_box(text), &mut out);
                out.len()
            });
        });
        group.bench_function(format!("choose {name}"), |bencher| {
            bencher.iter(|| choose(black_box(text), &CodingOptions::default()));
        });
        let octets = out.clone();
        let mut decoded = String::with_capacity(512);
        group.bench_function(format!("decode {name}"), |bencher| {
            bencher.iter(|| {
                decoded.clear();
                gsm7::decode(black_box(&octets), National::NONE, &mut decoded)
            });
        });
    }
    group.finish();
}

fn segments(criterion: &mut Criterion) {
    let long = ASCII.repeat(6);
    let mut out = Vec::with_capacity(4096);
    criterion.bench_function("cut 1000 characters", |bencher| {
        bencher.iter(|| {
            out.clear();
            let chosen = choose(black_box(&long), &CodingOptions::default());
            let Ok(plan) = Plan::new(&long, chosen, &SegmentOptions::default()) else { return 0 };
            let mut segments = plan.segments(1);
            while segments.next_into(&mut out).is_some() {}
            out.len()
        });
    });
    criterion.bench_function("ucs2 encode", |bencher| {
        bencher.iter(|| {
            out.clear();
            ucs2::encode(black_box(MIXED), &mut out);
            out.len()
        });
    });
}

criterion_group!(benches, encode, segments);
criterion_main!(benches);
