//! The process dies and comes back: what it promised before, it keeps after.

use std::time::Duration;

use isthmus::engine::Random;
use isthmus::policy::EarlyAnswer;
use isthmus::shard::settings::Settings;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::{CommandStatus, MessageState};

use crate::audit::{due, notifications, outgoing, seeds, send_all, texts};
use crate::deliveries::{deliver_part, deliver_text, deliver_whole, total_of, whole};
use crate::world::{World, settings};

const fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn durable(smscs: usize) -> Settings {
    Settings { durable: true, ..settings(smscs) }
}

/// A world whose SM-SC reports nothing by itself.
fn silent(seed: u8, shards: u16, settings: &Settings) -> World {
    let mut world = World::new(seed, shards, settings);
    world.smscs.iter_mut().for_each(|smsc| smsc.faults.no_reports = true);
    world
}

/// Time passes, and the disk keeps up.
fn pass(world: &mut World, time: Duration) {
    let end = world.now.moment + time;
    while world.now.moment < end {
        world.write_records();
        world.run_for(Duration::from_millis(50));
    }
    world.write_records();
}

/// How many cores there are after a restart: fewer, as many or more.
fn cores_after(seed: u8) -> u16 {
    u16::from(seed / 3 % 3) + 1
}

fn told_of(world: &World, number: usize) -> Vec<(Notification, Status)> {
    let id = outgoing(number).imdn_message_id;
    notifications(world).into_iter().filter(|(of, ..)| *of == id).map(|(_, what, status)| (what, status)).collect()
}

fn report_all(world: &mut World) {
    for smsc in 0..world.smscs.len() {
        let ids: Vec<u64> = world.smscs[smsc].accepted.iter().map(|accepted| accepted.message_id).collect();
        for id in ids {
            let now = world.now.moment;
            world.smscs[smsc].report_on(now, id, MessageState::DELIVERED);
        }
    }
}

#[test]
fn reports_find_messages_of_before_the_restart() {
    seeds(9, |seed, shards| {
        let mut world = silent(seed, shards, &durable(2));
        send_all(&mut world, 0..30, Duration::from_millis(5));
        pass(&mut world, s(3));
        let open = world.count(|stats| stats.open_messages);
        world.crash(cores_after(seed));
        assert_eq!((open, world.count(|stats| stats.open_messages)), (20, 20));
        report_all(&mut world);
        pass(&mut world, s(10));
        for number in 0..30 {
            assert_eq!(world.cpm.answers[&outgoing(number).call_id], 202);
            assert_eq!(told_of(&world, number), due(number, Status::Delivered), "message {number}");
        }
        assert_eq!((world.disk.len(), world.count(|stats| stats.open_messages)), (0, 0), "nothing is kept for nothing");
    });
}

/// The headers of a notification are those of before, all of them.
#[test]
fn a_notification_after_the_restart_is_the_one_of_before() {
    let told = |crashes: usize| {
        let mut world = silent(4, 2, &durable(1));
        world.cpm.send(world.now.moment, &outgoing(3));
        pass(&mut world, s(2));
        (0..crashes).for_each(|_| world.crash(2));
        report_all(&mut world);
        pass(&mut world, s(5));
        let text = String::from_utf8(world.cpm.received.last().unwrap().bytes.clone()).unwrap();
        let minted = ["Via:", "From:", "Call-ID:", "imdn.Message-ID:", "DateTime:"];
        let lines = text.lines().filter(|line| !minted.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = told(0);
    assert!(expected.iter().any(|line| line == "Conversation-ID: conv-m3@client.example"), "{expected:?}");
    assert_eq!(told(1), expected);
    assert_eq!(told(3), expected);
}

/// The SM-SC says it once of each segment, so that is on record before it has its answer.
#[test]
fn a_segment_that_was_reported_before_is_not_waited_for_after() {
    seeds(9, |seed, shards| {
        let mut world = silent(seed, shards, &durable(1));
        world.cpm.send(world.now.moment, &outgoing(3));
        pass(&mut world, s(2));
        let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
        assert_eq!(ids.len(), 2);
        let now = world.now.moment;
        world.smscs[0].report_on(now, ids[usize::from(seed) % 2], MessageState::UNDELIVERABLE);
        world.run_for(s(1));
        assert_eq!(world.smscs[0].statuses(), [], "not before it is written");
        world.write_records();
        world.run_for(s(1));
        assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
        world.crash(cores_after(seed));
        let now = world.now.moment;
        world.smscs[0].report_on(now, ids[usize::from(seed + 1) % 2], MessageState::DELIVERED);
        pass(&mut world, s(5));
        assert_eq!(told_of(&world, 3), [(Notification::Delivery, Status::Failed)], "the worst of both");
        assert_eq!(world.disk.len(), 0);
    });
}

/// A crash between two writes leaves the older record of a message beside the newer one.
#[test]
fn of_two_records_of_one_message_the_newer_one_counts() {
    let mut world = silent(5, 2, &durable(1));
    world.cpm.send(world.now.moment, &outgoing(3));
    pass(&mut world, s(2));
    let before = world.disk.clone();
    let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
    let now = world.now.moment;
    world.smscs[0].report_on(now, ids[0], MessageState::DELIVERED);
    pass(&mut world, s(2));
    world.disk.extend(before);
    assert_eq!(world.disk.len(), 2);
    world.crash(1);
    let now = world.now.moment;
    world.smscs[0].report_on(now, ids[1], MessageState::DELIVERED);
    pass(&mut world, s(5));
    assert_eq!(told_of(&world, 3), [(Notification::Delivery, Status::Delivered)]);
    assert_eq!(world.disk.len(), 0);
}

#[test]
fn what_was_not_written_was_not_promised() {
    let mut world = silent(6, 1, &durable(1));
    world.cpm.send(world.now.moment, &outgoing(0));
    world.run_for(s(1));
    assert_eq!((world.smscs[0].accepted.len(), world.cpm.answers.len()), (1, 0));
    world.crash(1);
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

/// Each part but the last is answered when it comes, so it is on record before that.
#[test]
fn parts_of_before_the_restart_are_joined_with_those_of_after() {
    seeds(9, |seed, shards| {
        let mut world = World::new(seed, shards, &durable(1));
        // Messages 1, 2, 4 and 5 of six have several parts, in headers and in sar_*.
        let messages = || (0..30).filter(|message| total_of(*message) > 1);
        for message in messages() {
            for number in 1..total_of(message) {
                deliver_part(&mut world, 0, message, number);
            }
        }
        world.run_for(s(1));
        assert_eq!(world.smscs[0].statuses(), [], "not before they are written");
        pass(&mut world, s(1));
        assert!(world.smscs[0].statuses().iter().all(|status| *status == CommandStatus::ESME_ROK));
        world.crash(cores_after(seed));
        for message in messages() {
            deliver_part(&mut world, 0, message, total_of(message));
        }
        pass(&mut world, s(5));
        let texts = texts(&world);
        for message in messages() {
            let (sender, text) = whole(message);
            assert_eq!(texts.get(&sender), Some(&vec![text]), "message {message}");
        }
        // That a message was delivered is remembered as long as parts could be joined.
        world.run_for(s(310));
        world.write_records();
        assert_eq!((world.disk.len(), world.count(|stats| stats.joining)), (0, 0));
    });
}

/// A drain does not wait for the rest of a message, and does not send it in pieces: what came is on record.
#[test]
fn parts_outlive_a_drain() {
    let mut world = World::new(7, 2, &durable(1));
    deliver_part(&mut world, 0, 1, 1);
    pass(&mut world, s(1));
    world.drain();
    pass(&mut world, s(5));
    assert!(world.is_drained());
    assert_eq!(texts(&world).len(), 0, "nothing in pieces");
    world.crash(2);
    deliver_part(&mut world, 0, 1, 2);
    pass(&mut world, s(5));
    assert_eq!(texts(&world).values().next(), Some(&vec![whole(1).1]));
}

/// By policy 202 is sent before the SM-SC has the message: nobody knows after a crash whether it left, and that is told.
#[test]
fn a_message_answered_early_and_lost_in_doubt_is_told_of() {
    let mut settings = durable(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    for shards in 1..=3 {
        let mut world = silent(8, shards, &settings);
        world.smscs[0].faults.no_response = true;
        world.cpm.send(world.now.moment, &outgoing(0));
        pass(&mut world, s(1));
        assert_eq!(world.cpm.answers[&outgoing(0).call_id], 202);
        world.crash(shards);
        pass(&mut world, s(30));
        assert_eq!(told_of(&world, 0).len(), 1, "{:?}", notifications(&world));
        assert_eq!((world.disk.len(), world.count(|stats| stats.open_messages)), (0, 0));
    }
}

#[test]
fn the_same_where_the_outcome_is_known_keeps_its_reports() {
    let mut settings = durable(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    let mut world = silent(8, 2, &settings);
    world.cpm.send(world.now.moment, &outgoing(0));
    pass(&mut world, s(2));
    world.crash(1);
    pass(&mut world, s(30));
    assert_eq!(told_of(&world, 0), []);
    report_all(&mut world);
    pass(&mut world, s(5));
    assert_eq!(told_of(&world, 0), due(0, Status::Delivered));
    assert_eq!(world.disk.len(), 0);
}

/// Records that cannot be read harm nobody and are counted.
#[test]
fn records_that_nobody_understands_are_left_alone() {
    let mut world = silent(9, 1, &durable(1));
    send_all(&mut world, 0..4, Duration::from_millis(5));
    deliver_part(&mut world, 0, 1, 1);
    pass(&mut world, s(2));
    let written = world.disk.len();
    for octets in world.disk.values_mut().take(2) {
        octets.truncate(octets.len() / 2);
    }
    world.disk.values_mut().last().unwrap()[0] = 77;
    world.crash(1);
    assert_eq!(world.count(|stats| stats.records_not_restored), 3);
    report_all(&mut world);
    pass(&mut world, s(10));
    assert_eq!(world.disk.len(), 3, "of {written}");
}

/// Also a part that comes again on the same bind, before the first is written.
#[test]
fn a_repeated_part_is_not_answered_before_it_is_written() {
    let mut world = World::new(10, 1, &durable(1));
    deliver_part(&mut world, 0, 1, 1);
    deliver_part(&mut world, 0, 1, 1);
    world.run_for(s(1));
    assert_eq!(world.smscs[0].statuses(), []);
    world.write_records();
    world.run_for(s(1));
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK; 2]);
}

/// A failure on one segment decides the message; until it is told, the SM-SC has no answer, and repeats it after the crash.
#[test]
fn a_report_that_was_not_answered_is_not_on_record() {
    let mut world = silent(11, 1, &durable(1));
    world.smscs[0].faults.redeliver = Some(s(2));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_ROK, CommandStatus::ESME_RTHROTTLED].into();
    let message = crate::cpm::Outgoing { dispositions: Some("negative-delivery"), ..outgoing(3) };
    world.cpm.send(world.now.moment, &message);
    world.run_for(Duration::from_millis(100));
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::UNDELIVERABLE);
    world.cpm.silent = true;
    pass(&mut world, s(5));
    assert_eq!((world.smscs[0].accepted.len(), world.smscs[0].statuses().len()), (2, 0));
    world.crash(2);
    world.cpm.silent = false;
    pass(&mut world, s(10));
    assert_eq!(told_of(&world, 3), [(Notification::Delivery, Status::Failed)]);
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_ROK]);
    assert_eq!(world.disk.len(), 0);
}

/// What was delivered is remembered by its reference, which the next message of the same sender may have again.
#[test]
fn a_reference_used_again_is_another_message_after_the_restart_as_well() {
    for parts_before in 1..=2 {
        let mut world = World::new(12, 2, &durable(1));
        for text in ["one", "two"] {
            for number in 1..=2 {
                deliver_text(&mut world, 0, 1, (number, 2), &format!("{text}{number}"));
                pass(&mut world, s(1));
            }
        }
        for number in 1..=parts_before {
            deliver_text(&mut world, 0, 1, (number, 3), &format!("three{number}"));
        }
        deliver_text(&mut world, 0, 1, (1, 2), "four1");
        pass(&mut world, s(1));
        world.crash(1);
        for number in parts_before + 1..=3 {
            deliver_text(&mut world, 0, 1, (number, 3), &format!("three{number}"));
        }
        deliver_text(&mut world, 0, 1, (2, 2), "four2");
        pass(&mut world, s(400));
        let texts = texts(&world);
        let mut got: Vec<&str> = texts.values().flatten().map(String::as_str).collect();
        got.sort_unstable();
        assert_eq!(got, ["four1four2", "one1one2", "three1three2three3", "two1two2"]);
    }
}

/// A set whose time was over waits to be delivered as it is; a later message under its reference has nothing of it.
#[test]
fn what_came_too_late_for_one_another_is_not_joined_by_a_restart() {
    let mut world = World::new(13, 1, &durable(1));
    world.cpm.busy_every = 1;
    deliver_text(&mut world, 0, 1, (1, 2), "old1");
    pass(&mut world, s(400));
    assert_eq!(world.count(|stats| stats.undelivered), 1);
    deliver_text(&mut world, 0, 1, (2, 2), "new2");
    pass(&mut world, s(1));
    world.crash(2);
    world.cpm.busy_every = 0;
    pass(&mut world, s(400));
    let texts = texts(&world);
    let mut got: Vec<&str> = texts.values().flatten().map(String::as_str).collect();
    got.sort_unstable();
    assert_eq!(got, ["new2", "old1"]);
}

/// What nobody takes now is on disk: a drain does not wait for it, nor begin it once more.
#[test]
fn a_drain_leaves_what_cannot_be_delivered_to_the_next_run() {
    let mut world = World::new(14, 1, &durable(1));
    world.cpm.busy_every = 1;
    deliver_part(&mut world, 0, 1, 1);
    pass(&mut world, s(400));
    assert_eq!(world.count(|stats| stats.undelivered), 1);
    pass(&mut world, s(40));
    world.drain();
    pass(&mut world, s(45));
    assert!(world.is_drained());
    world.crash(1);
    world.cpm.busy_every = 0;
    pass(&mut world, s(400));
    assert_eq!(texts(&world).values().flatten().count(), 1);
    world.run_for(s(310));
    world.write_records();
    assert_eq!(world.disk.len(), 0);
}

/// Sections of SM-SCs may move in the file, and get other names.
#[test]
fn an_smsc_is_known_wherever_it_stands_and_whatever_its_name() {
    let mut world = silent(15, 2, &durable(2));
    send_all(&mut world, 0..12, Duration::from_millis(5));
    deliver_part(&mut world, 1, 1, 1);
    pass(&mut world, s(3));
    world.settings.smscs.reverse();
    world.settings.smscs.iter_mut().for_each(|smsc| smsc.name.push_str(" of old"));
    world.crash(2);
    report_all(&mut world);
    deliver_part(&mut world, 1, 1, 2);
    pass(&mut world, s(10));
    for number in 0..12 {
        assert_eq!(told_of(&world, number), due(number, Status::Delivered), "message {number}");
    }
    assert_eq!(texts(&world).values().next(), Some(&vec![whole(1).1]));
    send_all(&mut world, 20..32, Duration::from_millis(5));
    pass(&mut world, s(3));
    let open = world.count(|stats| stats.open_reports);
    // The first was preferred, so all of them are of one that is gone.
    world.settings.smscs.remove(0);
    world.crash(1);
    assert_eq!((world.count(|stats| stats.open_reports), world.count(|stats| stats.reports_not_kept)), (0, open));
}

/// The sender was told 202 early and the SM-SC refused: what it said is told after the restart, not that nobody knows.
#[test]
fn a_failure_that_was_not_told_yet_is_told_after_the_restart() {
    let mut settings = durable(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    settings.policy.submission.unknown_outcome = isthmus::policy::UnknownOutcome::Accept;
    settings.policy.submission.throttled_submit = isthmus::policy::ThrottledSubmit::Retry;
    let mut world = silent(16, 1, &settings);
    world.smscs[0].faults.status = CommandStatus::ESME_RINVDSTADR;
    world.smscs[0].faults.statuses = [CommandStatus::ESME_RTHROTTLED].into();
    world.cpm.busy_every = 1;
    world.cpm.send(world.now.moment, &outgoing(0));
    pass(&mut world, s(12));
    assert_eq!((world.cpm.answers[&outgoing(0).call_id], told_of(&world, 0)), (202, vec![]));
    world.cpm.busy_every = 0;
    world.crash(2);
    pass(&mut world, s(30));
    assert_eq!(told_of(&world, 0), [(Notification::Delivery, Status::Failed)]);
    assert_eq!(world.disk.len(), 0);
}

/// A segment's report may be counted before its message is answered: who was promised nothing is told nothing.
#[test]
fn a_sender_without_an_answer_is_told_nothing_after_the_restart() {
    let mut world = silent(17, 1, &durable(1));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_ROK, CommandStatus::ESME_RTHROTTLED].into();
    world.smscs[0].faults.status = CommandStatus::ESME_RTHROTTLED;
    world.cpm.send(world.now.moment, &outgoing(3));
    world.run_for(Duration::from_millis(100));
    let (now, id) = (world.now.moment, world.smscs[0].accepted[0].message_id);
    world.smscs[0].report_on(now, id, MessageState::UNDELIVERABLE);
    pass(&mut world, Duration::from_millis(300));
    assert_eq!((world.cpm.answers.len(), world.disk.len()), (0, 1));
    world.crash(1);
    assert_eq!(world.count(|stats| stats.open_messages), 0);
    pass(&mut world, Duration::from_millis(200));
    assert_eq!((told_of(&world, 3).len(), world.disk.len()), (0, 0));
}

/// What could not be remembered is refused, each by the error its protocol has; what needs no record goes on.
#[test]
fn a_disk_that_takes_nothing_refuses_what_it_would_have_to_remember() {
    let mut world = silent(18, 1, &durable(1));
    let ready = |world: &World| world.shards.iter().all(isthmus::shard::Shard::is_ready);
    assert!(ready(&world));
    world.shards[0].on_storage(true);
    assert!(!ready(&world));
    world.cpm.send(world.now.moment, &outgoing(0));
    deliver_part(&mut world, 0, 1, 1);
    deliver_part(&mut world, 0, 0, 1);
    world.run_for(s(2));
    assert_eq!(world.cpm.answers[&outgoing(0).call_id], 503);
    assert_eq!(world.smscs[0].statuses(), [CommandStatus::ESME_RX_T_APPN, CommandStatus::ESME_ROK]);
    world.shards[0].on_storage(false);
    assert!(ready(&world));
    world.cpm.send(world.now.moment, &outgoing(1));
    world.run_for(s(2));
    assert_eq!(world.cpm.answers[&outgoing(1).call_id], 202);
}

/// Whatever a disk makes of records, the gateway comes up with it and serves.
#[test]
fn records_with_any_octets_changed_harm_nobody() {
    seeds(60, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = silent(seed, shards, &durable(1));
        send_all(&mut world, 0..8, Duration::from_millis(5));
        for message in 1..6 {
            (1..total_of(message)).for_each(|number| _ = deliver_part(&mut world, 0, message, number));
        }
        pass(&mut world, s(2));
        for octets in world.disk.values_mut() {
            for _ in 0..=random.below(4) {
                let at = usize::try_from(random.below(octets.len() as u64)).unwrap();
                octets[at] = u8::try_from(random.below(256)).unwrap();
            }
        }
        world.crash(cores_after(seed));
        report_all(&mut world);
        send_all(&mut world, 100..104, Duration::from_millis(5));
        pass(&mut world, s(10));
        for number in 100..104 {
            assert_eq!(world.cpm.answers[&outgoing(number).call_id], 202, "message {number}");
        }
        world.run_for(s(700));
    });
}

/// Crashes at any moment, with what the disk had not written lost: nothing that was promised is missing, nothing arrives
/// in pieces. Twice at most, since nobody can know what became of what was under way when the process died.
#[test]
fn crashes_at_any_moment() {
    seeds(24, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = silent(seed, shards, &durable(2));
        world.smscs.iter_mut().for_each(|smsc| smsc.faults.redeliver = Some(Duration::from_millis(2_500)));
        let rounds = 6;
        for round in 0..rounds {
            send_all(&mut world, round * 8..(round + 1) * 8, Duration::from_millis(5));
            pass(&mut world, s(2));
            for message in round * 4..(round + 1) * 4 {
                deliver_whole(&mut world, message % 2, message);
            }
            for accepted in 0..world.smscs[round % 2].accepted.len() {
                let id = world.smscs[round % 2].accepted[accepted].message_id;
                let again = world.smscs[round % 2].deliveries.iter().any(|known| known.message_id == Some(id));
                if !again && random.below(3) > 0 {
                    let at = world.now.moment + Duration::from_millis(random.below(200));
                    world.smscs[round % 2].report_on(at, id, MessageState::DELIVERED);
                }
            }
            for _ in 0..random.below(8) {
                world.run_for(Duration::from_millis(random.below(40)));
                if random.below(2) == 0 {
                    world.write_records();
                }
            }
            world.crash(u16::try_from(random.below(3)).unwrap() + 1);
        }
        pass(&mut world, s(10));
        for smsc in 0..2 {
            for id in world.smscs[smsc].accepted.iter().map(|accepted| accepted.message_id).collect::<Vec<_>>() {
                if !world.smscs[smsc].deliveries.iter().any(|known| known.message_id == Some(id)) {
                    let now = world.now.moment;
                    world.smscs[smsc].report_on(now, id, MessageState::DELIVERED);
                }
            }
        }
        pass(&mut world, s(400));
        for number in 0..rounds * 8 {
            assert_eq!(world.cpm.answers[&outgoing(number).call_id], 202);
            let (told, due) = (told_of(&world, number), due(number, Status::Delivered));
            assert!(due.iter().all(|due| told.contains(due)), "message {number}: {told:?}, due {due:?}");
            assert!(told.len() <= due.len() * 2, "message {number}: {told:?}");
        }
        let texts = texts(&world);
        for message in 0..rounds * 4 {
            let (sender, text) = whole(message);
            let got = texts.get(&sender).unwrap_or_else(|| panic!("message {message} is missing"));
            assert!(got.iter().all(|got| *got == text) && got.len() <= 2, "message {message}: {got:?}");
        }
        // Of a message that is over the record may be there still, until it expires.
        assert_eq!(world.disk.len() as u64, world.count(|stats| stats.open_messages));
        assert!(world.disk.len() < rounds * 8, "{}", world.disk.len());
    });
}
