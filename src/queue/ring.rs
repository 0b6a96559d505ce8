//! A bounded ring from one thread to one other.

use core::fmt;
use core::mem::MaybeUninit;

use crossbeam::utils::CachePadded;

use super::sync::{Arc, AtomicUsize, Ordering, UnsafeCell};

/// Makes a ring that holds `capacity` values, rounded up to a power of two.
///
/// # Panics
/// If `capacity` is zero: a ring that holds nothing carries nothing.
#[must_use]
pub fn ring<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a ring holds at least one value");
    let slots = (0..capacity.next_power_of_two()).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
    let start = || CachePadded::new(AtomicUsize::new(0));
    let shared = Arc::new(Shared { slots, taken: start(), given: start() });
    (Sender { shared: Arc::clone(&shared), given: 0, taken_seen: 0 }, Receiver { shared, taken: 0, given_seen: 0 })
}

/// The writing end.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    /// What `shared.given` holds; only this end writes it.
    given: usize,
    /// What `shared.taken` held when last looked at: looking costs a cache line of the other core.
    taken_seen: usize,
}

/// The reading end.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    taken: usize,
    given_seen: usize,
}

/// Both counts run on and wrap; their difference is the length.
struct Shared<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// How many values were taken; written by the receiver.
    taken: CachePadded<AtomicUsize>,
    /// How many values were given; written by the sender.
    given: CachePadded<AtomicUsize>,
}

impl<T> Sender<T> {
    /// Appends `value`.
    ///
    /// # Errors
    /// Gives the value back if the ring is full.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.is_full() {
            return Err(value);
        }
        self.shared.slot(self.given).with_mut(|slot| {
            // SAFETY: the position is not below `taken + capacity` (checked above), so the receiver is done with this
            // slot, and not below `given`, so it does not look at it before the store that follows.
            unsafe { (*slot).write(value) };
        });
        self.given = self.given.wrapping_add(1);
        self.shared.given.store(self.given, Ordering::Release);
        Ok(())
    }

    fn is_full(&mut self) -> bool {
        let capacity = self.shared.slots.len();
        if self.given.wrapping_sub(self.taken_seen) == capacity {
            self.taken_seen = self.shared.taken.load(Ordering::Acquire);
        }
        self.given.wrapping_sub(self.taken_seen) == capacity
    }
}

impl<T> Receiver<T> {
    /// Takes the oldest value.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.taken == self.given_seen {
            self.given_seen = self.shared.given.load(Ordering::Acquire);
        }
        if self.taken == self.given_seen {
            return None;
        }
        let value = self.shared.slot(self.taken).with_mut(|slot| {
            // SAFETY: the position is below `given`, whose release store followed the write of this slot; the sender
            // does not write it again before the store that follows.
            unsafe { (*slot).assume_init_read() }
        });
        self.taken = self.taken.wrapping_add(1);
        self.shared.taken.store(self.taken, Ordering::Release);
        Some(value)
    }

    /// How many values wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.given.load(Ordering::Acquire).wrapping_sub(self.taken)
    }

    /// Whether no value waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Shared<T> {
    #[inline]
    fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.slots[position & (self.slots.len() - 1)]
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let given = self.given.load(Ordering::Acquire);
        let mut position = self.taken.load(Ordering::Acquire);
        while position != given {
            // SAFETY: both ends are gone, and positions from `taken` to `given` hold values that nobody took.
            self.slot(position).with_mut(|slot| unsafe { (*slot).assume_init_drop() });
            position = position.wrapping_add(1);
        }
    }
}

// SAFETY: the slots are the only part that is not Sync by itself. Each is touched by one end at a time, in the order
// that the release stores and acquire loads of the two counts give; values go from thread to thread, so `T: Send`.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("given", &self.given).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("taken", &self.taken).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::ring;

    #[test]
    fn holds_what_it_says_and_gives_back_the_rest() {
        let (mut sender, mut receiver) = ring(3);
        assert!((0..4).all(|n| sender.push(n).is_ok()));
        assert_eq!(sender.push(4), Err(4));
        assert_eq!(receiver.len(), 4);
        assert_eq!(receiver.pop(), Some(0));
        assert!(sender.push(4).is_ok());
        assert_eq!(std::iter::from_fn(|| receiver.pop()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(receiver.is_empty());
    }

    #[test]
    fn drops_what_nobody_took() {
        let witness = Arc::new(());
        let (mut sender, mut receiver) = ring(8);
        for _ in 0..5 {
            sender.push(Arc::clone(&witness)).expect("room");
        }
        drop(receiver.pop());
        drop((sender, receiver));
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    /// Miri takes a second for a thousand.
    const CROSSING: u64 = if cfg!(miri) { 1_000 } else { 1_000_000 };

    #[test]
    fn a_million_cross_in_order() {
        let (mut sender, mut receiver) = ring(64);
        let writer = std::thread::spawn(move || {
            for n in 0..CROSSING {
                while sender.push(n).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut expected = 0;
        while expected < CROSSING {
            match receiver.pop() {
                Some(n) => {
                    assert_eq!(n, expected);
                    expected += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        writer.join().expect("writer");
    }
}

#[cfg(all(test, loom))]
mod orders {
    use super::ring;

    #[test]
    fn every_order_keeps_the_values_and_their_order() {
        loom::model(|| {
            let (mut sender, mut receiver) = ring(2);
            let writer = loom::thread::spawn(move || {
                for n in 0..3_usize {
                    while sender.push(Box::new(n)).is_err() {
                        loom::thread::yield_now();
                    }
                }
            });
            for expected in 0..3_usize {
                let value = loop {
                    match receiver.pop() {
                        Some(value) => break value,
                        None => loom::thread::yield_now(),
                    }
                };
                assert_eq!(*value, expected);
            }
            writer.join().expect("writer");
        });
    }

    #[test]
    fn every_order_frees_what_was_left() {
        loom::model(|| {
            let (mut sender, mut receiver) = ring(2);
            let writer = loom::thread::spawn(move || {
                drop(sender.push(loom::sync::Arc::new(1)));
                drop(sender.push(loom::sync::Arc::new(2)));
            });
            drop(receiver.pop());
            drop(receiver);
            writer.join().expect("writer");
        });
    }
}
