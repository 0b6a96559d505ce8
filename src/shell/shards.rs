//! Shards as worlds.

use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::core_thread::Sink;
use super::entropy;
use super::gateway::Gateway;
use super::options::{Options, StartError};
use super::sockets;
use super::world::World;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, QueryId, Record, RecordId, ShardId, Transmit};
use crate::engine::{Moment, Now};
use crate::observe::{ArrivedAt, Overrun, Snapshot};
use crate::shard::Shard;
use crate::shard::event::Event;
use crate::shard::handoff::Handoff;
use crate::shard::settings::{Listener, Settings};

/// How long an answer of the DNS is used; the resolver below keeps it as long as the zone says.
const DNS_TTL_S: u32 = 30;

impl Gateway {
    /// Starts a shard on each core. `template` is what the shards are told, but for which shard each is and of how many,
    /// secrets, and the ports that are really open. `sink` gets what is worth a line in the log, on the core's thread.
    ///
    /// # Errors
    /// If an address is not to be had, or a core could not be set up; nothing is left running then.
    pub fn start(options: &Options, template: Settings, sink: Arc<Sink<Event>>) -> Result<Gateway, StartError> {
        let key = entropy::key()?;
        let seeds: io::Result<_> = (0..options.cores.len().max(1)).map(|_| entropy::bytes()).collect();
        let seeds = seeds?;
        let (durable, run) = options.storage.as_ref().map_or((false, 0), |storage| (true, storage.run));
        let template = Settings { durable, run, ..template };
        Gateway::start_worlds(options, |open| shards(template, open, key, seeds), sink)
    }
}

fn shards(
    mut template: Settings,
    open: &[super::Listener],
    key: [u64; 2],
    seeds: Vec<[u8; 32]>,
) -> Arc<dyn Fn(ShardId) -> Shard + Send + Sync> {
    let mail = open.len() - template.mm4.listeners.len();
    let media = mail - template.msrp.listeners.len();
    let sip = media - template.outbind().count();
    let towards = template.sip.next_hop_address();
    let seen = |local: SocketAddr| sockets::seen_by(local, towards).unwrap_or(local);
    let listeners = open.iter().take(sip).map(|one| Listener { transport: one.transport, local: seen(one.local) });
    template.sip.listeners = listeners.collect();
    template.msrp.opened(numbered(open).take(mail).skip(media));
    template.mm4.listeners = numbered(open).skip(mail).map(|(listener, _)| listener).collect();
    template.shards = u16::try_from(seeds.len()).unwrap_or(u16::MAX);
    template.hash_key = key;
    Arc::new(move |id| {
        let seed = seeds.get(usize::from(id.0)).copied().unwrap_or_default();
        Shard::new(Settings { id, seed, ..template.clone() })
    })
}

fn numbered(open: &[super::Listener]) -> impl Iterator<Item = (ListenerId, SocketAddr)> + '_ {
    open.iter().enumerate().map(|(at, one)| (ListenerId(u16::try_from(at).unwrap_or(u16::MAX)), one.local))
}

impl World for Shard {
    type Handoff = Handoff;
    type Event = Event;

    fn restore(&mut self, now: Now, kept: &[(RecordId, Vec<u8>)]) {
        Shard::restore(self, now, kept);
    }
    fn on_recorded(&mut self, now: Now, orders: u64) {
        Shard::on_recorded(self, now, orders);
    }
    fn on_storage(&mut self, failing: bool) {
        Shard::on_storage(self, failing);
    }
    fn owner_of(&self, datagram: &[u8]) -> ShardId {
        Shard::owner_of(self, datagram)
    }
    fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]) {
        Shard::on_datagram(self, now, listener, peer, bytes);
    }
    fn on_accepted(&mut self, now: Now, link: LinkId, listener: ListenerId, peer: SocketAddr) {
        Shard::on_accepted(self, now, link, listener, peer);
    }
    fn on_connected(&mut self, now: Now, link: LinkId, order: ConnectId, peer: SocketAddr) {
        Shard::on_connected(self, now, link, order, peer);
    }
    fn on_connect_failed(&mut self, now: Now, order: ConnectId) {
        Shard::on_connect_failed(self, now, order);
    }
    fn on_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        Shard::on_stream(self, now, link, bytes);
    }
    fn on_written(&mut self, now: Now, link: LinkId, bytes: usize) {
        Shard::on_written(self, now, link, bytes);
    }
    fn on_closed(&mut self, now: Now, link: LinkId) {
        Shard::on_closed(self, now, link);
    }
    fn on_resolved(&mut self, now: Now, query: QueryId, answers: Vec<Record>) {
        Shard::on_resolved(self, now, query, &answers, DNS_TTL_S);
    }
    fn on_handoff(&mut self, now: Now, from: ShardId, handoff: Handoff) {
        Shard::on_handoff(self, now, from, handoff);
    }
    fn on_tick(&mut self, now: Now) {
        Shard::on_tick(self, now);
    }
    fn poll_transmit(&mut self) -> Option<Transmit> {
        Shard::poll_transmit(self)
    }
    fn poll_handoff(&mut self) -> Option<(ShardId, Handoff)> {
        Shard::poll_handoff(self)
    }
    fn poll_event(&mut self) -> Option<Event> {
        Shard::poll_event(self)
    }
    fn poll_timeout(&mut self) -> Option<Moment> {
        Shard::poll_timeout(self)
    }
    fn recycle(&mut self, bytes: Vec<u8>) {
        Shard::recycle(self, bytes);
    }
    fn drain(&mut self, now: Now) {
        Shard::drain(self, now);
    }
    fn is_drained(&self) -> bool {
        Shard::is_drained(self)
    }
    fn is_ready(&self) -> bool {
        Shard::is_ready(self)
    }
    fn profile(&mut self, ticks_ns: fn() -> u64) {
        Shard::profile(self, ticks_ns);
    }
    fn arrived(&mut self, arrival: ArrivedAt) {
        Shard::arrived(self, arrival);
    }
    fn flushed(&mut self) {
        Shard::flushed(self);
    }
    fn overran(&mut self, overrun: Overrun) {
        Shard::overran(self, overrun);
    }
    fn show(&self, snapshot: &mut Snapshot) {
        self.observe(snapshot);
    }
}
