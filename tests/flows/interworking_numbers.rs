//! Numbers that are assigned to sessions (IWF V3.0 6.2.2.1.3 steps 1 and 2, 6.2.2.2.2).

use isthmus::policy::{Policy, SessionInvitation, SessionSender};

use crate::chat::{CPM_USER, OK, SMS_USER, nothing_is_left, said, seconds, sms, statuses, submitted, world_with};
use crate::client::{Client, SESSION, cpim};
use crate::sip::requests;
use crate::world::World;

fn pool(numbers: &str) -> Policy {
    let mut policy = Policy::default();
    policy.sessions.sender = SessionSender::InterworkingNumber;
    policy.sessions.interworking_numbers = vec![numbers.to_owned()];
    policy
}

/// A chat of another CPM user with the same SMS user.
fn other(call_id: &str) -> Client {
    Client { from: "+15550009".into(), ..Client::new(call_id, SESSION) }
}

fn say(world: &mut World, client: &mut Client, text: &str) {
    client.say(world, &cpim("id", "", text), 10_000);
    seconds(world, 1);
    client.frames(world);
}

fn sources(world: &World) -> Vec<String> {
    let text = |octets: &Vec<u8>| String::from_utf8(octets.clone()).unwrap();
    world.smscs[0].accepted.iter().map(|accepted| text(&accepted.source_addr)).collect()
}

/// [SMS-INV-01a] [SMS-INV-01b] [SMS-INV-06] [SMS-INV-06B] [SMS-T7-source_addr]
#[test]
fn a_session_has_a_number_of_its_own() {
    let mut world = world_with(pool("+4917099901-+4917099909"));
    let mut client = Client::new("num1@a", SESSION);
    client.establish(&mut world);
    say(&mut world, &mut client, "Hello");
    say(&mut world, &mut client, "again");
    assert_eq!(submitted(&world), ["+15550001: Hello", "again"], "the first says who writes");
    let number = sources(&world)[0].clone();
    assert!(number.starts_with("491709990"), "{number}");
    assert_eq!(sources(&world), [number.clone(), number.clone()]);
    let place = sms(&mut world, SMS_USER, &number, "Hi");
    seconds(&mut world, 1);
    let messages = client.listen(&mut world);
    assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), ["Hi"]);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, place), [OK]);
    // Beside the session the CPM user has his own number.
    sms(&mut world, SMS_USER, CPM_USER, "beside");
    seconds(&mut world, 1);
    assert!(client.listen(&mut world).is_empty());
    assert_eq!(requests(&world).len(), 1);
}

/// [SMS-INV-01b] [SMS-T4-short_message] [SMS-INV-06B] [SMS-INV-07B]
#[test]
fn the_question_comes_from_that_number_and_names_the_inviter() {
    let mut policy = pool("+4917099901");
    policy.sessions.invitation = SessionInvitation::Ask;
    let mut world = world_with(policy);
    let mut client = Client::new("num2@a", SESSION);
    client.invite(&mut world);
    seconds(&mut world, 1);
    client.heard(&mut world);
    assert_eq!(sources(&world), ["4917099901"]);
    assert!(submitted(&world)[0].contains("+15550001"));
    sms(&mut world, SMS_USER, CPM_USER, "Yes");
    seconds(&mut world, 1);
    assert_eq!(requests(&world).len(), 1, "an answer to somebody else");
    sms(&mut world, SMS_USER, "4917099901", "Yes");
    seconds(&mut world, 1);
    let heard = client.heard(&mut world);
    assert!(heard.last().is_some_and(|response| response.starts_with("SIP/2.0 200 ")), "{heard:?}");
}

/// [SMS-INV-07] [SMS-INV-07A] [SMS-INCHAT-00]
#[test]
fn two_sessions_of_one_sms_user_do_not_mix() {
    let mut world = world_with(pool("+4917099901-+4917099902"));
    let mut clients = [Client::new("num3@a", SESSION), other("num4@a")];
    for client in &mut clients {
        client.establish(&mut world);
        say(&mut world, client, "Hello");
    }
    let numbers = sources(&world);
    assert_ne!(numbers[0], numbers[1]);
    for (at, client) in clients.iter_mut().enumerate() {
        sms(&mut world, SMS_USER, &numbers[at], &format!("to {at}"));
        seconds(&mut world, 1);
        let messages = client.listen(&mut world);
        assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), [format!("to {at}")]);
    }
    sms(&mut world, "15550003", &numbers[0], "a stranger");
    seconds(&mut world, 1);
    assert!(clients.iter_mut().all(|client| client.listen(&mut world).is_empty()));
    assert!(requests(&world).len() == 1 && requests(&world)[0].first_line.starts_with("MESSAGE tel:+4917099901 "));
}

/// [SMS-INV-01a]
#[test]
fn a_number_goes_back_with_its_session_and_none_is_free_twice() {
    let mut world = world_with(pool("+4917099901"));
    let mut first = Client::new("num5@a", SESSION);
    first.establish(&mut world);
    say(&mut world, &mut first, "a");
    // The pool is empty for this SMS user: the other CPM user's own number is used.
    let mut second = other("num6@a");
    second.establish(&mut world);
    say(&mut world, &mut second, "b");
    assert_eq!(sources(&world), ["4917099901", "15550009"]);
    second.bye(&mut world);
    first.bye(&mut world);
    let mut third = other("num7@a");
    third.establish(&mut world);
    say(&mut world, &mut third, "c");
    assert_eq!(sources(&world).last().unwrap(), "4917099901");
    third.bye(&mut world);
    nothing_is_left(&mut world);
}
