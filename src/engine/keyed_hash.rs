//! A keyed hash for values that peers choose. The key is secret and new at every start, so that nobody can aim at one core
//! or one bucket.

use core::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

/// The hasher of tables whose keys are results of [`KeyedHash::of`] already.
pub type Hashed = foldhash::fast::FixedState;

/// The hash under one key.
#[derive(Clone, Debug)]
pub struct KeyedHash {
    state: SeedableRandomState,
    key: u64,
}

impl KeyedHash {
    /// The hash under `key`.
    #[must_use]
    pub fn new(key: [u64; 2]) -> KeyedHash {
        KeyedHash { state: SeedableRandomState::with_seed(key[0], SharedSeed::global_fixed()), key: key[1] }
    }

    /// The hash of several octet strings; their borders count.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(self.key);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_and_keys_count() {
        let hash = KeyedHash::new([7, 9]);
        assert_ne!(hash.of(&[b"ab", b"c"]), hash.of(&[b"a", b"bc"]));
        assert_ne!(hash.of(&[b"ab"]), KeyedHash::new([7, 10]).of(&[b"ab"]));
        assert_eq!(hash.of(&[b"ab"]), KeyedHash::new([7, 9]).of(&[b"ab"]));
    }
}
