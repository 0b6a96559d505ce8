//! Session descriptions: what we offer, what we answer, and what changes within a session (RFC 3264, RFC 4975 8).

use crate::engine::Now;
use crate::engine::msrp::{self, Accept, session_id};
use crate::engine::sip::Body;
use crate::engine::sip::calls::{DialogKey, Offer};
use crate::iwf::{invitation, large_message, session_invitation};
use crate::wire::sdp::msrp::{Agreed, Change, Local, NotAcceptable, Setup, Wrapped, answer, change};
use crate::wire::sdp::{Direction, Session as Description};
use crate::wire::sip::Message;

use super::Shard;
use super::calls::turn;
use super::invitations::{Refused, write_warning};
use super::media::session_key;
use super::sessions::Kind;

/// What a kind of session wants of its media.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    accept_types: &'static str,
    accept_wrapped_types: &'static str,
    wrapped: Wrapped,
    direction: Direction,
    setup: Setup,
}

impl Terms {
    /// 6.1.2 step 4d.
    const LARGE_MESSAGE: Terms = Terms {
        accept_types: large_message::ACCEPT_TYPES,
        accept_wrapped_types: large_message::ACCEPT_WRAPPED_TYPES,
        wrapped: Wrapped::AllOf,
        direction: Direction::RecvOnly,
        setup: Setup::Passive,
    };
    /// The same with an MMS Relay/Server: what of the content it takes is only known when the message is there (6.3 1).
    const LARGE_MULTIMEDIA: Terms = Terms { accept_wrapped_types: "*", ..Terms::LARGE_MESSAGE };
    /// 6.1.4 steps 6h and 6i.
    pub(super) const CHAT: Terms = Terms {
        accept_types: session_invitation::ACCEPT_TYPES,
        accept_wrapped_types: session_invitation::ACCEPT_WRAPPED_TYPES,
        wrapped: Wrapped::AnyOf,
        direction: Direction::SendRecv,
        setup: Setup::Passive,
    };
    /// 6.2.2.2.3.
    pub(super) const DELIVERY: Terms = Terms {
        accept_types: large_message::ACCEPT_TYPES,
        accept_wrapped_types: "text/plain",
        wrapped: Wrapped::AnyOf,
        direction: Direction::SendOnly,
        setup: Setup::ActPass,
    };
}

/// Messages of a session that may be unanswered at a time: an SM-SC takes its time, and not every client waits for it.
const OPEN_MESSAGES_MAX: usize = 64;

/// Media on which both ends agree once we answer so.
pub(super) struct Negotiated {
    pub(super) key: u64,
    pub(super) uri: Box<[u8]>,
    pub(super) agreed: Agreed,
    pub(super) answer: Vec<u8>,
}

/// A description as the body of a request or response.
pub(super) fn description(octets: &[u8]) -> Body<'_> {
    Body { content_type: b"application/sdp", octets }
}

impl Shard {
    pub(super) fn large_message_terms(&self) -> Terms {
        if self.settings.mmscs.is_empty() { Terms::LARGE_MESSAGE } else { Terms::LARGE_MULTIMEDIA }
    }

    fn terms_of(&self, kind: &Kind) -> Terms {
        match kind {
            Kind::LargeMessage => self.large_message_terms(),
            Kind::Chat(_) => Terms::CHAT,
            Kind::Delivery(_) => Terms::DELIVERY,
        }
    }

    /// The answer to an offer, if anything of it can be taken.
    pub(super) fn negotiate(&mut self, message: &Message<'_>, terms: Terms) -> Result<Negotiated, Refused> {
        let warned = |why: NotAcceptable| Refused::warned(why.warning());
        let offer = Description::parse(invitation::description(message))
            .map_err(|_| Refused::warned((399, "No usable description")))?;
        let streams = offer.media().filter(|media| media.port != 0).count();
        if !session_invitation::may_have_streams(streams, &self.iwf.policy) {
            return Err(Refused::warned((399, "Several media streams")));
        }
        let (key, uri) = self.mint_media();
        let mut description = Vec::new();
        let agreed = answer(&offer, &self.local(&uri, terms, key, 0), &mut description).map_err(warned)?;
        Ok(Negotiated { key, uri, agreed, answer: description })
    }

    /// A new MSRP URI of ours, and the key of the session that it names.
    pub(super) fn mint_media(&mut self) -> (u64, Box<[u8]>) {
        let id = session_id::mint(self.settings.id, &mut self.random);
        let authority = self.settings.msrp.address.to_string();
        let uri = [b"msrp://", authority.as_bytes(), b"/", &id, b";tcp"].concat();
        let key = session_key(&self.route, &uri).unwrap_or_default();
        (key, uri.into())
    }

    /// Our side of a session, in the words of SDP.
    pub(super) fn local<'a>(&self, uri: &'a [u8], terms: Terms, key: u64, version: u64) -> Local<'a> {
        Local {
            address: self.settings.msrp.address.ip(),
            port: self.settings.msrp.address.port(),
            path: uri,
            session_id: key,
            session_version: version,
            accept_types: terms.accept_types.as_bytes(),
            accept_wrapped_types: terms.accept_wrapped_types.as_bytes(),
            wrapped: terms.wrapped,
            max_size: u64::try_from(self.settings.msrp.message_bytes_max).ok(),
            setup: terms.setup,
            direction: terms.direction,
            cema: true,
            file_transfer: false,
            attributes: &[],
        }
    }

    /// The MSRP session that was agreed on.
    pub(super) fn media_session(&self, uri: &[u8], agreed: &Agreed) -> msrp::Session {
        let settings = &self.settings.msrp;
        let config = msrp::Config {
            local_path: uri.into(),
            peer_path: agreed.peer_path.as_slice().into(),
            role: if agreed.connect.is_some() { msrp::Role::Active } else { msrp::Role::Passive },
            accept: self.accept_types.clone(),
            settings: msrp::Settings {
                chunk_bytes: settings.chunk_bytes,
                message_bytes_max: settings.message_bytes_max as u64,
                open_messages_max: OPEN_MESSAGES_MAX,
                message_idle: settings.idle,
                ..msrp::Settings::default()
            },
        };
        msrp::Session::new(config, &self.media_budget)
    }

    /// re-INVITE and UPDATE of the peer: refreshed, changed, or refused and as before (RFC 3261 14.2).
    pub(super) fn offered_anew(&mut self, now: Now, dialog: DialogKey, offer: Offer, message: &Message<'_>) {
        let description = Description::parse(invitation::description(message)).ok().filter(|_| offer != Offer::Absent);
        let key = self.calls.user(dialog).unwrap_or_default();
        let Some(session) = self.sessions.get(&key) else { return self.decline_offer(now, dialog, None) };
        let change = description.as_ref().map(|offer| change(offer, &session.agreed));
        match (change, description) {
            (None, _) if offer == Offer::New => self.decline_offer(now, dialog, Some((399, "No usable description"))),
            // What we sent last was an offer if the INVITE was ours: that answers nothing.
            (Some(Change::Nothing), Some(offer)) if matches!(session.kind, Kind::Delivery(_)) => {
                self.answer_anew(now, key, &offer, false)
            }
            (None | Some(Change::Nothing), _) | (_, None) => {
                self.calls.answer(turn!(self, now), dialog, None, |_| {});
            }
            (Some(Change::Removal), _) => self.decline_offer(now, dialog, Some(NotAcceptable::NoStream.warning())),
            (Some(Change::Terms), Some(offer)) => self.answer_anew(now, key, &offer, false),
            (Some(Change::Path), Some(offer)) => self.answer_anew(now, key, &offer, true),
        }
    }

    fn decline_offer(&mut self, now: Now, dialog: DialogKey, warning: Option<(u16, &'static str)>) {
        let host = self.settings.sip.domain.as_bytes();
        self.calls.decline(turn!(self, now), dialog, 488, "Not Acceptable Here", |headers| {
            write_warning(warning, host, headers);
        });
    }

    /// The same MSRP session on other terms, or another one in its place.
    fn answer_anew(&mut self, now: Now, key: u64, offer: &Description<'_>, moved: bool) {
        let Some(session) = self.sessions.get(&key) else { return };
        let uri = session.media.config().local_path.clone();
        let (dialog, version) = (session.dialog, session.version + 1);
        let mut octets = Vec::new();
        // Who connects was settled before.
        let terms = Terms { setup: session.agreed.setup, ..self.terms_of(&session.kind) };
        let local = self.local(&uri, terms, key, version);
        let agreed = match answer(offer, &local, &mut octets) {
            Ok(agreed) => agreed,
            Err(why) => return self.decline_offer(now, dialog, Some(why.warning())),
        };
        self.calls.answer(turn!(self, now), dialog, Some(description(&octets)), |_| {});
        let media = moved.then(|| self.media_session(&uri, &agreed));
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.version = version;
        *session.agreed = agreed;
        if let Some(media) = media {
            self.replace_media(now, key, media);
        }
    }
}

/// What an MSRP session takes.
pub(super) fn accept_types() -> Accept {
    Accept::only(&[large_message::ACCEPT_TYPES])
}
