//! What was written is there, what was forgotten is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use isthmus::engine::transport::{RecordId, ShardId};
use isthmus::limits;

use super::surroundings::{Dir, NOW_S, desk, record, until, until_done, write};

#[test]
fn what_is_written_is_there_in_the_order_of_the_names() {
    let dir = Dir::new();
    let opened = dir.open();
    assert_eq!((opened.run, opened.kept.len()), (1, 0));
    let soon = RecordId { expires_s: NOW_S + 1, ..record(3) };
    let elsewhere = RecordId { shard: ShardId(1), ..record(1) };
    let mut desk = desk(&opened.store);
    for (record, octets) in [(record(1), "one"), (record(2), ""), (soon, "soon"), (elsewhere, "elsewhere")] {
        desk.write(record, octets.as_bytes());
    }
    desk.hand_in();
    until_done(&mut desk, 4);
    assert!(!desk.is_failing());
    drop(opened.store);
    let kept = [(soon, &b"soon"[..]), (record(1), b"one"), (record(2), b""), (elsewhere, b"elsewhere")];
    assert_eq!(dir.kept(), kept.map(|(record, octets)| (record, octets.to_vec())));
}

#[test]
fn what_is_forgotten_is_gone() {
    let dir = Dir::new();
    let opened = dir.open();
    let mut desk = desk(&opened.store);
    for number in 1..=3 {
        write(&mut desk, record(number), b"some");
    }
    desk.forget(record(2));
    desk.forget(record(77));
    desk.hand_in();
    until("forgotten", || opened.store.status().forgotten == 2);
    until_done(&mut desk, 5);
    let status = opened.store.close();
    assert_eq!((status.written, status.commits, status.failed_commits, status.waiting_bytes), (3, 4, 0, 0));
    assert_eq!(dir.kept().iter().map(|(record, _)| record.number).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_later_run_can_forget_what_an_earlier_one_wrote() {
    let dir = Dir::new();
    let opened = dir.open();
    write(&mut desk(&opened.store), record(1), b"some");
    drop(opened.store);
    let opened = dir.open();
    assert_eq!((opened.run, &opened.kept[..]), (2, &[(record(1), b"some".to_vec())][..]));
    let mut desk = desk(&opened.store);
    desk.forget(record(1));
    desk.hand_in();
    drop(opened.store);
    assert_eq!(dir.kept(), []);
}

/// Nothing changes in the file, but the orders count: what comes after them relies on it.
#[test]
fn what_is_written_and_forgotten_at_once_never_comes_into_the_file() {
    let dir = Dir::new();
    let opened = dir.open();
    let mut desk = desk(&opened.store);
    for number in 1..=100 {
        desk.write(record(number), b"some");
        desk.forget(record(number));
    }
    desk.hand_in();
    until_done(&mut desk, 200);
    let status = opened.store.close();
    assert_eq!((status.written, status.forgotten, status.short_lived, status.commits), (100, 100, 100, 0));
    assert_eq!(dir.kept(), []);
}

#[test]
fn runs_are_numbered_and_what_is_handed_in_is_written_at_the_end() {
    let dir = Dir::new();
    for run in 1..=4 {
        let opened = dir.open();
        assert_eq!((opened.run, opened.kept.len()), (run, run as usize - 1));
        let mut desk = desk(&opened.store);
        desk.write(RecordId { run, ..record(1) }, b"some");
        desk.hand_in();
        drop(opened.store);
        assert_eq!(desk.done(), Some(1));
    }
}

/// More than one group may hold, and one order that is larger than a group.
#[test]
fn groups_are_bounded_and_nothing_is_left_out() {
    let dir = Dir::new();
    let opened = dir.open();
    let mut desk = desk(&opened.store);
    let octets = vec![7; limits::STORE_GROUP_BYTES_MAX / 8];
    for number in 1..=32 {
        desk.write(record(number), &octets);
    }
    desk.write(record(33), &vec![8; limits::STORE_GROUP_BYTES_MAX * 2]);
    desk.hand_in();
    until_done(&mut desk, 33);
    let status = opened.store.close();
    assert!(status.commits >= 5, "{status:?}");
    let kept = dir.kept();
    assert_eq!(kept.iter().map(|(record, _)| record.number).collect::<Vec<_>>(), (1..=33).collect::<Vec<_>>());
    assert!(kept[..32].iter().all(|(_, kept)| *kept == octets));
    assert_eq!(kept[32].1.len(), limits::STORE_GROUP_BYTES_MAX * 2);
}

#[test]
fn what_was_said_to_be_written_outlives_a_crash() {
    let dir = Dir::new();
    let opened = dir.open();
    let mut desk = desk(&opened.store);
    for number in 1..=20 {
        write(&mut desk, record(number), &number.to_be_bytes());
        desk.forget(record(number / 2));
        let copy = dir.crashed();
        let kept = copy.kept();
        assert_eq!(kept.last(), Some(&(record(number), number.to_be_bytes().to_vec())));
        assert_eq!(copy.open().run, 3);
    }
}

#[test]
fn desks_are_woken_when_there_is_something_to_ask() {
    let dir = Dir::new();
    let opened = dir.open();
    let woken = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [mut desk, _idle] = woken.clone().map(|woken| {
        opened.store.desk(Box::new(move || {
            woken.fetch_add(1, Ordering::SeqCst);
        }))
    });
    desk.hand_in();
    desk.write(record(1), b"some");
    desk.hand_in();
    until("woken", || woken[0].load(Ordering::SeqCst) == 1);
    assert_eq!((desk.done(), desk.done()), (Some(1), None));
    drop(opened.store.close());
    assert_eq!(woken.map(|woken| woken.load(Ordering::SeqCst)), [1, 0]);
}

/// Messages of people are in it.
#[test]
fn only_the_owner_can_read_it() {
    let dir = Dir::new();
    drop(dir.open());
    let mode = |path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(dir.path().to_path_buf()), mode(dir.file())), (0o700, 0o600));
}
