//! The session: its connection, its states and its timers (SMPP 3.4 2.2, 7.2).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::enquire_link::EnquireLink;
use super::pending::Pending;
use super::throughput::{Throttle, Throughput};
use super::window::{self, Window};
use super::{CloseReason, Config, Counters, Doubt, Event, Initiator, NotSent, Order, Outcome, State, TimerName};
use crate::engine::reconnect::Reconnect;
use crate::engine::{Moment, Now, Random};
use crate::limits::SMPP_WINDOW_MAX;
use crate::wire::smpp::{Bind, CommandId, CommandStatus, Header, emit};
use crate::wire::{Framing, smpp};

/// interface_version we speak.
const SMPP_3_4: u8 = 0x34;

/// A request of ours whose response is awaited, beside the submissions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) sequence_number: u32,
    pub(super) deadline: Moment,
}

/// One ESME session with one SM-SC, over one connection after another.
#[derive(Debug)]
pub struct Session {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) connected: bool,
    pub(super) connection: u32,
    pub(super) sequence_number: u32,
    pub(super) tlvs_allowed: bool,
    /// From the connection to the bind response; the number is 0 until bind was sent.
    pub(super) bind: Option<Awaited>,
    pub(super) unbind: Option<Awaited>,
    /// unbind of the SM-SC that waits for our answers.
    pub(super) peer_unbind: Option<Awaited>,
    pub(super) drain: Option<Moment>,
    pub(super) stopped: bool,
    pub(super) window: Window,
    pub(super) pending: Pending,
    pub(super) submissions: u64,
    pub(super) spare_pdus: Vec<Vec<u8>>,
    pub(super) throughput: Throughput,
    pub(super) throttle: Throttle,
    pub(super) enquire_link: EnquireLink,
    /// Deliveries handed up and not answered.
    pub(super) unanswered: usize,
    reconnect: Reconnect,
    reconnect_at: Option<Moment>,
    random: Random,
    partial: BytesMut,
    pub(super) outbox: Vec<u8>,
    /// Tokens of submissions in it and not asked for yet, if anybody does.
    pub(super) sent_tokens: Option<Vec<u64>>,
    pub(super) events: VecDeque<Event>,
    orders: VecDeque<Order>,
    pub(super) counters: Counters,
}

impl Session {
    /// A session that wants to connect at once or, if the SM-SC is the initiator, waits for its connection.
    #[must_use]
    pub fn new(config: Config, random: Random) -> Session {
        let orders = (config.initiator == Initiator::Esme).then_some(Order::Connect).into_iter().collect();
        Session {
            state: State::Closed,
            connected: false,
            connection: 0,
            sequence_number: 1,
            tlvs_allowed: config.tlvs_without_version,
            bind: None,
            unbind: None,
            peer_unbind: None,
            drain: None,
            stopped: false,
            window: Window::new(config.window()),
            pending: Pending::new(config.pending_max),
            submissions: 0,
            spare_pdus: Vec::new(),
            throughput: Throughput::new(config.throughput_per_second),
            throttle: Throttle::new(config.throttle_min, config.throttle_max),
            enquire_link: EnquireLink::new(config.enquire_link, config.response),
            unanswered: 0,
            reconnect: Reconnect::new(config.reconnect_min, config.reconnect_max, config.reconnect_refused),
            reconnect_at: None,
            random,
            partial: BytesMut::new(),
            outbox: Vec::new(),
            sent_tokens: None,
            events: VecDeque::new(),
            orders,
            counters: Counters::default(),
            config,
        }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Submissions that may be in flight.
    #[must_use]
    pub fn window_size(&self) -> usize {
        self.config.window()
    }

    /// Whether `submit` has a chance now: bound to send, not draining, and room in the window or to wait.
    #[must_use]
    pub fn can_submit(&self, now: Moment) -> bool {
        self.takes_submissions() && self.has_room(now)
    }

    /// Whether it is bound to send, and neither side wants to unbind.
    #[must_use]
    pub fn takes_submissions(&self) -> bool {
        self.state.may_submit() && !self.stopped && self.peer_unbind.is_none()
    }

    /// Whether as many submissions wait as may. Where none may wait it is never full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending.is_full() && !self.pending.is_empty()
    }

    /// Whether at most half as many submissions wait as may.
    #[must_use]
    pub fn is_half_empty(&self) -> bool {
        self.pending.len() * 2 <= self.config.pending_max
    }

    /// Submissions in flight and waiting: the load, to choose between links by.
    #[must_use]
    pub fn outstanding(&self) -> (usize, usize) {
        (self.window.used(), self.pending.len())
    }

    /// Whether the SM-SC may be sent optional parameters.
    #[must_use]
    pub fn tlvs_allowed(&self) -> bool {
        self.tlvs_allowed
    }

    /// Whether `unbind` was ordered and everything is over.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.stopped && !self.connected
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The connection is open: ordered by us, or accepted from the SM-SC.
    pub fn handle_connected(&mut self, now: Now) {
        self.connected = true;
        self.connection = self.connection.wrapping_add(1);
        self.sequence_number = 1;
        self.state = State::Open;
        self.reconnect_at = None;
        self.outbox.clear();
        self.throttle.reset();
        self.enquire_link.reset(now.moment);
        self.bind = Some(Awaited { sequence_number: 0, deadline: now.moment + self.config.session_init });
        if self.stopped {
            self.close(now, CloseReason::Unbound);
        } else if self.config.initiator == Initiator::Esme {
            self.send_bind(now);
        }
    }

    /// The connection that was ordered cannot be opened.
    pub fn handle_connect_failed(&mut self, now: Now) {
        if !self.connected {
            self.lost(now, CloseReason::ConnectFailed);
        }
    }

    /// The peer closed the connection, or it broke.
    pub fn handle_closed(&mut self, now: Now) {
        if !self.connected {
            return;
        }
        self.outbox.clear();
        let reason = match (self.unbind, self.peer_unbind, self.state) {
            (Some(_), ..) => CloseReason::Unbound,
            (None, Some(_), _) | (None, None, State::Unbound) => CloseReason::PeerUnbound,
            _ => CloseReason::PeerClosed,
        };
        self.lost(now, reason);
    }

    /// Octets arrived: any part of a PDU, or many PDUs.
    pub fn handle_bytes(&mut self, now: Now, bytes: &Bytes) {
        let mut at = self.complete_partial(now, bytes);
        while self.connected && at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            match smpp::frame(rest, self.config.pdu_bytes_max) {
                Framing::Complete(len) => {
                    self.handle_pdu(now, bytes, at..at + len);
                    at += len;
                }
                Framing::Partial => {
                    self.partial.extend_from_slice(rest);
                    break;
                }
                Framing::Malformed(_) => self.lose_framing(now, rest),
            }
        }
        self.pump(now);
    }

    /// Adds to a PDU that an earlier read cut, at most to its end. Returns how many octets of `bytes` it took.
    fn complete_partial(&mut self, now: Now, bytes: &Bytes) -> usize {
        let mut taken = 0;
        while self.connected && !self.partial.is_empty() {
            let missing = match (smpp::frame(&self.partial, self.config.pdu_bytes_max), self.partial.first_chunk()) {
                (Framing::Partial, None) => 4 - self.partial.len(),
                (Framing::Partial, Some(length)) => (u32::from_be_bytes(*length) as usize) - self.partial.len(),
                (Framing::Complete(len), _) => {
                    let pdu = self.partial.split().freeze();
                    self.handle_pdu(now, &pdu, 0..len);
                    break;
                }
                (Framing::Malformed(_), _) => {
                    let start = self.partial.split();
                    self.lose_framing(now, &start);
                    break;
                }
            };
            let more = bytes.get(taken..).unwrap_or_default();
            let more = more.get(..missing).unwrap_or(more);
            if more.is_empty() {
                break;
            }
            self.partial.extend_from_slice(more);
            taken += more.len();
        }
        taken
    }

    /// An impossible command_length: nothing after it can be trusted.
    fn lose_framing(&mut self, now: Now, start: &[u8]) {
        self.counters.framing_lost += 1;
        let header = Header::parse(start).filter(|header| header.command_length >= 16);
        self.send_generic_nack(CommandStatus::ESME_RINVCMDLEN, header.map_or(0, |header| header.sequence_number));
        self.close(now, CloseReason::FramingLost);
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((_, name)) = self.poll_timeout().filter(|(at, _)| *at <= now.moment) {
            match name {
                TimerName::SessionInit => self.close(now, CloseReason::SessionInitTimeout),
                TimerName::EnquireLink => self.expire_enquire_link(now),
                TimerName::Response => self.expire_responses(now),
                TimerName::Unbind => self.expire_unbind(now),
                TimerName::Throughput => self.pump(now),
                TimerName::Pending => self.expire_pending(now),
                TimerName::Drain => self.expire_drain(now),
                TimerName::Reconnect => {
                    self.reconnect_at = None;
                    self.orders.push_back(Order::Connect);
                }
            }
        }
    }

    /// Stops: refuses new work, waits for what is outstanding, unbinds, closes, and does not connect again.
    pub fn unbind(&mut self, now: Now) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.reconnect_at = None;
        self.orders.retain(|order| *order != Order::Connect);
        if self.state.is_bound() {
            self.drain = Some(now.moment + self.config.drain);
            self.unbind_if_idle(now);
        } else if self.state == State::Open {
            self.close(now, CloseReason::Unbound);
        }
    }

    /// Whether any of the three has something: `poll_transmit`, `poll_order`, `poll_event`.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outbox.is_empty() || !self.orders.is_empty() || !self.events.is_empty()
    }

    /// Swaps what is to be sent with `spare`, which must be empty; `false` if there is nothing.
    pub fn poll_transmit(&mut self, spare: &mut Vec<u8>) -> bool {
        debug_assert!(spare.is_empty());
        let any = !self.outbox.is_empty();
        if any {
            core::mem::swap(&mut self.outbox, spare);
            self.counters.pdus_sent += smpp::count(spare);
        }
        any
    }

    /// From now on [`Session::poll_sent`] tells of submissions.
    pub fn tell_sent(&mut self) {
        self.sent_tokens = Some(Vec::with_capacity(SMPP_WINDOW_MAX));
    }

    /// A submission that was written, in no order, if that is told. Of those that nobody asked for, it tells of as many as
    /// a window may have.
    pub fn poll_sent(&mut self) -> Option<u64> {
        self.sent_tokens.as_mut()?.pop()
    }

    /// What to do with the connection, after sending what was polled.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call `handle_timeout`, and for what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Moment, TimerName)> {
        let unbind = self.unbind.or(self.peer_unbind).map(|awaited| awaited.deadline);
        let enquire_link = self.enquire_link.deadline().filter(|_| self.state.is_bound());
        let timers = [
            (self.bind.map(|awaited| awaited.deadline), TimerName::SessionInit),
            (enquire_link, TimerName::EnquireLink),
            (self.window.oldest_sent_at().map(|sent_at| sent_at + self.config.response), TimerName::Response),
            (unbind, TimerName::Unbind),
            (self.next_submission_at(), TimerName::Throughput),
            (self.pending.deadline(), TimerName::Pending),
            (self.drain, TimerName::Drain),
            (self.reconnect_at, TimerName::Reconnect),
        ];
        timers.iter().filter_map(|(at, name)| Some(((*at)?, *name))).min_by_key(|(at, _)| *at)
    }

    /// The number of a new request that is not a submission.
    pub(super) fn next_sequence_number(&mut self) -> u32 {
        let number = self.sequence_number;
        self.sequence_number = window::after(number);
        number
    }

    pub(super) fn send_bind(&mut self, now: Now) {
        let sequence_number = self.next_sequence_number();
        let config = &self.config;
        let bind = Bind {
            system_id: &config.system_id,
            password: &config.password,
            system_type: &config.system_type,
            interface_version: SMPP_3_4,
            addr_ton: config.addr_ton,
            addr_npi: config.addr_npi,
            address_range: &config.address_range,
            ..Bind::default()
        };
        let command_id = config.bind.command_id();
        emit(&mut self.outbox, command_id, CommandStatus::ESME_ROK, sequence_number, |out| bind.emit(out));
        self.bind = Some(Awaited { sequence_number, deadline: now.moment + self.config.session_init });
    }

    /// The SM-SC accepted our bind.
    pub(super) fn bound(&mut self, now: Now, version: Option<u8>) {
        self.bind = None;
        self.state = self.config.bind.bound();
        self.tlvs_allowed = version.map_or(self.config.tlvs_without_version, |version| version >= SMPP_3_4);
        self.counters.bound += 1;
        self.reconnect.begun(now.moment);
        self.events.push_back(Event::Bound { state: self.state, version });
    }

    pub(super) fn send_request(&mut self, command_id: CommandId) -> u32 {
        let sequence_number = self.next_sequence_number();
        emit(&mut self.outbox, command_id, CommandStatus::ESME_ROK, sequence_number, |_| {});
        sequence_number
    }

    pub(super) fn send_enquire_link(&mut self, now: Now) {
        let sequence_number = self.send_request(CommandId::ENQUIRE_LINK);
        self.counters.enquire_links_sent += 1;
        self.enquire_link.asked(now.moment, sequence_number);
    }

    fn expire_enquire_link(&mut self, now: Now) {
        if self.enquire_link.is_asked() {
            self.close(now, CloseReason::EnquireLinkTimeout);
        } else {
            self.send_enquire_link(now);
        }
    }

    fn expire_unbind(&mut self, now: Now) {
        let reason = if self.unbind.is_some() { CloseReason::Unbound } else { CloseReason::PeerUnbound };
        self.close(now, reason);
    }

    fn expire_drain(&mut self, now: Now) {
        self.drain = None;
        self.give_up_pending(NotSent::Unbound);
        self.send_unbind(now);
    }

    /// Unbinds once a drain has nothing left to wait for.
    pub(super) fn unbind_if_idle(&mut self, now: Now) {
        let idle = self.window.used() == 0 && self.pending.is_empty() && self.unanswered == 0;
        if self.drain.is_some() && idle && self.state.is_bound() {
            self.send_unbind(now);
        }
    }

    fn send_unbind(&mut self, now: Now) {
        self.drain = None;
        let sequence_number = self.send_request(CommandId::UNBIND);
        self.unbind = Some(Awaited { sequence_number, deadline: now.moment + self.config.response });
        self.state = State::Unbound;
    }

    /// Ends the connection from our side.
    pub(super) fn close(&mut self, now: Now, reason: CloseReason) {
        self.orders.push_back(Order::Close);
        self.lost(now, reason);
    }

    /// The connection is no more: what was in flight is in doubt, what waited was not sent.
    fn lost(&mut self, now: Now, reason: CloseReason) {
        self.state = State::Closed;
        self.connected = false;
        (self.bind, self.unbind, self.peer_unbind, self.drain) = (None, None, None, None);
        self.partial.clear();
        self.unanswered = 0;
        self.give_up_window();
        let not_sent = match reason {
            CloseReason::PeerUnbound | CloseReason::Unbound => NotSent::Unbound,
            _ => NotSent::ConnectionLost,
        };
        self.give_up_pending(not_sent);
        self.reconnect_at = self.plan_reconnect(now.moment, reason);
        self.events.push_back(Event::Closed { reason, reconnect_at: self.reconnect_at });
    }

    fn plan_reconnect(&mut self, now: Moment, reason: CloseReason) -> Option<Moment> {
        if self.stopped || self.config.initiator == Initiator::Smsc {
            return None;
        }
        let wait = match reason {
            CloseReason::BindRefused(CommandStatus::ESME_RINVPASWD | CommandStatus::ESME_RINVSYSID) => {
                self.reconnect.after_refusal(&mut self.random)
            }
            _ => self.reconnect.after_loss(now, &mut self.random),
        };
        Some(now + wait)
    }

    fn give_up_window(&mut self) {
        while let Some(in_flight) = self.window.take_sent_by(Moment(u64::MAX)) {
            self.submit_done(in_flight.token, Outcome::Unknown(Doubt::ConnectionLost));
            self.spare_pdus.extend(in_flight.retained);
        }
    }

    pub(super) fn submit_done(&mut self, token: u64, outcome: Outcome) {
        self.events.push_back(Event::SubmitDone { token, outcome });
    }
}
