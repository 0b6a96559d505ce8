//! Receive buffers: the kernel's, then ours, then lent to whoever needs the octets longer, on whatever core.

use core::fmt;
use core::slice;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

use super::bell::Bell;
use super::memory::Pages;
use crate::limits;
use crate::queue::Sleeper;

/// How many buffers of a kind there are, how large, and how they are lent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures {
    pub(super) buffers: u16,
    pub(super) buffer_bytes: usize,
    /// A slot with less is small.
    pub(super) small_bytes: usize,
    /// Small slots that may be lent at a time.
    pub(super) small_max: usize,
}

impl Measures {
    /// For datagrams: lent only while they are on their way to another core.
    pub(super) const UDP: Measures =
        Measures { buffers: limits::UDP_BUFFERS, buffer_bytes: limits::UDP_BUFFER_BYTES, small_bytes: 0, small_max: 0 };
    /// For connections: lent until a message is whole.
    pub(super) const TCP: Measures = Measures {
        buffers: limits::TCP_BUFFERS,
        buffer_bytes: limits::TCP_BUFFER_BYTES,
        small_bytes: limits::TCP_SMALL_READ_BYTES,
        small_max: limits::TCP_SMALL_READS_HELD_MAX,
    };
}

/// The buffers of one kind of one core.
#[derive(Debug)]
pub(super) struct Pool {
    region: Arc<Region>,
    measures: Measures,
    /// Leases that were not seen to have ended.
    leased: usize,
    /// Of these, the small ones, and which they are.
    small: usize,
    is_small: Box<[bool]>,
    /// Octets that were copied instead of lent.
    copied: u64,
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
    pub(super) fn new(measures: Measures, bell: Arc<Bell>) -> io::Result<Pool> {
        let Measures { buffers, buffer_bytes, .. } = measures;
        let pages = Pages::new(usize::from(buffers) * buffer_bytes)?;
        let returned = ArrayQueue::new(usize::from(buffers));
        let region = Region { pages, buffers, buffer_bytes, returned, hungry: Sleeper::default(), bell };
        let is_small = vec![false; usize::from(buffers)].into();
        Ok(Pool { region: Arc::new(region), measures, leased: 0, small: 0, is_small, copied: 0 })
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

    /// Lends the buffer, or a copy: then its number comes back as well. Copied is what comes while half of the buffers are
    /// lent, so that whoever keeps leases for long cannot stop the socket; and what is small while many small ones are, so
    /// that single octets do not hold buffers of thousands.
    pub(super) fn lease(&mut self, slot: Slot) -> (Lease, Option<u16>) {
        let small = (slot.len as usize) < self.measures.small_bytes;
        let too_many = self.leased >= usize::from(self.region.buffers) / 2;
        if too_many || (small && self.small >= self.measures.small_max) {
            self.copied += u64::from(slot.len);
            let copy = Box::from(self.bytes(&slot));
            return (Lease(Held::Copy(copy)), Some(slot.index));
        }
        self.leased += 1;
        self.small += usize::from(small);
        self.is_small[usize::from(slot.index)] = small;
        (Lease(Held::Buffer(Arc::clone(&self.region), slot)), None)
    }

    /// Octets that were copied instead of lent, so far.
    pub(super) fn copied(&self) -> u64 {
        self.copied
    }

    /// A buffer whose lease has ended.
    pub(super) fn returned(&mut self) -> Option<u16> {
        let index = self.region.returned.pop()?;
        self.leased -= 1;
        self.small -= usize::from(core::mem::take(&mut self.is_small[usize::from(index)]));
        Some(index)
    }

    /// Gives the memory of a buffer back to the host until it is used again.
    ///
    /// # Safety
    /// The buffer is neither the kernel's nor lent.
    pub(super) unsafe fn cool(&self, index: u16) {
        let (at, len) = (usize::from(index) * self.region.buffer_bytes, self.region.buffer_bytes);
        // SAFETY: as the caller says; pages shared with a neighbour are no whole pages of this range.
        unsafe { self.region.pages.give_back(at, len) };
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

    use super::{Bell, Measures, Pool};

    fn pool() -> Pool {
        let measures = Measures { buffers: 4, buffer_bytes: 128, small_bytes: 3, small_max: 1 };
        Pool::new(measures, Arc::new(Bell::new().expect("eventfd"))).expect("memory")
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

    #[test]
    fn few_small_ones_are_lent() {
        let mut pool = pool();
        for _ in 0..2 {
            // SAFETY: no kernel knows these buffers.
            let slots = unsafe { [pool.slot(0, 0, 2), pool.slot(1, 0, 2), pool.slot(2, 0, 3)] };
            let leases = slots.map(|slot| pool.lease(slot));
            assert_eq!(leases.iter().map(|(_, kept)| *kept).collect::<Vec<_>>(), [None, Some(1), None]);
            drop(leases);
            let mut returned: Vec<_> = std::iter::from_fn(|| pool.returned()).collect();
            returned.sort_unstable();
            assert_eq!((returned.as_slice(), pool.leased, pool.small), ([0, 2].as_slice(), 0, 0));
        }
        assert_eq!(pool.copied(), 4);
    }
}
