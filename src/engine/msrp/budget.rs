//! The octets that all sessions of a core may hold of incomplete and unanswered messages.

use core::sync::atomic::{AtomicUsize, Ordering};

use std::sync::Arc;

/// Octets are drawn from the budget in steps of this many, so that a chunk seldom has to ask.
const STEP_BYTES: usize = 16 << 10;

/// A budget that sessions share. Copies share it too. A message may be dropped on another core, so it counts atomically.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// A budget of so many octets.
    #[must_use]
    pub fn new(bytes: usize) -> Budget {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Octets that are not drawn.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn draw(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What one message has drawn; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Budget,
    drawn: usize,
    /// Of these, how many are not used.
    unused: usize,
}

impl Charge {
    pub(super) fn on(budget: &Budget) -> Charge {
        Charge { budget: budget.clone(), drawn: 0, unused: 0 }
    }

    /// Octets drawn.
    pub(super) fn drawn(&self) -> usize {
        self.drawn
    }

    /// Uses so many more; `false`, and none used, if the budget has not so many.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize) -> bool {
        if self.unused < bytes && !self.draw(bytes - self.unused) {
            return false;
        }
        self.unused -= bytes;
        true
    }

    #[inline(never)]
    fn draw(&mut self, lacking: usize) -> bool {
        let drawn = [lacking.max(STEP_BYTES), lacking].into_iter().find(|some| self.budget.draw(*some));
        self.drawn += drawn.unwrap_or(0);
        self.unused += drawn.unwrap_or(0);
        drawn.is_some()
    }

    /// So many are used after all.
    pub(super) fn recount(&mut self, bytes: usize) {
        self.unused = self.drawn.saturating_sub(bytes);
    }

    /// The same, and what is not used goes back.
    pub(super) fn settle(&mut self, bytes: usize) {
        self.recount(bytes);
        self.drawn -= self.unused;
        self.budget.give_back(core::mem::take(&mut self.unused));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.settle(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_comes_back() {
        let budget = Budget::new(STEP_BYTES + 10);
        let mut one = Charge::on(&budget);
        assert!(one.add(1) && one.add(STEP_BYTES - 1));
        assert_eq!(budget.left(), 10);
        let mut other = Charge::on(&budget);
        assert!(other.add(10) && !other.add(1));
        one.settle(3);
        assert_eq!(budget.left(), STEP_BYTES - 3);
        drop((one, other));
        assert_eq!(budget.left(), STEP_BYTES + 10);
    }
}
