//! Non-INVITE server transactions (RFC 3261 17.2.2 and 17.2.3, RFC 4320).
//!
//! | state | request again | final response | Timer | next |
//! |---|---|---|---|---|
//! | Trying | absorbed | sent | 100 at 3.5 s | Proceeding, Completed |
//! | Proceeding | 100 repeated | sent | | Completed |
//! | Completed | response repeated | | J | Terminated |

use std::collections::VecDeque;

use hashbrown::HashMap;
use slab::Slab;

use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::pool::Pool;
use crate::engine::transport::Source;
use crate::engine::wheel::{TimerId, Wheel};
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Message, Via, Writer};

use super::response::{ResponseRoute, write_response_head};
use super::timers::{QUIET, TIMER_J, TRYING_100};

/// A server transaction; of one that is gone it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionId {
    index: u32,
    generation: u32,
}

/// What a request is to the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A new one: it waits for `respond`.
    New(TransactionId),
    /// Seen before: absorbed, or answered with what was answered before.
    Retransmission,
    /// The same request by another path (RFC 3261 8.2.2.2): answered 482.
    Merged,
    /// The table is full: to be answered 503 without a transaction.
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
}

#[derive(Debug)]
struct Transaction {
    generation: u32,
    key: u64,
    merge: Option<u64>,
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
    hash: KeyedHash,
    table: Slab<Transaction>,
    by_key: HashMap<u64, u32, Hashed>,
    by_merge: HashMap<u64, u32, Hashed>,
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
            hash,
            table: Slab::new(),
            by_key: HashMap::with_hasher(Hashed::default()),
            by_merge: HashMap::with_hasher(Hashed::default()),
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
        let key = self.key_of(message);
        if let Some(&index) = self.by_key.get(&key) {
            self.repeat(now, index);
            return Arrived::Retransmission;
        }
        let merge = self.merge_key_of(message);
        if merge.is_some_and(|merge| self.by_merge.contains_key(&merge)) {
            return Arrived::Merged;
        }
        if self.table.len() >= self.max && !self.make_room(now) {
            return Arrived::Full;
        }
        let Ok(via) = message.top_via() else { return Arrived::Full };
        let route = ResponseRoute::new(source, &via);
        let mut octets = self.spare.take();
        write_response_head(message, source, &tag(random), &mut octets);
        Arrived::New(self.insert(now, key, merge, route, octets))
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

    fn insert(
        &mut self,
        now: Moment,
        key: u64,
        merge: Option<u64>,
        route: ResponseRoute,
        octets: Vec<u8>,
    ) -> TransactionId {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let timer = self.timers.arm(now + TRYING_100, u64::from(index));
        let state = State::Trying;
        entry.insert(Transaction { generation, key, merge, state, heard: now, route, octets, timer });
        self.by_key.insert(key, index);
        if let Some(merge) = merge {
            self.by_merge.insert(merge, index);
        }
        TransactionId { index, generation }
    }

    /// RFC 3261 17.2.3: branch, sent-by and method; without the magic cookie the RFC 2543 fields.
    fn key_of(&self, message: &Message<'_>) -> u64 {
        let call_id = message.call_id().unwrap_or_default();
        let cseq = message.cseq().map(|cseq| (cseq.number, cseq.method)).unwrap_or_default();
        match message.top_via() {
            Ok(via) if via.has_magic_cookie() => {
                let port = via.port.unwrap_or(5060).to_be_bytes();
                self.hash.of(&[via.branch().unwrap_or_default(), via.host, &port, cseq.1])
            }
            _ => {
                let from_tag = message.from().ok().and_then(|from| from.tag()).unwrap_or_default();
                let to_tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
                let via = message.header(crate::wire::sip::Name::Via).unwrap_or_default();
                self.hash.of(&[message.request_uri(), to_tag, from_tag, call_id, &cseq.0.to_be_bytes(), cseq.1, via])
            }
        }
    }

    /// RFC 3261 8.2.2.2: From tag, Call-ID and CSeq of a request without To tag.
    fn merge_key_of(&self, message: &Message<'_>) -> Option<u64> {
        if message.to().is_ok_and(|to| to.tag().is_some()) {
            return None;
        }
        let from = message.from().ok()?;
        let cseq = message.cseq().ok()?;
        Some(self.hash.of(&[b"merge", from.tag()?, message.call_id()?, &cseq.number.to_be_bytes(), cseq.method]))
    }

    fn repeat(&mut self, now: Moment, index: u32) {
        self.retransmissions += 1;
        let Some(transaction) = self.table.get_mut(index as usize) else { return };
        transaction.heard = now;
        let mut out = self.spare.take();
        match transaction.state {
            State::Trying => return self.spare.give(out),
            State::Proceeding => write_trying(&transaction.octets, &mut out),
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
        let Some(transaction) = self.table.get_mut(id.index as usize).filter(|t| t.generation == id.generation) else {
            return false;
        };
        if transaction.state == State::Completed {
            return false;
        }
        let mut out = self.spare.take();
        write_final(code, reason, &transaction.octets, headers, &mut out);
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
        // RFC 3261 8.2.7: the tag of a stateless response is the same for every retransmission.
        let hash = self.key_of(message).to_be_bytes();
        let tag = hash.map(|octet| b'a' + octet % 26);
        write_response_head(message, source, &tag, &mut head);
        let mut out = self.spare.take();
        write_final(code, reason, &head, headers, &mut out);
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
            write_trying(&transaction.octets, &mut out);
            self.transmits.push_back((transaction.route, out));
        }
        self.rearm(now, index);
    }

    fn remove(&mut self, index: u32) {
        let Some(transaction) = self.table.try_remove(index as usize) else { return };
        self.by_key.remove(&transaction.key);
        if let Some(merge) = transaction.merge {
            self.by_merge.remove(&merge);
        }
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

fn tag(random: &mut Random) -> [u8; 16] {
    let mut tag = [0; 16];
    random.token(&mut tag);
    tag
}

fn write_trying(head: &[u8], out: &mut Vec<u8>) {
    write_final(100, "Trying", head, |_| {}, out);
}

fn write_final(code: u16, reason: &str, head: &[u8], headers: impl FnOnce(&mut Writer<'_>), out: &mut Vec<u8>) {
    Writer::response(out, code, reason);
    out.extend_from_slice(head);
    let mut writer = Writer::resume(out);
    headers(&mut writer);
    writer.end();
}
