//! How sessions end (RFC 3261 15), and what the transactions tell without a message.

use crate::wire::sip::{Name, Writer};

use super::call::{Matter, State, token};
use super::headers::TERMINATED;
use super::{Calls, DialogKey, Event, Turn, targets_of};
use crate::engine::sip::client_invite::InviteEvent;
use crate::engine::sip::server_invite::ServerEvent;
use crate::engine::sip::server_matching::TransactionId;

impl Calls {
    /// BYE; `reason` is the value of Reason (RFC 3326), or empty. After our 2xx it waits for the ACK (RFC 3261 15).
    /// [`Event::Gone`] follows.
    pub fn bye(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, reason: &[u8]) -> bool {
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        match call.state {
            State::Accepted => {
                let first = call.farewell.is_none();
                call.farewell.get_or_insert_with(|| reason.into());
                first
            }
            State::Confirmed => {
                self.leave(turn, dialog, reason);
                self.settle(turn);
                true
            }
            _ => false,
        }
    }

    /// Ends a session whatever its state: CANCEL, 480 or BYE with this Reason. [`Event::Gone`] follows.
    pub fn end(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, reason: &[u8]) -> bool {
        match self.calls.get(dialog).map(|call| call.state) {
            Some(State::Invited) => self.refuse(turn, dialog, 480, "Temporarily Unavailable", |headers| {
                headers.header_if(Name::Reason, reason);
            }),
            Some(State::Calling) => self.cancel(turn, dialog, reason),
            _ => self.bye(turn, dialog, reason),
        }
    }

    /// Sends BYE, whatever the state.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, reason: &[u8]) {
        self.terminate_pending(turn, dialog);
        self.over(dialog);
        let Some(call) = self.calls.get_mut(dialog) else { return };
        call.leaving = true;
        let cseq = call.dialog.next_cseq();
        let targets = targets_of(&call.dialog, self.config.reach, turn);
        let (of, product) = (&call.dialog, &self.config.product[1]);
        self.asking.send_within_dialog(turn.now, token(dialog, Matter::Bye), &targets, turn.random, |out| {
            let mut writer = of.write_request(b"BYE", cseq, out);
            write_reason(reason, product, &mut writer);
            writer.end();
        });
    }

    /// Requests of the peer that wait for an answer are answered 487 (RFC 3261 15.1.2).
    pub(super) fn terminate_pending(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let pending = call.served.take_if(|served| !served.answered);
        let update = call.update.take();
        let config = &self.config;
        if let Some(served) = pending {
            self.invited.respond(turn.now, served.id, TERMINATED.code, TERMINATED.reason, None, |headers| {
                TERMINATED.write(config, headers);
            });
        }
        if let Some(update) = update {
            self.refuse_within(turn, update, TERMINATED);
        }
    }

    /// Nothing more is asked of the peer, and no timer runs.
    pub(super) fn over(&mut self, dialog: DialogKey) {
        self.stop_ringing(dialog);
        self.forget_asked(dialog);
        let Some(call) = self.calls.get_mut(dialog) else { return };
        call.state = State::Over;
        (call.timer, call.farewell) = (None, None);
        if let Some(alarm) = call.alarm.take() {
            self.timers.cancel(alarm);
        }
    }

    pub(super) fn stop_ringing(&mut self, dialog: DialogKey) {
        let ringing = self.calls.get_mut(dialog).and_then(|call| call.ringing.take());
        if let Some((_, _, timer)) = ringing.and_then(|ringing| ringing.unacknowledged) {
            self.timers.cancel(timer);
        }
    }

    pub(super) fn forget_asked(&mut self, dialog: DialogKey) {
        let asked = self.calls.get_mut(dialog).and_then(|call| call.asked.take());
        if let Some(wait) = asked.and_then(|asked| asked.wait) {
            self.timers.cancel(wait);
        }
    }

    /// Gives a session up once nothing can come of it. Its user can be asked for until it is told.
    pub(super) fn release(&mut self, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.is_done() && !call.gone) else { return };
        call.gone = true;
        if let Some(place) = call.place.filter(|place| self.by_dialog.get(place) == Some(&dialog)) {
            self.by_dialog.remove(&place);
        }
        self.events.push_back(Event::Gone { dialog });
    }

    /// Takes in what the transactions tell, until they tell nothing more.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        loop {
            if let Some(event) = self.invited.poll_event() {
                self.server_told(turn, event);
            } else if let Some(InviteEvent::Failed { token }) = self.inviting.poll_event() {
                self.invite_failed(turn, token);
            } else if let Some(event) = self.asking.poll_event() {
                self.request_ended(turn, event, None);
            } else {
                return;
            }
        }
    }

    fn server_told(&mut self, turn: &mut Turn<'_>, event: ServerEvent) {
        match event {
            ServerEvent::NoAck { transaction, user, code: 200..300 } => self.unacknowledged(turn, user, transaction),
            ServerEvent::NoAck { .. } => {}
            ServerEvent::Unanswered { transaction, user } => self.unanswered(user, transaction),
        }
    }

    /// RFC 3261 13.3.1.4.
    fn unacknowledged(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, id: TransactionId) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        if call.served.take_if(|served| served.id == id).is_none() {
            return;
        }
        if call.state == State::Over {
            return self.release(dialog);
        }
        let farewell = call.farewell.take();
        if farewell.is_none() {
            self.events.push_back(Event::NoAck { dialog });
        }
        self.leave(turn, dialog, &farewell.unwrap_or_default());
    }

    fn unanswered(&mut self, dialog: DialogKey, id: TransactionId) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        if call.served.take_if(|served| served.id == id).is_none() || call.state != State::Invited {
            return;
        }
        self.events.push_back(Event::Unanswered { dialog });
        self.over(dialog);
        self.release(dialog);
    }

    fn invite_failed(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        call.invite = None;
        match call.state {
            State::Calling => self.events.push_back(Event::Failed { dialog }),
            State::Cancelled | State::Over => {}
            _ => return self.unmodified(turn, dialog, 408, None),
        }
        self.over(dialog);
        self.release(dialog);
    }

    pub(super) fn bye_ended(&mut self, dialog: DialogKey) {
        if let Some(call) = self.calls.get_mut(dialog) {
            call.leaving = false;
        }
        self.release(dialog);
    }

    /// The session ends because of what `event` says.
    pub(super) fn lose(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, event: Event) {
        self.events.push_back(event);
        self.leave(turn, dialog, b"");
    }
}

pub(super) fn write_reason(reason: &[u8], product: &[u8], headers: &mut Writer<'_>) {
    headers.header_if(Name::Reason, reason);
    headers.header_if(Name::UserAgent, product);
}
