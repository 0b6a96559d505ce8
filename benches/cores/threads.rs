//! CPU time of threads by name, from the kernel's scheduler statistics.

use std::fs;
use std::time::Duration;

/// Time on a processor of all threads of this process whose name begins with `prefix`.
pub fn cpu(prefix: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let named =
        tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with(prefix)));
    named.map(|task| of(&fs::read_to_string(task.path().join("schedstat")).unwrap_or_default())).sum()
}

fn of(schedstat: &str) -> Duration {
    Duration::from_nanos(schedstat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0))
}
