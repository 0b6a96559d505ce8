//! Session descriptions (RFC 4566, RFC 8866), read in place, and in [`msrp`] what offer and answer say about MSRP.
//!
//! Read liberally where deployed clients differ: bare LF, blank lines, unknown lines, a missing s= or t=, lines of one
//! level in any order. After [`Session::parse`] no accessor fails.

pub mod address;
mod direction;
mod media;
pub mod msrp;
mod session;

pub use address::Address;
pub use direction::Direction;
pub use media::Media;
pub use session::{Origin, Session};

/// The words of a line, which spaces separate.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|octet| matches!(octet, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// A decimal number, digits only; leading zeros are legal.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(())?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
