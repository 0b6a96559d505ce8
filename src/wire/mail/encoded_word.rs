//! Text in header fields: encoded words (RFC 2047), and the octets beyond ASCII that some write without them.

use super::base64;
use super::header::unfolded;
use crate::wire::cpim::{charset, transfer};
use crate::wire::{digits, scan};

/// Octets of text in a word, so that a word fits into the first line of a Subject (RFC 2047 2: 76 octets).
const WORD_TEXT_BYTES_MAX: usize = 39;

/// Appends the text of a field's value: words decoded, folds removed. What is no word is taken as UTF-8 if it is that, and
/// as Windows-1252 if not. A word in an unknown character set stays as it is.
pub fn decode(value: &[u8], out: &mut String) {
    let value: Vec<u8> = unfolded(value).collect();
    let mut rest = value.as_slice();
    let mut pending = Pending::default();
    while !rest.is_empty() {
        let (plain, word, tail) = next_word(rest);
        if let Some(word) = word {
            // White space between two words is none (RFC 2047 6.2).
            if !plain.trim_ascii().is_empty() || !pending.is_open() {
                pending.close(out);
                append_plain(plain, out);
            }
            pending.add(&word, out);
        } else {
            pending.close(out);
            append_plain(plain, out);
        }
        rest = tail;
    }
    pending.close(out);
}

/// Appends `text` as it can stand in a field: as it is if it is printable ASCII, else in encoded words of UTF-8 with a space
/// between them. Controls become spaces.
pub fn encode(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|octet| matches!(octet, b' '..=b'~')) && !text.contains("=?");
    if plain {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut word = Vec::with_capacity(WORD_TEXT_BYTES_MAX);
    let mut first = true;
    let mut utf8 = [0; 4];
    for character in text.chars() {
        let character = if character.is_control() { ' ' } else { character };
        let octets = character.encode_utf8(&mut utf8).as_bytes();
        if word.len() + octets.len() > WORD_TEXT_BYTES_MAX {
            write_word(&word, &mut first, out);
            word.clear();
        }
        word.extend_from_slice(octets);
    }
    write_word(&word, &mut first, out);
}

/// Appends a value that should be ASCII: its octets as they stand, those beyond ASCII as the words of their text.
pub fn encode_octets(value: &[u8], out: &mut Vec<u8>) {
    if value.is_ascii() {
        return out.extend_from_slice(value);
    }
    let mut text = String::with_capacity(value.len());
    decode(value, &mut text);
    encode(&text, out);
}

/// Appends a value whose octets beyond ASCII, wherever they stand, become words: in a parameter's quotes, too, where RFC 2047
/// wants none and everybody reads them. Folds are removed.
pub fn encode_runs(value: &[u8], out: &mut Vec<u8>) {
    let value: Vec<u8> = unfolded(value).collect();
    for run in value.chunk_by(|one, other| one.is_ascii() == other.is_ascii()) {
        if run.is_ascii() {
            out.extend_from_slice(run);
        } else {
            let mut text = String::with_capacity(run.len());
            append_plain(run, &mut text);
            encode(&text, out);
        }
    }
}

fn write_word(text: &[u8], first: &mut bool, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    if !core::mem::take(first) {
        out.push(b' ');
    }
    out.extend_from_slice(b"=?UTF-8?B?");
    base64::encode(text, out);
    out.extend_from_slice(b"?=");
}

/// `=?charset*language?encoding?text?=`
struct Word<'a> {
    charset: &'a [u8],
    encoding: Encoding,
    text: &'a [u8],
    /// As it stands.
    raw: &'a [u8],
}

#[derive(Clone, Copy)]
enum Encoding {
    Base64,
    Q,
}

/// What precedes the next word, the word, and what follows it; all of it if there is none.
fn next_word(value: &[u8]) -> (&[u8], Option<Word<'_>>, &[u8]) {
    let mut from = 0;
    while let Some(start) = find_pair(*b"=?", value, from) {
        if let Some((word, end)) = Word::at(value, start) {
            return (value.get(..start).unwrap_or_default(), Some(word), value.get(end..).unwrap_or_default());
        }
        from = start + 2;
    }
    (value, None, b"")
}

impl<'a> Word<'a> {
    fn at(value: &'a [u8], start: usize) -> Option<(Word<'a>, usize)> {
        let charset_at = start + 2;
        let charset_end = charset_at + scan::find(b'?', value.get(charset_at..)?)?;
        let encoding = match value.get(charset_end + 1..charset_end + 3)? {
            [b'B' | b'b', b'?'] => Encoding::Base64,
            [b'Q' | b'q', b'?'] => Encoding::Q,
            _ => return None,
        };
        let text_at = charset_end + 3;
        let text_end = find_pair(*b"?=", value, text_at)?;
        let charset = value.get(charset_at..charset_end)?;
        let charset = charset.get(..scan::find(b'*', charset).unwrap_or(charset.len()))?;
        let fits = !charset.is_empty() && charset.iter().all(u8::is_ascii_graphic);
        let end = text_end + 2;
        let word = Word { charset, encoding, text: value.get(text_at..text_end)?, raw: value.get(start..end)? };
        fits.then_some((word, end))
    }

    fn octets(&self, out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Base64 => {
                let _known = transfer::decode(Some(b"base64"), self.text, out);
            }
            Encoding::Q => decode_q(self.text, out),
        }
    }
}

/// Octets of words whose text is not complete before the last of them is known: some cut a character in two.
#[derive(Default)]
struct Pending<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

impl<'a> Pending<'a> {
    fn is_open(&self) -> bool {
        !self.charset.is_empty()
    }

    fn add(&mut self, word: &Word<'a>, out: &mut String) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.close(out);
        }
        if !charset::decode_label(Some(word.charset), b"", out) {
            return out.push_str(&String::from_utf8_lossy(word.raw));
        }
        self.charset = word.charset;
        word.octets(&mut self.octets);
    }

    fn close(&mut self, out: &mut String) {
        if self.is_open() {
            charset::decode_label(Some(self.charset), &self.octets, out);
        }
        self.charset = b"";
        self.octets.clear();
    }
}

/// RFC 2047 4.2.
fn decode_q(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let quoted = match tail {
            [high, low, ..] if *first == b'=' => digits::hex(*high).zip(digits::hex(*low)),
            _ => None,
        };
        out.push(quoted.map_or(if *first == b'_' { b' ' } else { *first }, |(high, low)| high << 4 | low));
        rest = if quoted.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
}

fn append_plain(octets: &[u8], out: &mut String) {
    let label: &[u8] = if str::from_utf8(octets).is_ok() { b"utf-8" } else { b"windows-1252" };
    charset::decode_label(Some(label), octets, out);
}

fn find_pair(pair: [u8; 2], value: &[u8], from: usize) -> Option<usize> {
    value.get(from..)?.windows(2).position(|two| two == pair).map(|at| from + at)
}
