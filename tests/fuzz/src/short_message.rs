//! Text in short messages: any octets are read under any data_coding, and any text that is written is read back.

use isthmus::limits;
use isthmus::wire::short_message::{
    Alphabet, CodingOptions, Concatenation, DataCodingZero, Language, National, Plan, SegmentOptions, UserData, choose,
    fingerprint, pack,
};

use super::input::Input;

const ZEROS: [DataCodingZero; 3] = [DataCodingZero::Gsm7, DataCodingZero::Latin1, DataCodingZero::Ascii];
const LANGUAGES: [Option<Language>; 4] =
    [None, Some(Language::Turkish), Some(Language::Spanish), Some(Language::Portuguese)];
const METHODS: [Concatenation; 4] =
    [Concatenation::Sar, Concatenation::Udh8, Concatenation::Udh16, Concatenation::Payload];

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (data_coding, zero) = (input.u8(), ZEROS[input.below(3)]);
    let coding = CodingOptions {
        data_coding_0: zero,
        allow_latin1: input.below(2) == 1,
        national: LANGUAGES[input.below(4)],
        transliterate: false,
    };
    let options = SegmentOptions {
        concatenation: METHODS[input.below(4)],
        sar_reference_16_bit: input.below(2) == 1,
        segments_max: input.u8().max(1),
    };
    let rest = input.rest();
    read(Alphabet::of(data_coding, zero), rest);
    let text = String::from_utf8_lossy(rest);
    written_and_read(&text, &coding, &options);
    look_alikes(&text, &CodingOptions { transliterate: true, ..coding }, &options);
    packed(rest);
    fingerprint::write(&text, &mut Vec::new());
}

/// Octets of a peer.
fn read(alphabet: Alphabet, octets: &[u8]) {
    for data in [UserData::plain(octets), UserData::with_header(octets)] {
        let _ = (data.not_for_user(0, 0), data.not_for_user(0xF2, 0x7F));
        assert!(data.text.len() <= octets.len());
        let Ok(national) = data.national() else { continue };
        let mut text = String::new();
        let replaced = alphabet.decode(data.text, national, &mut text);
        assert!(replaced.is_some() || text.is_empty());
        assert!(text.len() <= 4 * octets.len() + 4);
    }
}

fn written_and_read(text: &str, coding: &CodingOptions, options: &SegmentOptions) {
    let chosen = choose(text, coding);
    let Ok(plan) = Plan::new(text, chosen, options) else { return };
    let segments = cut(&plan, options);
    let parts = segments.iter().map(|(headed, octets)| {
        let data = if *headed { UserData::with_header(octets) } else { UserData::plain(octets) };
        (data.national().expect("tables of ours"), data.text)
    });
    let alphabet = Alphabet::of(chosen.data_coding, coding.data_coding_0);
    let mut back = String::new();
    assert_eq!(alphabet.decode_parts(parts, &mut Vec::new(), &mut back), Some(0));
    assert_eq!(back, text.strip_prefix('\u{FEFF}').filter(|_| alphabet == Alphabet::Ucs2).unwrap_or(text));
}

/// Whether each segment has a user data header, and its octets.
fn cut(plan: &Plan<'_>, options: &SegmentOptions) -> Vec<(bool, Vec<u8>)> {
    let mut segments = plan.segments(0xABCD);
    let (mut all, mut octets) = (Vec::new(), Vec::new());
    while let Some(segment) = segments.next_into(&mut octets) {
        let bound = if plan.in_payload() { limits::MESSAGE_PAYLOAD_OCTETS_MAX } else { 254 };
        assert!(octets.len() <= bound, "{} octets", octets.len());
        assert_eq!(usize::from(segment.number), all.len() + 1);
        assert_eq!(segment.total, plan.total());
        all.push((segment.user_data_header, std::mem::take(&mut octets)));
    }
    assert_eq!(all.len(), usize::from(plan.total()));
    assert!(all.len() <= usize::from(options.segments_max));
    all
}

/// Look-alikes are another text; it is cut by the same rules.
fn look_alikes(text: &str, coding: &CodingOptions, options: &SegmentOptions) {
    if let Ok(plan) = Plan::new(text, choose(text, coding), options) {
        cut(&plan, options);
    }
}

fn packed(octets: &[u8]) {
    let septets: Vec<u8> = octets.iter().map(|octet| octet & 0x7F).collect();
    let fill_bits = octets.len() % 7;
    let (mut packed, mut unpacked) = (Vec::new(), Vec::new());
    pack::pack(&septets, fill_bits, &mut packed);
    pack::unpack(&packed, fill_bits, septets.len(), &mut unpacked);
    assert_eq!(unpacked, septets);
    let mut any = Vec::new();
    pack::unpack(octets, fill_bits, 2 * octets.len(), &mut any);
    let mut text = String::new();
    Alphabet::Gsm7.decode(&any, National::NONE, &mut text);
}
