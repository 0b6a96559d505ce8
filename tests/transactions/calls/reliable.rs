//! Reliable provisional responses (RFC 3262).

use isthmus::engine::sip::calls::{Event, Heard};
use isthmus::wire::sip::Name;

use super::world::{A, B, World, header_of};

/// A world in which B was sent an INVITE that requires reliable provisional responses, and rings.
fn ringing(lost: &str) -> (World, [u64; 2]) {
    let mut world = World::new();
    let a = world.invite_with(|headers| headers.header(Name::Require, b"100rel"));
    world.run(20);
    let b = world.invited();
    world.lose(A, lost, 1_000);
    assert!(world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {})));
    (world, [a, b])
}

fn rseq(world: &World) -> u32 {
    header_of(&world.last(B, "180 INVITE"), Name::RSeq).unwrap().parse().unwrap()
}

#[test]
fn a_provisional_response_is_reliable_if_that_is_required_and_gets_its_prack() {
    let (mut world, [a, b]) = ringing("nothing");
    assert_eq!(header_of(&world.last(B, "180 INVITE"), Name::Require).as_deref(), Some("100rel"));
    let first = rseq(&world);
    assert!(!world.act(B, |calls, turn| calls.ring(turn, b, 183, "X", |_| {})), "one at a time");
    world.run(700);
    assert_eq!(world.names(A), ["INVITE", "PRACK"]);
    assert_eq!(world.names(B), ["180 INVITE", "200 PRACK"]);
    let prack = world.last(A, "PRACK");
    let rack = String::from_utf8(prack.clone()).unwrap();
    assert!(rack.contains(&format!("RAck: {first} 1 INVITE\r\n")), "{rack}");
    assert_eq!(header_of(&prack, Name::CSeq).as_deref(), Some("2 PRACK"));
    assert!(world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {})));
    assert_eq!(rseq(&world), first + 1);
    world.run(100);
    assert!(world.accept(b));
    world.run(100);
    assert_eq!(header_of(&world.last(A, "ACK"), Name::CSeq).as_deref(), Some("1 ACK"));
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    assert_eq!(header_of(&world.last(A, "BYE"), Name::CSeq).as_deref(), Some("4 BYE"));
    assert!(world.runs_empty());
}

#[test]
fn it_is_repeated_doubling_until_its_prack_and_told_once_a_copy_at_most() {
    let (mut world, [a, _]) = ringing("PRACK");
    world.run(8_000);
    assert_eq!(world.times(B, "180 INVITE"), [20, 520, 1_520, 3_520, 7_520]);
    assert_eq!(world.times(A, "PRACK")[..3], [30, 530, 1_530], "repeated by its own transaction");
    let copies: Vec<_> = world.sent.iter().filter(|(_, _, sent)| sent.starts_with(b"PRACK")).collect();
    assert!(copies.iter().all(|(_, _, sent)| *sent == copies[0].2));
    assert_eq!(world.ends[A].heard[0], Heard::Progress { dialog: a, code: 180 });
}

#[test]
fn without_prack_for_32_seconds_the_invite_is_refused() {
    let (mut world, [a, b]) = ringing("PRACK");
    assert!(world.runs_empty());
    assert_eq!(world.times(B, "504 INVITE")[0], 32_020);
    assert_eq!(world.ends[B].events, [Event::Unanswered { dialog: b }, Event::Gone { dialog: b }]);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Rejected { dialog: a, code: 504 }));
}

#[test]
fn a_prack_for_another_response_is_for_nothing() {
    let (mut world, [_, b]) = ringing("PRACK");
    world.run(20);
    let meant = format!("RAck: {} 1 INVITE", rseq(&world));
    for (number, other) in ["RAck: 1 1 INVITE", "RAck: 1", "Z: y"].iter().enumerate() {
        let wrong = world.changed(A, "PRACK", &[(&meant, other), ("2 PRACK", &format!("{} PRACK", number + 3))]);
        world.inject(B, wrong);
        world.run(20);
        assert_eq!(world.names(B).pop().as_deref(), Some("481 PRACK"));
    }
    let right = world.changed(A, "PRACK", &[("2 PRACK", "9 PRACK")]);
    world.inject(B, right);
    world.run(20);
    assert_eq!(world.names(B).pop().as_deref(), Some("200 PRACK"));
    assert!(world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {})));
}

#[test]
fn a_2xx_takes_the_place_of_what_was_not_acknowledged() {
    let (mut world, [a, b]) = ringing("PRACK");
    world.run(600);
    assert!(world.accept(b));
    world.run(10_000);
    assert_eq!(world.times(B, "180 INVITE").len(), 2);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Accepted { dialog: a }));
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Confirmed { dialog: b }));
}

#[test]
fn a_response_that_overtook_another_waits_for_it() {
    let (mut world, _) = ringing("PRACK");
    world.run(100);
    let (first, before) = (rseq(&world), world.times(A, "PRACK").len());
    let numbered = |world: &World, number: u32| {
        let text = String::from_utf8(world.last(B, "180 INVITE")).unwrap();
        text.replace(&format!("RSeq: {first}"), &format!("RSeq: {number}")).into_bytes()
    };
    for (number, more) in [(first + 2, 0), (first, 0), (first + 1, 1), (first + 2, 2), (u32::MAX, 2)] {
        world.inject(A, numbered(&world, number));
        world.run(20);
        assert_eq!(world.times(A, "PRACK").len() - before, more, "{number}");
    }
}
