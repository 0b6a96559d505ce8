//! The SMTP sessions in which this core brings mail to MMS Relay/Servers.

use core::net::SocketAddr;

use bytes::Bytes;

use crate::engine::smtp::Client;
use crate::engine::smtp::client::{CloseReason, Config, Event, Mail, Order, Outcome};
use crate::engine::transport::{ConnectId, LinkId, Transmit};
use crate::engine::{Moment, Now, Random};

use crate::shard::event::Event as Log;
use crate::shard::outbox::Outbox;
use crate::shard::settings::{MmscSettings, Settings};

/// Orders to connect that are the relays' have this bit.
pub(in crate::shard) const CONNECT_BIT: u64 = 1 << 61;

#[derive(Debug)]
struct Relay {
    mmsc: u16,
    peer: SocketAddr,
    session: Client,
    link: Option<LinkId>,
}

/// What came of a session that others must act on.
#[derive(Debug)]
pub(in crate::shard) enum RelayEvent {
    /// What became of a mail.
    Done(u64, Outcome),
    /// Something for the log.
    Log(Log),
}

/// The sessions.
#[derive(Debug)]
pub(in crate::shard) struct Relays {
    relays: Vec<Relay>,
    /// Whether any of them may have something to say.
    touched: bool,
}

impl Relays {
    pub(super) fn new(settings: &Settings, random: &mut Random) -> Relays {
        let mut relays = Vec::new();
        for (number, mmsc) in settings.mmscs.iter().enumerate() {
            let mmsc_number = u16::try_from(number).unwrap_or(u16::MAX);
            for _ in 0..mmsc.connections {
                let session = Client::new(config(mmsc, &settings.mm4.domain), random.fork());
                relays.push(Relay { mmsc: mmsc_number, peer: mmsc.address, session, link: None });
            }
        }
        Relays { touched: !relays.is_empty(), relays }
    }

    fn of_link(&mut self, link: LinkId) -> Option<&mut Relay> {
        self.touched = true;
        self.relays.iter_mut().find(|relay| relay.link == Some(link))
    }

    fn of_order(&mut self, order: ConnectId) -> Option<&mut Relay> {
        self.touched = true;
        self.relays.get_mut(usize::try_from(order.0 & !CONNECT_BIT).ok()?)
    }

    pub(in crate::shard) fn has(&self, link: LinkId) -> bool {
        self.relays.iter().any(|relay| relay.link == Some(link))
    }

    pub(in crate::shard) fn connected(&mut self, now: Now, order: ConnectId, link: LinkId) {
        if let Some(relay) = self.of_order(order) {
            relay.link = Some(link);
            relay.session.handle_connected(now);
        }
    }

    pub(in crate::shard) fn connect_failed(&mut self, now: Now, order: ConnectId) {
        if let Some(relay) = self.of_order(order) {
            relay.session.handle_connect_failed(now);
        }
    }

    pub(in crate::shard) fn bytes(&mut self, now: Now, link: LinkId, bytes: &Bytes) {
        if let Some(relay) = self.of_link(link) {
            relay.session.handle_bytes(now, bytes);
        }
    }

    pub(in crate::shard) fn closed(&mut self, now: Now, link: LinkId) {
        if let Some(relay) = self.of_link(link) {
            relay.link = None;
            relay.session.handle_closed(now);
        }
    }

    pub(in crate::shard) fn timeout(&mut self, now: Now) {
        for relay in &mut self.relays {
            relay.session.handle_timeout(now);
            self.touched = true;
        }
    }

    pub(in crate::shard) fn deadline(&self) -> Option<Moment> {
        self.relays.iter().filter_map(|relay| relay.session.poll_timeout()).map(|(at, _)| at).min()
    }

    /// Sends nothing more than what it has.
    pub(in crate::shard) fn drain(&mut self, now: Now) {
        self.touched = true;
        self.relays.iter_mut().for_each(|relay| relay.session.drain(now));
    }

    pub(in crate::shard) fn is_drained(&self) -> bool {
        self.relays.iter().all(|relay| relay.session.is_drained())
    }

    /// Sessions whose server has accepted us.
    pub(in crate::shard) fn ready(&self) -> usize {
        self.relays.iter().filter(|relay| relay.session.is_ready()).count()
    }

    /// Whether a mail for `mmsc` would be taken.
    pub(super) fn can_send(&self, mmsc: u16) -> bool {
        self.relays.iter().any(|relay| relay.mmsc == mmsc && relay.session.can_send())
    }

    /// Gives a mail to the session with the fewest before it; `false` if none takes it.
    pub(super) fn send(&mut self, now: Now, mmsc: u16, mail: Mail) -> bool {
        self.touched = true;
        let able = self.relays.iter_mut().filter(|relay| relay.mmsc == mmsc && relay.session.can_send());
        let load = |relay: &&mut Relay| {
            let (under_way, waiting) = relay.session.outstanding();
            under_way + waiting
        };
        able.min_by_key(load).is_some_and(|relay| relay.session.send(now, mail).is_ok())
    }

    /// Empties the sessions.
    pub(in crate::shard) fn settle(&mut self, outbox: &mut Outbox, events: &mut Vec<RelayEvent>) -> bool {
        if !core::mem::take(&mut self.touched) {
            return false;
        }
        for (number, relay) in self.relays.iter_mut().enumerate() {
            relay.settle(number, outbox, events);
        }
        !events.is_empty()
    }
}

impl Relay {
    fn settle(&mut self, number: usize, outbox: &mut Outbox, events: &mut Vec<RelayEvent>) {
        self.transmit(outbox);
        while let Some(order) = self.session.poll_order() {
            match order {
                Order::Connect => {
                    let order = ConnectId(CONNECT_BIT | number as u64);
                    outbox.transmits.push_back(Transmit::Connect { order, peer: self.peer });
                }
                Order::Close => {
                    if let Some(link) = self.link.take() {
                        outbox.transmits.push_back(Transmit::Close { link });
                    }
                }
            }
        }
        while let Some(event) = self.session.poll_event() {
            events.push(self.told(event));
        }
    }

    fn transmit(&mut self, outbox: &mut Outbox) {
        while let Some(bytes) = self.session.poll_transmit() {
            let Some(link) = self.link else { return };
            outbox.transmits.push_back(Transmit::Stream { link, bytes });
        }
    }

    fn told(&self, event: Event) -> RelayEvent {
        let mmsc = self.mmsc;
        match event {
            Event::Done { token, outcome } => RelayEvent::Done(token, outcome),
            Event::Ready { .. } => RelayEvent::Log(Log::RelayReady { mmsc }),
            Event::Closed { reason, .. } => {
                let code = match reason {
                    CloseReason::Unavailable(reply) | CloseReason::Refused(reply) => reply.code,
                    _ => 0,
                };
                RelayEvent::Log(Log::RelayLost { mmsc, code, reason: reason.as_str() })
            }
        }
    }
}

fn config(mmsc: &MmscSettings, own_domain: &str) -> Config {
    let [reconnect_min, reconnect_max] = mmsc.reconnect;
    Config { hostname: own_domain.as_bytes().to_vec(), reconnect_min, reconnect_max, ..Config::default() }
}
