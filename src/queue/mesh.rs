//! A ring from every core to every other core.

use std::sync::Arc;

use crossbeam::utils::CachePadded;

use super::ring::{Receiver, Sender, ring};
use super::sleep::Sleeper;
use crate::limits;

/// Values taken from one neighbour before the next has its turn.
const TAKEN_IN_A_ROW: usize = 32;

/// Makes the mesh: one post for each core, every ring between two of them holding `capacity` values.
///
/// # Panics
/// If there are more cores than `limits::SHARDS_MAX`.
#[must_use]
pub fn mesh<T: Send>(cores: usize, capacity: usize) -> Vec<Post<T>> {
    assert!(cores <= limits::SHARDS_MAX, "more cores than the mesh is made for");
    let sleepers: Arc<[_]> = (0..cores).map(|_| CachePadded::new(Sleeper::default())).collect();
    let mut posts: Vec<Post<T>> = (0..cores).map(|own| Post::new(own, cores, Arc::clone(&sleepers))).collect();
    for from in 0..cores {
        for to in (0..cores).filter(|to| *to != from) {
            let (sender, receiver) = ring(capacity);
            posts[from].outgoing[to] = Some(sender);
            posts[to].incoming[from] = Some(receiver);
        }
    }
    posts
}

/// Where one core hands in and takes out.
#[derive(Debug)]
pub struct Post<T> {
    own: usize,
    outgoing: Vec<Option<Sender<T>>>,
    incoming: Vec<Option<Receiver<T>>>,
    sleepers: Arc<[CachePadded<Sleeper>]>,
    /// Bit per core: was handed something since the last `wake`.
    touched: u64,
    /// Whose ring is read next, and how many were taken from it in a row.
    next: usize,
    in_a_row: usize,
}

const _: () = assert!(limits::SHARDS_MAX <= 64, "`touched` has a bit per core");

impl<T> Post<T> {
    fn new(own: usize, cores: usize, sleepers: Arc<[CachePadded<Sleeper>]>) -> Post<T> {
        let outgoing = (0..cores).map(|_| None).collect();
        let incoming = (0..cores).map(|_| None).collect();
        Post { own, outgoing, incoming, sleepers, touched: 0, next: 0, in_a_row: 0 }
    }

    /// Hands `value` to core `to`. It is woken by the next `wake`, not before.
    ///
    /// # Errors
    /// Gives the value back if the ring is full, or if `to` is no other core.
    pub fn send(&mut self, to: usize, value: T) -> Result<(), T> {
        let Some(sender) = self.outgoing.get_mut(to).and_then(Option::as_mut) else { return Err(value) };
        sender.push(value)?;
        self.touched |= 1 << to;
        Ok(())
    }

    /// Calls `wake` for each core that was handed something since the last time and sleeps: once a batch.
    pub fn wake(&mut self, mut wake: impl FnMut(usize)) {
        while self.touched != 0 {
            let to = self.touched.trailing_zeros() as usize;
            self.touched &= self.touched - 1;
            if self.sleepers[to].must_be_woken() {
                wake(to);
            }
        }
    }

    /// Takes a value from some core, all of them in turn; who it is from comes with it.
    pub fn take(&mut self) -> Option<(usize, T)> {
        // One more than there are cores: the first may have had its turn, and be the only one with something.
        for _ in 0..=self.incoming.len() {
            if self.in_a_row < TAKEN_IN_A_ROW
                && let Some(value) = self.incoming[self.next].as_mut().and_then(Receiver::pop)
            {
                self.in_a_row += 1;
                return Some((self.next, value));
            }
            self.next = (self.next + 1) % self.incoming.len();
            self.in_a_row = 0;
        }
        None
    }

    /// How many values wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.incoming.iter().flatten().map(Receiver::len).sum()
    }

    /// Whether no value waits. Exact after `Sleeper::lie_down`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incoming.iter().flatten().all(Receiver::is_empty)
    }

    /// The flag of this core.
    #[must_use]
    pub fn sleeper(&self) -> &Sleeper {
        &self.sleepers[self.own]
    }

    /// The flags of all cores, for threads outside the mesh that hand something in by another door.
    #[must_use]
    pub fn sleepers(&self) -> Arc<[CachePadded<Sleeper>]> {
        Arc::clone(&self.sleepers)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::mesh;

    #[test]
    fn values_reach_the_core_they_were_handed_to() {
        let mut posts = mesh(3, 8);
        posts[0].send(2, "from 0").expect("room");
        posts[1].send(2, "from 1").expect("room");
        assert_eq!(posts[2].waiting(), 2);
        let mut taken: Vec<_> = std::iter::from_fn(|| posts[2].take()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [(0, "from 0"), (1, "from 1")]);
        assert!(posts[0].is_empty() && posts[1].is_empty());
    }

    #[test]
    fn nobody_hands_to_himself_or_to_nobody() {
        let mut posts = mesh(2, 8);
        assert_eq!(posts[0].send(0, 7), Err(7));
        assert_eq!(posts[0].send(2, 7), Err(7));
    }

    #[test]
    fn a_loud_neighbour_does_not_silence_the_others() {
        let mut posts = mesh(3, 256);
        for _ in 0..200 {
            posts[0].send(2, 0).expect("room");
        }
        posts[1].send(2, 1).expect("room");
        let order: Vec<_> = std::iter::from_fn(|| posts[2].take()).map(|(_, from)| from).collect();
        assert_eq!(order.len(), 201);
        assert!(order.iter().position(|from| *from == 1).is_some_and(|at| at <= super::TAKEN_IN_A_ROW));
    }

    #[test]
    fn one_wake_for_a_batch_and_none_for_a_core_that_is_up() {
        let mut posts = mesh(2, 64);
        let mut wakes = 0;
        posts[1].sleeper().lie_down();
        for _ in 0..32 {
            posts[0].send(1, ()).expect("room");
        }
        posts[0].wake(|to| {
            assert_eq!(to, 1);
            wakes += 1;
        });
        posts[0].send(1, ()).expect("room");
        posts[0].wake(|_| wakes += 1);
        assert_eq!(wakes, 1);
    }
}
