//! The sessions that this shard owns: a dialog, its MSRP session, and what it is for (IWF 6.1.2, 6.1.4, 6.2.2.2.3). How
//! they begin is in `invitations` and `large_delivery`; here is what their media want, and how they end.

use core::time::Duration;
use std::sync::Arc;

use crate::engine::msrp::{self, CloseReason, Event as MediaEvent, Piece};
use crate::engine::sip::calls::DialogKey;
use crate::engine::transport::LinkRef;
use crate::engine::wheel::TimerId;
use crate::engine::{Moment, Now};
use crate::iwf::invitation::Invitation;
use crate::iwf::session_leaving;
use crate::wire::sdp::msrp::Agreed;

use super::Shard;
use super::calls::turn;
use super::chat::{Chat, State};
use super::event::Event;
use super::handoff::{Handoff, SessionRef};
use super::negotiation::Negotiated;
use super::submit::{ALARM_MEDIA, ALARM_OUTRUN};
use super::uac::Ended;
use crate::wire::smpp::CommandStatus;

/// Reason of our BYE when there is no connection for the media (RFC 3326).
const NO_MEDIA: &[u8] = b"SIP;cause=503;text=\"No MSRP connection\"";
/// Reason of our BYE when we stop.
const SHUTDOWN: &[u8] = b"SIP;cause=503;text=\"Shutdown\"";

/// How long a client's MSRP responses may come after its BYE.
const LAST_RESPONSES: Duration = Duration::from_secs(1);

/// What a session is for.
#[derive(Debug)]
pub(super) enum Kind {
    /// A Large Message Mode CPM Standalone Message for an SMS user (6.1.2).
    LargeMessage,
    /// A chat of a CPM user with an SMS user (6.1.4).
    Chat(Box<Chat>),
    /// A short message too large for a SIP MESSAGE, for a CPM user (6.2.2.2.3): token of the request that it is.
    Delivery(u64),
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) dialog: DialogKey,
    pub(super) kind: Kind,
    /// What the INVITE said; none for one of ours.
    pub(super) invitation: Option<Arc<Invitation>>,
    pub(super) media: msrp::Session,
    pub(super) agreed: Box<Agreed>,
    /// Of our session description.
    pub(super) version: u64,
    link: Option<LinkRef>,
    /// Rings when what the session waits for has not come: the SMS user's answer, then the connection, at the end the
    /// client's last responses.
    pub(super) bind: Option<TimerId>,
    alarm: Option<(Moment, TimerId)>,
    /// Its BYE is on its way, or has come.
    pub(super) leaving: bool,
    /// The client's BYE has come before its responses to what it was sent.
    outrun: bool,
    /// Nothing more is made of it.
    over: bool,
    /// The last message of it that was accepted, or 0.
    pub(super) message: u64,
}

impl Session {
    /// Whether it is kept only for an answer that may come too late (6.1.4 step 8e).
    pub(super) fn is_late(&self) -> bool {
        matches!(&self.kind, Kind::Chat(chat) if chat.state == State::Late)
    }

    /// Whether the peer wants to hear: not while it holds the session (RFC 3264 8.4).
    pub(super) fn may_send(&self) -> bool {
        self.agreed.direction.sends()
    }
}

impl Shard {
    /// As index shard: what passes between two numbers belongs to a session.
    pub(super) fn session_opened(&mut self, between: u64, whose: SessionRef) {
        self.session_index.entry(between).or_default().push(whose);
    }

    /// As index shard: it no longer does.
    pub(super) fn session_ended(&mut self, between: u64, whose: SessionRef) {
        let Some(open) = self.session_index.get_mut(&between) else { return };
        open.retain(|other| *other != whose);
        if open.is_empty() {
            self.session_index.remove(&between);
        }
    }

    /// Keeps a session under the key of its media.
    pub(super) fn open_session(
        &mut self,
        dialog: DialogKey,
        negotiated: Negotiated,
        invitation: Option<Arc<Invitation>>,
        kind: Kind,
    ) -> u64 {
        let Negotiated { key, uri, mut agreed, .. } = negotiated;
        // What the peer takes was judged; it is not asked again.
        (agreed.accept_types, agreed.accept_wrapped_types) = (Vec::new(), Vec::new());
        agreed.peer_path.shrink_to_fit();
        agreed.peer_origin.shrink_to_fit();
        let media = self.media_session(&uri, &agreed);
        self.calls.set_user(dialog, key);
        let session = Session {
            dialog,
            kind,
            invitation,
            media,
            agreed: Box::new(agreed),
            version: 0,
            link: None,
            bind: None,
            alarm: None,
            leaving: false,
            outrun: false,
            over: false,
            message: 0,
        };
        self.sessions.insert(key, Box::new(session));
        key
    }

    /// A piece of a chunk of the peer. Its first one may come by a connection that the session does not have yet. What it
    /// brings is taken up at once; what it is answered waits for [`pump_session`](Shard::pump_session), so that many chunks
    /// are answered together. `false` if there is no such session.
    pub(super) fn session_piece(&mut self, now: Now, link: LinkRef, key: u64, piece: Piece<'_>) -> bool {
        let Some(session) = self.sessions.get_mut(&key) else { return false };
        if session.link == Some(link) {
            session.media.handle_piece(now, piece);
            if session.media.has_events() {
                self.pump_session(now, key);
            }
        } else if session.link.is_none() && piece.head().is_some() {
            self.attach(now, key, link);
            self.outbox.hand(link.shard, Handoff::MsrpJoin { link: link.link, session: key });
            return self.session_piece(now, link, key, piece);
        } else {
            self.refuse_other_connection(link, key, &piece);
        }
        true
    }

    /// RFC 4975 5.4: a session stays with the connection it was bound to.
    fn refuse_other_connection(&mut self, link: LinkRef, key: u64, piece: &Piece<'_>) {
        let Some((octets, head)) = piece.head() else { return };
        let mut bytes = self.pool.take();
        if msrp::refuse_second_connection(head, octets, &mut bytes) {
            self.outbox.hand(link.shard, Handoff::MsrpOut { link: link.link, session: key, bytes });
        }
    }

    fn attach(&mut self, now: Now, key: u64, link: LinkRef) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.link = Some(link);
        session.media.handle_bound(now);
        if let Some(bind) = session.bind.take() {
            self.alarms.cancel(bind);
        }
    }

    /// The connection that we opened for a session is there.
    pub(super) fn session_linked(&mut self, now: Now, key: u64, link: LinkRef) {
        if self.sessions.get(&key).is_none_or(|session| session.link.is_some()) {
            return self.outbox.hand(link.shard, Handoff::MsrpLeave { link: link.link, session: key });
        }
        self.attach(now, key, link);
        self.pump_session(now, key);
    }

    /// The connection that a session needs cannot be had, or has not come in time.
    pub(super) fn session_not_linked(&mut self, now: Now, key: u64) {
        if self.sessions.get(&key).is_some_and(|session| session.link.is_none()) {
            self.lose_media(now, key, "no MSRP connection, or it was lost and did not come again");
        }
    }

    fn lose_media(&mut self, now: Now, key: u64, why: &'static str) {
        let Some(session) = self.sessions.get(&key) else { return };
        if !session.leaving {
            let call_id = self.call_id_of(session.dialog);
            self.event(Event::SessionLost { call_id, why });
        }
        self.leave(now, key, NO_MEDIA);
    }

    /// The connection of a session is gone. The peer may come again for a while.
    pub(super) fn session_link_gone(&mut self, now: Now, key: u64, link: LinkRef) {
        let Some(session) = self.sessions.get_mut(&key).filter(|session| session.link == Some(link)) else { return };
        session.link = None;
        session.media.handle_unbound(now);
        self.stats.msrp_connections_lost += 1;
        self.pump_session(now, key);
        if self.sessions.get(&key).is_some_and(|session| !session.leaving && session.link.is_none()) {
            self.await_connection(now, key);
        }
    }

    /// The socket took octets of a session.
    pub(super) fn session_room(&mut self, now: Now, key: u64, bytes: usize) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.media.handle_room(bytes);
        self.pump_session(now, key);
    }

    /// A timer of a session's media is due.
    pub(super) fn session_timeout(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.alarm = None;
        session.media.handle_timeout(now);
        self.pump_session(now, key);
    }

    /// Carries out what a session's media have come to want.
    pub(super) fn pump_session(&mut self, now: Now, key: u64) {
        loop {
            self.send_media(now, key);
            let Some(session) = self.sessions.get_mut(&key) else { return };
            let Some(event) = session.media.poll_event() else { break };
            self.media_event(now, key, event);
        }
        self.arm_media(key);
        self.end_if_answered(now, key);
    }

    fn send_media(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(link) = session.link else { return };
        let mut bytes = self.pool.take();
        if session.media.poll_transmit(now, &mut self.random, &mut bytes) {
            self.outbox.hand(link.shard, Handoff::MsrpOut { link: link.link, session: key, bytes });
        } else {
            self.pool.give(bytes);
        }
    }

    fn arm_media(&mut self, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let due = session.media.poll_timeout().map(|(at, _)| at);
        if due == session.alarm.map(|(at, _)| at) {
            return;
        }
        if let Some((_, timer)) = session.alarm.take() {
            self.alarms.cancel(timer);
        }
        session.alarm = due.map(|at| (at, self.alarms.arm(at, ALARM_MEDIA | key)));
    }

    fn media_event(&mut self, now: Now, key: u64, event: MediaEvent) {
        match event {
            MediaEvent::Received { incoming, message } => self.media_received(now, key, incoming, &message),
            MediaEvent::Sent { token, outcome } => self.media_sent(now, key, token, outcome),
            MediaEvent::Discarded { .. } => self.stats.msrp_discarded += 1,
            MediaEvent::Closed { reason: CloseReason::Ordered } => {}
            MediaEvent::Closed { .. } => self.lose_media(now, key, "the client does not take the session's connection"),
            MediaEvent::Bound | MediaEvent::Reported { .. } | MediaEvent::Failed { .. } => {}
        }
    }

    /// Another MSRP session takes the place of the one before (RFC 3264 8.3.1).
    pub(super) fn replace_media(&mut self, now: Now, key: u64, media: msrp::Session) {
        self.close_media(now, key);
        if let Some(session) = self.sessions.get_mut(&key) {
            session.media = media;
            self.await_connection(now, key);
        }
    }

    /// What was under way has its end, and the connection is free.
    fn close_media(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.media.close();
        self.pump_session(now, key);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(link) = session.link.take() {
            self.outbox.hand(link.shard, Handoff::MsrpLeave { link: link.link, session: key });
        }
        let timers = [session.alarm.take().map(|(_, timer)| timer), session.bind.take()];
        for timer in timers.into_iter().flatten() {
            self.alarms.cancel(timer);
        }
    }

    /// We end a session: the BYE goes out, and when it is answered the media go (6.2.3 B).
    pub(super) fn leave(&mut self, now: Now, key: u64, reason: &[u8]) {
        let Some(session) = self.sessions.get_mut(&key).filter(|session| !session.leaving) else { return };
        session.leaving = true;
        let dialog = session.dialog;
        if !self.calls.end(turn!(self, now), dialog, reason) || self.draining {
            self.end_session(now, key);
        }
    }

    /// 6.1.2, 6.1.6: the CPM user has left, and his BYE is answered.
    pub(super) fn peer_left(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get(&key) else { return };
        if let (Kind::Chat(chat), Some(invitation)) = (&session.kind, &session.invitation)
            && chat.state == State::Open
            && let Some(text) = session_leaving::notice(invitation, chat.is_known(), &self.iwf.policy)
        {
            let between = chat.between;
            self.send_notice(now, between, &text);
        }
        if !self.awaits_responses(now, key) {
            self.end_session(now, key);
        }
    }

    /// A BYE comes by another road than the MSRP responses that the client gave before it, and may outrun them. What they
    /// tell decides whether a short message is sent again, so they have a while to come.
    fn awaits_responses(&mut self, now: Now, key: u64) -> bool {
        let has_sent = |session: &Session| session.link.is_some() && session.media.open_messages().1 > 0;
        if !self.sessions.get(&key).is_some_and(|session| has_sent(session)) {
            return false;
        }
        let alarm = self.arm(now.moment + LAST_RESPONSES, ALARM_OUTRUN, key);
        let Some(session) = self.sessions.get_mut(&key) else { return false };
        (session.leaving, session.outrun) = (true, true);
        if let Some(bind) = session.bind.replace(alarm) {
            self.alarms.cancel(bind);
        }
        true
    }

    fn end_if_answered(&mut self, now: Now, key: u64) {
        let answered = |session: &Session| session.outrun && session.media.open_messages().1 == 0;
        if self.sessions.get(&key).is_some_and(|session| answered(session)) {
            self.end_session(now, key);
        }
    }

    /// Nothing is left of a dialog; its session may still wait for the client's last responses.
    pub(super) fn dialog_gone(&mut self, now: Now, key: u64) {
        if self.sessions.get(&key).is_some_and(|session| !session.outrun) {
            self.end_session(now, key);
        }
    }

    /// Nothing is left of a session but what it has submitted.
    pub(super) fn end_session(&mut self, now: Now, key: u64) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if core::mem::replace(&mut session.over, true) {
            return;
        }
        session.leaving = true;
        self.close_media(now, key);
        self.announce(key, false);
        let Some(session) = self.sessions.remove(&key) else { return };
        match session.kind {
            Kind::Chat(chat) => {
                if let Some(number) = chat.assigned {
                    self.numbers.release(&chat.between.sms_user, &number);
                }
            }
            Kind::Delivery(token) => {
                self.large_delivery_ended(now, token, Ended::Failed, CommandStatus::ESME_RX_T_APPN);
            }
            Kind::LargeMessage => self.session_terminated(session.message),
        }
    }

    /// Drain: sessions in which nothing is under way end now, the others when that is over.
    pub(super) fn leave_idle_sessions(&mut self, now: Now) {
        let mut keys: Vec<u64> = self.sessions.keys().copied().collect();
        keys.sort_unstable();
        keys.into_iter().for_each(|key| self.leave_if_idle(now, key));
    }

    pub(super) fn leave_if_idle(&mut self, now: Now, key: u64) {
        let idle = |session: &Session| session.media.open_messages() == (0, 0);
        if self.draining && self.sessions.get(&key).is_some_and(|session| idle(session)) {
            self.leave(now, key, SHUTDOWN);
        }
    }

    /// Sessions by what they are for: large messages, chats, large messages to the CPM side.
    pub(super) fn count_sessions(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for session in self.sessions.values() {
            counts[match session.kind {
                Kind::LargeMessage => 0,
                Kind::Chat(_) => 1,
                Kind::Delivery(_) => 2,
            }] += 1;
        }
        counts
    }
}
