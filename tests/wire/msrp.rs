//! MSRP heads and end lines as they come (RFC 4975).

use isthmus::limits;
use isthmus::wire::Malformed;
use isthmus::wire::msrp::{
    ByteRange, Continuation, FailureReport, Head, Method, Scanner, Start, Status, is_ident, scanner::End,
};

use crate::msrp_stream::{Body, cut_anywhere};
use crate::tsv::rows;

const PATHS: &str =
    "To-Path: msrp://a.example.com:7394/2s93i9ek2a;tcp\r\nFrom-Path: msrp://b.example.com:8493/si438dsaodes;tcp";

/// Octets of a table's cell.
fn octets(cell: &str) -> Vec<u8> {
    cell.replace("{P}", PATHS).replace('|', "\r\n").replace("[r]", "\r").replace("[n]", "\n").into_bytes()
}

fn wrong(read: &Result<Option<Head>, Malformed>) -> String {
    match read {
        Ok(None) => "more".to_owned(),
        Ok(Some(head)) => head.flaw().map_or("-".to_owned(), |why| format!("flaw {}", why.what)),
        Err(why) => format!("malformed {}", why.what),
    }
}

#[test]
fn heads_are_what_the_grammar_says() {
    for row in rows(include_str!("../spec/msrp_head.tsv")) {
        let [expected, head] = row[..] else { panic!("{row:?}") };
        let bytes = octets(head);
        let read = Head::read(&bytes);
        assert_eq!(wrong(&read), expected, "{head}");
        if let Ok(Some(head)) = read {
            assert_eq!(head.len(), bytes.len());
            assert_eq!(head.end().is_none(), bytes.ends_with(b"\r\n\r\n"));
        }
    }
}

#[test]
fn a_head_is_known_with_its_last_octet_and_not_before() {
    for row in rows(include_str!("../spec/msrp_head.tsv")).filter(|row| row[0] == "-" || row[0].starts_with("flaw")) {
        let mut bytes = octets(row[1]);
        let whole = Head::read(&bytes);
        for len in 0..bytes.len() {
            assert_eq!(Head::read(&bytes[..len]), Ok(None), "{len} octets of {}", row[1]);
        }
        assert_eq!(Head::parse(&bytes), whole.map(Option::unwrap));
        bytes.extend_from_slice(b"To-Path: what follows\r\n\r\n");
        assert_eq!(Head::read(&bytes), whole);
    }
}

#[test]
fn every_value_of_a_request_is_found() {
    let bytes = octets(
        "MSRP d93kswow SEND|TO-PATH: msrp://r.example.com:2855;tcp  msrp://a.example.com:1/s;tcp|From-Path:msrp://b:2/t;tcp|\
         message-id:\t12339sdqwer |Byte-Range: 5-8/*|Success-Report: yes|Failure-Report: no|X-More: a:b|x:|\
         Content-Disposition: notification|Content-Type: message/cpim; a=\"b\"||data",
    );
    let head = Head::read(&bytes).unwrap().unwrap();
    assert_eq!(head.start(), Start::Request { method: Method::Send });
    assert_eq!(head.method_name(&bytes), b"SEND");
    assert_eq!(head.comment(&bytes), b"");
    assert_eq!(head.transaction_id(&bytes), b"d93kswow");
    let to: Vec<&[u8]> = head.to_path(&bytes).uris().collect();
    assert_eq!(to, [b"msrp://r.example.com:2855;tcp".as_slice(), b"msrp://a.example.com:1/s;tcp"]);
    assert_eq!((head.to_path(&bytes).first(), head.to_path(&bytes).last()), (to[0], to[1]));
    assert_eq!(head.from_path(&bytes).as_bytes(), b"msrp://b:2/t;tcp");
    assert_eq!(head.message_id(&bytes), b"12339sdqwer");
    assert_eq!(head.byte_range(), Some(ByteRange { start: 5, end: Some(8), total: None }));
    assert!(head.success_report());
    assert_eq!(head.failure_report(), FailureReport::No);
    assert_eq!(head.content_type(&bytes), b"message/cpim; a=\"b\"");
    assert_eq!(head.status(&bytes), None);
    assert_eq!(head.header_named(&bytes, b"x-more"), Some(b"a:b".as_slice()));
    assert_eq!(head.header_named(&bytes, b"X"), Some(b"".as_slice()));
    assert_eq!(head.header_named(&bytes, b"Y"), None);
    let names: Vec<&[u8]> = head.headers(&bytes).map(|(name, _)| name).collect();
    assert_eq!((names.len(), names[0], names[9]), (10, b"TO-PATH".as_slice(), b"Content-Type".as_slice()));
    assert_eq!(&bytes[head.len()..], b"data");
}

#[test]
fn what_is_not_said_has_its_default() {
    let bytes = octets("MSRP d93kswow SEND|{P}|Message-ID: m|-------d93kswow$|");
    let head = Head::read(&bytes).unwrap().unwrap();
    assert_eq!((head.success_report(), head.failure_report(), head.byte_range()), (false, FailureReport::Yes, None));
    assert_eq!((head.has_body(), head.content_type(&bytes)), (false, b"".as_slice()));
}

#[test]
fn an_empty_body_is_not_the_absence_of_one() {
    let bodiless = octets("MSRP d93kswow SEND|{P}|Message-ID: m|-------d93kswow$|");
    let empty =
        octets("MSRP d93kswow SEND|{P}|Message-ID: m|Byte-Range: 1-0/0|Content-Type: text/plain|||-------d93kswow$|");
    let head = Head::read(&bodiless).unwrap().unwrap();
    assert_eq!((head.has_body(), head.end(), head.len()), (false, Some(Continuation::Complete), bodiless.len()));
    let head = Head::read(&empty).unwrap().unwrap();
    assert_eq!((head.has_body(), head.end(), head.byte_range()), (true, None, Some(ByteRange::EMPTY)));
    assert_eq!(Body::read(&head, &empty, &[&empty[head.len()..]]).data, b"");
}

#[test]
fn responses_and_reports_say_what_became_of_it() {
    let bytes = octets("MSRP d93kswow 413 Stop: too much|{P}|-------d93kswow$|");
    let head = Head::read(&bytes).unwrap().unwrap();
    assert_eq!(head.start(), Start::Response { code: 413 });
    assert_eq!((head.comment(&bytes), head.method_name(&bytes)), (b"Stop: too much".as_slice(), b"".as_slice()));
    let bytes = octets("MSRP dkei38sd REPORT|{P}|Message-ID: 1|Status: 000 408 Gone quiet|-------dkei38sd$|");
    let head = Head::read(&bytes).unwrap().unwrap();
    assert_eq!(head.status(&bytes), Some(Status { namespace: 0, code: 408, comment: b"Gone quiet" }));
    assert!(Status::parse(b"000 200").unwrap().is_success() && !Status::parse(b"001 200 OK").unwrap().is_success());
}

#[test]
fn a_line_end_is_both_octets() {
    for bare in
        ["MSRP abcd SEND[n]{P}|", "MSRP abcd SEND|{P}[n]|", "MSRP abcd SEND|X: a[r]b|", "MSRP abcd SEND|X: a[n]b|"]
    {
        assert_eq!(wrong(&Head::read(&octets(bare))), "malformed line end", "{bare}");
    }
}

#[test]
fn a_head_without_end_is_refused_at_its_limit() {
    let mut bytes = octets("MSRP abcd SEND|{P}|Message-ID: m|X: ");
    bytes.resize(limits::MSRP_HEADER_SECTION_BYTES_MAX - 1, b'x');
    assert_eq!(Head::read(&bytes), Ok(None));
    bytes.push(b'x');
    assert_eq!(wrong(&Head::read(&bytes)), "malformed header section");
    bytes.truncate(limits::MSRP_HEADER_SECTION_BYTES_MAX - 4);
    bytes.extend_from_slice(b"\r\n\r\n");
    assert!(matches!(Head::read(&bytes), Ok(Some(head)) if head.len() == limits::MSRP_HEADER_SECTION_BYTES_MAX));
    bytes.insert(bytes.len() - 4, b'x');
    assert_eq!(wrong(&Head::read(&bytes)), "malformed header section");
}

#[test]
fn as_many_headers_and_uris_as_the_limits_say() {
    let with = |headers: usize, uris: usize| {
        let path = vec!["msrp://a;tcp"; uris].join(" ");
        let more = "X: y\r\n".repeat(headers - 3);
        let head = format!(
            "MSRP abcd SEND\r\nTo-Path: {path}\r\nFrom-Path: {path}\r\nMessage-ID: m\r\n{more}-------abcd$\r\n"
        );
        wrong(&Head::read(head.as_bytes()))
    };
    assert_eq!(with(limits::MSRP_HEADERS_MAX, limits::MSRP_PATH_URIS_MAX), "-");
    assert_eq!(with(limits::MSRP_HEADERS_MAX + 1, 1), "malformed headers");
    assert_eq!(with(3, limits::MSRP_PATH_URIS_MAX + 1), "flaw To-Path");
}

#[test]
fn byte_ranges_are_counted_and_lies_found() {
    for row in rows(include_str!("../spec/msrp_byte_range.tsv")) {
        let [expected, value] = row[..] else { panic!("{row:?}") };
        let found = match ByteRange::parse(value.as_bytes()) {
            None => "no".to_owned(),
            Some(range) => range.len().map_or("?".to_owned(), |len| len.to_string()),
        };
        assert_eq!(found, expected, "{value}");
    }
    assert_eq!(ByteRange::parse(b"1-0/0"), Some(ByteRange::EMPTY));
    assert_eq!(ByteRange::parse(b"1-*/*"), Some(ByteRange::UNKNOWN));
    assert!(ByteRange::EMPTY.is_empty() && !ByteRange::UNKNOWN.is_empty());
}

#[test]
fn data_end_at_the_end_line_wherever_the_stream_is_cut() {
    let head = octets("MSRP a786hjs2 SEND|{P}|Message-ID: m|Content-Type: a/b||");
    let index = Head::parse(&head).unwrap();
    for row in rows(include_str!("../spec/msrp_end_line.tsv")) {
        let [len, flag, stream] = row[..] else { panic!("{row:?}") };
        let bytes = octets(stream);
        for body in cut_anywhere(&index, &head, &bytes) {
            let Some(continuation) = Continuation::from_flag(flag.as_bytes()[0]) else {
                assert_eq!(body.end, None, "{stream}");
                continue;
            };
            let data: usize = len.parse().unwrap();
            assert_eq!(body.end, Some((data + "..-------a786hjs2$..".len(), continuation)), "{stream}");
            assert_eq!(body.data, bytes[..data], "{stream}");
        }
    }
}

#[test]
fn without_content_type_a_blank_line_may_be_that_of_the_end_line() {
    let head = octets("MSRP a786hjs2 SEND|{P}|Message-ID: m||");
    let index = Head::parse(&head).unwrap();
    assert_eq!((index.has_body(), index.end()), (false, None));
    for (stream, data, used) in [
        ("-------a786hjs2$|", 0, 18),
        ("|-------a786hjs2$|", 0, 20),
        ("data|-------a786hjs2$|", 4, 24),
        ("-------a786hjs3$|-------a786hjs2$|", 16, 36),
    ] {
        for body in cut_anywhere(&index, &head, &octets(stream)) {
            assert_eq!(body.data.len(), data, "{stream}");
            assert_eq!(body.end, Some((used, Continuation::Complete)), "{stream}");
        }
    }
}

#[test]
fn what_may_be_an_end_line_is_held_and_nothing_else() {
    let head = octets("MSRP a786hjs2 SEND|{P}|Message-ID: m|Content-Type: a/b||");
    let mut scanner = Scanner::new();
    scanner.begin(&Head::parse(&head).unwrap(), &head);
    for (buffer, released, data, held) in [
        ("text", 0, 4, 0),
        ("text|", 0, 4, 2),
        ("----", 0, 0, 6),
        ("---a786", 0, 0, 13),
        ("", 0, 0, 13),
        ("x", 13, 1, 0),
        ("[r]", 0, 0, 1),
        ("[r]", 1, 0, 1),
        ("[n]-------a786hjs2+[r]", 0, 0, 19),
        ("||", 19, 2, 2),
        ("|", 2, 0, 2),
    ] {
        let scanned = scanner.scan(&octets(buffer));
        assert_eq!((scanned.released, scanned.data, scanner.held()), (released, data, held), "{buffer}");
        assert_eq!(scanned.end, None);
    }
    let end = scanner.scan(&octets("-------a786hjs2#|MSRP")).end;
    assert_eq!(end, Some(End { at: 18, continuation: Continuation::Abort }));
    assert_eq!(scanner.held(), 0);
}

#[test]
fn a_flag_is_one_of_three() {
    for octet in 0..=u8::MAX {
        match Continuation::from_flag(octet) {
            Some(continuation) => assert_eq!(continuation.flag(), octet),
            None => assert!(!b"$+#".contains(&octet)),
        }
    }
}

#[test]
fn transaction_ids_are_idents() {
    for (text, is) in
        [("abcd", true), ("abc", false), ("9.-+%=", true), ("=abcd", false), ("ab$d", false), ("ab d", false)]
    {
        assert_eq!(is_ident(text.as_bytes()), is, "{text}");
    }
    assert!(is_ident(&[b'x'; 32]) && !is_ident(&[b'x'; 33]));
}

#[test]
fn data_of_every_length_end_where_they_end() {
    let head = octets("MSRP a786hjs2 SEND|{P}|Message-ID: m|Content-Type: a/b||");
    let index = Head::parse(&head).unwrap();
    for filler in [b'x', b'-', b'\r', b'\n'] {
        for len in 0..600 {
            let mut bytes = vec![filler; len];
            bytes.extend_from_slice(b"\r\n-------a786hjs2+\r\nmore");
            let body = Body::read(&index, &head, &[&bytes]);
            assert_eq!(body.end, Some((len + 20, Continuation::More)), "{len} times {filler}");
            assert_eq!(body.data.len(), len);
        }
    }
}
