//! A message that did not reach its recipient (IWF 6.2.3, 6.2.3.2).

use std::time::Duration;

use isthmus::policy::{EarlyAnswer, Policy};
use isthmus::shard::settings::Settings;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::{CommandStatus, MessageState};

use crate::cpm::Outgoing;
use crate::sip::{Sip, asking, imdns, message, outcomes, requests, send};
use crate::world::{World, settings};

const FAILED: (Notification, Status) = (Notification::Delivery, Status::Failed);

fn with_events(mcc: &str, mnc: &str) -> Settings {
    let mut settings = settings(1);
    (settings.policy.events.mcc, settings.policy.events.mnc) = (mcc.into(), mnc.into());
    settings.policy.reports.always_report_failure = true;
    settings
}

/// The SM-SC takes the message and reports `state` later.
fn reported(settings: &Settings, message: &Outgoing, state: MessageState) -> World {
    let mut world = World::new(21, 2, settings);
    world.smscs[0].faults.state = Some(state);
    assert_eq!(send(&mut world, message).status().0, 202);
    world.run_for(Duration::from_secs(5));
    world
}

fn events(world: &World) -> Vec<Sip> {
    requests(world).into_iter().filter(|r| r.get("Content-Type") == "application/vnd.oma.cpm-eventfw+xml").collect()
}

/// [SMS-FAIL-1]
#[test]
fn a_negative_delivery_that_was_asked_for_is_sent() {
    for asked in ["negative-delivery", "positive-delivery, negative-delivery"] {
        let world = reported(&with_events("262", "01"), &asking("f@client", asked), MessageState::UNDELIVERABLE);
        assert_eq!(outcomes(&world, "id-of-f@client"), [FAILED], "{asked}");
        assert!(events(&world).is_empty());
        assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
    }
}

/// [SMS-FAIL-2] [SMS-FAIL-2b] [SMS-FAIL-2-i] [SMS-FAIL-2-i1] [SMS-FAIL-2-i2] [SMS-EVT-00] [SMS-EVT-01] [SMS-EVT-02]
/// [SMS-EVT-03] [SMS-EVT-04] [SMS-EVT-05] [SMS-EVT-06]
#[test]
fn otherwise_the_participating_function_gets_an_event() {
    for asked in [message("e@client", "x"), asking("e@client", "positive-delivery"), asking("e@client", "display")] {
        let world = reported(&with_events("262", "01"), &asked, MessageState::UNDELIVERABLE);
        assert!(imdns(&world).is_empty(), "{asked:?}");
        let events = events(&world);
        assert_eq!(events.len(), 1, "{asked:?}");
        let event = &events[0];
        assert_eq!(event.first_line, "MESSAGE sip:CPM-PF@ims.mnc001.mcc262.3gppnetwork.org SIP/2.0");
        assert_eq!(event.get("To"), "<sip:CPM-PF@ims.mnc001.mcc262.3gppnetwork.org>");
        let own = "<sip:CPM-IWF@ims.mnc001.mcc262.3gppnetwork.org>";
        assert!(event.get("From").starts_with(&format!("{own};tag=")));
        assert_eq!(event.get("P-Asserted-Identity"), own);
        assert_eq!(event.get("P-Asserted-Service"), "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.systemmsg");
        assert!(event.get("Accept-Contact").contains("3gpp-service.ims.icsi.oma.cpm.systemmsg"));
        assert!(event.get("User-Agent").starts_with("IWF-SMS-client/OMA2.1"));
        let (_, iw) = event.body.split_once("<cpm-event-iw>").expect("the event");
        let (_, failed) = iw.split_once("<failed-iw>").expect("what happened");
        let (failed, _) = failed.split_once("</failed-iw>").unwrap();
        assert!(failed.contains("<cpm-user-address>tel:+491700000001</cpm-user-address>"), "{failed}");
        assert!(failed.contains("<message-id>id-of-e@client</message-id>"), "{failed}");
        assert_eq!((world.count(|s| s.events_sent), world.count(|s| s.open_messages)), (1, 0));
    }
}

/// 4.4: RCS neither asks for negative-delivery nor sends it.
#[test]
fn the_profile_rcs_sends_no_negative_delivery() {
    let mut settings = with_events("262", "001");
    let (events, reports) = (settings.policy.events.clone(), Policy::rcs().reports);
    settings.policy = Policy { events, ..Policy::rcs() };
    settings.policy.reports = isthmus::policy::Reports { always_report_failure: true, ..reports };
    let world = reported(&settings, &asking("r@client", "positive-delivery, negative-delivery"), MessageState::EXPIRED);
    assert!(imdns(&world).is_empty());
    assert_eq!(self::events(&world).len(), 1);
}

#[test]
fn without_an_address_for_events_nobody_is_told() {
    let mut settings = settings(1);
    settings.policy.reports.always_report_failure = true;
    let world = reported(&settings, &message("q@client", "x"), MessageState::UNDELIVERABLE);
    assert!(requests(&world).is_empty());
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
}

/// [SMS-FAIL-A] [SMS-FAIL-A2] [SMS-T2-480]
#[test]
fn a_failure_before_the_answer_is_the_answer() {
    let mut settings = with_events("262", "01");
    settings.smscs[0].data_sm = true;
    let mut world = World::new(22, 1, &settings);
    world.smscs[0].faults.status = CommandStatus::ESME_RDELIVERYFAILURE;
    let answer = send(&mut world, &asking("a@client", "negative-delivery"));
    assert_eq!(answer.status(), (480, "Temporarily Unavailable"));
    world.run_for(Duration::from_secs(60));
    assert!(requests(&world).is_empty(), "the answer has said it");
}

/// 202 was sent before the SM-SC had answered; what it then refuses is a failure like any other.
///
/// [SMS-FAIL-1] [SMS-FAIL-2]
#[test]
fn a_failure_after_an_early_answer_is_told() {
    let mut settings = with_events("262", "01");
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    for (asked, imdns_due, events_due) in [("negative-delivery", 1, 0), ("positive-delivery", 0, 1)] {
        let mut world = World::new(23, 2, &settings);
        world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
        assert_eq!(send(&mut world, &asking("late@client", asked)).status(), (202, "Accepted"));
        world.run_for(Duration::from_secs(5));
        assert_eq!((imdns(&world).len(), events(&world).len()), (imdns_due, events_due), "{asked}");
        assert_eq!(world.count(|stats| stats.open_messages), 0);
    }
}

/// Nobody would repeat it, so it is told until somebody listens.
#[test]
fn a_failure_after_an_early_answer_is_told_again() {
    let mut settings = settings(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    let mut world = World::new(24, 1, &settings);
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    world.cpm.respond = [503, 480, 200].into();
    send(&mut world, &asking("deaf@client", "negative-delivery"));
    world.run_for(Duration::from_secs(300));
    assert_eq!((imdns(&world).len(), world.count(|stats| stats.imdns_sent)), (3, 1));
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

/// [SMS-FAIL-A]
#[test]
fn an_smsc_that_does_not_answer_is_480_while_the_sender_still_listens() {
    let mut world = World::new(25, 1, &settings(1));
    world.smscs[0].faults.no_response = true;
    let before = world.now.moment;
    let answer = send(&mut world, &message("slow@client", "x"));
    assert_eq!(answer.status(), (480, "Temporarily Unavailable"));
    assert!(world.now.moment.since(before) < Duration::from_secs(32), "Timer F of the sender");
    assert_eq!(world.count(|stats| stats.submit_outcome_unknown), 1);
    assert_eq!(world.cpm.answers["slow@client"], 480);
}
