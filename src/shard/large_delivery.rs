//! Short messages too large for a SIP MESSAGE go to the CPM user as large messages: INVITE, one message by MSRP, BYE
//! (IWF 6.2.2.2.3, Conv-Func 7.2.1.2).

use std::sync::Arc;

use crate::engine::Now;
use crate::engine::msrp::Outcome;
use crate::engine::sip::calls::{DialogKey, Invite};
use crate::engine::sip::dialog::FirstRequest;
use crate::engine::transport::{QueryId, RecordKind, Transmit};
use crate::interwork::sms::deliver_sm_to_chat;
use crate::iwf::message::Minted;
use crate::iwf::{date_time, invitation, large_message, session_leaving};
use crate::limits;
use crate::policy;
use crate::wire::sdp::Session as Description;
use crate::wire::sdp::msrp::{Host, Target, offer, read_answer};
use crate::wire::sip::{Message, Writer};
use crate::wire::smpp::CommandStatus;

use super::Shard;
use super::calls::turn;
use super::deliver::Delivery;
use super::event::Event;
use super::negotiation::{Negotiated, Terms, description};
use super::session_messages::ended;
use super::sessions::Kind;
use super::uac::{Ended, Purpose};

/// Questions to the DNS that are for media have this bit.
pub(super) const QUERY_BIT: u64 = 1 << 63;

/// An INVITE of ours that has no final response.
#[derive(Debug)]
pub(super) struct Inviting {
    /// The request that it is.
    pub(super) token: u64,
    /// Our MSRP URI.
    pub(super) uri: Box<[u8]>,
    /// The message, type message/cpim.
    pub(super) body: Vec<u8>,
}

impl Shard {
    /// Whether large messages can be sent to the CPM side.
    pub(super) fn can_invite(&self) -> bool {
        self.has_sessions() && self.sessions.len() + self.inviting.len() < limits::SESSIONS_MAX
    }

    /// Step 4: "SHALL send the SIP INVITE request towards the CPM Client". The text is in the scratch buffer.
    pub(super) fn send_large_message(&mut self, now: Now, delivery: Delivery, minted: &Minted<'_>) {
        let (key, uri) = self.mint_media();
        let date = date_time::of_sip(now.unix_ms);
        let iwf = Arc::clone(&self.iwf);
        let invite = large_message::invite(&delivery.head(), &date, &iwf, Vec::new());
        let mut body = Vec::new();
        large_message::write_message(&invite, &self.scratch.text, now, minted, &mut body);
        let mut sdp = Vec::new();
        offer(&self.local(&uri, Terms::DELIVERY, key, 0), &mut sdp);
        let token = self.requests.insert(Purpose::LargeMessage(delivery));
        let contact = self.settings.sip.contact(large_message::CONTACT_PARAMETER);
        let parties = &invite.parties;
        let (from, to) = (parties.get(parties.from), parties.get(parties.to));
        let angle = |uri: &[u8]| [b"<", uri, b">"].concat();
        let first = FirstRequest {
            request_uri: to,
            from: &angle(from),
            to: &angle(to),
            call_id: minted.call_id,
            contact: &contact,
        };
        let request = Invite { first, offer: description(&sdp), user: key };
        self.send_invitation(now, &request, Inviting { token, uri, body }, |headers| {
            large_message::write_invite(&invite, minted, headers);
        });
    }

    /// Sends an INVITE for one message; if it cannot be sent, that is its end.
    pub(super) fn send_invitation(
        &mut self,
        now: Now,
        request: &Invite<'_>,
        inviting: Inviting,
        headers: impl FnOnce(&mut Writer<'_>),
    ) {
        let key = request.user;
        let sent = self.calls.invite(turn!(self, now), request, headers);
        self.inviting.insert(key, inviting);
        if sent.is_none() {
            self.invitation_over(now, key, Ended::Failed);
        }
    }

    /// 2xx to our INVITE: the message goes out as soon as there is a connection.
    pub(super) fn invitation_accepted(&mut self, now: Now, dialog: DialogKey, message: &Message<'_>) {
        let key = self.calls.user(dialog).unwrap_or_default();
        let Some(Inviting { token, uri, body }) = self.inviting.remove(&key) else { return };
        self.sip_codes.received.add(u32::from(message.code()));
        let local = self.local(&uri, Terms::DELIVERY, key, 0);
        let agreed = Description::parse(invitation::description(message))
            .ok()
            .and_then(|answer| read_answer(&answer, &local).ok());
        // Who takes no message as large as this has not agreed, either (RFC 4975 8.6).
        let Some(agreed) = agreed.filter(|agreed| agreed.takes_octets(body.len() as u64)) else {
            self.calls.bye(turn!(self, now), dialog, b"SIP;cause=488;text=\"Not Acceptable Here\"");
            return self.large_delivery_ended(now, token, Ended::Answered(488), CommandStatus::ESME_RX_P_APPN);
        };
        let negotiated = Negotiated { key, uri, agreed, answer: Vec::new() };
        self.open_session(dialog, negotiated, None, Kind::Delivery(token));
        let outgoing = self.outgoing(body, false, policy::FailureReport::Yes);
        if let Some(session) = self.sessions.get_mut(&key) {
            // It is the first and only message: there is room.
            let _taken = session.media.send(token, outgoing);
        }
        self.await_connection(now, key);
    }

    /// Our INVITE was refused, or nobody answered it.
    pub(super) fn invitation_rejected(&mut self, now: Now, dialog: DialogKey, code: u16) {
        let key = self.calls.user(dialog).unwrap_or_default();
        let ended = if code == 0 { Ended::Failed } else { Ended::Answered(code) };
        if self.inviting.contains_key(&key) {
            let (call_id, why) = (self.call_id_of(dialog), "the CPM client did not accept the INVITE");
            self.event(Event::SessionMessageRefused { call_id, protocol: "sip", code, why });
        }
        self.invitation_over(now, key, ended);
    }

    pub(super) fn invitation_over(&mut self, now: Now, key: u64, ended: Ended) {
        let Some(inviting) = self.inviting.remove(&key) else { return };
        if let Ended::Answered(code) = ended {
            self.sip_codes.received.add(u32::from(code));
        }
        let status = self.command_status_of(ended);
        self.large_delivery_ended(now, inviting.token, ended, status);
    }

    /// "Upon receiving the final MSRP response", and then "SHALL finish the MSRP session by sending a SIP BYE".
    pub(super) fn large_message_sent(&mut self, now: Now, key: u64, delivery: Delivery, outcome: Outcome) {
        let status = match outcome {
            Outcome::Delivered | Outcome::Written => CommandStatus::ESME_ROK,
            Outcome::Refused(code) => deliver_sm_to_chat::command_status(code, &self.iwf.policy),
            Outcome::TimedOut | Outcome::Aborted | Outcome::Unsent | Outcome::Unknown => CommandStatus::ESME_RX_T_APPN,
        };
        self.note_large_message_sent(key, outcome);
        self.large_delivery_over(now, delivery, status);
        self.leave(now, key, session_leaving::CALL_COMPLETED);
    }

    /// The same for an MM (6.3.1.2.2 step 6).
    pub(super) fn large_mm_sent(&mut self, now: Now, key: u64, whose: (u64, usize), outcome: Outcome) {
        self.note_large_message_sent(key, outcome);
        self.mm_answered(now, whose, ended(outcome));
        self.leave(now, key, session_leaving::CALL_COMPLETED);
    }

    fn note_large_message_sent(&mut self, key: u64, outcome: Outcome) {
        if matches!(outcome, Outcome::Delivered | Outcome::Written) {
            return;
        }
        let Some(session) = self.sessions.get(&key) else { return };
        let call_id = self.call_id_of(session.dialog);
        let code = if let Outcome::Refused(code) = outcome { code } else { 0 };
        let why = "the CPM client did not take the message";
        self.event(Event::SessionMessageRefused { call_id, protocol: "msrp", code, why });
    }

    /// A large message that was not sent has its end; `status` is what that means for a short message.
    pub(super) fn large_delivery_ended(&mut self, now: Now, token: u64, ended: Ended, status: CommandStatus) {
        match self.requests.remove(token) {
            Some(Purpose::LargeMessage(delivery)) => self.large_delivery_over(now, delivery, status),
            Some(Purpose::Mm { delivery, recipient, .. }) => self.mm_answered(now, (delivery, recipient), ended),
            _ => {}
        }
    }

    fn large_delivery_over(&mut self, now: Now, delivery: Delivery, status: CommandStatus) {
        let taken = status == CommandStatus::ESME_ROK;
        self.stats.large_deliveries_accepted += u64::from(taken);
        self.stats.large_deliveries_refused += u64::from(!taken);
        self.finish(now, delivery, status);
    }

    /// Opens the connection of a session, after its host's address was found if it has only a name.
    pub(super) fn connect_media(&mut self, now: Now, key: u64, target: Target) {
        match target.host {
            Host::Ip(address) => self.dial(now, key, (address, target.port).into()),
            Host::Name(name) => {
                self.queries += 1;
                let query = QUERY_BIT | self.queries;
                self.resolving.insert(query, (key, target.port));
                let kind = RecordKind::Address;
                self.outbox.transmits.push_back(Transmit::Resolve { query: QueryId(query), name, kind });
            }
        }
    }
}
