//! Non-INVITE server transactions (RFC 3261 17.2.2, RFC 4320).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, ResponseRoute, ServerNonInvite, TransactionId};
use isthmus::engine::transport::{LinkId, LinkRef, ListenerId, Road, ShardId, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Via};

use crate::rows;

struct Bench {
    server: ServerNonInvite,
    random: Random,
}

const SECOND: u64 = 1_000_000;

fn source() -> Source {
    Source { peer: "198.51.100.7:40000".parse().unwrap(), road: Road::Datagram(ListenerId(0)) }
}

fn source_by(road: &str) -> Source {
    let link = LinkRef { shard: ShardId(0), link: LinkId { index: 1, generation: 1 } };
    if road == "tcp" { Source { road: Road::Stream(link), ..source() } } else { source() }
}

fn request(via: &str, tag: &str) -> Vec<u8> {
    format!(
        "MESSAGE tel:+1 SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nVia: SIP/2.0/UDP b;branch=z9hG4bKb\r\nFrom: <tel:+2>;tag={tag}\r\n\
         To: <tel:+1>\r\nCall-ID: c@d\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

impl Bench {
    fn new() -> Bench {
        Bench { server: ServerNonInvite::new(KeyedHash::new([1, 2])), random: Random::from_seed([3; 32]) }
    }

    fn arrive(&mut self, at: u64, bytes: &[u8]) -> Arrived {
        self.arrive_by("udp", at, bytes)
    }

    fn arrive_by(&mut self, road: &str, at: u64, bytes: &[u8]) -> Arrived {
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).unwrap();
        self.server.handle_request(Moment(at), &message, &source_by(road), &mut self.random)
    }

    fn new_transaction(&mut self, at: u64, bytes: &[u8]) -> TransactionId {
        let Arrived::New(id) = self.arrive(at, bytes) else { panic!("not new") };
        id
    }

    fn codes_at(&mut self, at: u64) -> Vec<u16> {
        self.server.handle_timeout(Moment(at));
        std::iter::from_fn(|| self.server.poll_transmit())
            .map(|(_, bytes)| std::str::from_utf8(&bytes[8..11]).unwrap().parse().unwrap())
            .collect()
    }
}

const VIA: &str = "h:5099;branch=z9hG4bK1;rport";

#[test]
fn a_hundred_leaves_after_three_and_a_half_seconds_and_not_before() {
    let mut bench = Bench::new();
    let id = bench.new_transaction(0, &request(VIA, "a"));
    assert!(bench.codes_at(3 * SECOND).is_empty());
    assert_eq!(bench.arrive(3 * SECOND, &request(VIA, "a")), Arrived::Retransmission);
    assert!(bench.codes_at(3 * SECOND).is_empty());
    assert_eq!(bench.codes_at(3_500_000), [100]);
    assert_eq!(bench.arrive(4 * SECOND, &request(VIA, "a")), Arrived::Retransmission);
    assert_eq!(bench.codes_at(4 * SECOND), [100]);
    assert!(bench.server.respond(Moment(5 * SECOND), id, 202, "Accepted", |_| {}));
    assert_eq!(bench.codes_at(5 * SECOND), [202]);
}

#[test]
fn the_final_response_is_repeated_unchanged_until_timer_j() {
    let mut bench = Bench::new();
    let id = bench.new_transaction(0, &request(VIA, "a"));
    bench.server.respond(Moment(0), id, 202, "Accepted", |headers| headers.header(Name::Server, b"x"));
    let (route, first) = bench.server.poll_transmit().unwrap();
    assert_eq!(route, ResponseRoute::Datagram { listener: ListenerId(0), peer: source().peer });
    assert_eq!(bench.arrive(SECOND, &request(VIA, "a")), Arrived::Retransmission);
    assert_eq!(bench.server.poll_transmit().unwrap().1, first);
    assert!(!bench.server.respond(Moment(SECOND), id, 500, "Late", |_| {}));
    bench.server.handle_timeout(Moment(31 * SECOND));
    assert_eq!(bench.server.len(), 1);
    bench.server.handle_timeout(Moment(33 * SECOND));
    assert!(bench.server.is_empty());
}

/// [SMS-T2-Call-ID] [SMS-T2-To] [SMS-T2-Via] [SMS-T2-From] [SMS-T2-CSeq] [SMS-T2-Content-Length]
#[test]
fn a_response_has_the_headers_of_its_request_and_no_body() {
    let mut bench = Bench::new();
    let id = bench.new_transaction(0, &request(VIA, "a"));
    bench.server.respond(Moment(0), id, 202, "Accepted", |_| {});
    let (_, bytes) = bench.server.poll_transmit().unwrap();
    let mut index = Index::new();
    let response = Message::parse(&bytes, &mut index).unwrap();
    let vias: Vec<&[u8]> = response.values(Name::Via).collect();
    assert_eq!(
        vias,
        [
            b"SIP/2.0/UDP h:5099;branch=z9hG4bK1;rport=40000;received=198.51.100.7".as_slice(),
            b"SIP/2.0/UDP b;branch=z9hG4bKb"
        ]
    );
    assert_eq!(response.header(Name::From), Some(b"<tel:+2>;tag=a".as_slice()));
    assert_eq!(response.to().unwrap().uri, b"tel:+1");
    assert!(response.to().unwrap().tag().is_some());
    assert_eq!(response.call_id(), Some(b"c@d".as_slice()));
    assert_eq!(response.header(Name::CSeq), Some(b"1 MESSAGE".as_slice()));
    assert_eq!(response.content_length(), Ok(Some(0)));
}

#[test]
fn the_same_request_by_another_path_is_merged() {
    let mut bench = Bench::new();
    bench.new_transaction(0, &request(VIA, "a"));
    assert_eq!(bench.arrive(0, &request("h;branch=z9hG4bK2", "a")), Arrived::Merged);
    assert!(matches!(bench.arrive(0, &request("h;branch=z9hG4bK3", "b")), Arrived::New(_)));
}

#[test]
fn a_client_of_rfc_2543_is_matched_by_its_fields() {
    let mut bench = Bench::new();
    bench.new_transaction(0, &request("h;branch=z9hG4bK", "a"));
    assert_eq!(bench.arrive(0, &request("h;branch=z9hG4bK", "a")), Arrived::Retransmission);
    assert!(matches!(bench.arrive(0, &request("h;branch=z9hG4bK", "b")), Arrived::New(_)));
}

#[test]
fn without_rport_the_response_goes_to_the_sent_by_port() {
    let mut bench = Bench::new();
    let id = bench.new_transaction(0, &request("h:5099;branch=z9hG4bK9", "a"));
    bench.server.respond(Moment(0), id, 200, "OK", |_| {});
    let (route, _) = bench.server.poll_transmit().unwrap();
    assert_eq!(route, ResponseRoute::Datagram { listener: ListenerId(0), peer: "198.51.100.7:5099".parse().unwrap() });
}

/// RFC 3261 8.2.6.1.
#[test]
fn a_timestamp_is_copied() {
    let mut bench = Bench::new();
    let mut bytes = request(VIA, "a");
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"timestamp: 54.2\r\n\r\n");
    bench.new_transaction(0, &bytes);
    bench.server.handle_timeout(Moment(3_500_000));
    let (_, trying) = bench.server.poll_transmit().unwrap();
    let mut index = Index::new();
    let trying = Message::parse(&trying, &mut index).unwrap();
    assert_eq!((trying.code(), trying.header_named(b"Timestamp")), (100, Some(b"54.2".as_slice())));
}

#[test]
fn every_event_in_every_state() {
    for row in rows(include_str!("../spec/server_non_invite.tsv")) {
        let [road, state, event, result, sent, gone_ms] = row[..] else { panic!("{row:?}") };
        let mut bench = Bench::new();
        let Arrived::New(id) = bench.arrive_by(road, 0, &request(VIA, "a")) else { panic!() };
        let event_ms = if state == "trying" { 1_000 } else { 4_000 };
        let (mut found, mut gone) = (Vec::new(), None);
        let mut happened = String::from("-");
        for ms in 0..60_000 {
            if ms == 100 && state == "completed" {
                assert!(bench.server.respond(Moment(ms * 1_000), id, 202, "Accepted", |_| {}));
            }
            if ms == event_ms {
                found.clear();
                happened = play(&mut bench, road, event, ms, id);
            }
            found.extend(bench.codes_at(ms * 1_000).into_iter().map(|code| format!("{code}@{ms}")));
            if bench.server.is_empty() {
                gone.get_or_insert(ms);
            }
        }
        assert_eq!(happened, result, "{row:?}");
        assert_eq!(if found.is_empty() { "-".to_owned() } else { found.join(" ") }, sent, "{row:?}");
        assert_eq!(gone.map_or("-".to_owned(), |ms| ms.to_string()), gone_ms, "{row:?}");
    }
}

fn play(bench: &mut Bench, road: &str, event: &str, ms: u64, id: TransactionId) -> String {
    let via = match event {
        "none" => return "-".to_owned(),
        "request" => VIA,
        "request by another path" => "h2;branch=z9hG4bK2",
        respond => {
            let code = respond.strip_prefix("respond ").unwrap().parse().unwrap();
            return bench.server.respond(Moment(ms * 1_000), id, code, "X", |_| {}).to_string();
        }
    };
    let arrived = bench.arrive_by(road, ms * 1_000, &request(via, "a"));
    format!("{arrived:?}").to_lowercase()
}

#[test]
fn the_topmost_via_says_where_a_response_goes() {
    for row in rows(include_str!("../spec/response_route.tsv")) {
        let [section, road, peer, via, response_via, to] = row[..] else { panic!("{row:?}") };
        let source = Source { peer: peer.parse().unwrap(), ..source_by(road) };
        let to = to.parse().unwrap();
        let route = ResponseRoute::new(&source, &Via::parse(via.split(',').next().unwrap().as_bytes()).unwrap());
        match source.road {
            Road::Datagram(listener) => assert_eq!(route, ResponseRoute::Datagram { listener, peer: to }, "{section}"),
            Road::Stream(link) => assert_eq!(route, ResponseRoute::Stream { link, otherwise: to }, "{section}"),
        }
        let bytes = format!("MESSAGE tel:+1 SIP/2.0\r\nVia: {via}\r\n\r\n").into_bytes();
        let (mut index, mut out) = (Index::new(), Vec::new());
        let message = Message::parse(&bytes, &mut index).unwrap();
        isthmus::engine::sip::write_response_head(&message, &source, b"t", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("Via: {response_via}\r\n"), "{section}");
    }
}

/// Timer J would bound the rate of requests; a client that has been silent for T2 + T4 has its response.
#[test]
fn a_full_table_forgets_first_what_was_answered_first() {
    let mut bench = Bench::new();
    bench.server = ServerNonInvite::new(KeyedHash::new([1, 2])).with_max(3);
    let nth = |number: u64| request(&format!("h:5099;branch=z9hG4bK{number};rport"), &format!("tag{number}"));
    for number in 0..3 {
        let id = bench.new_transaction(number * SECOND, &nth(number));
        if number < 2 {
            assert!(bench.server.respond(Moment(number * SECOND), id, 202, "Accepted", |_| {}));
        }
    }
    assert_eq!(bench.arrive(8 * SECOND, &nth(3)), Arrived::Full);
    assert_eq!(bench.arrive(8 * SECOND, &nth(0)), Arrived::Retransmission, "its response was lost");
    assert!(matches!(bench.arrive(10 * SECOND, &nth(3)), Arrived::New(_)), "in the place of the second");
    assert_eq!(bench.arrive(10 * SECOND, &nth(0)), Arrived::Retransmission);
    assert_eq!(bench.arrive(10 * SECOND, &nth(4)), Arrived::Full);
    assert_eq!(bench.server.len(), 3);
    assert_eq!(bench.arrive(10 * SECOND, &nth(2)), Arrived::Retransmission, "one without response stays");
}

/// Of thousands of responses each is repeated as it was, until its own Timer J, whatever was answered around it.
#[test]
fn every_response_is_repeated_as_it_was() {
    let mut bench = Bench::new();
    let nth = |number: u64| request(&format!("h:5099;branch=z9hG4bK{number};rport"), &format!("tag{number}"));
    let mut sent = Vec::new();
    for number in 0..3_000 {
        let at = Moment(number * 10_000);
        let id = bench.new_transaction(at.0, &nth(number));
        let nth_text = usize::try_from(number % 500).unwrap();
        let (code, long) = (200 + u16::try_from(number % 400).unwrap(), "x".repeat(nth_text));
        assert!(bench.server.respond(at, id, code, "Reason", |headers| headers.header(Name::Server, long.as_bytes())));
        sent.push(bench.server.poll_transmit().unwrap());
    }
    for ended in [0, 1, 255, 256, 257, 2_000, 3_000] {
        bench.server.handle_timeout(Moment(32 * SECOND + ended * 10_000 - 1));
        assert_eq!(bench.server.len() as u64, 3_000 - ended);
        for number in (ended..3_000).step_by(7) {
            assert_eq!(bench.arrive(33 * SECOND, &nth(number)), Arrived::Retransmission);
            assert_eq!(bench.server.poll_transmit().unwrap(), sent[usize::try_from(number).unwrap()]);
        }
    }
    assert!(bench.server.is_empty() && bench.server.deadline().is_none());
    bench.new_transaction(70 * SECOND, &nth(7));
}

/// It would hold one response for as long as Timer J.
#[test]
fn a_buffer_that_held_much_is_not_used_for_a_response() {
    let mut bench = Bench::new();
    bench.server.recycle(Vec::with_capacity(100_000));
    assert_eq!(bench.server.spare(), 0);
    bench.server.recycle(Vec::with_capacity(1_000));
    assert_eq!(bench.server.spare(), 1);
}
