//! One message that is not whole (RFC 4975 7.3.1).

use super::budget::{Budget, Charge};
use super::code::{BAD_REQUEST, STOP};
use super::message::{Ident, Message};
use super::octets::{NotTaken, Octets};
use super::slices::Lent;
use crate::engine::Moment;
use crate::wire::msrp::{ByteRange, Continuation, FailureReport, Likeness};

/// What a chunk's head says.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkHead<'a> {
    pub(super) message_id: &'a [u8],
    pub(super) range: ByteRange,
    pub(super) content_type: &'a [u8],
    pub(super) success_report: bool,
    pub(super) failure_report: FailureReport,
    pub(super) likeness: Option<Likeness>,
}

/// The place of a chunk in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Octets of the message before the next octet of the chunk.
    at: u64,
    /// Octets of the message up to the end of the chunk, if it said so.
    end: Option<u64>,
}

impl Place {
    pub(super) fn of(range: &ByteRange) -> Place {
        Place { at: range.start.saturating_sub(1), end: range.end }
    }
}

/// A message that is not whole.
#[derive(Debug)]
pub(super) struct Open {
    /// Our number of it.
    pub(super) serial: u32,
    pub(super) message_id: Ident,
    /// When something of it last came.
    pub(super) progress: Moment,
    content_type: Box<[u8]>,
    success_report: bool,
    failure_report: FailureReport,
    octets: Octets,
    total: Option<u64>,
}

impl Open {
    pub(super) fn new(now: Moment, serial: u32, message_id: Ident, head: &ChunkHead<'_>, budget: &Budget) -> Open {
        Open {
            serial,
            message_id,
            progress: now,
            content_type: head.content_type.into(),
            success_report: head.success_report,
            failure_report: head.failure_report,
            octets: Octets::new(Charge::on(budget)),
            total: None,
        }
    }

    /// Octets that are there.
    pub(super) fn held(&self) -> u64 {
        self.octets.held()
    }

    pub(super) fn success_report(&self) -> bool {
        self.success_report
    }

    /// Whether a chunk with this range can be part of it: 413 if the message is larger than `max`, 400 if the range
    /// denies what was said before.
    #[inline]
    pub(super) fn begin(&mut self, range: &ByteRange, max: u64) -> Result<(), u16> {
        // A range stays within its total.
        let reach = range.total.unwrap_or_else(|| range.end.unwrap_or(0).max(range.start.saturating_sub(1)));
        if reach > max {
            return Err(STOP);
        }
        if let Some(total) = range.total {
            self.set_total(total)?;
        }
        if self.total.is_some_and(|total| reach > total) { Err(BAD_REQUEST) } else { Ok(()) }
    }

    #[inline]
    fn set_total(&mut self, total: u64) -> Result<(), u16> {
        if *self.total.get_or_insert(total) != total || self.octets.end() > total {
            return Err(BAD_REQUEST);
        }
        Ok(())
    }

    /// Takes the next octets of a chunk.
    #[inline(always)]
    pub(super) fn take(&mut self, place: &mut Place, data: Lent<'_>, max: u64) -> Result<(), u16> {
        let end = place.at.saturating_add(data.len() as u64);
        let beyond = |bound: Option<u64>| bound.is_some_and(|bound| end > bound);
        if beyond(place.end) || beyond(self.total) {
            return Err(BAD_REQUEST);
        }
        if beyond(Some(max)) {
            return Err(STOP);
        }
        let taken = self.octets.insert(place.at, data);
        place.at = end;
        taken.map_err(|why| if why == NotTaken::Contradiction { BAD_REQUEST } else { STOP })
    }

    /// All of a chunk: what [`begin`](Open::begin), [`take`](Open::take) and [`end`](Open::end) would say.
    #[inline]
    pub(super) fn take_whole(
        &mut self,
        range: &ByteRange,
        data: Lent<'_>,
        flag: Continuation,
        max: u64,
    ) -> Result<bool, u16> {
        self.begin(range, max)?;
        let mut place = Place::of(range);
        self.take(&mut place, data, max)?;
        self.end(place, flag)
    }

    /// A chunk ended. Whether the message is whole.
    #[inline]
    pub(super) fn end(&mut self, place: Place, flag: Continuation) -> Result<bool, u16> {
        if place.end.is_some_and(|end| end != place.at) {
            return Err(BAD_REQUEST);
        }
        if flag == Continuation::Complete {
            self.set_total(place.at)?;
        }
        Ok(self.total == Some(self.octets.held()))
    }

    /// The message, which is whole.
    pub(super) fn into_message(self) -> Message {
        let (slices, charge) = self.octets.into_slices();
        let mut message = Message::new(self.message_id, slices).charged(charge);
        message.content_type = self.content_type;
        message.success_report = self.success_report;
        message.failure_report = self.failure_report;
        message
    }
}
