//! What the server says: each reply finds the command it answers.

use core::time::Duration;

use super::{Client, CloseReason, Config, State, TimerName};
use crate::engine::Now;
use crate::wire::smtp::{Command, Extensions, Reply, ReplyLines};

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The connection itself.
    Greeting,
    Ehlo,
    Helo,
    Mail,
    /// RCPT of the recipient at this place.
    Rcpt(usize),
    Data,
    /// The end of the mail data.
    End,
    Rset,
    Noop,
    Quit,
}

impl Expected {
    pub(super) fn patience(self, config: &Config) -> Duration {
        match self.timer() {
            TimerName::Greeting => config.greeting,
            TimerName::DataInitiation => config.data_initiation,
            TimerName::DataTermination => config.data_termination,
            TimerName::Quit => config.quit,
            _ => config.command,
        }
    }

    pub(super) fn timer(self) -> TimerName {
        match self {
            Expected::Greeting => TimerName::Greeting,
            Expected::Data => TimerName::DataInitiation,
            Expected::End => TimerName::DataTermination,
            Expected::Quit => TimerName::Quit,
            _ => TimerName::Command,
        }
    }
}

impl Client {
    pub(super) fn handle_reply(&mut self, now: Now, expected: Expected, lines: &ReplyLines<'_>) {
        let reply = lines.to_reply();
        match expected {
            Expected::Greeting => self.greeted(now, reply),
            Expected::Ehlo if reply.is_positive() => self.ready(now, Extensions::read(lines)),
            Expected::Ehlo if reply.is_permanent() => self.hello(now, Expected::Helo),
            Expected::Helo if reply.is_positive() => self.ready(now, Extensions::default()),
            Expected::Ehlo | Expected::Helo => self.close(now, CloseReason::Refused(reply)),
            Expected::Mail => self.mail_answered(now, reply),
            Expected::Rcpt(place) => self.rcpt_answered(now, place, reply),
            Expected::Data => self.data_answered(now, reply),
            Expected::End => self.end_answered(now, reply),
            Expected::Rset if !reply.is_positive() => self.lose_framing(now),
            Expected::Rset | Expected::Noop => self.rest(now),
            Expected::Quit => self.has_quit(now),
        }
    }

    fn greeted(&mut self, now: Now, reply: Reply) {
        if reply.is_positive() {
            self.hello(now, Expected::Ehlo);
        } else {
            // RFC 5321 3.1: also who is refused says good-bye.
            Command::Quit.emit(&mut self.outbox);
            self.close(now, CloseReason::Refused(reply));
        }
    }

    fn hello(&mut self, now: Now, expected: Expected) {
        self.state = State::Hello;
        let name = core::mem::take(&mut self.config.hostname);
        let command = if expected == Expected::Ehlo { Command::Ehlo(&name) } else { Command::Helo(&name) };
        self.command(now, expected, &command);
        self.config.hostname = name;
    }

    /// 421: the server closes, whatever was asked (RFC 5321 3.8). Said of a whole mail, it is the answer to it.
    pub(super) fn unavailable(&mut self, now: Now, expected: Option<Expected>, reply: Reply) {
        match expected {
            Some(Expected::Quit) => return self.has_quit(now),
            Some(Expected::End) => self.conclude(reply),
            _ => {}
        }
        let before_ready = matches!(self.state, State::Greeting | State::Hello);
        let reason = if before_ready { CloseReason::Refused(reply) } else { CloseReason::Unavailable(reply) };
        self.close(now, reason);
    }
}
