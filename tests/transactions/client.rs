//! Non-INVITE client transactions (RFC 3261 17.1.2, RFC 3263 4.3).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{ClientEvent, ClientNonInvite, SentBy, Target};
use isthmus::engine::transport::Transport;
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};

const MS: u64 = 1_000;

struct Bench {
    client: ClientNonInvite,
    random: Random,
}

fn target(transport: Transport, port: u16) -> Target {
    Target { transport, peer: std::net::SocketAddr::from(([192, 0, 2, 1], port)) }
}

impl Bench {
    fn new() -> Bench {
        let sent_by = SentBy { udp: b"gw:5060".to_vec(), tcp: b"gw:5061".to_vec() };
        Bench { client: ClientNonInvite::new(KeyedHash::new([1, 2]), sent_by), random: Random::from_seed([3; 32]) }
    }

    fn send(&mut self, at: u64, targets: &[Target], body: usize) {
        self.client.send(Moment(at), 7, targets, &mut self.random, |out| {
            let mut writer = Writer::request(out, b"MESSAGE", b"tel:+1");
            writer.header(Name::CSeq, b"1 MESSAGE");
            writer.body(b"text/plain", |out| out.resize(out.len() + body, b'x'));
        });
    }

    fn sent(&mut self, at: u64) -> Vec<(Target, Vec<u8>)> {
        self.client.handle_timeout(Moment(at), &mut self.random);
        std::iter::from_fn(|| self.client.poll_transmit()).collect()
    }

    fn answer(&mut self, at: u64, request: &[u8], code: u16) -> bool {
        let mut index = Index::new();
        let message = Message::parse(request, &mut index).unwrap();
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, code, "X");
        writer.header(Name::Via, message.header(Name::Via).unwrap());
        writer.header(Name::CSeq, b"1 MESSAGE");
        writer.end();
        let mut index = Index::new();
        let response = Message::parse(&out, &mut index).unwrap();
        self.client.handle_response(Moment(at), &response, &mut self.random)
    }
}

#[test]
fn timer_e_doubles_to_t2_and_timer_f_ends_it() {
    let mut bench = Bench::new();
    bench.send(0, &[target(Transport::Udp, 1)], 10);
    let times: Vec<u64> = (0..33_000).filter(|&at| !bench.sent(at * MS).is_empty()).collect();
    assert_eq!(times, [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(bench.client.poll_event(), Some(ClientEvent::Failed { token: 7 }));
    assert!(bench.client.is_empty());
}

#[test]
fn a_provisional_response_slows_it_down_and_a_final_one_is_told_once() {
    let mut bench = Bench::new();
    bench.send(0, &[target(Transport::Udp, 1)], 10);
    let request = bench.sent(0).remove(0).1;
    assert!(bench.answer(100 * MS, &request, 100));
    assert!(bench.sent(4_000 * MS).is_empty());
    assert_eq!(bench.sent(4_100 * MS).len(), 1);
    assert!(bench.answer(4_200 * MS, &request, 200));
    assert!(bench.answer(4_300 * MS, &request, 200));
    assert_eq!(bench.client.poll_event(), Some(ClientEvent::Answered { token: 7, code: 200, retry_after: None }));
    assert_eq!(bench.client.poll_event(), None);
    assert!(bench.sent(9_100 * MS).is_empty());
    assert_eq!(bench.client.len(), 1);
    bench.sent(9_300 * MS);
    assert!(bench.client.is_empty());
}

#[test]
fn on_503_and_on_a_transport_error_the_next_target_is_tried_with_a_new_branch() {
    let mut bench = Bench::new();
    let targets = [target(Transport::Udp, 1), target(Transport::Tcp, 2), target(Transport::Udp, 3)];
    bench.send(0, &targets, 10);
    let first = bench.sent(0).remove(0).1;
    bench.answer(1, &first, 503);
    let (second_target, second) = bench.sent(1).remove(0);
    assert_eq!(second_target, targets[1]);
    let branch =
        |bytes: &[u8]| Message::parse(bytes, &mut Index::new()).unwrap().top_via().unwrap().branch().unwrap().to_vec();
    assert_ne!(branch(&first), branch(&second));
    bench.client.handle_transport_error(Moment(2), targets[1], &mut bench.random);
    let (third_target, third) = bench.sent(2).remove(0);
    assert_eq!(third_target, targets[2]);
    assert!(!bench.answer(3, &first, 200), "the first branch is over");
    bench.answer(3, &third, 503);
    assert_eq!(bench.client.poll_event(), Some(ClientEvent::Answered { token: 7, code: 503, retry_after: None }));
}

#[test]
fn a_large_request_leaves_by_tcp_and_by_udp_only_if_nobody_listens_there() {
    let mut bench = Bench::new();
    bench.send(0, &[target(Transport::Udp, 1)], 1300);
    assert_eq!(bench.sent(0)[0].0, target(Transport::Tcp, 1));
    bench.client.handle_transport_error(Moment(1), target(Transport::Tcp, 1), &mut bench.random);
    assert_eq!(bench.sent(1)[0].0, target(Transport::Udp, 1));
}
