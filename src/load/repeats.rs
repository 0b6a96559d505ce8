//! Requests that are sent again until they are answered: timers E and F of RFC 3261 17.1.2.2, as a few queues in order of
//! time, for every request waits equally long.

use std::collections::VecDeque;

/// Microseconds between the first sending of a request and the second, and so on; the last interval stays.
const INTERVALS_US: [u64; 4] = [500_000, 1_000_000, 2_000_000, 4_000_000];
/// Timer F, in microseconds.
const TIMEOUT_US: u64 = 32_000_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The request is sent again.
    Again(u32),
    /// Nobody answers any more.
    Never(u32),
}

/// Requests without an answer, as far as anybody knows.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    queues: [VecDeque<Waiting>; 4],
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u32,
    sent_us: u64,
    due_us: u64,
}

impl Repeats {
    /// A request was sent for the first time.
    pub(super) fn sent(&mut self, number: u32, at_us: u64) {
        self.wait(0, Waiting { number, sent_us: at_us, due_us: 0 }, at_us);
    }

    /// The next one that is due; it waits on if it is sent again. `waits`: whether it still does.
    pub(super) fn poll(&mut self, at_us: u64, mut waits: impl FnMut(u32) -> bool) -> Option<Due> {
        for queue in 0..INTERVALS_US.len() {
            while let Some(waiting) = self.queues[queue].front().copied() {
                let still = waits(waiting.number);
                if still && waiting.due_us > at_us {
                    break;
                }
                self.queues[queue].pop_front();
                if still && waiting.due_us - waiting.sent_us >= TIMEOUT_US {
                    return Some(Due::Never(waiting.number));
                }
                if still {
                    self.wait(queue + 1, waiting, at_us);
                    return Some(Due::Again(waiting.number));
                }
            }
        }
        None
    }

    /// When to poll.
    pub(super) fn deadline_us(&self) -> Option<u64> {
        self.queues.iter().filter_map(|queue| queue.front()).map(|waiting| waiting.due_us).min()
    }

    fn wait(&mut self, queue: usize, waiting: Waiting, at_us: u64) {
        let queue = queue.min(INTERVALS_US.len() - 1);
        let due_us = (at_us + INTERVALS_US[queue]).min(waiting.sent_us + TIMEOUT_US);
        self.queues[queue].push_back(Waiting { due_us, ..waiting });
    }
}
