//! The load on a core of the shell.

use core::net::SocketAddr;

use bytes::Bytes;

use crate::engine::transport::{ConnectId, LinkId, ListenerId, QueryId, Record, ShardId, Transmit};
use crate::engine::{Moment, Now};
use crate::load::{Event, Generator};
use crate::observe::Snapshot;
use crate::shell::World;

/// Nothing is handed from core to core: there is one.
#[derive(Debug)]
pub enum Handoff {}

impl World for Generator {
    type Handoff = Handoff;
    type Event = Event;

    fn owner_of(&self, _datagram: &[u8]) -> ShardId {
        ShardId(0)
    }
    fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]) {
        Generator::on_datagram(self, now, listener, peer, bytes);
    }
    fn on_accepted(&mut self, _now: Now, link: LinkId, listener: ListenerId, _peer: SocketAddr) {
        Generator::on_accepted(self, link, listener);
    }
    fn on_connected(&mut self, _now: Now, link: LinkId, order: ConnectId, _peer: SocketAddr) {
        Generator::on_connected(self, link, order);
    }
    fn on_connect_failed(&mut self, now: Now, order: ConnectId) {
        Generator::on_connect_failed(self, now, order);
    }
    fn on_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        Generator::on_stream(self, now, link, &bytes);
    }
    fn on_written(&mut self, _now: Now, link: LinkId, bytes: usize) {
        Generator::on_written(self, link, bytes);
    }
    fn on_closed(&mut self, now: Now, link: LinkId) {
        Generator::on_closed(self, now, link);
    }
    fn on_resolved(&mut self, _now: Now, _query: QueryId, _answers: Vec<Record>) {}
    fn on_handoff(&mut self, _now: Now, _from: ShardId, handoff: Handoff) {
        match handoff {}
    }
    fn on_tick(&mut self, now: Now) {
        Generator::on_tick(self, now);
    }
    fn poll_transmit(&mut self) -> Option<Transmit> {
        Generator::poll_transmit(self)
    }
    fn poll_handoff(&mut self) -> Option<(ShardId, Handoff)> {
        None
    }
    fn poll_event(&mut self) -> Option<Event> {
        Generator::poll_event(self)
    }
    fn poll_timeout(&mut self) -> Option<Moment> {
        Generator::poll_timeout(self)
    }
    fn recycle(&mut self, bytes: Vec<u8>) {
        Generator::recycle(self, bytes);
    }
    fn drain(&mut self, now: Now) {
        Generator::drain(self, now);
    }
    fn is_drained(&self) -> bool {
        self.is_over()
    }
    fn is_ready(&self) -> bool {
        self.has_begun()
    }
    fn show(&self, _snapshot: &mut Snapshot) {}
}
