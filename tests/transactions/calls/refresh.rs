//! Session timers between two ends (RFC 4028).

use isthmus::engine::sip::calls::{By, Event, Heard, Offer};
use isthmus::wire::sip::Name;

use super::world::{A, B, World, body_of, header_of};

const WITHOUT_UPDATE: &[u8] = b"INVITE, ACK, BYE, CANCEL";

#[test]
fn the_refresher_refreshes_at_half_time_by_update_for_hours() {
    let mut world = World::with_interval(600);
    let [a, b] = world.session();
    world.run(7_200_000);
    let updates = world.times(A, "UPDATE");
    assert_eq!(updates.len(), 23);
    assert!(updates.windows(2).all(|pair| (300_000..300_050).contains(&(pair[1] - pair[0]))));
    assert!(world.times(B, "UPDATE").is_empty());
    let update = world.last(A, "UPDATE");
    assert_eq!(header_of(&update, Name::SessionExpires).as_deref(), Some("600;refresher=uac"));
    assert_eq!(header_of(&update, Name::ContentLength).as_deref(), Some("0"));
    let answer = world.last(B, "200 UPDATE");
    assert_eq!(header_of(&answer, Name::SessionExpires).as_deref(), Some("600;refresher=uac"));
    assert_eq!(world.ends[A].heard, [Heard::Accepted { dialog: a }], "nobody needs to know");
    assert!(world.ends[B].calls.dialog(b).is_some() && world.ends[B].events.is_empty());
}

#[test]
fn without_update_it_is_a_reinvite_with_the_same_description() {
    let mut world = World::with(|_, config| {
        config.terms.interval_s = 600;
        config.allow = WITHOUT_UPDATE.to_vec();
    });
    let [_, b] = world.session();
    let first = body_of(&world.last(A, "INVITE"));
    world.run(300_000);
    assert_eq!(world.times(A, "INVITE").len(), 2);
    assert_eq!(body_of(&world.last(A, "INVITE")), first, "RFC 4028 7.4");
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Offered { dialog: b, offer: Offer::Unchanged }));
    let answered = body_of(&world.last(B, "200 INVITE"));
    assert!(world.act(B, |calls, turn| calls.answer(turn, b, None, |_| {})));
    world.run(100);
    assert_eq!(body_of(&world.last(B, "200 INVITE")), answered);
    assert_eq!(world.ends[A].heard.len(), 1);
    world.run(310_000);
    assert_eq!(world.times(A, "INVITE").len(), 3);
}

/// RFC 4028 7.4, 9.
#[test]
fn an_interval_that_is_too_small_is_refused_422_and_raised() {
    let mut world = World::with(|end, config| {
        config.terms.interval_s = 600;
        config.terms.min_se_s = if end == B { 900 } else { 90 };
    });
    let a = world.invite();
    world.run(40);
    assert_eq!(world.names(B), ["422 INVITE"]);
    assert_eq!(header_of(&world.last(B, "422 INVITE"), Name::MinSe).as_deref(), Some("900"));
    let b = world.invited();
    world.accept(b);
    world.run(40);
    let again = world.last(A, "INVITE");
    let header = |name| header_of(&again, name);
    assert_eq!(header(Name::SessionExpires).as_deref(), Some("900"));
    assert_eq!((header(Name::MinSe).as_deref(), header(Name::CSeq).as_deref()), (Some("900"), Some("2 INVITE")));
    assert_eq!(header(Name::Subject).as_deref(), Some("hello"), "the same in all else");
    let of = |name| header_of(&world.sent[0].2, name);
    assert_eq!((header(Name::CallId), header(Name::From)), (of(Name::CallId), of(Name::From)));
    assert_eq!(world.ends[A].heard, [Heard::Accepted { dialog: a }]);
    assert_eq!(world.ends[B].heard.len(), 3, "refused, invited, confirmed");
}

#[test]
fn a_peer_that_refuses_every_interval_refuses_the_session() {
    let mut world = World::new();
    let a = world.invite();
    for _ in 0..20 {
        let refused = world.refused(A, "INVITE", "422 No", "Min-SE: 5000\r\n");
        world.inject(A, refused);
        world.run(10);
    }
    assert_eq!(world.ends[A].heard, [Heard::Rejected { dialog: a, code: 422 }]);
    assert!(world.times(A, "INVITE").len() < 12);
    assert!(world.runs_empty());
}

/// RFC 4028 10.
#[test]
fn who_does_not_refresh_is_left_before_the_session_expires() {
    let mut world = World::with_interval(600);
    let [_, b] = world.session();
    let begun = world.times(B, "200 INVITE")[0];
    world.lose(A, "UPDATE", 1_000);
    world.lose(A, "BYE", 1_000);
    world.run(560_000);
    assert!(world.times(B, "BYE").is_empty());
    assert!(world.runs_empty());
    assert_eq!(world.times(B, "BYE")[0], begun + 568_000);
    assert_eq!(world.ends[B].events, [Event::Expired { dialog: b }, Event::Gone { dialog: b }]);
}

#[test]
fn a_refresh_that_nobody_answers_or_nobody_understands_ends_the_session() {
    for (restart, code) in [(true, "481"), (false, "408")] {
        let mut world = World::with_interval(600);
        let [a, _] = world.session();
        if restart {
            world.restart(B);
        } else {
            world.lose(A, "UPDATE", 1_000);
        }
        world.run(340_000);
        assert_eq!(world.ends[A].events[0], Event::Lost { dialog: a }, "{code}");
        assert_eq!(world.times(A, "BYE").len(), 1);
        assert!(world.runs_empty());
    }
}

/// The answer to the first refresh, what it is followed by, and how long after the refusal in milliseconds.
#[test]
fn a_refresh_that_is_refused_is_tried_again_as_the_refusal_says() {
    for (status, headers, next, wait_ms) in [
        ("405 No", "Allow: INVITE\r\n", "INVITE", 0..1),
        ("501 No", "", "INVITE", 0..1),
        ("500 No", "Retry-After: 3\r\n", "UPDATE", 3_000..3_001),
        ("488 No", "", "UPDATE", 10_000..10_001),
        ("491 No", "", "UPDATE", 2_100..4_001),
        ("422 No", "Min-SE: 900\r\n", "UPDATE", 0..1),
    ] {
        let mut world = World::with_interval(600);
        let [a, _] = world.session();
        world.lose(A, "UPDATE", 1);
        world.run(300_000);
        let refused = world.refused(A, "UPDATE", status, headers);
        world.inject(A, refused);
        world.run(10);
        let at = world.now / 1_000;
        world.run(11_000);
        let again = world.times(A, next).last().copied().unwrap();
        assert!(wait_ms.contains(&(again - at)), "{status}: {again} after {at}");
        let interval = header_of(&world.last(A, next), Name::SessionExpires);
        assert_eq!(
            interval.as_deref(),
            Some(if status.starts_with("422") { "900;refresher=uac" } else { "600;refresher=uac" })
        );
        assert!(world.ends[A].calls.dialog(a).is_some(), "{status}");
    }
}

#[test]
fn a_2xx_without_session_expires_has_no_timer() {
    let mut world = World::with_interval(90);
    world.invite();
    world.run(20);
    let b = world.invited();
    world.lose(B, "200 INVITE", 1);
    world.accept(b);
    let without = String::from_utf8(world.last(B, "200 INVITE")).unwrap().replace("Session-Expires", "Nothing");
    world.inject(A, without.into_bytes());
    world.run(59_000);
    assert!(world.times(A, "UPDATE").is_empty());
    world.run(2_000);
    assert_eq!(world.ends[B].events[0], Event::Expired { dialog: b }, "the other end believes in it");
    assert!(matches!(world.ends[A].heard.last(), Some(Heard::Ended { by: By::Bye, .. })));
}

#[test]
fn for_a_peer_that_knows_no_timers_the_uas_refreshes() {
    let mut world = World::with_interval(600);
    world.lose(A, "INVITE", 1);
    world.invite();
    let plain = world.changed(A, "INVITE", &[("Supported: timer", "Z: y"), ("Session-Expires: 600", "Z: y")]);
    world.inject(B, plain);
    world.run(20);
    let b = world.invited();
    world.accept(b);
    let accepted = world.last(B, "200 INVITE");
    assert_eq!(header_of(&accepted, Name::SessionExpires).as_deref(), Some("600;refresher=uas"));
    assert_eq!(header_of(&accepted, Name::Require), None);
    world.run(10);
    let to = header_of(&accepted, Name::To).unwrap();
    let ack = world.changed(
        A,
        "INVITE",
        &[("INVITE sip", "ACK sip"), ("1 INVITE", "1 ACK"), ("To: <sip:b@gw.example>", &format!("To: {to}"))],
    );
    world.inject(B, ack);
    world.run(300_000);
    assert_eq!(world.times(B, "UPDATE").len(), 1, "{:?}", world.names(B));
    assert_eq!(header_of(&world.last(B, "UPDATE"), Name::SessionExpires).as_deref(), Some("600;refresher=uac"));
}
