//! Submissions: taking them, sending them as the window, the rate and the SM-SC allow, and giving them up.

use super::pending::Waiting;
use super::window::InFlight;
use super::{Doubt, Event, NotSent, Outcome, Session};
use crate::engine::{Moment, Now};
use crate::limits::SMPP_WINDOW_MAX;
use crate::wire::inline::Inline;
use crate::wire::smpp::{CommandId, CommandStatus, DataSm, Header, Pdu, SubmitSm, emit, set_sequence_number};

/// A message to submit, without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// submit_sm.
    SubmitSm(SubmitSm<'a>),
    /// data_sm.
    DataSm(DataSm<'a>),
    /// A whole submit_sm or data_sm as [`crate::wire::smpp`] writes it, but for the sequence_number.
    Written(&'a [u8]),
}

impl Request<'_> {
    fn command_id(&self) -> CommandId {
        match self {
            Request::SubmitSm(_) => CommandId::SUBMIT_SM,
            Request::DataSm(_) => CommandId::DATA_SM,
            Request::Written(pdu) => Header::parse(pdu).map_or(CommandId::SUBMIT_SM, |header| header.command_id),
        }
    }

    fn has_tlvs(&self) -> bool {
        let region = match self {
            Request::SubmitSm(body) => body.tlvs.as_bytes(),
            Request::DataSm(body) => body.tlvs.as_bytes(),
            Request::Written(pdu) => match Pdu::parse(pdu) {
                Ok((_, Pdu::SubmitSm(body))) => body.tlvs.as_bytes(),
                Ok((_, Pdu::DataSm(body))) => body.tlvs.as_bytes(),
                _ => b"",
            },
        };
        !region.is_empty()
    }

    fn unfit(&self) -> Option<&'static str> {
        match self {
            Request::SubmitSm(body) => body.unfit(),
            Request::DataSm(body) => body.unfit(),
            Request::Written(_) => None,
        }
    }

    fn emit(&self, sequence_number: u32, out: &mut Vec<u8>) {
        let (id, status) = (self.command_id(), CommandStatus::ESME_ROK);
        match self {
            Request::SubmitSm(body) => emit(out, id, status, sequence_number, |out| body.emit(out)),
            Request::DataSm(body) => emit(out, id, status, sequence_number, |out| body.emit(out)),
            Request::Written(pdu) => {
                let start = out.len();
                out.extend_from_slice(pdu);
                set_sequence_number(out.get_mut(start..).unwrap_or_default(), sequence_number);
            }
        }
    }
}

/// How long a submission may wait, and what throttling does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitOptions {
    /// Not sent at or after this moment.
    pub until: Moment,
    /// Whether it is sent again, in its turn, when the SM-SC throttles it and `until` allows; else the status is
    /// reported at once.
    pub retry_throttled: bool,
}

impl Default for SubmitOptions {
    fn default() -> SubmitOptions {
        SubmitOptions { until: Moment(u64::MAX), retry_throttled: false }
    }
}

/// Why a submission was not taken. Nothing is reported for it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitRefused {
    /// Not bound, or bound as a receiver.
    NotBound,
    /// The session drains, or the SM-SC unbinds.
    Unbinding,
    /// As many wait as may.
    QueueFull,
    /// It has optional parameters, and the SM-SC knows none (SMPP 3.4 3.3).
    TlvsNotAllowed,
    /// This field does not fit its bound, or holds a NUL.
    Unfit(&'static str),
}

impl Session {
    /// Takes a submission: sends it now if it may be, else queues it. What becomes of it comes as
    /// [`Event::SubmitDone`] with `token`.
    ///
    /// # Errors
    /// It is not taken; the caller may choose another link.
    pub fn submit(
        &mut self,
        now: Now,
        token: u64,
        request: &Request<'_>,
        options: SubmitOptions,
    ) -> Result<(), SubmitRefused> {
        self.may_take(now.moment, request)?;
        self.submissions += 1;
        if self.may_send_new(now.moment) {
            self.send_now(now, token, request, options);
        } else {
            self.queue(token, request, options);
        }
        Ok(())
    }

    fn may_take(&self, now: Moment, request: &Request<'_>) -> Result<(), SubmitRefused> {
        if self.stopped || self.peer_unbind.is_some() {
            Err(SubmitRefused::Unbinding)
        } else if !self.state.may_submit() {
            Err(SubmitRefused::NotBound)
        } else if !self.has_room(now) {
            Err(SubmitRefused::QueueFull)
        } else if !self.tlvs_allowed && request.has_tlvs() {
            Err(SubmitRefused::TlvsNotAllowed)
        } else {
            request.unfit().map_or(Ok(()), |field| Err(SubmitRefused::Unfit(field)))
        }
    }

    /// Whether a new one may be sent at once, none waiting before it.
    fn may_send_new(&self, now: Moment) -> bool {
        self.pending.is_empty() && self.may_send(now)
    }

    /// Whether a new one may be sent or may wait.
    pub(super) fn has_room(&self, now: Moment) -> bool {
        !self.pending.is_full() || self.may_send_new(now)
    }

    fn send_now(&mut self, now: Now, token: u64, request: &Request<'_>, options: SubmitOptions) {
        let sequence_number = self.next_submission_number();
        let start = self.outbox.len();
        request.emit(sequence_number, &mut self.outbox);
        let retained = options.retry_throttled.then(|| {
            let mut pdu = self.spare_pdus.pop().unwrap_or_default();
            pdu.clear();
            pdu.extend_from_slice(self.outbox.get(start..).unwrap_or_default());
            pdu
        });
        let rank = self.submissions;
        let command_id = request.command_id();
        let in_flight = InFlight { token, command_id, sent_at: now.moment, rank, until: options.until, retained };
        self.sent(now, sequence_number, in_flight);
    }

    fn queue(&mut self, token: u64, request: &Request<'_>, options: SubmitOptions) {
        let mut pdu = self.spare_pdus.pop().unwrap_or_default();
        pdu.clear();
        request.emit(0, &mut pdu);
        let SubmitOptions { until, retry_throttled } = options;
        let (rank, command_id) = (self.submissions, request.command_id());
        self.pending.push(Waiting { rank, token, command_id, until, retry_throttled, pdu, throttled: None });
    }

    /// Sends what waits, as much as may be.
    pub(super) fn pump(&mut self, now: Now) {
        while self.may_send(now.moment) {
            let Some(waiting) = self.pending.pop() else { break };
            if waiting.until <= now.moment {
                self.give_up_waiting(waiting, NotSent::DeadlinePassed);
            } else {
                self.send_waiting(now, waiting);
            }
        }
        self.unbind_if_idle(now);
    }

    fn send_waiting(&mut self, now: Now, waiting: Waiting) {
        let Waiting { rank, token, command_id, until, retry_throttled, mut pdu, .. } = waiting;
        let sequence_number = self.next_submission_number();
        set_sequence_number(&mut pdu, sequence_number);
        self.outbox.extend_from_slice(&pdu);
        let retained = if retry_throttled { Some(pdu) } else { self.spare(pdu) };
        self.sent(now, sequence_number, InFlight { token, command_id, sent_at: now.moment, rank, until, retained });
    }

    fn sent(&mut self, now: Now, sequence_number: u32, in_flight: InFlight) {
        if let Some(sent) = self.sent_tokens.as_mut().filter(|sent| sent.len() < SMPP_WINDOW_MAX) {
            sent.push(in_flight.token);
        }
        self.window.insert(sequence_number, in_flight);
        self.throughput.spend(now.moment);
        self.enquire_link.pdu(now.moment);
        self.counters.submitted += 1;
    }

    /// The next number whose slot is free; numbers whose slot an old request still holds are skipped.
    fn next_submission_number(&mut self) -> u32 {
        loop {
            let number = self.next_sequence_number();
            if self.window.is_free(number) {
                return number;
            }
        }
    }

    fn may_send(&self, now: Moment) -> bool {
        self.state.may_submit()
            && self.peer_unbind.is_none()
            && !self.window.is_full()
            && self.throttle.resume_at() <= now
            && self.throughput.ready_at() <= now
    }

    /// When the first that waits may be sent, if that is a matter of time alone.
    pub(super) fn next_submission_at(&self) -> Option<Moment> {
        let waits = self.state.may_submit() && !self.window.is_full() && !self.pending.is_empty();
        let may_follow = waits && self.peer_unbind.is_none();
        may_follow.then(|| self.throttle.resume_at().max(self.throughput.ready_at()))
    }

    /// A submission was answered.
    pub(super) fn submission_answered(
        &mut self,
        now: Now,
        in_flight: InFlight,
        status: CommandStatus,
        message_id: &[u8],
        delivery_failure_reason: Option<u8>,
    ) {
        self.counters.responded += 1;
        if status.is_throttling() {
            return self.submission_throttled(now, in_flight, status);
        }
        self.throttle.passed(in_flight.sent_at);
        self.spare_pdus.extend(in_flight.retained);
        let message_id = Inline::from_slice(message_id).unwrap_or_default();
        self.submit_done(in_flight.token, Outcome::Responded { status, message_id, delivery_failure_reason });
    }

    fn submission_throttled(&mut self, now: Now, in_flight: InFlight, status: CommandStatus) {
        self.counters.throttled += 1;
        if let Some(until) = self.throttle.throttled(now.moment, in_flight.sent_at) {
            self.events.push_back(Event::Throttled { status, until });
        }
        let InFlight { token, command_id, rank, until, retained, .. } = in_flight;
        let in_time = until > self.throttle.resume_at().max(now.moment) && self.state.may_submit();
        match retained.filter(|_| in_time && self.peer_unbind.is_none()) {
            Some(pdu) => {
                let throttled = Some(status);
                self.pending.push(Waiting { rank, token, command_id, until, retry_throttled: true, pdu, throttled });
            }
            None => self.submit_done(token, responded(status)),
        }
    }

    pub(super) fn expire_responses(&mut self, now: Now) {
        let sent_by = now.moment - self.config.response;
        while let Some(in_flight) = self.window.take_sent_by(sent_by) {
            self.counters.response_timeouts += 1;
            self.submit_done(in_flight.token, Outcome::Unknown(Doubt::ResponseTimeout));
            self.spare_pdus.extend(in_flight.retained);
        }
        // Submissions keep the link from ever being silent: ask whether it lives.
        if self.state.is_bound() && !self.enquire_link.is_asked() {
            self.send_enquire_link(now);
        }
        self.pump(now);
    }

    pub(super) fn expire_pending(&mut self, now: Now) {
        while let Some(waiting) = self.pending.pop_overdue(now.moment) {
            self.give_up_waiting(waiting, NotSent::DeadlinePassed);
        }
        self.unbind_if_idle(now);
    }

    pub(super) fn give_up_pending(&mut self, why: NotSent) {
        while let Some(waiting) = self.pending.pop() {
            self.give_up_waiting(waiting, why);
        }
    }

    /// One that was throttled before has the SM-SC's verdict; the others were not sent.
    fn give_up_waiting(&mut self, waiting: Waiting, why: NotSent) {
        let outcome = waiting.throttled.filter(|_| why == NotSent::DeadlinePassed).map(responded);
        self.submit_done(waiting.token, outcome.unwrap_or(Outcome::NotSent(why)));
        self.spare(waiting.pdu);
    }

    /// Keeps a buffer for later. Always `None`, to say that nothing is retained.
    fn spare(&mut self, pdu: Vec<u8>) -> Option<Vec<u8>> {
        if self.spare_pdus.len() < SMPP_WINDOW_MAX {
            self.spare_pdus.push(pdu);
        }
        None
    }
}

fn responded(status: CommandStatus) -> Outcome {
    Outcome::Responded { status, message_id: Inline::new(), delivery_failure_reason: None }
}
