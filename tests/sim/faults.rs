//! Messages to SMS: nothing accepted is lost and nothing is doubled, whatever the network and the SM-SC do.

use std::time::Duration;

use isthmus::policy::ThrottledSubmit;
use isthmus::wire::cpim::imdn::Status;
use isthmus::wire::smpp::{CommandStatus, MessageIdForm, MessageState};

use crate::audit::{audit, nothing_is_left, notifications, outgoing, seeds, send_all};
use crate::world::{Weather, World, settings};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// All were answered 202.
fn expect_all(world: &World, count: usize) {
    let tally = audit(world, 0..count, Status::Delivered);
    assert_eq!(tally.of(202), count as u64, "{tally:?}");
    nothing_is_left(world);
}

/// The doubt of SMPP is told as 480, and counted.
fn expect_doubts_counted(world: &World, count: usize) -> u64 {
    let tally = audit(world, 0..count, Status::Delivered);
    assert_eq!(tally.of(202) + tally.of(480) + tally.of(503), count as u64, "{tally:?}");
    assert_eq!(world.count(|stats| stats.submit_outcome_unknown), tally.of(480), "{tally:?}");
    nothing_is_left(world);
    tally.of(480)
}

#[test]
fn a_calm_network() {
    let mut world = World::new(1, 1, &settings(1));
    send_all(&mut world, 0..60, ms(2));
    world.run_for(ms(5_000));
    expect_all(&world, 60);
    assert_eq!(world.handoffs, 0);
}

#[test]
fn several_cores_give_the_same_result_and_half_the_messages_arrive_at_the_wrong_one() {
    let mut world = World::new(2, 2, &settings(1));
    send_all(&mut world, 0..200, ms(2));
    world.run_for(ms(5_000));
    expect_all(&world, 200);
    assert!((100..500).contains(&world.handoffs), "{}", world.handoffs);
}

#[test]
fn loss_doubling_and_reordering_of_datagrams() {
    seeds(12, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(2));
        world.weather = Weather { lose_percent: 15, double_percent: 10, jitter: ms(700) };
        send_all(&mut world, 0..60, ms(20));
        world.run_for(ms(120_000));
        expect_all(&world, 60);
        assert!(world.cpm.retransmissions > 0 && world.count(|stats| stats.sip_retransmissions_absorbed) > 0);
    });
}

#[test]
fn an_smsc_is_killed_and_restarted_in_the_middle() {
    let doubts = std::cell::Cell::new(0);
    seeds(18, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.response_delay = ms(100);
        world.smscs[0].faults.redeliver = Some(ms(1_000));
        send_all(&mut world, 0..60, ms(3 + u64::from(seed % 4)));
        world.kill_smsc(0);
        send_all(&mut world, 60..80, ms(5));
        world.run_for(ms(2_000 + 500 * u64::from(seed)));
        world.revive_smsc(0);
        world.run_for(ms(60_000));
        send_all(&mut world, 80..120, ms(5));
        world.run_for(ms(60_000));
        doubts.set(doubts.get() + expect_doubts_counted(&world, 120));
        let later = (80..120).all(|number| world.cpm.answers[&outgoing(number).call_id] == 202);
        assert!(later, "the link is back");
    });
    assert!(doubts.get() > 0, "some were in flight");
}

#[test]
fn connections_break_again_and_again() {
    seeds(12, |seed, shards| {
        let mut settings = settings(1);
        settings.smscs[0].binds = 3;
        let mut world = World::new(seed, shards, &settings);
        world.smscs[0].faults.response_delay = ms(50);
        world.smscs[0].faults.redeliver = Some(ms(500));
        for round in 0..10 {
            send_all(&mut world, round * 12..(round + 1) * 12, ms(4));
            world.cut_smsc(0);
        }
        world.run_for(ms(120_000));
        expect_doubts_counted(&world, 120);
    });
}

/// The short message was taken; its response never came.
#[test]
fn a_connection_breaks_just_after_a_submit() {
    seeds(12, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.drop_after = Some(u64::from(seed % 50) + 5);
        world.smscs[0].faults.redeliver = Some(ms(500));
        send_all(&mut world, 0..60, ms(10));
        world.run_for(ms(60_000));
        let doubts = expect_doubts_counted(&world, 60);
        // One for certain, and one more where the cut message was still in flight beside it; none is guessed at.
        assert!((1..=3).contains(&doubts), "{doubts}");
        let unmatched = world.smscs[0].statuses().iter().filter(|s| **s == CommandStatus::ESME_RINVMSGID).count();
        assert!(unmatched as u64 <= 2 * doubts, "only reports of what is in doubt find nobody");
    });
}

fn throttling_with(throttled: ThrottledSubmit, status: CommandStatus, refusal: u16) {
    seeds(12, |seed, shards| {
        let mut settings = settings(1);
        settings.policy.submission.throttled_submit = throttled;
        let mut world = World::new(seed, shards, &settings);
        let faults = &mut world.smscs[0].faults;
        faults.throttle_every = 3 + u64::from(seed % 5);
        faults.throttle_status = Some(status);
        faults.response_delay = ms(30);
        send_all(&mut world, 0..40, ms(1_500));
        world.run_for(ms(60_000));
        let tally = audit(&world, 0..40, Status::Delivered);
        assert_eq!(tally.of(202) + tally.of(refusal), 40, "{tally:?}");
        assert_eq!(world.count(|stats| stats.submit_outcome_unknown), 0);
        assert!(tally.of(202) >= 20, "{tally:?}");
        nothing_is_left(&world);
        // Texts of several segments are sent again whatever the policy is: every fourth message.
        let long = (0..40).filter(|number| number % 4 == 3);
        assert!(long.into_iter().all(|number| world.cpm.answers[&outgoing(number).call_id] == 202));
    });
}

#[test]
fn throttling_with_and_without_another_attempt() {
    throttling_with(ThrottledSubmit::Refuse, CommandStatus::ESME_RTHROTTLED, 503);
    throttling_with(ThrottledSubmit::Refuse, CommandStatus::ESME_RMSGQFUL, 480);
    throttling_with(ThrottledSubmit::Retry, CommandStatus::ESME_RTHROTTLED, 503);
    throttling_with(ThrottledSubmit::Retry, CommandStatus::ESME_RMSGQFUL, 480);
}

#[test]
fn another_smsc_takes_over_and_gives_back() {
    seeds(12, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(2));
        for smsc in &mut world.smscs {
            smsc.faults.response_delay = ms(60);
            smsc.faults.redeliver = Some(ms(1_000));
        }
        send_all(&mut world, 0..40, ms(4));
        world.kill_smsc(0);
        send_all(&mut world, 40..80, ms(4));
        world.revive_smsc(0);
        world.run_for(ms(30_000));
        send_all(&mut world, 80..120, ms(4));
        world.run_for(ms(60_000));
        expect_doubts_counted(&world, 120);
        let codes: std::collections::BTreeSet<u16> = world.cpm.answers.values().copied().collect();
        assert!(codes.iter().all(|code| [202, 480].contains(code)), "there always was a link: {codes:?}");
        assert!(world.smscs[1].accepted.len() >= 40);
        let back = world.smscs[0].accepted.iter().filter(|a| a.destination_addr >= b"491700000080".to_vec()).count();
        assert!(back >= 40, "the first is preferred again");
    });
}

/// What waited for a window slot when its link died goes out by the other; what was in flight does not.
#[test]
fn what_never_left_leaves_by_the_other_link() {
    seeds(6, |seed, shards| {
        let mut settings = settings(2);
        settings.smscs[0].session.window = 1;
        let mut world = World::new(seed, shards, &settings);
        world.smscs[0].faults.no_response = true;
        send_all(&mut world, 0..20, ms(1));
        world.kill_smsc(0);
        world.run_for(ms(60_000));
        world.revive_smsc(0);
        world.run_for(ms(100_000));
        let doubts = expect_doubts_counted(&world, 20);
        assert_eq!((doubts, world.smscs[1].accepted.len() >= 19), (1, true));
        assert!(world.count(|stats| stats.submit_resent) >= 19);
    });
}

/// An SM-SC that unbinds takes nothing more, though its connection still stands: the other takes over at once.
#[test]
fn an_smsc_that_unbinds_is_left_alone() {
    seeds(6, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(2));
        world.smscs[0].faults.response_delay = ms(2_000);
        world.smscs[0].faults.redeliver = Some(ms(500));
        send_all(&mut world, 0..20, ms(5));
        let now = world.now.moment;
        world.listening[0] = false;
        world.smscs[0].unbind(now);
        world.run_for(ms(1));
        send_all(&mut world, 20..60, ms(5));
        world.revive_smsc(0);
        world.run_for(ms(100_000));
        let tally = audit(&world, 0..60, Status::Delivered);
        assert_eq!(tally.of(202), 60, "{tally:?}");
        assert_eq!(world.smscs[1].accepted.len(), world.smscs[0].accepted.len() * 2, "40 after 20 messages");
        nothing_is_left(&world);
    });
}

#[test]
fn an_smsc_that_never_answers() {
    seeds(3, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.no_response = true;
        send_all(&mut world, 0..30, ms(10));
        world.run_for(ms(60_000));
        assert_eq!(expect_doubts_counted(&world, 30), 30);
    });
}

/// Reports before responses, on any bind of the account, with ids in another base.
#[test]
fn reports_before_responses_on_other_binds_and_ids_in_another_base() {
    seeds(9, |seed, shards| {
        let mut settings = settings(1);
        settings.smscs[0].message_id = MessageIdForm::HexSubmitDecimalReceipt;
        settings.smscs[0].binds = 3;
        let mut world = World::new(seed, shards, &settings);
        let faults = &mut world.smscs[0].faults;
        (faults.report_first, faults.report_elsewhere, faults.hex_submit) = (true, true, true);
        faults.response_delay = ms(400);
        send_all(&mut world, 0..60, ms(5));
        world.run_for(ms(10_000));
        expect_all(&world, 60);
        assert!(world.count(|stats| stats.reports_early) > 0);
        assert_eq!(world.count(|stats| stats.reports_unknown), 0);
    });
}

/// One segment that is lost is enough; which one does not matter.
#[test]
fn the_worst_state_of_several_segments_is_told() {
    seeds(9, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.no_reports = true;
        send_all(&mut world, 0..40, ms(5));
        world.run_for(ms(1_000));
        let bad = usize::from(seed % 2);
        let asked: Vec<_> =
            world.smscs[0].accepted.iter().filter(|accepted| accepted.registered_delivery != 0).cloned().collect();
        for accepted in asked.iter().rev() {
            let (total, number) = accepted.sar.map_or((1, 1), |(_, total, number)| (total, number));
            let lost = total == 1 || usize::from(number) == bad + 1;
            let state = if lost { MessageState::UNDELIVERABLE } else { MessageState::DELIVERED };
            let now = world.now.moment;
            world.smscs[0].report_on(now, accepted.message_id, state);
            world.run_for(ms(u64::from(seed)));
        }
        world.run_for(ms(10_000));
        let tally = audit(&world, 0..40, Status::Failed);
        assert_eq!(tally.of(202), 40);
        nothing_is_left(&world);
    });
}

/// An SM-SC that repeats each report, the first answered or not, and reports ids that nobody has.
#[test]
fn repeated_reports_and_unknown_ids() {
    seeds(9, |seed, shards| {
        let mut settings = settings(1);
        settings.smscs[0].binds = 2;
        let mut world = World::new(seed, shards, &settings);
        world.smscs[0].faults.report_elsewhere = true;
        send_all(&mut world, 0..30, ms(5));
        world.run_for(ms(u64::from(seed) * 20));
        let asked: Vec<u64> =
            world.smscs[0].accepted.iter().filter(|a| a.registered_delivery != 0).map(|a| a.message_id).collect();
        for id in asked {
            let now = world.now.moment;
            world.smscs[0].report_on(now, id, MessageState::DELIVERED);
            let unknown = world.smscs[0].report_on(now, id + 1_000_000, MessageState::DELIVERED);
            world.run_for(ms(6_000));
            assert_eq!(world.smscs[0].deliveries[unknown].statuses, [CommandStatus::ESME_RINVMSGID]);
        }
        expect_all(&world, 30);
        let known = world.smscs[0].deliveries.iter().filter(|delivery| delivery.message_id.unwrap() < 1_000_000);
        for delivery in known {
            assert!(delivery.statuses.len() == 1, "each deliver_sm is answered once");
        }
    });
}

/// A report whose answer was lost with its connection comes again when its message is long over.
#[test]
fn a_report_that_was_passed_on_is_not_unknown_when_it_comes_again() {
    seeds(6, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        send_all(&mut world, 0..9, ms(5));
        world.run_for(ms(2_000));
        let asked: Vec<u64> =
            world.smscs[0].accepted.iter().filter(|a| a.registered_delivery != 0).map(|a| a.message_id).collect();
        for id in asked {
            let now = world.now.moment;
            world.smscs[0].report_on(now, id, MessageState::DELIVERED);
        }
        world.run_for(ms(10_000));
        expect_all(&world, 9);
        assert!(world.smscs[0].statuses().iter().all(|status| *status == CommandStatus::ESME_ROK));
    });
}

/// The CPM side does not take notifications for now; the SM-SC repeats its reports; each is told once.
#[test]
fn notifications_are_told_once_however_often_they_are_put_off() {
    seeds(9, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.redeliver = Some(ms(15_000));
        world.cpm.busy_every = 2 + usize::from(seed % 3);
        send_all(&mut world, 0..40, ms(5));
        world.run_for(ms(300_000));
        expect_all(&world, 40);
        assert!(world.count(|stats| stats.imdns_failed) > 0);
    });
}

#[test]
fn a_cpm_side_that_is_away_for_a_while_gets_its_notifications_later() {
    seeds(6, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.smscs[0].faults.redeliver = Some(ms(20_000));
        world.smscs[0].faults.no_reports = true;
        send_all(&mut world, 0..30, ms(5));
        world.run_for(ms(1_000));
        (world.weather.lose_percent, world.cpm_accepts_tcp) = (100, false);
        let asked: Vec<u64> =
            world.smscs[0].accepted.iter().filter(|a| a.registered_delivery != 0).map(|a| a.message_id).collect();
        for id in asked {
            let now = world.now.moment;
            world.smscs[0].report_on(now, id, MessageState::DELIVERED);
        }
        world.run_for(ms(100_000));
        (world.weather.lose_percent, world.cpm_accepts_tcp) = (0, true);
        world.run_for(ms(200_000));
        expect_all(&world, 30);
    });
}

#[test]
fn a_drain_in_the_middle() {
    seeds(12, |seed, shards| {
        let mut settings = settings(2);
        settings.smscs[0].binds = 2;
        let mut world = World::new(seed, shards, &settings);
        world.smscs[0].faults.response_delay = ms(3_000);
        world.smscs[0].faults.no_reports = true;
        send_all(&mut world, 0..40, ms(5));
        world.drain();
        send_all(&mut world, 40..60, ms(5));
        assert!(world.run_until(ms(60_000), World::is_drained));
        world.run_for(ms(100));
        for number in 0..60 {
            let expected = if number < 40 { 202 } else { 503 };
            assert_eq!(world.cpm.answers[&outgoing(number).call_id], expected, "message {number}");
        }
        assert!(world.smscs[1].accepted.is_empty());
    });
}

#[test]
fn promises_wait_for_their_records_where_they_are_durable() {
    let mut settings = settings(1);
    settings.durable = true;
    let mut world = World::new(5, 1, &settings);
    world.cpm.send(world.now.moment, &outgoing(0));
    world.cpm.send(world.now.moment, &outgoing(1));
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.smscs[0].accepted.len(), 2);
    assert_eq!(world.cpm.answers.get(&outgoing(1).call_id), Some(&202), "nothing is promised for it");
    assert_eq!(world.cpm.answers.get(&outgoing(0).call_id), None, "its reports are promised");
    assert_eq!(world.writing.len(), 1);
    world.write_records();
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.cpm.answers.get(&outgoing(0).call_id), Some(&202));
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

/// By policy 202 is sent before the SM-SC has the message: then each message is either taken or told to have failed, and
/// what nobody knows is told as that.
#[test]
fn promises_that_could_not_be_kept_are_told() {
    seeds(9, |seed, shards| {
        let mut settings = settings(1);
        settings.policy.submission.early_answer = isthmus::policy::EarlyAnswer::Accepted;
        let mut world = World::new(seed, shards, &settings);
        world.smscs[0].faults.response_delay = ms(150);
        world.smscs[0].faults.redeliver = Some(ms(1_000));
        world.cpm.busy_every = 5;
        for round in 0..6 {
            send_all(&mut world, round * 20..(round + 1) * 20, ms(4));
            match (usize::from(seed) + round) % 3 {
                0 => world.cut_smsc(0),
                1 => world.smscs[0].faults.statuses.extend([CommandStatus::ESME_RINVDSTADR; 3]),
                _ => {}
            }
        }
        world.run_for(ms(400_000));
        let told = notifications(&world);
        for number in (0..120).step_by(3) {
            let message = outgoing(number);
            if world.cpm.answers[&message.call_id] != 202 {
                continue;
            }
            let told: Vec<Status> =
                told.iter().filter(|(id, ..)| *id == message.imdn_message_id).map(|(.., status)| *status).collect();
            assert_eq!(told.len(), 1, "message {number}");
            let digits = message.to.trim_start_matches('+').as_bytes();
            let parts = world.smscs[0].accepted.iter().filter(|accepted| accepted.destination_addr == digits);
            let (taken, whole) = (parts.count(), if number % 4 == 3 { 2 } else { 1 });
            match told[0] {
                Status::Delivered => assert_eq!(taken, whole, "message {number}"),
                Status::Failed => assert!(taken < whole, "message {number}"),
                other => assert_eq!(other, Status::Error, "message {number}"),
            }
        }
        nothing_is_left(&world);
    });
}

/// The connection stands, and nobody is at its other end: enquire_link finds out, and the other SM-SC takes over.
#[test]
fn an_smsc_freezes() {
    seeds(6, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(2));
        send_all(&mut world, 0..20, ms(20));
        world.run_for(ms(1_000));
        world.smscs[0].faults.frozen = true;
        send_all(&mut world, 20..40, ms(20));
        world.run_for(ms(60_000));
        send_all(&mut world, 40..60, ms(20));
        world.run_for(ms(30_000));
        let tally = audit(&world, 0..60, Status::Delivered);
        assert_eq!(world.count(|stats| stats.submit_outcome_unknown), tally.of(480));
        assert_eq!(tally.of(480) + tally.of(202), 60, "{tally:?}");
        assert!((40..60).all(|number| world.cpm.answers[&outgoing(number).call_id] == 202), "the other took over");
        world.smscs[0].faults.frozen = false;
        world.run_for(ms(120_000));
        send_all(&mut world, 60..80, ms(20));
        world.run_for(ms(10_000));
        audit(&world, 0..80, Status::Delivered);
        assert!(world.smscs[0].accepted.iter().any(|a| a.destination_addr == b"491700000079"), "it is back");
    });
}
