//! Octets of connections in and out, and how connections end.

use std::net::Shutdown;
use std::os::fd::AsRawFd;

use bytes::Bytes;
use io_uring::{cqueue, opcode, types};

use super::link::{End, Link, Receive};
use super::message::{Message, PARTS_MAX};
use super::{LINGER, UringPort};
use crate::engine::Moment;
use crate::engine::transport::LinkId;
use crate::limits;
use crate::shell::port::Arrival;
use crate::shell::send_queue::Length;
use crate::shell::token::{Kind, Token};

impl UringPort {
    /// Octets are in a buffer, or receiving has ended for a reason.
    pub(super) fn received(&mut self, token: Token, entry: &cqueue::Entry) {
        let buffer = cqueue::buffer_select(entry.flags());
        let len = usize::try_from(entry.result()).unwrap_or(0);
        // SAFETY: `entry` was collected just now and names this buffer.
        let slot = buffer.map(|index| unsafe { self.tcp.take(index, 0, len) });
        let id = self.links.named(token);
        let wanted = len > 0 && id.and_then(|id| self.links.get(id)).is_some_and(|link| link.end == End::Open);
        match (slot, id) {
            (Some(slot), Some(id)) if wanted => {
                let lease = self.tcp.lease(slot);
                self.octets(id, Bytes::from_owner(lease));
            }
            (Some(slot), _) => self.tcp.release(slot),
            (None, _) => {}
        }
        if let Some(id) = id {
            self.after_receive(id, entry);
        }
    }

    fn octets(&mut self, id: LinkId, bytes: Bytes) {
        let Some(link) = self.links.get_mut(id) else { return };
        self.stats.stream_octets_in += bytes.len() as u64;
        let in_turn = link.count(self.turn, bytes.len());
        self.arrivals.push(Arrival::Stream(id, bytes));
        if in_turn > limits::LINK_TURN_BYTES_MAX {
            self.pause_receive(id);
        }
    }

    fn pause_receive(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id).filter(|link| link.receive == Receive::Armed) else { return };
        link.receive = Receive::Pausing;
        let stop = opcode::AsyncCancel::new(Token::of_link(Kind::ReceiveStream, id).pack()).build();
        // SAFETY: a cancellation points to nothing.
        unsafe { self.ring.push(stop.user_data(Token::new(Kind::Aside, 0, 0).pack())) };
    }

    fn after_receive(&mut self, id: LinkId, entry: &cqueue::Entry) {
        let Some(link) = self.links.get_mut(id) else { return };
        let over = !cqueue::more(entry.flags());
        if over {
            link.receive = Receive::Off;
            link.open_orders -= 1;
        }
        let passing = [-libc::ENOBUFS, -libc::ECANCELED, -libc::EINTR, -libc::EAGAIN].contains(&entry.result());
        if entry.result() <= 0 && !passing {
            self.lost(id);
        } else if over && link.end == End::Open {
            self.stats.rearms += 1;
            self.to_receive.push(id);
        }
        self.remove_if_done(id);
    }

    pub(super) fn receive_streams(&mut self) {
        while self.tcp.has_buffers()
            && let Some(id) = self.to_receive.pop()
        {
            self.arm_receive(id);
        }
    }

    fn arm_receive(&mut self, id: LinkId) {
        let group = self.tcp.group();
        let Some(link) = self.links.get_mut(id) else { return };
        if link.receive != Receive::Off || link.end != End::Open || link.slowness.is_paused() {
            return;
        }
        link.receive = Receive::Armed;
        link.open_orders += 1;
        let order = opcode::RecvMulti::new(types::Fd(link.socket.as_raw_fd()), group).build();
        // SAFETY: the socket stays with the link, which stays until no order names it.
        unsafe { self.ring.push(order.user_data(Token::of_link(Kind::ReceiveStream, id).pack())) };
    }

    pub(super) fn enqueue(&mut self, id: LinkId, bytes: Vec<u8>) {
        let Some(link) = self.links.get_mut(id).filter(|link| link.end == End::Open) else {
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
        self.lost(id);
        self.shut(id);
        self.remove_if_done(id);
    }

    /// Reads nothing more of a peer that has called until it has read.
    fn await_reader(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if self.slow_readers.pause(self.now, id, &link.queue, &mut link.slowness) {
            self.pause_receive(id);
        }
    }

    fn go_on_reading(&mut self, id: LinkId) {
        if self.links.get_mut(id).is_some_and(|link| link.slowness.resume(&link.queue)) {
            self.to_receive.push(id);
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
            self.start_send(id);
        }
    }

    fn start_send(&mut self, id: LinkId) {
        let mut message = self.a_spare_message();
        self.send_excess(id, &mut message);
        let Some(link) = self.links.get_mut(id).filter(|link| link.message.is_none() && !link.queue.is_empty()) else {
            return self.keep(message);
        };
        message.stream(&link.queue);
        let file = types::Fd(link.socket.as_raw_fd());
        let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
        let order = opcode::SendMsg::new(file, message.header()).flags(flags.cast_unsigned()).build();
        link.open_orders += 1;
        link.message = Some(message);
        // SAFETY: message, queued buffers and socket stay with the link until no order names it; the queue gives a
        // buffer away only once it was sent.
        unsafe { self.ring.push(order.user_data(Token::of_link(Kind::SendStream, id).pack())) };
    }

    /// A turn has one order for a connection. What that cannot name goes now: there may be more of it every turn.
    fn send_excess(&mut self, id: LinkId, message: &mut Box<Message>) {
        while let Some(link) =
            self.links.get(id).filter(|link| link.message.is_none() && link.queue.buffers() > PARTS_MAX)
            && let Some(sent) = message.send_now(&link.queue, &link.socket)
        {
            self.left(id, sent);
        }
    }

    /// So many octets have left by a connection.
    fn left(&mut self, id: LinkId, bytes: usize) {
        let Some(link) = self.links.get_mut(id) else { return };
        self.stats.stream_octets_out += bytes as u64;
        link.queue.advance(bytes, &mut self.spent);
        if link.credit.add(bytes) {
            self.noted.push(id);
        }
    }

    pub(super) fn sent(&mut self, token: Token, entry: &cqueue::Entry) {
        let Some(id) = self.links.named(token) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        link.open_orders -= 1;
        let message = link.message.take();
        let failed = entry.result() < 0 && ![-libc::EINTR, -libc::EAGAIN].contains(&entry.result());
        let sent = usize::try_from(entry.result()).unwrap_or(0);
        self.left(id, sent);
        let Some(link) = self.links.get(id) else { return };
        match (link.queue.is_empty(), link.end) {
            _ if failed => {
                self.lost(id);
                self.shut(id);
            }
            (false, End::Open | End::Closing) => self.to_send.push(id),
            (true, End::Closing) => self.shut(id),
            (true, End::Open) | (_, End::Shut) => {}
        }
        if let Some(message) = message {
            self.keep(message);
        }
        self.go_on_reading(id);
        self.remove_if_done(id);
    }

    pub(super) fn start_close(&mut self, now: Moment, id: LinkId) {
        let Some(link) = self.links.get_mut(id).filter(|link| link.end == End::Open) else { return };
        link.end = End::Closing;
        if link.queue.is_empty() {
            self.shut(id);
            return self.remove_if_done(id);
        }
        self.closing.push_back((now + LINGER, id));
    }

    /// The peer is gone, or must go: the world is told; what waits is still sent.
    fn lost(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if !link.told_closed {
            link.told_closed = true;
            self.arrivals.push(Arrival::Closed(id));
        }
        self.start_close(self.now, id);
    }

    pub(super) fn shut_overdue(&mut self) {
        while let Some((until, id)) = self.closing.front().copied()
            && until <= self.now
        {
            self.closing.pop_front();
            self.shut(id);
            self.remove_if_done(id);
        }
    }

    /// Ends both directions: whatever is under way completes.
    fn shut(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if link.end != End::Shut {
            link.end = End::Shut;
            // It fails if the peer was faster.
            let _ = link.socket.shutdown(Shutdown::Both);
        }
    }

    fn remove_if_done(&mut self, id: LinkId) {
        let done = |link: &Link| link.end == End::Shut && link.open_orders == 0;
        if !self.links.get(id).is_some_and(done) {
            return;
        }
        let Some(mut link) = self.links.remove(id) else { return };
        link.queue.give_up(&mut self.spent);
        if !link.told_closed {
            self.arrivals.push(Arrival::Closed(id));
        }
    }
}
