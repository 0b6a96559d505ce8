//! CPM messages as they arrive (IWF 6.1.1): accepted, converted, retained and put on their way.

use core::time::Duration;

use crate::engine::Now;
use crate::engine::sip::TransactionId;
use crate::engine::transport::ShardId;
use crate::interwork::sms::pager_to_submit_sm::registered_delivery_of;
use crate::iwf::body::Body;
use crate::iwf::pager::{self, Form, NotAcceptable};
use crate::iwf::retained::{Procedure, Progress, Retained};
use crate::iwf::segments::{Reports, Responses};
use crate::limits;
use crate::observe::{Flow, Stage, Trace};
use crate::policy::{EarlyAnswer, Policy};
use crate::wire::cpim::Dispositions;
use crate::wire::sip::{Message as SipMessage, Name};
use crate::wire::span::Span;

use super::Shard;
use super::event::{self, CallId};
use super::status_reports::{REPORT_MARGIN, Telling};
use super::submit::{ALARM_ANSWER, Message, Reply};
use super::uas::Refusal;

/// Buffers used within one call, kept for the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) text: String,
    pub(super) octets: Vec<u8>,
}

/// Reference numbers of concatenated messages. They count, so that a recipient never has two unfinished messages under
/// one number, and each core counts numbers of its own.
#[derive(Debug)]
pub(super) struct References(u16);

impl References {
    /// A core that starts at `random`.
    pub(super) fn new(id: ShardId, shards: u16, random: u64) -> References {
        let turn = u16::try_from(random % (1 << 10)).unwrap_or(0);
        References(turn.wrapping_mul(shards).wrapping_add(id.0))
    }

    fn next(&mut self, shards: u16) -> u16 {
        self.0 = self.0.wrapping_add(shards);
        self.0
    }
}

/// A message that was converted and has a link to leave by.
#[derive(Debug)]
pub(super) struct Converted {
    pdus: Vec<u8>,
    total: u8,
    smsc: u16,
    shard: ShardId,
}

/// What is kept of a message that is submitted.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) retained: Retained,
    pub(super) requested: Dispositions,
    pub(super) expires_s: Option<u32>,
    /// By which section it is handled.
    pub(super) procedure: Procedure,
    /// The chat it came in, or 0.
    pub(super) session: u64,
    pub(super) converted: Converted,
    pub(super) trace: Trace,
}

/// Why there are no short messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum NotConverted {
    /// They cannot be written.
    NotAcceptable(NotAcceptable),
    /// No SM-SC is bound, or all queues are full.
    NoLink,
}

impl Shard {
    /// A MESSAGE of a trusted peer. An error is its response; otherwise it comes later.
    pub(super) fn handle_message(
        &mut self,
        now: Now,
        transaction: TransactionId,
        message: &SipMessage<'_>,
    ) -> Result<(), Refusal> {
        let body = match pager::look(message, &self.iwf.policy) {
            Ok(body) => body,
            Err(why) => return Err(Refusal::not_acceptable(why, &self.iwf.policy)),
        };
        if body.notification {
            self.stats.imdns_received += 1;
            if !self.hand_notification(transaction, message, &body) {
                self.acknowledge_notification(now, transaction);
            }
            return Ok(());
        }
        if self.goes_to_mms(&body) {
            return self.forward_pager(now, transaction, message, &body);
        }
        if !self.iwf.policy.switches.sms_standalone_messages {
            return Err(Refusal::because(488, "Standalone Messages are switched off"));
        }
        if self.draining || self.messages.len() >= limits::PAGER_MESSAGES_MAX {
            return Err(Refusal::because(503, "draining, or too many messages are open"));
        }
        if self.records.is_failing() {
            return Err(Refusal::because(503, "what reports need cannot be stored"));
        }
        if !self.choice.any_free() {
            // Before anything is converted: under overload a refusal must cost little.
            return Err(self.refusal_of(NotConverted::NoLink));
        }
        let mut scratch = core::mem::take(&mut self.scratch);
        let taken = self.take_message(now, transaction, message, &body, &mut scratch);
        self.scratch = scratch;
        taken
    }

    /// RFC 5438 8: a notification about a short message's delivery has nowhere to go; SMS cannot bear it.
    pub(super) fn acknowledge_notification(&mut self, now: Now, transaction: TransactionId) {
        let server = self.iwf.server.as_bytes();
        self.sip_codes.sent.add(200);
        self.servers.respond(now.moment, transaction, 200, "OK", |headers| headers.header(Name::Server, server));
    }

    fn take_message<'a>(
        &mut self,
        now: Now,
        transaction: TransactionId,
        message: &SipMessage<'a>,
        body: &Body<'a>,
        scratch: &mut Scratch,
    ) -> Result<(), Refusal> {
        let read = match pager::read(message, body, &self.iwf.policy, &mut scratch.text) {
            Ok(read) => read,
            Err(why) => return Err(Refusal::not_acceptable(why, &self.iwf.policy)),
        };
        let trace = self.stopwatch.parsed(Flow::CpmToSms);
        let Scratch { text, octets } = scratch;
        let converted = self.convert(|form, reference, policy, pdus| {
            read.write_short_messages(text, form, reference, policy, octets, pdus)
        });
        let converted = converted.map_err(|why| self.refusal_of(why))?;
        let mut retained = Retained { octets: self.stored.take(), ..Retained::default() };
        read.retain(now, text, &mut retained);
        let call_id = event::call_id(message.call_id().unwrap_or_default());
        let kept = Kept {
            retained,
            requested: read.requested,
            expires_s: read.expires_s,
            procedure: Procedure::Pager,
            session: 0,
            converted,
            trace,
        };
        let early = self.iwf.policy.submission.early_answer;
        self.submit_kept(now, Some(Reply::Sip(transaction)), call_id, kept, early);
        Ok(())
    }

    /// Short messages for the SM-SC that is next, in the form that it wants.
    pub(super) fn convert(
        &mut self,
        write: impl FnOnce(&Form<'_>, u16, &Policy, &mut Vec<u8>) -> Result<u8, NotAcceptable>,
    ) -> Result<Converted, NotConverted> {
        let (smsc, shard) = self.choice.choose(|_| true).ok_or(NotConverted::NoLink)?;
        let settings = &self.settings.smscs[usize::from(smsc)];
        let form = Form { coding: &settings.coding, concatenation: settings.concatenation, data_sm: settings.data_sm };
        let reference = self.references.next(self.settings.shards);
        let mut pdus = self.pool.take();
        match write(&form, reference, &self.iwf.policy, &mut pdus) {
            Ok(total) => Ok(Converted { pdus, total, smsc, shard }),
            Err(why) => {
                self.pool.give(pdus);
                Err(NotConverted::NotAcceptable(why))
            }
        }
    }

    pub(super) fn refusal_of(&self, why: NotConverted) -> Refusal {
        match why {
            NotConverted::NotAcceptable(why) => Refusal::not_acceptable(why, &self.iwf.policy),
            NotConverted::NoLink if self.choice.any_bound() => {
                Refusal::because(503, "the queue of every SM-SC is full")
            }
            NotConverted::NoLink => Refusal::because(503, "no SM-SC is bound"),
        }
    }

    /// Keeps a message, and puts it on its way.
    pub(super) fn submit_kept(
        &mut self,
        now: Now,
        reply: Option<Reply>,
        call_id: CallId,
        kept: Kept,
        early: EarlyAnswer,
    ) {
        let Converted { smsc, shard, .. } = kept.converted;
        let key = self.keep(now, reply, call_id, kept);
        self.answer_early(now, key, early);
        self.submit_all(now, key, smsc, shard);
    }

    fn keep(&mut self, now: Now, reply: Option<Reply>, call_id: CallId, kept: Kept) -> u64 {
        let Kept { mut retained, requested, expires_s, procedure, session, converted, mut trace } = kept;
        let policy = &self.iwf.policy;
        let validity_s = policy.submission.validity_s(expires_s).unwrap_or(policy.reports.wait_without_validity_s);
        let wait_s = validity_s.min(limits::REPORT_WAIT_S_MAX);
        retained.until = now.moment + Duration::from_secs(u64::from(wait_s)) + REPORT_MARGIN;
        let deadline = Duration::from_millis(u64::from(policy.submission.answer_deadline_ms));
        let report_requested = registered_delivery_of(requested, policy) != 0;
        self.unanswered += 1;
        self.stopwatch.end(&mut trace, Stage::Map);
        let key = self.messages.insert(Message {
            reply,
            accepted_early: false,
            call_id,
            session,
            arrived: now.moment,
            retained,
            requested,
            total: converted.total,
            responses: Responses::default(),
            reports: Reports::default(),
            progress: Progress { procedure, report_requested, ..Progress::default() },
            smsc: converted.smsc,
            shard: converted.shard,
            pdus: converted.pdus,
            resends: 0,
            until: now.moment + deadline * 4 / 5,
            alarm: None,
            telling: Telling::default(),
            ids: Span::default(),
            record: None,
            trace,
        });
        let alarm = self.arm(now.moment + deadline, ALARM_ANSWER, key);
        if let Some(message) = self.messages.get_mut(key) {
            message.alarm = Some(alarm);
        }
        key
    }

    /// 6.1.1: "MAY respond with either 202 or 408 prior to receiving a response"; 6.1.2 has it for the last chunk.
    fn answer_early(&mut self, now: Now, key: u64, early: EarlyAnswer) {
        match early {
            EarlyAnswer::None => {}
            EarlyAnswer::Accepted => {
                if let Some(message) = self.messages.get_mut(key) {
                    message.accepted_early = true;
                }
                self.promise_to_report(now, key);
            }
            EarlyAnswer::RequestTimeout => self.respond_refused(now, key, Refusal::of_code(408)),
        }
    }

    /// Short messages of our own, about which nobody wants to hear: a notice, or the question that opens a chat.
    ///
    /// # Errors
    /// Why they cannot be sent.
    pub(super) fn submit_own(
        &mut self,
        now: Now,
        question_of: Option<u64>,
        write: impl FnOnce(&Form<'_>, u16, &Policy, &mut Vec<u8>, &mut Vec<u8>) -> Result<u8, NotAcceptable>,
    ) -> Result<(), Refusal> {
        let mut octets = self.pool.take();
        let converted = self.convert(|form, reference, policy, pdus| write(form, reference, policy, &mut octets, pdus));
        self.pool.give(octets);
        let converted = converted.map_err(|why| self.refusal_of(why))?;
        let retained = Retained { octets: self.stored.take(), ..Retained::default() };
        let kept = Kept {
            retained,
            requested: Dispositions::NONE,
            expires_s: None,
            procedure: Procedure::Pager,
            session: 0,
            converted,
            trace: Trace::default(),
        };
        let reply = question_of.map(|session| Reply::Question { session });
        self.submit_kept(now, reply, CallId::default(), kept, EarlyAnswer::None);
        Ok(())
    }
}
