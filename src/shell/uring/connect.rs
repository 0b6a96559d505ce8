//! Connections that begin: accepted ones and ordered ones.

use core::net::SocketAddr;
use core::time::Duration;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::{cqueue, opcode, types};
use socket2::Socket;

use super::UringPort;
use super::link::Link;
use crate::engine::transport::{ConnectId, LinkId, ListenerId};
use crate::shell::port::Arrival;
use crate::shell::sockets;
use crate::shell::token::{Kind, Token};

/// How long opening a connection may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

impl UringPort {
    /// A connection was accepted, or accepting has ended for a reason.
    pub(super) fn accepted(&mut self, listener: usize, entry: &cqueue::Entry) {
        if !cqueue::more(entry.flags()) {
            self.disarmed(listener, entry.result());
        }
        if entry.result() < 0 {
            return;
        }
        // SAFETY: the kernel made this file for us and names it only here.
        let socket = Socket::from(unsafe { OwnedFd::from_raw_fd(entry.result()) });
        // A peer that is gone again has no address.
        let Some(peer) = socket.peer_addr().ok().and_then(|peer| peer.as_socket()) else { return };
        let Some(id) = self.links.insert(Link::new(socket, peer, None)) else {
            self.stats.connections_refused += 1;
            return;
        };
        let listener = ListenerId(u16::try_from(listener).unwrap_or(u16::MAX));
        self.arrivals.push(Arrival::Accepted(id, listener, peer));
        self.to_receive.push(id);
    }

    pub(super) fn start_connect(&mut self, order: ConnectId, peer: SocketAddr) {
        let link = sockets::outgoing(peer).map(|socket| Link::new(socket, peer, Some(order)));
        match link.ok().and_then(|link| self.links.insert(link)) {
            Some(id) => self.push_connect(id),
            None => self.arrivals.push(Arrival::ConnectFailed(order)),
        }
    }

    fn push_connect(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        link.open_orders += 1;
        let file = types::Fd(link.socket.as_raw_fd());
        let connect = opcode::Connect::new(file, link.address.as_ptr().cast(), link.address.len()).build();
        let connect = connect.user_data(Token::of_link(Kind::Connect, id).pack());
        let timeout = opcode::LinkTimeout::new(&raw const *self.connect_timeout).build();
        let timeout = timeout.user_data(Token::new(Kind::Aside, 0, 0).pack());
        // SAFETY: socket and address stay with the link, which stays until no order names it; the time is the port's.
        unsafe { self.ring.push_linked(connect, timeout) };
    }

    pub(super) fn connected(&mut self, token: Token, entry: &cqueue::Entry) {
        let Some(id) = self.links.named(token) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        link.open_orders -= 1;
        let Some(order) = link.connecting.take() else { return };
        if entry.result() == 0 {
            self.arrivals.push(Arrival::Connected(id, order, link.peer));
            self.to_receive.push(id);
        } else {
            self.links.remove(id);
            self.arrivals.push(Arrival::ConnectFailed(order));
        }
    }
}
