//! Messages that are over, in case more of them comes.

use core::hash::{BuildHasher, Hasher};

use std::collections::VecDeque;

use crate::limits;

/// Bits of a word that hold the response code; the others are of the Message-ID's hash.
const CODE_BITS: u64 = (1 << 10) - 1;

/// The last Message-IDs of a session and the code that each was answered with. Eight octets for each: a hundred thousand
/// idle sessions keep theirs.
#[derive(Debug, Default)]
pub(super) struct Remembered(VecDeque<u64>);

impl Remembered {
    /// Remembers how a message ended. The oldest is forgotten when there are too many.
    pub(super) fn insert(&mut self, message_id: &[u8], code: u16) {
        let hash = hash_of(message_id);
        self.0.retain(|word| word & !CODE_BITS != hash);
        if self.0.len() >= limits::MSRP_REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(hash | u64::from(code) & CODE_BITS);
    }

    /// The code of a message that is over.
    pub(super) fn code(&self, message_id: &[u8]) -> Option<u16> {
        if self.0.is_empty() {
            return None;
        }
        let hash = hash_of(message_id);
        let word = self.0.iter().rev().find(|word| **word & !CODE_BITS == hash)?;
        u16::try_from(word & CODE_BITS).ok()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// The peer can aim at nobody but itself: the ids are its own.
fn hash_of(message_id: &[u8]) -> u64 {
    let mut hasher = foldhash::quality::FixedState::default().build_hasher();
    hasher.write(message_id);
    hasher.finish() & !CODE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known_with_their_codes() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.code(b"a"), None);
        for number in 0..limits::MSRP_REMEMBERED_MAX + 3 {
            remembered.insert(number.to_string().as_bytes(), 413);
            remembered.insert(number.to_string().as_bytes(), 200);
        }
        assert_eq!(remembered.len(), limits::MSRP_REMEMBERED_MAX);
        assert_eq!((remembered.code(b"2"), remembered.code(b"3")), (None, Some(200)));
    }
}
