//! Interworking numbers that are assigned to sessions (IWF V3.0 6.2.2.1.3 step 1) and go back with them.
//!
//! A short message finds its session by both its numbers, so one number serves any number of SMS users at once; what must
//! not be is two sessions of one SMS user under the same number. The one longest unused is taken, since an answer may be
//! late.

use std::collections::BTreeMap;

use crate::interwork::address::Number;
use crate::policy::Sessions;
use crate::wire::digits::decimal;
use crate::wire::inline::Inline;

/// The numbers of one shard: every so many-th of the configured ones.
#[derive(Clone, Debug, Default)]
pub struct NumberPool {
    ranges: Vec<Range>,
    len: u64,
    next: u64,
    /// Places in use, by the digits of the SMS user.
    assigned: BTreeMap<Box<[u8]>, Vec<u64>>,
}

/// `count` numbers from `first`, `step` apart.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u64,
    step: u64,
    count: u64,
}

impl NumberPool {
    /// The numbers of policy that are for shard `shard` of `shards`.
    #[must_use]
    pub fn new(sessions: &Sessions, shard: u64, shards: u64) -> NumberPool {
        let mut pool = NumberPool::default();
        let (step, mut before) = (shards.max(1), 0_u64);
        for (first, last) in sessions.number_ranges() {
            let all = last - first + 1;
            let skipped = (shard % step + step - before % step) % step;
            let count = all.saturating_sub(skipped).div_ceil(step);
            if count > 0 {
                pool.ranges.push(Range { first: first + skipped, step, count });
                pool.len += count;
            }
            before += all;
        }
        pool
    }

    /// How many numbers there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many are assigned, each as often as it is.
    #[must_use]
    pub fn assigned(&self) -> usize {
        self.assigned.values().map(Vec::len).sum()
    }

    /// Assigns a number that no other session of `sms_user` has; `None` if all are taken.
    pub fn assign(&mut self, sms_user: &Number) -> Option<Number> {
        let taken = self.assigned.get(&*sms_user.digits).map_or(&[][..], Vec::as_slice);
        if taken.len() as u64 >= self.len {
            return None;
        }
        // One of so many that not all are taken is free.
        let mut places = (0..=taken.len() as u64).map(|step| (self.next + step) % self.len);
        let place = places.find(|place| !taken.contains(place))?;
        let number = self.number(place)?;
        self.assigned.entry(sms_user.digits.to_vec().into()).or_default().push(place);
        self.next = (place + 1) % self.len;
        Some(number)
    }

    /// A session of `sms_user` is over: its number is free again.
    pub fn release(&mut self, sms_user: &Number, number: &Number) {
        let place = self.place(number);
        let Some(taken) = self.assigned.get_mut(&*sms_user.digits) else { return };
        taken.retain(|other| Some(*other) != place);
        if taken.is_empty() {
            self.assigned.remove(&*sms_user.digits);
        }
    }

    fn number(&self, place: u64) -> Option<Number> {
        let mut rest = place;
        let range = self.ranges.iter().find(|range| {
            let within = rest < range.count;
            rest = if within { rest } else { rest - range.count };
            within
        })?;
        let mut digits = Vec::with_capacity(20);
        decimal(&mut digits, range.first + rest * range.step);
        Some(Number { digits: Inline::from_slice(&digits)?, global: true })
    }

    fn place(&self, number: &Number) -> Option<u64> {
        let value: u64 = core::str::from_utf8(&number.digits).ok()?.parse().ok()?;
        let mut before = 0;
        for range in &self.ranges {
            let offset = value.checked_sub(range.first).filter(|offset| offset.is_multiple_of(range.step));
            if let Some(place) = offset.map(|offset| offset / range.step).filter(|place| *place < range.count) {
                return Some(before + place);
            }
            before += range.count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(numbers: &[&str]) -> Sessions {
        Sessions {
            interworking_numbers: numbers.iter().map(|entry| (*entry).to_owned()).collect(),
            ..Sessions::default()
        }
    }

    fn number(digits: &str) -> Number {
        Number { digits: Inline::from_slice(digits.as_bytes()).unwrap(), global: true }
    }

    fn all(mut pool: NumberPool) -> Vec<String> {
        let mut numbers = Vec::new();
        while let Some(number) = pool.assign(&number("1")) {
            numbers.push(String::from_utf8(number.digits.to_vec()).unwrap());
        }
        numbers
    }

    #[test]
    fn each_number_is_of_one_shard() {
        let sessions = sessions(&["+100-+104", "nothing", "+200", "+300-+302"]);
        let shards = [0, 1, 2, 3].map(|shard| all(NumberPool::new(&sessions, shard, 4)));
        assert_eq!(shards.each_ref().map(Vec::len), [3, 2, 2, 2]);
        let mut numbers = shards.concat();
        numbers.sort();
        assert_eq!(numbers, ["100", "101", "102", "103", "104", "200", "300", "301", "302"]);
        assert!(all(NumberPool::new(&Sessions::default(), 0, 4)).is_empty());
    }

    #[test]
    fn a_number_is_assigned_once_to_an_sms_user_and_released_for_the_last_turn() {
        let mut pool = NumberPool::new(&sessions(&["+100-+102"]), 0, 1);
        let (alice, bob) = (number("1"), number("2"));
        let first = pool.assign(&alice).unwrap();
        assert_eq!(pool.assign(&bob).map(|number| number.digits.to_vec()), Some(b"101".to_vec()));
        pool.release(&alice, &first);
        assert_eq!(pool.assign(&alice).map(|number| number.digits.to_vec()), Some(b"102".to_vec()));
        assert!(pool.assign(&alice).is_some() && pool.assign(&alice).is_some());
        assert_eq!(pool.assign(&alice), None);
        assert!(pool.assign(&bob).is_some());
        pool.release(&alice, &number("999"));
        assert_eq!(pool.assign(&alice), None);
    }

    #[test]
    fn what_all_have_given_back_leaves_nothing() {
        let mut pool = NumberPool::new(&sessions(&["+100-+101", "+200"]), 0, 1);
        let taken: Vec<Number> = (0..3).map(|_| pool.assign(&number("1")).unwrap()).collect();
        taken.iter().for_each(|taken| pool.release(&number("1"), taken));
        assert!(pool.assigned.is_empty());
    }
}
