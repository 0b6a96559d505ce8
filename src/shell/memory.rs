//! Memory that the kernel writes into, straight from the kernel.

use std::io;
use std::ptr::{self, NonNull};

/// A page, or part of one: then what is given back in its middle is refused, and kept.
const PAGE_BYTES: usize = 4_096;

/// Pages of zeros, private to the process. A page occupies memory once it was written to.
#[derive(Debug)]
pub(super) struct Pages {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Pages {}
// SAFETY: as above; this type alone gives no access to the memory, only its address.
unsafe impl Sync for Pages {}

impl Pages {
    pub(super) fn new(bytes: usize) -> io::Result<Pages> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the range is the mapping just made. A refusal is harmless: pages may then come in larger pieces.
        unsafe { libc::madvise(base, bytes, libc::MADV_NOHUGEPAGE) };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { base, bytes })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Gives back the memory of the whole pages in a range; they are zeros again.
    ///
    /// # Safety
    /// Nobody, the kernel included, uses the range.
    pub(super) unsafe fn give_back(&self, start: usize, len: usize) {
        assert!(start + len <= self.bytes, "the range lies in the mapping");
        let (first, last) = (start.next_multiple_of(PAGE_BYTES), (start + len) / PAGE_BYTES * PAGE_BYTES);
        if first < last {
            // SAFETY: inside of the mapping, which begins with a page, and used by nobody. A refusal keeps the memory.
            unsafe { libc::madvise(self.base.as_ptr().add(first).cast(), last - first, libc::MADV_DONTNEED) };
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: exactly the range that was mapped; whoever handed its address out keeps `self` alive meanwhile.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}
