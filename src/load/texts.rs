//! Texts that say which message they are, and so what they must be.
//!
//! A text begins with its number and a check of it in eight characters that every alphabet has; what follows is a piece of
//! a long fixed text of its alphabet. Whoever has the seed knows from the number every character that must be there.

use super::mix::{Draw, Message, Mix, scramble};
use crate::limits::{LOAD_MESSAGES_MAX, LOAD_TEXT_STARTS};

/// What texts are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// The GSM 7 bit default alphabet with its extension.
    Gsm7,
    /// ISO 8859-1, with characters that GSM-7 does not have.
    Latin1,
    /// Cyrillic, Greek, Chinese and others of one 16-bit unit each.
    Ucs2,
    /// Emoji, most of two 16-bit units or a sequence of several.
    Emoji,
}

impl Alphabet {
    /// All.
    pub const ALL: [Alphabet; 4] = [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ucs2, Alphabet::Emoji];

    const fn sample(self) -> &'static str {
        match self {
            Alphabet::Gsm7 => {
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./\
                 :;<=>?¡ÄÖÑÜ§¿äöñüà_abcdefghijklmnopqrstuvwxyzeeeeeeeenrstiia€[]{}~^\\|"
            }
            Alphabet::Latin1 => "abcdefghijklmnopqrstuvwxyzçêâîôûëïãõáíóúýÿþðÀÈÌÒÙÁÍÓÚÝÊÂ«»©®°±²³µ¶·½¾÷×",
            Alphabet::Ucs2 => {
                "абвгдежзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρστυφχψωשלוםمرحبا你好世界漢字かなカナ한글"
            }
            Alphabet::Emoji => "😀😂🥰🚀🎉🌍👩\u{200D}💻🇩🇪👍🏽❤\u{FE0F}🐍🦀👨\u{200D}👩\u{200D}👧ok",
        }
    }
}

/// The eight characters.
const TAG: usize = 8;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

const _: () = assert!(TAG == crate::limits::LOAD_TEXT_CHARACTERS_MIN as usize);
const _: () = assert!(LOAD_MESSAGES_MAX <= 1 << 30);

/// What a received text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// What message of this number must say.
    Intact(u32),
    /// It says that it is of this number, and is something else.
    Damaged(u32),
    /// It does not say which message it is.
    Unknown,
}

/// Writes and judges the texts of a load.
#[derive(Debug)]
pub struct Texts {
    seed: u64,
    mix: Mix,
    long: [Long; 4],
}

/// A long text of one alphabet.
#[derive(Debug)]
struct Long {
    text: String,
    /// Where each character begins, and where the last ends.
    at: Vec<u32>,
}

impl Texts {
    /// The texts of the load with this seed.
    #[must_use]
    pub fn new(seed: u64, mix: &Mix) -> Texts {
        let characters = LOAD_TEXT_STARTS as usize + mix.characters_max() as usize;
        let long = Alphabet::ALL.map(|alphabet| Long::new(seed, alphabet, characters));
        Texts { seed, mix: mix.clone(), long }
    }

    /// Message `number`.
    #[must_use]
    pub fn message(&self, number: u32) -> Message {
        self.mix.message(self.seed, number)
    }

    /// Appends the text of a message.
    pub fn write(&self, message: &Message, out: &mut String) {
        tag(self.seed, message.number).iter().for_each(|octet| out.push(char::from(*octet)));
        out.push_str(self.after_tag(message));
    }

    /// Appends the octets of the text of a message, in UTF-8.
    pub fn write_octets(&self, message: &Message, out: &mut Vec<u8>) {
        out.extend_from_slice(&tag(self.seed, message.number));
        out.extend_from_slice(self.after_tag(message).as_bytes());
    }

    /// Which message a text is of, and whether it is as it was sent.
    #[must_use]
    pub fn judge(&self, text: &str) -> Judged {
        let Some(number) = number_of(self.seed, text.as_bytes()) else { return Judged::Unknown };
        let message = self.message(number);
        let after = text.get(TAG..).unwrap_or_default();
        if after == self.after_tag(&message) { Judged::Intact(number) } else { Judged::Damaged(number) }
    }

    fn after_tag(&self, message: &Message) -> &str {
        let long = &self.long[message.alphabet as usize];
        long.piece(message.start as usize, (message.characters as usize).saturating_sub(TAG))
    }
}

impl Long {
    fn new(seed: u64, alphabet: Alphabet, characters: usize) -> Long {
        let sample: Vec<char> = alphabet.sample().chars().collect();
        let mut draw = Draw::new(seed, u32::MAX - alphabet as u32);
        let count = u32::try_from(sample.len()).unwrap_or(u32::MAX);
        let (mut text, mut at) = (String::new(), vec![0]);
        while at.len() <= characters {
            text.push(sample[draw.below(count) as usize]);
            at.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Long { text, at }
    }

    fn piece(&self, start: usize, characters: usize) -> &str {
        let place = |character: usize| self.at.get(character).map_or(self.text.len(), |at| *at as usize);
        self.text.get(place(start)..place(start + characters)).unwrap_or_default()
    }
}

/// Six digits of the number, two that check it.
fn tag(seed: u64, number: u32) -> [u8; TAG] {
    let mut rest = u64::from(number) << 10 | check(seed, number);
    let mut tag = [0; TAG];
    for octet in tag.iter_mut().rev() {
        *octet = DIGITS[(rest & 31) as usize];
        rest >>= 5;
    }
    tag
}

fn number_of(seed: u64, text: &[u8]) -> Option<u32> {
    let mut value = 0;
    for octet in text.get(..TAG)? {
        value = value << 5 | digit(*octet)?;
    }
    let number = u32::try_from(value >> 10).ok()?;
    (value & 0x3FF == check(seed, number)).then_some(number)
}

const fn digit(octet: u8) -> Option<u64> {
    match octet {
        b'0'..=b'9' => Some((octet - b'0') as u64),
        b'a'..=b'v' => Some((octet - b'a') as u64 + 10),
        _ => None,
    }
}

fn check(seed: u64, number: u32) -> u64 {
    scramble(seed ^ u64::from(number) << 17) & 0x3FF
}
