//! Many datagrams in one system call.

use core::net::SocketAddr;
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::{ptr, slice};

use socket2::{SockAddr, Socket};

use super::address;
use super::buffers::Slot;
use super::stock::Stock;
use crate::limits;
use crate::observe::ShellStats;

/// Datagrams of one call.
pub(super) const BATCH: usize = 32;
/// The longest datagrams that go on their way together: what Ethernet carries of them in one packet of IPv6.
const TOGETHER_BYTES_MAX: usize = 1_500 - 48;
/// What every path carries (RFC 8200 5).
const TOGETHER_BYTES_ANYWHERE: usize = 1_280 - 48;

type Name = libc::sockaddr_in6;

/// A control message with the length of a segment.
#[derive(Clone, Copy)]
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    segment: u16,
}

/// Datagrams that wait for their socket.
pub(super) type Queue = VecDeque<(SocketAddr, Vec<u8>)>;

/// Lets a datagram wait in `queue`, if there is one and it has room.
pub(super) fn enqueue(
    queue: Option<&mut Queue>,
    peer: SocketAddr,
    bytes: Vec<u8>,
    stats: &mut ShellStats,
    spent: &mut Vec<Vec<u8>>,
) {
    match queue.filter(|queue| queue.len() < limits::DATAGRAMS_SENDING_MAX) {
        Some(queue) => queue.push_back((peer, bytes)),
        None => {
            stats.dropped_send_failed += 1;
            spent.push(bytes);
        }
    }
}

/// What the calls read and write besides the payload.
pub(super) struct Batch {
    headers: [libc::mmsghdr; BATCH],
    parts: [libc::iovec; BATCH],
    names: [Name; BATCH],
    controls: [Control; BATCH],
    /// How many datagrams each message of the last send has.
    runs: [usize; BATCH],
    /// Octets of the longest datagrams that the kernel cuts from one message (UDP_SEGMENT); 0 if it cannot.
    together_bytes_max: usize,
    /// So many go singly, to find out which of them an error is about.
    singly: usize,
    unusable: Vec<Slot>,
}

/// What a receive brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    /// Datagrams taken off the socket.
    pub(super) datagrams: usize,
    /// Those of them that were cut off, or came from nowhere.
    pub(super) unusable: usize,
}

impl Batch {
    pub(super) fn new() -> Box<Batch> {
        // SAFETY: zeros are headers, parts and addresses that point to nothing, and control messages of no meaning.
        let (headers, parts, names, controls) = unsafe { core::mem::zeroed() };
        let runs = [0; BATCH];
        let (together_bytes_max, unusable) = (TOGETHER_BYTES_MAX, Vec::new());
        Box::new(Batch { headers, parts, names, controls, runs, together_bytes_max, singly: 0, unusable })
    }

    /// Receives what is there, up to a batch, into the stock's buffers.
    pub(super) fn receive(
        &mut self,
        socket: &Socket,
        stock: &mut Stock,
        mut each: impl FnMut(SocketAddr, Slot),
    ) -> Received {
        let count = self.point_at(stock);
        let count = libc::c_uint::try_from(count).unwrap_or(0);
        let (headers, none) = (self.headers.as_mut_ptr(), ptr::null_mut());
        // SAFETY: the first `count` headers point to a part and a name each, of this batch, and the parts to free buffers
        // of the stock; all stay until the call returns.
        let got = unsafe { libc::recvmmsg(socket.as_raw_fd(), headers, count, libc::MSG_DONTWAIT, none) };
        let mut received = Received { datagrams: usize::try_from(got).unwrap_or(0), unusable: 0 };
        for (header, name) in self.headers.iter().zip(&self.names).take(received.datagrams) {
            let Some(slot) = stock.take(header.msg_len as usize) else { break };
            let cut_off = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            match read(name, header.msg_hdr.msg_namelen) {
                Some(peer) if !cut_off => each(peer, slot),
                _ => self.unusable.push(slot),
            }
        }
        received.unusable = self.unusable.len();
        // Not before: the datagrams lie in the buffers in their order.
        self.unusable.drain(..).for_each(|slot| stock.release(slot));
        received
    }

    fn point_at(&mut self, stock: &Stock) -> usize {
        for nth in 0..BATCH {
            let Some((address, len)) = stock.peek(nth) else { return nth };
            self.parts[nth] = libc::iovec { iov_base: address.cast(), iov_len: len };
            self.fill_header(nth, size_of::<Name>(), nth, 1);
        }
        BATCH
    }

    /// The message of `count` parts from `first` on.
    fn fill_header(&mut self, nth: usize, name_len: usize, first: usize, count: usize) {
        let header = &mut self.headers[nth].msg_hdr;
        header.msg_name = (&raw mut self.names[nth]).cast();
        header.msg_namelen = libc::socklen_t::try_from(name_len).unwrap_or(0);
        (header.msg_iov, header.msg_iovlen) = (&raw mut self.parts[first], count);
        (header.msg_control, header.msg_controllen) = (ptr::null_mut(), 0);
        header.msg_flags = 0;
    }

    /// The kernel is to cut this message into datagrams of so many octets.
    fn cut(&mut self, nth: usize, segment: usize) {
        let control = &mut self.controls[nth];
        control.header.cmsg_len = size_of::<libc::cmsghdr>() + size_of::<u16>();
        (control.header.cmsg_level, control.header.cmsg_type) = (libc::SOL_UDP, libc::UDP_SEGMENT);
        control.segment = u16::try_from(segment).unwrap_or(0);
        let header = &mut self.headers[nth].msg_hdr;
        (header.msg_control, header.msg_controllen) = (ptr::from_mut(control).cast(), size_of::<Control>());
    }

    /// Sends what is in `queue`; false if the socket is full before all has left. What has left, or never will, is spent.
    pub(super) fn send_all(
        &mut self,
        socket: &Socket,
        queue: &mut Queue,
        stats: &mut ShellStats,
        spent: &mut Vec<Vec<u8>>,
    ) -> bool {
        while !queue.is_empty() {
            match self.send(socket, queue) {
                Ok(sent) => {
                    stats.datagrams_out += sent as u64;
                    spent.extend(queue.drain(..sent).map(|(_, bytes)| bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.runs[0] > 1 => self.separate(&error),
                Err(_) => {
                    // The error is about the first; those after it may have better luck.
                    stats.dropped_send_failed += 1;
                    spent.extend(queue.pop_front().map(|(_, bytes)| bytes));
                }
            }
        }
        true
    }

    /// A message of several datagrams was refused: they go singly. If it is that the path does not carry such long ones,
    /// or that kernel or device cannot cut, so do others like them from now on.
    fn separate(&mut self, error: &io::Error) {
        self.singly = self.runs[0];
        let about_cutting = [libc::EINVAL, libc::EIO, libc::EOPNOTSUPP, libc::ENOPROTOOPT, libc::EMSGSIZE];
        if error.raw_os_error().is_some_and(|code| about_cutting.contains(&code)) {
            let long = self.parts[0].iov_len > TOGETHER_BYTES_ANYWHERE;
            self.together_bytes_max = if long { TOGETHER_BYTES_ANYWHERE } else { 0 };
        }
    }

    /// Sends the first of `queue`, up to a batch: how many left.
    fn send(&mut self, socket: &Socket, queue: &Queue) -> io::Result<usize> {
        let messages = self.point_at_all(queue);
        let count = libc::c_uint::try_from(messages).unwrap_or(0);
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: the first `count` headers point to parts and a name each, of this batch, some to a control message of
        // it; and the parts to payloads of the queue, which are only read.
        let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), count, flags) };
        let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
        let datagrams = self.runs.iter().take(sent).sum();
        self.singly = self.singly.saturating_sub(datagrams);
        Ok(datagrams)
    }

    /// As few messages as the first datagrams of `queue` can be: how many.
    fn point_at_all(&mut self, queue: &Queue) -> usize {
        for (part, (_, payload)) in self.parts.iter_mut().zip(queue) {
            *part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        }
        let (mut messages, mut first, count) = (0, 0, queue.len().min(BATCH));
        while let Some((peer, payload)) = queue.get(first).filter(|_| first < count) {
            let run = self.run(queue.range(first..count), first);
            let len = write(*peer, &mut self.names[messages]);
            self.fill_header(messages, len, first, run);
            if run > 1 {
                self.cut(messages, payload.len());
            }
            self.runs[messages] = run;
            (messages, first) = (messages + 1, first + run);
        }
        messages
    }

    /// How many of these can go together: to one peer, of one length.
    fn run<'a>(&self, mut waiting: impl Iterator<Item = &'a (SocketAddr, Vec<u8>)>, first: usize) -> usize {
        let Some((peer, payload)) = waiting.next() else { return 1 };
        if first < self.singly || !(1..=self.together_bytes_max).contains(&payload.len()) {
            return 1;
        }
        1 + waiting.take_while(|(other, more)| other == peer && more.len() == payload.len()).count()
    }
}

const _: () = assert!(BATCH * TOGETHER_BYTES_MAX < 65_000);

fn read(name: &Name, len: libc::socklen_t) -> Option<SocketAddr> {
    let len = size_of::<Name>().min(len as usize);
    // SAFETY: octets of `name`, which has no padding.
    let octets = unsafe { slice::from_raw_parts(ptr::from_ref(name).cast::<u8>(), len) };
    address::read(octets)
}

/// Writes an address: its length.
fn write(peer: SocketAddr, name: &mut Name) -> usize {
    let address = SockAddr::from(peer);
    let len = size_of::<Name>().min(address.len() as usize);
    // SAFETY: `len` is within both; neither overlaps the other; any octets are a `Name`.
    unsafe { ptr::copy_nonoverlapping(address.as_ptr().cast::<u8>(), ptr::from_mut(name).cast::<u8>(), len) };
    len
}
