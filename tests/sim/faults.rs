//! Nothing accepted is lost and nothing is doubled, whatever the network and the SM-SC do.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::wire::cpim;
use isthmus::wire::cpim::imdn::{self, Notification, Status};
use isthmus::wire::sip::{Index, Message};

use crate::cpm::Outgoing;
use crate::smsc::Accepted;
use crate::text::joined;
use crate::world::{Weather, World, settings};

const TEXTS: [&str; 4] = [
    "Hello",
    "Grüße aus Köln [€] {~}",
    "Ελληνικά και 漢字 😀👍🏽 together",
    "a long text that needs more than one short message because it goes on and on and on, [brackets] and €uro signs \
     included, until it has gone past one hundred and sixty septets by a good margin, and then some more of it follows",
];

fn outgoing(number: usize) -> Outgoing {
    Outgoing {
        call_id: format!("m{number}@client.example"),
        from: "+491700000001".into(),
        to: format!("+4917{number:08}"),
        dispositions: [Some("positive-delivery, negative-delivery"), None, Some("interworking")][number % 3],
        imdn_message_id: format!("imdn-{number}"),
        text: format!("{} #{number}", TEXTS[number % TEXTS.len()]),
        headers: String::new(),
    }
}

/// What each message's recipient got, by number in the message's address.
fn delivered(world: &World) -> BTreeMap<Vec<u8>, Vec<String>> {
    let mut sets: BTreeMap<(Vec<u8>, Option<u16>), Vec<&Accepted>> = BTreeMap::new();
    for accepted in world.smscs.iter().flat_map(|smsc| &smsc.accepted) {
        let key = (accepted.destination_addr.clone(), accepted.sar.map(|(reference, ..)| reference));
        sets.entry(key).or_default().push(accepted);
    }
    let mut texts: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for ((to, _), parts) in sets {
        texts.entry(to).or_default().push(joined(&parts));
    }
    texts
}

/// Message-ID, notification and status of every IMDN that reached the CPM side.
pub fn notifications(world: &World) -> Vec<(String, Notification, Status)> {
    let mut found = Vec::new();
    for received in &world.cpm.received {
        let mut index = Index::new();
        let message = Message::parse(&received.bytes, &mut index).unwrap();
        let cpim = cpim::Message::parse(message.body()).expect("CPIM");
        if cpim.is_imdn() {
            let document = imdn::read(cpim.content()).expect("IMDN");
            let outcomes: Vec<_> = document.notifications.iter().collect();
            assert_eq!(outcomes.len(), 1, "one notification per document");
            found.push((document.message_id.to_string(), outcomes[0].0, outcomes[0].1));
        }
    }
    found
}

fn expect_all(world: &World, count: usize) {
    let delivered = delivered(world);
    for number in 0..count {
        let message = outgoing(number);
        assert_eq!(world.cpm.answers.get(&message.call_id), Some(&202), "message {number}");
        let got = delivered.get(message.to.trim_start_matches('+').as_bytes());
        assert_eq!(got, Some(&vec![message.text.clone()]), "message {number}");
    }
    let mut expected = Vec::new();
    for number in 0..count {
        let id = format!("imdn-{number}");
        match number % 3 {
            0 => expected.push((id, Notification::Delivery, Status::Delivered)),
            2 => expected.push((id, Notification::Interworking, Status::LegacySms)),
            _ => {}
        }
    }
    let mut got = notifications(world);
    let key = |(id, ..): &(String, Notification, Status)| id.clone();
    expected.sort_by_key(key);
    got.sort_by_key(key);
    assert_eq!(got, expected);
}

fn send_all(world: &mut World, count: usize, pace: Duration) {
    for number in 0..count {
        let message = outgoing(number);
        world.cpm.send(world.now.moment, &message);
        world.run_for(pace);
    }
}

#[test]
fn a_calm_network() {
    let mut world = World::new(1, 1, &settings(1));
    send_all(&mut world, 60, Duration::from_millis(2));
    world.run_for(Duration::from_secs(5));
    expect_all(&world, 60);
    assert_eq!(world.handoffs, 0);
}

#[test]
fn several_cores_give_the_same_result_and_half_the_messages_arrive_at_the_wrong_one() {
    let mut world = World::new(2, 2, &settings(1));
    send_all(&mut world, 200, Duration::from_millis(2));
    world.run_for(Duration::from_secs(5));
    expect_all(&world, 200);
    assert!((100..500).contains(&world.handoffs), "{}", world.handoffs);
}

#[test]
fn loss_doubling_and_reordering_of_datagrams() {
    for seed in 0..12 {
        let mut world = World::new(seed, u16::from(seed % 3) + 1, &settings(2));
        world.weather = Weather { lose_percent: 15, double_percent: 10, jitter: Duration::from_millis(700) };
        send_all(&mut world, 60, Duration::from_millis(20));
        world.run_for(Duration::from_secs(120));
        expect_all(&world, 60);
        assert!(world.cpm.retransmissions > 0 && world.count(|stats| stats.sip_retransmissions_absorbed) > 0);
    }
}

#[test]
fn reports_before_responses_and_ids_in_another_base() {
    let mut settings = settings(1);
    settings.smscs[0].message_id = isthmus::wire::smpp::MessageIdForm::HexSubmitDecimalReceipt;
    let mut world = World::new(4, 2, &settings);
    world.smscs[0].faults.report_first = true;
    world.smscs[0].faults.hex_submit = true;
    world.smscs[0].faults.response_delay = Duration::from_millis(400);
    send_all(&mut world, 60, Duration::from_millis(5));
    world.run_for(Duration::from_secs(10));
    expect_all(&world, 60);
    assert!(world.count(|stats| stats.reports_early) > 0);
    assert_eq!(world.count(|stats| stats.reports_unknown), 0);
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
    assert_eq!(world.disk.len(), 1);
    world.write_records();
    world.run_for(Duration::from_secs(3));
    assert_eq!(world.cpm.answers.get(&outgoing(0).call_id), Some(&202));
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}
