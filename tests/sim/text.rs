//! From what an SM-SC got to the text that was sent.

use isthmus::wire::short_message::{Alphabet, DataCodingZero, National};

use crate::smsc::Accepted;

/// The text of one message's short messages, which may have come in any order.
pub fn joined(parts: &[&Accepted]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_by_key(|part| part.sar.map_or(1, |(_, _, number)| number));
    let mut numbers = parts.iter().map(|part| part.sar.map_or((1, 1), |(_, total, number)| (total, number)));
    let total = parts.len();
    assert!(
        numbers
            .by_ref()
            .enumerate()
            .all(|(at, (of, number))| usize::from(of) == total && usize::from(number) == at + 1)
    );
    let (mut octets, mut text) = (Vec::new(), String::new());
    let zero = DataCodingZero::default();
    let parts_of = parts.iter().map(|part| (National::NONE, part.short_message.as_slice()));
    Alphabet::of(parts[0].data_coding, zero).decode_parts(parts_of, &mut octets, &mut text).expect("text");
    text
}
