//! The MM4 responses that we owe, and those that we get.

use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;

use crate::engine::Now;
use crate::iwf::mms::id::{self, Kind};
use crate::iwf::mms::response::Kept;
use crate::shard::Shard;
use crate::shard::event::Event;
use crate::wire::mail::mm4::{RequestStatus, Res, ResKind};

use super::mails::{Brought, MailRef, Sent, Written};

/// What a request is owed: the reply to its mail, and a response if it asks for one.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) whose: MailRef,
    pub(super) peer: SocketAddr,
    pub(super) response: Option<Box<Kept>>,
}

impl Owed {
    /// What `brought` is owed; `kept` is asked for only if there is a response to write from it.
    pub(super) fn new(brought: &Brought, ack_request: bool, kept: impl FnOnce() -> Kept) -> Owed {
        Owed { whose: brought.whose, peer: brought.peer, response: ack_request.then(|| Box::new(kept())) }
    }
}

/// How long a response or a report may wait for a session.
pub(super) const MAIL_WAIT: Duration = Duration::from_secs(300);

impl Shard {
    /// A response came.
    pub(super) fn take_response(&mut self, now: Now, response: &Res<'_>) {
        let ours = id::read(Kind::Transaction, response.transaction_id);
        let known = ours.filter(|id| *id == self.id_of(Kind::Transaction, id.key)).map(|id| id.key);
        match (known.filter(|key| self.mms.messages.get(*key).is_some()), response.kind) {
            (Some(key), ResKind::Forward) => self.forward_responded(now, key, response.request_status),
            (None, ResKind::Forward) => self.stats.mm4_unmatched += 1,
            // Nobody waits for the responses to our reports: their mails were taken.
            (_, ResKind::DeliveryReport | ResKind::ReadReplyReport) => {}
        }
    }

    /// Sends a response to where its request came from; without a session for it the peer will ask again. `recipients`
    /// says whom the status concerns if not all.
    pub(super) fn send_response_mail(&mut self, now: Now, owed: &Owed, status: RequestStatus, recipients: &[u8]) {
        let Some(kept) = &owed.response else { return };
        let recipient = kept.recipient(&self.iwf.policy);
        let mmsc = self.mmsc_of(recipient, owed.peer).filter(|_| !recipient.is_empty());
        let (mail_id, mut mail) = (self.mint_mail_id(), Vec::new());
        let system_address = self.settings.mm4.system_address();
        let envelope = kept.write((status, recipients), &system_address, &mail_id, now, &self.iwf, &mut mail);
        let until = now.moment + MAIL_WAIT;
        let written =
            Written { mail_from: envelope.mail_from, rcpt_to: envelope.rcpt_to, data: Bytes::from(mail), until };
        if !mmsc.is_some_and(|mmsc| self.send_mail(now, mmsc, Sent::Response, written)) {
            self.stats.mm4_responses_lost += 1;
            self.event(Event::ResponseLost { peer: owed.peer.ip() });
        }
    }

    /// A Message-ID for a mail (RFC 5322 3.6.4), without its brackets.
    fn mint_mail_id(&mut self) -> Vec<u8> {
        let mut mail_id = vec![0; 24];
        self.random.token(&mut mail_id);
        mail_id.push(b'@');
        mail_id.extend_from_slice(self.settings.mm4.domain.as_bytes());
        mail_id
    }

    /// The MMS Relay/Server that an address is behind: by its domain, or by where the mail came from, or the first.
    pub(super) fn mmsc_of(&self, address: &[u8], peer: SocketAddr) -> Option<u16> {
        let domain = address.rsplit(|octet| *octet == b'@').next().unwrap_or_default();
        let mmscs = &self.settings.mmscs;
        let by_domain = mmscs.iter().position(|mmsc| domain.eq_ignore_ascii_case(mmsc.domain.as_bytes()));
        let by_peer = || mmscs.iter().position(|mmsc| mmsc.address.ip() == peer.ip());
        let first = || (!mmscs.is_empty()).then_some(0);
        by_domain.or_else(by_peer).or_else(first).and_then(|at| u16::try_from(at).ok())
    }
}
