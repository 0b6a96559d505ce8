//! MSRP (RFC 4975) as octets: heads, end lines, byte ranges, URIs, and writing them.
//!
//! A request on a stream is a head, then for one with content the data, then the end line. [`Heads`] index each head
//! in place; [`Scanner`] finds where the data end, over however many buffers they come in. Both copy nothing of a
//! payload. What is wrong in a head without hindering its framing or an answer is its [`Head::flaw`], for a 400;
//! what hinders them is [`Malformed`](super::Malformed), and the connection is of no more use.

pub mod byte_range;
pub mod emit;
pub mod head;
pub mod heads;
mod lines;
mod reader;
pub mod scanner;
pub mod status;
pub mod uri;

pub use byte_range::ByteRange;
pub use emit::Writer;
pub use head::{FailureReport, Head, Method, Start};
pub use heads::{Heads, Likeness};
pub use scanner::{Scanned, Scanner};
pub use status::Status;
pub use uri::{MsrpUri, Path};

/// What an end line starts with (RFC 4975 9 `end-line`).
pub const HYPHENS: &[u8; 7] = b"-------";

/// Octets of the longest transact-id (RFC 4975 9 `ident`).
pub const TRANSACTION_ID_BYTES_MAX: usize = 32;

/// What the end line says about the message (RFC 4975 9 `continuation-flag`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// `$`: the chunk holds the last octet of the message.
    Complete,
    /// `+`: more chunks follow.
    More,
    /// `#`: the message is given up; nothing of it counts.
    Abort,
}

impl Continuation {
    /// The flag's meaning; `None` if `octet` is no flag.
    #[must_use]
    pub const fn from_flag(octet: u8) -> Option<Continuation> {
        match octet {
            b'$' => Some(Continuation::Complete),
            b'+' => Some(Continuation::More),
            b'#' => Some(Continuation::Abort),
            _ => None,
        }
    }

    /// As it stands in the end line.
    #[must_use]
    pub const fn flag(self) -> u8 {
        match self {
            Continuation::Complete => b'$',
            Continuation::More => b'+',
            Continuation::Abort => b'#',
        }
    }
}

/// Whether `text` is an RFC 4975 9 `ident`: 4 to 32 octets, the first a letter or digit. Transaction ids must be; a
/// bad one could not be told from the flag after it.
#[must_use]
pub fn is_ident(text: &[u8]) -> bool {
    (4..=TRANSACTION_ID_BYTES_MAX).contains(&text.len())
        && text.first().is_some_and(u8::is_ascii_alphanumeric)
        // no way out before the end: the compiler then compares many octets at a time
        && text.iter().fold(true, |are, &octet| are & is_ident_octet(octet))
}

const fn is_ident_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'+' | b'%' | b'=')
}

/// RFC 4975 9 `token`.
fn is_token(text: &[u8]) -> bool {
    let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(octet);
    !text.is_empty() && text.iter().all(allowed)
}

/// A decimal number of `u64`, digits only; leading zeros are legal.
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

/// RFC 4975 9 `3DIGIT` and what follows it: nothing, or after a space a text. The text is empty if there is none.
fn three_digits(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(3)?;
    let number = u16::try_from(decimal(digits)?).ok()?;
    match rest {
        [] => Some((number, rest)),
        [b' ', rest @ ..] => Some((number, rest)),
        _ => None,
    }
}
