//! National language tables: single shift (TS 23.038 6.2.1.2.2, annex A.2) and locking shift (6.2.1.2.3, annex A.3).
//!
//! A single shift table is held as what it has beside the extension table, a locking shift table as what it has in
//! place of the default alphabet. Languages 4 to 13 (Indic scripts and Urdu) have tables of their own; those are refused
//! rather than shown through the wrong table.

use super::gsm7::Code;

/// A national language identifier this gateway has the tables of (TS 23.040 9.2.3.24.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 1
    Turkish,
    /// 2; single shift only.
    Spanish,
    /// 3
    Portuguese,
}

/// The tables that replace extension and default alphabet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct National {
    /// Replaces the default alphabet.
    pub locking: Option<Language>,
    /// Replaces the extension table.
    pub single: Option<Language>,
}

impl National {
    /// The default alphabet and its extension.
    pub const NONE: National = National { locking: None, single: None };

    /// Whether both tables are the default ones.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.locking.is_none() && self.single.is_none()
    }

    /// Octets of the information elements that announce these tables: 3 for each.
    #[must_use]
    pub const fn elements_octets(self) -> usize {
        3 * (self.locking.is_some() as usize + self.single.is_some() as usize)
    }

    /// Whether the locking table has put something else at a code of the default alphabet.
    pub(super) fn hides(self, code: Code) -> bool {
        match code {
            Code::One(code) => {
                self.locking.is_some_and(|language| language.locking_shift().iter().any(|(at, _)| *at == code))
            }
            Code::Escaped(_) => false,
        }
    }
}

impl Language {
    /// The language of an identifier, or `None` if it is one whose tables we do not have.
    #[must_use]
    pub const fn from_id(id: u8) -> Option<Language> {
        match id {
            1 => Some(Language::Turkish),
            2 => Some(Language::Spanish),
            3 => Some(Language::Portuguese),
            _ => None,
        }
    }

    /// The identifier on the wire.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Language::Turkish => 1,
            Language::Spanish => 2,
            Language::Portuguese => 3,
        }
    }

    /// Whether the language has a locking shift table of its own; otherwise the default alphabet is its main table.
    #[must_use]
    pub const fn has_locking_shift(self) -> bool {
        !self.locking_shift().is_empty()
    }

    /// What the single shift table has beside the extension table: code behind the escape, character.
    #[must_use]
    pub const fn single_shift(self) -> &'static [(u8, char)] {
        match self {
            Language::Turkish => &TURKISH_SINGLE,
            Language::Spanish => &SPANISH_SINGLE,
            Language::Portuguese => &PORTUGUESE_SINGLE,
        }
    }

    /// What the locking shift table has in place of the default alphabet: code, character.
    #[must_use]
    pub const fn locking_shift(self) -> &'static [(u8, char)] {
        match self {
            Language::Turkish => &TURKISH_LOCKING,
            Language::Spanish => &[],
            Language::Portuguese => &PORTUGUESE_LOCKING,
        }
    }
}

const TURKISH_SINGLE: [(u8, char); 7] =
    [(0x47, 'Ğ'), (0x49, 'İ'), (0x53, 'Ş'), (0x63, 'ç'), (0x67, 'ğ'), (0x69, 'ı'), (0x73, 'ş')];

#[rustfmt::skip]
const TURKISH_LOCKING: [(u8, char); 8] = [
    (0x04, '€'), (0x07, 'ı'), (0x0B, 'Ğ'), (0x0C, 'ğ'), (0x1C, 'Ş'), (0x1D, 'ş'), (0x40, 'İ'), (0x60, 'ç'),
];

#[rustfmt::skip]
const SPANISH_SINGLE: [(u8, char); 9] = [
    (0x09, 'ç'), (0x41, 'Á'), (0x49, 'Í'), (0x4F, 'Ó'), (0x55, 'Ú'), (0x61, 'á'), (0x69, 'í'), (0x6F, 'ó'), (0x75, 'ú'),
];

#[rustfmt::skip]
const PORTUGUESE_SINGLE: [(u8, char); 27] = [
    (0x05, 'ê'), (0x09, 'ç'), (0x0B, 'Ô'), (0x0C, 'ô'), (0x0E, 'Á'), (0x0F, 'á'), (0x12, 'Φ'), (0x13, 'Γ'), (0x15, 'Ω'),
    (0x16, 'Π'), (0x17, 'Ψ'), (0x18, 'Σ'), (0x19, 'Θ'), (0x1F, 'Ê'), (0x41, 'À'), (0x49, 'Í'), (0x4F, 'Ó'), (0x55, 'Ú'),
    (0x5B, 'Ã'), (0x5C, 'Õ'), (0x61, 'Â'), (0x69, 'í'), (0x6F, 'ó'), (0x75, 'ú'), (0x7B, 'ã'), (0x7C, 'õ'), (0x7F, 'â'),
];

#[rustfmt::skip]
const PORTUGUESE_LOCKING: [(u8, char); 30] = [
    (0x04, 'ê'), (0x06, 'ú'), (0x07, 'í'), (0x08, 'ó'), (0x09, 'ç'), (0x0B, 'Ô'), (0x0C, 'ô'), (0x0E, 'Á'), (0x0F, 'á'),
    (0x12, 'ª'), (0x13, 'Ç'), (0x14, 'À'), (0x15, '∞'), (0x16, '^'), (0x17, '\\'), (0x18, '€'), (0x19, 'Ó'), (0x1A, '|'),
    (0x1C, 'Â'), (0x1D, 'â'), (0x1E, 'Ê'), (0x24, 'º'), (0x40, 'Í'), (0x5B, 'Ã'), (0x5C, 'Õ'), (0x5D, 'Ú'), (0x60, '~'),
    (0x7B, 'ã'), (0x7C, 'õ'), (0x7D, '`'),
];
