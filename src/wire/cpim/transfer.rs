//! Content-Transfer-Encoding: quoted-printable and base64. RFC 2045 6.7, 6.8.

use crate::wire::digits::hex;

/// Appends the octets of `body`, decoded as `encoding` says (`None`, 7bit, 8bit, binary: as they are); `false` for an
/// encoding that does not exist.
pub fn decode(encoding: Option<&[u8]>, body: &[u8], out: &mut Vec<u8>) -> bool {
    let named = |name: &[u8]| encoding.is_some_and(|encoding| encoding.trim_ascii().eq_ignore_ascii_case(name));
    match () {
        () if is_identity(encoding) => out.extend_from_slice(body),
        () if named(b"base64") => decode_base64(body, out),
        () if named(b"quoted-printable") => decode_quoted_printable(body, out),
        () => return false,
    }
    true
}

/// Whether the body is there as it is.
#[must_use]
pub fn is_identity(encoding: Option<&[u8]>) -> bool {
    const IDENTITIES: [&[u8]; 3] = [b"7bit", b"8bit", b"binary"];
    encoding.is_none_or(|encoding| IDENTITIES.iter().any(|name| encoding.trim_ascii().eq_ignore_ascii_case(name)))
}

/// Octets outside the alphabet are passed over, as RFC 2045 asks; padding ends the data.
fn decode_base64(body: &[u8], out: &mut Vec<u8>) {
    let (mut held, mut bits) = (0u32, 0u32);
    for digit in body.iter().take_while(|octet| **octet != b'=').filter_map(|octet| base64_digit(*octet)) {
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits).to_le_bytes()[0]);
        }
    }
}

const fn base64_digit(octet: u8) -> Option<u8> {
    match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn decode_quoted_printable(body: &[u8], out: &mut Vec<u8>) {
    let mut rest = body;
    while let Some((first, tail)) = rest.split_first() {
        let (octet, length) = if *first == b'=' { quoted(tail) } else { (Some(*first), 0) };
        out.extend(octet);
        rest = tail.get(length..).unwrap_or_default();
    }
}

/// What follows `=`: an octet in hexadecimal, a soft line break, or nothing that makes sense (then `=` is text).
fn quoted(tail: &[u8]) -> (Option<u8>, usize) {
    match tail {
        [b'\r', b'\n', ..] => (None, 2),
        [b'\n', ..] => (None, 1),
        [high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => (Some(high << 4 | low), 2),
            _ => (Some(b'='), 0),
        },
        _ => (Some(b'='), 0),
    }
}
