//! The octets of a message as its chunks bring them: in any order, more than once, with holes (RFC 4975 7.3.1).
//!
//! They stay in their receive buffers. A message of many tiny slices would hold buffers a thousand times its size, so
//! slices too short to be worth a place of their own are put together, which a sender of ordinary chunks never sees.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::budget::Charge;
use super::slices::{Lent, Slices};
use crate::limits;

/// What a slice costs beside its octets.
const PART_BYTES: usize = size_of::<Part>() + 24;
/// Parts from which on it is asked whether they are too many.
const PARTS_FEW: usize = 64;
/// A slice shorter than this is put together with its neighbours when there are too many.
const SLICE_BYTES_MIN: usize = 1_024;
/// Octets up to which short slices are put together.
const JOINED_BYTES: usize = 16 << 10;

#[derive(Debug)]
struct Part {
    /// Octets of the message before it.
    start: u64,
    bytes: Bytes,
}

impl Part {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn is_short(&self) -> bool {
        self.bytes.len() < SLICE_BYTES_MIN
    }
}

/// Why octets were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// Other octets were there before. RFC 4975 7.3.1 lets the later ones win, but then nobody could say what text was
    /// acknowledged.
    Contradiction,
    /// The budget is used up.
    OverBudget,
    /// Too many holes.
    Scattered,
}

/// Octets of one message, sorted and without overlaps.
#[derive(Debug)]
pub(super) struct Octets {
    /// As long as they come in order: one slice behind the other. Nothing is here once there are parts.
    run: Slices,
    parts: VecDeque<Part>,
    held: u64,
    /// Number of parts from which on short ones are put together.
    join_at: usize,
    charge: Charge,
}

impl Octets {
    pub(super) fn new(charge: Charge) -> Octets {
        Octets { run: Slices::default(), parts: VecDeque::new(), held: 0, join_at: PARTS_FEW, charge }
    }

    /// Octets that are there.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// One past the last octet that is there.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.parts.back().map_or(self.held, Part::end)
    }

    /// Adds octets whose first has `start` before it.
    #[inline]
    pub(super) fn insert(&mut self, start: u64, octets: Lent<'_>) -> Result<(), NotTaken> {
        if octets.is_empty() {
            return Ok(());
        }
        if self.parts.is_empty() && start == self.held {
            self.draw(octets.len())?;
            self.run.push(octets);
        } else {
            self.scatter();
            self.insert_between(start, octets.to_bytes())?;
        }
        if self.slices() > self.join_at { self.join() } else { Ok(()) }
    }

    fn slices(&self) -> usize {
        self.run.len() + self.parts.len()
    }

    /// They do not come in order any more.
    fn scatter(&mut self) {
        let mut start = 0;
        self.parts.extend(core::mem::take(&mut self.run).iter().map(|octets| {
            let part = Part { start, bytes: octets.to_bytes() };
            start = part.end();
            part
        }));
    }

    /// The slices in order, and what they were charged.
    pub(super) fn into_slices(mut self) -> (Slices, Charge) {
        self.charge.settle(self.cost());
        for part in self.parts {
            self.run.push(Lent::whole(&part.bytes));
        }
        (self.run, self.charge)
    }

    fn cost(&self) -> usize {
        usize::try_from(self.held).unwrap_or(usize::MAX).saturating_add(self.slices() * PART_BYTES)
    }

    /// Counts a slice of so many octets.
    #[inline]
    fn draw(&mut self, bytes: usize) -> Result<(), NotTaken> {
        if !self.charge.add(bytes + PART_BYTES) {
            return Err(NotTaken::OverBudget);
        }
        self.held += bytes as u64;
        Ok(())
    }

    fn add(&mut self, at: usize, part: Part) -> Result<(), NotTaken> {
        self.draw(part.bytes.len())?;
        self.parts.insert(at, part);
        Ok(())
    }

    /// Compares what is there and adds what is not.
    fn insert_between(&mut self, mut start: u64, mut bytes: Bytes) -> Result<(), NotTaken> {
        let mut at = self.parts.partition_point(|part| part.end() <= start);
        while !bytes.is_empty() {
            let next = self.parts.get(at);
            let before = next.map_or(u64::MAX, |part| part.start.saturating_sub(start));
            let gap = usize::try_from(before).unwrap_or(usize::MAX).min(bytes.len());
            if gap > 0 {
                let part = Part { start, bytes: bytes.split_to(gap) };
                start = part.end();
                self.add(at, part)?;
            } else if let Some(there) = next {
                let same = compare(there, start, &bytes).ok_or(NotTaken::Contradiction)?;
                start += same as u64;
                bytes = bytes.split_off(same);
            }
            at += 1;
        }
        Ok(())
    }

    /// Puts short neighbours together. Every part that is left is long, is beside a long one, or is alone; of those there
    /// may not be too many.
    fn join(&mut self) -> Result<(), NotTaken> {
        let short = self.run.shorter_than(SLICE_BYTES_MIN) + self.parts.iter().filter(|part| part.is_short()).count();
        if short * 2 <= self.slices() {
            self.join_at = self.slices() * 2;
            return Ok(());
        }
        self.scatter();
        let mut joined = Joined::default();
        for part in core::mem::take(&mut self.parts) {
            joined.push(part);
        }
        self.parts = joined.finish();
        self.charge.recount(self.cost());
        let long = usize::try_from(self.held).unwrap_or(usize::MAX) / SLICE_BYTES_MIN;
        if self.parts.len() > limits::MSRP_HOLES_MAX.saturating_add(long.saturating_mul(2)) {
            return Err(NotTaken::Scattered);
        }
        self.join_at = PARTS_FEW.max(self.parts.len() * 2);
        Ok(())
    }
}

/// How many of `bytes`, which start inside `there`, it holds already; `None` if it holds others.
fn compare(there: &Part, start: u64, bytes: &[u8]) -> Option<usize> {
    let skip = usize::try_from(start - there.start).ok()?;
    let known = there.bytes.get(skip..)?;
    let same = known.len().min(bytes.len());
    (known.get(..same) == bytes.get(..same)).then_some(same)
}

/// Parts as they are put together.
#[derive(Default)]
struct Joined {
    parts: VecDeque<Part>,
    /// Short parts, each beginning where the one before ends.
    short: Vec<Part>,
    short_bytes: usize,
}

impl Joined {
    fn push(&mut self, part: Part) {
        let follows = self.short.last().is_none_or(|last| last.end() == part.start);
        if !part.is_short() || !follows || self.short_bytes >= JOINED_BYTES {
            self.flush(follows && !part.is_short());
        }
        if part.is_short() {
            self.short_bytes += part.bytes.len();
            self.short.push(part);
        } else {
            self.parts.push_back(part);
        }
    }

    fn finish(mut self) -> VecDeque<Part> {
        self.flush(false);
        self.parts
    }

    /// One short slice beside a long one stays, as it holds the same buffers; any other is copied out of its buffer.
    fn flush(&mut self, long_follows: bool) {
        let Some(start) = self.short.first().map(|first| first.start) else { return };
        let long_before = self.parts.back().is_some_and(|last| !last.is_short() && last.end() == start);
        if let ([_], true) = (self.short.as_slice(), long_before || long_follows) {
            self.parts.extend(self.short.drain(..));
        } else {
            let mut bytes = BytesMut::with_capacity(self.short_bytes);
            self.short.drain(..).for_each(|part| bytes.extend_from_slice(&part.bytes));
            self.parts.push_back(Part { start, bytes: bytes.freeze() });
        }
        self.short_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::*;
    use proptest::prelude::*;

    fn octets(budget: &Budget) -> Octets {
        Octets::new(Charge::on(budget))
    }

    fn content(octets: Octets) -> Vec<u8> {
        octets.into_slices().0.iter().map(|slice| slice.octets()).collect::<Vec<_>>().concat()
    }

    #[test]
    fn holes_fill_and_repetition_adds_nothing() {
        let mut octets = octets(&Budget::new(1 << 20));
        for (start, bytes) in [(4, "ef"), (0, "ab"), (1, "bcd"), (0, "abcdef"), (5, "fg"), (2, "")] {
            octets.insert(start, Lent::whole(&Bytes::from(bytes))).unwrap();
        }
        assert_eq!((octets.held(), octets.end()), (7, 7));
        assert_eq!(content(octets), b"abcdefg");
    }

    #[test]
    fn other_octets_in_the_same_place_are_a_contradiction() {
        let mut octets = octets(&Budget::new(1 << 20));
        octets.insert(2, Lent::whole(&Bytes::from("cd"))).unwrap();
        assert_eq!(octets.insert(0, Lent::whole(&Bytes::from("abX"))), Err(NotTaken::Contradiction));
        assert_eq!(octets.insert(3, Lent::whole(&Bytes::from("Xe"))), Err(NotTaken::Contradiction));
    }

    #[test]
    fn octets_beyond_the_budget_are_not_held() {
        let budget = Budget::new(100_000);
        let mut octets = octets(&budget);
        octets.insert(0, Lent::whole(&Bytes::from(vec![0; 60_000]))).unwrap();
        assert_eq!(octets.insert(60_000, Lent::whole(&Bytes::from(vec![0; 60_000]))), Err(NotTaken::OverBudget));
        drop(octets);
        assert_eq!(budget.left(), 100_000);
    }

    #[test]
    fn single_octets_are_put_together_and_single_octets_with_holes_refused() {
        let budget = Budget::new(1 << 30);
        let (mut dense, mut sparse) = (octets(&budget), octets(&budget));
        let buffer = Bytes::from(vec![7; 100_000]);
        for at in 0..100_000 {
            dense.insert(at as u64, Lent::of(&buffer, at, at + 1)).unwrap();
        }
        assert!(dense.parts.len() < 400, "{}", dense.parts.len());
        let refused =
            (0..100_000).find_map(|at| Some((at, sparse.insert(2 * at as u64, Lent::of(&buffer, at, at + 1)).err()?)));
        let (at, why) = refused.unwrap();
        assert!(why == NotTaken::Scattered && at < 3 * limits::MSRP_HOLES_MAX, "{at}");
    }

    #[test]
    fn ordinary_slices_stay_in_their_buffers() {
        let mut octets = octets(&Budget::new(1 << 30));
        let buffer = Bytes::from(vec![7; 300 * 2_048]);
        let mut starts = Vec::new();
        for chunk in 0..300 {
            let (start, cut, end) = (chunk * 2_048, chunk * 2_048 + 300, (chunk + 1) * 2_048);
            for (from, to) in [(start, cut), (cut, end)] {
                octets.insert(from as u64, Lent::of(&buffer, from, to)).unwrap();
                starts.push(buffer[from..].as_ptr());
            }
        }
        let (slices, _) = octets.into_slices();
        assert!(slices.iter().map(|slice| slice.octets().as_ptr()).eq(starts));
    }

    proptest! {
        /// Any pieces in any order give the text if they cover it, and only then.
        #[test]
        fn any_pieces_give_the_text(len in 1..3_000usize, cuts in proptest::collection::vec((0..3_000usize, 1..90usize), 0..200)) {
            let text: Vec<u8> = (0..len).map(|at| (at % 251).to_le_bytes()[0]).collect();
            let whole = Bytes::from(text.clone());
            let mut octets = octets(&Budget::new(1 << 20));
            let mut covered = vec![false; len];
            for (start, piece) in cuts {
                let (start, end) = (start.min(len), (start + piece).min(len));
                octets.insert(start as u64, Lent::of(&whole, start, end)).unwrap();
                covered[start..end].fill(true);
                prop_assert_eq!(octets.held(), covered.iter().filter(|there| **there).count() as u64);
            }
            for at in (0..len).rev().step_by(7) {
                octets.insert(at as u64, Lent::of(&whole, at, (at + 7).min(len))).unwrap();
            }
            octets.insert(0, Lent::of(&whole, 0, 7.min(len))).unwrap();
            prop_assert_eq!(content(octets), text);
        }
    }
}
