//! What each command does (RFC 5321 4.1).

use core::time::Duration;

use super::phase::{Envelope, Incoming, Phase};
use super::{CloseReason, Server, recipients};
use crate::engine::Now;
use crate::wire::Malformed;
use crate::wire::digits::digits;
use crate::wire::smtp::path::is_domain_or_literal;
use crate::wire::smtp::{Command, EnhancedStatus, Parameters, Path, Reply, Unstuffer, parameters, reply};

/// Octets for which room is made at most before a mail's data arrive.
const ROOM_BYTES_MAX: usize = 64 << 10;
/// Commands that come after a pause like this are no flood.
const PAUSE: Duration = Duration::from_secs(1);
/// Verbs of protocols whose requests a browser can be made to send here.
const FOREIGN: [&[u8]; 5] = [b"GET", b"POST", b"PUT", b"OPTIONS", b"CONNECT"];

impl Server {
    /// One line, its LF included.
    pub(super) fn handle_line(&mut self, now: Now, line: &[u8]) {
        self.counters.commands += 1;
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return self.refuse(&Reply::new(500, EnhancedStatus(5, 5, 2), b"a line ends in CR LF"));
        };
        match Command::parse(line) {
            Ok(command) => self.handle_command(now, command),
            Err(why) => self.refuse(&unreadable(line, why)),
        }
    }

    fn handle_command(&mut self, now: Now, command: Command<'_>) {
        match command {
            Command::Mail { from, parameters } => self.mail(&from, parameters),
            Command::Rcpt { to, parameters } => self.rcpt(now, &to, parameters),
            Command::Data => self.data(now),
            Command::Quit => {
                self.say(&Reply::new(221, EnhancedStatus(2, 0, 0), b"closing"));
                self.end(CloseReason::Quit);
            }
            Command::Other(verb) => self.other(verb),
            _ if !self.may_idle(now) => {}
            Command::Ehlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Rset => {
                self.envelope = None;
                self.say(&Reply::new(250, EnhancedStatus(2, 0, 0), b"reset"));
                self.close_if_drained();
            }
            Command::Noop => self.say(&Reply::new(250, EnhancedStatus(2, 0, 0), b"nothing done")),
            Command::Help => self.say(&Reply::new(214, EnhancedStatus(2, 0, 0), b"see RFC 5321")),
            Command::Vrfy(_) => self.say(&Reply::new(252, EnhancedStatus(2, 5, 0), b"cannot verify, send a mail")),
            Command::Expn(_) => self.refuse(&Reply::new(502, EnhancedStatus(5, 5, 1), b"not implemented")),
        }
    }

    /// Says that a command is refused, until there were too many.
    pub(super) fn refuse(&mut self, reply: &Reply) {
        self.counters.commands_refused += 1;
        self.say(reply);
        self.count_error();
    }

    pub(super) fn count_error(&mut self) {
        self.errors += 1;
        if self.errors > self.config.errors_max {
            self.say(&Reply::new(421, EnhancedStatus(4, 7, 0), b"too many errors, closing"));
            self.end(CloseReason::TooManyErrors);
        }
    }

    /// Counts a command that brings no mail on, and says whether there may be more.
    fn may_idle(&mut self, now: Now) -> bool {
        if now.moment.since(self.last_command) >= PAUSE {
            self.idle_commands = 0;
        }
        self.last_command = now.moment;
        self.idle_commands += 1;
        let may = self.idle_commands <= self.config.commands_max;
        if !may {
            self.say(&Reply::new(421, EnhancedStatus(4, 7, 0), b"too many commands, closing"));
            self.end(CloseReason::TooManyCommands);
        }
        may
    }

    fn hello(&mut self, name: &[u8], extended: bool) {
        if !is_domain_or_literal(name) {
            return self.refuse(&Reply::new(501, EnhancedStatus(5, 5, 4), b"a domain or an address literal is wanted"));
        }
        self.greeted = true;
        self.envelope = None;
        let size = [b"SIZE ".as_slice(), &digits(self.config.message_bytes_max as u64)].concat();
        let lines: [&[u8]; 5] = [&self.config.hostname, b"PIPELINING", &size, b"8BITMIME", b"ENHANCEDSTATUSCODES"];
        let lines = if extended { &lines[..] } else { &lines[..1] };
        reply::emit_lines(250, lines, &mut self.outbox);
        self.close_if_drained();
    }

    fn mail(&mut self, from: &Path<'_>, parameters: Parameters<'_>) {
        if !self.greeted {
            return self.refuse(&Reply::new(503, EnhancedStatus(5, 5, 1), b"EHLO first"));
        }
        if self.envelope.is_some() {
            return self.refuse(&Reply::new(503, EnhancedStatus(5, 5, 1), b"a mail was begun already"));
        }
        match self.announced_size(parameters) {
            Ok(size) => {
                self.envelope = Some(Envelope { mail_from: from.mailbox().to_vec(), size, ..Envelope::default() });
                self.say(&Reply::new(250, EnhancedStatus(2, 1, 0), b"sender accepted"));
            }
            Err(reply) => self.refuse(&reply),
        }
    }

    /// Octets that SIZE announces, 0 if it does not. Other parameters are refused (RFC 5321 4.1.1.11).
    fn announced_size(&self, parameters: Parameters<'_>) -> Result<usize, Reply> {
        let mut announced = 0;
        for (keyword, value) in parameters.iter() {
            let value = value.unwrap_or_default();
            if keyword.eq_ignore_ascii_case(b"SIZE") {
                let size = parameters::size(value).ok_or_else(bad_parameter)?;
                announced = usize::try_from(size).unwrap_or(usize::MAX);
            } else if !keyword.eq_ignore_ascii_case(b"BODY") {
                return Err(Reply::new(555, EnhancedStatus(5, 5, 4), b"parameter not recognized"));
            } else if !value.eq_ignore_ascii_case(b"8BITMIME") && !value.eq_ignore_ascii_case(b"7BIT") {
                return Err(bad_parameter());
            }
        }
        let too_large = announced > self.config.message_bytes_max;
        if too_large { Err(Reply::new(552, EnhancedStatus(5, 3, 4), b"message too large")) } else { Ok(announced) }
    }

    fn rcpt(&mut self, now: Now, to: &Path<'_>, parameters: Parameters<'_>) {
        let recipients_max = self.config.recipients_max();
        let Some(envelope) = &mut self.envelope else {
            return self.refuse(&Reply::new(503, EnhancedStatus(5, 5, 1), b"MAIL first"));
        };
        if parameters.iter().next().is_some() {
            return self.refuse(&Reply::new(555, EnhancedStatus(5, 5, 4), b"parameter not recognized"));
        }
        if let Some(reply) = recipients::refusal(&self.config, to) {
            self.counters.recipients_refused += 1;
            return self.refuse(&reply);
        }
        if envelope.rcpt_to.iter().any(|other| other.eq_ignore_ascii_case(to.mailbox())) {
            return self.idle_rcpt(now, &Reply::new(250, EnhancedStatus(2, 1, 5), b"recipient accepted already"));
        }
        if envelope.rcpt_to.len() >= recipients_max {
            self.counters.recipients_refused += 1;
            return self.idle_rcpt(now, &Reply::new(452, EnhancedStatus(4, 5, 3), b"too many recipients"));
        }
        envelope.rcpt_to.push(to.mailbox().to_vec());
        self.say(&Reply::new(250, EnhancedStatus(2, 1, 5), b"recipient accepted"));
    }

    /// A recipient that adds nothing. No error of the client's: to those beyond the bound it sends the mail once more.
    fn idle_rcpt(&mut self, now: Now, reply: &Reply) {
        if self.may_idle(now) {
            self.say(reply);
        }
    }

    fn data(&mut self, now: Now) {
        let Some(envelope) = &self.envelope else {
            return self.refuse(&Reply::new(503, EnhancedStatus(5, 5, 1), b"MAIL first"));
        };
        if envelope.rcpt_to.is_empty() {
            return self.refuse(&Reply::new(554, EnhancedStatus(5, 5, 1), b"no valid recipients"));
        }
        let incoming = Incoming {
            unstuffer: Unstuffer::new(self.config.message_bytes_max),
            octets: Vec::with_capacity(envelope.size.min(ROOM_BYTES_MAX)),
            idle_until: now.moment + self.config.data,
        };
        self.say(&Reply::plain(354, b"end with a line of one dot"));
        self.enter(Phase::Data(incoming), now.moment + self.config.mail);
    }

    fn other(&mut self, verb: &[u8]) {
        if FOREIGN.iter().any(|foreign| verb.eq_ignore_ascii_case(foreign)) || verb.ends_with(b":") {
            self.say(&Reply::new(421, EnhancedStatus(4, 7, 0), b"this is SMTP, closing"));
            return self.end(CloseReason::NotSmtp);
        }
        self.refuse(&Reply::new(500, EnhancedStatus(5, 5, 1), b"command not recognized"));
    }
}

fn bad_parameter() -> Reply {
    Reply::new(501, EnhancedStatus(5, 5, 4), b"parameter cannot be read")
}

fn unreadable(line: &[u8], why: Malformed) -> Reply {
    let is_mail = line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"MAIL"));
    match why.what {
        "command line" => Reply::new(500, EnhancedStatus(5, 5, 2), b"line cannot be read"),
        "parameter" | "argument" => bad_parameter(),
        _ if is_mail => Reply::new(501, EnhancedStatus(5, 1, 7), b"sender cannot be read"),
        _ => Reply::new(501, EnhancedStatus(5, 1, 3), b"recipient cannot be read"),
    }
}
