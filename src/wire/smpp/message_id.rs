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
    /// in hexadecimal. An id that is no number in its base compares as it is written. Ids are longer than any machine
    /// integer.
    #[must_use]
    pub fn canonical(self, id: impl AsRef<[u8]>, origin: Origin) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
        let id = id.as_ref();
        let decimal = match self {
            MessageIdForm::Opaque => false,
            MessageIdForm::HexSubmitDecimalReceipt => origin == Origin::Receipt,
            MessageIdForm::DecimalSubmitHexReceipt => origin == Origin::Submit,
        };
        if decimal && let Some(number) = number(id) { hexadecimal(number) } else { plain(id) }
    }
}

/// 64 decimal digits are less than 213 bits.
const LIMBS: usize = 7;

/// The number a string of digits writes, least significant limb first.
fn number(id: &[u8]) -> Option<[u32; LIMBS]> {
    let id = plain(id);
    let is_number = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    is_number.then(|| id.iter().fold([0; LIMBS], |number, digit| times_ten_plus(number, digit - b'0')))
}

fn times_ten_plus(mut number: [u32; LIMBS], digit: u8) -> [u32; LIMBS] {
    let mut carry = u64::from(digit);
    for limb in &mut number {
        let wide = u64::from(*limb) * 10 + carry;
        *limb = u32::try_from(wide & 0xFFFF_FFFF).unwrap_or(0);
        carry = wide >> 32;
    }
    debug_assert!(carry == 0);
    number
}

fn hexadecimal(number: [u32; LIMBS]) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
    let mut digits = [0; LIMBS * 8];
    for (limb, place) in number.iter().rev().zip(digits.chunks_exact_mut(8)) {
        for (nibble, digit) in (0..8).rev().zip(place) {
            *digit = b"0123456789abcdef"[((limb >> (4 * nibble)) & 15) as usize];
        }
    }
    plain(&digits)
}

fn plain(id: &[u8]) -> Inline<SMPP_MESSAGE_ID_BYTES_MAX> {
    let end = id.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let id = id.get(..end).unwrap_or_default().trim_ascii();
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
        assert_eq!(&*form.canonical(b"\0", Origin::Submit), b"");
    }

    #[test]
    fn ids_longer_than_any_integer() {
        let form = MessageIdForm::HexSubmitDecimalReceipt;
        let largest = [b'9'; 64];
        let hexadecimal = b"184f03e93ff9f4daa797ed6e38ed64bf6a1f00ffffffffffffffff";
        assert_eq!(&*form.canonical(largest, Origin::Receipt), hexadecimal);
        assert_eq!(
            form.canonical(b"018446744073709551616", Origin::Receipt),
            form.canonical(b"10000000000000000", Origin::Submit)
        );
        assert_eq!(&*form.canonical(b"1479978899.3937", Origin::Receipt), b"1479978899.3937");
    }
}
