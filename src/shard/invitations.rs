//! INVITEs of the CPM side: large messages for SMS users and chats with them (IWF 6.1.2, 6.1.4).

use std::sync::Arc;

use crate::engine::Now;
use crate::engine::sip::calls::DialogKey;
use crate::iwf::invitation::{self, Invitation, Networks, Procedure};
use crate::iwf::large_message;
use crate::iwf::session_invitation::{self, Decision};
use crate::iwf::session_media::Between;
use crate::limits;
use crate::policy::SessionSender;
use crate::wire::sip::{Message, Name, Writer};

use super::Shard;
use super::calls::turn;
use super::chat::{Chat, State};
use super::event::{self, Event};
use super::negotiation::Terms;
use super::sessions::Kind;
use super::submit::ALARM_BIND;
use super::uas::Refusal;

/// A refusal of an INVITE, with what its Warning says if it has one (RFC 3261 20.43).
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    refusal: Refusal,
    warning: Option<(u16, &'static str)>,
}

impl Refused {
    /// 488 with a Warning.
    pub(super) fn warned((code, text): (u16, &'static str)) -> Refused {
        Refused { refusal: Refusal::because(488, text), warning: Some((code, text)) }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused { refusal, warning: None }
    }
}

impl Shard {
    /// A new INVITE of a trusted peer.
    pub(super) fn invited(&mut self, now: Now, dialog: DialogKey, message: &Message<'_>) {
        let mms = !self.settings.mmscs.is_empty();
        let networks = Networks { sms: !self.settings.smscs.is_empty() || !mms, mms };
        let procedure = invitation::procedure(message, networks, &self.iwf.policy);
        let admitted = match procedure {
            Ok(procedure) => self.admit(now, dialog, procedure, message),
            Err(why) => Err(Refusal::because(488, why).into()),
        };
        if let Err(refused) = admitted {
            match procedure {
                Ok(Procedure::LargeMessage) => self.stats.large_messages_refused += 1,
                _ => self.stats.chats_refused += 1,
            }
            let Refusal { code, why, .. } = refused.refusal;
            let call_id = event::call_id(message.call_id().unwrap_or_default());
            self.event(Event::Refused { call_id, code, why });
            self.refuse_invite(now, dialog, refused);
        }
    }

    fn admit(
        &mut self,
        now: Now,
        dialog: DialogKey,
        procedure: Procedure,
        message: &Message<'_>,
    ) -> Result<(), Refused> {
        if self.draining || self.sessions.len() >= limits::SESSIONS_MAX {
            return Err(Refusal::because(503, "draining, or too many sessions are open").into());
        }
        if self.records.is_failing() {
            return Err(Refusal::because(503, "what reports need cannot be stored").into());
        }
        let policy = &self.iwf.policy;
        let refuse = |why| Refused::from(Refusal::not_acceptable(why, policy));
        let invitation = Invitation::store(message, policy).map_err(refuse)?;
        let sender = invitation.cpm_user(policy).map_err(refuse);
        if procedure == Procedure::LargeMessage && sender.is_err() && !self.settings.mmscs.is_empty() {
            // MMS takes senders that SMS does not, and where the message goes is not known yet.
            invitation.sms_user(policy).map_err(refuse)?;
            return self.admit_large_message(now, dialog, message, invitation);
        }
        let between = Between { sender: sender?, sms_user: invitation.sms_user(policy).map_err(refuse)? };
        match procedure {
            Procedure::LargeMessage => self.admit_large_message(now, dialog, message, invitation),
            Procedure::Session => self.admit_chat(now, dialog, message, invitation, between),
        }
    }

    /// 6.1.2 steps 1 to 6.
    fn admit_large_message(
        &mut self,
        now: Now,
        dialog: DialogKey,
        message: &Message<'_>,
        invitation: Invitation,
    ) -> Result<(), Refused> {
        let negotiated = self.negotiate(message, self.large_message_terms())?;
        self.stats.large_messages_accepted += 1;
        self.set_contact(dialog, large_message::CONTACT_PARAMETER);
        let answer = negotiated.answer.clone();
        let key = self.open_session(dialog, negotiated, Some(Arc::new(invitation)), Kind::LargeMessage);
        self.accept_invite(now, key, &answer);
        Ok(())
    }

    /// 6.1.4 steps 1 to 8.
    fn admit_chat(
        &mut self,
        now: Now,
        dialog: DialogKey,
        message: &Message<'_>,
        invitation: Invitation,
        mut between: Between,
    ) -> Result<(), Refused> {
        let negotiated = self.negotiate(message, Terms::CHAT)?;
        let decision = session_invitation::decide(&self.iwf.policy);
        if let Decision::Refuse(code, _) = decision {
            return Err(Refusal::because(code, "chats are refused by policy").into());
        }
        let assigned = match self.iwf.policy.sessions.sender {
            SessionSender::InterworkingNumber => self.numbers.assign(&between.sms_user),
            SessionSender::InvitingUser => None,
        };
        between.sender = assigned.unwrap_or(between.sender);
        let asked = decision == Decision::Ask;
        let chat =
            Chat { state: State::Asking, between, assigned, asked, begun: false, answer: negotiated.answer.clone() };
        self.set_contact(dialog, session_invitation::contact_parameter(&self.iwf.policy));
        let key = self.open_session(dialog, negotiated, Some(Arc::new(invitation)), Kind::Chat(Box::new(chat)));
        self.announce(key, true);
        if asked {
            self.ask(now, key)
        } else {
            self.accept_chat(now, key)
        }
        Ok(())
    }

    fn set_contact(&mut self, dialog: DialogKey, feature_tag: &str) {
        let contact = self.settings.sip.contact(feature_tag);
        self.calls.set_contact(dialog, &contact);
    }

    /// The SMS user is in: the 200 goes out, and messages may come.
    pub(super) fn accept_chat(&mut self, now: Now, key: u64) {
        let Some(Kind::Chat(chat)) = self.sessions.get_mut(&key).map(|session| &mut session.kind) else { return };
        chat.state = State::Open;
        let answer = core::mem::take(&mut chat.answer);
        self.stats.chats_accepted += 1;
        self.accept_invite(now, key, &answer);
    }

    /// The 200 with our description; then the peer connects, or we do.
    fn accept_invite(&mut self, now: Now, key: u64, answer: &[u8]) {
        let Some(session) = self.sessions.get(&key) else { return };
        let (dialog, invitation) = (session.dialog, session.invitation.clone());
        let sms_user = match &session.kind {
            Kind::Chat(chat) => Some(chat.between.sms_user),
            Kind::LargeMessage | Kind::Delivery(_) => None,
        };
        let iwf = &self.iwf;
        self.sip_codes.sent.add(200);
        self.calls.accept(turn!(self, now), dialog, super::negotiation::description(answer), |headers| {
            match (&invitation, &sms_user) {
                (Some(invitation), Some(sms_user)) => {
                    session_invitation::write_accepted(invitation, sms_user, iwf, headers)
                }
                (Some(invitation), None) => large_message::write_accepted(invitation, headers),
                (None, _) => {}
            }
        });
        self.await_connection(now, key);
    }

    /// We connect, or wait for the peer to do so, and not for ever.
    pub(super) fn await_connection(&mut self, now: Now, key: u64) {
        let bind = self.arm(now.moment + self.settings.msrp.bind, ALARM_BIND, key);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let earlier = session.bind.replace(bind);
        if let Some(earlier) = earlier {
            self.alarms.cancel(earlier);
        }
        if let Some(target) = session.agreed.connect.clone() {
            self.connect_media(now, key, target);
        }
    }

    /// 6.1.4 step 8d, Table 5: the SMS user does not want to.
    pub(super) fn decline_chat(&mut self, now: Now, key: u64, code: u16, why: &'static str) {
        self.refuse_chat(now, key, code, why);
        self.end_session(now, key);
    }

    /// Refuses the INVITE of a chat; what becomes of the chat is the caller's.
    pub(super) fn refuse_chat(&mut self, now: Now, key: u64, code: u16, why: &'static str) {
        let Some(session) = self.sessions.get(&key) else { return };
        let dialog = session.dialog;
        self.stats.chats_refused += 1;
        let call_id = self.call_id_of(dialog);
        self.event(Event::Refused { call_id, code, why });
        self.refuse_invite(now, dialog, Refusal::because(code, why).into());
    }

    /// Refuses an INVITE.
    pub(super) fn refuse_invite(&mut self, now: Now, dialog: DialogKey, refused: Refused) {
        let Refused { refusal, warning } = refused;
        self.sip_codes.sent.add(u32::from(refusal.code));
        let host = self.settings.sip.domain.as_bytes();
        self.calls.refuse(turn!(self, now), dialog, refusal.code, refusal.reason, |headers| {
            refusal.write_headers(headers);
            write_warning(warning, host, headers);
        });
    }
}

/// RFC 3261 20.43: warn-code, warn-agent, warn-text.
pub(super) fn write_warning(warning: Option<(u16, &str)>, agent: &[u8], headers: &mut Writer<'_>) {
    let Some((code, text)) = warning else { return };
    let agent = if agent.is_empty() { b"isthmus" } else { agent };
    let code = code.to_string();
    headers.header_parts(Name::Warning, &[code.as_bytes(), b" ", agent, b" \"", text.as_bytes(), b"\""]);
}
