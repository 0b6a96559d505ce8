//! A status report becomes the notifications that were asked for (IWF 6.2.2.1.2, 6.2.4).

use std::time::Duration;

use isthmus::policy::{IntermediateNotification, NoMatchingMessageId, SeveralSegments};
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::{CommandId, CommandStatus, DataSm, DeliverSm, MessageState, Pdu, Tag, Tlvs, tlv};

use crate::cpm::Outgoing;
use crate::sip::{asking, imdns, message, outcomes, requests, send};
use crate::world::{World, settings};

const DELIVERED: (Notification, Status) = (Notification::Delivery, Status::Delivered);
const LEGACY_SMS: (Notification, Status) = (Notification::Interworking, Status::LegacySms);
const LONG: &str = "a text that needs more than one short message because it goes on and on, [with brackets] and €uro \
                    signs, until it has gone past one hundred and sixty septets by a good margin, and then on";

/// A world whose SM-SC has taken this message and reports nothing by itself; its message_id.
fn taken(seed: u8, message: &Outgoing) -> (World, u64) {
    let mut world = World::new(seed, 2, &settings(1));
    world.smscs[0].faults.no_reports = true;
    assert_eq!(send(&mut world, message).status().0, 202);
    let id = world.smscs[0].accepted[0].message_id;
    (world, id)
}

/// The SM-SC reports, and `seconds` pass; every response to its reports so far.
fn report(world: &mut World, id: u64, state: MessageState, seconds: u64) -> Vec<CommandStatus> {
    let now = world.now.moment;
    world.smscs[0].report_on(now, id, state);
    world.run_for(Duration::from_secs(seconds));
    world.smscs[0].statuses()
}

/// [SMS-RPT-01] [SMS-RPT-01b] [SMS-RPT-02b] [SMS-RPT-03] [SMS-RPT-03b] [SMS-RPT-04] [SMS-RPT-05] [SMS-PAGER-07]
/// [SMS-PAGER-12] [SMS-OUT-04] [SMS-ESME-03b] [GEN-PAGER-02b]
#[test]
fn a_report_becomes_a_message_with_an_imdn() {
    let (mut world, id) = taken(1, &asking("one@client", "positive-delivery, negative-delivery"));
    assert_eq!(report(&mut world, id, MessageState::DELIVERED, 2), [CommandStatus::ESME_ROK]);
    let imdns = imdns(&world);
    assert_eq!(imdns.len(), 1);
    let imdn = &imdns[0];
    assert_eq!((imdn.message_id.as_str(), imdn.outcome), ("id-of-one@client", DELIVERED));
    assert_eq!(imdn.request.first_line, "MESSAGE tel:+491700000001 SIP/2.0");
    assert!(imdn.request.get("From").starts_with("<tel:+491700000002>;tag="));
    assert_eq!(imdn.request.get("To"), "<tel:+491700000001>");
    assert_eq!(imdn.request.get("Conversation-ID"), "conv-one@client");
    assert_eq!(imdn.request.get("Contribution-ID"), "contrib-one@client");
    assert_eq!(imdn.request.get("Content-Type"), "message/cpim");
    assert_eq!(imdn.cpim.content_header("Content-Type"), "message/imdn+xml");
    assert_eq!(imdn.cpim.content_header("Content-Disposition"), "notification");
    assert!(imdn.cpim.get("imdn.Message-ID").len() >= 8, "64 bits of randomness at least");
    assert!(imdn.cpim.headers.iter().all(|(name, _)| name != "imdn.Disposition-Notification"), "none for an IMDN");
}

/// [SMS-RPT-05]
#[test]
fn the_report_is_answered_when_the_cpm_side_has_answered() {
    let (mut world, id) = taken(2, &asking("wait@client", "positive-delivery"));
    world.cpm.silent = true;
    assert_eq!(report(&mut world, id, MessageState::DELIVERED, 1), []);
    world.cpm.silent = false;
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
    assert_eq!(requests(&world).len(), 1);
}

/// [SMS-RPT-01a]
#[test]
fn an_unknown_message_id_is_said_to_be_one_after_a_short_wait() {
    let (mut world, id) = taken(3, &asking("x@client", "positive-delivery"));
    assert_eq!(report(&mut world, id + 77, MessageState::DELIVERED, 4), [], "its response might still come");
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_RINVMSGID]);
    assert_eq!((requests(&world).len(), world.count(|stats| stats.reports_unknown)), (0, 1));
    let mut settings = settings(1);
    settings.policy.reports.no_matching_message_id = NoMatchingMessageId::Ok;
    let mut world = World::new(3, 1, &settings);
    assert_eq!(report(&mut world, 5, MessageState::DELIVERED, 6), [CommandStatus::ESME_ROK], "by policy");
}

/// [SMS-RPT-02] [SMS-RPT-02a]
#[test]
fn a_state_nobody_asked_about_is_only_answered() {
    for (asked, state) in [
        ("negative-delivery", MessageState::DELIVERED),
        ("positive-delivery", MessageState::UNDELIVERABLE),
        ("display, positive-delivery", MessageState::EXPIRED),
    ] {
        let (mut world, id) = taken(4, &asking("quiet@client", asked));
        assert_eq!(report(&mut world, id, state, 2), [CommandStatus::ESME_ROK], "{asked}");
        assert_eq!(requests(&world).len(), 0, "{asked}");
        assert_eq!(world.count(|stats| stats.open_messages), 0, "{asked}");
    }
}

/// [SMS-OK-01] [SMS-OK-02b]
#[test]
fn an_interworking_notification_says_legacy_sms() {
    let (mut world, id) = taken(5, &asking("iw@client", "interworking"));
    report(&mut world, id, MessageState::DELIVERED, 2);
    assert_eq!(outcomes(&world, "id-of-iw@client"), [LEGACY_SMS]);
    assert!(imdns(&world)[0].cpim.content.contains("<cpmimdn:legacy-sms/>"));
    assert!(imdns(&world)[0].request.first_line.starts_with("MESSAGE "));
}

#[test]
fn both_kinds_come_in_a_message_each() {
    let (mut world, id) = taken(6, &asking("both@client", "positive-delivery, interworking"));
    assert_eq!(report(&mut world, id, MessageState::DELIVERED, 2), [CommandStatus::ESME_ROK]);
    let mut outcomes = outcomes(&world, "id-of-both@client");
    outcomes.sort_by_key(|(notification, _)| *notification == Notification::Interworking);
    assert_eq!(outcomes, [DELIVERED, LEGACY_SMS]);
    let ids: std::collections::BTreeSet<_> =
        imdns(&world).iter().map(|i| i.cpim.get("imdn.Message-ID").to_owned()).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_message_that_asks_for_nothing_asks_the_smsc_for_nothing() {
    let (world, _) = taken(7, &message("none@client", "x"));
    assert_eq!(world.smscs[0].accepted[0].registered_delivery, 0);
}

/// RFC 5438 8: there is never a notification about a notification.
#[test]
fn an_imdn_from_cpm_is_acknowledged_and_goes_nowhere() {
    let (mut world, id) = taken(8, &asking("first@client", "positive-delivery"));
    report(&mut world, id, MessageState::DELIVERED, 2);
    let imdn = imdns(&world).remove(0);
    let request = String::from_utf8(message("imdn@client", "x").bytes("UDP", "z9hG4bKimdn")).unwrap();
    let head = request.split("Content-Length").next().unwrap();
    let body = &imdn.request.body;
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    world.cpm.send_bytes(world.now.moment, "imdn@client", request.into_bytes(), false);
    assert_eq!(crate::sip::answer_to(&mut world, "imdn@client").status(), (200, "OK"));
    world.run_for(Duration::from_secs(2));
    assert_eq!((world.smscs[0].accepted.len(), requests(&world).len()), (1, 1));
    assert_eq!(world.count(|stats| stats.imdns_received), 1);
}

#[test]
fn several_segments_give_one_notification_when_all_are_decided() {
    let (mut world, _) =
        taken(9, &Outgoing { text: LONG.into(), ..asking("long@client", "positive-delivery, negative-delivery") });
    let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(report(&mut world, ids[1], MessageState::DELIVERED, 2), [CommandStatus::ESME_ROK]);
    assert_eq!(requests(&world).len(), 0);
    report(&mut world, ids[0], MessageState::UNDELIVERABLE, 2);
    assert_eq!(outcomes(&world, "id-of-long@client"), [(Notification::Delivery, Status::Failed)]);
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK; 2]);
    assert_eq!((world.count(|s| s.open_messages), world.count(|s| s.open_reports)), (0, 0));
}

/// The SM-SC was asked for failures only, so nothing will be heard of the segments that arrive.
#[test]
fn with_negative_delivery_alone_the_first_failure_decides() {
    let (mut world, _) = taken(9, &Outgoing { text: LONG.into(), ..asking("bad@client", "negative-delivery") });
    let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
    let now = world.now.moment;
    world.smscs[0].report_on(now, ids[1], MessageState::UNDELIVERABLE);
    assert_eq!(report(&mut world, ids[0], MessageState::UNDELIVERABLE, 7), [CommandStatus::ESME_ROK; 2]);
    assert_eq!(outcomes(&world, "id-of-bad@client"), [(Notification::Delivery, Status::Failed)], "one for both");
}

/// The same if the other segment is heard of no more.
#[test]
fn a_single_failure_is_told_where_nothing_but_failures_is_reported() {
    let (mut world, id) = taken(9, &Outgoing { text: LONG.into(), ..asking("bad@client", "negative-delivery") });
    assert_eq!(report(&mut world, id, MessageState::UNDELIVERABLE, 2), [CommandStatus::ESME_ROK]);
    assert_eq!(outcomes(&world, "id-of-bad@client"), [(Notification::Delivery, Status::Failed)]);
}

#[test]
fn by_policy_the_first_failure_decides() {
    let mut settings = settings(1);
    settings.policy.reports.several_segments = SeveralSegments::FirstState;
    let mut world = World::new(10, 1, &settings);
    world.smscs[0].faults.no_reports = true;
    send(&mut world, &Outgoing { text: LONG.into(), ..asking("first@client", "positive-delivery, negative-delivery") });
    let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
    report(&mut world, ids[1], MessageState::REJECTED, 2);
    assert_eq!(outcomes(&world, "id-of-first@client"), [(Notification::Delivery, Status::Forbidden)]);
    report(&mut world, ids[0], MessageState::DELIVERED, 7);
    assert_eq!(outcomes(&world, "id-of-first@client").len(), 1);
    assert_eq!((world.count(|s| s.open_messages), world.count(|s| s.open_reports)), (0, 0));
}

#[test]
fn an_intermediate_report_leaves_the_message_open() {
    for (policy, expected) in [(IntermediateNotification::Ignore, 0), (IntermediateNotification::Processing, 1)] {
        let mut settings = settings(1);
        settings.policy.reports.intermediate_notification = policy;
        let mut world = World::new(11, 2, &settings);
        world.smscs[0].faults.no_reports = true;
        send(&mut world, &asking("mid@client", "positive-delivery, processing"));
        let id = world.smscs[0].accepted[0].message_id;
        assert_eq!(report(&mut world, id, MessageState::ENROUTE, 1), [CommandStatus::ESME_ROK]);
        assert_eq!(requests(&world).len(), expected);
        report(&mut world, id, MessageState::ACCEPTED, 1);
        report(&mut world, id, MessageState::DELIVERED, 1);
        let last = *outcomes(&world, "id-of-mid@client").last().unwrap();
        assert_eq!(last, DELIVERED, "{policy:?}");
        assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK; 3]);
    }
}

/// The report names its message and its state in optional parameters alone (SMPP 3.4 5.3.2.12, 5.3.2.35), and may be a
/// data_sm.
#[test]
fn reports_by_optional_parameters() {
    for by_data_sm in [false, true] {
        let (mut world, id) = taken(12, &asking("tlv@client", "positive-delivery, negative-delivery"));
        let mut tlvs = Vec::new();
        tlv::put(&mut tlvs, Tag::RECEIPTED_MESSAGE_ID, format!("{id}\0").as_bytes());
        tlv::put(&mut tlvs, Tag::MESSAGE_STATE, &[MessageState::EXPIRED.0]);
        let tlvs = Tlvs::parse(&tlvs).unwrap();
        let (source_addr, destination_addr) = (b"491700000002".as_slice(), b"491700000001".as_slice());
        let deliver = DeliverSm { source_addr, destination_addr, esm_class: 4, tlvs, ..DeliverSm::default() };
        let data = DataSm { source_addr, destination_addr, esm_class: 4, tlvs, ..DataSm::default() };
        let (command_id, pdu) = match by_data_sm {
            true => (CommandId::DATA_SM, Pdu::DataSm(data)),
            false => (CommandId::DELIVER_SM, Pdu::DeliverSm(deliver)),
        };
        let now = world.now.moment;
        world.smscs[0].enqueue(now, None, command_id, &pdu);
        world.run_for(Duration::from_secs(1));
        assert_eq!(outcomes(&world, "id-of-tlv@client"), [(Notification::Delivery, Status::Failed)]);
        assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
    }
}

/// The SM-SC repeats a report whose notification the CPM side did not take for now.
#[test]
fn a_notification_that_was_not_taken_is_sent_again_when_the_report_comes_again() {
    let (mut world, id) = taken(13, &asking("again@client", "positive-delivery, interworking"));
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(30));
    world.cpm.respond = [200, 503, 200].into();
    assert_eq!(report(&mut world, id, MessageState::DELIVERED, 5), [CommandStatus::ESME_RX_T_APPN]);
    assert_eq!(imdns(&world).len(), 2);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_RX_T_APPN, CommandStatus::ESME_ROK]);
    // The one that was taken is not sent again.
    assert_eq!(imdns(&world).len(), 3);
    assert_eq!((world.count(|s| s.imdns_sent), world.count(|s| s.imdns_failed)), (2, 1));
    assert_eq!((world.count(|s| s.open_messages), world.count(|s| s.open_reports)), (0, 0));
}

#[test]
fn a_notification_that_is_refused_for_good_is_not_sent_again() {
    let (mut world, id) = taken(14, &asking("gone@client", "positive-delivery"));
    world.cpm.respond = [404].into();
    assert_eq!(report(&mut world, id, MessageState::DELIVERED, 5), [CommandStatus::ESME_ROK]);
    assert_eq!(world.count(|stats| stats.imdns_failed), 1);
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

/// An SM-SC that does not wait for its answer repeats the report while the notification is under way: each gets an
/// answer, and the CPM side one notification.
#[test]
fn a_report_repeated_meanwhile_is_answered_and_not_passed_on_twice() {
    let (mut world, id) = taken(15, &asking("twice@client", "positive-delivery"));
    world.cpm.silent = true;
    report(&mut world, id, MessageState::DELIVERED, 1);
    report(&mut world, id, MessageState::DELIVERED, 1);
    world.cpm.silent = false;
    world.run_for(Duration::from_secs(10));
    assert_eq!(imdns(&world).len(), 1);
    let statuses = world.smscs[0].statuses();
    assert_eq!(statuses.len(), 2, "each deliver_sm has its deliver_sm_resp: {statuses:?}");
    assert!(statuses.contains(&CommandStatus::ESME_ROK));
}

/// A message of two segments, whose second one is throttled once and then answered `status`; meanwhile the first one is
/// reported undeliverable, which decides the message.
fn reported_before_the_answer(seed: u8, call_id: &str, status: CommandStatus) -> World {
    let mut settings = settings(1);
    settings.policy.reports.several_segments = SeveralSegments::FirstState;
    let mut world = World::new(seed, 1, &settings);
    world.smscs[0].faults.no_reports = true;
    world.smscs[0].faults.statuses = [CommandStatus::ESME_ROK, CommandStatus::ESME_RTHROTTLED].into();
    world.smscs[0].faults.status = status;
    let long = Outgoing { text: LONG.into(), ..asking(call_id, "positive-delivery, negative-delivery") };
    world.cpm.send(world.now.moment, &long);
    world.run_for(Duration::from_millis(100));
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::UNDELIVERABLE);
    world.run_for(Duration::from_millis(100));
    assert_eq!((world.cpm.answers.get(call_id), requests(&world).len()), (None, 0), "the sender's answer comes first");
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK], "nobody is left waiting");
    assert_eq!(world.count(|stats| stats.open_messages), 0);
    world
}

#[test]
fn a_report_before_the_senders_answer_is_told_after_it() {
    let world = reported_before_the_answer(16, "early@client", CommandStatus::ESME_ROK);
    assert_eq!(world.cpm.answers["early@client"], 202);
    assert_eq!(outcomes(&world, "id-of-early@client"), [(Notification::Delivery, Status::Failed)]);
}

/// The refusal has told it: a notification would be about a message that the client knows was not taken.
#[test]
fn a_report_about_what_is_refused_afterwards_is_told_to_nobody() {
    let world = reported_before_the_answer(16, "mixed@client", CommandStatus::ESME_RINVDSTADR);
    assert_eq!(world.cpm.answers["mixed@client"], 404);
    assert_eq!(requests(&world).len(), 0);
}

/// A transmitter and a receiver of one account are two sections of the configuration.
#[test]
fn reports_come_on_the_receiver_for_what_the_transmitter_submitted() {
    use isthmus::engine::smpp::BindType;
    for shards in 1..=3 {
        let mut settings = settings(2);
        settings.smscs[1].address = settings.smscs[0].address;
        settings.smscs[0].session.bind = BindType::Transmitter;
        settings.smscs[1].session.bind = BindType::Receiver;
        let mut world = World::new(17, shards, &settings);
        let binds = [CommandId::BIND_TRANSMITTER, CommandId::BIND_RECEIVER].map(|id| world.smscs[0].count(id));
        assert_eq!(binds, [1, 1]);
        assert_eq!(send(&mut world, &asking("pair@client", "positive-delivery")).status().0, 202);
        world.run_for(Duration::from_secs(8));
        assert_eq!(outcomes(&world, "id-of-pair@client"), [DELIVERED]);
        assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
    }
}

/// An SM-SC that counts its ids anew, and reports before it responds.
#[test]
fn an_id_that_is_given_out_again_belongs_to_the_newer_message() {
    let mut world = World::new(18, 2, &settings(1));
    world.smscs[0].faults.report_first = true;
    world.smscs[0].faults.response_delay = Duration::from_secs(2);
    for number in 0..6 {
        world.smscs[0].count_ids_anew();
        let call_id = format!("same{number}@client");
        assert_eq!(send(&mut world, &asking(&call_id, "positive-delivery")).status().0, 202);
        world.run_for(Duration::from_secs(3));
        assert_eq!(outcomes(&world, &format!("id-of-{call_id}")), [DELIVERED]);
    }
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK; 6]);
    assert!(world.smscs[0].accepted.windows(2).all(|pair| pair[0].message_id == pair[1].message_id));
}
