//! The gateway as a SIP user agent server over UDP and TCP (RFC 3261 8.2, 17.2.2, 18.2 and 18.3, RFC 3428).

use std::time::Duration;

use isthmus::shard::event::Event;
use isthmus::wire::smpp::CommandStatus;

use crate::sip::{Sip, message};
use crate::world::{World, settings};

/// A trusted peer, and one that is not.
const PEER: &str = "192.0.2.7:5062";
const STRANGER: &str = "203.0.113.99:5060";

/// A request of the trusted peer with the mandatory headers, `more` header lines, and a body if it has one.
fn request(method: &str, call_id: &str, more: &str, body: &str) -> String {
    format!(
        "{method} tel:+491700000002 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK-{call_id};rport\r\n\
         Max-Forwards: 70\r\nFrom: <tel:+491700000001>;tag=f1\r\nTo: <tel:+491700000002>\r\nCall-ID: {call_id}\r\n\
         CSeq: 7 {method}\r\nP-Asserted-Identity: <tel:+491700000001>\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A MESSAGE with plain text, which needs no wrapper.
fn plain(call_id: &str, text: &str) -> String {
    request("MESSAGE", call_id, "Content-Type: text/plain;charset=UTF-8\r\n", text)
}

/// Sends a datagram and takes what comes back within `wait`.
fn exchange(world: &mut World, from: &str, bytes: &[u8], wait: Duration) -> Vec<Sip> {
    world.strays.clear();
    world.datagram_from(from, bytes);
    world.run_for(wait);
    world.strays.iter().map(|(_, bytes)| Sip::read(bytes)).collect()
}

/// The one response that comes at once.
fn response(world: &mut World, request: &str) -> Sip {
    let mut responses = exchange(world, PEER, request.as_bytes(), Duration::from_millis(100));
    assert_eq!(responses.len(), 1, "{responses:?}");
    responses.remove(0)
}

fn world(seed: u8) -> World {
    World::new(seed, u16::from(seed % 3) + 1, &settings(1))
}

#[test]
fn options_say_what_is_served() {
    let response = response(&mut world(1), &request("OPTIONS", "o@p", "", ""));
    assert_eq!(response.status(), (200, "OK"));
    assert_eq!(response.get("Allow"), "MESSAGE, OPTIONS");
    assert_eq!(response.get("Accept"), "message/cpim, text/plain, multipart/mixed");
    assert_eq!(response.get("Supported"), "");
}

#[test]
fn plain_text_without_a_wrapper_is_taken() {
    let mut world = world(2);
    assert_eq!(response(&mut world, &plain("plain@p", "no wrapper")).status(), (202, "Accepted"));
    assert_eq!(world.smscs[0].accepted[0].short_message, b"no wrapper");
}

#[test]
fn refusals_say_what_would_do() {
    let mut world = world(3);
    for method in ["INVITE", "SUBSCRIBE", "BYE"] {
        let refused = response(&mut world, &request(method, &format!("{method}@p"), "", ""));
        assert_eq!((refused.status(), refused.get("Allow")), ((405, "Method Not Allowed"), "MESSAGE, OPTIONS"));
    }
    let refused = response(&mut world, &request("FETCH", "fetch@p", "", ""));
    assert_eq!((refused.status(), refused.get("Allow")), ((501, "Not Implemented"), "MESSAGE, OPTIONS"));
    let required = "Require: 100rel, recipient-list-message\r\nContent-Type: text/plain\r\n";
    let refused = response(&mut world, &request("MESSAGE", "req@p", required, "x"));
    assert_eq!(refused.status(), (420, "Bad Extension"));
    assert_eq!(refused.all("Unsupported").join(", "), "100rel, recipient-list-message");
    let refused = response(&mut world, &request("MESSAGE", "type@p", "Content-Type: image/png\r\n", "x"));
    assert_eq!(refused.status(), (415, "Unsupported Media Type"));
    assert_eq!(refused.get("Accept"), "message/cpim, text/plain, multipart/mixed");
    let gzip = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
    assert_eq!(response(&mut world, &request("MESSAGE", "gzip@p", gzip, "x")).status().0, 415);
    assert!(world.smscs[0].accepted.is_empty());
}

/// A 400 names the header that is wrong.
#[test]
fn bad_requests_are_told_which_header_is_bad() {
    let mut world = world(4);
    for (right, wrong, reason) in [
        ("CSeq: 7 MESSAGE", "CSeq: seven MESSAGE", "Bad CSeq Header"),
        ("CSeq: 7 MESSAGE", "CSeq: 7 OPTIONS", "CSeq Method Mismatch"),
        ("CSeq: 7 MESSAGE\r\n", "", "Missing CSeq Header"),
        ("To: <tel:+491700000002>\r\n", "", "Missing To Header"),
        ("From: <tel:+491700000001>;tag=f1", "From: <tel:+491700000001", "Bad From Header"),
        ("From: <tel:+491700000001>;tag=f1", "From: <tel:+491700000001>", "Missing From Tag"),
        ("Call-ID: bad@p\r\n", "", "Missing Call-ID Header"),
        ("Max-Forwards: 70", "Max-Forwards: lots", "Bad Max-Forwards Header"),
        ("Content-Length: 1", "Content-Length: 999", "Content-Length Beyond Datagram"),
        ("Content-Length: 1", "Content-Length: -1", "Bad Content-Length Header"),
        ("Content-Type: text/plain;charset=UTF-8\r\n", "", "Missing Content-Type Header"),
        ("To: <tel:+491700000002>\r\n", "To: <tel:+491700000002>\r\nTo: <tel:+491700000003>\r\n", "Repeated To Header"),
    ] {
        let whole = plain("bad@p", "x");
        assert!(whole.contains(right), "{right}");
        let refused = response(&mut world, &whole.replace(right, wrong));
        assert_eq!(refused.status(), (400, reason));
    }
    let refused = response(&mut world, &plain("uri@p", "x").replace("MESSAGE tel:", "MESSAGE fax:"));
    assert_eq!(refused.status(), (416, "Unsupported URI Scheme"));
    let refused = response(&mut world, &plain("ver@p", "x").replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"));
    assert_eq!(refused.status(), (505, "Version Not Supported"));
    assert!(world.smscs[0].accepted.is_empty());
    assert_eq!(world.count(|stats| stats.sip_rejected), 14);
}

/// RFC 3261 8.2.2.2.
#[test]
fn a_request_that_came_by_two_paths_is_merged() {
    let mut world = world(5);
    let first = plain("merge@p", "x");
    assert_eq!(response(&mut world, &first).status().0, 202);
    let second = first.replace("branch=z9hG4bK-", "branch=z9hG4bK-other-");
    assert_eq!(response(&mut world, &second).status(), (482, "Loop Detected"));
    assert_eq!(world.smscs[0].accepted.len(), 1);
}

#[test]
fn a_message_with_no_forwards_left_goes_no_further() {
    let mut world = world(6);
    let refused = response(&mut world, &plain("far@p", "x").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(refused.status(), (483, "Too Many Hops"));
    let options = request("OPTIONS", "near@p", "", "").replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(response(&mut world, &options).status().0, 200, "it has arrived");
}

/// P-Asserted-Identity is believed of trusted peers only (RFC 3325 9.1); nobody else is served.
#[test]
fn strangers_are_forbidden() {
    let mut world = world(7);
    let responses = exchange(&mut world, STRANGER, plain("who@p", "x").as_bytes(), Duration::from_secs(1));
    assert_eq!(responses.len(), 1);
    assert_eq!(responses[0].status(), (403, "Forbidden"));
    assert_eq!(world.strays[0].0, STRANGER.parse().unwrap(), "rport");
    assert!(world.smscs[0].accepted.is_empty());
    assert_eq!(world.count(|stats| stats.sip_untrusted), 1);
    assert_eq!(world.count(|stats| stats.server_transactions), 0, "they take no room from those we serve");
    let told = |event: &Event| matches!(event, Event::Refused { code: 403, why, .. } if why.contains("sip.trusted"));
    assert!(world.events.iter().any(told), "{:?}", world.events);
}

/// RFC 3261 18.2.2 has a response follow maddr; a stranger could have us write to anybody.
#[test]
fn a_stranger_is_answered_himself_whatever_his_via_says() {
    for (from, to) in [(STRANGER, STRANGER), (PEER, "198.51.100.77:5099")] {
        let mut world = world(8);
        let via = "example.net:5099;maddr=198.51.100.77;branch";
        let elsewhere = plain("maddr@p", "x").replace("192.0.2.7:5062;branch", via);
        let broken = elsewhere.replace("CSeq: 7 MESSAGE", "CSeq: 7 OPTIONS");
        for request in [elsewhere, broken] {
            assert!(request.contains("maddr"), "{request}");
            exchange(&mut world, from, request.as_bytes(), Duration::from_millis(100));
            assert_eq!(world.strays[0].0, to.parse().unwrap());
        }
    }
}

#[test]
fn without_a_bind_there_is_no_service_and_the_sender_is_told_when_to_come_back() {
    let mut world = world(8);
    world.kill_smsc(0);
    world.run_for(Duration::from_millis(10));
    let refused = response(&mut world, &plain("no@p", "x"));
    assert_eq!((refused.status(), refused.get("Retry-After")), ((503, "Service Unavailable"), "5"));
    assert!(world.shards.iter().all(|shard| !shard.is_ready()));
    world.revive_smsc(0);
    world.run_for(Duration::from_secs(10));
    assert_eq!(response(&mut world, &plain("yes@p", "x")).status().0, 202);
    assert!(world.shards.iter().all(isthmus::shard::Shard::is_ready));
}

#[test]
fn a_bind_that_is_refused_is_no_bind() {
    let mut settings = settings(1);
    settings.smscs[0].address = "203.0.113.1:2775".parse().unwrap();
    let mut world = World::new(9, 1, &settings);
    world.smscs[0].refuse_bind = Some(CommandStatus::ESME_RINVPASWD);
    world.cut_smsc(0);
    world.run_for(Duration::from_secs(10));
    assert_eq!(response(&mut world, &plain("no@p", "x")).status().0, 503);
    assert!(world.events.iter().any(|event| matches!(event, Event::BindRefused { .. })));
}

/// RFC 3261 17.2.2, RFC 4320 4.1.
#[test]
fn retransmissions_are_absorbed_and_answered_from_what_is_stored() {
    let mut world = world(10);
    world.smscs[0].faults.response_delay = Duration::from_secs(15);
    let request = plain("again@p", "x");
    for wait in [500, 1000, 1900] {
        let responses = exchange(&mut world, PEER, request.as_bytes(), Duration::from_millis(wait));
        assert!(responses.is_empty(), "{responses:?}");
    }
    let responses = exchange(&mut world, PEER, request.as_bytes(), Duration::from_secs(16));
    let codes: Vec<u16> = responses.iter().map(|response| response.status().0).collect();
    assert!(codes.starts_with(&[100]) && codes.ends_with(&[202]), "{codes:?}");
    let stored = world.strays.last().unwrap().1.clone();
    let again = exchange(&mut world, PEER, request.as_bytes(), Duration::from_millis(10));
    assert_eq!(again.len(), 1);
    assert_eq!(world.strays[0].1, stored, "octet for octet");
    assert_eq!(world.smscs[0].accepted.len(), 1);
    assert_eq!(world.count(|stats| stats.sip_retransmissions_absorbed), 4);
}

/// 6.6: SMS protects nothing from end to end.
///
/// [SEC-01] [SEC-02a]
#[test]
fn end_to_end_protection_is_refused_as_policy_says() {
    use isthmus::policy::EndToEndProtection::{Forbidden, NotAcceptableHere};
    for (policy, expected) in [(NotAcceptableHere, (488, "Not Acceptable Here")), (Forbidden, (403, "Forbidden"))] {
        let mut settings = settings(1);
        settings.policy.submission.end_to_end_protection = policy;
        let mut world = World::new(11, 1, &settings);
        for content_type in [
            "multipart/encrypted;boundary=b;protocol=\"application/pgp-encrypted\"",
            "multipart/signed;boundary=b",
            "application/pkcs7-mime;smime-type=enveloped-data",
            "Application/PKCS7-MIME",
        ] {
            let more = format!("Content-Type: {content_type}\r\n");
            let call_id = format!("{}@p", world.events.len());
            assert_eq!(response(&mut world, &request("MESSAGE", &call_id, &more, "--b--")).status(), expected);
        }
        let wrapped = String::from_utf8(message("w@p", "hidden").bytes("UDP", "z9hG4bKw")).unwrap();
        let wrapped = wrapped.replace("192.0.2.1:5070", "192.0.2.7:5062");
        let wrapped = wrapped.replace("text/plain;charset=utf-8", "application/pkcs7-mime  ");
        assert_eq!(response(&mut world, &wrapped).status(), expected);
        assert!(world.smscs[0].accepted.is_empty());
    }
}

#[test]
fn what_is_not_sip_is_dropped_and_counted() {
    let mut world = world(12);
    for junk in
        [b"".as_slice(), b"\0\0\0\0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n", b"MESSAGE", &[0xFF; 900]]
    {
        assert!(exchange(&mut world, PEER, junk, Duration::from_millis(10)).is_empty());
    }
    assert!(world.count(|stats| stats.sip_malformed) >= 4);
    let ack = request("ACK", "ack@p", "", "");
    assert!(exchange(&mut world, PEER, ack.as_bytes(), Duration::from_secs(1)).is_empty(), "ACK has no response");
    let stray = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>;tag=2\r\nCall-ID: none@gw\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    assert!(exchange(&mut world, PEER, stray.as_bytes(), Duration::from_secs(1)).is_empty());
    assert_eq!(world.count(|stats| stats.sip_responses_unmatched), 1);
}

// TCP

fn over_tcp(request: &str) -> String {
    request.replace("SIP/2.0/UDP", "SIP/2.0/TCP")
}

/// Responses on a connection, in order.
fn responses(world: &World, tcp: usize) -> Vec<Sip> {
    let received = world.tcp[tcp].received();
    let text = String::from_utf8(received).unwrap();
    let heads = text.split_inclusive("\r\n\r\n").map(|head| head.trim_start_matches("\r\n"));
    heads.filter(|head| !head.is_empty()).map(|head| Sip::read(head.as_bytes())).collect()
}

/// RFC 3261 18.3, 18.2.2: one octet at a time or all at once, each is answered on its connection, by whichever core.
#[test]
fn a_stream_is_framed_however_it_arrives() {
    for (seed, shards) in [(21, 1), (22, 2), (23, 3)] {
        let mut world = World::new(seed, shards, &settings(1));
        let tcp = world.tcp_open(usize::from(shards) - 1, PEER);
        for octet in over_tcp(&plain("slow@p", "one octet at a time")).bytes() {
            world.tcp_send(tcp, &[octet]);
        }
        world.run_for(Duration::from_millis(200));
        assert_eq!(responses(&world, tcp).len(), 1);
        let many: String = (0..5).map(|number| over_tcp(&plain(&format!("many{number}@p"), "coalesced"))).collect();
        let (first, second) = many.split_at(many.len() / 2 + 13);
        world.tcp_send(tcp, first.as_bytes());
        world.tcp_send(tcp, second.as_bytes());
        world.run_for(Duration::from_millis(200));
        let responses = responses(&world, tcp);
        assert_eq!(responses.len(), 6);
        assert!(responses.iter().all(|response| response.status().0 == 202));
        assert_eq!(world.smscs[0].accepted.len(), 6);
        assert!(!world.tcp[tcp].closed);
    }
}

/// RFC 5626 3.5.1.
#[test]
fn a_ping_gets_its_pong() {
    let mut world = world(24);
    let tcp = world.tcp_open(0, PEER);
    world.tcp_send(tcp, b"\r\n\r\n");
    assert_eq!(world.tcp[tcp].received(), b"\r\n");
    world.tcp_send(tcp, b"\r\n");
    assert_eq!(world.tcp[tcp].received(), b"\r\n", "half of one");
    world.tcp_send(tcp, format!("\r\n{}", over_tcp(&plain("ping@p", "x"))).as_bytes());
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.smscs[0].accepted.len(), 1);
}

/// Each has its answer, and all of them together are one write: a peer that sends nothing else costs no more than he sends.
#[test]
fn a_flood_of_pings_is_answered_in_one_piece() {
    let mut world = world(24);
    let tcp = world.tcp_open(0, PEER);
    world.tcp_send(tcp, &b"\r\n\r\n".repeat(1_000));
    assert_eq!(world.tcp[tcp].writes, [b"\r\n".repeat(1_000)]);
}

#[test]
fn a_stream_that_cannot_be_framed_is_closed_and_counted() {
    let no_length = over_tcp(&plain("nolen@p", "x")).replace("Content-Length: 1\r\n", "");
    let too_long = over_tcp(&plain("long@p", "x")).replace("Content-Length: 1\r\n", "Content-Length: 70000\r\n");
    let endless = format!("MESSAGE tel:+1 SIP/2.0\r\nSubject: {}", "x".repeat(40_000));
    for bad in [no_length.as_bytes(), too_long.as_bytes(), endless.as_bytes()] {
        let mut world = world(25);
        let tcp = world.tcp_open(0, PEER);
        world.tcp_send(tcp, bad);
        assert!(world.tcp[tcp].closed, "{}", String::from_utf8_lossy(&bad[..60]));
        assert_eq!(world.count(|stats| stats.sip_malformed), 1);
        assert_eq!(world.count(|stats| stats.sip_connections), 0);
    }
}

#[test]
fn garbage_on_a_stream_is_closed_sooner_or_later() {
    for garbage in
        [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(), &[0xA5; 300], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"]
    {
        let mut world = world(26);
        let tcp = world.tcp_open(0, PEER);
        world.tcp_send(tcp, garbage);
        world.run_for(Duration::from_secs(11));
        assert!(world.tcp[tcp].closed);
        let counted = world.count(|stats| stats.sip_malformed + stats.sip_connections_timed_out);
        assert_eq!(counted, 1, "{garbage:?}");
    }
}

#[test]
fn a_slow_sender_and_a_silent_one_are_closed() {
    let mut world = world(27);
    let (slow, silent, pinging) = (world.tcp_open(0, PEER), world.tcp_open(0, PEER), world.tcp_open(0, PEER));
    let half = over_tcp(&plain("half@p", "x"));
    for octet in half.bytes().take(9) {
        world.tcp_send(slow, &[octet]);
        world.run_for(Duration::from_secs(1));
    }
    assert!(!world.tcp[slow].closed);
    world.run_for(Duration::from_secs(2));
    assert!(world.tcp[slow].closed, "ten seconds for one message, however many octets come");
    world.run_for(Duration::from_secs(580));
    world.tcp_send(pinging, b"\r\n\r\n");
    world.run_for(Duration::from_secs(10));
    assert!(world.tcp[silent].closed && !world.tcp[pinging].closed);
    assert_eq!(world.count(|stats| stats.sip_connections_timed_out), 2);
    world.run_for(Duration::from_secs(600));
    assert!(world.tcp[pinging].closed);
    assert_eq!(world.count(|stats| stats.sip_connections), 0);
}

/// RFC 3261 18.2.2: if the connection is gone, a new one is opened to the address in the topmost Via.
#[test]
fn a_response_finds_its_way_when_the_connection_is_gone() {
    let mut world = world(28);
    world.smscs[0].faults.response_delay = Duration::from_secs(4);
    let tcp = world.tcp_open(0, "192.0.2.7:41000");
    world.tcp_send(tcp, over_tcp(&plain("gone@p", "x")).as_bytes());
    world.tcp_close(tcp);
    world.run_for(Duration::from_secs(10));
    assert_eq!(world.dials, [PEER.parse().unwrap()]);
    let codes: Vec<u16> = responses(&world, tcp + 1).iter().map(|response| response.status().0).collect();
    assert_eq!(codes.last(), Some(&202));
}

/// Strangers may connect; what they ask for is refused, on TCP as well.
/// Connections are few: one of a stranger is soon closed, whatever `idle` is for those we serve.
#[test]
fn a_silent_stranger_is_soon_closed() {
    let mut world = world(33);
    let connections = [PEER, STRANGER].map(|from| world.tcp_open(0, from));
    world.run_for(Duration::from_secs(15));
    assert_eq!(connections.map(|tcp| world.tcp[tcp].closed), [false, true]);
}

#[test]
fn strangers_on_a_stream_are_forbidden() {
    let mut world = world(29);
    let tcp = world.tcp_open(0, STRANGER);
    world.tcp_send(tcp, over_tcp(&plain("who@p", "x")).as_bytes());
    world.run_for(Duration::from_millis(100));
    assert_eq!(responses(&world, tcp)[0].status(), (403, "Forbidden"));
    assert!(world.smscs[0].accepted.is_empty());
}
