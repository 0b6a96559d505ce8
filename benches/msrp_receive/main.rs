//! What it costs to receive large MSRP messages, beside reading the same octets from a socket and throwing them away.
//!
//! One peer sends messages of 10 MB in chunks of 2 KB over loopback. The receiver is a bare loop around recv; then the
//! gateway's shell, which drops what it reads; then the same with its MSRP engine, which reassembles. CPU time is that of
//! the receiving thread alone, read from the kernel. Traffic is fixed in amount and ends by itself.

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

mod peer;
mod receiver;
#[path = "../cores/threads.rs"]
mod threads;

use peer::Peer;
use receiver::{Receiver, Task};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages of one measurement, and measurements of each kind.
const MESSAGES: u64 = 12;
const ROUNDS: usize = 9;
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of a bare read.
const READ_BYTES: usize = 16 << 10;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "{MESSAGES} messages of 10 MB in chunks of 2 KB over loopback, CPU time of the receiving thread, medians of {ROUNDS}"
    );
    let mut kinds = kinds();
    for _ in 0..ROUNDS {
        kinds.iter_mut().for_each(Kind::measure);
    }
    let floor = kinds[0].median();
    for kind in &mut kinds {
        let ms = kind.median();
        println!("  {:58} {ms:6.2} ms a message, {:.2} of a bare read", kind.name, ms / floor);
    }
}

/// A way to receive.
struct Kind {
    name: &'static str,
    run: Box<dyn Fn() -> Duration>,
    took: Vec<Duration>,
}

impl Kind {
    fn new(name: &'static str, run: impl Fn() -> Duration + 'static) -> Kind {
        Kind { name, run: Box::new(run), took: Vec::new() }
    }

    fn measure(&mut self) {
        self.took.push((self.run)());
    }

    /// Milliseconds of a message.
    fn median(&mut self) -> f64 {
        self.took.sort_unstable();
        self.took[self.took.len() / 2].as_secs_f64() * 1e3 / f64::from(u32::try_from(MESSAGES).unwrap())
    }
}

fn kinds() -> Vec<Kind> {
    vec![
        Kind::new("recv into one buffer of 16 KB", bare),
        Kind::new("shell on io_uring, dropped", || shell(Backend::IoUring, Task::Drop)),
        Kind::new("shell on io_uring, MSRP, no responses wanted", || {
            shell(Backend::IoUring, Task::Reassemble { responses: false })
        }),
        Kind::new("shell on io_uring, MSRP, each chunk answered", || {
            shell(Backend::IoUring, Task::Reassemble { responses: true })
        }),
        Kind::new("shell on epoll, dropped", || shell(Backend::Epoll, Task::Drop)),
        Kind::new("shell on epoll, MSRP, no responses wanted", || {
            shell(Backend::Epoll, Task::Reassemble { responses: false })
        }),
        Kind::new("shell on epoll, MSRP, each chunk answered", || {
            shell(Backend::Epoll, Task::Reassemble { responses: true })
        }),
    ]
}

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
    let took = drive(to, "bare", &done, false);
    reader.unwrap().join().unwrap();
    took
}

fn shell(backend: Backend, task: Task) -> Duration {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listen = vec![(Transport::Tcp, any)];
    let options = Options { cores: vec![0], backend, listen, drain: Duration::from_secs(5) };
    let done = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&done);
    let make = |_: &_| -> Arc<dyn Fn(ShardId) -> Receiver + Send + Sync> {
        Arc::new(move |_| Receiver::new(task, Arc::clone(&count)))
    };
    let gateway = Gateway::start_worlds(&options, make, Arc::new(|_, ()| {})).unwrap();
    let to = gateway.listeners()[0].local;
    let took = drive(to, "core-", &done, matches!(task, Task::Reassemble { responses: true }));
    assert!(gateway.join());
    took
}

/// CPU time of the threads of that name while the messages arrive. One message before warms everything up.
fn drive(to: SocketAddr, name: &str, done: &AtomicU64, responses: bool) -> Duration {
    let mut peer = Peer::connect(to, responses);
    peer.send(1);
    wait_for(done, peer.sent());
    let before = threads::cpu(name);
    peer.send(MESSAGES);
    wait_for(done, peer.sent());
    threads::cpu(name) - before
}

fn wait_for(done: &AtomicU64, octets: u64) {
    let until = Instant::now() + PATIENCE;
    while done.load(Ordering::Acquire) < octets {
        assert!(Instant::now() < until, "{done:?} of {octets} octets");
        thread::sleep(Duration::from_millis(1));
    }
    // What comes after the last octet is part of it, too.
    thread::sleep(Duration::from_millis(20));
}
