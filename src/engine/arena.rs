//! Values under keys that are never mistaken: a key of a value that is gone finds nothing.

use slab::Slab;

/// Bits of a key that hold the generation; place and generation together fit 56 bits.
const GENERATION_BITS: u32 = 24;

/// A slab whose keys carry a generation.
#[derive(Debug)]
pub struct Arena<T> {
    places: Slab<(u32, T)>,
    generation: u32,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { places: Slab::new(), generation: 0 }
    }
}

impl<T> Arena<T> {
    /// Keeps `value` and returns its key, below 2^56.
    pub fn insert(&mut self, value: T) -> u64 {
        self.generation = (self.generation + 1) & ((1 << GENERATION_BITS) - 1);
        let place = self.places.insert((self.generation, value));
        u64::from(self.generation) << 32 | place as u64
    }

    /// The value under `key`, if it is still there.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&T> {
        let (generation, value) = self.places.get(place(key))?;
        (u64::from(*generation) == key >> 32).then_some(value)
    }

    /// The value under `key`, if it is still there.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let (generation, value) = self.places.get_mut(place(key))?;
        (u64::from(*generation) == key >> 32).then_some(value)
    }

    /// Takes the value under `key` out.
    pub fn remove(&mut self, key: u64) -> Option<T> {
        self.get(key)?;
        Some(self.places.remove(place(key)).1)
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

fn place(key: u64) -> usize {
    usize::try_from(key & 0xFFFF_FFFF).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_finds_nothing() {
        let mut arena = Arena::default();
        let old = arena.insert('a');
        assert_eq!(arena.remove(old), Some('a'));
        let new = arena.insert('b');
        assert_eq!((arena.get(old), arena.get(new)), (None, Some(&'b')));
        assert!(new < 1 << 56);
    }
}
