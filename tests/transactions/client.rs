//! Non-INVITE client transactions (RFC 3261 17.1.2, RFC 3263 4.3).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{ClientEvent, ClientNonInvite, Fault, SentBy, Target};
use isthmus::engine::transport::Transport;
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};

use crate::rows;

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
        let sent_by = SentBy::new(|transport, _| match transport {
            Transport::Udp => b"gw:5060".to_vec(),
            Transport::Tcp => b"gw:5061".to_vec(),
        });
        Bench {
            client: ClientNonInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300),
            random: Random::from_seed([3; 32]),
        }
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
        std::iter::from_fn(|| self.client.poll_transmit()).map(|out| (out.target, out.bytes)).collect()
    }

    fn answer(&mut self, at: u64, request: &[u8], code: u16) -> bool {
        let via = via_of(request);
        self.respond(at, code, &[&via], "1 MESSAGE", None)
    }

    fn respond(&mut self, at: u64, code: u16, vias: &[&str], cseq: &str, retry_after: Option<u64>) -> bool {
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, code, "X");
        for via in vias {
            writer.header(Name::Via, via.as_bytes());
        }
        writer.header(Name::CSeq, cseq.as_bytes());
        if let Some(seconds) = retry_after {
            writer.number(Name::RetryAfter, seconds);
        }
        writer.end();
        let mut index = Index::new();
        let response = Message::parse(&out, &mut index).unwrap();
        self.client.handle_response(Moment(at), &response, &mut self.random)
    }
}

fn via_of(request: &[u8]) -> String {
    let mut index = Index::new();
    let message = Message::parse(request, &mut index).unwrap();
    String::from_utf8(message.header(Name::Via).unwrap().to_vec()).unwrap()
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
    assert_eq!(bench.sent(500 * MS).len(), 1);
    assert!(bench.sent(4_400 * MS).is_empty());
    assert_eq!(bench.sent(4_500 * MS).len(), 1);
    assert!(bench.answer(4_600 * MS, &request, 200));
    assert!(bench.answer(4_700 * MS, &request, 200));
    assert_eq!(bench.client.poll_event(), Some(ClientEvent::Answered { token: 7, code: 200, retry_after: None }));
    assert_eq!(bench.client.poll_event(), None);
    assert!(bench.sent(9_500 * MS).is_empty());
    assert_eq!(bench.client.len(), 1);
    bench.sent(9_600 * MS);
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

/// One row of the table, played.
struct Play {
    bench: Bench,
    /// Via of the last request that left.
    via: String,
    sent: Vec<String>,
    told: Option<String>,
    gone_ms: Option<u64>,
}

fn target_of(name: &str) -> Target {
    let (transport, port) = name.split_at(3);
    target(if transport == "udp" { Transport::Udp } else { Transport::Tcp }, port.parse().unwrap())
}

fn name_of(target: Target) -> String {
    let transport = if target.transport == Transport::Udp { "udp" } else { "tcp" };
    format!("{transport}{}", target.peer.port())
}

impl Play {
    fn new(targets: &str) -> Play {
        let mut bench = Bench::new();
        let targets: Vec<Target> = targets.split(' ').map(target_of).collect();
        bench.send(0, &targets, 10);
        Play { bench, via: String::new(), sent: Vec::new(), told: None, gone_ms: None }
    }

    fn step(&mut self, ms: u64) {
        for (target, bytes) in self.bench.sent(ms * MS) {
            self.via = via_of(&bytes);
            self.sent.push(format!("{}@{ms}", name_of(target)));
        }
        match self.bench.client.poll_event() {
            Some(ClientEvent::Answered { token: 7, code, .. }) => self.told = Some(format!("{code}@{ms}")),
            Some(ClientEvent::Failed { token: 7 }) => self.told = Some(format!("failed@{ms}")),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        if self.bench.client.is_empty() {
            self.gone_ms.get_or_insert(ms);
        }
    }

    fn enter(&mut self, state: &str) {
        let (at, code) = match state {
            "trying" => return,
            "proceeding" => (100, 100),
            "completed" => (200, 200),
            other => panic!("{other}"),
        };
        for ms in 0..=at {
            self.step(ms);
        }
        assert!(self.bench.respond(at * MS, code, &[&self.via.clone()], "1 MESSAGE", None));
        self.step(at);
    }

    /// Whether the response matched; nothing if the event is no response.
    fn event(&mut self, ms: u64, event: &str, first: Target) -> Option<bool> {
        if event == "transport error" {
            self.bench.client.handle_transport_error(Moment(ms * MS), first, &mut self.bench.random);
        }
        let (code, how) = event.split_at(3.min(event.len()));
        let code = code.parse().ok()?;
        let via = self.via.clone();
        let (mut vias, mut cseq, mut retry_after) = (vec![via.clone()], "1 MESSAGE", None);
        match how {
            "" => {}
            " other branch" => vias = vec![via.replace("z9hG4bK", "z9hG4bKx")],
            " other host" => vias = vec![via.replace("gw:", "gw2:")],
            " other port" => vias = vec![via.replace(":5060", ":5062")],
            " other method" => cseq = "1 OPTIONS",
            " two vias" => vias.push("SIP/2.0/UDP other;branch=z9hG4bK1".to_owned()),
            " retry 7" => retry_after = Some(7),
            other => panic!("{other}"),
        }
        let vias: Vec<&str> = vias.iter().map(String::as_str).collect();
        Some(self.bench.respond(ms * MS, code, &vias, cseq, retry_after))
    }

    fn faults(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.bench.client.poll_fault())
            .map(|Fault { target, retry_after }| match retry_after {
                Some(seconds) => format!("{}+{seconds}", name_of(target)),
                None => name_of(target),
            })
            .collect()
    }
}

#[test]
fn every_event_in_every_state() {
    for row in rows(include_str!("../spec/client_non_invite.tsv")) {
        let [targets, state, event, matched, sent, told, gone_ms, faults] = row[..] else { panic!("{row:?}") };
        let mut play = Play::new(targets);
        play.enter(state);
        (0..1_000).for_each(|ms| play.step(ms));
        (play.sent, play.told) = (Vec::new(), None);
        let answer = play.event(1_000, event, target_of(targets.split(' ').next().unwrap()));
        (1_000..70_000).for_each(|ms| play.step(ms));
        let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        assert_eq!(answer.map_or("-", |answer| if answer { "yes" } else { "no" }), matched, "{row:?}");
        play.sent.retain(|one| one.split('@').next_back().is_some_and(|ms| ms.parse::<u64>().unwrap() < 12_000));
        assert_eq!(dash(play.sent.join(" ")), sent, "{row:?}");
        assert_eq!(play.told.clone().unwrap_or("-".to_owned()), told, "{row:?}");
        assert_eq!(play.gone_ms.unwrap().to_string(), gone_ms, "{row:?}");
        assert_eq!(dash(play.faults().join(" ")), faults, "{row:?}");
    }
}

#[test]
fn many_requests_that_fail_together_are_one_fault() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        bench.send(0, &[target(Transport::Tcp, 1)], 10);
    }
    bench.client.handle_transport_error(Moment(1), target(Transport::Tcp, 1), &mut bench.random);
    assert_eq!(
        std::iter::from_fn(|| bench.client.poll_fault()).collect::<Vec<Fault>>(),
        [Fault { target: target(Transport::Tcp, 1), retry_after: None }]
    );
}

#[test]
fn a_preloaded_route_stands_in_every_request() {
    let mut bench = Bench::new();
    bench.client.set_route(b"sip:scscf.example.net:5060;lr;orig");
    bench.send(0, &[target(Transport::Udp, 1)], 10);
    let (_, request) = bench.sent(0).remove(0);
    let mut index = Index::new();
    let message = Message::parse(&request, &mut index).unwrap();
    assert_eq!(message.header(Name::Route), Some(b"<sip:scscf.example.net:5060;lr;orig>".as_slice()));
    assert_eq!(message.request_uri(), b"tel:+1", "the route is loose");
}

/// A queue that is full turns one request away; those in it are still sent.
#[test]
fn what_cannot_be_sent_fails_alone() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.send(0, &[target(Transport::Tcp, 5060)], 10);
    }
    let first = bench.client.poll_transmit().unwrap();
    let second = bench.client.poll_transmit().unwrap();
    bench.client.handle_unsent(Moment(0), second.request, &mut bench.random);
    assert_eq!(bench.client.poll_event(), Some(ClientEvent::Failed { token: 7 }));
    assert_eq!((bench.client.poll_event(), bench.client.poll_fault(), bench.client.len()), (None, None, 1));
    assert!(bench.answer(1, &first.bytes, 200));
    assert!(bench.client.is_empty());
}
