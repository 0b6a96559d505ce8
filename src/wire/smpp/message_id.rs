//! message_id as submit responses and status reports write it.

use crate::limits::SMPP_MESSAGE_ID_BYTES_MAX;
use crate::wire::inline::Inline;

/// How an SM-SC writes message ids. Some give one number in hexadecimal here and in decimal there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageIdForm {
    /// The same characters on both sides, but for case and leading zeros.
    #[default]
    Opaque,
    /// submit_sm_resp in hexadecimal, status report in decimal.
    HexSubmitDecimalReceipt,
    /// submit_sm_resp in decimal, status report in hexadecimal.
    DecimalSubmitHexReceipt,
}

/// Where an id was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// submit_sm_resp or data_sm_resp.
    Submit,
    /// Status report.
    Receipt,
}

impl MessageIdForm {
    /// The form in which ids of both sides compare: lower case, no leading zeros, and where one side is decimal that side
    /// in hexadecimal. An id that is no number in its base, or too large for 128 bits, compares as it is written.
    #[must_use]
    pub fn canonical(self, id: &[u8], origin: Origin) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
        let decimal = match self {
            MessageIdForm::Opaque => false,
            MessageIdForm::HexSubmitDecimalReceipt => origin == Origin::Receipt,
            MessageIdForm::DecimalSubmitHexReceipt => origin == Origin::Submit,
        };
        if decimal && let Some(number) = number(id) { hexadecimal(number) } else { plain(id) }
    }
}

fn number(id: &[u8]) -> Option<u128> {
    let text = core::str::from_utf8(id.trim_ascii()).ok()?;
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?
}

fn hexadecimal(number: u128) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
    let mut id = Inline::new();
    let digits = (128 - number.leading_zeros()).div_ceil(4).max(1);
    for at in (0..digits).rev() {
        let digit = u8::try_from(number >> (4 * at) & 15).unwrap_or(0);
        let _fits = id.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }
    id
}

fn plain(id: &[u8]) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
    let id = id.trim_ascii();
    let zeros = id.iter().take_while(|&&octet| octet == b'0').count().min(id.len().saturating_sub(1));
    let mut plain = Inline::new();
    for octet in id.iter().skip(zeros).take(SMPP_MESSAGE_ID_BYTES_MAX) {
        let _fits = plain.push(octet.to_ascii_lowercase());
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_on_one_side_and_decimal_on_the_other() {
        let form = MessageIdForm::HexSubmitDecimalReceipt;
        assert_eq!(form.canonical(b"7B2F", Origin::Submit), form.canonical(b"31535", Origin::Receipt));
        let form = MessageIdForm::DecimalSubmitHexReceipt;
        assert_eq!(form.canonical(b"0031535", Origin::Submit), form.canonical(b"007b2F", Origin::Receipt));
        let form = MessageIdForm::Opaque;
        assert_eq!(form.canonical(b"00AbC", Origin::Submit), form.canonical(b"abc", Origin::Receipt));
        assert_eq!(&*form.canonical(b"000", Origin::Submit), b"0");
    }
}
