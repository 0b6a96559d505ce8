//! Many datagrams in one system call, for the floor and for the peers: what they cost must not be the gateway's.

use std::mem::{size_of, zeroed};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

/// Datagrams of one call.
pub const BATCH: usize = 64;
/// Room for one.
const BYTES: usize = 2_048;
/// What one message may hold that the kernel cuts.
const MESSAGE_BYTES_MAX: usize = 65_000;

/// Buffers, and what the calls read and write besides them.
pub struct Batch {
    buffers: Vec<[u8; BYTES]>,
    names: Vec<libc::sockaddr_in>,
    parts: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    filled: usize,
    /// What the socket cuts a longer message into.
    segment: usize,
}

impl Batch {
    pub fn new() -> Batch {
        let buffers = vec![[0; BYTES]; BATCH];
        // SAFETY: these are plain structures of integers and pointers, for which all zeroes is a value.
        let (names, parts, headers) = unsafe { (vec![zeroed(); BATCH], vec![zeroed(); BATCH], vec![zeroed(); BATCH]) };
        Batch { buffers, names, parts, headers, filled: 0, segment: 0 }
    }

    fn point_at(&mut self, at: usize, len: usize, named: bool) {
        self.parts[at] = libc::iovec { iov_base: self.buffers[at].as_mut_ptr().cast(), iov_len: len };
        let header = &mut self.headers[at].msg_hdr;
        header.msg_name = if named { (&raw mut self.names[at]).cast() } else { null_mut() };
        header.msg_namelen = if named { u32::try_from(size_of::<libc::sockaddr_in>()).unwrap() } else { 0 };
        (header.msg_iov, header.msg_iovlen) = (&raw mut self.parts[at], 1);
    }

    /// Receives what is there, up to a batch: how many. With `named`, who sent each is kept for `answer`.
    pub fn receive(&mut self, socket: &UdpSocket, flags: i32, named: bool) -> usize {
        for at in 0..BATCH {
            self.point_at(at, BYTES, named);
        }
        let (count, headers) = (u32::try_from(BATCH).unwrap(), self.headers.as_mut_ptr());
        // SAFETY: the headers name buffers, addresses and parts that live as long as the call.
        let got = unsafe { libc::recvmmsg(socket.as_raw_fd(), headers, count, flags, null_mut()) };
        usize::try_from(got).unwrap_or(0)
    }

    /// The `at`th of the datagrams received last.
    pub fn received(&self, at: usize) -> &[u8] {
        &self.buffers[at][..usize::try_from(self.headers[at].msg_len).unwrap()]
    }

    /// Sends the first `count` received back to who sent them, `len` octets of each buffer.
    pub fn answer(&mut self, socket: &UdpSocket, count: usize, len: usize) {
        (0..count).for_each(|at| self.parts[at].iov_len = len);
        self.send_first(socket, count);
    }

    /// Puts a datagram in; sends all that are in once the batch is full.
    pub fn put(&mut self, socket: &UdpSocket, datagram: &[u8]) {
        self.buffers[self.filled][..datagram.len()].copy_from_slice(datagram);
        self.point_at(self.filled, datagram.len(), false);
        self.filled += 1;
        if self.filled == BATCH {
            self.flush(socket);
        }
    }

    /// Sends what was put in; datagrams of one length as one message that the kernel cuts, since the peers have less of
    /// their processor than the gateway of its own.
    pub fn flush(&mut self, socket: &UdpSocket) {
        let count = std::mem::take(&mut self.filled);
        let len = self.parts[0].iov_len;
        let alike =
            count > 1 && count * len < MESSAGE_BYTES_MAX && self.parts[..count].iter().all(|one| one.iov_len == len);
        if alike && self.cut(socket, len) {
            self.headers[0].msg_hdr.msg_iovlen = count;
            self.send_first(socket, 1);
        } else if self.cut(socket, 0) {
            self.send_first(socket, count);
        }
    }

    /// Longer messages become datagrams of this length; of 0, they do not.
    fn cut(&mut self, socket: &UdpSocket, len: usize) -> bool {
        if self.segment != len {
            let (value, bytes) = (i32::try_from(len).unwrap(), u32::try_from(size_of::<i32>()).unwrap());
            let (fd, pointer) = (socket.as_raw_fd(), (&raw const value).cast());
            // SAFETY: the option's value is an int that lives as long as the call.
            let set = unsafe { libc::setsockopt(fd, libc::SOL_UDP, libc::UDP_SEGMENT, pointer, bytes) } == 0;
            self.segment = if set { len } else { 0 };
        }
        self.segment == len
    }

    fn send_first(&mut self, socket: &UdpSocket, count: usize) {
        let mut from = 0;
        while from < count {
            let (headers, rest) = (self.headers[from..].as_mut_ptr(), u32::try_from(count - from).unwrap());
            // SAFETY: as above; `rest` headers from there on are filled.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers, rest, 0) };
            from += usize::try_from(sent).unwrap_or(0);
        }
    }
}
