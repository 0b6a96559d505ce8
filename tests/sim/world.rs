//! Whole shards under virtual time: a CPM Participating Function on one side, SM-SCs on the other, a network between them
//! that loses, doubles and reorders datagrams as its seed says. The code under test is the code that runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{
    ConnectId, LinkId, ListenerId, Record, RecordId, RecordKind, ShardId, Transmit, Transport,
};
use isthmus::engine::{Moment, Now, Random};
use isthmus::observe::Stats;
use isthmus::shard::Shard;
use isthmus::shard::event::Event;
use isthmus::shard::settings::{
    Listener, Mm4Settings, MmscSettings, MsrpSettings, Network, Settings, SipSettings, SmscSettings,
};

use crate::cpm::Cpm;
use crate::smsc::Smsc;

/// What the network does to datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub lose_percent: u64,
    pub double_percent: u64,
    /// A datagram takes one millisecond and up to this much more.
    pub jitter: Duration,
}

/// A link: the shard's name for it, and the far end.
#[derive(Debug)]
struct Link {
    shard: usize,
    id: LinkId,
    far: Far,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Far {
    /// A connection of this SM-SC.
    Smsc(usize, usize),
    /// A SIP connection of the CPM side, opened by us.
    Cpm,
    /// A SIP connection that a peer opened to us: its place in `tcp`.
    Peer(usize),
}

/// A SIP connection that a peer opened.
#[derive(Debug, Default)]
pub struct Tcp {
    /// What the gateway sent, one write after the other.
    pub writes: Vec<Vec<u8>>,
    pub closed: bool,
    /// Whom the gateway called, if it opened the connection.
    pub dialled: Option<SocketAddr>,
    /// It is for mail.
    pub mail: bool,
}

impl Tcp {
    /// All that the gateway sent.
    pub fn received(&self) -> Vec<u8> {
        self.writes.concat()
    }
}

enum Flying {
    ToGateway { from: SocketAddr, bytes: Vec<u8> },
    ToCpm { bytes: Vec<u8> },
}

/// The world.
pub struct World {
    pub now: Now,
    pub shards: Vec<Shard>,
    pub cpm: Cpm,
    pub smscs: Vec<Smsc>,
    /// SM-SCs that accept connections.
    pub listening: Vec<bool>,
    pub weather: Weather,
    /// Datagrams arrive on this core, or on a random one.
    pub arrive_at: Option<usize>,
    pub handoffs: u64,
    /// Everything sent to the CPM side over TCP, framed by write.
    pub tcp_to_cpm: Vec<u8>,
    pub cpm_accepts_tcp: bool,
    /// INVITE, ACK, BYE and CANCEL to the CPM side go astray, to whoever plays its users' sessions.
    pub sessions_apart: bool,
    /// Every n-th write to the CPM side over TCP breaks the connection instead of arriving.
    pub cut_cpm_every: u64,
    writes: u64,
    /// Datagrams to anybody but the CPM side.
    pub strays: Vec<(SocketAddr, Vec<u8>)>,
    /// SIP connections that peers opened.
    pub tcp: Vec<Tcp>,
    /// Connections that the gateway wanted to peers that are neither, and whether these take them (as the next of `tcp`).
    pub dials: Vec<SocketAddr>,
    pub accept_dials: bool,
    /// Of these, who takes none for now.
    pub unreachable: Vec<SocketAddr>,
    /// What the DNS knows, and how often it was asked.
    pub zone: Vec<(String, RecordKind, Vec<Record>)>,
    pub questions: u64,
    /// What the shards have for the log.
    pub events: Vec<Event>,
    /// Orders to write a record, or to forget it, that [`World::write_records`] carries out.
    pub writing: Vec<(usize, RecordId, Option<Vec<u8>>)>,
    /// How many each core's disk has carried out.
    written: Vec<u64>,
    /// What is written: all that a crash leaves.
    pub disk: BTreeMap<RecordId, Vec<u8>>,
    /// What the process is told when it starts.
    pub settings: Settings,
    seed: u8,
    run: u32,
    sip_listeners: usize,
    msrp_listener: ListenerId,
    mail_listener: ListenerId,
    links: Vec<Link>,
    flying: BTreeMap<(u64, u64), Flying>,
    serial: u64,
    random: Random,
}

pub const GATEWAY: &str = "198.51.100.1:5060";
pub const CPM: &str = "192.0.2.1:5070";
/// The MMS Relay/Server.
pub const MMSC: &str = "192.0.2.30:25";
pub const MSRP: &str = "198.51.100.1:2855";

/// Settings of a gateway with `smscs` SM-SCs, all defaults but what a simulation needs.
pub fn settings(smscs: usize) -> Settings {
    let smsc = |number: usize| SmscSettings {
        name: format!("smsc-{number}"),
        address: SocketAddr::from(([203, 0, 113, u8::try_from(number).unwrap() + 1], 2775)),
        ..SmscSettings::default()
    };
    let listener = |transport| Listener { transport, local: GATEWAY.parse().unwrap() };
    Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{CPM}"),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs: (0..smscs).map(smsc).collect(),
        ..Settings::default()
    }
}

/// The same, and the gateway has sessions.
pub fn settings_with_msrp(smscs: usize) -> Settings {
    let msrp = MsrpSettings {
        listeners: vec![(ListenerId(50), MSRP.parse().unwrap())],
        address: MSRP.parse().unwrap(),
        ..MsrpSettings::default()
    };
    Settings { msrp, ..settings(smscs) }
}

/// The same, and it has an MMS Relay/Server.
pub fn settings_with_mms(smscs: usize) -> Settings {
    let trusted = vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }];
    let mm4 = Mm4Settings {
        listeners: vec![ListenerId(60)],
        domain: "mms.gw.example.net".into(),
        trusted,
        ..Mm4Settings::default()
    };
    let mmsc = MmscSettings {
        name: "mmsc".into(),
        address: MMSC.parse().unwrap(),
        domain: "mms.example.com".into(),
        ..MmscSettings::default()
    };
    Settings { mm4, mmscs: vec![mmsc], ..settings_with_msrp(smscs) }
}

fn make_shards(seed: u8, shards: u16, settings: &Settings) -> Vec<Shard> {
    let shard = |id: u16| {
        let own = [seed.wrapping_add(u8::try_from(id).unwrap()).wrapping_add(1); 32];
        let hash_key = [u64::from(seed), 7];
        Shard::new(Settings { id: ShardId(id), shards, hash_key, seed: own, ..settings.clone() })
    };
    (0..shards).map(shard).collect()
}

impl World {
    pub fn new(seed: u8, shards: u16, settings: &Settings) -> World {
        let smscs = settings.smscs.len();
        let mut world = World {
            now: Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 },
            shards: make_shards(seed, shards, settings),
            cpm: Cpm::new(CPM.parse().unwrap(), GATEWAY.parse().unwrap()),
            smscs: (0..smscs).map(|number| Smsc::new(seed.wrapping_add(u8::try_from(number).unwrap()))).collect(),
            listening: vec![true; smscs],
            weather: Weather::default(),
            arrive_at: None,
            handoffs: 0,
            tcp_to_cpm: Vec::new(),
            cpm_accepts_tcp: true,
            sessions_apart: false,
            cut_cpm_every: 0,
            writes: 0,
            strays: Vec::new(),
            tcp: Vec::new(),
            dials: Vec::new(),
            accept_dials: true,
            unreachable: Vec::new(),
            zone: Vec::new(),
            questions: 0,
            events: Vec::new(),
            writing: Vec::new(),
            written: vec![0; usize::from(shards)],
            disk: BTreeMap::new(),
            settings: settings.clone(),
            seed,
            run: 0,
            sip_listeners: settings.sip.listeners.len(),
            msrp_listener: settings.msrp.listeners.first().map_or(ListenerId(99), |(id, _)| *id),
            mail_listener: settings.mm4.listeners.first().map_or(ListenerId(99), |id| *id),
            links: Vec::new(),
            flying: BTreeMap::new(),
            serial: 0,
            random: Random::from_seed([seed; 32]),
        };
        world.run_for(Duration::from_millis(100));
        world
    }

    /// The sum over all shards of one count.
    pub fn count(&self, of: impl Fn(&Stats) -> u64) -> u64 {
        self.shards.iter().map(|shard| of(&shard.stats())).sum()
    }

    /// Lets time pass until `until` holds, or `limit` has passed; whether it held.
    pub fn run_until(&mut self, limit: Duration, until: impl Fn(&World) -> bool) -> bool {
        let end = self.now.moment + limit;
        loop {
            self.step();
            if until(self) {
                return true;
            }
            let Some(next) = self.next_moment().filter(|next| *next <= end) else {
                self.advance(end);
                return until(self);
            };
            self.advance(next);
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn advance(&mut self, to: Moment) {
        self.now = self.now.after(to.since(self.now.moment));
    }

    fn next_moment(&mut self) -> Option<Moment> {
        let shards = self.shards.iter_mut().filter_map(Shard::poll_timeout);
        let flying = self.flying.keys().next().map(|(at, _)| Moment(*at));
        let smscs = self.smscs.iter().filter_map(Smsc::deadline);
        let earliest = shards.chain(flying).chain(smscs).chain(self.cpm.deadline()).min()?;
        // Deadlines may be early; time must not stand still.
        Some(earliest.max(self.now.moment + Duration::from_micros(100)))
    }

    /// Everything that happens at this moment.
    fn step(&mut self) {
        let now = self.now;
        for shard in &mut self.shards {
            shard.on_tick(now);
        }
        self.land();
        self.far_ends();
        while self.drain_shards() {}
    }

    fn land(&mut self) {
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now.moment.0) {
            match entry.remove() {
                Flying::ToCpm { bytes } => self.cpm.on_datagram(self.now.moment, &bytes),
                Flying::ToGateway { from, bytes } => self.datagram(from, &bytes),
            }
        }
    }

    /// A datagram of any peer arrives now.
    pub fn datagram_from(&mut self, from: &str, bytes: &[u8]) {
        self.datagram(from.parse().unwrap(), bytes);
        while self.drain_shards() {}
    }

    /// A peer opens a SIP connection to one core; its place in `tcp`.
    pub fn tcp_open(&mut self, shard: usize, from: &str) -> usize {
        self.open(shard, ListenerId(1), from)
    }

    fn open(&mut self, shard: usize, listener: ListenerId, from: &str) -> usize {
        self.serial += 1;
        let id = LinkId { index: u32::try_from(self.serial).unwrap(), generation: 1 };
        let place = self.tcp.len();
        self.tcp.push(Tcp::default());
        self.links.push(Link { shard, id, far: Far::Peer(place) });
        self.shards[shard].on_accepted(self.now, id, listener, from.parse().unwrap());
        while self.drain_shards() {}
        place
    }

    /// A peer opens an MSRP connection to one core; its place in `tcp`.
    pub fn msrp_open(&mut self, shard: usize, from: &str) -> usize {
        self.open(shard, self.msrp_listener, from)
    }

    /// An MMS Relay/Server opens a connection to one core; its place in `tcp`.
    pub fn mail_open(&mut self, shard: usize, from: &str) -> usize {
        let place = self.open(shard, self.mail_listener, from);
        self.tcp[place].mail = true;
        place
    }

    /// An SM-SC opens a connection to one core, as if from `from`, and sends outbind.
    pub fn smsc_connects(&mut self, shard: usize, smsc: usize, from: &str, password: &[u8]) {
        let connection = self.smscs[smsc].connect();
        self.serial += 1;
        let id = LinkId { index: u32::try_from(self.serial).unwrap(), generation: 1 };
        self.links.push(Link { shard, id, far: Far::Smsc(smsc, connection) });
        let listener = ListenerId(u16::try_from(self.sip_listeners + smsc).unwrap());
        self.shards[shard].on_accepted(self.now, id, listener, from.parse().unwrap());
        self.smscs[smsc].outbind(self.now.moment, connection, password);
        while self.drain_shards() {}
    }

    /// Octets arrive on a connection that a peer opened.
    pub fn tcp_send(&mut self, place: usize, bytes: &[u8]) {
        let link = self.links.iter().find(|link| link.far == Far::Peer(place)).expect("an open connection");
        let (shard, id) = (link.shard, link.id);
        self.shards[shard].on_stream(self.now, id, Bytes::copy_from_slice(bytes));
        while self.drain_shards() {}
    }

    /// The peer closes its connection.
    pub fn tcp_close(&mut self, place: usize) {
        let at = self.links.iter().position(|link| link.far == Far::Peer(place)).expect("an open connection");
        self.cut(at);
        while self.drain_shards() {}
    }

    /// A datagram reaches any core; the core that owns its Call-ID gets it.
    fn datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        let cores = self.shards.len() as u64;
        let at = self.arrive_at.unwrap_or_else(|| usize::try_from(self.random.below(cores)).unwrap());
        let owner = usize::from(self.shards[at].owner_of(bytes).0);
        self.handoffs += u64::from(owner != at);
        self.shards[owner].on_datagram(self.now, ListenerId(0), from, bytes);
    }

    fn far_ends(&mut self) {
        while let Some(bytes) = self.cpm.poll(self.now.moment) {
            let from = self.cpm.address;
            self.fly(|bytes| Flying::ToGateway { from, bytes }, bytes);
        }
        for smsc in 0..self.smscs.len() {
            while let Some((connection, bytes)) = self.smscs[smsc].poll(self.now.moment) {
                if let Some(at) = self.links.iter().position(|link| link.far == Far::Smsc(smsc, connection)) {
                    let (shard, id) = (self.links[at].shard, self.links[at].id);
                    self.shards[shard].on_stream(self.now, id, Bytes::from(bytes));
                }
            }
        }
    }

    fn fly(&mut self, what: impl Fn(Vec<u8>) -> Flying, bytes: Vec<u8>) {
        let copies = if self.random.below(100) < self.weather.lose_percent {
            0
        } else {
            1 + u64::from(self.random.below(100) < self.weather.double_percent)
        };
        for _ in 0..copies {
            let jitter = u64::try_from(self.weather.jitter.as_micros()).unwrap();
            let at = self.now.moment.0 + 1000 + if jitter == 0 { 0 } else { self.random.below(jitter) };
            self.serial += 1;
            self.flying.insert((at, self.serial), what(bytes.clone()));
        }
    }

    fn drain_shards(&mut self) -> bool {
        let mut busy = false;
        for at in 0..self.shards.len() {
            while let Some(transmit) = self.shards[at].poll_transmit() {
                busy = true;
                self.transmit(at, transmit);
            }
            while let Some(event) = self.shards[at].poll_event() {
                self.events.push(event);
            }
            while let Some((to, handoff)) = self.shards[at].poll_handoff() {
                busy = true;
                let from = ShardId(u16::try_from(at).unwrap());
                self.shards[usize::from(to.0)].on_handoff(self.now, from, handoff);
            }
        }
        busy
    }

    fn transmit(&mut self, shard: usize, transmit: Transmit) {
        match transmit {
            Transmit::Datagram { peer, bytes, .. } => {
                if peer == self.cpm.address && !(self.sessions_apart && is_of_session(&bytes)) {
                    self.fly(|bytes| Flying::ToCpm { bytes }, bytes);
                } else {
                    self.strays.push((peer, bytes));
                }
            }
            Transmit::Stream { link, bytes } => self.stream(shard, link, bytes),
            Transmit::Connect { order, peer } => self.connect(shard, order, peer),
            Transmit::Close { link } => self.close(shard, link),
            Transmit::Watch { .. } => {}
            Transmit::Record { record, octets } => self.writing.push((shard, record, Some(octets))),
            Transmit::Forget { record } => self.writing.push((shard, record, None)),
            Transmit::Resolve { query, name, kind } => {
                let known = self.zone.iter().find(|(known, of, _)| *known == name && *of == kind);
                let records = known.map(|(.., records)| records.clone()).unwrap_or_default();
                self.questions += 1;
                self.shards[shard].on_resolved(self.now, query, &records, 300);
            }
        }
    }

    fn connect(&mut self, shard: usize, order: ConnectId, peer: SocketAddr) {
        let far = if peer == self.cpm.address {
            self.cpm_accepts_tcp.then_some(Far::Cpm)
        } else if !peer.ip().to_string().starts_with("203.0.113.") {
            self.dials.push(peer);
            let takes = self.accept_dials && !self.unreachable.contains(&peer);
            takes.then(|| {
                let mail = MMSC.parse() == Ok(peer);
                self.tcp.push(Tcp { dialled: Some(peer), mail, ..Tcp::default() });
                Far::Peer(self.tcp.len() - 1)
            })
        } else {
            let IpNumber(number) = IpNumber::of(peer);
            let smsc = usize::from(number) - 1;
            self.listening[smsc].then(|| Far::Smsc(smsc, self.smscs[smsc].connect()))
        };
        let Some(far) = far else { return self.shards[shard].on_connect_failed(self.now, order) };
        self.serial += 1;
        let id = LinkId { index: u32::try_from(self.serial).unwrap(), generation: 1 };
        self.links.push(Link { shard, id, far });
        self.shards[shard].on_connected(self.now, id, order, peer);
    }

    fn stream(&mut self, shard: usize, link: LinkId, bytes: Vec<u8>) {
        let Some(at) = self.links.iter().position(|known| known.shard == shard && known.id == link) else { return };
        match self.links[at].far {
            Far::Smsc(smsc, connection) => {
                if !self.smscs[smsc].on_bytes(self.now.moment, connection, &bytes) {
                    self.cut(at);
                }
            }
            Far::Peer(place) => {
                let len = bytes.len();
                self.tcp[place].writes.push(bytes);
                self.shards[shard].on_written(self.now, link, len);
            }
            Far::Cpm => {
                self.writes += 1;
                if self.cut_cpm_every > 0 && self.writes.is_multiple_of(self.cut_cpm_every) {
                    return self.cut(at);
                }
                if self.sessions_apart && is_of_session(&bytes) {
                    return self.strays.push((self.cpm.address, bytes));
                }
                self.tcp_to_cpm.extend_from_slice(&bytes);
                if self.sessions_apart && is_of_session(&bytes) {
                    return self.strays.push((self.cpm.address, bytes));
                }
                self.cpm.on_datagram(self.now.moment, &bytes);
                while let Some(answer) = self.cpm.poll(self.now.moment) {
                    self.shards[shard].on_stream(self.now, link, Bytes::from(answer));
                }
            }
        }
    }

    /// Breaks a connection.
    fn cut(&mut self, at: usize) {
        let link = self.links.remove(at);
        match link.far {
            Far::Smsc(smsc, connection) => self.smscs[smsc].closed(self.now.moment, connection),
            Far::Peer(place) => self.tcp[place].closed = true,
            Far::Cpm => {}
        }
        self.shards[link.shard].on_closed(self.now, link.id);
    }

    /// The SM-SC dies: its connections break and no new ones are taken until `revive`.
    pub fn kill_smsc(&mut self, smsc: usize) {
        self.listening[smsc] = false;
        while let Some(at) = self.links.iter().position(|link| matches!(link.far, Far::Smsc(of, _) if of == smsc)) {
            self.cut(at);
        }
    }

    /// Breaks the SM-SC's first connection; it takes new ones.
    pub fn cut_smsc(&mut self, smsc: usize) {
        if let Some(at) = self.links.iter().position(|link| matches!(link.far, Far::Smsc(of, _) if of == smsc)) {
            self.cut(at);
        }
    }

    /// Every core stops taking new work.
    pub fn drain(&mut self) {
        for at in 0..self.shards.len() {
            self.shards[at].drain(self.now);
        }
    }

    /// Whether every core has finished.
    pub fn is_drained(&self) -> bool {
        self.shards.iter().all(Shard::is_drained)
    }

    /// The disk has done all that was ordered, and has dropped what is of no use any more.
    pub fn write_records(&mut self) {
        let now_s = self.now.unix_ms / 1_000;
        self.disk.retain(|record, _| u64::from(record.expires_s) >= now_s);
        for (shard, record, octets) in std::mem::take(&mut self.writing) {
            match octets {
                Some(octets) => drop(self.disk.insert(record, octets)),
                None => drop(self.disk.remove(&record)),
            }
            self.written[shard] += 1;
            self.shards[shard].on_recorded(self.now, self.written[shard]);
        }
    }

    /// The process dies, and a new one of so many cores comes up: all connections break, what was not written is lost.
    pub fn crash(&mut self, shards: u16) {
        while !self.links.is_empty() {
            self.cut(0);
        }
        self.writing.clear();
        self.written = vec![0; usize::from(shards)];
        self.run += 1;
        let settings = Settings { run: self.run, ..self.settings.clone() };
        // Entropy of its own: what it mints must not be what was minted before.
        let seed = self.seed.wrapping_add(u8::try_from(self.run * 37 % 251).unwrap());
        self.shards = make_shards(seed, shards, &settings);
        let kept: Vec<_> = self.disk.iter().map(|(record, octets)| (*record, octets.clone())).collect();
        for shard in &mut self.shards {
            shard.restore(self.now, &kept);
        }
        self.run_for(Duration::from_millis(100));
    }

    /// The SM-SC is back.
    pub fn revive_smsc(&mut self, smsc: usize) {
        self.listening[smsc] = true;
    }

    fn close(&mut self, shard: usize, link: LinkId) {
        if let Some(at) = self.links.iter().position(|known| known.shard == shard && known.id == link) {
            self.cut(at);
        }
    }
}

/// Anything but a MESSAGE and what answers one.
fn is_of_session(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| line.strip_prefix("CSeq: ")).is_some_and(|cseq| !cseq.ends_with(" MESSAGE"))
}

/// The last octet of an IPv4 address.
struct IpNumber(u8);

impl IpNumber {
    fn of(peer: SocketAddr) -> IpNumber {
        match peer {
            SocketAddr::V4(v4) => IpNumber(v4.ip().octets()[3]),
            SocketAddr::V6(_) => panic!("the simulation is IPv4"),
        }
    }
}
