//! What processes of this host have used: CPU time and memory, as /proc tells.

use std::fs;

use crate::load::Setting;

/// What a process had used at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    cpu_ns: u64,
    memory_kb: u64,
}

impl Used {
    /// Of a process, or of this one. `None` if there is no such process.
    pub(super) fn by(pid: Option<u32>) -> Option<Used> {
        let directory = pid.map_or_else(|| String::from("/proc/self"), |pid| format!("/proc/{pid}"));
        let tasks = fs::read_dir(format!("{directory}/task")).ok()?;
        let of_task = |task: fs::DirEntry| first_number(&fs::read_to_string(task.path().join("schedstat")).ok()?);
        let cpu_ns = tasks.flatten().filter_map(of_task).sum();
        let status = fs::read_to_string(format!("{directory}/status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Some(Used { cpu_ns, memory_kb: memory.and_then(first_number).unwrap_or(0) })
    }

    /// What was used between two moments, in all and for each of `messages`.
    pub(super) fn between(who: &str, before: Option<Used>, after: Option<Used>, messages: u64) -> Vec<Setting> {
        let Some((before, after)) = before.zip(after) else { return Vec::new() };
        let ns = after.cpu_ns.saturating_sub(before.cpu_ns);
        let each = ns.checked_div(messages).unwrap_or(0);
        vec![
            Setting::new(format!("{who}, CPU time in ms"), ns / 1_000_000),
            Setting::new(
                format!("{who}, CPU time for a message in us"),
                format!("{}.{:02}", each / 1_000, each % 1_000 / 10),
            ),
            Setting::new(
                format!("{who}, memory in kB at first, at last"),
                format!("{}, {}", before.memory_kb, after.memory_kb),
            ),
        ]
    }
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
