//! The session: its connection, its states and its timers.

use std::collections::VecDeque;

use super::queue::Queue;
use super::replies::Expected;
use super::transaction::Transaction;
use super::{CloseReason, Config, Counters, Doubt, Event, Mail, NotSent, Order, Outcome, State, TimerName};
use crate::engine::reconnect::{Reconnect, STABLE};
use crate::engine::{Moment, Now, Random};
use crate::wire::Framing;
use crate::wire::smtp::{Command, Extensions, ReplyLines};

/// One client session with one server, over one connection after another.
#[derive(Debug)]
pub struct Client {
    pub(super) config: Config,
    pub(super) state: State,
    /// Whether `Order::Connect` was given and not answered.
    connecting: bool,
    /// Whether the server was well when we last saw it.
    available: bool,
    pub(super) extensions: Extensions,
    pub(super) queue: Queue,
    pub(super) transaction: Option<Transaction>,
    /// What the next replies answer.
    pub(super) expected: VecDeque<Expected>,
    /// When the first of them must have come.
    pub(super) reply_until: Moment,
    ready_at: Option<Moment>,
    /// Mails that had an end on this connection.
    pub(super) ended: u64,
    last_reply: Moment,
    pub(super) last_mail: Moment,
    /// Why QUIT was sent.
    quitting: CloseReason,
    drain: Option<Moment>,
    stopped: bool,
    reconnect: Reconnect,
    reconnect_at: Option<Moment>,
    random: Random,
    partial: Vec<u8>,
    pub(super) outbox: Vec<u8>,
    pub(super) events: VecDeque<Event>,
    orders: VecDeque<Order>,
    pub(super) counters: Counters,
}

impl Client {
    /// A session that wants to connect at once.
    #[must_use]
    pub fn new(config: Config, random: Random) -> Client {
        Client {
            state: State::Closed,
            connecting: true,
            available: false,
            extensions: Extensions::default(),
            queue: Queue::default(),
            transaction: None,
            expected: VecDeque::new(),
            reply_until: Moment(0),
            ready_at: None,
            ended: 0,
            last_reply: Moment(0),
            last_mail: Moment(0),
            quitting: CloseReason::Idle,
            drain: None,
            stopped: false,
            reconnect: Reconnect::new(config.reconnect_min, config.reconnect_max, config.reconnect_refused),
            reconnect_at: None,
            random,
            partial: Vec::new(),
            outbox: Vec::new(),
            events: VecDeque::new(),
            orders: VecDeque::from([Order::Connect]),
            counters: Counters::default(),
            config,
        }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the connection is open, and the server has accepted our name.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready | State::Busy)
    }

    /// Whether `send` has a chance now: the server was well when we last saw it, we do not drain, and there is room.
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.available && !self.stopped && self.queue.len() < self.config.queue_max()
    }

    /// Mails under way (0 or 1) and waiting: the load, to choose between links by.
    #[must_use]
    pub fn outstanding(&self) -> (usize, usize) {
        (usize::from(self.transaction.is_some()), self.queue.len())
    }

    /// What the server can do, once it is ready.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether `drain` was ordered and everything is over.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.stopped && self.state == State::Closed
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes a mail: begins it now if it may be, else queues it. What becomes of it comes as [`Event::Done`].
    ///
    /// # Errors
    /// It is not taken and comes back; another link may take it. See [`Client::can_send`].
    pub fn send(&mut self, now: Now, mail: Mail) -> Result<(), Mail> {
        if !self.can_send() {
            return Err(mail);
        }
        self.queue.push(mail);
        match self.state {
            State::Closed => self.connect(),
            _ => self.pump(now),
        }
        Ok(())
    }

    /// The connection that was ordered is open.
    pub fn handle_connected(&mut self, now: Now) {
        self.connecting = false;
        self.state = State::Greeting;
        (self.reconnect_at, self.ready_at, self.ended) = (None, None, 0);
        self.outbox.clear();
        self.expect(now, Expected::Greeting);
        if self.stopped {
            self.close(now, CloseReason::Drained);
        }
    }

    /// The connection that was ordered cannot be opened.
    pub fn handle_connect_failed(&mut self, now: Now) {
        if self.connecting && self.state == State::Closed {
            self.connecting = false;
            self.lost(now, CloseReason::ConnectFailed);
        }
    }

    /// The server closed the connection, or it broke.
    pub fn handle_closed(&mut self, now: Now) {
        let reason = if self.state == State::Quitting { self.quitting } else { CloseReason::PeerClosed };
        if self.state != State::Closed {
            self.outbox.clear();
            self.lost(now, reason);
        }
    }

    /// Octets arrived: any part of a reply, or many replies.
    pub fn handle_bytes(&mut self, now: Now, bytes: &[u8]) {
        if self.state == State::Closed {
            return;
        }
        let mut octets = core::mem::take(&mut self.partial);
        octets.extend_from_slice(bytes);
        let mut rest = octets.as_slice();
        while self.state != State::Closed && !rest.is_empty() {
            match ReplyLines::frame(rest) {
                Framing::Complete(len) => {
                    let (reply, after) = rest.split_at(len);
                    self.handle_octets(now, reply);
                    rest = after;
                }
                Framing::Partial => {
                    self.partial.extend_from_slice(rest);
                    break;
                }
                Framing::Malformed(_) => self.lose_framing(now),
            }
        }
    }

    fn handle_octets(&mut self, now: Now, octets: &[u8]) {
        self.last_reply = now.moment;
        match (ReplyLines::parse(octets), self.expected.pop_front()) {
            (Ok(reply), expected) if reply.code() == 421 => self.unavailable(now, expected, reply.to_reply()),
            (Ok(reply), Some(expected)) => {
                self.await_next(now);
                self.handle_reply(now, expected, &reply);
            }
            _ => self.lose_framing(now),
        }
    }

    /// What came is no reply to anything: nothing after it can be trusted.
    pub(super) fn lose_framing(&mut self, now: Now) {
        self.counters.framing_lost += 1;
        self.close(now, CloseReason::FramingLost);
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((_, name)) = self.poll_timeout().filter(|(at, _)| *at <= now.moment) {
            match name {
                TimerName::Quit => self.close(now, self.quitting),
                TimerName::Noop => self.send_noop(now),
                TimerName::Idle => self.quit(now, CloseReason::Idle),
                TimerName::Pending => self.expire_pending(now),
                TimerName::Drain => self.expire_drain(now),
                TimerName::Reconnect => self.connect(),
                _ => {
                    self.counters.reply_timeouts += 1;
                    self.close(now, CloseReason::ReplyTimeout);
                }
            }
        }
    }

    /// Stops: refuses new work, waits for what is outstanding, quits, closes, and does not connect again.
    pub fn drain(&mut self, now: Now) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.reconnect_at = None;
        self.orders.retain(|order| *order != Order::Connect);
        match self.state {
            State::Closed => self.give_up_queue(NotSent::Draining),
            State::Greeting | State::Hello => self.close(now, CloseReason::Drained),
            State::Quitting => self.quitting = CloseReason::Drained,
            State::Ready | State::Busy => {
                self.drain = Some(now.moment + self.config.drain);
                self.pump(now);
            }
        }
    }

    /// Octets for the connection.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.outbox.is_empty()).then(|| core::mem::take(&mut self.outbox))
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
        let reply = self.expected.front().map(|expected| (self.reply_until, expected.timer()));
        let after = |since: Moment, wait: core::time::Duration| {
            (self.state == State::Ready && !wait.is_zero()).then(|| since + wait)
        };
        let timers = [
            (after(self.last_reply, self.config.noop), TimerName::Noop),
            (after(self.last_mail, self.config.idle), TimerName::Idle),
            (self.queue.deadline(), TimerName::Pending),
            (self.drain, TimerName::Drain),
            (self.reconnect_at, TimerName::Reconnect),
        ];
        let timers = timers.into_iter().filter_map(|(at, name)| Some((at?, name)));
        reply.into_iter().chain(timers).min_by_key(|(at, _)| *at)
    }

    /// The server accepted our name.
    pub(super) fn ready(&mut self, now: Now, extensions: Extensions) {
        self.extensions = extensions;
        self.available = true;
        (self.ready_at, self.last_mail) = (Some(now.moment), now.moment);
        self.counters.ready += 1;
        self.reconnect.begun(now.moment);
        self.events.push_back(Event::Ready { extensions });
        self.rest(now);
    }

    /// Nothing is under way: the next mail, if there is one.
    pub(super) fn rest(&mut self, now: Now) {
        self.state = State::Ready;
        self.pump(now);
    }

    /// Begins what waits, if it may be.
    pub(super) fn pump(&mut self, now: Now) {
        while self.state == State::Ready {
            let Some(waiting) = self.queue.pop() else { break };
            if waiting.is_overdue(now.moment) {
                self.done(waiting.mail.token, Outcome::NotSent(NotSent::Expired));
            } else {
                self.begin(now, waiting);
            }
        }
        if self.state == State::Ready && self.stopped {
            self.quit(now, CloseReason::Drained);
        }
    }

    /// Sends a command whose reply is awaited behind those of earlier ones.
    pub(super) fn command(&mut self, now: Now, expected: Expected, command: &Command<'_>) {
        command.emit(&mut self.outbox);
        self.expect(now, expected);
    }

    pub(super) fn expect(&mut self, now: Now, expected: Expected) {
        if self.expected.is_empty() {
            self.reply_until = now.moment + expected.patience(&self.config);
        }
        self.expected.push_back(expected);
    }

    /// Each reply has its own time, which begins when the one before it came.
    fn await_next(&mut self, now: Now) {
        if let Some(next) = self.expected.front() {
            self.reply_until = now.moment + next.patience(&self.config);
        }
    }

    fn send_noop(&mut self, now: Now) {
        self.state = State::Busy;
        self.counters.noops += 1;
        self.command(now, Expected::Noop, &Command::Noop);
    }

    fn quit(&mut self, now: Now, reason: CloseReason) {
        (self.state, self.quitting, self.drain) = (State::Quitting, reason, None);
        self.command(now, Expected::Quit, &Command::Quit);
    }

    /// The server answered QUIT, however.
    pub(super) fn has_quit(&mut self, now: Now) {
        self.close(now, self.quitting);
    }

    fn connect(&mut self) {
        self.reconnect_at = None;
        if !self.connecting && self.state == State::Closed {
            self.connecting = true;
            self.orders.push_back(Order::Connect);
        }
    }

    pub(super) fn close(&mut self, now: Now, reason: CloseReason) {
        self.orders.push_back(Order::Close);
        self.lost(now, reason);
    }

    /// The connection is no more. If it served us well until then, what waits goes by the next one; else it is given up.
    fn lost(&mut self, now: Now, reason: CloseReason) {
        let was_well = self.was_well(now, reason);
        self.state = State::Closed;
        self.expected.clear();
        self.partial.clear();
        self.drain = None;
        self.available &= was_well;
        self.give_up_transaction(reason, was_well);
        if !self.available || self.stopped {
            self.give_up_queue(why_not_sent(reason));
        }
        let reconnect_at = self.plan_reconnect(now.moment, reason);
        self.events.push_back(Event::Closed { reason, reconnect_at });
    }

    /// Whether a new connection may be expected to do better: servers close what was idle, or had many mails.
    fn was_well(&self, now: Now, reason: CloseReason) -> bool {
        let held = self.ready_at.is_some_and(|ready_at| now.moment.since(ready_at) >= STABLE);
        match reason {
            CloseReason::Idle => true,
            CloseReason::PeerClosed | CloseReason::Unavailable(_) => self.ended > 0 || held,
            _ => false,
        }
    }

    fn give_up_transaction(&mut self, reason: CloseReason, was_well: bool) {
        let Some(transaction) = self.transaction.take() else { return };
        let token = transaction.mail.token;
        if transaction.is_sent {
            let timeout = reason == CloseReason::ReplyTimeout;
            let doubt = if timeout { Doubt::ReplyTimeout } else { Doubt::ConnectionLost };
            self.done(token, transaction.outcome_unless_known(Outcome::Unknown(doubt)));
        } else if was_well && !transaction.is_repeated && !self.stopped {
            self.counters.repeated += 1;
            self.queue.put_back(transaction.mail);
        } else {
            self.done(token, Outcome::NotSent(why_not_sent(reason)));
        }
    }

    pub(super) fn give_up_queue(&mut self, why: NotSent) {
        while let Some(waiting) = self.queue.pop() {
            self.done(waiting.mail.token, Outcome::NotSent(why));
        }
    }

    /// Says when the next connection is tried: at once if mails wait for it, and not at all if none is missed.
    fn plan_reconnect(&mut self, now: Moment, reason: CloseReason) -> Option<Moment> {
        self.reconnect_at = None;
        if self.stopped || (reason == CloseReason::Idle && self.queue.is_empty()) {
            return None;
        }
        let wait = match reason {
            CloseReason::Refused(_) => self.reconnect.after_refusal(&mut self.random),
            _ => self.reconnect.after_loss(now, &mut self.random),
        };
        if !self.queue.is_empty() {
            self.connect();
            return Some(now);
        }
        self.reconnect_at = Some(now + wait);
        self.reconnect_at
    }

    fn expire_pending(&mut self, now: Now) {
        while let Some(waiting) = self.queue.pop_overdue(now.moment) {
            self.done(waiting.mail.token, Outcome::NotSent(NotSent::Expired));
        }
    }

    fn expire_drain(&mut self, now: Now) {
        self.drain = None;
        self.close(now, CloseReason::Drained);
    }

    pub(super) fn done(&mut self, token: u64, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Accepted { .. } => &mut self.counters.accepted,
            Outcome::Refused { .. } => &mut self.counters.refused,
            Outcome::Unknown(_) => &mut self.counters.unknown,
            Outcome::NotSent(_) => &mut self.counters.not_sent,
        };
        *counter += 1;
        self.events.push_back(Event::Done { token, outcome });
    }
}

fn why_not_sent(reason: CloseReason) -> NotSent {
    match reason {
        CloseReason::ReplyTimeout | CloseReason::Unavailable(_) | CloseReason::Refused(_) => NotSent::Unavailable,
        CloseReason::Drained => NotSent::Draining,
        _ => NotSent::ConnectionLost,
    }
}
