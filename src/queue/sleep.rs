//! Whether a thread sleeps, so that those who hand it something know whether to wake it.
//!
//! The sleeper raises its flag, then looks into its queues once more; a sender fills the queue, then looks at the flag.
//! The fence between the two steps of each makes one of them see the other: no value is left with everybody asleep.

use super::sync::{AtomicBool, Ordering, fence};

/// The flag of one thread.
#[derive(Debug)]
pub struct Sleeper {
    asleep: AtomicBool,
}

impl Default for Sleeper {
    fn default() -> Sleeper {
        Sleeper { asleep: AtomicBool::new(false) }
    }
}

impl Sleeper {
    /// The thread is about to sleep. Its queues must be looked at after this, and it may sleep only if all are empty.
    pub fn lie_down(&self) {
        // A swap and no store, so that a late `must_be_woken` of the last sleep comes before this one for certain.
        self.asleep.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    /// The thread is up, for whatever reason.
    pub fn get_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Asked by a sender after it filled a queue: whether it is the one who has to wake the thread. Of several senders
    /// one is told so.
    #[must_use]
    pub fn must_be_woken(&self) -> bool {
        fence(Ordering::SeqCst);
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Sleeper;

    #[test]
    fn one_sender_of_several_wakes() {
        let sleeper = Sleeper::default();
        assert!(!sleeper.must_be_woken());
        sleeper.lie_down();
        assert!(sleeper.must_be_woken());
        assert!(!sleeper.must_be_woken());
    }
}

#[cfg(all(test, loom))]
mod orders {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};

    use super::Sleeper;
    use crate::queue::ring;

    /// The eventfd: a count and a thread that waits for it.
    #[derive(Default)]
    struct Bell {
        rung: Mutex<usize>,
        heard: Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.rung.lock().expect("bell") += 1;
            self.heard.notify_one();
        }

        fn wait(&self) {
            let mut rung = self.rung.lock().expect("bell");
            while *rung == 0 {
                rung = self.heard.wait(rung).expect("bell");
            }
            *rung = 0;
        }
    }

    /// Loom finds the deadlock if any order of events leaves a value behind a sleeping thread.
    #[test]
    fn no_order_leaves_a_value_with_its_receiver_asleep() {
        loom::model(|| {
            let (mut sender, mut receiver) = ring(2);
            let sleeper = Arc::new(Sleeper::default());
            let bell = Arc::new(Bell::default());
            let (flag, rope) = (Arc::clone(&sleeper), Arc::clone(&bell));
            let writer = loom::thread::spawn(move || {
                for n in 0..2 {
                    sender.push(n).expect("room for both");
                    if flag.must_be_woken() {
                        rope.ring();
                    }
                }
            });
            let mut taken = 0;
            while taken < 2 {
                while receiver.pop().is_some() {
                    taken += 1;
                }
                if taken < 2 {
                    sleeper.lie_down();
                    if receiver.is_empty() {
                        bell.wait();
                    }
                    sleeper.get_up();
                }
            }
            writer.join().expect("writer");
        });
    }

    #[test]
    fn a_sleeper_is_woken_by_one_of_two_senders() {
        loom::model(|| {
            let sleeper = Arc::new(Sleeper::default());
            let wakes = Arc::new(AtomicUsize::new(0));
            sleeper.lie_down();
            let senders: Vec<_> = (0..2)
                .map(|_| {
                    let (flag, wakes) = (Arc::clone(&sleeper), Arc::clone(&wakes));
                    loom::thread::spawn(move || {
                        if flag.must_be_woken() {
                            wakes.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            for sender in senders {
                sender.join().expect("sender");
            }
            assert_eq!(wakes.load(Ordering::Relaxed), 1);
        });
    }
}
