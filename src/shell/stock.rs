//! Buffers to receive into, counted out by ourselves.

use std::io;
use std::sync::Arc;

use super::bell::Bell;
use super::buffers::{Lease, Measures, Pool, Slot};
use super::reserve::Reserve;
use crate::engine::Moment;

/// A pool and its buffers that are not in use.
#[derive(Debug)]
pub(super) struct Stock {
    pool: Pool,
    free: Reserve,
}

impl Stock {
    pub(super) fn new(measures: Measures, bell: Arc<Bell>) -> io::Result<Stock> {
        let pool = Pool::new(measures, bell)?;
        Ok(Stock { pool, free: Reserve::new(0..measures.buffers) })
    }

    /// Where to receive into: address and length of the `nth` free buffer. It stays free until `take`.
    pub(super) fn peek(&self, nth: usize) -> Option<(*mut u8, usize)> {
        let index = self.free.peek(nth)?;
        Some((self.pool.address(index), self.pool.buffer_bytes()))
    }

    /// The first free buffer, of which the kernel wrote `len` octets.
    pub(super) fn take(&mut self, len: usize) -> Option<Slot> {
        let index = self.free.take()?;
        // SAFETY: receives are over when they return, and a buffer leaves `free` before it is used.
        Some(unsafe { self.pool.slot(index, 0, len) })
    }

    pub(super) fn bytes(&self, slot: &Slot) -> &[u8] {
        self.pool.bytes(slot)
    }

    pub(super) fn release(&mut self, slot: Slot) {
        let index = self.pool.release(slot);
        self.free.put(index);
    }

    pub(super) fn lease(&mut self, slot: Slot) -> Lease {
        let (lease, kept) = self.pool.lease(slot);
        if let Some(index) = kept {
            self.free.put(index);
        }
        lease
    }

    /// Takes in the buffers whose leases have ended, and lets go of memory that was not needed lately.
    pub(super) fn reclaim(&mut self, now: Moment) {
        while let Some(index) = self.pool.returned() {
            self.free.put(index);
        }
        self.free.cool(now, &self.pool);
    }

    /// Octets that were copied instead of lent.
    pub(super) fn copied(&self) -> u64 {
        self.pool.copied()
    }

    /// Buffers in use, and all.
    pub(super) fn used(&self) -> (u64, u64) {
        let all = u64::from(self.pool.buffers());
        (all - self.free.len() as u64, all)
    }
}
