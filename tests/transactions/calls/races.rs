//! What crosses on the way, what gets lost, and what never comes.

use isthmus::engine::sip::calls::{By, Event, Heard, Offer};
use isthmus::engine::sip::{NextHop, Reach};
use isthmus::wire::sip::Name;

use super::world::{A, B, World, header_of};

#[test]
fn a_lost_ack_is_repeated_with_the_2xx() {
    let mut world = World::new();
    world.lose(A, "ACK", 2);
    let [_, b] = world.session();
    world.run(3_000);
    assert_eq!(world.times(B, "200 INVITE"), [20, 520, 1_520]);
    assert_eq!(world.times(A, "ACK"), [30, 530, 1_530]);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Confirmed { dialog: b }));
    assert_eq!(world.ends[A].heard.len(), 1, "told once");
}

/// RFC 3261 13.3.1.4.
#[test]
fn an_ack_that_never_comes_ends_the_session_by_bye_after_32_seconds() {
    let mut world = World::new();
    world.lose(A, "ACK", 1_000);
    let [a, b] = world.session();
    world.run(31_800);
    assert!(world.times(B, "BYE").is_empty());
    assert!(world.runs_empty());
    assert_eq!(world.times(B, "BYE"), [32_020]);
    assert_eq!(world.ends[B].events, [Event::NoAck { dialog: b }, Event::Gone { dialog: b }]);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Ended { dialog: a, by: By::Bye }));
}

/// RFC 3261 15: the callee must not send BYE before.
#[test]
fn a_bye_of_the_callee_waits_for_the_ack() {
    let mut world = World::new();
    world.invite();
    world.run(20);
    let b = world.invited();
    world.lose(A, "ACK", 1);
    world.accept(b);
    assert!(world.act(B, |calls, turn| calls.bye(turn, b, b"SIP;cause=480")));
    assert!(!world.act(B, |calls, turn| calls.bye(turn, b, b"again")));
    world.run(400);
    assert!(world.times(B, "BYE").is_empty());
    assert!(world.runs_empty());
    assert_eq!(world.times(B, "BYE"), [540], "right after the ACK");
    assert_eq!(header_of(&world.last(B, "BYE"), Name::Reason).as_deref(), Some("SIP;cause=480"));
    assert_eq!(world.ends[B].events, [Event::Gone { dialog: b }]);
}

#[test]
fn a_bye_that_waits_for_an_ack_that_never_comes_leaves_in_the_end() {
    let mut world = World::new();
    world.lose(A, "ACK", 1_000);
    let [_, b] = world.session();
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    assert!(world.runs_empty());
    assert_eq!(world.times(B, "BYE"), [32_020]);
    assert_eq!(world.ends[B].events, [Event::Gone { dialog: b }], "it was wanted");
}

#[test]
fn a_bye_before_the_ack_ends_the_session_and_the_2xx_still_finds_its_ack() {
    let mut world = World::new();
    world.lose(A, "ACK", 1);
    let [a, b] = world.session();
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    world.run(100);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Bye }));
    assert!(world.ends[B].events.is_empty(), "the ACK is missing");
    world.run(1_000);
    assert_eq!(world.times(B, "200 INVITE"), [20, 520]);
    assert_eq!(world.ends[B].events, [Event::Gone { dialog: b }]);
    assert!(world.runs_empty());
}

/// RFC 3261 15.1.2.
#[test]
fn a_bye_in_an_early_dialog_ends_the_invite_with_487() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {}));
    world.run(20);
    let to = header_of(&world.last(B, "180 INVITE"), Name::To).unwrap();
    let bye = world.changed(
        A,
        "INVITE",
        &[("INVITE sip", "BYE sip"), ("1 INVITE", "2 BYE"), ("To: <sip:b@gw.example>", &format!("To: {to}"))],
    );
    world.inject(B, bye);
    world.run(30);
    assert_eq!(world.names(B), ["180 INVITE", "200 BYE", "487 INVITE"]);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Bye }));
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Rejected { dialog: a, code: 487 }));
    assert!(world.runs_empty());
}

/// RFC 3261 9.1, 9.2.
#[test]
fn a_cancel_waits_for_a_1xx_and_ends_the_invite() {
    let mut world = World::new();
    let a = world.invite();
    assert!(world.act(A, |calls, turn| calls.cancel(turn, a, b"SIP;cause=480")));
    assert!(!world.act(A, |calls, turn| calls.cancel(turn, a, b"")));
    world.run(20);
    let b = world.invited();
    assert_eq!(world.names(A), ["INVITE"]);
    world.run(500);
    assert_eq!(world.names(A), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(world.names(B), ["100 INVITE", "200 CANCEL", "487 INVITE"]);
    assert_eq!(header_of(&world.last(A, "CANCEL"), Name::Reason).as_deref(), Some("SIP;cause=480"));
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Cancel }));
    assert_eq!(world.ends[A].events, [Event::Gone { dialog: a }]);
    assert!(world.ends[A].heard.is_empty() && !world.accept(b));
    assert!(world.runs_empty());
}

#[test]
fn a_cancel_that_crosses_the_2xx_is_followed_by_ack_and_bye() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {}));
    world.run(20);
    world.accept(b);
    assert!(world.act(A, |calls, turn| calls.cancel(turn, a, b"")));
    world.run(50);
    assert_eq!(world.names(A), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(world.names(B), ["180 INVITE", "200 INVITE", "200 CANCEL", "200 BYE"]);
    let heard = &world.ends[B].heard;
    assert_eq!(
        heard[1..],
        [Heard::Answered { code: 200 }, Heard::Confirmed { dialog: b }, Heard::Ended { dialog: b, by: By::Bye }]
    );
    assert_eq!(world.ends[A].heard, [Heard::Progress { dialog: a, code: 180 }]);
    assert!(world.runs_empty());
}

#[test]
fn a_cancel_of_nothing_is_answered_481_and_one_of_a_reinvite_withdraws_the_offer() {
    let mut world = World::new();
    let [a, b] = world.session();
    assert!(world.offer(A, a, 2));
    world.run(20);
    let invite = String::from_utf8(world.last(A, "INVITE")).unwrap();
    let cancel = invite.replace("INVITE sip", "CANCEL sip").replace("2 INVITE", "2 CANCEL");
    let stray = cancel.replace("branch=z9hG4bK", "branch=z9hG4bKx");
    world.inject(B, stray.into_bytes());
    world.inject(B, cancel.into_bytes());
    world.run(30);
    assert_eq!(world.names(B), ["200 INVITE", "481 CANCEL", "200 CANCEL", "487 INVITE"]);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Withdrawn { dialog: b }));
    assert!(!world.answer(B, b));
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Modified { dialog: a, code: 487 }));
    assert!(world.offer(B, b, 3), "the session goes on");
}

/// RFC 3261 14.1, 14.2.
#[test]
fn offers_that_meet_are_refused_491_and_the_owner_of_the_call_id_waits_longer() {
    for seed in 0..20 {
        let mut world = World::new();
        let [a, b] = world.session();
        for _ in 0..seed {
            let _ = (world.ends[A].random.next_u64(), world.ends[B].random.next_u64());
        }
        assert!(world.offer(A, a, 2) && world.offer(B, b, 2));
        assert!(!world.offer(A, a, 3), "one at a time");
        world.run(2_020);
        assert_eq!((world.times(A, "491 INVITE").len(), world.times(B, "491 INVITE").len()), (1, 1));
        assert_eq!(world.ends[A].heard.last(), Some(&Heard::Offered { dialog: a, offer: Offer::New }));
        assert!(world.answer(A, a));
        world.run(2_100);
        assert_eq!(world.ends[B].heard.last(), Some(&Heard::Offered { dialog: b, offer: Offer::New }));
        assert!(world.answer(B, b));
        world.run(100);
        let (first, again) = (world.times(A, "INVITE")[1], world.times(A, "INVITE")[2]);
        assert!((2_100..=4_020).contains(&(again - first)), "{}", again - first);
        assert_eq!(world.ends[A].heard.last(), Some(&Heard::Modified { dialog: a, code: 200 }));
    }
}

#[test]
fn an_offer_that_overtakes_the_answer_to_another_is_to_come_later() {
    let mut world = World::new();
    let [a, b] = world.session();
    world.offer(A, a, 2);
    world.run(20);
    for (method, number) in [("INVITE", 3), ("UPDATE", 4)] {
        let (line, cseq) = (format!("{method} sip"), format!("{number} {method}"));
        let second = world.changed(A, "INVITE", &[("INVITE sip", &line), ("2 INVITE", &cseq)]);
        world.inject(B, second);
        world.run(20);
        let refused = world.last(B, &format!("500 {method}"));
        let seconds: u32 = header_of(&refused, Name::RetryAfter).unwrap().parse().unwrap();
        assert!(seconds <= 10);
    }
    assert!(world.answer(B, b));
    let early = world.changed(A, "INVITE", &[("2 INVITE", "5 INVITE")]);
    world.lose(A, "ACK", 1);
    world.inject(B, early);
    world.run(20);
    assert_eq!(world.names(B).pop().as_deref(), Some("491 INVITE"), "its own INVITE is open until the ACK");
}

/// RFC 3261 13.2.2.4.
#[test]
fn the_second_branch_of_a_forked_invite_is_acknowledged_and_ended() {
    for ended in [false, true] {
        let mut world = World::new();
        let [a, _] = world.session();
        let fork = String::from_utf8(world.last(B, "200 INVITE")).unwrap();
        let tag = header_of(fork.as_bytes(), Name::To).unwrap();
        let other = tag.replace("tag=", "tag=other");
        let fork = fork.replace(&tag, &other).replace("<sip:192.0.2.2:5060>", "<sip:fork@192.0.2.2>");
        if ended {
            world.act(A, |calls, turn| calls.bye(turn, a, b""));
            world.run(100);
            assert!(world.ends[A].calls.is_empty());
        }
        let before = world.names(A).len();
        world.inject(A, fork.clone().into_bytes());
        world.run(20);
        assert_eq!(world.names(A)[before..], ["ACK", "BYE"]);
        for (method, cseq) in [("ACK", "1 ACK"), ("BYE", "2 BYE")] {
            let sent = world.last(A, method);
            assert!(sent.starts_with(format!("{method} sip:fork@192.0.2.2 SIP").as_bytes()));
            assert_eq!(header_of(&sent, Name::To).as_ref(), Some(&other));
            assert_eq!(header_of(&sent, Name::CSeq).as_deref(), Some(cseq));
        }
        world.inject(A, fork.into_bytes());
        world.run(20);
        assert_eq!(world.names(A).pop().as_deref(), Some("ACK"), "repeated, acknowledged again");
        assert_eq!(world.ends[A].calls.dialog(a).is_some(), !ended, "the first is untouched");
    }
}

#[test]
fn byes_that_cross_are_both_answered() {
    let mut world = World::new();
    let [a, b] = world.session();
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    assert!(world.runs_empty());
    assert_eq!((world.times(A, "200 BYE").len(), world.times(B, "200 BYE").len()), (1, 1));
    assert_eq!(world.ends[A].events, [Event::Gone { dialog: a }]);
    assert_eq!(world.ends[B].events, [Event::Gone { dialog: b }]);
}

#[test]
fn a_bye_that_nobody_answers_ends_the_session_all_the_same() {
    let mut world = World::new();
    let [a, _] = world.session();
    world.lose(A, "BYE", 100);
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    world.run(31_000);
    assert!(world.ends[A].events.is_empty());
    world.run(2_000);
    assert_eq!(world.ends[A].events, [Event::Gone { dialog: a }]);
    assert_eq!(world.times(A, "BYE").len(), 11);
}

#[test]
fn an_invite_that_nobody_answers_fails() {
    let mut world = World::new();
    world.lose(A, "INVITE", 100);
    let a = world.invite();
    assert!(world.runs_empty());
    assert_eq!(world.ends[A].events, [Event::Failed { dialog: a }, Event::Gone { dialog: a }]);
}

#[test]
fn an_invite_that_the_user_never_answers_is_refused() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    world.lose(A, "CANCEL", 1_000);
    assert!(world.runs_empty());
    assert_eq!(world.ends[B].events, [Event::Unanswered { dialog: b }, Event::Gone { dialog: b }]);
    assert_eq!(world.ends[A].events, [Event::Failed { dialog: a }, Event::Gone { dialog: a }], "its Timer C");
}

/// RFC 3261 13.3.1.
#[test]
fn an_invite_that_expires_unanswered_is_terminated() {
    let mut world = World::new();
    let a = world.invite_with(|headers| headers.number(Name::Expires, 5));
    world.run(5_000);
    let b = world.invited();
    assert!(world.ends[B].events.is_empty());
    world.run(20);
    assert_eq!(world.ends[B].events, [Event::Unanswered { dialog: b }, Event::Gone { dialog: b }]);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Rejected { dialog: a, code: 487 }));
    world.invite_with(|headers| headers.number(Name::Expires, 5));
    world.run(1_000);
    let b = world.invited();
    assert!(world.accept(b));
    world.run(10_000);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Confirmed { dialog: b }), "answered in time");
}

/// RFC 3261 12.2.1.2.
#[test]
fn a_peer_that_knows_the_session_no_more_has_none() {
    let mut world = World::new();
    let [a, _] = world.session();
    world.restart(B);
    assert!(world.offer(A, a, 2));
    assert!(world.runs_empty());
    assert_eq!(world.ends[A].events, [Event::Lost { dialog: a }, Event::Gone { dialog: a }]);
    assert_eq!(world.names(B).last().map(String::as_str), Some("481 BYE"));
    assert_eq!(world.ends[A].heard.len(), 1, "no word of the offer beside that");
}

#[test]
fn the_end_answers_what_waits_for_an_answer() {
    let mut world = World::new();
    let [a, b] = world.session();
    world.offer(A, a, 2);
    world.run(20);
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    assert!(world.runs_empty());
    assert_eq!(world.names(B)[1..], ["487 INVITE", "BYE"]);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Ended { dialog: a, by: By::Bye }));
}

#[test]
fn end_does_what_the_state_asks_for() {
    let mut world = World::new();
    let a = world.invite();
    assert!(world.act(A, |calls, turn| calls.end(turn, a, b"")));
    world.run(500);
    assert!(world.names(A).contains(&"CANCEL".to_string()));
    world.invite();
    world.run(20);
    let b = world.invited();
    assert!(world.act(B, |calls, turn| calls.end(turn, b, b"SIP;cause=503")));
    assert_eq!(header_of(&world.last(B, "480 INVITE"), Name::Reason).as_deref(), Some("SIP;cause=503"));
    let [a, _] = world.session();
    assert!(world.act(A, |calls, turn| calls.end(turn, a, b"")));
    assert_eq!(world.names(A).last().map(String::as_str), Some("BYE"));
    assert!(!world.act(A, |calls, turn| calls.end(turn, a, b"")));
    assert!(world.runs_empty());
}

#[test]
fn a_dialog_outlives_the_connection_that_carried_it() {
    let mut world = World::new();
    world.ends[A].hop = NextHop::new(b"sip:192.0.2.2;transport=tcp", Reach::ALL);
    let [a, b] = world.session();
    let target = world.targets[0];
    world.act(A, |calls, turn| calls.handle_transport_error(turn, target));
    world.run(1_000);
    assert!(world.offer(A, a, 2));
    world.run(10);
    // Over a connection nothing is repeated: what was on it when it broke is for the caller to know.
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Offered { dialog: b, offer: Offer::New }));
    world.answer(B, b);
    world.run(20);
    assert_eq!(world.ends[A].heard.last(), Some(&Heard::Modified { dialog: a, code: 200 }));
    world.lose(A, "BYE", 1);
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    world.act(A, |calls, turn| calls.handle_transport_error(turn, target));
    assert_eq!(world.ends[A].events, [Event::Gone { dialog: a }]);
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    assert!(world.runs_empty());
}
