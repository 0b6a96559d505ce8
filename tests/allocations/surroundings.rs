//! What surrounds one shard that is driven without sockets: how it is set up, and what its peers say.

#![allow(dead_code, reason = "each user needs some")]

use isthmus::engine::transport::{LinkId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::shard::Shard;
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings, SmscSettings};
use isthmus::wire::smpp::DeliverSm;

pub const CPM: &str = "192.0.2.1:5070";
pub const START: Now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 };
/// The connection to the SM-SC.
pub const SMSC: LinkId = LinkId { index: 1, generation: 1 };

pub fn settings() -> Settings {
    let listener = |transport| Listener { transport, local: "198.51.100.1:5060".parse().unwrap() };
    Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{CPM}"),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            // So that notifications stay datagrams: the other road is the same for the shard.
            datagram_request_bytes_max: 1_500,
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs: vec![SmscSettings { name: "smsc".into(), ..SmscSettings::default() }],
        ..Settings::default()
    }
}

/// Connects its bind, which is not answered yet.
pub fn connect(shard: &mut Shard) {
    shard.on_tick(START);
    let Some(Transmit::Connect { order, peer }) = shard.poll_transmit() else { panic!("no connection") };
    shard.on_connected(START, SMSC, order, peer);
}

/// A MESSAGE of some 900 octets. `number` makes it different from others; `dispositions` are asked for.
pub fn request(number: &str, dispositions: Option<&str>) -> String {
    let wanted = dispositions.map(|list| format!("imdn.Disposition-Notification: {list}\r\n")).unwrap_or_default();
    let body = format!(
        "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg{number}\r\n{wanted}\r\n\
         Content-Type: text/plain;charset=utf-8\r\n\r\nSee you at the station at half past seven."
    );
    let length = body.len();
    format!(
        "MESSAGE tel:+491710000001 SIP/2.0\r\nVia: SIP/2.0/UDP {CPM};branch=z9hG4bK{number};rport\r\n\
         Max-Forwards: 69\r\nFrom: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>\r\n\
         Call-ID: {number}@192.0.2.1\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <tel:+491700000002>\r\n\
         P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Contribution-ID: abcdef00-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Content-Type: message/cpim\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// 200 to a request of the shard, in place of what `response` holds.
pub fn respond(request: &[u8], response: &mut Vec<u8>) {
    response.clear();
    response.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    for line in request.split_inclusive(|octet| *octet == b'\n').skip(1).take_while(|line| *line != b"\r\n") {
        if [&b"Via:"[..], b"From:", b"To:", b"Call-ID:", b"CSeq:"].iter().any(|name| line.starts_with(name)) {
            response.extend_from_slice(line);
        }
    }
    response.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}

/// A short message from the SMS user to the CPM user, without text.
pub fn short_message() -> DeliverSm<'static> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491710000001",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000002",
        ..DeliverSm::default()
    }
}

/// The text of a status report: delivered.
pub fn receipt(id: &str) -> String {
    format!("id:{id} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD err:000 text:x")
}
