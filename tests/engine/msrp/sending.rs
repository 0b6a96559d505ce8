//! How a session sends, and what it makes of the answers.

use isthmus::engine::msrp::{CloseReason, Event, Outcome, Outgoing, Role, SendRefused, Settings, TimerName};
use isthmus::limits;
use isthmus::wire::msrp::{Continuation, FailureReport};

use super::world::{Frame, World, outgoing};

fn outcomes(world: &mut World) -> Vec<(u64, Outcome)> {
    let sent = |event| match event {
        Event::Sent { token, outcome } => Some((token, outcome)),
        _ => None,
    };
    world.events().into_iter().filter_map(sent).collect()
}

fn ranges(frames: &[Frame]) -> Vec<(u64, Option<u64>, Option<u64>)> {
    frames.iter().filter_map(|frame| frame.range).map(|range| (range.start, range.end, range.total)).collect()
}

/// [GEN-MEDIA-06] [SMS-INCHAT-03] [SMS-INLMM-05]
#[test]
fn a_message_leaves_in_chunks_and_is_delivered_when_all_are_answered() {
    let mut world = World::passive(Settings { chunk_bytes: 4, ..Settings::default() });
    world.session.send(7, outgoing("mess1", b"abcdefghij")).unwrap();
    let sent = world.sent();
    assert_eq!(ranges(&sent), [(1, Some(4), Some(10)), (5, Some(8), Some(10)), (9, Some(10), Some(10))]);
    let flags: Vec<_> = sent.iter().map(|frame| frame.end).collect();
    assert_eq!(flags, [Continuation::More, Continuation::More, Continuation::Complete]);
    assert!(
        sent.iter().all(|frame| frame.message_id == "mess1" && frame.head.contains("Content-Type: text/plain\r\n"))
    );
    assert_eq!(sent.iter().map(|frame| frame.body.as_slice()).collect::<Vec<_>>().concat(), b"abcdefghij");
    for frame in [&sent[1], &sent[0]] {
        world.answer(&frame.id, 200);
        assert!(outcomes(&mut world).is_empty());
    }
    world.answer(&sent[2].id, 200);
    assert_eq!(outcomes(&mut world), [(7, Outcome::Delivered)]);
    assert_eq!((world.session.poll_timeout(), world.session.open_messages()), (None, (0, 0)));
}

#[test]
fn an_empty_message_is_a_message() {
    let mut world = World::passive(Settings::default());
    world.session.send(7, outgoing("mess1", b"")).unwrap();
    let sent = world.sent();
    assert_eq!((ranges(&sent), sent[0].end), (vec![(1, Some(0), Some(0))], Continuation::Complete));
    assert!(sent[0].head.contains("Content-Type"));
    world.answer(&sent[0].id, 200);
    assert_eq!(outcomes(&mut world), [(7, Outcome::Delivered)]);
}

#[test]
fn a_chunk_of_more_than_2048_octets_does_not_say_its_end() {
    let mut world = World::passive(Settings { chunk_bytes: 2_049, ..Settings::default() });
    world.session.send(7, outgoing("mess1", &[b'x'; 4_096])).unwrap();
    assert_eq!(ranges(&world.sent()), [(1, None, Some(4_096)), (2_050, Some(4_096), Some(4_096))]);
}

#[test]
fn a_long_message_does_not_delay_a_short_one() {
    let mut world = World::passive(Settings { chunk_bytes: 1_000, in_flight_bytes: 3_000, ..Settings::default() });
    world.session.send(1, outgoing("long", &[b'x'; 50_000])).unwrap();
    let mut stream = Vec::new();
    world.session.poll_transmit(world.now, &mut world.random, &mut stream);
    world.session.send(2, outgoing("shrt", b"short")).unwrap();
    assert!(!world.session.poll_transmit(world.now, &mut world.random, &mut Vec::new()), "no room");
    world.session.handle_room(stream.len());
    stream.clear();
    world.session.poll_transmit(world.now, &mut world.random, &mut stream);
    let ids: Vec<_> = super::world::frames(&stream).into_iter().map(|frame| frame.message_id).collect();
    assert_eq!(ids[..3], ["long", "shrt", "long"]);
}

#[test]
fn no_more_is_handed_out_than_the_socket_takes() {
    let settings = Settings { in_flight_bytes: 10_000, ..Settings::default() };
    let mut world = World::passive(settings);
    world.session.send(1, outgoing("long", &[b'x'; 100_000])).unwrap();
    let mut stream = Vec::new();
    assert!(world.session.poll_transmit(world.now, &mut world.random, &mut stream));
    assert!((10_000..10_000 + 2_500).contains(&stream.len()));
    assert!(!world.session.poll_transmit(world.now, &mut world.random, &mut stream));
    let first = stream.len();
    world.session.handle_room(5_000);
    assert!(world.session.poll_transmit(world.now, &mut world.random, &mut stream));
    assert!((4_000..5_000 + 2_500).contains(&(stream.len() - first)));
}

#[test]
fn answers_do_not_wait_for_room() {
    let mut world = World::passive(Settings { in_flight_bytes: 1, ..Settings::default() });
    world.session.send(1, outgoing("long", &[b'x'; 10_000])).unwrap();
    assert!(world.session.poll_transmit(world.now, &mut world.random, &mut Vec::new()));
    world.chunk("m", "1-3/6", "abc", '+');
    let mut stream = Vec::new();
    assert!(world.session.poll_transmit(world.now, &mut world.random, &mut stream));
    assert_eq!(super::world::frames(&stream)[0].code(), Some(200));
}

#[test]
fn requests_without_answer_are_bounded() {
    let mut world = World::passive(Settings { chunk_bytes: 1, ..Settings::default() });
    world.session.send(1, outgoing("mess1", &[b'x'; 1_000])).unwrap();
    let sent = world.sent();
    assert_eq!(sent.len(), limits::MSRP_TRANSACTIONS_MAX);
    world.answer(&sent[9].id, 200);
    assert_eq!(world.sent().len(), 1);
}

/// What an error response does: outcome, whether the rest is given up by `#`, whether the session closes.
#[test]
fn every_error_ends_its_message() {
    for (code, close) in [
        (400, None),
        (403, None),
        (408, None),
        (413, None),
        (415, None),
        (423, None),
        (481, Some(CloseReason::NoSuchSession)),
        (501, None),
        (506, Some(CloseReason::OtherConnection)),
        (599, None),
    ] {
        for (len, begun) in [(10, false), (9_000, true)] {
            let mut world = World::passive(Settings { in_flight_bytes: 2_000, ..Settings::default() });
            world.session.send(1, outgoing("mess1", &vec![b'x'; len])).unwrap();
            world.session.send(2, outgoing("mess2", b"x")).unwrap();
            let mut stream = Vec::new();
            world.session.poll_transmit(world.now, &mut world.random, &mut stream);
            let first = super::world::frames(&stream).remove(0);
            world.session.handle_room(stream.len());
            world.answer(&first.id, code);
            let mut events = world.events();
            assert!(
                matches!(events.remove(0), Event::Sent { token: 1, outcome: Outcome::Refused(was) } if was == code)
            );
            let closed = events.iter().find_map(|event| match event {
                Event::Closed { reason } => Some(*reason),
                _ => None,
            });
            assert_eq!(closed, close, "{code}");
            assert_eq!(world.session.send(3, outgoing("mess3", b"x")).is_err(), close.is_some());
            let sent = world.sent();
            let abort = sent.iter().find(|frame| frame.end == Continuation::Abort);
            assert_eq!(abort.is_some(), begun && close.is_none(), "{code} {len}");
            assert!(abort.is_none_or(|frame| frame.message_id == "mess1" && frame.body.is_empty()));
            let rest = sent.iter().filter(|frame| frame.message_id == "mess1").count();
            assert_eq!(rest, usize::from(abort.is_some()), "nothing more of it leaves");
        }
    }
}

/// [SMS-GW-c8a]
#[test]
fn silence_for_30_seconds_is_a_time_out() {
    let mut world = World::passive(Settings { chunk_bytes: 4, ..Settings::default() });
    world.session.send(1, outgoing("mess1", b"abcdefgh")).unwrap();
    let sent = world.sent();
    let deadline = world.now.moment + core::time::Duration::from_secs(30);
    assert_eq!(world.session.poll_timeout(), Some((deadline, TimerName::Transaction)));
    world.answer(&sent[0].id, 200);
    world.pass(core::time::Duration::from_millis(29_999));
    assert!(outcomes(&mut world).is_empty());
    world.pass(core::time::Duration::from_millis(1));
    assert_eq!(outcomes(&mut world), [(1, Outcome::TimedOut)]);
    world.answer(&sent[1].id, 200);
    assert_eq!((world.session.counters().late_responses, world.session.poll_timeout()), (1, None));
}

#[test]
fn without_answers_a_message_is_over_when_it_is_written() {
    for failure_report in [FailureReport::Partial, FailureReport::No] {
        let mut world = World::passive(Settings { chunk_bytes: 4, ..Settings::default() });
        world.session.send(1, Outgoing { failure_report, ..outgoing("mess1", b"abcdefgh") }).unwrap();
        let sent = world.sent();
        assert!(sent.iter().all(|frame| frame.failure_report == failure_report));
        assert_eq!(outcomes(&mut world), [(1, Outcome::Written)]);
        world.answer(&sent[1].id, 413);
        let failed = matches!(world.events()[..], [Event::Failed { token: 1, code: 413 }, Event::Bound]);
        assert_eq!(failed, failure_report == FailureReport::Partial);
        world.pass(core::time::Duration::from_secs(30));
        assert_eq!((world.session.poll_timeout(), world.events().len()), (None, 0));
    }
}

#[test]
fn an_error_stops_a_message_that_wants_only_errors() {
    let settings = Settings { chunk_bytes: 4, in_flight_bytes: 1, ..Settings::default() };
    let mut world = World::passive(settings);
    let what = Outgoing { failure_report: FailureReport::Partial, ..outgoing("mess1", b"abcdefgh") };
    world.session.send(1, what).unwrap();
    let mut stream = Vec::new();
    world.session.poll_transmit(world.now, &mut world.random, &mut stream);
    world.answer(&super::world::frames(&stream)[0].id, 413);
    assert_eq!(outcomes(&mut world), [(1, Outcome::Refused(413))]);
    world.session.handle_room(stream.len());
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].end), (1, Continuation::Abort));
}

#[test]
fn a_message_is_aborted_with_a_sign_if_the_peer_has_a_part_of_it() {
    let settings = Settings { chunk_bytes: 4, in_flight_bytes: 1, ..Settings::default() };
    for written in [0, 1, 2] {
        let mut world = World::passive(settings);
        world.session.send(1, outgoing("mess1", b"abcdefgh")).unwrap();
        for _ in 0..written {
            let mut stream = Vec::new();
            world.session.poll_transmit(world.now, &mut world.random, &mut stream);
            world.session.handle_room(stream.len());
        }
        assert!(world.session.abort(1));
        assert!(!world.session.abort(1));
        assert_eq!(outcomes(&mut world), [(1, Outcome::Aborted)]);
        let sent = world.sent();
        assert_eq!(sent.len(), usize::from(written == 1));
        if let Some(abort) = sent.first() {
            assert_eq!((abort.end, abort.failure_report), (Continuation::Abort, FailureReport::No));
            assert_eq!(ranges(&sent), [(5, None, Some(8))]);
        }
    }
}

/// [GEN-MSRP-04]
#[test]
fn the_end_that_connects_sends_at_once() {
    let mut world = World::unbound(Role::Active, Settings::default());
    assert!(world.sent().is_empty());
    world.session.handle_bound(world.now);
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].body.len(), sent[0].end), (1, 0, Continuation::Complete));
    assert!(sent[0].is_send() && !sent[0].head.contains("Content-Type"));
    assert!(world.events().is_empty());
    world.answer(&sent[0].id, 200);
    assert!(matches!(world.events()[..], [Event::Bound]));
    assert!(world.sent().is_empty());
}

#[test]
fn a_message_that_waits_binds_the_connection_itself() {
    let mut world = World::unbound(Role::Active, Settings::default());
    world.session.send(1, outgoing("mess1", b"abc")).unwrap();
    world.session.handle_bound(world.now);
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].message_id.as_str()), (1, "mess1"));
}

#[test]
fn a_binding_request_without_answer_closes_the_session() {
    let mut world = World::unbound(Role::Active, Settings::default());
    world.session.handle_bound(world.now);
    world.sent();
    world.session.send(1, outgoing("mess1", b"abc")).unwrap();
    world.pass(core::time::Duration::from_secs(30));
    let events = world.events();
    assert!(matches!(
        events[..],
        [Event::Sent { token: 1, outcome: Outcome::Unsent }, Event::Closed { reason: CloseReason::BindTimedOut }]
    ));
}

#[test]
fn what_the_connection_took_with_it_is_said_of_each_message() {
    let settings = Settings { chunk_bytes: 4, in_flight_bytes: 300, ..Settings::default() };
    let mut world = World::passive(settings);
    for (token, body) in [(1, b"abc".as_slice()), (2, b"abcdefgh"), (3, b"abc"), (4, b"abc")] {
        world.session.send(token, outgoing("mess1", body)).unwrap();
    }
    let mut stream = Vec::new();
    world.session.poll_transmit(world.now, &mut world.random, &mut stream);
    let written = super::world::frames(&stream).len();
    assert_eq!(written, 2);
    world.session.handle_unbound(world.now);
    let lost = [(1, Outcome::Unknown), (3, Outcome::Unsent), (4, Outcome::Unsent), (2, Outcome::Unknown)];
    assert_eq!(outcomes(&mut world), lost);
    // A new connection starts anew.
    world.session.send(5, outgoing("mess5", b"abc")).unwrap();
    world.session.handle_bound(world.now);
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].message_id.as_str()), (1, "mess5"));
}

#[test]
fn more_than_may_wait_is_not_taken() {
    let settings = Settings { sending_max: 2, sending_bytes_max: 10, ..Settings::default() };
    let mut world = World::passive(settings);
    assert_eq!(world.session.send(1, outgoing("mess1", b"12345678901")), Err(SendRefused::Full));
    world.session.send(2, outgoing("mess2", b"123456")).unwrap();
    assert_eq!(world.session.send(3, outgoing("mess3", b"12345")), Err(SendRefused::Full));
    world.session.send(4, outgoing("mess4", b"1234")).unwrap();
    assert_eq!(world.session.send(5, outgoing("mess5", b"")), Err(SendRefused::Full));
    for frame in world.sent() {
        world.answer(&frame.id, 200);
    }
    world.session.send(6, outgoing("mess6", b"1234567890")).unwrap();
}

#[test]
fn transaction_ids_have_80_random_bits_and_differ() {
    let mut world = World::passive(Settings { chunk_bytes: 1, ..Settings::default() });
    world.session.send(1, outgoing("mess1", &[b'x'; 200])).unwrap();
    let mut ids: Vec<_> = world.sent().into_iter().map(|frame| frame.id).collect();
    assert!(ids.iter().all(|id| id.len() == 16));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
}
