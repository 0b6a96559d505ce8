//! Requests of the peer: new INVITEs, CANCEL, ACK (RFC 3261 13.3, 9.2, 13.3.1.4).

use core::time::Duration;

use crate::engine::transport::Source;
use crate::limits;
use crate::wire::sip::{Message, Name};

use super::call::{Call, Matter, Ringing, Served, State};
use super::headers::{NO_DIALOG, Owes, Refusal, TERMINATED};
use super::{By, Calls, DialogKey, Event, Heard, Turn};
use crate::engine::sip::dialog::Dialog;
use crate::engine::sip::server_matching::{Arrived, TransactionId};
use crate::engine::sip::session_timer::{Agreed, Said, answer};

const NO_CONTACT: Refusal = Refusal::new(400, "Missing Contact Header");
const TOO_LARGE: Refusal = Refusal::new(513, "Message Too Large");
const TOO_SMALL: Refusal = Refusal::new(422, "Session Interval Too Small");
const OVERLOADED: Refusal = Refusal::new(503, "Service Unavailable").owing(Owes::RetryAfter(5));
const MERGED: Refusal = Refusal::new(482, "Loop Detected");

impl Calls {
    /// A request of a session, or that wants to begin one; its syntax and its sender were checked.
    pub fn handle_request(&mut self, turn: &mut Turn<'_>, message: &Message<'_>, source: &Source) -> Heard {
        let heard = match message.method() {
            b"INVITE" => self.handle_invite(turn, message, source),
            b"ACK" => self.handle_ack(turn, message),
            b"CANCEL" => self.handle_cancel(turn, message, source),
            _ => self.handle_within(turn, message, source),
        };
        self.settle(turn);
        heard
    }

    fn handle_invite(&mut self, turn: &mut Turn<'_>, message: &Message<'_>, source: &Source) -> Heard {
        let arrived = self.invited.handle_request(turn.now, message, source, turn.random);
        let id = match self.admitted(message, source, arrived) {
            Ok(id) => id,
            Err(heard) => return heard,
        };
        let within = message.to().is_ok_and(|to| to.tag().is_some());
        let judged = if within { self.invited_again(turn, id, message) } else { self.invited_anew(turn, id, message) };
        judged.unwrap_or_else(|refusal| {
            let config = &self.config;
            self.invited.respond(turn.now, id, refusal.code, refusal.reason, None, |headers| {
                refusal.write(config, headers);
            });
            Heard::Answered { code: refusal.code }
        })
    }

    /// What is left to do for a request that the transactions have judged.
    pub(super) fn admitted(
        &mut self,
        message: &Message<'_>,
        source: &Source,
        arrived: Arrived,
    ) -> Result<TransactionId, Heard> {
        let refusal = match arrived {
            Arrived::New(id) => return Ok(id),
            Arrived::Retransmission => return Err(Heard::Absorbed),
            Arrived::Merged => MERGED,
            Arrived::Full => OVERLOADED,
        };
        let config = &self.config;
        self.served.respond_statelessly(message, source, refusal.code, refusal.reason, |headers| {
            refusal.write(config, headers);
        });
        Err(Heard::Answered { code: refusal.code })
    }

    fn invited_anew(
        &mut self,
        turn: &mut Turn<'_>,
        id: TransactionId,
        message: &Message<'_>,
    ) -> Result<Heard, Refusal> {
        if self.calls.len() >= self.config.calls_max {
            return Err(OVERLOADED);
        }
        let agreed = self.agree(message, false)?;
        let tag = self.invited.to_tag(id).unwrap_or_default();
        let dialog = Dialog::uas(message, &tag, &self.config.contact).ok_or(NO_CONTACT)?;
        if dialog.bytes() > limits::SIP_DIALOG_BYTES_MAX {
            return Err(TOO_LARGE);
        }
        let cseq = dialog.remote_cseq().unwrap_or_default();
        let mut call = Call::new(dialog, State::Invited);
        call.served = Some(Served { id, cseq, answered: false });
        call.agreed = Some(agreed);
        call.ringing = requires_100rel(message).then(|| Ringing::new(turn.random));
        call.note_allowed(message);
        call.note_description(message);
        let dialog = self.calls.insert(call);
        self.invited.set_user(id, dialog);
        self.enter(dialog);
        if let Some(seconds) = message.expires() {
            self.arm_alarm(dialog, turn.now + Duration::from_secs(u64::from(seconds)), Matter::Answer);
        }
        Ok(Heard::Invited { dialog })
    }

    /// RFC 3261 13.3.1: the INVITE is worth nothing any more.
    pub(super) fn answer_due(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.state == State::Invited) else { return };
        call.alarm = None;
        self.events.push_back(Event::Unanswered { dialog });
        self.refuse(turn, dialog, TERMINATED.code, TERMINATED.reason, |_| {});
    }

    /// RFC 4028 9.
    pub(super) fn agree(&self, message: &Message<'_>, ours: bool) -> Result<Agreed, Refusal> {
        answer(&Said::by(message), self.config.terms, ours)
            .map_err(|small| TOO_SMALL.owing(Owes::MinSe(small.min_se_s)))
    }

    /// From now on requests find the dialog.
    pub(super) fn enter(&mut self, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let place = call.dialog.key(&self.hash);
        call.place = Some(place);
        self.by_dialog.insert(place, dialog);
    }

    /// The session that a request says to be in.
    pub(super) fn find(&self, message: &Message<'_>) -> Option<DialogKey> {
        let dialog = *self.by_dialog.get(&Dialog::key_of(message, &self.hash)?)?;
        self.calls.get(dialog).filter(|call| call.dialog.has(message)).map(|_| dialog)
    }

    fn handle_ack(&mut self, turn: &mut Turn<'_>, message: &Message<'_>) -> Heard {
        if self.invited.handle_ack(turn.now, message) {
            return Heard::Absorbed;
        }
        let Some(dialog) = self.find(message) else { return Heard::Absorbed };
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        let cseq = message.cseq().map(|cseq| cseq.number);
        if !call.served.is_some_and(|served| served.answered && Ok(served.cseq) == cseq) {
            return Heard::Absorbed;
        }
        if let Some(served) = call.served.take() {
            self.invited.acknowledged(served.id);
        }
        call.note_description(message);
        self.acknowledged(turn, dialog)
    }

    /// RFC 3261 15: now the callee may send BYE.
    fn acknowledged(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        if call.state == State::Over {
            self.release(dialog);
            return Heard::Absorbed;
        }
        call.state = State::Confirmed;
        match call.farewell.take() {
            Some(reason) => {
                self.leave(turn, dialog, &reason);
                Heard::Absorbed
            }
            None => Heard::Confirmed { dialog },
        }
    }

    /// RFC 3261 9.2: 200 to the CANCEL, 487 to an INVITE that has no final response; after that it has no effect.
    fn handle_cancel(&mut self, turn: &mut Turn<'_>, message: &Message<'_>, source: &Source) -> Heard {
        let found = self.invited.find_cancelled(message);
        let arrived = match found.and_then(|id| self.invited.to_tag(id)) {
            Some(tag) => self.served.handle_cancel(turn.now, message, source, tag),
            None => self.served.handle_request(turn.now, message, source, turn.random),
        };
        let id = match self.admitted(message, source, arrived) {
            Ok(id) => id,
            Err(heard) => return heard,
        };
        let Some(cancelled) = found else {
            self.refuse_within(turn, id, NO_DIALOG);
            return Heard::Answered { code: NO_DIALOG.code };
        };
        self.agree_to(turn, id);
        self.cancelled(turn, cancelled)
    }

    fn cancelled(&mut self, turn: &mut Turn<'_>, id: TransactionId) -> Heard {
        let dialog = self.invited.user(id).unwrap_or_default();
        let config = &self.config;
        let pending = self.invited.respond(turn.now, id, TERMINATED.code, TERMINATED.reason, None, |headers| {
            TERMINATED.write(config, headers);
        });
        let Some(call) = self.calls.get_mut(dialog).filter(|_| pending) else { return Heard::Answered { code: 200 } };
        call.served = None;
        if call.state != State::Invited {
            return Heard::Withdrawn { dialog };
        }
        self.over(dialog);
        self.release(dialog);
        Heard::Ended { dialog, by: By::Cancel }
    }
}

fn requires_100rel(message: &Message<'_>) -> bool {
    message.values(Name::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"))
}
