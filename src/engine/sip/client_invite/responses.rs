//! What responses do to INVITE client transactions, and what acknowledges them.

use crate::engine::transport::Transport;
use crate::engine::{Moment, Random};
use crate::limits;
use crate::wire::sip::{Message, Name, check};

use super::derived::write_ack;
use super::{Ack, COMPLETED, Cancel, ClientInvite, Fork, Heard, InviteId, Place, State, timer};
use crate::engine::sip::attempts::Target;
use crate::engine::sip::dispatch::Routing;
use crate::engine::sip::timers::{TIMER_C, TIMER_D, TIMER_M};

impl ClientInvite {
    /// A response whose syntax was checked; `None` if no INVITE awaits it.
    pub fn handle_response(&mut self, now: Moment, message: &Message<'_>, random: &mut Random) -> Option<Heard> {
        let place = *self.by_branch.get(&self.dispatch.key_of(message)?)?;
        let code = message.code();
        match (message.cseq().ok()?.method, place) {
            (b"CANCEL", Place::Open(index)) => self.cancel_answered(index, code),
            (b"CANCEL", Place::Completed(_)) => Some(Heard::Absorbed),
            (b"INVITE", Place::Open(index)) => self.answered(now, index, message, random),
            (b"INVITE", Place::Completed(index)) => Some(self.refused_again(index, code)),
            _ => None,
        }
    }

    /// The INVITE that a response is to, as long as `acknowledge` may be called for it.
    #[must_use]
    pub fn find(&self, response: &Message<'_>) -> Option<InviteId> {
        match *self.by_branch.get(&self.dispatch.key_of(response)?)? {
            Place::Open(index) => {
                self.open.get(index as usize).map(|open| InviteId { index, generation: open.generation })
            }
            Place::Completed(_) => None,
        }
    }

    /// Sends the ACK of the 2xx with this To tag, which `write` appends (start line, headers without Via, with the route
    /// set, body). It is sent again with every repetition of that 2xx. `false` if there was none, or too long ago.
    pub fn acknowledge(
        &mut self,
        id: InviteId,
        to_tag: &[u8],
        target: Target,
        random: &mut Random,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let tag = self.dispatch.hash_of(to_tag);
        if !self.alive(id).is_some_and(|transaction| transaction.forks.iter().any(|fork| fork.tag == tag)) {
            return false;
        }
        let ack = self.ack(target, random, write);
        let forks = &mut self.open[id.index as usize].forks;
        let fork = forks.iter_mut().find(|fork| fork.tag == tag);
        let before = fork.and_then(|fork| fork.ack.replace(ack));
        if let Some(before) = before {
            self.dispatch.discard(before.request);
        }
        true
    }

    fn answered(&mut self, now: Moment, index: u32, message: &Message<'_>, random: &mut Random) -> Option<Heard> {
        let accepted = self.open.get(index as usize)?.state == State::Accepted;
        match (message.code(), accepted) {
            (code @ 200..300, _) => self.succeeded(now, index, code, message),
            (_, true) => Some(Heard::Absorbed),
            (code @ ..200, false) => self.provisional(now, index, code),
            (code, false) => self.refused(now, index, code, message, random),
        }
    }

    fn provisional(&mut self, now: Moment, index: u32, code: u16) -> Option<Heard> {
        let transaction = self.open.get_mut(index as usize)?;
        let (token, first) = (transaction.token, transaction.state == State::Calling);
        if first {
            transaction.state = State::Proceeding;
            self.dispatch.uncount(&mut transaction.counted);
            self.stop_repeating(index);
        }
        match self.open.get_mut(index as usize).map(|transaction| &mut transaction.cancel)? {
            Cancel::No if first || code > 100 => self.end_at(now + TIMER_C, index),
            Cancel::Remembered(headers) => {
                let headers = core::mem::take(headers);
                self.send_cancel(now, index, &headers);
            }
            _ => {}
        }
        Some(Heard::Provisional { token, code })
    }

    /// RFC 6026 7.2, RFC 3261 13.2.2.4: the first 2xx of each branch is the user's, the others are acknowledged again.
    fn succeeded(&mut self, now: Moment, index: u32, code: u16, message: &Message<'_>) -> Option<Heard> {
        let to = message.to().ok();
        let tag = self.dispatch.hash_of(to.and_then(|to| to.tag()).unwrap_or_default());
        let transaction = self.open.get_mut(index as usize)?;
        if let Some(fork) = transaction.forks.iter().find(|fork| fork.tag == tag) {
            if let Some(ack) = &fork.ack {
                self.dispatch.send(&ack.request, &ack.branch, ack.target);
                self.retransmissions += 1;
            }
            return Some(Heard::Absorbed);
        }
        if transaction.forks.len() >= limits::SIP_FORKS_MAX {
            return Some(Heard::Absorbed);
        }
        transaction.forks.push(Fork { tag, ack: None });
        let token = transaction.token;
        if transaction.state == State::Accepted {
            return Some(Heard::Forked { token, code });
        }
        self.accepted(now, index);
        Some(Heard::Success { token, code })
    }

    fn accepted(&mut self, now: Moment, index: u32) {
        self.stop_repeating(index);
        self.end_at(now + TIMER_M, index);
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        transaction.state = State::Accepted;
        self.dispatch.uncount(&mut transaction.counted);
    }

    fn refused(
        &mut self,
        now: Moment,
        index: u32,
        code: u16,
        message: &Message<'_>,
        random: &mut Random,
    ) -> Option<Heard> {
        self.complete(now, index, message);
        let transaction = self.open.get_mut(index as usize)?;
        let (token, target) = (transaction.token, transaction.attempts.target());
        if code == 503 {
            // RFC 3261 21.5.4: with Retry-After this server is left alone.
            if let (Some(target), retry_after @ Some(_)) = (target, check::retry_after_seconds(message)) {
                self.dispatch.fault(target, retry_after);
            }
            if matches!(transaction.cancel, Cancel::No) && transaction.attempts.failed() {
                self.next_target(now, index, random);
                return Some(Heard::Absorbed);
            }
        }
        self.remove(index);
        Some(Heard::Failure { token, code })
    }

    /// Acknowledges a refusal; over UDP its branch goes on to do so until Timer D.
    fn complete(&mut self, now: Moment, index: u32, message: &Message<'_>) {
        let Some(transaction) = self.open.get_mut(index as usize) else { return };
        let Some(target) = transaction.attempts.target() else { return };
        let (to, branch) = (message.header(Name::To).unwrap_or_default(), transaction.branch);
        let (invite, places) = (&transaction.request, &mut self.index);
        let request = self.dispatch.request(invite.routing(), |out| write_ack(invite, to, places, out));
        self.dispatch.send(&request, &branch, target);
        let full = self.completed.len() >= limits::SIP_INVITE_CLIENT_TRANSACTIONS_MAX;
        if target.transport == Transport::Tcp || full {
            self.by_branch.remove(&branch.key);
            return self.dispatch.discard(request);
        }
        let completed = self.completed.insert(Ack { request, branch, target });
        let completed = u32::try_from(completed).unwrap_or(u32::MAX);
        self.by_branch.insert(branch.key, Place::Completed(completed));
        self.timers.arm(now + TIMER_D, timer(completed, COMPLETED));
    }

    fn refused_again(&mut self, index: u32, code: u16) -> Heard {
        if let (300.., Some(ack)) = (code, self.completed.get(index as usize)) {
            self.retransmissions += 1;
            self.dispatch.send(&ack.request, &ack.branch, ack.target);
        }
        Heard::Absorbed
    }

    /// The ACK of a 2xx is a transaction of its own (RFC 3261 17.1.1.3).
    fn ack(&mut self, target: Target, random: &mut Random, write: impl FnOnce(&mut Vec<u8>)) -> Ack {
        let request = self.dispatch.request(Routing::Dialog, write);
        let transport = if self.dispatch.is_large(&request) { Transport::Tcp } else { target.transport };
        let ack = Ack { request, branch: self.dispatch.branch(random), target: Target { transport, ..target } };
        self.dispatch.send(&ack.request, &ack.branch, ack.target);
        ack
    }

    fn cancel_answered(&mut self, index: u32, code: u16) -> Option<Heard> {
        let cancel = &self.open.get(index as usize)?.cancel;
        if !matches!(cancel, Cancel::Sent(_)) {
            return None;
        }
        if code >= 200 {
            self.stop_repeating(index);
        }
        Some(Heard::Absorbed)
    }
}
