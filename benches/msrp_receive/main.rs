//! What it costs to receive large MSRP messages, beside reading the same octets from a socket and throwing them away.
//!
//! One peer sends messages of 10 MB in chunks of 2 KB over loopback. The receiver is a bare loop around recv; then the
//! gateway's shell, which drops what it reads; then the same with its MSRP engine, which reassembles; then the gateway as
//! it is, in a session that it was called into. CPU time is that of the receiving thread alone, read from the kernel.
//! Traffic is fixed in amount and ends by itself.

#![allow(missing_docs, unreachable_pub, reason = "a program that measures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "it prints its figures or fails")]

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use isthmus::engine::transport::{ShardId, Transport};
use isthmus::shell::{Backend, Gateway, Options};

mod called;
mod peer;
mod receiver;
#[path = "../process/threads.rs"]
mod threads;

use called::Called;
use peer::{LOCAL_PATH, Manner, Peer};
use receiver::{Receiver, Task};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages of one measurement, those before it, and measurements of each kind: short ones by turns, so that a host whose
/// other tenants come and go treats all kinds alike.
const MESSAGES: u64 = 5;
const MESSAGES_BEFORE: u64 = 12;
const ROUNDS: usize = 21;
const PATIENCE: Duration = Duration::from_secs(60);
/// What comes after the last octet is part of it, too.
const AFTER: Duration = Duration::from_millis(20);
/// Octets of a bare read.
const READ_BYTES: usize = 16 << 10;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "10 MB in chunks of 2 KB over loopback: CPU time of the receiving thread for a message, the best of {ROUNDS}"
    );
    println!(
        "measurements, beside a bare read and beside a shell that drops; in brackets the median of each round's ratio"
    );
    let mut kinds = kinds();
    kinds.retain(|kind| only.as_ref().is_none_or(|only| kind.name.contains(only) || kind.name == BARE));
    for _ in 0..ROUNDS {
        kinds.iter_mut().for_each(Kind::measure);
    }
    let mut shell = 0;
    for at in 0..kinds.len() {
        shell = if kinds[at].drops { at } else { shell };
        let (bare, shell) = (kinds[at].beside(&kinds[0]), kinds[at].beside(&kinds[shell]));
        println!("  {:36} {:6.2} ms, {bare} of a bare read, {shell} of the shell", kinds[at].name, kinds[at].best_ms());
    }
}

/// A way to receive.
struct Kind {
    name: &'static str,
    /// Whether the shell reads and drops: what the kinds behind it are compared with.
    drops: bool,
    run: Box<dyn Fn() -> Duration>,
    took: Vec<Duration>,
}

impl Kind {
    fn new(name: &'static str, run: impl Fn() -> Duration + 'static) -> Kind {
        Kind { name, drops: name.ends_with("dropped"), run: Box::new(run), took: Vec::new() }
    }

    fn measure(&mut self) {
        self.took.push((self.run)());
    }

    fn best_ms(&self) -> f64 {
        let best = self.took.iter().min().unwrap();
        best.as_secs_f64() * 1e3 / f64::from(u32::try_from(MESSAGES).unwrap())
    }

    /// How often its cost holds that of another: of the best, and in the median round.
    fn beside(&self, other: &Kind) -> String {
        let rounds = self.took.iter().zip(&other.took);
        let mut ratios: Vec<f64> = rounds.map(|(took, beside)| took.as_secs_f64() / beside.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        format!("{:.2} ({:.2})", self.best_ms() / other.best_ms(), ratios[ratios.len() / 2])
    }
}

fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::new(BARE, bare)];
    let tasks = [Task::Drop, Task::Reassemble { responses: false }, Task::Reassemble { responses: true }];
    for (backend, names) in [(Backend::IoUring, URING), (Backend::Epoll, EPOLL)] {
        kinds.extend(names.into_iter().zip(tasks).map(|(name, task)| Kind::new(name, move || shell(backend, task))));
    }
    kinds.extend(GATEWAY.map(|(name, responses)| Kind::new(name, move || gateway(responses))));
    kinds
}

const BARE: &str = "recv into one buffer of 16 KB";
const URING: [&str; 3] =
    ["shell on io_uring, dropped", "io_uring, MSRP, no responses", "io_uring, MSRP, each chunk answered"];
const EPOLL: [&str; 3] = ["shell on epoll, dropped", "epoll, MSRP, no responses", "epoll, MSRP, each chunk answered"];

const GATEWAY: [(&str, bool); 2] =
    [("the gateway on io_uring, no responses", false), ("the gateway, each chunk answered", true)];

fn bare() -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&done);
    let reader = thread::Builder::new().name("bare".into()).spawn(move || {
        peer::pin(0);
        let (mut connection, _) = listener.accept().unwrap();
        let mut buffer = vec![0; READ_BYTES];
        while let Ok(len @ 1..) = connection.read(&mut buffer) {
            count.fetch_add(len as u64, Ordering::Release);
        }
    });
    let took = drive(to, "bare", &to_receiver(false), |peer| wait_for(&done, peer.sent()));
    reader.unwrap().join().unwrap();
    took
}

fn shell(backend: Backend, task: Task) -> Duration {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listen = vec![(Transport::Tcp, any)];
    let options =
        Options { cores: vec![0], backend, listen, drain: Duration::from_secs(5), profile: false, storage: None };
    let done = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&done);
    let make = |_: &_| -> Arc<dyn Fn(ShardId) -> Receiver + Send + Sync> {
        Arc::new(move |_| Receiver::new(task, Arc::clone(&count)))
    };
    let gateway = Gateway::start_worlds(&options, make, Arc::new(|_, ()| {})).unwrap();
    let to = gateway.listeners()[0].local;
    let manner = to_receiver(matches!(task, Task::Reassemble { responses: true }));
    let took = drive(to, "core-", &manner, |peer| wait_for(&done, peer.sent()));
    assert!(gateway.join());
    took
}

fn to_receiver(responses: bool) -> Manner {
    Manner { responses, to_path: LOCAL_PATH.into(), last: '$' }
}

fn gateway(responses: bool) -> Duration {
    let called = Called::new();
    let manner = Manner { responses, to_path: called.path.clone(), last: '#' };
    let took = drive(called.media, "core-", &manner, Peer::await_end);
    called.end();
    took
}

/// CPU time of the threads of that name while the messages arrive, once all memory that they take turns with was touched.
fn drive(to: SocketAddr, name: &str, manner: &Manner, await_end: impl Fn(&mut Peer)) -> Duration {
    let mut peer = Peer::connect(to, manner);
    peer.send(MESSAGES_BEFORE);
    await_end(&mut peer);
    thread::sleep(AFTER);
    let before = threads::cpu(name);
    peer.send(MESSAGES);
    await_end(&mut peer);
    thread::sleep(AFTER);
    threads::cpu(name) - before
}

fn wait_for(done: &AtomicU64, octets: u64) {
    let until = Instant::now() + PATIENCE;
    while done.load(Ordering::Acquire) < octets {
        assert!(Instant::now() < until, "{done:?} of {octets} octets");
        thread::sleep(Duration::from_millis(1));
    }
}
