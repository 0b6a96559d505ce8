//! Sessions when things cross, come twice, or do not come at all (IWF V3.0 6.1.4, 6.1.5.1, 6.2.2.1.3, 6.2.2.2.2, 6.2.3).

use std::time::Duration;

use isthmus::policy::{EarlyAnswer, NetworkType, Policy, SessionInvitation};
use isthmus::wire::cpim::imdn::Status;
use isthmus::wire::smpp::{CommandStatus, DeliverSm, MessageState, Tag, Tlvs, tlv};

use crate::chat::{
    CPM_USER, OK, SMS_USER, TRY_AGAIN, answer, chat, chat_with, nothing_is_left, said, seconds, statuses, submitted,
    world_with,
};
use crate::client::{Client, SESSION, cpim, header};
use crate::read;
use crate::sip::{Cpim, imdns, requests};
use crate::world::World;

fn asking() -> Policy {
    let mut policy = Policy::default();
    policy.sessions.invitation = SessionInvitation::Ask;
    policy
}

fn codes(messages: &[String]) -> Vec<&str> {
    messages.iter().filter_map(|message| message.strip_prefix("SIP/2.0 ")).map(|rest| &rest[..3]).collect()
}

/// The texts that reached the CPM side beside sessions.
fn beside(world: &World) -> Vec<String> {
    requests(world).iter().map(|request| Cpim::read(&request.body).content).collect()
}

/// An answer as a CDMA phone gives it.
fn user_response(world: &mut World, code: u8) {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::USER_RESPONSE_CODE, &[code]);
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr: SMS_USER.as_bytes(),
        dest_addr_ton: 1,
        destination_addr: CPM_USER.as_bytes(),
        esm_class: 0x10,
        tlvs: Tlvs::parse(&tlvs).unwrap(),
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].deliver(now, &pdu);
    seconds(world, 1);
}

/// [SMS-T5-200] [SMS-T5-603] [SMS-INV-08]
#[test]
fn a_cdma_phone_answers_by_a_code() {
    for (code, expected) in [(1, "200"), (2, "603")] {
        let mut policy = asking();
        policy.submission.network_type = NetworkType::Cdma;
        let mut world = world_with(policy);
        let mut client = Client::new("race1@a", SESSION);
        client.invite(&mut world);
        seconds(&mut world, 1);
        client.heard(&mut world);
        user_response(&mut world, code);
        assert_eq!(codes(&client.heard(&mut world)).first(), Some(&expected));
        assert_eq!(world.smscs[0].statuses(), [OK]);
    }
}

#[test]
fn a_repeated_invite_asks_once() {
    let mut world = world_with(asking());
    let mut client = Client::new("race2@a", SESSION);
    client.invite(&mut world);
    client.cseq = 0;
    let again = client.invite(&mut world);
    assert_eq!(codes(&again), ["180"]);
    seconds(&mut world, 1);
    assert_eq!(submitted(&world).len(), 1);
    assert_eq!(world.count(|s| s.chats_open), 1);
}

#[test]
fn a_reliable_ringing_is_acknowledged_before_the_answer_comes() {
    let mut world = world_with(asking());
    let mut client = Client { headers: "Require: 100rel\r\n".into(), ..Client::new("race3@a", SESSION) };
    let responses = client.invite(&mut world);
    let ringing = responses.last().unwrap();
    assert_eq!(codes(&responses), ["180"]);
    let rseq = header(ringing, "RSeq").expect("RSeq");
    assert!(header(ringing, "Require").expect("Require").contains("100rel"));
    let prack = client.request("PRACK", &format!("RAck: {rseq} 1 INVITE\r\n"), "");
    let answered = client.send(&mut world, &prack);
    assert_eq!(codes(&answered), ["200"]);
    seconds(&mut world, 1);
    answer(&mut world, "Yes");
    let heard = client.heard(&mut world);
    assert_eq!(codes(&heard).first(), Some(&"200"), "{heard:?}");
}

#[test]
fn without_an_ack_the_session_ends() {
    let mut world = world_with(Policy::default());
    let mut client = Client::new("race4@a", SESSION);
    client.invite(&mut world);
    seconds(&mut world, 40);
    let heard = client.heard(&mut world);
    assert!(heard.iter().filter(|message| message.starts_with("SIP/2.0 200 ")).count() > 3, "it is repeated");
    let bye = heard.iter().find(|message| message.starts_with("BYE ")).expect("a BYE").clone();
    client.reply(&mut world, &bye, 200, "");
    nothing_is_left(&mut world);
}

#[test]
fn without_a_connection_the_session_ends() {
    let mut world = world_with(Policy::default());
    let mut client = Client::new("race5@a", SESSION);
    client.invite(&mut world);
    client.ack(&mut world);
    seconds(&mut world, 45);
    let bye = client.take_bye(&mut world);
    assert!(header(&bye, "Reason").is_some_and(|reason| reason.contains("cause=503")), "{bye}");
    nothing_is_left(&mut world);
}

/// A short message that was on its way into a session when that ended comes by itself, once.
#[test]
fn what_was_on_its_way_into_a_session_that_ends_comes_beside_it() {
    let (mut world, mut client) = chat("race6@a");
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(30));
    let place = answer(&mut world, "wait for me");
    assert_eq!(client.frames(&world).len(), 1, "not answered");
    client.bye(&mut world);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, place), [TRY_AGAIN]);
    seconds(&mut world, 60);
    assert_eq!((statuses(&world, place), beside(&world)), (&[TRY_AGAIN, OK][..], vec!["wait for me".to_owned()]));
    nothing_is_left(&mut world);
}

/// RFC 4975 10.6, 10.10: the peer has no such session any more, whatever its SIP side thinks.
#[test]
fn a_peer_that_does_not_know_the_session_has_left_it() {
    for code in [481, 506] {
        let (mut world, mut client) = chat("race7@a");
        world.smscs[0].faults.redeliver = Some(Duration::from_secs(30));
        answer(&mut world, "anybody?");
        client.refuse(&mut world, code);
        seconds(&mut world, 1);
        client.take_bye(&mut world);
        seconds(&mut world, 60);
        assert_eq!(beside(&world), ["anybody?"], "{code}");
        nothing_is_left(&mut world);
    }
}

/// [SMS-OK-02b]
#[test]
fn a_failure_after_the_session_is_told_by_message() {
    let (mut world, mut client) = chat("race8@a");
    world.smscs[0].faults.response_delay = Duration::from_secs(5);
    world.smscs[0].faults.no_reports = true;
    client.say(&mut world, &cpim("id8", "positive-delivery, negative-delivery", "Hello"), 10_000);
    client.bye(&mut world);
    seconds(&mut world, 10);
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::UNDELIVERABLE);
    seconds(&mut world, 1);
    let imdns = imdns(&world);
    assert!(imdns.iter().any(|imdn| imdn.message_id == "id8" && imdn.outcome.1 == Status::Failed), "{imdns:?}");
    nothing_is_left(&mut world);
}

/// A session left while the SM-SC refuses its message: there is no last chunk to answer.
#[test]
fn a_refusal_after_the_session_is_told_by_message() {
    let (mut world, mut client) = chat("race9@a");
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    client.say(&mut world, &cpim("id9", "negative-delivery", "Hello"), 10_000);
    client.bye(&mut world);
    seconds(&mut world, 2);
    let imdns = imdns(&world);
    assert_eq!(imdns.iter().map(|imdn| imdn.outcome.1).collect::<Vec<_>>(), [Status::Failed]);
    nothing_is_left(&mut world);
}

#[test]
fn by_policy_the_last_chunk_is_answered_before_the_sm_sc_has_responded() {
    let mut policy = Policy::default();
    policy.sessions.early_answer = EarlyAnswer::Accepted;
    let (mut world, mut client) = chat_with("race10@a", policy);
    let (_, answers) = client.say(&mut world, &cpim("id10", "", "Hello"), 10_000);
    assert!(answers.len() == 1 && answers[0].contains(" 200 OK\r\n"), "{answers:?}");
    seconds(&mut world, 1);
    assert!(client.frames(&world).is_empty(), "once");
    assert_eq!(submitted(&world), ["Hello"]);
}

/// Nobody knows whether the SM-SC has it: 6.2.3 B, after the time that policy gives.
#[test]
fn an_sm_sc_that_does_not_respond_ends_the_session() {
    let (mut world, mut client) = chat("race11@a");
    world.smscs[0].faults.no_response = true;
    client.say(&mut world, &cpim("id11", "", "Hello"), 10_000);
    seconds(&mut world, 28);
    let answers = client.frames(&world);
    assert!(answers.len() == 1 && !answers[0].contains(" 200 "), "{answers:?}");
    client.take_bye(&mut world);
    nothing_is_left(&mut world);
}

/// Two sessions of the same two: the newer one has what comes, then the older one, then nobody.
#[test]
fn two_sessions_of_the_same_two() {
    let (mut world, mut older) = chat("race12@a");
    let mut newer = Client::new("race13@a", SESSION);
    newer.establish(&mut world);
    for expected in [[0, 1], [1, 0], [0, 0]] {
        answer(&mut world, "to whom?");
        let heard = [older.listen(&mut world).len(), newer.listen(&mut world).len()];
        assert_eq!(heard, expected);
        seconds(&mut world, 1);
        let leaver = if expected[1] == 1 { &mut newer } else { &mut older };
        leaver.bye(&mut world);
        leaver.link = None;
    }
    assert_eq!(beside(&world), ["to whom?"]);
    nothing_is_left(&mut world);
}

/// While the session is on hold a notification does not enter it.
#[test]
fn a_notification_does_not_enter_a_session_on_hold() {
    let (mut world, mut client) = chat("race14@a");
    client.say(&mut world, &cpim("id14", "positive-delivery", "Hello"), 10_000);
    client.attributes = "a=inactive\r\n".into();
    client.offer_anew(&mut world, "UPDATE");
    seconds(&mut world, 2);
    assert_eq!(client.frames(&world).len(), 1, "the answer to the chunk");
    assert_eq!(imdns(&world).len(), 1);
    assert_eq!(world.smscs[0].statuses(), [OK]);
}

#[test]
fn a_gateway_that_stops_leaves_its_sessions() {
    let (mut world, mut client) = chat("race15@a");
    world.drain();
    seconds(&mut world, 1);
    let bye = client.take_bye(&mut world);
    assert!(header(&bye, "Reason").is_some_and(|reason| reason.contains("cause=503")), "{bye}");
    let mut late = Client::new("race16@a", SESSION);
    assert_eq!(codes(&late.invite(&mut world)), ["503"]);
    late.ack_refusal(&mut world);
    assert!(world.run_until(Duration::from_secs(60), World::is_drained));
}

/// A client that never heard of the BYE would go on in a session that is none.
#[test]
fn a_gateway_that_stops_waits_for_the_answer_to_its_bye() {
    let (mut world, mut client) = chat("race29@a");
    world.drain();
    seconds(&mut world, 1);
    assert!(client.asked(&mut world).iter().any(|lost| lost.starts_with("BYE ")));
    assert!(!world.is_drained());
    seconds(&mut world, 3);
    client.take_bye(&mut world);
    assert!(world.run_until(Duration::from_secs(1), World::is_drained));
}

/// BYE and the MSRP response before it come by different roads; a message that the client has taken is not sent again.
#[test]
fn a_response_that_the_bye_outran_counts() {
    for (responds, expected) in [(true, OK), (false, TRY_AGAIN)] {
        let (mut world, mut client) = chat("race30@a");
        let place = answer(&mut world, "x");
        let sent = client.frames(&world).into_iter().find(|frame| frame.contains(" SEND\r\n")).unwrap();
        assert!(client.bye(&mut world).starts_with("SIP/2.0 200 "));
        world.run_for(Duration::from_millis(300));
        assert_eq!(statuses(&world, place), []);
        if responds {
            let response = client.answer(&sent, 200);
            client.push(&mut world, response.as_bytes());
        }
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, place), [expected]);
        nothing_is_left(&mut world);
    }
}

/// A question that needs more than one short message is one question.
#[test]
fn a_long_subject_is_asked_in_parts() {
    let mut world = world_with(asking());
    let subject = "Ünïcödé ".repeat(9);
    let mut client = Client { headers: format!("Subject: {}\r\n", subject.trim()), ..Client::new("race17@a", SESSION) };
    client.invite(&mut world);
    seconds(&mut world, 1);
    let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
    assert!(parts.len() > 1);
    assert!(read::joined(&parts).contains(subject.trim()));
    client.heard(&mut world);
    answer(&mut world, "Yes");
    assert_eq!(codes(&client.heard(&mut world)).first(), Some(&"200"));
}

/// A short message that the SM-SC sends again, because its connection broke, enters the session once.
#[test]
fn a_repeated_short_message_enters_once() {
    let (mut world, mut client) = chat("race18@a");
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(5));
    answer(&mut world, "same");
    world.cut_smsc(0);
    seconds(&mut world, 10);
    let messages = client.listen(&mut world);
    seconds(&mut world, 20);
    assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), ["same"]);
    assert_eq!(world.smscs[0].deliveries[0].sent, 2);
    assert_eq!(world.smscs[0].statuses().last(), Some(&OK));
    assert!(beside(&world).is_empty());
}
