//! System calls of the gateway's first core, as strace counts them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::threads;

/// System calls by name, most first, while `work` is done; `None` where there is no strace or it may not look. It slows
/// the gateway down, which then finds more to do at a time than it would without.
pub fn count(site: &mut Site, work: impl FnOnce(&mut Site)) -> Option<Vec<(String, u64)>> {
    let task = threads::named("core-0").pop()?;
    // Beside the gateway: here nobody else would get a turn.
    threads::pin(0);
    let strace = Command::new("strace")
        .args(["-c", "-U", "calls,name", "-p", task.file_name()?.to_str()?])
        .stderr(Stdio::piped())
        .spawn();
    threads::pin(1);
    let mut strace = strace.ok()?;
    let mut lines = BufReader::new(strace.stderr.take()?);
    lines.read_line(&mut String::new()).ok()?;
    let attached = Instant::now();
    while attached.elapsed() < Duration::from_millis(200) {
        site.smsc.turn();
    }
    work(site);
    let id = rustix::process::Pid::from_child(&strace);
    rustix::process::kill_process(id, rustix::process::Signal::INT).ok()?;
    let mut summary = String::new();
    lines.read_to_string(&mut summary).ok()?;
    strace.wait().ok()?;
    Some(summary.lines().filter_map(row).collect())
}

fn row(line: &str) -> Option<(String, u64)> {
    let (count, name) = line.trim().split_once(' ')?;
    let name = name.trim();
    Some((name.to_owned(), count.parse().ok()?)).filter(|_| name != "total")
}
