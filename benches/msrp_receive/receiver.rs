//! The receiving world: drops what comes, or has it framed and reassembled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use isthmus::engine::msrp::{Accept, Budget, Config, Event, Framed, Framer, Role, Session, Settings};
use isthmus::engine::transport::{ConnectId, LinkId, ListenerId, QueryId, Record, ShardId, Transmit};
use isthmus::engine::{Moment, Now, Random};
use isthmus::observe::Snapshot;
use isthmus::shell::World;

use crate::peer::{LOCAL_PATH, PEER_PATH};

#[derive(Clone, Copy)]
pub enum Task {
    Drop,
    Reassemble { responses: bool },
}

pub struct Receiver {
    task: Task,
    framer: Framer,
    session: Session,
    random: Random,
    transmits: Vec<Transmit>,
    spare: Vec<Vec<u8>>,
    octets: Arc<AtomicU64>,
    draining: bool,
}

impl Receiver {
    pub fn new(task: Task, octets: Arc<AtomicU64>) -> Receiver {
        let config = Config {
            local_path: LOCAL_PATH.as_bytes().into(),
            peer_path: PEER_PATH.as_bytes().into(),
            role: Role::Passive,
            accept: Accept::ANY,
            settings: Settings::default(),
        };
        let session = Session::new(config, &Budget::new(64 << 20));
        let (random, transmits, spare) = (Random::from_seed([7; 32]), Vec::new(), Vec::new());
        Receiver { task, framer: Framer::new(), session, random, transmits, spare, octets, draining: false }
    }

    fn reassemble(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        self.framer.push(now.moment, bytes);
        loop {
            match self.framer.next_piece() {
                Framed::Piece(piece) => self.session.handle_piece(now, piece),
                Framed::Nothing => break,
                Framed::Broken(why) => panic!("{why:?}"),
            }
        }
        self.settle(now, link);
    }

    fn settle(&mut self, now: Now, link: LinkId) {
        while let Some(event) = self.session.poll_event() {
            if let Event::Received { incoming, .. } = event {
                self.session.respond(incoming, 200);
            }
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        while self.session.poll_transmit(now, &mut self.random, &mut bytes) {}
        if bytes.is_empty() {
            self.spare.push(bytes);
        } else {
            self.transmits.push(Transmit::Stream { link, bytes });
        }
    }
}

impl World for Receiver {
    type Handoff = ();
    type Event = ();

    fn owner_of(&self, _datagram: &[u8]) -> ShardId {
        ShardId(0)
    }
    fn on_datagram(&mut self, _now: Now, _listener: ListenerId, _peer: SocketAddr, _bytes: &[u8]) {}
    fn on_accepted(&mut self, now: Now, link: LinkId, _listener: ListenerId, _peer: SocketAddr) {
        if let Task::Reassemble { .. } = self.task {
            self.transmits.push(Transmit::Watch { link });
            self.session.handle_bound(now);
        }
    }
    fn on_connected(&mut self, _now: Now, _link: LinkId, _order: ConnectId, _peer: SocketAddr) {}
    fn on_connect_failed(&mut self, _now: Now, _order: ConnectId) {}
    fn on_stream(&mut self, now: Now, link: LinkId, bytes: Bytes) {
        let len = bytes.len() as u64;
        match self.task {
            Task::Drop => drop(bytes),
            Task::Reassemble { .. } => self.reassemble(now, link, bytes),
        }
        self.octets.fetch_add(len, Ordering::Release);
    }
    fn on_written(&mut self, now: Now, link: LinkId, bytes: usize) {
        self.session.handle_room(bytes);
        self.settle(now, link);
    }
    fn on_closed(&mut self, _now: Now, _link: LinkId) {}
    fn on_resolved(&mut self, _now: Now, _query: QueryId, _answers: Vec<Record>) {}
    fn on_handoff(&mut self, _now: Now, _from: ShardId, (): ()) {}
    fn on_tick(&mut self, _now: Now) {}
    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop()
    }
    fn poll_handoff(&mut self) -> Option<(ShardId, ())> {
        None
    }
    fn poll_event(&mut self) -> Option<()> {
        None
    }
    fn poll_timeout(&mut self) -> Option<Moment> {
        None
    }
    fn recycle(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.spare.push(bytes);
    }
    fn drain(&mut self, _now: Now) {
        self.draining = true;
    }
    fn is_drained(&self) -> bool {
        self.draining
    }
    fn is_ready(&self) -> bool {
        true
    }
    fn show(&self, _snapshot: &mut Snapshot) {}
}
