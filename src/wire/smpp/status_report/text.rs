//! The text of a delivery receipt (SMPP 3.4 Appendix B), informative there and different everywhere.

use crate::wire::smpp::MessageState;

/// Values as they stand in the text, empty where their key is missing.
#[derive(Default)]
pub(super) struct ReceiptText<'a> {
    pub(super) id: &'a [u8],
    pub(super) done_date: &'a [u8],
    pub(super) stat: &'a [u8],
    pub(super) err: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    DoneDate,
    Stat,
    Err,
    Other,
    Text,
}

/// Keys without their colon. None ends with another after a separator, so their order does not matter.
const KEYS: &[(&[u8], Key)] = &[
    (b"id", Key::Id),
    (b"sub", Key::Other),
    (b"dlvrd", Key::Other),
    (b"submit date", Key::Other),
    (b"submit_date", Key::Other),
    (b"done date", Key::DoneDate),
    (b"done_date", Key::DoneDate),
    (b"stat", Key::Stat),
    (b"err", Key::Err),
    (b"text", Key::Text),
];

struct Found {
    key: Key,
    key_start: usize,
    value_start: usize,
}

impl<'a> ReceiptText<'a> {
    /// Reads keys and values from left to right up to `text:`.
    pub(super) fn read(text: &'a [u8]) -> ReceiptText<'a> {
        let mut read = ReceiptText::default();
        let mut found = next_key(text, 0);
        while let Some(Found { key, value_start, .. }) = found.filter(|found| found.key != Key::Text) {
            found = next_key(text, value_start);
            let end = found.as_ref().map_or(text.len(), |next| next.key_start);
            read.keep(key, text.get(value_start..end).unwrap_or_default());
        }
        read
    }

    /// The first value of a key counts. A date may be two words, the others are one.
    fn keep(&mut self, key: Key, value: &'a [u8]) {
        let value = trim(value);
        let (place, value) = match key {
            Key::Id => (&mut self.id, first_word(value)),
            Key::DoneDate => (&mut self.done_date, value),
            Key::Stat => (&mut self.stat, first_word(value)),
            Key::Err => (&mut self.err, first_word(value)),
            Key::Other | Key::Text => return,
        };
        if place.is_empty() {
            *place = value;
        }
    }

    /// What `stat` says, if anything.
    pub(super) fn state(&self) -> Option<MessageState> {
        let vendor = VENDOR_STATS.iter().find(|(stat, _)| self.stat.eq_ignore_ascii_case(stat));
        MessageState::from_stat(self.stat).or(vendor.map(|(_, state)| *state))
    }
}

/// Words that vendors use beside those of Appendix B.
const VENDOR_STATS: [(&[u8], MessageState); 9] = [
    (b"FAILED", MessageState::UNDELIVERABLE),
    (b"FAIL", MessageState::UNDELIVERABLE),
    (b"SENT", MessageState::ENROUTE),
    (b"BUFFRED", MessageState::ENROUTE),
    (b"BUFFERED", MessageState::ENROUTE),
    (b"SCHEDULED", MessageState(0)),
    (b"SKIPPED", MessageState::DELETED),
    (b"CANCELED", MessageState::DELETED),
    (b"CANCELLED", MessageState::DELETED),
];

/// The next key at or after `from` that begins a word.
fn next_key(text: &[u8], from: usize) -> Option<Found> {
    let behind = text.get(from..)?;
    memchr::memchr_iter(b':', behind).find_map(|colon| {
        let (name, key) = key_before(behind.get(..colon)?)?;
        let key_start = colon.checked_sub(name.len())?;
        let begins_word = key_start == 0 || behind.get(key_start - 1).is_some_and(|before| is_separator(*before));
        begins_word.then_some(Found { key, key_start: from + key_start, value_start: from + colon + 1 })
    })
}

/// The key that `text` ends with.
fn key_before(text: &[u8]) -> Option<(&'static [u8], Key)> {
    let last = text.last()?.to_ascii_lowercase();
    let ends = |name: &[u8]| text.len().checked_sub(name.len()).is_some_and(|at| text[at..].eq_ignore_ascii_case(name));
    KEYS.iter().find(|(name, _)| name.last() == Some(&last) && ends(name)).copied()
}

fn is_separator(octet: u8) -> bool {
    octet == 0 || octet.is_ascii_whitespace() || octet == b',' || octet == b';'
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_separator(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_separator(*last)
    {
        value = rest;
    }
    value
}

fn first_word(value: &[u8]) -> &[u8] {
    value.split(|octet| is_separator(*octet)).next().unwrap_or_default()
}
