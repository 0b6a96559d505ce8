//! What outlives the process, and acknowledgements that wait until what they promise to remember is on record.
//!
//! A 202 to a message whose reports are awaited, the answer to a part of a short message and the answer to the report on
//! one segment of several promise to remember. Where promises outlive the process
//! ([`Settings::durable`](super::settings::Settings)), they are made only when the shell says that their records are
//! written; elsewhere at once.

pub(super) mod fields;
pub(super) mod message;
mod part;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::engine::arena::Arena;
use crate::engine::transport::{RecordId, Transmit};
use crate::engine::{Moment, Now};
use crate::limits::{MMS_REPORT_WAIT_S_MAX, REPORT_WAIT_S_MAX};
use crate::observe::Trace;
use crate::wire::smpp::CommandStatus;

use super::Shard;
use super::handoff::{DeliverRef, SegmentRef};
use super::mms::MmDelivery;
use super::settings::{Settings, SmscSettings};
use fields::Rest;

/// What is promised once all that was ordered before is on disk.
#[derive(Debug)]
pub(super) enum Acknowledgement {
    /// 202 to the sender of a CPM message.
    Accept {
        /// Its key.
        message: u64,
    },
    /// ESME_ROK to a part of a short message.
    Part {
        /// The deliver_sm.
        deliver: DeliverRef,
        /// What tells a repetition.
        fingerprint: u64,
    },
    /// ESME_ROK to a status report about one segment of several.
    Counted {
        /// The deliver_sm.
        deliver: DeliverRef,
        /// Its place in the index.
        hash: u64,
        /// The segment.
        whose: SegmentRef,
        /// How long it took so far.
        trace: Trace,
    },
    /// 202, or the response to the last chunk, to the sender of a CPM message that is an MM.
    Forwarded {
        /// Its key.
        message: u64,
    },
    /// The reply to the mail of an MM, and MM4_forward.RES.
    Delivered(Box<MmDelivery>),
    /// ESME_ROK to a report that came again.
    Repeated {
        /// The deliver_sm.
        deliver: DeliverRef,
    },
    /// What became of a message, to its last part: the others would be delivered in pieces if they were still on record.
    Last {
        /// The deliver_sm.
        deliver: DeliverRef,
        /// What tells a repetition.
        fingerprint: u64,
        /// How it ended.
        status: CommandStatus,
        /// How long it took so far.
        trace: Trace,
    },
}

/// The first octet of each record: how the rest is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message whose reports are awaited.
    Message = 1,
    /// A part of a short message.
    Part = 2,
    /// The last part of one that the CPM side has.
    Joined = 3,
    /// A CPM message that is an MM and whose reports are awaited.
    Multimedia = 4,
    /// An MM that a CPM user has and whose sender waits for reports.
    Original = 5,
}

impl Kind {
    const fn of(octet: u8) -> Option<Kind> {
        match octet {
            1 => Some(Kind::Message),
            2 => Some(Kind::Part),
            3 => Some(Kind::Joined),
            4 => Some(Kind::Multimedia),
            5 => Some(Kind::Original),
            _ => None,
        }
    }
}

/// Records of this run, and acknowledgements in their order.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Orders to write or to forget, counted.
    ordered: u64,
    /// Of these, how many are carried out.
    done: u64,
    /// After which order each is due.
    waiting: VecDeque<(u64, Acknowledgement)>,
    /// The records of parts that were acknowledged, by the tickets of the parts.
    parts: Arena<Option<RecordId>>,
    /// How each SM-SC is known in records: its place and its name may be others after a restart.
    identities: Vec<String>,
    /// While earlier parts are joined: when the first of each set came, in seconds since 1970.
    first_parts: BTreeMap<u64, u32>,
    /// Whether storage takes nothing at present.
    failing: bool,
}

impl Records {
    pub(super) fn new(settings: &Settings) -> Records {
        Records { identities: settings.smscs.iter().map(SmscSettings::identity).collect(), ..Records::default() }
    }

    /// Whether no promise waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Promises that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing new may be promised.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }
}

impl Shard {
    /// Makes a promise; where promises are durable, after all that was ordered so far is on disk.
    pub(super) fn acknowledge(&mut self, now: Now, acknowledgement: Acknowledgement) {
        if self.records.done >= self.records.ordered {
            return self.promise(now, acknowledgement);
        }
        self.records.waiting.push_back((self.records.ordered, acknowledgement));
    }

    /// So many orders, to write records and to forget them, are carried out since the start.
    pub fn on_recorded(&mut self, now: Now, orders: u64) {
        self.records.done = orders;
        while self.records.waiting.front().is_some_and(|(after, _)| *after <= orders) {
            if let Some((_, acknowledgement)) = self.records.waiting.pop_front() {
                self.promise(now, acknowledgement);
            }
        }
        self.settle(now);
    }

    /// Storage has begun, or ceased, to take nothing.
    pub fn on_storage(&mut self, failing: bool) {
        self.records.failing = failing;
    }

    fn promise(&mut self, now: Now, acknowledgement: Acknowledgement) {
        match acknowledgement {
            Acknowledgement::Accept { message } => self.accept(now, message),
            Acknowledgement::Part { deliver, fingerprint } => self.answer_part(now, deliver, fingerprint),
            Acknowledgement::Counted { deliver, hash, whose, trace } => {
                self.waiting_is_over((deliver, hash, whose), CommandStatus::ESME_ROK, trace);
            }
            Acknowledgement::Forwarded { message } => self.answer_forwarded(now, message),
            Acknowledgement::Delivered(delivery) => self.answer_mm(now, &delivery),
            Acknowledgement::Repeated { deliver } => self.answer(deliver, CommandStatus::ESME_ROK),
            Acknowledgement::Last { deliver, fingerprint, status, trace } => {
                self.answer_delivery(now, deliver, fingerprint, status, trace);
            }
        }
    }

    /// Orders a record that is of use until `until`.
    pub(super) fn record(
        &mut self,
        now: Now,
        until: Moment,
        kind: Kind,
        write: impl FnOnce(&Shard, &mut Vec<u8>),
    ) -> RecordId {
        self.records.ordered += 1;
        let record = RecordId {
            expires_s: u32::try_from(unix_ms(now, until) / 1_000 + 1).unwrap_or(u32::MAX),
            run: self.settings.run,
            shard: self.settings.id,
            number: self.records.ordered,
        };
        let mut octets = self.pool.take();
        octets.push(kind as u8);
        write(self, &mut octets);
        self.outbox.transmits.push_back(Transmit::Record { record, octets });
        record
    }

    /// The same for what an `earlier` record says otherwise, if there is one. That goes after the new one is there.
    pub(super) fn record_in_place_of(
        &mut self,
        earlier: Option<RecordId>,
        now: Now,
        until: Moment,
        kind: Kind,
        write: impl FnOnce(&Shard, &mut Vec<u8>),
    ) -> RecordId {
        let record = self.record(now, until, kind, write);
        if let Some(earlier) = earlier {
            self.forget(earlier);
        }
        record
    }

    pub(super) fn forget(&mut self, record: RecordId) {
        self.records.ordered += 1;
        self.outbox.transmits.push_back(Transmit::Forget { record });
    }

    /// What earlier runs promised to remember, of all their shards; before anything arrives. What cannot be read, or is of
    /// an SM-SC that is not configured any more, is left where it is until it expires.
    pub fn restore(&mut self, now: Now, kept: &[(RecordId, Vec<u8>)]) {
        // What was delivered comes first: its last part may come again, and is no new message then.
        for (_, octets) in kept.iter().filter(|(_, octets)| octets.first() == Some(&(Kind::Joined as u8))) {
            self.restore_joined(now, Rest(octets.get(1..).unwrap_or_default()));
        }
        let over = |octets| message::replaces(octets).into_iter().chain(part::ended(octets));
        let replaced: BTreeSet<RecordId> = kept.iter().flat_map(|(_, octets)| over(octets)).collect();
        for (record, octets) in kept {
            let restored = if replaced.contains(record) {
                self.drop_replaced(*record)
            } else {
                self.restore_one(now, *record, octets)
            };
            self.stats.records_not_restored += u64::from(restored.is_none() && self.inherits(*record));
        }
        self.records.first_parts.clear();
        self.settle(now);
    }

    fn restore_one(&mut self, now: Now, record: RecordId, octets: &[u8]) -> Option<()> {
        let (&kind, fields) = octets.split_first()?;
        let fields = Rest(fields);
        match Kind::of(kind)? {
            Kind::Message if self.inherits(record) => self.restore_message(now, record, fields),
            Kind::Part => self.restore_part(now, record, fields),
            kind @ (Kind::Multimedia | Kind::Original) => self.restore_mms(now, (record, kind), fields),
            Kind::Message | Kind::Joined => Some(()),
        }
    }

    /// Whether a message of an earlier run is ours now: there may be other shards than there were.
    fn inherits(&self, record: RecordId) -> bool {
        record.shard.0 % self.settings.shards.max(1) == self.settings.id.0
    }

    /// The run ended before what had taken its place was all there was.
    fn drop_replaced(&mut self, record: RecordId) -> Option<()> {
        if self.inherits(record) {
            self.forget(record);
        }
        Some(())
    }
}

/// A moment as the clock on the wall shows it.
pub(super) fn unix_ms(now: Now, at: Moment) -> u64 {
    let ahead = u64::try_from(at.since(now.moment).as_millis()).unwrap_or(u64::MAX);
    now.unix_ms.saturating_add(ahead)
}

/// And back. No record is of use for longer than [`LONGEST`], whatever the clock on the wall said when it was written.
pub(super) fn moment(now: Now, unix_ms: u64) -> Moment {
    now.moment + Duration::from_millis(unix_ms.saturating_sub(now.unix_ms)).min(LONGEST)
}

const LONGEST: Duration = Duration::from_secs(max(REPORT_WAIT_S_MAX, MMS_REPORT_WAIT_S_MAX) as u64 + 3_600);

const fn max(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}
