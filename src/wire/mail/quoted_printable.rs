//! Quoted-printable (RFC 2045 6.7), written. It is read where instant messages read it.

/// Octets in a line, the sign of a soft line break not counted.
const LINE_BYTES_MAX: usize = 75;

/// Whether text is shorter so than in base64.
#[must_use]
pub fn is_shorter(text: &[u8]) -> bool {
    let quoted = text.iter().filter(|octet| !is_printable(**octet) && !matches!(octet, b'\r' | b'\n')).count();
    quoted * 6 <= text.len()
}

/// Appends text. CRLF and LF are line ends; the last line has one if the text does. No line begins with a hyphen or a dot,
/// so that no boundary and no end of a mail comes about.
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 4);
    let mut column = 0;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = match tail {
            [b'\n', after @ ..] if *first == b'\r' => line_end(after, &mut column, out),
            after if *first == b'\n' => line_end(after, &mut column, out),
            after => {
                put(*first, after, &mut column, out);
                after
            }
        };
    }
}

fn line_end<'t>(after: &'t [u8], column: &mut usize, out: &mut Vec<u8>) -> &'t [u8] {
    out.extend_from_slice(b"\r\n");
    *column = 0;
    after
}

fn put(octet: u8, after: &[u8], column: &mut usize, out: &mut Vec<u8>) {
    let ends_line = matches!(after, [] | [b'\n', ..] | [b'\r', b'\n', ..]);
    let plain = is_printable(octet) && !(ends_line && matches!(octet, b' ' | b'\t'));
    if *column + if plain { 1 } else { 3 } > LINE_BYTES_MAX {
        out.extend_from_slice(b"=\r\n");
        *column = 0;
    }
    if plain && !(*column == 0 && matches!(octet, b'-' | b'.')) {
        out.push(octet);
        *column += 1;
    } else {
        out.extend_from_slice(&[b'=', hexadecimal(octet >> 4), hexadecimal(octet & 0xf)]);
        *column += 3;
    }
}

const fn hexadecimal(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'A' + digit - 10 }
}

const fn is_printable(octet: u8) -> bool {
    matches!(octet, b' '..=b'~' | b'\t') && octet != b'='
}
