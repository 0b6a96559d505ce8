//! Answers of the service provider that say how long, and the one that says whether at all, in whole shards.

use std::time::Duration;

use isthmus::policy::UnknownOutcome;
use isthmus::shard::settings::Settings;
use isthmus::wire::smpp::{CommandStatus, DeliverSm, MessageState, Tag, Tlvs, tlv};

use crate::cpm_to_sms::request;
use crate::world::{World, settings};

const CALL_ID: &str = "1@client.example";

fn world(change: impl FnOnce(&mut Settings)) -> World {
    let mut settings = settings(1);
    change(&mut settings);
    World::new(1, 1, &settings)
}

/// Sends a request that differs from the ordinary one in its headers and CPIM headers.
fn send(world: &mut World, headers: &str, cpim: &str) {
    world.cpm.send_bytes(world.now.moment, CALL_ID, request(headers, cpim, ""), true);
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// [SMS-FAIL-A] [SMS-T2-other]
#[test]
fn an_sm_sc_that_does_not_answer_is_waited_for_as_long_as_policy_says() {
    for (unknown_outcome, code) in [(UnknownOutcome::Refuse, 480), (UnknownOutcome::Accept, 202)] {
        let mut world = world(|settings| {
            settings.policy.submission.answer_deadline_ms = 7_000;
            settings.policy.submission.unknown_outcome = unknown_outcome;
        });
        world.smscs[0].faults.no_response = true;
        send(&mut world, "", "");
        world.run_for(seconds(6));
        assert_eq!(world.cpm.answers.get(CALL_ID), None);
        world.run_for(seconds(2));
        assert_eq!(world.cpm.answers.get(CALL_ID), Some(&code));
    }
}

/// [SMS-RPT-01a]
#[test]
fn a_report_of_an_unknown_id_waits_as_long_as_policy_says() {
    let mut world = world(|settings| settings.policy.reports.unmatched_hold_s = 20);
    let place = world.smscs[0].report_on(world.now.moment, 999, MessageState::DELIVERED);
    world.run_for(seconds(19));
    assert!(world.smscs[0].deliveries[place].statuses.is_empty());
    world.run_for(seconds(2));
    assert_eq!(world.smscs[0].deliveries[place].statuses, [CommandStatus::ESME_RINVMSGID]);
}

/// [SMS-INPAGER-02]
#[test]
fn parts_are_waited_for_as_long_as_policy_says() {
    let mut world = world(|settings| settings.policy.delivery.joining_timeout_s = 40);
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 7]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[1]);
    let part = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000001",
        dest_addr_ton: 1,
        destination_addr: b"491700000002",
        short_message: b"the first half of ",
        tlvs: Tlvs::parse(&tlvs).unwrap(),
        ..DeliverSm::default()
    };
    world.smscs[0].deliver(world.now.moment, &part);
    world.run_for(seconds(39));
    assert!(world.cpm.received.is_empty());
    world.run_for(seconds(3));
    assert_eq!(world.cpm.received.len(), 1);
}

/// [GEN-PAGER-02a3] [GEN-PAGER-02b4]
#[test]
fn reports_of_messages_without_a_validity_are_waited_for_as_long_as_policy_says() {
    for (hours, status) in [(1, CommandStatus::ESME_ROK), (3, CommandStatus::ESME_RINVMSGID)] {
        let mut world = world(|settings| settings.policy.reports.wait_without_validity_s = 7_200);
        world.smscs[0].faults.no_reports = true;
        send(&mut world, "", "imdn.Disposition-Notification: positive-delivery");
        world.run_for(seconds(hours * 3_600));
        let id = world.smscs[0].accepted[0].message_id;
        let place = world.smscs[0].report_on(world.now.moment, id, MessageState::DELIVERED);
        world.run_for(seconds(30));
        assert_eq!(world.smscs[0].deliveries[place].statuses, [status], "after {hours} h");
    }
}

#[test]
fn standalone_messages_can_be_switched_off_in_both_directions() {
    let mut world = world(|settings| settings.policy.switches.sms_standalone_messages = false);
    send(&mut world, "", "");
    let deliver = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000001",
        dest_addr_ton: 1,
        destination_addr: b"491700000002",
        short_message: b"Hello",
        ..DeliverSm::default()
    };
    let place = world.smscs[0].deliver(world.now.moment, &deliver);
    world.run_for(seconds(5));
    assert_eq!(world.cpm.answers.get(CALL_ID), Some(&488));
    assert_eq!(world.smscs[0].deliveries[place].statuses, [CommandStatus::ESME_RX_P_APPN]);
    assert!(world.cpm.received.is_empty() && world.smscs[0].accepted.is_empty());
}
