//! The text of a delivery receipt (SMPP 3.4 Appendix B), informative there and different everywhere.

use crate::wire::scan;
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

/// Keys without their colon, by their last letter. None ends with another after a separator, so their order does not
/// matter.
const fn keys_in(last: u8) -> &'static [(&'static [u8], Key)] {
    match last {
        b'b' => &[(b"sub", Key::Other)],
        b'd' => &[(b"id", Key::Id), (b"dlvrd", Key::Other)],
        b'e' => &[
            (b"done date", Key::DoneDate),
            (b"submit date", Key::Other),
            (b"done_date", Key::DoneDate),
            (b"submit_date", Key::Other),
        ],
        b'r' => &[(b"err", Key::Err)],
        b't' => &[(b"stat", Key::Stat), (b"text", Key::Text)],
        _ => &[],
    }
}

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
        let place = match key {
            Key::Id => &mut self.id,
            Key::DoneDate => &mut self.done_date,
            Key::Stat => &mut self.stat,
            Key::Err => &mut self.err,
            Key::Other | Key::Text => return,
        };
        if place.is_empty() {
            let value = trim(value);
            *place = if key == Key::DoneDate { value } else { first_word(value) };
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
    let mut at = from;
    loop {
        let colon = at + scan::find(b':', text.get(at..)?)?;
        at = colon + 1;
        let Some((before, key)) = key_at_end(text.get(from..colon)?) else { continue };
        if before.last().is_none_or(|before| is_separator(*before)) {
            return Some(Found { key, key_start: from + before.len(), value_start: at });
        }
    }
}

/// The key that `text` ends with, and what stands before it.
fn key_at_end(text: &[u8]) -> Option<(&[u8], Key)> {
    let last = text.last()?.to_ascii_lowercase();
    keys_in(last).iter().find_map(|(name, key)| {
        let (before, end) = text.split_at_checked(text.len().checked_sub(name.len())?)?;
        (scan::same(end, name) || end.eq_ignore_ascii_case(name)).then_some((before, *key))
    })
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
