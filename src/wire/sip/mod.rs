//! SIP messages (RFC 3261 7 and 25), read in place.
//!
//! Guarantees: parsing allocates nothing once an [`Index`] exists; after `Message::parse` succeeded no accessor panics; a
//! header that is bad stays raw and spoils only what asks for it; unknown methods and headers survive.

use crate::wire::span::Span;

pub mod address;
mod chars;
pub mod check;
pub mod emit;
pub mod frame;
pub mod lists;
pub mod message;
pub mod name;
mod section;
pub mod uri;
mod uri_equality;
#[cfg(test)]
mod usual;
pub mod via;

pub use address::NameAddr;
pub use emit::Writer;
pub use frame::{frame, peek_call_id};
pub use message::{CSeq, Field, Index, Message, StartLine};
pub use name::{Name, Names};
pub use via::Via;

/// Removes linear white space, folds included, at both ends (RFC 3261 25.1 LWS).
#[inline]
#[must_use]
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_lws(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_lws(*last)
    {
        bytes = rest;
    }
    bytes
}

const fn is_lws(octet: u8) -> bool {
    octet <= b' ' && matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where `part` is in `bytes`, of which it is a part; an empty one may be anywhere.
fn place(bytes: &[u8], part: &[u8]) -> Span {
    let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    if part.is_empty() { Span::default() } else { Span::new(start, start + part.len()) }
}

/// A decimal number that fits `u32`, digits only; leading zeros are legal.
#[must_use]
pub(crate) fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, &digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(())?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}
