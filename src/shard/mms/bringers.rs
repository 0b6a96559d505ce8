//! The SMTP sessions in which MMS Relay/Servers bring mail to this core.

use core::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;

use crate::engine::smtp::Server;
use crate::engine::smtp::server::{CloseReason, Config, Event, MailId};
use crate::engine::transport::{LinkId, ShardId, Transmit};
use crate::engine::{Moment, Now};
use crate::wire::smtp::Reply;

use super::mails::Brought;
use crate::shard::outbox::Outbox;
use crate::shard::settings::{Mm4Settings, Settings};

/// A mail in such a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MailRef {
    /// The core that holds the session.
    pub(in crate::shard) shard: ShardId,
    pub(in crate::shard) link: LinkId,
    pub(in crate::shard) mail: MailId,
}

#[derive(Debug)]
struct Bringer {
    peer: SocketAddr,
    session: Server,
}

/// The sessions.
#[derive(Debug)]
pub(in crate::shard) struct Bringers {
    own: ShardId,
    config: Arc<Config>,
    sessions_max: usize,
    sessions: HashMap<LinkId, Bringer, foldhash::fast::FixedState>,
    /// Those that may have something to say.
    touched: Vec<LinkId>,
    draining: bool,
    /// The earliest deadline, as far as is known; a session may have a later one by now.
    due: Option<Moment>,
}

impl Bringers {
    pub(super) fn new(settings: &Settings) -> Bringers {
        Bringers {
            own: settings.id,
            config: Arc::new(config(&settings.mm4)),
            sessions_max: settings.mm4.sessions_max,
            sessions: HashMap::default(),
            touched: Vec::new(),
            draining: false,
            due: None,
        }
    }

    pub(in crate::shard) fn has(&self, link: LinkId) -> bool {
        !self.sessions.is_empty() && self.sessions.contains_key(&link)
    }

    pub(in crate::shard) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// A peer has connected. Strangers, and one too many, get a reply in place of a greeting (RFC 5321 3.1).
    pub(in crate::shard) fn accepted(
        &mut self,
        now: Now,
        link: LinkId,
        peer: SocketAddr,
        trusted: bool,
        outbox: &mut Outbox,
    ) {
        let refusal: &[u8] = match () {
            () if !trusted => b"554 5.7.1 not among the peers of this MMS Relay/Server\r\n",
            () if self.draining || self.sessions.len() >= self.sessions_max => b"421 4.3.2 come again later\r\n",
            () => {
                self.sessions.insert(link, Bringer { peer, session: Server::new(Arc::clone(&self.config), now) });
                return self.touch(link);
            }
        };
        outbox.transmits.push_back(Transmit::Stream { link, bytes: refusal.to_vec() });
        outbox.transmits.push_back(Transmit::Close { link });
    }

    fn touch(&mut self, link: LinkId) {
        self.touched.push(link);
    }

    pub(in crate::shard) fn bytes(&mut self, now: Now, link: LinkId, bytes: &Bytes) {
        if let Some(bringer) = self.sessions.get_mut(&link) {
            bringer.session.handle_bytes(now, bytes);
            self.touch(link);
        }
    }

    pub(in crate::shard) fn closed(&mut self, link: LinkId) {
        if let Some(bringer) = self.sessions.get_mut(&link) {
            bringer.session.handle_closed();
            self.touch(link);
        }
    }

    /// A mail has its answer.
    pub(in crate::shard) fn answer(&mut self, now: Now, whose: MailRef, reply: Reply) {
        if let Some(bringer) = self.sessions.get_mut(&whose.link) {
            bringer.session.answer(now, whose.mail, reply);
            self.touch(whose.link);
        }
    }

    pub(in crate::shard) fn timeout(&mut self, now: Now) {
        if self.due.is_none_or(|due| due > now.moment) {
            return;
        }
        for (link, bringer) in &mut self.sessions {
            bringer.session.handle_timeout(now);
            self.touched.push(*link);
        }
        self.due = self.sessions.values().filter_map(next).min();
    }

    pub(in crate::shard) fn deadline(&self) -> Option<Moment> {
        self.due
    }

    /// Takes no more mail.
    pub(in crate::shard) fn drain(&mut self, now: Now) {
        self.draining = true;
        for (link, bringer) in &mut self.sessions {
            bringer.session.drain(now);
            self.touched.push(*link);
        }
    }

    pub(in crate::shard) fn is_drained(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Empties the sessions that were touched; whole mails are appended to `brought`.
    pub(in crate::shard) fn settle(&mut self, outbox: &mut Outbox, brought: &mut Vec<Brought>) -> bool {
        let busy = !self.touched.is_empty();
        while let Some(link) = self.touched.pop() {
            self.settle_one(link, outbox, brought);
        }
        busy
    }

    fn settle_one(&mut self, link: LinkId, outbox: &mut Outbox, brought: &mut Vec<Brought>) {
        let Some(bringer) = self.sessions.get_mut(&link) else { return };
        if let Some(bytes) = bringer.session.poll_transmit() {
            outbox.transmits.push_back(Transmit::Stream { link, bytes });
        }
        let mut gone = false;
        while let Some(event) = bringer.session.poll_event() {
            match event {
                Event::Mail { id, mail_from, rcpt_to, data } => {
                    let whose = MailRef { shard: self.own, link, mail: id };
                    brought.push(Brought { whose, peer: bringer.peer, mail_from, rcpt_to, data });
                }
                Event::Expired { .. } => {}
                Event::Closed { reason, .. } => gone |= reason == CloseReason::PeerClosed,
            }
        }
        if bringer.session.poll_close() {
            outbox.transmits.push_back(Transmit::Close { link });
            gone = true;
        }
        let due = next(bringer);
        self.due = [self.due, due].into_iter().flatten().min();
        if gone {
            self.sessions.remove(&link);
        }
    }
}

fn next(bringer: &Bringer) -> Option<Moment> {
    bringer.session.poll_timeout().map(|(at, _)| at)
}

fn config(mm4: &Mm4Settings) -> Config {
    Config {
        hostname: mm4.domain.clone().into_bytes(),
        domains: vec![mm4.domain.clone().into_bytes()],
        system_user: mm4.system_user.clone().into_bytes(),
        message_bytes_max: mm4.message_bytes_max,
        command: mm4.idle,
        ..Config::default()
    }
}
