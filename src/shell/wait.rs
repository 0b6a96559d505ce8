//! Waiting for a file to become readable, through the runtime.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A file of which edges are awaited: what was there before the last wait is not told again.
#[derive(Debug)]
pub(super) struct Edge(AsyncFd<OwnedFd>);

impl Edge {
    /// On a thread with a runtime.
    pub(super) fn new(file: OwnedFd) -> io::Result<Edge> {
        // SAFETY: the file is owned by what is registered, which never gives it away, and so open until it is
        // deregistered.
        let registered = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) };
        Ok(Edge(registered.map_err(|error| error.into_parts().1)?))
    }

    /// Ready once for each edge, or for several.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        match self.0.poll_read_ready(context) {
            Poll::Ready(Ok(mut guard)) => {
                guard.clear_ready();
                Poll::Ready(())
            }
            // The runtime is shutting down: whoever waits looks for itself.
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }
}
