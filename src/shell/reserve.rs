//! Receive buffers that nobody uses, and what becomes of their memory.

use core::time::Duration;

use super::buffers::Pool;
use crate::engine::Moment;

/// A buffer that was not needed for this long gives its memory back.
const COOL_AFTER: Duration = Duration::from_secs(10);
/// So many do so at a time: each is a system call.
const COOL_AT_A_TIME: usize = 512;

/// A stack: what was used last is used next, and what lies at the bottom has no memory.
#[derive(Debug)]
pub(super) struct Reserve {
    warm: Vec<u16>,
    cold: Vec<u16>,
    /// The fewest warm ones since the last look: so many were not needed.
    least: usize,
    look_at: Moment,
}

impl Reserve {
    /// These buffers, all untouched.
    pub(super) fn new(buffers: impl DoubleEndedIterator<Item = u16>) -> Reserve {
        Reserve { warm: Vec::new(), cold: buffers.rev().collect(), least: 0, look_at: Moment::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.warm.len() + self.cold.len()
    }

    /// The one that would be taken after `nth` others.
    pub(super) fn peek(&self, nth: usize) -> Option<u16> {
        let warm = self.warm.len();
        let (from, nth) = if nth < warm { (&self.warm, nth) } else { (&self.cold, nth - warm) };
        from.get(from.len().checked_sub(nth + 1)?).copied()
    }

    pub(super) fn take(&mut self) -> Option<u16> {
        let taken = self.warm.pop().or_else(|| self.cold.pop());
        self.least = self.least.min(self.warm.len());
        taken
    }

    /// A buffer that was used is not any more.
    pub(super) fn put(&mut self, index: u16) {
        self.warm.push(index);
    }

    /// Lets go of memory that was not needed lately.
    pub(super) fn cool(&mut self, now: Moment, pool: &Pool) {
        if now < self.look_at {
            return;
        }
        self.look_at = now + COOL_AFTER;
        for index in self.warm.drain(..self.least.min(COOL_AT_A_TIME)) {
            // SAFETY: it lies here, and so nowhere else.
            unsafe { pool.cool(index) };
            self.cold.push(index);
        }
        self.least = self.warm.len();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::shell::bell::Bell;
    use crate::shell::buffers::Measures;

    #[test]
    fn what_was_used_last_is_used_next() {
        let mut reserve = Reserve::new(0..4);
        assert_eq!((0..5).map(|nth| reserve.peek(nth)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!([reserve.take(), reserve.take()], [Some(0), Some(1)]);
        reserve.put(0);
        assert_eq!((0..4).map(|nth| reserve.peek(nth)).collect::<Vec<_>>(), [Some(0), Some(2), Some(3), None]);
        assert_eq!((reserve.take(), reserve.take(), reserve.len()), (Some(0), Some(2), 1));
    }

    #[test]
    fn memory_that_is_not_needed_is_given_back() {
        let measures = Measures { buffers: 4, buffer_bytes: 3 * 4_096, small_bytes: 0, small_max: 0 };
        let pool = Pool::new(measures, Arc::new(Bell::new().expect("eventfd"))).expect("memory");
        let mut reserve = Reserve::new(0..4);
        reserve.cool(Moment(0), &pool);
        let used = [reserve.take(), reserve.take()].map(|index| index.expect("four"));
        for index in used {
            // SAFETY: the buffer was just taken, and is that long.
            unsafe { pool.address(index).write_bytes(7, 3 * 4_096) };
            reserve.put(index);
        }
        let mut now = Moment::default();
        let mut look = |reserve: &mut Reserve| {
            now = now + COOL_AFTER;
            reserve.cool(now, &pool);
            // SAFETY: nobody writes.
            used.map(|index| unsafe { *pool.address(index) })
        };
        assert_eq!(look(&mut reserve), [7, 7]);
        // The second one lies on top and is used once more.
        let again = reserve.take().expect("four");
        reserve.put(again);
        assert_eq!(look(&mut reserve), [0, 7]);
        assert_eq!(look(&mut reserve), [0, 0]);
        assert_eq!(reserve.len(), 4);
    }
}
