//! Cost of finding the header fields of a pager message, beside httparse on a request of the same octets.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isthmus::wire::sip::{Index, Message, Name, frame, peek_call_id};

mod beside;
mod samples;

const HEADERS_MAX: usize = 64;

fn parse(message: &[u8], index: &mut Index) -> bool {
    Message::parse(black_box(message), index).is_ok_and(|message| !black_box(message).request_uri().is_empty())
}

/// httparse with what [`parse`] does: complete, indexed, nothing copied.
fn httparse(request: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(black_box(request)).is_ok_and(|status| status.is_complete() && black_box(&parsed).path.is_some())
}

fn pager_message(criterion: &mut Criterion) {
    let (message, http) = (samples::MESSAGE.as_bytes(), samples::http());
    let mut index = Index::new();
    assert!(message.len() == http.len() && parse(message, &mut index) && httparse(http.as_bytes()));
    let mut group = criterion.benchmark_group("SIP");
    group.throughput(Throughput::Bytes(message.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| parse(message, &mut index)));
    group.bench_function("httparse, the same as HTTP", |bencher| bencher.iter(|| httparse(http.as_bytes())));
    group.bench_function("frame", |bencher| bencher.iter(|| frame(black_box(message))));
    group.bench_function("peek_call_id", |bencher| bencher.iter(|| peek_call_id(black_box(message))));
    group.finish();
    beside::ratio(
        "SIP parse",
        "httparse",
        || assert!(parse(message, &mut index)),
        || assert!(httparse(http.as_bytes())),
    );
}

fn header_fields(criterion: &mut Criterion) {
    let mut index = Index::new();
    let Ok(message) = Message::parse(samples::MESSAGE.as_bytes(), &mut index) else { return };
    criterion
        .bench_function("SIP/header by name", |bencher| bencher.iter(|| message.header(black_box(Name::ContentType))));
    criterion.bench_function("SIP/top Via, once read", |bencher| bencher.iter(|| message.top_via().is_ok()));
    criterion.bench_function("SIP/From, once read", |bencher| bencher.iter(|| message.from().is_ok()));
}

criterion_group!(benches, pager_message, header_fields);
criterion_main!(benches);
