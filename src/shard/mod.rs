//! One core's world: everything a core owns, single-threaded, and still without I/O.
//!
//! The shell tells a [`Shard`] what arrived (`on_*`) and drains what came of it (`poll_*`). Shards know of each other only
//! by what they hand over.

mod binds;
mod calls;
mod chat;
mod deliver;
pub mod event;
mod handle;
pub mod handoff;
mod invitations;
mod large_delivery;
mod media;
pub mod mms;
mod msrp_links;
mod negotiation;
mod outbox;
mod pager;
mod records;
mod redelivery;
mod report_index;
pub mod route;
mod session_messages;
mod sessions;
pub mod settings;
mod sip_stream;
mod smsc_choice;
mod stages;
mod status_reports;
mod streams;
mod submit;
mod uac;
mod uas;

use core::net::SocketAddr;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};

use crate::engine::arena::Arena;
use crate::engine::joining::Joining;
use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::msrp;
use crate::engine::pool::Pool;
use crate::engine::sip::calls::Calls;
use crate::engine::sip::{ClientNonInvite, NextHop, SentBy, ServerNonInvite, Target};
use crate::engine::transport::{
    ConnectId, LinkId, ListenerId, QueryId, Record, Road, ShardId, Source, Transmit, Transport,
};
use crate::engine::wheel::Wheel;
use crate::engine::{Moment, Now, Random};
use crate::iwf::Iwf;
use crate::iwf::number_pool::NumberPool;
use crate::limits;
use crate::observe::{Latencies, LinkStats, Overrun, SipCodes, Snapshot, Stats, Stopwatch};
use crate::wire::sip;

use binds::{BindEvent, Binds};
use calls::turn;
use event::Event;
use handoff::{Handoff, SessionRef};
use msrp_links::MsrpLinks;
use outbox::Outbox;
use redelivery::Redelivery;
use report_index::ReportIndex;
use route::Route;
use sessions::Session;
use settings::Settings;
use smsc_choice::SmscChoice;
use streams::{Heard, Streams};

/// One core's world.
///
/// Order of calls: any number of `on_*`, then `poll_transmit` and `poll_handoff` until empty, then `poll_timeout`.
#[derive(Debug)]
pub struct Shard {
    settings: Settings,
    iwf: Arc<Iwf>,
    route: Route,
    random: Random,
    references: pager::References,
    index: sip::Index,
    servers: ServerNonInvite,
    clients: ClientNonInvite,
    /// Where our requests go.
    hop: Option<NextHop>,
    /// Questions to the DNS that were asked, counted.
    queries: u64,
    streams: Streams,
    msrp_links: MsrpLinks,
    /// What unfinished messages of all sessions may hold.
    media_budget: msrp::Budget,
    sessions: HashMap<u64, Box<Session>, Hashed>,
    /// INVITEs of ours without final response, by the key of their media.
    inviting: HashMap<u64, large_delivery::Inviting, Hashed>,
    /// Hosts of media whose address is asked for: which session, and the port.
    resolving: HashMap<u64, (u64, u16), Hashed>,
    calls: Calls,
    accept_types: msrp::Accept,
    /// Interworking numbers of this shard.
    numbers: NumberPool,
    /// As index shard: the sessions that what one number sends to another belongs to, the newest last.
    session_index: HashMap<u64, Vec<SessionRef>, Hashed>,
    /// Short messages offered to sessions, wherever these live.
    offered: Arena<deliver::Delivery>,
    binds: Binds,
    mms: mms::Mms,
    choice: SmscChoice,
    /// The account that each SM-SC is.
    accounts: Vec<u16>,
    reports: ReportIndex,
    joining: Joining,
    /// What the parts of each set have in common.
    joining_heads: HashMap<u64, deliver::Common, Hashed>,
    /// Sets that are complete and whose message is on its way.
    joined_open: HashSet<u64, Hashed>,
    redelivery: Redelivery,
    messages: Arena<submit::Message>,
    /// Of these, how many senders wait for an answer.
    unanswered: usize,
    /// Failures after an early answer that the CPM side was not told yet.
    untold: usize,
    /// Short messages that nobody else will repeat, waiting for another attempt.
    undelivered: Arena<deliver::Delivery>,
    requests: Arena<uac::Purpose>,
    alarms: Wheel,
    outbox: Outbox,
    bind_events: Vec<BindEvent>,
    events: VecDeque<Event>,
    pool: Pool,
    /// For what is stored of messages.
    stored: Pool,
    scratch: pager::Scratch,
    records: records::Records,
    stats: Stats,
    latencies: Latencies,
    stopwatch: Stopwatch,
    /// What leaves at the end of this turn, while the stopwatch runs.
    leaving: Vec<stages::Leaving>,
    sip_codes: SipCodes,
    next_order: u64,
    draining: bool,
    /// Cores that will submit nothing more.
    finished: Vec<bool>,
}

impl Shard {
    /// A shard that will connect its binds at once.
    #[must_use]
    pub fn new(settings: Settings) -> Shard {
        let mut random = Random::from_seed(settings.seed);
        let (id, shards) = (settings.id, settings.shards);
        let own_hash = KeyedHash::new([random.next_u64(), random.next_u64()]);
        let sent_by = SentBy::new(|transport, is_ipv4| settings.sip.sent_by(transport, is_ipv4));
        let iwf = Arc::new(Iwf::new(settings.policy.clone()));
        let calls = calls::new(own_hash.clone(), sent_by.clone(), &settings, &iwf);
        let clients = clients(own_hash.clone(), sent_by, &settings);
        Shard {
            index: sip::Index::new(),
            servers: ServerNonInvite::new(own_hash),
            clients,
            hop: settings.sip.hop(),
            queries: 0,
            streams: Streams::new(settings.sip.idle),
            msrp_links: MsrpLinks::new(settings.msrp.unbound),
            media_budget: msrp::Budget::new(settings.msrp.memory_bytes_max),
            sessions: HashMap::with_hasher(Hashed::default()),
            inviting: HashMap::with_hasher(Hashed::default()),
            resolving: HashMap::with_hasher(Hashed::default()),
            calls,
            accept_types: negotiation::accept_types(),
            numbers: NumberPool::new(&settings.policy.sessions, u64::from(id.0), u64::from(shards)),
            session_index: HashMap::with_hasher(Hashed::default()),
            offered: Arena::default(),
            binds: Binds::new(id, shards, &settings.smscs, &mut random),
            mms: mms::Mms::new(&settings, &mut random),
            choice: SmscChoice::new(id, shards, settings.smscs.len()),
            accounts: settings.accounts(),
            reports: ReportIndex::new(),
            joining: Joining::new(settings.joining()),
            joining_heads: HashMap::with_hasher(Hashed::default()),
            joined_open: HashSet::with_hasher(Hashed::default()),
            redelivery: Redelivery::default(),
            messages: Arena::default(),
            unanswered: 0,
            untold: 0,
            undelivered: Arena::default(),
            requests: Arena::default(),
            alarms: Wheel::new(),
            outbox: Outbox::new(id, shards),
            bind_events: Vec::new(),
            events: VecDeque::new(),
            pool: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BATCH_BYTES_MAX),
            stored: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BUFFER_BYTES_MAX),
            scratch: pager::Scratch::default(),
            records: records::Records::new(&settings),
            stats: Stats::default(),
            latencies: Latencies::default(),
            stopwatch: Stopwatch::default(),
            leaving: Vec::new(),
            sip_codes: SipCodes::default(),
            next_order: 0,
            draining: false,
            finished: vec![false; usize::from(shards)],
            iwf,
            route: Route::new(shards, settings.hash_key),
            references: pager::References::new(id, shards, random.next_u64()),
            random,
            settings,
        }
    }

    /// Which shard this is.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.settings.id
    }

    /// Which shard must get this datagram. One without a Call-ID may be refused by any.
    #[must_use]
    pub fn owner_of(&self, datagram: &[u8]) -> ShardId {
        sip::peek_call_id(datagram).map_or(self.settings.id, |call_id| self.route.of_call_id(call_id))
    }

    /// A datagram that this shard owns.
    pub fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]) {
        self.handle_sip(now, Source { peer, road: Road::Datagram(listener) }, bytes);
        self.settle(now);
    }

    /// A connection was accepted.
    pub fn on_accepted(&mut self, now: Now, link: LinkId, listener: ListenerId, peer: SocketAddr) {
        if self.settings.is_msrp(listener) {
            return self.msrp_links.accepted(now.moment, link, &mut self.outbox);
        }
        if self.settings.mm4.listeners.contains(&listener) {
            let trusted = self.settings.mm4.trusts(peer.ip());
            self.mms.bringers.accepted(now, link, peer, trusted, &mut self.outbox);
            return self.settle(now);
        }
        let Some(smsc) = self.settings.smsc_of(listener) else {
            let trusted = self.settings.sip.trusts(peer.ip());
            return self.streams.accepted(now.moment, link, peer, trusted);
        };
        let expected = self.settings.smscs[usize::from(smsc)].address.ip() == peer.ip();
        if !expected || !self.binds.accepted(now, link, smsc) {
            self.outbox.transmits.push_back(Transmit::Close { link });
        }
        self.settle(now);
    }

    /// An ordered connection is open.
    pub fn on_connected(&mut self, now: Now, link: LinkId, order: ConnectId, peer: SocketAddr) {
        if order.0 & binds::CONNECT_BIT != 0 {
            self.binds.connected(now, order, link);
        } else if order.0 & msrp_links::CONNECT_BIT != 0 {
            self.msrp_connected(now, link, order, peer);
        } else if order.0 & mms::CONNECT_BIT != 0 {
            self.mms.relays.connected(now, order, link);
        } else if !self.streams.connected(now.moment, link, order, peer, &mut self.outbox) {
            self.outbox.transmits.push_back(Transmit::Close { link });
        }
        self.settle(now);
    }

    /// An ordered connection could not be opened.
    pub fn on_connect_failed(&mut self, now: Now, order: ConnectId) {
        if order.0 & binds::CONNECT_BIT != 0 {
            self.binds.connect_failed(now, order);
        } else if order.0 & msrp_links::CONNECT_BIT != 0 {
            self.msrp_connect_failed(now, order);
        } else if order.0 & mms::CONNECT_BIT != 0 {
            self.mms.relays.connect_failed(now, order);
        } else if let Some(peer) = self.streams.connect_failed(order) {
            self.target_lost(now, peer);
        }
        self.settle(now);
    }

    /// Octets of a connection.
    pub fn on_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        if self.binds.has(link) {
            self.note_smpp();
            self.binds.bytes(now, link, &bytes)
        } else if self.msrp_links.has(link) {
            self.msrp_stream(now, link, bytes)
        } else if self.mms.has(link) {
            self.mms.bytes(now, link, &bytes)
        } else {
            self.sip_stream(now, link, bytes)
        }
        self.settle(now);
    }

    fn sip_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        let Some(peer) = self.streams.peer(link) else { return };
        let road = Road::Stream(crate::engine::transport::LinkRef { shard: self.settings.id, link });
        let source = Source { peer, road };
        self.streams.push(now.moment, link, bytes);
        loop {
            match self.streams.next(now.moment, link, &mut self.outbox) {
                Heard::Message(bytes) => self.sip_from_stream(now, source, bytes),
                Heard::Nothing => return,
                Heard::Broken => {
                    self.stats.sip_malformed += 1;
                    return;
                }
            }
        }
    }

    fn sip_from_stream(&mut self, now: Now, source: Source, bytes: Bytes) {
        let owner = self.owner_of(&bytes);
        if owner == self.settings.id {
            return self.handle_sip(now, source, &bytes);
        }
        self.stats.sip_handed_over += 1;
        let arrival = self.stopwatch.arrival();
        self.outbox.hand(owner, Handoff::Sip { source, bytes, arrival });
    }

    /// A connection is gone.
    pub fn on_closed(&mut self, now: Now, link: LinkId) {
        if self.binds.has(link) {
            self.binds.closed(now, link);
        } else if self.msrp_links.has(link) {
            self.msrp_closed(link);
        } else if self.mms.has(link) {
            self.mms.closed(now, link);
        } else if let Some(peer) = self.streams.closed(link) {
            self.target_lost(now, peer);
        }
        self.settle(now);
    }

    fn target_lost(&mut self, now: Now, peer: SocketAddr) {
        let target = Target { transport: Transport::Tcp, peer };
        self.clients.handle_transport_error(now.moment, target, &mut self.random);
        self.calls.handle_transport_error(turn!(self, now), target);
    }

    /// The DNS answered: these records, good for `ttl_s` seconds; none if it had none or failed.
    pub fn on_resolved(&mut self, now: Now, query: QueryId, records: &[Record], ttl_s: u32) {
        if query.0 & large_delivery::QUERY_BIT != 0 {
            self.media_resolved(now, query, records);
        } else if let Some(hop) = self.hop.as_mut().filter(|_| query.0 == self.queries) {
            hop.answered(now.moment, records, ttl_s, &mut self.random);
        }
        self.settle(now);
    }

    /// Something from another core.
    pub fn on_handoff(&mut self, now: Now, from: ShardId, handoff: Handoff) {
        self.take_handoff(now, from, handoff);
        self.settle(now);
    }

    /// Timers may be due.
    pub fn on_tick(&mut self, now: Now) {
        self.nothing_arrived();
        self.servers.handle_timeout(now.moment);
        self.clients.handle_timeout(now.moment, &mut self.random);
        if self.has_sessions() {
            self.calls.handle_timeout(turn!(self, now));
        }
        self.binds.timeout(now);
        self.mms.timeout(now);
        self.stats.sip_connections_timed_out += self.streams.handle_timeout(now.moment, &mut self.outbox);
        self.stats.msrp_connections_timed_out += self.msrp_links.handle_timeout(now.moment, &mut self.outbox);
        self.expire_reports(now);
        self.expire_joins(now);
        self.ring_alarms(now);
        self.settle(now);
    }

    /// What to send next.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.transmits.pop_front()
    }

    /// What is worth a line in the log.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A turn of the core's loop took too long.
    pub fn overran(&mut self, overrun: Overrun) {
        self.event(Event::TurnOverran(overrun));
    }

    fn event(&mut self, event: Event) {
        if self.events.len() < limits::EVENTS_MAX {
            self.events.push_back(event)
        } else {
            self.stats.events_dropped += 1
        }
    }

    /// What to hand over next, and to whom.
    pub fn poll_handoff(&mut self) -> Option<(ShardId, Handoff)> {
        self.outbox.handoffs.pop_front()
    }

    /// Gives a sent buffer back, to whoever has the fewest. Those of many PDUs at once go where such are made.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        if bytes.capacity() > limits::SPARE_BUFFER_BYTES_MAX {
            return self.binds.recycle(bytes);
        }
        let of_calls = if self.has_sessions() { self.calls.spare() } else { usize::MAX };
        // Of these only records leave and come back here.
        let of_records = if self.settings.durable { self.pool.len() } else { usize::MAX };
        let spare = [self.servers.spare(), self.clients.spare(), self.binds.spare(), of_calls, of_records];
        match spare.iter().enumerate().min_by_key(|(_, count)| **count) {
            Some((0, _)) => self.servers.recycle(bytes),
            Some((1, _)) => self.clients.recycle(bytes),
            Some((3, _)) => self.calls.recycle(bytes),
            Some((4, _)) => self.pool.give(bytes),
            _ => self.binds.recycle(bytes),
        }
    }

    /// When to call `on_tick` next.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Moment> {
        let joins = self.joining.poll_timeout();
        let timers = [
            self.servers.deadline(),
            self.clients.deadline(),
            if self.has_sessions() { self.session_deadline() } else { None },
            self.binds.deadline(),
            self.mms.deadline(),
            self.streams.deadline(),
            self.reports.deadline(),
            self.alarms.next_deadline(),
            self.hop.as_ref().and_then(NextHop::poll_timeout),
            joins,
        ];
        timers.into_iter().flatten().min()
    }

    fn session_deadline(&self) -> Option<Moment> {
        [self.calls.deadline(), self.msrp_links.deadline()].into_iter().flatten().min()
    }

    /// What was counted, gauges brought up to date.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |number: usize| number as u64;
        let [large_messages_open, chats_open, large_deliveries_open] = self.count_sessions();
        let ([of_servers, of_clients], [absorbed, sent_again]) =
            (self.calls.transactions(), self.calls.retransmissions());
        Stats {
            sip_retransmissions_absorbed: self.servers.retransmissions() + absorbed,
            sip_retransmissions_sent: self.clients.retransmissions() + sent_again,
            binds_bound: count(self.binds.bound()),
            server_transactions: count(self.servers.len() + of_servers),
            client_transactions: count(self.clients.len() + of_clients),
            large_messages_open,
            chats_open,
            large_deliveries_open: large_deliveries_open + count(self.inviting.len()),
            open_reports: count(self.reports.len()),
            held_reports: count(self.reports.held()),
            open_messages: count(self.messages.len()),
            sip_connections: count(self.streams.len()),
            msrp_connections: count(self.msrp_links.len()),
            undelivered: count(self.undelivered.len()),
            mms_sessions_ready: count(self.mms.relays.ready()),
            mms_sessions_open: count(self.mms.bringers.len()),
            open_mms: count(self.mms.messages_open()),
            mms_awaited: count(self.mms.originals_open()),
            joining: count(self.joining_heads.len()),
            records_waiting: count(self.records.len()),
            storage_failing: u64::from(self.records.is_failing()),
            ..self.stats
        }
    }

    /// Everything that can be seen of this shard; what the shell counts is its own to fill in.
    pub fn observe(&self, snapshot: &mut Snapshot) {
        snapshot.core = usize::from(self.settings.id.0);
        (snapshot.ready, snapshot.draining) = (self.is_ready(), self.draining);
        snapshot.stats = self.stats();
        snapshot.latencies = Latencies { submit: self.binds.submit_latency(), ..self.latencies };
        self.stopwatch.show(&mut snapshot.stages);
        snapshot.sip_codes = self.sip_codes;
        snapshot.links.clear();
        snapshot.links.extend(self.links());
    }

    /// What is held for something under way, by name: all zero once everything is over.
    #[must_use]
    pub fn held(&self) -> [(&'static str, usize); 18] {
        let media_bytes = self.settings.msrp.memory_bytes_max.saturating_sub(self.media_budget.left());
        [
            ("sessions", self.sessions.len()),
            ("invitations", self.inviting.len()),
            ("dialogs", self.calls.len()),
            ("transactions", self.servers.len() + self.clients.len() + self.calls.transactions().iter().sum::<usize>()),
            ("session index", self.session_index.len()),
            ("interworking numbers", self.numbers.assigned()),
            ("short messages offered", self.offered.len()),
            ("requests", self.requests.len()),
            ("messages", self.messages.len()),
            ("undelivered", self.undelivered.len()),
            ("joining", self.joining_heads.len()),
            ("alarms", self.alarms.len()),
            ("MSRP connections", self.msrp_links.len()),
            ("octets of MSRP messages", media_bytes),
            ("CPM messages for MMS", self.mms.messages_open()),
            ("MMs for CPM", self.mms.deliveries_open()),
            ("MMs whose notifications are awaited", self.mms.originals_open()),
            ("octets of MMs", self.mms.content_bytes()),
        ]
    }

    /// What each bind counts.
    pub fn links(&self) -> impl Iterator<Item = LinkStats> {
        self.binds.links()
    }

    /// Whether a submission would find a bind; where there is no SM-SC, a mail a session.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        if self.records.is_failing() {
            return false;
        }
        if self.settings.smscs.is_empty() { self.mms.relays.ready() > 0 } else { self.choice.any_bound() }
    }

    /// Stops taking new work: what was accepted is finished, then the binds are unbound.
    pub fn drain(&mut self, now: Now) {
        self.draining = true;
        if !self.settings.durable {
            // Parts that were acknowledged would be lost with us.
            self.joining.end_all();
            self.expire_joins(now);
        }
        self.leave_idle_sessions(now);
        self.settle(now);
    }

    /// Whether everything that was accepted is finished and every bind is gone.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.draining && self.binds.is_drained() && self.mms.is_drained() && self.outbox.transmits.is_empty()
    }
}

fn clients(hash: KeyedHash, sent_by: SentBy, settings: &Settings) -> ClientNonInvite {
    let mut clients = ClientNonInvite::new(hash, sent_by, settings.sip.datagram_request_bytes_max);
    if let Some(route) = settings.sip.route() {
        clients.set_route(route);
    }
    clients
}
