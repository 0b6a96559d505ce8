//! A text cut into short messages. TS 23.040 9.2.3.24.1 (concatenation), SMPP 3.4 5.3.2.22 (sar_msg_ref_num).

use unicode_segmentation::GraphemeCursor;

use super::choose::Chosen;
use super::national::National;
use super::{Coding, user_data};
use crate::limits;

/// How an SM-SC learns that short messages belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concatenation {
    /// TLVs sar_msg_ref_num, sar_total_segments, sar_segment_seqnum.
    #[default]
    Sar,
    /// User data header, 8-bit reference.
    Udh8,
    /// User data header, 16-bit reference.
    Udh16,
    /// One PDU with message_payload; the SM-SC cuts.
    Payload,
}

/// How to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentOptions {
    /// The method.
    pub concatenation: Concatenation,
    /// Whether the SM-SC turns sar TLVs into a header with a 16-bit reference, which has room for one septet less.
    pub sar_reference_16_bit: bool,
    /// Most segments of one message, 1 to 255.
    pub segments_max: u8,
}

impl Default for SegmentOptions {
    fn default() -> SegmentOptions {
        SegmentOptions { concatenation: Concatenation::Sar, sar_reference_16_bit: false, segments_max: u8::MAX }
    }
}

/// The text needs more segments than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// How many are allowed.
    pub segments_max: u8,
}

/// A text with its segments counted; nothing is cut or written yet.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'t> {
    text: &'t str,
    chosen: Chosen,
    concatenation: Concatenation,
    capacity: usize,
    total: u8,
}

/// What one call of [`Segments::next_into`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Position, from 1.
    pub number: u8,
    /// Segments of the message.
    pub total: u8,
    /// The reference all segments share; meaningless if `total` is 1.
    pub reference: u16,
    /// Where `reference`, `total` and `number` go; `None` if the message is one segment.
    pub concatenation: Option<Concatenation>,
    /// Whether the octets start with a user data header, which esm_class must say.
    pub user_data_header: bool,
}

impl<'t> Plan<'t> {
    /// Counts the segments of `text` in the coding chosen for it.
    ///
    /// # Errors
    /// [`TooLong`] if they are more than `options.segments_max`, or for [`Concatenation::Payload`] if the octets exceed
    /// what message_payload holds.
    pub fn new(text: &'t str, chosen: Chosen, options: &SegmentOptions) -> Result<Plan<'t>, TooLong> {
        let single = capacity(chosen.coding, single_header_octets(chosen.coding));
        let part = capacity(chosen.coding, part_header_octets(chosen.coding, options));
        let whole = Plan { text, chosen, concatenation: options.concatenation, capacity: single, total: 1 };
        if chosen.units <= single {
            return Ok(whole);
        }
        let cut = Plan { capacity: part, ..whole };
        let total = cut.count(options.segments_max).ok_or(TooLong { segments_max: options.segments_max })?;
        match options.concatenation {
            Concatenation::Payload if whole.octets() > limits::MESSAGE_PAYLOAD_OCTETS_MAX => {
                Err(TooLong { segments_max: options.segments_max })
            }
            Concatenation::Payload => Ok(Plan { capacity: usize::MAX, ..whole }),
            _ => Ok(Plan { total, ..cut }),
        }
    }

    /// How many PDUs it takes, 1 to 255.
    #[must_use]
    pub const fn total(&self) -> u8 {
        self.total
    }

    /// The data_coding of every segment.
    #[must_use]
    pub const fn data_coding(&self) -> u8 {
        self.chosen.data_coding
    }

    /// Whether the octets go into message_payload, as they do not fit short_message.
    #[must_use]
    pub const fn in_payload(&self) -> bool {
        self.capacity == usize::MAX
    }

    /// The segments, to be written one by one. `reference` is used modulo 256 where it has 8 bits.
    #[must_use]
    pub const fn segments(&self, reference: u16) -> Segments<'t> {
        let reference = match self.concatenation {
            Concatenation::Udh8 => reference & 0xFF,
            _ => reference,
        };
        Segments { plan: *self, at: 0, number: 0, reference }
    }

    fn count(&self, segments_max: u8) -> Option<u8> {
        let (mut total, mut at) = (0u8, 0);
        while at < self.text.len() {
            total = total.checked_add(1).filter(|total| *total <= segments_max)?;
            at = self.end_of_segment(at);
        }
        Some(total)
    }

    fn octets(&self) -> usize {
        self.chosen.units * self.chosen.coding.octets_per_unit() + single_header_octets(self.chosen.coding)
    }

    /// Where the segment that starts at `start` ends: behind the last grapheme cluster that fits, or the last character
    /// if the cluster alone is more than a segment.
    fn end_of_segment(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        let mut units = 0;
        for (offset, c) in rest.char_indices() {
            units += self.chosen.units_of(c);
            if units > self.capacity {
                // a segment takes at least one character, whatever it costs, so that cutting always ends
                let end = if offset == 0 { c.len_utf8() } else { offset };
                return self.before_cluster(start, start + end);
            }
        }
        self.text.len()
    }

    fn before_cluster(&self, start: usize, end: usize) -> usize {
        let mut cursor = GraphemeCursor::new(end, self.text.len(), true);
        if cursor.is_boundary(self.text, 0).unwrap_or(true) {
            return end;
        }
        match cursor.prev_boundary(self.text, 0) {
            Ok(Some(boundary)) if boundary > start => boundary,
            _ => end,
        }
    }
}

/// The segments of a [`Plan`] in order.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'t> {
    plan: Plan<'t>,
    at: usize,
    number: u8,
    reference: u16,
}

impl Segments<'_> {
    /// Appends the octets of the next segment's short_message (or message_payload), its header included; `None` when
    /// all are written.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Option<Segment> {
        let plan = &self.plan;
        if self.number == plan.total {
            return None;
        }
        let end = if plan.total == 1 { plan.text.len() } else { plan.end_of_segment(self.at) };
        self.number += 1;
        let header = self.header();
        let user_data_header = user_data::write_header(&header, out);
        plan.chosen.encode(plan.text.get(self.at..end).unwrap_or_default(), out);
        let concatenation = (plan.total > 1).then_some(plan.concatenation);
        let (number, total, reference) = (self.number, plan.total, self.reference);
        self.at = end;
        Some(Segment { number, total, reference, concatenation, user_data_header })
    }

    fn header(&self) -> user_data::Header {
        let wide = match self.plan.concatenation {
            Concatenation::Udh8 => Some(false),
            Concatenation::Udh16 => Some(true),
            Concatenation::Sar | Concatenation::Payload => None,
        };
        let concatenated = wide.filter(|_| self.plan.total > 1).map(|wide| user_data::Concatenated {
            reference: self.reference,
            wide,
            total: self.plan.total,
            number: self.number,
        });
        user_data::Header { concatenated, national: national(self.plan.chosen.coding) }
    }
}

/// TP-UD of one short message, TS 23.040 9.2.3.24.
const USER_DATA_OCTETS: usize = 140;

/// Units of `coding` that fit beside a header of `header_octets`.
#[must_use]
pub const fn capacity(coding: Coding, header_octets: usize) -> usize {
    let octets = USER_DATA_OCTETS.saturating_sub(header_octets);
    match coding {
        Coding::Gsm7(_) => octets * 8 / 7,
        Coding::Ascii | Coding::Latin1 => octets,
        Coding::Ucs2 => octets / 2,
    }
}

const fn national(coding: Coding) -> National {
    match coding {
        Coding::Gsm7(national) => national,
        Coding::Ascii | Coding::Latin1 | Coding::Ucs2 => National::NONE,
    }
}

const fn single_header_octets(coding: Coding) -> usize {
    match national(coding).elements_octets() {
        0 => 0,
        elements => 1 + elements,
    }
}

/// The header of a part: length octet, concatenation element (5 or 6 octets), national elements. For sar TLVs and
/// message_payload it is the one that the SM-SC will put before the text.
const fn part_header_octets(coding: Coding, options: &SegmentOptions) -> usize {
    let concatenation = match options.concatenation {
        Concatenation::Udh16 => 6,
        Concatenation::Sar | Concatenation::Payload if options.sar_reference_16_bit => 6,
        Concatenation::Udh8 | Concatenation::Sar | Concatenation::Payload => 5,
    };
    1 + concatenation + national(coding).elements_octets()
}
