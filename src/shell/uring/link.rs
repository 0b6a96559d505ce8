//! One connection on the ring.

use core::net::SocketAddr;

use socket2::{SockAddr, Socket};

use super::message::Message;
use crate::engine::transport::ConnectId;
use crate::shell::credit::Credit;
use crate::shell::send_queue::SendQueue;
use crate::shell::slow_readers::Slowness;

/// A connection.
pub(super) struct Link {
    pub(super) socket: Socket,
    pub(super) peer: SocketAddr,
    /// The same for the kernel, which reads it while it connects.
    pub(super) address: Box<SockAddr>,
    /// While it is being opened: the order.
    pub(super) connecting: Option<ConnectId>,
    pub(super) receive: Receive,
    pub(super) queue: SendQueue,
    pub(super) slowness: Slowness,
    pub(super) credit: Credit,
    /// The send that is under way.
    pub(super) message: Option<Box<Message>>,
    /// Orders under way that name this link.
    pub(super) open_orders: u32,
    pub(super) end: End,
    /// Whether the world was told, or never knew of it.
    pub(super) told_closed: bool,
    /// The last turn in which octets came, and how many.
    pub(super) turn: u64,
    pub(super) turn_bytes: usize,
}

/// Whether the kernel receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receive {
    /// Not now.
    Off,
    /// It does.
    Armed,
    /// It does until the order to stop reaches it.
    Pausing,
}

/// How far the end of a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is open.
    Open,
    /// What waits is sent, then it ends.
    Closing,
    /// Both directions are shut; once no order is under way it is gone.
    Shut,
}

impl Link {
    pub(super) fn new(socket: Socket, peer: SocketAddr, connecting: Option<ConnectId>) -> Link {
        Link {
            socket,
            peer,
            address: Box::new(peer.into()),
            connecting,
            receive: Receive::Off,
            queue: SendQueue::default(),
            slowness: Slowness::new(connecting.is_none()),
            credit: Credit::default(),
            message: None,
            open_orders: 0,
            end: End::Open,
            told_closed: false,
            turn: 0,
            turn_bytes: 0,
        }
    }

    /// Octets received in `turn` so far, `bytes` more included.
    pub(super) fn count(&mut self, turn: u64, bytes: usize) -> usize {
        let before = if self.turn == turn { self.turn_bytes } else { 0 };
        (self.turn, self.turn_bytes) = (turn, before + bytes);
        self.turn_bytes
    }
}
