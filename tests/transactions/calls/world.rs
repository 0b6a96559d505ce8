//! Two ends and the network between them, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::calls::{Calls, Config, DialogKey, Event, Heard, Invite, Turn};
use isthmus::engine::sip::session_timer::Terms;
use isthmus::engine::sip::{Body, FirstRequest, NextHop, Reach, ResponseRoute, SentBy, Target};
use isthmus::engine::transport::{LinkId, LinkRef, ListenerId, Road, ShardId, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer, check};

pub(super) const MS: u64 = 1_000;
/// The caller and the callee.
pub(super) const A: usize = 0;
pub(super) const B: usize = 1;

pub(super) struct End {
    pub(super) calls: Calls,
    pub(super) random: Random,
    pub(super) hop: Option<NextHop>,
    pub(super) heard: Vec<Heard>,
    pub(super) events: Vec<Event>,
}

pub(super) fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + u8::try_from(end).unwrap()], 5060))
}

fn sdp_of(version: u32) -> Vec<u8> {
    format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.1\r\ns=-\r\n").into_bytes()
}

pub(super) fn sdp(octets: &[u8]) -> Body<'_> {
    Body { content_type: b"application/sdp", octets }
}

/// When the copies of a message arrive, in milliseconds: one in six never does, one in twenty twice.
fn noisy(random: &mut Random) -> Vec<u64> {
    let copies = match random.below(60) {
        0..10 => 0,
        10..13 => 2,
        _ => 1,
    };
    (0..copies).map(|_| 1 + random.below(400)).collect()
}

/// One message in twenty has an octet that it did not leave with.
fn corrupted(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    if random.below(20) == 0 {
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[at] = b" \r\n0;<>\"x,"[usize::try_from(random.below(10)).unwrap()];
    }
    bytes
}

fn trusts(address: IpAddr) -> bool {
    address.to_string().starts_with("192.0.2.")
}

impl End {
    fn new(end: usize, config: impl FnOnce(&mut Config)) -> End {
        let (own, other) = (address(end), address(1 - end));
        let sent_by = SentBy::new(|_, _| own.to_string().into_bytes());
        let mut settings = Config::new(sent_by, format!("<sip:{own}>;x=\"{end}\"").as_bytes());
        config(&mut settings);
        End {
            calls: Calls::new(KeyedHash::new([7, 8]), settings),
            random: Random::from_seed([u8::try_from(end).unwrap(); 32]),
            hop: NextHop::new(format!("sip:{other}").as_bytes(), Reach::ALL),
            heard: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Does something at a time.
    pub(super) fn at<T>(&mut self, now: u64, act: impl FnOnce(&mut Calls, &mut Turn<'_>) -> T) -> T {
        let mut done = None;
        let calls = self.quietly(now, |calls, turn| done = Some(act(calls, turn)));
        let events: Vec<Event> = core::iter::from_fn(|| calls.poll_event()).collect();
        self.events.extend(events);
        done.unwrap()
    }

    /// The same, and leaves what comes of it where it is.
    pub(super) fn quietly(&mut self, now: u64, act: impl FnOnce(&mut Calls, &mut Turn<'_>)) -> &mut Calls {
        let hop = self.hop.as_mut();
        let mut turn = Turn { now: Moment(now), random: &mut self.random, hop, trusts: &trusts };
        act(&mut self.calls, &mut turn);
        &mut self.calls
    }
}

/// What a message is, in one word or two: `INVITE`, `200 INVITE`.
pub(super) fn name_of(bytes: &[u8]) -> String {
    let mut index = Index::new();
    let message = Message::parse(bytes, &mut index).unwrap();
    let method = String::from_utf8(message.cseq().unwrap().method.to_vec()).unwrap();
    if message.is_request() { method } else { format!("{} {method}", message.code()) }
}

pub(super) fn header_of(bytes: &[u8], name: Name) -> Option<String> {
    let mut index = Index::new();
    let message = Message::parse(bytes, &mut index).unwrap();
    message.header(name).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

pub(super) fn body_of(bytes: &[u8]) -> Vec<u8> {
    let mut index = Index::new();
    Message::parse(bytes, &mut index).unwrap().body().to_vec()
}

pub(super) struct World {
    pub(super) now: u64,
    pub(super) ends: [End; 2],
    wire: BTreeMap<(u64, u64), (usize, SocketAddr, Vec<u8>)>,
    /// Everything that left: when in milliseconds, from whom, what.
    pub(super) sent: Vec<(u64, usize, Vec<u8>)>,
    /// Messages that are lost: from whom, which, how many of them.
    losses: Vec<(usize, String, usize)>,
    /// Targets that connections were ordered to.
    pub(super) targets: VecDeque<Target>,
    count: u64,
    /// Loses, doubles and delays messages.
    pub(super) noise: Option<Random>,
    /// Loses everything.
    pub(super) outage: bool,
}

impl World {
    pub(super) fn new() -> World {
        World::with(|_, _| {})
    }

    pub(super) fn with(mut config: impl FnMut(usize, &mut Config)) -> World {
        World {
            now: 0,
            ends: [End::new(A, |settings| config(A, settings)), End::new(B, |settings| config(B, settings))],
            wire: BTreeMap::new(),
            sent: Vec::new(),
            losses: Vec::new(),
            targets: VecDeque::new(),
            count: 0,
            noise: None,
            outage: false,
        }
    }

    /// Session timers of this interval at both ends.
    pub(super) fn with_interval(interval_s: u32) -> World {
        World::with(|_, config| config.terms = Terms { interval_s, min_se_s: 90 })
    }

    /// The next `count` messages of this name from this end are lost.
    pub(super) fn lose(&mut self, from: usize, name: &str, count: usize) {
        self.losses.push((from, name.into(), count));
    }

    pub(super) fn act<T>(&mut self, end: usize, act: impl FnOnce(&mut Calls, &mut Turn<'_>) -> T) -> T {
        let done = self.ends[end].at(self.now, act);
        self.collect(end);
        done
    }

    fn collect(&mut self, end: usize) {
        while let Some((route, bytes)) = self.ends[end].calls.poll_response() {
            match route {
                ResponseRoute::Datagram { peer, .. } => self.post(end, peer, bytes),
                ResponseRoute::Stream { .. } => self.post(end, address(1 - end), bytes),
            }
        }
        while let Some(out) = self.ends[end].calls.poll_request() {
            self.targets.push_back(out.target);
            self.post(end, out.target.peer, out.bytes);
        }
    }

    fn post(&mut self, from: usize, to: SocketAddr, bytes: Vec<u8>) {
        let name = name_of(&bytes);
        self.sent.push((self.now / MS, from, bytes.clone()));
        if let Some(loss) = self.losses.iter_mut().find(|(end, what, left)| *end == from && *what == name && *left > 0)
        {
            loss.2 -= 1;
            return;
        }
        let Some(to) = [A, B].into_iter().find(|&end| address(end) == to && !self.outage) else { return };
        match &mut self.noise {
            None => self.inject(to, bytes),
            Some(random) => {
                for delay_ms in noisy(random) {
                    self.count += 1;
                    let bytes = corrupted(random, bytes.clone());
                    self.wire.insert((self.now + delay_ms * MS, self.count), (to, address(1 - to), bytes));
                }
            }
        }
    }

    /// Puts a message on the wire that arrives 10 ms later.
    pub(super) fn inject(&mut self, to: usize, bytes: Vec<u8>) {
        self.count += 1;
        self.wire.insert((self.now + 10 * MS, self.count), (to, address(1 - to), bytes));
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        let deadlines = self.ends.iter().filter_map(|end| end.calls.deadline().map(|at| at.0));
        deadlines.chain(self.wire.keys().next().map(|key| key.0)).min()
    }

    pub(super) fn run(&mut self, ms: u64) {
        let until = self.now + ms * MS;
        while let Some(at) = self.next().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, from, bytes) = entry.remove();
                self.deliver(to, from, &bytes);
            }
            for end in [A, B] {
                self.act(end, |calls, turn| calls.handle_timeout(turn));
            }
        }
        self.now = until;
    }

    fn deliver(&mut self, to: usize, peer: SocketAddr, bytes: &[u8]) {
        let mut index = Index::new();
        let parsed = Message::parse(bytes, &mut index);
        let fine = |message: &Message<'_>| match message.is_request() {
            true => check::request(message, METHODS).is_ok(),
            false => check::response(message),
        };
        let Some(message) = parsed.ok().filter(fine) else {
            assert!(self.noise.is_some(), "{}", name_of(bytes));
            return;
        };
        let link = LinkRef { shard: ShardId(0), link: LinkId { index: 0, generation: 0 } };
        let stream = message.top_via().unwrap().transport == b"TCP";
        let road = if stream { Road::Stream(link) } else { Road::Datagram(ListenerId(0)) };
        let source = Source { peer, road };
        let heard = self.act(to, |calls, turn| {
            if message.is_request() {
                return Some(calls.handle_request(turn, &message, &source));
            }
            calls.handle_response(turn, &message)
        });
        self.ends[to].heard.extend(heard.filter(|heard| *heard != Heard::Absorbed));
    }

    /// What left this end, in order.
    pub(super) fn names(&self, from: usize) -> Vec<String> {
        self.sent.iter().filter(|(_, end, _)| *end == from).map(|(_, _, bytes)| name_of(bytes)).collect()
    }

    /// When this left this end, in milliseconds.
    pub(super) fn times(&self, from: usize, name: &str) -> Vec<u64> {
        let is = |(_, end, bytes): &&(u64, usize, Vec<u8>)| *end == from && name_of(bytes) == name;
        self.sent.iter().filter(is).map(|(at, ..)| *at).collect()
    }

    /// The last of this name that left this end.
    pub(super) fn last(&self, from: usize, name: &str) -> Vec<u8> {
        let is = |(_, end, bytes): &&(u64, usize, Vec<u8>)| *end == from && name_of(bytes) == name;
        self.sent.iter().rev().find(is).unwrap_or_else(|| panic!("no {name}")).2.clone()
    }

    /// Nothing is left anywhere: no session, no transaction, no timer.
    pub(super) fn is_empty(&self) -> bool {
        let left = |end: &End| end.calls.len() + end.calls.transactions().iter().sum::<usize>();
        self.ends.iter().all(|end| left(end) == 0 && end.calls.deadline().is_none())
    }

    /// Runs until that must be so.
    pub(super) fn runs_empty(&mut self) -> bool {
        self.run(4_000_000);
        self.is_empty()
    }

    /// What left this end last, changed, with another branch.
    pub(super) fn changed(&self, from: usize, name: &str, changes: &[(&str, &str)]) -> Vec<u8> {
        let mut text = String::from_utf8(self.last(from, name)).unwrap();
        text = text.replace("branch=z9hG4bK", &format!("branch=z9hG4bK{}", self.sent.len()));
        for (what, with) in changes {
            assert!(text.contains(what), "{what} in {text}");
            text = text.replace(what, with);
        }
        text.into_bytes()
    }

    /// Forgets everything at one end, as a restart does.
    pub(super) fn restart(&mut self, end: usize) {
        self.ends[end] = End::new(end, |_| {});
    }

    /// A response to what left this end last under this name, by a peer that has no dialog for it.
    pub(super) fn refused(&self, to: usize, name: &str, status: &str, headers: &str) -> Vec<u8> {
        let request = String::from_utf8(self.last(to, name)).unwrap();
        let copied = |line: &&str| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name));
        let lines: String = request.lines().filter(copied).map(|line| format!("{line}\r\n")).collect();
        format!("SIP/2.0 {status}\r\n{lines}{headers}Content-Length: 0\r\n\r\n").into_bytes()
    }

    /// A sends an INVITE.
    pub(super) fn invite(&mut self) -> DialogKey {
        self.invite_with(|headers| headers.header(Name::Subject, b"hello"))
    }

    pub(super) fn invite_with(&mut self, headers: impl FnOnce(&mut Writer<'_>)) -> DialogKey {
        let (call_id, offer) = (format!("call{}@192.0.2.1", self.count), sdp_of(1));
        self.act(A, |calls, turn| {
            let first = FirstRequest {
                request_uri: b"sip:b@gw.example",
                from: b"<sip:a@gw.example>",
                to: b"<sip:b@gw.example>",
                call_id: call_id.as_bytes(),
                contact: b"",
            };
            let invite = Invite { first, offer: sdp(&offer), user: 42 };
            calls.invite(turn, &invite, headers).unwrap()
        })
    }

    /// B has been invited.
    pub(super) fn invited(&self) -> DialogKey {
        let invited = self.ends[B].heard.iter().rev().find_map(|heard| match heard {
            Heard::Invited { dialog } => Some(*dialog),
            _ => None,
        });
        invited.unwrap()
    }

    pub(super) fn accept(&mut self, dialog: DialogKey) -> bool {
        self.act(B, |calls, turn| calls.accept(turn, dialog, sdp(&sdp_of(1)), |_| {}))
    }

    /// A session between both: its keys there.
    pub(super) fn session(&mut self) -> [DialogKey; 2] {
        let a = self.invite();
        self.run(20);
        let b = self.invited();
        assert!(self.accept(b));
        self.run(100);
        [a, b]
    }

    pub(super) fn offer(&mut self, end: usize, dialog: DialogKey, version: u32) -> bool {
        self.act(end, |calls, turn| calls.offer(turn, dialog, sdp(&sdp_of(version))))
    }

    pub(super) fn answer(&mut self, end: usize, dialog: DialogKey) -> bool {
        self.act(end, |calls, turn| calls.answer(turn, dialog, Some(sdp(&sdp_of(9))), |_| {}))
    }
}

const METHODS: &[&[u8]] =
    &[b"INVITE", b"ACK", b"CANCEL", b"BYE", b"OPTIONS", b"UPDATE", b"PRACK", b"INFO", b"MESSAGE", b"STRANGE"];
