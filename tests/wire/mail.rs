//! Header fields, addresses, dates and encoded words as mail programs and relays write them.

use isthmus::wire::mail::{address, date, encoded_word, header};
use proptest::prelude::*;

fn decoded(value: &[u8]) -> String {
    let mut text = String::new();
    encoded_word::decode(value, &mut text);
    text
}

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    encoded_word::encode(text, &mut out);
    String::from_utf8(out).unwrap()
}

fn written(name: &str, value: &[u8]) -> String {
    let mut out = Vec::new();
    header::write(name.as_bytes(), value, &mut out);
    String::from_utf8(out).unwrap()
}

fn unfolded(value: &[u8]) -> Vec<u8> {
    header::unfolded(value).collect()
}

#[test]
fn fields_are_found_in_any_case_and_over_several_lines() {
    let mail = b"\r\nSubject : one\r\n two\r\nno field\r\nx-EMPTY:\r\nRECEIVED: a\nReceived:b\r\n\r\nbody\r\n\r\nmore";
    let (head, body) = header::split(mail).unwrap();
    assert_eq!(body, b"body\r\n\r\nmore");
    assert_eq!(header::find(head, b"subject"), Some(&b"one\r\n two"[..]));
    assert_eq!(unfolded(header::find(head, b"SUBJECT").unwrap()), b"one two");
    assert_eq!(header::find(head, b"X-Empty"), Some(&b""[..]));
    assert_eq!(header::all(head, b"Received").collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(header::find(head, b"body"), None);
    let names: Vec<_> = header::fields(head).map(|field| field.name).collect();
    assert_eq!(names, [&b"Subject"[..], b"x-EMPTY", b"RECEIVED", b"Received"]);
    assert_eq!(header::fields(head).next().unwrap().raw, b"Subject : one\r\n two");
    assert_eq!(header::split(b"To: x").unwrap(), (&b"To: x"[..], &b""[..]));
    assert_eq!(header::split(b"").unwrap(), (&b""[..], &b""[..]));
}

#[test]
fn a_header_section_has_a_bound() {
    let line = "X: 345678\r\n".repeat(isthmus::limits::MAIL_HEADER_SECTION_BYTES_MAX / 11 + 1);
    assert_eq!(header::split(line.as_bytes()).unwrap_err().what, "mail header section");
    assert!(header::split(&line.as_bytes()[11..]).is_ok());
}

#[test]
fn what_is_written_begins_no_field_of_its_own() {
    assert_eq!(written("X", b"a\r\nBcc: x\0\x7f"), "X: aBcc: x??\r\n");
    assert_eq!(written("X", b""), "");
    assert_eq!(written("X", b" \r\n "), "");
    assert_eq!(written("X", "é".as_bytes()), "X: ??\r\n");
    let long = [&[b'a'; 70][..], b" b  ", &[b'c'; 70], b" \x01 "].concat();
    let folded = written("Subject", &long);
    assert_eq!(folded.lines().map(str::len).collect::<Vec<_>>(), [79, 76]);
    let list = [&b"+447700900123/TYPE=PLMN@mms.mnc001.mcc001.gprs"[..]; 3].join(&b","[..]);
    let mut out = Vec::new();
    header::write_list(b"To", &list, &mut out);
    assert_eq!(String::from_utf8(out).unwrap().matches("gprs,\r\n +44").count(), 2);
    let endless = written("X", &[b'x'; 3000]);
    assert!(endless.lines().all(|line| line.len() <= 998));
    assert_eq!(endless.matches('x').count(), 3000);
}

#[test]
fn mailboxes_of_a_list() {
    let list =
        b"\"Last, First; \\\"x\\\"\" <a@b>, bare@c (comment, too), Some Name <@r1,@r2:d@e>; group: g@h, i@j;\r\n \
                 undisclosed-recipients:;, , Name +4477/TYPE=PLMN@k, tel:+4478, =?utf-8?Q?=C3=A9?= <l@m";
    let found: Vec<(String, String)> = address::addresses(list)
        .map(|mailbox| {
            [mailbox.display_name, mailbox.address].map(|part| String::from_utf8(part.to_vec()).unwrap()).into()
        })
        .collect();
    let expected = [
        ("Last, First; \\\"x\\\"", "a@b"),
        ("", "bare@c"),
        ("Some Name", "d@e"),
        ("", "g@h"),
        ("", "i@j"),
        ("", "+4477/TYPE=PLMN@k"),
        ("", "+4478"),
        ("=?utf-8?Q?=C3=A9?=", "l@m"),
    ];
    assert_eq!(found, expected.map(|(name, address)| (name.to_owned(), address.to_owned())));
    assert_eq!(address::first(b"").address, b"");
}

#[test]
fn phone_numbers_out_of_addresses() {
    for (address, number, domain) in [
        ("+447700900123/TYPE=PLMN@mms.mnc001.mcc001.gprs", Some("+447700900123"), "mms.mnc001.mcc001.gprs"),
        ("+447700900123/type=plmn", Some("+447700900123"), ""),
        ("00447700900123/Type=PLMN@x", Some("00447700900123"), "x"),
        ("07700900123/TYPE=PLMN@x", Some("07700900123"), "x"),
        ("12345/TYPE=PLMN@x", Some("12345"), "x"),
        ("\"+447700900123/TYPE=PLMN\"@x", Some("+447700900123"), "x"),
        ("+447700900123@x", Some("+447700900123"), "x"),
        ("alice@mail.example", None, "mail.example"),
        ("system-user@x", None, "x"),
        ("192.0.2.1/TYPE=IPv4@x", None, "x"),
        ("alice/TYPE=USER@x", None, "x"),
        ("+/TYPE=PLMN@x", None, "x"),
        ("/TYPE=PLMN@x", None, "x"),
        ("+44 7700/TYPE=PLMN@x", None, "x"),
        ("", None, ""),
    ] {
        assert_eq!(address::number(address.as_bytes()), number.map(str::as_bytes), "{address}");
        assert_eq!(address::domain(address.as_bytes()), domain.as_bytes(), "{address}");
    }
}

#[test]
fn phone_addresses_are_written_as_relays_write_them() {
    let written = |number: &[u8], domain: &[u8]| {
        let mut out = Vec::new();
        address::write_phone(number, domain, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(b"+447700900123", b"mms.example"), "+447700900123/TYPE=PLMN@mms.example");
    assert_eq!(written(b"12345", b"x"), "12345/TYPE=PLMN@x");
    assert_eq!(written(b"+44-7700 900\r\n123", b""), "+447700900123/TYPE=PLMN");
}

#[test]
fn dates_in_every_form() {
    let moment = 1_795_227_049;
    for value in [
        "Sat, 21 Nov 2026 02:10:49 +0000",
        "Sat, 21 Nov 2026 02:10:49 GMT",
        "Sat, 21 Nov 2026 02:10:49",
        "Sat, 21 Nov 2026 02:10:49 UT (that is: London, in winter)",
        "sat,21 NOV 2026  04:10:49\r\n +0200",
        "21 Nov 26 02:10:49 Z",
        "Fri, 20 Nov 2026 21:10:49 EST",
        "Fri, 20 Nov 2026 18:10:49.25 PST",
        "Sat, 21 Nov 2026 07:40:49 +05:30",
        "Saturday, 21-Nov-26 02:10:49 GMT",
        "Sat Nov 21 02:10:49 2026",
        "Sat Nov 21 03:10:49 +0100 2026",
        "2026-11-21T02:10:49Z",
        "2026-11-21T02:10:49.000+00:00",
        "2026-11-21T02:10:49",
        "2026-11-21 02:10:49",
    ] {
        assert_eq!(date::unix_s(value.as_bytes()), Some(moment), "{value}");
    }
    assert_eq!(date::unix_s(b"Sat, 21 Nov 2026 02:10 +0000"), Some(moment - 49));
    assert_eq!(date::unix_s(b"Wed, 31 Dec 1969 23:59:60 +0000"), Some(-1));
    assert_eq!(date::unix_s(b"Sat, 1 Jan 100 00:00:00"), Some(946_684_800));
    for value in
        ["", "Sat", "tomorrow", "1795227049", "31 Feb 2026 00:00:00", "21 Nov 2026", "21 Nov 2026 25:00:00", "2026-"]
    {
        assert_eq!(date::unix_s(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn dates_are_written_in_utc() {
    for (unix_s, expected) in [
        (1_795_227_049, "Sat, 21 Nov 2026 02:10:49 +0000"),
        (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
        (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 +0000"),
    ] {
        let mut out = Vec::new();
        date::write(unix_s, &mut out);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
        assert_eq!(date::unix_s(&out), Some(unix_s));
    }
}

#[test]
fn encoded_words_as_they_are_met() {
    for (value, text) in [
        ("plain =? text ?=", "plain =? text ?="),
        ("=?ISO-8859-1?Q?a_b=E9?= c", "a bé c"),
        // RFC 2047 8: white space between words is none, beside other text it is.
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_?= =?ISO-8859-2?Q?_b?=", "a  b"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        // no space between, a language, lower case, spaces inside, a character cut in two
        ("=?utf-8*de?q?Gr=c3=bc=C3=9Fe?==?UTF-8?b?IQ?=", "Grüße!"),
        ("=?utf-8?Q?two words?=", "two words"),
        ("=?utf-8?B?w6?= =?UTF-8?B?w6k=?=", "\u{fffd}é"),
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),
        ("=?utf-16be?B?AEEAQg==?=", "AB"),
        ("=?shift_jis?B?k/qWew==?=", "日本"),
        ("=?klingon?Q?a?= b", "=?klingon?Q?a?= b"),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?Q?=ZZ=?=", "=ZZ="),
        ("\"=?utf-8?Q?in_quotes?=\"", "\"in quotes\""),
        ("Résumé", "Résumé"),
    ] {
        assert_eq!(decoded(value.as_bytes()), text, "{value}");
    }
    assert_eq!(decoded(b"R\xe9sum\xe9 \x80"), "Résumé €");
}

#[test]
fn words_are_written_within_their_bounds() {
    assert_eq!(encoded("Plain: text?"), "Plain: text?");
    assert_eq!(encoded("Grüße"), "=?UTF-8?B?R3LDvMOfZQ==?=");
    assert_eq!(encoded("=?no word"), "=?UTF-8?B?PT9ubyB3b3Jk?=");
    let long = "😀é".repeat(40);
    let field = written("Subject", encoded(&long).as_bytes());
    assert!(field.lines().all(|line| line.len() <= 76), "{field}");
    let mail = format!("{field}\r\n");
    let judged = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
    assert_eq!(judged.subject(), Some(long.as_str()));
}

proptest! {
    #[test]
    fn text_comes_back_out_of_words(text in "\\PC{0,120}") {
        let kept: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
        let field = written("Subject", encoded(&text).as_bytes());
        let (head, _) = header::split(field.as_bytes()).unwrap();
        let value = header::find(head, b"Subject").unwrap_or_default();
        prop_assert_eq!(decoded(value).trim().to_owned(), kept.trim().to_owned());
        prop_assert!(field.lines().all(|line| line.len() <= 998 && line.is_ascii()));
    }

    #[test]
    fn values_come_back_out_of_folds(value in "[ -~\t]{0,400}") {
        let field = written("X-Name", value.as_bytes());
        let (head, body) = header::split(field.as_bytes()).unwrap();
        let found = header::find(head, b"x-name").unwrap_or_default();
        prop_assert_eq!(unfolded(found).trim_ascii().to_vec(), value.as_bytes().trim_ascii().to_vec());
        prop_assert!(body.is_empty());
    }

    #[test]
    fn any_moment_of_ten_thousand_years_is_written_and_read(unix_s in -62_135_596_800_i64..=253_402_207_200) {
        let mut out = Vec::new();
        date::write(unix_s, &mut out);
        prop_assert_eq!(date::unix_s(&out), Some(unix_s));
    }

    #[test]
    fn nothing_panics(octets in prop::collection::vec(any::<u8>(), 0..200), telling in "[\"<>():;,@=? \r\n\\\\A0+/-]{0,60}") {
        for value in [octets.as_slice(), telling.as_bytes()] {
            let _ = (date::unix_s(value), decoded(value), header::split(value).map(|(head, _)| header::fields(head).count()));
            for mailbox in address::addresses(value) {
                let _ = (address::number(mailbox.address), address::domain(mailbox.address));
            }
            let _ = written("X", value);
        }
    }
}
