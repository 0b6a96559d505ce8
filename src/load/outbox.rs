//! What is to be sent: datagrams one by one, streams in one buffer for each connection and turn.

use std::collections::VecDeque;

use core::net::SocketAddr;

use super::links::Links;
use crate::engine::pool::Pool;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, Transmit};
use crate::limits;

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Transmit>,
    streams: Vec<(LinkId, Vec<u8>)>,
    closes: Vec<LinkId>,
    /// Octets that the kernel has not taken yet, of connections that are watched.
    unwritten: Links<usize>,
    pool: Pool,
}

impl Outbox {
    pub(super) fn new() -> Outbox {
        let pool = Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BATCH_BYTES_MAX);
        Outbox { queue: VecDeque::new(), streams: Vec::new(), closes: Vec::new(), unwritten: Links::new(), pool }
    }

    /// An empty buffer.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.pool.take()
    }

    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        self.pool.give(bytes);
    }

    pub(super) fn datagram(&mut self, listener: ListenerId, peer: SocketAddr, bytes: Vec<u8>) {
        self.queue.push_back(Transmit::Datagram { listener, peer, bytes });
    }

    /// What is sent on a connection in this turn, to append to.
    pub(super) fn stream(&mut self, link: LinkId) -> &mut Vec<u8> {
        let at = match self.streams.iter().rposition(|(known, _)| *known == link) {
            Some(at) => at,
            None => {
                let buffer = self.pool.take();
                self.streams.push((link, buffer));
                self.streams.len() - 1
            }
        };
        &mut self.streams[at].1
    }

    /// Counts from now on what waits to leave by a connection.
    pub(super) fn watch(&mut self, link: LinkId) {
        self.unwritten.insert(link, 0);
        self.queue.push_back(Transmit::Watch { link });
    }

    /// The kernel took so many octets.
    pub(super) fn written(&mut self, link: LinkId, bytes: usize) {
        if let Some(unwritten) = self.unwritten.get_mut(link) {
            *unwritten = unwritten.saturating_sub(bytes);
        }
    }

    /// Whether a connection may be given more; one that is not watched, always.
    pub(super) fn has_room(&self, link: LinkId) -> bool {
        let in_turn = self.streams.iter().find(|(known, _)| *known == link).map_or(0, |(_, bytes)| bytes.len());
        self.unwritten.get(link).is_none_or(|unwritten| unwritten + in_turn < limits::LOAD_UNWRITTEN_BYTES_MAX)
    }

    pub(super) fn connect(&mut self, order: ConnectId, peer: SocketAddr) {
        self.queue.push_back(Transmit::Connect { order, peer });
    }

    /// After what was appended before.
    pub(super) fn close(&mut self, link: LinkId) {
        self.closes.push(link);
    }

    pub(super) fn poll(&mut self) -> Option<Transmit> {
        let queued = self.queue.pop_front().or_else(|| self.poll_stream());
        queued.or_else(|| self.closes.pop().map(|link| Transmit::Close { link }))
    }

    fn poll_stream(&mut self) -> Option<Transmit> {
        let (link, bytes) = self.streams.pop()?;
        if let Some(unwritten) = self.unwritten.get_mut(link) {
            *unwritten += bytes.len();
        }
        Some(Transmit::Stream { link, bytes })
    }
}
