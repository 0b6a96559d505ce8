//! Reliable provisional responses, where the peer insists on them (RFC 3262).

use core::time::Duration;

use crate::wire::digits::digits;
use crate::wire::sip::{Message, Name, Writer, decimal};

use super::call::{Matter, Ringing, token};
use super::headers::{NO_DIALOG, Refusal, write_provisional};
use super::{Calls, DialogKey, Event, Heard, Turn, targets_of};
use crate::engine::sip::dialog::Dialog;
use crate::engine::sip::server_matching::TransactionId;
use crate::engine::sip::timers::{T1, TIMER_B};
use crate::limits;

const UNACKNOWLEDGED: Refusal = Refusal::new(504, "Server Time-out");

impl Calls {
    /// A provisional response to an INVITE, 101 to 199. `false` if that is answered, or if a reliable one still waits for
    /// its PRACK: there can be no other before (RFC 3262 3).
    pub fn ring(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: DialogKey,
        code: u16,
        reason: &str,
        headers: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        debug_assert!((101..200).contains(&code), "{code} makes no dialog");
        let Some(call) = self.calls.get_mut(dialog) else { return false };
        let Some(served) = call.served else { return false };
        if call.ringing.as_ref().is_some_and(|ringing| ringing.unacknowledged.is_some()) {
            return false;
        }
        let rseq = call.ringing.as_mut().map(|ringing| {
            ringing.rseq += 1;
            ringing.rseq
        });
        let (config, of) = (&self.config, &call.dialog);
        let sent = self.invited.respond(turn.now, served.id, code, reason, None, |writer| {
            write_provisional(config, of, writer);
            if let Some(rseq) = rseq {
                writer.header(Name::Require, b"100rel");
                writer.number(Name::RSeq, u64::from(rseq));
            }
            headers(writer);
        });
        if sent && rseq.is_some() {
            let timer = self.timers.arm(turn.now + T1, token(dialog, Matter::Ring));
            self.rings(dialog, |ringing| ringing.unacknowledged = Some((turn.now, T1, timer)));
        }
        sent
    }

    fn rings(&mut self, dialog: DialogKey, change: impl FnOnce(&mut Ringing)) {
        if let Some(ringing) = self.calls.get_mut(dialog).and_then(|call| call.ringing.as_mut()) {
            change(ringing);
        }
    }

    /// RFC 3262 3: doubling from T1; without PRACK for 64*T1 the INVITE is refused.
    pub(super) fn ring_again(&mut self, turn: &mut Turn<'_>, dialog: DialogKey) {
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let Some(served) = call.served else { return };
        let Some((since, interval, _)) = call.ringing.as_ref().and_then(|ringing| ringing.unacknowledged) else {
            return;
        };
        if turn.now.since(since) >= TIMER_B {
            self.events.push_back(Event::Unanswered { dialog });
            self.refuse(turn, dialog, UNACKNOWLEDGED.code, UNACKNOWLEDGED.reason, |_| {});
            return;
        }
        self.invited.repeat_provisional(served.id);
        let left = TIMER_B.saturating_sub(turn.now.since(since));
        let next: Duration = (interval * 2).min(left);
        let timer = self.timers.arm(turn.now + next, token(dialog, Matter::Ring));
        self.rings(dialog, |ringing| ringing.unacknowledged = Some((since, interval * 2, timer)));
    }

    /// PRACK: 200 if it is for the response that waits, else 481 (RFC 3262 3).
    pub(super) fn provisional_acknowledged(
        &mut self,
        turn: &mut Turn<'_>,
        id: TransactionId,
        dialog: DialogKey,
        message: &Message<'_>,
    ) -> Result<Heard, Refusal> {
        let call = self.calls.get_mut(dialog).ok_or(NO_DIALOG)?;
        let cseq = call.served.map(|served| served.cseq);
        let ringing = call.ringing.as_mut().ok_or(NO_DIALOG)?;
        let meant = message
            .header(Name::RAck)
            .and_then(rack)
            .is_some_and(|rack| (rack.0, Some(rack.1)) == (ringing.rseq, cseq));
        let (_, _, timer) = ringing.unacknowledged.filter(|_| meant).ok_or(NO_DIALOG)?;
        ringing.unacknowledged = None;
        self.timers.cancel(timer);
        self.agree_to(turn, id);
        Ok(Heard::Answered { code: 200 })
    }

    /// A provisional response to our INVITE that requires it is acknowledged, in order and once: what is repeated is the
    /// PRACK, by its own transaction (RFC 3262 4).
    pub(super) fn acknowledge_provisional(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, message: &Message<'_>) {
        let reliable = message.values(Name::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
        let Some(rseq) = message.header(Name::RSeq).and_then(decimal).filter(|_| reliable) else { return };
        let Ok(cseq) = message.cseq() else { return };
        let early = Dialog::beside(message);
        if !self.is_next_provisional(dialog, early.remote_tag(), rseq) {
            return;
        }
        let Some(call) = self.calls.get_mut(dialog) else { return };
        let number = call.dialog.next_cseq();
        let targets = targets_of(&early, self.config.reach, turn);
        let token = token(dialog, Matter::Nothing);
        self.asking.send_within_dialog(turn.now, token, &targets, turn.random, |out| {
            let mut writer = early.write_request(b"PRACK", number, out);
            let (rseq, of) = (digits(u64::from(rseq)), digits(u64::from(cseq.number)));
            writer.header_parts(Name::RAck, &[&rseq, b" ", &of, b" INVITE"]);
            writer.end();
        });
    }

    /// One that is repeated, or that overtook another, is not acknowledged. Each branch counts for itself.
    fn is_next_provisional(&mut self, dialog: DialogKey, tag: &[u8], rseq: u32) -> bool {
        let branch = self.hash.of(&[tag]);
        let Some(asked) = self.calls.get_mut(dialog).and_then(|call| call.asked.as_mut()) else { return false };
        if let Some((_, last)) = asked.acknowledged.iter_mut().find(|(of, _)| *of == branch) {
            let next = last.checked_add(1) == Some(rseq);
            *last = if next { rseq } else { *last };
            return next;
        }
        let room = asked.acknowledged.len() < limits::SIP_FORKS_MAX;
        if room {
            asked.acknowledged.push((branch, rseq));
        }
        room
    }
}

/// `response-num CSeq-num Method` (RFC 3262 7.2).
fn rack(value: &[u8]) -> Option<(u32, u32)> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (rseq, cseq) = (decimal(words.next()?)?, decimal(words.next()?)?);
    (words.next()? == b"INVITE").then_some((rseq, cseq))
}
