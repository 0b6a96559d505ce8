//! The steady state of a pager message, of its status report and of a short message allocates nothing in the pure rooms;
//! and what messages and sessions hold.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "a failure shows where it allocated")]
#![allow(missing_docs, unreachable_pub, reason = "shared with a bench")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

mod messages;
mod msrp_sessions;
mod one_core;
mod sessions;
mod shard_sessions;
mod surroundings;
mod watch;

use isthmus::observe::Flow;
use one_core::OneCore;
use watch::Watch;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static SHOW: Cell<bool> = const { Cell::new(false) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// Octets that this thread has taken and not given back.
fn live() -> i64 {
    LIVE.get()
}

fn weigh(taken: usize, given: usize) {
    let octets = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    // A thread that ends has no cell any more.
    let _ = LIVE.try_with(|live| live.set(live.get() + octets(taken) - octets(given)));
}

struct Counting;

fn count() {
    if WATCHED.get() {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        if SHOW.get() {
            WATCHED.set(false);
            eprintln!("{}", std::backtrace::Backtrace::force_capture());
            WATCHED.set(true);
        }
    }
}

// SAFETY: everything is done by the system's allocator; counting touches only thread-local cells, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        weigh(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        weigh(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        weigh(size, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what happens inside the shard.
struct Counted;

impl Watch for Counted {
    fn inside<T>(call: impl FnOnce() -> T) -> T {
        WATCHED.set(true);
        let result = call();
        WATCHED.set(false);
        result
    }
}

/// Long enough for every table and pool to have reached its size: a message takes 200 ms of virtual time, and nothing is
/// remembered for more than twenty minutes.
const WARM_UP: u64 = 8_000;
const MEASURED: u64 = 3_000;

fn allocations_of(step: impl Fn(&mut OneCore<Counted>, u64)) -> u64 {
    allocations_in(&mut OneCore::new(), step)
}

fn allocations_in(core: &mut OneCore<Counted>, step: impl Fn(&mut OneCore<Counted>, u64)) -> u64 {
    (0..WARM_UP).for_each(|number| step(core, number));
    ALLOCATIONS.set(0);
    SHOW.set(true);
    (WARM_UP..WARM_UP + MEASURED).for_each(|number| step(core, number));
    ALLOCATIONS.get()
}

#[test]
fn a_pager_message_and_its_response() {
    assert_eq!(allocations_of(|core, number| core.pager_message(number, None)), 0);
}

#[test]
fn a_pager_message_its_response_its_report_and_the_notification() {
    assert_eq!(allocations_of(|core, number| core.pager_message(number, Some("positive-delivery"))), 0);
}

#[test]
fn a_short_message_for_a_cpm_user() {
    assert_eq!(allocations_of(OneCore::short_message), 0);
}

/// All flows together, with the stopwatch running.
#[test]
fn what_is_timed() {
    let mut core = OneCore::profiled();
    let allocations = allocations_in(&mut core, |core, number| {
        core.pager_message(number, Some("positive-delivery"));
        core.short_message(number);
    });
    assert_eq!(allocations, 0);
    assert_eq!(Flow::ALL.map(|flow| core.timed(flow)), [WARM_UP + MEASURED; 3]);
}
