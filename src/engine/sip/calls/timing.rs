//! The session timer of each session: begun by every 2xx, looked at when half of it is over and before all is (RFC 4028 10).

use crate::engine::Moment;
use crate::engine::sip::dialog::Role;
use crate::engine::sip::session_timer::{Agreed, SessionTimer, Terms};

use super::call::{Asked, Call, Matter, Purpose, State, token};
use super::{Calls, DialogKey, Event, Turn};

impl Calls {
    /// A 2xx that has left says what the session timer is (RFC 4028 9). Before the session is there, that is up to its
    /// INVITE.
    pub(super) fn agreed(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        if matches!(call.state, State::Accepted | State::Confirmed) {
            let agreed = call.agreed.take();
            self.start_timer(turn, dialog, agreed, Role::Uas);
        }
    }

    /// The session timer begins anew; `role` is ours in the transaction that says so. Without agreement there is none.
    pub(super) fn start_timer(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, agreed: Option<Agreed>, role: Role) {
        if let Some(call) = self.calls.get_mut(dialog) {
            call.timer = agreed.map(|agreed| SessionTimer::new(turn.now, agreed, role));
            self.arm_session(dialog);
        }
    }

    /// The session timer: half of it is over, or all that may be.
    pub(super) fn session_due(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        call.alarm = None;
        let Some(timer) = call.timer else { return };
        if turn.now >= timer.ends_at() {
            return self.lose(turn, dialog, Event::Expired { dialog });
        }
        self.arm_alarm(dialog, timer.ends_at(), Matter::Session);
        self.refresh(turn, dialog);
    }

    /// A modification that is under way or waits refreshes as well.
    fn refresh(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.asked.is_none()) else { return };
        call.asked = Some(Asked::new(Purpose::Refresh, Vec::new(), None, terms(call, self.config.terms)));
        self.ask(turn, dialog);
    }

    /// When the session timer is looked at next.
    fn arm_session(&mut self, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        match call.timer {
            Some(timer) if timer.ours => self.arm_alarm(dialog, timer.refresh_at(), Matter::Session),
            Some(timer) => self.arm_alarm(dialog, timer.ends_at(), Matter::Session),
            None => {
                if let Some(alarm) = call.alarm.take() {
                    self.timers.cancel(alarm);
                }
            }
        }
    }

    pub(super) fn arm_alarm(&mut self, dialog: DialogKey, at: Moment, matter: Matter) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let alarm = self.timers.arm(at, token(dialog, matter));
        if let Some(before) = call.alarm.replace(alarm) {
            self.timers.cancel(before);
        }
    }
}

/// The interval as it is, and nobody's minimum forgotten (RFC 4028 7.4).
pub(super) fn terms(call: &Call, terms: Terms) -> Terms {
    call.timer.map_or(terms, |timer| Terms {
        interval_s: timer.interval_s.max(timer.min_se_s),
        min_se_s: timer.min_se_s.max(terms.min_se_s),
    })
}
