//! A gateway that is asked to stop finishes what it accepted, takes nothing more, and unbinds.

use std::time::Duration;

use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Tag, Tlvs, tlv};

use crate::sip::{Cpim, answer_to, asking, imdns, message, requests, send};
use crate::world::{World, settings};

const OK: CommandStatus = CommandStatus::ESME_ROK;
const TRY_AGAIN: CommandStatus = CommandStatus::ESME_RX_T_APPN;

fn short_message() -> DeliverSm<'static> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: b"from afar",
        ..DeliverSm::default()
    }
}

fn part(world: &mut World, number: u8, text: &[u8]) {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 7]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
    let now = world.now.moment;
    let tlvs = Tlvs::parse(&tlvs).unwrap();
    world.smscs[0].deliver(now, &DeliverSm { short_message: text, tlvs, ..short_message() });
}

fn texts(world: &World) -> Vec<String> {
    requests(world).iter().map(|request| Cpim::read(&request.body).content).collect()
}

#[test]
fn an_idle_gateway_unbinds_at_once() {
    for shards in 1..=3 {
        let mut world = World::new(1, shards, &settings(2));
        world.drain();
        assert!(world.run_until(Duration::from_secs(1), World::is_drained));
        for smsc in &world.smscs {
            assert_eq!(smsc.count(CommandId::UNBIND), 1);
        }
        assert!(world.shards.iter().all(|shard| !shard.is_ready()));
        world.run_for(Duration::from_secs(600));
        assert!(world.smscs.iter().all(|smsc| smsc.count(CommandId::BIND_TRANSCEIVER) == 1), "no new bind");
    }
}

#[test]
fn what_was_accepted_is_finished_and_nothing_more_is_taken() {
    for shards in 1..=3 {
        let mut world = World::new(2, shards, &settings(1));
        world.smscs[0].faults.response_delay = Duration::from_secs(8);
        for number in 0..20 {
            world.cpm.send(world.now.moment, &message(&format!("in{number}@client"), "x"));
        }
        world.run_for(Duration::from_millis(10));
        world.drain();
        world.run_for(Duration::from_millis(10));
        let refused = send(&mut world, &message("late@client", "x"));
        assert_eq!((refused.status().0, refused.get("Retry-After")), (503, "5"));
        assert!(!world.is_drained());
        assert!(world.run_until(Duration::from_secs(30), World::is_drained));
        world.run_for(Duration::from_millis(10));
        assert_eq!(world.smscs[0].accepted.len(), 20);
        for number in 0..20 {
            assert_eq!(world.cpm.answers[&format!("in{number}@client")], 202);
        }
        let last = world.smscs[0].seen.last().unwrap().1.command_id;
        assert_eq!(last, CommandId::UNBIND, "after everything else");
    }
}

#[test]
fn a_short_message_on_its_way_is_answered_first_and_a_new_one_is_put_off() {
    for shards in 1..=3 {
        let mut world = World::new(3, shards, &settings(1));
        world.cpm.silent = true;
        let now = world.now.moment;
        world.smscs[0].deliver(now, &short_message());
        world.run_for(Duration::from_secs(1));
        world.drain();
        let now = world.now.moment;
        world.smscs[0].deliver(now, &DeliverSm { short_message: b"too late", ..short_message() });
        world.run_for(Duration::from_secs(1));
        assert!(!world.is_drained());
        world.cpm.silent = false;
        assert!(world.run_until(Duration::from_secs(30), World::is_drained));
        assert_eq!(texts(&world), ["from afar"]);
        assert_eq!(world.smscs[0].statuses(), [OK, TRY_AGAIN]);
    }
}

#[test]
fn a_notification_on_its_way_is_delivered_first() {
    let mut world = World::new(4, 2, &settings(1));
    world.cpm.silent = true;
    world.smscs[0].faults.response_delay = Duration::from_millis(10);
    world.cpm.send(world.now.moment, &asking("n@client", "positive-delivery"));
    assert_eq!(answer_to(&mut world, "n@client").status().0, 202);
    world.run_for(Duration::from_secs(1));
    world.drain();
    world.run_for(Duration::from_secs(1));
    assert!(!world.is_drained());
    world.cpm.silent = false;
    assert!(world.run_until(Duration::from_secs(30), World::is_drained));
    assert_eq!((imdns(&world).len(), world.smscs[0].statuses()), (1, vec![OK]));
}

/// Parts that the SM-SC was told are taken would be lost with the gateway.
#[test]
fn parts_that_were_acknowledged_are_delivered_before_the_end() {
    for shards in 1..=3 {
        let mut world = World::new(5, shards, &settings(1));
        part(&mut world, 1, b"the first half");
        world.run_for(Duration::from_secs(1));
        assert_eq!(world.smscs[0].statuses(), [OK]);
        world.drain();
        assert!(world.run_until(Duration::from_secs(30), World::is_drained));
        assert_eq!(texts(&world), ["the first half"]);
    }
}

#[test]
fn a_joined_message_is_not_put_off_when_there_will_be_nobody_to_join_it_again() {
    let mut world = World::new(6, 2, &settings(1));
    world.cpm.silent = true;
    part(&mut world, 1, b"one ");
    part(&mut world, 2, b"two");
    world.run_for(Duration::from_millis(100));
    world.drain();
    world.cpm.silent = false;
    world.cpm.respond = [503, 503, 200].into();
    assert!(world.run_until(Duration::from_secs(60), World::is_drained));
    assert_eq!(world.smscs[0].statuses(), [OK, OK]);
    assert_eq!(texts(&world), ["one two"; 3]);
}

#[test]
fn an_smsc_that_is_away_does_not_hold_the_gateway_up() {
    let mut world = World::new(7, 2, &settings(1));
    world.kill_smsc(0);
    world.run_for(Duration::from_secs(20));
    world.drain();
    assert!(world.run_until(Duration::from_secs(1), World::is_drained));
}

#[test]
fn an_smsc_that_answers_nothing_holds_it_up_for_as_long_as_its_messages_are_in_doubt() {
    let mut world = World::new(8, 2, &settings(1));
    world.smscs[0].faults.no_response = true;
    world.cpm.send(world.now.moment, &message("doubt@client", "x"));
    world.run_for(Duration::from_secs(1));
    world.drain();
    assert!(world.run_until(Duration::from_secs(60), World::is_drained));
    world.run_for(Duration::from_millis(10));
    assert_eq!(world.cpm.answers["doubt@client"], 480);
    assert_eq!(world.count(|stats| stats.submit_outcome_unknown), 1);
}

/// Where promises wait for the disk, so does the end.
#[test]
fn a_promise_that_waits_for_its_record_is_made_before_the_end() {
    for shards in 1..=3 {
        let mut settings = settings(1);
        settings.durable = true;
        let mut world = World::new(9, shards, &settings);
        world.smscs[0].faults.no_reports = true;
        world.cpm.send(world.now.moment, &asking("kept@client", "positive-delivery"));
        world.run_for(Duration::from_secs(1));
        assert_eq!((world.smscs[0].accepted.len(), world.writing.len()), (1, 1));
        world.drain();
        world.run_for(Duration::from_secs(1));
        assert!(!world.is_drained());
        world.write_records();
        assert!(world.run_until(Duration::from_secs(5), World::is_drained));
        world.run_for(Duration::from_millis(10));
        assert_eq!(world.cpm.answers.get("kept@client"), Some(&202));
    }
}
