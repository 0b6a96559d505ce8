//! One mail on its way (RFC 5321 3.3, RFC 2920 3.1).

use super::queue::Waiting;
use super::replies::Expected;
use super::{Client, Mail, Outcome, Stage, State};
use crate::engine::Now;
use crate::wire::digits::decimal;
use crate::wire::smtp::{Command, EnhancedStatus, Parameters, Path, Reply, Stuffer};

/// A mail that was begun.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) mail: Mail,
    /// Whether it was begun before, on a connection that was lost.
    pub(super) is_repeated: bool,
    /// Whether the end of its data was sent.
    pub(super) is_sent: bool,
    /// Whether the server has it open, and would have to be told to forget it.
    is_open: bool,
    /// Recipients that the server takes it for.
    accepted: usize,
    refused: Vec<(usize, Reply)>,
    /// What ended it before its content was sent.
    failure: Option<(Stage, Reply)>,
}

impl Transaction {
    fn new(waiting: Waiting) -> Transaction {
        Transaction {
            mail: waiting.mail,
            is_repeated: waiting.is_repeated,
            is_sent: false,
            is_open: false,
            accepted: 0,
            refused: Vec::new(),
            failure: None,
        }
    }

    /// Whether it is still wanted that the content goes.
    fn may_go_on(&self) -> bool {
        self.failure.is_none() && self.accepted > 0
    }

    fn fail(&mut self, stage: Stage, reply: Reply) {
        self.failure.get_or_insert((stage, reply));
    }

    /// What it came to, if it ended before its content was sent.
    fn failed(&mut self) -> Option<Outcome> {
        self.refused.sort_unstable_by_key(|(place, _)| *place);
        let first = self.refused.first().map(|(_, reply)| (Stage::Recipients, *reply));
        let (stage, reply) = self.failure.or(first.filter(|_| self.accepted == 0))?;
        Some(Outcome::Refused { stage, reply, refused: core::mem::take(&mut self.refused) })
    }

    /// The outcome that is known, whatever the server says to an empty mail; else `otherwise`.
    pub(super) fn outcome_unless_known(mut self, otherwise: Outcome) -> Outcome {
        self.failed().unwrap_or(otherwise)
    }
}

impl Client {
    /// Begins a mail, unless we know that it would be refused.
    pub(super) fn begin(&mut self, now: Now, waiting: Waiting) {
        let mut transaction = Transaction::new(waiting);
        self.judge(&mut transaction);
        if let Some((stage, reply)) = transaction.failure {
            let outcome = Outcome::Refused { stage, reply, refused: transaction.refused };
            return self.done(transaction.mail.token, outcome);
        }
        self.counters.mails += 1;
        self.state = State::Busy;
        self.send_mail(now, &transaction.mail);
        self.transaction = Some(transaction);
        if self.extensions.pipelining {
            self.send_rcpts(now);
            self.command(now, Expected::Data, &Command::Data);
        }
    }

    /// Says of a mail what the server would say: RFC 1870 6.1 and RFC 6152 2 forbid to send it, and what is no mailbox cannot
    /// be written.
    fn judge(&self, transaction: &mut Transaction) {
        let mail = &transaction.mail;
        let size_max = self.extensions.size.filter(|size| *size > 0).unwrap_or(u64::MAX);
        let failure = if Path::from_mailbox(&mail.mail_from).is_err() {
            Some(Reply::new(553, EnhancedStatus(5, 1, 7), b"the sender is no mailbox"))
        } else if mail.size() as u64 > size_max {
            Some(Reply::new(552, EnhancedStatus(5, 3, 4), b"larger than the server takes"))
        } else if !self.extensions.eight_bit_mime && mail.is_eight_bit() {
            Some(Reply::new(554, EnhancedStatus(5, 6, 3), b"the server takes seven bits only"))
        } else {
            None
        };
        transaction.failure = failure.map(|reply| (Stage::Sender, reply));
        let unfit = Reply::new(553, EnhancedStatus(5, 1, 3), b"the recipient is no mailbox");
        let places = mail.rcpt_to.iter().enumerate().filter(|(_, mailbox)| recipient(mailbox).is_none());
        transaction.refused = places.map(|(place, _)| (place, unfit)).collect();
        if transaction.refused.len() == mail.rcpt_to.len() {
            transaction.fail(Stage::Recipients, unfit);
        }
    }

    fn send_mail(&mut self, now: Now, mail: &Mail) {
        let mut parameters = Vec::new();
        if self.extensions.size.is_some() {
            parameters.extend_from_slice(b" SIZE=");
            decimal(&mut parameters, mail.size() as u64);
        }
        if self.extensions.eight_bit_mime && mail.is_eight_bit() {
            parameters.extend_from_slice(b" BODY=8BITMIME");
        }
        let from = Path::from_mailbox(&mail.mail_from).unwrap_or(Path::NULL);
        let parameters = Parameters::parse(&parameters).unwrap_or_default();
        self.command(now, Expected::Mail, &Command::Mail { from, parameters });
    }

    fn send_rcpts(&mut self, now: Now) {
        let mut place = 0;
        while let Some(sent) = self.send_rcpt(now, place) {
            place = sent + 1;
        }
    }

    /// Sends RCPT of the next recipient that can be written, from `place` on, and says which that is.
    fn send_rcpt(&mut self, now: Now, place: usize) -> Option<usize> {
        let transaction = self.transaction.take()?;
        let next = transaction.mail.rcpt_to.iter().enumerate().skip(place);
        let mut fit = next.filter_map(|(place, mailbox)| Some((place, recipient(mailbox)?)));
        let sent = fit.next().map(|(place, to)| {
            self.command(now, Expected::Rcpt(place), &Command::Rcpt { to, parameters: Parameters::default() });
            place
        });
        drop(fit);
        self.transaction = Some(transaction);
        sent
    }

    pub(super) fn mail_answered(&mut self, now: Now, reply: Reply) {
        let Some(transaction) = &mut self.transaction else { return };
        if reply.is_positive() {
            transaction.is_open = true;
        } else {
            transaction.fail(Stage::Sender, reply);
        }
        if !self.expected.is_empty() {
            return;
        }
        if reply.is_positive() {
            let _ = self.send_rcpt(now, 0);
        } else {
            self.end_early(now);
        }
    }

    pub(super) fn rcpt_answered(&mut self, now: Now, place: usize, reply: Reply) {
        let Some(transaction) = &mut self.transaction else { return };
        if reply.is_positive() {
            transaction.accepted += 1;
        } else if transaction.failure.is_none() {
            transaction.refused.push((place, reply));
        }
        if !self.expected.is_empty() || self.send_rcpt(now, place + 1).is_some() {
            return;
        }
        if self.transaction.as_ref().is_some_and(Transaction::may_go_on) {
            self.command(now, Expected::Data, &Command::Data);
        } else {
            self.end_early(now);
        }
    }

    pub(super) fn data_answered(&mut self, now: Now, reply: Reply) {
        let Some(transaction) = &mut self.transaction else { return };
        if reply.is_intermediate() {
            return self.send_content(now);
        }
        if reply.is_positive() {
            return self.lose_framing(now);
        }
        if transaction.may_go_on() {
            transaction.fail(Stage::Content, reply);
        }
        self.end_early(now);
    }

    /// Sends the mail data and their end; of a mail that nobody is to get, the end alone (RFC 2920 3.1).
    fn send_content(&mut self, now: Now) {
        let Some(transaction) = &mut self.transaction else { return };
        let content = core::mem::take(&mut transaction.mail.content);
        let mut stuffer = Stuffer::new();
        if transaction.may_go_on() {
            let size: usize = content.iter().map(bytes::Bytes::len).sum();
            self.outbox.reserve(size + size / 64 + 8);
            content.iter().for_each(|piece| stuffer.write(piece, &mut self.outbox));
        }
        stuffer.finish(&mut self.outbox);
        transaction.is_sent = true;
        self.expect(now, Expected::End);
    }

    pub(super) fn end_answered(&mut self, now: Now, reply: Reply) {
        if reply.is_intermediate() {
            return self.lose_framing(now);
        }
        self.conclude(reply);
        self.last_mail = now.moment;
        self.rest(now);
    }

    /// The server's verdict on a whole mail.
    pub(super) fn conclude(&mut self, reply: Reply) {
        let Some(mut transaction) = self.transaction.take() else { return };
        self.ended += 1;
        let token = transaction.mail.token;
        let known = transaction.failed();
        let refused = transaction.refused;
        let outcome = known.unwrap_or(if reply.is_positive() {
            Outcome::Accepted { reply, refused }
        } else {
            Outcome::Refused { stage: Stage::Content, reply, refused }
        });
        self.done(token, outcome);
    }

    /// The mail ended before its content was sent.
    fn end_early(&mut self, now: Now) {
        let Some(mut transaction) = self.transaction.take() else { return };
        self.ended += 1;
        self.last_mail = now.moment;
        if let Some(outcome) = transaction.failed() {
            self.done(transaction.mail.token, outcome);
        }
        if transaction.is_open {
            self.command(now, Expected::Rset, &Command::Rset);
        } else {
            self.rest(now);
        }
    }
}

/// A mailbox that RCPT can name: the null path is none.
fn recipient(mailbox: &[u8]) -> Option<Path<'_>> {
    Path::from_mailbox(mailbox).ok().filter(|path| !path.is_null())
}
