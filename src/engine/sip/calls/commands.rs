//! What the user orders of sessions that the peer began, and of offers that the peer made.

use crate::wire::sip::{Name, Writer};

use super::call::{Call, State};
use super::headers::{SDP, server, write_success};
use super::within::OpenOffer;
use super::{Calls, DialogKey, Turn};
use crate::engine::sip::response::Body;

impl Calls {
    /// Value of our Contact in this dialog, feature tags included; before anything is answered.
    pub fn set_contact(&mut self, dialog: DialogKey, contact: &[u8]) {
        if let Some(call) = self.calls.get_mut(dialog) {
            call.dialog.set_contact(contact);
        }
    }

    /// Header lines, each ended by CRLF, that the 200 to the peer's BYE will have beside its own.
    pub fn set_bye_headers(&mut self, dialog: DialogKey, lines: &[u8]) {
        if let Some(call) = self.calls.get_mut(dialog) {
            call.thanks = Some(lines.into());
        }
    }

    /// 200 to the INVITE with a session description: the answer, or the offer if the INVITE had none. Contact, Allow,
    /// Supported, Session-Expires and Server are written here, other headers by `headers`.
    pub fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        description: Body<'_>,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.state == State::Invited) else { return false };
        let Some(served) = &mut call.served else { return false };
        served.answered = true;
        let (id, config) = (served.id, &self.config);
        let sent = self.invited.respond(turn.now, id, 200, "OK", Some(description), |writer| {
            write_success(config, call, writer);
            headers(writer);
        });
        debug_assert!(sent, "an INVITE without final response can have one");
        call.state = State::Accepted;
        describe(call, description);
        self.stop_ringing(dialog);
        self.agreed(turn, dialog);
        true
    }

    /// 300 to 699 to the INVITE. [`super::Event::Gone`] follows.
    pub fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(call) = self.calls.get_mut(dialog).filter(|call| call.state == State::Invited) else { return false };
        let Some(served) = call.served.take() else { return false };
        let config = &self.config;
        self.invited.respond(turn.now, served.id, code, reason, None, |writer| {
            writer.header_if(Name::Server, server(config));
            headers(writer);
        });
        self.over(dialog);
        self.release(dialog);
        true
    }

    /// 200 to the re-INVITE or UPDATE that was `Offered`. Without a description the last one that we sent is repeated,
    /// which answers an offer that is `Unchanged` if it was an answer before.
    pub fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        description: Option<Body<'_>>,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        let Some(open) = call.open_offer() else { return false };
        let (config, of) = (&self.config, &*call);
        let last = of.dialog.description();
        let body = description.or((!last.is_empty()).then_some(Body { content_type: SDP, octets: last }));
        let write = |writer: &mut Writer<'_>| {
            write_success(config, of, writer);
            headers(writer);
        };
        match open {
            OpenOffer::Invite(id) => self.invited.respond(turn.now, id, 200, "OK", body, write),
            OpenOffer::Update(id) => self.served.respond_with(turn.now, id, 200, "OK", body, write),
        };
        self.offer_answered(turn, dialog, open, description);
        true
    }

    fn offer_answered(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        open: OpenOffer,
        description: Option<Body<'_>>,
    ) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        match (open, &mut call.served) {
            (OpenOffer::Invite(_), Some(served)) => served.answered = true,
            _ => call.update = None,
        }
        if call.offered != 0 {
            call.described = call.offered;
        }
        if let Some(description) = description {
            describe(call, description);
        }
        self.agreed(turn, dialog);
    }

    /// 300 to 699 to the re-INVITE or UPDATE that was `Offered`: the session goes on as it was (RFC 3261 14.2).
    pub fn decline(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        let Some(open) = call.open_offer() else { return false };
        let config = &self.config;
        let write = |writer: &mut Writer<'_>| {
            writer.header_if(Name::Server, server(config));
            headers(writer);
        };
        match open {
            OpenOffer::Invite(id) => {
                call.served = None;
                self.invited.respond(turn.now, id, code, reason, None, write)
            }
            OpenOffer::Update(id) => {
                call.update = None;
                self.served.respond(turn.now, id, code, reason, write)
            }
        }
    }
}

/// Keeps what we sent, if a refresh could repeat it.
pub(super) fn describe(call: &mut Call, description: Body<'_>) {
    if description.content_type.eq_ignore_ascii_case(SDP) {
        call.dialog.describe(description.octets);
    }
}
