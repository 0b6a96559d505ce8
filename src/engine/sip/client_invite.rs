//! INVITE client transactions (RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2) with fail-over to the next target
//! (RFC 3263 4.3) and CANCEL (RFC 3261 9.1).
//!
//! | state | timer | 1xx | 2xx | 300-699 | `cancel` |
//! |---|---|---|---|---|---|
//! | Calling | A over UDP: again, doubling; B: next target, or failed | told; Proceeding | told; Accepted | ACK, told; Completed | remembered until a 1xx |
//! | Proceeding | C: cancelled | told | told; Accepted | ACK, told; Completed | CANCEL sent; 64*T1 later failed |
//! | Accepted | M: Terminated | absorbed | of another branch told, else ACK again | absorbed | refused |
//! | Completed | D: Terminated | absorbed | absorbed | ACK again | refused |
//!
//! A 503 is acknowledged like every refusal, and told if no target is left. A target that cannot be reached is followed by
//! the next only in Calling: what rings there must not ring twice.
//!
//! The user is the dialog. What it does:
//! - `send` or `send_within_dialog`, and keeps the [`InviteId`]. A response is judged by `handle_response` while the message
//!   is borrowed, so that the user reads headers and body where they are; responses to CANCEL come here as well.
//! - [`Heard::Success`]: sends its ACK by `acknowledge`, then or later. From then on the transaction repeats that ACK
//!   whenever the same 2xx comes again, for 64*T1. [`Heard::Forked`] is the first 2xx of another branch: the same, then BYE.
//! - `cancel`: a 2xx that was on its way is still told, and ended by the user.

mod derived;
mod responses;

use core::time::Duration;
use std::collections::VecDeque;

use hashbrown::HashMap;
use slab::Slab;

use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::transport::Transport;
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Index, Writer};

use self::derived::write_cancel;
use super::attempts::{Attempts, Fault, Target};
use super::dispatch::{Branch, Dispatch, Outbound, Request, RequestId, Routing};
use super::sent_by::SentBy;
use super::timers::{T1, T2, TIMER_B, TIMER_F};

/// An INVITE that we sent; of one that is gone it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InviteId {
    index: u32,
    generation: u32,
}

/// What a response was to an INVITE; `token` says whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 100 to 199.
    Provisional {
        /// Whose.
        token: u64,
        /// The status code.
        code: u16,
    },
    /// The first 2xx: to be acknowledged.
    Success {
        /// Whose.
        token: u64,
        /// The status code.
        code: u16,
    },
    /// The first 2xx of another branch (RFC 3261 13.2.2.4): to be acknowledged and ended.
    Forked {
        /// Whose.
        token: u64,
        /// The status code.
        code: u16,
    },
    /// 300 to 699, acknowledged here.
    Failure {
        /// Whose.
        token: u64,
        /// The status code.
        code: u16,
    },
    /// Nothing to the user: said before, or a target that is followed by another.
    Absorbed,
}

/// What comes of an INVITE without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteEvent {
    /// No target answered, or none within 64*T1 of the CANCEL.
    Failed {
        /// Whose.
        token: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Accepted,
}

/// What became of the order to cancel.
#[derive(Debug)]
enum Cancel {
    No,
    /// Waits for a 1xx with these header lines (RFC 3261 9.1).
    Remembered(Vec<u8>),
    /// Left, and is repeated until it is answered.
    Sent(Request),
}

#[derive(Debug)]
struct Transaction {
    generation: u32,
    token: u64,
    state: State,
    request: Request,
    branch: Branch,
    attempts: Attempts,
    /// The target in whose count it is.
    counted: Option<Target>,
    cancel: Cancel,
    interval: Duration,
    repeat: Option<TimerId>,
    end: TimerId,
    forks: Vec<Fork>,
}

/// A 2xx and what acknowledges it.
#[derive(Debug)]
struct Fork {
    /// Hash of its To tag.
    tag: u64,
    ack: Option<Ack>,
}

#[derive(Debug)]
struct Ack {
    request: Request,
    branch: Branch,
    target: Target,
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug)]
enum Place {
    Open(u32),
    Completed(u32),
}

/// The INVITE client transactions of one shard.
#[derive(Debug)]
pub struct ClientInvite {
    dispatch: Dispatch,
    open: Slab<Transaction>,
    /// Those of branches that were refused over UDP: they only acknowledge.
    completed: Slab<Ack>,
    by_branch: HashMap<u64, Place, Hashed>,
    timers: Wheel,
    events: VecDeque<InviteEvent>,
    index: Index,
    generation: u32,
    retransmissions: u64,
}

/// Which timer fired, beside the number of its transaction.
const REPEAT: u64 = 0;
const END: u64 = 1;
const COMPLETED: u64 = 2;

fn timer(index: u32, kind: u64) -> u64 {
    u64::from(index) << 2 | kind
}

impl ClientInvite {
    /// No transactions yet. `hash` keys the table. A request of more than `datagram_bytes_max` octets leaves
    /// by TCP (RFC 3261 18.1.1).
    #[must_use]
    pub fn new(hash: KeyedHash, sent_by: SentBy, datagram_bytes_max: usize) -> ClientInvite {
        ClientInvite {
            dispatch: Dispatch::new(hash, sent_by, datagram_bytes_max),
            open: Slab::new(),
            completed: Slab::new(),
            by_branch: HashMap::with_hasher(Hashed::default()),
            timers: Wheel::new(),
            events: VecDeque::new(),
            index: Index::default(),
            generation: 0,
            retransmissions: 0,
        }
    }

    /// Requests outside of dialogs leave with this preloaded route (RFC 3261 8.1.2), a URI with lr.
    pub fn set_route(&mut self, uri: &[u8]) {
        self.dispatch.set_route(uri);
    }

    /// Transactions in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len() + self.completed.len()
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

    /// Sends the INVITE that `write` appends (start line, headers without Via, body) to the first of `targets`. `None`
    /// without targets or room: nothing was sent, and nothing will be told.
    pub fn send(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<InviteId> {
        self.start(now, token, targets, Routing::Preloaded, random, write)
    }

    /// The same within a dialog, whose route set `write` writes (RFC 3261 12.2.1.1).
    pub fn send_within_dialog(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<InviteId> {
        self.start(now, token, targets, Routing::Dialog, random, write)
    }

    fn start(
        &mut self,
        now: Moment,
        token: u64,
        targets: &[Target],
        routing: Routing,
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<InviteId> {
        if targets.is_empty() || self.len() >= limits::SIP_INVITE_CLIENT_TRANSACTIONS_MAX {
            return None;
        }
        let request = self.dispatch.request(routing, write);
        let attempts = self.dispatch.attempts(targets, &request);
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let entry = self.open.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        entry.insert(Transaction {
            generation,
            token,
            state: State::Calling,
            request,
            branch: self.dispatch.branch(random),
            attempts,
            counted: None,
            cancel: Cancel::No,
            interval: T1,
            repeat: None,
            end: self.timers.arm(now + TIMER_B, timer(index, END)),
            forks: Vec::new(),
        });
        self.call(now, index);
        Some(InviteId { index, generation })
    }

    fn call(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        transaction.state = State::Calling;
        self.by_branch.insert(transaction.branch.key, Place::Open(index));
        transaction.counted = self.dispatch.count(transaction.attempts.target());
        let Some(target) = transaction.attempts.target() else { return };
        self.dispatch.send(&transaction.request, &transaction.branch, target);
        if !transaction.attempts.is_reliable() {
            self.repeat_after(now, index, T1);
        }
    }

    /// Every attempt is a transaction of its own: a new branch (RFC 3263 4.3).
    fn next_target(&mut self, now: Moment, index: u32, random: &mut Random) {
        self.stop_repeating(index);
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        self.dispatch.uncount(&mut transaction.counted);
        if let Some(Place::Open(_)) = self.by_branch.get(&transaction.branch.key) {
            self.by_branch.remove(&transaction.branch.key);
        }
        transaction.branch = self.dispatch.branch(random);
        self.end_at(now + TIMER_B, index);
        self.call(now, index);
    }

    fn alive(&self, id: InviteId) -> Option<&Transaction> {
        self.open.get(id.index as usize).filter(|transaction| transaction.generation == id.generation)
    }

    /// Cancels the INVITE as soon as a 1xx is there; `headers` writes what the CANCEL has of its own, such as Reason.
    /// `false` if it is answered, gone or cancelled already.
    pub fn cancel(&mut self, now: Moment, id: InviteId, headers: impl FnOnce(&mut Writer<'_>)) -> bool {
        let open = |t: &&Transaction| t.state != State::Accepted && matches!(t.cancel, Cancel::No);
        let Some(state) = self.alive(id).filter(open).map(|transaction| transaction.state) else { return false };
        let mut lines = Vec::new();
        headers(&mut Writer::resume(&mut lines));
        if state == State::Proceeding {
            self.send_cancel(now, id.index, &lines);
        } else {
            self.open[id.index as usize].cancel = Cancel::Remembered(lines);
        }
        true
    }

    /// RFC 3261 9.1: with the branch of the INVITE, to where that went; without final response for 64*T1 it is over.
    fn send_cancel(&mut self, now: Moment, index: u32, headers: &[u8]) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        let Some(target) = transaction.attempts.target() else { return };
        let (invite, places) = (&transaction.request, &mut self.index);
        let request = self.dispatch.request(invite.routing(), |out| write_cancel(invite, headers, places, out));
        self.dispatch.send(&request, &transaction.branch, target);
        transaction.cancel = Cancel::Sent(request);
        self.end_at(now + TIMER_F, index);
        if target.transport == Transport::Udp {
            self.repeat_after(now, index, T1);
        }
    }

    /// A connection to `peer` could not be made or is gone: its INVITEs without response go to their next target.
    pub fn handle_transport_error(&mut self, now: Moment, target: Target, random: &mut Random) {
        if !self.dispatch.has_any_at(target) {
            return;
        }
        let hit = |t: &Transaction| t.counted == Some(target);
        let indexes: Vec<usize> = self.open.iter().filter(|(_, t)| hit(t)).map(|(index, _)| index).collect();
        self.dispatch.fault(target, None);
        for index in indexes {
            self.unreached(now, u32::try_from(index).unwrap_or(u32::MAX), random);
        }
    }

    /// This one request could not be sent: an INVITE goes to its next target.
    pub fn handle_unsent(&mut self, now: Moment, request: RequestId, random: &mut Random) {
        if let Some(&Place::Open(index)) = self.by_branch.get(&request.0) {
            self.unreached(now, index, random);
        }
    }

    fn unreached(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.open.get_mut(index as usize).filter(|t| t.state == State::Calling) else { return };
        let another = matches!(transaction.cancel, Cancel::No) && transaction.attempts.unreached();
        if another { self.next_target(now, index, random) } else { self.failed(index) }
    }

    fn failed(&mut self, index: u32) {
        if let Some(transaction) = self.open.get(index as usize) {
            self.events.push_back(InviteEvent::Failed { token: transaction.token });
            self.remove(index);
        }
    }

    fn repeat_after(&mut self, now: Moment, index: u32, interval: Duration) {
        if let Some(transaction) = self.open.get_mut(index as usize) {
            transaction.interval = interval;
            transaction.repeat = Some(self.timers.arm(now + interval, timer(index, REPEAT)));
        }
    }

    fn stop_repeating(&mut self, index: u32) {
        let repeat = self.open.get_mut(index as usize).and_then(|transaction| transaction.repeat.take());
        if let Some(timer) = repeat {
            self.timers.cancel(timer);
        }
    }

    fn end_at(&mut self, at: Moment, index: u32) {
        if let Some(transaction) = self.open.get_mut(index as usize) {
            self.timers.cancel(transaction.end);
            transaction.end = self.timers.arm(at, timer(index, END));
        }
    }

    /// Timers may be due.
    pub fn handle_timeout(&mut self, now: Moment, random: &mut Random) {
        while let Some(token) = self.timers.poll(now) {
            let index = u32::try_from(token >> 2).unwrap_or(u32::MAX);
            match token & 3 {
                REPEAT => self.repeat(now, index),
                END => self.ended(now, index, random),
                _ => self.forget(index),
            }
        }
    }

    /// Timer A in Calling; Timer E of the CANCEL in Proceeding.
    fn repeat(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        let Some(target) = transaction.attempts.target() else { return };
        let (request, interval) = match &transaction.cancel {
            Cancel::Sent(cancel) => (cancel, (transaction.interval * 2).min(T2)),
            _ => (&transaction.request, transaction.interval * 2),
        };
        self.dispatch.send(request, &transaction.branch, target);
        self.retransmissions += 1;
        self.repeat_after(now, index, interval);
    }

    fn ended(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        match (transaction.state, &transaction.cancel) {
            (State::Calling, _) => self.timed_out(now, index, random),
            (State::Proceeding, Cancel::Sent(_)) => self.failed(index),
            (State::Proceeding, _) => self.send_cancel(now, index, b""),
            (State::Accepted, _) => self.remove(index),
        }
    }

    /// Timer B.
    fn timed_out(&mut self, now: Moment, index: u32, random: &mut Random) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        if let Some(target) = transaction.attempts.target() {
            self.dispatch.fault(target, None);
        }
        let another = matches!(transaction.cancel, Cancel::No) && transaction.attempts.failed();
        if another { self.next_target(now, index, random) } else { self.failed(index) }
    }

    /// Timer D.
    fn forget(&mut self, index: u32) {
        let Some(ack) = self.completed.try_remove(index as usize) else { return };
        self.by_branch.remove(&ack.branch.key);
        self.dispatch.discard(ack.request);
    }

    fn remove(&mut self, index: u32) {
        self.stop_repeating(index);
        let Some(mut transaction) = self.open.try_remove(index as usize) else { return };
        self.dispatch.uncount(&mut transaction.counted);
        if let Some(Place::Open(_)) = self.by_branch.get(&transaction.branch.key) {
            self.by_branch.remove(&transaction.branch.key);
        }
        self.timers.cancel(transaction.end);
        self.dispatch.release(transaction.request, transaction.attempts);
        if let Cancel::Sent(cancel) = transaction.cancel {
            self.dispatch.discard(cancel);
        }
        for ack in transaction.forks.into_iter().filter_map(|fork| fork.ack) {
            self.dispatch.discard(ack.request);
        }
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Outbound> {
        self.dispatch.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<InviteEvent> {
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
        self.timers.next_deadline()
    }
}
