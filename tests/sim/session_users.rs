//! CPM users with sessions behind a bad network: SIP over UDP with its retransmissions, MSRP over connections that may be
//! cut. Code of its own, that remembers what was said and what came.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use isthmus::engine::{Moment, Random};

use crate::client::{header, line};
use crate::world::{Weather, World};

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMER_F: Duration = Duration::from_secs(32);
const ADDRESS: &str = "192.0.2.9:5060";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Inviting,
    Open,
    Over,
}

/// A session of one user.
#[derive(Debug)]
pub struct Call {
    pub id: String,
    /// The gateway invited.
    pub theirs: bool,
    pub feature: &'static str,
    pub from: String,
    pub to: String,
    pub stage: Stage,
    /// Final response to our INVITE; 0 is none in time.
    pub code: Option<u16>,
    /// Whether its connection was cut, or it ended while something was under way.
    pub disturbed: bool,
    pub link: Option<usize>,
    local_tag: &'static str,
    remote_tag: String,
    target: String,
    cseq: u32,
    invite_cseq: u32,
    path: String,
    peer_path: String,
    ack: String,
    cancelled: bool,
    /// Frames that wait, those of one message in each queue; connection and rest of one that is half written.
    queues: Vec<VecDeque<Vec<u8>>>,
    incoming: BTreeMap<String, Vec<u8>>,
}

/// A message that was said in a session.
#[derive(Debug)]
pub struct Said {
    pub call: usize,
    pub text: String,
    pub imdn: Option<String>,
    /// The response to its last chunk.
    pub code: Option<u16>,
    /// Whether its last chunk was written.
    pub whole: bool,
    last: String,
}

/// A message that came in a session, content of its MSRP SENDs.
#[derive(Debug)]
pub struct Came {
    pub call: usize,
    pub content: Vec<u8>,
}

#[derive(Debug)]
struct Transaction {
    bytes: String,
    next: Moment,
    interval: Duration,
    until: Moment,
    call: usize,
}

/// The users.
#[derive(Debug)]
pub struct Users {
    pub calls: Vec<Call>,
    pub said: Vec<Said>,
    pub came: Vec<Came>,
    pub weather: Weather,
    /// Of a hundred INVITEs of the gateway, how many are refused 486.
    pub refuse_percent: u64,
    /// Of our requests, by branch and method.
    transactions: BTreeMap<String, Transaction>,
    /// What the gateway's requests were answered, by branch and method.
    answered: BTreeMap<String, String>,
    flying: BTreeMap<(u64, u64), (bool, Vec<u8>)>,
    unframed: Vec<Vec<u8>>,
    /// Answers to SENDs that take their time, and by which connection.
    answers: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    /// An answer takes up to this long.
    pub think: Duration,
    /// Of a hundred INVITEs of the gateway, how many get no answer.
    pub deaf_percent: u64,
    serial: u64,
    random: Random,
}

impl Users {
    pub fn new(seed: u64) -> Users {
        let mut key = [0x5A; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        Users {
            calls: Vec::new(),
            said: Vec::new(),
            came: Vec::new(),
            weather: Weather::default(),
            refuse_percent: 0,
            transactions: BTreeMap::new(),
            answered: BTreeMap::new(),
            flying: BTreeMap::new(),
            unframed: Vec::new(),
            answers: BTreeMap::new(),
            think: Duration::ZERO,
            deaf_percent: 0,
            serial: 0,
            random: Random::from_seed(key),
        }
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound as u64)).unwrap()
    }

    fn id(&mut self, kind: char) -> String {
        self.serial += 1;
        format!("{kind}{:07}", self.serial)
    }

    /// Lets time pass.
    pub fn run_for(&mut self, world: &mut World, time: Duration) {
        let end = world.now.moment + time;
        loop {
            self.hear(world);
            self.speak(world);
            let now = world.now.moment;
            if now >= end {
                return;
            }
            let next = self.deadline().unwrap_or(end).min(end).max(now + Duration::from_micros(100));
            world.run_until(next.since(now), |world| {
                !world.strays.is_empty() || world.tcp.iter().any(|tcp| !tcp.writes.is_empty())
            });
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Moment> {
        let first = |key: Option<&(u64, u64)>| key.map(|(at, _)| Moment(*at));
        let soon = [first(self.flying.keys().next()), first(self.answers.keys().next())];
        soon.into_iter().flatten().chain(self.transactions.values().map(|t| t.next.min(t.until))).min()
    }

    /// Takes in what the gateway has sent.
    pub fn hear(&mut self, world: &mut World) {
        for (_, bytes) in std::mem::take(&mut world.strays) {
            self.fly(world, false, bytes);
        }
        for place in (0..world.tcp.len()).filter(|place| !world.tcp[*place].mail).collect::<Vec<_>>() {
            let writes = std::mem::take(&mut world.tcp[place].writes).concat();
            if !writes.is_empty() {
                self.octets(world, place, &writes);
            }
        }
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= world.now.moment.0) {
            match entry.remove() {
                (true, bytes) => world.datagram_from(ADDRESS, &bytes),
                (false, bytes) => self.datagram(world, &String::from_utf8(bytes).unwrap()),
            }
        }
    }

    /// Does what is due.
    pub fn speak(&mut self, world: &mut World) {
        let now = world.now.moment;
        while let Some(entry) = self.answers.first_entry().filter(|entry| entry.key().0 <= now.0) {
            let (place, bytes) = entry.remove();
            if !world.tcp[place].closed {
                world.tcp_send(place, &bytes);
            }
        }
        let over: Vec<String> =
            self.transactions.iter().filter(|(_, t)| t.until <= now).map(|(key, _)| key.clone()).collect();
        for key in over {
            let transaction = self.transactions.remove(&key).unwrap();
            let call = &mut self.calls[transaction.call];
            if key.ends_with(" INVITE") && call.code.is_none() {
                call.code = Some(0);
            }
            self.over(world, transaction.call);
        }
        let mut again = Vec::new();
        for transaction in self.transactions.values_mut().filter(|t| t.next <= now) {
            transaction.interval = (transaction.interval * 2).min(T2);
            transaction.next = now + transaction.interval;
            again.push(transaction.bytes.clone());
        }
        again.into_iter().for_each(|bytes| self.fly(world, true, bytes.into_bytes()));
    }

    fn fly(&mut self, world: &World, to_gateway: bool, bytes: Vec<u8>) {
        let copies = match self.random.below(100) < self.weather.lose_percent {
            true => 0,
            false => 1 + u64::from(self.random.below(100) < self.weather.double_percent),
        };
        for _ in 0..copies {
            let jitter = u64::try_from(self.weather.jitter.as_micros()).unwrap();
            let at = world.now.moment.0 + 1_000 + if jitter == 0 { 0 } else { self.random.below(jitter) };
            self.serial += 1;
            self.flying.insert((at, self.serial), (to_gateway, bytes.clone()));
        }
    }

    fn sdp(call: &Call, setup: &str) -> String {
        let direction = match (call.feature, call.theirs) {
            (crate::client::LARGE_MESSAGE, false) => "sendonly",
            (crate::client::LARGE_MESSAGE, true) => "recvonly",
            _ => "sendrecv",
        };
        let wrapped = if call.feature == crate::client::LARGE_MESSAGE { "" } else { " message/imdn+xml" };
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=message 7394 TCP/MSRP *\r\n\
             a=accept-types:message/cpim\r\na=accept-wrapped-types:text/plain{wrapped}\r\na=setup:{setup}\r\n\
             a=path:{}\r\na={direction}\r\n",
            call.path
        )
    }

    fn request(call: &Call, method: &str, cseq: u32, uri: &str, headers: &str, body: &str) -> String {
        let (id, from, to) = (&call.id, &call.from, &call.to);
        let dialog = method == "ACK" && call.code.is_some_and(|code| code < 300);
        let branch = match (method, dialog) {
            ("CANCEL" | "ACK", false) => format!("z9hG4bK{id}INVITE{cseq}"),
            _ => format!("z9hG4bK{id}{method}{cseq}"),
        };
        let tag = if call.remote_tag.is_empty() { String::new() } else { format!(";tag={}", call.remote_tag) };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {ADDRESS};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <tel:{from}>;tag={}\r\nTo: <tel:{to}>{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\n{headers}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            call.local_tag,
            body.len()
        )
    }

    fn start(&mut self, world: &World, call: usize, bytes: String) {
        let now = world.now.moment;
        let key = key_of(&bytes);
        self.fly(world, true, bytes.clone().into_bytes());
        let transaction = Transaction { bytes, next: now + T1, interval: T1, until: now + TIMER_F, call };
        self.transactions.insert(key, transaction);
    }

    fn new_call(&mut self, id: String, feature: &'static str, from: &str, to: &str) -> usize {
        let path = format!("msrp://192.0.2.9:7394/s{};tcp", self.calls.len());
        self.calls.push(Call {
            id,
            theirs: false,
            feature,
            from: from.to_owned(),
            to: to.to_owned(),
            stage: Stage::Inviting,
            code: None,
            disturbed: false,
            link: None,
            local_tag: "u1",
            remote_tag: String::new(),
            target: String::new(),
            cseq: 1,
            invite_cseq: 1,
            path,
            peer_path: String::new(),
            ack: String::new(),
            cancelled: false,
            queues: Vec::new(),
            incoming: BTreeMap::new(),
        });
        self.calls.len() - 1
    }

    /// Invites; the place of the call.
    pub fn invite(&mut self, world: &World, feature: &'static str, from: &str, to: &str) -> usize {
        let id = format!("call{}@ue", self.calls.len());
        let at = self.new_call(id.clone(), feature, from, to);
        let headers = format!(
            "Contact: <sip:{ADDRESS}>;+g.3gpp.icsi-ref=\"{feature}\"\r\nP-Asserted-Identity: <tel:{from}>\r\n\
             Accept-Contact: *;+g.3gpp.icsi-ref=\"{feature}\";require;explicit\r\nSupported: timer\r\n\
             Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\nConversation-ID: conv-{id}\r\nContribution-ID: contrib-{id}\r\n"
        );
        let call = &self.calls[at];
        let bytes = Users::request(call, "INVITE", 1, &format!("tel:{to}"), &headers, &Users::sdp(call, "actpass"));
        self.start(world, at, bytes);
        at
    }

    /// BYE, UPDATE, or an INVITE anew with the same description.
    pub fn in_dialog(&mut self, world: &mut World, at: usize, method: &str) {
        let call = &mut self.calls[at];
        if call.stage != Stage::Open {
            return;
        }
        call.cseq += 1;
        let contact = format!("Contact: <sip:{ADDRESS}>\r\nSupported: timer\r\n");
        let body = if method == "INVITE" { Users::sdp(call, "actpass") } else { String::new() };
        let headers = if method == "BYE" { "" } else { &contact };
        let bytes = Users::request(call, method, call.cseq, &call.target, headers, &body);
        if method == "BYE" {
            (call.stage, call.disturbed) = (Stage::Over, true);
        }
        self.start(world, at, bytes);
    }

    pub fn cancel(&mut self, world: &World, at: usize) {
        let call = &mut self.calls[at];
        if call.stage == Stage::Inviting && !call.theirs && !std::mem::replace(&mut call.cancelled, true) {
            let bytes = Users::request(call, "CANCEL", 1, &format!("tel:{}", call.to), "", "");
            self.start(world, at, bytes);
        }
    }

    fn datagram(&mut self, world: &mut World, message: &str) {
        match message.strip_prefix("SIP/2.0 ") {
            Some(rest) => self.response(world, message, rest[..3].parse().unwrap()),
            None => self.requested(world, message),
        }
    }

    fn response(&mut self, world: &mut World, message: &str, code: u16) {
        let key = key_of(message);
        let Some(at) = self.call_of(message) else { return };
        if code < 200 {
            if let Some(transaction) = self.transactions.get_mut(&key) {
                let now = world.now.moment;
                let wait = if key.ends_with(" INVITE") { Duration::from_secs(400) } else { T2 };
                (transaction.next, transaction.interval) = (now + wait, wait);
                transaction.until = transaction.until.max(now + wait);
            }
            return;
        }
        let first = self.transactions.remove(&key).is_some();
        if key.ends_with(" INVITE") {
            return self.invite_answered(world, at, message, code, first);
        }
        if first && (code == 481 || code == 408) {
            self.over(world, at);
        }
    }

    fn invite_answered(&mut self, world: &mut World, at: usize, message: &str, code: u16, first: bool) {
        let cseq: u32 = header(message, "CSeq").unwrap().split(' ').next().unwrap().parse().unwrap();
        let call = &mut self.calls[at];
        if !first && call.ack.is_empty() {
            return;
        }
        let initial = cseq == call.invite_cseq;
        if initial && call.code.is_none() {
            call.code = Some(code);
            call.remote_tag = tag_of(&header(message, "To").unwrap());
        }
        let saved = call.code;
        call.code = Some(code);
        let uri = if code < 300 { target_of(message) } else { format!("tel:{}", call.to) };
        call.ack = Users::request(call, "ACK", cseq, &uri, "", "");
        call.code = saved;
        let ack = call.ack.clone().into_bytes();
        if initial && first && code < 300 {
            call.stage = Stage::Open;
            call.target = target_of(message);
            call.peer_path = line(message, "a=path:").unwrap();
        }
        self.fly(world, true, ack);
        if !(initial && first) {
            return;
        }
        match code {
            200..300 if self.calls[at].cancelled => self.in_dialog(world, at, "BYE"),
            200..300 => self.connect(world, at),
            _ => self.over(world, at),
        }
    }

    fn call_of(&self, message: &str) -> Option<usize> {
        let id = header(message, "Call-ID")?;
        self.calls.iter().position(|call| call.id == id)
    }

    fn requested(&mut self, world: &mut World, message: &str) {
        let key = key_of(message);
        let method = message.split(' ').next().unwrap();
        if method == "ACK" {
            let invite = self.call_of(message).map(|at| format!("{} 2xx", self.calls[at].id));
            invite.map(|key| self.transactions.remove(&key));
            return;
        }
        if let Some(response) = self.answered.get(&key).cloned() {
            return if !response.is_empty() {
                self.fly(world, true, response.into_bytes())
            };
        }
        let known = self.call_of(message);
        let response = match (method, known) {
            ("INVITE", None) if self.random.below(100) < self.deaf_percent => String::new(),
            ("INVITE", None) => self.invited(world, message),
            ("BYE", Some(at)) => {
                self.calls[at].disturbed = true;
                self.over(world, at);
                respond(message, "200 OK", "", "")
            }
            ("INVITE" | "UPDATE", Some(at)) => respond(
                message,
                "200 OK",
                &format!("Contact: <sip:{ADDRESS}>\r\n"),
                &Users::sdp(&self.calls[at], "actpass"),
            ),
            (_, Some(_)) => respond(message, "200 OK", "", ""),
            (_, None) => respond(message, "481 Gone", "", ""),
        };
        self.answered.insert(key, response.clone());
        if !response.is_empty() {
            self.fly(world, true, response.into_bytes());
        }
    }

    fn invited(&mut self, world: &mut World, message: &str) -> String {
        if self.random.below(100) < self.refuse_percent {
            return respond(message, "486 Busy Here", "", "");
        }
        let id = header(message, "Call-ID").unwrap();
        let at = self.new_call(id.clone(), crate::client::LARGE_MESSAGE, "", "");
        let active = self.below(2) == 0;
        let call = &mut self.calls[at];
        (call.theirs, call.stage, call.local_tag) = (true, Stage::Open, "u2");
        call.remote_tag = tag_of(&header(message, "From").unwrap());
        call.target = target_of(message);
        call.peer_path = line(message, "a=path:").unwrap();
        let sdp = Users::sdp(call, if active { "active" } else { "passive" });
        let response = respond(message, "200 OK", &format!("Contact: <sip:{ADDRESS}>\r\n"), &sdp);
        let now = world.now.moment;
        let again =
            Transaction { bytes: response.clone(), next: now + T1, interval: T1, until: now + TIMER_F, call: at };
        self.transactions.insert(format!("{id} 2xx"), again);
        if active {
            self.connect(world, at);
        }
        response
    }

    fn over(&mut self, _world: &mut World, at: usize) {
        let call = &mut self.calls[at];
        call.stage = Stage::Over;
        call.queues.clear();
        let id = format!("{} 2xx", call.id);
        self.transactions.remove(&id);
    }

    /// Opens a connection to any core, and says whose it is.
    pub fn connect(&mut self, world: &mut World, at: usize) {
        let core = self.below(world.shards.len());
        self.calls[at].link = Some(world.msrp_open(core, "192.0.2.9:40000"));
        let id = self.id('b');
        let frame = send_frame(&self.calls[at], &id, &format!("Message-ID: m{id}\r\nByte-Range: 1-0/0\r\n"), None, '$');
        self.write(world, at, &frame);
    }

    /// Cuts the connection of a call.
    pub fn cut(&mut self, world: &mut World, at: usize) {
        if let Some(link) = self.calls[at].link.take() {
            if !world.tcp[link].closed {
                for call in self.calls.iter_mut().filter(|call| call.link == Some(link)) {
                    call.disturbed = true;
                }
                world.tcp_close(link);
            }
            let call = &mut self.calls[at];
            call.disturbed = true;
            call.queues.clear();
            call.incoming.clear();
        }
    }

    /// Puts a message into chunks of any size; they go out as `write_some` is called.
    pub fn say(&mut self, at: usize, text: &str, cpim: &str, imdn: Option<String>) {
        let id = self.id('m');
        let (mut from, mut last, mut queue) = (0, String::new(), VecDeque::new());
        while from < cpim.len() {
            let to = (from + 40 + self.below(1_500)).min(cpim.len());
            last = self.id('t');
            let headers = format!("Message-ID: {id}\r\nByte-Range: {}-{to}/{}\r\n", from + 1, cpim.len());
            let flag = if to == cpim.len() { '$' } else { '+' };
            let data = &cpim.as_bytes()[from..to];
            queue.push_back(send_frame(&self.calls[at], &last, &headers, Some(data), flag));
            from = to;
        }
        self.calls[at].queues.push(queue);
        self.said.push(Said { call: at, text: text.to_owned(), imdn, code: None, whole: false, last });
    }

    /// Writes a few frames of each call, of its messages in any order, cut anywhere.
    pub fn write_some(&mut self, world: &mut World, frames: usize) {
        for at in 0..self.calls.len() {
            for _ in 0..frames {
                self.calls[at].queues.retain(|queue| !queue.is_empty());
                let call = &self.calls[at];
                if call.stage != Stage::Open || call.link.is_none() || call.queues.is_empty() {
                    break;
                }
                let which = self.below(self.calls[at].queues.len());
                let frame = self.calls[at].queues[which].pop_front().unwrap();
                let id = String::from_utf8_lossy(&frame[5..13]).into_owned();
                self.said.iter_mut().filter(|said| said.last == id).for_each(|said| said.whole = true);
                self.write(world, at, &frame);
            }
        }
    }

    fn write(&mut self, world: &mut World, at: usize, bytes: &[u8]) {
        let cut = self.below(bytes.len());
        let Some(link) = self.calls[at].link else { return };
        for part in [&bytes[..cut], &bytes[cut..]] {
            if !part.is_empty() && !world.tcp[link].closed {
                world.tcp_send(link, part);
            }
        }
    }

    fn octets(&mut self, world: &mut World, place: usize, bytes: &[u8]) {
        while self.unframed.len() <= place {
            self.unframed.push(Vec::new());
        }
        self.unframed[place].extend_from_slice(bytes);
        while let Some(len) = frame_len(&self.unframed[place]) {
            let frame: Vec<u8> = self.unframed[place].drain(..len).collect();
            self.frame(world, place, &frame);
        }
    }

    fn frame(&mut self, world: &mut World, place: usize, frame: &[u8]) {
        let (head, body) = match find(frame, b"\r\n\r\n") {
            Some(at) => (&frame[..at + 2], Some(&frame[at + 4..])),
            None => (frame, None),
        };
        let head = String::from_utf8(head.to_vec()).unwrap();
        let mut words = head.split([' ', '\r']);
        let (_, id, what) = (words.next(), words.next().unwrap(), words.next().unwrap());
        if let Ok(code) = what.parse::<u16>() {
            let said = self.said.iter_mut().find(|said| said.last == id && said.code.is_none());
            return if let Some(said) = said {
                said.code = Some(code)
            };
        }
        let to = header(&head, "To-Path").unwrap();
        let Some(at) = self.calls.iter().position(|call| call.path == to) else { return };
        if world.tcp[place].closed || what != "SEND" {
            return;
        }
        self.calls[at].link.get_or_insert(place);
        let (peer, path) = (&self.calls[at].peer_path, &self.calls[at].path);
        let answer = format!("MSRP {id} 200 OK\r\nTo-Path: {peer}\r\nFrom-Path: {path}\r\n-------{id}$\r\n");
        self.collect(at, &head, body, frame[frame.len() - 3]);
        let most = u64::try_from(self.think.as_micros()).unwrap();
        let due = world.now.moment.0 + if most == 0 { 0 } else { self.random.below(most) };
        self.serial += 1;
        self.answers.insert((due, self.serial), (place, answer.into_bytes()));
    }

    fn collect(&mut self, at: usize, head: &str, body: Option<&[u8]>, flag: u8) {
        let Some(body) = body else { return };
        let message_id = header(head, "Message-ID").unwrap();
        let range = header(head, "Byte-Range").unwrap();
        let start: usize = range.split('-').next().unwrap().parse().unwrap();
        let id = header(head, "MSRP").unwrap_or_else(|| head[5..].split(' ').next().unwrap().to_owned());
        let data = &body[..body.len() - (2 + 7 + id.len() + 3)];
        let held = self.calls[at].incoming.entry(message_id.clone()).or_default();
        assert_eq!(start, held.len() + 1, "chunks follow one another");
        held.extend_from_slice(data);
        if flag == b'$' {
            let content = self.calls[at].incoming.remove(&message_id).unwrap();
            self.came.push(Came { call: at, content });
        }
    }
}

fn send_frame(call: &Call, id: &str, headers: &str, data: Option<&[u8]>, flag: char) -> Vec<u8> {
    let mut out =
        format!("MSRP {id} SEND\r\nTo-Path: {}\r\nFrom-Path: {}\r\n{headers}", call.peer_path, call.path).into_bytes();
    if let Some(data) = data {
        out.extend_from_slice(b"Content-Type: message/cpim\r\n\r\n");
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("-------{id}{flag}\r\n").as_bytes());
    out
}

/// Octets of the first frame, if it is whole.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let id = bytes.get(5..)?.split(|octet| *octet == b' ').next().filter(|id| id.len() < 40)?;
    let end = [b"-------", id].concat();
    let at = find(bytes, &end)?;
    let len = at + end.len() + 3;
    (bytes.len() >= len).then_some(len)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Branch and method.
fn key_of(message: &str) -> String {
    let via = line(message, "Via: ").unwrap();
    let branch = via.split(";branch=").nth(1).unwrap().split([';', ',']).next().unwrap();
    let cseq = header(message, "CSeq").unwrap();
    format!("{branch} {}", cseq.split(' ').nth(1).unwrap())
}

fn tag_of(value: &str) -> String {
    value.split(";tag=").nth(1).unwrap_or_default().to_owned()
}

fn target_of(message: &str) -> String {
    let contact = header(message, "Contact").unwrap();
    contact.split(['<', '>']).nth(1).unwrap().to_owned()
}

fn respond(request: &str, status: &str, headers: &str, body: &str) -> String {
    let mut out = format!("SIP/2.0 {status}\r\n");
    for name in ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "] {
        for found in request.split("\r\n\r\n").next().unwrap().split("\r\n").filter(|found| found.starts_with(name)) {
            let tag = if name == "To: " && !found.contains(";tag=") { ";tag=u2" } else { "" };
            out.push_str(&format!("{found}{tag}\r\n"));
        }
    }
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    out + &format!("{headers}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}
