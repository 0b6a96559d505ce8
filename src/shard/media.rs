//! MSRP between the connections of this core and the sessions of any (RFC 4975): pieces of chunks go to the owner of their
//! session, its octets come back, and with them goes the room that the socket has for more.

use bytes::Bytes;

use crate::engine::Now;
use crate::engine::msrp::{OwnedPiece, Piece, refuse_unknown, session_id};
use crate::engine::transport::{ConnectId, LinkId, LinkRef, QueryId, Record, Transmit};
use crate::limits;

use super::Shard;
use super::handoff::{Handoff, SessionRef};
use super::msrp_links::{self, Heard};
use super::route::Route;

/// Pieces that follow one another on a connection, and whose they are.
type Run = (SessionRef, Vec<OwnedPiece>);

/// Pieces of a receive buffer that chunks of 2 KB fill.
const USUAL_PIECES: usize = limits::TCP_BUFFER_BYTES / 2_048;

impl Shard {
    /// Octets of an MSRP connection.
    pub(super) fn msrp_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        self.msrp_links.push(now.moment, link, bytes);
        let route = self.route.clone();
        let mut run = None;
        loop {
            match self.msrp_links.next(now.moment, link, &mut self.outbox, |piece| owner_of(&route, piece)) {
                Heard::Piece(whose, piece) => self.add_piece(&mut run, link, whose, piece),
                Heard::Stray(piece) => self.refuse_stray(link, &piece.lend()),
                Heard::Nothing => break,
                Heard::Broken => {
                    self.stats.msrp_malformed += 1;
                    break;
                }
            }
        }
        if let Some(run) = run {
            self.hand_run(link, run);
        }
    }

    /// Pieces for one session that follow one another go to its owner together, and are answered together.
    fn add_piece(&mut self, run: &mut Option<Run>, link: LinkId, whose: SessionRef, piece: OwnedPiece) {
        self.stats.msrp_chunks += u64::from(piece.is_first());
        if let Some(other) = run.take_if(|(before, _)| *before != whose) {
            self.hand_run(link, other);
        }
        let (_, pieces) = run.get_or_insert_with(|| (whose, Vec::with_capacity(USUAL_PIECES)));
        pieces.push(piece);
    }

    fn hand_run(&mut self, link: LinkId, (whose, pieces): Run) {
        let (link, arrival) = (LinkRef { shard: self.settings.id, link }, self.stopwatch.arrival());
        self.outbox.hand(whose.shard, Handoff::Msrp { link, session: whose.session, pieces, arrival });
    }

    /// RFC 4975 7.2: "If the request does not match an existing session, 481".
    fn refuse_stray(&mut self, link: LinkId, piece: &Piece<'_>) {
        let Some((octets, head)) = piece.head() else { return };
        self.stats.msrp_unmatched += 1;
        let mut bytes = self.pool.take();
        if refuse_unknown(head, octets, &mut bytes) {
            let nobody = SessionRef { shard: self.settings.id, session: 0 };
            self.msrp_links.send(link, nobody, bytes, &mut self.outbox);
        }
    }

    /// As owner: pieces of chunks for a session, or for one that is over.
    pub(super) fn take_pieces(&mut self, now: Now, link: LinkRef, session: u64, pieces: &[OwnedPiece]) {
        for piece in pieces {
            self.stopwatch.begin();
            self.take_piece(now, link, session, piece.lend());
        }
        self.pump_session(now, session);
    }

    fn take_piece(&mut self, now: Now, link: LinkRef, session: u64, piece: Piece<'_>) {
        if self.session_piece(now, link, session, piece) {
            return;
        }
        let Some((octets, head)) = piece.head() else { return };
        self.stats.msrp_unmatched += 1;
        let mut bytes = self.pool.take();
        if refuse_unknown(head, octets, &mut bytes) {
            self.outbox.hand(link.shard, Handoff::MsrpOut { link: link.link, session, bytes });
        }
    }

    /// As the core of a connection: a session's octets leave by it.
    pub(super) fn msrp_out(&mut self, link: LinkId, whose: SessionRef, bytes: Vec<u8>) {
        if !self.msrp_links.send(link, whose, bytes, &mut self.outbox) {
            self.session_lost_link(link, whose);
        }
    }

    /// As the core of a connection: a session uses it.
    pub(super) fn msrp_join(&mut self, link: LinkId, whose: SessionRef) {
        if !self.msrp_links.join(link, whose) {
            self.session_lost_link(link, whose);
        }
    }

    /// As the core of a connection: a session has done with it.
    pub(super) fn msrp_leave(&mut self, now: Now, link: LinkId, whose: SessionRef) {
        self.msrp_links.leave(now.moment, link, whose, &mut self.outbox);
    }

    fn session_lost_link(&mut self, link: LinkId, whose: SessionRef) {
        let link = LinkRef { shard: self.settings.id, link };
        self.outbox.hand(whose.shard, Handoff::MsrpGone { link, session: whose.session });
    }

    /// The kernel took `bytes` octets of a connection that is watched: its sessions may send as many more.
    pub fn on_written(&mut self, now: Now, link: LinkId, bytes: usize) {
        let outbox = &mut self.outbox;
        self.msrp_links.written(link, bytes, |whose, bytes| {
            outbox.hand(whose.shard, Handoff::MsrpRoom { session: whose.session, bytes });
        });
        self.settle(now);
    }

    /// A connection that sessions waited for is open.
    pub(super) fn msrp_connected(&mut self, now: Now, link: LinkId, order: ConnectId, peer: core::net::SocketAddr) {
        let Some(waiting) = self.msrp_links.connected(now.moment, link, order, peer, &mut self.outbox) else {
            return self.outbox.transmits.push_back(Transmit::Close { link });
        };
        let link = LinkRef { shard: self.settings.id, link };
        for whose in waiting {
            self.session_linked(now, whose.session, link);
        }
    }

    /// A connection that sessions waited for cannot be had.
    pub(super) fn msrp_connect_failed(&mut self, now: Now, order: ConnectId) {
        for whose in self.msrp_links.connect_failed(order) {
            self.session_not_linked(now, whose.session);
        }
    }

    /// A connection is gone.
    pub(super) fn msrp_closed(&mut self, link: LinkId) {
        for whose in self.msrp_links.closed(link) {
            self.session_lost_link(link, whose);
        }
    }

    /// The address of a host of media was found, or there is none.
    pub(super) fn media_resolved(&mut self, now: Now, query: QueryId, records: &[Record]) {
        let Some((session, port)) = self.resolving.remove(&query.0) else { return };
        let found = records.iter().find_map(|record| match record {
            Record::Address(address) => Some(*address),
            Record::Naptr { .. } | Record::Srv { .. } => None,
        });
        match found {
            Some(address) => self.dial(now, session, (address, port).into()),
            None => self.session_not_linked(now, session),
        }
    }

    /// A connection for a session of ours to `peer`: the one there is, or one that is opened.
    pub(super) fn dial(&mut self, now: Now, session: u64, peer: core::net::SocketAddr) {
        let whose = SessionRef { shard: self.settings.id, session };
        let next = &mut self.next_order;
        let open = self.msrp_links.dial(peer, whose, &mut self.outbox, || {
            *next += 1;
            ConnectId(msrp_links::CONNECT_BIT | *next)
        });
        if let Some(link) = open {
            self.session_linked(now, session, LinkRef { shard: self.settings.id, link });
        }
    }
}

/// The session that a chunk names in its To-Path, as far as can be told from its session-id.
fn owner_of(route: &Route, piece: &Piece<'_>) -> Option<SessionRef> {
    let (octets, head) = piece.head()?;
    let uri = head.to_path(octets).last();
    let shard = session_id::shard_of(uri).filter(|shard| shard.0 < route.shards())?;
    Some(SessionRef { shard, session: session_key(route, uri)? })
}

/// Keys of sessions leave room for what an alarm is for.
const SESSION_KEY: u64 = (1 << 56) - 1;

/// The key of a session: the hash of the session-id in our URI.
pub(super) fn session_key(route: &Route, uri: &[u8]) -> Option<u64> {
    Some(route.hash(&[b"session-id", session_id::session_id(uri)?]) & SESSION_KEY)
}
