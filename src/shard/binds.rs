//! The SMPP binds of one core: sessions, their connections, and the submissions in them.

use bytes::Bytes;
use slab::Slab;

use crate::engine::pool::Pool;
use crate::engine::smpp::{DeliveryId, Event, Order, Outcome, Request, Session, SubmitOptions};
use crate::engine::transport::{ConnectId, LinkId, ShardId, Transmit};
use crate::engine::{Moment, Now, Random};
use crate::limits;
use crate::observe::{Codes, Histogram, LinkStats, Stage, Stats, Stopwatch, Trace};
use crate::wire::Framing;
use crate::wire::smpp::status_report::{self, StatusReport};
use crate::wire::smpp::{self, CommandId, CommandStatus, DataSm, DeliverSm, Header};

use super::event::Event as Log;
use super::handoff::{BindRef, DeliverRef, Handoff, SegmentRef, Submit, SubmitOutcome};
use super::outbox::Outbox;
use super::settings::SmscSettings;
use super::smsc_choice::Transmitters;
use super::submit::micros;

/// Orders to connect that are the binds' have this bit.
pub(super) const CONNECT_BIT: u64 = 1 << 63;

#[derive(Debug)]
struct Bind {
    smsc: u16,
    session: Session,
    link: Option<LinkId>,
    connection: u32,
    /// Whether that connection was made and not lost.
    connected: bool,
    bound: bool,
    /// What others were told of it.
    told: Ability,
    submit_responses: Codes<32>,
    deliver_responses: Codes<32>,
}

/// Whether a bind takes submissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ability {
    able: bool,
    /// Whether its queue is full, or has not become half empty since.
    full: bool,
}

/// What came of a bind that others must act on.
#[derive(Debug)]
pub(super) enum BindEvent {
    /// A deliver_sm or data_sm with a short message.
    Delivered(DeliverRef, Bytes),
    /// One with a status report.
    Reported(DeliverRef, Bytes),
    /// Something for the log.
    Log(super::event::Event),
}

/// The binds.
#[derive(Debug)]
pub(super) struct Binds {
    own: ShardId,
    binds: Vec<Bind>,
    /// Submissions in the sessions, since when, and how long they took before.
    tokens: Slab<(SegmentRef, Moment, Trace)>,
    /// When the octets at hand arrived, in the time of the traces.
    arrived_ns: u64,
    submit_latency: Histogram,
    spare: Pool,
}

impl Binds {
    /// The binds that fall to `own`.
    pub(super) fn new(own: ShardId, shards: u16, smscs: &[SmscSettings], random: &mut Random) -> Binds {
        let mut binds = Vec::new();
        for (number, smsc) in smscs.iter().enumerate() {
            for _ in 0..smsc.binds_of(number, own, shards) {
                let session = Session::new(smsc.session.clone(), random.fork());
                let smsc = u16::try_from(number).unwrap_or(u16::MAX);
                let (submit_responses, deliver_responses) = (Codes::default(), Codes::default());
                binds.push(Bind {
                    smsc,
                    session,
                    link: None,
                    connection: 0,
                    connected: false,
                    bound: false,
                    told: Ability::default(),
                    submit_responses,
                    deliver_responses,
                });
            }
        }
        Binds {
            own,
            binds,
            tokens: Slab::new(),
            arrived_ns: 0,
            submit_latency: Histogram::default(),
            spare: Pool::new(limits::SPARE_BATCHES_MAX, limits::SPARE_BATCH_BYTES_MAX),
        }
    }

    fn by_link(&self, link: LinkId) -> Option<usize> {
        self.binds.iter().position(|bind| bind.link == Some(link))
    }

    /// Bound binds.
    pub(super) fn bound(&self) -> usize {
        self.binds.iter().filter(|bind| bind.bound).count()
    }

    /// From a submission to its response.
    pub(super) fn submit_latency(&self) -> Histogram {
        self.submit_latency
    }

    /// What each bind counts.
    pub(super) fn links(&self) -> impl Iterator<Item = LinkStats> {
        self.binds.iter().enumerate().map(|(at, bind)| link_stats(at, bind))
    }

    /// Whether this connection is a bind's.
    pub(super) fn has(&self, link: LinkId) -> bool {
        self.by_link(link).is_some()
    }

    /// An order of a bind was carried out.
    pub(super) fn connected(&mut self, now: Now, order: ConnectId, link: LinkId) {
        if let Some(bind) = self.of_order(order) {
            bind.link = Some(link);
            bind.connection = bind.connection.wrapping_add(1);
            bind.connected = true;
            bind.session.handle_connected(now);
        }
    }

    /// The SM-SC opened a connection; `false` if none is expected here.
    pub(super) fn accepted(&mut self, now: Now, link: LinkId, smsc: u16) -> bool {
        let Some(bind) = self.binds.iter_mut().find(|bind| bind.smsc == smsc && bind.link.is_none()) else {
            return false;
        };
        bind.link = Some(link);
        bind.connection = bind.connection.wrapping_add(1);
        bind.connected = true;
        bind.session.handle_connected(now);
        true
    }

    /// An order of a bind could not be carried out.
    pub(super) fn connect_failed(&mut self, now: Now, order: ConnectId) {
        if let Some(bind) = self.of_order(order) {
            bind.session.handle_connect_failed(now);
        }
    }

    fn of_order(&mut self, order: ConnectId) -> Option<&mut Bind> {
        self.binds.get_mut(usize::try_from(order.0 & !CONNECT_BIT).ok()?)
    }

    /// When the octets that come next arrived.
    pub(super) fn arrived(&mut self, arrived_ns: u64) {
        self.arrived_ns = arrived_ns;
    }

    /// From now on `flushed` is called.
    pub(super) fn time(&mut self) {
        self.binds.iter_mut().for_each(|bind| bind.session.tell_sent());
    }

    /// What was written has been handed to the kernel.
    pub(super) fn flushed(&mut self, now_ns: u64, stopwatch: &mut Stopwatch) {
        for bind in &mut self.binds {
            while let Some(token) = bind.session.poll_sent() {
                let submission = usize::try_from(token).ok().and_then(|token| self.tokens.get_mut(token));
                if let Some((_, _, trace)) = submission {
                    stopwatch.end_at(trace, Stage::LinkQueue, now_ns);
                }
            }
        }
    }

    /// Octets from an SM-SC.
    pub(super) fn bytes(&mut self, now: Now, link: LinkId, bytes: &Bytes) {
        if let Some(at) = self.by_link(link) {
            self.binds[at].session.handle_bytes(now, bytes);
        }
    }

    /// A connection is gone.
    pub(super) fn closed(&mut self, now: Now, link: LinkId) {
        if let Some(at) = self.by_link(link) {
            self.binds[at].link = None;
            self.binds[at].session.handle_closed(now);
        }
    }

    /// Timers may be due.
    pub(super) fn timeout(&mut self, now: Now) {
        for bind in &mut self.binds {
            bind.session.handle_timeout(now);
        }
    }

    /// Unbinds everything, once what is in flight has ended.
    pub(super) fn drain(&mut self, now: Now) {
        for bind in &mut self.binds {
            bind.session.unbind(now);
        }
    }

    /// Whether every bind is gone.
    pub(super) fn is_drained(&self) -> bool {
        self.binds.iter().all(|bind| bind.session.is_drained())
    }

    /// When to call `timeout` next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.binds.iter().filter_map(|bind| bind.session.poll_timeout()).map(|(at, _)| at).min()
    }

    /// Gives short messages, `pdus` one after the other, to a bind of their SM-SC: the one with the fewest outstanding.
    /// Those that no bind takes come back as not sent.
    pub(super) fn submit(&mut self, now: Now, submit: &Submit, pdus: &[u8], outbox: &mut Outbox, stats: &mut Stats) {
        let options = SubmitOptions { until: submit.until, retry_throttled: submit.retry_throttled };
        let chosen = self.least_loaded(now.moment, submit.smsc);
        let mut rest = pdus;
        while let Framing::Complete(len) = smpp::frame(rest, usize::MAX) {
            let (pdu, after) = rest.split_at(len);
            rest = after;
            let Some(header) = Header::parse(pdu) else { return };
            let whose = SegmentRef { segment: u8::try_from(header.sequence_number).unwrap_or(u8::MAX), ..submit.whose };
            let request = Request::Written(pdu);
            if chosen.is_some_and(|bind| self.submit_one(now, bind, (whose, submit.trace), &request, options)) {
                stats.submits += 1;
            } else {
                let outcome = SubmitOutcome::NotSent;
                let (smsc, trace) = (submit.smsc, submit.trace);
                outbox.hand(whose.owner, Handoff::Submitted { whose, smsc, outcome, trace, answered_ns: 0 });
            }
        }
        if let Some(bind) = chosen {
            self.tell_ability(bind, outbox);
        }
    }

    fn least_loaded(&self, now: Moment, smsc: u16) -> Option<usize> {
        let load = |bind: &Bind| {
            let (in_flight, pending) = bind.session.outstanding();
            in_flight + pending
        };
        let able = |bind: &Bind| bind.smsc == smsc && bind.session.can_submit(now);
        let able = self.binds.iter().enumerate().filter(|(_, bind)| able(bind));
        able.min_by_key(|(_, bind)| load(bind)).map(|(at, _)| at)
    }

    fn submit_one(
        &mut self,
        now: Now,
        bind: usize,
        (whose, trace): (SegmentRef, Trace),
        request: &Request<'_>,
        options: SubmitOptions,
    ) -> bool {
        let token = self.tokens.insert((whose, now.moment, trace));
        let taken = self.binds[bind].session.submit(now, token as u64, request, options).is_ok();
        if !taken {
            self.tokens.remove(token);
        }
        taken
    }

    /// Answers a deliver_sm if its connection still stands.
    pub(super) fn answer(&mut self, now: Now, deliver: DeliverRef, status: CommandStatus) {
        if let Some(bind) = self.binds.get_mut(usize::from(deliver.bind)) {
            bind.deliver_responses.add(status.0);
            bind.session.answer(now, deliver.delivery, status);
        }
    }

    /// Drains the sessions: octets and orders into the outbox, outcomes to their owners, deliveries to the caller.
    pub(super) fn settle(
        &mut self,
        now: Now,
        smscs: &[SmscSettings],
        outbox: &mut Outbox,
        events: &mut Vec<BindEvent>,
    ) -> bool {
        let mut any = false;
        for at in 0..self.binds.len() {
            if self.binds[at].session.has_output() {
                any |= self.settle_one(now, at, smscs, outbox, events);
            }
        }
        any
    }

    fn settle_one(
        &mut self,
        now: Now,
        at: usize,
        smscs: &[SmscSettings],
        outbox: &mut Outbox,
        events: &mut Vec<BindEvent>,
    ) -> bool {
        let mut any = false;
        self.transmit(at, outbox);
        while let Some(order) = self.binds[at].session.poll_order() {
            any = true;
            self.order(at, order, smscs, outbox);
        }
        while let Some(event) = self.binds[at].session.poll_event() {
            any = true;
            self.event(now, at, event, outbox, events);
        }
        self.tell_ability(at, outbox);
        any
    }

    fn transmit(&mut self, at: usize, outbox: &mut Outbox) {
        let bind = &mut self.binds[at];
        let mut bytes = self.spare.take();
        if !bind.session.poll_transmit(&mut bytes) {
            return self.spare.give(bytes);
        }
        if let Some(link) = bind.link {
            outbox.transmits.push_back(Transmit::Stream { link, bytes });
        }
    }

    fn order(&mut self, at: usize, order: Order, smscs: &[SmscSettings], outbox: &mut Outbox) {
        let bind = &mut self.binds[at];
        match order {
            Order::Connect => {
                let Some(smsc) = smscs.get(usize::from(bind.smsc)) else { return };
                let order = ConnectId(CONNECT_BIT | at as u64);
                outbox.transmits.push_back(Transmit::Connect { order, peer: smsc.address });
            }
            Order::Close => {
                if let Some(link) = bind.link.take() {
                    outbox.transmits.push_back(Transmit::Close { link });
                }
            }
        }
    }

    fn event(&mut self, now: Now, at: usize, event: Event, outbox: &mut Outbox, events: &mut Vec<BindEvent>) {
        match event {
            Event::SubmitDone { token, outcome } => self.submitted(now, at, token, outcome, outbox),
            Event::Delivered { delivery, pdu, is_report } => {
                let deliver = self.deliver_ref(at, delivery);
                let event = if is_report { BindEvent::Reported } else { BindEvent::Delivered };
                events.push(event(deliver, pdu));
            }
            Event::Bound { .. } => {
                events.push(BindEvent::Log(Log::Bound { smsc: self.binds[at].smsc }));
                self.binds[at].bound = true;
            }
            Event::Closed { reason, .. } => {
                events.push(BindEvent::Log(Log::BindLost { smsc: self.binds[at].smsc, reason: reason.as_str() }));
                self.lost(at, outbox);
            }
            Event::BindRefused { status } => {
                events.push(BindEvent::Log(Log::BindRefused { smsc: self.binds[at].smsc, status }));
            }
            Event::Throttled { status, .. } => {
                events.push(BindEvent::Log(Log::Throttled { smsc: self.binds[at].smsc, status }));
            }
            Event::AlertNotification { .. } => {}
        }
    }

    fn deliver_ref(&self, at: usize, delivery: DeliveryId) -> DeliverRef {
        DeliverRef { shard: self.own, bind: u16::try_from(at).unwrap_or(u16::MAX), smsc: self.binds[at].smsc, delivery }
    }

    fn submitted(&mut self, now: Now, at: usize, token: u64, outcome: Outcome, outbox: &mut Outbox) {
        let Some((whose, since, trace)) = usize::try_from(token).ok().and_then(|token| self.tokens.try_remove(token))
        else {
            return;
        };
        let outcome = match outcome {
            Outcome::Responded { status, message_id, .. } => {
                self.submit_latency.add(micros(now.moment.since(since)));
                self.binds[at].submit_responses.add(status.0);
                SubmitOutcome::Responded { status, message_id }
            }
            Outcome::Unknown(_) => SubmitOutcome::Unknown,
            Outcome::NotSent(_) => SubmitOutcome::NotSent,
        };
        let (smsc, answered_ns) = (self.binds[at].smsc, self.arrived_ns);
        outbox.hand(whose.owner, Handoff::Submitted { whose, smsc, outcome, trace, answered_ns });
    }

    /// A connection is gone, or could not be made.
    fn lost(&mut self, at: usize, outbox: &mut Outbox) {
        let bind = &mut self.binds[at];
        (bind.link, bind.bound) = (None, false);
        if core::mem::take(&mut bind.connected) {
            let number = u16::try_from(at).unwrap_or(u16::MAX);
            let lost = BindRef { shard: self.own, bind: number, connection: bind.connection };
            outbox.broadcast(|| Handoff::BindLost(lost));
        }
    }

    /// Tells every core how many binds of this SM-SC take submissions here now, if that has changed.
    fn tell_ability(&mut self, at: usize, outbox: &mut Outbox) {
        let bind = &self.binds[at];
        let full = if bind.told.full { !bind.session.is_half_empty() } else { bind.session.is_full() };
        let ability = Ability { able: bind.session.takes_submissions(), full };
        if bind.told == ability {
            return;
        }
        let smsc = bind.smsc;
        self.binds[at].told = ability;
        let count = |counts: fn(&Ability) -> bool| {
            let binds = self.binds.iter().filter(|bind| bind.smsc == smsc && counts(&bind.told));
            u16::try_from(binds.count()).unwrap_or(u16::MAX)
        };
        let transmitters = Transmitters { bound: count(|told| told.able), free: count(|told| told.able && !told.full) };
        outbox.broadcast(|| Handoff::Binds { smsc, transmitters });
    }

    /// Buffers kept for reuse, as many as there are numbers if no more are wanted.
    pub(super) fn spare(&self) -> usize {
        if self.binds.is_empty() || self.spare.len() >= limits::SPARE_BATCHES_MAX {
            usize::MAX
        } else {
            self.spare.len()
        }
    }

    /// Gives a sent buffer back.
    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        self.spare.give(bytes);
    }
}

fn link_stats(at: usize, bind: &Bind) -> LinkStats {
    let (counters, (used, pending)) = (bind.session.counters(), bind.session.outstanding());
    let count = |number: usize| number as u64;
    LinkStats {
        smsc: bind.smsc,
        bind: u16::try_from(at).unwrap_or(u16::MAX),
        submit_responses: bind.submit_responses,
        deliver_responses: bind.deliver_responses,
        bound: u64::from(bind.bound),
        window_used: count(used),
        window_size: count(bind.session.window_size()),
        pending: count(pending),
        submits: counters.submitted,
        delivers: counters.delivered,
        delivers_refused: counters.deliveries_refused,
        throttled: counters.throttled,
        timeouts: counters.response_timeouts,
        late_responses: counters.late_responses,
        answers_lost: counters.answers_lost,
        pdus_in: counters.pdus_received,
        pdus_out: counters.pdus_sent,
        generic_nacks_in: counters.generic_nacks_received,
        generic_nacks_out: counters.generic_nacks_sent,
        malformed: counters.malformed,
        framing_lost: counters.framing_lost,
        binds: counters.bound,
    }
}

/// The status report in a delivered PDU; `None` if it cannot be read, which the session has ruled out.
pub(super) fn report_in(pdu: &[u8]) -> Option<StatusReport<'_>> {
    let (header, body) = smpp::split(pdu)?;
    match header.command_id {
        CommandId::DELIVER_SM => status_report::from_deliver_sm(&DeliverSm::parse(body).ok()?),
        CommandId::DATA_SM => status_report::from_data_sm(&DataSm::parse(body).ok()?),
        _ => None,
    }
}
