//! Segments as the embedded SM-SC got them, and their text.

use crate::wire::short_message::{Alphabet, DataCodingZero, National, UserData};
use crate::wire::smpp::{SubmitSm, Tag};

/// One segment, or a whole short message.
#[derive(Clone, Debug)]
pub(super) struct Received {
    data_coding: u8,
    national: National,
    text: Vec<u8>,
    /// Reference, total, number.
    concatenated: Option<(u16, u8, u8)>,
}

impl Received {
    /// Reads the sar TLVs or the user data header.
    pub(super) fn of(submit: &SubmitSm<'_>) -> Received {
        let octets = submit.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(submit.short_message);
        let headed = submit.esm_class & 0x40 != 0;
        let user_data = if headed { UserData::with_header(octets) } else { UserData::plain(octets) };
        let in_header = user_data.concatenated.map(|part| (part.reference, part.total, part.number));
        Received {
            data_coding: submit.data_coding,
            national: user_data.national().unwrap_or_default(),
            text: user_data.text.to_vec(),
            concatenated: in_header.or_else(|| sar(submit)),
        }
    }

    /// Number and total.
    pub(super) fn place(&self) -> (u8, u8) {
        self.concatenated.map_or((1, 1), |(_, total, number)| (number, total))
    }

    /// What the segments of a text share.
    pub(super) fn reference(&self) -> u16 {
        self.concatenated.map_or(0, |(reference, ..)| reference)
    }
}

fn sar(submit: &SubmitSm<'_>) -> Option<(u16, u8, u8)> {
    let reference = submit.tlvs.u16(Tag::SAR_MSG_REF_NUM)?;
    Some((reference, submit.tlvs.u8(Tag::SAR_TOTAL_SEGMENTS)?, submit.tlvs.u8(Tag::SAR_SEGMENT_SEQNUM)?))
}

/// The text of all segments; `None` if it is no text or has characters that cannot be read.
pub(super) fn text_of(mut segments: Vec<Received>) -> Option<String> {
    segments.sort_by_key(|segment| segment.place().0);
    let alphabet = Alphabet::of(segments.first()?.data_coding, DataCodingZero::Gsm7);
    let parts = segments.iter().map(|segment| (segment.national, segment.text.as_slice()));
    let mut text = String::new();
    let replaced = alphabet.decode_parts(parts, &mut Vec::new(), &mut text)?;
    (replaced == 0).then_some(text)
}
