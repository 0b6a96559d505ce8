//! What is not a saturated core with everything in place: latency, overload, nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hdrhistogram::Histogram;
use isthmus::shell::Backend;

use crate::beside::row;
use crate::flows;
use crate::rows::median;
use crate::site::{Plan, Site};
use crate::{FORGOTTEN, MESSAGES, OPEN, ROUNDS, WARM_UP, calls as system_calls, forget, one_core, open, threads};

/// So many numbers apart, requests of different cases are different ones.
const FAR: usize = 10_000_000;

type Backends = [(&'static str, Backend)];

/// At 70 percent of what a window got through.
pub fn latency(backends: &Backends) {
    let mut sites: Vec<_> = backends.iter().map(|(_, backend)| one_core(*backend, false)).collect();
    let numbers: Vec<usize> = (0..4 * WARM_UP).collect();
    sites.iter_mut().for_each(|site| flows::submit(site, &numbers));
    forget(&mut sites);
    for ((name, _), site) in backends.iter().zip(&mut sites) {
        let peak = peak(site);
        let rounds: Vec<_> = (1..=ROUNDS)
            .map(|round| {
                let outcome = open::run(site, 0.7 * peak, OPEN / 5, round * FAR);
                assert!(outcome.refused == 0, "{} refused", outcome.refused);
                show(name, &outcome);
                of(&outcome.latency)
            })
            .collect();
        // The machine's other tenants only ever add: the round with the lowest p99.9 had the fewest of them.
        let best = rounds.iter().copied().min_by(|a, b| a[2].total_cmp(&b[2])).unwrap();
        let middle = |pick: fn(&[f64; 3]) -> f64| median(rounds.iter().map(pick).collect());
        let offered = format!("median {:.0} us at {:.0}/s", best[0], 0.7 * peak);
        for (what, at, of_median) in
            [("p99", 1, middle(|round| round[1] / round[0])), ("p99.9", 2, middle(|round| round[2] / round[0]))]
        {
            let ratio = format!("{:.1} (median round {of_median:.1})", best[at] / best[0]);
            row(&format!("latency-{what}"), name, &format!("{what} {:.0} us", best[at]), &offered, &ratio);
        }
    }
}

/// Microseconds: median, p99, p99.9.
fn of(histogram: &Histogram<u64>) -> [f64; 3] {
    [50.0, 99.0, 99.9].map(|percentile| {
        let nanoseconds = histogram.value_at_percentile(percentile);
        f64::from(u32::try_from(nanoseconds).unwrap_or(u32::MAX)) / 1e3
    })
}

fn show(name: &str, outcome: &open::Outcome) {
    let [p50, p99, p999] = of(&outcome.latency);
    let late = of(&outcome.lateness);
    println!(
        "latency {name} at {:.0}/s: p50 {p50:.0} us, p99 {p99:.0} ({:.1} p50), p99.9 {p999:.0} ({:.1} p50); unanswered {}; \
         the generator was late by p99 {:.0} us, p99.9 {:.0} us",
        outcome.offered_per_second,
        p99 / p50,
        p999 / p50,
        outcome.unanswered,
        late[1],
        late[2]
    );
}

fn peak(site: &mut Site) -> f64 {
    let numbers: Vec<usize> = (FAR - MESSAGES..FAR).collect();
    flows::measure(MESSAGES, || flows::submit(site, &numbers)).per_second
}

/// Three times what the gateway can, then three times what the SM-SC can.
pub fn overload(backends: &Backends) {
    for (name, backend) in backends {
        let mut site = one_core(*backend, false);
        let others = Others::beside_the_gateway();
        overloaded("overload-cpu", name, &mut site);
        drop(others);
        drop(site);
        let pace = Some(Duration::from_micros(100));
        let mut site = Site::new(Plan { backend: *backend, cores: 1, reported: false, pace });
        overloaded("overload-smsc", name, &mut site);
    }
}

/// Threads that never rest. They leave a third of the first processor to the gateway, so that the peers, who have one
/// processor themselves, can offer three times what it can and still answer.
struct Others {
    threads: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Others {
    fn beside_the_gateway() -> Others {
        let over = Arc::new(AtomicBool::new(false));
        let another = || {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                threads::pin(0);
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        Others { threads: (0..2).map(|_| another()).collect(), over }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn overloaded(what: &str, backend: &str, site: &mut Site) {
    let peak = peak(site);
    // What is kept of a message is kept for a time: memory can be flat only when the first are forgotten.
    drop(open::run(site, 3.0 * peak, FORGOTTEN, FAR));
    let before = threads::resident_kb();
    let outcome = open::run(site, 3.0 * peak, OPEN, 4 * FAR);
    let after = threads::resident_kb();
    let goodput = count(outcome.accepted) / outcome.seconds;
    println!(
        "{what} {backend}: {:.0}/s offered, {:.1} times the peak of {peak:.0}/s; {goodput:.0}/s accepted ({:.2} of the peak), \
         {} answered 503 with Retry-After, {} otherwise refused, {} lost in full sockets; memory {before} to {after} kB",
        outcome.offered_per_second,
        outcome.offered_per_second / peak,
        goodput / peak,
        outcome.refused - outcome.refused_otherwise,
        outcome.refused_otherwise,
        outcome.unanswered,
    );
    let offered = format!("peak {peak:.0}/s, offered {:.1} times that", outcome.offered_per_second / peak);
    row(what, backend, &format!("{goodput:.0}/s accepted"), &offered, &format!("{:.2}", goodput / peak));
    let otherwise = outcome.refused_otherwise;
    let refused = format!("{otherwise} of {} not by 503 with Retry-After", outcome.refused);
    row(&format!("{what}-otherwise"), backend, &refused, "-", &otherwise.to_string());
    let growth = kb(after) / kb(before);
    let memory = format!("memory {:.2} to {:.2} GB", kb(before) / 1e6, kb(after) / 1e6);
    row(&format!("{what}-memory"), backend, &memory, "-", &format!("{growth:.2}"));
}

fn kb(of: u64) -> f64 {
    f64::from(u32::try_from(of).unwrap())
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap())
}

/// A gateway with a bind and nothing else.
pub fn idle(backends: &Backends) {
    for (name, backend) in backends {
        let site = one_core(*backend, false);
        thread::sleep(Duration::from_secs(1));
        let before = threads::cpu("core-");
        thread::sleep(OPEN);
        let share = (threads::cpu("core-") - before).as_secs_f64() / OPEN.as_secs_f64();
        println!("idle {name}: {:.4} percent of a core", 100.0 * share);
        row("idle", name, &format!("{:.3} % of a core", 100.0 * share), "-", &format!("{:.4}", 100.0 * share));
        drop(site);
    }
}

/// As strace sees them.
pub fn calls(backends: &Backends) {
    for (name, backend) in backends {
        let mut site = one_core(*backend, false);
        let numbers: Vec<usize> = (0..2 * MESSAGES).collect();
        flows::submit(&mut site, &numbers[..MESSAGES]);
        let counted = system_calls::count(&mut site, |site| flows::submit(site, &numbers[MESSAGES..]));
        let Some(counted) = counted else {
            println!("calls {name}: no strace");
            continue;
        };
        let per_message = |calls: u64| count(usize::try_from(calls).unwrap()) / count(MESSAGES);
        let all = per_message(counted.iter().map(|(_, calls)| calls).sum());
        let listed: Vec<_> = counted.iter().map(|(call, calls)| format!("{call} {:.4}", per_message(*calls))).collect();
        println!("calls {name}: {all:.3} system calls for each message: {}", listed.join(", "));
        row("calls", name, &format!("{all:.3}"), "-", &format!("{all:.3}"));
    }
}
