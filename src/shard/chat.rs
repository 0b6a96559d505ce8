//! Chats of a CPM user with an SMS user: the SMS user is asked (IWF 6.2.2.1.3), and what he writes answers that, goes into
//! the session (6.2.2.2.2), or ends it.

use crate::engine::Now;
use crate::engine::msrp::{self, Outcome};
use crate::engine::transport::ShardId;
use crate::interwork::address::Number;
use crate::interwork::sms::session_invitation::{Answer, answer_of, sip_status};
use crate::iwf::pager::Form;
use crate::iwf::session_media::{self, Between};
use crate::iwf::{session_invitation, session_leaving};
use crate::wire::cpim::Dispositions;

use super::Shard;
use super::calls::turn;
use super::handoff::{Handoff, Offered, SessionRef};
use super::sessions::Kind;
use super::submit::ALARM_UNANSWERED;
use super::uac::Purpose;
use super::uas::Refusal;

/// What is known of a chat.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) state: State,
    pub(super) between: Between,
    /// The number that was assigned to the session, if one was.
    pub(super) assigned: Option<Number>,
    /// Whether the SMS user was asked.
    pub(super) asked: bool,
    /// Whether a message of the session has gone to the SMS user.
    pub(super) begun: bool,
    /// Our description, until it is sent.
    pub(super) answer: Vec<u8>,
}

/// How far a chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The SMS user has not answered.
    Asking,
    /// Messages pass.
    Open,
    /// The SMS user has not answered in time, and the INVITE was refused.
    Late,
}

impl Chat {
    /// Whether the SMS user knows that there is a session.
    pub(super) fn is_known(&self) -> bool {
        self.asked || self.assigned.is_some()
    }
}

impl Shard {
    fn chat(&mut self, key: u64) -> Option<&mut Chat> {
        match &mut self.sessions.get_mut(&key)?.kind {
            Kind::Chat(chat) => Some(chat),
            Kind::LargeMessage | Kind::Delivery(_) => None,
        }
    }

    /// Tells the index shard that what the SMS user sends to the number of a chat belongs there, or no longer does.
    pub(super) fn announce(&mut self, key: u64, open: bool) {
        let Some(Between { sender, sms_user }) = self.chat(key).map(|chat| chat.between) else { return };
        let between = self.between(&sms_user, &sender);
        let whose = SessionRef { shard: self.settings.id, session: key };
        let handoff = match open {
            true => Handoff::SessionOpened { between, whose },
            false => Handoff::SessionEnded { between, whose },
        };
        self.outbox.hand(self.route.of_hash(between), handoff);
    }

    /// 6.1.4 step 8: 180 to the CPM user, the question to the SMS user, and his answer is waited for.
    pub(super) fn ask(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get(&key) else { return };
        let dialog = session.dialog;
        self.sip_codes.sent.add(180);
        self.calls.ring(turn!(self, now), dialog, 180, "Ringing", |_| {});
        if let Err(refusal) = self.send_question(now, key) {
            return self.decline_chat(now, key, refusal.code, refusal.why);
        }
        self.await_answer(now, key);
    }

    fn send_question(&mut self, now: Now, key: u64) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&key) else { return Ok(()) };
        let Kind::Chat(chat) = &session.kind else { return Ok(()) };
        let (invitation, assigned) = (session.invitation.clone().unwrap_or_default(), chat.assigned);
        let policy = &self.iwf.policy;
        let mut text = String::new();
        let refuse = |why| Refusal::not_acceptable(why, policy);
        session_invitation::write_question(&invitation, assigned, policy, &mut text).map_err(refuse)?;
        self.submit_own(now, Some(key), |form: &Form<'_>, reference, policy, octets, pdus| {
            let whose = (&*invitation, assigned);
            session_invitation::write_short_messages(whose, &text, form, reference, policy, octets, pdus)
        })
    }

    /// The SMS user has not answered in time (6.1.4: "prior to receiving a response").
    pub(super) fn not_answered(&mut self, now: Now, key: u64) {
        match self.chat(key).map(|chat| chat.state) {
            Some(State::Asking) => {
                let (code, _) = session_invitation::no_answer(&self.iwf.policy);
                self.give_up_asking(now, key, code);
            }
            Some(State::Late) => self.end_session(now, key),
            Some(State::Open) | None => {}
        }
    }

    /// Step 8e: who is to be told that the answer came too late must be known for as long again.
    fn give_up_asking(&mut self, now: Now, key: u64, code: u16) {
        let why = "the SMS user did not answer in time";
        if self.iwf.policy.sessions.late_answer_text.is_empty() || self.draining {
            return self.decline_chat(now, key, code, why);
        }
        self.refuse_chat(now, key, code, why);
        if let Some(chat) = self.chat(key) {
            chat.state = State::Late;
            self.await_answer(now, key);
        }
    }

    fn await_answer(&mut self, now: Now, key: u64) {
        let wait = core::time::Duration::from_secs(u64::from(self.iwf.policy.sessions.answer_timeout_s));
        let alarm = self.arm(now.moment + wait, ALARM_UNANSWERED, key);
        if let Some(session) = self.sessions.get_mut(&key) {
            session.bind = Some(alarm);
        }
    }

    /// The SM-SC did not take the question: Table 2, "if no final response was sent to the INVITE request yet".
    pub(super) fn question_failed(&mut self, now: Now, key: u64, refusal: Refusal) {
        if self.chat(key).is_some_and(|chat| chat.state == State::Asking) {
            self.decline_chat(now, key, refusal.code, refusal.why);
        }
    }

    /// A short message that belongs to a session, if it still is one.
    pub(super) fn take_offer(
        &mut self,
        now: Now,
        (from, delivery): (ShardId, u64),
        key: u64,
        text: String,
        user_response_code: Option<u8>,
    ) {
        let leaving = session_leaving::is_leaving(&text, &self.iwf.policy);
        // Into a session whose BYE is on its way nothing goes any more.
        let alive = self.session_alive(key);
        let outcome = match self.chat(key).map(|chat| chat.state).filter(|_| alive) {
            Some(State::Asking) => self.take_answer(now, key, text, user_response_code),
            Some(State::Open) if leaving => {
                self.leave(now, key, session_leaving::CALL_COMPLETED);
                Offered::Taken
            }
            Some(State::Open) => return self.send_chat(now, key, (from, delivery), &text),
            Some(State::Late) => self.take_late_answer(now, key, text, user_response_code),
            None => Offered::NotOfSession { text },
        };
        self.outbox.hand(from, Handoff::OfferEnded { delivery, outcome });
    }

    /// 6.2.2.1.3 step 3: only what answers the question is taken for an answer.
    fn take_answer(&mut self, now: Now, key: u64, text: String, user_response_code: Option<u8>) -> Offered {
        match answer_of(&text, user_response_code, &self.iwf.policy) {
            Some(Answer::Accept) => self.accept_chat(now, key),
            Some(answer) => {
                let (code, _) = sip_status(answer, &self.iwf.policy);
                self.decline_chat(now, key, code, "the SMS user declined");
            }
            None => return Offered::NotOfSession { text },
        }
        Offered::Taken
    }

    /// 6.1.4 step 8e: "MAY send a message" to an SMS user who accepts when the INVITE was refused.
    fn take_late_answer(&mut self, now: Now, key: u64, text: String, user_response_code: Option<u8>) -> Offered {
        let Some(answer) = answer_of(&text, user_response_code, &self.iwf.policy) else {
            return Offered::NotOfSession { text };
        };
        let between = self.chat(key).filter(|_| answer == Answer::Accept).map(|chat| chat.between);
        if let Some(between) = between {
            let told = self.iwf.policy.sessions.late_answer_text.clone();
            self.send_notice(now, between, &told);
        }
        self.end_session(now, key);
        Offered::Taken
    }

    /// 6.2.2.2.2 step 2: the text as a message of the session.
    fn send_chat(&mut self, now: Now, key: u64, (from, delivery): (ShardId, u64), text: &str) {
        if !self.sessions.get(&key).is_some_and(|session| session.may_send()) {
            return self.outbox.hand(from, Handoff::OfferEnded { delivery, outcome: Offered::NotTaken });
        }
        let token = self.requests.insert(Purpose::Chat { from, delivery });
        let message = self.chat_message(now, text);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.media.send(token, message).is_err() {
            self.requests.remove(token);
            self.outbox.hand(from, Handoff::OfferEnded { delivery, outcome: Offered::NotTaken });
        }
        if self.iwf.policy.sessions.answer_before_msrp_response {
            self.outbox.hand(from, Handoff::OfferEnded { delivery, outcome: Offered::Taken });
        }
        self.pump_session(now, key);
    }

    fn chat_message(&mut self, now: Now, text: &str) -> msrp::Outgoing {
        let mut message_id = [0; 24];
        self.random.token(&mut message_id);
        let send = session_media::send(text, &self.iwf.policy);
        let mut body = Vec::new();
        session_media::write_message(&send, now, &message_id, &mut body);
        self.outgoing(body, send.success_report, send.failure_report)
    }

    /// Short messages of our own in a session: nobody wants to hear what becomes of them.
    pub(super) fn send_notice(&mut self, now: Now, between: Between, text: &str) {
        // What cannot be told is not told.
        let _sent = self.submit_own(now, None, |form: &Form<'_>, reference, policy, octets, pdus| {
            let whose = (between, Dispositions::NONE);
            session_media::write_short_messages(whose, text, form, reference, policy, octets, pdus)
        });
    }
}

/// "Upon receiving the final MSRP response": what it means for the short message.
pub(super) fn offered(outcome: Outcome) -> Offered {
    match outcome {
        Outcome::Delivered | Outcome::Written => Offered::Taken,
        Outcome::Refused(code) => Offered::Refused(code),
        Outcome::TimedOut | Outcome::Aborted | Outcome::Unsent | Outcome::Unknown => Offered::NotTaken,
    }
}
