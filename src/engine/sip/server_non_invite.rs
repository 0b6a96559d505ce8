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
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::scan;
use crate::wire::sip::{Message, Via, Writer};

use super::answered::{self, Answered, Kept};
use super::response::{Body, ResponseRoute, TAG_BYTES, new_tag, write_response, write_response_head, write_trying};
use super::server_matching::{Arrived, Keys, Match, Matching, TransactionId};
use super::timers::{QUIET, TIMER_J, TRYING_100};

/// Where a transaction is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Trying or Proceeding: in the table.
    Open(u32),
    /// Completed.
    Answered(answered::Place),
}

/// A transaction without final response.
#[derive(Debug)]
struct Open {
    generation: u32,
    keys: Keys,
    /// Whether 100 was sent.
    proceeding: bool,
    route: ResponseRoute,
    to_tag: [u8; TAG_BYTES],
    /// The headers every response copies.
    head: Vec<u8>,
}

/// The server transactions of one shard.
#[derive(Debug)]
pub struct ServerNonInvite {
    matching: Matching<Place>,
    open: Slab<Open>,
    /// Those in Trying, and when that ends; among them some that were answered.
    trying: VecDeque<(Moment, TransactionId)>,
    answered: Answered,
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
            open: Slab::new(),
            trying: VecDeque::new(),
            answered: Answered::default(),
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

    /// Transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len() + self.answered.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            Match::Again(place) => {
                self.repeat(now, place, message, source);
                return Arrived::Retransmission;
            }
            Match::Merged => return Arrived::Merged,
            Match::New(keys) => keys,
        };
        if self.len() >= self.max && !self.make_room(now) {
            return Arrived::Full;
        }
        let Ok(via) = message.top_via() else { return Arrived::Full };
        let (route, to_tag) = (ResponseRoute::new(source, &via), to_tag());
        let mut head = self.spare.take();
        write_response_head(message, source, &to_tag, &mut head);
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        Arrived::New(self.insert(now, Open { generation, keys, proceeding: false, route, to_tag, head }))
    }

    /// Ends the transaction that was answered first, if its client has been silent for so long that it has the response:
    /// what is held then follows the rate of requests for [`QUIET`] and not for all of Timer J.
    fn make_room(&mut self, now: Moment) -> bool {
        while let Some((answered, heard)) = self.answered.oldest().filter(|(at, _)| now.since(*at) >= QUIET) {
            if heard == answered {
                self.forget_oldest();
                return true;
            }
            if let Some((keys, place)) = self.answered.renew(heard) {
                self.matching.moved(keys, Place::Answered(place));
            }
        }
        false
    }

    fn insert(&mut self, now: Moment, open: Open) -> TransactionId {
        let (generation, keys) = (open.generation, open.keys);
        let index = u32::try_from(self.open.insert(open)).unwrap_or(u32::MAX);
        self.matching.insert(keys, Place::Open(index));
        let id = TransactionId { index, generation };
        self.trying.push_back((now + TRYING_100, id));
        id
    }

    /// What is at the front is in Trying.
    fn skip_answered(&mut self) {
        while self.trying.front().is_some_and(|(_, id)| !is_in(&self.open, *id)) {
            self.trying.pop_front();
        }
    }

    fn repeat(&mut self, now: Moment, place: Place, message: &Message<'_>, source: &Source) {
        self.retransmissions += 1;
        match place {
            Place::Open(index) => self.repeat_trying(index),
            Place::Answered(place) => self.repeat_answer(now, place, message, source),
        }
    }

    fn repeat_trying(&mut self, index: u32) {
        let Some(open) = self.open.get(index as usize).filter(|open| open.proceeding) else { return };
        let mut out = self.spare.take();
        write_trying(&[&open.head], &mut out);
        self.transmits.push_back((open.route, out));
    }

    fn repeat_answer(&mut self, now: Moment, place: answered::Place, message: &Message<'_>, source: &Source) {
        self.answered.hear(now, place);
        let (Some(kept), Ok(via)) = (self.answered.get(place), message.top_via()) else { return };
        let mut out = self.spare.take();
        out.extend_from_slice(kept.status_line);
        write_response_head(message, source, &kept.to_tag, &mut out);
        out.extend_from_slice(kept.rest);
        self.transmits.push_back((ResponseRoute::new(source, &via), out));
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
        if !is_in(&self.open, id) {
            return false;
        }
        let Some(open) = self.open.try_remove(id.index as usize) else { return false };
        let mut out = self.spare.take();
        write_response(code, reason, &[&open.head], body, headers, &mut out);
        if open.route.is_reliable() {
            self.matching.remove(open.keys);
        } else {
            self.keep(now, &open, &out);
        }
        self.transmits.push_back((open.route, out));
        self.recycle(open.head);
        self.skip_answered();
        true
    }

    fn keep(&mut self, now: Moment, open: &Open, response: &[u8]) {
        let status_line = scan::find(b'\n', response).map_or(response.len(), |end| end + 1);
        let (status_line, rest) = response.split_at(status_line);
        let rest = rest.get(open.head.len()..).unwrap_or_default();
        let place = self.answered.push(now, open.keys, Kept { status_line, to_tag: open.to_tag, rest });
        self.matching.moved(open.keys, Place::Answered(place));
    }

    fn forget_oldest(&mut self) {
        if let Some(keys) = self.answered.pop() {
            self.matching.remove(keys);
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
        while let Some((_, id)) = self.trying.pop_front_if(|(at, _)| *at <= now) {
            self.proceed(id);
        }
        while self.answered.oldest().is_some_and(|(at, _)| now.since(at) >= TIMER_J) {
            self.forget_oldest();
        }
    }

    fn proceed(&mut self, id: TransactionId) {
        let Some(open) = self.open.get_mut(id.index as usize).filter(|open| open.generation == id.generation) else {
            return;
        };
        open.proceeding = true;
        let mut out = self.spare.take();
        write_trying(&[&open.head], &mut out);
        self.transmits.push_back((open.route, out));
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
        let trying = self.trying.front().map(|(at, _)| *at);
        let answered = self.answered.oldest().map(|(at, _)| at + TIMER_J);
        trying.into_iter().chain(answered).min()
    }
}

fn is_in(open: &Slab<Open>, id: TransactionId) -> bool {
    open.get(id.index as usize).is_some_and(|open| open.generation == id.generation)
}
