//! Sessions that go on: refreshed, changed, interrupted, and left by either side (IWF V3.0 6.1.4, 6.1.6, 6.2.2.2.2;
//! RFC 4028, RFC 3264, RFC 4975).

use isthmus::policy::{LeavingNotice, Policy};

use crate::chat::{
    CPM_USER, OK, SMS_USER, TRY_AGAIN, answer, chat, chat_with, nothing_is_left, said, seconds, sms, statuses,
    submitted, world_of, world_with,
};
use crate::client::{Client, SESSION, cpim, header, line};
use crate::sip::requests;
use crate::world::World;

/// A text each way.
fn both_ways(world: &mut World, client: &mut Client, name: &str) {
    client.say(world, &cpim("id", "", &format!("{name} out")), 10_000);
    seconds(world, 1);
    assert_eq!(submitted(world).last().unwrap(), &format!("{name} out"));
    let answers = client.frames(world);
    assert!(answers.iter().any(|answer| answer.contains(" 200 OK\r\n")), "{name}: {answers:?}");
    let place = self::answer(world, &format!("{name} in"));
    let messages = client.listen(world);
    assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), [format!("{name} in")]);
    seconds(world, 1);
    assert_eq!(statuses(world, place), [OK], "{name}");
}

fn with_timer(call_id: &str, refresher: &str) -> (World, Client) {
    let mut world = world_with(Policy::default());
    let headers = format!("Session-Expires: 600;refresher={refresher}\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n");
    let mut client = Client { headers, ..Client::new(call_id, SESSION) };
    client.establish(&mut world);
    (world, client)
}

/// [GEN-LEAVE-00] [GEN-LEAVE-01] [GEN-LEAVE-02] [GEN-LEAVE-05]
#[test]
fn a_bye_of_the_cpm_user_ends_the_session() {
    let (mut world, mut client) = chat("up1@a");
    both_ways(&mut world, &mut client, "before");
    let bye = client.bye(&mut world);
    assert!(bye.starts_with("SIP/2.0 200 OK\r\n"), "{bye}");
    assert_eq!(world.count(|s| s.chats_open), 0);
    // What the SMS user writes now is a message of its own.
    let place = answer(&mut world, "still there?");
    assert!(requests(&world).len() == 1 && requests(&world)[0].first_line.starts_with("MESSAGE tel:+15550001 "));
    assert_eq!(statuses(&world, place), [OK]);
    assert!(client.frames(&world).is_empty());
    assert_eq!(submitted(&world).len(), 1, "he does not know of a session");
    nothing_is_left(&mut world);
}

/// [GEN-LEAVE-03a] [GEN-LEAVE-04] [GEN-LEAVE-X1] [RCS-OFF-CLOSING]
#[test]
fn by_policy_the_sms_user_is_told_but_not_in_rcs() {
    for (mut policy, told) in [(Policy::default(), true), (Policy::rcs(), false)] {
        policy.sessions.leaving_notice = LeavingNotice::Always;
        let (mut world, mut client) = chat_with("up2@a", policy);
        client.bye(&mut world);
        seconds(&mut world, 1);
        let expected: &[&str] = if told { &["+15550001 has left the chat."] } else { &[] };
        assert_eq!(submitted(&world), expected);
        if told {
            assert_eq!(world.smscs[0].accepted[0].destination_addr, SMS_USER.as_bytes());
        }
        nothing_is_left(&mut world);
    }
}

/// [SMS-INCHAT-01] [RCS-NOLEAVE]
#[test]
fn the_sms_user_leaves_by_a_word_but_not_in_rcs() {
    let (mut world, mut client) = chat("up3@a");
    let place = answer(&mut world, "#Leave");
    assert_eq!(statuses(&world, place), [OK]);
    assert!(client.listen(&mut world).is_empty(), "all further processing is skipped");
    let bye = client.take_bye(&mut world);
    assert!(bye.starts_with("BYE sip:192.0.2.9:5060 SIP/2.0\r\n"), "{bye}");
    assert_eq!(world.count(|s| s.chats_open), 0);
    answer(&mut world, "hello?");
    assert_eq!(requests(&world).len(), 1, "the session is over");
    nothing_is_left(&mut world);

    let (mut world, mut client) = chat_with("up4@a", Policy::rcs());
    answer(&mut world, "#leave");
    let messages = client.listen(&mut world);
    assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), ["#leave"]);
    assert!(client.asked(&mut world).is_empty());
}

/// [GEN-SES-06d2]
#[test]
fn a_session_that_nobody_refreshes_ends() {
    let (mut world, mut client) = with_timer("up5@a", "uac");
    seconds(&mut world, 500);
    assert!(client.asked(&mut world).is_empty());
    seconds(&mut world, 110);
    client.take_bye(&mut world);
    nothing_is_left(&mut world);
}

/// [GEN-SES-06d2]
#[test]
fn the_cpm_user_refreshes_by_update_or_invite() {
    for method in ["UPDATE", "INVITE"] {
        let (mut world, mut client) = with_timer("up6@a", "uac");
        for _ in 0..5 {
            seconds(&mut world, 300);
            let response = client.offer_anew(&mut world, method);
            assert!(response.starts_with("SIP/2.0 200 "), "{method}: {response}");
            assert_eq!(header(&response, "Session-Expires").as_deref(), Some("600;refresher=uac"));
            assert!(client.asked(&mut world).is_empty(), "{method}");
        }
        both_ways(&mut world, &mut client, method);
        client.bye(&mut world);
        nothing_is_left(&mut world);
    }
}

/// [GEN-SES-06d2]
#[test]
fn the_gateway_refreshes_when_that_is_its_part() {
    let (mut world, mut client) = with_timer("up7@a", "uas");
    for _ in 0..5 {
        seconds(&mut world, 301);
        let asked = client.asked(&mut world);
        assert!(!asked.is_empty(), "a refresh");
        let refresh = &asked[0];
        assert!(refresh.starts_with("UPDATE ") || refresh.starts_with("INVITE "), "{refresh}");
        assert!(header(refresh, "Session-Expires").is_some_and(|value| value.contains("refresher=uac")), "{refresh}");
        client.reply(&mut world, refresh, 200, "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n");
    }
    both_ways(&mut world, &mut client, "refreshed");
    // Nobody answers any more.
    seconds(&mut world, 700);
    client.heard(&mut world);
    nothing_is_left(&mut world);
}

#[test]
fn a_session_is_held_and_resumed() {
    let (mut world, mut client) = chat("up8@a");
    for (held, answered) in [("inactive", "inactive"), ("sendonly", "recvonly")] {
        client.attributes = format!("a={held}\r\n");
        let response = client.offer_anew(&mut world, "INVITE");
        assert!(response.starts_with("SIP/2.0 200 "), "{response}");
        assert!(response.contains(&format!("\r\na={answered}\r\n")), "{response}");
        let place = answer(&mut world, "not now");
        assert!(client.frames(&world).is_empty(), "{held}: he does not want to hear");
        assert_eq!(statuses(&world, place), [TRY_AGAIN], "{held}");
    }
    client.attributes = "a=sendrecv\r\n".into();
    let response = client.offer_anew(&mut world, "UPDATE");
    assert!(response.starts_with("SIP/2.0 200 ") && response.contains("\r\na=sendrecv\r\n"), "{response}");
    both_ways(&mut world, &mut client, "resumed");
}

#[test]
fn a_session_moves_to_another_path() {
    let (mut world, mut client) = chat("up9@a");
    both_ways(&mut world, &mut client, "before");
    client.path = "msrp://192.0.2.9:7394/moved;tcp".into();
    let response = client.offer_anew(&mut world, "INVITE");
    assert!(response.starts_with("SIP/2.0 200 "), "{response}");
    client.peer_path = line(&response, "a=path:").expect("a path");
    client.connect(&mut world, 0);
    client.bind(&mut world);
    both_ways(&mut world, &mut client, "after");
    client.bye(&mut world);
    nothing_is_left(&mut world);
}

/// [GEN-MSRP-01] [GEN-MSRP-02] [GEN-MSRP-03] [GEN-MSRP-04-X1]
#[test]
fn a_passive_offer_makes_the_gateway_connect() {
    let mut world = world_with(Policy::default());
    // By RFC 6714 the connection line says where, whatever host the path has.
    let attributes = "a=sendrecv\r\na=msrp-cema\r\n".to_owned();
    let path = "msrp://10.0.0.9:2855/up10;tcp".to_owned();
    let mut client = Client { setup: "passive", attributes, path, ..Client::new("up10@a", SESSION) };
    let responses = client.invite(&mut world);
    assert!(responses.last().unwrap().contains("\r\na=setup:active\r\n"), "{responses:?}");
    client.ack(&mut world);
    seconds(&mut world, 1);
    assert_eq!(world.dials, ["192.0.2.9:7394".parse().unwrap()]);
    client.link = Some((world.tcp.len() - 1, 0));
    let frames = client.frames(&world);
    assert!(frames.len() == 1 && frames[0].contains(" SEND\r\n") && !frames[0].contains("Content-Type"), "{frames:?}");
    let ok = client.answer(&frames[0], 200);
    client.push(&mut world, ok.as_bytes());
    both_ways(&mut world, &mut client, "active");
    client.bye(&mut world);
    nothing_is_left(&mut world);
}

/// A lost connection comes again, or the session ends.
#[test]
fn a_lost_connection_may_come_again() {
    let (mut world, mut client) = chat("up11@a");
    world.tcp_close(client.link.unwrap().0);
    seconds(&mut world, 5);
    let place = sms(&mut world, SMS_USER, CPM_USER, "in between");
    seconds(&mut world, 1);
    client.connect(&mut world, 0);
    let frames = client.bind(&mut world);
    let send = frames.iter().find(|frame| frame.contains("in between")).expect("what came meanwhile is sent");
    let ok = client.answer(send, 200);
    client.push(&mut world, ok.as_bytes());
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, place), [OK]);
    both_ways(&mut world, &mut client, "again");
    world.tcp_close(client.link.unwrap().0);
    client.link = None;
    seconds(&mut world, 120);
    client.take_bye(&mut world);
    nothing_is_left(&mut world);
}

/// Two cores, and everything comes to the one that does not have the session: SIP, MSRP, SMS.
#[test]
fn it_does_not_matter_which_core_hears_first() {
    for (at, other) in [(0, 1), (1, 0)] {
        for call_id in ["up12@a", "up13@b", "up14@c"] {
            let mut world = world_of(2, Policy::default());
            world.arrive_at = Some(at);
            let mut client = Client::new(call_id, SESSION);
            client.invite(&mut world);
            client.ack(&mut world);
            client.connect(&mut world, other);
            client.bind(&mut world);
            both_ways(&mut world, &mut client, "over cores");
            client.bye(&mut world);
            nothing_is_left(&mut world);
        }
    }
}

/// [GEN-MEDIA-04] [GEN-MEDIA-09] [SMS-INCHAT-04]
#[test]
fn a_long_talk_passes_whole_and_leaves_nothing() {
    let (mut world, mut client) = with_timer("up15@a", "uas");
    for number in 0..200 {
        both_ways(&mut world, &mut client, &format!("{number}"));
        for _ in 0..3 {
            seconds(&mut world, 18);
            for refresh in client.asked(&mut world) {
                client.reply(&mut world, &refresh, 200, "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n");
            }
        }
    }
    assert_eq!(submitted(&world).len(), 200);
    client.bye(&mut world);
    nothing_is_left(&mut world);
}
