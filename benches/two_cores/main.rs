//! What two cores carry of what one does: real shards on pinned threads, joined by the real queues, without sockets. The
//! CPM client and the SM-SC are simulated inside the same threads, so no processor is needed beside those two.
//!
//! Each thread takes requests as they come: half of them belong to the other core and are handed over.

#![allow(missing_docs, unreachable_pub, reason = "a program that measures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "it prints its figures or fails")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::utils::CachePadded;
use isthmus::limits;
use isthmus::queue::mesh;
use rustix::thread::{CpuSet, sched_setaffinity};

#[path = "../process/answer.rs"]
mod answer;
mod core;
#[path = "../process/request.rs"]
mod request;
#[path = "../process/threads.rs"]
mod threads;

use self::core::Core;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages that each core owns in a round, about, and rounds.
const MESSAGES: usize = 150_000;
const WARM_UP: usize = 5_000;
const ROUNDS: usize = 9;

/// What all threads see of each: how many messages it has finished, and how many it took that were handed over.
#[derive(Default)]
pub struct Progress {
    pub finished: AtomicUsize,
    pub taken: AtomicUsize,
}

/// What one round took, a message.
#[derive(Clone, Copy)]
struct Cost {
    wall_us: f64,
    cpu_us: f64,
    handed_over: f64,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "pager messages through real shards, no sockets, peers simulated on the same threads; medians of {ROUNDS} rounds"
    );
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(run(1));
        twos.push(run(2));
    }
    let (one, two) = (Medians::of(&ones), Medians::of(&twos));
    one.print(1);
    two.print(2);
    println!("  two threads carry {:.2} of what one carries", one.wall_us / two.wall_us);
    println!("  by CPU time {:.2}: what other processes take away is left out", 2.0 * one.cpu_us / two.cpu_us);
}

struct Medians {
    wall_us: f64,
    cpu_us: f64,
    handed_over: f64,
}

impl Medians {
    fn of(costs: &[Cost]) -> Medians {
        let median = |of: fn(&Cost) -> f64| {
            let mut values: Vec<_> = costs.iter().map(of).collect();
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Medians { wall_us: median(|c| c.wall_us), cpu_us: median(|c| c.cpu_us), handed_over: median(|c| c.handed_over) }
    }

    fn print(&self, threads: usize) {
        let per_second = 1e6 / self.wall_us;
        let percent = 100.0 * self.handed_over;
        let cpu_us = self.cpu_us;
        println!(
            "  {threads} thread(s): {per_second:.0} messages/s, {cpu_us:.2} us of CPU a message, {percent:.0} % handed over"
        );
    }
}

/// The same share of messages for each of so many cores.
fn run(cores: usize) -> Cost {
    let progress: Arc<[_]> = (0..cores).map(|_| CachePadded::new(Progress::default())).collect();
    let start = Arc::new(Barrier::new(cores));
    let posts = mesh(cores, limits::HANDOFFS_MAX);
    let threads = posts.into_iter().enumerate().map(|(number, post)| {
        let (progress, start) = (Arc::clone(&progress), Arc::clone(&start));
        let thread = thread::Builder::new().name(format!("shard-{number}"));
        thread.spawn(move || measure(Core::new(number, cores, post, progress), number, &start)).unwrap()
    });
    let threads: Vec<_> = threads.collect();
    let took: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let messages = (cores * MESSAGES) as f64;
    let wall = took.iter().map(|(wall, ..)| *wall).max().unwrap();
    let cpu: Duration = took.iter().map(|(_, cpu, _)| *cpu).sum();
    let handed_over: usize = took.iter().map(|(.., handed_over)| *handed_over).sum();
    Cost {
        wall_us: wall.as_secs_f64() * 1e6 / messages,
        cpu_us: cpu.as_secs_f64() * 1e6 / messages,
        handed_over: handed_over as f64 / messages,
    }
}

fn measure(mut core: Core, number: usize, start: &Barrier) -> (Duration, Duration, usize) {
    pin(number);
    let name = format!("shard-{number}");
    core.work(WARM_UP);
    let handed_over = core.handed_over();
    start.wait();
    let (began, cpu) = (Instant::now(), threads::cpu(&name));
    core.work(MESSAGES);
    (began.elapsed(), threads::cpu(&name) - cpu, core.handed_over() - handed_over)
}

fn pin(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).unwrap();
}

impl Progress {
    pub fn add(counter: &AtomicUsize, count: usize) {
        if count > 0 {
            counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Release);
        }
    }
}
