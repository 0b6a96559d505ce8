//! Which coding a text is sent in: the smallest that loses nothing.

use super::data_coding::DataCodingZero;
use super::national::{Language, National};
use super::{Coding, transliterate};

/// What an SM-SC takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodingOptions {
    /// What data_coding 0 means there. GSM-7 text can be sent only if it means GSM-7: no other value says so.
    pub data_coding_0: DataCodingZero,
    /// Whether Latin-1 may be sent as data_coding 3.
    pub allow_latin1: bool,
    /// The language whose single and locking shift tables may be used.
    pub national: Option<Language>,
    /// Whether characters may be replaced by look-alikes ([`transliterate`]) where that makes a smaller coding do.
    pub transliterate: bool,
}

/// A coding that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// How characters become octets.
    pub coding: Coding,
    /// The data_coding octet that says so to this SM-SC.
    pub data_coding: u8,
    /// Whether characters without a code are replaced by look-alikes while encoding.
    pub transliterate: bool,
    /// What the whole text costs: septets, octets or 16-bit units.
    pub units: usize,
}

/// The smallest coding for `text` that loses nothing. UCS-2 holds every text, so there always is one.
///
/// GSM-7 is kept whenever the text fits one short message in it; otherwise the fewest bits win, headers for national
/// tables counted, and between equals the order GSM-7, ASCII, Latin-1, national tables, UCS-2.
#[must_use]
pub fn choose(text: &str, options: &CodingOptions) -> Chosen {
    match exact(text, options) {
        chosen if chosen.coding == Coding::Ucs2 && options.transliterate => {
            transliterated(text, options).unwrap_or(chosen)
        }
        chosen => chosen,
    }
}

impl Chosen {
    /// What `c` costs in units, as this choice encodes it.
    #[must_use]
    pub fn units_of(&self, c: char) -> usize {
        match self.coding.units_of(c) {
            Some(units) => units,
            None if self.transliterate => transliterate::units(c, self.coding).unwrap_or(1),
            None => 1,
        }
    }

    /// Appends `text`, the whole or a part of the text this was chosen for.
    pub fn encode(&self, text: &str, out: &mut Vec<u8>) {
        if self.transliterate {
            text.chars().for_each(|c| transliterate::encode(c, self.coding, out));
        } else {
            self.coding.encode(text, out);
        }
    }
}

const SEPTETS_OF_ONE_MESSAGE: usize = 160;

fn exact(text: &str, options: &CodingOptions) -> Chosen {
    if let Some(units) = units_of_one_message(text, options) {
        return chosen(GSM7, options, units, false);
    }
    let mut best = chosen(Coding::Ucs2, options, text.encode_utf16().count(), false);
    for coding in candidates(options).into_iter().flatten().rev() {
        let Some(units) = coding.units(text) else { continue };
        let candidate = chosen(coding, options, units, false);
        if cost_bits(&candidate) <= cost_bits(&best) {
            best = candidate;
        }
    }
    best
}

const GSM7: Coding = Coding::Gsm7(National::NONE);

/// Septets of a text that fits one short message in GSM-7, before which no other coding is preferred.
fn units_of_one_message(text: &str, options: &CodingOptions) -> Option<usize> {
    let may_fit = options.data_coding_0 == DataCodingZero::Gsm7 && text.len() <= SEPTETS_OF_ONE_MESSAGE * 3;
    let units = if may_fit { GSM7.units(text) } else { None };
    units.filter(|units| *units <= SEPTETS_OF_ONE_MESSAGE)
}

/// The codings before UCS-2, in order of preference.
fn candidates(options: &CodingOptions) -> [Option<Coding>; 6] {
    let zero = options.data_coding_0;
    let gsm7 = (zero == DataCodingZero::Gsm7).then_some(GSM7);
    let ascii = (zero == DataCodingZero::Ascii).then_some(Coding::Ascii);
    let latin1 = (zero == DataCodingZero::Latin1 || options.allow_latin1).then_some(Coding::Latin1);
    let language = options.national.filter(|_| gsm7.is_some());
    let locking = language.filter(|language| language.has_locking_shift());
    let national = |locking, single| Some(Coding::Gsm7(National { locking, single }));
    let single_only = language.and_then(|_| national(None, language));
    let locking_only = locking.and_then(|_| national(locking, None));
    let both = locking.and_then(|_| national(locking, language));
    [gsm7, ascii, latin1, single_only, locking_only, both]
}

fn cost_bits(chosen: &Chosen) -> usize {
    match chosen.coding {
        Coding::Gsm7(national) if national.is_none() && chosen.units <= SEPTETS_OF_ONE_MESSAGE => 0,
        Coding::Gsm7(national) if national.is_none() => chosen.units * 7,
        Coding::Gsm7(national) => chosen.units * 7 + (1 + national.elements_octets()) * 8,
        Coding::Ascii | Coding::Latin1 => chosen.units * 8,
        Coding::Ucs2 => chosen.units * 16,
    }
}

fn transliterated(text: &str, options: &CodingOptions) -> Option<Chosen> {
    candidates(options).into_iter().flatten().find_map(|coding| {
        let units = text.chars().try_fold(0, |units, c| transliterate::units(c, coding).map(|cost| units + cost))?;
        Some(chosen(coding, options, units, true))
    })
}

fn chosen(coding: Coding, options: &CodingOptions, units: usize, transliterate: bool) -> Chosen {
    Chosen { coding, data_coding: options.data_coding_0.data_coding_of(coding), transliterate, units }
}
