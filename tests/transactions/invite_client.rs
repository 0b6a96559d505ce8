//! INVITE client transactions (RFC 3261 17.1.1 and 9.1, RFC 6026 7.2, RFC 3263 4.3).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::client_invite::Heard;
use isthmus::engine::sip::{ClientInvite, Fault, InviteEvent, InviteId, Outbound, SentBy, Target};
use isthmus::engine::transport::Transport;
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};

use crate::rows;

const MS: u64 = 1_000;

struct Bench {
    client: ClientInvite,
    random: Random,
}

fn target(transport: Transport, port: u16) -> Target {
    Target { transport, peer: std::net::SocketAddr::from(([192, 0, 2, 1], port)) }
}

fn target_of(name: &str) -> Target {
    let (transport, port) = name.split_at(3);
    target(if transport == "udp" { Transport::Udp } else { Transport::Tcp }, port.parse().unwrap())
}

fn name_of(target: Target) -> String {
    let transport = if target.transport == Transport::Udp { "udp" } else { "tcp" };
    format!("{transport}{}", target.peer.port())
}

fn parsed<T>(bytes: &[u8], read: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut index = Index::new();
    read(&Message::parse(bytes, &mut index).unwrap())
}

fn header(bytes: &[u8], name: Name) -> String {
    parsed(bytes, |message| String::from_utf8(message.header(name).unwrap_or_default().to_vec()).unwrap())
}

fn branch_of(bytes: &[u8]) -> Vec<u8> {
    parsed(bytes, |message| message.top_via().unwrap().branch().unwrap().to_vec())
}

fn method_of(bytes: &[u8]) -> String {
    parsed(bytes, |message| String::from_utf8(message.method().to_vec()).unwrap())
}

/// A response as the peer writes it.
#[derive(Clone)]
struct Answer<'a> {
    code: u16,
    via: String,
    tag: &'a str,
    method: &'a str,
    retry_after: Option<u64>,
}

impl Answer<'_> {
    fn to(invite: &[u8], code: u16) -> Answer<'static> {
        Answer { code, via: header(invite, Name::Via), tag: "t1", method: "INVITE", retry_after: None }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, self.code, "X");
        writer.header(Name::Via, self.via.as_bytes());
        writer.header_parts(Name::To, &[b"<sip:b@example.net>;tag=", self.tag.as_bytes()]);
        writer.header_parts(Name::CSeq, &[b"7 ", self.method.as_bytes()]);
        if let Some(seconds) = self.retry_after {
            writer.number(Name::RetryAfter, seconds);
        }
        writer.end();
        out
    }
}

impl Bench {
    fn new() -> Bench {
        let sent_by = SentBy::new(|transport, _| match transport {
            Transport::Udp => b"gw:5060".to_vec(),
            Transport::Tcp => b"gw:5061".to_vec(),
        });
        let client = ClientInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300);
        Bench { client, random: Random::from_seed([3; 32]) }
    }

    fn invite(&mut self, ms: u64, targets: &[Target]) -> InviteId {
        let write = |out: &mut Vec<u8>| write_invite(out, 10);
        self.client.send(Moment(ms * MS), 7, targets, &mut self.random, write).unwrap()
    }

    fn sent(&mut self) -> Vec<Outbound> {
        std::iter::from_fn(|| self.client.poll_transmit()).collect()
    }

    fn sent_at(&mut self, ms: u64) -> Vec<Outbound> {
        self.client.handle_timeout(Moment(ms * MS), &mut self.random);
        self.sent()
    }

    fn hear(&mut self, ms: u64, answer: &Answer<'_>) -> Option<Heard> {
        let Bench { client, random } = self;
        parsed(&answer.bytes(), |message| client.handle_response(Moment(ms * MS), message, random))
    }

    fn acknowledge(&mut self, id: InviteId, tag: &str) -> bool {
        let target = target(Transport::Udp, 9);
        self.client.acknowledge(id, tag.as_bytes(), target, &mut self.random, |out| {
            let mut writer = Writer::request(out, b"ACK", b"sip:b@192.0.2.9");
            writer.header(Name::CSeq, b"7 ACK");
            writer.end();
        })
    }

    fn cancel(&mut self, ms: u64, id: InviteId) -> bool {
        self.client.cancel(Moment(ms * MS), id, |headers| headers.header(Name::Reason, b"SIP;cause=480"))
    }
}

fn write_invite(out: &mut Vec<u8>, body: usize) {
    let mut writer = Writer::request(out, b"INVITE", b"sip:b@example.net");
    writer.header(Name::MaxForwards, b"69");
    writer.header(Name::From, b"<sip:a@gw>;tag=f");
    writer.header(Name::To, b"<sip:b@example.net>");
    writer.header(Name::CallId, b"c@d");
    writer.header(Name::CSeq, b"7 INVITE");
    writer.header(Name::Contact, b"<sip:gw>");
    writer.body(b"application/sdp", |out| out.resize(out.len() + body, b'v'));
}

/// One row of the table, played.
struct Play {
    bench: Bench,
    id: InviteId,
    /// The last INVITE that left.
    invite: Vec<u8>,
    sent: Vec<String>,
    told: Vec<String>,
    gone_ms: Option<u64>,
}

impl Play {
    fn new(targets: &str) -> Play {
        let mut bench = Bench::new();
        let targets: Vec<Target> = targets.split(' ').map(target_of).collect();
        let id = bench.invite(0, &targets);
        Play { bench, id, invite: Vec::new(), sent: Vec::new(), told: Vec::new(), gone_ms: None }
    }

    fn step(&mut self, ms: u64) {
        for Outbound { target, bytes, .. } in self.bench.sent_at(ms) {
            let method = method_of(&bytes);
            self.sent.push(format!("{} {}@{ms}", method.to_lowercase(), name_of(target)));
            if method == "INVITE" {
                self.invite = bytes;
            }
        }
        while let Some(InviteEvent::Failed { token: 7 }) = self.bench.client.poll_event() {
            self.told.push(format!("failed@{ms}"));
        }
        if self.bench.client.is_empty() {
            self.gone_ms.get_or_insert(ms);
        }
    }

    fn enter(&mut self, ms: u64, state: &str) {
        let invite = self.invite.clone();
        let answers: &[u16] = match (ms, state) {
            (100, "proceeding" | "accepted" | "completed" | "cancelled") => &[180],
            (200, "accepted") => &[200],
            (200, "completed") => &[486],
            _ => &[],
        };
        for &code in answers {
            assert!(self.bench.hear(ms, &Answer::to(&invite, code)).is_some(), "{state}");
        }
        let done = match (ms, state) {
            (200, "cancelled") | (100, "remembered") => self.bench.cancel(ms, self.id),
            (250, "accepted") => self.bench.acknowledge(self.id, "t1"),
            _ => true,
        };
        assert!(done, "{state}");
    }

    fn event(&mut self, ms: u64, event: &str, first: Target) -> String {
        if event == "transport error" {
            self.bench.client.handle_transport_error(Moment(ms * MS), first, &mut self.bench.random);
        }
        if event == "cancel" {
            return self.bench.cancel(ms, self.id).to_string();
        }
        let (code, how) = event.split_at(3.min(event.len()));
        let Ok(code) = code.parse() else { return "-".to_owned() };
        let answer = Answer::to(&self.invite, code);
        let answer = match how {
            "" => answer,
            " other tag" => Answer { tag: "t2", ..answer },
            " to cancel" => Answer { method: "CANCEL", ..answer },
            " other method" => Answer { method: "BYE", ..answer },
            " other branch" => Answer { via: answer.via.replace("z9hG4bK", "z9hG4bKx"), ..answer },
            " other host" => Answer { via: answer.via.replace("gw:", "gw2:"), ..answer },
            " retry 7" => Answer { retry_after: Some(7), ..answer },
            other => panic!("{other}"),
        };
        said(self.bench.hear(ms, &answer))
    }

    fn faults(&mut self) -> String {
        let faults = std::iter::from_fn(|| self.bench.client.poll_fault());
        let named = faults.map(|Fault { target, retry_after }| match retry_after {
            Some(seconds) => format!("{}+{seconds}", name_of(target)),
            None => name_of(target),
        });
        dash(&named.collect::<Vec<String>>())
    }
}

fn said(heard: Option<Heard>) -> String {
    match heard {
        None => "no".to_owned(),
        Some(Heard::Absorbed) => "absorbed".to_owned(),
        Some(Heard::Provisional { token: 7, code }) => format!("provisional {code}"),
        Some(Heard::Success { token: 7, code }) => format!("success {code}"),
        Some(Heard::Forked { token: 7, code }) => format!("forked {code}"),
        Some(Heard::Failure { token: 7, code }) => format!("failure {code}"),
        Some(other) => panic!("{other:?}"),
    }
}

fn dash(items: &[String]) -> String {
    if items.is_empty() { "-".to_owned() } else { items.join(", ") }
}

#[test]
fn every_event_in_every_state() {
    let mut wrong = Vec::new();
    for row in rows(include_str!("../spec/client_invite.tsv")) {
        let [targets, state, event, heard, sent, told, gone_ms, faults] = row[..] else { panic!("{row:?}") };
        let mut play = Play::new(targets);
        for ms in 0..1_000 {
            play.enter(ms, state);
            play.step(ms);
        }
        (play.sent, play.told) = (Vec::new(), Vec::new());
        let happened = play.event(1_000, event, target_of(targets.split(' ').next().unwrap()));
        (1_000..10_000).for_each(|ms| play.step(ms));
        (10_000..300_000).step_by(100).for_each(|ms| play.step(ms));
        play.sent.retain(|one| one.split('@').next_back().unwrap().parse::<u64>().unwrap() < 10_000);
        let gone = play.gone_ms.map_or("-".to_owned(), |ms| ms.to_string());
        let found = [happened, dash(&play.sent), dash(&play.told), gone, play.faults()];
        if found != [heard, sent, told, gone_ms, faults] {
            wrong.push(format!("{targets}\t{state}\t{event}\t{}", found.join("\t")));
        }
        assert_eq!(play.bench.client.deadline(), None, "{row:?}");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn timer_a_doubles_without_end_and_timer_b_ends_it() {
    let mut bench = Bench::new();
    bench.invite(0, &[target(Transport::Udp, 1)]);
    let times: Vec<u64> = (0..33_000).filter(|&ms| !bench.sent_at(ms).is_empty()).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(bench.client.poll_event(), Some(InviteEvent::Failed { token: 7 }));
    assert!(bench.client.is_empty());
}

/// RFC 3261 17.1.1.3 and 9.1: what both have of the INVITE, and what not.
#[test]
fn ack_of_a_refusal_and_cancel_are_of_the_invite() {
    for method in ["ACK", "CANCEL"] {
        let mut bench = Bench::new();
        bench.client.set_route(b"sip:core;lr");
        let id = bench.invite(0, &[target(Transport::Udp, 1)]);
        let invite = bench.sent().remove(0).bytes;
        let ringing = Answer::to(&invite, 180);
        bench.hear(1, &ringing);
        if method == "ACK" {
            assert_eq!(bench.hear(2, &Answer { code: 486, ..ringing }), Some(Heard::Failure { token: 7, code: 486 }));
        } else {
            assert!(bench.cancel(2, id));
        }
        let Outbound { target: to, bytes, .. } = bench.sent().remove(0);
        assert_eq!(to, target(Transport::Udp, 1));
        assert_eq!(method_of(&bytes), method);
        for same in [Name::Via, Name::Route, Name::From, Name::CallId, Name::MaxForwards] {
            assert_eq!(header(&bytes, same), header(&invite, same), "{method}");
        }
        assert_eq!(header(&bytes, Name::Route), "<sip:core;lr>");
        assert_eq!(header(&bytes, Name::CSeq), format!("7 {method}"));
        let tag = if method == "ACK" { ";tag=t1" } else { "" };
        assert_eq!(header(&bytes, Name::To), format!("<sip:b@example.net>{tag}"));
        let reason = if method == "ACK" { "" } else { "SIP;cause=480" };
        assert_eq!(header(&bytes, Name::Reason), reason);
        parsed(&bytes, |message| {
            assert_eq!(message.request_uri(), b"sip:b@example.net");
            assert_eq!((message.content_length(), message.body_len_received()), (Ok(Some(0)), 0));
            assert!(message.header(Name::Contact).is_none());
            assert_eq!(message.values(Name::Via).count(), 1);
        });
    }
}

/// RFC 3261 13.2.2.4: each 2xx has an ACK of a branch of its own, and gets that one again.
#[test]
fn a_2xx_of_every_fork_is_told_once_and_acknowledged_as_often_as_it_comes() {
    let mut bench = Bench::new();
    let id = bench.invite(0, &[target(Transport::Udp, 1)]);
    let invite = bench.sent().remove(0).bytes;
    let first = Answer::to(&invite, 200);
    let second = Answer { tag: "t2", ..first.clone() };
    assert_eq!(bench.hear(1, &first), Some(Heard::Success { token: 7, code: 200 }));
    assert_eq!(bench.hear(2, &first), Some(Heard::Absorbed));
    assert!(bench.sent().is_empty(), "the user has not acknowledged it yet");
    assert!(bench.acknowledge(id, "t1") && !bench.acknowledge(id, "t2"));
    let ack = bench.sent().remove(0);
    assert_ne!(branch_of(&ack.bytes), branch_of(&invite));
    assert_eq!(bench.hear(3, &second), Some(Heard::Forked { token: 7, code: 200 }));
    assert!(bench.acknowledge(id, "t2"));
    let other = bench.sent().remove(0);
    for (answer, ack) in [(&second, &other), (&first, &ack), (&first, &ack)] {
        assert_eq!(bench.hear(31_000, answer), Some(Heard::Absorbed));
        let again = bench.sent();
        assert_eq!((again.len(), &again[0].bytes, again[0].target), (1, &ack.bytes, target(Transport::Udp, 9)));
    }
    bench.sent_at(32_001);
    assert!(bench.client.is_empty());
    assert_eq!(bench.hear(32_002, &first), None);
    assert!(!bench.acknowledge(id, "t1"));
}

#[test]
fn forks_without_number_are_not_kept() {
    let mut bench = Bench::new();
    bench.invite(0, &[target(Transport::Udp, 1)]);
    let invite = bench.sent().remove(0).bytes;
    let tags: Vec<String> = (0..20).map(|number| format!("t{number}")).collect();
    let heard = tags.iter().map(|tag| bench.hear(1, &Answer { tag, ..Answer::to(&invite, 200) }));
    assert_eq!(heard.filter(|heard| *heard != Some(Heard::Absorbed)).count(), isthmus::limits::SIP_FORKS_MAX);
}

/// What comes after Timer D finds nothing, and not what has taken the place.
#[test]
fn a_refused_branch_is_forgotten_after_timer_d() {
    let mut bench = Bench::new();
    let refuse = |bench: &mut Bench, ms: u64| {
        bench.invite(ms, &[target(Transport::Udp, 1)]);
        let refusal = Answer::to(&bench.sent().remove(0).bytes, 486);
        assert_eq!(bench.hear(ms, &refusal), Some(Heard::Failure { token: 7, code: 486 }));
        refusal
    };
    let first = refuse(&mut bench, 0);
    assert_eq!(bench.hear(31_999, &first), Some(Heard::Absorbed));
    bench.sent_at(32_000);
    let second = refuse(&mut bench, 32_001);
    assert_eq!(bench.hear(32_002, &first), None);
    assert_eq!(bench.hear(32_002, &second), Some(Heard::Absorbed));
}

/// What rings there may still be answered, and must not ring at another target too.
#[test]
fn a_cancel_that_cannot_be_sent_ends_nothing() {
    let mut bench = Bench::new();
    let id = bench.invite(0, &[target(Transport::Tcp, 1), target(Transport::Tcp, 2)]);
    let invite = bench.sent().remove(0).bytes;
    bench.hear(1, &Answer::to(&invite, 180));
    assert!(bench.cancel(2, id));
    let cancel = bench.sent().remove(0).request;
    bench.client.handle_unsent(Moment(3 * MS), cancel, &mut bench.random);
    assert!(bench.sent().is_empty() && bench.client.poll_event().is_none());
    assert_eq!(bench.hear(4, &Answer::to(&invite, 200)), Some(Heard::Success { token: 7, code: 200 }));
}

/// RFC 3261 9.1: the 2xx was on its way when the CANCEL left.
#[test]
fn a_2xx_after_the_cancel_is_told_and_the_cancel_is_repeated_no_longer() {
    let mut bench = Bench::new();
    let id = bench.invite(0, &[target(Transport::Udp, 1)]);
    let invite = bench.sent().remove(0).bytes;
    bench.hear(1, &Answer::to(&invite, 180));
    assert!(bench.cancel(2, id) && !bench.cancel(2, id));
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(bench.hear(3, &Answer::to(&invite, 200)), Some(Heard::Success { token: 7, code: 200 }));
    assert_eq!(bench.hear(4, &Answer { method: "CANCEL", ..Answer::to(&invite, 200) }), Some(Heard::Absorbed));
    assert!(bench.sent_at(31_000).is_empty());
    assert_eq!(bench.client.poll_event(), None);
}

/// The branch that answered 503 acknowledges it as often as it comes, while the INVITE is elsewhere.
#[test]
fn after_503_the_next_target_is_called_and_the_first_still_acknowledged() {
    let mut bench = Bench::new();
    let id = bench.invite(0, &[target(Transport::Udp, 1), target(Transport::Tcp, 2)]);
    let first = bench.sent().remove(0).bytes;
    assert_eq!(bench.hear(1, &Answer::to(&first, 503)), Some(Heard::Absorbed));
    let [ack, second] = &bench.sent()[..] else { panic!("an ACK and an INVITE") };
    assert_eq!((method_of(&ack.bytes), ack.target), ("ACK".to_owned(), target(Transport::Udp, 1)));
    assert_eq!(branch_of(&ack.bytes), branch_of(&first));
    assert_eq!((method_of(&second.bytes), second.target), ("INVITE".to_owned(), target(Transport::Tcp, 2)));
    assert_ne!(branch_of(&second.bytes), branch_of(&first));
    assert_eq!(bench.hear(2, &Answer::to(&first, 503)), Some(Heard::Absorbed));
    let again = bench.sent().remove(0);
    assert_eq!((method_of(&again.bytes), again.target), ("ACK".to_owned(), target(Transport::Udp, 1)));
    assert_eq!(bench.hear(3, &Answer::to(&second.bytes, 180)), Some(Heard::Provisional { token: 7, code: 180 }));
    assert!(bench.cancel(4, id));
    assert_eq!(bench.sent().remove(0).target, target(Transport::Tcp, 2));
    assert_eq!(bench.hear(5, &Answer::to(&second.bytes, 487)), Some(Heard::Failure { token: 7, code: 487 }));
    assert_eq!(bench.client.len(), 1, "what is left acknowledges the 503");
}

#[test]
fn what_is_too_large_for_a_datagram_leaves_by_tcp_and_its_ack_too() {
    let mut bench = Bench::new();
    let large = |out: &mut Vec<u8>| write_invite(out, 1_300);
    let udp = target(Transport::Udp, 1);
    let id = bench.client.send(Moment(0), 7, &[udp], &mut bench.random, large).unwrap();
    let invite = bench.sent().remove(0);
    assert_eq!(invite.target, target(Transport::Tcp, 1));
    assert!(header(&invite.bytes, Name::Via).starts_with("SIP/2.0/TCP gw:5061;"));
    bench.hear(1, &Answer::to(&invite.bytes, 200));
    assert!(bench.client.acknowledge(id, b"t1", udp, &mut bench.random, large));
    assert_eq!(bench.sent().remove(0).target, target(Transport::Tcp, 1));
    let again = bench.client.send(Moment(0), 8, &[udp], &mut bench.random, large);
    let unsent = bench.sent().remove(0).request;
    bench.client.handle_unsent(Moment(1), unsent, &mut bench.random);
    assert_eq!((bench.sent().remove(0).target, again.is_some()), (udp, true));
}

#[test]
fn within_a_dialog_the_route_is_the_users() {
    let mut bench = Bench::new();
    bench.client.set_route(b"sip:core;lr");
    let write = |out: &mut Vec<u8>| write_invite(out, 10);
    bench.client.send_within_dialog(Moment(0), 7, &[target(Transport::Udp, 1)], &mut bench.random, write).unwrap();
    assert_eq!(header(&bench.sent()[0].bytes, Name::Route), "");
}

#[test]
fn without_a_target_nothing_begins() {
    let mut bench = Bench::new();
    let write = |out: &mut Vec<u8>| write_invite(out, 10);
    assert_eq!(bench.client.send(Moment(0), 7, &[], &mut bench.random, write), None);
    assert!(bench.client.is_empty() && bench.client.poll_event().is_none());
}

/// An identifier of a place that another INVITE has now.
#[test]
fn an_identifier_ends_with_its_invite() {
    let mut bench = Bench::new();
    let old = bench.invite(0, &[target(Transport::Tcp, 1)]);
    let invite = bench.sent().remove(0).bytes;
    bench.hear(1, &Answer::to(&invite, 404));
    let new = bench.invite(2, &[target(Transport::Tcp, 1)]);
    assert_ne!(old, new);
    assert!(!bench.cancel(3, old));
    assert!(bench.cancel(3, new));
}

/// Whatever the peer or the user leaves lying, the timers take away.
#[test]
fn a_hundred_thousand_abandoned_invites_leave_nothing() {
    let mut bench = Bench::new();
    let targets = [target(Transport::Udp, 1), target(Transport::Tcp, 2)];
    for number in 0..100_000_u32 {
        let targets = if number % 2 == 0 { &targets[..] } else { &targets[1..] };
        let id = bench.invite(0, targets);
        let invite = bench.sent().remove(0).bytes;
        let codes: &[u16] = [&[][..], &[180], &[200], &[486], &[503], &[180, 486], &[100]][number as usize % 7];
        for &code in codes {
            assert!(bench.hear(1, &Answer::to(&invite, code)).is_some());
        }
        if number % 3 == 0 {
            bench.cancel(2, id);
        }
        if number % 9 == 2 {
            bench.acknowledge(id, "t1");
        }
        bench.sent();
    }
    for second in 0..300 {
        bench.client.handle_timeout(Moment(second * 1_000 * MS), &mut bench.random);
        while let Some(out) = bench.client.poll_transmit() {
            bench.client.recycle(out.bytes);
        }
    }
    assert!(bench.client.is_empty());
    assert_eq!(bench.client.deadline(), None);
    bench.client.handle_transport_error(Moment(300_000 * MS), targets[1], &mut bench.random);
    let faults = std::iter::from_fn(|| bench.client.poll_fault()).count();
    assert!(faults <= 2, "nobody waits there any longer");
}
