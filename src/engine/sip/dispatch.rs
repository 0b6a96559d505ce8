//! What client transactions of every kind share: how their requests leave, by which branch a response finds them, and
//! which targets failed.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::engine::Random;
use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::pool::Pool;
use crate::engine::transport::Transport;
use crate::limits;
use crate::wire::sip::{Message, Name, Writer};

use super::attempts::{Attempts, Fault, Target};
use super::sent_by::SentBy;

/// One attempt of one request; once that is over it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub(super) u64);

/// A request to be sent.
#[derive(Debug)]
pub struct Outbound {
    /// Whose octets these are.
    pub request: RequestId,
    /// Where they go.
    pub target: Target,
    /// The octets.
    pub bytes: Vec<u8>,
}

/// Whose route a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routing {
    /// The preloaded one (RFC 3261 8.1.2).
    Preloaded,
    /// That of its dialog, which stands in it already (RFC 3261 12.2.1.1).
    Dialog,
}

/// A request without its Via.
#[derive(Debug)]
pub(super) struct Request {
    /// Start line, then headers and body.
    octets: Vec<u8>,
    start_line: usize,
    routing: Routing,
}

impl Request {
    pub(super) fn new(octets: Vec<u8>, routing: Routing) -> Request {
        let start_line = memchr::memchr(b'\n', &octets).map_or(octets.len(), |at| at + 1);
        Request { octets, start_line, routing }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(super) fn routing(&self) -> Routing {
        self.routing
    }

    pub(super) fn method(&self) -> &[u8] {
        self.octets.split(|&octet| octet == b' ').next().unwrap_or_default()
    }
}

/// A branch of our own, and its place in tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    octets: [u8; BRANCH_BYTES],
    pub(super) key: u64,
}

const BRANCH_BYTES: usize = 28;
const MAGIC_COOKIE: &[u8; 7] = b"z9hG4bK";

/// What leaves and what came of it.
#[derive(Debug)]
pub(super) struct Dispatch {
    hash: KeyedHash,
    sent_by: SentBy,
    datagram_bytes_max: usize,
    /// Route header line of requests outside of dialogs; empty without a route.
    route: Vec<u8>,
    /// Requests that may go on to another target, by target.
    at_target: HashMap<Target, u32, Hashed>,
    faults: VecDeque<Fault>,
    transmits: VecDeque<Outbound>,
    pub(super) spare: Pool,
    spare_attempts: Vec<Attempts>,
}

impl Dispatch {
    pub(super) fn new(hash: KeyedHash, sent_by: SentBy, datagram_bytes_max: usize) -> Dispatch {
        Dispatch {
            hash,
            sent_by,
            datagram_bytes_max,
            route: Vec::new(),
            at_target: HashMap::with_hasher(Hashed::default()),
            faults: VecDeque::new(),
            transmits: VecDeque::new(),
            spare: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BUFFER_BYTES_MAX),
            spare_attempts: Vec::new(),
        }
    }

    pub(super) fn set_route(&mut self, uri: &[u8]) {
        self.route.clear();
        Writer::resume(&mut self.route).header_parts(Name::Route, &[b"<", uri, b">"]);
    }

    /// The request that `write` appends.
    pub(super) fn request(&mut self, routing: Routing, write: impl FnOnce(&mut Vec<u8>)) -> Request {
        let mut octets = self.spare.take();
        write(&mut octets);
        Request::new(octets, routing)
    }

    pub(super) fn attempts(&mut self, targets: &[Target], request: &Request) -> Attempts {
        let mut attempts = self.spare_attempts.pop().unwrap_or_default();
        attempts.begin(targets, self.is_large(request));
        attempts
    }

    /// Whether a request is too large for a datagram (RFC 3261 18.1.1).
    pub(super) fn is_large(&self, request: &Request) -> bool {
        request.octets.len() + self.route_of(request).len() + self.via_bytes() > self.datagram_bytes_max
    }

    fn route_of(&self, request: &Request) -> &[u8] {
        if request.routing == Routing::Preloaded { &self.route } else { b"" }
    }

    /// Octets that our Via may add.
    fn via_bytes(&self) -> usize {
        const AROUND: usize = b"Via: SIP/2.0/UDP ;branch=;rport\r\n".len() + BRANCH_BYTES;
        limits::SIP_VIA_BYTES_MAX.max(AROUND + self.sent_by.longest())
    }

    pub(super) fn branch(&self, random: &mut Random) -> Branch {
        let mut octets = [0; BRANCH_BYTES];
        let (cookie, rest) = octets.split_at_mut(MAGIC_COOKIE.len());
        cookie.copy_from_slice(MAGIC_COOKIE);
        random.token(rest);
        Branch { octets, key: self.hash.of(&[&octets]) }
    }

    /// RFC 3261 17.1.3: the branch of the topmost Via, as its place in tables. RFC 3261 18.1.2 and 8.1.3.3: that Via is
    /// ours, and the only one.
    pub(super) fn key_of(&self, response: &Message<'_>) -> Option<u64> {
        let via = response.top_via().ok()?;
        if !self.sent_by.is(&via) || !response.has_one_via() {
            return None;
        }
        Some(self.hash.of(&[via.branch()?]))
    }

    /// A hash of a value that a peer chose.
    pub(super) fn hash_of(&self, value: &[u8]) -> u64 {
        self.hash.of(&[value])
    }

    pub(super) fn send(&mut self, request: &Request, branch: &Branch, target: Target) {
        let mut bytes = self.spare.take();
        let (start_line, rest) = request.octets.split_at(request.start_line);
        let name = if target.transport == Transport::Udp { b"UDP " } else { b"TCP " };
        let (sent_by, route) = (self.sent_by.towards(target), self.route_of(request));
        let via = [b"Via: SIP/2.0/", name.as_slice(), sent_by, b";branch=", &branch.octets, b";rport\r\n"];
        for part in [start_line].into_iter().chain(via).chain([route, rest]) {
            bytes.extend_from_slice(part);
        }
        self.transmits.push_back(Outbound { request: RequestId(branch.key), target, bytes });
    }

    /// Takes a request into the count of its target.
    pub(super) fn count(&mut self, target: Option<Target>) -> Option<Target> {
        if let Some(target) = target {
            *self.at_target.entry(target).or_default() += 1;
        }
        target
    }

    /// Takes a request out of that count.
    pub(super) fn uncount(&mut self, counted: &mut Option<Target>) {
        let Some(target) = counted.take() else { return };
        let Some(count) = self.at_target.get_mut(&target) else { return };
        *count -= 1;
        if *count == 0 {
            self.at_target.remove(&target);
        }
    }

    pub(super) fn has_any_at(&self, target: Target) -> bool {
        self.at_target.contains_key(&target)
    }

    pub(super) fn fault(&mut self, target: Target, retry_after: Option<u32>) {
        let fault = Fault { target, retry_after };
        if self.faults.len() < limits::SIP_FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push_back(fault);
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Outbound> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    /// Keeps what a request that is over leaves behind.
    pub(super) fn release(&mut self, request: Request, attempts: Attempts) {
        if self.spare_attempts.len() < limits::SPARE_BUFFERS_MAX {
            self.spare_attempts.push(attempts);
        }
        self.spare.give(request.octets);
    }

    pub(super) fn discard(&mut self, request: Request) {
        self.spare.give(request.octets);
    }
}
