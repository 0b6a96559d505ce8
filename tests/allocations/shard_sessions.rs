//! What a chat costs a whole shard while nothing is said in it: dialog, MSRP session, its connection, and what is kept of
//! the invitation.

use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{LinkId, ListenerId, ShardId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::shard::Shard;
use isthmus::shard::settings::{Listener, MsrpSettings, Network, Settings, SipSettings};

use super::live;

const SESSIONS: u32 = 2_000;
/// Octets of one with its own MSRP connection and all tables; dialog and MSRP session alone are measured beside this.
const SESSION_BYTES_MAX: i64 = 5_632;
const PEER: &str = "192.0.2.2:5060";
const CONTACT: &str = "<sip:+12015550123@192.0.2.77:5060;transport=tcp;ob>;\
    +g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"";

fn shard() -> Shard {
    let listener = Listener { transport: Transport::Udp, local: "192.0.2.1:5060".parse().unwrap() };
    let sip = SipSettings {
        domain: "gw.example.net".into(),
        next_hop: format!("sip:{PEER}"),
        trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
        listeners: vec![listener],
        ..SipSettings::default()
    };
    let msrp = MsrpSettings {
        listeners: vec![(ListenerId(9), "192.0.2.1:2855".parse().unwrap())],
        address: "192.0.2.1:2855".parse().unwrap(),
        ..MsrpSettings::default()
    };
    Shard::new(Settings { id: ShardId(0), sip, msrp, ..Settings::default() })
}

fn sip(method: &str, number: u32, to_tag: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} tel:+12015550199 SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{method}{number}\r\n\
         Record-Route: <sip:192.0.2.2:5060;lr>\r\nMax-Forwards: 66\r\n\
         From: <tel:+12015550123>;tag=k3h4g5j{number}\r\nTo: <tel:+12015550199>{to_tag}\r\n\
         Call-ID: 7d1c6a0e4b2f4c5e9d8a-{number}@192.0.2.77\r\nCSeq: 1 {method}\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn invite(number: u32) -> String {
    let headers = format!(
        "Contact: {CONTACT}\r\nP-Asserted-Identity: <sip:+12015550123@ims.example.net>, <tel:+12015550123>\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e{number}\r\n\
         Contribution-ID: abcdef-1234-5678-90ab-cdef0123{number}\r\nSupported: timer\r\n\
         Session-Expires: 1800;refresher=uac\r\nContent-Type: application/sdp\r\n"
    );
    let offer = format!(
        "v=0\r\no=- 4873987239847 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n\
         m=message 7394 TCP/MSRP *\r\na=accept-types:message/cpim\r\n\
         a=accept-wrapped-types:text/plain message/imdn+xml\r\na=setup:actpass\r\na=msrp-cema\r\n\
         a=path:msrp://192.0.2.77:7394/peer{number};tcp\r\na=sendrecv\r\n"
    );
    sip("INVITE", number, "", &headers, &offer)
}

/// What the gateway wrote last; the rest goes back to it.
fn written(shard: &mut Shard) -> String {
    let mut last = Vec::new();
    while let Some(transmit) = shard.poll_transmit() {
        if let Transmit::Datagram { bytes, .. } | Transmit::Stream { bytes, .. } = transmit {
            last.clone_from(&bytes);
            shard.recycle(bytes);
        }
    }
    String::from_utf8(last).unwrap()
}

fn after<'a>(text: &'a str, start: &str) -> &'a str {
    text.split_once(start).unwrap().1.split("\r\n").next().unwrap()
}

fn open(shard: &mut Shard, now: Now, number: u32) {
    let peer = PEER.parse().unwrap();
    shard.on_datagram(now, ListenerId(0), peer, invite(number).as_bytes());
    let ok = written(shard);
    assert!(ok.starts_with("SIP/2.0 200 "), "{ok}");
    let tag = format!(";tag={}", after(after(&ok, "\r\nTo: "), ";tag="));
    shard.on_datagram(now, ListenerId(0), peer, sip("ACK", number, &tag, "", "").as_bytes());

    let link = LinkId { index: number, generation: 1 };
    shard.on_accepted(now, link, ListenerId(9), peer);
    let to = after(&ok, "a=path:");
    let bind = format!(
        "MSRP tbind{number} SEND\r\nTo-Path: {to}\r\nFrom-Path: msrp://192.0.2.77:7394/peer{number};tcp\r\n\
         Message-ID: bind{number}\r\nByte-Range: 1-0/0\r\n-------tbind{number}$\r\n"
    );
    shard.on_stream(now, link, Bytes::from(bind.into_bytes()));
    assert!(written(shard).contains(" 200 OK\r\n"));
}

/// Opens chats, and lets the transactions end that opened them.
fn open_many(shard: &mut Shard, now: &mut Now, numbers: core::ops::Range<u32>) {
    numbers.for_each(|number| open(shard, *now, number));
    for _ in 0..70 {
        *now = now.after(Duration::from_secs(1));
        shard.on_tick(*now);
        written(shard);
    }
}

/// Memory of an idle chat. What pools keep for the next one is not its own: the first ones fill them.
#[test]
fn an_idle_chat_is_small() {
    let mut shard = shard();
    let mut now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 };
    open_many(&mut shard, &mut now, 0..SESSIONS);
    let before = live();
    open_many(&mut shard, &mut now, SESSIONS..2 * SESSIONS);
    assert_eq!(shard.stats().chats_open, u64::from(2 * SESSIONS));
    let each = (live() - before) / i64::from(SESSIONS);
    eprintln!("an idle chat: {each} octets");
    assert!(each < SESSION_BYTES_MAX, "{each}");
}
