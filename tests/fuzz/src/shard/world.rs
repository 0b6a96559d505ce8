//! Two shards and everything outside of them: sockets, peers, a disk, a name service, a clock. What the far ends do not
//! do by themselves waits for a step that does it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{ConnectId, LinkId, ListenerId, QueryId, Record, RecordKind, ShardId, Transmit};
use isthmus::engine::{Moment, Now};
use isthmus::shard::Shard;
use isthmus::shard::settings::Settings;
use isthmus::wire::Framing;
use isthmus::wire::sip::{self, Index, Message, check};
use isthmus::wire::smpp::{self, CommandId, CommandStatus, Header, Pdu};

use super::ledger::Ledger;
use super::octets;

pub const CPM: &str = "192.0.2.1:5070";
/// Turns of handing over and timers after which nothing new may come.
const TURNS_MAX: usize = 20_000;
/// Requests and submissions remembered for a step that answers them.
const REMEMBERED_MAX: usize = 64;

/// What the far ends do by themselves.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub binds: bool,
    pub submits: bool,
    pub cpm: bool,
    pub disk: bool,
    pub connects: bool,
}

pub const DILIGENT: Habits = Habits { binds: true, submits: true, cpm: true, disk: true, connects: true };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    Smsc,
    Sip,
}

pub struct Link {
    pub number: usize,
    pub far: Far,
    shard: usize,
    id: LinkId,
    peer: SocketAddr,
    /// Octets towards the gateway, and from it, that make no whole frame yet.
    unframed_in: Vec<u8>,
    unframed_out: Vec<u8>,
    /// Only whole frames were sent.
    clean: bool,
}

pub struct World {
    pub now: Now,
    pub habits: Habits,
    pub links: Vec<Link>,
    pub ledger: Ledger,
    /// Requests of the gateway that nobody has answered.
    pub requests: VecDeque<Vec<u8>>,
    /// Requests of the gateway on SMPP links that nobody has answered.
    pub submits: VecDeque<(usize, Header)>,
    pub orders: VecDeque<(usize, ConnectId, SocketAddr)>,
    pub queries: VecDeque<(usize, QueryId, RecordKind)>,
    /// Of each core, how many orders its disk has, and how many it has carried out.
    ordered: [u64; 2],
    carried_out: [u64; 2],
    shards: Vec<Shard>,
    serial: u32,
    ids: u32,
}

impl World {
    pub fn new(habits: Habits, settings: &Settings) -> World {
        let shard = |id: u8| {
            Shard::new(Settings {
                id: ShardId(u16::from(id)),
                shards: 2,
                hash_key: [5, 7],
                seed: [id + 1; 32],
                ..settings.clone()
            })
        };
        let mut world = World {
            now: Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 },
            habits,
            links: Vec::new(),
            ledger: Ledger::default(),
            requests: VecDeque::new(),
            submits: VecDeque::new(),
            orders: VecDeque::new(),
            queries: VecDeque::new(),
            ordered: [0; 2],
            carried_out: [0; 2],
            shards: [0, 1].map(shard).into(),
            serial: 0,
            ids: 0,
        };
        world.pass(Duration::from_millis(10));
        world
    }

    /// A number never used before.
    pub fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// How many message_ids were given.
    pub fn ids(&self) -> u32 {
        self.ids
    }

    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// A datagram arrives at any core; the owner of its Call-ID gets it.
    pub fn datagram(&mut self, at: usize, peer: SocketAddr, octets: &[u8]) {
        self.ledger.sip_in(octets);
        let owner = usize::from(self.shards[at].owner_of(octets).0);
        self.shards[owner].on_datagram(self.now, ListenerId(0), peer, octets);
    }

    /// A peer opens a SIP connection.
    pub fn accept(&mut self, shard: usize, peer: SocketAddr) {
        let id = self.open(shard, Far::Sip, peer);
        self.shards[shard].on_accepted(self.now, id, ListenerId(1), peer);
    }

    fn open(&mut self, shard: usize, far: Far, peer: SocketAddr) -> LinkId {
        let index = self.serial();
        let id = LinkId { index, generation: 1 };
        self.links.push(Link {
            number: index as usize,
            far,
            shard,
            id,
            peer,
            unframed_in: Vec::new(),
            unframed_out: Vec::new(),
            clean: true,
        });
        id
    }

    /// Octets on a link, by its place. `whole`: they are frames.
    pub fn stream(&mut self, place: usize, octets: &[u8], whole: bool) {
        let Some(link) = self.links.get_mut(place).filter(|_| !octets.is_empty()) else { return };
        link.clean &= whole;
        link.unframed_in.extend_from_slice(octets);
        while let Some(frame) = next_frame(&mut link.unframed_in, link.far) {
            match link.far {
                Far::Sip => self.ledger.sip_in(&frame),
                Far::Smsc => {
                    Header::parse(&frame).into_iter().for_each(|h| self.ledger.pdu_in(link.number, h, link.clean));
                }
            }
        }
        let (shard, id) = (link.shard, link.id);
        self.shards[shard].on_stream(self.now, id, Bytes::copy_from_slice(octets));
    }

    /// The far end closes, or the connection breaks.
    pub fn close(&mut self, place: usize) {
        if place >= self.links.len() {
            return;
        }
        let link = self.links.remove(place);
        self.ledger.closed(link.number);
        self.submits.retain(|(of, _)| *of != link.number);
        self.shards[link.shard].on_closed(self.now, link.id);
    }

    /// Carries out the oldest order to connect.
    pub fn connect(&mut self, success: bool) {
        let Some((shard, order, peer)) = self.orders.pop_front() else { return };
        if !success {
            return self.shards[shard].on_connect_failed(self.now, order);
        }
        let far = if peer.to_string().starts_with("203.0.113.") { Far::Smsc } else { Far::Sip };
        let id = self.open(shard, far, peer);
        self.shards[shard].on_connected(self.now, id, order, peer);
    }

    /// Answers the oldest question to the name service.
    pub fn resolve(&mut self, success: bool) {
        let Some((shard, query, kind)) = self.queries.pop_front() else { return };
        let address = Record::Address("192.0.2.1".parse().unwrap());
        let records: &[Record] = if success && kind == RecordKind::Address { &[address] } else { &[] };
        self.shards[shard].on_resolved(self.now, query, records, 60);
    }

    /// The disk has written everything.
    pub fn write_records(&mut self) {
        self.carried_out = self.ordered;
        for (shard, orders) in self.ordered.into_iter().enumerate() {
            self.shards[shard].on_recorded(self.now, orders);
        }
    }

    /// Answers a submission or bind, the oldest or a later one.
    pub fn respond(&mut self, which: usize, status: CommandStatus) {
        let which = which % self.submits.len().max(1);
        let Some((link, header)) = self.submits.remove(which) else { return };
        self.ids += 1;
        let id = format!("{:08}", self.ids);
        let octets = octets::smsc_response(header, status, &id);
        if let Some(place) = self.links.iter().position(|of| of.number == link) {
            self.stream(place, &octets, true);
        }
    }

    /// Answers a request of the gateway.
    pub fn answer_request(&mut self, which: usize, code: u16, keep: bool) {
        let which = which % self.requests.len().max(1);
        let Some(request) = self.requests.get(which).cloned() else { return };
        if !keep {
            self.requests.remove(which);
        }
        let Some(response) = octets::response(&request, code) else { return };
        match self.links.iter().position(|link| link.far == Far::Sip && link.peer.to_string() == CPM) {
            Some(place) if request.windows(4).any(|octets| octets == b"/TCP") => self.stream(place, &response, true),
            _ => self.datagram(0, CPM.parse().unwrap(), &response),
        }
    }

    pub fn drain(&mut self) {
        let now = self.now;
        self.shards.iter_mut().for_each(|shard| shard.drain(now));
    }

    /// Lets time pass, running timers when they are due.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.moment + time;
        for _ in 0..TURNS_MAX {
            let now = self.now;
            self.shards.iter_mut().for_each(|shard| shard.on_tick(now));
            self.settle();
            let next = self.shards.iter_mut().filter_map(Shard::poll_timeout).min();
            // Deadlines may be early; time must not stand still.
            let next = next.map(|next| next.max(self.now.moment + Duration::from_millis(1)));
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = self.now.after(end.since(self.now.moment));
                return;
            };
            self.now = self.now.after(next.since(self.now.moment));
        }
        panic!("timers without end");
    }

    /// Everything that follows from what happened, until nothing does.
    pub fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            let mut busy = self.habitual();
            for at in 0..self.shards.len() {
                while let Some(transmit) = self.shards[at].poll_transmit() {
                    busy = true;
                    self.transmit(at, transmit);
                }
                while let Some((to, handoff)) = self.shards[at].poll_handoff() {
                    busy = true;
                    let from = ShardId(u16::try_from(at).unwrap());
                    self.shards[usize::from(to.0)].on_handoff(self.now, from, handoff);
                }
                while self.shards[at].poll_event().is_some() {}
            }
            if !busy {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// What the far ends do by themselves.
    fn habitual(&mut self) -> bool {
        let mut busy = false;
        while self.habits.connects && !(self.orders.is_empty() && self.queries.is_empty()) {
            busy = true;
            self.connect(true);
            self.resolve(true);
        }
        if self.habits.disk && self.ordered != self.carried_out {
            busy = true;
            self.write_records();
        }
        while self.habits.cpm && !self.requests.is_empty() {
            busy = true;
            self.answer_request(0, 200, false);
        }
        let is_submit = |header: &Header| matches!(header.command_id, CommandId::SUBMIT_SM | CommandId::DATA_SM);
        let Habits { binds, submits, .. } = self.habits;
        while let Some(at) = self.submits.iter().position(|(_, header)| if is_submit(header) { submits } else { binds })
        {
            busy = true;
            self.respond(at, CommandStatus::ESME_ROK);
        }
        busy
    }

    fn transmit(&mut self, shard: usize, transmit: Transmit) {
        match transmit {
            Transmit::Datagram { bytes, .. } => {
                self.sip_out(&bytes);
                self.shards[shard].recycle(bytes);
            }
            Transmit::Stream { link, bytes } => {
                self.stream_out(shard, link, &bytes);
                self.shards[shard].recycle(bytes);
            }
            Transmit::Connect { order, peer } => self.orders.push_back((shard, order, peer)),
            Transmit::Close { link } => {
                if let Some(place) = self.links.iter().position(|known| known.shard == shard && known.id == link) {
                    self.close(place);
                }
            }
            Transmit::Watch { .. } => {}
            Transmit::Record { .. } | Transmit::Forget { .. } => self.ordered[shard] += 1,
            Transmit::Resolve { query, kind, .. } => self.queries.push_back((shard, query, kind)),
        }
    }

    fn sip_out(&mut self, octets: &[u8]) {
        if !self.ledger.sip_out(octets) {
            return;
        }
        let mut index = Index::new();
        let request = Message::parse(octets, &mut index).expect("a request of ours");
        assert_eq!(check::request(&request, &[b"MESSAGE"]), Ok(()), "{}", String::from_utf8_lossy(octets));
        if self.requests.len() < REMEMBERED_MAX {
            self.requests.push_back(octets.to_vec());
        }
    }

    fn stream_out(&mut self, shard: usize, link: LinkId, octets: &[u8]) {
        let Some(place) = self.links.iter().position(|known| known.shard == shard && known.id == link) else { return };
        self.links[place].unframed_out.extend_from_slice(octets);
        let far = self.links[place].far;
        while let Some(frame) = next_frame(&mut self.links[place].unframed_out, far) {
            match far {
                Far::Sip => self.sip_out(&frame),
                Far::Smsc => self.pdu_out(place, &frame),
            }
        }
        let rest = &self.links[place].unframed_out;
        assert!(rest.iter().all(|octet| matches!(octet, b'\r' | b'\n')), "half a frame: {rest:?}");
    }

    fn pdu_out(&mut self, place: usize, pdu: &[u8]) {
        let (header, _) = Pdu::parse(pdu).expect("a PDU of ours");
        let number = self.links[place].number;
        self.ledger.pdu_out(number, header);
        if !header.command_id.is_response() && (self.submits.len() < REMEMBERED_MAX || self.habits.binds) {
            self.submits.push_back((number, header));
        }
    }
}

/// Takes the first whole frame.
fn next_frame(unframed: &mut Vec<u8>, far: Far) -> Option<Vec<u8>> {
    if far == Far::Sip {
        let line_ends = unframed.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        unframed.drain(..line_ends);
    }
    let framing = match far {
        Far::Sip => sip::frame(unframed),
        Far::Smsc => smpp::frame(unframed, 70_000),
    };
    match framing {
        Framing::Complete(len) => Some(unframed.drain(..len).collect()),
        _ => None,
    }
}
