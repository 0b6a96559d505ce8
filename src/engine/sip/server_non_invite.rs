//! Non-INVITE server transactions (RFC 3261 17.2.2 and 17.2.3, RFC 4320).
//!
//! | state | request again | final response | Timer | next |
//! |---|---|---|---|---|
//! | Trying | absorbed | sent | 100 at 3.5 s | Proceeding, Completed |
//! | Proceeding | 100 repeated | sent | | Completed |
//! | Completed | response repeated | | J | Terminated |

use std::collections::VecDeque;

use slab::Slab;

use crate::engine::keyed_hash::KeyedHash;
use crate::engine::pool::Pool;
use crate::engine::transport::Source;
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Message, Via, Writer};

use super::response::{Body, ResponseRoute, TAG_BYTES, new_tag, write_response, write_response_head, write_trying};
use super::server_matching::{Arrived, Keys, Match, Matching, TransactionId};
use super::timers::{QUIET, TIMER_J, TRYING_100};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
}

#[derive(Debug)]
struct Transaction {
    generation: u32,
    keys: Keys,
    state: State,
    /// When it was last heard of.
    heard: Moment,
    route: ResponseRoute,
    /// The headers every response copies, until the final one; then that response.
    octets: Vec<u8>,
    timer: TimerId,
}

/// The server transactions of one shard.
#[derive(Debug)]
pub struct ServerNonInvite {
    matching: Matching,
    table: Slab<Transaction>,
    timers: Wheel,
    /// Those with a final response, in the order of these.
    completed: VecDeque<(Moment, TransactionId)>,
    max: usize,
    transmits: VecDeque<(ResponseRoute, Vec<u8>)>,
    spare: Pool,
    generation: u32,
    retransmissions: u64,
}

impl ServerNonInvite {
    /// No transactions yet. `hash` keys the table.
    #[must_use]
    pub fn new(hash: KeyedHash) -> ServerNonInvite {
        ServerNonInvite {
            matching: Matching::new(hash),
            table: Slab::new(),
            timers: Wheel::new(),
            completed: VecDeque::new(),
            max: limits::SIP_SERVER_TRANSACTIONS_MAX,
            transmits: VecDeque::new(),
            spare: Pool::new(limits::SPARE_BUFFERS_MAX, limits::SPARE_BUFFER_BYTES_MAX),
            generation: 0,
            retransmissions: 0,
        }
    }

    /// Holds `max` transactions.
    #[must_use]
    pub fn with_max(self, max: usize) -> ServerNonInvite {
        ServerNonInvite { max, ..self }
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

    /// Requests that were retransmissions.
    #[must_use]
    pub fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// A request whose syntax was checked.
    pub fn handle_request(
        &mut self,
        now: Moment,
        message: &Message<'_>,
        source: &Source,
        random: &mut Random,
    ) -> Arrived {
        self.handle_tagged(now, message, source, || new_tag(random))
    }

    /// A CANCEL whose INVITE was found: its responses have the tag of those (RFC 3261 9.2).
    pub fn handle_cancel(
        &mut self,
        now: Moment,
        message: &Message<'_>,
        source: &Source,
        to_tag: [u8; TAG_BYTES],
    ) -> Arrived {
        self.handle_tagged(now, message, source, || to_tag)
    }

    fn handle_tagged(
        &mut self,
        now: Moment,
        message: &Message<'_>,
        source: &Source,
        to_tag: impl FnOnce() -> [u8; TAG_BYTES],
    ) -> Arrived {
        let keys = match self.matching.find(message) {
            Match::Again(index) => {
                self.repeat(now, index);
                return Arrived::Retransmission;
            }
            Match::Merged => return Arrived::Merged,
            Match::New(keys) => keys,
        };
        if self.table.len() >= self.max && !self.make_room(now) {
            return Arrived::Full;
        }
        let Ok(via) = message.top_via() else { return Arrived::Full };
        let route = ResponseRoute::new(source, &via);
        let mut octets = self.spare.take();
        write_response_head(message, source, &to_tag(), &mut octets);
        Arrived::New(self.insert(now, keys, route, octets))
    }

    /// Ends the transaction that was answered first, if its client has been silent for so long that it has the response:
    /// what is held then follows the rate of requests for [`QUIET`] and not for all of Timer J.
    fn make_room(&mut self, now: Moment) -> bool {
        while let Some(&(at, id)) = self.completed.front() {
            let heard = self.alive(id).map(|transaction| (transaction.heard, transaction.timer));
            match heard {
                Some(_) if now.since(at) < QUIET => return false,
                Some((heard, _)) if heard > at => self.completed.push_back((heard, id)),
                Some((_, timer)) => {
                    self.timers.cancel(timer);
                    self.remove(id.index);
                }
                None => {}
            }
            self.completed.pop_front();
            if self.table.len() < self.max {
                return true;
            }
        }
        false
    }

    fn alive(&self, id: TransactionId) -> Option<&Transaction> {
        self.table.get(id.index as usize).filter(|transaction| transaction.generation == id.generation)
    }

    fn insert(&mut self, now: Moment, keys: Keys, route: ResponseRoute, octets: Vec<u8>) -> TransactionId {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let timer = self.timers.arm(now + TRYING_100, u64::from(index));
        let state = State::Trying;
        entry.insert(Transaction { generation, keys, state, heard: now, route, octets, timer });
        self.matching.insert(keys, index);
        TransactionId { index, generation }
    }

    fn repeat(&mut self, now: Moment, index: u32) {
        self.retransmissions += 1;
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        transaction.heard = now;
        let mut out = self.spare.take();
        match transaction.state {
            State::Trying => return self.spare.give(out),
            State::Proceeding => write_trying(&[&transaction.octets], &mut out),
            State::Completed => out.extend_from_slice(&transaction.octets),
        }
        self.transmits.push_back((transaction.route, out));
    }

    /// The final response: `headers` writes what it has beside the copied headers. `false` if the transaction is gone or
    /// has its final response.
    pub fn respond(
        &mut self,
        now: Moment,
        id: TransactionId,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        self.respond_with(now, id, code, reason, None, headers)
    }

    /// The same with a body.
    pub fn respond_with(
        &mut self,
        now: Moment,
        id: TransactionId,
        code: u16,
        reason: &str,
        body: Option<Body<'_>>,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(transaction) = self.table.get_mut(id.index as usize).filter(|t| t.generation == id.generation) else {
            return false;
        };
        if transaction.state == State::Completed {
            return false;
        }
        let mut out = self.spare.take();
        write_response(code, reason, &[&transaction.octets], body, headers, &mut out);
        transaction.octets.clear();
        transaction.octets.extend_from_slice(&out);
        transaction.state = State::Completed;
        let (route, timer) = (transaction.route, transaction.timer);
        self.transmits.push_back((route, out));
        self.timers.cancel(timer);
        if route.is_reliable() {
            self.remove(id.index)
        } else {
            self.rearm(now, id.index);
            self.note_completed(now, id);
        }
        true
    }

    /// Timer J ends them in this order too, so those that are gone are found at the front.
    fn note_completed(&mut self, now: Moment, id: TransactionId) {
        while self.completed.front().is_some_and(|(_, first)| self.alive(*first).is_none()) {
            self.completed.pop_front();
        }
        self.completed.push_back((now, id));
    }

    fn rearm(&mut self, now: Moment, index: u32) {
        let timer = self.timers.arm(now + TIMER_J, u64::from(index));
        if let Some(transaction) = self.table.get_mut(index as usize) {
            transaction.timer = timer;
        }
    }

    /// A response outside any transaction: to a request that could not be admitted.
    pub fn respond_statelessly(
        &mut self,
        message: &Message<'_>,
        source: &Source,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) {
        self.respond_by(ResponseRoute::new, message, source, code, reason, headers);
    }

    /// The same by a route of choice.
    pub fn respond_by(
        &mut self,
        route: fn(&Source, &Via<'_>) -> ResponseRoute,
        message: &Message<'_>,
        source: &Source,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) {
        let Ok(via) = message.top_via() else { return };
        let mut head = self.spare.take();
        write_response_head(message, source, &self.matching.stateless_tag(message), &mut head);
        let mut out = self.spare.take();
        write_response(code, reason, &[&head], None, headers, &mut out);
        self.recycle(head);
        self.transmits.push_back((route(source, &via), out));
    }

    /// Timers may be due.
    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some(index) = self.timers.poll(now) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            match self.table.get(index as usize).map(|transaction| transaction.state) {
                Some(State::Trying) => self.trying(now, index),
                Some(State::Proceeding) => self.rearm(now, index),
                _ => self.remove(index),
            }
        }
    }

    fn trying(&mut self, now: Moment, index: u32) {
        let mut out = self.spare.take();
        if let Some(transaction) = self.table.get_mut(index as usize) {
            transaction.state = State::Proceeding;
            write_trying(&[&transaction.octets], &mut out);
            self.transmits.push_back((transaction.route, out));
        }
        self.rearm(now, index);
    }

    fn remove(&mut self, index: u32) {
        let Some(transaction) = self.table.try_remove(index as usize) else { return };
        self.matching.remove(transaction.keys);
        self.recycle(transaction.octets);
    }

    /// The next response to send.
    pub fn poll_transmit(&mut self) -> Option<(ResponseRoute, Vec<u8>)> {
        self.transmits.pop_front()
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
