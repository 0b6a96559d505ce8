//! Records beyond their time.

use std::time::Duration;

use isthmus::engine::transport::RecordId;
use isthmus::limits;
use isthmus::store::{Opened, Store, Tempo};
use redb::Builder;

use super::surroundings::{Clock, Dir, NOW_S, desk, record, until, until_done};

const MANY: u64 = limits::STORE_EXPIRED_PER_GROUP_MAX as u64 * 5 / 2;

/// Looks more often than once a minute.
fn open(dir: &Dir, clock: &Clock) -> Opened {
    std::fs::create_dir_all(dir.path()).expect("a directory");
    let file = dir.file();
    let tempo = Tempo { look: Duration::from_millis(10), ..Tempo::default() };
    Store::open_with(&dir.file(), move || Builder::new().create(&file), clock.read(), tempo).expect("a store")
}

fn write_many(store: &Store) {
    let mut desk = desk(store);
    for number in 1..=MANY {
        desk.write(RecordId { expires_s: NOW_S + 10, ..record(number) }, b"some");
    }
    desk.write(record(MANY + 1), b"longer");
    desk.hand_in();
    until_done(&mut desk, MANY + 1);
}

#[test]
fn they_are_removed_though_nothing_is_ordered() {
    let (dir, clock) = (Dir::new(), Clock::new());
    let opened = open(&dir, &clock);
    write_many(&opened.store);
    clock.advance(10);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(opened.store.status().expired, 0, "their last second is not over");
    clock.advance(1);
    until("expired", || opened.store.status().expired == MANY);
    assert!(opened.store.close().commits >= 4);
    assert_eq!(dir.kept(), [(record(MANY + 1), b"longer".to_vec())]);
}

#[test]
fn they_are_not_returned_and_the_next_run_removes_them() {
    let (dir, clock) = (Dir::new(), Clock::new());
    let opened = Store::open(dir.path(), clock.read()).expect("a store");
    write_many(&opened.store);
    drop(opened.store);
    clock.advance(11);
    let opened = Store::open(dir.path(), clock.read()).expect("a store");
    assert_eq!(opened.kept, [(record(MANY + 1), b"longer".to_vec())]);
    until("expired", || opened.store.status().expired == MANY);
    drop(opened.store);
    assert_eq!(dir.kept().len(), 1, "by an earlier clock, too");
}

#[test]
fn to_forget_one_of_them_is_no_error() {
    let (dir, clock) = (Dir::new(), Clock::new());
    let opened = open(&dir, &clock);
    write_many(&opened.store);
    clock.advance(11);
    until("expired", || opened.store.status().expired == MANY);
    let mut desk = desk(&opened.store);
    desk.forget(RecordId { expires_s: NOW_S + 10, ..record(1) });
    desk.hand_in();
    let status = opened.store.close();
    assert_eq!((status.forgotten, status.failed_commits), (1, 0));
}
