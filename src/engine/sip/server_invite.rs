//! INVITE server transactions (RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1).
//!
//! | state | INVITE again | the user answers | ACK | timer | next |
//! |---|---|---|---|---|---|
//! | Proceeding | last 1xx repeated | sent | for the user | 100 at 200 ms; last 1xx every minute; 408 at 30 min | any |
//! | Accepted | absorbed | refused | for the user | 2xx repeated, T1 doubling to T2, until `acknowledged`; L | Terminated |
//! | Completed | response repeated | refused | absorbed | G over UDP: response repeated, T1 doubling to T2; H | Confirmed, Terminated |
//! | Confirmed | absorbed | refused | absorbed | I | Terminated |
//!
//! The user is the dialog. What it does with what arrives:
//! - INVITE: `handle_request`. `New` waits for `respond`, any number of 1xx and one final; [`Arrived::Merged`] and
//!   [`Arrived::Full`] are answered without a transaction ([`super::ServerNonInvite::respond_statelessly`]).
//! - ACK: `handle_ack`. `true`: it was for a refusal. `false`: the dialog finds by it the transaction that it answered with
//!   2xx, and calls `acknowledged`; until then the 2xx is repeated here, over reliable transports as well (13.3.1.4).
//! - CANCEL: `find_cancelled`. Found: the CANCEL is a transaction of its own, answered 200
//!   ([`super::ServerNonInvite::handle_cancel`] with `to_tag`), then `respond` 487, which says `false` when the INVITE was
//!   answered already and the CANCEL so has no effect. Not found: 481.

use core::time::Duration;
use std::collections::VecDeque;

use slab::Slab;

use crate::engine::keyed_hash::KeyedHash;
use crate::engine::pool::Pool;
use crate::engine::transport::Source;
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Message, Writer};

use super::response::{
    Body, ResponseRoute, TAG_BYTES, new_tag, write_record_route, write_response, write_response_head, write_trying,
};
use super::server_matching::{Arrived, Keys, Match, Matching, TransactionId};
use super::timers::{ANSWER_MAX, INVITE_TRYING_100, PROVISIONAL_AGAIN, T1, T2, TIMER_H, TIMER_I, TIMER_L};

/// What the user of an INVITE must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// The final response was not acknowledged within 64*T1, and the transaction is gone. After a 2xx the dialog ends by
    /// BYE (RFC 3261 13.3.1.4).
    NoAck {
        /// Which.
        transaction: TransactionId,
        /// What `set_user` said of it, or 0.
        user: u64,
        /// The status code that was sent.
        code: u16,
    },
    /// The user did not answer for half an hour, and the transaction answered 408.
    Unanswered {
        /// Which.
        transaction: TransactionId,
        /// What `set_user` said of it, or 0.
        user: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
}

#[derive(Debug)]
struct Transaction {
    generation: u32,
    user: u64,
    keys: Keys,
    state: State,
    route: ResponseRoute,
    tag: [u8; TAG_BYTES],
    /// The headers every response copies, then from `record_route` on those of a response that makes a dialog.
    head: Vec<u8>,
    record_route: usize,
    /// The last response, and its status code; empty and 0 before the first.
    response: Vec<u8>,
    code: u16,
    /// Between the last two times that it was sent.
    interval: Duration,
    repeat: Option<TimerId>,
    end: TimerId,
}

impl Transaction {
    /// The copied headers of a response of this code.
    fn heads(&self, code: u16) -> [&[u8]; 2] {
        match code {
            100 => untagged(&self.head[..self.record_route], &self.tag),
            101..300 => [&self.head, b""],
            _ => [&self.head[..self.record_route], b""],
        }
    }
}

/// RFC 3261 17.2.1: a 100 should not have a To tag that we gave.
fn untagged<'h>(head: &'h [u8], tag: &[u8]) -> [&'h [u8]; 2] {
    const PARAMETER: &[u8] = b";tag=";
    let Some(at) = memchr::memmem::find(head, tag) else { return [head, b""] };
    [&head[..at.saturating_sub(PARAMETER.len())], &head[at + tag.len()..]]
}

/// The INVITE server transactions of one shard.
#[derive(Debug)]
pub struct ServerInvite {
    matching: Matching<u32>,
    table: Slab<Transaction>,
    timers: Wheel,
    max: usize,
    transmits: VecDeque<(ResponseRoute, Vec<u8>)>,
    events: VecDeque<ServerEvent>,
    spare: Pool,
    generation: u32,
    retransmissions: u64,
}

/// The two timers of a transaction share its number.
const END: u64 = 1;

impl ServerInvite {
    /// No transactions yet. `hash` keys the table.
    #[must_use]
    pub fn new(hash: KeyedHash) -> ServerInvite {
        ServerInvite {
            matching: Matching::new(hash),
            table: Slab::new(),
            timers: Wheel::new(),
            max: limits::SIP_INVITE_SERVER_TRANSACTIONS_MAX,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            spare: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BUFFER_BYTES_MAX),
            generation: 0,
            retransmissions: 0,
        }
    }

    /// Holds `max` transactions.
    #[must_use]
    pub fn with_max(self, max: usize) -> ServerInvite {
        ServerInvite { max, ..self }
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

    /// INVITEs that were retransmissions.
    #[must_use]
    pub fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// An INVITE whose syntax was checked.
    pub fn handle_request(
        &mut self,
        now: Moment,
        message: &Message<'_>,
        source: &Source,
        random: &mut Random,
    ) -> Arrived {
        let keys = match self.matching.find(message) {
            Match::Again(index) => {
                self.invited_again(index);
                return Arrived::Retransmission;
            }
            Match::Merged => return Arrived::Merged,
            Match::New(keys) => keys,
        };
        let Ok(via) = message.top_via() else { return Arrived::Full };
        if self.table.len() >= self.max {
            return Arrived::Full;
        }
        let (route, tag) = (ResponseRoute::new(source, &via), new_tag(random));
        let mut head = self.spare.take();
        write_response_head(message, source, &tag, &mut head);
        let record_route = head.len();
        write_record_route(message, &mut head);
        Arrived::New(self.insert(now, keys, route, tag, (head, record_route)))
    }

    fn insert(
        &mut self,
        now: Moment,
        keys: Keys,
        route: ResponseRoute,
        tag: [u8; TAG_BYTES],
        (head, record_route): (Vec<u8>, usize),
    ) -> TransactionId {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        entry.insert(Transaction {
            generation,
            user: 0,
            keys,
            state: State::Proceeding,
            route,
            tag,
            head,
            record_route,
            response: Vec::new(),
            code: 0,
            interval: T1,
            repeat: Some(self.timers.arm(now + INVITE_TRYING_100, u64::from(index) << 1)),
            end: self.timers.arm(now + ANSWER_MAX, u64::from(index) << 1 | END),
        });
        self.matching.insert(keys, index);
        TransactionId { index, generation }
    }

    fn invited_again(&mut self, index: u32) {
        self.retransmissions += 1;
        let state = self.table.get(index as usize).map(|transaction| transaction.state);
        if matches!(state, Some(State::Proceeding | State::Completed)) {
            self.send_again(index);
        }
    }

    /// Sends the last provisional response again: how a reliable one is repeated is for its user to say (RFC 3262 3).
    pub fn repeat_provisional(&mut self, id: TransactionId) {
        if self.is_pending(id) {
            self.send_again(id.index);
        }
    }

    /// Sends the last response, if there is one.
    fn send_again(&mut self, index: u32) {
        let Some(transaction) = self.table.get(index as usize).filter(|t| !t.response.is_empty()) else { return };
        self.transmits.push_back((transaction.route, self.spare.copy(&transaction.response)));
    }

    /// An ACK whose syntax was checked: `true` if it was for a refusal, and so ends here; `false` if it is for the dialog.
    pub fn handle_ack(&mut self, now: Moment, message: &Message<'_>) -> bool {
        let Some(index) = self.find_acknowledged(message) else { return false };
        match self.table.get(index as usize).map(|transaction| transaction.state) {
            Some(State::Completed) => self.confirmed(now, index),
            Some(State::Confirmed) => {}
            // RFC 6026 7.1: an ACK with the branch of the INVITE; it still is for the 2xx.
            _ => return false,
        }
        true
    }

    fn find_acknowledged(&self, message: &Message<'_>) -> Option<u32> {
        self.matching.find_invite(message).or_else(|| {
            let index = self.matching.find_invite_without_tag(message)?;
            let tag = self.table.get(index as usize)?.tag;
            message.to().is_ok_and(|to| to.tag() == Some(&tag)).then_some(index)
        })
    }

    fn confirmed(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        if transaction.route.is_reliable() {
            return self.remove(index);
        }
        transaction.state = State::Confirmed;
        self.end_at(now + TIMER_I, index);
        self.stop_repeating(index);
    }

    /// The INVITE that a CANCEL whose syntax was checked means, answered or not (RFC 3261 9.2).
    #[must_use]
    pub fn find_cancelled(&self, message: &Message<'_>) -> Option<TransactionId> {
        let index = self.matching.find_invite(message)?;
        self.table.get(index as usize).map(|t| TransactionId { index, generation: t.generation })
    }

    fn alive(&self, id: TransactionId) -> Option<&Transaction> {
        self.table.get(id.index as usize).filter(|transaction| transaction.generation == id.generation)
    }

    /// The To tag of its responses, unless the INVITE had one.
    #[must_use]
    pub fn to_tag(&self, id: TransactionId) -> Option<[u8; TAG_BYTES]> {
        self.alive(id).map(|transaction| transaction.tag)
    }

    /// Whether it has no final response yet.
    #[must_use]
    pub fn is_pending(&self, id: TransactionId) -> bool {
        self.alive(id).is_some_and(|transaction| transaction.state == State::Proceeding)
    }

    /// Says whose it is, for events and `user`.
    pub fn set_user(&mut self, id: TransactionId, user: u64) {
        if self.alive(id).is_some() {
            self.table[id.index as usize].user = user;
        }
    }

    /// What `set_user` said, or 0.
    #[must_use]
    pub fn user(&self, id: TransactionId) -> Option<u64> {
        self.alive(id).map(|transaction| transaction.user)
    }

    /// A response, provisional or final: `headers` writes what it has beside the copied headers; 101 to 299 have the
    /// Record-Route of the INVITE. `false` if the transaction is gone or has its final response.
    pub fn respond(
        &mut self,
        now: Moment,
        id: TransactionId,
        code: u16,
        reason: &str,
        body: Option<Body<'_>>,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        debug_assert!((100..700).contains(&code), "{code} is no status code");
        if !self.is_pending(id) {
            return false;
        }
        let mut response = self.spare.take();
        let transaction = &mut self.table[id.index as usize];
        write_response(code, reason, &transaction.heads(code), body, headers, &mut response);
        transaction.code = code;
        let before = core::mem::replace(&mut transaction.response, response);
        self.recycle(before);
        self.send_again(id.index);
        self.answered(now, id.index, code);
        true
    }

    fn answered(&mut self, now: Moment, index: u32, code: u16) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        let repeats = code < 300 || !transaction.route.is_reliable();
        (transaction.state, transaction.interval) = match code {
            ..200 => (State::Proceeding, PROVISIONAL_AGAIN),
            200..300 => (State::Accepted, T1),
            _ => (State::Completed, T1),
        };
        let interval = transaction.interval;
        self.stop_repeating(index);
        if repeats && code != 100 {
            self.repeat_after(now, index, interval);
        }
        match code {
            ..200 => {}
            200..300 => self.end_at(now + TIMER_L, index),
            _ => self.end_at(now + TIMER_H, index),
        }
    }

    /// The dialog has the ACK of its 2xx, which is repeated no longer. `false` if it was not repeated.
    pub fn acknowledged(&mut self, id: TransactionId) -> bool {
        let repeated = self.alive(id).is_some_and(|t| t.state == State::Accepted && t.repeat.is_some());
        if repeated {
            self.stop_repeating(id.index);
        }
        repeated
    }

    fn repeat_after(&mut self, now: Moment, index: u32, interval: Duration) {
        if let Some(transaction) = self.table.get_mut(index as usize) {
            transaction.interval = interval;
            transaction.repeat = Some(self.timers.arm(now + interval, u64::from(index) << 1));
        }
    }

    fn stop_repeating(&mut self, index: u32) {
        let repeat = self.table.get_mut(index as usize).and_then(|transaction| transaction.repeat.take());
        if let Some(timer) = repeat {
            self.timers.cancel(timer);
        }
    }

    fn end_at(&mut self, at: Moment, index: u32) {
        if let Some(transaction) = self.table.get_mut(index as usize) {
            self.timers.cancel(transaction.end);
            transaction.end = self.timers.arm(at, u64::from(index) << 1 | END);
        }
    }

    /// Timers may be due.
    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some(token) = self.timers.poll(now) {
            let index = u32::try_from(token >> 1).unwrap_or(u32::MAX);
            if token & END == 0 { self.repeat(now, index) } else { self.ended(now, index) }
        }
    }

    fn repeat(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        transaction.repeat = None;
        if transaction.code == 0 {
            return self.trying(index);
        }
        let interval = match transaction.state {
            State::Proceeding => PROVISIONAL_AGAIN,
            _ => (transaction.interval * 2).min(T2),
        };
        self.send_again(index);
        self.repeat_after(now, index, interval);
    }

    fn trying(&mut self, index: u32) {
        let mut response = self.spare.take();
        if let Some(transaction) = self.table.get_mut(index as usize) {
            write_trying(&transaction.heads(100), &mut response);
            (transaction.code, transaction.response) = (100, response);
        }
        self.send_again(index);
    }

    fn ended(&mut self, now: Moment, index: u32) {
        let Some(transaction) = self.table.get(index as usize) else { return };
        let (user, code) = (transaction.user, transaction.code);
        let id = TransactionId { index, generation: transaction.generation };
        match transaction.state {
            State::Proceeding => {
                self.events.push_back(ServerEvent::Unanswered { transaction: id, user });
                self.respond(now, id, 408, "Request Timeout", None, |_| {});
                return;
            }
            State::Accepted if transaction.repeat.is_none() => {}
            State::Accepted | State::Completed => {
                self.events.push_back(ServerEvent::NoAck { transaction: id, user, code });
            }
            State::Confirmed => {}
        }
        self.remove(index);
    }

    fn remove(&mut self, index: u32) {
        self.stop_repeating(index);
        let Some(transaction) = self.table.try_remove(index as usize) else { return };
        self.timers.cancel(transaction.end);
        self.matching.remove(transaction.keys);
        self.recycle(transaction.head);
        self.recycle(transaction.response);
    }

    /// The next response to send.
    pub fn poll_transmit(&mut self) -> Option<(ResponseRoute, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
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
