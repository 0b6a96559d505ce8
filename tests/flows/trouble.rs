//! Rare turns of events: binds that share the work, sockets bound to every address, answers that cross.

use std::time::Duration;

use isthmus::engine::smpp::BindType;
use isthmus::engine::transport::Transport;
use isthmus::policy::{EarlyAnswer, UnknownOutcome};
use isthmus::shard::settings::{Listener, Settings};
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::{CommandStatus, DeliverSm, MessageState, Tag, Tlvs, tlv};

use crate::cpm::Outgoing;
use crate::sip::{Cpim, answer_to, asking, imdns, message, outcomes, requests, send};
use crate::world::{CPM, World, settings};

const OK: CommandStatus = CommandStatus::ESME_ROK;
const TRY_AGAIN: CommandStatus = CommandStatus::ESME_RX_T_APPN;
const FAILED: (Notification, Status) = (Notification::Delivery, Status::Failed);
const LONG: &str = "a text that needs more than one short message because it goes on and on, [with brackets] and €uro \
                    signs, until it has gone past one hundred and sixty septets by a good margin, and then on";

fn deliver_sm(text: &'static str) -> DeliverSm<'static> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: text.as_bytes(),
        ..DeliverSm::default()
    }
}

fn deliver(world: &mut World, text: &'static str) {
    let now = world.now.moment;
    world.smscs[0].deliver(now, &deliver_sm(text));
}

/// One part of two under reference 9.
fn part(world: &mut World, number: u8, text: &'static str) {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[0, 9]);
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[2]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
    let tlvs = Tlvs::parse(&tlvs).unwrap();
    let now = world.now.moment;
    world.smscs[0].deliver(now, &DeliverSm { tlvs, ..deliver_sm(text) });
}

fn texts(world: &World) -> Vec<String> {
    requests(world).iter().map(|request| Cpim::read(&request.body).content).collect()
}

fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds));
}

/// An account whose transmitter and receiver are entries of their own.
fn two_binds(account: &str) -> Settings {
    let mut settings = settings(2);
    settings.smscs[0].session.bind = BindType::Transmitter;
    settings.smscs[1].session.bind = BindType::Receiver;
    for smsc in &mut settings.smscs {
        smsc.account = account.into();
    }
    settings
}

#[test]
fn entries_with_other_addresses_are_one_account_if_they_say_so() {
    for (account, found) in [("both", 1), ("", 0)] {
        let mut world = World::new(52, 2, &two_binds(account));
        world.smscs[0].faults.no_reports = true;
        send(&mut world, &asking("there@client", "positive-delivery"));
        let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
        world.smscs[1].report_on(now, id, MessageState::DELIVERED);
        seconds(&mut world, 7);
        assert_eq!(imdns(&world).len(), found, "{account:?}");
    }
}

/// RFC 3261 18.1.1: what stands in Via is a name under which we can be reached.
#[test]
fn a_socket_bound_to_every_address_is_not_named_by_that() {
    let listener = |transport, local: &str| Listener { transport, local: local.parse().unwrap() };
    let everywhere = [listener(Transport::Udp, "0.0.0.0:5060"), listener(Transport::Tcp, "0.0.0.0:5061")];
    let families = [
        listener(Transport::Udp, "[2001:db8::1]:5062"),
        listener(Transport::Udp, "198.51.100.1:5060"),
        listener(Transport::Tcp, "[2001:db8::1]:5062"),
    ];
    for (listeners, hop, via) in [
        (&everywhere[..], "", "SIP/2.0/UDP gw.example.net:5060;"),
        (&everywhere[..], ";transport=tcp", "SIP/2.0/TCP gw.example.net:5061;"),
        (&families[..], "", "SIP/2.0/UDP 198.51.100.1:5060;"),
    ] {
        let mut settings = settings(1);
        settings.sip.listeners = listeners.to_vec();
        settings.sip.next_hop = format!("sip:{CPM}{hop}");
        let mut world = World::new(53, 1, &settings);
        deliver(&mut world, "hello");
        seconds(&mut world, 1);
        assert!(requests(&world)[0].get("Via").starts_with(via), "{:?}", requests(&world)[0]);
        assert_eq!(world.smscs[0].statuses(), [OK], "the response is known by it");
    }
}

/// The parts of the second message were acknowledged like those of the first.
#[test]
fn two_messages_that_share_a_reference_and_stay_incomplete_are_both_delivered() {
    let mut world = World::new(54, 1, &settings(1));
    part(&mut world, 1, "the first ");
    part(&mut world, 1, "the second ");
    seconds(&mut world, 1);
    assert_eq!((world.smscs[0].statuses(), world.count(|stats| stats.joining)), (vec![OK; 2], 1));
    seconds(&mut world, 310);
    assert_eq!(
        (texts(&world), world.count(|stats| stats.joining)),
        (vec!["the first ".into(), "the second ".into()], 0)
    );
}

#[test]
fn a_message_that_is_put_off_loses_nothing_to_another_under_its_reference() {
    let mut world = World::new(55, 1, &settings(1));
    world.cpm.silent = true;
    part(&mut world, 1, "one ");
    part(&mut world, 2, "two");
    world.run_for(Duration::from_millis(100));
    part(&mut world, 1, "another ");
    world.run_for(Duration::from_millis(100));
    world.cpm.silent = false;
    world.cpm.respond = [503, 200].into();
    seconds(&mut world, 5);
    assert_eq!(texts(&world), ["one two", "another "]);
    seconds(&mut world, 310);
    assert_eq!(texts(&world), ["one two", "another ", "one "], "the SM-SC did not come again with the last part");
    assert_eq!(world.count(|stats| stats.joining), 0);
}

/// Twice the same words at once are two messages also when both are in doubt.
#[test]
fn two_alike_that_come_again_are_each_passed_on_once() {
    let mut world = World::new(56, 2, &settings(1));
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(5));
    world.cpm.silent = true;
    deliver(&mut world, "ok");
    deliver(&mut world, "ok");
    assert!(world.run_until(Duration::from_secs(1), |world| world.cpm.received.len() == 2));
    world.cut_smsc(0);
    seconds(&mut world, 20);
    world.cpm.silent = false;
    seconds(&mut world, 20);
    assert_eq!(texts(&world), ["ok", "ok"]);
    for delivery in &world.smscs[0].deliveries {
        assert_eq!((delivery.sent, &delivery.statuses[..]), (2, &[OK][..]));
    }
}

fn early() -> Settings {
    let mut settings = settings(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    settings
}

#[test]
fn a_failure_told_because_a_segment_was_refused_is_not_told_again_by_a_report() {
    let mut world = World::new(57, 2, &early());
    world.smscs[0].faults.statuses = [OK, CommandStatus::ESME_RINVDSTADR].into();
    world.smscs[0].faults.state = Some(MessageState::UNDELIVERABLE);
    world.smscs[0].faults.report_first = true;
    world.smscs[0].faults.response_delay = Duration::from_millis(500);
    send(&mut world, &Outgoing { text: LONG.into(), ..asking("half@client", "negative-delivery") });
    seconds(&mut world, 10);
    assert_eq!(outcomes(&world, "id-of-half@client"), [FAILED]);
    assert_eq!(world.smscs[0].statuses(), [OK]);
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

#[test]
fn a_report_that_is_being_told_is_answered_though_another_segment_is_refused_meanwhile() {
    let mut settings = early();
    settings.smscs[0].session.throughput_per_second = 1;
    let mut world = World::new(58, 1, &settings);
    world.smscs[0].faults.statuses = [OK, CommandStatus::ESME_RINVDSTADR].into();
    world.smscs[0].faults.state = Some(MessageState::UNDELIVERABLE);
    world.cpm.send(world.now.moment, &Outgoing { text: LONG.into(), ..asking("cross@client", "negative-delivery") });
    answer_to(&mut world, "cross@client");
    world.cpm.silent = true;
    seconds(&mut world, 2);
    assert_eq!((world.smscs[0].arrivals.len(), world.smscs[0].statuses()), (2, vec![]));
    world.cpm.silent = false;
    seconds(&mut world, 10);
    assert_eq!(outcomes(&world, "id-of-cross@client"), [FAILED]);
    assert_eq!(world.smscs[0].statuses(), [OK]);
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

#[test]
fn a_message_that_expires_while_its_notification_fails_is_forgotten() {
    let mut world = World::new(59, 1, &settings(1));
    world.smscs[0].faults.no_reports = true;
    let short = Outgoing { headers: "Expires: 60\r\n".into(), ..asking("brief@client", "positive-delivery") };
    send(&mut world, &short);
    seconds(&mut world, 640);
    world.cpm.silent = true;
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::DELIVERED);
    seconds(&mut world, 60);
    assert_eq!(world.smscs[0].statuses(), [TRY_AGAIN]);
    assert_eq!((world.count(|s| s.open_messages), world.count(|s| s.open_reports)), (0, 0));
}

/// SMPP 3.4 4.4.2 wants one; without it no report can say which message it is about.
#[test]
fn without_message_ids_no_report_is_passed_on_to_the_wrong_sender() {
    let mut world = World::new(60, 2, &settings(1));
    (world.smscs[0].faults.no_message_id, world.smscs[0].faults.no_reports) = (true, true);
    for number in 0..2 {
        assert_eq!(send(&mut world, &asking(&format!("{number}@client"), "positive-delivery")).status().0, 202);
    }
    let now = world.now.moment;
    world.smscs[0].deliver(now, &DeliverSm { esm_class: 4, ..deliver_sm("sub:001 dlvrd:001 stat:DELIVRD err:000") });
    seconds(&mut world, 7);
    assert!(imdns(&world).is_empty());
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_RINVMSGID]);
    assert_eq!((world.count(|s| s.reports_not_kept), world.count(|s| s.open_reports)), (2, 0));
}

#[test]
fn a_report_after_a_202_in_doubt_finds_its_message() {
    let mut settings = settings(1);
    settings.policy.submission.unknown_outcome = UnknownOutcome::Accept;
    settings.policy.submission.answer_deadline_ms = 50;
    let mut world = World::new(61, 2, &settings);
    world.smscs[0].faults.response_delay = Duration::from_secs(10);
    assert_eq!(send(&mut world, &asking("doubt@client", "positive-delivery")).status().0, 202);
    assert_eq!(world.count(|stats| stats.submit_outcome_unknown), 1, "before the SM-SC answered");
    seconds(&mut world, 20);
    assert_eq!((imdns(&world).len(), world.smscs[0].statuses()), (1, vec![OK]));
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

#[test]
fn an_smsc_whose_queues_are_full_leaves_the_message_to_the_next() {
    let mut settings = settings(2);
    (settings.smscs[0].session.window, settings.smscs[0].session.pending_max) = (1, 0);
    let mut world = World::new(62, 1, &settings);
    world.smscs[0].faults.response_delay = Duration::from_secs(10);
    world.cpm.send(world.now.moment, &message("first@client", "x"));
    seconds(&mut world, 0);
    assert_eq!(send(&mut world, &message("second@client", "x")).status().0, 202);
    assert_eq!(answer_to(&mut world, "first@client").status().0, 202);
    assert_eq!((world.smscs[0].accepted.len(), world.smscs[1].accepted.len()), (1, 1));
}

/// What finds the queue full is refused at once, until half of what waits has left; those that wait are sent.
#[test]
fn a_full_queue_refuses_until_it_is_half_empty() {
    let mut settings = settings(1);
    (settings.smscs[0].session.window, settings.smscs[0].session.pending_max) = (1, 4);
    let mut world = World::new(66, 1, &settings);
    world.smscs[0].faults.response_delay = Duration::from_secs(2);
    let call_id = |number: u32| format!("{number}@client");
    for number in 0..5 {
        world.cpm.send(world.now.moment, &message(&call_id(number), "x"));
    }
    seconds(&mut world, 1);
    for (number, code) in [(5, 503), (6, 503)] {
        assert_eq!(send(&mut world, &message(&call_id(number), "x")).status().0, code);
    }
    assert!(world.shards[0].is_ready() && world.count(|stats| stats.submit_resent) == 0);
    seconds(&mut world, 2);
    assert_eq!(send(&mut world, &message(&call_id(7), "x")).status().0, 503, "three wait");
    seconds(&mut world, 2);
    assert_eq!(send(&mut world, &message(&call_id(8), "x")).status().0, 202);
    for number in 0..5 {
        assert_eq!(answer_to(&mut world, &call_id(number)).status().0, 202);
    }
    assert_eq!(world.smscs[0].accepted.len(), 6);
}

/// A request that was just sent is waited for, however long nothing was heard before.
#[test]
fn a_connection_is_not_idle_while_a_request_is_on_it() {
    let mut settings = settings(1);
    settings.sip.next_hop = format!("sip:{CPM};transport=tcp");
    settings.sip.idle = Duration::from_secs(40);
    let mut world = World::new(63, 1, &settings);
    deliver(&mut world, "first");
    seconds(&mut world, 30);
    world.cpm.silent = true;
    deliver(&mut world, "second");
    seconds(&mut world, 20);
    assert_eq!(world.smscs[0].statuses(), [OK]);
    seconds(&mut world, 20);
    assert_eq!(world.smscs[0].statuses(), [OK, TRY_AGAIN], "Timer F");
}

/// The other core's connection to the same SM-SC may have room.
#[test]
fn a_core_whose_queues_are_full_leaves_the_message_to_another() {
    let mut settings = settings(1);
    settings.smscs[0].binds = 2;
    (settings.smscs[0].session.window, settings.smscs[0].session.pending_max) = (1, 0);
    let mut world = World::new(64, 2, &settings);
    let owner = |call_id: &String| {
        let head = format!("MESSAGE tel:+1 SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n");
        world.shards[0].owner_of(head.as_bytes()).0
    };
    let of_one_core: Vec<String> = (0..).map(|n| format!("{n}@client")).filter(|id| owner(id) == 0).take(2).collect();
    world.smscs[0].faults.response_delay = Duration::from_secs(10);
    for call_id in &of_one_core {
        world.cpm.send(world.now.moment, &message(call_id, "x"));
    }
    for call_id in &of_one_core {
        assert_eq!(answer_to(&mut world, call_id).status().0, 202);
    }
    assert_ne!(world.smscs[0].accepted[0].connection, world.smscs[0].accepted[1].connection);
}

/// The sender has 202; if we do not say that it failed, nobody does.
#[test]
fn a_failure_that_nobody_has_heard_of_yet_holds_a_drain_up() {
    let mut world = World::new(65, 2, &early());
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    world.cpm.respond = [503, 200].into();
    send(&mut world, &asking("owed@client", "negative-delivery"));
    seconds(&mut world, 50);
    assert_eq!(imdns(&world).len(), 1, "refused for now");
    world.drain();
    assert!(world.run_until(Duration::from_secs(30), World::is_drained));
    assert_eq!((imdns(&world).len(), world.count(|stats| stats.imdns_sent)), (2, 1));
}

/// Some SM-SCs give all segments of a text one id, and report on it once, or on each.
#[test]
fn segments_that_share_an_id_are_decided_by_one_report() {
    for reports in [1, 2] {
        let mut world = World::new(66, 2, &settings(1));
        (world.smscs[0].faults.same_message_id, world.smscs[0].faults.no_reports) = (true, true);
        send(&mut world, &Outgoing { text: LONG.into(), ..asking("one@client", "positive-delivery") });
        let id = world.smscs[0].accepted[1].message_id;
        for _ in 0..reports {
            let now = world.now.moment;
            world.smscs[0].report_on(now, id, MessageState::DELIVERED);
            seconds(&mut world, 7);
        }
        assert_eq!((imdns(&world).len(), world.smscs[0].statuses()), (1, vec![OK; reports]));
        assert_eq!((world.count(|s| s.open_messages), world.count(|s| s.open_reports)), (0, 0));
    }
}

#[test]
fn a_connection_of_ours_is_kept_for_the_answer_however_short_idle_is() {
    let mut settings = settings(1);
    settings.sip.next_hop = format!("sip:{CPM};transport=tcp");
    settings.sip.idle = Duration::from_secs(1);
    let mut world = World::new(67, 1, &settings);
    world.cpm.silent = true;
    deliver(&mut world, "patience");
    seconds(&mut world, 30);
    assert_eq!(world.smscs[0].statuses(), []);
    seconds(&mut world, 5);
    assert_eq!(world.smscs[0].statuses(), [TRY_AGAIN]);
}
