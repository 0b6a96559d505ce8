//! Short messages of ours under way to one peer: texts cut and written, status reports, a window, and who answered what.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::desk::Desk;
use super::mix::Message;
use crate::engine::Now;
use crate::engine::keyed_hash::Hashed;
use crate::engine::transport::LinkId;
use crate::limits::{LOAD_NUMBERS, LOAD_WINDOW_MAX};
use crate::wire::digits::digits;
use crate::wire::inline::Inline;
use crate::wire::short_message::segments::Segment;
use crate::wire::short_message::{CodingOptions, Concatenation, DataCodingZero, Plan, SegmentOptions, choose};
use crate::wire::smpp::{CommandId, CommandStatus, MessageState, Pdu, SubmitSm, Tag, Tlvs, tlv};

/// An address of a short message.
pub(super) type Address = Inline<20>;

/// How texts are sent.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// submit_sm or deliver_sm.
    pub(super) command: CommandId,
    pub(super) window: usize,
    pub(super) data_coding_0: DataCodingZero,
    pub(super) concatenation: Concatenation,
    pub(super) from: String,
    pub(super) to: String,
}

/// A status report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) number: u32,
    /// Of the short message it is about.
    pub(super) id: u64,
    /// Whether it is the last about this message.
    pub(super) last: bool,
    pub(super) undelivered: bool,
    /// Who sent the message, and to whom.
    pub(super) source: Address,
    pub(super) destination: Address,
}

#[derive(Clone, Copy, Debug)]
enum Waiting {
    Text(u32),
    Report(Report),
}

/// A request without a response.
#[derive(Clone, Copy, Debug)]
struct Sent {
    sequence: u32,
    link: LinkId,
    what: Waiting,
}

/// What a response means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answered {
    /// This message is answered, and this is the worst answer to a part of it.
    Text(u32, CommandStatus),
    /// This report was not taken.
    Report(Report),
    /// Nothing yet, or nothing that was asked.
    Nothing,
}

/// What is under way to one peer.
#[derive(Debug)]
pub(super) struct Sender {
    manner: Manner,
    in_flight: usize,
    next_sequence: u32,
    next_reference: u16,
    next_link: usize,
    sent: Vec<Option<Sent>>,
    waiting: VecDeque<Waiting>,
    /// Of texts with several parts: how many are unanswered, and the worst answer.
    parts: HashMap<u32, (u8, CommandStatus), Hashed>,
    text: String,
    octets: Vec<u8>,
    tlvs: Vec<u8>,
}

impl Sender {
    pub(super) fn new(manner: Manner) -> Sender {
        Sender {
            manner,
            in_flight: 0,
            next_sequence: 1,
            next_reference: 0,
            next_link: 0,
            sent: vec![None; LOAD_WINDOW_MAX * 2],
            waiting: VecDeque::new(),
            parts: HashMap::with_hasher(Hashed::default()),
            text: String::new(),
            octets: Vec::new(),
            tlvs: Vec::new(),
        }
    }

    /// Sends a text as soon as the window has room.
    pub(super) fn text(&mut self, message: &Message) {
        self.waiting.push_back(Waiting::Text(message.number));
    }

    /// Sends a status report as soon as the window has room.
    pub(super) fn report(&mut self, report: Report) {
        self.waiting.push_back(Waiting::Report(report));
    }

    /// Writes what the window has room for, on `links` in turn.
    pub(super) fn pump(&mut self, now: Now, desk: &mut Desk, links: &[LinkId]) {
        while self.in_flight < self.manner.window && !links.is_empty() {
            let Some(next) = self.waiting.pop_front() else { return };
            self.next_link = (self.next_link + 1) % links.len();
            let link = links[self.next_link];
            match next {
                Waiting::Text(number) => self.write_text(desk, link, number),
                Waiting::Report(report) => self.write_report(now, desk, link, &report),
            }
        }
    }

    /// The message that a request without a response is about.
    pub(super) fn number_of(&self, sequence: u32) -> Option<u32> {
        let sent = self.sent.get(sequence as usize & (self.sent.len() - 1))?.as_ref()?;
        match sent.what {
            Waiting::Text(number) if sent.sequence == sequence => Some(number),
            _ => None,
        }
    }

    /// How many short messages the text of a message takes.
    pub(super) fn parts_of(&self, desk: &Desk, number: u32) -> u8 {
        let mut text = String::new();
        desk.texts.write(&desk.texts.message(number), &mut text);
        let chosen = choose(&text, &self.coding_options());
        Plan::new(&text, chosen, &self.segment_options()).map_or(1, |plan| plan.total())
    }

    /// A response.
    pub(super) fn answered(&mut self, sequence: u32, status: CommandStatus) -> Answered {
        let place = sequence as usize & (self.sent.len() - 1);
        let sent = self.sent.get_mut(place).and_then(|sent| sent.take_if(|sent| sent.sequence == sequence));
        let Some(sent) = sent else { return Answered::Nothing };
        self.in_flight -= 1;
        match sent.what {
            Waiting::Text(number) => self.part_answered(number, status),
            Waiting::Report(report) if status != CommandStatus::ESME_ROK => Answered::Report(report),
            Waiting::Report(_) => Answered::Nothing,
        }
    }

    fn part_answered(&mut self, number: u32, status: CommandStatus) -> Answered {
        let Some((left, worst)) = self.parts.get_mut(&number) else { return Answered::Text(number, status) };
        *left -= 1;
        if status != CommandStatus::ESME_ROK {
            *worst = status;
        }
        if *left > 0 {
            return Answered::Nothing;
        }
        let worst = *worst;
        self.parts.remove(&number);
        Answered::Text(number, worst)
    }

    /// What was sent on a connection that is gone is not answered any more.
    pub(super) fn on_closed(&mut self, link: LinkId) {
        let gone = self.sent.iter_mut().filter_map(|sent| sent.take_if(|sent| sent.link == link)).count();
        self.in_flight -= gone;
    }

    fn write_text(&mut self, desk: &mut Desk, link: LinkId, number: u32) {
        let message = desk.texts.message(number);
        let mut text = core::mem::take(&mut self.text);
        text.clear();
        desk.texts.write(&message, &mut text);
        let (coding, options) = (self.coding_options(), self.segment_options());
        if let Ok(plan) = Plan::new(&text, choose(&text, &coding), &options) {
            self.write_plan(desk, link, &message, &plan);
        }
        self.text = text;
    }

    fn write_plan(&mut self, desk: &mut Desk, link: LinkId, message: &Message, plan: &Plan<'_>) {
        if plan.total() > 1 {
            self.parts.insert(message.number, (plan.total(), CommandStatus::ESME_ROK));
        }
        self.next_reference = self.next_reference.wrapping_add(1);
        let mut segments = plan.segments(self.next_reference);
        let mut octets = core::mem::take(&mut self.octets);
        octets.clear();
        while let Some(segment) = segments.next_into(&mut octets) {
            self.write_segment(desk, link, message, plan, &segment, &octets);
            octets.clear();
        }
        self.octets = octets;
    }

    fn write_segment(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        message: &Message,
        plan: &Plan<'_>,
        segment: &Segment,
        octets: &[u8],
    ) {
        let sequence = self.sequence(link, Waiting::Text(message.number));
        self.tlvs.clear();
        if segment.concatenation == Some(Concatenation::Sar) {
            tlv::put(&mut self.tlvs, Tag::SAR_MSG_REF_NUM, &segment.reference.to_be_bytes());
            tlv::put(&mut self.tlvs, Tag::SAR_TOTAL_SEGMENTS, &[segment.total]);
            tlv::put(&mut self.tlvs, Tag::SAR_SEGMENT_SEQNUM, &[segment.number]);
        }
        if plan.in_payload() {
            tlv::put(&mut self.tlvs, Tag::MESSAGE_PAYLOAD, octets);
        }
        let phone = message.number % LOAD_NUMBERS;
        let (source, destination) = (address(&self.manner.from, phone), address(&self.manner.to, phone));
        let wants_report = self.manner.command == CommandId::SUBMIT_SM && message.is_notified();
        let pdu = SubmitSm {
            esm_class: if segment.user_data_header { 0x40 } else { 0 },
            registered_delivery: u8::from(wants_report),
            data_coding: plan.data_coding(),
            short_message: if plan.in_payload() { b"" } else { octets },
            tlvs: Tlvs::whole_ones(&self.tlvs),
            ..addressed(&source, &destination)
        };
        let out = desk.out.stream(link);
        Pdu::SubmitSm(pdu).emit(out, self.manner.command, CommandStatus::ESME_ROK, sequence);
    }

    fn write_report(&mut self, now: Now, desk: &mut Desk, link: LinkId, report: &Report) {
        let sequence = self.sequence(link, Waiting::Report(*report));
        let (state, word) = if report.undelivered {
            (MessageState::UNDELIVERABLE, "UNDELIV")
        } else {
            (MessageState::DELIVERED, "DELIVRD")
        };
        let id = id_octets(report.id);
        self.octets.clear();
        for part in [b"id:", &id[..], b" sub:001 dlvrd:001 submit date:2601011200 done date:2601011200 stat:"] {
            self.octets.extend_from_slice(part);
        }
        self.octets.extend_from_slice(word.as_bytes());
        self.octets.extend_from_slice(b" err:000 text:");
        self.tlvs.clear();
        let mut with_nul = [0; 11];
        with_nul[..10].copy_from_slice(&id);
        tlv::put(&mut self.tlvs, Tag::RECEIPTED_MESSAGE_ID, &with_nul);
        tlv::put(&mut self.tlvs, Tag::MESSAGE_STATE, &[state.0]);
        let pdu = SubmitSm {
            esm_class: 0x04,
            short_message: &self.octets,
            tlvs: Tlvs::whole_ones(&self.tlvs),
            ..addressed(&report.destination, &report.source)
        };
        Pdu::DeliverSm(pdu).emit(desk.out.stream(link), CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence);
        if report.last {
            desk.ledger.reported(report.number, desk.us(now));
        }
    }

    fn sequence(&mut self, link: LinkId, what: Waiting) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence = if sequence == 0x7FFF_FFFF { 1 } else { sequence + 1 };
        let place = sequence as usize & (self.sent.len() - 1);
        let old = self.sent[place].replace(Sent { sequence, link, what });
        // A request that was never answered leaves the window at last.
        self.in_flight += usize::from(old.is_none());
        sequence
    }

    const fn coding_options(&self) -> CodingOptions {
        CodingOptions {
            data_coding_0: self.manner.data_coding_0,
            allow_latin1: true,
            national: None,
            transliterate: false,
        }
    }

    fn segment_options(&self) -> SegmentOptions {
        SegmentOptions { concatenation: self.manner.concatenation, ..SegmentOptions::default() }
    }
}

/// The message_id of a short message: ten digits.
pub(super) fn id_octets(id: u64) -> [u8; 10] {
    let mut octets = [b'0'; 10];
    let digits = digits(id % 10_000_000_000);
    let start = octets.len() - digits.len().min(octets.len());
    octets[start..].copy_from_slice(&digits);
    octets
}

/// A telephone number: what all have in common, and five digits.
fn address(prefix: &str, phone: u32) -> Address {
    let mut address = Address::from_slice(prefix.as_bytes()).unwrap_or_default();
    let digits = id_octets(u64::from(phone));
    let _ = address.extend(&digits[5..]);
    address
}

fn addressed<'a>(source: &'a [u8], destination: &'a [u8]) -> SubmitSm<'a> {
    SubmitSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: source,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: destination,
        ..SubmitSm::default()
    }
}
