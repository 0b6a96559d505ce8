//! Messages of a CPM Session with an SMS user, both ways (IWF V3.0 6.1.5.1, 6.2.2.1.5, 6.2.2.2.2, 6.2.3 B, 6.2.4).

use std::time::Duration;

use isthmus::policy::{Policy, UnsupportedContent};
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::{CommandStatus, DeliverSm, MessageState, Tag, Tlvs, tlv};

use crate::client::{Client, SESSION, cpim, header};
use crate::large_message::long_text;
use crate::read;
use crate::sip::{Cpim, imdns, requests};
use crate::world::{World, settings_with_msrp};

/// The SMS user and the CPM user of every session here, as SMPP has them.
pub const SMS_USER: &str = "15550002";
pub const CPM_USER: &str = "15550001";

pub const OK: CommandStatus = CommandStatus::ESME_ROK;
pub const TRY_AGAIN: CommandStatus = CommandStatus::ESME_RX_T_APPN;
pub const REFUSED: CommandStatus = CommandStatus::ESME_RX_P_APPN;

/// A gateway with this policy, its SM-SC bound.
pub fn world_with(policy: Policy) -> World {
    world_of(1, policy)
}

/// The same with so many cores.
pub fn world_of(shards: u16, policy: Policy) -> World {
    let mut settings = settings_with_msrp(1);
    settings.policy = policy;
    let mut world = World::new(1, shards, &settings);
    seconds(&mut world, 1);
    world
}

/// A gateway in the profile `cpm`, and a session in it.
pub fn chat(call_id: &str) -> (World, Client) {
    chat_with(call_id, Policy::default())
}

pub fn chat_with(call_id: &str, policy: Policy) -> (World, Client) {
    let mut world = world_with(policy);
    let mut client = Client::new(call_id, SESSION);
    client.establish(&mut world);
    (world, client)
}

pub fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds));
}

/// A short message; its place in the SM-SC's deliveries.
pub fn sms(world: &mut World, from: &str, to: &str, text: &str) -> usize {
    sms_part(world, (from, to), text, Tlvs::default())
}

/// The same, or a part of it.
pub fn sms_part(world: &mut World, (from, to): (&str, &str), text: &str, tlvs: Tlvs<'_>) -> usize {
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: from.as_bytes(),
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: to.as_bytes(),
        data_coding: 3,
        short_message: text.as_bytes(),
        tlvs,
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].deliver(now, &pdu)
}

/// The same from the SMS user to the CPM user, given a second to arrive.
pub fn answer(world: &mut World, text: &str) -> usize {
    let place = sms(world, SMS_USER, CPM_USER, text);
    seconds(world, 1);
    place
}

pub fn statuses(world: &World, place: usize) -> &[CommandStatus] {
    &world.smscs[0].deliveries[place].statuses
}

/// Every short message that the SM-SC took, each by itself.
pub fn submitted(world: &World) -> Vec<String> {
    world.smscs[0].accepted.iter().map(|accepted| read::joined(&[accepted])).collect()
}

/// Nothing is left of sessions; what waits for a report, a transaction or a connection has had its time.
pub fn nothing_is_left(world: &mut World) {
    seconds(world, 400_000);
    nothing_is_open(world);
}

/// The same where every report came: transactions and connections have had their time.
pub fn nothing_stays(world: &mut World) {
    seconds(world, 300);
    nothing_is_open(world);
}

fn nothing_is_open(world: &World) {
    let left = |what: fn(&isthmus::observe::Stats) -> u64| world.count(what);
    assert_eq!(left(|s| s.chats_open + s.large_messages_open + s.large_deliveries_open), 0, "sessions");
    assert_eq!(left(|s| s.open_messages), 0, "open messages");
    assert_eq!(left(|s| s.server_transactions + s.client_transactions), 0, "transactions");
    assert_eq!(left(|s| s.msrp_connections), 0, "MSRP connections");
}

/// What a message of the gateway says, and that it names nobody.
pub fn said(message: &str) -> String {
    let cpim = Cpim::read(message);
    for name in ["From", "To"] {
        assert_eq!(cpim.get(name), "<sip:anonymous@anonymous.invalid>", "{message}");
    }
    cpim.content
}

/// [GEN-MEDIA-01] [GEN-MEDIA-03] [GEN-MEDIA-04] [GEN-MEDIA-05] [SMS-OUT-03] [SMS-INV-12a] [SMS-CHAT-03] [SMS-CHAT-03b]
/// [SMS-CHAT-04] [SMS-CHAT-05a] [SMS-T7-source_addr] [SMS-T7-destination_addr]
#[test]
fn a_chat_message_becomes_a_short_message() {
    let (mut world, mut client) = chat("chat1@a");
    let content = cpim("id1", "", "Hello there").replace("+15550001", "+19998887777").replace("+15550002", "+1777");
    let (_, answers) = client.say(&mut world, &content, 10_000);
    assert!(answers.is_empty(), "the SM-SC has not answered: {answers:?}");
    seconds(&mut world, 1);
    let accepted = &world.smscs[0].accepted;
    assert_eq!(submitted(&world), ["Hello there"]);
    assert_eq!(accepted[0].source_addr, CPM_USER.as_bytes(), "not what CPIM says");
    assert_eq!(accepted[0].destination_addr, SMS_USER.as_bytes());
    assert_eq!(accepted[0].registered_delivery, 0);
    let answers = client.frames(&world);
    assert!(answers.len() == 1 && answers[0].contains(" 200 OK\r\n"), "{answers:?}");
}

/// [GEN-MEDIA-02] [GEN-MEDIA-05] [SMS-CHAT-01] [SMS-CHAT-03a] [SMS-T7-sar_segment_seqnum] [SMS-T7-sar_total_segments]
#[test]
fn every_chunk_but_the_last_is_answered_at_once() {
    let (mut world, mut client) = chat("chat2@a");
    let text = long_text(900);
    let content = cpim("id2", "", &text);
    let (chunk, chunks) = (200, content.len().div_ceil(200));
    let (_, answers) = client.say(&mut world, &content, chunk);
    assert_eq!(answers.iter().filter(|answer| answer.contains(" 200 OK\r\n")).count(), chunks - 1, "{answers:?}");
    assert_eq!(answers.len(), chunks - 1);
    seconds(&mut world, 1);
    let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
    assert!(parts.len() > 1, "{}", parts.len());
    assert_eq!(read::joined(&parts), text);
    assert_eq!(client.frames(&world).len(), 1);
}

/// [GEN-MEDIA-05] [SMS-CHAT-05b] [SMS-FAIL-B1] [SMS-FAIL-B2] [SMS-FAIL-B3] [SMS-FAIL-B4]
#[test]
fn a_message_that_the_sm_sc_refuses_ends_the_session() {
    let (mut world, mut client) = chat("chat3@a");
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    client.say(&mut world, &cpim("id3", "", "Hello"), 10_000);
    seconds(&mut world, 1);
    let answers = client.frames(&world);
    assert!(answers.len() == 1 && answers[0].contains(" 413 "), "{answers:?}");
    assert_eq!(world.count(|s| s.chats_open), 1, "until the BYE is answered");
    let bye = client.take_bye(&mut world);
    assert_eq!(header(&bye, "Reason").as_deref(), Some("SIP;cause=480;text=\"Bearer unavailable\""));
    assert_eq!(world.count(|s| s.chats_open), 0);
    nothing_is_left(&mut world);
}

/// [SMS-CHAT-02] [SMS-CHAT-02a] [SMS-CHAT-02b]
#[test]
fn content_that_sms_cannot_carry_does_not_end_the_session() {
    for (unsupported_content, code) in
        [(UnsupportedContent::StopSending, " 413 "), (UnsupportedContent::UnsupportedMediaType, " 415 ")]
    {
        let mut policy = Policy::default();
        policy.sessions.unsupported_content = unsupported_content;
        let (mut world, mut client) = chat_with("chat4@a", policy);
        let picture = cpim("id4", "", "PNG").replace("text/plain;charset=utf-8", "image/png");
        let (_, answers) = client.say(&mut world, &picture, 10_000);
        assert!(answers.len() == 1 && answers[0].contains(code), "{answers:?}");
        client.say(&mut world, &cpim("id5", "", "words"), 10_000);
        seconds(&mut world, 1);
        assert_eq!(submitted(&world), ["words"]);
        assert!(client.frames(&world)[0].contains(" 200 OK\r\n"));
        assert!(client.asked(&mut world).is_empty(), "no BYE");
    }
}

/// What only tells of the CPM user is taken and goes no further.
#[test]
fn notifications_and_is_composing_are_taken() {
    let (mut world, mut client) = chat("chat5@a");
    let composing = cpim(
        "id6",
        "",
        "<isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\"><state>active</state></isComposing>",
    );
    let composing = composing.replace("text/plain;charset=utf-8", "application/im-iscomposing+xml");
    let notification = cpim(
        "id7",
        "",
        "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><message-id>x1</message-id><datetime>2026-11-21T10:15:30Z</datetime>\
         <display-notification><status><displayed/></status></display-notification></imdn>",
    );
    let notification = notification.replace("text/plain;charset=utf-8", "message/imdn+xml");
    for content in [composing, notification] {
        let (_, answers) = client.say(&mut world, &content, 10_000);
        assert!(answers.len() == 1 && answers[0].contains(" 200 OK\r\n"), "{answers:?}");
    }
    seconds(&mut world, 1);
    assert!(submitted(&world).is_empty());
}

/// [GEN-MEDIA-06] [GEN-MEDIA-08] [GEN-MEDIA-09] [SMS-IN-03] [SMS-INV-06] [SMS-INV-06B] [SMS-INV-07B] [SMS-INV-12b]
/// [SMS-INCHAT-03] [SMS-INCHAT-03a] [SMS-INCHAT-03b] [SMS-INCHAT-03c] [SMS-INCHAT-03e] [SMS-INCHAT-04] [SMS-INCHAT-06]
#[test]
fn a_short_message_becomes_a_chat_message() {
    let (mut world, mut client) = chat("chat6@a");
    let place = answer(&mut world, "Good evening");
    assert_eq!(statuses(&world, place), [], "it waits for the MSRP response");
    let frames = client.frames(&world);
    assert_eq!(frames.len(), 1);
    assert_eq!(header(&frames[0], "To-Path").as_deref(), Some(&*client.path));
    assert_eq!(header(&frames[0], "From-Path").as_deref(), Some(&*client.peer_path));
    assert_eq!(header(&frames[0], "Content-Type").as_deref(), Some("message/cpim"));
    let (_, content) = frames[0].split_once("\r\n\r\n").unwrap();
    let content = content.rsplit_once("\r\n-------").unwrap().0;
    assert_eq!(said(content), "Good evening");
    assert!(Cpim::read(content).content_header("Content-Type").starts_with("text/plain"));
    let ok = client.answer(&frames[0], 200);
    client.push(&mut world, ok.as_bytes());
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, place), [OK]);
    assert!(requests(&world).is_empty(), "nothing beside the session");
}

/// [SMS-INCHAT-05] [SMS-INCHAT-06]
#[test]
fn the_msrp_response_becomes_the_deliver_sm_resp() {
    for (code, expected) in
        [(200, OK), (400, REFUSED), (403, REFUSED), (408, TRY_AGAIN), (413, REFUSED), (415, REFUSED)]
    {
        let (mut world, mut client) = chat("chat7@a");
        let place = answer(&mut world, "x");
        assert_eq!(client.refuse(&mut world, code), 1);
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, place), [expected], "{code}");
    }
}

#[test]
fn no_msrp_response_is_a_reason_to_try_again() {
    let (mut world, _client) = chat("chat8@a");
    let place = answer(&mut world, "x");
    seconds(&mut world, 60);
    assert_eq!(statuses(&world, place), [TRY_AGAIN]);
}

/// [GEN-MEDIA-07]
#[test]
fn by_policy_the_sm_sc_is_answered_before_the_msrp_response() {
    let mut policy = Policy::default();
    policy.sessions.answer_before_msrp_response = true;
    let (mut world, mut client) = chat_with("chat9@a", policy);
    let place = answer(&mut world, "x");
    assert_eq!(statuses(&world, place), [OK]);
    assert_eq!(client.refuse(&mut world, 413), 1);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, place), [OK], "once");
}

/// [SMS-INCHAT-02] [SMS-INCHAT-03]
#[test]
fn parts_are_joined_before_they_enter_the_session() {
    let (mut world, mut client) = chat("chat10@a");
    for (number, text) in [(2, "second"), (1, "first ")] {
        let mut tlvs = Vec::new();
        tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 7]);
        tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
        tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
        assert!(client.listen(&mut world).is_empty(), "not all parts are there");
        sms_part(&mut world, (SMS_USER, CPM_USER), text, Tlvs::parse(&tlvs).unwrap());
        seconds(&mut world, 1);
        world.write_records();
    }
    let messages = client.listen(&mut world);
    assert_eq!(messages.iter().map(|message| said(message)).collect::<Vec<_>>(), ["first second"]);
}

/// [SMS-INCHAT-03d] [RCS-NOSUCCREP]
#[test]
fn success_reports_are_asked_for_by_policy_but_not_in_rcs() {
    for (mut policy, asked) in [(Policy::default(), true), (Policy::rcs(), false)] {
        policy.sessions.success_report = true;
        let (mut world, client) = chat_with("chat11@a", policy);
        answer(&mut world, "x");
        let octets = world.tcp[client.link.unwrap().0].received();
        let frames = String::from_utf8(octets).unwrap();
        assert!(frames.contains(" SEND\r\n"), "{frames}");
        assert_eq!(frames.contains("Success-Report: yes\r\n"), asked, "{frames}");
    }
}

/// [SMS-INV-06A] [SMS-INV-07A]
#[test]
fn short_messages_of_others_or_to_others_do_not_enter_the_session() {
    let (mut world, mut client) = chat("chat12@a");
    let places =
        [sms(&mut world, "15550003", CPM_USER, "a stranger"), sms(&mut world, SMS_USER, "15550004", "elsewhere")];
    seconds(&mut world, 1);
    assert!(client.frames(&world).is_empty());
    let requests = requests(&world);
    assert!(requests.len() == 2 && requests.iter().all(|request| request.first_line.starts_with("MESSAGE ")));
    assert!(places.iter().all(|place| statuses(&world, *place) == [OK]));
}

/// [SMS-CHAT-06] [SMS-CRPT-01] [SMS-CRPT-01b] [SMS-CRPT-02] [SMS-CRPT-03] [SMS-OK-02a]
/// [SMS-T7-registered_delivery-positive]
#[test]
fn a_status_report_comes_inside_of_the_session() {
    let (mut world, mut client) = chat("chat13@a");
    client.say(&mut world, &cpim("id13", "positive-delivery", "Hello"), 10_000);
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].accepted[0].registered_delivery & 3, 1);
    let messages = client.listen(&mut world);
    assert_eq!(messages.len(), 1);
    let document = said(&messages[0]);
    assert!(document.contains("<message-id>id13</message-id>"), "{document}");
    assert!(document.contains("<delivery-notification><status><delivered/>"), "{document}");
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].statuses(), [OK]);
    assert!(requests(&world).is_empty(), "nothing beside the session");
}

/// [SMS-CRPT-02] [SMS-T7-registered_delivery-negative]
#[test]
fn a_message_that_was_not_delivered_is_told_inside_of_the_session_but_not_in_rcs() {
    for (policy, told) in [(Policy::default(), true), (Policy::rcs(), false)] {
        let (mut world, mut client) = chat_with("chat14@a", policy);
        world.smscs[0].faults.state = Some(MessageState::UNDELIVERABLE);
        client.say(&mut world, &cpim("id14", "positive-delivery, negative-delivery", "Hello"), 10_000);
        seconds(&mut world, 1);
        let messages = client.listen(&mut world);
        assert_eq!(messages.iter().any(|message| said(message).contains("<failed/>")), told, "{messages:?}");
    }
}

/// [SMS-OK-02b] [GEN-SES-04]
#[test]
fn a_status_report_after_the_session_comes_by_message() {
    let (mut world, mut client) = chat("chat15@a");
    world.smscs[0].faults.no_reports = true;
    client.say(&mut world, &cpim("id15", "positive-delivery", "Hello"), 10_000);
    seconds(&mut world, 1);
    client.bye(&mut world);
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::DELIVERED);
    seconds(&mut world, 1);
    let imdns = imdns(&world);
    assert_eq!(imdns.len(), 1);
    assert_eq!((&*imdns[0].message_id, imdns[0].outcome), ("id15", (Notification::Delivery, Status::Delivered)));
    let request = &imdns[0].request;
    assert_eq!(request.first_line, "MESSAGE tel:+15550001 SIP/2.0");
    assert_eq!((request.get("Conversation-ID"), request.get("Contribution-ID")), ("conv-chat15@a", "contrib-chat15@a"));
    assert_eq!(world.smscs[0].statuses(), [OK]);
    nothing_is_left(&mut world);
}

/// [SMS-CRPT-01a]
#[test]
fn a_status_report_of_an_unknown_message_is_refused() {
    let (mut world, mut client) = chat("chat16@a");
    client.say(&mut world, &cpim("id16", "positive-delivery", "Hello"), 10_000);
    let now = world.now.moment;
    let place = world.smscs[0].report_on(now, 424_242, MessageState::DELIVERED);
    seconds(&mut world, 120);
    assert_eq!(statuses(&world, place), [CommandStatus::ESME_RINVMSGID]);
}
