//! A peer that does anything: nothing panics, nothing grows.

use core::time::Duration;

use isthmus::engine::msrp::{DiscardReason, Event, Settings};
use isthmus::limits;
use proptest::prelude::*;

use super::world::{BUDGET, LOCAL, PEER, World, request};

const MESSAGE_MAX: u64 = 5_000;
const OPEN_MAX: usize = 3;

fn settings() -> Settings {
    Settings { message_bytes_max: MESSAGE_MAX, open_messages_max: OPEN_MAX, ..Settings::default() }
}

fn within_bounds(world: &World) {
    let (incoming, _) = world.session.open_messages();
    assert!(incoming <= OPEN_MAX);
    assert!(world.session.bytes_held() <= MESSAGE_MAX * OPEN_MAX as u64);
    assert!(world.framer.bytes_held() <= limits::MSRP_HEADER_SECTION_BYTES_MAX);
}

#[derive(Clone, Debug)]
enum Step {
    Chunk { message: u8, start: u64, end: Option<u64>, total: Option<u64>, len: usize, flag: char, cut: bool },
    Odd(String, Vec<u8>, char),
    Answer(u8, u16),
    Respond(usize, u16),
    Send(usize),
    Abort(u64),
    Pass(u64),
    Reconnect,
}

fn number() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0..30u64).prop_map(Some), Just(Some(MESSAGE_MAX)), Just(Some(u64::MAX))]
}

fn flag() -> impl Strategy<Value = char> {
    prop_oneof![Just('$'), Just('+'), Just('#')]
}

fn step() -> impl Strategy<Value = Step> {
    let start = prop_oneof![4 => 1..20u64, 1 => any::<u64>()];
    let chunk = (0..6u8, start, number(), number(), 0..30usize, flag(), proptest::bool::weighted(0.05));
    let header = prop_oneof![
        Just("Message-ID: m1\r\nContent-Type: image/png\r\n"),
        Just("Byte-Range: 1-1/1\r\nContent-Type: text/plain\r\n"),
        Just("Message-ID: m1\r\n"),
        Just("Message-ID: m1\r\nStatus: 000 413 x\r\n"),
        Just("Message-ID: m2\r\nSuccess-Report: yes\r\nContent-Type: text/plain\r\n"),
        Just("Message-ID: m3\r\nFailure-Report: no\r\nContent-Type: text/plain\r\n"),
        Just("nonsense\r\n"),
    ];
    let method = prop_oneof![Just("SEND"), Just("REPORT"), Just("AUTH"), Just("200 OK"), Just("WHAT")];
    let odd = (method, header, proptest::collection::vec(any::<u8>(), 0..40), flag());
    prop_oneof![
        8 => chunk.prop_map(|(message, start, end, total, len, flag, cut)| Step::Chunk { message, start, end, total, len, flag, cut }),
        3 => odd.prop_map(|(method, header, content, flag)| Step::Odd(format!("{method}\n{header}"), content, flag)),
        1 => (any::<u8>(), 100..999u16).prop_map(|(which, code)| Step::Answer(which, code)),
        3 => (0..4usize, prop_oneof![Just(200), Just(413), Just(999)]).prop_map(|(which, code)| Step::Respond(which, code)),
        1 => (0..9_000usize).prop_map(Step::Send),
        1 => (0..4u64).prop_map(Step::Abort),
        1 => (0..70_000u64).prop_map(Step::Pass),
        1 => Just(Step::Reconnect),
    ]
}

/// What the steps leave to be asked again.
#[derive(Default)]
struct Seen {
    waiting: Vec<isthmus::engine::msrp::IncomingId>,
    sent: Vec<String>,
    tokens: u64,
    outcomes: usize,
}

fn drain(world: &mut World, seen: &mut Seen) {
    seen.sent.extend(world.sent().into_iter().filter(|frame| frame.is_send()).map(|frame| frame.id));
    for event in world.events() {
        match event {
            Event::Received { incoming, message } => {
                assert!(message.len() as u64 <= MESSAGE_MAX);
                seen.waiting.push(incoming);
            }
            Event::Sent { .. } => seen.outcomes += 1,
            _ => {}
        }
    }
    within_bounds(world);
}

fn run(world: &mut World, seen: &mut Seen, step: Step) {
    match step {
        Step::Chunk { message, start, end, total, len, flag, cut } => {
            let star = |number: Option<u64>| number.map_or("*".to_owned(), |number| number.to_string());
            let headers = format!(
                "Message-ID: m{message}\r\nByte-Range: {start}-{}/{}\r\nContent-Type: text/plain\r\n",
                star(end),
                star(total)
            );
            let mut octets = request("id01", "SEND", (LOCAL, PEER), &headers, Some(&vec![b'x'; len]), flag);
            octets.truncate(if cut { octets.len() - 3 } else { octets.len() });
            world.give(octets);
            if cut {
                world.session.handle_unbound(world.now);
                world.framer = isthmus::engine::msrp::Framer::new();
                seen.waiting.clear();
                world.session.handle_bound(world.now);
            }
        }
        Step::Odd(odd, content, flag) => {
            let (method, headers) = odd.split_once('\n').unwrap();
            let content = headers.contains("Content-Type").then_some(content.as_slice());
            world.request(method, headers, content, flag);
        }
        Step::Answer(which, code) => {
            if let Some(id) = seen.sent.get(usize::from(which) % seen.sent.len().max(1)).cloned() {
                world.answer(&id, code);
            }
        }
        Step::Respond(which, code) => {
            if which < seen.waiting.len() {
                let incoming = seen.waiting.swap_remove(which);
                world.session.respond(incoming, code);
            }
        }
        Step::Send(len) => {
            let taken = world.session.send(seen.tokens, super::world::outgoing("mess1", &vec![b'x'; len]));
            seen.tokens += u64::from(taken.is_ok());
        }
        Step::Abort(token) => drop(world.session.abort(token)),
        Step::Pass(ms) => world.pass(Duration::from_millis(ms)),
        Step::Reconnect => {
            world.session.handle_unbound(world.now);
            seen.waiting.clear();
            world.session.handle_bound(world.now);
        }
    }
}

proptest! {
    /// Whatever comes in whatever order: bounds hold, each message of ours is told once, and the end leaves nothing.
    #[test]
    fn bounds_hold(steps in proptest::collection::vec(step(), 0..80)) {
        let mut world = World::passive(settings());
        let mut seen = Seen::default();
        for step in steps {
            run(&mut world, &mut seen, step);
            drain(&mut world, &mut seen);
        }
        world.session.close();
        drain(&mut world, &mut seen);
        prop_assert_eq!(seen.outcomes as u64, seen.tokens);
        prop_assert_eq!((world.budget.left(), world.session.open_messages()), (BUDGET, (0, 0)));
        prop_assert_eq!(world.session.poll_timeout(), None);
    }
}

#[test]
fn octets_with_holes_are_stopped_before_they_cost_much() {
    let mut world = World::passive(Settings::default());
    let mut answers = Vec::new();
    for at in 0..4_000 {
        world.chunk("m", &format!("{0}-{0}/10000000", 2 * at + 1), "x", '+');
        answers.extend(world.answers().into_iter().map(|(_, code)| code));
    }
    let taken = answers.iter().position(|code| *code == 413).expect("stopped");
    assert!(taken <= 3 * limits::MSRP_HOLES_MAX);
    assert!(answers[taken..].iter().all(|code| *code == 413));
    assert_eq!(world.budget.left(), BUDGET);
    let refused = world
        .events()
        .into_iter()
        .filter(|event| matches!(event, Event::Discarded { reason: DiscardReason::Refused(413), .. }));
    assert_eq!(refused.count(), 1, "it is told once");
}

#[test]
fn what_is_repeated_while_the_gateway_thinks_is_bounded() {
    let mut world = World::passive(Settings::default());
    for _ in 0..1_000 {
        world.chunk("m", "1-1/1", "x", '$');
    }
    let (incoming, ..) = world.received().remove(0);
    world.session.respond(incoming, 200);
    assert_eq!(world.answers().len(), limits::MSRP_REPEATS_MAX);
}

#[test]
fn a_head_octet_by_octet_holds_no_more_than_a_head() {
    let mut world = World::passive(Settings::default());
    let headers = format!("Message-ID: m\r\nX: {}\r\nContent-Type: text/plain\r\n", "y".repeat(7_000));
    for octet in request("id01", "SEND", (LOCAL, PEER), &headers, Some(b"abc"), '$') {
        world.give(vec![octet]);
        within_bounds(&world);
    }
    assert_eq!(world.received().len(), 1);
}
