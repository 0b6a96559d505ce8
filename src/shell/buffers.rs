//! Receive buffers: the kernel's, then ours, then lent to whoever needs the octets longer, on whatever core.

use core::fmt;
use core::slice;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

use super::bell::Bell;
use super::memory::Pages;
use crate::queue::Sleeper;

/// The buffers of one kind of one core.
#[derive(Debug)]
pub(super) struct Pool {
    region: Arc<Region>,
    /// Leases that were not seen to have ended.
    leased: usize,
}

/// Memory that lives as long as the pool or any of its leases.
#[derive(Debug)]
struct Region {
    pages: Pages,
    buffers: u16,
    buffer_bytes: usize,
    /// Buffers whose lease has ended.
    returned: ArrayQueue<u16>,
    /// Up while the pool has no buffer for the kernel.
    hungry: Sleeper,
    bell: Arc<Bell>,
}

/// A received buffer that only its holder uses. It goes back by `Pool::release` or `Pool::lease`.
#[derive(Debug)]
#[must_use]
pub(super) struct Slot {
    index: u16,
    start: u32,
    len: u32,
}

impl Slot {
    /// Less of the same: `len` octets from `start`, counted from where it began.
    pub(super) fn part(self, start: usize, len: usize) -> Slot {
        assert!(start + len <= self.len as usize, "a part lies in its whole");
        let (start, len) = (u32::try_from(start).unwrap_or(0), u32::try_from(len).unwrap_or(0));
        Slot { index: self.index, start: self.start + start, len }
    }
}

impl Pool {
    /// `bell` is rung when a buffer comes back to a pool that said it is hungry.
    pub(super) fn new(buffers: u16, buffer_bytes: usize, bell: Arc<Bell>) -> io::Result<Pool> {
        let pages = Pages::new(usize::from(buffers) * buffer_bytes)?;
        let returned = ArrayQueue::new(usize::from(buffers));
        let region = Region { pages, buffers, buffer_bytes, returned, hungry: Sleeper::default(), bell };
        Ok(Pool { region: Arc::new(region), leased: 0 })
    }

    pub(super) fn buffers(&self) -> u16 {
        self.region.buffers
    }

    pub(super) fn buffer_bytes(&self) -> usize {
        self.region.buffer_bytes
    }

    /// Where buffer `index` begins.
    pub(super) fn address(&self, index: u16) -> *mut u8 {
        self.region.address(index, 0)
    }

    /// The buffer `index` as received: `len` octets from `start`.
    ///
    /// # Safety
    /// The kernel is done with this buffer, it has not been handed out since, and nobody else does so before the slot or
    /// the lease made of it has come back.
    pub(super) unsafe fn slot(&self, index: u16, start: usize, len: usize) -> Slot {
        assert!(index < self.region.buffers && start + len <= self.region.buffer_bytes, "a slot lies in its buffer");
        Slot { index, start: u32::try_from(start).unwrap_or(0), len: u32::try_from(len).unwrap_or(0) }
    }

    pub(super) fn bytes(&self, slot: &Slot) -> &[u8] {
        // SAFETY: made by `slot`, whose caller knows that nobody writes here while it lives; the pages were zeros before.
        unsafe { self.region.bytes(slot) }
    }

    /// Ends the use of a buffer on its own core: its number.
    pub(super) fn release(&mut self, slot: Slot) -> u16 {
        slot.index
    }

    /// Lends the buffer, or a copy if half of the buffers are lent already: then its number comes back as well. So
    /// whoever keeps leases for long cannot stop the socket.
    pub(super) fn lease(&mut self, slot: Slot) -> (Lease, Option<u16>) {
        if self.leased >= usize::from(self.region.buffers) / 2 {
            let copy = Box::from(self.bytes(&slot));
            return (Lease(Held::Copy(copy)), Some(slot.index));
        }
        self.leased += 1;
        (Lease(Held::Buffer(Arc::clone(&self.region), slot)), None)
    }

    /// A buffer whose lease has ended.
    pub(super) fn returned(&mut self) -> Option<u16> {
        let index = self.region.returned.pop()?;
        self.leased -= 1;
        Some(index)
    }

    /// Asks for a ring of the bell when a buffer comes back. False if one has already.
    pub(super) fn await_return(&self) -> bool {
        self.region.hungry.lie_down();
        self.region.returned.is_empty()
    }

    /// The memory stays, whoever is dropped.
    pub(super) fn leave_to_kernel(&self) {
        core::mem::forget(Arc::clone(&self.region));
    }
}

impl Region {
    fn address(&self, index: u16, offset: usize) -> *mut u8 {
        let at = usize::from(index) * self.buffer_bytes + offset;
        assert!(at < self.pages.len(), "a buffer lies in its pages");
        // SAFETY: inside of the mapping, as just checked.
        unsafe { self.pages.base().as_ptr().add(at) }
    }

    /// # Safety
    /// The caller holds `slot` for this region, so that nobody writes there.
    unsafe fn bytes(&self, slot: &Slot) -> &[u8] {
        let address = self.address(slot.index, slot.start as usize);
        // SAFETY: `Pool::slot` checked that the octets lie in the buffer; they are initialised (pages start as zeros).
        unsafe { slice::from_raw_parts(address, slot.len as usize) }
    }

    fn give_back(&self, index: u16) {
        // It holds as many as there are buffers, and each is given back once.
        let full = self.returned.push(index).is_err();
        debug_assert!(!full, "a buffer was given back twice");
        if self.hungry.must_be_woken() {
            self.bell.ring();
        }
    }
}

/// Received octets, without a copy as long as buffers are plentiful. Ends on any core.
pub struct Lease(Held);

enum Held {
    Buffer(Arc<Region>, Slot),
    Copy(Box<[u8]>),
}

impl Deref for Lease {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            // SAFETY: the slot moved into this lease and leaves it only in `drop`.
            Held::Buffer(region, slot) => unsafe { region.bytes(slot) },
            Held::Copy(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("bytes", &self.len()).finish()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Held::Buffer(region, slot) = &self.0 {
            region.give_back(slot.index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::{Bell, Pool};

    fn pool() -> Pool {
        Pool::new(4, 128, Arc::new(Bell::new().expect("eventfd"))).expect("memory")
    }

    #[test]
    fn a_lease_ends_on_another_core_and_outlives_the_pool() {
        let mut pool = pool();
        // SAFETY: no kernel knows these buffers.
        let (first, second) = unsafe { (pool.slot(1, 8, 16), pool.slot(2, 0, 128)) };
        let ((first, none), (second, _)) = (pool.lease(first), pool.lease(second));
        assert!(none.is_none() && pool.returned().is_none());
        thread::spawn(move || assert_eq!(*first, [0; 16])).join().expect("reader");
        assert_eq!((pool.returned(), pool.leased), (Some(1), 1));
        drop(pool);
        assert_eq!(second.len(), 128);
    }

    #[test]
    fn half_of_the_buffers_stay() {
        let mut pool = pool();
        // SAFETY: no kernel knows these buffers.
        let slots = unsafe { [pool.slot(0, 0, 4), pool.slot(1, 0, 4), pool.slot(2, 0, 4)] };
        let leases = slots.map(|slot| pool.lease(slot));
        assert_eq!(leases.iter().map(|(_, kept)| *kept).collect::<Vec<_>>(), [None, None, Some(2)]);
        assert!(leases.iter().all(|(lease, _)| **lease == [0; 4]));
        assert!(pool.await_return());
        drop(leases);
        assert!(!pool.await_return());
    }
}
