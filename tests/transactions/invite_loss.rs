//! An INVITE client and an INVITE server over a network that loses, delays, repeats and reorders what it carries: both ends
//! come to the same end, and nothing stays.

use std::collections::{BTreeMap, VecDeque};

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::client_invite::Heard;
use isthmus::engine::sip::{
    Arrived, ClientInvite, InviteEvent, InviteId, SentBy, ServerEvent, ServerInvite, ServerNonInvite, Target,
    TransactionId,
};
use isthmus::engine::transport::{ListenerId, Road, Source, Transport};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};

const MS: u64 = 1_000;
const SECOND: u64 = 1_000 * MS;

/// What the users want: the callee's answer and when it comes, and when the caller cancels.
#[derive(Clone, Copy, Debug)]
struct Story {
    seed: u64,
    loss_percent: u64,
    code: u16,
    answer_at: u64,
    cancel_at: Option<u64>,
}

/// How the ends saw it end.
#[derive(Debug, Default, PartialEq, Eq)]
struct End {
    heard: Option<u16>,
    failed: bool,
    answered: Option<u16>,
    acknowledged: bool,
    no_ack: Option<u16>,
}

enum Packet {
    ToServer(Vec<u8>),
    ToClient(Vec<u8>),
}

struct World {
    now: u64,
    story: Story,
    network: Random,
    random: Random,
    client: ClientInvite,
    invite: Option<InviteId>,
    server: ServerInvite,
    others: ServerNonInvite,
    incoming: Option<TransactionId>,
    under_way: BTreeMap<(u64, u64), Packet>,
    number: u64,
    end: End,
}

fn seeded(seed: u64, what: u8) -> Random {
    let mut octets = [what; 32];
    octets[..8].copy_from_slice(&seed.to_be_bytes());
    Random::from_seed(octets)
}

fn source() -> Source {
    Source { peer: "192.0.2.1:5060".parse().unwrap(), road: Road::Datagram(ListenerId(0)) }
}

fn peer() -> Target {
    Target { transport: Transport::Udp, peer: "192.0.2.2:5060".parse().unwrap() }
}

fn write_request(method: &[u8], to_tag: &[u8], out: &mut Vec<u8>) {
    let mut writer = Writer::request(out, method, b"sip:b@192.0.2.2");
    writer.header(Name::From, b"<sip:a@192.0.2.1>;tag=f");
    writer.header_parts(Name::To, &[b"<sip:b@192.0.2.2>", to_tag]);
    writer.header(Name::CallId, b"c@d");
    writer.header_parts(Name::CSeq, &[b"1 ", method]);
    writer.end();
}

impl World {
    fn new(story: Story) -> World {
        let sent_by = SentBy::new(|_, _| b"192.0.2.1:5060".to_vec());
        let mut world = World {
            now: 0,
            story,
            network: seeded(story.seed, 1),
            random: seeded(story.seed, 2),
            client: ClientInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300),
            invite: None,
            server: ServerInvite::new(KeyedHash::new([3, 4])),
            others: ServerNonInvite::new(KeyedHash::new([3, 4])),
            incoming: None,
            under_way: BTreeMap::new(),
            number: 0,
            end: End::default(),
        };
        let write = |out: &mut Vec<u8>| write_request(b"INVITE", b"", out);
        world.invite = world.client.send(Moment(0), 7, &[peer()], &mut world.random, write);
        world
    }

    fn carry(&mut self, make: impl Fn() -> Packet) {
        let copies = if self.network.below(20) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            if self.network.below(100) >= self.story.loss_percent {
                let at = self.now + (5 + self.network.below(80)) * MS;
                self.number += 1;
                self.under_way.insert((at, self.number), make());
            }
        }
    }

    fn drain(&mut self) {
        while let Some(out) = self.client.poll_transmit() {
            self.carry(|| Packet::ToServer(out.bytes.clone()));
        }
        let mut responses: VecDeque<Vec<u8>> = VecDeque::new();
        responses.extend(std::iter::from_fn(|| self.server.poll_transmit()).map(|(_, bytes)| bytes));
        responses.extend(std::iter::from_fn(|| self.others.poll_transmit()).map(|(_, bytes)| bytes));
        for bytes in responses {
            self.carry(|| Packet::ToClient(bytes.clone()));
        }
        while let Some(InviteEvent::Failed { token: 7 }) = self.client.poll_event() {
            assert!(!self.end.failed && self.end.heard.is_none(), "{:?}", self.story);
            self.end.failed = true;
        }
        while let Some(event) = self.server.poll_event() {
            let ServerEvent::NoAck { code, .. } = event else { panic!("{event:?} {:?}", self.story) };
            assert_eq!(self.end.no_ack.replace(code), None);
        }
    }

    fn at_server(&mut self, bytes: &[u8]) {
        let (mut index, now) = (Index::new(), Moment(self.now));
        let message = Message::parse(bytes, &mut index).unwrap();
        match message.method() {
            b"INVITE" => {
                if let Arrived::New(id) = self.server.handle_request(now, &message, &source(), &mut self.random) {
                    assert_eq!(self.incoming.replace(id), None, "one INVITE, one transaction: {:?}", self.story);
                    self.server.respond(now, id, 180, "Ringing", None, |_| {});
                }
            }
            b"ACK" => {
                let refusal = self.server.handle_ack(now, &message);
                assert!(refusal || self.end.answered == Some(200), "{:?}", self.story);
                if !refusal {
                    self.end.acknowledged = true;
                    self.server.acknowledged(self.incoming.unwrap());
                }
            }
            b"CANCEL" => self.cancel_at_server(now, &message),
            other => panic!("{other:?}"),
        }
    }

    fn cancel_at_server(&mut self, now: Moment, message: &Message<'_>) {
        let found = self.server.find_cancelled(message);
        let Arrived::New(cancel) = self.others.handle_request(now, message, &source(), &mut self.random) else {
            return;
        };
        let code = if found.is_some() { 200 } else { 481 };
        self.others.respond(now, cancel, code, "X", |_| {});
        if found.is_some_and(|id| self.server.respond(now, id, 487, "Request Terminated", None, |_| {})) {
            self.end.answered = Some(487);
        }
    }

    fn at_client(&mut self, bytes: &[u8]) {
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).unwrap();
        match self.client.handle_response(Moment(self.now), &message, &mut self.random) {
            Some(Heard::Success { token: 7, code }) => {
                self.hear(code);
                let tag = message.to().unwrap().tag().unwrap().to_vec();
                let write = |out: &mut Vec<u8>| write_request(b"ACK", &[b";tag=", &tag[..]].concat(), out);
                let id = self.invite.unwrap();
                assert!(self.client.acknowledge(id, &tag, peer(), &mut self.random, write));
            }
            Some(Heard::Failure { token: 7, code }) => self.hear(code),
            Some(Heard::Forked { .. }) => panic!("there is one callee: {:?}", self.story),
            _ => {}
        }
    }

    fn hear(&mut self, code: u16) {
        assert!(!self.end.failed, "{:?}", self.story);
        assert_eq!(self.end.heard.replace(code), None, "told once: {:?}", self.story);
    }

    /// The next moment at which something happens.
    fn next(&self) -> Option<u64> {
        let deadlines = [self.client.deadline(), self.server.deadline(), self.others.deadline()];
        let users =
            [Some(self.story.answer_at), self.story.cancel_at].into_iter().flatten().filter(|&at| at > self.now);
        let timers = deadlines.into_iter().flatten().map(|at| at.0.max(self.now + 1));
        self.under_way.keys().map(|key| key.0.max(self.now + 1)).chain(users).chain(timers).min()
    }

    fn step(&mut self, now: u64) {
        self.now = now;
        let moment = Moment(now);
        if now == self.story.answer_at
            && let Some(id) = self.incoming
            && self.server.respond(moment, id, self.story.code, "X", None, |_| {})
        {
            self.end.answered = Some(self.story.code);
        }
        if Some(now) == self.story.cancel_at {
            self.client.cancel(moment, self.invite.unwrap(), |_| {});
        }
        let later = self.under_way.split_off(&(now + 1, 0));
        for packet in core::mem::replace(&mut self.under_way, later).into_values() {
            match packet {
                Packet::ToServer(bytes) => self.at_server(&bytes),
                Packet::ToClient(bytes) => self.at_client(&bytes),
            }
        }
        self.client.handle_timeout(moment, &mut self.random);
        self.server.handle_timeout(moment);
        self.others.handle_timeout(moment);
        self.drain();
    }

    fn play(mut self) -> End {
        self.drain();
        while let Some(now) = self.next() {
            assert!(now < 4_000 * SECOND, "{:?}", self.story);
            self.step(now);
        }
        assert!(self.client.is_empty() && self.server.is_empty() && self.others.is_empty(), "{:?}", self.story);
        self.end
    }
}

fn pick<'a, T>(of: &'a [T], random: &mut Random) -> &'a T {
    &of[usize::try_from(random.below(of.len() as u64)).unwrap()]
}

fn stories() -> impl Iterator<Item = Story> {
    (0..600).map(|seed| {
        let mut random = seeded(seed, 0);
        Story {
            seed,
            loss_percent: *pick(&[0, 10, 30, 50], &mut random),
            code: *pick(&[200, 200, 486], &mut random),
            // Late enough for the INVITE to have come: one that never comes is another test's matter.
            answer_at: 20 * SECOND + random.below(5_000) * MS,
            cancel_at: (random.below(3) == 0).then(|| random.below(26_000) * MS),
        }
    })
}

#[test]
fn both_ends_come_to_the_same_end() {
    let mut seen = BTreeMap::new();
    for story in stories() {
        let end = World::new(story).play();
        if let Some(heard) = end.heard {
            assert_eq!(Some(heard), end.answered, "{story:?}");
        }
        if let (None, true) = (story.cancel_at, end.answered.is_some()) {
            assert!(story.loss_percent > 30 || end.heard == end.answered, "{story:?}: {end:?}");
        }
        if end.heard == Some(200) && !end.acknowledged {
            assert_eq!(end.no_ack, Some(200), "{story:?}");
        }
        assert!(!(end.acknowledged && end.no_ack.is_some()), "{story:?}: {end:?}");
        if story.loss_percent == 0 {
            assert_eq!((end.failed, end.no_ack), (false, None), "{story:?}: {end:?}");
        }
        *seen.entry((end.heard, end.failed)).or_insert(0) += 1;
    }
    for (heard, failed) in [(Some(200), false), (Some(486), false), (Some(487), false)] {
        assert!(seen.contains_key(&(heard, failed)), "{seen:?}");
    }
}
