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
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Message, check};

use super::attempts::{Attempts, Fault, Target};
use super::dispatch::{Branch, Dispatch, Outbound, Request, RequestId, Routing};
use super::sent_by::SentBy;
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
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Trying or Proceeding: in the table.
    Open(u32),
    /// Its request and target are forgotten.
    Completed,
}

#[derive(Debug)]
struct Transaction {
    token: u64,
    state: State,
    request: Request,
    branch: Branch,
    attempts: Attempts,
    /// The target in whose count it is.
    counted: Option<Target>,
    interval: Duration,
    retransmit: Option<TimerId>,
    timeout: TimerId,
}

/// The client transactions of one shard.
#[derive(Debug)]
pub struct ClientNonInvite {
    dispatch: Dispatch,
    table: Slab<Transaction>,
    by_branch: HashMap<u64, Place, Hashed>,
    /// Those in Completed, and when Timer K ends them.
    completed: VecDeque<(Moment, u64)>,
    timers: Wheel,
    events: VecDeque<ClientEvent>,
    retransmissions: u64,
}

/// The two timers of a transaction share its number.
const TIMEOUT: u64 = 1;

impl ClientNonInvite {
    /// No transactions yet. `hash` keys the table. A request of more than `datagram_bytes_max` octets leaves
    /// by TCP (RFC 3261 18.1.1).
    #[must_use]
    pub fn new(hash: KeyedHash, sent_by: SentBy, datagram_bytes_max: usize) -> ClientNonInvite {
        ClientNonInvite {
            dispatch: Dispatch::new(hash, sent_by, datagram_bytes_max),
            table: Slab::new(),
            by_branch: HashMap::with_hasher(Hashed::default()),
            completed: VecDeque::new(),
            timers: Wheel::new(),
            events: VecDeque::new(),
            retransmissions: 0,
        }
    }

    /// Requests outside of dialogs leave with this preloaded route (RFC 3261 8.1.2), a URI with lr.
    pub fn set_route(&mut self, uri: &[u8]) {
        self.dispatch.set_route(uri);
    }

    /// Transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len() + self.completed.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        self.start(now, token, targets, Routing::Preloaded, random, write);
    }

    /// The same within a dialog, whose route set `write` writes (RFC 3261 12.2.1.1).
    pub fn send_within_dialog(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.start(now, token, targets, Routing::Dialog, random, write);
    }

    fn start(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        routing: Routing,
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if targets.is_empty() || self.table.len() >= limits::SIP_CLIENT_TRANSACTIONS_MAX {
            self.events.push_back(ClientEvent::Failed { token });
            return;
        }
        let request = self.dispatch.request(routing, write);
        let attempts = self.dispatch.attempts(targets, &request);
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let timeout = self.timers.arm(now + TIMER_F, u64::from(index) << 1 | TIMEOUT);
        entry.insert(Transaction {
            token,
            state: State::Trying,
            request,
            branch: self.dispatch.branch(random),
            attempts,
            counted: None,
            interval: T1,
            retransmit: None,
            timeout,
        });
        self.attempt(now, index);
    }

    /// Every attempt is a transaction of its own: a new branch (RFC 3263 4.3).
    fn attempt(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        transaction.interval = T1;
        transaction.state = State::Trying;
        self.by_branch.insert(transaction.branch.key, Place::Open(index));
        transaction.counted = self.dispatch.count(transaction.attempts.target());
        transaction.retransmit =
            (!transaction.attempts.is_reliable()).then(|| self.timers.arm(now + T1, u64::from(index) << 1));
        self.transmit(index);
    }

    fn transmit(&mut self, index: u32) {
        let Some(transaction) = self.table.get(index as usize) else { return };
        let Some(target) = transaction.attempts.target() else { return };
        self.dispatch.send(&transaction.request, &transaction.branch, target);
    }

    /// A response whose syntax was checked; `false` if no request awaits it.
    pub fn handle_response(&mut self, now: Moment, message: &Message<'_>, random: &mut Random) -> bool {
        let index = match self.match_response(message) {
            Some(Place::Open(index)) => index,
            Some(Place::Completed) => return true,
            None => return false,
        };
        match message.code() {
            100..200 => self.provisional(index),
            503 => self.overloaded(now, index, check::retry_after_seconds(message), random),
            code => self.answered(now, index, code, check::retry_after_seconds(message)),
        }
        true
    }

    /// RFC 3261 17.1.3: branch of the topmost Via and method of CSeq.
    fn match_response(&self, message: &Message<'_>) -> Option<Place> {
        let place = *self.by_branch.get(&self.dispatch.key_of(message)?)?;
        let Place::Open(index) = place else { return Some(place) };
        let transaction = self.table.get(index as usize)?;
        (message.cseq().ok()?.method == transaction.request.method()).then_some(place)
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
        let Some(transaction) = self.table.get(index as usize) else { return };
        self.events.push_back(ClientEvent::Answered { token: transaction.token, code, retry_after });
        let (reliable, branch) = (transaction.attempts.is_reliable(), transaction.branch.key);
        self.remove(index);
        if !reliable {
            self.complete(now, branch);
        }
    }

    /// Until Timer K, responses that come again are known. If there are very many of these transactions, the first ends
    /// early.
    fn complete(&mut self, now: Moment, branch: u64) {
        if self.completed.len() >= limits::SIP_CLIENT_TRANSACTIONS_MAX {
            self.forget_first();
        }
        self.by_branch.insert(branch, Place::Completed);
        self.completed.push_back((now + TIMER_K, branch));
    }

    fn forget_first(&mut self) {
        if let Some((_, branch)) = self.completed.pop_front() {
            self.by_branch.remove(&branch);
        }
    }

    /// RFC 3263 4.3: the next server, if there is one; RFC 3261 21.5.4: with Retry-After this one is left alone.
    fn overloaded(&mut self, now: Moment, index: u32, retry_after: Option<u32>, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let target = transaction.attempts.target();
        let another = transaction.attempts.failed();
        if let (Some(target), Some(_)) = (target, retry_after) {
            self.dispatch.fault(target, retry_after);
        }
        if another { self.next_target(now, index, random) } else { self.answered(now, index, 503, retry_after) }
    }

    fn next_target(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        self.dispatch.uncount(&mut transaction.counted);
        self.by_branch.remove(&transaction.branch.key);
        transaction.branch = self.dispatch.branch(random);
        self.timers.cancel(transaction.timeout);
        if let Some(timer) = transaction.retransmit.take() {
            self.timers.cancel(timer);
        }
        transaction.timeout = self.timers.arm(now + TIMER_F, u64::from(index) << 1 | TIMEOUT);
        self.attempt(now, index);
    }

    /// A connection to `peer` could not be made or is gone: its requests without answer go to their next target.
    pub fn handle_transport_error(&mut self, now: Moment, target: Target, random: &mut Random) {
        if !self.dispatch.has_any_at(target) {
            return;
        }
        let hit = |transaction: &Transaction| transaction.attempts.target() == Some(target);
        let indexes: Vec<usize> = self.table.iter().filter(|(_, t)| hit(t)).map(|(index, _)| index).collect();
        self.dispatch.fault(target, None);
        for index in indexes {
            let another = self.table.get_mut(index).is_some_and(|transaction| transaction.attempts.unreached());
            self.target_ended(now, u32::try_from(index).unwrap_or(u32::MAX), another, random);
        }
    }

    /// This one request could not be sent: it goes to its next target. Others on their way to the same are not touched.
    pub fn handle_unsent(&mut self, now: Moment, request: RequestId, random: &mut Random) {
        let Some(&Place::Open(index)) = self.by_branch.get(&request.0) else { return };
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let another = transaction.attempts.unreached();
        self.target_ended(now, index, another, random);
    }

    /// Timer F.
    fn timed_out(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let target = transaction.attempts.target();
        let another = transaction.attempts.failed();
        if let Some(target) = target {
            self.dispatch.fault(target, None);
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
            if token & TIMEOUT != 0 { self.timed_out(now, index, random) } else { self.retransmit(now, index) }
        }
        while self.completed.front().is_some_and(|(at, _)| *at <= now) {
            self.forget_first();
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
        self.dispatch.uncount(&mut transaction.counted);
        self.by_branch.remove(&transaction.branch.key);
        self.timers.cancel(transaction.timeout);
        if let Some(timer) = transaction.retransmit {
            self.timers.cancel(timer);
        }
        self.dispatch.release(transaction.request, transaction.attempts);
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Outbound> {
        self.dispatch.poll_transmit()
    }

    /// The next outcome.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// The next target to be paused; told once for many requests that fail at it together.
    pub fn poll_fault(&mut self) -> Option<Fault> {
        self.dispatch.poll_fault()
    }

    /// Buffers kept for reuse.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.dispatch.spare.len()
    }

    /// Gives a buffer back. A large one is dropped: it would hold a small message for long.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.dispatch.spare.give(buffer);
    }

    /// When to call `handle_timeout` next.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let completed = self.completed.front().map(|(at, _)| *at);
        self.timers.next_deadline().into_iter().chain(completed).min()
    }
}
