//! Numbers as every text protocol writes them.

use super::inline::Inline;

/// Appends `number` in decimal.
pub fn decimal(out: &mut Vec<u8>, number: u64) {
    if let Ok(digit @ 0..10) = u8::try_from(number) {
        return out.push(b'0' + digit);
    }
    let (digits, at) = right_aligned(number);
    out.extend_from_slice(&digits[at..]);
}

/// `number` in decimal.
#[must_use]
pub fn digits(number: u64) -> Inline<20> {
    let (octets, at) = right_aligned(number);
    Inline::from_slice(octets.get(at..).unwrap_or_default()).unwrap_or_default()
}

/// The digits, and where they begin.
fn right_aligned(number: u64) -> ([u8; 20], usize) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            return (digits, at);
        }
    }
}

/// The value of a hexadecimal digit of either case.
#[must_use]
pub const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
