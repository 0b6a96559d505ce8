//! INVITE usages of dialogs (RFC 3261 12 to 15, RFC 5057): everything that a session of ours needs of SIP.
//!
//! [`Calls`] holds the transactions of its dialogs as well, INVITE and other: a shard hands over whole messages, drains
//! responses, requests and events, and speaks of a session by its [`DialogKey`] alone.
//!
//! **In.** `handle_request` takes every INVITE, ACK, CANCEL, BYE, PRACK and UPDATE, and every request with a To tag, after
//! its syntax ([`crate::wire::sip::check::request`]) and its sender were checked. `handle_response` takes every response
//! that nobody else awaits. The message stays with the caller, who reads from it what it needs (session description,
//! P-Asserted-Identity, Warning) when it gets [`Heard`].
//!
//! | heard of a request | then |
//! |---|---|
//! | `Invited` | `set_contact`, any number of `ring`, then `accept` or `refuse`; CANCEL or BYE may end it before |
//! | `Confirmed` | the ACK; if the INVITE had no offer, the answer is in it |
//! | `Offered` | a re-INVITE or UPDATE: `answer` or `decline`; `Withdrawn` if it was cancelled before |
//! | `Ended` | BYE or CANCEL, all answered; [`Event::Gone`] follows |
//! | `Answered` | answered by itself, with this code |
//! | `Absorbed` | nothing |
//!
//! | heard of a response | means |
//! |---|---|
//! | `Progress` | 101 to 199 to our INVITE; PRACK was sent if it wants one |
//! | `Accepted` | 2xx to our INVITE, ACK was sent; the answer is in it |
//! | `Rejected` | final refusal of our INVITE; [`Event::Gone`] follows |
//! | `Modified` | final response to our `offer`; if it is no 2xx, the session is as before |
//!
//! **Do.** `invite`, `cancel`, `ring`, `accept`, `refuse`, `answer`, `decline`, `offer`, `bye`, and `end`, which is
//! whichever of cancel, refuse and bye the state asks for. They return `false` and do nothing when it is too late.
//!
//! **Out.** `poll_response`, `poll_request`, `poll_event`, `poll_fault`; `deadline` and `handle_timeout`; `handle_unsent`
//! and `handle_transport_error` for requests that did not leave. A dialog does not depend on any connection: the loss of
//! one concerns only the requests under way on it.
//!
//! **By itself**: 481 for what is in no dialog; 500 for a CSeq out of order; 491, and 500 with Retry-After, for offers that
//! meet (14.2, RFC 3311 5.2), and the wait after a 491 of the peer; 405 and 501 for what means nothing in a session; 200 to
//! OPTIONS, PRACK, BYE, CANCEL and to an UPDATE without offer; 487; ACK and BYE to further branches of a forked INVITE;
//! session timers in both roles with 422; PRACK; BYE when the ACK never comes, and not before.

mod asking;
mod call;
mod commands;
mod ending;
mod headers;
mod provisional;
mod requests;
mod responses;
mod timing;
mod within;

use core::net::IpAddr;
use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::engine::arena::Arena;
use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::wheel::Wheel;
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::uri::Uri;

use self::call::{Call, Matter, of_token};
use super::attempts::{Fault, Target};
use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::dialog::{Dialog, FirstRequest};
use super::dispatch::{Outbound, RequestId};
use super::locate::{Locate, Reach, Step};
use super::next_hop::NextHop;
use super::response::{Body, ResponseRoute};
use super::sent_by::SentBy;
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::session_timer::Terms;

/// A session, as long as it has any state; one that is gone finds nothing. Below 2^56, and 0 is none.
pub type DialogKey = u64;

/// What every call that may send is told of its surroundings.
pub struct Turn<'t> {
    /// The time of this turn.
    pub now: Moment,
    /// Random bits.
    pub random: &'t mut Random,
    /// Where requests go outside of dialogs, and inside unless the route set names a trusted address.
    pub hop: Option<&'t mut NextHop>,
    /// Whether we send requests to this address because a route set says so.
    pub trusts: &'t dyn Fn(IpAddr) -> bool,
}

impl core::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Turn").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What does not change.
#[derive(Clone, Debug)]
pub struct Config {
    /// How we name ourselves in Via.
    pub sent_by: SentBy,
    /// Octets of a request that may leave as a datagram (RFC 3261 18.1.1).
    pub datagram_request_bytes_max: usize,
    /// What we can send with.
    pub reach: Reach,
    /// Value of Contact where `set_contact` and [`FirstRequest`] say nothing else.
    pub contact: Vec<u8>,
    /// Value of Allow.
    pub allow: Vec<u8>,
    /// Value of Server, and of User-Agent.
    pub product: [Vec<u8>; 2],
    /// Session timers.
    pub terms: Terms,
    /// Sessions that there may be.
    pub calls_max: usize,
}

impl Config {
    /// With what is usual.
    #[must_use]
    pub fn new(sent_by: SentBy, contact: &[u8]) -> Config {
        Config {
            sent_by,
            datagram_request_bytes_max: limits::SIP_DATAGRAM_REQUEST_BYTES_MAX,
            reach: Reach::ALL,
            contact: contact.to_vec(),
            allow: b"INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK".to_vec(),
            product: [Vec::new(), Vec::new()],
            terms: Terms::default(),
            calls_max: limits::SIP_CALLS_MAX,
        }
    }
}

/// What an INVITE of ours says.
#[derive(Clone, Copy, Debug)]
pub struct Invite<'a> {
    /// Its addresses.
    pub first: FirstRequest<'a>,
    /// The offer.
    pub offer: Body<'a>,
    /// What `user` will say.
    pub user: u64,
}

/// The session description in a request of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// There is none: the answer to the request is an offer, and the ACK has the answer to that (RFC 3261 14.2).
    Absent,
    /// The o= line is that of its last one: nothing but a refresh.
    Unchanged,
    /// Another one.
    New,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// BYE.
    Bye,
    /// CANCEL, before there was a session.
    Cancel,
}

/// What a message was to a session; the table in the module's head says what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A new INVITE.
    Invited {
        /// Which.
        dialog: DialogKey,
    },
    /// ACK of our 2xx.
    Confirmed {
        /// Which.
        dialog: DialogKey,
    },
    /// re-INVITE or UPDATE.
    Offered {
        /// Which.
        dialog: DialogKey,
        /// What it has.
        offer: Offer,
    },
    /// The re-INVITE was cancelled.
    Withdrawn {
        /// Which.
        dialog: DialogKey,
    },
    /// By the peer.
    Ended {
        /// Which.
        dialog: DialogKey,
        /// By what.
        by: By,
    },
    /// A request that was answered without anybody's help.
    Answered {
        /// How.
        code: u16,
    },
    /// 101 to 199.
    Progress {
        /// Which.
        dialog: DialogKey,
        /// The status code.
        code: u16,
    },
    /// 2xx to our INVITE.
    Accepted {
        /// Which.
        dialog: DialogKey,
    },
    /// 300 to 699 to our INVITE.
    Rejected {
        /// Which.
        dialog: DialogKey,
        /// The status code.
        code: u16,
    },
    /// 200 to 699 to our offer.
    Modified {
        /// Which.
        dialog: DialogKey,
        /// The status code.
        code: u16,
    },
    /// Nothing to anybody.
    Absorbed,
}

/// What comes of a session without a message of the peer. All but `Gone` are followed by `Gone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The ACK of our 2xx never came; BYE was sent.
    NoAck {
        /// Which.
        dialog: DialogKey,
    },
    /// Neither accepted nor refused in time, or our reliable provisional response was not acknowledged; a refusal was sent.
    Unanswered {
        /// Which.
        dialog: DialogKey,
    },
    /// Our INVITE got no response.
    Failed {
        /// Which.
        dialog: DialogKey,
    },
    /// The session timer ran out; BYE was sent.
    Expired {
        /// Which.
        dialog: DialogKey,
    },
    /// The peer does not know the session any more, or does not answer; BYE was sent.
    Lost {
        /// Which.
        dialog: DialogKey,
    },
    /// Nothing is left of it. Every session comes to this, and it comes last.
    Gone {
        /// Which.
        dialog: DialogKey,
    },
}

/// The sessions of one shard.
#[derive(Debug)]
pub struct Calls {
    config: Config,
    hash: KeyedHash,
    invited: ServerInvite,
    served: ServerNonInvite,
    inviting: ClientInvite,
    asking: ClientNonInvite,
    calls: Arena<Box<Call>>,
    by_dialog: HashMap<u64, DialogKey, Hashed>,
    timers: Wheel,
    events: VecDeque<Event>,
    /// Whose end was told last.
    gone: Option<DialogKey>,
}

impl Calls {
    /// No sessions yet. `hash` keys the tables.
    #[must_use]
    pub fn new(hash: KeyedHash, config: Config) -> Calls {
        let (sent_by, max) = (&config.sent_by, config.datagram_request_bytes_max);
        Calls {
            invited: ServerInvite::new(hash.clone()),
            served: ServerNonInvite::new(hash.clone()),
            inviting: ClientInvite::new(hash.clone(), sent_by.clone(), max),
            asking: ClientNonInvite::new(hash.clone(), sent_by.clone(), max),
            calls: Arena::default(),
            by_dialog: HashMap::with_hasher(Hashed::default()),
            timers: Wheel::new(),
            events: VecDeque::new(),
            gone: None,
            config,
            hash,
        }
    }

    /// INVITEs leave with this preloaded route (RFC 3261 8.1.2), a URI with lr.
    pub fn set_route(&mut self, uri: &[u8]) {
        self.inviting.set_route(uri);
    }

    /// Sessions that have any state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Transactions in all tables: of servers, of clients.
    #[must_use]
    pub fn transactions(&self) -> [usize; 2] {
        [self.invited.len() + self.served.len(), self.inviting.len() + self.asking.len()]
    }

    /// Retransmissions that were absorbed, and those that were sent.
    #[must_use]
    pub fn retransmissions(&self) -> [u64; 2] {
        let absorbed = self.invited.retransmissions() + self.served.retransmissions();
        [absorbed, self.inviting.retransmissions() + self.asking.retransmissions()]
    }

    /// The dialog of a session.
    #[must_use]
    pub fn dialog(&self, dialog: DialogKey) -> Option<&Dialog> {
        self.calls.get(dialog).map(|call| &call.dialog)
    }

    /// What the user said of a session, or 0.
    #[must_use]
    pub fn user(&self, dialog: DialogKey) -> Option<u64> {
        self.calls.get(dialog).map(|call| call.user)
    }

    /// Says something of a session.
    pub fn set_user(&mut self, dialog: DialogKey, user: u64) {
        if let Some(call) = self.calls.get_mut(dialog) {
            call.user = user;
        }
    }

    /// Timers may be due.
    pub fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        self.invited.handle_timeout(turn.now);
        self.served.handle_timeout(turn.now);
        self.inviting.handle_timeout(turn.now, turn.random);
        self.asking.handle_timeout(turn.now, turn.random);
        while let Some(token) = self.timers.poll(turn.now) {
            match of_token(token) {
                (dialog, Matter::Session) => self.session_due(turn, dialog),
                (dialog, Matter::Answer) => self.answer_due(turn, dialog),
                (dialog, Matter::Wait) => self.wait_over(turn, dialog),
                (dialog, Matter::Ring) => self.ring_again(turn, dialog),
                _ => {}
            }
        }
        self.settle(turn);
    }

    /// A connection to `target` could not be made or is gone: its requests without response go to their next target.
    pub fn handle_transport_error(&mut self, turn: &mut Turn<'_>, target: Target) {
        self.inviting.handle_transport_error(turn.now, target, turn.random);
        self.asking.handle_transport_error(turn.now, target, turn.random);
        self.settle(turn);
    }

    /// This one request could not be sent: it goes to its next target.
    pub fn handle_unsent(&mut self, turn: &mut Turn<'_>, request: RequestId) {
        self.inviting.handle_unsent(turn.now, request, turn.random);
        self.asking.handle_unsent(turn.now, request, turn.random);
        self.settle(turn);
    }

    /// The next response to send.
    pub fn poll_response(&mut self) -> Option<(ResponseRoute, Vec<u8>)> {
        self.served.poll_transmit().or_else(|| self.invited.poll_transmit())
    }

    /// The next request to send.
    pub fn poll_request(&mut self) -> Option<Outbound> {
        self.inviting.poll_transmit().or_else(|| self.asking.poll_transmit())
    }

    /// The next event. After [`Event::Gone`] the session can still be asked for its user, until the next call of this.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(gone) = self.gone.take() {
            self.calls.remove(gone);
        }
        let event = self.events.pop_front();
        if let Some(Event::Gone { dialog }) = event {
            self.gone = Some(dialog);
        }
        event
    }

    /// The next target to be paused.
    pub fn poll_fault(&mut self) -> Option<Fault> {
        self.inviting.poll_fault().or_else(|| self.asking.poll_fault())
    }

    /// When to call `handle_timeout` next.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let others =
            [self.invited.deadline(), self.served.deadline(), self.inviting.deadline(), self.asking.deadline()];
        others.into_iter().chain([self.timers.next_deadline()]).flatten().min()
    }

    /// Buffers kept for reuse.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.invited.spare() + self.served.spare() + self.inviting.spare() + self.asking.spare()
    }

    /// Gives a sent buffer back, to who has the fewest. A large one is dropped.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        let spare = [self.invited.spare(), self.served.spare(), self.inviting.spare(), self.asking.spare()];
        match spare.iter().enumerate().min_by_key(|(_, count)| **count) {
            Some((0, _)) => self.invited.recycle(buffer),
            Some((1, _)) => self.served.recycle(buffer),
            Some((2, _)) => self.inviting.recycle(buffer),
            _ => self.asking.recycle(buffer),
        }
    }
}

/// Where a request in this dialog goes: to the topmost Route if that is a trusted address, else to the next hop, which is
/// the network's to route (RFC 3261 8.1.2, 12.2.1.1).
fn targets_of(dialog: &Dialog, reach: Reach, turn: &mut Turn<'_>) -> Vec<Target> {
    routed(dialog, reach, turn.trusts).unwrap_or_else(|| hop_targets(turn))
}

fn hop_targets(turn: &mut Turn<'_>) -> Vec<Target> {
    turn.hop.as_mut().map_or_else(Vec::new, |hop| hop.targets(turn.now, turn.random).to_vec())
}

fn routed(dialog: &Dialog, reach: Reach, trusts: &dyn Fn(IpAddr) -> bool) -> Option<Vec<Target>> {
    let Some(Uri::Sip(uri)) = Uri::parse(dialog.first_hop()?) else { return None };
    let host = core::str::from_utf8(uri.host).ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse().ok().filter(|address| trusts(*address))?;
    match Locate::start(&uri, reach).1 {
        Step::Done(targets) => Some(targets.as_slice().to_vec()),
        _ => None,
    }
}
