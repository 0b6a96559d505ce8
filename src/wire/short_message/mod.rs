//! The text of a short message: alphabets, the smallest coding that holds a text, segments and the user data header.
//!
//! Sources: TS 23.038 (alphabets, data coding scheme), TS 23.040 9.2.3.24 (user data header), SMPP 3.4 5.2.19
//! (data_coding). Text in a `short_message` is unpacked: one septet per octet, as SMPP carries it; [`pack`] makes the
//! packed form of the air interface.
//!
//! Everything goes in two steps, count then write, into buffers of the caller; nothing here allocates beside them.

pub mod choose;
pub mod data_coding;
pub mod fingerprint;
pub mod gsm7;
pub mod national;
pub mod pack;
pub mod segments;
pub mod transliterate;
pub mod ucs2;
pub mod user_data;

pub use choose::{Chosen, CodingOptions, choose};
pub use data_coding::{Alphabet, DataCodingZero};
pub use national::{Language, National};
pub use segments::{Concatenation, Plan, SegmentOptions};
pub use user_data::UserData;

/// How the characters of a message become octets. One message uses one coding in all its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// GSM 7 bit default alphabet with its extension, and national tables if any (TS 23.038 6.2.1).
    Gsm7(National),
    /// IA5, as CDMA SM-SCs take it.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UCS-2, in practice UTF-16, big-endian.
    Ucs2,
}

impl Coding {
    /// What `c` costs in units of this coding (septets, octets or 16-bit units), or `None` if it has no code.
    #[must_use]
    pub fn units_of(self, c: char) -> Option<usize> {
        match self {
            Coding::Gsm7(national) => gsm7::code_of(c, national).map(gsm7::Code::septets),
            Coding::Ascii => c.is_ascii().then_some(1),
            Coding::Latin1 => u8::try_from(c).is_ok().then_some(1),
            Coding::Ucs2 => Some(c.len_utf16()),
        }
    }

    /// What `text` costs in units of this coding, or `None` if a character has no code.
    #[must_use]
    pub fn units(self, text: &str) -> Option<usize> {
        match self {
            Coding::Gsm7(national) if national.is_none() => gsm7::septets(text),
            Coding::Ascii => text.is_ascii().then_some(text.len()),
            Coding::Ucs2 if text.is_ascii() => Some(text.len()),
            coding => text.chars().try_fold(0, |units, c| coding.units_of(c).map(|cost| units + cost)),
        }
    }

    /// Octets one unit takes in `short_message`.
    #[must_use]
    pub const fn octets_per_unit(self) -> usize {
        match self {
            Coding::Ucs2 => 2,
            Coding::Gsm7(_) | Coding::Ascii | Coding::Latin1 => 1,
        }
    }

    /// Appends `text` in this coding; a character without a code is written as `?`, so [`Coding::units`] comes first.
    pub fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Coding::Gsm7(national) if national.is_none() => gsm7::encode(text, out),
            Coding::Ucs2 => ucs2::encode(text, out),
            coding => text.chars().for_each(|c| coding.encode_char(c, out)),
        }
    }

    /// Appends one character, `?` if it has no code.
    pub fn encode_char(self, c: char, out: &mut Vec<u8>) {
        match self {
            Coding::Gsm7(national) => gsm7::code_of(c, national).unwrap_or(gsm7::QUESTION_MARK).write(out),
            Coding::Ascii => out.push(if c.is_ascii() { u8::try_from(c).unwrap_or(b'?') } else { b'?' }),
            Coding::Latin1 => out.push(u8::try_from(c).unwrap_or(b'?')),
            Coding::Ucs2 => ucs2::encode_char(c, out),
        }
    }
}
