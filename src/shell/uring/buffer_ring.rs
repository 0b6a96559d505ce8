//! Buffers from which the kernel picks one for each receive.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

use crate::engine::Moment;
use crate::shell::bell::Bell;
use crate::shell::buffers::{Lease, Measures, Pool, Slot};
use crate::shell::memory::Pages;
use crate::shell::reserve::Reserve;

/// A pool and the ring by which its buffers go to the kernel.
#[derive(Debug)]
pub(super) struct BufferRing {
    pool: Pool,
    group: u16,
    entries: Arc<Pages>,
    tail: u16,
    /// Buffers that the kernel has, how many it is to have now, and how many at most.
    provided: u16,
    ready: u16,
    ready_max: u16,
    /// Whether it had none left.
    ran_dry: bool,
    /// Those that neither the kernel nor anybody else has.
    reserve: Reserve,
}

impl BufferRing {
    /// `ready` buffers are the kernel's, and more of them whenever it finds none, up to `ready_max`: it takes them in turns, so
    /// that few stay in the processor's cache. The memory must outlive the registration in `ring`.
    pub(super) fn new(
        ring: &IoUring,
        group: u16,
        measures: Measures,
        (ready, ready_max): (u16, u16),
        bell: Arc<Bell>,
    ) -> io::Result<BufferRing> {
        let buffers = measures.buffers;
        assert!(buffers.is_power_of_two(), "a ring of buffers has a power of two of them");
        let pool = Pool::new(measures, bell)?;
        let entries = Arc::new(Pages::new(usize::from(buffers) * size_of::<BufRingEntry>())?);
        // SAFETY: the pages hold `buffers` entries of zeros; they and the pool are dropped after the ring (`UringPort`).
        unsafe {
            let base = entries.base().as_ptr() as u64;
            ring.submitter().register_buf_ring_with_flags(base, buffers, group, 0)?;
        }
        let reserve = Reserve::new(0..buffers);
        let mut this =
            BufferRing { pool, group, entries, tail: 0, provided: 0, ready, ready_max, ran_dry: false, reserve };
        this.fill_up();
        Ok(this)
    }

    pub(super) fn group(&self) -> u16 {
        self.group
    }

    /// Whether the kernel has a buffer to receive into.
    pub(super) fn has_buffers(&self) -> bool {
        self.provided > 0
    }

    /// Buffers in use, and all.
    pub(super) fn used(&self) -> (u64, u64) {
        let all = u64::from(self.pool.buffers());
        (all - u64::from(self.provided) - self.reserve.len() as u64, all)
    }

    /// Octets that were copied instead of lent.
    pub(super) fn copied(&self) -> u64 {
        self.pool.copied()
    }

    /// Takes a buffer in that is not used any more.
    fn put(&mut self, index: u16) {
        if self.provided < self.ready { self.provide(index) } else { self.reserve.put(index) }
    }

    /// What is lent is made up for out of the reserve.
    fn fill_up(&mut self) {
        while self.provided < self.ready
            && let Some(index) = self.reserve.take()
        {
            self.provide(index);
        }
    }

    /// Gives a buffer to the kernel.
    fn provide(&mut self, index: u16) {
        let at = usize::from(self.tail & (self.pool.buffers() - 1));
        // SAFETY: `at` is below the number of entries; the kernel reads an entry only after the tail has passed it, and
        // there is one for each buffer, so this one was read. References end before the tail is written, which shares
        // the first entry's bytes.
        unsafe {
            let entry = &mut *self.entries.base().cast::<BufRingEntry>().add(at).as_ptr();
            entry.set_addr(self.pool.address(index) as u64);
            entry.set_len(u32::try_from(self.pool.buffer_bytes()).unwrap_or(0));
            entry.set_bid(index);
        }
        self.tail = self.tail.wrapping_add(1);
        self.provided += 1;
        self.publish();
    }

    fn publish(&self) {
        // SAFETY: the tail lies in the first entry, aligned; only this thread writes it and the kernel only reads it.
        unsafe {
            let tail = BufRingEntry::tail(self.entries.base().cast::<BufRingEntry>().as_ptr());
            AtomicU16::from_ptr(tail.cast_mut()).store(self.tail, Ordering::Release);
        }
    }

    /// A buffer that a completion named, with what the kernel wrote: `len` octets from `start`.
    ///
    /// # Safety
    /// The completion was collected just now and named `index`.
    pub(super) unsafe fn take(&mut self, index: u16, start: usize, len: usize) -> Slot {
        self.provided -= 1;
        self.ran_dry |= self.provided == 0;
        // SAFETY: a completion that names a buffer ends the kernel's use of it until it is provided again.
        unsafe { self.pool.slot(index, start, len) }
    }

    pub(super) fn bytes(&self, slot: &Slot) -> &[u8] {
        self.pool.bytes(slot)
    }

    pub(super) fn release(&mut self, slot: Slot) {
        let index = self.pool.release(slot);
        self.put(index);
    }

    pub(super) fn lease(&mut self, slot: Slot) -> Lease {
        let (lease, kept) = self.pool.lease(slot);
        if let Some(index) = kept {
            self.put(index);
        }
        lease
    }

    /// Takes in the buffers whose leases have ended, and lets go of memory that was not needed lately.
    pub(super) fn reclaim(&mut self, now: Moment) {
        while let Some(index) = self.pool.returned() {
            self.put(index);
        }
        if core::mem::take(&mut self.ran_dry) {
            self.ready = self.ready.saturating_mul(2).min(self.ready_max);
        }
        self.fill_up();
        self.reserve.cool(now, &self.pool);
    }

    /// Asks to be woken by the next buffer that comes back. False if one has already.
    pub(super) fn await_return(&self) -> bool {
        self.pool.await_return()
    }

    /// Leaves the memory to a kernel that did not let go of it.
    pub(super) fn leave_to_kernel(&self) {
        self.pool.leave_to_kernel();
        core::mem::forget(Arc::clone(&self.entries));
    }
}
