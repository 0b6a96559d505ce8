//! Short messages for CPM users (IWF 6.2.2.2.1): joined, converted, sent as SIP MESSAGE, and answered with what the SIP side
//! says.

use core::time::Duration;

use crate::engine::joining::{Expired, Incomplete, Joined, Outcome, Part};
use crate::engine::{Moment, Now};
use crate::interwork::sms::deliver_sm_to_chat;
use crate::interwork::sms::deliver_sm_to_pager::{self, NOT_E164};
use crate::iwf::large_message;
use crate::iwf::message::Minted;
use crate::iwf::short_message::{self, Arrived, Head, NotTaken};
use crate::limits;
use crate::observe::{Stage, Trace};
use crate::wire::short_message::National;
use crate::wire::short_message::user_data::Concatenated;
use crate::wire::smpp::{CommandStatus, HEADER_BYTES};

use super::Shard;
use super::event::Event;
use super::handoff::{DeliverRef, Handoff, Offered, SessionRef};
use super::pager::Scratch;
use super::records::Acknowledgement;
use super::redelivery::Seen;
use super::submit::{ALARM_RETRY, micros};
use super::uac::{Ended, Purpose};

/// What the parts of a concatenated message have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    smsc: u16,
    head: Head,
}

impl Common {
    pub(super) fn of(smsc: u16, arrived: &Arrived<'_>) -> Common {
        Common { smsc, head: arrived.head }
    }
}

/// A short message that is on its way to the CPM side.
#[derive(Debug)]
pub(super) struct Delivery {
    common: Common,
    /// The deliver_sm that is answered when the CPM side has answered. A message whose parts are all answered has none.
    deliver: Option<DeliverRef>,
    fingerprint: u64,
    /// The parts, and the number of the one that `deliver` is.
    joined: Option<(Joined, u8)>,
    /// The PDU of that part, where promises are durable.
    pdu: Vec<u8>,
    attempts: u8,
    arrived: Moment,
    /// How long it took so far.
    pub(super) trace: Trace,
}

impl Delivery {
    /// A message whose parts are all answered.
    pub(super) fn of_parts(now: Now, common: Common, joined: Joined, trace: Trace) -> Delivery {
        let (joined, pdu, arrived) = (Some((joined, 0)), Vec::new(), now.moment);
        Delivery { common, deliver: None, fingerprint: 0, joined, pdu, attempts: 0, arrived, trace }
    }

    /// Between whom it is, and how.
    pub(super) fn head(&self) -> Head {
        self.common.head
    }
}

/// First wait before a message that nobody else will repeat is sent again; doubled each time.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(600);
/// Attempts for such a message: about a day.
const ATTEMPTS_MAX: u8 = 150;

impl Shard {
    /// As owner of its addresses: a deliver_sm or data_sm that is no status report.
    pub(super) fn deliver(&mut self, now: Now, deliver: DeliverRef, pdu: &[u8], mut trace: Trace) {
        self.stats.delivers += 1;
        self.stopwatch.end(&mut trace, Stage::Queue);
        let body = pdu.get(HEADER_BYTES..).unwrap_or_default();
        let fingerprint = self.route.hash(&[&self.account(deliver.smsc), body]);
        match self.redelivery.arrived(now.moment, fingerprint, &deliver) {
            Seen::New => {}
            Seen::Open => return self.stats.redelivered += 1,
            Seen::Answered(status) => {
                self.stats.redelivered += 1;
                return self.answer(deliver, status);
            }
        }
        if self.draining || self.requests.len() >= limits::DELIVERIES_MAX {
            return self.refuse_delivery(
                now,
                deliver,
                fingerprint,
                CommandStatus::ESME_RX_T_APPN,
                "overload or draining",
            );
        }
        match short_message::read(pdu, &self.iwf) {
            Ok(arrived) => {
                self.stopwatch.end(&mut trace, Stage::Parse);
                self.take_short_message(now, deliver, fingerprint, &arrived, trace)
            }
            Err(why) => {
                let (status, why) = not_taken(why);
                self.refuse_delivery(now, deliver, fingerprint, status, why);
            }
        }
    }

    fn refuse_delivery(
        &mut self,
        now: Now,
        deliver: DeliverRef,
        fingerprint: u64,
        status: CommandStatus,
        why: &'static str,
    ) {
        self.stats.delivers_refused += 1;
        let sequence_number = deliver.delivery.sequence_number;
        self.event(Event::DeliverRefused { smsc: deliver.smsc, sequence_number, status, why });
        self.answer_delivery(now, deliver, fingerprint, status, Trace::default());
    }

    pub(super) fn answer_delivery(
        &mut self,
        now: Now,
        deliver: DeliverRef,
        fingerprint: u64,
        status: CommandStatus,
        trace: Trace,
    ) {
        let waiting = self.redelivery.answered(now.moment, fingerprint, deliver, status);
        self.answer_timed(waiting, status, trace);
    }

    fn take_short_message(
        &mut self,
        now: Now,
        deliver: DeliverRef,
        fingerprint: u64,
        arrived: &Arrived<'_>,
        trace: Trace,
    ) {
        let common = Common::of(deliver.smsc, arrived);
        let Some(part) = arrived.part else {
            return self.take_single(now, (deliver, fingerprint, trace), common, arrived);
        };
        if self.undelivered.len() >= limits::UNDELIVERED_MAX {
            // What is acknowledged in parts might have to be kept for long.
            let status = CommandStatus::ESME_RX_T_APPN;
            return self.refuse_delivery(now, deliver, fingerprint, status, "too much is undelivered");
        }
        if self.records.is_failing() {
            let status = CommandStatus::ESME_RX_T_APPN;
            return self.refuse_delivery(now, deliver, fingerprint, status, "parts cannot be stored");
        }
        let ticket = self.part_ticket();
        let (key, part) = self.part_of(common, arrived, part, ticket);
        let number = part.number;
        let outcome = self.joining.handle_part(now, key, part);
        // A set that this part ended has its head under the same key as the one it began.
        self.expire_joins(now);
        if !matches!(outcome, Outcome::Stored) {
            self.drop_ticket(ticket);
        }
        match outcome {
            Outcome::Single | Outcome::Unusable => {
                self.take_single(now, (deliver, fingerprint, trace), common, arrived)
            }
            Outcome::Stored => {
                self.stats.parts_stored += 1;
                self.joining_heads.insert(key, common);
                self.record_part(now, ticket, deliver.smsc, arrived.pdu);
                self.acknowledge(now, Acknowledgement::Part { deliver, fingerprint });
            }
            Outcome::Duplicate => {
                self.stats.parts_repeated += 1;
                if self.joined_open.contains(&key) {
                    let status = CommandStatus::ESME_RX_T_APPN;
                    return self.answer_delivery(now, deliver, fingerprint, status, trace);
                }
                // The first one, or what became of the whole, may not be on record yet.
                self.acknowledge(now, Acknowledgement::Part { deliver, fingerprint });
            }
            Outcome::Full => {
                self.refuse_delivery(now, deliver, fingerprint, CommandStatus::ESME_RX_T_APPN, "no room for parts");
            }
            Outcome::Complete(joined) => {
                self.joining_heads.remove(&key);
                self.joined_open.insert(key);
                let joined = Some((joined, number));
                let pdu = if self.settings.durable { self.pool.copy(arrived.pdu) } else { Vec::new() };
                let (deliver, arrived) = (Some(deliver), now.moment);
                self.pass_on(now, Delivery { common, deliver, fingerprint, joined, pdu, attempts: 0, arrived, trace });
            }
        }
    }

    pub(super) fn answer_part(&mut self, now: Now, deliver: DeliverRef, fingerprint: u64) {
        self.answer_delivery(now, deliver, fingerprint, CommandStatus::ESME_ROK, Trace::default());
    }

    /// The part that a short message is, and the key of those it belongs to.
    pub(super) fn part_of<'a>(
        &self,
        common: Common,
        arrived: &Arrived<'a>,
        place: Concatenated,
        ticket: u64,
    ) -> (u64, Part<'a>) {
        let Concatenated { total, number, .. } = place;
        let (data_coding, national, octets) = (arrived.data_coding, arrived.national, arrived.octets);
        let part = Part { number, total, ticket, data_coding, national, octets };
        (self.join_key(common, &place, arrived.by_sar), part)
    }

    /// Parts belong together if account, addresses, reference, its width and its kind agree.
    fn join_key(&self, common: Common, part: &Concatenated, by_sar: bool) -> u64 {
        let kind = [u8::from(part.wide), u8::from(by_sar), part.total];
        let Head { source, dest, .. } = common.head;
        self.route.hash(&[
            &self.account(common.smsc),
            &source.digits,
            b"/",
            &dest.digits,
            &kind,
            &part.reference.to_be_bytes(),
        ])
    }

    fn take_single(
        &mut self,
        now: Now,
        (deliver, fingerprint, trace): (DeliverRef, u64, Trace),
        common: Common,
        arrived: &Arrived<'_>,
    ) {
        let parts = [(arrived.national, arrived.octets)];
        if !self.decode(common, arrived.data_coding, parts) {
            let status = CommandStatus::ESME_RX_P_APPN;
            return self.refuse_delivery(now, deliver, fingerprint, status, "not text");
        }
        let (deliver, arrived) = (Some(deliver), now.moment);
        self.send_short_message(
            now,
            Delivery { common, deliver, fingerprint, joined: None, pdu: Vec::new(), attempts: 0, arrived, trace },
        );
    }

    /// Sends a message whose parts are joined.
    pub(super) fn pass_on(&mut self, now: Now, delivery: Delivery) {
        if self.draining && self.settings.durable && delivery.deliver.is_none() {
            // Nobody waits for it here, and the next process has it from the disk.
            return;
        }
        let Some((joined, _)) = &delivery.joined else { return };
        let data_coding = joined.parts().next().map_or(0, |part| part.data_coding);
        let mut scratch = core::mem::take(&mut self.scratch);
        let zero = self.zero_of(delivery.common.smsc);
        let parts = joined.parts().map(|part| (part.national, part.octets));
        let is_text = short_message::decode(data_coding, zero, parts, &mut scratch.octets, &mut scratch.text);
        self.scratch = scratch;
        if is_text {
            return self.send_short_message(now, delivery);
        }
        self.finish(now, delivery, CommandStatus::ESME_RX_P_APPN);
    }

    fn zero_of(&self, smsc: u16) -> crate::wire::short_message::DataCodingZero {
        self.settings.smscs.get(usize::from(smsc)).map(|smsc| smsc.coding.data_coding_0).unwrap_or_default()
    }

    fn decode(&mut self, common: Common, data_coding: u8, parts: [(National, &[u8]); 1]) -> bool {
        let zero = self.zero_of(common.smsc);
        let scratch = &mut self.scratch;
        short_message::decode(data_coding, zero, parts, &mut scratch.octets, &mut scratch.text)
    }

    /// A text between two who share a session belongs there (6.2.2.2.2); else it goes its own way. It is in the scratch
    /// buffer.
    fn send_short_message(&mut self, now: Now, delivery: Delivery) {
        let Head { source, dest, .. } = delivery.common.head;
        let open = |between| self.session_index.get(&between).and_then(|open| open.last().copied());
        let whose = if self.session_index.is_empty() { None } else { open(self.between(&source, &dest)) };
        match whose {
            Some(whose) => self.offer(whose, delivery),
            None => self.send_on_its_own(now, delivery),
        }
    }

    fn offer(&mut self, whose: SessionRef, delivery: Delivery) {
        let (text, user_response_code) = (self.scratch.text.clone(), delivery.common.head.user_response_code);
        let (session, delivery) = (whose.session, self.offered.insert(delivery));
        self.outbox.hand(whose.shard, Handoff::Offer { session, delivery, text, user_response_code });
    }

    /// What became of a text that was offered to a session.
    pub(super) fn offer_ended(&mut self, now: Now, delivery: u64, outcome: Offered) {
        let Some(delivery) = self.offered.remove(delivery) else { return };
        let status = match outcome {
            Offered::Taken => CommandStatus::ESME_ROK,
            Offered::Refused(code) => deliver_sm_to_chat::command_status(code, &self.iwf.policy),
            Offered::NotTaken => CommandStatus::ESME_RX_T_APPN,
            Offered::NotOfSession { text } => {
                self.scratch.text = text;
                return self.send_on_its_own(now, delivery);
            }
        };
        self.finish(now, delivery, status);
    }

    /// Step 4: "SHALL send the SIP MESSAGE request towards the CPM Client", or an INVITE if it is "too large to be sent as
    /// one SIP MESSAGE request" (6.2.2.2.3 step 3).
    fn send_on_its_own(&mut self, now: Now, delivery: Delivery) {
        let (mut tag, mut message_id, mut call_id) = ([0; 12], [0; 24], self.pool.take());
        self.random.token(&mut tag);
        self.random.token(&mut message_id);
        let (conversation_id, contribution_id) = (uuid(&mut self.random), uuid(&mut self.random));
        self.route.mint_call_id(self.settings.id, self.settings.sip.domain.as_bytes(), &mut self.random, &mut call_id);
        let minted = Minted {
            call_id: &call_id,
            tag: &tag,
            message_id: &message_id,
            conversation_id: &conversation_id,
            contribution_id: &contribution_id,
        };
        let mut written = self.pool.take();
        if self.can_invite() && self.is_large(now, &delivery, &minted, &mut written) {
            self.send_large_message(now, delivery, &minted);
        } else {
            self.send_message(now, delivery, &minted, &written);
        }
        self.pool.give(written);
        self.pool.give(call_id);
    }

    /// Whether a MESSAGE would be too large; it may be in `out` then.
    fn is_large(&mut self, now: Now, delivery: &Delivery, minted: &Minted<'_>, out: &mut Vec<u8>) -> bool {
        let Scratch { text, octets } = &mut self.scratch;
        let head = delivery.common.head;
        large_message::is_due(&head, text, now, &self.iwf, minted, octets, out)
    }

    /// The MESSAGE, which may be written already.
    fn send_message(&mut self, now: Now, delivery: Delivery, minted: &Minted<'_>, written: &[u8]) {
        let head = delivery.common.head;
        let token = self.requests.insert(Purpose::ShortMessage(delivery));
        let (scratch, iwf) = (&mut self.scratch, &self.iwf);
        let targets = self.hop.as_mut().map_or(&[][..], |hop| hop.targets(now.moment, &mut self.random));
        self.clients.send(now.moment, token, targets, &mut self.random, |out| {
            if !written.is_empty() {
                return out.extend_from_slice(written);
            }
            short_message::write(&head, &scratch.text, now, iwf, minted, &mut scratch.octets, out);
        });
        self.request_written(token);
    }

    /// "When the SMS IWF receives the SIP response, it SHALL generate a deliver_sm_resp" by Table 10.
    pub(super) fn short_message_ended(&mut self, now: Now, mut delivery: Delivery, ended: Ended) {
        let status = self.command_status_of(ended);
        self.stopwatch.end_at_arrival(&mut delivery.trace, Stage::Sip);
        self.finish(now, delivery, status);
    }

    pub(super) fn finish(&mut self, now: Now, mut delivery: Delivery, status: CommandStatus) {
        let accepted = status == CommandStatus::ESME_ROK;
        self.stats.delivers_accepted += u64::from(accepted);
        let temporary = status == CommandStatus::ESME_RX_T_APPN;
        if temporary && self.draining && !self.settings.durable && delivery.joined.is_some() {
            self.take_over(now, &mut delivery);
        }
        if delivery.deliver.is_none() && temporary {
            return self.keep_undelivered(now, delivery);
        }
        self.stats.delivers_refused += u64::from(!accepted);
        let in_parts = delivery.joined.is_some();
        if let Some((joined, last)) = delivery.joined.take() {
            self.joined_open.remove(&joined.key());
            if !temporary {
                self.record_joined(now, delivery.common.smsc, &delivery.pdu, &joined);
            }
            self.joined_ended(now, joined, last, delivery.common, temporary);
        }
        self.pool.give(core::mem::take(&mut delivery.pdu));
        self.latencies.sms_to_cpm.add(micros(now.moment.since(delivery.arrived)));
        match delivery.deliver {
            Some(deliver) => {
                if !accepted {
                    self.event(Event::DeliverRefused {
                        smsc: deliver.smsc,
                        sequence_number: deliver.delivery.sequence_number,
                        status,
                        why: "the SIP side did not take it",
                    });
                }
                let Delivery { fingerprint, trace, .. } = delivery;
                if in_parts {
                    return self.acknowledge(now, Acknowledgement::Last { deliver, fingerprint, status, trace });
                }
                self.answer_delivery(now, deliver, fingerprint, status, trace);
            }
            None if !accepted => self.event(Event::DeliverLost { smsc: delivery.common.smsc }),
            None => {}
        }
    }

    /// There will be nobody here for the repeated last part: it is acknowledged like the others.
    fn take_over(&mut self, now: Now, delivery: &mut Delivery) {
        if let Some(deliver) = delivery.deliver.take() {
            self.answer_delivery(now, deliver, delivery.fingerprint, CommandStatus::ESME_ROK, delivery.trace);
        }
    }

    /// The SM-SC repeats only the last part of what could not be delivered, so the others wait for it again.
    fn joined_ended(&mut self, now: Now, joined: Joined, last: u8, common: Common, temporary: bool) {
        if temporary {
            self.joining.put_back(now, &joined, last);
            // Another message may have begun under the reference meanwhile: it ended here, under the same key.
            self.expire_joins(now);
            self.joining_heads.insert(joined.key(), common);
            self.joining.recycle(joined);
        } else {
            self.parts_over(joined);
        }
    }

    /// Nobody will ask for these parts again.
    fn parts_over(&mut self, joined: Joined) {
        self.forget_parts(&joined);
        self.joining.recycle(joined);
    }

    /// Nobody repeats a message whose parts were all acknowledged: we do.
    fn keep_undelivered(&mut self, now: Now, mut delivery: Delivery) {
        delivery.attempts += 1;
        if delivery.attempts > ATTEMPTS_MAX {
            self.stats.delivers_refused += 1;
            if let Some((joined, _)) = delivery.joined.take() {
                self.joined_open.remove(&joined.key());
                self.parts_over(joined);
            }
            return self.event(Event::DeliverLost { smsc: delivery.common.smsc });
        }
        let longest = if self.draining { RETRY_MIN } else { RETRY_MAX };
        let wait = (RETRY_MIN * (1 << u32::from(delivery.attempts).min(10))).min(longest);
        let key = self.undelivered.insert(delivery);
        self.arm(now.moment + wait, ALARM_RETRY, key);
    }

    pub(super) fn deliver_again(&mut self, now: Now, key: u64) {
        if let Some(delivery) = self.undelivered.remove(key) {
            self.pass_on(now, delivery);
        }
    }

    /// Step 2's wait ends: what came is delivered, or nothing, by policy.
    pub(super) fn expire_joins(&mut self, now: Now) {
        self.joining.handle_timeout(now);
        while let Some(Expired { incomplete, joined }) = self.joining.poll_expired() {
            self.stats.joins_expired += 1;
            match (self.joining_heads.remove(&joined.key()), incomplete) {
                (Some(common), Incomplete::DeliverWhatCame) => {
                    self.pass_on(now, Delivery::of_parts(now, common, joined, Trace::default()));
                }
                _ => self.parts_over(joined),
            }
        }
    }

    /// Table 10, and "try again" for what was never answered.
    pub(super) fn command_status_of(&self, ended: Ended) -> CommandStatus {
        match ended {
            Ended::Answered(code) => deliver_sm_to_pager::command_status(code, &self.iwf.policy),
            Ended::Failed => CommandStatus::ESME_RX_T_APPN,
        }
    }
}

fn not_taken(why: NotTaken) -> (CommandStatus, &'static str) {
    match why {
        NotTaken::Address => (NOT_E164, "an address is no E.164 number"),
        NotTaken::SwitchedOff => (CommandStatus::ESME_RX_P_APPN, "Standalone Messages are switched off"),
        NotTaken::Malformed => (CommandStatus::ESME_RX_P_APPN, "malformed"),
        NotTaken::NotText => (CommandStatus::ESME_RX_P_APPN, "not text for a person"),
    }
}

/// A random UUID (RFC 9562 5.4), as Conversation-ID and Contribution-ID are written.
pub(super) fn uuid(random: &mut crate::engine::Random) -> [u8; 36] {
    let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let bits = bits & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let low = |shift: u32| u32::try_from(bits >> shift & u128::from(u32::MAX)).unwrap_or(0);
    let digits = [96, 64, 32, 0].map(|shift| hexadecimal(low(shift)));
    let digits = digits.as_flattened();
    let mut uuid = [b'-'; 36];
    uuid[..8].copy_from_slice(&digits[..8]);
    uuid[9..13].copy_from_slice(&digits[8..12]);
    uuid[14..18].copy_from_slice(&digits[12..16]);
    uuid[19..23].copy_from_slice(&digits[16..20]);
    uuid[24..].copy_from_slice(&digits[20..]);
    uuid
}

/// The eight digits of a number: its nibbles are spread over eight octets, and become digits all at once.
fn hexadecimal(number: u32) -> [u8; 8] {
    const ONES: u64 = u64::MAX / 0xff;
    let spread = |bits: u64, by: u32, mask: u64| (bits | bits << by) & mask;
    let halves = spread(u64::from(number), 16, 0x0000_FFFF_0000_FFFF);
    let nibbles = spread(spread(halves, 8, 0x00FF_00FF_00FF_00FF), 4, ONES * 0x0F);
    let letters = (nibbles + ONES * 6) >> 4 & ONES;
    (nibbles + ONES * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_at_once() {
        for number in [0, 1, 0x9ABC_DEF0, 0x0123_4567, 0x89AB_CDEF, u32::MAX, 0xA0A9_0F9F] {
            assert_eq!(hexadecimal(number), format!("{number:08x}").as_bytes());
        }
    }

    #[test]
    fn uuids_are_of_version_4() {
        let uuid = uuid(&mut crate::engine::Random::from_seed([3; 32]));
        let text = core::str::from_utf8(&uuid).unwrap();
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uuid[14], b'4');
        assert!(matches!(uuid[19], b'8' | b'9' | b'a' | b'b'));
    }
}
