//! UCS-2 as it is used: UTF-16, big-endian, astral characters as surrogate pairs.

/// Appends `text` in big-endian UTF-16.
pub fn encode(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() * 2);
    text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
}

/// Appends one character.
pub fn encode_char(c: char, out: &mut Vec<u8>) {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
}

/// Appends the characters of `octets` and says how many had to be replaced by U+FFFD: lone surrogates, and one for an
/// odd last octet, which is dropped. A byte order mark FE FF at the start is not text.
///
/// Segments are joined before: senders that cut through a surrogate pair exist.
pub fn decode(octets: &[u8], out: &mut String) -> usize {
    let (units, odd) = octets.strip_prefix(&[0xFE, 0xFF]).unwrap_or(octets).as_chunks::<2>();
    let mut replaced = odd.len();
    out.reserve(units.len());
    for unit in char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))) {
        replaced += usize::from(unit.is_err());
        out.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    replaced
}
