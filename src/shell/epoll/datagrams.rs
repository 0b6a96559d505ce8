//! Datagrams in and out.

use core::net::SocketAddr;
use std::io;

use rustix::event::epoll::EventFlags;

use super::EpollPort;
use crate::engine::transport::ListenerId;
use crate::engine::transport::Transport;
use crate::limits;
use crate::shell::mmsg::BATCH;
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
        let udp = |listener: &&mut super::Listener| listener.transport == Transport::Udp;
        match self.listeners.get_mut(index).filter(udp) {
            Some(listener) if listener.out.len() < limits::DATAGRAMS_SENDING_MAX => {
                listener.out.push_back((peer, bytes))
            }
            _ => {
                self.stats.dropped_send_failed += 1;
                self.spent.push(bytes);
            }
        }
    }

    pub(super) fn send_datagrams(&mut self) {
        for index in 0..self.listeners.len() {
            while !self.listeners[index].blocked && !self.listeners[index].out.is_empty() {
                self.send_batch(index);
            }
        }
    }

    fn send_batch(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        match self.batch.send(&listener.socket, &listener.out) {
            Ok(sent) => {
                self.stats.datagrams_out += sent as u64;
                self.spent.extend(listener.out.drain(..sent).map(|(_, bytes)| bytes));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                listener.blocked = true;
                self.watch_listener(index, EventFlags::IN | EventFlags::OUT);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => {
                // The error is about the first; those after it may have better luck.
                self.stats.dropped_send_failed += 1;
                self.spent.extend(listener.out.pop_front().map(|(_, bytes)| bytes));
            }
        }
    }
}
