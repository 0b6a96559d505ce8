//! One MSRP session: what it is told, and what it hands out (RFC 4975 5.4, 7).

use std::collections::VecDeque;

use super::budget::Budget;
use super::code::{BAD_REQUEST, NO_SESSION, OK, STOP, UNKNOWN_METHOD};
use super::config::{Config, Role};
use super::event::{CloseReason, Counters, DiscardReason, Event, IncomingId, TimerName};
use super::message::Ident;
use super::open::ChunkHead;
use super::piece::Piece;
use super::receiver::{Ended, Next, Receiver, Refusal, Rules};
use super::remembered::Remembered;
use super::reply::{Reply, Usual};
use super::sender::{Answer, Out, Outgoing, Report, SendRefused, Sender};
use super::slices::Lent;
use super::write::Paths;
use crate::engine::{Moment, Now, Random};
use crate::wire::msrp::{ByteRange, Continuation, Head, Likeness, Method, Path, Start, uri};

/// One session. While nothing is under way it holds its paths and little else.
#[derive(Debug)]
pub struct Session {
    config: Config,
    budget: Budget,
    bound: bool,
    /// The peer has shown that it knows this connection.
    heard: bool,
    closed: bool,
    /// Octets handed out that the socket has not taken.
    in_flight: usize,
    next_incoming: u64,
    over: Remembered,
    receiver: Option<Box<Receiver>>,
    sender: Option<Box<Sender>>,
    usual: Usual,
    /// Answers that wait to be handed out.
    outbox: Vec<u8>,
    events: VecDeque<Event>,
    counters: Counters,
}

impl Session {
    /// A session without a connection. What it holds of incomplete and unanswered messages counts against `budget`.
    #[must_use]
    pub fn new(config: Config, budget: &Budget) -> Session {
        Session {
            config,
            budget: budget.clone(),
            bound: false,
            heard: false,
            closed: false,
            in_flight: 0,
            next_incoming: 0,
            over: Remembered::default(),
            receiver: None,
            sender: None,
            usual: Usual::default(),
            outbox: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// As it was made.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether it has a connection.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.bound
    }

    /// Octets held of incomplete messages.
    #[must_use]
    pub fn bytes_held(&self) -> u64 {
        self.receiver.as_ref().map_or(0, |receiver| receiver.held())
    }

    /// Messages of the peer that are incomplete or unanswered, and messages of ours that are not over.
    #[must_use]
    pub fn open_messages(&self) -> (usize, usize) {
        let incoming = self.receiver.as_ref().map_or(0, |receiver| receiver.open_messages());
        (incoming, self.sender.as_ref().map_or(0, |sender| sender.outstanding()))
    }

    /// It has a connection: the one we opened, or one on which a request came for its URI.
    pub fn handle_bound(&mut self, now: Now) {
        if self.closed {
            return;
        }
        if self.bound {
            self.handle_unbound(now);
        }
        (self.bound, self.heard, self.in_flight) = (true, false, 0);
        if self.config.role == Role::Active {
            self.sender().bind();
        }
    }

    /// Its connection is gone, and with it every message that was not over.
    pub fn handle_unbound(&mut self, _now: Now) {
        self.outbox = Vec::new();
        self.end_messages();
    }

    fn end_messages(&mut self) {
        self.bound = false;
        self.in_flight = 0;
        while let Some(message_id) = self.receiver.as_mut().and_then(|receiver| receiver.take_lost()) {
            self.events.push_back(Event::Discarded { message_id, reason: DiscardReason::ConnectionLost });
        }
        if let Some(mut sender) = self.sender.take() {
            sender.lose(&mut self.events);
        }
        self.receiver = None;
    }

    /// The socket has taken octets that [`poll_transmit`](Session::poll_transmit) handed out.
    pub fn handle_room(&mut self, bytes: usize) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    /// The peer sent a piece of a request, or a response.
    pub fn handle_piece(&mut self, now: Now, piece: Piece<'_>) {
        if !self.bound {
            return;
        }
        match (self.next_of(&piece), piece.end()) {
            (Some(next), Some(flag)) if flag != Continuation::Abort => {
                self.take_whole(now.moment, next, &piece, flag);
            }
            (next, _) => self.take_part(now.moment, next, &piece),
        }
    }

    #[inline(never)]
    fn take_part(&mut self, now: Moment, next: Option<Next>, piece: &Piece<'_>) {
        match (next, piece.head()) {
            (Some(next), Some((section, head))) => self.begin_like_last(now, next, (section, head)),
            (None, Some((section, head))) => self.begin(now, section, head, piece.likeness()),
            (_, None) => {}
        }
        self.data(now, piece.lent_data());
        if let Some(flag) = piece.end() {
            self.counters.chunks_received += 1;
            self.end(flag);
        }
    }

    fn data(&mut self, now: Moment, data: Lent<'_>) {
        let Some(receiver) = self.receiver.as_mut().filter(|_| !data.is_empty()) else { return };
        if let Err(refusal) = receiver.data(now, data, &self.config.settings) {
            self.refuse_message(*refusal);
        }
    }

    /// The next chunk of the message that the last one was of, if its head shows it without being read again.
    #[inline]
    fn next_of(&self, piece: &Piece<'_>) -> Option<Next> {
        self.receiver.as_ref()?.next_of(piece.likeness()?, piece.head?)
    }

    fn begin_like_last(&mut self, now: Moment, next: Next, (section, head): (&[u8], &Head)) {
        let Some(receiver) = self.receiver.as_mut() else { return };
        let reply = Reply::to_usual_hop(head, section);
        if let Err(refusal) = receiver.begin_like_last(now, next, reply, &self.config.settings) {
            self.refuse_message(*refusal);
        }
    }

    /// All of the next chunk, in one go.
    #[inline]
    fn take_whole(&mut self, now: Moment, next: Next, piece: &Piece<'_>, flag: Continuation) {
        let (Some(receiver), Some((section, head))) = (self.receiver.as_mut(), piece.head()) else { return };
        self.counters.chunks_received += 1;
        let taken = receiver.take_whole(now, &next, piece.lent_data(), flag, &self.config.settings);
        if taken == Ok(false) {
            return self.usual.acknowledge(head, section, &self.config, &mut self.outbox);
        }
        self.end_whole(&next, taken, (section, head));
    }

    #[inline(never)]
    fn end_whole(&mut self, next: &Next, taken: Result<bool, u16>, (section, head): (&[u8], &Head)) {
        let Some(receiver) = self.receiver.as_mut() else { return };
        let (reply, incoming) = (Reply::to_usual_hop(head, section), IncomingId(self.next_incoming));
        let ended = receiver.end_whole(next, taken, reply, incoming);
        self.ended(ended);
    }

    fn begin(&mut self, now: Moment, section: &[u8], head: &Head, likeness: Option<Likeness>) {
        match head.start() {
            Start::Response { code } => self.response(head.transaction_id(section), code),
            Start::Request { method: Method::Report } => self.report_received(section, head),
            Start::Request { method } => self.request(now, section, head, method, likeness),
        }
    }

    fn request(&mut self, now: Moment, section: &[u8], head: &Head, method: Method, likeness: Option<Likeness>) {
        let reply = Reply::to(head, section, &self.config.peer_path);
        if !self.is_ours(section, head) {
            return self.refuse(&reply, NO_SESSION);
        }
        // No relay is here that could authorize anybody (RFC 4976 5.1), and no conference (RFC 7701).
        if method != Method::Send {
            return self.refuse(&reply, UNKNOWN_METHOD);
        }
        self.was_heard();
        let message_id = head.message_id(section);
        if head.flaw().is_none() {
            return self.send_received(now, section, head, reply, likeness);
        }
        // Message-ID itself may be what is wrong.
        match Ident::from_slice(message_id) {
            Some(message_id) if self.receiver.as_mut().is_some_and(|receiver| receiver.drop_open(&message_id)) => {
                self.refuse_message(Refusal { message_id, code: BAD_REQUEST, reply });
            }
            _ => self.refuse(&reply, BAD_REQUEST),
        }
    }

    /// Whether a request is of this session: to our one URI, from the peer's, whatever relays it took (RFC 4975 7.3). One
    /// from elsewhere is of no session that we know.
    fn is_ours(&self, section: &[u8], head: &Head) -> bool {
        let (to, from) = (head.to_path(section), head.from_path(section));
        let peer = &*self.config.peer_path;
        (to.as_bytes() == &*self.config.local_path || uri::is_same(to.as_bytes(), &self.config.local_path))
            && (from.as_bytes() == peer || uri::is_same(from.last(), Path::new(peer).last()))
    }

    fn send_received(&mut self, now: Moment, section: &[u8], head: &Head, reply: Reply, likeness: Option<Likeness>) {
        let message_id = head.message_id(section);
        let receiver = self.receiver.get_or_insert_default();
        if !head.has_body() {
            return receiver.begin_bodiless(Ident::from_slice(message_id).unwrap_or_default(), reply);
        }
        let chunk = ChunkHead {
            message_id,
            range: head.byte_range().unwrap_or(ByteRange::UNKNOWN),
            content_type: head.content_type(section),
            success_report: head.success_report(),
            failure_report: head.failure_report(),
            likeness,
        };
        let (settings, accept) = (&self.config.settings, &self.config.accept);
        let rules = Rules { accept, settings, budget: &self.budget, over: &self.over };
        if let Err(refusal) = receiver.begin(now, &chunk, reply, &rules) {
            self.refuse_message(*refusal);
        }
    }

    fn end(&mut self, flag: Continuation) {
        let Some(receiver) = self.receiver.as_mut() else { return };
        let ended = receiver.end(flag, IncomingId(self.next_incoming));
        self.ended(ended);
    }

    fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Silence => {}
            Ended::Answer(code) => {
                self.usual.prepare(&self.config);
                self.answer_chunk(code);
            }
            Ended::Repeated(message_id) => {
                self.counters.duplicates += 1;
                self.answer_chunk(self.over.code(&message_id).unwrap_or(OK));
            }
            Ended::Aborted(message_id) => {
                self.answer_chunk(OK);
                self.events.push_back(Event::Discarded { message_id, reason: DiscardReason::Aborted });
            }
            Ended::Refused(refusal) => self.refuse_message(*refusal),
            Ended::Received(message) => {
                let incoming = IncomingId(self.next_incoming);
                self.next_incoming += 1;
                self.counters.messages_received += 1;
                self.events.push_back(Event::Received { incoming, message });
            }
        }
        self.forget_idle();
    }

    fn answer_chunk(&mut self, code: u16) {
        if let Some(receiver) = &self.receiver {
            receiver.reply().write(code, &self.config, &self.usual, &mut self.outbox);
        }
    }

    /// A message is refused, and what else comes of it as well.
    fn refuse_message(&mut self, refusal: Refusal) {
        let Refusal { message_id, code, reply } = refusal;
        if self.over.code(&message_id) != Some(code) {
            self.over.insert(&message_id, code);
            self.events.push_back(Event::Discarded { message_id, reason: DiscardReason::Refused(code) });
        }
        self.refuse(&reply, code);
    }

    fn refuse(&mut self, reply: &Reply, code: u16) {
        self.counters.refused += 1;
        self.write_reply(reply, code);
    }

    fn write_reply(&mut self, reply: &Reply, code: u16) {
        reply.write(code, &self.config, &self.usual, &mut self.outbox);
    }

    fn was_heard(&mut self) {
        if !core::mem::replace(&mut self.heard, true) {
            self.events.push_back(Event::Bound);
        }
    }

    fn response(&mut self, transaction_id: &[u8], code: u16) {
        let answer = match self.sender.as_mut() {
            Some(sender) => sender.handle_response(transaction_id, code, &mut self.events),
            None => Answer::Late,
        };
        match answer {
            Answer::Late => self.counters.late_responses += 1,
            Answer::Heard => self.was_heard(),
            Answer::Close(reason) => self.close_for(reason),
        }
        self.forget_idle();
    }

    /// REPORT is never answered, whatever it is (RFC 4975 7.1.2).
    fn report_received(&mut self, section: &[u8], head: &Head) {
        let status = head.status(section).filter(|status| status.namespace == 0);
        match (Ident::from_slice(head.message_id(section)), status) {
            (Some(message_id), Some(status)) if head.flaw().is_none() && self.is_ours(section, head) => {
                let octets = head.byte_range().and_then(|range| Some((range.start, range.end?)));
                self.events.push_back(Event::Reported { message_id, status: status.code, octets });
            }
            _ => self.counters.malformed_reports += 1,
        }
    }

    /// Queues a message; it leaves when there is a connection and room. `token` comes back once, with what became of it;
    /// until then no other message may have it.
    ///
    /// # Errors
    /// If too much waits already, or the session is closed.
    pub fn send(&mut self, token: u64, what: Outgoing) -> Result<(), SendRefused> {
        if self.closed {
            return Err(SendRefused::Closed);
        }
        let settings = self.config.settings;
        self.sender().push(token, what, &settings)
    }

    /// The answer to the chunk that completed a message, once: 200, or why it is not wanted. With 200 the peer gets its
    /// REPORT too, if it asked for one. `false` if the connection it came on is gone, and nothing can be said any more.
    pub fn respond(&mut self, incoming: IncomingId, code: u16) -> bool {
        let Some(waiting) = self.receiver.as_mut().and_then(|receiver| receiver.answered(incoming)) else {
            return false;
        };
        self.over.insert(&waiting.message_id, code);
        self.counters.refused += u64::from(code != OK);
        for reply in &waiting.replies {
            self.write_reply(reply, code);
        }
        if code == OK && waiting.success_report {
            self.report(waiting.message_id, waiting.octets, OK);
        }
        self.forget_idle();
        true
    }

    /// A REPORT on a message of the peer of so many octets: 200, or what befell it after its 200 (RFC 4975 7.1.4; not if
    /// its Failure-Report was "no"). Lost if there is no connection.
    pub fn report(&mut self, message_id: Ident, octets: u64, status: u16) {
        if self.bound {
            self.sender().push_report(Report { message_id, octets, status });
        }
    }

    /// Gives up a message of ours: the peer is told by `#` if it has a part of it. `false` if it is over already.
    pub fn abort(&mut self, token: u64) -> bool {
        let aborted = self.sender.as_mut().is_some_and(|sender| sender.abort(token, &mut self.events));
        self.forget_idle();
        aborted
    }

    /// Ends the session: what comes is not looked at any more, and nothing leaves but answers that were given before.
    pub fn close(&mut self) {
        self.close_for(CloseReason::Ordered);
    }

    fn close_for(&mut self, reason: CloseReason) {
        if core::mem::replace(&mut self.closed, true) {
            return;
        }
        self.end_messages();
        self.events.push_back(Event::Closed { reason });
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        let settings = &self.config.settings;
        while let Some(message_id) =
            self.receiver.as_mut().and_then(|receiver| receiver.take_late(now.moment, settings))
        {
            self.over.insert(&message_id, STOP);
            self.events.push_back(Event::Discarded { message_id, reason: DiscardReason::TimedOut });
        }
        let unheard = self
            .sender
            .as_mut()
            .is_some_and(|sender| sender.handle_timeout(now.moment, &mut self.counters, &mut self.events));
        if unheard {
            self.close_for(CloseReason::BindTimedOut);
        }
        self.forget_idle();
    }

    /// Appends what is to be sent now to `out`: answers first, then chunks of all messages by turns, as many as the socket
    /// may be given. Whole requests and responses, so that other sessions can use the connection in between. `false` if
    /// there is nothing.
    pub fn poll_transmit(&mut self, now: Now, random: &mut Random, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        if out.is_empty() {
            core::mem::swap(out, &mut self.outbox);
        } else {
            out.append(&mut self.outbox);
        }
        if let Some(sender) = self.sender.as_mut().filter(|_| self.bound) {
            let settings = &self.config.settings;
            let paths = Paths { local: &self.config.local_path, peer: &self.config.peer_path };
            let room = start + settings.in_flight_bytes.saturating_sub(self.in_flight);
            let mut into = Out { bytes: out, room, events: &mut self.events, counters: &mut self.counters };
            sender.write(now.moment, random, &paths, settings, &mut into);
        }
        let handed = out.len() - start;
        self.in_flight += handed;
        self.forget_idle();
        if self.receiver.is_none() {
            self.outbox = Vec::new();
        }
        handed > 0
    }

    /// Whether something happened that [`poll_event`](Session::poll_event) has not told yet.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 0 {
            self.events = VecDeque::new();
        }
        event
    }

    /// When to call [`handle_timeout`](Session::handle_timeout), and for what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Moment, TimerName)> {
        let answer = self.sender.as_ref().and_then(|sender| sender.deadline());
        let octets = self.receiver.as_ref().and_then(|receiver| receiver.deadline(&self.config.settings));
        let timers = [answer.map(|at| (at, TimerName::Transaction)), octets.map(|at| (at, TimerName::MessageIdle))];
        timers.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn sender(&mut self) -> &mut Sender {
        self.sender.get_or_insert_default()
    }

    /// An idle session is small.
    fn forget_idle(&mut self) {
        if self.receiver.take_if(|receiver| receiver.is_idle()).is_some() {
            self.usual = Usual::default();
        }
        self.sender.take_if(|sender| sender.is_idle());
    }
}
