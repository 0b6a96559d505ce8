//! CPM messages on their way to SMS (IWF 6.1.1, 6.2.2.1.1): what their owner knows of them, and what the SM-SC's responses
//! make of it.

use core::time::Duration;

use crate::engine::msrp::IncomingId;
use crate::engine::sip::TransactionId;
use crate::engine::transport::{RecordId, ShardId};
use crate::engine::wheel::TimerId;
use crate::engine::{Moment, Now};
use crate::interwork::sms::pager_to_submit_sm::sip_status;
use crate::iwf::retained::{Progress, Retained};
use crate::iwf::segments::{Reports, Responses, Submission};
use crate::limits;
use crate::observe::Trace;
use crate::policy::{ThrottledSubmit, UnknownOutcome};
use crate::wire::Framing;
use crate::wire::cpim::Dispositions;
use crate::wire::sip::{Name, Writer};
use crate::wire::smpp::message_id::Origin;
use crate::wire::smpp::{self, CommandStatus, Header, MessageState};
use crate::wire::span::Span;

use super::Shard;
use super::event::{CallId, Event};
use super::handoff::{Handoff, SegmentRef, Submit, SubmitOutcome};
use super::records::Acknowledgement;
use super::status_reports::Telling;
use super::uas::Refusal;

/// Where the answer to a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A MESSAGE: the final response (RFC 3428).
    Sip(TransactionId),
    /// A message of a session: the response to its last chunk (IWF 6.1.2, 6.1.5.1).
    Msrp {
        /// Key of the session.
        session: u64,
        /// Which message of it.
        incoming: IncomingId,
    },
    /// The question whether an SMS user wants a chat: what becomes of its INVITE (IWF 6.2.2.1.3).
    Question {
        /// Key of the session.
        session: u64,
    },
}

/// A CPM message that awaits responses or reports.
#[derive(Debug)]
pub(super) struct Message {
    /// Open until the answer is sent.
    pub(super) reply: Option<Reply>,
    /// Whether it was answered positively before the SM-SC had answered.
    pub(super) accepted_early: bool,
    pub(super) call_id: CallId,
    /// The chat it came in, as long as that lasts; 0 if in none.
    pub(super) session: u64,
    pub(super) arrived: Moment,
    pub(super) retained: Retained,
    pub(super) requested: Dispositions,
    pub(super) total: u8,
    pub(super) responses: Responses,
    pub(super) reports: Reports,
    pub(super) progress: Progress,
    pub(super) smsc: u16,
    /// The core that submits it there.
    pub(super) shard: ShardId,
    /// The PDUs, in case another link must take them; empty once the outcome is known.
    pub(super) pdus: Vec<u8>,
    pub(super) resends: u8,
    /// What has not left by then never does.
    pub(super) until: Moment,
    pub(super) alarm: Option<TimerId>,
    pub(super) telling: Telling,
    /// Where in what is retained the ids are that the SM-SCs gave; only where promises are durable.
    pub(super) ids: Span,
    /// What outlives the process of it.
    pub(super) record: Option<RecordId>,
    /// How long it took, until its submission or its latest outcome.
    pub(super) trace: Trace,
}

/// Other links that are tried for what one could not send.
const RESENDS_MAX: u8 = 3;

/// What an alarm is for: the upper octet of its token, above the key.
pub(super) const ALARM_ANSWER: u64 = 1 << 56;
pub(super) const ALARM_EXPIRY: u64 = 2 << 56;
pub(super) const ALARM_RETRY: u64 = 3 << 56;
pub(super) const ALARM_TELL: u64 = 4 << 56;
pub(super) const ALARM_MEDIA: u64 = 5 << 56;
pub(super) const ALARM_BIND: u64 = 6 << 56;
pub(super) const ALARM_UNANSWERED: u64 = 7 << 56;
pub(super) const ALARM_OUTRUN: u64 = 8 << 56;
pub(super) const ALARM_MMS: u64 = 9 << 56;
pub(super) const ALARM_ORIGINAL: u64 = 10 << 56;
pub(super) const ALARM_REFUSED: u64 = 11 << 56;
const ALARM_KEY: u64 = (1 << 56) - 1;

impl Shard {
    /// Whether any sender waits for an answer, or any report for being passed on.
    pub(super) fn is_idle(&self) -> bool {
        let answered = self.unanswered == 0 && self.untold == 0 && self.records.is_empty();
        let answered = answered && self.sessions.is_empty() && self.inviting.is_empty() && self.offered.is_empty();
        // A BYE of ours that is lost leaves the client in a session that is none.
        answered
            && self.requests.is_empty()
            && (self.settings.durable || self.undelivered.is_empty())
            && self.calls.is_empty()
            && self.mms.is_idle()
    }

    pub(super) fn arm(&mut self, at: Moment, kind: u64, key: u64) -> TimerId {
        self.alarms.arm(at, kind | key)
    }

    /// Alarms may be due.
    pub(super) fn ring_alarms(&mut self, now: Now) {
        while let Some(token) = self.alarms.poll(now.moment) {
            let key = token & ALARM_KEY;
            match token & !ALARM_KEY {
                ALARM_ANSWER => self.answer_is_due(now, key),
                ALARM_EXPIRY => self.expired(key),
                ALARM_TELL => self.tell_again(now, key),
                ALARM_MEDIA => self.session_timeout(now, key),
                ALARM_BIND => self.session_not_linked(now, key),
                ALARM_UNANSWERED => self.not_answered(now, key),
                ALARM_OUTRUN => self.end_session(now, key),
                ALARM_MMS => self.forward_is_due(now, key),
                ALARM_ORIGINAL => self.drop_original(key),
                ALARM_REFUSED => self.tell_refused_again(now, key),
                _ => self.deliver_again(now, key),
            }
        }
    }

    /// Puts the short messages of a message on their way, all of them; those that this core submits go at once.
    pub(super) fn submit_all(&mut self, now: Now, key: u64, smsc: u16, shard: ShardId) {
        let Some(message) = self.messages.get(key) else { return };
        let submit = self.submit_of(key, message, smsc);
        if shard == self.settings.id {
            return self.binds.submit(now, &submit, &message.pdus, &mut self.outbox, &mut self.stats);
        }
        let pdus = self.pool.copy(&message.pdus);
        self.outbox.hand(shard, Handoff::Submit { submit, pdus });
    }

    /// The same for some of them.
    fn submit_some(&mut self, key: u64, smsc: u16, shard: ShardId, pdus: Vec<u8>) {
        let Some(message) = self.messages.get(key) else { return };
        let submit = self.submit_of(key, message, smsc);
        self.outbox.hand(shard, Handoff::Submit { submit, pdus });
    }

    fn submit_of(&self, key: u64, message: &Message, smsc: u16) -> Submit {
        let whose = SegmentRef { owner: self.settings.id, message: key, segment: 0 };
        let retry = self.iwf.policy.submission.throttled_submit == ThrottledSubmit::Retry;
        let retry_throttled = message.total > 1 || retry;
        Submit { whose, smsc, until: message.until, retry_throttled, trace: message.trace }
    }

    /// As owner: one short message has its outcome.
    pub(super) fn submitted(&mut self, now: Now, whose: SegmentRef, smsc: u16, outcome: SubmitOutcome, trace: Trace) {
        let Some(message) = self
            .messages
            .get_mut(whose.message)
            .filter(|message| !message.progress.answered || !message.progress.submitted)
        else {
            return self.submitted_late(now, whose, smsc, outcome);
        };
        message.trace = trace;
        let taken = match outcome {
            SubmitOutcome::Responded { status, message_id } => {
                message.responses.responded(whose.segment, status);
                (status == CommandStatus::ESME_ROK && message.progress.report_requested).then_some(message_id)
            }
            SubmitOutcome::Unknown => {
                message.responses.unknown(whose.segment);
                None
            }
            SubmitOutcome::NotSent => {
                message.responses.not_sent(whose.segment);
                None
            }
        };
        let until = message.retained.until;
        if let Some(message_id) = taken {
            self.open_report(smsc, &message_id, whose, until);
        }
        self.judge(now, whose.message);
    }

    /// The sender was answered before. If policy let that be 202, reports still find the message.
    fn submitted_late(&mut self, now: Now, whose: SegmentRef, smsc: u16, outcome: SubmitOutcome) {
        let SubmitOutcome::Responded { status, message_id } = outcome else { return };
        self.stats.submit_late += 1;
        let Some(message) = self.messages.get(whose.message) else { return };
        if status == CommandStatus::ESME_ROK && message.progress.report_requested {
            let until = message.retained.until;
            self.open_report(smsc, &message_id, whose, until);
            self.record_message(now, whose.message);
        }
    }

    /// 6.2.2.1.1: "SHALL store the message_id parameter in order to find the corresponding SMS transaction".
    fn open_report(&mut self, smsc: u16, message_id: &[u8], whose: SegmentRef, until: Moment) {
        let Some(settings) = self.settings.smscs.get(usize::from(smsc)) else { return };
        let id = settings.message_id.canonical(message_id, Origin::Submit);
        if id.is_empty() {
            // No report could name it, and one without a name would find the wrong message.
            self.stats.reports_not_kept += 1;
            return;
        }
        let hash = self.report_hash(smsc, &id);
        let message = self.messages.get_mut(whose.message);
        if message.is_some_and(|message| message.reports.shares_id(whose.segment, hash)) {
            return;
        }
        self.note_id(whose, smsc, &id);
        self.outbox.hand(self.route.of_hash(hash), Handoff::Register { hash, whose, until });
    }

    fn judge(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get(key) else { return };
        match message.responses.outcome(message.total) {
            Submission::Waiting => {}
            Submission::Resend => self.resend(now, key),
            Submission::Accepted => self.accepted(now, key),
            Submission::Refused(status) => self.refused(now, key, status),
            Submission::Unknown => self.unknown_outcome(now, key),
            Submission::NotSent => self.not_sent(now, key),
        }
    }

    /// What never left may leave by another link: one that wants the same octets, since segments of both may arrive.
    fn resend(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.resends += 1;
        let (smsc, may) = (message.smsc, message.resends <= RESENDS_MAX && message.until > now.moment);
        let (resends, shard) = (message.resends, message.shard);
        let smscs = &self.settings.smscs;
        let alike = |other: u16| is_alike(smscs.get(usize::from(smsc)), smscs.get(usize::from(other)));
        // Another bind of the same core comes first, then another core's, then another SM-SC.
        let there = (resends == 2).then(|| self.choice.another_core(smsc, shard)).flatten();
        let again = (resends > 1).then(|| self.choice.choose(|other| other != smsc && alike(other))).flatten();
        let again = there.map(|shard| (smsc, shard)).or(again);
        let Some((smsc, shard)) = again.or_else(|| self.choice.choose(alike)).filter(|_| may) else {
            let total = message.total;
            message.responses.give_up(total);
            return self.judge(now, key);
        };
        let mut pdus = self.pool.take();
        let total = message.total;
        for segment in message.responses.take_unsent(total) {
            self.stats.submit_resent += 1;
            pdus.extend_from_slice(pdu_of(&message.pdus, segment));
        }
        (message.smsc, message.shard) = (smsc, shard);
        self.submit_some(key, smsc, shard, pdus);
    }

    /// 6.2.2.1.1: "SHALL be sent when the SMS IWF receives the last submit_sm-resp".
    fn accepted(&mut self, now: Now, key: u64) {
        self.stats.cpm_accepted += 1;
        if let Some(message) = self.messages.get_mut(key) {
            message.progress.submitted = true;
        }
        self.promise_to_report(now, key);
        self.submission_ended(now, key, true);
    }

    fn refused(&mut self, now: Now, key: u64, status: CommandStatus) {
        let Some(message) = self.messages.get(key) else { return };
        let (code, partial) = (sip_status(status, &self.iwf.policy), message.responses.any_accepted());
        self.event(Event::RefusedBySmsc { call_id: message.call_id, code, status, partial });
        self.stats.cpm_refused += 1;
        self.stats.submit_partial += u64::from(partial);
        self.submission_failed(now, key, code, MessageState::UNDELIVERABLE);
    }

    /// 6.2.3 A): the response tells of it; where policy has sent 202 before, a notification or an event does.
    fn submission_failed(&mut self, now: Now, key: u64, code: u16, state: MessageState) {
        if !self.must_be_told(key) {
            self.respond_refused(now, key, Refusal::of_code(code));
            return self.submission_ended(now, key, false);
        }
        self.submission_over(key);
        self.tell_unsubmitted(now, key, state);
    }

    /// Whether the sender has had an answer that promises delivery, or can have none because his session is over.
    fn must_be_told(&self, key: u64) -> bool {
        let Some(message) = self.messages.get(key) else { return false };
        match message.reply {
            Some(Reply::Msrp { session, .. }) => !self.session_alive(session),
            Some(_) => false,
            None => message.progress.answered && message.accepted_early,
        }
    }

    fn tell_again(&mut self, now: Now, key: u64) {
        if let Some(message) = self.messages.get_mut(key) {
            message.alarm = None;
            self.tell(now, key);
        }
    }

    /// The doubt that SMPP leaves: it left, and no response came.
    fn unknown_outcome(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get(key) else { return };
        let refuse = self.iwf.policy.submission.unknown_outcome == UnknownOutcome::Refuse;
        let code = if refuse { 480 } else { 202 };
        self.event(Event::Unknown { call_id: message.call_id, code });
        self.stats.submit_outcome_unknown += 1;
        if refuse {
            self.stats.cpm_refused += 1;
            return self.submission_failed(now, key, 480, MessageState::UNKNOWN);
        }
        self.accepted(now, key);
    }

    fn not_sent(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get(key) else { return };
        let partial = message.responses.any_accepted();
        self.event(Event::Refused { call_id: message.call_id, code: 503, why: "no SM-SC link took it in time" });
        self.stats.cpm_refused += 1;
        self.stats.submit_partial += u64::from(partial);
        self.stats.sip_overload += 1;
        self.submission_failed(now, key, 503, MessageState::UNDELIVERABLE);
    }

    /// The sender's patience ends before the SM-SC answered (Timer F at the sender is 32 s).
    fn answer_is_due(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.alarm = None;
        if message.reply.is_some() || !message.progress.answered {
            self.unknown_outcome(now, key);
        }
    }

    /// Answers 202 when what its reports need is safe.
    pub(super) fn promise_to_report(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get(key) else { return };
        if !message.progress.report_requested && message.progress.submitted {
            return self.accept(now, key);
        }
        self.record_message(now, key);
        self.acknowledge(now, Acknowledgement::Accept { message: key });
    }

    pub(super) fn accept(&mut self, now: Now, key: u64) {
        self.respond_accepted(now, key);
        self.tell_held(now, key);
        let idle = |message: &&Message| message.telling.is_idle();
        let Some(progress) = self.messages.get(key).filter(idle).map(|message| message.progress) else { return };
        if progress.is_over() {
            self.drop_message(key);
        } else if progress.submitted {
            self.make_room(key);
        }
    }

    /// Reports that never come must not keep those out who are still to be served.
    fn make_room(&mut self, key: u64) {
        let Some(message) = self.messages.get(key).filter(|_| self.messages.len() > limits::AWAITED_MESSAGES_MAX)
        else {
            return;
        };
        self.stats.reports_not_kept += u64::from(message.total);
        self.drop_message(key);
    }

    /// 6.1.1 steps 6a and 6b, and 6.2.4 A): the positive answer.
    fn respond_accepted(&mut self, now: Now, key: u64) {
        match self.take_reply(now, key) {
            Some(Reply::Sip(transaction)) => self.respond_202(now, key, transaction),
            Some(Reply::Msrp { session, incoming }) => self.media_accepted(now, session, incoming, key),
            Some(Reply::Question { .. }) | None => {}
        }
    }

    fn respond_202(&mut self, now: Now, key: u64, transaction: TransactionId) {
        let Some(message) = self.messages.get(key) else { return };
        let (retained, server) = (&message.retained, self.iwf.server.as_bytes());
        self.sip_codes.sent.add(202);
        self.servers.respond(now.moment, transaction, 202, "Accepted", |headers| {
            stored_headers(retained, headers);
            headers.header(Name::Server, server);
            headers.header(Name::MessageContext, b"pager-message");
            headers.header_if(Name::MessageCorrelator, retained.get(retained.correlator));
        });
    }

    pub(super) fn respond_refused(&mut self, now: Now, key: u64, refusal: Refusal) {
        match self.take_reply(now, key) {
            Some(Reply::Sip(transaction)) => self.respond_refusal(now, key, transaction, refusal),
            Some(Reply::Msrp { session, incoming }) => {
                self.note_submitted(session, key);
                self.media_refused(now, session, incoming, refusal);
            }
            Some(Reply::Question { session }) => self.question_failed(now, session, refusal),
            None => {}
        }
    }

    fn respond_refusal(&mut self, now: Now, key: u64, transaction: TransactionId, refusal: Refusal) {
        let Some(message) = self.messages.get(key) else { return };
        let (retained, server) = (&message.retained, self.iwf.server.as_bytes());
        self.sip_codes.sent.add(u32::from(refusal.code));
        self.servers.respond(now.moment, transaction, refusal.code, refusal.reason, |headers| {
            stored_headers(retained, headers);
            headers.header(Name::Server, server);
            refusal.write_headers(headers);
        });
    }

    /// The message is answered from now on; by the road that is returned, if it still waits.
    fn take_reply(&mut self, now: Now, key: u64) -> Option<Reply> {
        let message = self.messages.get_mut(key)?;
        message.progress.answered = true;
        let reply = message.reply.take()?;
        self.latencies.cpm_to_sms.add(micros(now.moment.since(message.arrived)));
        self.stopwatch.reply(message.trace);
        Some(reply)
    }

    /// The submission is over: what is kept now is kept for reports only.
    fn submission_ended(&mut self, now: Now, key: u64, taken: bool) {
        self.submission_over(key);
        let Some(message) = self.messages.get(key) else { return };
        if !taken || message.progress.is_over() {
            return self.drop_message(key);
        }
        let may_go = message.progress.answered && message.telling.is_idle();
        let until = message.retained.until.max(now.moment + Duration::from_secs(1));
        let alarm = self.arm(until, ALARM_EXPIRY, key);
        if let Some(message) = self.messages.get_mut(key) {
            message.alarm = Some(alarm);
        }
        if may_go {
            self.make_room(key);
        }
    }

    fn submission_over(&mut self, key: u64) {
        self.unanswered = self.unanswered.saturating_sub(1);
        let Some(message) = self.messages.get_mut(key) else { return };
        message.progress.submitted = true;
        self.pool.give(core::mem::take(&mut message.pdus));
        if let Some(alarm) = message.alarm.take() {
            self.alarms.cancel(alarm);
        }
    }

    /// 6.1.1 steps 2a c and 2b d: the short message would have expired.
    fn expired(&mut self, key: u64) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.alarm = None;
        message.progress.expired = true;
        // Whose sender waits for his answer, which waits for the disk, goes with that.
        if message.telling.is_idle() && message.reply.is_none() {
            self.drop_message(key);
        }
    }

    pub(super) fn drop_message(&mut self, key: u64) {
        let Some(message) = self.messages.remove(key) else { return };
        if let Some(alarm) = message.alarm {
            self.alarms.cancel(alarm);
        }
        self.untold -= usize::from(message.telling.is_owed());
        if let Some(record) = message.record {
            self.forget(record);
        }
        if let Some(deliver) = message.telling.waiting() {
            self.answer(deliver, CommandStatus::ESME_ROK);
        }
        self.pool.give(message.pdus);
        self.stored.give(message.retained.octets);
    }
}

/// A duration as histograms count it.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// 6.1.1 step 6a: "the stored Conversation-ID, Contribution-ID and InReplyTo-Contribution-ID".
pub(super) fn stored_headers(retained: &Retained, headers: &mut Writer<'_>) {
    headers.header_if(Name::ConversationId, retained.get(retained.conversation_id));
    headers.header_if(Name::ContributionId, retained.get(retained.contribution_id));
    headers.header_if(Name::InReplyToContributionId, retained.get(retained.in_reply_to_contribution_id));
}

fn is_alike(a: Option<&super::settings::SmscSettings>, b: Option<&super::settings::SmscSettings>) -> bool {
    let form = |smsc: &super::settings::SmscSettings| (smsc.coding, smsc.concatenation, smsc.data_sm);
    a.map(form) == b.map(form)
}

/// The PDU of one segment.
fn pdu_of(pdus: &[u8], segment: u8) -> &[u8] {
    let mut rest = pdus;
    while let Framing::Complete(len) = smpp::frame(rest, usize::MAX) {
        let (pdu, after) = rest.split_at(len);
        if Header::parse(pdu).is_some_and(|header| header.sequence_number == u32::from(segment)) {
            return pdu;
        }
        rest = after;
    }
    &[]
}
