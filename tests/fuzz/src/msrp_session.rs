//! One MSRP session behind its framer, and a peer that does anything: each message of ours is told once, what is received is
//! what the chunks held, whole frames leave, and no bound is passed.

use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::msrp::{
    Accept, Budget, Config, Event, Framed, Framer, Ident, IncomingId, Message, Outgoing, Role, Session, Settings,
};
use isthmus::engine::{Moment, Now, Random};
use isthmus::limits;
use isthmus::wire::msrp::FailureReport;

use super::input::Input;

/// Steps of one run: more of them find nothing that these do not.
const STEPS_MAX: usize = 400;
const BUDGET: usize = 100_000;
const LOCAL: &str = "msrp://g:1/0;tcp";
const PEER: &str = "msrp://p:2/p;tcp";

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.drain();
    }
    world.end();
}

struct World {
    session: Session,
    settings: Settings,
    framer: Framer,
    broken: bool,
    budget: Budget,
    random: Random,
    now: Now,
    bound: bool,
    /// Every chunk so far held what it should.
    truthful: bool,
    tokens: u64,
    outcomes: Vec<u64>,
    incoming: Vec<IncomingId>,
    sent: Vec<Vec<u8>>,
}

/// The octet of a message at a place, as truthful chunks have it.
fn octet_at(message: usize, at: usize) -> u8 {
    ((at * 7 + message * 31) % 251).to_le_bytes()[0]
}

impl World {
    fn new(input: &mut Input<'_>) -> World {
        let settings = Settings {
            chunk_bytes: 1 + usize::from(input.u8()) * 12,
            in_flight_bytes: 1 + usize::from(input.u8()) * 40,
            message_bytes_max: 400,
            open_messages_max: 1 + input.below(4),
            sending_max: 5,
            ..Settings::default()
        };
        let budget = Budget::new(BUDGET);
        let config = Config {
            local_path: LOCAL.as_bytes().into(),
            peer_path: PEER.as_bytes().into(),
            role: if input.below(2) == 0 { Role::Passive } else { Role::Active },
            accept: Accept::only(&["text/*"]),
            settings,
        };
        let mut world = World {
            session: Session::new(config, &budget),
            settings,
            framer: Framer::new(),
            broken: false,
            budget,
            random: Random::from_seed([7; 32]),
            now: Now { moment: Moment(1), unix_ms: 0 },
            bound: false,
            truthful: true,
            tokens: 0,
            outcomes: Vec::new(),
            incoming: Vec::new(),
            sent: Vec::new(),
        };
        world.bind();
        world
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=5 => self.chunk(input),
            6 => self.octets(input),
            7 => self.respond(input),
            8 => self.send(input),
            9 => drop(self.session.abort(u64::from(input.u8()))),
            10 | 11 => self.answer(input),
            12 => self.pass(Duration::from_millis(u64::from(input.u16()))),
            13 => self.pass(Duration::from_secs(u64::from(input.u8()))),
            14 => self.unbind(),
            _ if input.u8() == 0xFF => self.session.close(),
            _ => self.bind(),
        }
    }

    /// A chunk whose content is that of its place, whatever its head says.
    fn chunk(&mut self, input: &mut Input<'_>) {
        let (message, how) = (input.below(4), input.u8());
        let (start, len) = (usize::from(input.u8()), input.below(64));
        let end = start + len;
        let shown = |said: bool, number: usize| if said { number.to_string() } else { "*".to_owned() };
        let end_said = shown(how & 1 != 0, end + usize::from(how >> 5 == 7));
        let total = shown(how & 2 != 0, 64 + usize::from(how >> 5 == 6));
        let flag = ['$', '+', '+', '#'][usize::from(how >> 2 & 3)];
        let report = ["yes", "partial", "no", "yes"][usize::from(how >> 4 & 3)];
        let content: Vec<u8> = (start..end).map(|at| octet_at(message, at)).collect();
        let mut octets = format!(
            "MSRP peer SEND\r\nTo-Path: {LOCAL}\r\nFrom-Path: {PEER}\r\nMessage-ID: m{message}\r\nByte-Range: \
             {}-{end_said}/{total}\r\nSuccess-Report: yes\r\nFailure-Report: {report}\r\nContent-Type: text/x\r\n\r\n",
            start + 1
        )
        .into_bytes();
        octets.extend_from_slice(&content);
        octets.extend_from_slice(format!("\r\n-------peer{flag}\r\n").as_bytes());
        let cut = input.below(256).min(octets.len());
        self.give(&octets[..cut]);
        self.give(&octets[cut..]);
    }

    fn octets(&mut self, input: &mut Input<'_>) {
        let octets = input.octets();
        self.truthful &= octets.is_empty();
        self.give(octets);
    }

    fn give(&mut self, octets: &[u8]) {
        if !self.bound || self.broken {
            return;
        }
        self.framer.push(self.now.moment, Bytes::copy_from_slice(octets));
        loop {
            match self.framer.next_piece() {
                Framed::Piece(piece) => self.session.handle_piece(self.now, piece),
                Framed::Nothing => break,
                Framed::Broken(_) => {
                    self.broken = true;
                    break;
                }
            }
        }
        assert!(self.framer.bytes_held() <= limits::MSRP_HEADER_SECTION_BYTES_MAX);
    }

    fn respond(&mut self, input: &mut Input<'_>) {
        let code = [200, 200, 413, 488][input.below(4)];
        if !self.incoming.is_empty() {
            let which = input.below(256) % self.incoming.len();
            let incoming = self.incoming.swap_remove(which);
            assert!(self.session.respond(incoming, code), "an answer that was owed");
        }
    }

    fn send(&mut self, input: &mut Input<'_>) {
        let (how, len) = (input.u8(), usize::from(input.u8()) * 3);
        let reports = [FailureReport::Yes, FailureReport::Partial, FailureReport::No, FailureReport::Yes];
        let what = Outgoing {
            message_id: Ident::from_slice(b"ours").unwrap_or_default(),
            content_type: b"text/plain".as_slice().into(),
            body: vec![how; len].into(),
            success_report: how & 4 != 0,
            failure_report: reports[usize::from(how & 3)],
        };
        self.tokens += u64::from(self.session.send(self.tokens, what).is_ok());
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        let code = [200, 200, 200, 413, 400, 408, 481, 506][input.below(8)];
        let which = input.below(256);
        if let Some(id) = self.sent.get(which % self.sent.len().max(1)).cloned() {
            let id = String::from_utf8_lossy(&id).into_owned();
            let octets = format!("MSRP {id} {code} x\r\nTo-Path: {LOCAL}\r\nFrom-Path: {PEER}\r\n-------{id}$\r\n");
            self.give(octets.as_bytes());
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        for _ in 0..10_000 {
            let Some((at, _)) = self.session.poll_timeout().filter(|(at, _)| *at <= end.moment) else {
                self.now = end;
                return;
            };
            self.now = self.now.after(at.since(self.now.moment));
            self.session.handle_timeout(self.now);
            self.drain();
        }
        panic!("timers without end");
    }

    fn bind(&mut self) {
        self.unbind();
        (self.framer, self.broken, self.bound) = (Framer::new(), false, true);
        self.session.handle_bound(self.now);
    }

    fn unbind(&mut self) {
        self.bound = false;
        self.session.handle_unbound(self.now);
        self.drain();
        self.incoming.clear();
    }

    fn drain(&mut self) {
        let mut sent = Vec::new();
        self.session.poll_transmit(self.now, &mut self.random, &mut sent);
        self.session.handle_room(sent.len() / 2);
        self.whole_frames(sent);
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Sent { token, .. } => self.outcomes.push(token),
                Event::Received { incoming, message } => self.received(incoming, &message),
                Event::Closed { .. } => self.incoming.clear(),
                _ => {}
            }
        }
        self.within_bounds();
    }

    fn received(&mut self, incoming: IncomingId, message: &Message) {
        self.incoming.push(incoming);
        let mut content = Vec::new();
        message.copy_to(&mut content);
        assert_eq!(content.len(), message.len());
        if let (true, [b'm', number]) = (self.truthful, &*message.message_id) {
            let number = usize::from(number - b'0');
            assert!(content.iter().enumerate().all(|(at, octet)| *octet == octet_at(number, at)));
        }
    }

    fn within_bounds(&self) {
        let (incoming, outgoing) = self.session.open_messages();
        assert!(incoming <= self.settings.open_messages_max && outgoing <= self.settings.sending_max);
        assert!(self.session.bytes_held() <= self.settings.message_bytes_max * incoming as u64);
        assert!(self.budget.left() <= BUDGET);
    }

    fn whole_frames(&mut self, sent: Vec<u8>) {
        let mut framer = Framer::new();
        framer.push(self.now.moment, sent.into());
        loop {
            match framer.next_piece() {
                Framed::Piece(piece) if piece.end().is_some() => {
                    let (section, head) = piece.head().unwrap();
                    assert_eq!(head.flaw(), None);
                    self.sent.push(head.transaction_id(section).to_vec());
                }
                Framed::Nothing => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(framer.bytes_held(), 0);
        self.sent.drain(..self.sent.len().saturating_sub(64));
    }

    fn end(mut self) {
        self.session.close();
        self.drain();
        assert_eq!((self.session.open_messages(), self.session.poll_timeout()), ((0, 0), None));
        assert_eq!(self.budget.left(), BUDGET);
        self.outcomes.sort_unstable();
        assert_eq!(self.outcomes, (0..self.tokens).collect::<Vec<u64>>(), "each message is told once");
    }
}
