//! Buffers that were used and are used again, so that the steady state allocates nothing.

/// Spare buffers of one kind: what is kept for long must not sit in what a large message has left behind.
#[derive(Debug)]
pub struct Pool {
    spare: Vec<Vec<u8>>,
    buffers_max: usize,
    bytes_max: usize,
}

impl Pool {
    /// A pool of at most `buffers_max` buffers that hold at most `bytes_max` octets each.
    #[must_use]
    pub const fn new(buffers_max: usize, bytes_max: usize) -> Pool {
        Pool { spare: Vec::new(), buffers_max, bytes_max }
    }

    /// Buffers kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spare.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spare.is_empty()
    }

    /// An empty buffer.
    pub fn take(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// A copy of `octets`.
    pub fn copy(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut buffer = self.take();
        buffer.extend_from_slice(octets);
        buffer
    }

    /// Gives a buffer back. One without memory, too large, or beyond the bound, is dropped.
    pub fn give(&mut self, mut buffer: Vec<u8>) {
        let fits = (1..=self.bytes_max).contains(&buffer.capacity());
        if fits && self.spare.len() < self.buffers_max {
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
        let mut pool = Pool::new(4, 1_000);
        pool.give(Vec::with_capacity(2_000));
        assert_eq!(pool.take().capacity(), 0);
        pool.give(Vec::with_capacity(500));
        assert!(pool.take().capacity() >= 500);
    }
}
