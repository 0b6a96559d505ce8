//! A text as the short messages that carry it: coded, cut, and each part put into a PDU by the table of its procedure.

use crate::interwork::cpm::{HasPart, Part};
use crate::interwork::sms::short_message::{ShortMessage, ShortMessageRecord};
use crate::interwork::table::{FieldTable, Record};
use crate::policy::Policy;
use crate::wire::short_message::{CodingOptions, Concatenation, Plan, SegmentOptions, choose};

use super::pager::NotAcceptable;

/// What one SM-SC wants.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// Which alphabets.
    pub coding: &'a CodingOptions,
    /// How long texts are split.
    pub concatenation: Concatenation,
    /// data_sm in place of submit_sm.
    pub data_sm: bool,
}

/// What short messages are made of, beside the text.
pub(super) trait Source {
    /// The record of its table.
    type Record: HasPart + 'static;
    /// Its table.
    const TABLE: &'static FieldTable<Self::Record, ShortMessageRecord>;
    /// The record for one part of the text.
    fn of_part<'a>(&'a self, part: Part<'a>) -> <Self::Record as Record>::Of<'a>;
}

/// Appends the short messages of `text` to `pdus`, the number of each from 0 as its sequence_number, and says how many
/// they are. `octets` is cleared and used.
///
/// # Errors
/// Why they cannot be written; `pdus` is then as before.
pub(super) fn write<S: Source>(
    source: &S,
    text: &str,
    form: &Form<'_>,
    reference: u16,
    policy: &Policy,
    octets: &mut Vec<u8>,
    pdus: &mut Vec<u8>,
) -> Result<u8, NotAcceptable> {
    let options = SegmentOptions { concatenation: form.concatenation, ..SegmentOptions::default() };
    let plan = Plan::new(text, choose(text, form.coding), &options).map_err(|_| NotAcceptable::TooLarge)?;
    let mut segments = plan.segments(reference);
    let before = pdus.len();
    octets.clear();
    while let Some(segment) = segments.next_into(octets) {
        let (data_coding, in_payload) = (plan.data_coding(), plan.in_payload());
        let part = Part { segment, data_coding, octets, in_payload, data_sm: form.data_sm, policy };
        write_one(source, part, pdus).inspect_err(|_| pdus.truncate(before))?;
        octets.clear();
    }
    Ok(plan.total())
}

fn write_one<S: Source>(source: &S, part: Part<'_>, pdus: &mut Vec<u8>) -> Result<(), NotAcceptable> {
    let mut short_message = ShortMessage::default();
    S::TABLE.fill(&source.of_part(part), &mut short_message).map_err(NotAcceptable::Address)?;
    let number = u32::from(part.segment.number - 1);
    if part.data_sm {
        short_message.write_data_sm(number, pdus);
    } else {
        short_message.write_submit_sm(number, pdus);
    }
    Ok(())
}
