//! Octets in a named character set to UTF-8.

use encoding_rs::{CoderResult, Encoding};

/// Appends the text of `octets` in the character set `label` (RFC 2045 5.1 charset, any case; `None`: not said).
/// Says `false` if there is no such character set; octets that are none of its characters become U+FFFD.
///
/// us-ascii and a missing label are read as UTF-8 if they are that: clients that send UTF-8 without saying so are many.
pub fn decode_label(label: Option<&[u8]>, octets: &[u8], out: &mut String) -> bool {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    let label = label.unwrap_or(b"us-ascii");
    let lenient = is_utf8(label) || label.eq_ignore_ascii_case(b"us-ascii");
    if lenient && let Ok(text) = str::from_utf8(octets) {
        out.push_str(text);
        return true;
    }
    let Some(encoding) = encoding_of(label) else { return false };
    decode(encoding, octets, out);
    true
}

/// Appends the text of `octets`, without looking for a byte order mark.
pub fn decode(encoding: &'static Encoding, octets: &[u8], out: &mut String) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut rest = octets;
    loop {
        out.reserve(decoder.max_utf8_buffer_length(rest.len()).unwrap_or(rest.len() * 3));
        let (result, read, _) = decoder.decode_to_string(rest, out, true);
        rest = rest.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

fn encoding_of(label: &[u8]) -> Option<&'static Encoding> {
    if is_utf8(label) { Some(encoding_rs::UTF_8) } else { Encoding::for_label_no_replacement(label) }
}

fn is_utf8(label: &[u8]) -> bool {
    label.eq_ignore_ascii_case(b"utf-8") || label.eq_ignore_ascii_case(b"utf8")
}
