//! A hierarchical timer wheel: arming and cancelling cost the same with ten timers and with a million.
//!
//! Six levels of 64 slots; a slot of level n is 64^n milliseconds wide, so the wheel reaches over two years.

use core::time::Duration;

use slab::Slab;

use super::Moment;

const LEVELS: usize = 6;
const SLOT_BITS: usize = 6;
const SLOTS: u64 = 1 << SLOT_BITS;
/// Deadlines beyond are brought forward to here and armed again when they come up.
const SPAN_MS: u64 = 1 << (SLOT_BITS * LEVELS);
const NONE: u32 = u32::MAX;
/// The list of timers that are due, beside those of the slots.
const DUE: u32 = 0;

/// A timer that was armed. It may be cancelled once; after it fired it means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Timer {
    deadline_ms: u64,
    token: u64,
    generation: u32,
    list: u32,
    previous: u32,
    next: u32,
}

/// Timers of one owner; each carries an opaque token.
#[derive(Debug)]
pub struct Wheel {
    elapsed_ms: u64,
    timers: Slab<Timer>,
    generation: u32,
    occupied: [u64; LEVELS],
    /// First timer of each list: the due ones, then the slots of each level.
    heads: Vec<u32>,
}

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel::new()
    }
}

impl Wheel {
    /// An empty wheel.
    #[must_use]
    pub fn new() -> Wheel {
        let lists = 1 + LEVELS * 64;
        Wheel { elapsed_ms: 0, timers: Slab::new(), generation: 0, occupied: [0; LEVELS], heads: vec![NONE; lists] }
    }

    /// Number of armed timers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether no timer is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Arms a timer that fires at `at`, rounded up to a millisecond, with `token`.
    #[inline]
    pub fn arm(&mut self, at: Moment, token: u64) -> TimerId {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let deadline_ms = at.0.div_ceil(1000);
        let timer = Timer { deadline_ms, token, generation, list: DUE, previous: NONE, next: NONE };
        let index = u32::try_from(self.timers.insert(timer)).unwrap_or(NONE);
        self.place(index);
        TimerId { index, generation }
    }

    /// Disarms a timer; `false` if it has fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, id: TimerId) -> bool {
        let alive = self.timers.get(id.index as usize).is_some_and(|timer| timer.generation == id.generation);
        if alive {
            self.unlink(id.index);
            self.timers.remove(id.index as usize);
        }
        alive
    }

    /// The token of a timer that is due at `now`; call until there is none.
    pub fn poll(&mut self, now: Moment) -> Option<u64> {
        let now_ms = now.0 / 1000;
        loop {
            let head = self.heads[DUE as usize];
            if head != NONE {
                self.unlink(head);
                return Some(self.timers.remove(head as usize).token);
            }
            let Some((at_ms, level, slot)) = self.next_slot().filter(|(at_ms, ..)| *at_ms <= now_ms) else {
                self.elapsed_ms = self.elapsed_ms.max(now_ms);
                return None;
            };
            self.elapsed_ms = at_ms;
            self.empty_slot(level, slot);
        }
    }

    /// When to poll next: never later than the earliest deadline, sometimes earlier.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        if self.heads[DUE as usize] != NONE {
            return Some(Moment(self.elapsed_ms * 1000));
        }
        self.next_slot().map(|(at_ms, ..)| Moment(0) + Duration::from_millis(at_ms))
    }

    fn next_slot(&self) -> Option<(u64, usize, u64)> {
        self.occupied.iter().enumerate().find(|(_, occupied)| **occupied != 0).map(|(level, occupied)| {
            let shift = SLOT_BITS * level;
            let current = (self.elapsed_ms >> shift) & (SLOTS - 1);
            let ahead = u64::from(occupied.rotate_right(u32::try_from(current).unwrap_or(0)).trailing_zeros());
            let slot = (current + ahead) & (SLOTS - 1);
            let round = SLOTS << shift;
            let at = (self.elapsed_ms & !(round - 1)) + (slot << shift);
            (if at < self.elapsed_ms { at + round } else { at }, level, slot)
        })
    }

    /// Moves the timers of a slot that has come up to where they belong now.
    fn empty_slot(&mut self, level: usize, slot: u64) {
        let list = list_of(level, slot);
        while self.heads[list as usize] != NONE {
            let index = self.heads[list as usize];
            self.unlink(index);
            self.place(index);
        }
    }

    #[inline]
    fn place(&mut self, index: u32) {
        let elapsed = self.elapsed_ms;
        let Some(timer) = self.timers.get(index as usize) else { return };
        let deadline = timer.deadline_ms.min(elapsed + SPAN_MS - 1);
        if deadline <= elapsed {
            return self.link(index, DUE);
        }
        let differing = (elapsed ^ deadline) | (SLOTS - 1);
        let level = ((63 - differing.leading_zeros() as usize) / SLOT_BITS).min(LEVELS - 1);
        let slot = (deadline >> (SLOT_BITS * level)) & (SLOTS - 1);
        self.occupied[level] |= 1 << slot;
        self.link(index, list_of(level, slot));
    }

    #[inline]
    fn link(&mut self, index: u32, list: u32) {
        let next = core::mem::replace(&mut self.heads[list as usize], index);
        if let Some(next) = self.timers.get_mut(next as usize) {
            next.previous = index;
        }
        if let Some(timer) = self.timers.get_mut(index as usize) {
            (timer.list, timer.previous, timer.next) = (list, NONE, next);
        }
    }

    #[inline]
    fn unlink(&mut self, index: u32) {
        let Some(timer) = self.timers.get(index as usize) else { return };
        let (list, previous, next) = (timer.list, timer.previous, timer.next);
        match self.timers.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => self.heads[list as usize] = next,
        }
        if let Some(next) = self.timers.get_mut(next as usize) {
            next.previous = previous;
        }
        if list != DUE && self.heads[list as usize] == NONE {
            let at = list as usize - 1;
            self.occupied[at / 64] &= !(1 << (at % 64));
        }
    }
}

fn list_of(level: usize, slot: u64) -> u32 {
    u32::try_from(1 + level * 64).unwrap_or(0) + u32::try_from(slot).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// The wheel fires what a sorted map fires, when it fires it.
        #[test]
        fn fires_as_a_sorted_map_does(steps in proptest::collection::vec((0u64..3, 0u64..5_000_000, 0u64..200_000), 1..200)) {
            let (mut wheel, mut model) = (Wheel::new(), BTreeMap::new());
            let (mut now_ms, mut ids) = (0u64, Vec::new());
            for (token, (what, delay_ms, advance_ms)) in (0u64..).zip(steps) {
                if what == 0 && !ids.is_empty() {
                    let (id, key) = ids.swap_remove((delay_ms % ids.len() as u64) as usize);
                    prop_assert_eq!(wheel.cancel(id), model.remove(&key).is_some());
                } else {
                    let at = Moment((now_ms + delay_ms) * 1000);
                    let key = (now_ms + delay_ms, token);
                    ids.push((wheel.arm(at, token), key));
                    model.insert(key, token);
                }
                if let Some((&(first, _), _)) = model.first_key_value() {
                    prop_assert!(wheel.next_deadline().unwrap() <= Moment(first.max(now_ms) * 1000));
                }
                now_ms += advance_ms;
                let mut fired: Vec<u64> = core::iter::from_fn(|| wheel.poll(Moment(now_ms * 1000))).collect();
                let later = model.split_off(&(now_ms + 1, 0));
                let mut due: Vec<u64> = core::mem::replace(&mut model, later).into_values().collect();
                fired.sort_unstable();
                due.sort_unstable();
                prop_assert_eq!(fired, due);
            }
        }
    }
}
