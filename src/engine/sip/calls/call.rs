//! What is kept of one session, and what it waits for.

use core::time::Duration;

use crate::engine::wheel::TimerId;
use crate::engine::{Moment, Random};
use crate::wire::sip::{Message, Name};

use super::{DialogKey, Offer};
use crate::engine::sip::client_invite::InviteId;
use crate::engine::sip::dialog::Dialog;
use crate::engine::sip::response::Body;
use crate::engine::sip::server_matching::TransactionId;
use crate::engine::sip::session_timer::{Agreed, SessionTimer, Terms};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// UAS: the INVITE has no final response.
    Invited,
    /// UAC: the INVITE has no final response.
    Calling,
    /// UAC: cancelled, and a 2xx that comes all the same is ended.
    Cancelled,
    /// UAS: 2xx, but no ACK yet.
    Accepted,
    /// Both ends are in it.
    Confirmed,
    /// Nothing but transactions that end by themselves.
    Over,
}

/// An INVITE of the peer, as long as its final response or the ACK of its 2xx is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub(super) id: TransactionId,
    pub(super) cseq: u32,
    pub(super) answered: bool,
}

/// One session.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) dialog: Dialog,
    /// Its place in the table of dialogs, once it has both tags.
    pub(super) place: Option<u64>,
    pub(super) user: u64,
    pub(super) state: State,
    pub(super) served: Option<Served>,
    /// An UPDATE of the peer with an offer and without response.
    pub(super) update: Option<TransactionId>,
    /// An INVITE of ours without final response.
    pub(super) invite: Option<InviteId>,
    /// An UPDATE of ours without response.
    pub(super) updating: bool,
    /// Our BYE has no response.
    pub(super) leaving: bool,
    /// What our INVITE or UPDATE says, until it has its last response.
    pub(super) asked: Option<Box<Asked>>,
    /// The BYE that waits for the ACK: its Reason.
    pub(super) farewell: Option<Box<[u8]>>,
    /// Header lines of the 200 to the peer's BYE.
    pub(super) thanks: Option<Box<[u8]>>,
    /// Reliable provisional responses, if the client requires them.
    pub(super) ringing: Option<Box<Ringing>>,
    /// What the response to the peer's INVITE or UPDATE will say of the session timer.
    pub(super) agreed: Option<Agreed>,
    pub(super) timer: Option<SessionTimer>,
    /// Of the session timer; before that, of the peer's patience.
    pub(super) alarm: Option<TimerId>,
    /// Of the peer's last session description and of the one in its open offer.
    pub(super) described: u64,
    pub(super) offered: u64,
    pub(super) allows_update: bool,
    /// Its end is about to be told.
    pub(super) gone: bool,
}

impl Call {
    pub(super) fn new(dialog: Dialog, state: State) -> Box<Call> {
        Box::new(Call {
            dialog,
            place: None,
            user: 0,
            state,
            served: None,
            update: None,
            invite: None,
            updating: false,
            leaving: false,
            asked: None,
            farewell: None,
            thanks: None,
            ringing: None,
            agreed: None,
            timer: None,
            alarm: None,
            described: 0,
            offered: 0,
            allows_update: false,
            gone: false,
        })
    }

    /// Whether a request of ours that modifies the session is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.invite.is_some() || self.updating
    }

    /// Whether one of the peer's is: an INVITE until its ACK.
    pub(super) fn is_asked(&self) -> bool {
        self.served.is_some() || self.update.is_some()
    }

    /// Whether nothing can come of it any more.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Over && !self.is_asking() && !self.is_asked() && !self.leaving
    }

    /// RFC 3311 4: who lists UPDATE in Allow, understands it.
    pub(super) fn note_allowed(&mut self, message: &Message<'_>) {
        if message.header(Name::Allow).is_some() {
            self.allows_update = message.values(Name::Allow).any(|method| method == b"UPDATE");
        }
    }

    /// What an offer of the peer is, and notes it for when it is answered.
    pub(super) fn note_offer(&mut self, message: &Message<'_>) -> Offer {
        self.offered = origin(message);
        match self.offered {
            0 => Offer::Absent,
            offered if offered == self.described => Offer::Unchanged,
            _ => Offer::New,
        }
    }

    /// The peer's description is what it is now.
    pub(super) fn note_description(&mut self, message: &Message<'_>) {
        let origin = origin(message);
        if origin != 0 {
            self.described = origin;
        }
    }
}

/// A fingerprint of the o= line of a session description (RFC 4566 5.2: it changes with the description); 0 if there is
/// no description.
fn origin(message: &Message<'_>) -> u64 {
    let body = message.body();
    if body.is_empty() || !is_description(message) {
        return 0;
    }
    let line = memchr::memmem::find(body, b"\no=").and_then(|at| body.get(at + 1..)).unwrap_or(body);
    let end = line.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(line.len());
    fingerprint(line.get(..end).unwrap_or_default())
}

/// SDP, or several parts of which one may be SDP.
fn is_description(message: &Message<'_>) -> bool {
    let content_type = message.header(Name::ContentType).unwrap_or_default();
    [b"application/sdp".as_slice(), b"multipart/"]
        .iter()
        .any(|known| content_type.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known)))
}

/// FNV-1a, never 0. A peer that makes two of its own descriptions collide deceives nobody but itself.
fn fingerprint(octets: &[u8]) -> u64 {
    let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    octets.iter().fold(0xcbf2_9ce4_8422_2325, step).max(1)
}

/// What a request of ours with an offer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The INVITE that begins the session.
    Session,
    /// Another session description.
    Offer,
    /// The session timer.
    Refresh,
}

/// A request of ours that modifies a session or begins it, kept because it may have to be sent again.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    /// Header lines of the user's.
    pub(super) headers: Vec<u8>,
    pub(super) content_type: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) interval_s: u32,
    pub(super) min_se_s: u32,
    pub(super) repeats: u8,
    /// When it is sent again, if it waits for that.
    pub(super) wait: Option<TimerId>,
    /// The reliable provisional responses that were acknowledged last: hash of the To tag, RSeq.
    pub(super) acknowledged: Vec<(u64, u32)>,
}

impl Asked {
    pub(super) fn new(purpose: Purpose, headers: Vec<u8>, body: Option<Body<'_>>, terms: Terms) -> Box<Asked> {
        let (content_type, octets) = body.map_or((b"".as_slice(), b"".as_slice()), |b| (b.content_type, b.octets));
        Box::new(Asked {
            purpose,
            headers,
            content_type: content_type.to_vec(),
            body: octets.to_vec(),
            interval_s: terms.interval_s.max(terms.min_se_s),
            min_se_s: terms.min_se_s,
            repeats: 0,
            wait: None,
            acknowledged: Vec::new(),
        })
    }

    pub(super) fn body(&self) -> Option<Body<'_>> {
        (!self.body.is_empty()).then_some(Body { content_type: &self.content_type, octets: &self.body })
    }

    /// RFC 4028 7.4: the interval is raised to what the refusal asks for. `false` if that was tried often enough.
    pub(super) fn raise(&mut self, min_se_s: u32) -> bool {
        self.min_se_s = self.min_se_s.max(min_se_s);
        self.interval_s = self.interval_s.max(self.min_se_s);
        self.may_repeat()
    }

    pub(super) fn may_repeat(&mut self) -> bool {
        self.repeats += 1;
        self.repeats <= crate::limits::SIP_REQUEST_REPEATS_MAX
    }
}

/// Reliable provisional responses to the peer's INVITE (RFC 3262 3).
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) rseq: u32,
    /// Waits for its PRACK since then, and is repeated after this.
    pub(super) unacknowledged: Option<(Moment, Duration, TimerId)>,
}

impl Ringing {
    /// The first RSeq is drawn (RFC 3262 3).
    pub(super) fn new(random: &mut Random) -> Box<Ringing> {
        let rseq = u32::try_from(random.below(1 << 30)).unwrap_or(0);
        Box::new(Ringing { rseq, unacknowledged: None })
    }
}

/// What a timer of a call, or a request of it, is for; beside the key of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Matter {
    /// The session timer.
    Session,
    /// What Expires of an INVITE says.
    Answer,
    /// A modification that waits to be sent again.
    Wait,
    /// A reliable provisional response.
    Ring,
    /// BYE.
    Bye,
    /// UPDATE.
    Update,
    /// A request whose outcome changes nothing.
    Nothing,
}

const MATTERS: [Matter; 7] =
    [Matter::Session, Matter::Answer, Matter::Wait, Matter::Ring, Matter::Bye, Matter::Update, Matter::Nothing];
const KEY_BITS: u32 = 56;

/// Both in one number.
pub(super) fn token(key: DialogKey, matter: Matter) -> u64 {
    debug_assert!(key >> KEY_BITS == 0, "keys leave eight bits free");
    u64::from(matter as u8) << KEY_BITS | key
}

/// And apart again.
pub(super) fn of_token(token: u64) -> (DialogKey, Matter) {
    let matter = usize::try_from(token >> KEY_BITS).ok().and_then(|at| MATTERS.get(at).copied());
    (token & ((1 << KEY_BITS) - 1), matter.unwrap_or(Matter::Nothing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_whose_and_what_for() {
        for matter in MATTERS {
            assert_eq!(of_token(token((1 << KEY_BITS) - 1, matter)), ((1 << KEY_BITS) - 1, matter));
        }
    }
}
