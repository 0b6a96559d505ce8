//! Every coding and every way of cutting, both ways, as it stands on the wire (SMPP 3.4 5.2.19, TS 23.038, TS 23.040).

use std::time::Duration;

use isthmus::shard::settings::Settings;
use isthmus::wire::short_message::{CodingOptions, Concatenation, DataCodingZero, Language};
use isthmus::wire::smpp::{CommandId, DeliverSm, Pdu, Tag, Tlvs, tlv};

use crate::cpm::Outgoing;
use crate::read::joined_as;
use crate::sip::{Cpim, message, requests, send};
use crate::smsc::Accepted;
use crate::world::{World, settings};

/// What each coding is tried with: characters, and what the SM-SC wants.
struct Case {
    name: &'static str,
    alphabet: &'static [&'static str],
    coding: CodingOptions,
    data_coding: u8,
    /// Units in one short message, and in a part with an 8-bit and a 16-bit reference; 2 octets a unit for UCS-2.
    capacities: [usize; 3],
}

const GSM: CodingOptions =
    CodingOptions { data_coding_0: DataCodingZero::Gsm7, allow_latin1: false, national: None, transliterate: false };

const CASES: &[Case] = &[
    Case {
        name: "GSM 7 bit",
        alphabet: &["a", "Z", "@", "£", "ñ", "Δ", " ", "\n", "0", "ß"],
        coding: GSM,
        data_coding: 0,
        capacities: [160, 153, 152],
    },
    Case {
        name: "GSM 7 bit with its extension",
        alphabet: &["€", "a", "[", "]", "{", "b", "}", "~", "|", "\\", "^"],
        coding: GSM,
        data_coding: 0,
        capacities: [160, 153, 152],
    },
    Case {
        name: "Turkish single shift",
        alphabet: &["ş", "ğ", "ı", "a", " ", "€", "İ"],
        coding: CodingOptions { national: Some(Language::Turkish), ..GSM },
        data_coding: 0,
        capacities: [155, 149, 148],
    },
    Case {
        name: "UCS-2",
        alphabet: &["漢", "字", "a", "Ж", "ü"],
        coding: GSM,
        data_coding: 8,
        capacities: [70, 67, 66],
    },
    Case {
        name: "UTF-16 surrogate pairs",
        alphabet: &["😀", "a", "𝄞", "漢"],
        coding: GSM,
        data_coding: 8,
        capacities: [70, 67, 66],
    },
    Case {
        name: "grapheme clusters",
        alphabet: &["👍🏽", "e\u{301}", "👩‍👩‍👧", "x"],
        coding: GSM,
        data_coding: 8,
        capacities: [70, 67, 66],
    },
    Case {
        name: "Latin-1 as data_coding 3",
        alphabet: &["ã", "õ", "ç", "x", "¿", "þ"],
        coding: CodingOptions { allow_latin1: true, ..GSM },
        data_coding: 3,
        capacities: [140, 134, 133],
    },
    Case {
        name: "Latin-1 as data_coding 0",
        alphabet: &["ã", "õ", "ç", "x", "[", "þ"],
        coding: CodingOptions { data_coding_0: DataCodingZero::Latin1, allow_latin1: true, ..GSM },
        data_coding: 0,
        capacities: [140, 134, 133],
    },
    Case {
        name: "ASCII as data_coding 0",
        alphabet: &["a", "`", "x", "{", "}"],
        coding: CodingOptions { data_coding_0: DataCodingZero::Ascii, ..GSM },
        data_coding: 0,
        capacities: [140, 134, 133],
    },
];

const WAYS: [Concatenation; 4] =
    [Concatenation::Sar, Concatenation::Udh8, Concatenation::Udh16, Concatenation::Payload];

fn with(case: &Case, concatenation: Concatenation, data_sm: bool) -> Settings {
    let mut settings = settings(1);
    settings.smscs[0].coding = case.coding;
    settings.smscs[0].concatenation = concatenation;
    settings.smscs[0].data_sm = data_sm;
    settings
}

/// A text of `clusters` of the case's alphabet, always the same.
fn text_of(case: &Case, clusters: usize) -> String {
    (0..clusters).map(|at| case.alphabet[(at * 7 + at / 5) % case.alphabet.len()]).collect()
}

/// Octets of the text in a part, its header taken off.
fn text_octets(accepted: &Accepted) -> usize {
    let header = if accepted.esm_class & 0x40 != 0 { usize::from(accepted.short_message[0]) + 1 } else { 0 };
    accepted.short_message.len() - header
}

fn check(case: &Case, way: Concatenation, text: &str, accepted: &[Accepted]) {
    let parts: Vec<&Accepted> = accepted.iter().collect();
    assert_eq!(joined_as(&parts, case.coding.data_coding_0), text, "{} {way:?}", case.name);
    let unit = if case.data_coding == 8 { 2 } else { 1 };
    for part in accepted {
        let [single, narrow, wide] = case.capacities;
        let capacity = match way {
            _ if accepted.len() == 1 => single,
            Concatenation::Udh16 => wide,
            _ => narrow,
        };
        let by_payload = way == Concatenation::Payload && accepted.len() == 1;
        assert!(by_payload || text_octets(part) <= capacity * unit, "{} {way:?} {}", case.name, text_octets(part));
        assert_eq!(part.data_coding, case.data_coding, "{} {way:?}", case.name);
    }
    let references: std::collections::BTreeSet<_> = accepted.iter().map(|part| part.sar.map(|sar| sar.0)).collect();
    assert_eq!(references.len(), 1, "one reference for all parts");
}

/// [SMS-PAGER-04] [SMS-OUT-01b] [SMS-ESME-06]
#[test]
fn every_coding_and_every_way_of_cutting_reads_as_the_text_that_was_sent() {
    for case in CASES {
        for way in WAYS {
            let mut world = World::new(1, 2, &with(case, way, false));
            // The header of a national table does not pay for a short text.
            let least = if case.coding.national.is_some() { 100 } else { 1 };
            let clusters = [1, 25, 35, 36, 67, 70, 71, 133, 134, 140, 141, 153, 154, 160, 161, 306, 307, 500, 1000];
            for clusters in clusters.into_iter().filter(|clusters| *clusters >= least) {
                let text = text_of(case, clusters);
                let sent = Outgoing { text: text.clone(), ..message(&format!("{clusters}@client"), "") };
                world.smscs[0].accepted.clear();
                assert_eq!(send(&mut world, &sent).status().0, 202, "{} {way:?} {clusters}", case.name);
                check(case, way, &text, &world.smscs[0].accepted);
                let parts = world.smscs[0].accepted.len();
                assert!(way != Concatenation::Payload || parts == 1, "the SM-SC cuts");
            }
        }
    }
}

/// [SMS-ESME-04] [SMS-ESME-04-N3]
#[test]
fn the_same_by_data_sm() {
    for case in CASES {
        for way in WAYS {
            let mut world = World::new(2, 1, &with(case, way, true));
            let text = text_of(case, 400);
            let sent = Outgoing { text: text.clone(), ..message("data@client", "") };
            assert_eq!(send(&mut world, &sent).status().0, 202);
            check(case, way, &text, &world.smscs[0].accepted);
            assert_eq!(world.smscs[0].count(CommandId::SUBMIT_SM), 0, "only data_sm");
            assert!(world.smscs[0].count(CommandId::DATA_SM) > 0);
        }
    }
}

/// Octets as TS 23.038 and RFC 2781 give them, not as our own decoder reads them.
#[test]
fn known_octets() {
    for (text, data_coding, octets) in [
        ("Hi @£", 0, b"Hi \x00\x01".as_slice()),
        ("[€]", 0, b"\x1B\x3C\x1B\x65\x1B\x3E"),
        ("é", 0, b"\x05"),
        ("Ж", 8, b"\x04\x16"),
        ("😀", 8, b"\xD8\x3D\xDE\x00"),
    ] {
        let mut world = World::new(3, 1, &settings(1));
        send(&mut world, &message("octets@client", text));
        let accepted = &world.smscs[0].accepted[0];
        assert_eq!((accepted.data_coding, accepted.short_message.as_slice()), (data_coding, octets), "{text}");
    }
}

#[test]
fn more_segments_than_there_are_numbers_for_is_413() {
    let mut world = World::new(4, 1, &settings(1));
    let longest = Outgoing { text: "x".repeat(255 * 153), ..message("fits@client", "") };
    assert_eq!(send(&mut world, &longest).status().0, 202);
    assert_eq!(world.smscs[0].accepted.len(), 255);
    assert_eq!(joined_as(&world.smscs[0].accepted.iter().collect::<Vec<_>>(), DataCodingZero::Gsm7), longest.text);
    let longer = Outgoing { text: "x".repeat(255 * 153 + 1), ..message("long@client", "") };
    assert_eq!(send(&mut world, &longer).status(), (413, "Request Entity Too Large"));
    assert_eq!(world.smscs[0].accepted.len(), 255);
}

/// [SMS-02]
#[test]
fn what_is_no_text_is_left_out_of_a_multipart_message() {
    let mut world = World::new(5, 1, &settings(1));
    let request = String::from_utf8(message("smil@client", "x").bytes("UDP", "z9hG4bKsmil")).unwrap();
    let head = request.split("Content-Type: message/cpim").next().unwrap();
    let body = "--b\r\nContent-Type: application/smil\r\n\r\n<smil><body><par><text src=\"t\"/></par></body></smil>\r\n\
                --b\r\nContent-Type: text/plain;charset=utf-8\r\n\r\nonly this\r\n\
                --b\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n--b--\r\n";
    let cpim = format!(
        "From: <tel:+491700000001>\r\nTo: <tel:+491700000002>\r\n\r\n\
         Content-Type: multipart/mixed;boundary=b\r\n\r\n{body}"
    );
    let request = format!("{head}Content-Type: message/cpim\r\nContent-Length: {}\r\n\r\n{cpim}", cpim.len());
    world.cpm.send_bytes(world.now.moment, "smil@client", request.into_bytes(), false);
    assert_eq!(crate::sip::answer_to(&mut world, "smil@client").status().0, 202);
    assert_eq!(world.smscs[0].accepted[0].short_message, b"only this");
}

#[test]
fn other_character_sets_of_the_sender_are_read() {
    let mut world = World::new(6, 1, &settings(1));
    for (at, (charset, octets, text)) in [
        ("iso-8859-1", b"Gr\xFC\xDFe".as_slice(), "Grüße"),
        ("iso-8859-15", b"\xA4uro", "€uro"),
        ("windows-1251", b"\xCF\xF0\xE8\xE2\xE5\xF2", "Привет"),
        ("us-ascii", b"plain", "plain"),
        ("UTF-8", "漢字".as_bytes(), "漢字"),
    ]
    .into_iter()
    .enumerate()
    {
        let call_id = format!("cs{at}@client");
        let request = message(&call_id, "x").bytes("UDP", &format!("z9hG4bKcs{at}"));
        let request = String::from_utf8(request).unwrap();
        let head = request.split("Content-Type: message/cpim").next().unwrap();
        let head = format!(
            "{head}Content-Type: text/plain; charset=\"{charset}\"\r\nContent-Length: {}\r\n\r\n",
            octets.len()
        );
        world.smscs[0].accepted.clear();
        world.cpm.send_bytes(world.now.moment, &call_id, [head.as_bytes(), octets].concat(), false);
        assert_eq!(crate::sip::answer_to(&mut world, &call_id).status().0, 202, "{charset}");
        assert_eq!(joined_as(&[&world.smscs[0].accepted[0]], DataCodingZero::Gsm7), text, "{charset}");
    }
}

// The other way

/// What a part is put into.
#[derive(Clone, Copy, Debug)]
enum Into {
    Sar,
    Udh8,
    Udh16,
    SarInPayload,
}

fn deliver(world: &mut World, data_coding: u8, esm_class: u8, short_message: &[u8], tlvs: &[u8]) {
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        esm_class,
        data_coding,
        short_message,
        tlvs: Tlvs::parse(tlvs).unwrap(),
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].enqueue(now, None, CommandId::DELIVER_SM, &Pdu::DeliverSm(pdu));
    world.run_for(Duration::from_millis(5));
}

fn deliver_part(world: &mut World, data_coding: u8, into: Into, (number, total): (u8, u8), octets: &[u8]) {
    let mut tlvs = Vec::new();
    let mut header = Vec::new();
    match into {
        Into::Udh8 => header.extend_from_slice(&[5, 0, 3, 0xAB, total, number]),
        Into::Udh16 => header.extend_from_slice(&[6, 8, 4, 0xAB, 0xCD, total, number]),
        Into::Sar | Into::SarInPayload => {
            tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0xAB, 0xCD]);
            tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[total]);
            tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
        }
    }
    let esm_class = if header.is_empty() { 0 } else { 0x40 };
    let whole = [header.as_slice(), octets].concat();
    match into {
        Into::SarInPayload => {
            tlv::put(&mut tlvs, Tag::MESSAGE_PAYLOAD, &whole);
            deliver(world, data_coding, esm_class, b"", &tlvs);
        }
        _ => deliver(world, data_coding, esm_class, &whole, &tlvs),
    }
}

fn last_text(world: &mut World) -> String {
    world.run_for(Duration::from_millis(200));
    let requests = requests(world);
    let cpim = Cpim::read(&requests.last().expect("a message").body);
    assert_eq!(cpim.content_header("Content-Type"), "text/plain; charset=UTF-8");
    cpim.content
}

/// Octets typed from the code tables, by data_coding.
const RECEIVED: &[(u8, &[u8], &str)] = &[
    (0x00, b"\x00\x01 \x1B\x65 \x1B\x3Ca\x1B\x3E \x7E", "@£ € [a] ü"),
    (0x01, b"ASCII {}[]", "ASCII {}[]"),
    (0x03, b"Gr\xFC\xDFe \xA3", "Grüße £"),
    (0x05, b"\x83\x65\x83\x58\x83\x67", "テスト"),
    (0x06, b"\xBF\xE0\xD8\xD2\xD5\xE2", "Привет"),
    (0x07, b"\xF9\xEC\xE5\xED", "שלום"),
    (0x08, b"\x6F\x22\x5B\x57\xD8\x3D\xDE\x00\x00!", "漢字😀!"),
    (0x0E, b"\xC7\xD1\xB1\xDB", "한글"),
    (0xF1, b"class 1 \x1B\x65", "class 1 €"),
    (0x18, b"\x04\x16", "Ж"),
];

/// [SMS-IN-01] [SMS-INPAGER-02]
#[test]
fn every_data_coding_arrives_as_the_text_it_was_however_it_was_cut() {
    for (data_coding, octets, text) in RECEIVED {
        let mut world = World::new(7, 2, &settings(1));
        deliver(&mut world, *data_coding, 0, octets, &[]);
        assert_eq!(last_text(&mut world), *text, "{data_coding:#x}");
        for into in [Into::Sar, Into::Udh8, Into::Udh16, Into::SarInPayload] {
            // Cut anywhere, also inside a character, an escape sequence or a surrogate pair; the last part comes first.
            for at in 1..octets.len() {
                let mut world = World::new(8, 2, &settings(1));
                let (first, second) = octets.split_at(at);
                deliver_part(&mut world, *data_coding, into, (2, 2), second);
                deliver_part(&mut world, *data_coding, into, (1, 2), first);
                assert_eq!(last_text(&mut world), *text, "{data_coding:#x} {into:?} cut at {at}");
            }
        }
    }
}

#[test]
fn national_tables_of_each_part_are_used() {
    let mut world = World::new(9, 1, &settings(1));
    // Turkish single shift (0x24), then both (0x25 is the locking shift): TS 23.038 A.2.1 and A.3.1.
    deliver(&mut world, 0, 0x40, b"\x03\x24\x01\x01\x1Bs \x1Bg", &[]);
    assert_eq!(last_text(&mut world), "ş ğ");
    deliver(&mut world, 0, 0x40, b"\x06\x24\x01\x01\x25\x01\x01\x1C", &[]);
    assert_eq!(last_text(&mut world), "Ş");
}

#[test]
fn what_data_coding_0_means_is_the_smscs_word() {
    for (zero, expected) in
        [(DataCodingZero::Gsm7, "Δ"), (DataCodingZero::Latin1, "\u{10}"), (DataCodingZero::Ascii, "\u{10}")]
    {
        let mut settings = settings(1);
        settings.smscs[0].coding.data_coding_0 = zero;
        let mut world = World::new(10, 1, &settings);
        deliver(&mut world, 0, 0, b"\x10", &[]);
        assert_eq!(last_text(&mut world), expected);
    }
}

#[test]
fn a_message_of_as_many_parts_as_there_can_be_is_joined() {
    let mut world = World::new(11, 2, &settings(1));
    for number in (1..=255).rev() {
        deliver_part(&mut world, 3, Into::Udh8, (number, 255), &[b'a' + number % 26; 134]);
    }
    let expected: String = (1..=255_u8).flat_map(|number| [char::from(b'a' + number % 26); 134]).collect();
    assert_eq!(last_text(&mut world), expected);
}

#[test]
fn message_payload_takes_the_place_of_a_long_short_message() {
    let mut world = World::new(12, 1, &settings(1));
    let long = "0123456789".repeat(300);
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::MESSAGE_PAYLOAD, long.as_bytes());
    deliver(&mut world, 3, 0, b"", &tlvs);
    assert_eq!(last_text(&mut world), long);
    assert_eq!(requests(&world).last().unwrap().get("Via").split(' ').next(), Some("SIP/2.0/TCP"), "RFC 3261 18.1.1");
}
