//! Non-INVITE client transactions (RFC 3261 17.1.2) with fail-over to the next target (RFC 3263 4.3).
//!
//! | state | Timer E | 1xx | final | Timer F, transport error |
//! |---|---|---|---|---|
//! | Trying | again, doubling to T2 | Proceeding, then E at T2 | Completed | next target, or failed |
//! | Proceeding | again every T2 | | Completed | next target, or failed |
//! | Completed | | | absorbed until K | |

use std::collections::VecDeque;

use core::time::Duration;

use hashbrown::HashMap;
use slab::Slab;

use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::pool::Pool;
use crate::engine::transport::Transport;
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::inline::Inline;
use crate::wire::sip::uri::host_port;
use crate::wire::sip::{Message, Name, Via, Writer, check};

use super::attempts::{Attempts, Fault, Target};
use super::timers::{T1, T2, TIMER_F, TIMER_K};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// A final response.
    Answered {
        /// Whose request.
        token: u64,
        /// 200 to 699.
        code: u16,
        /// Retry-After in seconds, if the response has one.
        retry_after: Option<u32>,
    },
    /// No target answered.
    Failed {
        /// Whose request.
        token: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
}

#[derive(Debug)]
struct Transaction {
    token: u64,
    state: State,
    key: u64,
    /// The request without its Via: start line, then headers and body.
    request: Vec<u8>,
    start_line: usize,
    branch: Inline<28>,
    attempts: Attempts,
    /// The target in whose count it is.
    counted: Option<Target>,
    interval: Duration,
    retransmit: Option<TimerId>,
    timeout: TimerId,
}

/// One attempt of one request; once that is over it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

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

/// How the gateway names itself in Via.
#[derive(Clone, Debug)]
pub struct SentBy {
    /// For UDP and TCP, towards IPv4 and IPv6.
    names: [Vec<u8>; 4],
}

impl SentBy {
    /// `name` gives `host:port` for a transport and whether the peer has an IPv4 address.
    #[must_use]
    pub fn new(name: impl Fn(Transport, bool) -> Vec<u8>) -> SentBy {
        let ways = [(Transport::Udp, true), (Transport::Udp, false), (Transport::Tcp, true), (Transport::Tcp, false)];
        SentBy { names: ways.map(|(transport, is_ipv4)| name(transport, is_ipv4)) }
    }

    fn towards(&self, target: Target) -> &[u8] {
        let transport = usize::from(target.transport == Transport::Tcp);
        &self.names[2 * transport + usize::from(!target.peer.is_ipv4())]
    }

    fn longest(&self) -> usize {
        self.names.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn is(&self, via: &Via<'_>) -> bool {
        self.names
            .iter()
            .filter_map(|ours| host_port(ours))
            .any(|(host, port)| host.eq_ignore_ascii_case(via.host) && port.unwrap_or(5060) == via.port.unwrap_or(5060))
    }
}

/// The client transactions of one shard.
#[derive(Debug)]
pub struct ClientNonInvite {
    hash: KeyedHash,
    sent_by: SentBy,
    table: Slab<Transaction>,
    by_branch: HashMap<u64, u32, Hashed>,
    timers: Wheel,
    /// Requests without final response by target.
    at_target: HashMap<Target, u32, Hashed>,
    transmits: VecDeque<Outbound>,
    events: VecDeque<ClientEvent>,
    faults: VecDeque<Fault>,
    spare: Pool,
    spare_attempts: Vec<Attempts>,
    datagram_bytes_max: usize,
    /// Route header line of every request; empty without a route.
    route: Vec<u8>,
    retransmissions: u64,
}

/// Takes a request out of the count of its target.
fn uncount(at_target: &mut HashMap<Target, u32, Hashed>, transaction: &mut Transaction) {
    let Some(target) = transaction.counted.take() else { return };
    let Some(count) = at_target.get_mut(&target) else { return };
    *count -= 1;
    if *count == 0 {
        at_target.remove(&target);
    }
}

/// The two timers of a transaction share its number.
const TIMEOUT: u64 = 1;

impl ClientNonInvite {
    /// No transactions yet. `hash` keys the table. A request of more than `datagram_bytes_max` octets leaves
    /// by TCP (RFC 3261 18.1.1).
    #[must_use]
    pub fn new(hash: KeyedHash, sent_by: SentBy, datagram_bytes_max: usize) -> ClientNonInvite {
        ClientNonInvite {
            hash,
            sent_by,
            table: Slab::new(),
            by_branch: HashMap::with_hasher(Hashed::default()),
            timers: Wheel::new(),
            at_target: HashMap::with_hasher(Hashed::default()),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            faults: VecDeque::new(),
            spare: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BUFFER_BYTES_MAX),
            spare_attempts: Vec::new(),
            datagram_bytes_max,
            route: Vec::new(),
            retransmissions: 0,
        }
    }

    /// Requests leave with this preloaded route (RFC 3261 8.1.2), a URI with lr.
    pub fn set_route(&mut self, uri: &[u8]) {
        self.route.clear();
        Writer::resume(&mut self.route).header_parts(Name::Route, &[b"<", uri, b">"]);
    }

    /// Transactions in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Requests sent again.
    #[must_use]
    pub fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// Sends the request that `write` appends (start line, headers without Via, body) to the first of `targets`. Over
    /// 1300 octets it leaves by TCP (RFC 3261 18.1.1). Without targets or room the request fails at once.
    pub fn send(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if targets.is_empty() || self.table.len() >= limits::SIP_CLIENT_TRANSACTIONS_MAX {
            self.events.push_back(ClientEvent::Failed { token });
            return;
        }
        let mut request = self.spare.take();
        write(&mut request);
        let start_line = memchr::memchr(b'\n', &request).map_or(request.len(), |at| at + 1);
        let mut attempts = self.spare_attempts.pop().unwrap_or_default();
        attempts.begin(targets, request.len() + self.route.len() + self.via_bytes() > self.datagram_bytes_max);
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let timeout = self.timers.arm(now + TIMER_F, u64::from(index) << 1 | TIMEOUT);
        entry.insert(Transaction {
            token,
            state: State::Trying,
            key: 0,
            request,
            start_line,
            branch: Inline::new(),
            attempts,
            counted: None,
            interval: T1,
            retransmit: None,
            timeout,
        });
        self.attempt(now, index, random);
    }

    /// Octets that our Via may add.
    fn via_bytes(&self) -> usize {
        const AROUND: usize = b"Via: SIP/2.0/UDP ;branch=z9hG4bK000000000000000000000;rport\r\n".len();
        limits::SIP_VIA_BYTES_MAX.max(AROUND + self.sent_by.longest())
    }

    /// Every attempt is a transaction of its own: a new branch (RFC 3263 4.3).
    fn attempt(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let mut branch = *b"z9hG4bK000000000000000000000";
        random.token(&mut branch[7..]);
        transaction.branch = Inline::from_slice(&branch).unwrap_or_default();
        transaction.key = self.hash.of(&[&branch]);
        transaction.interval = T1;
        transaction.state = State::Trying;
        self.by_branch.insert(transaction.key, index);
        transaction.counted = transaction.attempts.target();
        if let Some(target) = transaction.counted {
            *self.at_target.entry(target).or_default() += 1;
        }
        transaction.retransmit =
            (!transaction.attempts.is_reliable()).then(|| self.timers.arm(now + T1, u64::from(index) << 1));
        self.transmit(index);
    }

    fn transmit(&mut self, index: u32) {
        let Some(transaction) = self.table.get(index as usize) else { return };
        let Some(target) = transaction.attempts.target() else { return };
        let mut out = self.spare.take();
        let (start_line, rest) = transaction.request.split_at(transaction.start_line);
        let name = if target.transport == Transport::Udp { b"UDP " } else { b"TCP " };
        let (sent_by, branch) = (self.sent_by.towards(target), &transaction.branch);
        for part in [start_line, b"Via: SIP/2.0/", name, sent_by, b";branch=", branch, b";rport\r\n", &self.route, rest]
        {
            out.extend_from_slice(part);
        }
        self.transmits.push_back(Outbound { request: RequestId(transaction.key), target, bytes: out });
    }

    /// A response whose syntax was checked; `false` if no request awaits it.
    pub fn handle_response(&mut self, now: Moment, message: &Message<'_>, random: &mut Random) -> bool {
        let Some(index) = self.match_response(message) else { return false };
        match message.code() {
            100..200 => self.provisional(index),
            503 => self.overloaded(now, index, check::retry_after_seconds(message), random),
            code => self.answered(now, index, code, check::retry_after_seconds(message)),
        }
        true
    }

    /// RFC 3261 17.1.3: branch of the topmost Via and method of CSeq. RFC 3261 18.1.2 and 8.1.3.3: that Via is ours, and
    /// the only one.
    fn match_response(&self, message: &Message<'_>) -> Option<u32> {
        let via = message.top_via().ok()?;
        if !self.sent_by.is(&via) || message.values(Name::Via).nth(1).is_some() {
            return None;
        }
        let index = *self.by_branch.get(&self.hash.of(&[via.branch()?]))?;
        let transaction = self.table.get(index as usize)?;
        let method = transaction.request.split(|&octet| octet == b' ').next()?;
        (message.cseq().ok()?.method == method).then_some(index)
    }

    /// RFC 3261 17.1.2.2: Timer E runs on; from when it fires next, it is T2.
    fn provisional(&mut self, index: u32) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        if transaction.state == State::Trying {
            transaction.state = State::Proceeding;
            transaction.interval = T2;
        }
    }

    fn answered(&mut self, now: Moment, index: u32, code: u16, retry_after: Option<u32>) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        if transaction.state == State::Completed {
            return;
        }
        transaction.state = State::Completed;
        uncount(&mut self.at_target, transaction);
        self.events.push_back(ClientEvent::Answered { token: transaction.token, code, retry_after });
        let reliable = transaction.attempts.is_reliable();
        let timer = transaction.retransmit.take();
        self.timers.cancel(transaction.timeout);
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
        if reliable {
            return self.remove(index);
        }
        transaction.timeout = self.timers.arm(now + TIMER_K, u64::from(index) << 1 | TIMEOUT);
    }

    /// RFC 3263 4.3: the next server, if there is one; RFC 3261 21.5.4: with Retry-After this one is left alone.
    fn overloaded(&mut self, now: Moment, index: u32, retry_after: Option<u32>, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize).filter(|t| t.state != State::Completed) else {
            return;
        };
        let target = transaction.attempts.target();
        let another = transaction.attempts.failed();
        if let (Some(target), Some(_)) = (target, retry_after) {
            self.fault(Fault { target, retry_after });
        }
        if another { self.next_target(now, index, random) } else { self.answered(now, index, 503, retry_after) }
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < limits::SIP_FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push_back(fault);
        }
    }

    fn next_target(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        uncount(&mut self.at_target, transaction);
        self.by_branch.remove(&transaction.key);
        self.timers.cancel(transaction.timeout);
        if let Some(timer) = transaction.retransmit.take() {
            self.timers.cancel(timer);
        }
        transaction.timeout = self.timers.arm(now + TIMER_F, u64::from(index) << 1 | TIMEOUT);
        self.attempt(now, index, random);
    }

    /// A connection to `peer` could not be made or is gone: its requests without answer go to their next target.
    pub fn handle_transport_error(&mut self, now: Moment, target: Target, random: &mut Random) {
        if !self.at_target.contains_key(&target) {
            return;
        }
        let hit = |t: &Transaction| t.state != State::Completed && t.attempts.target() == Some(target);
        let indexes: Vec<usize> = self.table.iter().filter(|(_, t)| hit(t)).map(|(index, _)| index).collect();
        self.fault(Fault { target, retry_after: None });
        for index in indexes {
            let another = self.table.get_mut(index).is_some_and(|transaction| transaction.attempts.unreached());
            self.target_ended(now, u32::try_from(index).unwrap_or(u32::MAX), another, random);
        }
    }

    /// This one request could not be sent: it goes to its next target. Others on their way to the same are not touched.
    pub fn handle_unsent(&mut self, now: Moment, request: RequestId, random: &mut Random) {
        let Some(&index) = self.by_branch.get(&request.0) else { return };
        let Some(transaction) = self.table.get_mut(index as usize).filter(|t| t.state != State::Completed) else {
            return;
        };
        let another = transaction.attempts.unreached();
        self.target_ended(now, index, another, random);
    }

    /// Timer F.
    fn timed_out(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let target = transaction.attempts.target();
        let another = transaction.attempts.failed();
        if let Some(target) = target {
            self.fault(Fault { target, retry_after: None });
        }
        self.target_ended(now, index, another, random);
    }

    fn target_ended(&mut self, now: Moment, index: u32, another: bool, random: &mut Random) {
        if another {
            return self.next_target(now, index, random);
        }
        if let Some(transaction) = self.table.get(index as usize) {
            self.events.push_back(ClientEvent::Failed { token: transaction.token });
            self.remove(index);
        }
    }

    /// Timers may be due.
    pub fn handle_timeout(&mut self, now: Moment, random: &mut Random) {
        while let Some(token) = self.timers.poll(now) {
            let index = u32::try_from(token >> 1).unwrap_or(u32::MAX);
            let completed = self.table.get(index as usize).is_none_or(|t| t.state == State::Completed);
            match (token & TIMEOUT != 0, completed) {
                (true, true) => self.remove(index),
                (true, false) => self.timed_out(now, index, random),
                (false, true) => {}
                (false, false) => self.retransmit(now, index),
            }
        }
    }

    fn retransmit(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        transaction.interval = (transaction.interval * 2).min(T2);
        transaction.retransmit = Some(self.timers.arm(now + transaction.interval, u64::from(index) << 1));
        self.retransmissions += 1;
        self.transmit(index);
    }

    fn remove(&mut self, index: u32) {
        let Some(mut transaction) = self.table.try_remove(index as usize) else { return };
        uncount(&mut self.at_target, &mut transaction);
        self.by_branch.remove(&transaction.key);
        self.timers.cancel(transaction.timeout);
        if let Some(timer) = transaction.retransmit {
            self.timers.cancel(timer);
        }
        if self.spare_attempts.len() < limits::SPARE_BUFFERS_MAX {
            self.spare_attempts.push(transaction.attempts);
        }
        self.recycle(transaction.request);
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Outbound> {
        self.transmits.pop_front()
    }

    /// The next outcome.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// The next target to be paused; told once for many requests that fail at it together.
    pub fn poll_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    /// Buffers kept for reuse.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.spare.len()
    }

    /// Gives a buffer back. A large one is dropped: it would hold a small message for long.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.spare.give(buffer);
    }

    /// When to call `handle_timeout` next.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.timers.next_deadline()
    }
}
