//! Datagrams in and out.

use core::net::SocketAddr;
use std::os::fd::AsRawFd;

use io_uring::types::RecvMsgOut;
use io_uring::{cqueue, opcode, types};

use super::UringPort;
use crate::engine::transport::{ListenerId, Transport};
use crate::shell::address;
use crate::shell::mmsg;
use crate::shell::port::Arrival;
use crate::shell::token::{Kind, Token};

/// Room for the longer of the two address forms.
const NAME_BYTES: usize = size_of::<libc::sockaddr_in6>();

/// What the kernel puts before the payload: the peer's address, no control data.
pub(super) fn template() -> Box<libc::msghdr> {
    // SAFETY: zeros are a msghdr without name, parts and control data.
    let mut header: Box<libc::msghdr> = Box::new(unsafe { core::mem::zeroed() });
    header.msg_namelen = libc::socklen_t::try_from(NAME_BYTES).unwrap_or(0);
    header
}

impl UringPort {
    /// A datagram is in a buffer, or receiving has ended for a reason.
    pub(super) fn datagram_received(&mut self, listener: usize, entry: &cqueue::Entry) {
        if !cqueue::more(entry.flags()) {
            self.disarmed(listener, entry.result());
        }
        let Some(index) = cqueue::buffer_select(entry.flags()) else { return };
        let udp = &mut self.udp;
        let len = usize::try_from(entry.result()).unwrap_or(0);
        // SAFETY: `entry` was collected just now and names this buffer.
        let whole = unsafe { udp.take(index, 0, len) };
        let Some((peer, start, len)) = parse(udp.bytes(&whole), &self.template) else {
            self.stats.dropped_truncated += 1;
            return udp.release(whole);
        };
        self.stats.datagrams_in += 1;
        let slot = whole.part(start, len);
        let listener = ListenerId(u16::try_from(listener).unwrap_or(u16::MAX));
        self.arrivals.push(Arrival::Datagram(listener, peer, slot));
    }

    pub(super) fn enqueue_datagram(&mut self, index: usize, peer: SocketAddr, bytes: Vec<u8>) {
        let listener = self.listeners.get_mut(index).filter(|listener| listener.transport == Transport::Udp);
        mmsg::enqueue(listener.map(|listener| &mut listener.out), peer, bytes, &mut self.stats, &mut self.spent);
    }

    /// By `sendmmsg`: as orders of the ring they cost the kernel more (measured in tuning/backend.md). What it does not
    /// take at once waits in the ring.
    pub(super) fn send_datagrams(&mut self) {
        for index in 0..self.listeners.len() {
            let listener = &mut self.listeners[index];
            if !self.batch.send_all(&listener.socket, &mut listener.out, &mut self.stats, &mut self.spent) {
                self.order_sends(index);
            }
        }
    }

    fn order_sends(&mut self, index: usize) {
        while let Some((peer, bytes)) = self.listeners[index].out.pop_front() {
            self.order_send(index, peer, bytes);
        }
    }

    fn order_send(&mut self, index: usize, peer: SocketAddr, bytes: Vec<u8>) {
        if self.datagrams.is_full() {
            self.stats.dropped_send_failed += 1;
            return self.spent.push(bytes);
        }
        let file = types::Fd(self.listeners[index].socket.as_raw_fd());
        let mut message = self.a_spare_message();
        message.datagram(peer, bytes);
        let order = opcode::SendMsg::new(file, message.header()).build();
        let Some(id) = self.datagrams.insert(message) else { return };
        // SAFETY: the message stays in `datagrams` until its completion has come; the socket lives as long as the port.
        unsafe { self.ring.push(order.user_data(Token::of_link(Kind::SendDatagram, id).pack())) };
    }

    /// A datagram has left, or never will.
    pub(super) fn datagram_sent(&mut self, token: Token, entry: &cqueue::Entry) {
        let Some(mut message) = self.datagrams.named(token).and_then(|id| self.datagrams.remove(id)) else { return };
        let counter =
            if entry.result() < 0 { &mut self.stats.dropped_send_failed } else { &mut self.stats.datagrams_out };
        *counter += 1;
        self.spent.push(message.take_payload());
        self.keep(message);
    }
}

/// Sender, start and length of the payload. `None` if something is missing.
fn parse(received: &[u8], template: &libc::msghdr) -> Option<(SocketAddr, usize, usize)> {
    let parsed = RecvMsgOut::parse(received, template).ok()?;
    if parsed.is_payload_truncated() || parsed.is_name_data_truncated() {
        return None;
    }
    let payload = parsed.payload_data();
    Some((address::read(parsed.name_data())?, received.len() - payload.len(), payload.len()))
}
