//! INVITE server transactions (RFC 3261 17.2.1, RFC 6026).

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, Body, ServerEvent, ServerInvite, ServerNonInvite, TransactionId};
use isthmus::engine::transport::{LinkId, LinkRef, ListenerId, Road, ShardId, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name};

use crate::rows;

const MS: u64 = 1_000;
const BRANCH: &str = "z9hG4bK1";

struct Bench {
    server: ServerInvite,
    random: Random,
}

fn source_by(road: &str) -> Source {
    let link = LinkRef { shard: ShardId(0), link: LinkId { index: 1, generation: 1 } };
    let road = if road == "tcp" { Road::Stream(link) } else { Road::Datagram(ListenerId(0)) };
    Source { peer: "198.51.100.7:40000".parse().unwrap(), road }
}

/// A request of the call whose INVITE has this branch.
fn request(method: &str, branch: &str, to_tag: &str) -> Vec<u8> {
    format!(
        "{method} sip:b@gw SIP/2.0\r\nVia: SIP/2.0/UDP h:5099;branch={branch};rport\r\nRecord-Route: <sip:p1;lr>\r\n\
         Record-Route: <sip:p2;lr>\r\nFrom: <tel:+2>;tag=a\r\nTo: <tel:+1>{to_tag}\r\nCall-ID: c@d\r\n\
         CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn parsed<T>(bytes: &[u8], read: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut index = Index::new();
    read(&Message::parse(bytes, &mut index).unwrap())
}

impl Bench {
    fn new() -> Bench {
        Bench { server: ServerInvite::new(KeyedHash::new([1, 2])), random: Random::from_seed([3; 32]) }
    }

    fn arrive(&mut self, ms: u64, road: &str, bytes: &[u8]) -> Arrived {
        let Bench { server, random } = self;
        parsed(bytes, |message| server.handle_request(Moment(ms * MS), message, &source_by(road), random))
    }

    fn invited(&mut self, ms: u64, road: &str) -> TransactionId {
        let Arrived::New(id) = self.arrive(ms, road, &request("INVITE", BRANCH, "")) else { panic!("not new") };
        id
    }

    fn ack(&mut self, ms: u64, branch: &str) -> bool {
        let ack = request("ACK", branch, ";tag=x");
        parsed(&ack, |message| self.server.handle_ack(Moment(ms * MS), message))
    }

    fn cancelled(&self, branch: &str) -> Option<TransactionId> {
        parsed(&request("CANCEL", branch, ""), |message| self.server.find_cancelled(message))
    }

    fn respond(&mut self, ms: u64, id: TransactionId, code: u16) -> bool {
        self.server.respond(Moment(ms * MS), id, code, "X", None, |_| {})
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.server.poll_transmit()).map(|(_, bytes)| bytes).collect()
    }

    fn sent_at(&mut self, ms: u64) -> Vec<String> {
        self.server.handle_timeout(Moment(ms * MS));
        let code = |bytes: &Vec<u8>| parsed(bytes, |message| message.code());
        self.sent().iter().map(|bytes| format!("{}@{ms}", code(bytes))).collect()
    }
}

/// One row of the table, played.
struct Play {
    bench: Bench,
    id: TransactionId,
    sent: Vec<String>,
    told: Vec<String>,
    gone_ms: Option<u64>,
}

impl Play {
    fn new(road: &str) -> Play {
        let mut bench = Bench::new();
        let id = bench.invited(0, road);
        bench.server.set_user(id, 7);
        Play { bench, id, sent: Vec::new(), told: Vec::new(), gone_ms: None }
    }

    fn step(&mut self, ms: u64) {
        self.sent.extend(self.bench.sent_at(ms));
        while let Some(event) = self.bench.server.poll_event() {
            self.told.push(match event {
                ServerEvent::NoAck { user: 7, code, transaction } if transaction == self.id => {
                    format!("noack {code}@{ms}")
                }
                ServerEvent::Unanswered { user: 7, transaction } if transaction == self.id => {
                    format!("unanswered@{ms}")
                }
                other => panic!("{other:?}"),
            });
        }
        if self.bench.server.is_empty() {
            self.gone_ms.get_or_insert(ms);
        }
    }

    /// Enters the state before `event_ms`.
    fn enter(&mut self, ms: u64, state: &str) {
        let (id, bench) = (self.id, &mut self.bench);
        let done = match (ms, state) {
            (300, "ringing") => bench.respond(ms, id, 180),
            (400, "accepted" | "confirmed dialog") => bench.respond(ms, id, 200),
            (400, "completed" | "confirmed") => bench.respond(ms, id, 486),
            (500, "confirmed dialog") => bench.server.acknowledged(id),
            (500, "confirmed") => bench.ack(ms, BRANCH),
            _ => true,
        };
        assert!(done, "{state} at {ms}");
    }

    fn event(&mut self, ms: u64, road: &str, event: &str) -> String {
        let (id, bench) = (self.id, &mut self.bench);
        let arrived = |arrived: Arrived| format!("{arrived:?}").to_lowercase();
        match event {
            "none" => "-".to_owned(),
            "invite" => arrived(bench.arrive(ms, road, &request("INVITE", BRANCH, ""))),
            "invite by another path" => arrived(bench.arrive(ms, road, &request("INVITE", "z9hG4bK2", ""))),
            "ack" => bench.ack(ms, BRANCH).to_string(),
            "ack of a new branch" => bench.ack(ms, "z9hG4bK3").to_string(),
            "cancel" => bench.cancelled(BRANCH).is_some_and(|found| found == id).to_string(),
            "cancel of another" => bench.cancelled("z9hG4bK9").is_some().to_string(),
            "acknowledged" => bench.server.acknowledged(id).to_string(),
            respond => bench.respond(ms, id, respond.strip_prefix("respond ").unwrap().parse().unwrap()).to_string(),
        }
    }
}

#[test]
fn every_event_in_every_state() {
    for row in rows(include_str!("../spec/server_invite.tsv")) {
        let [road, state, event, result, sent, told, gone_ms] = row[..] else { panic!("{row:?}") };
        let event_ms = if state == "arrived" { 100 } else { 1_000 };
        let mut play = Play::new(road);
        for ms in 0..event_ms {
            play.enter(ms, state);
            play.step(ms);
        }
        play.sent.clear();
        let happened = play.event(event_ms, road, event);
        (event_ms..12_000).for_each(|ms| play.step(ms));
        (12_000..40_000).step_by(100).for_each(|ms| play.step(ms));
        (40_000..2_000_000).step_by(1_000).for_each(|ms| play.step(ms));
        play.sent.retain(|one| one.split('@').next_back().unwrap().parse::<u64>().unwrap() < 12_000);
        assert_eq!(happened, result, "{row:?}");
        assert_eq!(dash(play.sent.join(" ")), sent, "{row:?}");
        // The 408 of a forgotten INVITE is not acknowledged either.
        play.told.retain(|one| !one.starts_with("noack 408"));
        assert_eq!(dash(play.told.join(" ")), told, "{row:?}");
        assert_eq!(play.gone_ms.map(|ms| ms.to_string()).as_deref(), Some(gone_ms), "{row:?}");
        assert_eq!(play.bench.server.deadline(), None, "{row:?}");
    }
}

fn dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// RFC 3261 13.3.1.1: proxies give up an INVITE that is silent for three minutes.
#[test]
fn what_rings_is_said_again_every_minute() {
    let mut bench = Bench::new();
    let id = bench.invited(0, "udp");
    bench.respond(300, id, 180);
    bench.sent();
    let sent: Vec<String> = (1..200).flat_map(|second| bench.sent_at(second * 1_000 + 300)).collect();
    assert_eq!(sent, ["180@60300", "180@120300", "180@180300"]);
    let mut bench = Bench::new();
    let id = bench.invited(0, "udp");
    assert!(bench.respond(100, id, 100));
    let sent: Vec<String> = (0..200).flat_map(|second| bench.sent_at(second * 1_000 + 100)).collect();
    assert_eq!(sent, ["100@100"], "a 100 keeps nobody waiting");
}

/// RFC 3261 8.2.6.2, 12.1.1, 17.2.1.
#[test]
fn responses_have_what_their_code_asks_for() {
    let mut bench = Bench::new();
    let id = bench.invited(0, "udp");
    bench.server.handle_timeout(Moment(200 * MS));
    let body = Body { content_type: b"application/sdp", octets: b"v=0\r\n" };
    for (code, body) in [(180, None), (200, Some(body))] {
        let write = |headers: &mut isthmus::wire::sip::Writer<'_>| headers.header(Name::Contact, b"<sip:gw>");
        assert!(bench.server.respond(Moment(300 * MS), id, code, "X", body, write));
    }
    let tag = bench.server.to_tag(id).unwrap();
    let sent = bench.sent();
    for (bytes, code, tagged, routes, body) in
        [(&sent[0], 100, false, 0, ""), (&sent[1], 180, true, 2, ""), (&sent[2], 200, true, 2, "v=0\r\n")]
    {
        parsed(bytes, |response| {
            assert_eq!(response.code(), code);
            assert_eq!(response.to().unwrap().tag(), tagged.then_some(tag.as_slice()), "{code}");
            assert_eq!(response.values(Name::RecordRoute).count(), routes, "{code}");
            assert_eq!(response.header(Name::Contact).is_some(), code > 100, "{code}");
            assert_eq!((response.body(), response.content_length()), (body.as_bytes(), Ok(Some(body.len()))), "{code}");
            assert_eq!(
                response.header(Name::Via).unwrap().strip_prefix(b"SIP/2.0/UDP h:5099;branch=z9hG4bK1;rport=40000"),
                Some(b";received=198.51.100.7".as_slice())
            );
        });
    }
}

#[test]
fn a_refusal_does_not_make_a_dialog_and_has_no_record_route() {
    let mut bench = Bench::new();
    let id = bench.invited(0, "udp");
    bench.respond(0, id, 488);
    let sent = bench.sent();
    parsed(&sent[0], |response| {
        assert_eq!(response.to().unwrap().tag(), bench.server.to_tag(id).as_ref().map(<[u8; 16]>::as_slice));
        assert_eq!(response.values(Name::RecordRoute).count(), 0);
    });
}

#[test]
fn a_to_tag_that_the_peer_wrote_stays_in_every_response() {
    let mut bench = Bench::new();
    let again = request("INVITE", BRANCH, ";tag=mine");
    let Arrived::New(id) = bench.arrive(0, "udp", &again) else { panic!("not new") };
    bench.server.handle_timeout(Moment(200 * MS));
    bench.respond(300, id, 200);
    for bytes in bench.sent() {
        parsed(&bytes, |response| assert_eq!(response.to().unwrap().tag(), Some(b"mine".as_slice())));
    }
}

/// RFC 3261 9.2: CANCEL is a transaction of its own, its 200 has the tag of the 487, and after a 2xx it has no effect.
#[test]
fn a_cancel_refuses_what_is_pending_and_nothing_else() {
    for (answered, refused) in [(false, true), (true, false)] {
        let mut bench = Bench::new();
        let mut others = ServerNonInvite::new(KeyedHash::new([1, 2]));
        let id = bench.invited(0, "udp");
        assert!(!answered || bench.respond(1, id, 200));
        let found = bench.cancelled(BRANCH).unwrap();
        let tag = bench.server.to_tag(found).unwrap();
        parsed(&request("CANCEL", BRANCH, ""), |cancel| {
            let arrived = others.handle_cancel(Moment(2 * MS), cancel, &source_by("udp"), tag);
            let Arrived::New(cancel) = arrived else { panic!("{arrived:?}") };
            assert!(others.respond(Moment(2 * MS), cancel, 200, "OK", |_| {}));
        });
        let (_, ok) = others.poll_transmit().unwrap();
        parsed(&ok, |ok| assert_eq!((ok.code(), ok.to().unwrap().tag()), (200, Some(tag.as_slice()))));
        assert_eq!(bench.server.is_pending(found), refused);
        assert_eq!(bench.respond(2, found, 487), refused);
    }
}

/// RFC 3261 17.2.3: without the magic cookie the ACK is told by its fields, the To tag being ours.
#[test]
fn an_ack_of_rfc_2543_is_matched_by_the_tag_of_the_response() {
    let mut bench = Bench::new();
    let Arrived::New(id) = bench.arrive(0, "udp", &request("INVITE", "1", "")) else { panic!("not new") };
    assert_eq!(bench.arrive(0, "udp", &request("INVITE", "1", "")), Arrived::Retransmission);
    assert_eq!(bench.cancelled("1"), Some(id));
    bench.respond(1, id, 486);
    let tag = String::from_utf8(bench.server.to_tag(id).unwrap().to_vec()).unwrap();
    let mut ack =
        |to_tag: &str| parsed(&request("ACK", "1", to_tag), |message| bench.server.handle_ack(Moment(2 * MS), message));
    assert!(!ack(";tag=another"));
    assert!(ack(&format!(";tag={tag}")));
}

#[test]
fn a_full_table_takes_none_until_one_is_gone() {
    let mut bench = Bench::new();
    bench.server = ServerInvite::new(KeyedHash::new([1, 2])).with_max(1);
    let id = bench.invited(0, "tcp");
    let another = String::from_utf8(request("INVITE", "z9hG4bK2", "")).unwrap().replace("c@d", "e@f").into_bytes();
    assert_eq!(bench.arrive(1, "tcp", &another), Arrived::Full);
    assert!(bench.respond(2, id, 486) && bench.ack(3, BRANCH));
    assert!(matches!(bench.arrive(4, "tcp", &another), Arrived::New(_)));
    assert!(!bench.respond(5, id, 200), "the place is another's now");
    assert_eq!((bench.server.to_tag(id), bench.server.user(id)), (None, None));
}

/// Whatever the peer or the user leaves lying, the timers take away.
#[test]
fn a_hundred_thousand_abandoned_invites_leave_nothing() {
    let mut bench = Bench::new();
    for number in 0..100_000_u32 {
        let invite = String::from_utf8(request("INVITE", &format!("z9hG4bK{number}"), "")).unwrap();
        let invite = invite.replace("c@d", &format!("{number}@d"));
        let road = if number % 2 == 0 { "udp" } else { "tcp" };
        let Arrived::New(id) = bench.arrive(0, road, invite.as_bytes()) else { panic!("not new") };
        match number % 5 {
            0 => assert!(bench.respond(1, id, 200)),
            1 => assert!(bench.respond(1, id, 486)),
            2 => assert!(bench.respond(1, id, 180)),
            3 => assert!(bench.respond(1, id, 200) && bench.server.acknowledged(id)),
            _ => {}
        }
        bench.sent();
    }
    assert_eq!(bench.server.len(), 100_000);
    let (mut unacknowledged, mut unanswered) = (0, 0);
    for second in 0..1_900 {
        bench.server.handle_timeout(Moment(second * 1_000 * MS));
        while let Some((_, bytes)) = bench.server.poll_transmit() {
            bench.server.recycle(bytes);
        }
        while let Some(event) = bench.server.poll_event() {
            match event {
                ServerEvent::NoAck { code: 408, .. } => {}
                ServerEvent::NoAck { .. } => unacknowledged += 1,
                ServerEvent::Unanswered { .. } => unanswered += 1,
            }
        }
    }
    assert_eq!((unacknowledged, unanswered, bench.server.len()), (40_000, 40_000, 0));
    assert_eq!(bench.server.deadline(), None);
}
