//! Many cores at once.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use isthmus::engine::transport::{RecordId, ShardId};
use isthmus::store::{Desk, Store};

use super::surroundings::{Dir, record, until_done};

const CORES: u16 = 8;
const RECORDS: u64 = 3_000;

fn name(shard: u16, number: u64) -> RecordId {
    RecordId {
        shard: ShardId(shard),
        expires_s: record(0).expires_s + u32::try_from(number % 97).unwrap(),
        ..record(number)
    }
}

fn octets(shard: u16, number: u64) -> Vec<u8> {
    vec![u8::try_from(shard).unwrap(); usize::try_from(number % 500).unwrap()]
}

/// Turns of different lengths; every third record is forgotten some time after it is written.
fn work(desk: &mut Desk, shard: u16) -> u64 {
    let mut forgotten = 0;
    for number in 1..=RECORDS {
        desk.write(name(shard, number), &octets(shard, number));
        if let Some(old) = number.checked_sub(40).filter(|old| *old > 0 && *old % 3 == 0) {
            desk.forget(name(shard, old));
            forgotten += 1;
        }
        if number % (u64::from(shard) * 7 + 1) == 0 {
            desk.hand_in();
        }
    }
    desk.hand_in();
    RECORDS + forgotten
}

fn core(store: &Store, shard: u16) -> thread::JoinHandle<()> {
    let (bell, rung) = mpsc::channel();
    let mut desk = store.desk(Box::new(move || {
        // Nobody listens when the core is done.
        let _ = bell.send(());
    }));
    thread::spawn(move || {
        let orders = work(&mut desk, shard);
        let mut done = 0;
        while done < orders {
            rung.recv().expect("a store");
            done = desk.done().unwrap_or(done);
        }
        assert_eq!(done, orders);
    })
}

#[test]
fn each_hears_of_its_last_record_and_all_are_there() {
    let dir = Dir::new();
    let opened = dir.open();
    let cores: Vec<_> = (0..CORES).map(|shard| core(&opened.store, shard)).collect();
    cores.into_iter().for_each(|core| core.join().expect("a core"));
    let status = opened.store.close();
    assert_eq!((status.written, status.waiting_bytes), (u64::from(CORES) * RECORDS, 0));
    let is_kept = |number: &u64| !number.is_multiple_of(3) || number + 40 > RECORDS;
    let numbers = (1..=RECORDS).filter(is_kept);
    let mut expected: Vec<_> =
        numbers.flat_map(|number| (0..CORES).map(move |shard| (name(shard, number), octets(shard, number)))).collect();
    expected.sort();
    assert!(dir.kept() == expected);
}

/// A desk may be made while others are at work, and one that is given up loses nothing.
#[test]
fn desks_come_and_go() {
    let dir = Dir::new();
    let opened = dir.open();
    let store = Arc::new(opened.store);
    for shard in 0..CORES {
        let mut desk = store.desk(Box::new(|| {}));
        desk.write(name(shard, 1), b"some");
        desk.hand_in();
        if shard % 2 == 0 {
            until_done(&mut desk, 1);
        }
    }
    drop(store);
    assert_eq!(dir.kept().len(), usize::from(CORES));
}
