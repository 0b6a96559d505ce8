//! One core: a shard, its end of the queues, and the peers on either side of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use crossbeam::utils::CachePadded;
use isthmus::engine::transport::{LinkId, ListenerId, ShardId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::queue::Post;
use isthmus::shard::Shard;
use isthmus::shard::handoff::Handoff;
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings, SmscSettings};
use isthmus::wire::smpp::Header;

use crate::Progress;
use crate::answer::answer;
use crate::request::Request;

/// Requests that enter in a turn.
const BATCH: usize = 16;
/// Requests of a core that were handed over and not taken yet, at most.
const WINDOW: usize = 512;
/// Values taken from the other core in a turn.
const TAKEN_MAX: usize = 256;
/// Time goes by this fast, so that transactions end as they would.
const PACE: Duration = Duration::from_millis(200);
const CPM: &str = "192.0.2.1:5070";

/// What crosses.
pub enum Parcel {
    Datagram(Vec<u8>),
    Handoff(Handoff),
}

pub struct Core {
    number: usize,
    shard: Shard,
    post: Post<Parcel>,
    progress: Arc<[CachePadded<Progress>]>,
    now: Now,
    cpm: SocketAddr,
    request: Request,
    octets: Vec<u8>,
    sent: usize,
    handed_over: usize,
    submits: u64,
    /// Messages that all cores together have been asked for.
    goal: usize,
}

fn settings(number: usize, cores: usize) -> Settings {
    let listener = |transport| Listener { transport, local: "198.51.100.1:5060".parse().unwrap() };
    let mut seed = [0; 32];
    seed[0] = u8::try_from(number).unwrap();
    Settings {
        id: ShardId(u16::try_from(number).unwrap()),
        shards: u16::try_from(cores).unwrap(),
        seed,
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{CPM}"),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs: vec![SmscSettings {
            name: "smsc".into(),
            binds: u16::try_from(cores).unwrap(),
            ..SmscSettings::default()
        }],
        ..Settings::default()
    }
}

impl Core {
    pub fn new(number: usize, cores: usize, post: Post<Parcel>, progress: Arc<[CachePadded<Progress>]>) -> Core {
        let cpm: SocketAddr = CPM.parse().unwrap();
        Core {
            number,
            shard: Shard::new(settings(number, cores)),
            post,
            progress,
            now: Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 },
            cpm,
            request: Request::from(SocketAddr::new(cpm.ip(), 5070 + u16::try_from(number).unwrap()), false),
            octets: Vec::new(),
            sent: 0,
            handed_over: 0,
            submits: 0,
            goal: 0,
        }
    }

    pub fn handed_over(&self) -> usize {
        self.handed_over
    }

    /// Takes `messages` requests in, and goes on until every core has finished as many.
    pub fn work(&mut self, messages: usize) {
        self.goal += messages * self.progress.len();
        let until = self.sent + messages;
        self.shard.on_tick(self.now);
        self.settle();
        while self.sum() < self.goal {
            let took = self.take() + self.enter(until);
            let finished = self.settle();
            self.post.wake(|_| {});
            self.pass_time(finished);
            if took == 0 {
                thread::yield_now();
            }
        }
    }

    fn sum(&self) -> usize {
        self.progress.iter().map(|core| core.finished.load(Ordering::Acquire)).sum()
    }

    /// From the other core.
    fn take(&mut self) -> usize {
        let (mut took, mut datagrams) = (0, 0);
        while took < TAKEN_MAX
            && let Some((from, parcel)) = self.post.take()
        {
            took += 1;
            match parcel {
                Parcel::Datagram(bytes) => {
                    datagrams += 1;
                    self.shard.on_datagram(self.now, ListenerId(0), self.cpm, &bytes);
                }
                Parcel::Handoff(handoff) => {
                    self.shard.on_handoff(self.now, ShardId(u16::try_from(from).unwrap()), handoff);
                }
            }
        }
        Progress::add(&self.progress[self.number].taken, datagrams);
        took
    }

    /// From the CPM side.
    fn enter(&mut self, until: usize) -> usize {
        let taken: usize = self.progress.iter().map(|core| core.taken.load(Ordering::Acquire)).sum();
        // With two cores, what the other has taken is what this one handed over.
        let taken = taken - self.progress[self.number].taken.load(Ordering::Relaxed);
        let mut entered = 0;
        while entered < BATCH && self.sent < until && self.handed_over - taken < WINDOW && self.shard.is_ready() {
            entered += 1;
            self.sent += 1;
            self.one();
        }
        entered
    }

    fn one(&mut self) {
        let datagram = self.request.numbered(self.sent);
        let owner = usize::from(self.shard.owner_of(datagram).0);
        if owner == self.number {
            return self.shard.on_datagram(self.now, ListenerId(0), self.cpm, datagram);
        }
        self.handed_over += 1;
        let refused = self.post.send(owner, Parcel::Datagram(datagram.to_vec())).is_err();
        assert!(!refused, "the window is smaller than the queue");
    }

    /// Carries out what the shard orders until it orders nothing: how many messages that finished.
    fn settle(&mut self) -> usize {
        let mut finished = 0;
        loop {
            while let Some((to, handoff)) = self.shard.poll_handoff() {
                let sent = self.post.send(usize::from(to.0), Parcel::Handoff(handoff));
                assert!(sent.is_ok(), "few cross");
            }
            match self.shard.poll_transmit() {
                Some(Transmit::Datagram { bytes, .. }) => {
                    assert!(bytes.starts_with(b"SIP/2.0 202"), "{}", String::from_utf8_lossy(&bytes));
                    finished += 1;
                    self.shard.recycle(bytes);
                }
                Some(Transmit::Stream { link, bytes }) => {
                    self.smsc(link, &bytes);
                    self.shard.recycle(bytes);
                }
                Some(Transmit::Connect { order, peer }) => {
                    let link = LinkId { index: 1, generation: 1 };
                    self.shard.on_connected(self.now, link, order, peer);
                }
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
        while self.shard.poll_event().is_some() {}
        Progress::add(&self.progress[self.number].finished, finished);
        finished
    }

    /// The SM-SC responds at once.
    fn smsc(&mut self, link: LinkId, mut pdus: &[u8]) {
        self.octets.clear();
        while let Some(header) = Header::parse(pdus) {
            self.submits += 1;
            answer(header, self.submits, &mut self.octets);
            pdus = &pdus[usize::try_from(header.command_length).unwrap()..];
        }
        self.shard.on_stream(self.now, link, Bytes::from_owner(self.octets.clone()));
    }

    fn pass_time(&mut self, messages: usize) {
        self.now = self.now.after(PACE * u32::try_from(messages).unwrap());
        if self.shard.poll_timeout().is_some_and(|due| due <= self.now.moment) {
            self.shard.on_tick(self.now);
            self.settle();
        }
    }
}
