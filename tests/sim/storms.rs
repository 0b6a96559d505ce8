//! Everything that goes wrong, at once.

use std::time::Duration;

use isthmus::policy::ThrottledSubmit;
use isthmus::shard::settings::Settings;
use isthmus::wire::cpim::imdn::Status;

use crate::audit::{audit, nothing_is_left, seeds, send_all};
use crate::deliveries::{deliver_whole, expect_messages};
use crate::world::{Weather, World, settings};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn storm_settings() -> Settings {
    let mut settings = settings(2);
    settings.smscs[0].binds = 3;
    settings.smscs[1].binds = 2;
    settings.smscs[0].session.window = 4;
    // Small, so that a single deliver_sm that is never answered is felt.
    settings.smscs[0].session.deliver_window = 3;
    settings.smscs[1].session.deliver_window = 3;
    settings.policy.submission.throttled_submit = ThrottledSubmit::Retry;
    settings
}

#[test]
fn a_storm() {
    seeds(30, |seed, shards| {
        let mut world = World::new(seed, shards, &storm_settings());
        world.weather = Weather { lose_percent: 5, double_percent: 5, jitter: ms(200) };
        for smsc in &mut world.smscs {
            smsc.faults.response_delay = ms(150);
            smsc.faults.redeliver = Some(ms(3_000));
            smsc.faults.throttle_every = 17;
            (smsc.faults.report_first, smsc.faults.report_elsewhere) = (seed % 2 == 0, true);
        }
        world.cpm.busy_every = 11;
        for round in 0..8 {
            send_all(&mut world, round * 15..(round + 1) * 15, ms(7));
            match (usize::from(seed) + round) % 5 {
                0 => world.cut_smsc(round % 2),
                1 => world.kill_smsc(round % 2),
                2 => (0..2).for_each(|smsc| world.revive_smsc(smsc)),
                _ => world.run_for(ms(500)),
            }
        }
        (0..2).for_each(|smsc| world.revive_smsc(smsc));
        world.weather = Weather::default();
        world.run_for(ms(400_000));
        let tally = audit(&world, 0..120, Status::Delivered);
        assert_eq!(world.count(|stats| stats.submit_outcome_unknown), tally.of(480), "{tally:?}");
        assert!(tally.of(202) >= 60, "{tally:?}");
        nothing_is_left(&world);
    });
}

/// Messages both ways, reports, and everything that goes wrong, at once.
#[test]
fn a_storm_from_both_sides() {
    seeds(15, |seed, shards| {
        let mut world = World::new(seed, shards, &storm_settings());
        world.weather = Weather { lose_percent: 3, double_percent: 3, jitter: ms(150) };
        for smsc in &mut world.smscs {
            smsc.faults.response_delay = ms(100);
            smsc.faults.redeliver = Some(ms(2_500));
            (smsc.faults.report_first, smsc.faults.report_elsewhere) = (seed % 2 == 1, true);
        }
        world.cpm.busy_every = 9;
        for round in 0..10 {
            for message in round * 6..(round + 1) * 6 {
                deliver_whole(&mut world, message % 2, message);
            }
            send_all(&mut world, round * 8..(round + 1) * 8, ms(9));
            match (usize::from(seed) + round) % 4 {
                0 => world.cut_smsc(round % 2),
                1 => world.run_for(ms(2_500)),
                _ => {}
            }
        }
        world.weather = Weather::default();
        world.run_for(ms(400_000));
        let tally = audit(&world, 0..80, Status::Delivered);
        assert_eq!(world.count(|stats| stats.submit_outcome_unknown), tally.of(480), "{tally:?}");
        expect_messages(&world, 0..60);
        nothing_is_left(&world);
    });
}

/// The same where promises wait for the disk, which takes its time.
#[test]
fn promises_on_a_slow_disk() {
    seeds(9, |seed, shards| {
        let mut world = World::new(seed, shards, &Settings { durable: true, ..storm_settings() });
        world.weather = Weather { lose_percent: 3, double_percent: 3, jitter: ms(100) };
        for smsc in &mut world.smscs {
            smsc.faults.redeliver = Some(ms(2_500));
            smsc.faults.response_delay = ms(50);
        }
        world.cpm.busy_every = 7;
        for round in 0..12 {
            for message in round * 3..(round + 1) * 3 {
                deliver_whole(&mut world, message % 2, message);
            }
            send_all(&mut world, round * 5..(round + 1) * 5, ms(20));
            if (usize::from(seed) + round) % 4 == 0 {
                world.cut_smsc(round % 2);
            }
            world.write_records();
        }
        for _ in 0..400 {
            world.run_for(ms(1_000));
            world.write_records();
        }
        let tally = audit(&world, 0..60, Status::Delivered);
        assert_eq!(world.count(|stats| stats.submit_outcome_unknown), tally.of(480), "{tally:?}");
        expect_messages(&world, 0..36);
        nothing_is_left(&world);
    });
}
