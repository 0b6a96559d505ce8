//! SIP messages whatever the octets: nothing panics, framing and parsing agree, what is written reads back, and nothing
//! that is handed to the writer adds a line.

use isthmus::limits;
use isthmus::wire::Framing;
use isthmus::wire::sip::{Index, Message, Name, NameAddr, Via, Writer, check, frame, peek_call_id, uri::Uri};
use proptest::prelude::*;

const MESSAGE: &[u8] = b"MESSAGE sip:+12015550123@example.com;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP host.example.com:5070;branch=z9hG4bK776;rport, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK1\r\n\
    From: \"A, \\\"B\\\" <C>\" <sip:alice@example.com>;tag=9fxced76sl\r\nTo : <tel:+1-201-555-0123>\r\nMax-Forwards: 0070\r\n\
    i:\r\n 3848276298220188511@example.com\r\nCSeq: 1\r\n\tMESSAGE\r\nRequire: a,, b\r\nno header\r\nContact: *\r\n\
    Content-Type: text/plain\r\nl   : 5\r\n\r\nhello";

/// Everything there is to ask of a message.
fn ask_everything(bytes: &[u8]) {
    let _ = (frame(bytes), peek_call_id(bytes));
    let mut index = Index::new();
    let Ok(message) = Message::parse(bytes, &mut index) else { return };
    let _ = (message.start_line(), message.call_id(), message.cseq(), message.from(), message.to());
    let _ = (message.max_forwards(), message.content_length(), message.expires(), message.body());
    let _ = (check::request(&message, &[b"MESSAGE"]), check::response(&message), check::retry_after_seconds(&message));
    for field in message.fields() {
        assert!(message.header_named(field.raw_name).is_some() || field.raw_name.is_empty());
        let namesakes = message.fields().filter(|other| other.name == field.name).count();
        assert!(field.name == Name::Other || message.is_repeated(field.name) == (namesakes > 1));
        for value in message.values(field.name) {
            ask_of_value(value);
        }
    }
}

fn ask_of_value(value: &[u8]) {
    if let Some(address) = NameAddr::parse(value) {
        let _ = (address.tag(), address.params.is_well_formed(), Uri::parse(address.uri));
    }
    if let Some(via) = Via::parse(value) {
        let _ = (via.branch(), via.has_magic_cookie(), via.wants_rport(), via.params.is_well_formed());
    }
}

/// A message in which octets were replaced, removed and doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n \t:;,<>\"\\?@=0l".to_vec())];
    let edit = (0..MESSAGE.len(), octet, 0..4_u8);
    prop::collection::vec(edit, 0..6).prop_map(|edits| {
        let mut bytes = MESSAGE.to_vec();
        for (at, octet, how) in edits {
            let at = at.min(bytes.len().saturating_sub(1));
            match how {
                0 => bytes[at] = octet,
                1 => bytes.insert(at, octet),
                // One octet stays, so that the next edit has something to change.
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

/// Lines of a message in any order, with any line ends.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "MESSAGE sip:a SIP/2.0",
        "SIP/2.0 200 OK",
        "l: 2",
        "Content-Length: 2",
        "Content-Length: x",
        "L :",
        " 2",
        "i: a@b",
        "Call-ID:",
        "no colon",
        ": no name",
        "\r",
        " ",
        "",
        "hi",
    ]);
    let end = prop::sample::select(vec!["\r\n", "\n", "\r", "\n\n", "\r\n\r\n"]);
    prop::collection::vec((line, end), 0..9)
        .prop_map(|parts| parts.iter().flat_map(|(line, end)| [line.as_bytes(), end.as_bytes()].concat()).collect())
}

/// The outcome of framing when one more octet arrives at a time.
fn framed_byte_by_byte(stream: &[u8]) -> Framing {
    (0..=stream.len())
        .map(|len| frame(&stream[..len]))
        .find(|framing| *framing != Framing::Partial)
        .unwrap_or(Framing::Partial)
}

/// What framing promises holds for parsing: the body is what Content-Length says, all of it there.
fn agree(stream: &[u8]) -> Result<(), TestCaseError> {
    let Framing::Complete(len) = frame(stream) else { return Ok(()) };
    let mut index = Index::new();
    let Ok(message) = Message::parse(&stream[..len], &mut index) else { return Ok(()) };
    prop_assert_eq!(message.content_length(), Ok(Some(message.body_len_received())));
    prop_assert_eq!(message.body().len(), message.body_len_received());
    prop_assert_eq!(message.call_id(), peek_call_id(stream));
    Ok(())
}

fn reads_back(out: &[u8], name: Name, value: &[u8], body: &[u8]) -> Result<(), TestCaseError> {
    let mut index = Index::new();
    let message = Message::parse(out, &mut index).unwrap();
    prop_assert_eq!(frame(out), Framing::Complete(out.len()));
    prop_assert_eq!(message.fields().count(), 4);
    prop_assert_eq!(message.body(), body);
    prop_assert_eq!(message.header(name), Some(value));
    Ok(())
}

fn without_line_ends(value: &[u8]) -> Vec<u8> {
    value.iter().map(|&octet| if matches!(octet, b'\r' | b'\n') { b' ' } else { octet }).collect()
}

#[test]
fn the_message_the_properties_start_from_is_fine() {
    let mut index = Index::new();
    let message = Message::parse(MESSAGE, &mut index).unwrap();
    assert_eq!(check::request(&message, &[b"MESSAGE"]).unwrap_err().code, 420);
    assert_eq!(frame(MESSAGE), Framing::Complete(MESSAGE.len()));
    assert_eq!(message.fields().find(|field| field.raw_name.is_empty()).unwrap().value, b"no header");
    assert_eq!(peek_call_id(MESSAGE), Some(b"3848276298220188511@example.com".as_slice()));
}

#[test]
fn limits_hold_on_both_roads() {
    let long = [b"MESSAGE sip:a SIP/2.0\r\nX: ".as_slice(), &vec![b'x'; limits::SIP_HEADER_SECTION_BYTES_MAX]].concat();
    assert!(matches!(frame(&long), Framing::Malformed(_)));
    let head = b"MESSAGE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n".as_slice();
    let many = [head, &b"X: y\r\n".repeat(limits::SIP_HEADERS_MAX), b"l: 0\r\n\r\n"].concat();
    let mut index = Index::new();
    let message = Message::parse(&many, &mut index).unwrap();
    assert_eq!((message.left_out(), message.fields().count()), (2, limits::SIP_HEADERS_MAX));
    assert_eq!(check::request(&message, &[b"MESSAGE"]).unwrap_err().reason, "Too Many Headers");
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(bytes: Vec<u8>) {
        ask_everything(&bytes);
    }

    #[test]
    fn mutated_messages_never_panic(bytes in mutated()) {
        ask_everything(&bytes);
        agree(&bytes)?;
    }

    #[test]
    fn any_arrangement_of_lines_frames_as_it_parses(bytes in lines()) {
        ask_everything(&bytes);
        agree(&bytes)?;
    }

    #[test]
    fn one_octet_at_a_time_frames_as_the_whole(bytes in prop_oneof![mutated(), lines()]) {
        let whole = frame(&bytes);
        prop_assert_eq!(core::mem::discriminant(&whole), core::mem::discriminant(&framed_byte_by_byte(&bytes)));
        if let Framing::Complete(len) = whole {
            prop_assert_eq!(framed_byte_by_byte(&bytes), Framing::Complete(len));
        }
    }

    #[test]
    fn what_is_written_reads_back(value in "[!-~]([ -~]{0,30}[!-~])?", code in 100_u16..700, body: Vec<u8>) {
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, code, "Reason");
        writer.header(Name::Subject, value.as_bytes());
        writer.number(Name::Expires, 3_600);
        writer.body(b"text/plain", |to| to.extend_from_slice(&body));
        reads_back(&out, Name::Subject, value.as_bytes(), &body)?;
        let mut index = Index::new();
        let message = Message::parse(&out, &mut index).unwrap();
        prop_assert_eq!((message.code(), message.expires()), (code, Some(3_600)));
    }

    #[test]
    fn nothing_handed_to_the_writer_adds_a_line(parts: [Vec<u8>; 6], body: Vec<u8>) {
        let [method, uri, name, value, listed, content_type] = parts;
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, &method, &uri);
        writer.header_named(&name, &[&value, &value]);
        writer.list(Name::Allow, [listed.as_slice(), &listed]);
        writer.body(&content_type, |to| to.extend_from_slice(&body));
        let head = &out[..out.len() - body.len()];
        prop_assert_eq!(head.iter().filter(|&&octet| octet == b'\n').count(), 6);
        prop_assert_eq!(head.iter().filter(|&&octet| octet == b'\r').count(), 6);
        prop_assert!(head.ends_with(b"\r\n\r\n"));
        let start = [without_line_ends(&method), b" ".to_vec(), without_line_ends(&uri), b" SIP/2.0\r\n".to_vec()].concat();
        prop_assert!(out.starts_with(&start));
    }

    #[test]
    fn a_hostile_value_stays_in_its_header(evil in "(\\r|\\n|\\r\\n|:|[a-z ]){1,30}", body: Vec<u8>) {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"MESSAGE", b"sip:a@b");
        writer.header_parts(Name::Subject, &[b"x", evil.as_bytes(), b"y"]);
        writer.header(Name::CallId, b"c@d");
        writer.body(b"text/plain", |to| to.extend_from_slice(&body));
        let value = [b"x".as_slice(), &without_line_ends(evil.as_bytes()), b"y"].concat();
        reads_back(&out, Name::Subject, &value, &body)?;
    }
}
