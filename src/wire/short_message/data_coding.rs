//! data_coding: which alphabet the octets are in, and their text. SMPP 3.4 5.2.19, TS 23.038 4.
//!
//! SM-SCs pass the TP-DCS of a mobile through as data_coding, so values outside SMPP's own list are read as TP-DCS.

use encoding_rs::Encoding;

use super::national::National;
use super::{Coding, gsm7, ucs2};

/// What an SM-SC means by data_coding 0, "SMSC default alphabet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataCodingZero {
    /// GSM 7 bit default alphabet, unpacked.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// IA5.
    Ascii,
}

impl DataCodingZero {
    /// The data_coding that announces `coding` where 0 means this.
    #[must_use]
    pub const fn data_coding_of(self, coding: Coding) -> u8 {
        match (coding, self) {
            (Coding::Gsm7(_), _) | (Coding::Latin1, Self::Latin1) | (Coding::Ascii, Self::Ascii) => 0x00,
            (Coding::Ascii, _) => 0x01,
            (Coding::Latin1, _) => 0x03,
            (Coding::Ucs2, _) => 0x08,
        }
    }

    const fn alphabet(self) -> Alphabet {
        match self {
            Self::Gsm7 => Alphabet::Gsm7,
            Self::Latin1 => Alphabet::Latin1,
            Self::Ascii => Alphabet::Ascii,
        }
    }
}

/// The alphabet of received octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Unpacked septets.
    Gsm7,
    /// IA5.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, big-endian.
    Ucs2,
    /// One of SMPP's other character sets.
    Charset(&'static Encoding),
    /// Eight-bit data or a compressed message: not text.
    Binary,
}

impl Alphabet {
    /// The alphabet `data_coding` names where 0 means `zero`.
    #[must_use]
    pub const fn of(data_coding: u8, zero: DataCodingZero) -> Alphabet {
        match data_coding {
            0x00 => zero.alphabet(),
            0x01 => Alphabet::Ascii,
            0x02 | 0x04 => Alphabet::Binary,
            0x03 => Alphabet::Latin1,
            0x05 => Alphabet::Charset(encoding_rs::SHIFT_JIS),
            0x06 => Alphabet::Charset(encoding_rs::ISO_8859_5),
            0x07 => Alphabet::Charset(encoding_rs::ISO_8859_8),
            0x08 => Alphabet::Ucs2,
            0x09 => Alphabet::Binary,
            0x0A => Alphabet::Charset(encoding_rs::ISO_2022_JP),
            0x0D => Alphabet::Charset(encoding_rs::EUC_JP),
            0x0E => Alphabet::Charset(encoding_rs::EUC_KR),
            0x0B | 0x0C | 0x0F => zero.alphabet(),
            0x10..=0xFF => of_dcs(data_coding),
        }
    }

    /// Appends the text of `octets` and says how many characters had to be replaced by U+FFFD, or `None` for what is no
    /// text. `national` matters for GSM-7 only.
    pub fn decode(self, octets: &[u8], national: National, out: &mut String) -> Option<usize> {
        match self {
            Alphabet::Gsm7 => Some(gsm7::decode(octets, national, out)),
            Alphabet::Ascii => Some(decode_ascii(octets, out)),
            Alphabet::Latin1 => {
                out.extend(octets.iter().copied().map(char::from));
                Some(0)
            }
            Alphabet::Ucs2 => Some(ucs2::decode(octets, out)),
            Alphabet::Charset(encoding) => Some(decode_charset(encoding, octets, out)),
            Alphabet::Binary => None,
        }
    }

    /// Appends the text of joined parts, each with the national tables of its own header. Octets of neighbours under
    /// the same tables are decoded as one run, so that an escape or surrogate pair cut by the sender survives.
    /// `scratch` is cleared and used for a run.
    pub fn decode_parts<'p, P>(self, parts: P, scratch: &mut Vec<u8>, out: &mut String) -> Option<usize>
    where
        P: IntoIterator<Item = (National, &'p [u8])>,
    {
        let (mut replaced, mut tables) = (0, National::NONE);
        scratch.clear();
        for (national, octets) in parts {
            if national != tables && self == Alphabet::Gsm7 {
                replaced += self.decode(scratch, tables, out)?;
                scratch.clear();
            }
            tables = national;
            scratch.extend_from_slice(octets);
        }
        Some(replaced + self.decode(scratch, tables, out)?)
    }
}

/// The message class a data_coding names, if any (TS 23.038 4): 0 flash, 1 ME, 2 (U)SIM, 3 TE.
#[must_use]
pub const fn message_class(data_coding: u8) -> Option<u8> {
    match data_coding {
        0x00..=0x0F => None,
        0x10..=0x7F if data_coding & 0x10 != 0 => Some(data_coding & 0x03),
        0xF0..=0xFF => Some(data_coding & 0x03),
        _ => None,
    }
}

/// TS 23.038 4: general groups 00xx and 01xx, message waiting 1100 to 1110, class group 1111. Reserved groups are read
/// as GSM-7, as the section asks.
const fn of_dcs(dcs: u8) -> Alphabet {
    match dcs {
        0x00..=0x7F if dcs & 0x20 != 0 => Alphabet::Binary,
        0x00..=0x7F => of_alphabet_bits(dcs >> 2 & 0x03),
        0xE0..=0xEF => Alphabet::Ucs2,
        0xF0..=0xFF if dcs & 0x04 != 0 => Alphabet::Binary,
        0x80..=0xFF => Alphabet::Gsm7,
    }
}

const fn of_alphabet_bits(bits: u8) -> Alphabet {
    match bits {
        0b01 => Alphabet::Binary,
        0b10 => Alphabet::Ucs2,
        _ => Alphabet::Gsm7,
    }
}

fn decode_ascii(octets: &[u8], out: &mut String) -> usize {
    let shown = |octet: u8| if octet.is_ascii() { char::from(octet) } else { char::REPLACEMENT_CHARACTER };
    out.extend(octets.iter().copied().map(shown));
    octets.iter().filter(|octet| !octet.is_ascii()).count()
}

fn decode_charset(encoding: &'static Encoding, octets: &[u8], out: &mut String) -> usize {
    let before = out.len();
    crate::wire::cpim::charset::decode(encoding, octets, out);
    out.get(before..).unwrap_or_default().chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count()
}
