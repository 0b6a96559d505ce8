//! What a message costs the whole gateway, sockets included, beside the floor of the same run: a UDP echo with recvmmsg
//! and sendmmsg whose datagrams have the sizes of the flow's. CPU time is that of the gateway's threads alone, read from
//! the kernel.
//!
//! Without arguments everything is measured; `submit deliver report handed latency overload idle calls` choose, and
//! `io_uring` or `epoll` the back end. Traffic stays on loopback, its amount is fixed, and it ends by itself.

#![allow(missing_docs, unreachable_pub, reason = "a program that measures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "it prints its figures or fails")]
#![allow(unsafe_code, reason = "recvmmsg and sendmmsg for the floor and the peers")]

use std::time::{Duration, Instant};

use isthmus::shell::Backend;

mod answer;
#[path = "../beside/mod.rs"]
mod beside;
mod calls;
mod cpm;
mod edges;
mod floor;
mod flows;
mod handed;
mod mmsg;
mod open;
mod owners;
mod request;
mod rows;
mod site;
mod smsc;
mod threads;

use flows::{Cost, SMS_USER};
use rows::Row;
use site::{Plan, Site};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages of a round.
const MESSAGES: usize = 20_000;
const ROUNDS: usize = 5;
/// As many as all rounds together: what they are kept in was used before.
const WARM_UP: usize = ROUNDS * MESSAGES;
/// After this long the gateway has forgotten them (RFC 3261, Timer J), and the memory is there for others.
const FORGOTTEN: Duration = Duration::from_secs(34);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with('-')).collect();
    let backends = [("io_uring", Backend::IoUring), ("epoll", Backend::Epoll)];
    let chosen: Vec<_> = backends.into_iter().filter(|(name, _)| names.contains(name)).collect();
    let backends = if chosen.is_empty() { backends.to_vec() } else { chosen };
    let all = !names.iter().any(|name| *name != "io_uring" && *name != "epoll");
    let wanted = |name: &str| all || names.contains(&name);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{processors} processors; the gateway's first core on 0, its peers on 1");
    threads::pin(1);
    for (name, reported, flow) in FLOWS.into_iter().filter(|(name, ..)| wanted(name)) {
        beside_the_floor(name, reported, &backends, flow);
    }
    if names.iter().any(|name| name.starts_with("handed")) || all {
        handed::handed_over(&backends, wanted);
    }
    if wanted("latency") {
        edges::latency(&backends);
    }
    if wanted("overload") {
        edges::overload(&backends);
    }
    if wanted("idle") {
        edges::idle(&backends);
    }
    if wanted("calls") {
        edges::calls(&backends);
    }
}

/// The messages of one round, the how manieth it is, and what one costs.
type Flow = fn(&mut Site, usize) -> Cost;

const FLOWS: [(&str, bool, Flow); 3] =
    [("submit", false, submit), ("deliver", false, deliver), ("report", true, report)];

/// Each round measures every back end, then the floor.
fn beside_the_floor(name: &str, reported: bool, backends: &[(&'static str, Backend)], flow: Flow) {
    let mut rows: Vec<_> = backends.iter().map(|(backend, _)| Row::new(name, backend, "echo")).collect();
    let mut sites: Vec<_> = backends.iter().map(|(_, backend)| one_core(*backend, reported)).collect();
    sites.iter_mut().for_each(|site| warm_up(site, name));
    forget(&mut sites);
    let mut sizes = floor::Sizes { received: 0, sent: 0 };
    for round in 0..ROUNDS {
        let costs: Vec<_> = sites.iter_mut().map(|site| flow(site, round)).collect();
        sizes = sizes_of(name, &sites[0]);
        let floor = floor::cpu_us(sizes, MESSAGES);
        rows.iter_mut().zip(costs).for_each(|(row, cost)| row.add(cost, floor));
    }
    println!("{name}: {} octets in, {} out, in the gateway and in the floor", sizes.received, sizes.sent);
    rows.iter().for_each(Row::print);
}

fn one_core(backend: Backend, reported: bool) -> Site {
    Site::new(Plan { backend, cores: 1, reported, pace: None })
}

fn warm_up(site: &mut Site, name: &str) {
    let numbers: Vec<usize> = (0..2 * WARM_UP).collect();
    match name {
        "deliver" => flows::deliver(site, SMS_USER, WARM_UP),
        "submit" => flows::submit(site, &numbers[WARM_UP..]),
        _ => {
            flows::submit(site, &numbers);
            flows::report(site, &ids(0, WARM_UP));
        }
    }
}

/// Waits until what was done so far is forgotten.
fn forget(sites: &mut [Site]) {
    let began = Instant::now();
    while began.elapsed() < FORGOTTEN {
        sites.iter_mut().for_each(Site::rest);
    }
}

fn submit(site: &mut Site, round: usize) -> Cost {
    let first = 2 * WARM_UP + round * MESSAGES;
    let numbers: Vec<usize> = (first..first + MESSAGES).collect();
    flows::measure(MESSAGES, || flows::submit(site, &numbers))
}

fn deliver(site: &mut Site, _round: usize) -> Cost {
    flows::measure(MESSAGES, || flows::deliver(site, SMS_USER, MESSAGES))
}

/// On the second half of the messages of the warm-up.
fn report(site: &mut Site, round: usize) -> Cost {
    let ids = ids(WARM_UP + round * MESSAGES, MESSAGES);
    flows::measure(MESSAGES, || flows::report(site, &ids))
}

/// Those that the SM-SC gives after so many others.
fn ids(before: usize, count: usize) -> Vec<u64> {
    (before + 1..=before + count).map(|id| u64::try_from(id).unwrap()).collect()
}

fn sizes_of(name: &str, site: &Site) -> floor::Sizes {
    let sizes = &site.cpm.sizes;
    match name {
        "submit" => floor::Sizes { received: sizes.request_out, sent: sizes.response_in },
        _ => floor::Sizes { received: sizes.response_out, sent: sizes.request_in },
    }
}

/// How long open loops run.
const OPEN: Duration = Duration::from_secs(5);
