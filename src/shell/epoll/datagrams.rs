//! Datagrams in and out.

use core::net::SocketAddr;

use rustix::event::epoll::EventFlags;

use super::EpollPort;
use crate::engine::transport::ListenerId;
use crate::engine::transport::Transport;
use crate::limits;
use crate::shell::mmsg::{self, BATCH};
use crate::shell::port::Arrival;

impl EpollPort {
    pub(super) fn datagrams_ready(&mut self, index: usize, flags: EventFlags) {
        if flags.contains(EventFlags::OUT) {
            self.listeners[index].blocked = false;
            self.watch_listener(index, EventFlags::IN);
        }
        while flags.contains(EventFlags::IN) && self.datagrams < limits::TURN_DATAGRAMS_MAX {
            let received = self.receive_batch(index);
            self.datagrams += received;
            if received < BATCH {
                return;
            }
        }
    }

    /// How many were taken off the socket.
    fn receive_batch(&mut self, index: usize) -> usize {
        let EpollPort { batch, listeners, udp, arrivals, .. } = self;
        let listener = ListenerId(u16::try_from(index).unwrap_or(u16::MAX));
        let received = batch.receive(&listeners[index].socket, udp, |peer, slot| {
            arrivals.push(Arrival::Datagram(listener, peer, slot));
        });
        self.stats.datagrams_in += (received.datagrams - received.unusable) as u64;
        self.stats.dropped_truncated += received.unusable as u64;
        received.datagrams
    }

    pub(super) fn enqueue_datagram(&mut self, index: usize, peer: SocketAddr, bytes: Vec<u8>) {
        let listener = self.listeners.get_mut(index).filter(|listener| listener.transport == Transport::Udp);
        mmsg::enqueue(listener.map(|listener| &mut listener.out), peer, bytes, &mut self.stats, &mut self.spent);
    }

    pub(super) fn send_datagrams(&mut self) {
        for index in 0..self.listeners.len() {
            let listener = &mut self.listeners[index];
            if !listener.blocked
                && !self.batch.send_all(&listener.socket, &mut listener.out, &mut self.stats, &mut self.spent)
            {
                listener.blocked = true;
                self.watch_listener(index, EventFlags::IN | EventFlags::OUT);
            }
        }
    }
}
