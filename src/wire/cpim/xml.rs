//! Writing character data into XML.

/// Appends `<name>text</name>`, or nothing if `text` is empty.
pub(super) fn element(name: &str, text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    tag(b"<", name, out);
    escape(text, out);
    tag(b"</", name, out);
}

/// Appends `open`, the name and `>`.
pub(super) fn tag(open: &[u8], name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(open);
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends `text` as character data; characters XML 1.0 2.2 does not allow are left out.
fn escape(text: &str, out: &mut Vec<u8>) {
    let as_it_is = |octet| matches!(octet, b' '..=b'~') && !matches!(octet, b'&' | b'<' | b'>');
    if text.bytes().fold(true, |all, octet| all & as_it_is(octet)) {
        return out.extend_from_slice(text.as_bytes());
    }
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '\t' | '\n' => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
