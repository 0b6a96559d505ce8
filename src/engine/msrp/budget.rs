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
}

impl Charge {
    pub(super) fn on(budget: &Budget) -> Charge {
        Charge { budget: budget.clone(), drawn: 0 }
    }

    /// Octets drawn.
    pub(super) fn drawn(&self) -> usize {
        self.drawn
    }

    /// Draws until `bytes` are covered; `false`, and nothing drawn, if the budget has not so many.
    pub(super) fn cover(&mut self, bytes: usize) -> bool {
        let Some(lacking) = bytes.checked_sub(self.drawn).filter(|lacking| *lacking > 0) else { return true };
        let step = lacking.max(STEP_BYTES);
        let drawn = [step, lacking].into_iter().find(|some| self.budget.draw(*some));
        self.drawn += drawn.unwrap_or(0);
        drawn.is_some()
    }

    /// Gives back what is more than `bytes`.
    pub(super) fn settle(&mut self, bytes: usize) {
        let surplus = self.drawn.saturating_sub(bytes);
        self.drawn -= surplus;
        self.budget.give_back(surplus);
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
        assert!(one.cover(1) && one.cover(STEP_BYTES));
        assert_eq!(budget.left(), 10);
        let mut other = Charge::on(&budget);
        assert!(other.cover(10) && !other.cover(11));
        one.settle(3);
        assert_eq!(budget.left(), STEP_BYTES - 3);
        drop((one, other));
        assert_eq!(budget.left(), STEP_BYTES + 10);
    }
}
