//! SIP of sessions: what the dialogs that this shard owns have heard, and what came of them.

use crate::engine::Now;
use crate::engine::keyed_hash::KeyedHash;
use crate::engine::sip::calls::{By, Calls, Config, DialogKey, Event as CallEvent, Heard};
use crate::engine::sip::dialog::Dialog;
use crate::engine::sip::{Outbound, SentBy};
use crate::engine::transport::Source;
use crate::iwf::Iwf;
use crate::wire::sip::Message;

use super::Shard;
use super::event::{self, CallId, Event};
use super::settings::Settings;
use super::uas::ALLOW_OF_SESSIONS;

/// What an engine is lent for one call.
macro_rules! turn {
    ($shard:ident, $now:expr) => {
        &mut $crate::engine::sip::calls::Turn {
            now: $now.moment,
            random: &mut $shard.random,
            hop: $shard.hop.as_mut(),
            trusts: &|peer| $shard.settings.sip.trusts(peer),
        }
    };
}
pub(super) use turn;

/// The dialogs of a shard.
pub(super) fn new(hash: KeyedHash, sent_by: SentBy, settings: &Settings, iwf: &Iwf) -> Calls {
    let sip = &settings.sip;
    let mut config = Config::new(sent_by, &sip.contact(""));
    config.datagram_request_bytes_max = sip.datagram_request_bytes_max;
    config.reach = sip.reach();
    config.allow = ALLOW_OF_SESSIONS.to_vec();
    config.product = [iwf.server.as_bytes().to_vec(), iwf.user_agent.as_bytes().to_vec()];
    config.terms.interval_s = settings.policy.sessions.session_interval_s;
    let mut calls = Calls::new(hash, config);
    if let Some(route) = sip.route() {
        calls.set_route(route);
    }
    calls
}

impl Shard {
    /// INVITE and everything within a dialog, from a trusted peer.
    pub(super) fn handle_call(&mut self, now: Now, source: &Source, message: &Message<'_>) {
        match self.calls.handle_request(turn!(self, now), message, source) {
            Heard::Invited { dialog } => self.invited(now, dialog, message),
            Heard::Offered { dialog, offer } => self.offered_anew(now, dialog, offer, message),
            Heard::Ended { dialog, by } => self.call_ended(now, dialog, by),
            Heard::Answered { code } => self.sip_codes.sent.add(u32::from(code)),
            _ => {}
        }
    }

    /// A response that nobody else awaits.
    pub(super) fn handle_call_response(&mut self, now: Now, message: &Message<'_>) -> bool {
        let Some(heard) = self.calls.handle_response(turn!(self, now), message) else { return false };
        match heard {
            Heard::Accepted { dialog } => self.invitation_accepted(now, dialog, message),
            Heard::Rejected { dialog, code } => self.invitation_rejected(now, dialog, code),
            _ => {}
        }
        true
    }

    /// What the dialogs have to send and to tell; whether there was anything to tell.
    pub(super) fn settle_calls(&mut self, now: Now) -> bool {
        self.send_calls(now);
        self.take_call_events(now)
    }

    /// What the dialogs found by themselves.
    fn take_call_events(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some(event) = self.calls.poll_event() {
            any = true;
            self.call_event(now, event);
        }
        any
    }

    fn call_event(&mut self, now: Now, event: CallEvent) {
        match event {
            CallEvent::Failed { dialog } => self.invitation_rejected(now, dialog, 0),
            CallEvent::NoAck { dialog } => self.call_lost(now, dialog, "the ACK never came"),
            CallEvent::Unanswered { dialog } => self.call_lost(now, dialog, "the INVITE was not answered in time"),
            CallEvent::Expired { dialog } => self.call_lost(now, dialog, "the session timer ran out"),
            CallEvent::Lost { dialog } => self.call_lost(now, dialog, "the peer does not answer or know the session"),
            CallEvent::Gone { dialog } => self.call_gone(now, dialog),
        }
    }

    fn call_lost(&mut self, now: Now, dialog: DialogKey, why: &'static str) {
        if self.session_of(dialog).is_some() {
            let call_id = self.call_id_of(dialog);
            self.event(Event::SessionLost { call_id, why });
        }
        self.call_gone(now, dialog);
    }

    /// The Call-ID of a dialog as events bear it; empty once nothing is left of it.
    pub(super) fn call_id_of(&self, dialog: DialogKey) -> CallId {
        event::call_id(self.calls.dialog(dialog).map(Dialog::call_id).unwrap_or_default())
    }

    /// Responses and requests of dialogs leave.
    fn send_calls(&mut self, now: Now) {
        while let Some((route, bytes)) = self.calls.poll_response() {
            self.send_response(now, route, bytes);
        }
        while let Some(Outbound { request, target, bytes }) = self.calls.poll_request() {
            if !self.send_to(now, target, bytes) {
                self.calls.handle_unsent(turn!(self, now), request);
            }
        }
    }

    fn call_ended(&mut self, now: Now, dialog: DialogKey, by: By) {
        let Some(key) = self.session_of(dialog) else { return };
        match by {
            By::Bye => self.peer_left(now, key),
            By::Cancel => self.end_session(now, key),
        }
    }

    fn call_gone(&mut self, now: Now, dialog: DialogKey) {
        if let Some(key) = self.session_of(dialog) {
            self.dialog_gone(now, key);
        }
    }

    /// The session of a dialog; none once it is over, or has outlived its INVITE.
    fn session_of(&self, dialog: DialogKey) -> Option<u64> {
        let outlives = |key: &u64| self.sessions.get(key).is_none_or(|session| session.is_late());
        self.calls.user(dialog).filter(|key| !outlives(key))
    }
}
