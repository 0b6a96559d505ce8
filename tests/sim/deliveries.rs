//! Messages from SMS: each that the SM-SC was told is taken reaches the CPM side once and whole, whatever happens to its
//! parts, to connections, to datagrams and to the CPM side.

use std::time::Duration;

use isthmus::engine::Random;
use isthmus::policy::IncompleteMessage;
use isthmus::shard::settings::Settings;
use isthmus::wire::smpp::{CommandStatus, DeliverSm, Tag, Tlvs, tlv};

use crate::audit::{nothing_is_left, seeds, texts};
use crate::world::{Weather, World, settings};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One deliver_sm to be sent.
#[derive(Clone, Debug)]
struct Part {
    message: usize,
    total: u8,
    number: u8,
    text: String,
}

fn parts_of(message: usize, total: u8) -> Vec<Part> {
    let part = |number| Part { message, total, number, text: format!("<{message}:{number}/{total}>") };
    (1..=total).map(part).collect()
}

fn sender(message: usize) -> String {
    format!("4915{message:08}")
}

fn deliver(world: &mut World, smsc: usize, part: &Part) -> usize {
    let (mut tlvs, mut short_message) = (Vec::new(), Vec::new());
    let source_addr = sender(part.message);
    let reference = u8::try_from(part.message % 251).unwrap();
    let by_header = part.message.is_multiple_of(3);
    if part.total > 1 && by_header {
        short_message.extend_from_slice(&[5, 0, 3, reference, part.total, part.number]);
    } else if part.total > 1 {
        tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &[1, reference]);
        tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[part.total]);
        tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[part.number]);
    }
    short_message.extend_from_slice(part.text.as_bytes());
    let pdu = DeliverSm {
        source_addr_ton: 1,
        source_addr: source_addr.as_bytes(),
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        esm_class: if part.total > 1 && by_header { 0x40 } else { 0 },
        data_coding: 3,
        short_message: &short_message,
        tlvs: Tlvs::parse(&tlvs).unwrap(),
        ..DeliverSm::default()
    };
    let now = world.now.moment;
    world.smscs[smsc].deliver(now, &pdu)
}

/// Sends all parts of a message.
pub fn deliver_whole(world: &mut World, smsc: usize, message: usize) {
    for part in parts_of(message, total_of(message)) {
        deliver(world, smsc, &part);
    }
}

/// Sends one part of a message of several; its place among the deliveries.
pub fn deliver_part(world: &mut World, smsc: usize, message: usize, number: u8) -> usize {
    let part = parts_of(message, total_of(message)).swap_remove(usize::from(number) - 1);
    deliver(world, smsc, &part)
}

/// The same with a text of one's own.
pub fn deliver_text(world: &mut World, smsc: usize, message: usize, (number, total): (u8, u8), text: &str) -> usize {
    deliver(world, smsc, &Part { message, total, number, text: text.into() })
}

/// The whole text of a message, and the URI of its sender.
pub fn whole(message: usize) -> (String, String) {
    let text = parts_of(message, total_of(message)).iter().map(|part| part.text.as_str()).collect();
    (format!("tel:+{};nccsid=SMS", sender(message)), text)
}

/// Each of these messages was taken once, whole.
pub fn expect_messages(world: &World, messages: core::ops::Range<usize>) {
    let texts = texts(world);
    for message in messages.clone() {
        let (sender, text) = whole(message);
        assert_eq!(texts.get(&sender), Some(&vec![text]), "message {message}");
    }
    assert_eq!(texts.len(), messages.len());
    assert_eq!(world.count(|stats| stats.delivers_accepted), messages.len() as u64);
    assert_eq!(world.count(|stats| stats.joining), 0);
}

pub fn total_of(message: usize) -> u8 {
    [1, 2, 3, 1, 5, 4][message % 6]
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for at in (1..items.len()).rev() {
        items.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
    }
}

/// The parts of all messages in any order; parts of several may come twice.
fn shuffled(messages: core::ops::Range<usize>, double_percent: u64, random: &mut Random) -> Vec<Part> {
    let mut parts: Vec<Part> = messages.flat_map(|message| parts_of(message, total_of(message))).collect();
    let doubled: Vec<Part> =
        parts.iter().filter(|part| part.total > 1 && random.below(100) < double_percent).cloned().collect();
    parts.extend(doubled);
    shuffle(&mut parts, random);
    parts
}

fn several_binds() -> Settings {
    let mut settings = settings(1);
    settings.smscs[0].binds = 3;
    settings
}

#[test]
fn parts_in_any_order_doubled_and_interleaved() {
    seeds(18, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(1_000));
        for part in shuffled(0..60, 25, &mut random) {
            deliver(&mut world, 0, &part);
            world.run_for(ms(random.below(30)));
        }
        world.run_for(ms(10_000));
        expect_messages(&world, 0..60);
        nothing_is_left(&world);
        let refused = world.smscs[0].statuses().iter().filter(|status| **status != CommandStatus::ESME_ROK).count();
        // A part that comes again while its message is on its way is put off; none is refused for good.
        assert!(world.smscs[0].statuses().iter().all(|s| [CommandStatus(0), CommandStatus(0x64)].contains(s)));
        assert!(refused < 10, "{refused}");
    });
}

#[test]
fn datagrams_are_lost_doubled_and_reordered() {
    seeds(12, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(5_000));
        world.weather = Weather { lose_percent: 15, double_percent: 10, jitter: ms(500) };
        for part in shuffled(0..40, 10, &mut random) {
            deliver(&mut world, 0, &part);
            world.run_for(ms(10));
        }
        world.run_for(ms(200_000));
        expect_messages(&world, 0..40);
        nothing_is_left(&world);
        assert!(world.count(|stats| stats.sip_retransmissions_sent) > 0);
    });
}

/// 503 to every second or third request: single messages come again whole, joined ones by their last part.
#[test]
fn the_cpm_side_is_busy() {
    seeds(12, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(4_000 + 500 * u64::from(seed % 13)));
        world.cpm.busy_every = 2 + usize::from(seed % 2);
        for part in shuffled(0..40, 10, &mut random) {
            deliver(&mut world, 0, &part);
            world.run_for(ms(10));
        }
        world.run_for(ms(400_000));
        expect_messages(&world, 0..40);
        nothing_is_left(&world);
    });
}

/// The SM-SC delivers again what it has no response for; the responses were lost, or had not been sent.
#[test]
fn connections_break_and_what_was_not_answered_comes_again() {
    seeds(24, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(2_000));
        world.weather.jitter = ms(300);
        for (at, part) in shuffled(0..40, 0, &mut random).iter().enumerate() {
            deliver(&mut world, 0, part);
            world.run_for(ms(random.below(40)));
            if at % 15 == 14 {
                world.cut_smsc(0);
            }
        }
        world.run_for(ms(400_000));
        expect_messages(&world, 0..40);
        nothing_is_left(&world);
    });
}

#[test]
fn the_smsc_is_restarted_while_messages_are_on_their_way() {
    seeds(12, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(2_000));
        world.weather.jitter = ms(900);
        for part in shuffled(0..30, 0, &mut random) {
            deliver(&mut world, 0, &part);
        }
        world.run_for(ms(random.below(1_500)));
        world.kill_smsc(0);
        world.run_for(ms(20_000));
        world.revive_smsc(0);
        world.run_for(ms(400_000));
        expect_messages(&world, 0..30);
        nothing_is_left(&world);
        assert!(world.count(|stats| stats.redelivered) > 0 || world.smscs[0].deliveries.iter().all(|d| d.sent == 1));
    });
}

#[test]
fn parts_that_never_come() {
    for (policy, delivered) in [(IncompleteMessage::Deliver, true), (IncompleteMessage::Refuse, false)] {
        seeds(6, |seed, shards| {
            let mut random = Random::from_seed([seed; 32]);
            let mut settings = several_binds();
            settings.policy.delivery.incomplete_message = policy;
            settings.policy.delivery.joining_timeout_s = 60;
            let mut world = World::new(seed, shards, &settings);
            // The CPM side is busy at times: nobody but us repeats what was acknowledged in parts.
            world.cpm.busy_every = 3;
            world.smscs[0].faults.redeliver = Some(ms(3_000));
            let mut parts = shuffled(0..40, 0, &mut random);
            parts.retain(|part| part.number != 2);
            for part in &parts {
                deliver(&mut world, 0, part);
                world.run_for(ms(10));
            }
            world.run_for(ms(400_000));
            let texts = texts(&world);
            for message in 0..40 {
                let mut left = parts_of(message, total_of(message));
                left.retain(|part| part.number != 2);
                let came: String = left.iter().map(|part| part.text.as_str()).collect();
                let expected = (delivered || total_of(message) == 1).then(|| vec![came]);
                let got = texts.get(&format!("tel:+{};nccsid=SMS", sender(message))).cloned();
                assert_eq!(got, expected, "message {message}");
            }
            assert_eq!(world.count(|stats| stats.joins_expired), (0..40).filter(|m| total_of(*m) > 1).count() as u64);
            nothing_is_left(&world);
        });
    }
}

/// Two SM-SCs deliver parts under the same reference for the same addresses: they are different messages.
#[test]
fn sets_of_different_smscs_are_not_mixed() {
    seeds(6, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(2));
        let [first, second] = [1, 2].map(|number| parts_of(1, 2).remove(number - 1));
        deliver(&mut world, 0, &first);
        deliver(&mut world, 1, &second);
        world.run_for(ms(2_000));
        assert!(texts(&world).is_empty());
        deliver(&mut world, 1, &Part { text: "[other 1]".into(), ..first });
        deliver(&mut world, 0, &second);
        world.run_for(ms(2_000));
        let mut got = texts(&world).into_values().flatten().collect::<Vec<_>>();
        got.sort();
        assert_eq!(got, ["<1:1/2><1:2/2>", "[other 1]<1:2/2>"]);
    });
}

/// A drain while parts, messages and notifications are on their way: what the SM-SC was told is taken is delivered.
#[test]
fn a_drain_loses_nothing_that_was_acknowledged() {
    seeds(18, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.cpm.busy_every = 4;
        world.weather.jitter = ms(400);
        let parts = shuffled(0..30, 0, &mut random);
        let half = parts.len() / 2;
        let places: Vec<usize> = parts.iter().take(half).map(|part| deliver(&mut world, 0, part)).collect();
        world.run_for(ms(random.below(600)));
        world.drain();
        let later: Vec<usize> = parts.iter().skip(half).map(|part| deliver(&mut world, 0, part)).collect();
        assert!(world.run_until(ms(120_000), World::is_drained));
        let all = texts(&world).into_values().flatten().collect::<String>();
        for (part, place) in parts.iter().zip(places.iter().chain(&later)) {
            let taken = world.smscs[0].deliveries[*place].statuses.contains(&CommandStatus::ESME_ROK);
            let times = all.matches(&part.text).count();
            assert_eq!(times, usize::from(taken), "{part:?}: {:?}", world.smscs[0].deliveries[*place].statuses);
        }
    });
}

/// People say the same thing twice: each time is a message of its own, also when connections break in between.
#[test]
fn equal_messages_are_not_taken_for_repetitions_and_their_repetitions_are() {
    seeds(18, |seed, shards| {
        let mut random = Random::from_seed([seed; 32]);
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(2_000));
        world.weather.jitter = ms(600);
        let same = Part { message: 1, total: 1, number: 1, text: "ok".into() };
        for at in 0..24 {
            for _ in 0..=at % 3 {
                deliver(&mut world, 0, &same);
            }
            // All are open when it breaks: of what was answered just before, nobody knows whether that has arrived.
            world.run_for(ms(1));
            if at % 8 == 7 {
                world.cut_smsc(0);
            }
            world.run_for(ms(4_000 + random.below(900)));
        }
        world.run_for(ms(60_000));
        let texts = texts(&world);
        assert_eq!(texts.values().map(Vec::len).collect::<Vec<_>>(), [48]);
        nothing_is_left(&world);
    });
}

/// RFC 3261 18.1.1: a request that is too large for a datagram goes as one all the same if no stream can be had.
#[test]
fn a_large_message_without_a_stream() {
    seeds(3, |seed, shards| {
        let mut world = World::new(seed, shards, &settings(1));
        world.cpm_accepts_tcp = false;
        let large = Part { message: 1, total: 1, number: 1, text: "x".repeat(250) };
        let long: Vec<Part> = (1..=5).map(|number| Part { total: 5, number, ..large.clone() }).collect();
        for part in &long {
            deliver(&mut world, 0, part);
        }
        world.run_for(ms(40_000));
        assert_eq!(texts(&world).into_values().flatten().collect::<Vec<_>>(), ["x".repeat(1250)]);
        assert!(world.smscs[0].statuses().iter().all(|status| *status == CommandStatus::ESME_ROK));
    });
}

/// Streams to the CPM side break again and again, with requests on their way in them.
#[test]
fn streams_to_the_cpm_side_break() {
    seeds(9, |seed, shards| {
        let mut world = World::new(seed, shards, &several_binds());
        world.smscs[0].faults.redeliver = Some(ms(2_000));
        world.cut_cpm_every = 2 + u64::from(seed % 4);
        for message in 0..20 {
            for number in 1..=6 {
                let text = format!("<{message}:{number}>").repeat(28);
                deliver(&mut world, 0, &Part { message, total: 6, number, text });
            }
            world.run_for(ms(if message % 3 == 0 { 500 } else { 1 }));
        }
        world.run_for(ms(400_000));
        let texts = texts(&world);
        for message in 0..20 {
            let whole: String = (1..=6).map(|number| format!("<{message}:{number}>").repeat(28)).collect();
            assert_eq!(texts[&format!("tel:+{};nccsid=SMS", sender(message))], [whole], "message {message}");
        }
        nothing_is_left(&world);
        assert!(world.tcp_to_cpm.len() > 3 * 1_300, "some by streams");
    });
}
