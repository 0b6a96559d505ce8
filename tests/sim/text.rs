//! From what an SM-SC got to the text that was sent.

use isthmus::wire::short_message::{Alphabet, DataCodingZero, UserData};

use crate::smsc::Accepted;

/// The text of one message's short messages, which may have come in any order.
pub fn joined(parts: &[&Accepted]) -> String {
    joined_as(parts, DataCodingZero::default())
}

/// The same, and what data_coding 0 means to the SM-SC.
pub fn joined_as(parts: &[&Accepted], zero: DataCodingZero) -> String {
    let mut parts = parts.to_vec();
    parts.sort_by_key(|part| part.sar.map_or(1, |(_, _, number)| number));
    for (at, part) in parts.iter().enumerate() {
        let (total, number) = part.sar.map_or((1, 1), |(_, total, number)| (total, number));
        assert_eq!((usize::from(total), usize::from(number)), (parts.len(), at + 1), "each segment once");
        assert_eq!(part.data_coding, parts[0].data_coding, "one coding for all segments");
    }
    let (mut octets, mut text) = (Vec::new(), String::new());
    let parts_of = parts.iter().map(|part| {
        let headed = part.esm_class & 0x40 != 0;
        let data =
            if headed { UserData::with_header(&part.short_message) } else { UserData::plain(&part.short_message) };
        (data.national().expect("known national tables"), data.text)
    });
    Alphabet::of(parts[0].data_coding, zero).decode_parts(parts_of, &mut octets, &mut text).expect("text");
    text
}
