//! How a core that sleeps is woken.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

/// An eventfd. It is never read: each write is an edge of its own, and its count has room for more writes than the
/// process will see.
#[derive(Debug)]
pub(super) struct Bell(OwnedFd);

impl Bell {
    pub(super) fn new() -> io::Result<Bell> {
        Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wakes who waits. From any thread.
    pub(super) fn ring(&self) {
        // It can fail only if the count is full, and then there is something to be seen already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// The same eventfd under another number.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.as_fd().try_clone_to_owned()
    }
}
