//! Sessions at their edges: who may not have one, offers that are none, chunks that lead nowhere (IWF V3.0 6.1.4, 6.1.5.1,
//! 6.2.2.1.3, 6.2.2.2.2, 4.4; RFC 3261 14.2, RFC 4975 7).

use std::time::Duration;

use isthmus::policy::{Policy, SessionInvitation, SessionSender};
use isthmus::wire::smpp::CommandStatus;

use crate::chat::{
    CPM_USER, OK, SMS_USER, TRY_AGAIN, answer, chat, nothing_is_left, said, seconds, sms, statuses, submitted,
    world_of, world_with,
};
use crate::client::{Client, SESSION, cpim, header, line};
use crate::sip::requests;
use crate::world::World;

fn asking() -> Policy {
    let mut policy = Policy::default();
    policy.sessions.invitation = SessionInvitation::Ask;
    policy
}

fn code(response: &str) -> &str {
    response.strip_prefix("SIP/2.0 ").map_or("", |rest| &rest[..3])
}

/// A message goes out, and its chunk is answered 200.
fn goes_on(world: &mut World, client: &mut Client) {
    client.say(world, &cpim("id", "", "goes on"), 10_000);
    seconds(world, 1);
    assert_eq!(submitted(world).last().unwrap(), "goes on");
    assert!(client.frames(world).iter().any(|frame| frame.contains(" 200 OK\r\n")));
}

/// [RCS-E164-2]
#[test]
fn an_inviter_without_a_number_is_refused() {
    for policy in [Policy::default(), Policy::rcs()] {
        let mut world = world_with(policy);
        let mut client = Client::new("edge1@a", SESSION);
        let headers = format!(
            "Contact: <sip:192.0.2.9:5060>;+g.3gpp.icsi-ref=\"{SESSION}\"\r\n\
             P-Asserted-Identity: <sip:alice@example.net>\r\n"
        );
        let offer = client.offer();
        let invite = client.request("INVITE", &headers, &offer);
        let responses = client.send(&mut world, &invite);
        assert_eq!(code(responses.last().unwrap()), "488");
        client.ack_refusal(&mut world);
        nothing_is_left(&mut world);
    }
}

/// [RCS-OFF-ANON]
#[test]
fn an_anonymous_inviter_is_not_named_and_in_rcs_refused() {
    for (base, expected) in [(asking(), "180"), (Policy::rcs(), "433")] {
        let mut policy = base;
        policy.submission.anonymous_source_addr = "4917000".into();
        let mut world = world_with(policy);
        let headers = "Privacy: id\r\n".to_owned();
        let mut client = Client { headers, ..Client::new("edge2@a", SESSION) };
        let responses = client.invite(&mut world);
        assert_eq!(code(responses.last().unwrap()), expected, "{responses:?}");
        seconds(&mut world, 1);
        for question in submitted(&world) {
            assert!(question.starts_with("Somebody invites you") && !question.contains("15550001"), "{question}");
        }
        for question in &world.smscs[0].accepted {
            assert_eq!(question.source_addr, b"4917000");
        }
    }
}

#[test]
fn an_invite_without_an_offer_is_refused() {
    let mut world = world_with(Policy::default());
    let mut client = Client::new("edge3@a", SESSION);
    let headers = "Contact: <sip:192.0.2.9:5060>\r\nP-Asserted-Identity: <tel:+15550001>\r\n";
    let invite = client.request("INVITE", headers, "");
    let responses = client.send(&mut world, &invite);
    assert_eq!(code(responses.last().unwrap()), "488");
    client.ack_refusal(&mut world);
    nothing_is_left(&mut world);
}

/// RFC 3261 14.2: the session is as it was before.
#[test]
fn a_change_that_cannot_be_taken_changes_nothing() {
    let (mut world, mut client) = chat("edge4@a");
    for (from, to) in [("m=message 7394", "m=message 0"), ("TCP/MSRP", "TCP/TLS/MSRP")] {
        let offer = client.offer().replace("o=- 1 1", "o=- 1 2").replace(from, to);
        let invite = client.request("INVITE", "Contact: <sip:192.0.2.9:5060>\r\n", &offer);
        let response = client.send(&mut world, &invite).pop().unwrap();
        assert_eq!(code(&response), "488", "{to}: {response}");
        client.ack_refusal(&mut world);
        goes_on(&mut world, &mut client);
    }
}

#[test]
fn a_message_that_its_sender_gives_up_is_not_sent() {
    let (mut world, mut client) = chat("edge5@a");
    let body = Some(("message/cpim", "From: <tel:+1>\r\n"));
    let begun = client.frame("begin01", "SEND", "Message-ID: m5\r\nByte-Range: 1-16/400\r\n", body, '+');
    let given_up = client.frame("abort01", "SEND", "Message-ID: m5\r\nByte-Range: 17-32/400\r\n", body, '#');
    client.push(&mut world, begun.as_bytes());
    client.push(&mut world, given_up.as_bytes());
    seconds(&mut world, 60);
    assert!(submitted(&world).is_empty());
    goes_on(&mut world, &mut client);
}

#[test]
fn a_message_that_is_too_large_is_stopped_and_the_session_goes_on() {
    let (mut world, mut client) = chat("edge6@a");
    let headers = "Message-ID: m6\r\nByte-Range: 1-4/99999999999\r\n";
    let frame = client.frame("large01", "SEND", headers, Some(("message/cpim", "From")), '+');
    let answers = client.push(&mut world, frame.as_bytes());
    assert!(answers.len() == 1 && answers[0].starts_with("MSRP large01 413 "), "{answers:?}");
    goes_on(&mut world, &mut client);
}

#[test]
fn a_session_that_is_over_is_unknown_to_msrp() {
    let (mut world, mut client) = chat("edge7@a");
    client.bye(&mut world);
    client.connect(&mut world, 0);
    let (_, answers) = client.say(&mut world, &cpim("id7", "", "Hello"), 10_000);
    assert!(answers.len() == 1 && answers[0].contains(" 481 "), "{answers:?}");
    assert!(submitted(&world).is_empty());
    nothing_is_left(&mut world);
}

#[test]
fn a_question_that_no_sm_sc_takes_is_refused() {
    let mut world = world_with(asking());
    world.kill_smsc(0);
    let mut client = Client::new("edge8@a", SESSION);
    let mut heard = client.invite(&mut world);
    seconds(&mut world, 60);
    heard.extend(client.heard(&mut world));
    assert_eq!(code(heard.last().unwrap()), "503", "{heard:?}");
    client.ack_refusal(&mut world);
    nothing_is_left(&mut world);
}

#[test]
fn what_comes_before_the_connection_waits_for_it() {
    for connects in [true, false] {
        let mut world = world_with(Policy::default());
        world.smscs[0].faults.redeliver = Some(Duration::from_secs(60));
        let mut client = Client::new("edge9@a", SESSION);
        client.invite(&mut world);
        client.ack(&mut world);
        let place = answer(&mut world, "early");
        assert_eq!(statuses(&world, place), []);
        if connects {
            client.connect(&mut world, 0);
            let frames = client.bind(&mut world);
            let send = frames.iter().find(|frame| frame.contains("early")).expect("the message");
            let ok = client.answer(send, 200);
            client.push(&mut world, ok.as_bytes());
            seconds(&mut world, 1);
            assert_eq!(statuses(&world, place), [OK]);
        } else {
            seconds(&mut world, 35);
            client.take_bye(&mut world);
            seconds(&mut world, 120);
            assert_eq!((statuses(&world, place), requests(&world).len()), (&[TRY_AGAIN, OK][..], 1));
        }
    }
}

/// The BYE is on its way: what the SMS user writes now is a message of its own.
#[test]
fn nothing_enters_a_session_that_is_being_left() {
    let (mut world, mut client) = chat("edge10@a");
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    client.say(&mut world, &cpim("id10", "", "Hello"), 10_000);
    seconds(&mut world, 1);
    assert_eq!(client.frames(&world).len(), 1);
    let place = answer(&mut world, "still there?");
    assert!(client.frames(&world).is_empty());
    assert_eq!((statuses(&world, place), requests(&world).len()), (&[OK][..], 1));
    client.take_bye(&mut world);
    nothing_is_left(&mut world);
}

/// [SMS-INV-01a] [SMS-INV-06B]
#[test]
fn numbers_of_their_own_on_several_cores() {
    let mut policy = Policy::default();
    policy.sessions.sender = SessionSender::InterworkingNumber;
    policy.sessions.interworking_numbers = vec!["+4917099900-+4917099939".into()];
    let mut world = world_of(3, policy);
    let client = |n: usize| Client { from: format!("+1555100{n}"), ..Client::new(&format!("edge{n}@{n}"), SESSION) };
    let mut clients: Vec<Client> = (1..9).map(client).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.invite(&mut world);
        client.ack(&mut world);
        client.connect(&mut world, at % 3);
        client.bind(&mut world);
        client.say(&mut world, &cpim("id", "", "Hello"), 10_000);
        seconds(&mut world, 1);
        client.frames(&world);
    }
    let mut numbers: Vec<Vec<u8>> = world.smscs[0].accepted.iter().map(|a| a.source_addr.clone()).collect();
    for (at, number) in numbers.iter().enumerate() {
        sms(&mut world, SMS_USER, core::str::from_utf8(number).unwrap(), &format!("to {at}"));
        seconds(&mut world, 1);
        let messages = clients[at].listen(&mut world);
        assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), [format!("to {at}")]);
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 8, "all different");
    assert!(numbers.iter().all(|number| number.starts_with(b"49170999") && number != CPM_USER.as_bytes()));
    for client in &mut clients {
        client.bye(&mut world);
    }
    nothing_is_left(&mut world);
}

#[test]
fn a_new_invitation_is_not_answered_by_what_an_old_one_still_waits_for() {
    let mut policy = asking();
    policy.sessions.late_answer_text = "Too late.".into();
    let mut world = world_with(policy);
    let mut old = Client::new("edge11@a", SESSION);
    old.invite(&mut world);
    seconds(&mut world, 160);
    old.heard(&mut world);
    old.ack_refusal(&mut world);
    let mut new = Client::new("edge12@a", SESSION);
    new.invite(&mut world);
    seconds(&mut world, 1);
    new.heard(&mut world);
    answer(&mut world, "Yes");
    let heard = new.heard(&mut world);
    let ok = heard.first().expect("a response");
    assert_eq!(code(ok), "200");
    assert!(line(ok, "a=path:").is_some() && header(ok, "Contact").is_some());
    assert!(!submitted(&world).contains(&"Too late.".to_owned()));
    new.ack(&mut world);
    new.bye(&mut world);
    nothing_is_left(&mut world);
}
