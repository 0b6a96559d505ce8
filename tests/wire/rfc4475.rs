//! The 49 torture messages of RFC 4475, octet by octet, and what is made of each: whether it frames, what is read, and
//! what a request is refused with.

use std::fmt::Write;

use isthmus::wire::Framing;
use isthmus::wire::sip::uri::{self, SipUri, Uri};
use isthmus::wire::sip::{Index, Message, NameAddr, StartLine, Via, Writer, check, frame, lists::Values, peek_call_id};

use crate::torture::{message, octets, table};
use crate::tsv::rows;

const FACTS: &str = include_str!("../spec/rfc4475_facts.tsv");

/// What RFC 3261 and RFC 3428 define.
const ELEMENT: &[&[u8]] = &[b"INVITE", b"ACK", b"BYE", b"CANCEL", b"OPTIONS", b"REGISTER", b"MESSAGE"];
const GATEWAY: &[&[u8]] = &[b"MESSAGE", b"OPTIONS"];

/// What an element that serves `methods` does with these octets as a datagram.
fn outcome(bytes: &[u8], methods: &[&[u8]]) -> String {
    let mut index = Index::new();
    match Message::parse(bytes, &mut index) {
        Err(_) => "dropped".into(),
        Ok(message) if !message.is_request() => if check::response(&message) { "ok" } else { "dropped" }.into(),
        Ok(message) => match check::request(&message, methods) {
            Ok(()) => "ok".into(),
            Err(refused) => format!("{} {}", refused.code, refused.reason),
        },
    }
}

fn framed(bytes: &[u8]) -> &'static str {
    match frame(bytes) {
        Framing::Complete(len) if len == bytes.len() => "whole",
        Framing::Complete(_) => "first",
        Framing::Partial => "waits",
        Framing::Malformed(_) => "broken",
    }
}

#[test]
fn every_message_meets_its_outcome() {
    let mut seen = 0;
    for row in table() {
        let [name, section, transport, stream, element, gateway, why] = row[..] else { panic!("{row:?}") };
        let bytes = message(name);
        assert_eq!(framed(&bytes), stream, "{name} {section} as a stream: {why}");
        assert_eq!(outcome(&bytes, ELEMENT), element, "{name} {section}: {why}");
        assert_eq!(outcome(&bytes, GATEWAY), gateway, "{name} {section} at the gateway: {why}");
        assert_eq!(came_by(&bytes), transport, "{name} {section}");
        seen += 1;
    }
    assert_eq!(seen, 49);
}

/// What the topmost Via says, TLS and TCP being streams.
fn came_by(bytes: &[u8]) -> &'static str {
    let mut index = Index::new();
    let Ok(message) = Message::parse(bytes, &mut index) else { return "datagram" };
    let stream = message.top_via().is_ok_and(|via| via.transport != b"UDP");
    if stream { "stream" } else { "datagram" }
}

#[test]
fn every_fact_is_read() {
    for row in rows(FACTS) {
        let [name, what, value] = row[..] else { panic!("{row:?}") };
        let bytes = message(name);
        let mut index = Index::new();
        let parsed = Message::parse(&bytes, &mut index).unwrap_or_else(|why| panic!("{name}: {why}"));
        let read = fact(&parsed, what).unwrap_or(b"none".to_vec());
        assert_eq!(read.escape_ascii().to_string(), octets(value).escape_ascii().to_string(), "{name}: {what}");
        assert_eq!(peek_call_id(&bytes), parsed.call_id(), "{name}");
    }
}

#[test]
fn whatever_is_accepted_has_facts() {
    for row in table().filter(|row| row[4] == "ok" || row[4].starts_with('5')) {
        let read = rows(FACTS).filter(|fact| fact[0] == row[0]).count();
        assert!(read > 0, "{}", row[0]);
    }
}

/// `None` if it is absent or unreadable.
fn fact(message: &Message<'_>, what: &str) -> Option<Vec<u8>> {
    let (head, rest) = what.split_once('.').unwrap_or((what, ""));
    match (head, rest) {
        ("method", _) => Some(message.method().to_vec()),
        ("code", _) => Some(message.code().to_string().into()),
        ("reason", _) => match message.start_line() {
            StartLine::Response { reason, .. } => Some(reason.to_vec()),
            StartLine::Request { .. } => None,
        },
        ("uri", part) => of_uri(message.request_uri(), part),
        ("to", part) => of_address(&message.to().ok()?, part),
        ("from", part) => of_address(&message.from().ok()?, part),
        ("contact", part) => of_contact(message, part),
        ("via", part) => of_via(message, part),
        ("header", part) => of_header(message, part),
        ("call_id", _) => message.call_id().map(<[u8]>::to_vec),
        ("cseq", _) => {
            let cseq = message.cseq().ok()?;
            Some([cseq.number.to_string().as_bytes(), b" ", cseq.method].concat())
        }
        ("max_forwards", _) => Some(message.max_forwards().ok()??.to_string().into()),
        ("expires", _) => Some(message.expires()?.to_string().into()),
        ("retry_after", _) => Some(check::retry_after_seconds(message)?.to_string().into()),
        ("body", "nuls") => Some(message.body().iter().filter(|&&octet| octet == 0).count().to_string().into()),
        ("body", _) => Some(message.body().len().to_string().into()),
        _ => panic!("no such fact: {what}"),
    }
}

fn of_uri(uri: &[u8], part: &str) -> Option<Vec<u8>> {
    let Some(Uri::Sip(parsed)) = Uri::parse(uri) else { return None };
    match part.split_once('.').unwrap_or((part, "")) {
        ("param", name) => sip_param(&parsed, name),
        ("user", _) => {
            let mut user = Vec::new();
            uri::unescape(parsed.user, &mut user);
            Some(user)
        }
        ("password", _) => Some(parsed.password.to_vec()),
        ("host", _) => Some(parsed.host.to_vec()),
        ("headers", _) => Some(parsed.headers.to_vec()),
        _ => panic!("no such part of a URI: {part}"),
    }
}

fn sip_param(uri: &SipUri<'_>, name: &str) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    uri::unescape(uri.param(name.as_bytes())?, &mut value);
    Some(value)
}

fn of_address(address: &NameAddr<'_>, part: &str) -> Option<Vec<u8>> {
    match part.split_once('.').unwrap_or((part, "")) {
        ("display", _) => Some(address.display_name.to_vec()),
        ("uri", _) => Some(address.uri.to_vec()),
        ("tag", _) => address.tag().map(<[u8]>::to_vec),
        ("param", name) => address.params.get(name.as_bytes()).map(<[u8]>::to_vec),
        ("user", _) => of_uri(address.uri, "user"),
        ("uri_headers", _) => of_uri(address.uri, "headers"),
        ("uri_param", name) => of_uri(address.uri, &format!("param.{name}")),
        _ => panic!("no such part of an address: {part}"),
    }
}

fn of_contact(message: &Message<'_>, part: &str) -> Option<Vec<u8>> {
    let mut values = message.values(isthmus::wire::sip::Name::Contact);
    if part == "count" {
        return Some(values.count().to_string().into());
    }
    let (at, part) = part.split_once('.').unwrap();
    of_address(&NameAddr::parse(values.nth(at.parse().unwrap())?)?, part)
}

fn of_via(message: &Message<'_>, part: &str) -> Option<Vec<u8>> {
    let mut values = message.values(isthmus::wire::sip::Name::Via);
    match part {
        "count" => Some(values.count().to_string().into()),
        "cookie" => Some(if message.top_via().ok()?.has_magic_cookie() { "yes" } else { "no" }.into()),
        "rport" => message.top_via().ok()?.wants_rport().then(|| "asked".into()),
        at => Some(via_text(&Via::parse(values.nth(at.parse().unwrap())?)?)),
    }
}

fn via_text(via: &Via<'_>) -> Vec<u8> {
    let mut text = format!("{} {}", via.transport.escape_ascii(), via.host.escape_ascii());
    if let Some(port) = via.port {
        write!(text, ":{port}").unwrap();
    }
    let mut text = text.into_bytes();
    if let Some(branch) = via.branch() {
        text.extend_from_slice(b" branch=");
        text.extend_from_slice(branch);
    }
    text
}

/// `header.Name`, in any spelling, or the number of values in its list.
fn of_header(message: &Message<'_>, part: &str) -> Option<Vec<u8>> {
    let (name, count) = part.strip_suffix(".count").map_or((part, false), |name| (name, true));
    let value = message.header_named(name.as_bytes())?;
    Some(if count { Values::new(value).count().to_string().into() } else { value.to_vec() })
}

#[test]
fn a_refusal_carries_what_its_code_owes() {
    let owed = |name| {
        let bytes = message(name);
        let mut index = Index::new();
        let message = Message::parse(&bytes, &mut index).unwrap();
        let refused = check::request(&message, GATEWAY).unwrap_err();
        let mut out = Vec::new();
        refused.write_headers(&message, GATEWAY, &mut Writer::resume(&mut out));
        String::from_utf8(out).unwrap()
    };
    assert_eq!(owed("bext01"), "Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n");
    assert_eq!(owed("intmeth"), "Allow: MESSAGE, OPTIONS\r\n");
    assert_eq!(owed("wsinv"), "Allow: MESSAGE, OPTIONS\r\n");
    assert_eq!(owed("ncl"), "");
}

#[test]
fn a_refusal_names_its_header() {
    for row in table() {
        let bytes = message(row[0]);
        let mut index = Index::new();
        let Ok(message) = Message::parse(&bytes, &mut index) else { continue };
        let Err(refused) = check::request(&message, ELEMENT) else { continue };
        match refused.header {
            Some(name) if refused.code == 400 => assert!(refused.reason.contains(name.as_str()), "{}", row[0]),
            Some(name) => assert_eq!((refused.code, name.as_str()), (420, "Require"), "{}", row[0]),
            None => assert!(refused.code != 400 || refused.reason.contains("Request-"), "{}", row[0]),
        }
    }
}
