//! An SM-SC that wants fewer short messages: window, rate, ESME_RTHROTTLED and ESME_RMSGQFUL.

use std::time::Duration;

use isthmus::policy::ThrottledSubmit;
use isthmus::shard::event::Event;
use isthmus::shard::settings::Settings;
use isthmus::wire::smpp::CommandStatus;

use crate::cpm::Outgoing;
use crate::read::joined;
use crate::sip::{answer_to, message, send};
use crate::world::{World, settings};

const LONG: &str = "a text that needs more than one short message because it goes on and on, [with brackets] and €uro \
                    signs, until it has gone past one hundred and sixty septets by a good margin, and then on";

fn retrying() -> Settings {
    let mut settings = settings(1);
    settings.policy.submission.throttled_submit = ThrottledSubmit::Retry;
    settings
}

fn send_many(world: &mut World, count: usize) {
    for number in 0..count {
        let to = format!("+4917{number:08}");
        world.cpm.send(world.now.moment, &Outgoing { to, ..message(&format!("many{number}@client"), "x") });
    }
}

/// [SMS-T2-503]
#[test]
fn a_throttled_message_is_503_at_once() {
    let mut world = World::new(1, 1, &settings(1));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL].into();
    let answer = send(&mut world, &message("t@client", "x"));
    assert_eq!((answer.status(), answer.get("Retry-After")), ((503, "Service Unavailable"), "5"));
    world.run_for(Duration::from_secs(2));
    assert_eq!(send(&mut world, &message("q@client", "x")).status(), (480, "Temporarily Unavailable"));
    assert!(world.smscs[0].accepted.is_empty());
    assert_eq!(world.events.iter().filter(|event| matches!(event, Event::Throttled { .. })).count(), 2);
}

#[test]
fn the_next_message_waits_until_the_smsc_has_caught_its_breath() {
    let mut world = World::new(2, 2, &settings(1));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_RTHROTTLED].into();
    assert_eq!(send(&mut world, &message("first@client", "x")).status().0, 503);
    assert_eq!(send(&mut world, &message("second@client", "x")).status().0, 202);
    let arrivals = &world.smscs[0].arrivals;
    assert!(arrivals[1].since(arrivals[0]) >= Duration::from_millis(990), "{arrivals:?}");
}

#[test]
fn by_policy_it_is_sent_again_while_the_sender_waits() {
    for status in [CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL] {
        let mut world = World::new(3, 2, &retrying());
        world.smscs[0].faults.statuses = [status; 3].into();
        assert_eq!(send(&mut world, &message("r@client", "patient")).status(), (202, "Accepted"));
        let smsc = &world.smscs[0];
        assert_eq!((smsc.arrivals.len(), smsc.accepted.len()), (4, 1));
        let pauses: Vec<u128> = smsc.arrivals.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect();
        assert!(pauses.windows(2).all(|pair| pair[1] > pair[0] * 3 / 2), "each longer than the last: {pauses:?}");
    }
}

#[test]
fn an_smsc_that_goes_on_throttling_is_503_before_the_sender_gives_up() {
    let mut world = World::new(4, 1, &retrying());
    world.smscs[0].faults.status = CommandStatus::ESME_RTHROTTLED;
    let before = world.now.moment;
    assert_eq!(send(&mut world, &message("never@client", "x")).status().0, 503);
    let waited = world.now.moment.since(before);
    assert!((Duration::from_secs(5)..Duration::from_secs(30)).contains(&waited), "{waited:?}");
    assert_eq!(world.count(|stats| stats.open_messages), 0);
    assert!(world.smscs[0].accepted.is_empty());
}

/// Segments that were taken cannot be called back, so the throttled ones are sent again whatever the policy.
#[test]
fn a_throttled_segment_is_sent_again() {
    for status in [CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL] {
        let mut world = World::new(5, 2, &settings(1));
        world.smscs[0].faults.statuses = [CommandStatus::ESME_ROK, status].into();
        world.cpm.send(world.now.moment, &Outgoing { text: LONG.into(), ..message("seg@client", "") });
        assert_eq!(answer_to(&mut world, "seg@client").status().0, 202);
        assert_eq!(joined(&world.smscs[0].accepted.iter().collect::<Vec<_>>()), LONG);
        assert_eq!(world.smscs[0].arrivals.len(), 3);
    }
}

#[test]
fn a_crowd_meets_an_smsc_that_throttles_every_third() {
    let mut world = World::new(6, 3, &retrying());
    world.smscs[0].faults.throttle_every = 3;
    world.smscs[0].faults.response_delay = Duration::from_millis(20);
    send_many(&mut world, 60);
    world.run_for(Duration::from_secs(40));
    assert_eq!(world.cpm.answers.len(), 60);
    let taken = world.cpm.answers.values().filter(|code| **code == 202).count();
    assert_eq!(taken, world.smscs[0].accepted.len(), "what was answered 202 was taken once: {:?}", world.cpm.answers);
    assert!(world.cpm.answers.values().all(|code| [202, 503].contains(code)), "{:?}", world.cpm.answers);
    assert!(taken >= 40, "{taken}");
}

#[test]
fn the_window_is_kept() {
    let mut settings = settings(1);
    settings.smscs[0].session.window = 3;
    let mut world = World::new(7, 2, &settings);
    world.smscs[0].faults.response_delay = Duration::from_millis(300);
    send_many(&mut world, 50);
    world.run_for(Duration::from_secs(20));
    assert_eq!(world.smscs[0].accepted.len(), 50);
    assert_eq!(world.smscs[0].most_in_flight, 3);
    assert!(world.cpm.answers.values().all(|code| *code == 202));
}

#[test]
fn the_configured_rate_is_kept() {
    let mut settings = settings(1);
    settings.smscs[0].session.throughput_per_second = 10;
    let mut world = World::new(8, 2, &settings);
    send_many(&mut world, 60);
    world.run_for(Duration::from_secs(20));
    let arrivals = &world.smscs[0].arrivals;
    assert_eq!(arrivals.len(), 60);
    for window in arrivals.windows(13) {
        assert!(window[12].since(window[0]) >= Duration::from_secs(1), "more than 12 in a second");
    }
    assert!(world.cpm.answers.values().all(|code| *code == 202));
}
