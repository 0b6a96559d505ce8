//! Buffers that were used and are used again, so that the steady state allocates nothing.

use crate::limits;

/// Spare buffers of one shard, of one kind: what is kept for days must not sit in what a large message has left behind.
#[derive(Debug)]
pub(super) struct Pool {
    spare: Vec<Vec<u8>>,
    bytes_max: usize,
}

impl Pool {
    /// A pool of buffers that hold at most `bytes_max` octets each.
    pub(super) fn new(bytes_max: usize) -> Pool {
        Pool { spare: Vec::new(), bytes_max }
    }

    /// An empty buffer.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// A copy of `octets`.
    pub(super) fn copy(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut buffer = self.take();
        buffer.extend_from_slice(octets);
        buffer
    }

    /// Gives a buffer back. One without memory, too large, or beyond the bound, is dropped.
    pub(super) fn give(&mut self, mut buffer: Vec<u8>) {
        let fits = (1..=self.bytes_max).contains(&buffer.capacity());
        if fits && self.spare.len() < limits::SPARE_BUFFERS_MAX {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_not_kept() {
        let mut pool = Pool::new(1_000);
        pool.give(Vec::with_capacity(2_000));
        assert_eq!(pool.take().capacity(), 0);
        pool.give(Vec::with_capacity(500));
        assert!(pool.take().capacity() >= 500);
    }
}
