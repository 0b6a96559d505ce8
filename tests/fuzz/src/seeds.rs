//! Inputs to start from, as text: one after the other, a line of `%%` between them.
//!
//! A line end is CRLF; a line end after a backslash is none. `\xNN` is one octet and `\\` a backslash. Lines that begin
//! with `%# ` are remarks.

/// The inputs of one file.
pub fn read(text: &str) -> Vec<Vec<u8>> {
    let mut inputs = vec![Vec::new()];
    let lines = text.lines().filter(|line| !line.starts_with("%# "));
    for line in lines {
        match (line, inputs.last_mut()) {
            ("%%", _) | (_, None) => inputs.push(Vec::new()),
            (line, Some(input)) => octets(line, input),
        }
    }
    inputs
}

/// One line, its end included.
fn octets(line: &str, out: &mut Vec<u8>) {
    let mut rest = line.as_bytes();
    while let [octet, after @ ..] = rest {
        rest = match (octet, after) {
            (b'\\', []) => return,
            (b'\\', [b'x', high, low, after @ ..]) => {
                out.push(16 * digit(*high) + digit(*low));
                after
            }
            (b'\\', [b'\\', after @ ..]) => {
                out.push(b'\\');
                after
            }
            _ => {
                out.push(*octet);
                after
            }
        };
    }
    out.extend_from_slice(b"\r\n");
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => 10 + ((hex | 0x20) - b'a') % 6,
    }
}
