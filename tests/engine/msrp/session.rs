//! The session as a whole: states and events, sharing of a connection, size.

use isthmus::engine::Moment;
use isthmus::engine::msrp::{
    Budget, CloseReason, Event, Framed, Framer, Outcome, Role, SendRefused, Session, Settings,
    refuse_second_connection, refuse_unknown,
};

use super::world::{LOCAL, PEER, World, config, frames, outgoing, request};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Unbound,
    Bound,
    Closed,
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Bound,
    Unbound,
    Chunk,
    Send,
    Close,
    Timeout,
}

fn world_in(state: State) -> World {
    let mut world = World::unbound(Role::Passive, Settings::default());
    if state != State::Unbound {
        world.session.handle_bound(world.now);
    }
    if state == State::Closed {
        world.session.close();
    }
    world.events();
    world
}

/// What leaves and what is told, by state and event.
#[test]
fn states_and_events() {
    use Happens as H;
    use State as S;
    for (state, happens, sent, told) in [
        (S::Unbound, H::Bound, 0, ""),
        (S::Unbound, H::Unbound, 0, ""),
        (S::Unbound, H::Chunk, 0, ""),
        (S::Unbound, H::Send, 0, ""),
        (S::Unbound, H::Close, 0, "Closed"),
        (S::Unbound, H::Timeout, 0, ""),
        (S::Bound, H::Bound, 0, ""),
        (S::Bound, H::Unbound, 0, ""),
        (S::Bound, H::Chunk, 1, "Bound"),
        (S::Bound, H::Send, 1, ""),
        (S::Bound, H::Close, 0, "Closed"),
        (S::Bound, H::Timeout, 0, ""),
        (S::Closed, H::Bound, 0, ""),
        (S::Closed, H::Unbound, 0, ""),
        (S::Closed, H::Chunk, 0, ""),
        (S::Closed, H::Send, 0, ""),
        (S::Closed, H::Close, 0, ""),
        (S::Closed, H::Timeout, 0, ""),
    ] {
        let mut world = world_in(state);
        match happens {
            H::Bound => world.session.handle_bound(world.now),
            H::Unbound => world.session.handle_unbound(world.now),
            H::Chunk => drop(world.chunk("m", "1-2/4", "ab", '+')),
            H::Send => {
                let taken = world.session.send(1, outgoing("mess1", b"abc"));
                assert_eq!(taken, if state == S::Closed { Err(SendRefused::Closed) } else { Ok(()) });
            }
            H::Close => world.session.close(),
            H::Timeout => world.session.handle_timeout(world.now),
        }
        assert_eq!(world.sent().len(), sent, "{state:?} {happens:?}");
        let events: Vec<String> = world.events().iter().map(|event| format!("{event:?}")).collect();
        assert!(events.len() <= 1 && events.concat().starts_with(told), "{state:?} {happens:?} {events:?}");
        assert_eq!(events.is_empty(), told.is_empty(), "{state:?} {happens:?} {events:?}");
    }
}

#[test]
fn closing_ends_everything() {
    let mut world = World::passive(Settings::default());
    world.chunk("m", "1-2/4", "ab", '+');
    world.session.send(1, outgoing("mess1", b"abc")).unwrap();
    world.events();
    world.session.close();
    assert!(matches!(
        world.events()[..],
        [
            Event::Discarded { .. },
            Event::Sent { token: 1, outcome: Outcome::Unsent },
            Event::Closed { reason: CloseReason::Ordered }
        ]
    ));
    assert_eq!(world.answers().len(), 1, "an answer that was given leaves");
    assert_eq!((world.session.poll_timeout(), world.session.bytes_held()), (None, 0));
}

/// What is written of one session never cuts a chunk of another on the same connection.
#[test]
fn sessions_share_a_connection() {
    let mut worlds: Vec<World> =
        (0..3).map(|_| World::passive(Settings { in_flight_bytes: 3_000, ..Settings::default() })).collect();
    let mut stream = Vec::new();
    for world in &mut worlds {
        world.session.send(1, outgoing("mess1", &[b'x'; 9_000])).unwrap();
    }
    for _ in 0..9 {
        for world in &mut worlds {
            let before = stream.len();
            world.session.poll_transmit(world.now, &mut world.random, &mut stream);
            world.session.handle_room(stream.len() - before);
        }
    }
    assert_eq!(frames(&stream).len(), 15);
}

#[test]
fn requests_that_no_session_takes_are_answered_from_their_head() {
    for (method, headers, unknown, elsewhere) in [
        ("SEND", "Message-ID: m123\r\n", Some(481), Some(506)),
        ("SEND", "Message-ID: m123\r\nFailure-Report: partial\r\n", Some(481), Some(506)),
        ("SEND", "Message-ID: m123\r\nFailure-Report: no\r\n", None, None),
        ("REPORT", "Message-ID: m123\r\nStatus: 000 200 OK\r\n", None, None),
        ("AUTH", "", Some(501), Some(501)),
        ("FETCH", "", Some(501), Some(501)),
        ("200 OK", "", None, None),
    ] {
        let mut framer = Framer::new();
        framer.push(Moment(0), request("id01", method, (LOCAL, PEER), headers, None, '$').into());
        let Framed::Piece(piece) = framer.next_piece() else { panic!("no piece") };
        let (section, head) = piece.head().unwrap();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        assert_eq!(refuse_unknown(head, section, &mut first), unknown.is_some());
        assert_eq!(refuse_second_connection(head, section, &mut second), elsewhere.is_some());
        assert_eq!(frames(&first).first().and_then(super::world::Frame::code), unknown, "{method}");
        assert_eq!(frames(&second).first().and_then(super::world::Frame::code), elsewhere, "{method}");
    }
}

#[test]
fn an_idle_session_is_small() {
    let budget = Budget::new(1);
    let session = Session::new(config(Role::Passive, Settings::default()), &budget);
    assert!(size_of_val(&session) <= 512, "{}", size_of_val(&session));
    assert_eq!(session.poll_timeout(), None);
    assert!(size_of::<Framer>() <= 768, "{}", size_of::<Framer>());
}
