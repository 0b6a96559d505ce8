//! CPM messages on their way to MMS (IWF V3.0 6.3.1.1.1, 6.3.1.1.2): what their owner knows of them, and what SMTP replies
//! and MM4_forward.RES make of it.

use core::time::Duration;

use bytes::Bytes;

use crate::engine::smtp::client::Outcome;
use crate::engine::transport::RecordId;
use crate::engine::wheel::TimerId;
use crate::engine::{Moment, Now};
use crate::interwork::address::Number;
use crate::interwork::mms::pager_to_forward_req::sip_status;
use crate::iwf::mms::forward::{Minted, Read, Relay};
use crate::iwf::mms::id::{self, Id, Kind};
use crate::iwf::mms::notification::Told;
use crate::iwf::pager::NotAcceptable;
use crate::iwf::retained::Retained;
use crate::limits;
use crate::policy::{NoResponse, Policy, UnknownOutcome};
use crate::shard::Shard;
use crate::shard::event::{CallId, Event};
use crate::shard::records::Acknowledgement;
use crate::shard::status_reports::REPORT_MARGIN;
use crate::shard::submit::{ALARM_MMS, Reply};
use crate::shard::uas::Refusal;
use crate::wire::cpim::Dispositions;
use crate::wire::mail::mm4::RequestStatus;

use super::mails::{Sent, Written};

/// A CPM message that awaits its answer or reports.
#[derive(Debug)]
pub(super) struct Message {
    /// Open until the answer is sent.
    pub(super) reply: Option<Reply>,
    pub(super) call_id: CallId,
    pub(super) retained: Retained,
    pub(super) requested: Dispositions,
    mmsc: u16,
    /// The mail, in case another session must take it; empty once one has.
    mail: Bytes,
    envelope: [Vec<u8>; 2],
    resends: u8,
    /// Whether an MMS Relay/Server has taken the mail.
    taken: bool,
    /// Whether MM4_forward.RES was asked for.
    ack_request: bool,
    pub(super) alarm: Option<TimerId>,
    /// When the mail must have left.
    until: Moment,
    /// What was told so far, and what is being told.
    pub(super) told: Told,
    pub(super) begun: Told,
    /// What outlives the process of it, and its Message ID if that is an earlier run's.
    pub(super) record: Option<RecordId>,
    pub(super) earlier: Option<Id>,
}

impl Message {
    /// One of an earlier run, which awaits nothing but reports.
    pub(super) fn restored(
        now: Now,
        call_id: CallId,
        requested: Dispositions,
        retained: Retained,
        (record, id): (RecordId, Id),
    ) -> Message {
        Message {
            reply: None,
            call_id,
            retained,
            requested,
            mmsc: 0,
            mail: Bytes::new(),
            envelope: [Vec::new(), Vec::new()],
            resends: 0,
            taken: true,
            ack_request: false,
            alarm: None,
            until: now.moment,
            told: Told::default(),
            begun: Told::default(),
            record: Some(record),
            earlier: Some(id),
        }
    }
}

/// Other sessions that are tried for what one could not send.
const RESENDS_MAX: u8 = 3;

impl Shard {
    /// An MMS Relay/Server for a number: of those that a mail can be given to, the one whose prefix is the longest.
    fn choose_mmsc(&self, number: &Number) -> Result<u16, Refusal> {
        let serving = |at: u16| self.settings.mmscs.get(usize::from(at)).and_then(|mmsc| mmsc.serves(&number.digits));
        let numbers = || 0..u16::try_from(self.settings.mmscs.len()).unwrap_or(u16::MAX);
        let able = numbers().filter(|at| self.mms.relays.can_send(*at));
        let best = able.filter_map(|at| Some((serving(at)?, core::cmp::Reverse(at)))).max();
        match best {
            Some((_, core::cmp::Reverse(at))) => Ok(at),
            None if numbers().any(|at| serving(at).is_some()) => {
                Err(Refusal::because(503, "no session with an MMS Relay/Server"))
            }
            None => Err(Refusal::because(404, "no MMS Relay/Server serves the number")),
        }
    }

    /// 6.3.1.1.1 steps 1 to 4, 6.3.1.1.2 steps 1 to 5: the message is on its way, and is answered later.
    pub(in crate::shard) fn forward(
        &mut self,
        now: Now,
        reply: Reply,
        call_id: CallId,
        read: &Read<'_>,
    ) -> Result<(), Refusal> {
        let is_large = matches!(reply, Reply::Msrp { .. });
        let refused = |shard: &Shard, why| not_acceptable(why, is_large, &shard.iwf.policy);
        if self.draining || self.mms.messages.len() >= limits::MMS_MESSAGES_MAX {
            return Err(Refusal::because(503, "draining, or too many messages are open"));
        }
        if self.records.is_failing() {
            return Err(Refusal::because(503, "what reports need cannot be stored"));
        }
        let target = read.target(&self.iwf.policy).map_err(|why| refused(self, why))?;
        let mmsc = self.choose_mmsc(&target)?;
        let key = self.mms.messages.insert(Message {
            reply: None,
            call_id,
            retained: Retained::default(),
            requested: read.requested,
            mmsc,
            mail: Bytes::new(),
            envelope: [Vec::new(), Vec::new()],
            resends: 0,
            taken: false,
            ack_request: read.ack_request(&self.iwf.policy) && !self.settings.mm4.listeners.is_empty(),
            alarm: None,
            until: now.moment + self.answer_deadline() * 4 / 5,
            told: Told::default(),
            begun: Told::default(),
            record: None,
            earlier: None,
        });
        match self.write_forward(now, key, mmsc, read) {
            Ok(bytes) => self.start_forward(now, key, reply, bytes),
            Err(why) => {
                self.mms.messages.remove(key);
                Err(refused(self, why))
            }
        }
    }

    /// Writes the mail, keeps what answer and reports need, and says how many octets the mail has.
    fn write_forward(&mut self, now: Now, key: u64, mmsc: u16, read: &Read<'_>) -> Result<usize, NotAcceptable> {
        let (mut transaction_id, mut message_id) = (Vec::new(), Vec::new());
        id::write(Kind::Transaction, self.id_of(Kind::Transaction, key), &mut transaction_id);
        let id = self.id_of_mm(key, read.conversation_id(), read.contribution_id());
        id::write(Kind::Message, id, &mut message_id);
        message_id.push(b'@');
        message_id.extend_from_slice(self.settings.mm4.domain.as_bytes());
        let Some(message) = self.mms.messages.get_mut(key) else { return Ok(0) };
        let Some(settings) = self.settings.mmscs.get(usize::from(mmsc)) else { return Ok(0) };
        let minted = Minted { transaction_id: &transaction_id, message_id: &message_id };
        let system_address = self.settings.mm4.system_address();
        let relay = Relay {
            domain: settings.domain.as_bytes(),
            content_bytes_max: settings.message_bytes_max,
            takes: &|media_type| settings.takes(media_type),
            own_domain: self.settings.mm4.domain.as_bytes(),
            system_address: &system_address,
        };
        let mut mail = Vec::new();
        let envelope = read.write(&minted, &relay, now, &self.iwf, &mut mail)?;
        let mut retained = Retained { octets: self.stored.take(), ..Retained::default() };
        read.retain(now, &message_id, &mut retained);
        let wait_s = read.wait_s(&self.iwf.policy).min(limits::MMS_REPORT_WAIT_S_MAX);
        retained.until = now.moment + Duration::from_secs(u64::from(wait_s)) + REPORT_MARGIN;
        message.retained = retained;
        message.envelope = [envelope.mail_from, envelope.rcpt_to];
        message.mail = Bytes::from(mail);
        Ok(message.mail.len())
    }

    fn start_forward(&mut self, now: Now, key: u64, reply: Reply, bytes: usize) -> Result<(), Refusal> {
        if self.mms.content_bytes + bytes > limits::MMS_MEMORY_BYTES_MAX {
            self.drop_mms(key);
            return Err(Refusal::because(503, "too much content is under way"));
        }
        self.mms.content_bytes += bytes;
        if !self.send_forward(now, key) {
            self.drop_mms(key);
            return Err(Refusal::because(503, "no session with an MMS Relay/Server"));
        }
        let alarm = self.arm(now.moment + self.answer_deadline(), ALARM_MMS, key);
        if let Some(message) = self.mms.messages.get_mut(key) {
            (message.reply, message.alarm) = (Some(reply), Some(alarm));
            self.mms.unanswered += 1;
        }
        Ok(())
    }

    fn answer_deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.iwf.policy.mms.answer_deadline_ms))
    }

    fn send_forward(&mut self, now: Now, key: u64) -> bool {
        let Some(message) = self.mms.messages.get(key).filter(|message| now.moment < message.until) else {
            return false;
        };
        let [mail_from, rcpt_to] = message.envelope.clone();
        let mail = Written { mail_from, rcpt_to, data: message.mail.clone(), until: message.until };
        self.send_mail(now, message.mmsc, Sent::Forward(key), mail)
    }

    /// What became of the mail.
    pub(super) fn forward_ended(&mut self, now: Now, key: u64, outcome: Outcome) {
        let Some(message) = self.mms.messages.get_mut(key) else { return };
        let Some(reply) = &message.reply else { return self.answered_forward_ended(now, key, &outcome) };
        match outcome {
            Outcome::Accepted { .. } => {
                message.taken = true;
                let answered = !message.ack_request;
                self.release_mail(key);
                if answered {
                    self.forward_accepted(now, key);
                }
            }
            Outcome::Refused { reply: said, .. } => {
                let code = refused_by_smtp(said.code, matches!(reply, Reply::Msrp { .. }), &self.iwf.policy);
                let call_id = message.call_id;
                self.event(Event::RefusedByRelay { call_id, code, reply: said.code });
                self.forward_refused(now, key, Refusal::of_code(code));
            }
            Outcome::NotSent(_) => self.forward_again(now, key),
            // MM4_forward.RES may tell yet; if it does not, the sender's patience ends with the same doubt.
            Outcome::Unknown(_) if message.ack_request => {}
            Outcome::Unknown(_) => self.forward_unknown(now, key),
        }
    }

    /// The sender was answered before: by MM4_forward.RES, or by policy, and then he must hear of what that could not know.
    fn answered_forward_ended(&mut self, now: Now, key: u64, outcome: &Outcome) {
        let taken = self.mms.messages.get(key).is_some_and(|message| message.taken);
        if !taken && matches!(outcome, Outcome::Refused { .. } | Outcome::NotSent(_)) {
            self.tell_refused(now, key);
        }
    }

    /// It never left: another session may take it, while the sender waits.
    fn forward_again(&mut self, now: Now, key: u64) {
        let Some(message) = self.mms.messages.get_mut(key) else { return };
        message.resends += 1;
        let may = message.resends <= RESENDS_MAX;
        if !(may && self.send_forward(now, key)) {
            self.forward_refused(now, key, Refusal::because(503, "no MMS Relay/Server took it"));
        }
    }

    /// The doubt that SMTP leaves: it was sent, and no reply came.
    fn forward_unknown(&mut self, now: Now, key: u64) {
        let Some(message) = self.mms.messages.get(key) else { return };
        let refuse = self.iwf.policy.submission.unknown_outcome == UnknownOutcome::Refuse;
        let code = if refuse { 480 } else { 202 };
        self.event(Event::Unknown { call_id: message.call_id, code });
        self.stats.mms_outcome_unknown += 1;
        if refuse {
            return self.forward_refused(now, key, Refusal::of_code(480));
        }
        self.forward_accepted(now, key);
    }

    /// 6.3.1.1.1 step 5, 6.3.1.1.2 step 6: MM4_forward.RES came.
    pub(super) fn forward_responded(&mut self, now: Now, key: u64, status: RequestStatus) {
        let Some(message) = self.mms.messages.get_mut(key) else { return };
        // The response may outrun the reply to the mail.
        message.taken = true;
        let waits = message.reply.is_some();
        self.release_mail(key);
        match (status.is_ok(), waits) {
            (true, true) => self.forward_accepted(now, key),
            (true, false) => {}
            (false, true) => {
                let code = sip_status(status, &self.iwf.policy);
                self.forward_refused(now, key, Refusal::of_code(code));
            }
            (false, false) => self.tell_refused(now, key),
        }
    }

    /// The sender's patience ends before the answer came (Timer F at the sender is 32 s).
    pub(in crate::shard) fn forward_is_due(&mut self, now: Now, key: u64) {
        let Some(message) = self.mms.messages.get_mut(key) else { return };
        if message.reply.is_none() {
            return self.drop_mms(key);
        }
        message.alarm = None;
        if !message.taken {
            return self.forward_unknown(now, key);
        }
        self.stats.mms_responses_missing += 1;
        match self.iwf.policy.mms.no_response {
            NoResponse::Accept => self.forward_accepted(now, key),
            NoResponse::Refuse => self.forward_refused(now, key, Refusal::of_code(480)),
        }
    }

    fn forward_accepted(&mut self, now: Now, key: u64) {
        self.release_mail(key);
        self.record_mm(now, key);
        self.acknowledge(now, Acknowledgement::Forwarded { message: key });
    }

    /// What the answer promises is on record.
    pub(in crate::shard) fn answer_forwarded(&mut self, now: Now, key: u64) {
        let Some(reply) = self.take_mms_reply(key) else { return };
        self.stats.mms_accepted += 1;
        match reply {
            Reply::Sip(transaction) => self.respond_forwarded(now, key, transaction),
            Reply::Msrp { session, incoming } => self.media_forwarded(now, session, incoming, key),
            Reply::Question { .. } => {}
        }
        self.await_reports(now, key);
    }

    fn forward_refused(&mut self, now: Now, key: u64, refusal: Refusal) {
        self.stats.mms_refused += 1;
        if let Some(message) = self.mms.messages.get(key) {
            let (call_id, why) = (message.call_id, refusal.why);
            self.event(Event::Refused { call_id, code: refusal.code, why });
        }
        match self.take_mms_reply(key) {
            Some(Reply::Sip(transaction)) => self.refuse_forwarded(now, key, transaction, refusal),
            Some(Reply::Msrp { session, incoming }) if self.session_alive(session) => {
                self.media_not_forwarded(now, session, incoming, refusal);
            }
            // He has left without an answer, and only a notification can still tell him.
            Some(Reply::Msrp { .. }) => {
                self.release_mail(key);
                self.await_reports(now, key);
                return self.tell_refused(now, key);
            }
            Some(Reply::Question { .. }) | None => {}
        }
        self.drop_mms(key);
    }

    fn take_mms_reply(&mut self, key: u64) -> Option<Reply> {
        let message = self.mms.messages.get_mut(key)?;
        let (reply, alarm) = (message.reply.take()?, message.alarm.take());
        self.mms.unanswered = self.mms.unanswered.saturating_sub(1);
        if let Some(alarm) = alarm {
            self.alarms.cancel(alarm);
        }
        Some(reply)
    }

    /// What is kept from now on is kept for reports only.
    fn await_reports(&mut self, now: Now, key: u64) {
        let Some(message) = self.mms.messages.get(key) else { return };
        if !message.told.awaits(message.requested, &self.iwf.policy) {
            return self.drop_mms(key);
        }
        let until = message.retained.until.max(now.moment + Duration::from_secs(1));
        let alarm = self.arm(until, ALARM_MMS, key);
        if let Some(message) = self.mms.messages.get_mut(key) {
            message.alarm = Some(alarm);
        }
    }

    fn release_mail(&mut self, key: u64) {
        let Some(message) = self.mms.messages.get_mut(key) else { return };
        self.mms.content_bytes -= message.mail.len();
        message.mail = Bytes::new();
    }

    pub(super) fn drop_mms(&mut self, key: u64) {
        self.take_mms_reply(key);
        let Some(message) = self.mms.messages.remove(key) else { return };
        self.mms.content_bytes = self.mms.content_bytes.saturating_sub(message.mail.len());
        if let Some(record) = message.record {
            self.forget(record);
        }
        if let Some(id) = message.earlier {
            self.mms.earlier_messages.remove(&id);
        }
        if let Some(alarm) = message.alarm {
            self.alarms.cancel(alarm);
        }
        self.stored.give(message.retained.octets);
    }
}

/// Of what is too large a large message says so itself (6.3 1d).
fn not_acceptable(why: NotAcceptable, is_large: bool, policy: &Policy) -> Refusal {
    let refusal = Refusal::not_acceptable_for_mms(why, policy);
    if is_large && why == NotAcceptable::TooLarge { Refusal::because(413, refusal.why) } else { refusal }
}

fn refused_by_smtp(code: u16, is_large: bool, policy: &Policy) -> u16 {
    if is_large && code == TOO_MUCH_MAIL_DATA { 413 } else { policy.mms.smtp_refusal.of(code) }
}

/// RFC 5321 4.2.3
const TOO_MUCH_MAIL_DATA: u16 = 552;
