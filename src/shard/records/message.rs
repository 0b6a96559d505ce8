//! Messages whose reports are awaited (IWF 6.2.2.1.1: "SHALL store the message_id parameter in order to find the
//! corresponding SMS transaction").

use core::time::Duration;

use crate::engine::Now;
use crate::engine::transport::{RecordId, ShardId};
use crate::interwork::sms::pager_to_submit_sm::registered_delivery_of;
use crate::iwf::retained::{Procedure, Progress, Retained};
use crate::iwf::segments::{Reports, Responses};
use crate::limits;
use crate::observe::Trace;
use crate::policy::UnknownOutcome;
use crate::wire::cpim::Dispositions;
use crate::wire::smpp::MessageState;
use crate::wire::span::Span;

use super::super::Shard;
use super::super::event::{self, CallId};
use super::super::handoff::{Handoff, MessageId, SegmentRef};
use super::super::status_reports::Telling;
use super::super::submit::{ALARM_EXPIRY, ALARM_TELL, Message};
use super::fields::{Fields, Rest};
use super::{Kind, moment, unix_ms};

/// After a start the SIP side may have to be found first.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// How far a message had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its sender was promised nothing.
    Unanswered,
    /// By policy he was, before the SM-SC had answered.
    Promised,
    /// The SM-SC has it, or may have it.
    Submitted,
    /// It was promised and failed, and its sender is to hear of that.
    Failed(MessageState),
}

impl Phase {
    fn number(self) -> u64 {
        match self {
            Phase::Unanswered => 0,
            Phase::Promised => 1,
            Phase::Submitted => 2,
            Phase::Failed(state) => 0x100 | u64::from(state.0),
        }
    }

    fn of(number: u64) -> Option<Phase> {
        match number {
            0 => Some(Phase::Unanswered),
            1 => Some(Phase::Promised),
            2 => Some(Phase::Submitted),
            0x100..=0x1FF => u8::try_from(number & 0xFF).ok().map(|state| Phase::Failed(MessageState(state))),
            _ => None,
        }
    }
}

fn phase_of(message: &Message) -> Phase {
    match message.telling.owed() {
        Some(state) => Phase::Failed(state),
        None if message.progress.submitted => Phase::Submitted,
        None if message.accepted_early => Phase::Promised,
        None => Phase::Unanswered,
    }
}

/// One id that an SM-SC gave, as it stands in what is retained of its message.
struct Id<'a> {
    segment: u8,
    smsc: u16,
    id: &'a [u8],
}

impl Shard {
    /// Keeps the id that the SM-SC gave a segment, as reports will name it.
    pub(in super::super) fn note_id(&mut self, whose: SegmentRef, smsc: u16, id: &[u8]) {
        let Some(message) = self.messages.get_mut(whose.message).filter(|_| self.settings.durable) else { return };
        let octets = &mut message.retained.octets;
        let from = if message.ids.is_empty() { octets.len() } else { message.ids.start() };
        octets.push(whose.segment);
        octets.extend_from_slice(&smsc.to_be_bytes());
        octets.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
        octets.extend_from_slice(id);
        message.ids = Span::new(from, octets.len());
    }

    /// Records what is known of a message, in place of what was known before.
    pub(in super::super) fn record_message(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get(key).filter(|_| self.settings.durable) else { return };
        let (earlier, until) = (message.record, message.retained.until);
        let record = self.record_in_place_of(earlier, now, until, Kind::Message, |shard, octets| {
            if let Some(message) = shard.messages.get(key) {
                shard.write_message(now, message, &mut Fields(octets));
            }
        });
        if let Some(message) = self.messages.get_mut(key) {
            message.record = Some(record);
        }
    }

    fn write_message(&self, now: Now, message: &Message, fields: &mut Fields<'_>) {
        let Message { record, call_id, requested, total, progress, reports, retained, .. } = message;
        fields.number(u64::from(record.is_some()));
        if let Some(earlier) = record {
            fields.id(*earlier);
        }
        fields.octets(call_id);
        fields.number(procedure_number(progress.procedure));
        fields.number(bits_of(*requested));
        fields.number(u64::from(*total));
        fields.number(phase_of(message).number());
        fields.number(unix_ms(now, retained.until));
        // One whose report waits for its answer is not decided: the SM-SC repeats it.
        let waiting = message.telling.waiting_segment();
        let decided = reports.decided(*total).filter(|segment| Some(*segment) != waiting);
        fields.list(decided, |fields, segment| fields.number(u64::from(segment)));
        fields.number(reports.worst().map_or(0, |state| u64::from(state.0)));
        fields.list(ids(message.ids.of(&retained.octets)), |fields, id| {
            fields.number(u64::from(id.segment));
            fields.octets(self.smsc_identity(id.smsc));
            fields.octets(id.id);
        });
        write_values(retained, fields);
    }

    pub(super) fn restore_message(&mut self, now: Now, record: RecordId, mut fields: Rest<'_>) -> Option<()> {
        let _earlier = earlier(&mut fields)?;
        let call_id = event::call_id(fields.octets()?);
        let procedure = procedure_of(fields.number()?)?;
        let requested = dispositions_of(fields.number()?);
        let (total, phase) = (fields.small()?, Phase::of(fields.number()?)?);
        let until = moment(now, fields.number()?);
        let decided: Vec<u8> = fields.list(Rest::small)?;
        let worst = Some(MessageState(fields.small()?)).filter(|state| state.0 != 0);
        let ids: Vec<(u8, &[u8], &[u8])> =
            fields.list(|fields| Some((fields.small()?, fields.octets()?, fields.octets()?)))?;
        let retained = Retained { until, ..retained_of(self.stored.take(), &mut fields)? };
        if phase == Phase::Unanswered {
            // Its sender was told nothing, and sends it again.
            self.forget(record);
            return Some(());
        }
        if self.messages.len() >= limits::AWAITED_MESSAGES_MAX {
            self.stats.reports_not_kept += u64::from(total);
            return None;
        }
        let report_requested = registered_delivery_of(requested, &self.iwf.policy) != 0;
        let progress = Progress { procedure, report_requested, answered: true, submitted: true, ..Progress::default() };
        let reports = Reports::restored(decided.iter().copied(), worst);
        let of = Restored { call_id, requested, total, retained, progress, reports };
        let key = self.messages.insert(of.message(now, record, self.id()));
        for (segment, identity, id) in ids {
            self.open_again(key, segment, identity, id);
        }
        self.await_reports_again(now, key, phase);
        Some(())
    }

    /// An id is open again, also one whose report was counted: the SM-SC repeats that if it missed the answer.
    fn open_again(&mut self, key: u64, segment: u8, identity: &[u8], id: &[u8]) {
        let whose = SegmentRef { owner: self.id(), message: key, segment };
        let (Some(smsc), Some(id)) = (self.smsc_known(identity), MessageId::from_slice(id)) else {
            self.stats.reports_not_kept += 1;
            return;
        };
        let Some(until) = self.messages.get(key).map(|message| message.retained.until) else { return };
        let hash = self.report_hash(smsc, &id);
        self.note_id(whose, smsc, &id);
        self.outbox.hand(self.route.of_hash(hash), Handoff::Register { hash, whose, until });
    }

    /// What was submitted waits for its reports. What failed is told still. What was only promised may never have left: by
    /// policy its sender is told that nobody knows.
    fn await_reports_again(&mut self, now: Now, key: u64, phase: Phase) {
        let refuse = self.iwf.policy.submission.unknown_outcome == UnknownOutcome::Refuse;
        let owed = match phase {
            Phase::Failed(state) => Some(state),
            Phase::Promised if refuse => Some(MessageState::UNKNOWN),
            Phase::Promised | Phase::Submitted | Phase::Unanswered => None,
        };
        let Some(message) = self.messages.get_mut(key) else { return };
        let until = message.retained.until;
        let alarm = if let Some(state) = owed {
            message.telling = Telling::of_failed(state);
            self.untold += 1;
            self.arm(now.moment + TELL_AFTER, ALARM_TELL, key)
        } else {
            self.arm(until, ALARM_EXPIRY, key)
        };
        if let Some(message) = self.messages.get_mut(key) {
            message.alarm = Some(alarm);
        }
    }
}

/// What a record says of a message.
struct Restored {
    call_id: CallId,
    requested: Dispositions,
    total: u8,
    retained: Retained,
    progress: Progress,
    reports: Reports,
}

impl Restored {
    fn message(self, now: Now, record: RecordId, shard: ShardId) -> Message {
        let Restored { call_id, requested, total, retained, progress, reports } = self;
        Message {
            reply: None,
            accepted_early: false,
            call_id,
            session: 0,
            arrived: now.moment,
            retained,
            requested,
            total,
            responses: Responses::default(),
            reports,
            progress,
            smsc: 0,
            shard,
            pdus: Vec::new(),
            resends: 0,
            until: now.moment,
            alarm: None,
            telling: Telling::default(),
            ids: Span::default(),
            record: Some(record),
            trace: Trace::default(),
        }
    }
}

/// Which record a record took the place of.
pub(super) fn replaces(octets: &[u8]) -> Option<RecordId> {
    let (&kind, fields) = octets.split_first()?;
    earlier(&mut Rest(fields)).filter(|_| kind == Kind::Message as u8)?
}

fn earlier(fields: &mut Rest<'_>) -> Option<Option<RecordId>> {
    if fields.number()? == 0 { Some(None) } else { fields.id().map(Some) }
}

fn ids(mut octets: &[u8]) -> impl Iterator<Item = Id<'_>> {
    core::iter::from_fn(move || {
        let ([segment, high, low, len], rest) = octets.split_first_chunk()?;
        let (id, rest) = rest.split_at_checked(usize::from(*len))?;
        octets = rest;
        Some(Id { segment: *segment, smsc: u16::from_be_bytes([*high, *low]), id })
    })
}

const fn procedure_number(procedure: Procedure) -> u64 {
    match procedure {
        Procedure::Pager => 0,
        Procedure::LargeMessage => 1,
        Procedure::Chat => 2,
    }
}

const fn procedure_of(number: u64) -> Option<Procedure> {
    match number {
        0 => Some(Procedure::Pager),
        1 => Some(Procedure::LargeMessage),
        2 => Some(Procedure::Chat),
        _ => None,
    }
}

pub(in super::super) fn bits_of(requested: Dispositions) -> u64 {
    let Dispositions { positive_delivery, negative_delivery, processing, display, interworking } = requested;
    let bits = [positive_delivery, negative_delivery, processing, display, interworking];
    bits.iter().enumerate().map(|(at, bit)| u64::from(*bit) << at).sum()
}

pub(in super::super) const fn dispositions_of(bits: u64) -> Dispositions {
    Dispositions {
        positive_delivery: bits & 1 != 0,
        negative_delivery: bits & 2 != 0,
        processing: bits & 4 != 0,
        display: bits & 8 != 0,
        interworking: bits & 16 != 0,
    }
}

/// The stored values in the order of their declaration.
fn values(retained: &Retained) -> [Span; 13] {
    let Retained {
        octets: _,
        conversation_id,
        contribution_id,
        in_reply_to_contribution_id,
        imdn_message_id,
        date_time,
        cpim_from,
        cpim_to,
        sip_to,
        originator,
        referred_by,
        original_to,
        imdn_record_route,
        correlator,
        until: _,
    } = retained;
    [
        *conversation_id,
        *contribution_id,
        *in_reply_to_contribution_id,
        *imdn_message_id,
        *date_time,
        *cpim_from,
        *cpim_to,
        *sip_to,
        *originator,
        *referred_by,
        *original_to,
        *imdn_record_route,
        *correlator,
    ]
}

pub(in super::super) fn write_values(retained: &Retained, fields: &mut Fields<'_>) {
    for value in values(retained) {
        fields.octets(retained.get(value));
    }
}

pub(in super::super) fn retained_of(mut octets: Vec<u8>, fields: &mut Rest<'_>) -> Option<Retained> {
    let mut next = || Some(Span::append(&mut octets, fields.octets()?));
    let retained = Retained {
        conversation_id: next()?,
        contribution_id: next()?,
        in_reply_to_contribution_id: next()?,
        imdn_message_id: next()?,
        date_time: next()?,
        cpim_from: next()?,
        cpim_to: next()?,
        sip_to: next()?,
        originator: next()?,
        referred_by: next()?,
        original_to: next()?,
        imdn_record_route: next()?,
        correlator: next()?,
        ..Retained::default()
    };
    Some(Retained { octets, ..retained })
}
