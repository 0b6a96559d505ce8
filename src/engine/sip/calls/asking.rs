//! Modifications that we ask for: another session description, a refresh (RFC 3261 14.1, RFC 3311 5.1, RFC 4028 7.4).

use core::time::Duration;

use crate::engine::{Moment, Random};
use crate::wire::sip::{Message, check};

use super::call::{Asked, Call, Matter, Purpose, State, of_token, token};
use super::commands::describe;
use super::headers::write_asking;
use super::timing::terms;
use super::{Calls, DialogKey, Event, Heard, Turn, targets_of};
use crate::engine::sip::client_non_invite::ClientEvent;
use crate::engine::sip::dialog::Role;
use crate::engine::sip::response::Body;
use crate::engine::sip::session_timer::{Agreed, Said};

/// A refresh that was refused for a reason that may pass is tried again after this, until the session expires.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);
/// A modification whose time has come waits as long as another is under way.
const BUSY_AGAIN: Duration = Duration::from_secs(1);

impl Calls {
    /// A re-INVITE with another session description. `Modified` tells what came of it. `false` if the session is not
    /// confirmed or another modification is under way, of ours or of the peer's.
    pub fn offer(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, description: Body<'_>) -> bool {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.is_free()) else { return false };
        call.asked = Some(Asked::new(Purpose::Offer, Vec::new(), Some(description), terms(call, self.config.terms)));
        let sent = self.send_invite(turn, dialog);
        if !sent {
            self.forget_asked(dialog);
        }
        sent
    }

    /// Sends what is asked, or lets it wait.
    pub(super) fn ask(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        if call.state != State::Confirmed || call.is_asking() || call.is_asked() {
            return self.wait(turn.now + BUSY_AGAIN, dialog);
        }
        let refresh = call.asked.as_ref().is_some_and(|asked| asked.purpose == Purpose::Refresh);
        let by_update = refresh && (call.allows_update || call.dialog.description().is_empty());
        let sent = if by_update { self.send_update(turn, dialog) } else { self.send_invite(turn, dialog) };
        if !sent {
            self.wait(turn.now + REFRESH_AGAIN, dialog);
        }
    }

    /// RFC 4028 7.4: UPDATE without an offer.
    fn send_update(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) -> bool {
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        let targets = targets_of(&call.dialog, self.config.reach, turn);
        if targets.is_empty() {
            return false;
        }
        let cseq = call.dialog.next_cseq();
        call.updating = true;
        let (config, of) = (&self.config, &*call);
        let Some(asked) = &of.asked else { return false };
        self.asking.send_within_dialog(turn.now, token(dialog, Matter::Update), &targets, turn.random, |out| {
            write_asking(config, of, asked, b"UPDATE", cseq, out);
        });
        true
    }

    fn wait(&mut self, until: Moment, dialog: DialogKey) {
        let Some(asked) = self.calls.get_mut(dialog).and_then(|call| call.asked.as_mut()) else { return };
        let timer = self.timers.arm(until, token(dialog, Matter::Wait));
        if let Some(before) = asked.wait.replace(timer) {
            self.timers.cancel(before);
        }
    }

    pub(super) fn wait_over(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(asked) = self.calls.get_mut(dialog).and_then(|call| call.asked.as_mut()) else { return };
        asked.wait = None;
        self.ask(turn, dialog);
    }

    /// A request of ours other than INVITE has ended, by this response or without any.
    pub(super) fn request_ended(
        &mut self,
        turn: &mut Turn<'_>,
        event: ClientEvent,
        message: Option<&Message<'_>>,
    ) -> Heard {
        let (token, code) = match event {
            ClientEvent::Answered { token, code, .. } => (token, code),
            // RFC 3261 8.1.3.1: as if that had been answered.
            ClientEvent::Failed { token } => (token, 408),
        };
        let (dialog, matter) = of_token(token);
        match matter {
            Matter::Bye => self.bye_ended(dialog),
            Matter::Update => return self.update_ended(turn, dialog, code, message),
            _ => {}
        }
        Heard::Absorbed
    }

    fn update_ended(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        message: Option<&Message<'_>>,
    ) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        call.updating = false;
        match message {
            _ if call.state == State::Over => self.release(dialog),
            Some(message) if (200..300).contains(&code) => {
                call.dialog.refresh_target(message);
                return self.modified(turn, dialog, message);
            }
            _ => {
                // RFC 3311 5.1 knows it from Allow; who says otherwise now, gets a re-INVITE.
                call.allows_update &= !matches!(code, 405 | 501);
                self.unmodified(turn, dialog, code, message);
            }
        }
        Heard::Absorbed
    }

    /// 2xx to a re-INVITE or UPDATE of ours.
    pub(super) fn modified(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, message: &Message<'_>) -> Heard {
        let Some(call) = self.calls.get_mut(dialog) else { return Heard::Absorbed };
        call.note_allowed(message);
        let offered = call.asked.as_ref().is_some_and(|asked| asked.purpose == Purpose::Offer);
        self.keep_description(dialog, message);
        self.start_timer(turn, dialog, Agreed::by(message), Role::Uac);
        if offered { Heard::Modified { dialog, code: message.code() } } else { Heard::Absorbed }
    }

    /// What we asked for holds from now on, on both sides.
    pub(super) fn keep_description(&mut self, dialog: DialogKey, message: &Message<'_>) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        call.note_description(message);
        if let Some(asked) = call.asked.take() {
            if let Some(body) = asked.body() {
                describe(call, body);
            }
            if let Some(wait) = asked.wait {
                self.timers.cancel(wait);
            }
        }
    }

    /// A re-INVITE of ours was refused.
    pub(super) fn refused(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        message: &Message<'_>,
    ) -> Heard {
        let offered = |call: &Call| call.asked.as_ref().is_some_and(|asked| asked.purpose == Purpose::Offer);
        let told = self.calls.get(dialog).is_some_and(|call| offered(call));
        self.unmodified(turn, dialog, code, Some(message));
        let goes_on = |call: &Call| call.state == State::Confirmed && call.asked.is_none();
        let given_up = told && self.calls.get(dialog).is_some_and(|call| goes_on(call));
        if given_up { Heard::Modified { dialog, code } } else { Heard::Absorbed }
    }

    /// RFC 3261 12.2.1.2, 14.1: who does not know the dialog, or does not answer, has no session with us any more. Else it
    /// is as it was: glare and session timer are tried again, an offer is given up.
    pub(super) fn unmodified(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        message: Option<&Message<'_>>,
    ) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let role = call.dialog.role();
        let Some(asked) = &mut call.asked else { return };
        let refresh = asked.purpose == Purpose::Refresh;
        match code {
            408 | 481 => self.lose(turn, dialog, Event::Lost { dialog }),
            491 if asked.may_repeat() => self.wait(turn.now + glare(role, turn.random), dialog),
            422 if asked.raise(message.map_or(0, |message| Said::by(message).min_se_s)) => self.ask(turn, dialog),
            405 | 501 if refresh && asked.may_repeat() => self.ask(turn, dialog),
            _ if refresh => self.wait(turn.now + message.map_or(REFRESH_AGAIN, pause), dialog),
            _ => self.forget_asked(dialog),
        }
    }
}

impl Call {
    /// Whether nobody modifies it.
    fn is_free(&self) -> bool {
        self.state == State::Confirmed && self.asked.is_none() && !self.is_asking() && !self.is_asked()
    }
}

/// RFC 3261 14.1: who gave the Call-ID waits longer, in units of 10 ms.
fn glare(role: Role, random: &mut Random) -> Duration {
    let (least, steps) = match role {
        Role::Uac => (2_100, 191),
        Role::Uas => (0, 201),
    };
    Duration::from_millis(least + 10 * random.below(steps))
}

fn pause(refusal: &Message<'_>) -> Duration {
    let asked = check::retry_after_seconds(refusal).map(|seconds| Duration::from_secs(u64::from(seconds)));
    asked.unwrap_or(REFRESH_AGAIN).max(BUSY_AGAIN)
}
