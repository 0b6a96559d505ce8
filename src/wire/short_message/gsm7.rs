//! GSM 7 bit default alphabet and its extension table. TS 23.038 6.2.1 and 6.2.1.1.

use super::national::National;

/// Introduces a code of the extension table (or of the national single shift table in its place).
pub const ESCAPE: u8 = 0x1B;

/// Code of `?`, which stands in where nothing else can.
pub const QUESTION_MARK: Code = Code::One(0x3F);

/// The default alphabet, character by code. Row = high nibble. The escape's own place shows a space, as 6.2.1.1 asks
/// of a receiver that finds nothing behind it.
#[rustfmt::skip]
pub const DEFAULT_ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: code behind the escape, character.
pub const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// One character as septets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A code of the main table.
    One(u8),
    /// The escape, then this code.
    Escaped(u8),
}

impl Code {
    /// How many septets it takes.
    #[must_use]
    pub const fn septets(self) -> usize {
        match self {
            Code::One(_) => 1,
            Code::Escaped(_) => 2,
        }
    }

    /// Appends it, one septet per octet.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Code::One(code) => out.push(code),
            Code::Escaped(code) => out.extend_from_slice(&[ESCAPE, code]),
        }
    }
}

/// Septets that `text` takes in the default alphabet with its extension, or `None` if a character is in neither.
#[must_use]
pub fn septets(text: &str) -> Option<usize> {
    let mut count = 0;
    let mut rest = text.as_bytes();
    loop {
        let (ascii, escaped) = count_ascii(rest)?;
        count += ascii + escaped;
        rest = rest.get(ascii..).unwrap_or_default();
        let Some(c) = first_char(rest) else { return Some(count) };
        count += code_of(c, National::NONE)?.septets();
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
}

/// Appends `text`, one septet per octet; a character outside both tables becomes `?`.
pub fn encode(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len());
    let mut rest = text.as_bytes();
    loop {
        let ascii = encode_ascii(rest, out);
        rest = rest.get(ascii..).unwrap_or_default();
        let Some(c) = first_char(rest) else { return };
        code_of(c, National::NONE).unwrap_or(QUESTION_MARK).write(out);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
}

/// The code of `c` under `national` tables (none: default and extension), or `None`.
#[must_use]
pub fn code_of(c: char, national: National) -> Option<Code> {
    let default = default_code_of(c);
    if national.is_none() {
        return default;
    }
    let locked = national.locking.and_then(|language| code_in(language.locking_shift(), c)).map(Code::One);
    let main = default.filter(|code| !national.hides(*code));
    let shifted = national.single.and_then(|language| code_in(language.single_shift(), c)).map(Code::Escaped);
    let escaped = main.filter(|code| code.septets() == 2);
    locked.or(main.filter(|code| code.septets() == 1)).or(shifted).or(escaped)
}

/// Appends the characters of unpacked `septets` as UTF-8 and says how many octets were no septet (bit 7 set); each of
/// those becomes U+FFFD. An escape without a meaning shows the main table's character, an escape at the end a space.
pub fn decode(septets: &[u8], national: National, out: &mut String) -> usize {
    let mut replaced = 0;
    let mut rest = septets;
    out.reserve(septets.len());
    while !rest.is_empty() {
        if national.locking.is_none() {
            rest = decode_ascii(rest, out);
        }
        // where one lane was not ASCII the others are not tried again
        for _ in 0..LANES {
            let [first, tail @ ..] = rest else { return replaced };
            rest = decode_one(*first, tail, national, out);
            replaced += usize::from(*first >= 0x80);
        }
    }
    replaced
}

fn decode_one<'a>(first: u8, tail: &'a [u8], national: National, out: &mut String) -> &'a [u8] {
    if first == ESCAPE {
        return decode_escaped(tail, national, out);
    }
    out.push(main_char(first, national));
    tail
}

/// Decodes what becomes ASCII at the start of `septets`, sixteen at a time, and returns the rest.
fn decode_ascii<'a>(septets: &'a [u8], out: &mut String) -> &'a [u8] {
    let (own, mut rest) = septets.split_at(own_codes(septets));
    out.push_str(str::from_utf8(own).unwrap_or_default());
    while let Some((lanes, tail)) = rest.split_first_chunk::<LANES>() {
        let text = lanes.map(|code| TO_ASCII[usize::from(code)]);
        match str::from_utf8(&text) {
            Ok(text) => out.push_str(text),
            // NOT_ASCII occurs nowhere in UTF-8
            Err(_) => return rest,
        }
        rest = tail;
    }
    rest
}

fn decode_escaped<'a>(tail: &'a [u8], national: National, out: &mut String) -> &'a [u8] {
    match tail.split_first() {
        // 6.2.1.1: escape twice is reserved for another extension table; a receiver that has none shows a space
        None | Some((&ESCAPE, _)) => out.push(' '),
        // no septet: leave it for the main loop to replace
        Some((0x80.., _)) => return tail,
        Some((code, _)) => out.push(escaped_char(*code, national)),
    }
    tail.get(1..).unwrap_or_default()
}

fn main_char(code: u8, national: National) -> char {
    let locked = national.locking.and_then(|language| char_in(language.locking_shift(), code));
    locked.or_else(|| DEFAULT_ALPHABET.get(usize::from(code)).copied()).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn escaped_char(code: u8, national: National) -> char {
    let shifted = national.single.and_then(|language| char_in(language.single_shift(), code));
    shifted.or_else(|| char_in(&EXTENSION, code)).unwrap_or_else(|| main_char(code, national))
}

/// The code of `c` in the default alphabet or its extension.
fn default_code_of(c: char) -> Option<Code> {
    match u8::try_from(c) {
        Ok(latin1) => from_map(LATIN1[usize::from(latin1)]),
        Err(_) if c == '€' => Some(Code::Escaped(0x65)),
        Err(_) => GREEK.iter().find(|(_, greek)| *greek == c).map(|(code, _)| Code::One(*code)),
    }
}

fn code_in(table: &[(u8, char)], c: char) -> Option<u8> {
    table.iter().find(|(_, known)| *known == c).map(|(code, _)| *code)
}

fn char_in(table: &[(u8, char)], code: u8) -> Option<char> {
    table.iter().find(|(known, _)| *known == code).map(|(_, c)| *c)
}

/// The capital Greek letters, which are all of the default alphabet outside Latin-1.
const GREEK: [(u8, char); 10] = [
    (0x10, 'Δ'),
    (0x12, 'Φ'),
    (0x13, 'Γ'),
    (0x14, 'Λ'),
    (0x15, 'Ω'),
    (0x16, 'Π'),
    (0x17, 'Ψ'),
    (0x18, 'Σ'),
    (0x19, 'Θ'),
    (0x1A, 'Ξ'),
];

const NO_CODE: u8 = 0xFF;
const ESCAPED: u8 = 0x80;

/// Code by Latin-1 character: below 0x80 a main code, `ESCAPED | code` behind the escape, [`NO_CODE`].
const LATIN1: [u8; 256] = latin1_map();

/// The same for octets of UTF-8: everything above ASCII has the high bit and leaves the fast path.
const ASCII: [u8; 256] = ascii_map();

const NOT_ASCII: u8 = 0xFF;

/// ASCII by code of the default alphabet; [`NOT_ASCII`] for other characters, the escape and what is no septet.
const TO_ASCII: [u8; 256] = to_ascii_map();

const fn to_ascii_map() -> [u8; 256] {
    let mut map = [NOT_ASCII; 256];
    let mut octet = 0u8;
    while octet < 0x80 {
        let code = ASCII[octet as usize];
        if code & ESCAPED == 0 {
            map[code as usize] = octet;
        }
        octet += 1;
    }
    map
}

const fn latin1_map() -> [u8; 256] {
    let mut map = [NO_CODE; 256];
    let mut code = 0u8;
    while code < 0x80 {
        let c = DEFAULT_ALPHABET[code as usize] as usize;
        if c < 0x100 && code != ESCAPE {
            map[c] = code;
        }
        code += 1;
    }
    let mut row = 0;
    while row < EXTENSION.len() {
        let (code, c) = EXTENSION[row];
        if (c as usize) < 0x100 {
            map[c as usize] = ESCAPED | code;
        }
        row += 1;
    }
    map
}

const fn ascii_map() -> [u8; 256] {
    let mut map = LATIN1;
    let mut octet = 0x80;
    while octet < 0x100 {
        map[octet] = NO_CODE;
        octet += 1;
    }
    map
}

fn from_map(entry: u8) -> Option<Code> {
    match entry {
        NO_CODE => None,
        escaped if escaped & ESCAPED != 0 => Some(Code::Escaped(escaped & !ESCAPED)),
        code => Some(Code::One(code)),
    }
}

/// Octets of ASCII at the start of `bytes`, and how many of them need the escape; `None` if one has no code at all.
fn count_ascii(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut escaped = 0;
    let own = own_codes(bytes);
    for (at, octet) in bytes.iter().enumerate().skip(own) {
        let entry = ASCII[usize::from(*octet)];
        if entry == NO_CODE {
            return (*octet >= 0x80).then_some((at, escaped));
        }
        escaped += usize::from(entry >> 7);
    }
    Some((bytes.len(), escaped))
}

const LANES: usize = 16;

/// Encodes the ASCII at the start of `bytes` and says how many octets that was. Sixteen at a time while none of them
/// needs the escape.
fn encode_ascii(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let mut done = own_codes(bytes);
    let (own, rest) = bytes.split_at(done);
    out.extend_from_slice(own);
    for chunk in rest.as_chunks::<LANES>().0 {
        if are_own_codes(chunk) {
            out.extend_from_slice(chunk);
            done += LANES;
            continue;
        }
        let codes = chunk.map(|octet| ASCII[usize::from(octet)]);
        if codes.iter().fold(0, |all, code| all | code) & ESCAPED == 0 {
            out.extend_from_slice(&codes);
        } else if !encode_each(chunk, &mut done, out) {
            return done;
        } else {
            continue;
        }
        done += LANES;
    }
    let tail = bytes.get(done..).unwrap_or_default();
    encode_each(tail, &mut done, out);
    done
}

/// Whether each octet of ASCII is its own code, as letters, digits and most signs are. Written without branches, to be
/// done for all of them at once.
fn are_own_codes(octets: &[u8; LANES]) -> bool {
    octets.iter().fold(true, |all, octet| all & is_own_code(*octet))
}

fn is_own_code(octet: u8) -> bool {
    let among = |first: u8, last: u8| octet.wrapping_sub(first) <= last - first;
    let letter = (octet | 0x20).wrapping_sub(b'a') < 26;
    letter | among(b' ', b'#') | among(b'%', b'?') | (octet == b'\n') | (octet == b'\r')
}

/// How many octets at the start of `octets` are their own codes, whole lanes counted, and the last one if it is all that
/// is left.
fn own_codes(octets: &[u8]) -> usize {
    let (chunks, tail) = octets.as_chunks();
    let own = chunks.iter().take_while(|chunk| are_own_codes(chunk)).count();
    let mut last = [b' '; LANES];
    if own == chunks.len()
        && let Some(place) = last.get_mut(..tail.len())
    {
        place.copy_from_slice(tail);
        return if are_own_codes(&last) { octets.len() } else { own * LANES };
    }
    own * LANES
}

/// Encodes ASCII octet by octet, counting in `done`; `false` at the first octet that is not ASCII.
fn encode_each(bytes: &[u8], done: &mut usize, out: &mut Vec<u8>) -> bool {
    for octet in bytes {
        if *octet >= 0x80 {
            return false;
        }
        from_map(ASCII[usize::from(*octet)]).unwrap_or(QUESTION_MARK).write(out);
        *done += 1;
    }
    true
}

/// The first character of bytes that continue a `str` at a character boundary.
fn first_char(bytes: &[u8]) -> Option<char> {
    let (valid, _) = bytes.split_at_checked(utf8_len(*bytes.first()?))?;
    core::str::from_utf8(valid).ok()?.chars().next()
}

const fn utf8_len(lead: u8) -> usize {
    match lead {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn own_codes_are_those_of_the_table() {
        for octet in 0..=u8::MAX {
            assert_eq!(super::is_own_code(octet), super::ASCII[usize::from(octet)] == octet && octet < 0x80, "{octet}");
        }
    }
}
