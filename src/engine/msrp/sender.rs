//! Messages on their way to the peer (RFC 4975 7.1): chunks by turns, as many as the socket takes, and their answers.

use std::collections::VecDeque;

use bytes::Bytes;

use super::config::Settings;
use super::event::{CloseReason, Counters, Event, Outcome};
use super::message::Ident;
use super::transactions::{self, Request, Transactions};
use super::write::{self, Paths};
use crate::engine::{Moment, Random};
use crate::wire::msrp::{Continuation, FailureReport};

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its name: unique in the session, and not to be guessed (RFC 4975 7.1.1).
    pub message_id: Ident,
    /// Content-Type with its parameters.
    pub content_type: Box<[u8]>,
    /// The content.
    pub body: Bytes,
    /// Whether the peer shall REPORT that it has the whole message.
    pub success_report: bool,
    /// Which responses and reports the peer shall send.
    pub failure_report: FailureReport,
}

/// Why a message was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendRefused {
    /// Too many messages, or octets, wait.
    Full,
    /// The session is closed.
    Closed,
}

/// A REPORT that waits to be written.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) message_id: Ident,
    pub(super) octets: u64,
    pub(super) status: u16,
}

/// A message that is not over.
#[derive(Debug)]
pub(super) struct Sending {
    serial: u64,
    token: u64,
    pub(super) what: Outgoing,
    /// Octets written.
    pub(super) at: usize,
    /// Octets of the whole message.
    pub(super) total: usize,
    begun: bool,
    unanswered: usize,
    /// Over for its owner; the peer is still to be told that no more will come.
    stopped: bool,
}

impl Sending {
    fn wants_answers(&self) -> bool {
        self.what.failure_report == FailureReport::Yes
    }

    fn lost(&self) -> Outcome {
        if self.begun { Outcome::Unknown } else { Outcome::Unsent }
    }
}

/// What a response meant for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing beyond its message.
    Heard,
    /// It answers nothing of ours.
    Late,
    /// The session is over.
    Close(CloseReason),
}

/// Everything that leaves, but responses.
#[derive(Debug, Default)]
pub(super) struct Sender {
    /// Messages with octets to write, the next one first.
    queue: VecDeque<Sending>,
    /// Messages whose last chunk was written and whose answers were not all there.
    written: Vec<Sending>,
    queued_bytes: usize,
    reports: VecDeque<Report>,
    transactions: Transactions,
    /// Chunks that only an error is answered to (Failure-Report: partial).
    unconfirmed: Transactions,
    serial: u64,
    /// An empty SEND is due unless there is something to send.
    binds: bool,
}

impl Sender {
    /// Whether nothing is left to do or to wait for.
    pub(super) fn is_idle(&self) -> bool {
        self.outstanding() == 0
            && self.queue.is_empty()
            && self.reports.is_empty()
            && self.transactions.is_empty()
            && self.unconfirmed.is_empty()
            && !self.binds
    }

    /// Messages whose `Sent` is owed.
    pub(super) fn outstanding(&self) -> usize {
        self.queue.iter().filter(|sending| !sending.stopped).count() + self.written.len()
    }

    pub(super) fn push(&mut self, token: u64, what: Outgoing, settings: &Settings) -> Result<(), SendRefused> {
        let bytes = self.queued_bytes.saturating_add(what.body.len());
        if self.queue.len() + self.written.len() >= settings.sending_max || bytes > settings.sending_bytes_max {
            return Err(SendRefused::Full);
        }
        self.queued_bytes = bytes;
        self.serial += 1;
        let (serial, total) = (self.serial, what.body.len());
        self.queue.push_back(Sending {
            serial,
            token,
            what,
            at: 0,
            total,
            begun: false,
            unanswered: 0,
            stopped: false,
        });
        Ok(())
    }

    pub(super) fn push_report(&mut self, report: Report) {
        self.reports.push_back(report);
    }

    /// The connection was opened by us: the peer must hear of the session.
    pub(super) fn bind(&mut self) {
        self.binds = true;
    }

    /// Writes what may leave now. `room` is what the socket may be given; whole chunks are, so the last may exceed it.
    pub(super) fn write(
        &mut self,
        now: Moment,
        random: &mut Random,
        paths: &Paths<'_>,
        settings: &Settings,
        out: &mut Out<'_>,
    ) {
        self.write_bind(now, random, paths, settings, out);
        for report in self.reports.drain(..) {
            write::report(paths, &transactions::mint(random, b""), &report, out.bytes);
        }
        while out.bytes.len() < out.room && self.may_write() {
            let Some(sending) = self.queue.pop_front() else { break };
            self.write_chunk(now, random, paths, settings, sending, out);
        }
    }

    /// Whether the next message may write a chunk: its answer must find a place.
    fn may_write(&self) -> bool {
        let waits = |next: &Sending| next.wants_answers() && !next.stopped && self.transactions.is_full();
        self.queue.front().is_some_and(|next| !waits(next))
    }

    fn write_bind(
        &mut self,
        now: Moment,
        random: &mut Random,
        paths: &Paths<'_>,
        settings: &Settings,
        out: &mut Out<'_>,
    ) {
        if !core::mem::take(&mut self.binds) || !self.queue.is_empty() {
            return;
        }
        let id = transactions::mint(random, b"");
        write::bind(paths, &id, &transactions::mint(random, b""), out.bytes);
        self.transactions.push(id, Request::Bind, now + settings.transaction);
    }

    fn write_chunk(
        &mut self,
        now: Moment,
        random: &mut Random,
        paths: &Paths<'_>,
        settings: &Settings,
        mut sending: Sending,
        out: &mut Out<'_>,
    ) {
        let content = next_content(&sending, settings);
        let id = transactions::mint(random, &content);
        out.counters.chunks_sent += 1;
        if sending.stopped {
            return write::chunk(paths, &id, &sending, b"", Continuation::Abort, out.bytes);
        }
        let last = sending.at + content.len() >= sending.total;
        let flag = if last { Continuation::Complete } else { Continuation::More };
        write::chunk(paths, &id, &sending, &content, flag, out.bytes);
        sending.at += content.len();
        sending.begun = true;
        self.await_answer(id, &mut sending, now + settings.transaction);
        if last { self.was_written(sending, out.events) } else { self.queue.push_back(sending) }
    }

    fn await_answer(&mut self, id: transactions::TransactionId, sending: &mut Sending, deadline: Moment) {
        let request = Request::Chunk { serial: sending.serial, token: sending.token };
        match sending.what.failure_report {
            FailureReport::Yes => {
                sending.unanswered += 1;
                self.transactions.push(id, request, deadline);
            }
            FailureReport::Partial => self.unconfirmed.push(id, request, deadline),
            FailureReport::No => {}
        }
    }

    fn was_written(&mut self, sending: Sending, events: &mut VecDeque<Event>) {
        if sending.wants_answers() {
            self.written.push(sending);
        } else {
            self.end(&sending, Outcome::Written, events);
        }
    }

    fn end(&mut self, sending: &Sending, outcome: Outcome, events: &mut VecDeque<Event>) {
        self.queued_bytes = self.queued_bytes.saturating_sub(sending.total);
        events.push_back(Event::Sent { token: sending.token, outcome });
    }

    /// A response of the peer.
    pub(super) fn handle_response(&mut self, id: &[u8], code: u16, events: &mut VecDeque<Event>) -> Answer {
        let Some(request) = self.transactions.take(id).or_else(|| self.unconfirmed.take(id)) else {
            return Answer::Late;
        };
        match (request, code) {
            (Request::Chunk { serial, .. }, 200..=299) => self.answered(serial, events),
            (Request::Chunk { serial, token }, _) => self.refused(serial, token, code, events),
            (Request::Bind, _) => {}
        }
        match code {
            481 => Answer::Close(CloseReason::NoSuchSession),
            506 => Answer::Close(CloseReason::OtherConnection),
            _ => Answer::Heard,
        }
    }

    fn answered(&mut self, serial: u64, events: &mut VecDeque<Event>) {
        if let Some(sending) = self.queue.iter_mut().find(|sending| sending.serial == serial) {
            sending.unanswered = sending.unanswered.saturating_sub(1);
        } else if let Some(at) = self.written.iter().position(|sending| sending.serial == serial) {
            self.written[at].unanswered = self.written[at].unanswered.saturating_sub(1);
            if self.written[at].unanswered == 0 {
                let sending = self.written.swap_remove(at);
                self.end(&sending, Outcome::Delivered, events);
            }
        }
    }

    fn refused(&mut self, serial: u64, token: u64, code: u16, events: &mut VecDeque<Event>) {
        if !self.stop(|sending| sending.serial == serial, Outcome::Refused(code), events) {
            events.push_back(Event::Failed { token, code });
        }
    }

    /// Ends a message early; what was begun and will not be finished ends with `#` (RFC 4975 7.1.1).
    fn stop(&mut self, is_it: impl Fn(&Sending) -> bool, outcome: Outcome, events: &mut VecDeque<Event>) -> bool {
        let is_it = |sending: &Sending| !sending.stopped && is_it(sending);
        let sending = if let Some(at) = self.written.iter().position(is_it) {
            Some(self.written.swap_remove(at))
        } else {
            self.queue.iter().position(is_it).and_then(|at| self.queue.remove(at))
        };
        let Some(mut sending) = sending else { return false };
        self.transactions.forget(sending.serial);
        self.unconfirmed.forget(sending.serial);
        self.end(&sending, outcome, events);
        if sending.begun && sending.at < sending.total {
            sending.stopped = true;
            (sending.what.body, sending.what.failure_report) = (Bytes::new(), FailureReport::No);
            self.queue.push_front(sending);
        }
        true
    }

    /// Gives a message up. `false` if it is over already.
    pub(super) fn abort(&mut self, token: u64, events: &mut VecDeque<Event>) -> bool {
        self.stop(|sending| sending.token == token, Outcome::Aborted, events)
    }

    /// Ends the messages with a chunk that waited too long. Whether it was the request that binds the connection.
    pub(super) fn handle_timeout(
        &mut self,
        now: Moment,
        counters: &mut Counters,
        events: &mut VecDeque<Event>,
    ) -> bool {
        while self.unconfirmed.take_due(now).is_some() {}
        while let Some(request) = self.transactions.take_due(now) {
            counters.transaction_timeouts += 1;
            match request {
                Request::Bind => return true,
                Request::Chunk { serial, .. } => {
                    self.stop(|sending| sending.serial == serial, Outcome::TimedOut, events);
                }
            }
        }
        false
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        [self.transactions.deadline(), self.unconfirmed.deadline()].into_iter().flatten().min()
    }

    /// The connection, or the session, is over: nothing waits any more.
    pub(super) fn lose(&mut self, events: &mut VecDeque<Event>) {
        self.transactions.clear();
        self.unconfirmed.clear();
        self.reports.clear();
        self.binds = false;
        let written = core::mem::take(&mut self.written);
        for sending in written.into_iter().chain(core::mem::take(&mut self.queue)) {
            if !sending.stopped {
                self.end(&sending, sending.lost(), events);
            }
        }
    }
}

/// Where a sender writes to.
pub(super) struct Out<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    /// Octets of `bytes` at which to stop.
    pub(super) room: usize,
    pub(super) events: &'a mut VecDeque<Event>,
    pub(super) counters: &'a mut Counters,
}

/// The content of a message's next chunk.
fn next_content(sending: &Sending, settings: &Settings) -> Bytes {
    let end = sending.what.body.len().min(sending.at.saturating_add(settings.chunk()));
    if sending.stopped { Bytes::new() } else { sending.what.body.slice(sending.at..end) }
}
