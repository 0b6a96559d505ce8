//! Cost of framing a large message in small chunks, beside a bare search over the same octets.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isthmus::engine::msrp::{Accept, Budget, Config, Event, Framed, Role, Session, Settings};
use isthmus::engine::{Now, Random, msrp};
use isthmus::limits;
use isthmus::wire::msrp::{ByteRange, Continuation, FailureReport, Head, Heads, Scanner, Writer};
use memchr::memmem;

mod beside;

/// Octets of a chunk's data (RFC 4975 5.1: the most that need not be interruptible).
const CHUNK_BYTES: usize = 2_048;
/// Octets that are copied at a time to a head that two buffers share.
const HEAD_STEP_BYTES: usize = 512;
const TO_PATH: &[u8] = b"msrp://gw.example.net:2855/3q7SkX9bJvRzT1hW0c;tcp";
const FROM_PATH: &[u8] = b"msrp://198.51.100.17:39127/kVb4sP2mTzQ8;tcp";

/// A message as the chunks of a stream; whether each wants an answer.
fn stream(message: &[u8], failure_report: FailureReport) -> Vec<u8> {
    let (mut out, mut start) = (Vec::new(), 1);
    let count = message.chunks(CHUNK_BYTES).len();
    for (at, data) in message.chunks(CHUNK_BYTES).enumerate() {
        let id = format!("d93kswow{at:08x}");
        let mut writer = Writer::request(&mut out, id.as_bytes(), b"SEND", TO_PATH, FROM_PATH);
        writer.message_id(b"87652491aZ");
        let end = start + data.len() as u64 - 1;
        writer.byte_range(ByteRange { start, end: Some(end), total: Some(message.len() as u64) });
        writer.failure_report(failure_report);
        let more = if at + 1 == count { Continuation::Complete } else { Continuation::More };
        writer.content(b"message/cpim", data, more);
        start = end + 1;
    }
    out
}

/// Frames a stream that arrives in receive buffers, and counts the octets of data.
struct Framer {
    heads: Heads,
    scanner: Scanner,
    /// A head that is cut by the end of a buffer.
    cut: Vec<u8>,
    in_data: bool,
    data: usize,
}

impl Framer {
    fn new() -> Framer {
        Framer { heads: Heads::new(), scanner: Scanner::new(), cut: Vec::new(), in_data: false, data: 0 }
    }

    fn push(&mut self, mut buffer: &[u8]) {
        while !buffer.is_empty() {
            let used = if self.in_data { self.data(buffer) } else { self.head(buffer) };
            buffer = &buffer[used..];
        }
    }

    fn data(&mut self, buffer: &[u8]) -> usize {
        let scanned = self.scanner.scan(buffer);
        self.data += scanned.released + scanned.data;
        self.in_data = scanned.end.is_none();
        scanned.end.map_or(buffer.len(), |end| end.at)
    }

    fn head(&mut self, buffer: &[u8]) -> usize {
        let held = self.cut.len();
        if held > 0 {
            self.cut.extend_from_slice(&buffer[..buffer.len().min(HEAD_STEP_BYTES)]);
        }
        let bytes = if held > 0 { &self.cut } else { buffer };
        let Some(head) = self.heads.read(bytes).unwrap_or_default().copied() else {
            self.cut.extend_from_slice(if held > 0 { b"" } else { buffer });
            return self.cut.len() - held;
        };
        black_box((head.message_id(bytes), head.byte_range()));
        self.scanner.begin(&head, bytes);
        self.in_data = head.end().is_none();
        self.cut.clear();
        head.len() - held
    }
}

fn frame(stream: &[u8]) -> usize {
    let mut framer = Framer::new();
    black_box(stream).chunks(limits::TCP_BUFFER_BYTES).for_each(|buffer| framer.push(buffer));
    framer.data
}

fn search(finder: &memmem::Finder<'_>, stream: &[u8]) -> usize {
    black_box(stream).chunks(limits::TCP_BUFFER_BYTES).filter_map(|buffer| finder.find(buffer)).count()
}

/// Finds what every end line begins with: what no framer can do without.
fn search_each(finder: &memmem::Finder<'_>, stream: &[u8]) -> usize {
    black_box(stream).chunks(limits::TCP_BUFFER_BYTES).map(|buffer| finder.find_iter(buffer).count()).sum()
}

/// Octets without a pattern.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Lines as base64 makes them.
fn lines(len: usize) -> Vec<u8> {
    let line = b"TXNScCBjaHVua3MgYXJlIHNtYWxsIHNvIHRoYXQgbm9ib2R5IHdhaXRzIGxvbmcgZm9yIG90aGVy\r\n";
    line.iter().copied().cycle().take(len).collect()
}

fn large_message(criterion: &mut Criterion) {
    for (name, message) in [
        ("1 MB of noise", noise(1_000_000)),
        ("10 MB of noise", noise(10_000_000)),
        ("10 MB of lines", lines(10_000_000)),
    ] {
        let stream = stream(&message, FailureReport::Yes);
        let last = memmem::Finder::new(b"\r\n-------d93kswowffffffff$\r\n");
        assert!(frame(&stream) == message.len() && search(&last, &stream) == 0);
        let mut group = criterion.benchmark_group(format!("MSRP {name} in 2 KB chunks"));
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.sample_size(20);
        group.bench_function("frame", |bencher| bencher.iter(|| frame(&stream)));
        group.bench_function("memmem", |bencher| bencher.iter(|| search(&last, &stream)));
        group.finish();
        let what = format!("MSRP frame {name}");
        beside::ratio(&what, "memmem", || assert!(frame(&stream) > 0), || assert!(search(&last, &stream) == 0));
    }
}

/// A session that receives, as a shard drives it: framing, reassembly and the answers to the chunks that want one.
struct Receiving {
    framer: msrp::Framer,
    session: Session,
    random: Random,
    out: Vec<u8>,
    now: Now,
}

impl Receiving {
    fn new() -> Receiving {
        let config = Config {
            local_path: TO_PATH.into(),
            peer_path: FROM_PATH.into(),
            role: Role::Passive,
            accept: Accept::only(&["message/cpim"]),
            settings: Settings::default(),
        };
        let mut session = Session::new(config, &Budget::new(64 << 20));
        session.handle_bound(Now::default());
        let random = Random::from_seed([1; 32]);
        Receiving { framer: msrp::Framer::new(), session, random, out: Vec::new(), now: Now::default() }
    }

    /// Octets of the messages that a receive buffer completes.
    fn push(&mut self, buffer: &Bytes) -> usize {
        self.framer.push(self.now.moment, buffer.clone());
        while let Framed::Piece(piece) = self.framer.next_piece() {
            self.session.handle_piece(self.now, piece);
        }
        let mut received = 0;
        while let Some(event) = self.session.poll_event() {
            if let Event::Received { incoming, message } = event {
                received += message.len();
                self.session.respond(incoming, 200);
            }
        }
        self.out.clear();
        self.session.poll_transmit(self.now, &mut self.random, &mut self.out);
        black_box(&self.out);
        self.session.handle_room(self.out.len());
        received
    }
}

fn receive(buffers: &[Bytes]) -> usize {
    let mut receiving = Receiving::new();
    black_box(buffers).iter().map(|buffer| receiving.push(buffer)).sum()
}

/// Framing and reassembly, with and without the answers to the chunks.
fn reassembly(criterion: &mut Criterion) {
    for (name, message) in [("10 MB of noise", noise(10_000_000)), ("10 MB of lines", lines(10_000_000))] {
        receive_beside_memmem(criterion, name, &message, FailureReport::No);
        receive_beside_memmem(criterion, &format!("{name}, each chunk answered"), &message, FailureReport::Yes);
    }
}

fn receive_beside_memmem(criterion: &mut Criterion, name: &str, message: &[u8], failure_report: FailureReport) {
    let stream = Bytes::from(stream(message, failure_report));
    let buffers: Vec<Bytes> = (0..stream.len())
        .step_by(limits::TCP_BUFFER_BYTES)
        .map(|at| stream.slice(at..stream.len().min(at + limits::TCP_BUFFER_BYTES)))
        .collect();
    let last = memmem::Finder::new(b"\r\n-------d93kswowffffffff$\r\n");
    assert!(receive(&buffers) == message.len() && search(&last, &stream) == 0);
    let mut group = criterion.benchmark_group(format!("MSRP session {name} in 2 KB chunks"));
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.sample_size(20);
    group.bench_function("receive", |bencher| bencher.iter(|| receive(&buffers)));
    group.bench_function("memmem", |bencher| bencher.iter(|| search(&last, &stream)));
    group.finish();
    let what = format!("MSRP receive {name}");
    beside::ratio(&what, "memmem", || assert!(receive(&buffers) > 0), || assert!(search(&last, &stream) == 0));
    let each = memmem::Finder::new(b"\r\n-------");
    let end_lines = "memmem of each end line";
    beside::ratio(&what, end_lines, || assert!(receive(&buffers) > 0), || assert!(search_each(&each, &stream) > 0));
}

fn one_head(criterion: &mut Criterion) {
    let stream = stream(&noise(100), FailureReport::Yes);
    let mut group = criterion.benchmark_group("MSRP");
    group.bench_function("head", |bencher| {
        bencher.iter(|| Head::read(black_box(&stream)).is_ok_and(|head| head.is_some()))
    });
    group.finish();
}

criterion_group!(benches, large_message, reassembly, one_head);
criterion_main!(benches);
