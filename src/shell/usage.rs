//! What the kernel counts of a thread.

use core::mem::MaybeUninit;

/// Since the thread began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Processor time in microseconds, ours and the kernel's for us.
    pub(super) cpu_us: u64,
    /// How often another thread was given the processor although we had more to do.
    pub(super) preempted: u64,
}

/// A system call: not for every turn.
pub(super) fn of_this_thread() -> Usage {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes a rusage where we have one; it fails for no thread that asks for itself.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: integers only, and zeros before the kernel wrote them.
    let usage = unsafe { usage.assume_init() };
    let preempted = u64::try_from(usage.ru_nivcsw).unwrap_or(0);
    Usage { cpu_us: micros(usage.ru_utime) + micros(usage.ru_stime), preempted }
}

fn micros(time: libc::timeval) -> u64 {
    let [seconds, micros] = [time.tv_sec, time.tv_usec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds * 1_000_000 + micros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let before = of_this_thread().cpu_us;
        while of_this_thread().cpu_us == before {}
        assert!(of_this_thread().cpu_us > before);
    }
}
