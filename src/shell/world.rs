//! What one core does with what arrives.

use core::net::SocketAddr;

use bytes::Bytes;

use crate::engine::transport::{ConnectId, LinkId, ListenerId, QueryId, Record, RecordId, ShardId, Transmit};
use crate::engine::{Moment, Now};
use crate::observe::{ArrivedAt, Overrun, Snapshot};

/// The logic of one core: made on its thread, never leaves it. Told what happened by `on_*`; then every `poll_*` is
/// drained, the deadline last.
pub trait World {
    /// What worlds hand to each other.
    type Handoff: Send + 'static;
    /// What is logged.
    type Event;

    /// What earlier runs left on disk; before anything else is told.
    fn restore(&mut self, _now: Now, _kept: &[(RecordId, Vec<u8>)]) {}
    /// So many orders to write records and to forget them are carried out.
    fn on_recorded(&mut self, _now: Now, _orders: u64) {}
    /// The disk has ceased, or begun again, to take records.
    fn on_storage(&mut self, _failing: bool) {}
    /// Which core must get this datagram.
    fn owner_of(&self, datagram: &[u8]) -> ShardId;
    /// A datagram that this core owns.
    fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]);
    /// A connection was accepted.
    fn on_accepted(&mut self, now: Now, link: LinkId, listener: ListenerId, peer: SocketAddr);
    /// An ordered connection is open.
    fn on_connected(&mut self, now: Now, link: LinkId, order: ConnectId, peer: SocketAddr);
    /// An ordered connection could not be opened.
    fn on_connect_failed(&mut self, now: Now, order: ConnectId);
    /// Octets of a connection.
    fn on_stream(&mut self, now: Now, link: LinkId, bytes: Bytes);
    /// The kernel took `bytes` octets of a watched connection: once a turn, before anything that arrived in it.
    fn on_written(&mut self, now: Now, link: LinkId, bytes: usize);
    /// A connection is gone; told once for each, also for one that this world closed.
    fn on_closed(&mut self, now: Now, link: LinkId);
    /// What the DNS answered; nothing if it did not.
    fn on_resolved(&mut self, now: Now, query: QueryId, answers: Vec<Record>);
    /// Something from another core.
    fn on_handoff(&mut self, now: Now, from: ShardId, handoff: Self::Handoff);
    /// The deadline has come, or the core has just started.
    fn on_tick(&mut self, now: Now);
    /// What to send next.
    fn poll_transmit(&mut self) -> Option<Transmit>;
    /// What to hand over next, and to whom.
    fn poll_handoff(&mut self) -> Option<(ShardId, Self::Handoff)>;
    /// What to log next.
    fn poll_event(&mut self) -> Option<Self::Event>;
    /// When to call `on_tick`.
    fn poll_timeout(&mut self) -> Option<Moment>;
    /// Gives a sent buffer back.
    fn recycle(&mut self, bytes: Vec<u8>);
    /// Finish what was accepted, take nothing new.
    fn drain(&mut self, now: Now);
    /// Whether that has happened.
    fn is_drained(&self) -> bool;
    /// Whether traffic would find its way.
    fn is_ready(&self) -> bool;
    /// From now on time stages by this clock, in nanoseconds and the same on all cores; then, and only then, the following
    /// two are called.
    fn profile(&mut self, _ticks_ns: fn() -> u64) {}
    /// When what is told next arrived.
    fn arrived(&mut self, _arrival: ArrivedAt) {}
    /// All that was ordered in this turn has been handed to the kernel.
    fn flushed(&mut self) {}
    /// A turn took too long: something for the log.
    fn overran(&mut self, _overrun: Overrun) {}
    /// Fills in all that the shell does not know.
    fn show(&self, snapshot: &mut Snapshot);
}
