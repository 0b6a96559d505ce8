//! INVITEs of ours and what comes back (RFC 3261 13.2, 9.1).

use crate::limits;
use crate::wire::sip::{Message, Name, Writer};

use super::call::{Asked, Call, Matter, Purpose, State, token};
use super::ending::write_reason;
use super::headers::write_asking;
use super::{Calls, DialogKey, Heard, Invite, Turn, hop_targets, targets_of};
use crate::engine::sip::client_invite::{ClientInvite, Heard as Answer, InviteId};
use crate::engine::sip::dialog::{Dialog, Role};
use crate::engine::sip::locate::Reach;
use crate::engine::sip::response::new_tag;
use crate::engine::sip::session_timer::{Agreed, Said};

impl Calls {
    /// Sends an INVITE; `headers` writes what it has beside addresses, Contact, Allow, Supported, Session-Expires,
    /// User-Agent and the offer. `None` if there is no room or no next hop: nothing was sent, and nothing will be told.
    pub fn invite(
        &mut self,
        turn: &mut Turn<'_>,
        invite: &Invite<'_>,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> Option<DialogKey> {
        if self.calls.len() >= self.config.calls_max {
            return None;
        }
        let mut lines = Vec::new();
        headers(&mut Writer::resume(&mut lines));
        let mut call = Call::new(Dialog::uac(&invite.first, &new_tag(turn.random)), State::Calling);
        if invite.first.contact.is_empty() {
            call.dialog.set_contact(&self.config.contact);
        }
        call.user = invite.user;
        call.asked = Some(Asked::new(Purpose::Session, lines, Some(invite.offer), self.config.terms));
        let dialog = self.calls.insert(call);
        let sent = self.send_invite(turn, dialog);
        if !sent {
            self.calls.remove(dialog);
        }
        sent.then_some(dialog)
    }

    /// Sends what is asked as an INVITE: the first one, one after 422, or a re-INVITE.
    pub(super) fn send_invite(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) -> bool {
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        let cseq = call.dialog.next_cseq();
        let Some(asked) = &call.asked else { return false };
        let (config, of) = (&self.config, &*call);
        let write = |out: &mut Vec<u8>| write_asking(config, of, asked, b"INVITE", cseq, out);
        let id = if asked.purpose == Purpose::Session {
            let targets = hop_targets(turn);
            self.inviting.send(turn.now, dialog, &targets, turn.random, write)
        } else {
            let targets = targets_of(&of.dialog, config.reach, turn);
            self.inviting.send_within_dialog(turn.now, dialog, &targets, turn.random, write)
        };
        call.invite = id;
        id.is_some()
    }

    /// Cancels our INVITE, as soon as that may be (RFC 3261 9.1); `reason` is the value of Reason (RFC 3326), or empty. A
    /// 2xx that comes all the same is acknowledged and ended. [`super::Event::Gone`] follows.
    pub fn cancel(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, reason: &[u8]) -> bool {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.state == State::Calling) else { return false };
        let Some(id) = call.invite else { return false };
        call.state = State::Cancelled;
        let product = &self.config.product[1];
        self.inviting.cancel(turn.now, id, |headers| write_reason(reason, product, headers));
        true
    }

    /// A response whose syntax was checked; `None` if nobody here awaits it.
    pub fn handle_response(&mut self, turn: &mut Turn<'_>, message: &Message<'_>) -> Option<Heard> {
        let id = self.inviting.find(message);
        let heard = if let Some(answer) = self.inviting.handle_response(turn.now, message, turn.random) {
            self.answered(turn, id, answer, message)
        } else if self.asking.handle_response(turn.now, message, turn.random) {
            let event = self.asking.poll_event();
            event.map_or(Heard::Absorbed, |event| self.request_ended(turn, event, Some(message)))
        } else {
            return None;
        };
        self.settle(turn);
        Some(heard)
    }

    fn answered(&mut self, turn: &mut Turn<'_>, id: Option<InviteId>, answer: Answer, message: &Message<'_>) -> Heard {
        match (answer, id) {
            (Answer::Provisional { token, code }, _) => self.progressed(turn, token, code, message),
            (Answer::Success { token, .. }, Some(id)) => self.succeeded(turn, id, token, message),
            (Answer::Forked { .. }, Some(id)) => {
                self.end_branch(turn, id, message);
                Heard::Absorbed
            }
            (Answer::Failure { token, code }, _) => self.failed(turn, token, code, message),
            _ => Heard::Absorbed,
        }
    }

    fn progressed(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, code: u16, message: &Message<'_>) -> Heard {
        let state = self.calls.get(dialog).map(|call| call.state);
        if code == 100 || !matches!(state, Some(State::Calling | State::Cancelled)) {
            return Heard::Absorbed;
        }
        self.acknowledge_provisional(turn, dialog, message);
        if state == Some(State::Calling) { Heard::Progress { dialog, code } } else { Heard::Absorbed }
    }

    /// The first 2xx.
    fn succeeded(&mut self, turn: &mut Turn<'_>, id: InviteId, dialog: DialogKey, message: &Message<'_>) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else {
            debug_assert!(false, "a session waits for its INVITE");
            return Heard::Absorbed;
        };
        call.invite = None;
        match call.state {
            State::Calling => self.begun(turn, id, dialog, message),
            State::Cancelled => {
                call.dialog.establish(message);
                acknowledge(&mut self.inviting, self.config.reach, turn, id, &call.dialog, message);
                self.leave(turn, dialog, b"");
                Heard::Absorbed
            }
            State::Over => {
                acknowledge(&mut self.inviting, self.config.reach, turn, id, &call.dialog, message);
                self.release(dialog);
                Heard::Absorbed
            }
            _ => {
                call.dialog.refresh_target(message);
                acknowledge(&mut self.inviting, self.config.reach, turn, id, &call.dialog, message);
                self.modified(turn, dialog, message)
            }
        }
    }

    fn begun(&mut self, turn: &mut Turn<'_>, id: InviteId, dialog: DialogKey, message: &Message<'_>) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        call.dialog.establish(message);
        acknowledge(&mut self.inviting, self.config.reach, turn, id, &call.dialog, message);
        if call.dialog.bytes() > limits::SIP_DIALOG_BYTES_MAX {
            self.leave(turn, dialog, b"");
            return Heard::Rejected { dialog, code: 513 };
        }
        call.state = State::Confirmed;
        call.note_allowed(message);
        self.keep_description(dialog, message);
        self.enter(dialog);
        self.start_timer(turn, dialog, Agreed::by(message), Role::Uac);
        Heard::Accepted { dialog }
    }

    /// RFC 3261 13.2.2.4: one session is enough. The branch that comes second is ended, even if the first is long gone.
    fn end_branch(&mut self, turn: &mut Turn<'_>, id: InviteId, message: &Message<'_>) {
        let branch = Dialog::beside(message);
        acknowledge(&mut self.inviting, self.config.reach, turn, id, &branch, message);
        let targets = targets_of(&branch, self.config.reach, turn);
        let (cseq, product) = (branch.local_cseq() + 1, &self.config.product[1]);
        self.asking.send_within_dialog(turn.now, token(0, Matter::Nothing), &targets, turn.random, |out| {
            let mut writer = branch.write_request(b"BYE", cseq, out);
            write_reason(b"", product, &mut writer);
            writer.end();
        });
    }

    fn failed(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, code: u16, message: &Message<'_>) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        call.invite = None;
        let state = call.state;
        match state {
            State::Calling if code == 422 && self.raised(turn, dialog, message) => Heard::Absorbed,
            State::Calling => {
                self.over(dialog);
                self.release(dialog);
                Heard::Rejected { dialog, code }
            }
            State::Cancelled | State::Over => {
                self.over(dialog);
                self.release(dialog);
                Heard::Absorbed
            }
            _ => self.refused(turn, dialog, code, message),
        }
    }

    /// RFC 4028 7.4: the same INVITE with the interval that was asked for.
    fn raised(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, message: &Message<'_>) -> bool {
        let asked = self.calls.get_mut(dialog).and_then(|call| call.asked.as_mut());
        let raised =
            message.header(Name::MinSe).is_some() && asked.is_some_and(|asked| asked.raise(Said::by(message).min_se_s));
        raised && self.send_invite(turn, dialog)
    }
}

/// ACK of a 2xx, with the CSeq number of its INVITE (RFC 3261 13.2.2.4).
fn acknowledge(
    inviting: &mut ClientInvite,
    reach: Reach,
    turn: &mut Turn<'_>,
    id: InviteId,
    dialog: &Dialog,
    message: &Message<'_>,
) {
    let Some(&target) = targets_of(dialog, reach, turn).first() else { return };
    let cseq = message.cseq().map_or(0, |cseq| cseq.number);
    let tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
    inviting.acknowledge(id, tag, target, turn.random, |out| dialog.write_request(b"ACK", cseq, out).end());
}
