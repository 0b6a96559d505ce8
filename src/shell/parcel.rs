//! What crosses from core to core.

use core::net::SocketAddr;

use super::buffers::Lease;
use crate::engine::transport::ListenerId;

/// Received octets for their owner, or what one world hands to another.
#[derive(Debug)]
pub(super) enum Parcel<H> {
    /// A datagram, still in the buffer it came in.
    Datagram(ListenerId, SocketAddr, Lease),
    /// The world's own.
    Handoff(H),
}
