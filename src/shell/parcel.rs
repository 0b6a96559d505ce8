//! What crosses from core to core.

use core::net::SocketAddr;

use super::buffers::Lease;
use crate::engine::transport::ListenerId;
use crate::observe::ArrivedAt;

/// Received octets for their owner, or what one world hands to another.
#[derive(Debug)]
pub(super) enum Parcel<H> {
    /// A datagram, still in the buffer it came in, and when it did.
    Datagram(ListenerId, SocketAddr, Lease, ArrivedAt),
    /// The world's own.
    Handoff(H),
}
