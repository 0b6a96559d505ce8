//! Alphabets and codings against the tables of TS 23.038, and round trips.

use isthmus::wire::short_message::gsm7::{Code, code_of, decode, encode, septets};
use isthmus::wire::short_message::pack::{fill_bits, pack, unpack};
use isthmus::wire::short_message::{Alphabet, Coding, CodingOptions, DataCodingZero, Language, National, choose};
use proptest::prelude::*;

fn rows(tsv: &str) -> impl Iterator<Item = Vec<&str>> {
    tsv.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t').collect())
}

fn code(hex: &str) -> u8 {
    u8::from_str_radix(hex, 16).unwrap()
}

fn character(code_point: &str) -> char {
    char::from_u32(u32::from_str_radix(&code_point[2..], 16).unwrap()).unwrap()
}

fn decoded(octets: &[u8], national: National) -> String {
    let mut text = String::new();
    decode(octets, national, &mut text);
    text
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn every_code_of_the_default_alphabet() {
    let table = include_str!("../spec/gsm_default.tsv");
    assert_eq!(rows(table).count(), 127);
    for row in rows(table) {
        let (code, c) = (code(row[0]), character(row[1]));
        assert_eq!(code_of(c, National::NONE), Some(Code::One(code)), "{row:?}");
        assert_eq!(decoded(&[code], National::NONE), c.to_string(), "{row:?}");
    }
}

#[test]
fn every_code_of_the_extension_table() {
    for row in rows(include_str!("../spec/gsm_extension.tsv")) {
        let (code, c) = (code(row[0]), character(row[1]));
        assert_eq!(code_of(c, National::NONE), Some(Code::Escaped(code)), "{row:?}");
        assert_eq!(decoded(&[0x1B, code], National::NONE), c.to_string(), "{row:?}");
    }
}

#[test]
fn every_code_of_the_national_tables() {
    for row in rows(include_str!("../spec/gsm_national.tsv")) {
        let (language, code, c) = (Language::from_id(row[0].parse().unwrap()), code(row[2]), character(row[3]));
        let single = row[1] == "single";
        let national = National { single: language.filter(|_| single), locking: language.filter(|_| !single) };
        let octets: &[u8] = if single { &[0x1B, code] } else { &[code] };
        assert_eq!(decoded(octets, national), c.to_string(), "{row:?}");
        let mut out = Vec::new();
        code_of(c, national).unwrap().write(&mut out);
        assert_eq!(decoded(&out, national), c.to_string(), "{row:?}");
    }
}

#[test]
fn characters_in_no_table_have_no_code() {
    for c in ['`', '\u{1}', '\u{7F}', 'ç', 'á', 'Ą', '😀', '\u{1B}'] {
        assert_eq!(code_of(c, National::NONE), None, "{c:?}");
    }
    assert_eq!(septets("a`"), None);
    assert_eq!(septets("aç"), None);
}

#[test]
fn escapes_without_meaning_show_the_main_table() {
    assert_eq!(decoded(&[0x1B, 0x41], National::NONE), "A");
    assert_eq!(decoded(&[0x41, 0x1B], National::NONE), "A ");
    assert_eq!(decoded(&[0x1B, 0x1B], National::NONE), " ");
    let locking = National { locking: Some(Language::Turkish), single: None };
    assert_eq!(decoded(&[0x1B, 0x60], locking), "ç");
}

#[test]
fn languages_without_tables_are_not_guessed() {
    assert!((4..=13).all(|id| Language::from_id(id).is_none()));
}

#[test]
fn packs_like_the_air_interface() {
    let mut octets = Vec::new();
    encode("hellohello", &mut octets);
    let mut packed = Vec::new();
    pack(&octets, 0, &mut packed);
    assert_eq!(hex(&packed), "e8329bfd4697d9ec37");
    let (mut octets, mut packed) = (Vec::new(), Vec::new());
    encode("[€]", &mut octets);
    assert_eq!(hex(&octets), "1b3c1b651b3e");
    pack(&octets, 0, &mut packed);
    assert_eq!(hex(&packed), "1bdea6bcf101");
}

#[test]
fn packs_behind_a_header() {
    for (header_octets, bits, expected) in [(6, 1, "8242"), (7, 0, "4121"), (9, 5, "202804"), (12, 2, "0485")] {
        assert_eq!(fill_bits(header_octets), bits);
        let mut packed = Vec::new();
        pack(b"AB", bits, &mut packed);
        assert_eq!(hex(&packed), expected);
    }
}

fn options() -> CodingOptions {
    CodingOptions::default()
}

#[test]
fn the_smallest_coding_that_loses_nothing() {
    let chosen = |text: &str, options: &CodingOptions| {
        let chosen = choose(text, options);
        (chosen.coding, chosen.data_coding, chosen.units)
    };
    let gsm7 = Coding::Gsm7(National::NONE);
    assert_eq!(chosen("", &options()), (gsm7, 0, 0));
    assert_eq!(chosen("Grüße [€]", &options()), (gsm7, 0, 12));
    assert_eq!(chosen("façade", &options()), (Coding::Ucs2, 8, 6));
    assert_eq!(chosen("😀", &options()), (Coding::Ucs2, 8, 2));
    let latin1 = CodingOptions { allow_latin1: true, ..options() };
    assert_eq!(chosen("façade", &latin1), (Coding::Latin1, 3, 6));
    assert_eq!(chosen("facade", &latin1), (gsm7, 0, 6));
    let zero_latin1 = CodingOptions { data_coding_0: DataCodingZero::Latin1, ..options() };
    assert_eq!(chosen("façade", &zero_latin1), (Coding::Latin1, 0, 6));
    assert_eq!(chosen("Ω", &zero_latin1), (Coding::Ucs2, 8, 1));
    let zero_ascii = CodingOptions { data_coding_0: DataCodingZero::Ascii, ..options() };
    assert_eq!(chosen("a`", &zero_ascii), (Coding::Ascii, 0, 2));
    assert_eq!(chosen("é", &zero_ascii), (Coding::Ucs2, 8, 1));
}

#[test]
fn national_tables_only_where_they_save() {
    let turkish = CodingOptions { national: Some(Language::Turkish), ..options() };
    let long = "Güneş doğuyor ve kuşlar şarkı söylüyor ".repeat(3);
    let Coding::Gsm7(national) = choose(&long, &turkish).coding else { panic!("expected GSM-7") };
    assert!(!national.is_none());
    assert_eq!(choose("ş", &turkish).coding, Coding::Ucs2);
    assert_eq!(choose("Gunes", &turkish).coding, Coding::Gsm7(National::NONE));
}

#[test]
fn look_alikes_only_when_asked_for() {
    let quoted = "“façade” – `x`…";
    assert_eq!(choose(quoted, &options()).coding, Coding::Ucs2);
    let chosen = choose(quoted, &CodingOptions { transliterate: true, ..options() });
    let mut octets = Vec::new();
    chosen.encode(quoted, &mut octets);
    assert_eq!(decoded(&octets, National::NONE), "\"facade\" - 'x'...");
    assert_eq!(octets.len(), chosen.units);
    let emoji = choose("“😀”", &CodingOptions { transliterate: true, ..options() });
    assert_eq!((emoji.coding, emoji.transliterate), (Coding::Ucs2, false));
}

#[test]
fn data_coding_names_the_alphabet() {
    let gsm7 = |data_coding| Alphabet::of(data_coding, DataCodingZero::Gsm7);
    for data_coding in [0x00, 0x10, 0x11, 0x50, 0xC0, 0xC8, 0xD0, 0xF0, 0xF1, 0x80] {
        assert_eq!(gsm7(data_coding), Alphabet::Gsm7, "{data_coding:02x}");
    }
    for data_coding in [0x08, 0x18, 0x19, 0x48, 0x58, 0xE0, 0xE8] {
        assert_eq!(gsm7(data_coding), Alphabet::Ucs2, "{data_coding:02x}");
    }
    for data_coding in [0x02, 0x04, 0x14, 0x15, 0xF4, 0xF5, 0x30] {
        assert_eq!(gsm7(data_coding), Alphabet::Binary, "{data_coding:02x}");
    }
    assert_eq!(Alphabet::of(0, DataCodingZero::Latin1), Alphabet::Latin1);
    assert_eq!(Alphabet::of(0, DataCodingZero::Ascii), Alphabet::Ascii);
    assert_eq!((gsm7(1), gsm7(3)), (Alphabet::Ascii, Alphabet::Latin1));
}

#[test]
fn utf16_quirks() {
    let decoded = |octets: &[u8]| {
        let mut text = String::new();
        let replaced = Alphabet::Ucs2.decode(octets, National::NONE, &mut text);
        (text, replaced)
    };
    assert_eq!(decoded(&[0xFE, 0xFF, 0, 0x41]), ("A".to_owned(), Some(0)));
    assert_eq!(decoded(&[0, 0x41, 0]), ("A".to_owned(), Some(1)));
    assert_eq!(decoded(&[0xD8, 0x3D, 0, 0x41]), ("\u{FFFD}A".to_owned(), Some(1)));
}

#[test]
fn what_a_sender_cut_through_is_whole_after_joining() {
    let (mut scratch, mut text) = (Vec::new(), String::new());
    let parts: [(National, &[u8]); 2] = [(National::NONE, &[0xD8, 0x3D]), (National::NONE, &[0xDE, 0x00])];
    assert_eq!(Alphabet::Ucs2.decode_parts(parts, &mut scratch, &mut text), Some(0));
    let turkish = National { locking: Some(Language::Turkish), single: None };
    let parts: [(National, &[u8]); 3] =
        [(National::NONE, &[0x41, 0x1B]), (National::NONE, &[0x65]), (turkish, &[0x1D])];
    assert_eq!(Alphabet::Gsm7.decode_parts(parts, &mut scratch, &mut text), Some(0));
    assert_eq!(text, "😀A€ş");
}

#[test]
fn other_character_sets_of_smpp() {
    let mut text = String::new();
    Alphabet::of(0x06, DataCodingZero::Gsm7).decode(&[0xBF, 0xE0, 0xD8], National::NONE, &mut text);
    assert_eq!(text, "При");
    assert_eq!(Alphabet::Binary.decode(b"x", National::NONE, &mut text), None);
}

fn gsm7_text() -> impl Strategy<Value = String> {
    let table: Vec<char> = rows(include_str!("../spec/gsm_default.tsv"))
        .chain(rows(include_str!("../spec/gsm_extension.tsv")))
        .map(|row| character(row[1]))
        .collect();
    proptest::collection::vec(proptest::sample::select(table), 0..400).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn gsm7_round_trips(text in gsm7_text()) {
        let mut octets = Vec::new();
        encode(&text, &mut octets);
        prop_assert_eq!(septets(&text), Some(octets.len()));
        prop_assert_eq!(decoded(&octets, National::NONE), text);
    }

    #[test]
    fn the_fast_path_agrees_with_the_table(text in ".{0,80}") {
        let slow: Option<usize> = text.chars().map(|c| code_of(c, National::NONE).map(Code::septets)).sum();
        prop_assert_eq!(septets(&text), slow);
        let (mut fast, mut octets) = (Vec::new(), Vec::new());
        encode(&text, &mut fast);
        text.chars().for_each(|c| Coding::Gsm7(National::NONE).encode_char(c, &mut octets));
        prop_assert_eq!(fast, octets);
    }

    #[test]
    fn packing_round_trips(octets in proptest::collection::vec(0u8..0x80, 0..160), fill in 0usize..7) {
        let (mut packed, mut unpacked) = (Vec::new(), Vec::new());
        pack(&octets, fill, &mut packed);
        unpack(&packed, fill, octets.len(), &mut unpacked);
        prop_assert_eq!(unpacked, octets);
    }

    #[test]
    fn decoding_never_panics(
        octets in proptest::collection::vec(any::<u8>(), 0..200), data_coding in any::<u8>(), single in any::<bool>()
    ) {
        let national = National { locking: None, single: single.then_some(Language::Portuguese) };
        let mut text = String::new();
        Alphabet::of(data_coding, DataCodingZero::Gsm7).decode(&octets, national, &mut text);
    }
}
