//! Connections, from the first packet to the last.

use core::net::SocketAddr;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::ptr;

use bytes::Bytes;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use socket2::{MsgHdr, Socket};

use super::link::Link;
use super::{CONNECT_TIMEOUT, EpollPort, LINGER, RETRY_AFTER};
use crate::engine::Moment;
use crate::engine::transport::{ConnectId, LinkId, ListenerId};
use crate::limits;
use crate::shell::buffers::Slot;
use crate::shell::port::Arrival;
use crate::shell::send_queue::Length;
use crate::shell::sockets;
use crate::shell::token::{Kind, Token};

/// Connections accepted of one listener in a turn.
const ACCEPTS: usize = 32;
/// Buffers of one receive, where the one before was filled: a large message comes with fewer system calls.
const BUFFERS_AT_ONCE: usize = 8;
/// Parts of one send.
const PARTS: usize = 64;

impl EpollPort {
    pub(super) fn accept(&mut self, index: usize) {
        for _ in 0..ACCEPTS {
            match self.listeners[index].socket.accept() {
                Ok((socket, peer)) => self.accepted(index, socket, peer.as_socket()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The peer was faster.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    // Out of files or memory: level-triggered, it would be told without end.
                    self.listeners[index].rest_until = Some(self.now + RETRY_AFTER);
                    return self.watch_listener(index, EventFlags::empty());
                }
            }
        }
    }

    fn accepted(&mut self, index: usize, socket: Socket, peer: Option<SocketAddr>) {
        let Some(peer) = peer.filter(|_| socket.set_nonblocking(true).is_ok()) else { return };
        let Some(id) = self.links.insert(Link::new(socket, peer, None)) else {
            self.stats.connections_refused += 1;
            return;
        };
        if !self.watch(id, EventFlags::IN) {
            self.links.remove(id);
            return;
        }
        let listener = ListenerId(u16::try_from(index).unwrap_or(u16::MAX));
        self.arrivals.push(Arrival::Accepted(id, listener, peer));
    }

    fn watch(&self, id: LinkId, flags: EventFlags) -> bool {
        self.links.get(id).is_some_and(|link| epoll::add(&self.epoll, &link.socket, data(id), flags).is_ok())
    }

    /// Asks the kernel for what an open link waits for now.
    fn rewatch(&self, id: LinkId) {
        if let Some(link) = self.links.get(id) {
            // It fails only for a file that is not watched; links are.
            let _ = epoll::modify(&self.epoll, &link.socket, data(id), awaited(link));
        }
    }

    pub(super) fn start_connect(&mut self, now: Moment, order: ConnectId, peer: SocketAddr) {
        let begun = sockets::outgoing(peer).and_then(|socket| begin(&socket, peer).map(|()| socket));
        let id = begun.ok().and_then(|socket| self.links.insert(Link::new(socket, peer, Some(order))));
        match id {
            Some(id) if self.watch(id, EventFlags::OUT) => self.connecting.push_back((now + CONNECT_TIMEOUT, id)),
            Some(id) => self.connect_failed(id, order),
            None => self.arrivals.push(Arrival::ConnectFailed(order)),
        }
    }

    fn connect_failed(&mut self, id: LinkId, order: ConnectId) {
        self.links.remove(id);
        self.arrivals.push(Arrival::ConnectFailed(order));
    }

    fn connect_ended(&mut self, id: LinkId, order: ConnectId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if !matches!(link.socket.take_error(), Ok(None)) {
            return self.connect_failed(id, order);
        }
        link.connecting = None;
        self.arrivals.push(Arrival::Connected(id, order, link.peer));
        self.rewatch(id);
    }

    pub(super) fn link_ready(&mut self, id: LinkId, flags: EventFlags) {
        if let Some(order) = self.links.get(id).and_then(|link| link.connecting) {
            return self.connect_ended(id, order);
        }
        if flags.contains(EventFlags::OUT) {
            self.unblocked(id);
        }
        if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            self.receive(id);
        }
    }

    fn unblocked(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.blocked = false;
            self.to_send.push(id);
            self.rewatch(id);
        }
    }

    fn receive(&mut self, id: LinkId) {
        let (mut bytes, mut buffers) = (0, 1);
        while bytes < limits::LINK_TURN_BYTES_MAX
            && self.arrivals.len() < limits::TURN_ARRIVALS_MAX
            && let Some(link) = self.links.get(id).filter(|link| !link.closing && !link.slowness.is_paused())
            && self.tcp.peek(0).is_some()
        {
            let (parts, room) = self.rooms(buffers);
            let count = i32::try_from(parts.len()).unwrap_or(0);
            // SAFETY: free buffers of the stock, each of that size, for as long as the call lasts.
            let got = unsafe { libc::readv(link.socket.as_raw_fd(), parts.as_ptr(), count) };
            match usize::try_from(got) {
                Ok(0) => return self.lost(id),
                Ok(len) => self.received(id, len),
                Err(_) => return self.receive_failed(id, &io::Error::last_os_error()),
            }
            let len = usize::try_from(got).unwrap_or(0);
            bytes += len;
            if len < room {
                return;
            }
            buffers = BUFFERS_AT_ONCE;
        }
    }

    /// Where to receive into, in order, and how many octets fit; what is left over of `parts` has no room.
    fn rooms(&self, buffers: usize) -> ([libc::iovec; BUFFERS_AT_ONCE], usize) {
        const NOWHERE: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        let (mut parts, mut room) = ([NOWHERE; BUFFERS_AT_ONCE], 0);
        for (nth, part) in parts.iter_mut().enumerate().take(buffers) {
            let Some((address, len)) = self.tcp.peek(nth) else { break };
            *part = libc::iovec { iov_base: address.cast(), iov_len: len };
            room += len;
        }
        (parts, room)
    }

    /// So many octets lie in the first free buffers. All are taken before one is lent: one that is copied is free again.
    fn received(&mut self, id: LinkId, len: usize) {
        self.stats.stream_octets_in += len as u64;
        let mut left = len;
        let slots: [Option<Slot>; BUFFERS_AT_ONCE] = core::array::from_fn(|_| {
            let part = left.min(limits::TCP_BUFFER_BYTES);
            left -= part;
            if part > 0 { self.tcp.take(part) } else { None }
        });
        for slot in slots.into_iter().flatten() {
            let lease = self.tcp.lease(slot);
            self.arrivals.push(Arrival::Stream(id, Bytes::from_owner(lease)));
        }
    }

    fn receive_failed(&mut self, id: LinkId, error: &io::Error) {
        if ![io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) {
            self.lost(id);
        }
    }

    pub(super) fn enqueue(&mut self, id: LinkId, bytes: Vec<u8>) {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.closing) else {
            self.stats.dropped_link_gone += 1;
            return self.spent.push(bytes);
        };
        let idle = link.queue.is_empty();
        link.queue.push(bytes);
        let length = link.queue.length();
        if idle {
            self.to_send.push(id);
        }
        match length {
            Length::Usual => {}
            Length::Long => self.await_reader(id),
            Length::TooLong => self.cut(id),
        }
    }

    /// The peer reads too slowly.
    fn cut(&mut self, id: LinkId) {
        self.stats.dropped_slow_reader += 1;
        self.remove(id);
    }

    /// Reads nothing more of a peer that has called until it has read.
    fn await_reader(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if self.slow_readers.pause(self.now, id, &link.queue, &mut link.slowness) {
            self.rewatch(id);
        }
    }

    fn go_on_reading(&mut self, id: LinkId) {
        if self.links.get_mut(id).is_some_and(|link| link.slowness.resume(&link.queue)) {
            self.rewatch(id);
        }
    }

    pub(super) fn cut_slow_readers(&mut self) {
        while let Some(id) =
            self.slow_readers.next_stuck(self.now, &mut self.links, |link| (&link.queue, &mut link.slowness))
        {
            self.cut(id);
        }
    }

    pub(super) fn send_streams(&mut self) {
        while let Some(id) = self.to_send.pop() {
            while self.send(id) {}
            self.go_on_reading(id);
        }
    }

    /// True if there is more to try.
    fn send(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.blocked) else { return false };
        if link.queue.is_empty() {
            if link.closing {
                self.remove(id);
            }
            return false;
        }
        let mut parts = [IoSlice::new(&[]); PARTS];
        let count = parts.iter_mut().zip(link.queue.parts()).map(|(part, octets)| *part = IoSlice::new(octets)).count();
        let message = MsgHdr::new().with_buffers(&parts[..count]);
        match link.socket.sendmsg(&message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) {
            Ok(sent) => {
                self.stats.stream_octets_out += sent as u64;
                link.queue.advance(sent, &mut self.spent);
                if link.credit.add(sent) {
                    self.noted.push(id);
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked(id),
            Err(_) => {
                self.remove(id);
                false
            }
        }
    }

    fn blocked(&mut self, id: LinkId) -> bool {
        if let Some(link) = self.links.get_mut(id) {
            link.blocked = true;
            self.rewatch(id);
        }
        false
    }

    pub(super) fn start_close(&mut self, now: Moment, id: LinkId) {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.closing) else { return };
        link.closing = true;
        if link.queue.is_empty() {
            return self.remove(id);
        }
        self.closing.push_back((now + LINGER, id));
        self.rewatch(id);
    }

    /// The peer is gone: the world is told; what waits is still sent.
    fn lost(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if !link.told_closed {
            link.told_closed = true;
            self.arrivals.push(Arrival::Closed(id));
        }
        self.start_close(self.now, id);
    }

    pub(super) fn shut_overdue(&mut self) {
        while let Some((_, id)) = self.closing.pop_front_if(|(until, _)| *until <= self.now) {
            self.remove(id);
        }
        while let Some((_, id)) = self.connecting.pop_front_if(|(until, _)| *until <= self.now) {
            if let Some(order) = self.links.get(id).and_then(|link| link.connecting) {
                self.connect_failed(id, order);
            }
        }
    }

    fn remove(&mut self, id: LinkId) {
        let Some(mut link) = self.links.remove(id) else { return };
        // It fails if the peer was faster.
        let _ = link.socket.shutdown(Shutdown::Both);
        link.queue.give_up(&mut self.spent);
        if !link.told_closed {
            self.arrivals.push(Arrival::Closed(id));
        }
    }
}

fn data(id: LinkId) -> EventData {
    EventData::new_u64(Token::of_link(Kind::ReceiveStream, id).pack())
}

/// What happens to an open link that is of interest.
fn awaited(link: &Link) -> EventFlags {
    let reads = if link.closing || link.slowness.is_paused() { EventFlags::empty() } else { EventFlags::IN };
    if link.blocked { reads | EventFlags::OUT } else { reads }
}

/// Begins to connect; whether it worked is told later.
fn begin(socket: &Socket, peer: SocketAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    match socket.connect(&peer.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(()),
    }
}
