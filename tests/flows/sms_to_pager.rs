//! A short message becomes a CPM message, and the SIP response its deliver_sm_resp (IWF 6.2.2.2, 6.2.2.2.1).

use std::time::Duration;

use isthmus::policy::IncompleteMessage;
use isthmus::wire::smpp::{CommandId, CommandStatus, DataSm, DeliverSm, Pdu, Tag, Tlvs, tlv};

use crate::sip::{Cpim, requests};
use crate::world::{World, settings};

const OK: CommandStatus = CommandStatus::ESME_ROK;
const TRY_AGAIN: CommandStatus = CommandStatus::ESME_RX_T_APPN;
const REFUSED: CommandStatus = CommandStatus::ESME_RX_P_APPN;

/// A short message from +491700000009 to +491700000001 in Latin-1.
fn deliver_sm(text: &'static str) -> DeliverSm<'static> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000001",
        priority_flag: 1,
        data_coding: 3,
        short_message: text.as_bytes(),
        ..DeliverSm::default()
    }
}

fn deliver(world: &mut World, pdu: &DeliverSm<'_>) -> usize {
    let now = world.now.moment;
    world.smscs[0].deliver(now, pdu)
}

/// One part of a concatenated message by sar_* parameters.
fn part(world: &mut World, reference: u16, total: u8, number: u8, text: &'static str) -> usize {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[total]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
    let tlvs = Tlvs::parse(&tlvs).unwrap();
    deliver(world, &DeliverSm { tlvs, ..deliver_sm(text) })
}

fn texts(world: &World) -> Vec<String> {
    requests(world).iter().map(|request| Cpim::read(&request.body).content).collect()
}

fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds));
}

/// [SMS-IN-01] [SMS-INPAGER-03] [SMS-INPAGER-04] [SMS-ESME-02] [SMS-ESME-03b] [SEC-03a] [SMS-03] [GEN-IWF-06]
/// [GEN-IWF-07]
#[test]
fn a_deliver_sm_becomes_a_message() {
    let mut world = World::new(1, 2, &settings(1));
    deliver(&mut world, &deliver_sm("Good morning"));
    seconds(&mut world, 1);
    let requests = requests(&world);
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.first_line, "MESSAGE tel:+491700000001 SIP/2.0");
    assert_eq!(request.get("To"), "<tel:+491700000001>");
    assert!(request.get("From").starts_with("<tel:+491700000009;nccsid=SMS>;tag="), "{}", request.get("From"));
    assert_eq!(request.get("P-Asserted-Identity"), "<tel:+491700000009>");
    assert_eq!(request.get("P-Asserted-Service"), "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg");
    assert!(request.get("Accept-Contact").contains("urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"));
    assert!(request.get("User-Agent").starts_with("IWF-SMS-client/OMA2.1"));
    for id in ["Conversation-ID", "Contribution-ID"] {
        assert_eq!(request.get(id).len(), 36, "{id}");
    }
    // Nothing that only the endpoints could read or vouch for.
    assert_eq!(request.get("Content-Type"), "message/cpim");
    let cpim = Cpim::read(&request.body);
    assert_eq!((cpim.get("From"), cpim.get("To")), ("<tel:+491700000009;nccsid=SMS>", "<tel:+491700000001>"));
    assert!(cpim.content_header("Content-Type").starts_with("text/plain"), "text and nothing around it");
    assert_eq!(cpim.content, "Good morning");
    assert!(cpim.get("imdn.Message-ID").len() >= 8 && cpim.get("DateTime").starts_with("20"));
    assert_eq!(world.smscs[0].statuses(), [OK]);
}

/// [SMS-INPAGER-05]
#[test]
fn the_sip_response_becomes_the_deliver_sm_resp() {
    for (code, expected) in [
        (200, OK),
        (202, OK),
        (404, CommandStatus::ESME_RINVDSTADR),
        (503, TRY_AGAIN),
        (480, TRY_AGAIN),
        (403, REFUSED),
        (488, REFUSED),
    ] {
        let mut world = World::new(2, 1, &settings(1));
        world.cpm.respond = [code].into();
        deliver(&mut world, &deliver_sm("x"));
        seconds(&mut world, 1);
        assert_eq!(world.smscs[0].statuses(), [expected], "{code}");
    }
}

/// [SMS-INPAGER-05]
#[test]
fn the_deliver_sm_resp_waits_for_the_sip_response() {
    let mut world = World::new(3, 2, &settings(1));
    world.cpm.silent = true;
    deliver(&mut world, &deliver_sm("patience"));
    seconds(&mut world, 10);
    assert_eq!(world.smscs[0].statuses(), []);
    world.cpm.silent = false;
    seconds(&mut world, 10);
    assert_eq!((world.smscs[0].statuses(), texts(&world).len()), (vec![OK], 1));
    world.cpm.silent = true;
    deliver(&mut world, &deliver_sm("in vain"));
    seconds(&mut world, 40);
    assert_eq!(world.smscs[0].statuses(), [OK, TRY_AGAIN], "Timer F");
}

/// [SMS-INPAGER-01]
#[test]
fn a_sender_without_an_e164_number_is_refused() {
    let senders: [(u8, u8, &[u8]); 4] =
        [(5, 0, b"MyBank"), (3, 0, b"22333"), (0, 0, b"12"), (1, 1, b"49170000000912345")];
    for (source_addr_ton, source_addr_npi, source_addr) in senders {
        let mut world = World::new(4, 1, &settings(1));
        deliver(&mut world, &DeliverSm { source_addr_ton, source_addr_npi, source_addr, ..deliver_sm("x") });
        seconds(&mut world, 1);
        assert_eq!(world.smscs[0].statuses(), [CommandStatus(0x65)], "{source_addr:?}");
        assert!(requests(&world).is_empty());
    }
}

/// [SMS-INPAGER-02]
#[test]
fn parts_are_waited_for_and_joined_in_their_order() {
    let mut world = World::new(5, 3, &settings(1));
    part(&mut world, 7, 3, 3, "three");
    part(&mut world, 7, 3, 1, "one ");
    seconds(&mut world, 60);
    assert_eq!(world.smscs[0].statuses(), [OK, OK], "an SM-SC with a window of one goes on");
    assert!(texts(&world).is_empty());
    world.cpm.silent = true;
    part(&mut world, 7, 3, 2, "two ");
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].statuses(), [OK, OK], "the last is answered as the message is");
    world.cpm.silent = false;
    seconds(&mut world, 5);
    assert_eq!((texts(&world), world.smscs[0].statuses()), (vec!["one two three".to_owned()], vec![OK; 3]));
    assert_eq!(world.count(|stats| stats.joining), 0);
}

/// [SMS-INPAGER-02]
#[test]
fn sets_are_told_apart_by_reference_number_and_sender() {
    let mut world = World::new(6, 2, &settings(1));
    part(&mut world, 1, 2, 1, "a1");
    part(&mut world, 2, 2, 1, "b1");
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 1]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[2]);
    let other = DeliverSm { source_addr: b"491700000010", tlvs: Tlvs::parse(&tlvs).unwrap(), ..deliver_sm("c2") };
    deliver(&mut world, &other);
    part(&mut world, 2, 2, 2, "b2");
    part(&mut world, 1, 2, 2, "a2");
    seconds(&mut world, 2);
    let mut texts = texts(&world);
    texts.sort();
    assert_eq!(texts, ["a1a2", "b1b2"]);
    assert_eq!(world.count(|stats| stats.joining), 1);
}

#[test]
fn a_part_that_comes_twice_counts_once() {
    let mut world = World::new(7, 2, &settings(1));
    part(&mut world, 9, 2, 1, "one ");
    part(&mut world, 9, 2, 1, "one ");
    part(&mut world, 9, 2, 2, "two");
    seconds(&mut world, 2);
    part(&mut world, 9, 2, 2, "two");
    part(&mut world, 9, 2, 1, "one ");
    seconds(&mut world, 400);
    assert_eq!((texts(&world), world.smscs[0].statuses()), (vec!["one two".to_owned()], vec![OK; 5]));
    assert_eq!(world.count(|stats| stats.parts_repeated), 3);
}

#[test]
fn parts_that_never_come_are_done_without_or_the_message_is_given_up_by_policy() {
    for (incomplete_message, expected) in
        [(IncompleteMessage::Deliver, vec!["one three"]), (IncompleteMessage::Refuse, vec![])]
    {
        let mut settings = settings(1);
        settings.policy.delivery.incomplete_message = incomplete_message;
        let mut world = World::new(8, 2, &settings);
        part(&mut world, 9, 3, 3, "three");
        part(&mut world, 9, 3, 1, "one ");
        seconds(&mut world, 299);
        assert!(texts(&world).is_empty());
        seconds(&mut world, 3);
        assert_eq!(texts(&world), expected);
        assert_eq!((world.count(|s| s.joining), world.count(|s| s.joins_expired)), (0, 1));
    }
}

/// Nobody repeats what was acknowledged part by part: the gateway does.
#[test]
fn what_was_acknowledged_is_sent_until_it_is_taken() {
    let mut world = World::new(9, 1, &settings(1));
    world.cpm.respond = [503, 480, 500, 200].into();
    part(&mut world, 9, 2, 1, "half a message");
    seconds(&mut world, 301);
    assert_eq!(world.count(|stats| stats.undelivered), 1);
    seconds(&mut world, 300);
    assert_eq!(world.count(|stats| stats.undelivered), 0);
    assert_eq!(texts(&world), ["half a message"; 4]);
    assert_eq!(world.count(|stats| stats.delivers_accepted), 1);
}

/// The SM-SC repeats the last part, the one it was told to repeat; the others are still there.
#[test]
fn a_last_part_that_was_put_off_brings_the_whole_message_again() {
    let mut world = World::new(10, 3, &settings(1));
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(20));
    world.cpm.respond = [503, 503, 200].into();
    part(&mut world, 3, 3, 1, "one ");
    part(&mut world, 3, 3, 3, "three");
    part(&mut world, 3, 3, 2, "two ");
    seconds(&mut world, 90);
    assert_eq!(texts(&world), ["one two three"; 3]);
    assert_eq!(world.smscs[0].deliveries[2].statuses, [TRY_AGAIN, TRY_AGAIN, OK]);
    assert_eq!((world.count(|s| s.joining), world.count(|s| s.delivers_accepted)), (0, 1));
}

/// [SMS-ESME-04-N3]
#[test]
fn a_data_sm_is_a_short_message_too() {
    let mut world = World::new(11, 1, &settings(1));
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::MESSAGE_PAYLOAD, b"by data_sm");
    let data = DataSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        tlvs: Tlvs::parse(&tlvs).unwrap(),
        ..DataSm::default()
    };
    let now = world.now.moment;
    world.smscs[0].enqueue(now, None, CommandId::DATA_SM, &Pdu::DataSm(data));
    seconds(&mut world, 1);
    assert_eq!((texts(&world), world.smscs[0].statuses()), (vec!["by data_sm".to_owned()], vec![OK]));
    assert_eq!(world.smscs[0].count(CommandId::DATA_SM_RESP), 1);
}

#[test]
fn what_is_not_for_a_person_is_refused() {
    let mut world = World::new(12, 1, &settings(1));
    deliver(&mut world, &DeliverSm { data_coding: 4, ..deliver_sm("binary") });
    deliver(&mut world, &DeliverSm { protocol_id: 0x7F, data_coding: 0xF6, ..deliver_sm("for the SIM") });
    deliver(
        &mut world,
        &DeliverSm { esm_class: 0x40, short_message: b"\x06\x05\x04\x0B\x84\x23\xF0x", ..deliver_sm("") },
    );
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].statuses(), [REFUSED; 3]);
    assert!(requests(&world).is_empty());
}

/// A connection that breaks takes deliver_sm_resp with it; the CPM user does not get the message twice.
#[test]
fn a_message_that_comes_again_after_its_connection_broke_is_not_passed_on_twice() {
    for silent in [false, true] {
        let mut world = World::new(13, 2, &settings(1));
        world.smscs[0].faults.redeliver = Some(Duration::from_secs(5));
        world.cpm.silent = silent;
        deliver(&mut world, &deliver_sm("once"));
        // The response was on its way when the connection broke, or the outcome was open.
        let sent = world.run_until(Duration::from_secs(1), |world| !world.cpm.received.is_empty());
        assert!(sent);
        world.cut_smsc(0);
        seconds(&mut world, 20);
        world.cpm.silent = false;
        seconds(&mut world, 20);
        assert_eq!(world.smscs[0].deliveries[0].statuses, [OK], "silent: {silent}");
        assert_eq!(world.smscs[0].deliveries[0].sent, 2);
        assert_eq!(texts(&world), ["once"]);
        assert_eq!(world.count(|stats| stats.redelivered), 1);
    }
}

/// The same words twice are two messages.
#[test]
fn the_same_text_again_is_another_message() {
    let mut world = World::new(14, 2, &settings(1));
    deliver(&mut world, &deliver_sm("ok"));
    deliver(&mut world, &deliver_sm("ok"));
    seconds(&mut world, 1);
    deliver(&mut world, &deliver_sm("ok"));
    seconds(&mut world, 1);
    assert_eq!((texts(&world).len(), world.smscs[0].statuses()), (3, vec![OK; 3]));
}
