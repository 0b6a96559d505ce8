//! What was seen lately, by its hash.

use crate::limits::LOAD_REMEMBERED_MAX;

/// Hashes of what was seen; a new one takes the place of an old one.
#[derive(Debug)]
pub(super) struct Remembered {
    hashes: Vec<u64>,
}

impl Remembered {
    pub(super) fn new() -> Remembered {
        Remembered { hashes: vec![0; LOAD_REMEMBERED_MAX] }
    }

    /// Remembers a hash, and says whether it was there before.
    pub(super) fn was_there(&mut self, hash: u64) -> bool {
        let place = self.place(hash);
        core::mem::replace(&mut self.hashes[place], hash | 1) == hash | 1
    }

    /// Whether a hash is there.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.hashes.get(self.place(hash)) == Some(&(hash | 1))
    }

    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash >> 32).unwrap_or(0) & (self.hashes.len() - 1)
    }
}
