//! Non-INVITE server transactions (RFC 3261 17.2.2, RFC 4320).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, ResponseRoute, ServerNonInvite, TransactionId};
use isthmus::engine::transport::{ListenerId, Road, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name};

struct Bench {
    server: ServerNonInvite,
    random: Random,
}

const SECOND: u64 = 1_000_000;

fn source() -> Source {
    Source { peer: "198.51.100.7:40000".parse().unwrap(), road: Road::Datagram(ListenerId(0)) }
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
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).unwrap();
        self.server.handle_request(Moment(at), &message, &source(), &mut self.random)
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
    assert_eq!(bench.codes_at(3 * SECOND), []);
    assert_eq!(bench.arrive(3 * SECOND, &request(VIA, "a")), Arrived::Retransmission);
    assert_eq!(bench.codes_at(3 * SECOND), []);
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
