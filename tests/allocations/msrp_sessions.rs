//! What MSRP sessions hold while nothing happens in them: a gateway has a hundred thousand of them.

use bytes::Bytes;
use isthmus::engine::msrp::{
    Accept, Budget, Config, Event, Framed, Framer, Ident, Outcome, Outgoing, Role, Session, Settings,
};
use isthmus::engine::{Now, Random};
use isthmus::wire::msrp::FailureReport;

use super::live;

const SESSIONS: usize = 1_000;
/// Octets of one after its messages.
const SESSION_BYTES_MAX: usize = 1_024;
/// Octets of the framer of a connection of its own, after the same messages.
const CONNECTION_BYTES_MAX: usize = 768;

fn session(number: usize, budget: &Budget) -> Session {
    let config = Config {
        local_path: format!("msrp://gw.example.net:2855/{number:018};tcp").into_bytes().into(),
        peer_path: format!("msrp://[2001:db8::{number:x}]:39127/{number:018};tcp").into_bytes().into(),
        role: Role::Passive,
        accept: Accept::only(&["message/cpim"]),
        settings: Settings { chunk_bytes: 100, ..Settings::default() },
    };
    Session::new(config, budget)
}

/// Both ways a message in chunks, and everything answered.
fn converse(session: &mut Session, framer: &mut Framer, random: &mut Random) {
    let now = Now::default();
    let paths = (session.config().local_path.clone(), session.config().peer_path.clone());
    let paths = format!(
        "To-Path: {}\r\nFrom-Path: {}\r\n",
        String::from_utf8_lossy(&paths.0),
        String::from_utf8_lossy(&paths.1)
    );
    let text = "x".repeat(100);
    let mut give = |session: &mut Session, octets: String| {
        framer.push(now.moment, Bytes::from(octets));
        while let Framed::Piece(piece) = framer.next_piece() {
            session.handle_piece(now, piece);
        }
    };
    session.handle_bound(now);
    for (range, flag) in [("1-100/200", '+'), ("101-200/200", '$')] {
        let head = format!("MSRP peer1 SEND\r\n{paths}Message-ID: m1\r\nByte-Range: {range}\r\n");
        give(session, format!("{head}Content-Type: message/cpim\r\n\r\n{text}\r\n-------peer1{flag}\r\n"));
    }
    let message_id = Ident::from_slice(b"m2").unwrap();
    let (content_type, body) = (b"message/cpim".as_slice().into(), Bytes::from(text.repeat(5)));
    let failure_report = FailureReport::Yes;
    session.send(1, Outgoing { message_id, content_type, body, success_report: false, failure_report }).unwrap();
    let mut out = Vec::new();
    session.poll_transmit(now, random, &mut out);
    session.handle_room(out.len());
    let sent = String::from_utf8(out).unwrap();
    for id in sent.lines().filter_map(|line| line.strip_suffix(" SEND")) {
        let id = id.trim_start_matches("MSRP ");
        give(session, format!("MSRP {id} 200 OK\r\n{paths}-------{id}$\r\n"));
    }
    let mut over = 0;
    while let Some(event) = session.poll_event() {
        match event {
            Event::Received { incoming, .. } => over += usize::from(session.respond(incoming, 200)),
            Event::Sent { outcome, .. } => over += usize::from(outcome == Outcome::Delivered),
            _ => {}
        }
    }
    session.poll_transmit(now, random, &mut Vec::new());
    assert_eq!((over, session.open_messages(), session.poll_timeout()), (2, (0, 0), None));
}

#[test]
fn an_idle_session_holds_less_than_a_kilobyte() {
    let budget = Budget::new(1 << 20);
    let mut random = Random::from_seed([2; 32]);
    let mut sessions = Vec::with_capacity(SESSIONS);
    let mut framers: Vec<Framer> = Vec::with_capacity(SESSIONS);
    let before = live();
    let held = || usize::try_from(live() - before).unwrap() / SESSIONS;
    for number in 0..SESSIONS {
        sessions.push(session(number, &budget));
    }
    let made = held() + size_of::<Session>();
    for session in &mut sessions {
        let mut framer = Framer::new();
        converse(session, &mut framer, &mut random);
        framers.push(framer);
    }
    let all = held() + size_of::<Session>();
    framers.clear();
    let used = held() + size_of::<Session>();
    let connection = all - used + size_of::<Framer>();
    eprintln!("a session: {made} octets, {used} after messages; its connection {connection}");
    assert!(used <= SESSION_BYTES_MAX && made <= used, "{made} {used}");
    assert!(connection <= CONNECTION_BYTES_MAX, "{connection}");
}
