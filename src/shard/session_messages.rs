//! Messages of sessions: what the CPM side says becomes short messages (IWF 6.1.2, 6.1.5.1, 6.2.2.1.5), and what is sent in
//! a session has its outcome.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::Now;
use crate::engine::msrp::{Ident, IncomingId, Message as MediaMessage, Outcome, Outgoing};
use crate::interwork::sms::chat_to_submit_sm::{BEARER_UNAVAILABLE, Ending, ends_session, msrp_status};
use crate::iwf::body::Body;
use crate::iwf::invitation::Invitation;
use crate::iwf::large_message;
use crate::iwf::pager;
use crate::iwf::retained::{Procedure, Retained};
use crate::iwf::session_media::{self, Between};
use crate::limits;
use crate::observe::Flow;
use crate::policy;
use crate::wire::msrp::FailureReport;
use crate::wire::sip::Writer;

use super::Shard;
use super::chat::offered;
use super::event::Event;
use super::handoff::Handoff;
use super::pager::{Kept, NotConverted, Scratch};
use super::sessions::Kind;
use super::submit::Reply;
use super::uac::{Ended, Purpose};
use super::uas::Refusal;

/// Whose message it is.
#[derive(Clone)]
enum Whose {
    /// A large message.
    Large(Arc<Invitation>),
    /// A message of a chat, and whether it is the first.
    Chat(Arc<Invitation>, Between, Option<FirstMessage>),
}

/// What the first message of a chat tells its SMS user beside its text.
#[derive(Clone, Copy)]
struct FirstMessage {
    names_sender: bool,
}

impl Shard {
    /// A whole message: it is answered when the SM-SC has answered.
    pub(super) fn media_received(&mut self, now: Now, key: u64, incoming: IncomingId, message: &MediaMessage) {
        let taken = match self.whose(key) {
            Some(whose) => {
                let mut scratch = core::mem::take(&mut self.scratch);
                let taken = self.take_media(now, (key, incoming), message, &whose, &mut scratch);
                self.scratch = scratch;
                taken
            }
            None => Err(Ending::NotInterworkable),
        };
        if let Err(ending) = taken {
            self.stats.cpm_refused += u64::from(ending != Ending::Taken);
            self.note_refused(key, ending, why_of(ending));
            self.answer_media(now, key, incoming, ending);
        }
    }

    /// The session's line in the log; what was taken has none.
    fn note_refused(&mut self, key: u64, ending: Ending, why: &'static str) {
        if ending != Ending::Taken {
            self.note_media_refused(key, msrp_status(ending, &self.iwf.policy), why);
        }
    }

    pub(super) fn note_media_refused(&mut self, key: u64, code: u16, why: &'static str) {
        let Some(session) = self.sessions.get(&key) else { return };
        let call_id = self.call_id_of(session.dialog);
        self.event(Event::SessionMessageRefused { call_id, protocol: "msrp", code, why });
    }

    fn whose(&self, key: u64) -> Option<Whose> {
        let session = self.sessions.get(&key).filter(|session| !session.leaving)?;
        let invitation = Arc::clone(session.invitation.as_ref()?);
        match &session.kind {
            Kind::LargeMessage => Some(Whose::Large(invitation)),
            Kind::Chat(chat) => {
                let names_sender = chat.assigned.is_some() && !chat.asked;
                let first = (!chat.begun).then_some(FirstMessage { names_sender });
                Some(Whose::Chat(invitation, chat.between, first))
            }
            Kind::Delivery(_) => None,
        }
    }

    /// Converts, keeps and submits it; otherwise says how it ends at once.
    fn take_media(
        &mut self,
        now: Now,
        (key, incoming): (u64, IncomingId),
        message: &MediaMessage,
        whose: &Whose,
        scratch: &mut Scratch,
    ) -> Result<(), Ending> {
        let mut joined = Vec::new();
        let content = message.contiguous(&mut joined);
        if content.is_empty() {
            return Err(Ending::Taken);
        }
        let body = pager::look_into(&message.content_type, content, &self.iwf.policy).map_err(session_media::ending)?;
        if body.notification || body.composing {
            self.stats.imdns_received += u64::from(body.notification);
            return Err(Ending::Taken);
        }
        if let Whose::Large(invitation) = whose
            && self.goes_to_mms(&body)
        {
            return self.forward_large(now, (key, incoming), (invitation, &message.content_type, content), &body);
        }
        if self.messages.len() >= limits::PAGER_MESSAGES_MAX || self.records.is_failing() {
            return Err(Ending::Failed);
        }
        let kept = match whose {
            Whose::Large(invitation) => self.convert_large(now, invitation, &body, scratch),
            Whose::Chat(invitation, between, first) => {
                self.convert_chat(now, key, invitation, (*between, *first), &body, scratch)
            }
        };
        let kept = kept?;
        self.note_begun(key);
        let call_id = self.sessions.get(&key).map(|session| self.call_id_of(session.dialog)).unwrap_or_default();
        let reply = Reply::Msrp { session: key, incoming };
        let early = self.iwf.policy.sessions.early_answer;
        self.submit_kept(now, Some(reply), call_id, kept, early);
        Ok(())
    }

    /// 6.1.2: by the tables of a Pager Mode message.
    fn convert_large(
        &mut self,
        now: Now,
        invitation: &Invitation,
        body: &Body<'_>,
        scratch: &mut Scratch,
    ) -> Result<Kept, Ending> {
        let Scratch { text, octets } = scratch;
        let read = large_message::read(invitation, body, text).map_err(session_media::ending)?;
        let trace = self.stopwatch.parsed(Flow::CpmToSms);
        let converted = self.convert(|form, reference, policy, pdus| {
            read.write_short_messages(text, form, reference, policy, octets, pdus)
        });
        let converted = converted.map_err(ending_of)?;
        let mut retained = Retained { octets: self.stored.take(), ..Retained::default() };
        read.retain(now, text, &mut retained);
        let (requested, expires_s) = (read.requested, read.expires_s);
        Ok(Kept { retained, requested, expires_s, procedure: Procedure::LargeMessage, session: 0, converted, trace })
    }

    /// 6.2.2.1.5, Table 7.
    fn convert_chat(
        &mut self,
        now: Now,
        session: u64,
        invitation: &Invitation,
        (between, first): (Between, Option<FirstMessage>),
        body: &Body<'_>,
        scratch: &mut Scratch,
    ) -> Result<Kept, Ending> {
        let Scratch { text, octets } = scratch;
        let read = session_media::read(invitation, body, text).map_err(session_media::ending)?;
        let trace = self.stopwatch.parsed(Flow::CpmToSms);
        let mut retained = Retained { octets: self.stored.take(), ..Retained::default() };
        read.retain(now, text, &mut retained);
        if let Some(FirstMessage { names_sender }) = first {
            session_media::introduce(text, invitation, names_sender, &self.iwf.policy);
        }
        let (requested, whose) = (read.requested, (between, read.requested));
        let converted = self.convert(|form, reference, policy, pdus| {
            session_media::write_short_messages(whose, text, form, reference, policy, octets, pdus)
        });
        let converted = converted.map_err(ending_of)?;
        Ok(Kept { retained, requested, expires_s: None, procedure: Procedure::Chat, session, converted, trace })
    }

    fn note_begun(&mut self, key: u64) {
        if let Some(Kind::Chat(chat)) = self.sessions.get_mut(&key).map(|session| &mut session.kind) {
            chat.begun = true;
        }
    }

    /// The SM-SC has taken a message, or policy answers before it has.
    pub(super) fn media_accepted(&mut self, now: Now, session: u64, incoming: IncomingId, message: u64) {
        self.thank_for(session, message);
        self.answer_media(now, session, incoming, Ending::Taken);
    }

    /// 6.2.4 B): what the 200 to the BYE of a large message says.
    fn thank_for(&mut self, key: u64, message: u64) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return self.session_terminated(message);
        };
        session.message = message;
        let (Kind::LargeMessage, Some(message)) = (&session.kind, self.messages.get(message)) else { return };
        let mut lines = Vec::new();
        large_message::write_bye_answered(&message.retained, &mut Writer::resume(&mut lines));
        self.calls.set_bye_headers(session.dialog, &lines);
    }

    /// An early refusal may come true otherwise: the message is kept, and its session's end must find it.
    pub(super) fn note_submitted(&mut self, key: u64, message: u64) {
        match self.sessions.get_mut(&key) {
            Some(session) => session.message = message,
            None => self.session_terminated(message),
        }
    }

    /// 6.1.2 step 2 a: the session of a message is over, and with it what was stored for a report that nobody wants.
    pub(super) fn session_terminated(&mut self, message: u64) {
        let Some(kept) = self.messages.get_mut(message) else { return };
        kept.progress.terminated = true;
        if kept.progress.is_over() && kept.telling.is_idle() {
            self.drop_message(message);
        }
    }

    /// The SM-SC has not, or nobody knows.
    pub(super) fn media_refused(&mut self, now: Now, session: u64, incoming: IncomingId, refusal: Refusal) {
        let ending = if refusal.code == 408 { Ending::TimedOut } else { Ending::Failed };
        self.note_refused(session, ending, refusal.why);
        self.answer_media(now, session, incoming, ending);
    }

    /// The response to the last chunk; after a failed delivery the BYE (6.2.3 B).
    fn answer_media(&mut self, now: Now, key: u64, incoming: IncomingId, ending: Ending) {
        let code = msrp_status(ending, &self.iwf.policy);
        self.answer_media_with(now, key, incoming, code, ends_session(ending));
    }

    pub(super) fn answer_media_with(&mut self, now: Now, key: u64, incoming: IncomingId, code: u16, ends: bool) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.media.respond(incoming, code);
        self.pump_session(now, key);
        if ends {
            self.leave(now, key, BEARER_UNAVAILABLE);
        }
        self.leave_if_idle(now, key);
    }

    /// Whether a message's session can still carry something to its sender.
    pub(super) fn session_alive(&self, key: u64) -> bool {
        self.sessions.get(&key).is_some_and(|session| !session.leaving)
    }

    /// A message of ours in a session has its outcome.
    pub(super) fn media_sent(&mut self, now: Now, key: u64, token: u64, outcome: Outcome) {
        self.stats.msrp_outcome_unknown += u64::from(matches!(outcome, Outcome::Unknown | Outcome::TimedOut));
        match self.requests.remove(token) {
            Some(Purpose::Chat { from, delivery }) => {
                self.outbox.hand(from, Handoff::OfferEnded { delivery, outcome: offered(outcome) });
            }
            Some(Purpose::About { message, told }) => self.about_ended(now, message, told, ended(outcome)),
            Some(Purpose::LargeMessage(delivery)) => self.large_message_sent(now, key, delivery, outcome),
            Some(Purpose::Mm { delivery, recipient, .. }) => {
                self.large_mm_sent(now, key, (delivery, recipient), outcome)
            }
            Some(Purpose::ShortMessage(_) | Purpose::AboutMm(_)) | None => {}
        }
        self.leave_if_idle(now, key);
    }

    /// A message of type message/cpim to the CPM side.
    pub(super) fn outgoing(&mut self, body: Vec<u8>, success_report: bool, failure: policy::FailureReport) -> Outgoing {
        let mut message_id = [0; 16];
        self.random.token(&mut message_id);
        Outgoing {
            message_id: Ident::from_slice(&message_id).unwrap_or_default(),
            content_type: b"message/cpim".as_slice().into(),
            body: Bytes::from(body),
            success_report,
            failure_report: match failure {
                policy::FailureReport::Yes => FailureReport::Yes,
                policy::FailureReport::Partial => FailureReport::Partial,
                policy::FailureReport::No => FailureReport::No,
            },
        }
    }
}

/// Why a message was refused before it became short messages.
fn why_of(ending: Ending) -> &'static str {
    match ending {
        Ending::Taken => "",
        Ending::NotInterworkable => "nothing in it that SMS can carry",
        Ending::Malformed => "it cannot be read",
        Ending::Failed => "no SM-SC is bound, or too many messages are open",
        Ending::TimedOut => "no answer in time",
    }
}

/// What it means that there are no short messages.
fn ending_of(why: NotConverted) -> Ending {
    match why {
        NotConverted::NotAcceptable(why) => session_media::ending(why),
        NotConverted::NoLink => Ending::Failed,
    }
}

/// An outcome as that of a request.
pub(super) fn ended(outcome: Outcome) -> Ended {
    match outcome {
        Outcome::Delivered | Outcome::Written => Ended::Answered(200),
        Outcome::Refused(code) => Ended::Answered(code),
        Outcome::TimedOut | Outcome::Aborted | Outcome::Unsent | Outcome::Unknown => Ended::Failed,
    }
}
