//! What each message is: drawn from the seed and its number, so that nothing of it need be kept.

use super::texts::Alphabet;
use crate::wire::cpim::Dispositions;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A MESSAGE request of the CPM side.
    CpmToSms,
    /// A deliver_sm of the SM-SC side.
    SmsToCpm,
    /// A submit_sm of the client of an SM-SC.
    Esme,
}

/// A share of something, drawn by its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighted<T> {
    /// What.
    pub what: T,
    /// How often, compared with the others; at least 1.
    pub weight: u32,
}

/// Characters of a text: from the first to the second, evenly.
pub type Length = (u32, u32);

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// Ways; at least one.
    pub ways: Vec<Weighted<Way>>,
    /// Lengths; at least one, each at least `LOAD_TEXT_CHARACTERS_MIN`.
    pub lengths: Vec<Weighted<Length>>,
    /// Alphabets; at least one.
    pub alphabets: Vec<Weighted<Alphabet>>,
    /// The share of messages that ask for reports.
    pub report_share: f64,
    /// What they ask for; of short messages only delivery reports.
    pub reports: Dispositions,
    /// The share of MESSAGE requests that is sent twice.
    pub repeat_share: f64,
    /// The share of messages that is reported as undeliverable.
    pub undelivered_share: f64,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix {
            ways: vec![Weighted { what: Way::CpmToSms, weight: 1 }],
            lengths: vec![Weighted { what: (40, 40), weight: 1 }],
            alphabets: vec![Weighted { what: Alphabet::Gsm7, weight: 1 }],
            report_share: 0.0,
            reports: Dispositions { positive_delivery: true, negative_delivery: true, ..Dispositions::NONE },
            repeat_share: 0.0,
            undelivered_share: 0.0,
        }
    }
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Counted from 0.
    pub number: u32,
    /// Which way it goes.
    pub way: Way,
    /// What its text is made of.
    pub alphabet: Alphabet,
    /// Characters of its text.
    pub characters: u32,
    /// Where its text begins in the characters of its alphabet.
    pub start: u32,
    /// What reports it asks for.
    pub reports: Dispositions,
    /// Whether its request is sent twice.
    pub repeated: bool,
    /// Whether it is reported as undeliverable.
    pub undelivered: bool,
}

impl Message {
    /// Whether a notification must say that it left as a short message.
    #[must_use]
    pub fn is_interworked(&self) -> bool {
        self.way == Way::CpmToSms && self.reports.interworking
    }

    /// Whether a notification must come of its status reports.
    #[must_use]
    pub const fn is_notified(&self) -> bool {
        if self.undelivered { self.reports.negative_delivery } else { self.reports.positive_delivery }
    }
}

impl Mix {
    /// Message `number` of the load with this seed.
    #[must_use]
    pub fn message(&self, seed: u64, number: u32) -> Message {
        let mut draw = Draw::new(seed, number);
        let (shortest, longest) = draw.one_of(&self.lengths).unwrap_or((0, 0));
        let asks = draw.happens(self.report_share);
        Message {
            number,
            way: draw.one_of(&self.ways).unwrap_or(Way::CpmToSms),
            alphabet: draw.one_of(&self.alphabets).unwrap_or(Alphabet::Gsm7),
            characters: shortest + draw.below(longest.saturating_sub(shortest).saturating_add(1)),
            start: draw.below(crate::limits::LOAD_TEXT_STARTS),
            reports: if asks { self.reports } else { Dispositions::NONE },
            repeated: draw.happens(self.repeat_share),
            undelivered: draw.happens(self.undelivered_share),
        }
    }

    /// Characters of the longest text.
    #[must_use]
    pub fn characters_max(&self) -> u32 {
        self.lengths.iter().map(|length| length.what.1).max().unwrap_or(0)
    }

    /// Whether any message goes this way.
    #[must_use]
    pub fn has(&self, way: Way) -> bool {
        self.ways.iter().any(|one| one.what == way && one.weight > 0)
    }
}

/// Numbers that follow from a seed and a message's number.
#[derive(Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64, number: u32) -> Draw {
        Draw(scramble(seed ^ scramble(u64::from(number))))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scramble(self.0)
    }

    /// Below `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let high = (u128::from(self.next()) * u128::from(bound)) >> 64;
        u32::try_from(high).unwrap_or(0)
    }

    fn happens(&mut self, share: f64) -> bool {
        f64::from(self.below(1 << 30)) < share * f64::from(1 << 30)
    }

    fn one_of<T: Copy>(&mut self, all: &[Weighted<T>]) -> Option<T> {
        let mut at = self.below(all.iter().map(|one| one.weight).sum());
        for one in all {
            if at < one.weight {
                return Some(one.what);
            }
            at -= one.weight;
        }
        None
    }
}

/// Spreads what is in `bits` over all of them; no two values become one.
pub(super) const fn scramble(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
