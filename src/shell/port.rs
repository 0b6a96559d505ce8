//! The sockets of one core, whichever way the kernel serves them.

use core::net::SocketAddr;
use std::io;
use std::os::fd::OwnedFd;

use bytes::Bytes;

use super::buffers::{Lease, Slot};
use crate::engine::Moment;
use crate::engine::transport::{ConnectId, LinkId, ListenerId};
use crate::observe::ShellStats;

/// What arrived.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A datagram. The slot goes back by `release` or `lease`.
    Datagram(ListenerId, SocketAddr, Slot),
    /// A connection was accepted.
    Accepted(LinkId, ListenerId, SocketAddr),
    /// An ordered connection is open.
    Connected(LinkId, ConnectId, SocketAddr),
    /// An ordered connection could not be opened.
    ConnectFailed(ConnectId),
    /// Octets of a connection.
    Stream(LinkId, Bytes),
    /// A connection is gone. Told once for each that was accepted or connected.
    Closed(LinkId),
}

/// A back end. Orders take effect at the next `flush`; the buffers they brought come back by `spent`.
pub(super) trait Port {
    /// Something that becomes readable when `collect` would find something.
    fn readable(&self) -> io::Result<OwnedFd>;

    /// Appends about `limit` arrivals at most. True if more may wait.
    fn collect(&mut self, now: Moment, limit: usize, arrivals: &mut Vec<Arrival>) -> bool;

    /// The octets of a datagram.
    fn bytes(&self, slot: &Slot) -> &[u8];

    /// They were read.
    fn release(&mut self, slot: Slot);

    /// They are needed for longer, or elsewhere.
    fn lease(&mut self, slot: Slot) -> Lease;

    /// Sends a datagram, or drops and counts it.
    fn datagram(&mut self, listener: ListenerId, peer: SocketAddr, bytes: Vec<u8>);

    /// Appends to what is sent on a connection, if it is there.
    fn stream(&mut self, link: LinkId, bytes: Vec<u8>);

    /// Opens a connection; ends as `Connected` or `ConnectFailed`.
    fn connect(&mut self, now: Moment, order: ConnectId, peer: SocketAddr);

    /// Counts from now on what is sent on a connection, for `written`.
    fn watch(&mut self, link: LinkId);

    /// A watched connection, and how many octets of it the kernel took since the last time; one that is gone is left out.
    fn written(&mut self) -> Option<(LinkId, usize)>;

    /// Closes a connection once all is sent.
    fn close(&mut self, now: Moment, link: LinkId);

    /// Carries out the orders.
    fn flush(&mut self);

    /// A buffer whose octets were sent, or never will be.
    fn spent(&mut self) -> Option<Vec<u8>>;

    /// When `collect` must be called even if nothing is readable.
    fn deadline(&self) -> Option<Moment>;

    /// Whether to wait for `readable`; if not, `collect` has something to do.
    fn may_sleep(&mut self) -> bool;

    /// Whether something ordered has not left.
    fn is_sending(&self) -> bool;

    /// What was counted, gauges brought up to date.
    fn stats(&mut self) -> &mut ShellStats;
}
