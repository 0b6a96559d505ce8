//! Requests of the peer within a session (RFC 3261 12.2.2, 14.2, 15.1.2; RFC 3311 5.2).

use crate::engine::transport::Source;
use crate::wire::sip::{Message, Name, check};

use super::call::{Call, Served, State};
use super::headers::{NO_DIALOG, Owes, PENDING, Refusal, server, write_capabilities, write_success};
use super::{By, Calls, DialogKey, Heard, Offer, Turn};
use crate::engine::sip::server_matching::TransactionId;

const OUT_OF_ORDER: Refusal = Refusal::new(500, "Out Of Order");
const BUSY: Refusal = Refusal::new(500, "Previous Request Pending");
const NOT_ALLOWED: Refusal = Refusal::new(405, "Method Not Allowed").owing(Owes::Methods);
const NOT_IMPLEMENTED: Refusal = Refusal::new(501, "Not Implemented").owing(Owes::Methods);

impl Calls {
    /// A re-INVITE.
    pub(super) fn invited_again(
        &mut self,
        turn: &mut Turn<'_>,
        id: TransactionId,
        message: &Message<'_>,
    ) -> Result<Heard, Refusal> {
        let dialog = self.judged(message)?;
        self.may_be_offered(turn, dialog)?;
        let offer = self.offered(dialog, message)?;
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        self.invited.set_user(id, dialog);
        if let Some(call) = self.calls.get_mut(dialog) {
            call.served = Some(Served { id, cseq, answered: false });
        }
        Ok(Heard::Offered { dialog, offer })
    }

    /// The session of a request that is in order.
    fn judged(&mut self, message: &Message<'_>) -> Result<DialogKey, Refusal> {
        let dialog = self.find(message).ok_or(NO_DIALOG)?;
        let call = self.calls.get_mut(dialog).ok_or(NO_DIALOG)?;
        if call.state == State::Over && message.method() != b"BYE" {
            return Err(NO_DIALOG);
        }
        let in_order = message.cseq().is_ok_and(|cseq| call.dialog.is_in_order(cseq.number));
        if in_order { Ok(dialog) } else { Err(OUT_OF_ORDER) }
    }

    /// RFC 3261 14.2, RFC 3311 5.2: one offer at a time. After our 2xx the peer has an INVITE open until its ACK is here.
    fn may_be_offered(&self, turn: &mut Turn<'_>, dialog: DialogKey) -> Result<(), Refusal> {
        let call = self.calls.get(dialog).ok_or(NO_DIALOG)?;
        match call.served {
            _ if call.invite.is_some() => Err(PENDING),
            Some(served) if served.answered => Err(PENDING),
            _ if call.is_asked() => Err(BUSY.owing(Owes::RetryAfter(turn.random.below(11)))),
            _ => Ok(()),
        }
    }

    /// What a request that refreshes target and timer says.
    fn offered(&mut self, dialog: DialogKey, message: &Message<'_>) -> Result<Offer, Refusal> {
        let ours = self.calls.get(dialog).and_then(|call| call.timer).is_some_and(|timer| timer.ours);
        let agreed = self.agree(message, ours)?;
        let call = self.calls.get_mut(dialog).ok_or(NO_DIALOG)?;
        call.agreed = Some(agreed);
        call.dialog.refresh_target(message);
        call.note_allowed(message);
        Ok(call.note_offer(message))
    }

    /// Any request but INVITE, ACK and CANCEL.
    pub(super) fn handle_within(&mut self, turn: &mut Turn<'_>, message: &Message<'_>, source: &Source) -> Heard {
        let arrived = self.served.handle_request(turn.now, message, source, turn.random);
        let id = match self.admitted(message, source, arrived) {
            Ok(id) => id,
            Err(heard) => return heard,
        };
        self.requested(turn, id, message).unwrap_or_else(|refusal| {
            self.refuse_within(turn, id, refusal);
            Heard::Answered { code: refusal.code }
        })
    }

    fn requested(&mut self, turn: &mut Turn<'_>, id: TransactionId, message: &Message<'_>) -> Result<Heard, Refusal> {
        let dialog = self.judged(message)?;
        match message.method() {
            b"BYE" => Ok(self.left(turn, id, dialog)),
            b"OPTIONS" => Ok(self.capabilities(turn, id)),
            b"PRACK" => self.provisional_acknowledged(turn, id, dialog, message),
            b"UPDATE" => self.updated(turn, id, dialog, message),
            method if check::is_defined(method) => Err(NOT_ALLOWED),
            _ => Err(NOT_IMPLEMENTED),
        }
    }

    /// RFC 3261 15.1.2. One that crosses ours is answered alike.
    fn left(&mut self, turn: &mut Turn<'_>, id: TransactionId, dialog: DialogKey) -> Heard {
        self.agree_to_leave(turn, id, dialog);
        if self.calls.get(dialog).is_none_or(|call| call.state == State::Over) {
            return Heard::Answered { code: 200 };
        }
        self.terminate_pending(turn, dialog);
        self.over(dialog);
        self.release(dialog);
        Heard::Ended { dialog, by: By::Bye }
    }

    fn capabilities(&mut self, turn: &mut Turn<'_>, id: TransactionId) -> Heard {
        let config = &self.config;
        self.served.respond(turn.now, id, 200, "OK", |headers| {
            headers.header(Name::Accept, super::headers::SDP);
            write_capabilities(config, headers);
        });
        Heard::Answered { code: 200 }
    }

    /// RFC 3311 5.2. Without an offer it asks nothing of anybody.
    fn updated(
        &mut self,
        turn: &mut Turn<'_>,
        id: TransactionId,
        dialog: DialogKey,
        message: &Message<'_>,
    ) -> Result<Heard, Refusal> {
        if !message.body().is_empty() {
            self.may_be_offered(turn, dialog)?;
        }
        let offer = self.offered(dialog, message)?;
        let Some(call) = self.calls.get_mut(dialog) else { return Err(NO_DIALOG) };
        if offer != Offer::Absent {
            call.update = Some(id);
            return Ok(Heard::Offered { dialog, offer });
        }
        let (config, call) = (&self.config, &*call);
        self.served.respond(turn.now, id, 200, "OK", |headers| write_success(config, call, headers));
        self.agreed(turn, dialog);
        Ok(Heard::Answered { code: 200 })
    }

    pub(super) fn refuse_within(&mut self, turn: &mut Turn<'_>, id: TransactionId, refusal: Refusal) {
        let config = &self.config;
        self.served.respond(turn.now, id, refusal.code, refusal.reason, |headers| refusal.write(config, headers));
    }

    /// 200 to BYE, with what the user had to add.
    fn agree_to_leave(&mut self, turn: &mut Turn<'_>, id: TransactionId, dialog: DialogKey) {
        let (config, call) = (&self.config, self.calls.get(dialog));
        let thanks = call.and_then(|call| call.thanks.as_deref()).unwrap_or_default();
        self.served.respond(turn.now, id, 200, "OK", |headers| {
            headers.header_if(Name::Server, server(config));
            headers.lines(thanks);
        });
    }

    /// 200 and nothing more.
    pub(super) fn agree_to(&mut self, turn: &mut Turn<'_>, id: TransactionId) {
        let config = &self.config;
        self.served.respond(turn.now, id, 200, "OK", |headers| headers.header_if(Name::Server, server(config)));
    }
}

impl Call {
    /// Whether it has what `answer` and `decline` are about.
    pub(super) fn open_offer(&self) -> Option<OpenOffer> {
        match (self.update, self.served) {
            (Some(id), _) => Some(OpenOffer::Update(id)),
            (None, Some(served)) if !served.answered && self.state != State::Invited => {
                Some(OpenOffer::Invite(served.id))
            }
            _ => None,
        }
    }
}

/// By what the peer modifies the session.
#[derive(Clone, Copy, Debug)]
pub(super) enum OpenOffer {
    Invite(TransactionId),
    Update(TransactionId),
}
