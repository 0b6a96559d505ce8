//! Two ways to do one thing, run in turns so that both meet the same machine; and what `benches/table` reads.

#![allow(dead_code, reason = "each bench uses some")]

use std::time::{Duration, Instant};

const ROUNDS: usize = 30;
const ROUND: Duration = Duration::from_millis(10);

/// Prints what `ours` takes beside `theirs`: of each the best of many rounds, which the rest of the machine disturbs
/// least.
#[allow(clippy::print_stdout, reason = "the figure is what the bench is for")]
pub(crate) fn ratio(what: &str, theirs_name: &str, mut ours: impl FnMut(), mut theirs: impl FnMut()) {
    let (mut our_best, mut their_best) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        our_best = our_best.min(nanoseconds(&mut ours));
        their_best = their_best.min(nanoseconds(&mut theirs));
    }
    let ratio = our_best / their_best;
    println!("{what}: {our_best:.1} ns, {theirs_name} {their_best:.1} ns, ratio {ratio:.2}");
    row(what, "-", &format!("{our_best:.0} ns"), &format!("{theirs_name} {their_best:.0} ns"), &format!("{ratio:.2}"));
}

/// A line for the table: what, which way of doing it, measured, beside it, and what the budget is about: a number, perhaps
/// with more to say about it. What there is none of is "-".
#[allow(clippy::print_stdout, reason = "the table reads it there")]
pub(crate) fn row(name: &str, which: &str, measured: &str, beside: &str, number: &str) {
    println!("#row|{name}|{which}|{measured}|{beside}|{number}");
}

/// One run of `work`, averaged over a round.
fn nanoseconds(work: &mut impl FnMut()) -> f64 {
    let (start, mut runs) = (Instant::now(), 0_u32);
    while start.elapsed() < ROUND {
        (0..100).for_each(|_| work());
        runs += 100;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(runs)
}
