//! How a session begins, changes and ends when nothing goes wrong, and what is refused.

use isthmus::engine::sip::calls::{By, Event, Heard, Offer};
use isthmus::wire::sip::{Index, Message, Name};

use super::world::{A, B, World, header_of};

#[test]
fn a_session_begins_with_ring_accept_and_ack_and_ends_with_bye() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    assert!(world.act(B, |calls, turn| calls.ring(turn, b, 180, "Ringing", |_| {})));
    world.run(20);
    assert!(world.accept(b));
    world.run(20);
    assert_eq!(world.ends[A].heard, [Heard::Progress { dialog: a, code: 180 }, Heard::Accepted { dialog: a }]);
    assert_eq!(world.ends[B].heard, [Heard::Invited { dialog: b }, Heard::Confirmed { dialog: b }]);
    assert!(world.act(A, |calls, turn| calls.bye(turn, a, b"SIP;cause=480;text=\"Bearer unavailable\"")));
    world.run(20);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Bye }));
    let reason = header_of(&world.last(A, "BYE"), Name::Reason);
    assert_eq!(reason.as_deref(), Some("SIP;cause=480;text=\"Bearer unavailable\""));
    world.run(20);
    assert_eq!(world.ends[A].events, [Event::Gone { dialog: a }]);
    assert_eq!(world.ends[B].events, [Event::Gone { dialog: b }]);
    world.run(100_000);
    assert!(world.is_empty());
    assert_eq!(world.names(A), ["INVITE", "ACK", "BYE"]);
    assert_eq!(world.names(B), ["180 INVITE", "200 INVITE", "200 BYE"]);
}

#[test]
fn requests_of_both_ends_have_both_tags_and_rising_numbers() {
    let mut world = World::new();
    let [_, b] = world.session();
    let both = |bytes: &[u8]| [header_of(bytes, Name::From), header_of(bytes, Name::To)].map(Option::unwrap);
    let [from, to] = both(&world.last(A, "ACK"));
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    world.run(10);
    assert_eq!(both(&world.last(B, "BYE")), [to, from]);
    assert_eq!(header_of(&world.last(A, "ACK"), Name::CSeq).as_deref(), Some("1 ACK"));
    assert_eq!(header_of(&world.last(B, "BYE"), Name::CSeq).as_deref(), Some("1 BYE"), "the callee's own space");
}

#[test]
fn the_invite_and_its_2xx_say_what_a_session_needs() {
    let mut world = World::new();
    world.session();
    let invite = |name| header_of(&world.last(A, "INVITE"), name);
    assert_eq!(invite(Name::Contact).as_deref(), Some("<sip:192.0.2.1:5060>;x=\"0\""));
    assert_eq!(invite(Name::Supported).as_deref(), Some("timer"));
    assert_eq!(invite(Name::SessionExpires).as_deref(), Some("1800"));
    assert_eq!(invite(Name::Subject).as_deref(), Some("hello"));
    assert!(invite(Name::Allow).unwrap().contains("UPDATE"));
    let accepted = |name| header_of(&world.last(B, "200 INVITE"), name);
    assert_eq!(accepted(Name::SessionExpires).as_deref(), Some("1800;refresher=uac"));
    assert_eq!(accepted(Name::Require).as_deref(), Some("timer"));
    assert!(
        accepted(Name::Contact).is_some() && accepted(Name::Allow).is_some() && accepted(Name::Supported).is_some()
    );
}

#[test]
fn a_refusal_is_told_and_leaves_nothing() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    let warn = |headers: &mut isthmus::wire::sip::Writer<'_>| headers.header(Name::Warning, b"304 gw \"No\"");
    assert!(world.act(B, |calls, turn| calls.refuse(turn, b, 488, "Not Acceptable Here", warn)));
    assert!(!world.accept(b), "too late");
    world.run(20);
    assert_eq!(world.ends[A].heard, [Heard::Rejected { dialog: a, code: 488 }]);
    assert_eq!(header_of(&world.last(B, "488 INVITE"), Name::Warning).as_deref(), Some("304 gw \"No\""));
    assert_eq!((world.ends[A].events.len(), world.ends[B].events.len()), (1, 1));
    world.run(100_000);
    assert!(world.is_empty());
}

#[test]
fn the_user_of_a_session_is_known_until_its_end_was_told() {
    let mut world = World::new();
    let a = world.invite();
    world.run(20);
    let b = world.invited();
    world.act(B, |calls, turn| calls.refuse(turn, b, 480, "X", |_| {}));
    let refusal = world.last(B, "480 INVITE");
    let mut index = Index::new();
    let message = Message::parse(&refusal, &mut index).unwrap();
    let end = &mut world.ends[A];
    let calls = end.quietly(20_000, |calls, turn| {
        assert_eq!(calls.handle_response(turn, &message), Some(Heard::Rejected { dialog: a, code: 480 }));
    });
    assert_eq!(calls.user(a), Some(42));
    assert_eq!(calls.poll_event(), Some(Event::Gone { dialog: a }));
    assert_eq!((calls.user(a), calls.len()), (Some(42), 1));
    assert_eq!((calls.poll_event(), calls.user(a), calls.len()), (None, None, 0));
}

#[test]
fn an_offer_is_answered_or_declined_and_an_unchanged_one_is_known() {
    let mut world = World::new();
    let [a, b] = world.session();
    for (version, expected) in [(1, Offer::Unchanged), (2, Offer::New), (2, Offer::Unchanged)] {
        assert!(world.offer(A, a, version));
        world.run(20);
        assert_eq!(world.ends[B].heard.last(), Some(&Heard::Offered { dialog: b, offer: expected }));
        assert!(world.answer(B, b) && !world.answer(B, b));
        world.run(20);
        assert_eq!(world.ends[A].heard.last(), Some(&Heard::Modified { dialog: a, code: 200 }));
        assert_eq!(world.ends[B].heard.last(), Some(&Heard::Confirmed { dialog: b }));
    }
    assert!(world.offer(B, b, 5));
    world.run(20);
    assert!(world.act(A, |calls, turn| calls.decline(turn, a, 488, "Not Acceptable Here", |_| {})));
    world.run(20);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Modified { dialog: b, code: 488 }));
    assert!(world.offer(B, b, 6), "the session goes on");
}

#[test]
fn what_is_in_no_dialog_and_what_means_nothing_in_one_is_refused() {
    // The same world twice: what ends the session in one is a pattern for the other.
    let mut other = World::new();
    let [a, _] = other.session();
    other.act(A, |calls, turn| calls.bye(turn, a, b""));
    let bye = String::from_utf8(other.last(A, "BYE")).unwrap();
    let mut world = World::new();
    world.session();
    let mut number = 10;
    let mut ask = |world: &mut World, method: &str, change: &[(&str, &str)]| {
        number += 1;
        let mut request = bye.replace("BYE", method).replace("branch=z9hG4bK", &format!("branch=z9hG4bK{number}"));
        request = request.replace("CSeq: 2", &format!("CSeq: {number}"));
        for (from, to) in change {
            request = request.replace(from, to);
        }
        world.inject(B, request.into_bytes());
        world.run(10);
        world.names(B).pop().unwrap()
    };
    assert_eq!(ask(&mut world, "OPTIONS", &[]), "200 OPTIONS");
    assert_eq!(ask(&mut world, "INFO", &[]), "405 INFO");
    assert_eq!(ask(&mut world, "STRANGE", &[]), "501 STRANGE");
    assert_eq!(ask(&mut world, "OPTIONS", &[("CSeq: 14", "CSeq: 12")]), "500 OPTIONS");
    for method in ["BYE", "UPDATE", "OPTIONS", "INVITE", "PRACK"] {
        assert_eq!(ask(&mut world, method, &[("tag=", "tag=other")]), format!("481 {method}"));
    }
    assert_eq!(ask(&mut world, "PRACK", &[]), "481 PRACK", "nothing waits for it");
    let allow = header_of(&world.last(B, "405 INFO"), Name::Allow).unwrap();
    assert!(allow.contains("INVITE") && !allow.contains("INFO"));
    assert_eq!(ask(&mut world, "UPDATE", &[]), "200 UPDATE", "it has no offer");
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Answered { code: 200 }));
}

#[test]
fn a_target_refresh_leads_later_requests_elsewhere() {
    let mut world = World::new();
    let [_, b] = world.session();
    let elsewhere = String::from_utf8(world.last(A, "ACK"))
        .unwrap()
        .replace("ACK", "UPDATE")
        .replace("branch=z9hG4bK", "branch=z9hG4bKx")
        .replace("CSeq: 1", "CSeq: 2")
        .replace("Content-Length", "Contact: <sip:a@192.0.2.77>\r\nContent-Length");
    world.inject(B, elsewhere.into_bytes());
    world.run(10);
    world.act(B, |calls, turn| calls.bye(turn, b, b""));
    assert!(world.last(B, "BYE").starts_with(b"BYE sip:a@192.0.2.77 SIP/2.0"));
}

#[test]
fn the_route_set_leads_to_a_trusted_address_and_the_next_hop_to_any_other() {
    for (route, expected) in [
        ("<sip:192.0.2.9:5070;lr>", "192.0.2.9:5070"),
        ("<sip:198.51.100.1;lr>", "192.0.2.1:5060"),
        ("<sip:p.example;lr>", "192.0.2.1:5060"),
    ] {
        let mut world = World::new();
        world.lose(A, "INVITE", 1);
        world.invite();
        let invite = String::from_utf8(world.last(A, "INVITE")).unwrap();
        world.inject(B, invite.replace("Max-Forwards", &format!("Record-Route: {route}\r\nMax-Forwards")).into_bytes());
        world.run(20);
        let b = world.invited();
        world.accept(b);
        world.run(10);
        world.inject(B, world.last(A, "ACK"));
        world.run(10);
        world.targets.clear();
        assert!(world.act(B, |calls, turn| calls.bye(turn, b, b"")));
        assert_eq!(world.targets[0].peer.to_string(), expected, "{route}");
        assert_eq!(header_of(&world.last(B, "BYE"), Name::Route).as_deref(), Some(route));
        assert_eq!(header_of(&world.last(B, "200 INVITE"), Name::RecordRoute).as_deref(), Some(route));
    }
}

#[test]
fn what_is_too_much_or_makes_no_dialog_is_refused() {
    let refused = |change: &dyn Fn(String) -> String| {
        let mut world = World::with(|_, config| config.calls_max = 1);
        world.invite();
        let invite = change(String::from_utf8(world.last(A, "INVITE")).unwrap());
        let mut world = World::with(|_, config| config.calls_max = 1);
        world.inject(B, invite.into_bytes());
        world.run(20);
        (world.names(B).pop(), world.ends[B].calls.len())
    };
    assert_eq!(refused(&|invite| invite), (None, 1));
    assert_eq!(refused(&|invite| invite.replace("Contact", "Nothing")), (Some("400 INVITE".into()), 0));
    let routes = format!("Record-Route: <sip:{}.example;lr>\r\nMax", "x".repeat(17_000));
    assert_eq!(refused(&|invite| invite.replace("Max", &routes)), (Some("513 INVITE".into()), 0));
    let mut world = World::with(|_, config| config.calls_max = 1);
    world.session();
    let full = world.act(A, |calls, turn| calls.end(turn, 12_345, b""));
    assert!(!full, "no such session");
    let second = String::from_utf8(world.last(A, "INVITE")).unwrap();
    let second = second.replace("Call-ID: ", "Call-ID: x").replace("branch=z9hG4bK", "branch=z9hG4bKx");
    world.inject(B, second.into_bytes());
    world.run(20);
    assert_eq!(header_of(&world.last(B, "503 INVITE"), Name::RetryAfter).as_deref(), Some("5"));
}
