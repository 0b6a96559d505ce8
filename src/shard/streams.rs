//! The SIP connections of one core: framing, reuse and idleness (RFC 3261 18, RFC 5923).

use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;

use crate::engine::Moment;
use crate::engine::sip::timers::TIMER_F;
use crate::engine::transport::{ConnectId, LinkId, Transmit};
use crate::engine::wheel::{TimerId, Wheel};
use crate::limits;

use super::outbox::Outbox;
use super::sip_stream::{Next, SipStream};

type Links = HashMap<LinkId, Connection, foldhash::fast::FixedState>;

/// How long a sender may take for one message once it has begun.
const MESSAGE_TIME: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    stream: SipStream,
    /// When octets last went either way, and how long they may not.
    used: Moment,
    idle: Duration,
    /// Since when a message is incomplete.
    began: Option<Moment>,
    timer: TimerId,
    number: u64,
}

/// A connection that we open, and what waits for it.
#[derive(Debug)]
enum Outgoing {
    Connecting { order: ConnectId, queue: Vec<Vec<u8>> },
    Open(LinkId),
}

/// What a connection has for us.
#[derive(Debug)]
pub(super) enum Heard {
    /// A whole SIP message.
    Message(Bytes),
    /// Nothing more now.
    Nothing,
    /// It was closed for what it sent.
    Broken,
}

/// The connections.
#[derive(Debug)]
pub(super) struct Streams {
    links: Links,
    outgoing: HashMap<SocketAddr, Outgoing, foldhash::fast::FixedState>,
    timers: Wheel,
    by_number: HashMap<u64, LinkId, foldhash::fast::FixedState>,
    idle: Duration,
    next: u64,
}

impl Streams {
    pub(super) fn new(idle: Duration) -> Streams {
        Streams {
            links: Links::default(),
            outgoing: HashMap::default(),
            timers: Wheel::new(),
            by_number: HashMap::default(),
            idle,
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn peer(&self, link: LinkId) -> Option<SocketAddr> {
        self.links.get(&link).map(|connection| connection.peer)
    }

    /// A connection was accepted. One of a stranger is kept no longer than for one message, or strangers could take all
    /// places.
    pub(super) fn accepted(&mut self, now: Moment, link: LinkId, peer: SocketAddr, trusted: bool) {
        self.opened(now, link, peer, if trusted { self.idle } else { self.idle.min(MESSAGE_TIME) });
    }

    fn opened(&mut self, now: Moment, link: LinkId, peer: SocketAddr, idle: Duration) {
        self.next += 1;
        let timer = self.timers.arm(now + idle, self.next);
        self.by_number.insert(self.next, link);
        let connection =
            Connection { peer, stream: SipStream::default(), used: now, idle, began: None, timer, number: self.next };
        self.links.insert(link, connection);
    }

    /// An order was carried out; what waited is sent.
    pub(super) fn connected(
        &mut self,
        now: Moment,
        link: LinkId,
        order: ConnectId,
        peer: SocketAddr,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(Outgoing::Connecting { order: ours, queue }) = self.outgoing.get_mut(&peer) else { return false };
        if *ours != order {
            return false;
        }
        let waiting = core::mem::take(queue);
        outbox.transmits.extend(waiting.into_iter().map(|bytes| Transmit::Stream { link, bytes }));
        self.outgoing.insert(peer, Outgoing::Open(link));
        // A request of ours is waited for as long as its transaction lives.
        self.opened(now, link, peer, self.idle.max(TIMER_F));
        true
    }

    /// An order could not be carried out: the peer it was for.
    pub(super) fn connect_failed(&mut self, order: ConnectId) -> Option<SocketAddr> {
        let hit = |(_, outgoing): &(&SocketAddr, &Outgoing)| matches!(outgoing, Outgoing::Connecting { order: ours, .. } if *ours == order);
        let peer = self.outgoing.iter().find(hit).map(|(peer, _)| *peer)?;
        self.outgoing.remove(&peer);
        Some(peer)
    }

    /// A connection is gone: its peer, if we had opened it.
    pub(super) fn closed(&mut self, link: LinkId) -> Option<SocketAddr> {
        let connection = self.links.remove(&link)?;
        self.timers.cancel(connection.timer);
        self.by_number.remove(&connection.number);
        let ours = matches!(self.outgoing.get(&connection.peer), Some(Outgoing::Open(open)) if *open == link);
        if ours {
            self.outgoing.remove(&connection.peer);
        }
        ours.then_some(connection.peer)
    }

    /// Octets arrived; then call `next` until it says nothing.
    pub(super) fn push(&mut self, now: Moment, link: LinkId, bytes: Bytes) {
        if let Some(connection) = self.links.get_mut(&link) {
            connection.used = now;
            connection.stream.push(bytes);
        }
    }

    /// The next message of a connection. Pings are answered here.
    pub(super) fn next(&mut self, now: Moment, link: LinkId, outbox: &mut Outbox) -> Heard {
        let Some(connection) = self.links.get_mut(&link) else { return Heard::Nothing };
        let (next, pongs) = connection.stream.next_but_pings();
        if pongs > 0 {
            outbox.transmits.push_back(Transmit::Stream { link, bytes: b"\r\n".repeat(pongs) });
        }
        match next {
            Next::Message(bytes) => {
                connection.began = None;
                Heard::Message(bytes)
            }
            Next::Broken(_) => {
                outbox.transmits.push_back(Transmit::Close { link });
                Heard::Broken
            }
            Next::Wait | Next::Ping => {
                let unfinished = connection.stream.is_mid_message();
                connection.began = unfinished.then(|| connection.began.unwrap_or(now));
                self.watch(now, link);
                Heard::Nothing
            }
        }
    }

    fn watch(&mut self, now: Moment, link: LinkId) {
        let Some(connection) = self.links.get_mut(&link) else { return };
        if let Some(began) = connection.began.filter(|began| *began == now) {
            self.timers.cancel(connection.timer);
            connection.timer = self.timers.arm(began + MESSAGE_TIME, connection.number);
        }
    }

    /// Something is about to be sent on a connection; `false` if it is gone.
    pub(super) fn used(&mut self, now: Moment, link: LinkId) -> bool {
        self.links.get_mut(&link).map(|connection| connection.used = now).is_some()
    }

    /// Sends to `peer` over the connection we have to it, or one that is opened now. `false` if too much waits already.
    pub(super) fn send_to(
        &mut self,
        now: Moment,
        peer: SocketAddr,
        bytes: Vec<u8>,
        outbox: &mut Outbox,
        order: impl FnOnce() -> ConnectId,
    ) -> bool {
        match self.outgoing.get_mut(&peer) {
            Some(Outgoing::Open(link)) => {
                let link = *link;
                // A request that was just sent is waited for: the connection is not idle.
                self.used(now, link);
                outbox.transmits.push_back(Transmit::Stream { link, bytes });
            }
            Some(Outgoing::Connecting { queue, .. }) if queue.len() >= limits::SIP_CONNECT_QUEUE_MAX => return false,
            Some(Outgoing::Connecting { queue, .. }) => queue.push(bytes),
            None => {
                let order = order();
                outbox.transmits.push_back(Transmit::Connect { order, peer });
                self.outgoing.insert(peer, Outgoing::Connecting { order, queue: vec![bytes] });
            }
        }
        true
    }

    /// Closes what is idle or too slow; how many were.
    pub(super) fn handle_timeout(&mut self, now: Moment, outbox: &mut Outbox) -> u64 {
        let mut closed = 0;
        while let Some(number) = self.timers.poll(now) {
            let Some(&link) = self.by_number.get(&number) else { continue };
            let Some(connection) = self.links.get_mut(&link) else { continue };
            let until = match connection.began {
                Some(began) => began + MESSAGE_TIME,
                None => connection.used + connection.idle,
            };
            if until <= now {
                closed += 1;
                outbox.transmits.push_back(Transmit::Close { link });
            }
            connection.timer = self.timers.arm(until.max(now + Duration::from_secs(1)), number);
        }
        closed
    }

    /// When to call `handle_timeout` next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.timers.next_deadline()
    }
}
