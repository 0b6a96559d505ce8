//! A SIP message as a datagram: framed, parsed, asked for everything, checked, answered.

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, ServerNonInvite};
use isthmus::engine::transport::{ListenerId, Road, Source};
use isthmus::engine::{Moment, Random};
use isthmus::limits::SIP_HEADER_SECTION_BYTES_MAX;
use isthmus::wire::Framing;
use isthmus::wire::sip::{Index, Message, Name, NameAddr, Via, check, frame, peek_call_id, uri};

const METHODS: &[&[u8]] = &[b"MESSAGE", b"OPTIONS", b"CANCEL"];

pub fn run(data: &[u8]) {
    let framing = frame(data);
    let call_id = peek_call_id(data);
    let mut index = Index::new();
    let Ok(message) = Message::parse(data, &mut index) else { return };
    ask_everything(&message);
    if message.left_out() == 0 {
        assert_eq!(message.call_id(), call_id, "the owner is found by the Call-ID that is read");
    }
    if let Framing::Complete(len) = framing {
        framed(&data[..len]);
    }
    if message.is_request() && message.method() != b"ACK" {
        answer(&message);
    }
}

/// Everything there is to ask of a message.
fn ask_everything(message: &Message<'_>) {
    let _ = (message.start_line(), message.max_forwards(), message.content_length(), message.expires());
    let _ = (message.from(), message.to(), message.cseq(), message.body(), check::retry_after_seconds(message));
    read_uri(message.request_uri());
    for field in message.fields() {
        assert!(message.header_named(field.raw_name).is_some() || field.raw_name.is_empty());
        message.values(field.name).for_each(read_value);
    }
}

fn read_value(value: &[u8]) {
    if let Some(address) = NameAddr::parse(value) {
        let _ = (address.tag(), address.params.is_well_formed());
        read_uri(address.uri);
    }
    if let Some(via) = Via::parse(value) {
        let _ = (via.branch(), via.has_magic_cookie(), via.wants_rport(), via.is_ours(), via.params.is_well_formed());
    }
}

fn read_uri(octets: &[u8]) {
    let Some(uri) = uri::Uri::parse(octets) else { return };
    let fine = uri.params().is_well_formed() && !matches!(uri, uri::Uri::Other { .. });
    assert!(uri.is_equivalent(&uri) || !fine, "a URI equals itself");
    if let uri::Uri::Sip(sip) = &uri {
        let _ = (sip.params.is_well_formed(), sip.param(b"user"));
    }
    uri::unescape(octets, &mut Vec::new());
}

/// What framing promises holds for parsing.
fn framed(octets: &[u8]) {
    let mut index = Index::new();
    let Ok(message) = Message::parse(octets, &mut index) else { return };
    if message.left_out() == 0 {
        assert_eq!(message.content_length(), Ok(Some(message.body_len_received())));
        assert_eq!(message.body().len(), message.body_len_received());
    }
}

/// A refused request is answered without a transaction, any other within one.
fn answer(request: &Message<'_>) {
    let mut servers = ServerNonInvite::new(KeyedHash::new([1, 2]));
    let peer = "192.0.2.1:5070".parse().unwrap();
    let source = Source { peer, road: Road::Datagram(ListenerId(0)) };
    let mut random = Random::from_seed([3; 32]);
    let code = match check::request(request, METHODS) {
        Err(rejection) => {
            servers.respond_statelessly(request, &source, rejection.code, rejection.reason, |headers| {
                rejection.write_headers(request, METHODS, headers);
            });
            rejection.code
        }
        Ok(()) => {
            let arrived = servers.handle_request(Moment(1), request, &source, &mut random);
            let Arrived::New(transaction) = arrived else { panic!("the first request is {arrived:?}") };
            assert!(servers.respond(Moment(1), transaction, 202, "Accepted", |_| {}));
            let again = servers.handle_request(Moment(2), request, &source, &mut random);
            assert_eq!(again, Arrived::Retransmission);
            202
        }
    };
    while let Some((_, octets)) = servers.poll_transmit() {
        answers(request, &octets, code);
    }
}

/// The response is one, and it is one to this request.
fn answers(request: &Message<'_>, octets: &[u8], code: u16) {
    let mut index = Index::new();
    let response = Message::parse(octets, &mut index).expect("a response that can be read");
    assert_eq!(response.code(), code);
    for name in [Name::CallId, Name::CSeq, Name::From] {
        assert_eq!(response.header(name).map(flat), request.header(name).map(flat), "{name:?}");
    }
    if code == 202 {
        assert!(response.top_via().is_ok() && response.to().is_ok_and(|to| to.tag().is_some()));
    }
    let header_len = octets.len() - response.body_len_received();
    if header_len <= SIP_HEADER_SECTION_BYTES_MAX {
        assert_eq!(frame(octets), Framing::Complete(octets.len()));
    }
}

/// Folds become spaces on the way through.
fn flat(value: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        value.iter().map(|octet| if matches!(octet, b'\r' | b'\n') { b' ' } else { *octet }).collect();
    spaced.trim_ascii().to_vec()
}
