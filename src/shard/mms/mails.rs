//! Mails: what is brought, and what those that we send are for.

use core::net::SocketAddr;

use bytes::Bytes;

use crate::engine::smtp::client::Outcome;
use crate::engine::{Moment, Now, smtp};
use crate::iwf::mms::bounce;
use crate::iwf::mms::id::{self, Kind};
use crate::limits;
use crate::shard::Shard;
use crate::shard::event::Event;
use crate::shard::handoff::Handoff;
use crate::wire::mail::header;
use crate::wire::mail::mm4::{self, ForwardReq, Mm4};
use crate::wire::smtp::{EnhancedStatus, Reply};

pub(in crate::shard) use super::bringers::MailRef;
use super::notifications::Report;

/// A mail that a peer brought, and that wants an answer.
#[derive(Debug)]
pub struct Brought {
    pub(in crate::shard) whose: MailRef,
    pub(super) peer: SocketAddr,
    pub(super) mail_from: Vec<u8>,
    pub(super) rcpt_to: Vec<Vec<u8>>,
    /// The whole mail.
    pub(super) data: Bytes,
}

impl Brought {
    /// What it holds when each recipient has a copy.
    pub(super) fn octets(&self) -> usize {
        self.data.len().saturating_mul(self.rcpt_to.len())
    }
}

/// What a mail of ours is for.
#[derive(Debug)]
pub(in crate::shard) enum Sent {
    /// MM4_forward.REQ with this CPM message.
    Forward(u64),
    /// A report about an MM.
    Report(Report),
    /// A response, for which nobody waits.
    Response,
}

/// A mail that is written, and whom it is for.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) mail_from: Vec<u8>,
    pub(super) rcpt_to: Vec<u8>,
    pub(super) data: Bytes,
    /// What has not left by then never does.
    pub(super) until: Moment,
}

/// What a mail is told that was taken.
pub(super) fn taken() -> Reply {
    Reply::new(250, EnhancedStatus(2, 0, 0), b"taken")
}

/// What one is told that may come again.
pub(super) fn later(why: &[u8]) -> Reply {
    Reply::new(451, EnhancedStatus(4, 3, 0), why)
}

/// RFC 5321 6.3, and the same for relays that count (TS 23.140 8.4.1).
fn is_looping(forward: &ForwardReq<'_>) -> bool {
    let hops = header::all(forward.head, b"Received").take(limits::MAIL_HOPS_MAX).count();
    let forwards = forward.forward_counter.map_or(0, |counter| usize::try_from(counter).unwrap_or(usize::MAX));
    hops >= limits::MAIL_HOPS_MAX || forwards >= limits::MAIL_HOPS_MAX
}

impl Shard {
    /// As the core of the session: a mail goes to its owner.
    pub(in crate::shard) fn mail_brought(&mut self, now: Now, brought: Brought) {
        self.stats.mm4_mails_received += 1;
        match mm4::read(&brought.data) {
            Ok(Mm4::ForwardReq(forward)) if is_looping(&forward) => {
                let reply = Reply::new(554, EnhancedStatus(5, 4, 6), b"it goes round in circles");
                self.refuse_mail(now, &brought, reply, "it goes round in circles");
            }
            Ok(message) => {
                let owner = self.mail_owner(&message);
                self.outbox.hand(owner, Handoff::Mail(Box::new(brought)));
            }
            // Nobody would hear of a refusal (RFC 5321 4.5.5).
            Err(_) if brought.mail_from.is_empty() => self.bounced(now, brought),
            Err(why) => {
                let reply = Reply::new(554, EnhancedStatus(5, 6, 0), b"not an MM4 message that can be read");
                self.stats.mm4_malformed += 1;
                self.refuse_mail(now, &brought, reply, why.what);
            }
        }
    }

    fn refuse_mail(&mut self, now: Now, brought: &Brought, reply: Reply, why: &'static str) {
        self.event(Event::MailRefused { peer: brought.peer.ip(), code: reply.code, why });
        self.answer_mail(now, brought.whose, reply);
    }

    /// A mail of the mail system: it may say that one of ours was lost on its way (RFC 3464).
    fn bounced(&mut self, now: Now, brought: Brought) {
        let owner = bounce::read(&brought.data).map(|bounce| self.owner_named(bounce.message));
        match owner {
            Some(owner) => self.outbox.hand(owner, Handoff::Mail(Box::new(brought))),
            None => {
                self.stats.mm4_unmatched += 1;
                self.answer_mail(now, brought.whose, taken());
            }
        }
    }

    fn mail_owner(&self, message: &Mm4<'_>) -> crate::engine::transport::ShardId {
        let minted = match message {
            Mm4::ForwardReq(forward) => {
                let id = [mm4::id::unquoted(forward.message_id), forward.from];
                return self.route.of_hash(self.route.hash(&id));
            }
            Mm4::DeliveryReportReq(report) => id::read(Kind::Message, report.message_id),
            Mm4::ReadReplyReportReq(report) => id::read(Kind::Message, report.message_id),
            Mm4::Res(response) => id::read(Kind::Transaction, response.transaction_id),
        };
        minted.map_or(self.settings.id, |id| self.owner_named(id))
    }

    /// As owner: a mail that was brought.
    pub(in crate::shard) fn take_mail(&mut self, now: Now, brought: Brought) {
        // It was read by the core that has its session, and is not kept in another form.
        let data = brought.data.clone();
        match mm4::read(&data) {
            Ok(Mm4::ForwardReq(forward)) => self.take_mm(now, &brought, &forward),
            Ok(Mm4::DeliveryReportReq(report)) => self.take_delivery_report(now, &brought, &report),
            Ok(Mm4::ReadReplyReportReq(report)) => self.take_read_reply(now, &brought, &report),
            Ok(Mm4::Res(response)) => {
                self.take_response(now, &response);
                self.answer_mail(now, brought.whose, taken());
            }
            Err(_) => {
                if let Some(bounce) = bounce::read(&data)
                    && let Some(key) = self.mm_named(bounce.message)
                {
                    self.forward_responded(now, key, bounce.status);
                }
                self.answer_mail(now, brought.whose, taken());
            }
        }
    }

    /// Answers a mail, wherever its session is.
    pub(in crate::shard) fn answer_mail(&mut self, now: Now, whose: MailRef, reply: Reply) {
        if whose.shard == self.settings.id {
            return self.mms.bringers.answer(now, whose, reply);
        }
        self.outbox.hand(whose.shard, Handoff::MailAnswer { whose, reply });
    }

    /// Gives a mail to a session with that MMS Relay/Server; `false` if none takes it.
    pub(super) fn send_mail(&mut self, now: Now, mmsc: u16, purpose: Sent, mail: Written) -> bool {
        let token = self.mms.sent.insert(purpose);
        let Written { mail_from, rcpt_to, data, until } = mail;
        let mail =
            smtp::client::Mail { token, mail_from, rcpt_to: vec![rcpt_to], content: vec![data], until: Some(until) };
        let sent = self.mms.relays.send(now, mmsc, mail);
        if !sent {
            self.mms.sent.remove(token);
        }
        sent
    }

    /// What became of a mail of ours.
    pub(in crate::shard) fn mail_ended(&mut self, now: Now, token: u64, outcome: Outcome) {
        let taken = matches!(outcome, Outcome::Accepted { .. });
        self.stats.mm4_mails_sent += u64::from(taken);
        self.stats.mm4_mails_failed += u64::from(!taken);
        match self.mms.sent.remove(token) {
            Some(Sent::Forward(message)) => self.forward_ended(now, message, outcome),
            Some(Sent::Report(report)) => self.report_ended(now, report, &outcome),
            Some(Sent::Response) | None => {}
        }
    }
}
