//! Segments: sizes of TS 23.040 9.2.3.24.1, borders that cut nothing apart, headers, and joining back.

use isthmus::wire::short_message::segments::{Segment, TooLong, capacity};
use isthmus::wire::short_message::user_data::{NotForUser, UserData};
use isthmus::wire::short_message::{
    Alphabet, Coding, CodingOptions, Concatenation, DataCodingZero, Language, National, Plan, SegmentOptions, choose,
};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

fn cut(text: &str, coding: &CodingOptions, options: &SegmentOptions) -> Result<Vec<(Segment, Vec<u8>)>, TooLong> {
    let plan = Plan::new(text, choose(text, coding), options)?;
    let mut segments = plan.segments(0x1234);
    let mut all = Vec::new();
    let mut octets = Vec::new();
    while let Some(segment) = segments.next_into(&mut octets) {
        all.push((segment, std::mem::take(&mut octets)));
    }
    assert_eq!(all.len(), usize::from(plan.total()));
    Ok(all)
}

fn by(concatenation: Concatenation) -> SegmentOptions {
    SegmentOptions { concatenation, ..SegmentOptions::default() }
}

fn user_data<'a>(segment: &Segment, octets: &'a [u8]) -> UserData<'a> {
    if segment.user_data_header { UserData::with_header(octets) } else { UserData::plain(octets) }
}

fn joined(text: &str, coding: &CodingOptions, segments: &[(Segment, Vec<u8>)]) -> String {
    let alphabet = Alphabet::of(choose(text, coding).data_coding, coding.data_coding_0);
    let parts = segments.iter().map(|(segment, octets)| {
        let user_data = user_data(segment, octets);
        (user_data.national().unwrap(), user_data.text)
    });
    let mut out = String::new();
    assert_eq!(alphabet.decode_parts(parts, &mut Vec::new(), &mut out), Some(0));
    out
}

#[test]
fn sizes_are_those_of_the_table() {
    let table = include_str!("../spec/gsm_capacity.tsv");
    for row in table.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let row: Vec<&str> = row.split('\t').collect();
        let national = match row[2] {
            "single" => National { single: Some(Language::Turkish), locking: None },
            "single+locking" => National { single: Some(Language::Turkish), locking: Some(Language::Turkish) },
            _ => National::NONE,
        };
        let coding = match row[0] {
            "gsm7" => Coding::Gsm7(national),
            "octets" => Coding::Latin1,
            _ => Coding::Ucs2,
        };
        let elements = national.elements_octets();
        let header = match row[1] {
            "udh8" => 6 + elements,
            "udh16" => 7 + elements,
            _ if elements > 0 => 1 + elements,
            _ => 0,
        };
        assert_eq!(capacity(coding, header), row[3].parse::<usize>().unwrap(), "{row:?}");
    }
}

#[test]
fn one_message_until_it_is_full() {
    let coding = CodingOptions::default();
    for concatenation in [Concatenation::Sar, Concatenation::Udh8, Concatenation::Udh16, Concatenation::Payload] {
        for (text, segments) in [("a".repeat(160), 1), ("a".repeat(161), 2), ("я".repeat(70), 1), ("я".repeat(71), 2)]
        {
            let expected = if concatenation == Concatenation::Payload { 1 } else { segments };
            assert_eq!(cut(&text, &coding, &by(concatenation)).unwrap().len(), expected);
        }
    }
}

#[test]
fn parts_are_as_full_as_the_method_allows() {
    let coding = CodingOptions::default();
    let wide_sar = SegmentOptions { sar_reference_16_bit: true, ..by(Concatenation::Sar) };
    for (options, septets) in [
        (by(Concatenation::Sar), 153),
        (wide_sar, 152),
        (by(Concatenation::Udh8), 6 + 153),
        (by(Concatenation::Udh16), 7 + 152),
    ] {
        assert_eq!(cut(&"a".repeat(400), &coding, &options).unwrap()[0].1.len(), septets, "{options:?}");
    }
}

#[test]
fn segments_say_reference_total_and_number() {
    let segments = cut(&"a".repeat(400), &CodingOptions::default(), &by(Concatenation::Sar)).unwrap();
    let said: Vec<_> = segments.iter().map(|(part, _)| (part.reference, part.total, part.number)).collect();
    assert_eq!(said, [(0x1234, 3, 1), (0x1234, 3, 2), (0x1234, 3, 3)]);
    assert!(segments.iter().all(|(part, _)| part.concatenation == Some(Concatenation::Sar)));
}

#[test]
fn headers_are_written_and_read_back() {
    let segments = cut(&"a".repeat(200), &CodingOptions::default(), &by(Concatenation::Udh8)).unwrap();
    assert_eq!(segments[0].1[..6], [5, 0, 3, 0x34, 2, 1]);
    let segments = cut(&"a".repeat(200), &CodingOptions::default(), &by(Concatenation::Udh16)).unwrap();
    assert_eq!(segments[1].1[..7], [6, 8, 4, 0x12, 0x34, 2, 2]);
    let read = user_data(&segments[1].0, &segments[1].1).concatenated.unwrap();
    assert_eq!((read.reference, read.wide, read.total, read.number), (0x1234, true, 2, 2));
}

#[test]
fn national_tables_are_announced_in_every_segment() {
    let coding = CodingOptions { national: Some(Language::Turkish), ..CodingOptions::default() };
    let text = "Güneş doğuyor, kuşlar şarkı söylüyor. ".repeat(10);
    for concatenation in [Concatenation::Sar, Concatenation::Udh8, Concatenation::Payload] {
        let segments = cut(&text, &coding, &by(concatenation)).unwrap();
        for (segment, octets) in &segments {
            assert!(!user_data(segment, octets).national().unwrap().is_none());
        }
        assert_eq!(joined(&text, &coding, &segments), text);
    }
}

#[test]
fn an_escape_moves_whole() {
    let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
    let segments = cut(&text, &CodingOptions::default(), &by(Concatenation::Sar)).unwrap();
    assert_eq!(segments[0].1.len(), 152);
    assert_eq!(segments[1].1[..2], [0x1B, 0x65]);
}

#[test]
fn clusters_move_whole_where_they_fit() {
    let family = "👨‍👩‍👧‍👦";
    let text = format!("{}{family}{}", "я".repeat(60), "ю".repeat(20));
    let segments = cut(&text, &CodingOptions::default(), &by(Concatenation::Sar)).unwrap();
    assert_eq!(segments[0].1.len(), 120);
    let marks = "e".to_owned() + &"\u{301}".repeat(200);
    let segments = cut(&marks, &CodingOptions::default(), &by(Concatenation::Sar)).unwrap();
    assert_eq!(segments[0].1.len(), 134);
    assert_eq!(joined(&marks, &CodingOptions::default(), &segments), marks);
}

#[test]
fn no_more_than_255_segments() {
    let coding = CodingOptions::default();
    assert_eq!(cut(&"a".repeat(255 * 153), &coding, &by(Concatenation::Sar)).unwrap().len(), 255);
    assert!(cut(&"a".repeat(255 * 153 + 1), &coding, &by(Concatenation::Sar)).is_err());
    assert!(cut(&"a".repeat(255 * 153 + 1), &coding, &by(Concatenation::Payload)).is_err());
    let three = SegmentOptions { segments_max: 3, ..by(Concatenation::Sar) };
    assert_eq!(cut(&"a".repeat(3 * 153 + 1), &coding, &three), Err(TooLong { segments_max: 3 }));
}

#[test]
fn user_data_headers_with_faults() {
    let unknown = UserData::with_header(&[7, 0x23, 1, 9, 0x24, 1, 1, 0xFF, b'x']);
    assert!(unknown.broken);
    assert_eq!(unknown.text, b"x");
    let known = UserData::with_header(&[9, 0x23, 1, 9, 0x24, 1, 3, 0x24, 1, 1, b'x']);
    assert_eq!((known.broken, known.single_shift, known.text), (false, Some(1), &b"x"[..]));
    let too_long = UserData::with_header(&[200, 0, 3, 1, 2, 1]);
    assert!(too_long.broken && too_long.text.is_empty());
    assert!(UserData::with_header(&[]).broken);
    for concat in [[5, 0, 3, 1, 0, 0], [5, 0, 3, 1, 2, 0], [5, 0, 3, 1, 2, 3]] {
        assert_eq!(UserData::with_header(&concat).concatenated, None, "{concat:?}");
    }
    assert_eq!(UserData::with_header(&[3, 0x24, 1, 7, b'x']).national(), Err(7));
}

#[test]
fn messages_that_no_person_wrote() {
    let plain = UserData::plain(b"x");
    assert_eq!(plain.not_for_user(0x00, 0), None);
    assert_eq!(plain.not_for_user(0xF1, 0), None);
    assert_eq!(plain.not_for_user(0xF2, 0), Some(NotForUser::Class2));
    assert_eq!(plain.not_for_user(0x12, 0), Some(NotForUser::Class2));
    assert_eq!(plain.not_for_user(0x00, 0x40), Some(NotForUser::Type0));
    assert_eq!(plain.not_for_user(0x00, 0x7F), Some(NotForUser::DataDownload));
    let wap = UserData::with_header(&[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 1]);
    assert_eq!(wap.not_for_user(0x04, 0), Some(NotForUser::Port(2948)));
    let toolkit = UserData::with_header(&[2, 0x70, 0, 1]);
    assert_eq!(toolkit.not_for_user(0xF6, 0x7F), Some(NotForUser::Toolkit));
}

const PIECES: [&str; 15] =
    ["a", "€", "[", "ç", "ş", "я", "😀", "👨‍👩‍👧‍👦", "🇩🇪", "e\u{301}", "\u{200D}", "\u{FE0F}", "\r\n", "Ω", " "];

/// Without U+FEFF: at the start of UTF-16 it is a byte order mark and no text.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![6 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => ".{0,30}"];
    proptest::collection::vec(piece, 0..500).prop_map(|pieces| pieces.concat().replace('\u{FEFF}', ""))
}

fn any_coding() -> impl Strategy<Value = CodingOptions> {
    let zero = proptest::sample::select(vec![DataCodingZero::Gsm7, DataCodingZero::Latin1, DataCodingZero::Ascii]);
    let languages = vec![None, Some(Language::Turkish), Some(Language::Spanish), Some(Language::Portuguese)];
    (zero, any::<bool>(), proptest::sample::select(languages)).prop_map(|(data_coding_0, allow_latin1, national)| {
        CodingOptions { data_coding_0, allow_latin1, national, transliterate: false }
    })
}

fn any_method() -> impl Strategy<Value = Concatenation> {
    use Concatenation::{Payload, Sar, Udh8, Udh16};
    proptest::sample::select(vec![Sar, Udh8, Udh16, Payload])
}

proptest! {
    #[test]
    fn text_comes_back_as_it_was(text in any_text(), coding in any_coding(), method in any_method()) {
        let segments = cut(&text, &coding, &by(method)).unwrap();
        prop_assert_eq!(joined(&text, &coding, &segments), text);
    }

    #[test]
    fn every_segment_is_text_by_itself(text in any_text(), method in any_method()) {
        let coding = CodingOptions::default();
        let alphabet = Alphabet::of(choose(&text, &coding).data_coding, DataCodingZero::Gsm7);
        let mut whole = 0;
        for (segment, octets) in cut(&text, &coding, &by(method)).unwrap() {
            let mut part = String::new();
            let text_octets = user_data(&segment, &octets).text;
            prop_assert_eq!(alphabet.decode(text_octets, National::NONE, &mut part), Some(0));
            whole += part.graphemes(true).count();
        }
        prop_assert_eq!(whole, text.graphemes(true).count());
    }

    #[test]
    fn headers_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = UserData::with_header(&octets).national();
    }
}
