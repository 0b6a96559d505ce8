//! What a REPORT says has become of a message (RFC 4975 7.1.2, 9 `Status`).

use super::three_digits;
use crate::wire::digits;

/// `000 200 OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// Whose codes these are; 0 for those of MSRP responses, the only namespace there is.
    pub namespace: u16,
    /// For namespace 0 what a response would have carried.
    pub code: u16,
    /// For people; empty if there is none.
    pub comment: &'a [u8],
}

impl<'a> Status<'a> {
    /// A status of the namespace of MSRP responses.
    #[must_use]
    pub const fn of_code(code: u16, comment: &'a [u8]) -> Status<'a> {
        Status { namespace: 0, code, comment }
    }

    /// Reads a header value. `None` if it is not two numbers of three digits and at most a comment.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Status<'a>> {
        let (namespace, rest) = three_digits(value)?;
        let (code, comment) = three_digits(rest)?;
        Some(Status { namespace, code, comment })
    }

    /// Whether it says that the message arrived.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.namespace == 0 && self.code == 200
    }

    /// Appends the status as a header value, the comment excepted.
    pub(super) fn write_codes(&self, out: &mut Vec<u8>) {
        three(out, self.namespace);
        out.push(b' ');
        three(out, self.code);
    }
}

/// Appends `3DIGIT`.
pub(super) fn three(out: &mut Vec<u8>, number: u16) {
    debug_assert!(number < 1_000);
    let leading_zeros: &[u8] = match number {
        0..=9 => b"00",
        10..=99 => b"0",
        _ => b"",
    };
    out.extend_from_slice(leading_zeros);
    digits::decimal(out, u64::from(number));
}
