//! The two queues shared with the kernel.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use io_uring::register::Restriction;
use io_uring::types::{CancelBuilder, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

/// Orders that one system call hands over at most.
const SUBMISSIONS: u32 = 1_024;
/// Ends of orders that wait for us before the kernel keeps them elsewhere: every receive buffer and every datagram on its
/// way out, and room for connections.
const COMPLETIONS: u32 = 8_192;

/// All that is ever ordered. What a seccomp filter forbids the process, a ring could do in its place; not this one.
const ORDERS: [u8; 7] = [
    opcode::Accept::CODE,
    opcode::AsyncCancel::CODE,
    opcode::Connect::CODE,
    opcode::LinkTimeout::CODE,
    opcode::Recv::CODE,
    opcode::RecvMsg::CODE,
    opcode::SendMsg::CODE,
];
/// IORING_REGISTER_SYNC_CANCEL, the one thing that is registered later.
const SYNC_CANCEL: u8 = 24;

/// The ring of one core.
pub(super) struct Ring {
    pub(super) inner: IoUring,
    /// Orders that found no room.
    waiting: VecDeque<squeue::Entry>,
    /// Orders whose last completion has not been seen.
    open: usize,
}

impl Ring {
    /// A ring to be used on this thread, which takes orders once it is enabled.
    pub(super) fn new() -> io::Result<Ring> {
        // Without COOP_TASKRUN each completion interrupts us; TASKRUN_FLAG says when to ask for what waits. With
        // DEFER_TASKRUN the ring's file, awaited through epoll, would never become readable; with an eventfd registered for
        // that it works, and takes 0.97 to 1.02 of the time for each message, which is within what rounds differ by.
        let mut builder = IoUring::builder();
        builder.setup_coop_taskrun().setup_taskrun_flag().setup_submit_all().setup_r_disabled();
        builder.setup_cqsize(COMPLETIONS).dontfork();
        Ok(Ring { inner: builder.build(SUBMISSIONS)?, waiting: VecDeque::new(), open: 0 })
    }

    /// Lets the ring do what we need of it, and nothing else.
    pub(super) fn enable(&self) -> io::Result<()> {
        let flags = squeue::Flags::IO_LINK | squeue::Flags::BUFFER_SELECT;
        let mut allowed: Vec<_> = ORDERS.map(Restriction::sqe_op).into();
        allowed.extend([Restriction::sqe_flags_allowed(flags.bits()), Restriction::register_op(SYNC_CANCEL)]);
        let ring = self.inner.submitter();
        ring.register_restrictions(&mut allowed)?;
        ring.register_enable_rings()
    }

    /// The ring's file under another number.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        // SAFETY: the ring is open as long as `self`.
        let file = unsafe { BorrowedFd::borrow_raw(self.inner.as_raw_fd()) };
        file.try_clone_to_owned()
    }

    /// Orders something.
    ///
    /// # Safety
    /// What the order points to stays where it is, and what it writes to is touched by nobody else, until a completion
    /// with its token and without more to follow has been collected; its file stays open until then.
    pub(super) unsafe fn push(&mut self, order: squeue::Entry) {
        self.open += 1;
        // SAFETY: as the caller says.
        let pushed = self.waiting.is_empty() && unsafe { self.inner.submission().push(&order) }.is_ok();
        if !pushed {
            self.waiting.push_back(order);
        }
    }

    /// Orders something, and another thing linked to it.
    ///
    /// # Safety
    /// As for `push`, for both.
    pub(super) unsafe fn push_linked(&mut self, order: squeue::Entry, linked: squeue::Entry) {
        let room = |queue: squeue::SubmissionQueue<'_>| queue.capacity() - queue.len();
        if room(self.inner.submission()) < 2 {
            self.submit();
        }
        // SAFETY: as the caller says.
        unsafe {
            self.push(order.flags(squeue::Flags::IO_LINK));
            self.push(linked);
        }
    }

    /// Hands over what was ordered and takes in what waits in the kernel, if there is either.
    pub(super) fn flush(&mut self) {
        if self.has_orders() || self.kernel_has_work() {
            self.submit();
        }
    }

    fn submit(&mut self) {
        // What is refused for now (EBUSY, EAGAIN, EINTR) stays in the queue for the next turn.
        let _ = self.inner.submit();
        while let Some(order) = self.waiting.pop_front() {
            // SAFETY: promised to `push`.
            if unsafe { self.inner.submission().push(&order) }.is_err() {
                self.waiting.push_front(order);
                if self.inner.submit().map_or(0, |count| count) == 0 {
                    return;
                }
            }
        }
        if !self.inner.submission().is_empty() {
            let _ = self.inner.submit();
        }
    }

    /// Appends completions, `limit` at most.
    pub(super) fn collect(&mut self, limit: usize, completions: &mut Vec<cqueue::Entry>) {
        if self.kernel_has_work() {
            self.submit();
        }
        let before = completions.len();
        completions.extend(self.inner.completion().take(limit));
        let last = |entry: &&cqueue::Entry| !cqueue::more(entry.flags());
        self.open -= completions[before..].iter().filter(last).count();
    }

    /// Whether neither side has something for the other.
    pub(super) fn is_quiet(&mut self) -> bool {
        !self.has_orders() && !self.kernel_has_work() && self.inner.completion().is_empty()
    }

    fn has_orders(&mut self) -> bool {
        !self.inner.submission().is_empty() || !self.waiting.is_empty()
    }

    /// Whether the kernel has completions for us that only a system call brings.
    fn kernel_has_work(&mut self) -> bool {
        let queue = self.inner.submission();
        queue.taskrun() || queue.cq_overflow()
    }

    /// Calls everything off and waits until the kernel has let go: false if it does not within about a second.
    pub(super) fn end(&mut self) -> bool {
        const TRIES: u32 = 100;
        self.submit();
        let patience = Timespec::from(Duration::from_millis(10));
        let _ = self.inner.submitter().register_sync_cancel(Some(patience), CancelBuilder::any());
        let mut completions = Vec::new();
        for _ in 0..TRIES {
            self.collect(usize::MAX, &mut completions);
            if self.open == 0 {
                return true;
            }
            let _ = self.inner.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&patience));
        }
        false
    }
}
