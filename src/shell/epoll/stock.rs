//! Buffers to receive into, counted out by ourselves.

use std::io;
use std::sync::Arc;

use crate::shell::bell::Bell;
use crate::shell::buffers::{Lease, Pool, Slot};

/// A pool and its buffers that are not in use.
#[derive(Debug)]
pub(super) struct Stock {
    pool: Pool,
    free: Vec<u16>,
}

impl Stock {
    pub(super) fn new(buffers: u16, buffer_bytes: usize, bell: Arc<Bell>) -> io::Result<Stock> {
        let pool = Pool::new(buffers, buffer_bytes, bell)?;
        Ok(Stock { pool, free: (0..buffers).rev().collect() })
    }

    /// Where to receive into: address and length of the `nth` free buffer. It stays free until `take`.
    pub(super) fn peek(&self, nth: usize) -> Option<(*mut u8, usize)> {
        let index = *self.free.get(self.free.len().checked_sub(nth + 1)?)?;
        Some((self.pool.address(index), self.pool.buffer_bytes()))
    }

    /// The first free buffer, of which the kernel wrote `len` octets.
    pub(super) fn take(&mut self, len: usize) -> Option<Slot> {
        let index = self.free.pop()?;
        // SAFETY: receives are over when they return, and a buffer leaves `free` before it is used.
        Some(unsafe { self.pool.slot(index, 0, len) })
    }

    pub(super) fn bytes(&self, slot: &Slot) -> &[u8] {
        self.pool.bytes(slot)
    }

    pub(super) fn release(&mut self, slot: Slot) {
        let index = self.pool.release(slot);
        self.free.push(index);
    }

    pub(super) fn lease(&mut self, slot: Slot) -> Lease {
        let (lease, kept) = self.pool.lease(slot);
        self.free.extend(kept);
        lease
    }

    /// Takes in the buffers whose leases have ended.
    pub(super) fn reclaim(&mut self) {
        while let Some(index) = self.pool.returned() {
            self.free.push(index);
        }
    }

    /// Buffers in use, and all.
    pub(super) fn used(&self) -> (u64, u64) {
        let all = u64::from(self.pool.buffers());
        (all - self.free.len() as u64, all)
    }
}
