//! The fingerprint of a short message for the SIP header Message-Correlator. IWF V3.0 6.2.4; its Appendix F, which
//! should define it, is void, so this is what deployed clients compute: the first 160 characters, line ends as spaces,
//! and an RFC 2047 word where the header could not carry them as they are.

/// Characters of the text that count.
pub const CHARACTERS_MAX: usize = 160;

/// Appends the fingerprint of `text` (the text as delivered, all segments joined).
pub fn write(text: &str, out: &mut Vec<u8>) {
    let cut = cut(text);
    if must_encode(cut) {
        return write_encoded_word(cut, out);
    }
    let start = out.len();
    out.extend_from_slice(cut.as_bytes());
    if let Some(written) = out.get_mut(start..) {
        written.iter_mut().for_each(|octet| *octet = shown(*octet));
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= CHARACTERS_MAX {
        return text;
    }
    text.char_indices().nth(CHARACTERS_MAX).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}

/// Not ASCII, or with spaces at an end that a header would lose, or read as an encoded word by itself.
fn must_encode(text: &str) -> bool {
    let edge = |octet: Option<u8>| octet.is_some_and(|octet| shown(octet) == b' ');
    !text.is_ascii() || edge(text.bytes().next()) || edge(text.bytes().last()) || text.starts_with("=?")
}

/// CR, LF and the other controls as a space.
const fn shown(octet: u8) -> u8 {
    if octet.is_ascii_control() { b' ' } else { octet }
}

/// One word however long: peers do not join several (RFC 2047 2 would have at most 75 octets each).
fn write_encoded_word(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"=?utf-8?b?");
    let mut octets = text.bytes().map(shown);
    while let Some(first) = octets.next() {
        write_base64_group(first, octets.next(), octets.next(), out);
    }
    out.extend_from_slice(b"?=");
}

fn write_base64_group(first: u8, second: Option<u8>, third: Option<u8>, out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes([0, first, second.unwrap_or(0), third.unwrap_or(0)]);
    let digit = |shift: u32| ALPHABET[(bits >> shift & 0x3F) as usize];
    out.extend_from_slice(&[digit(18), digit(12)]);
    out.push(second.map_or(b'=', |_| digit(6)));
    out.push(third.map_or(b'=', |_| digit(0)));
}
