//! SM-SCs that connect to us and ask for a bind (SMPP 3.4 2.2.1, 4.1.7).

use std::time::Duration;

use isthmus::engine::smpp::Initiator;
use isthmus::shard::settings::Settings;
use isthmus::wire::inline::Inline;
use isthmus::wire::smpp::DeliverSm;

use crate::cpm::Outgoing;
use crate::world::{World, settings};

fn waiting_for_the_smsc() -> Settings {
    let mut settings = settings(1);
    settings.smscs[0].outbind = Some("198.51.100.1:2776".parse().unwrap());
    settings.smscs[0].session.initiator = Initiator::Smsc;
    settings.smscs[0].session.outbind_password = Inline::from_slice(b"open");
    settings
}

fn message() -> Outgoing {
    Outgoing {
        call_id: "m@client.example".into(),
        from: "+491700000001".into(),
        to: "+491710000002".into(),
        dispositions: None,
        imdn_message_id: "imdn".into(),
        text: "Hello".into(),
        headers: String::new(),
    }
}

#[test]
fn an_outbind_is_answered_with_a_bind_on_whatever_core_it_arrives() {
    for core in 0..2 {
        let mut world = World::new(1, 2, &waiting_for_the_smsc());
        assert!(!world.shards[0].is_ready(), "nobody connected: we do not");
        world.smsc_connects(core, 0, "203.0.113.1:40000", b"open");
        world.run_for(Duration::from_secs(1));
        world.cpm.send(world.now.moment, &message());
        world.run_for(Duration::from_secs(1));
        assert_eq!(world.cpm.answers.get("m@client.example"), Some(&202));
        assert_eq!(world.smscs[0].accepted.len(), 1);
    }
}

#[test]
fn a_stranger_or_a_wrong_password_is_not_served() {
    let mut world = World::new(1, 1, &waiting_for_the_smsc());
    world.smsc_connects(0, 0, "203.0.113.77:40000", b"open");
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.smscs[0].seen.len(), 0, "closed without a word");
    world.smsc_connects(0, 0, "203.0.113.1:40001", b"guess");
    world.run_for(Duration::from_secs(1));
    assert!(!world.shards[0].is_ready());
    world.smsc_connects(0, 0, "203.0.113.1:40002", b"open");
    world.run_for(Duration::from_secs(1));
    assert!(world.shards[0].is_ready(), "the place is free again");
}

/// Who opened the connection does not matter for what was in doubt when it broke.
#[test]
fn a_short_message_that_comes_again_on_its_next_connection_is_not_passed_on_twice() {
    let mut world = World::new(2, 2, &waiting_for_the_smsc());
    world.smscs[0].faults.redeliver = Some(Duration::from_secs(2));
    world.smsc_connects(0, 0, "203.0.113.1:40000", b"open");
    world.run_for(Duration::from_secs(1));
    let now = world.now.moment;
    let once = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000009",
        dest_addr_ton: 1,
        destination_addr: b"491700000001",
        data_coding: 3,
        short_message: b"once",
        ..DeliverSm::default()
    };
    world.smscs[0].deliver(now, &once);
    assert!(world.run_until(Duration::from_secs(1), |world| !world.cpm.received.is_empty()));
    world.cut_smsc(0);
    world.smsc_connects(1, 0, "203.0.113.1:40001", b"open");
    world.run_for(Duration::from_secs(10));
    assert_eq!((world.smscs[0].deliveries[0].sent, world.cpm.received.len()), (2, 1));
}
