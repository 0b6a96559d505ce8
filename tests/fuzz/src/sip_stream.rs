//! Octets on a SIP connection, through a whole shard: where reads cut them changes nothing.
//!
//! First how many cuts and their distances, which repeat; then the stream.

use bytes::Bytes;
use isthmus::engine::transport::{LinkId, ListenerId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::shard::Shard;
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings};
use isthmus::wire::Framing;
use isthmus::wire::sip::frame;

use super::input::Input;

const NOW: Now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 };
const LINK: LinkId = LinkId { index: 1, generation: 1 };

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let cuts = input.below(16);
    let distances: Vec<usize> = input.take(cuts).iter().map(|octet| usize::from(*octet).max(1)).collect();
    let stream = input.rest();
    let whole = feed(&[stream]);
    whole_messages(&whole.sent);
    let parts = split(stream, &distances);
    assert_eq!(feed(&parts), whole, "cut by {distances:?}");
}

fn split<'a>(mut stream: &'a [u8], distances: &[usize]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    for distance in distances.iter().cycle() {
        let (part, rest) = stream.split_at((*distance).min(stream.len()));
        parts.push(part);
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    parts.push(stream);
    parts
}

/// What came of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sent: Vec<u8>,
    /// Octets of them; they may overtake responses.
    pongs: usize,
    closed: bool,
    messages: u64,
    malformed: u64,
}

fn feed(parts: &[&[u8]]) -> Seen {
    let mut shard = shard();
    let mut seen = Seen::default();
    shard.on_accepted(NOW, LINK, ListenerId(0), "192.0.2.1:5070".parse().unwrap());
    for part in parts.iter().filter(|part| !part.is_empty()) {
        shard.on_stream(NOW, LINK, Bytes::copy_from_slice(part));
        while let Some(transmit) = shard.poll_transmit() {
            match transmit {
                Transmit::Stream { link: LINK, bytes } if bytes.iter().all(|octet| b"\r\n".contains(octet)) => {
                    seen.pongs += bytes.len();
                }
                Transmit::Stream { link: LINK, bytes } => seen.sent.extend_from_slice(&bytes),
                Transmit::Close { link: LINK } => seen.closed = true,
                // A Via that names another host.
                _ => {}
            }
        }
        while shard.poll_event().is_some() {}
        if seen.closed {
            break;
        }
    }
    let stats = shard.stats();
    (seen.messages, seen.malformed) = (stats.sip_messages, stats.sip_malformed);
    shard.on_closed(NOW, LINK);
    seen
}

fn shard() -> Shard {
    let tcp = Listener { transport: Transport::Tcp, local: "198.51.100.1:5060".parse().unwrap() };
    Shard::new(Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: "sip:192.0.2.1:5070;transport=tcp".into(),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            listeners: vec![tcp],
            ..SipSettings::default()
        },
        ..Settings::default()
    })
}

/// What we send frames as we frame it.
fn whole_messages(mut sent: &[u8]) {
    while !sent.is_empty() {
        let Framing::Complete(len) = frame(sent) else { panic!("{}", String::from_utf8_lossy(sent)) };
        sent = &sent[len..];
    }
}
