//! One connection watched by epoll.

use core::net::SocketAddr;

use socket2::Socket;

use crate::engine::transport::ConnectId;
use crate::shell::credit::Credit;
use crate::shell::send_queue::SendQueue;
use crate::shell::slow_readers::Slowness;

/// A connection.
pub(super) struct Link {
    pub(super) socket: Socket,
    pub(super) peer: SocketAddr,
    /// While it is being opened: the order.
    pub(super) connecting: Option<ConnectId>,
    pub(super) queue: SendQueue,
    pub(super) slowness: Slowness,
    pub(super) credit: Credit,
    /// Whether its send buffer was full.
    pub(super) blocked: bool,
    /// What waits is sent, then it is gone.
    pub(super) closing: bool,
    /// Whether the world was told.
    pub(super) told_closed: bool,
}

impl Link {
    pub(super) fn new(socket: Socket, peer: SocketAddr, connecting: Option<ConnectId>) -> Link {
        let (queue, credit) = (SendQueue::default(), Credit::default());
        Link {
            socket,
            peer,
            connecting,
            queue,
            slowness: Slowness::new(connecting.is_none()),
            credit,
            blocked: false,
            closing: false,
            told_closed: false,
        }
    }
}
