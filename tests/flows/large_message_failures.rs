//! Large Messages that cannot be taken, and those that the SM-SC does not take (IWF V3.0 6.1.2 steps 1, 9 and 11, 6.2.3 B;
//! RFC 4975 7.2, 10).

use std::time::Duration;

use isthmus::policy::{EarlyAnswer, Policy};
use isthmus::wire::smpp::CommandStatus;

use crate::chat::{nothing_stays, seconds, world_with};
use crate::client::{Client, LARGE_MESSAGE, cpim, header};
use crate::large_message::long_text;
use crate::read;
use crate::world::{World, settings_with_msrp};

fn sender(call_id: &str) -> Client {
    Client { attributes: "a=sendonly\r\n".into(), ..Client::new(call_id, LARGE_MESSAGE) }
}

fn open(call_id: &str, policy: Policy) -> (World, Client) {
    let mut world = world_with(policy);
    let mut client = sender(call_id);
    client.establish(&mut world);
    (world, client)
}

/// The codes of MSRP responses.
fn codes(frames: &[String]) -> Vec<&str> {
    frames.iter().map(|frame| frame.split(' ').nth(2).expect("a code")).collect()
}

/// A change of the offer, and the code of the response to it.
const OFFERS: [(&str, &str, u16); 9] = [
    ("accept-wrapped-types:text/plain", "accept-wrapped-types:image/jpeg", 488),
    ("accept-wrapped-types:text/plain", "accept-wrapped-types:text/plain image/jpeg", 488),
    ("a=accept-wrapped-types:text/plain\r\n", "", 200),
    ("accept-wrapped-types:text/plain", "accept-wrapped-types:*", 200),
    ("accept-types:message/cpim", "accept-types:text/plain", 488),
    ("TCP/MSRP", "TCP/TLS/MSRP", 488),
    ("m=message 7394", "m=message 0", 488),
    ("m=message", "m=audio", 488),
    ("v=0", "v=zero", 488),
];

/// [GEN-LMM-01]
#[test]
fn an_offer_that_cannot_be_taken_is_488_with_a_warning() {
    for (from, to, expected) in OFFERS {
        let mut world = world_with(Policy::default());
        let mut client = sender("fail1@a");
        let offer = client.offer().replacen(from, to, 1);
        let tag = format!("Contact: <sip:192.0.2.9:5060>;+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"\r\n");
        let wanted = format!("Accept-Contact: *;+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\";require;explicit\r\n");
        let invite =
            client.request("INVITE", &format!("{tag}{wanted}P-Asserted-Identity: <tel:+15550001>\r\n"), &offer);
        let responses = client.send(&mut world, &invite);
        let last = responses.last().expect("a response");
        assert!(last.starts_with(&format!("SIP/2.0 {expected} ")), "{to}: {last}");
        assert_eq!(header(last, "Warning").is_some(), expected == 488, "{to}: {last}");
        if expected == 488 {
            client.ack_refusal(&mut world);
        } else {
            client.ack(&mut world);
            client.bye(&mut world);
        }
        nothing_stays(&mut world);
    }
}

/// What the SM-SC does.
#[derive(Clone, Copy, Debug)]
enum Smsc {
    Refuses,
    NeverAnswers,
    Dies,
    IsAway,
}

/// [GEN-LMM-10] [SMS-FAIL-B1] [SMS-FAIL-B2] [SMS-FAIL-B3] [SMS-FAIL-B4]
#[test]
fn a_message_that_the_sm_sc_does_not_take_is_413_and_a_bye() {
    for what in [Smsc::Refuses, Smsc::NeverAnswers, Smsc::Dies, Smsc::IsAway] {
        let (mut world, mut client) = open("fail2@a", Policy::default());
        match what {
            Smsc::Refuses => world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR,
            Smsc::NeverAnswers => world.smscs[0].faults.no_response = true,
            Smsc::Dies => {}
            Smsc::IsAway => world.kill_smsc(0),
        }
        let (_, mut answers) = client.say(&mut world, &cpim("id2", "", &long_text(1_000)), 400);
        if matches!(what, Smsc::Dies) {
            world.kill_smsc(0);
        }
        seconds(&mut world, 90);
        answers.extend(client.frames(&world));
        assert_eq!(codes(&answers).last(), Some(&"413"), "{what:?}: {answers:?}");
        assert_eq!(answers.iter().filter(|answer| answer.contains(" 413 ")).count(), 1, "{what:?}: {answers:?}");
        let bye = client.asked(&mut world).into_iter().find(|request| request.starts_with("BYE ")).expect("a BYE");
        assert_eq!(header(&bye, "Reason").as_deref(), Some("SIP;cause=480;text=\"Bearer unavailable\""), "{what:?}");
        client.reply(&mut world, &bye, 200, "");
        assert_eq!(world.count(|s| s.large_messages_open), 0, "{what:?}");
        nothing_stays(&mut world);
    }
}

/// [SMS-FAIL-B4]
#[test]
fn the_session_is_kept_until_its_bye_is_answered() {
    let (mut world, mut client) = open("fail3@a", Policy::default());
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    client.say(&mut world, &cpim("id3", "", "Hello"), 400);
    seconds(&mut world, 1);
    assert_eq!(world.count(|s| s.large_messages_open), 1);
    client.take_bye(&mut world);
    assert_eq!(world.count(|s| s.large_messages_open), 0);
}

/// [GEN-LMM-11]
#[test]
fn by_policy_the_last_chunk_is_408_before_the_sm_sc_has_answered() {
    for (early_answer, at_once) in [
        (EarlyAnswer::None, vec!["200"]),
        (EarlyAnswer::RequestTimeout, vec!["200", "408"]),
        (EarlyAnswer::Accepted, vec!["200", "200"]),
    ] {
        let mut policy = Policy::default();
        policy.sessions.early_answer = early_answer;
        let (mut world, mut client) = open("fail4@a", policy);
        let content = cpim("id4", "", "Hello");
        let (_, answers) = client.say(&mut world, &content, content.len() - 1);
        assert_eq!(codes(&answers), at_once, "{early_answer:?}");
        seconds(&mut world, 1);
        assert_eq!(world.smscs[0].accepted.len(), 1, "{early_answer:?}");
        assert!(client.asked(&mut world).is_empty(), "no BYE");
        client.bye(&mut world);
        nothing_stays(&mut world);
    }
}

/// Content that SMS cannot carry is refused, and the session goes on.
#[test]
fn content_that_sms_cannot_carry_is_413() {
    let too_long = cpim("id5", "", &long_text(255 * 153 + 1));
    let picture = cpim("id6", "", "GIF89a").replace("text/plain;charset=utf-8", "image/gif");
    for content in [too_long, picture] {
        let (mut world, mut client) = open("fail5@a", Policy::default());
        let (_, answers) = client.say(&mut world, &content, 20_000);
        seconds(&mut world, 1);
        assert_eq!(codes(&answers).last(), Some(&"413"), "{answers:?}");
        assert!(world.smscs[0].accepted.is_empty() && client.asked(&mut world).is_empty());
        client.say(&mut world, &cpim("id7", "", "Hello"), 400);
        seconds(&mut world, 1);
        assert_eq!(world.smscs[0].accepted.len(), 1);
        client.bye(&mut world);
        nothing_stays(&mut world);
    }
}

/// The longest text that there are segments for.
#[test]
fn a_text_of_255_segments_is_taken_whole() {
    let (mut world, mut client) = open("fail6@a", Policy::default());
    let text = long_text(255 * 153);
    client.say(&mut world, &cpim("id8", "", &text), 10_000);
    seconds(&mut world, 60);
    let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
    assert_eq!(parts.len(), 255);
    assert_eq!(read::joined(&parts), text);
    client.bye(&mut world);
    nothing_stays(&mut world);
}

/// RFC 4975 5.1, 7.3: chunks in any order, and octets that come twice.
#[test]
fn chunks_come_in_any_order_and_may_overlap() {
    let text = long_text(900);
    let content = cpim("id9", "", &text);
    let len = content.len();
    for ranges in [[500..len, 0..500, 0..0], [0..600, 300..700, 600..len], [700..len, 0..300, 300..700]] {
        let (mut world, mut client) = open("fail7@a", Policy::default());
        for (number, range) in ranges.into_iter().filter(|range| !range.is_empty()).enumerate() {
            let id = format!("any{number:05}");
            let headers = format!("Message-ID: any1\r\nByte-Range: {}-{}/{len}\r\n", range.start + 1, range.end);
            let flag = if range.end == len { '$' } else { '+' };
            let frame = client.frame(&id, "SEND", &headers, Some(("message/cpim", &content[range])), flag);
            client.push(&mut world, frame.as_bytes());
        }
        seconds(&mut world, 1);
        let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
        assert_eq!(read::joined(&parts), text);
        client.bye(&mut world);
        nothing_stays(&mut world);
    }
}

/// RFC 4975 7.1: '#' says that the message is given up.
#[test]
fn a_message_that_is_given_up_goes_nowhere() {
    let (mut world, mut client) = open("fail8@a", Policy::default());
    let headers = "Message-ID: up1\r\nByte-Range: 1-*/500\r\n";
    let frame = client.frame("up000001", "SEND", headers, Some(("message/cpim", "From: <tel:+1>")), '#');
    client.push(&mut world, frame.as_bytes());
    seconds(&mut world, 1);
    assert!(world.smscs[0].accepted.is_empty());
    client.say(&mut world, &cpim("id10", "", "Hello"), 400);
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].accepted.len(), 1);
    client.bye(&mut world);
    nothing_stays(&mut world);
}

/// RFC 4975 5.4, 7.2: 506 by another connection, 481 for a session that is not known or over.
#[test]
fn chunks_for_another_connection_or_session_are_refused() {
    let (mut world, mut client) = open("fail9@a", Policy::default());
    let mut second = client.clone();
    second.connect(&mut world, 0);
    let empty = |client: &Client, id: &str| {
        client.frame(id, "SEND", &format!("Message-ID: b{id}\r\nByte-Range: 1-0/0\r\n"), None, '$')
    };
    let frame = empty(&second, "second01");
    assert_eq!(codes(&second.push(&mut world, frame.as_bytes())), ["506"]);
    let known = client.peer_path.clone();
    client.peer_path = "msrp://198.51.100.1:2855/nobody;tcp".into();
    let frame = empty(&client, "unknown1");
    assert_eq!(codes(&client.push(&mut world, frame.as_bytes())), ["481"]);
    client.peer_path = known;
    client.bye(&mut world);
    let frame = empty(&client, "tooLate1");
    assert_eq!(codes(&client.push(&mut world, frame.as_bytes())), ["481"]);
    nothing_stays(&mut world);
}

/// RFC 4975 10.3: more than was said to be taken.
#[test]
fn a_message_that_is_too_large_is_413() {
    let mut settings = settings_with_msrp(1);
    settings.msrp.message_bytes_max = 2_000;
    let mut world = World::new(1, 1, &settings);
    world.run_for(Duration::from_secs(1));
    let mut client = sender("fail10@a");
    client.establish(&mut world);
    let (_, answers) = client.say(&mut world, &cpim("id11", "", &long_text(4_000)), 500);
    assert_eq!(codes(&answers).first(), Some(&"413"), "{answers:?}");
    seconds(&mut world, 1);
    assert!(world.smscs[0].accepted.is_empty());
    client.bye(&mut world);
    nothing_stays(&mut world);
}
