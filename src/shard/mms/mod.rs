//! MMS over MM4 (IWF V3.0 6.3): what a core knows of multimedia messages on their way, and of the mails that carry them.
//!
//! | What arrives | Key | Owner |
//! |---|---|---|
//! | MM4_forward.REQ | Message ID and sender, minted by the peer | their hash, so that a mail that comes again finds the first |
//! | MM4 response, report | Transaction ID, Message ID | we minted them, the shard number is inside |
//! | notification about an MM | imdn.Message-ID | we minted it, the shard number is inside |
//! | outcome of a mail of ours | token | the shard that gave it to a session of its own |

mod arrivals;
mod bringers;
mod deliver;
mod forward;
mod ids;
mod kept;
mod mails;
mod notifications;
mod relays;
mod repeats;
mod reports;
mod responses;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::engine::arena::Arena;
use crate::engine::transport::LinkId;
use crate::engine::{Moment, Now, Random};
use crate::iwf::mms::id::Id;

use super::Shard;
use super::settings::Settings;

pub(super) use bringers::Bringers;
pub use bringers::MailRef;
pub(super) use deliver::Delivery as MmDelivery;
pub use mails::Brought;
pub(super) use mails::Sent;
pub use notifications::{NotificationRef, Notified};
pub(super) use relays::{CONNECT_BIT, Relays};
pub(super) use reports::About;

use relays::RelayEvent;

/// What a core holds for MMS.
#[derive(Debug)]
pub(super) struct Mms {
    /// Sessions in which we bring mail.
    pub(super) relays: Relays,
    /// Sessions in which mail is brought.
    pub(super) bringers: Bringers,
    /// What each mail of ours is for.
    sent: Arena<Sent>,
    /// CPM messages that are MMs now.
    messages: Arena<forward::Message>,
    /// Of these, how many senders wait for an answer.
    unanswered: usize,
    /// Octets of the mails of these.
    content_bytes: usize,
    /// Reports whose notifications are on their way.
    telling: Arena<reports::Telling>,
    /// Refusals that the CPM side is to hear of later.
    untold: usize,
    /// MMs on their way to CPM users.
    deliveries: Arena<deliver::Delivery>,
    /// Octets of these.
    delivery_bytes: usize,
    /// MMs of which notifications may come, and their keys, the oldest first.
    originals: Arena<notifications::Original>,
    originals_in_order: VecDeque<u64>,
    /// Notifications whose reports are on their way.
    waiting: Arena<notifications::Waiting>,
    /// What ids of earlier runs name, by the keys of now.
    earlier_messages: BTreeMap<Id, u64>,
    earlier_originals: BTreeMap<Id, u64>,
    /// MMs that came lately, and how they ended.
    repeats: repeats::Repeats,
    relay_events: Vec<RelayEvent>,
    brought: Vec<Brought>,
}

impl Mms {
    /// For a core of a gateway with these settings.
    pub(super) fn new(settings: &Settings, random: &mut Random) -> Mms {
        Mms {
            relays: Relays::new(settings, random),
            bringers: Bringers::new(settings),
            sent: Arena::default(),
            messages: Arena::default(),
            unanswered: 0,
            content_bytes: 0,
            telling: Arena::default(),
            untold: 0,
            deliveries: Arena::default(),
            delivery_bytes: 0,
            originals: Arena::default(),
            originals_in_order: VecDeque::new(),
            waiting: Arena::default(),
            earlier_messages: BTreeMap::new(),
            earlier_originals: BTreeMap::new(),
            repeats: repeats::Repeats::default(),
            relay_events: Vec::new(),
            brought: Vec::new(),
        }
    }

    pub(super) fn has(&self, link: LinkId) -> bool {
        self.relays.has(link) || self.bringers.has(link)
    }

    pub(super) fn bytes(&mut self, now: Now, link: LinkId, bytes: &Bytes) {
        if self.relays.has(link) {
            return self.relays.bytes(now, link, bytes);
        }
        self.bringers.bytes(now, link, bytes);
    }

    pub(super) fn closed(&mut self, now: Now, link: LinkId) {
        self.relays.closed(now, link);
        self.bringers.closed(link);
    }

    pub(super) fn timeout(&mut self, now: Now) {
        self.relays.timeout(now);
        self.bringers.timeout(now);
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Moment> {
        [self.relays.deadline(), self.bringers.deadline()].into_iter().flatten().min()
    }

    /// Whether nothing that was accepted is unfinished.
    pub(super) fn is_idle(&self) -> bool {
        let told = self.telling.is_empty() && self.waiting.is_empty();
        told && self.sent.is_empty() && self.deliveries.is_empty() && self.unanswered == 0 && self.untold == 0
    }

    /// Quits every session.
    pub(super) fn drain(&mut self, now: Now) {
        self.relays.drain(now);
        self.bringers.drain(now);
    }

    pub(super) fn is_drained(&self) -> bool {
        self.relays.is_drained() && self.bringers.is_drained()
    }

    pub(super) fn messages_open(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn deliveries_open(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn originals_open(&self) -> usize {
        self.originals.len()
    }

    pub(super) fn content_bytes(&self) -> usize {
        self.content_bytes + self.delivery_bytes
    }
}

impl Shard {
    /// Empties the sessions of MM4, and acts on what came.
    pub(super) fn settle_mms(&mut self, now: Now) -> bool {
        let mms = &mut self.mms;
        let relayed = mms.relays.settle(&mut self.outbox, &mut mms.relay_events);
        let brought = mms.bringers.settle(&mut self.outbox, &mut mms.brought);
        if !relayed && !brought {
            return false;
        }
        for event in core::mem::take(&mut self.mms.relay_events) {
            match event {
                RelayEvent::Done(token, outcome) => self.mail_ended(now, token, outcome),
                RelayEvent::Log(event) => self.event(event),
            }
        }
        for brought in core::mem::take(&mut self.mms.brought) {
            self.mail_brought(now, brought);
        }
        true
    }
}
