//! MSRP whatever the octets: nothing panics, what is written reads back, cuts change nothing, and payload is payload.

use isthmus::wire::msrp::emit::{clashes, end_line};
use isthmus::wire::msrp::{ByteRange, Continuation, FailureReport, Head, Heads, Method, Start, Status, Writer};
use proptest::prelude::*;
use proptest::sample::select;

use crate::msrp_stream::Body;

const HEAD: &[u8] =
    b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://gw:2855/a;tcp\r\nFrom-Path: msrp://b:2/t;tcp msrp://c;tcp\r\n\
    Message-ID: m1\r\nByte-Range: 1-25/25\r\nSuccess-Report: yes\r\nStatus: 000 200 OK\r\nContent-Type: a/b\r\n\r\n";

/// Everything there is to ask of a head, of the octets it was read from and of others.
fn ask_everything(bytes: &[u8]) {
    let Ok(Some(head)) = Head::read(bytes) else { return };
    for bytes in [bytes, b"others"] {
        let _ = (head.transaction_id(bytes), head.method_name(bytes), head.comment(bytes), head.message_id(bytes));
        let _ =
            (head.to_path(bytes).last(), head.from_path(bytes).first(), head.status(bytes), head.content_type(bytes));
        let _ = (head.headers(bytes).count(), head.header_named(bytes, b"to-path"));
    }
    assert!(head.len() <= bytes.len() && (4..=32).contains(&head.transaction_id(bytes).len()));
    assert!(head.headers(bytes).any(|(name, _)| name.eq_ignore_ascii_case(b"To-Path")));
    assert_eq!(Head::parse(&bytes[..head.len()]), Ok(head));
}

/// [`HEAD`] with octets replaced, removed, added.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![any::<u8>(), select(b"\r\n :-/*$+#0".to_vec())];
    let edit = (0..HEAD.len(), octet, 0..4_u8);
    prop::collection::vec(edit, 0..6).prop_map(|edits| {
        let mut bytes = HEAD.to_vec();
        for (at, octet, how) in edits {
            let at = at.min(bytes.len());
            match how {
                0 | 1 if at < bytes.len() => bytes[at] = octet,
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at.max(40)),
                _ => bytes.insert(at, octet),
            }
        }
        bytes
    })
}

/// Heads of chunks that mostly repeat one another, some of them cut or damaged.
fn repeating() -> impl Strategy<Value = Vec<u8>> {
    let id = select(vec!["a786hjs2", "b786hjs3", "c786", "d786hjs$", "-786hjs4"]);
    let range = select(vec![
        "1-2048/5000",
        "2049-4096/5000",
        "4097-5000/5000",
        "4097-*/5000",
        "1-2048/*",
        "5-4/5000",
        "1-2048",
        "2049-6000/5000",
        "0-9/10",
        "00001-10/0020",
        "1-18446744073709551616/*",
        "99999999999999999999-*/*",
        " 1-2048/5000 ",
        "",
        "1-1-2/5",
    ]);
    let more = select(vec!["", "", "", "X: y\r\n", "Status: 000 200 OK\r\n", "-------b786hjs3$\r\n", "bad\r\n"]);
    let rest =
        select(vec!["Content-Type: a/b\r\n\r\ndata", "Content-Type: a/b\r\n\r\n", "\r\n", "-------a786hjs2+\r\n", ""]);
    let message_id = select(vec!["m1", "m1", "m2", "message-3"]);
    let damage = prop::option::weighted(0.3, (0..300_usize, select(b"\r\n x1".to_vec()), any::<bool>()));
    (id, range, more, rest, message_id, damage).prop_map(|(id, range, more, rest, message_id, damage)| {
        let paths = "To-Path: msrp://gw:2855/a;tcp\r\nFrom-Path: msrp://b:2/t;tcp\r\n";
        let head = format!("MSRP {id} SEND\r\n{paths}Message-ID: {message_id}\r\nByte-Range: {range}\r\n{more}{rest}");
        let mut bytes = head.into_bytes();
        match damage {
            Some((at, _, true)) => bytes.truncate(at),
            Some((at, octet, false)) if at < bytes.len() => bytes[at] = octet,
            _ => {}
        }
        bytes
    })
}

/// Octets full of what end lines are made of, for any of a few transaction ids.
fn lookalike() -> impl Strategy<Value = Vec<u8>> {
    let parts = vec![
        "\r",
        "\n",
        "\r\n",
        "\r\n-------",
        "-------",
        "-",
        "a786hjs2",
        "a786",
        "hjs2",
        "b786hjs2",
        "$",
        "+",
        "#",
        "x",
        "\r\n-------a786hjs2",
        "\r\n-------a786hjs2$",
        "\r\n-------a786hjs2$\r",
        "\r\n-------b786hjs2$\r\n",
    ];
    let part = prop_oneof![
        8 => select(parts).prop_map(|part| part.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Where an end line of a786hjs2 stands, looked for in the simplest way.
fn first_end_line(stream: &[u8]) -> Option<(usize, Continuation)> {
    let flags = [Continuation::Complete, Continuation::More, Continuation::Abort];
    let at = |from: usize| flags.into_iter().find(|flag| stream[from..].starts_with(&end_line_of(b"a786hjs2", *flag)));
    (0..stream.len()).find_map(|from| at(from).map(|flag| (from, flag)))
}

fn end_line_of(transaction_id: &[u8], flag: Continuation) -> Vec<u8> {
    let mut out = Vec::new();
    end_line(&mut out, transaction_id, flag);
    out
}

/// Cuts by distances that repeat.
fn cut<'a>(mut stream: &'a [u8], distances: &[usize]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    for distance in distances.iter().cycle() {
        let (part, rest) = stream.split_at((*distance).min(stream.len()));
        parts.push(part);
        stream = rest;
        if stream.is_empty() {
            return parts;
        }
    }
    parts
}

fn flag() -> impl Strategy<Value = Continuation> {
    select(vec![Continuation::Complete, Continuation::More, Continuation::Abort])
}

#[test]
fn a_repeated_head_is_known_with_its_last_octet_and_not_before() {
    let chunk = |id: &str, range: &str| {
        let mut out = Vec::new();
        let mut writer =
            Writer::request(&mut out, id.as_bytes(), b"SEND", b"msrp://gw:2855/a;tcp", b"msrp://b:2/t;tcp");
        writer.message_id(b"m1");
        writer.header(b"Byte-Range", range.as_bytes());
        writer.content_head(b"a/b");
        out
    };
    let mut heads = Heads::new();
    let first = chunk("a786hjs2", "1-2048/10000");
    assert_eq!(heads.read(&first).map(Option::<&Head>::copied), Head::read(&first));
    let next = chunk("b786hjs3", "10-20000/10000")
        .into_iter()
        .chain(chunk("b786hjs4", "9000-10000/10000"))
        .collect::<Vec<_>>();
    assert_eq!(heads.read(&next).unwrap().unwrap().flaw().unwrap().what, "Byte-Range");
    let next = chunk("b786hjs4", "9000-10000/10000");
    for len in 0..next.len() {
        assert_eq!(heads.read(&next[..len]), Ok(None), "{len}");
    }
    let head = *heads.read(&next).unwrap().unwrap();
    assert_eq!(Ok(Some(head)), Head::read(&next));
    assert_eq!((head.message_id(&next), head.content_type(&next)), (b"m1".as_slice(), b"a/b".as_slice()));
    assert_eq!(head.header_named(&next, b"byte-range"), Some(b"9000-10000/10000".as_slice()));
}

proptest! {
    #[test]
    fn no_octets_make_a_reader_panic(bytes: Vec<u8>, mutated in mutated(), status: Vec<u8>, range in "[0-9*/-]{0,24}") {
        ask_everything(&bytes);
        ask_everything(&mutated);
        let _ = Status::parse(&status);
        if let Some(range) = ByteRange::parse(range.as_bytes()) {
            let mut out = Vec::new();
            range.write(&mut out);
            prop_assert_eq!(ByteRange::parse(&out), Some(range));
        }
    }

    #[test]
    fn more_octets_change_no_head(head in mutated(), more: Vec<u8>) {
        let long = [head.as_slice(), &more].concat();
        if let read @ (Ok(Some(_)) | Err(_)) = Head::read(&head) {
            prop_assert_eq!(Head::read(&long), read);
        }
    }

    #[test]
    fn a_head_that_repeats_another_is_read_as_if_it_were_the_first(all in prop::collection::vec(repeating(), 1..12)) {
        let mut heads = Heads::new();
        for bytes in all {
            prop_assert_eq!(heads.read(&bytes).map(Option::<&Head>::copied), Head::read(&bytes), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn the_first_end_line_is_found_however_the_stream_is_cut(
        stream in lookalike(),
        closed in prop::option::of(flag()),
        distances in prop::collection::vec(1..40_usize, 1..6),
    ) {
        let stream = [stream, closed.map_or_else(Vec::new, |flag| end_line_of(b"a786hjs2", flag))].concat();
        let index = Head::parse(HEAD).unwrap();
        let body = Body::read(&index, HEAD, &cut(&stream, &distances));
        match first_end_line(&stream) {
            Some((data, flag)) => {
                prop_assert_eq!(body.end, Some((data + end_line_of(b"a786hjs2", flag).len(), flag)));
                prop_assert_eq!(&body.data, &stream[..data]);
            }
            None => {
                prop_assert_eq!(body.end, None);
                prop_assert!(stream.starts_with(&body.data));
                // What is held may be the begin of an end line, and nothing before it may.
                let held = &stream[body.data.len()..];
                prop_assert!(held.is_empty() || is_begin(held), "{:?}", held);
                prop_assert!((0..body.data.len()).all(|from| !is_begin(&stream[from..])));
            }
        }
    }

    /// Byte-Range may say where the data end; the first end line does nevertheless.
    #[test]
    fn no_byte_range_hides_an_end_line(stream in lookalike(), places in prop::collection::vec(0..200_u64, 1..8)) {
        let stream = [stream, end_line_of(b"a786hjs2", Continuation::More)].concat();
        let ends = stream.windows(2).enumerate().filter(|(_, two)| two == b"\r\n").map(|(at, _)| at as u64);
        for claimed in ends.chain(places) {
            let range = if claimed == 0 { "1-0/0".to_owned() } else { format!("1-{claimed}/*") };
            let head = String::from_utf8_lossy(HEAD).replace("1-25/25", &range);
            let index = Head::parse(head.as_bytes()).unwrap();
            prop_assert_eq!(index.byte_range().and_then(|range| range.len()), Some(claimed));
            let body = Body::read_with_head(&index, head.as_bytes(), &[&stream]);
            prop_assert_eq!(&body, &Body::read(&index, head.as_bytes(), &[&stream]), "{}", claimed);
            prop_assert_eq!(Some(body.data.len()), first_end_line(&stream).map(|(at, _)| at));
        }
    }

    #[test]
    fn what_is_written_reads_back(
        transaction_id in "[A-Za-z0-9][-A-Za-z0-9.+%=]{3,31}",
        message_id in "[A-Za-z0-9][-A-Za-z0-9.+%=]{3,31}",
        (start, len, total) in (1..u64::MAX / 4, prop::option::of(1..1_000_u64), any::<bool>()),
        success_report: bool,
        failure_report in select(vec![FailureReport::Yes, FailureReport::Partial, FailureReport::No]),
        content_type in "[a-z]{1,9}/[ -~]{1,30}",
        data in lookalike(),
        flag in flag(),
    ) {
        prop_assume!(!clashes(transaction_id.as_bytes(), &data));
        let end = len.map(|len| start + len - 1);
        let range = ByteRange { start, end, total: total.then_some(end.unwrap_or(start)) };
        let mut out = b"before".to_vec();
        let mut writer = Writer::request(&mut out, transaction_id.as_bytes(), b"SEND", b"msrp://a;tcp", b"msrp://b;tcp msrp://c;tcp");
        writer.message_id(message_id.as_bytes());
        writer.byte_range(range);
        writer.success_report(success_report);
        writer.failure_report(failure_report);
        writer.content(content_type.as_bytes(), &data, flag);

        let bytes = &out[b"before".len()..];
        let head = Head::read(bytes).unwrap().unwrap();
        prop_assert_eq!((head.flaw(), head.start()), (None, Start::Request { method: Method::Send }));
        prop_assert_eq!(head.transaction_id(bytes), transaction_id.as_bytes());
        prop_assert_eq!(head.to_path(bytes).as_bytes(), b"msrp://a;tcp");
        prop_assert_eq!(head.from_path(bytes).as_bytes(), b"msrp://b;tcp msrp://c;tcp");
        prop_assert_eq!(head.message_id(bytes), message_id.as_bytes());
        prop_assert_eq!(head.byte_range(), Some(range));
        prop_assert_eq!((head.success_report(), head.failure_report()), (success_report, failure_report));
        prop_assert_eq!(head.content_type(bytes), content_type.as_bytes().trim_ascii());
        let body = Body::read(&head, bytes, &[&bytes[head.len()..]]);
        prop_assert_eq!(body.end, Some((bytes.len() - head.len(), flag)));
        prop_assert_eq!(body.data, data);
    }

    #[test]
    fn no_value_adds_a_line(method in "[A-Z]{1,8}", value: Vec<u8>, comment: String, flag in flag()) {
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, b"abcd", 400, &comment, b"msrp://a;tcp", b"msrp://b;tcp");
        writer.header(b"X-Value", &value);
        writer.status(Status::of_code(7, &value));
        writer.end(Continuation::Complete);
        let head = Head::parse(&out).unwrap();
        prop_assert_eq!((head.start(), head.end()), (Start::Response { code: 400 }, Some(Continuation::Complete)));
        prop_assert_eq!(head.headers(&out).count(), 4);
        prop_assert_eq!(head.status(&out).map(|status| (status.namespace, status.code)), Some((0, 7)));

        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"abcd", method.as_bytes(), b"msrp://a;tcp", b"msrp://b;tcp");
        writer.message_id(&[b"m", value.as_slice()].concat());
        writer.end(flag);
        let head = Head::parse(&out).unwrap();
        prop_assert_eq!((head.headers(&out).count(), head.end()), (3, Some(flag)));
        prop_assert_eq!(head.method_name(&out), method.as_bytes());
    }
}

/// Whether an end line of a786hjs2 may begin like this.
fn is_begin(octets: &[u8]) -> bool {
    [Continuation::Complete, Continuation::More, Continuation::Abort]
        .into_iter()
        .any(|flag| end_line_of(b"a786hjs2", flag).starts_with(octets))
}

#[test]
fn a_response_goes_back_one_hop() {
    let mut out = Vec::new();
    let request = b"MSRP abcd SEND\r\nTo-Path: msrp://a;tcp msrp://z;tcp\r\nFrom-Path: msrp://r;tcp msrp://b;tcp\r\n\
        Message-ID: m\r\n-------abcd$\r\n";
    Writer::response_to(&mut out, &Head::parse(request).unwrap(), request, 200, "OK").end(Continuation::Complete);
    assert_eq!(out, b"MSRP abcd 200 OK\r\nTo-Path: msrp://r;tcp\r\nFrom-Path: msrp://a;tcp\r\n-------abcd$\r\n");
}

#[test]
fn a_report_is_written_as_the_text_shows() {
    let mut out = Vec::new();
    let mut writer = Writer::request(&mut out, b"dkei38sd", b"REPORT", b"msrp://b;tcp", b"msrp://a;tcp");
    writer.message_id(b"12339sdqwer");
    writer.byte_range(ByteRange { start: 1, end: Some(106), total: Some(106) });
    writer.status(Status::of_code(200, b"OK"));
    writer.end(Continuation::Complete);
    let expected =
        b"MSRP dkei38sd REPORT\r\nTo-Path: msrp://b;tcp\r\nFrom-Path: msrp://a;tcp\r\nMessage-ID: 12339sdqwer\r\n\
        Byte-Range: 1-106/106\r\nStatus: 000 200 OK\r\n-------dkei38sd$\r\n";
    assert_eq!(out, expected);
}

#[test]
fn a_chunk_in_parts_is_the_chunk_in_one() {
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    Writer::request(&mut whole, b"abcd", b"SEND", b"msrp://a;tcp", b"msrp://b;tcp").content(
        b"a/b",
        b"data",
        Continuation::More,
    );
    Writer::request(&mut parts, b"abcd", b"SEND", b"msrp://a;tcp", b"msrp://b;tcp").content_head(b"a/b");
    parts.extend_from_slice(b"data");
    end_line(&mut parts, b"abcd", Continuation::More);
    assert_eq!(whole, parts);
}
