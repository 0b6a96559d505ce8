//! The session: its octets, its phases and its timers.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::phase::{Envelope, Incoming, Phase};
use super::{CloseReason, Config, Counters, Event, MailId, TimerName};
use crate::engine::{Moment, Now};
use crate::limits::{SMTP_COMMAND_LINE_BYTES_MAX, SMTP_SKIPPED_BYTES_MAX, SMTP_WAITING_BYTES_MAX};
use crate::wire::smtp::{EnhancedStatus, Fault, Reply, reply};

/// One connection that a client opened.
#[derive(Debug)]
pub struct Server {
    pub(super) config: Arc<Config>,
    pub(super) phase: Phase,
    /// When the phase must be over.
    until: Moment,
    /// Whether the client said its name.
    pub(super) greeted: bool,
    pub(super) envelope: Option<Envelope>,
    pub(super) draining: bool,
    pub(super) errors: u32,
    pub(super) idle_commands: u32,
    pub(super) last_command: Moment,
    mails: u32,
    /// A command line whose end has not come.
    line: Vec<u8>,
    /// Octets of a line that is too long, passed over so far.
    skipped: usize,
    /// Commands that wait for the answer to a mail.
    waiting: Vec<u8>,
    pub(super) outbox: Vec<u8>,
    events: VecDeque<Event>,
    close: bool,
    pub(super) counters: Counters,
}

impl Server {
    /// A session whose connection was accepted; it greets at once.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Now) -> Server {
        let mut server = Server {
            phase: Phase::Command,
            until: now.moment + config.command,
            greeted: false,
            envelope: None,
            draining: false,
            errors: 0,
            idle_commands: 0,
            last_command: now.moment,
            mails: 0,
            line: Vec::new(),
            skipped: 0,
            waiting: Vec::new(),
            outbox: Vec::new(),
            events: VecDeque::new(),
            close: false,
            counters: Counters::default(),
            config,
        };
        let greeting = [server.config.hostname.as_slice(), b" ESMTP"].concat();
        reply::emit_lines(220, &[&greeting], &mut server.outbox);
        server
    }

    /// The mail that waits for its answer.
    #[must_use]
    pub fn awaits_answer(&self) -> Option<MailId> {
        match self.phase {
            Phase::Answer(id) => Some(id),
            _ => None,
        }
    }

    /// Whether the session is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Octets arrived: any part of a command or of mail data, or many commands.
    pub fn handle_bytes(&mut self, now: Now, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.phase {
                Phase::Command => self.take_line(now, rest),
                Phase::Data(_) => self.take_data(now, rest),
                Phase::Answer(_) => self.hold(rest),
                Phase::Closed => return,
            };
        }
    }

    /// The client closed the connection, or it broke.
    pub fn handle_closed(&mut self) {
        if !self.is_closed() {
            self.outbox.clear();
            self.end(CloseReason::PeerClosed);
            self.close = false;
        }
    }

    /// Runs the timer that is due.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((_, name)) = self.poll_timeout().filter(|(at, _)| *at <= now.moment) {
            match name {
                TimerName::Answer => self.expire_answer(now),
                TimerName::Command | TimerName::Data | TimerName::Mail => {
                    self.say(&Reply::new(421, EnhancedStatus(4, 4, 2), b"too slow, closing"));
                    self.end(CloseReason::Timeout);
                }
            }
        }
    }

    /// What becomes of a mail. With 421 the connection is closed as well. An answer to another mail than the one that waits is
    /// too late and counts as such.
    pub fn answer(&mut self, now: Now, id: MailId, reply: Reply) {
        if self.awaits_answer() != Some(id) {
            self.counters.answers_late += 1;
            return;
        }
        if reply.is_positive() {
            (self.errors, self.idle_commands) = (0, 0);
        }
        self.finish_mail(now, &reply);
        if reply.code == 421 {
            return self.end(CloseReason::Answered);
        }
        self.close_if_drained();
        let waiting = core::mem::take(&mut self.waiting);
        self.handle_bytes(now, &waiting);
    }

    /// Takes no further mail: closes at once, or after the one that was begun.
    pub fn drain(&mut self, _now: Now) {
        self.draining = true;
        self.close_if_drained();
    }

    /// Octets for the connection.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.outbox.is_empty()).then(|| core::mem::take(&mut self.outbox))
    }

    /// Whether to close the connection, after sending what was polled. Says so once.
    pub fn poll_close(&mut self) -> bool {
        core::mem::take(&mut self.close)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call `handle_timeout`, and for what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Moment, TimerName)> {
        match &self.phase {
            Phase::Command => Some((self.until, TimerName::Command)),
            Phase::Data(data) if data.idle_until < self.until => Some((data.idle_until, TimerName::Data)),
            Phase::Data(_) => Some((self.until, TimerName::Mail)),
            Phase::Answer(_) => Some((self.until, TimerName::Answer)),
            Phase::Closed => None,
        }
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        reply.emit(&mut self.outbox);
    }

    pub(super) fn enter(&mut self, phase: Phase, until: Moment) {
        (self.phase, self.until) = (phase, until);
    }

    /// The session is over; what was said before still leaves.
    pub(super) fn end(&mut self, reason: CloseReason) {
        let unanswered = self.awaits_answer();
        self.phase = Phase::Closed;
        (self.line, self.waiting, self.envelope) = (Vec::new(), Vec::new(), None);
        self.close = true;
        self.events.push_back(Event::Closed { reason, unanswered });
    }

    pub(super) fn close_if_drained(&mut self) {
        if self.draining && self.envelope.is_none() && matches!(self.phase, Phase::Command) {
            self.say(&Reply::new(421, EnhancedStatus(4, 3, 2), b"closing"));
            self.end(CloseReason::Drained);
        }
    }

    /// Up to the end of a line, and its command if it is whole.
    fn take_line<'a>(&mut self, now: Now, octets: &'a [u8]) -> &'a [u8] {
        let feed = memchr::memchr(b'\n', octets);
        let (piece, rest) = octets.split_at(feed.map_or(octets.len(), |at| at + 1));
        if self.skipped > 0 || self.line.len() + piece.len() > SMTP_COMMAND_LINE_BYTES_MAX {
            self.skip(now, piece, feed.is_some());
        } else if feed.is_none() {
            self.line.extend_from_slice(piece);
        } else if self.line.is_empty() {
            self.command_line(now, piece);
        } else {
            self.line.extend_from_slice(piece);
            let line = core::mem::take(&mut self.line);
            self.command_line(now, &line);
        }
        rest
    }

    fn command_line(&mut self, now: Now, line: &[u8]) {
        self.until = now.moment + self.config.command;
        self.handle_line(now, line);
    }

    /// A line that is too long is one command that nobody can read.
    fn skip(&mut self, now: Now, piece: &[u8], is_end: bool) {
        self.skipped += self.line.len() + piece.len();
        self.line = Vec::new();
        if self.skipped > SMTP_SKIPPED_BYTES_MAX {
            self.say(&Reply::new(421, EnhancedStatus(4, 5, 2), b"line too long, closing"));
            self.end(CloseReason::TooManyOctets);
        } else if is_end {
            self.skipped = 0;
            self.until = now.moment + self.config.command;
            self.counters.commands += 1;
            self.refuse(&Reply::new(500, EnhancedStatus(5, 5, 2), b"line too long"));
        }
    }

    fn hold<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        if self.waiting.len() + octets.len() > SMTP_WAITING_BYTES_MAX {
            self.say(&Reply::new(421, EnhancedStatus(4, 5, 0), b"too many commands at once, closing"));
            self.end(CloseReason::TooManyOctets);
        } else {
            self.waiting.extend_from_slice(octets);
        }
        &[]
    }

    fn take_data<'a>(&mut self, now: Now, octets: &'a [u8]) -> &'a [u8] {
        let Phase::Data(data) = &mut self.phase else { return octets };
        data.idle_until = now.moment + self.config.data;
        match data.unstuffer.read(octets, &mut data.octets) {
            Some(taken) => {
                self.end_data(now);
                octets.get(taken..).unwrap_or_default()
            }
            None => &[],
        }
    }

    fn end_data(&mut self, now: Now) {
        let Phase::Data(Incoming { unstuffer, octets, .. }) = core::mem::replace(&mut self.phase, Phase::Command)
        else {
            return;
        };
        match unstuffer.fault() {
            Some(fault) => {
                self.counters.mails_refused += 1;
                self.finish_mail(now, &faulty(fault));
                self.count_error();
                self.close_if_drained();
            }
            None => self.hand_up(now, octets),
        }
    }

    fn hand_up(&mut self, now: Now, octets: Vec<u8>) {
        let Some(Envelope { mail_from, rcpt_to, .. }) = self.envelope.take() else { return };
        self.mails = self.mails.wrapping_add(1);
        self.counters.mails += 1;
        let id = MailId(self.mails);
        self.enter(Phase::Answer(id), now.moment + self.config.answer);
        self.events.push_back(Event::Mail { id, mail_from, rcpt_to, data: Bytes::from(octets) });
    }

    fn finish_mail(&mut self, now: Now, reply: &Reply) {
        self.say(reply);
        self.envelope = None;
        self.enter(Phase::Command, now.moment + self.config.command);
    }

    fn expire_answer(&mut self, now: Now) {
        let Some(id) = self.awaits_answer() else { return };
        self.counters.mails_expired += 1;
        self.events.push_back(Event::Expired { id });
        self.answer(now, id, Reply::new(451, EnhancedStatus(4, 4, 7), b"not delivered in time, try again"));
    }
}

fn faulty(fault: Fault) -> Reply {
    match fault {
        Fault::TooLarge => Reply::new(552, EnhancedStatus(5, 3, 4), b"message too large"),
        Fault::BareLineEnd => Reply::new(554, EnhancedStatus(5, 6, 0), b"a line ends in CR LF and nothing else"),
        Fault::LongLine => Reply::new(554, EnhancedStatus(5, 6, 0), b"line too long"),
    }
}
