//! Threads by name: their CPU time, from the kernel's scheduler statistics; and which processor this one runs on.

#![allow(dead_code, reason = "each bench uses some")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Time on a processor of all threads of this process whose name begins with `prefix`.
pub fn cpu(prefix: &str) -> Duration {
    named(prefix).iter().map(|task| of(&fs::read_to_string(task.join("schedstat")).unwrap_or_default())).sum()
}

/// Their directories in /proc, each called by the thread's number.
pub fn named(prefix: &str) -> Vec<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok).map(|task| task.path());
    tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with(prefix))).collect()
}

/// Keeps the calling thread, and those that it starts from now on, on one processor, if the host has it.
pub fn pin(processor: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(processor);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}

/// Kilobytes of this process that are in memory.
pub fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0)
}

fn of(schedstat: &str) -> Duration {
    Duration::from_nanos(schedstat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0))
}
