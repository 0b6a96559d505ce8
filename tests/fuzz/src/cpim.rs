//! A CPIM message: the first line is the SIP Content-Type, the rest the body.

use isthmus::limits;
use isthmus::wire::cpim::message::unescape;
use isthmus::wire::cpim::writer::escape;
use isthmus::wire::cpim::{Message, Wrapper, text_of};

pub fn run(data: &[u8]) {
    let (content_type, body) = match data.iter().position(|octet| *octet == b'\n') {
        Some(end) => (data[..end].trim_ascii(), &data[end + 1..]),
        None => (b"message/cpim".as_slice(), data),
    };
    text(content_type, body);
    if let Ok(message) = Message::parse(body) {
        ask_everything(&message);
        wrapped_again(&message);
    }
    escaped(body);
}

fn text(content_type: &[u8], body: &[u8]) {
    let mut out = "before".to_owned();
    match text_of(content_type, body, &mut out) {
        Ok(text) => assert!(text.parts > 0 && out.starts_with("before")),
        Err(_) => assert_eq!(out, "before", "what fails leaves nothing behind"),
    }
    // One octet is at most one replacement character of three octets, and parts are separated by line feeds.
    assert!(out.len() <= 3 * body.len() + 64, "{} octets of text from {}", out.len(), body.len());
}

fn ask_everything(message: &Message<'_>) {
    assert!(message.headers().count() <= limits::CPIM_HEADERS_MAX);
    let _ = (message.from(), message.to(), message.original_to(), message.cc().count(), message.date_time());
    let _ = (message.dispositions(), message.unknown_requirement(), message.is_imdn(), message.content_headers());
    let _ = (message.routes().count(), message.record_routes().count(), message.content_type());
    if let Some(subject) = message.subject() {
        unescape(subject, &mut Vec::new());
    }
}

/// What was read and is written again reads the same.
fn wrapped_again(message: &Message<'_>) {
    let uri =
        |found: Option<isthmus::wire::cpim::message::Address<'_>>| printable(found.map_or(b"", |found| found.uri));
    let (from, to) = (uri(message.from()), uri(message.to()));
    let id = printable(message.message_id().unwrap_or_default());
    let routes: Vec<Vec<u8>> = message.record_routes().map(printable).filter(|route| !route.is_empty()).collect();
    let lines: Vec<&[u8]> = routes.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    Wrapper {
        from: &from,
        to: &to,
        message_id: &id,
        date_time: b"2026-11-21T02:10:49Z",
        dispositions: message.dispositions(),
        routes: &lines,
        subject: message.subject().unwrap_or_default(),
        content_type: b"text/plain;charset=utf-8",
        ..Wrapper::default()
    }
    .write(message.content(), &mut out);
    let again = Message::parse(&out).expect("what we write");
    assert_eq!(again.message_id().unwrap_or_default(), id);
    assert_eq!(again.dispositions(), message.dispositions());
    assert_eq!(again.content(), message.content());
    if lines.len() < 50 {
        assert_eq!(again.routes().collect::<Vec<_>>(), lines);
    }
}

/// Without what the writer leaves out of a header, and without white space at the ends.
fn printable(value: &[u8]) -> Vec<u8> {
    let kept: Vec<u8> = value.iter().copied().filter(|octet| !octet.is_ascii_control()).collect();
    let kept = kept.trim_ascii();
    // In front of the value it would be a language parameter.
    kept.to_vec()
}

fn escaped(value: &[u8]) {
    let (mut escaped, mut back) = (Vec::new(), Vec::new());
    escape(value, &mut escaped);
    assert!(!escaped.iter().any(u8::is_ascii_control));
    unescape(&escaped, &mut back);
    let kept = |octet: &u8| !octet.is_ascii_control() || matches!(octet, 0x08 | b'\t' | b'\n' | b'\r');
    assert_eq!(back, value.iter().copied().filter(kept).collect::<Vec<u8>>());
}
