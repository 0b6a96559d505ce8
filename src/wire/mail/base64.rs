//! Base64 (RFC 4648 4), written. It is read where instant messages read it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Octets in a line of 76 (RFC 2045 6.8).
const LINE_BYTES: usize = 57;

/// Appends `octets`, in one line without an end.
pub fn encode(octets: &[u8], out: &mut Vec<u8>) {
    out.reserve(octets.len().div_ceil(3) * 4);
    let (threes, rest) = octets.as_chunks();
    threes.iter().for_each(|[a, b, c]| out.extend(digits(u32::from_be_bytes([0, *a, *b, *c]))));
    match rest {
        [a, b] => put_last(u32::from_be_bytes([0, *a, *b, 0]), 3, out),
        [a] => put_last(u32::from_be_bytes([0, *a, 0, 0]), 2, out),
        _ => {}
    }
}

/// Appends `octets` in lines of 76 that end in CRLF.
pub fn encode_lines(octets: &[u8], out: &mut Vec<u8>) {
    out.reserve(octets.len().div_ceil(LINE_BYTES) * 78);
    for line in octets.chunks(LINE_BYTES) {
        encode(line, out);
        out.extend_from_slice(b"\r\n");
    }
}

fn put_last(bits: u32, count: usize, out: &mut Vec<u8>) {
    out.extend(digits(bits).into_iter().take(count));
    out.extend(core::iter::repeat_n(b'=', 4 - count));
}

fn digits(bits: u32) -> [u8; 4] {
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift) as usize & 0x3f])
}
