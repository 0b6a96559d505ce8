//! What `sendmsg` reads: it stays in place until the kernel is done.

use core::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr;

use socket2::{SockAddr, Socket};

use crate::shell::send_queue::SendQueue;

/// Parts of one send.
pub(super) const PARTS_MAX: usize = 512;

/// A send, boxed so that the pointers into it stay right.
pub(super) struct Message {
    header: libc::msghdr,
    parts: Vec<libc::iovec>,
    address: Option<SockAddr>,
    payload: Vec<u8>,
}

impl Message {
    pub(super) fn new() -> Box<Message> {
        // SAFETY: zeros are a msghdr without name, parts and control data.
        let header = unsafe { core::mem::zeroed() };
        Box::new(Message { header, parts: Vec::new(), address: None, payload: Vec::new() })
    }

    /// Becomes a datagram.
    pub(super) fn datagram(self: &mut Box<Message>, peer: SocketAddr, payload: Vec<u8>) {
        self.payload = payload;
        self.parts.clear();
        self.parts.push(part(&self.payload));
        let address = self.address.insert(SockAddr::from(peer));
        self.header.msg_name = address.as_ptr().cast_mut().cast();
        self.header.msg_namelen = address.len();
        self.point_at_parts();
    }

    /// Becomes the next octets of a stream, which stay in `queue`.
    pub(super) fn stream(self: &mut Box<Message>, queue: &SendQueue) {
        self.parts.clear();
        self.parts.extend(queue.parts().take(PARTS_MAX).map(part));
        self.header.msg_name = ptr::null_mut();
        self.header.msg_namelen = 0;
        self.point_at_parts();
    }

    fn point_at_parts(&mut self) {
        self.header.msg_iov = self.parts.as_mut_ptr();
        self.header.msg_iovlen = self.parts.len();
    }

    pub(super) fn header(&self) -> *const libc::msghdr {
        &raw const self.header
    }

    /// Sends the next octets of a stream without the ring, as many as the kernel has room for. `None` if it has none, or for
    /// a fault, which the order that follows meets again.
    pub(super) fn send_now(self: &mut Box<Message>, queue: &SendQueue, socket: &Socket) -> Option<usize> {
        self.stream(queue);
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        // SAFETY: the header points to the parts just made, and they to buffers of `queue`, which stays for the call.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), self.header(), flags) };
        usize::try_from(sent).ok().filter(|sent| *sent > 0)
    }

    /// Octets of the datagram.
    pub(super) fn take_payload(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.payload)
    }
}

fn part(octets: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() }
}
