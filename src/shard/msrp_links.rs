//! The MSRP connections of one core: framed here, while each session lives with its dialog's owner (RFC 4975 5.4).
//!
//! A chunk goes to its session's owner piece by piece, as the octets arrive; what sessions send comes back by value. A
//! session has no more octets under way than it was given room for, so connections need no queue of their own.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use hashbrown::HashMap;

use crate::engine::Moment;
use crate::engine::msrp::{Framed, Framer, OwnedPiece, Piece};
use crate::engine::transport::{ConnectId, LinkId, Transmit};
use crate::engine::wheel::{TimerId, Wheel};
use crate::wire::msrp::Likeness;

use super::handoff::SessionRef;
use super::outbox::Outbox;

/// Orders to connect that are for media have this bit.
pub(super) const CONNECT_BIT: u64 = 1 << 62;

type Links = HashMap<LinkId, Box<Connection>, foldhash::fast::FixedState>;

#[derive(Debug)]
struct Connection {
    framer: Framer,
    course: Course,
    /// The sessions that use it.
    users: Vec<SessionRef>,
    /// What they have sent and the kernel has not taken yet.
    unsent: VecDeque<(SessionRef, usize)>,
    /// The address it was opened to, if we opened it.
    dialled: Option<SocketAddr>,
    used: Moment,
    timer: TimerId,
    number: u64,
}

/// Whose the chunks are.
#[derive(Debug, Default)]
struct Course {
    /// Where the pieces of the current chunk go; of one that belongs to nobody, nowhere.
    current: Option<SessionRef>,
    /// Where those go whose heads are alike.
    alike: Option<(Likeness, SessionRef)>,
}

/// A connection that we open, and the sessions that wait for it.
#[derive(Debug)]
enum Outgoing {
    Connecting { order: ConnectId, waiting: Vec<SessionRef> },
    Open(LinkId),
}

/// What a connection has for us.
#[derive(Debug)]
pub(super) enum Heard {
    /// A piece of a chunk for a session.
    Piece(SessionRef, OwnedPiece),
    /// The first piece of a chunk for no session of ours.
    Stray(OwnedPiece),
    /// Nothing more now.
    Nothing,
    /// It was closed for what it sent.
    Broken,
}

/// The connections.
#[derive(Debug)]
pub(super) struct MsrpLinks {
    links: Links,
    outgoing: HashMap<SocketAddr, Outgoing, foldhash::fast::FixedState>,
    timers: Wheel,
    by_number: HashMap<u64, LinkId, foldhash::fast::FixedState>,
    /// A connection that no session uses is closed after this long.
    unbound: Duration,
    next: u64,
}

impl MsrpLinks {
    pub(super) fn new(unbound: Duration) -> MsrpLinks {
        MsrpLinks {
            links: Links::default(),
            outgoing: HashMap::default(),
            timers: Wheel::new(),
            by_number: HashMap::default(),
            unbound,
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn has(&self, link: LinkId) -> bool {
        self.links.contains_key(&link)
    }

    /// A connection was accepted: until a session claims it, it may stay for a moment only.
    pub(super) fn accepted(&mut self, now: Moment, link: LinkId, outbox: &mut Outbox) {
        outbox.transmits.push_back(Transmit::Watch { link });
        self.opened(now, link, None, Vec::new());
    }

    fn opened(&mut self, now: Moment, link: LinkId, dialled: Option<SocketAddr>, users: Vec<SessionRef>) {
        self.next += 1;
        let timer = self.timers.arm(now + self.unbound, self.next);
        self.by_number.insert(self.next, link);
        let (framer, unsent) = (Framer::new(), VecDeque::new());
        let number = self.next;
        let connection =
            Connection { framer, course: Course::default(), users, unsent, dialled, used: now, timer, number };
        self.links.insert(link, Box::new(connection));
    }

    /// A session wants a connection to `peer`: the one there is, or one that is opened now.
    pub(super) fn dial(
        &mut self,
        peer: SocketAddr,
        user: SessionRef,
        outbox: &mut Outbox,
        order: impl FnOnce() -> ConnectId,
    ) -> Option<LinkId> {
        match self.outgoing.get_mut(&peer) {
            Some(Outgoing::Open(link)) => {
                let link = *link;
                self.join(link, user);
                Some(link)
            }
            Some(Outgoing::Connecting { waiting, .. }) => {
                waiting.push(user);
                None
            }
            None => {
                let order = order();
                outbox.transmits.push_back(Transmit::Connect { order, peer });
                self.outgoing.insert(peer, Outgoing::Connecting { order, waiting: vec![user] });
                None
            }
        }
    }

    /// An order was carried out: the sessions that waited for it. `None` if nobody does.
    pub(super) fn connected(
        &mut self,
        now: Moment,
        link: LinkId,
        order: ConnectId,
        peer: SocketAddr,
        outbox: &mut Outbox,
    ) -> Option<Vec<SessionRef>> {
        let waiting = self.take_waiting(order, peer)?;
        outbox.transmits.push_back(Transmit::Watch { link });
        self.outgoing.insert(peer, Outgoing::Open(link));
        self.opened(now, link, Some(peer), waiting.clone());
        Some(waiting)
    }

    fn take_waiting(&mut self, order: ConnectId, peer: SocketAddr) -> Option<Vec<SessionRef>> {
        match self.outgoing.get_mut(&peer)? {
            Outgoing::Connecting { order: ours, waiting } if *ours == order => Some(core::mem::take(waiting)),
            _ => None,
        }
    }

    /// An order could not be carried out: the sessions that waited for it.
    pub(super) fn connect_failed(&mut self, order: ConnectId) -> Vec<SessionRef> {
        let hit = |(_, outgoing): &(&SocketAddr, &Outgoing)| matches!(outgoing, Outgoing::Connecting { order: ours, .. } if *ours == order);
        let Some(peer) = self.outgoing.iter().find(hit).map(|(peer, _)| *peer) else { return Vec::new() };
        match self.outgoing.remove(&peer) {
            Some(Outgoing::Connecting { waiting, .. }) => waiting,
            _ => Vec::new(),
        }
    }

    /// A session uses a connection. `false` if it is gone.
    pub(super) fn join(&mut self, link: LinkId, user: SessionRef) -> bool {
        let Some(connection) = self.links.get_mut(&link) else { return false };
        if !connection.users.contains(&user) {
            connection.users.push(user);
        }
        true
    }

    /// A session no longer uses a connection: one that nobody uses is closed, at once if it was ours.
    pub(super) fn leave(&mut self, now: Moment, link: LinkId, user: SessionRef, outbox: &mut Outbox) {
        let Some(connection) = self.links.get_mut(&link) else { return };
        connection.users.retain(|other| *other != user);
        connection.course.current = connection.course.current.filter(|other| *other != user);
        connection.used = now;
        if !connection.users.is_empty() {
            return;
        }
        self.timers.cancel(connection.timer);
        connection.timer = self.timers.arm(now + self.unbound, connection.number);
        if let Some(peer) = connection.dialled {
            outbox.transmits.push_back(Transmit::Close { link });
            self.forget_outgoing(Some(peer), link);
        }
    }

    /// What is being closed is not for the next session.
    fn forget_outgoing(&mut self, dialled: Option<SocketAddr>, link: LinkId) {
        if let Some(peer) = dialled
            && matches!(self.outgoing.get(&peer), Some(Outgoing::Open(open)) if *open == link)
        {
            self.outgoing.remove(&peer);
        }
    }

    /// Octets arrived; then call `next` until it says nothing.
    pub(super) fn push(&mut self, now: Moment, link: LinkId, bytes: Bytes) {
        if let Some(connection) = self.links.get_mut(&link) {
            connection.used = now;
            connection.framer.push(now, bytes);
        }
    }

    /// The next piece. `owner_of` reads the session out of a chunk's To-Path.
    pub(super) fn next(
        &mut self,
        now: Moment,
        link: LinkId,
        outbox: &mut Outbox,
        owner_of: impl FnOnce(&Piece<'_>) -> Option<SessionRef>,
    ) -> Heard {
        let Some(connection) = self.links.get_mut(&link) else { return Heard::Nothing };
        match connection.framer.next_piece() {
            Framed::Piece(piece) => connection.course.address(piece, owner_of),
            Framed::Nothing => {
                self.watch_head(now, link);
                Heard::Nothing
            }
            Framed::Broken(_) => {
                let dialled = connection.dialled;
                outbox.transmits.push_back(Transmit::Close { link });
                self.forget_outgoing(dialled, link);
                Heard::Broken
            }
        }
    }

    /// A header section that has begun must end soon.
    fn watch_head(&mut self, now: Moment, link: LinkId) {
        let Some(connection) = self.links.get_mut(&link) else { return };
        if let Some(until) = connection.framer.deadline().filter(|_| connection.used == now) {
            self.timers.cancel(connection.timer);
            connection.timer = self.timers.arm(until, connection.number);
        }
    }

    /// Octets of a session leave.
    pub(super) fn send(&mut self, link: LinkId, user: SessionRef, bytes: Vec<u8>, outbox: &mut Outbox) -> bool {
        let Some(connection) = self.links.get_mut(&link) else { return false };
        connection.unsent.push_back((user, bytes.len()));
        outbox.transmits.push_back(Transmit::Stream { link, bytes });
        true
    }

    /// The kernel took `bytes` octets: whose they were, one after the other.
    pub(super) fn written(&mut self, link: LinkId, mut bytes: usize, mut room: impl FnMut(SessionRef, usize)) {
        let Some(connection) = self.links.get_mut(&link) else { return };
        while let Some((user, len)) = connection.unsent.front_mut().filter(|_| bytes > 0) {
            let taken = bytes.min(*len);
            room(*user, taken);
            *len -= taken;
            bytes -= taken;
            if *len == 0 {
                connection.unsent.pop_front();
            }
        }
    }

    /// A connection is gone: the sessions that used it.
    pub(super) fn closed(&mut self, link: LinkId) -> Vec<SessionRef> {
        let Some(connection) = self.links.remove(&link) else { return Vec::new() };
        self.timers.cancel(connection.timer);
        self.by_number.remove(&connection.number);
        self.forget_outgoing(connection.dialled, link);
        connection.users
    }

    /// Closes what nobody uses, and who is too slow; how many were.
    pub(super) fn handle_timeout(&mut self, now: Moment, outbox: &mut Outbox) -> u64 {
        let mut closed = 0;
        while let Some(number) = self.timers.poll(now) {
            let Some(&link) = self.by_number.get(&number) else { continue };
            let Some(connection) = self.links.get_mut(&link) else { continue };
            let slow = connection.framer.deadline().is_some_and(|until| until <= now);
            let unused = connection.users.is_empty() && connection.used + self.unbound <= now;
            if slow || unused {
                closed += 1;
                outbox.transmits.push_back(Transmit::Close { link });
            }
            connection.timer = self.timers.arm(now + self.unbound, number);
            let dialled = connection.dialled.filter(|_| slow || unused);
            self.forget_outgoing(dialled, link);
        }
        closed
    }

    /// When to call `handle_timeout` next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.timers.next_deadline()
    }
}

impl Course {
    fn address(&mut self, piece: Piece<'_>, owner_of: impl FnOnce(&Piece<'_>) -> Option<SessionRef>) -> Heard {
        if piece.head().is_some() {
            self.current = self.owner(&piece, owner_of);
        }
        let user = if piece.end().is_some() { self.current.take() } else { self.current };
        let piece = piece.to_owned();
        match user {
            Some(user) => Heard::Piece(user, piece),
            // What follows the head of a stray chunk is passed over.
            None => Heard::Stray(piece),
        }
    }

    /// Heads that are alike have the same To-Path.
    fn owner(
        &mut self,
        piece: &Piece<'_>,
        owner_of: impl FnOnce(&Piece<'_>) -> Option<SessionRef>,
    ) -> Option<SessionRef> {
        if let Some((likeness, owner)) = self.alike
            && piece.likeness() == Some(likeness)
        {
            return Some(owner);
        }
        let owner = owner_of(piece);
        self.alike = piece.likeness().zip(owner).or(self.alike);
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::transport::ShardId;

    const PEER: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 2855);

    fn user(session: u64) -> SessionRef {
        SessionRef { shard: ShardId(0), session }
    }

    /// RFC 4975 5.4: a connection is shared while it is used; what is being closed is not for the next session.
    #[test]
    fn a_session_does_not_join_a_connection_that_is_being_closed() {
        let (mut links, mut outbox) = (MsrpLinks::new(Duration::from_secs(10)), Outbox::new(ShardId(0), 1));
        let (now, link) = (Moment(0), LinkId { index: 1, generation: 1 });
        assert_eq!(links.dial(PEER, user(1), &mut outbox, || ConnectId(1)), None);
        assert_eq!(links.connected(now, link, ConnectId(1), PEER, &mut outbox), Some(vec![user(1)]));
        assert_eq!(links.dial(PEER, user(2), &mut outbox, || ConnectId(2)), Some(link));
        links.leave(now, link, user(1), &mut outbox);
        assert_eq!(links.dial(PEER, user(3), &mut outbox, || ConnectId(3)), Some(link), "another uses it");
        links.leave(now, link, user(2), &mut outbox);
        links.leave(now, link, user(3), &mut outbox);
        assert_eq!(links.dial(PEER, user(4), &mut outbox, || ConnectId(4)), None, "it is being closed");
        assert!(links.closed(link).is_empty());
        assert_eq!(links.dial(PEER, user(5), &mut outbox, || ConnectId(5)), None, "it is being opened");
    }
}
