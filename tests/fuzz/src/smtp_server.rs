//! What a client may say to our server: where reads cut it changes nothing, every mail is handed up once and whole, and what
//! is said back are replies.
//!
//! First settings, then how many cuts and their distances, which repeat; then the stream.

use std::sync::Arc;

use isthmus::engine::Now;
use isthmus::engine::smtp::Server;
use isthmus::engine::smtp::server::{Config, Event};
use isthmus::wire::Framing;
use isthmus::wire::smtp::{EnhancedStatus, Reply, ReplyLines};

use super::input::Input;

const RECIPIENTS_MAX: usize = 3;
const MESSAGE_BYTES_MAX: usize = 200;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let settings = input.u8();
    let cuts = input.below(16);
    let distances: Vec<usize> = input.take(cuts).iter().map(|octet| usize::from(*octet).max(1)).collect();
    let stream = input.rest();
    let whole = converse(settings, &[stream]);
    assert_eq!(converse(settings, &pieces(stream, &distances)), whole, "cut by {distances:?}");
    judge(&whole);
}

fn pieces<'a>(mut stream: &'a [u8], distances: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for distance in distances.iter().cycle() {
        let (piece, rest) = stream.split_at((*distance).min(stream.len()));
        pieces.push(piece);
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    pieces.push(stream);
    pieces
}

fn config() -> Config {
    Config {
        hostname: b"gw.example".to_vec(),
        domains: vec![b"mms.example".to_vec()],
        message_bytes_max: MESSAGE_BYTES_MAX,
        recipients_max: RECIPIENTS_MAX,
        errors_max: 20,
        commands_max: 50,
        ..Config::default()
    }
}

/// What is said back, and the events. Mails are answered as the settings say, one after the other.
fn converse(settings: u8, pieces: &[&[u8]]) -> (Vec<u8>, Vec<Event>) {
    let now = Now::default();
    let mut server = Server::new(Arc::new(config()), now);
    let (mut said, mut events, mut mails) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        server.handle_bytes(now, piece);
        while let Some(id) = server.awaits_answer() {
            let code = if settings.rotate_left(mails) & 1 == 0 { 250 } else { 451 };
            server.answer(now, id, Reply::new(code, EnhancedStatus(4, 0, 0), b"answer"));
            mails += 1;
        }
        said.extend(server.poll_transmit().unwrap_or_default());
        events.extend(core::iter::from_fn(|| server.poll_event()));
    }
    assert_eq!(server.poll_close(), server.is_closed());
    assert_eq!(server.poll_timeout().is_none(), server.is_closed());
    (said, events)
}

fn judge((said, events): &(Vec<u8>, Vec<Event>)) {
    let mut rest = said.as_slice();
    while !rest.is_empty() {
        let Framing::Complete(len) = ReplyLines::frame(rest) else { panic!("no reply: {rest:?}") };
        assert!(ReplyLines::parse(&rest[..len]).is_ok());
        rest = &rest[len..];
    }
    for event in events {
        if let Event::Mail { rcpt_to, data, .. } = event {
            assert!((1..=RECIPIENTS_MAX).contains(&rcpt_to.len()));
            assert!(data.len() <= MESSAGE_BYTES_MAX && (data.is_empty() || data.ends_with(b"\r\n")));
            assert!(!bare_line_end(data), "{data:?}");
        }
    }
    let closed = events.iter().filter(|event| matches!(event, Event::Closed { .. })).count();
    assert!(closed <= 1);
}

fn bare_line_end(data: &[u8]) -> bool {
    let feeds = data.iter().filter(|octet| **octet == b'\n').count();
    let returns = data.iter().filter(|octet| **octet == b'\r').count();
    let ends = data.windows(2).filter(|window| window == b"\r\n").count();
    (feeds, returns) != (ends, ends)
}
