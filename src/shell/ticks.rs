//! What time it is within a turn, in nanoseconds of a clock whose start means nothing.

use super::clock::Clock;

/// A clock for the parts of a turn.
pub(super) type Ticks = fn() -> u64;

/// To the nanosecond, and the same on all cores; costs what reading the clock costs, some 25 ns.
pub(super) fn exact() -> u64 {
    Clock::new().nanos()
}

/// To the kernel's last tick, 1 to 10 ms ago: a read of memory that the kernel keeps for us. Enough to see a turn that
/// overran.
pub(super) fn coarse() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a timespec where we have one. It fails for no clock that Linux has had since 2.6.32.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_does_not_go_back() {
        for ticks in [exact as Ticks, coarse as Ticks] {
            let seen: Vec<_> = (0..1_000).map(|_| ticks()).collect();
            assert!(seen.is_sorted() && seen[999] > 0, "{seen:?}");
        }
    }
}
