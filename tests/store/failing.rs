//! A disk that fails and comes back.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use isthmus::store::{Opened, Store, Tempo};
use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::surroundings::{Dir, NOW_S, desk, record, until, until_done, write};

/// What a disk refuses.
#[derive(Clone, Debug, Default)]
struct Faults {
    open: Arc<AtomicBool>,
    write: Arc<AtomicBool>,
    sync: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Disk {
    file: FileBackend,
    faults: Faults,
}

fn check(fault: &AtomicBool) -> io::Result<()> {
    if fault.load(Ordering::SeqCst) { Err(io::Error::other("the disk is ill")) } else { Ok(()) }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        check(&self.faults.write)?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        check(&self.faults.sync)?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        check(&self.faults.write)?;
        self.file.write(offset, data)
    }
}

fn open_disk(path: &Path, faults: &Faults) -> Result<Database, DatabaseError> {
    check(&faults.open)?;
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    Builder::new().create_with_backend(Disk { file: FileBackend::new(file)?, faults: faults.clone() })
}

fn open(dir: &Dir, faults: &Faults) -> Opened {
    std::fs::create_dir_all(dir.path()).expect("a directory");
    let (path, faults) = (dir.file(), faults.clone());
    let tempo = Tempo { retry: Duration::from_millis(5), ..Tempo::default() };
    Store::open_with(&dir.file(), move || open_disk(&path, &faults), || NOW_S, tempo).expect("a store")
}

fn fails_and_comes_back(faults: &Faults, ill: &[&AtomicBool]) {
    let dir = Dir::new();
    let opened = open(&dir, faults);
    let woken = Arc::new(AtomicUsize::new(0));
    let _idle = opened.store.desk({
        let woken = Arc::clone(&woken);
        Box::new(move || {
            woken.fetch_add(1, Ordering::SeqCst);
        })
    });
    let mut desk = desk(&opened.store);
    write(&mut desk, record(1), b"before");
    ill.iter().for_each(|fault| fault.store(true, Ordering::SeqCst));
    desk.write(record(2), b"while");
    desk.forget(record(1));
    desk.hand_in();
    until("failing", || desk.is_failing() && opened.store.status().failed_commits >= 3);
    desk.write(record(3), b"meanwhile");
    desk.hand_in();
    assert_eq!(desk.done(), None);
    let status = opened.store.status();
    assert!(status.failing && status.waiting_bytes > 0 && status.last_error.contains("the disk is ill"), "{status:?}");
    until("woken", || woken.load(Ordering::SeqCst) == 1);
    ill.iter().for_each(|fault| fault.store(false, Ordering::SeqCst));
    until_done(&mut desk, 4);
    until("woken", || woken.load(Ordering::SeqCst) == 2);
    assert!(!desk.is_failing());
    let status = opened.store.close();
    assert_eq!((status.failing, status.waiting_bytes, status.written, status.forgotten), (false, 0, 3, 1));
    assert_eq!(dir.kept(), [(record(2), b"while".to_vec()), (record(3), b"meanwhile".to_vec())]);
}

#[test]
fn a_disk_that_does_not_write_loses_nothing() {
    let faults = Faults::default();
    fails_and_comes_back(&faults, &[&faults.write]);
}

#[test]
fn a_disk_that_does_not_sync_loses_nothing() {
    let faults = Faults::default();
    fails_and_comes_back(&faults, &[&faults.sync]);
}

#[test]
fn a_disk_that_cannot_be_opened_again_loses_nothing() {
    let faults = Faults::default();
    fails_and_comes_back(&faults, &[&faults.sync, &faults.open]);
}

#[test]
fn a_disk_that_stays_ill_does_not_hold_up_the_end() {
    let (dir, faults) = (Dir::new(), Faults::default());
    let opened = open(&dir, &faults);
    let mut desk = desk(&opened.store);
    write(&mut desk, record(1), b"before");
    faults.sync.store(true, Ordering::SeqCst);
    desk.write(record(2), b"never");
    desk.hand_in();
    let status = opened.store.close();
    assert!(status.failing && status.waiting_bytes > 0 && status.failed_commits >= 3, "{status:?}");
    assert_eq!(desk.done(), None);
    faults.sync.store(false, Ordering::SeqCst);
    assert_eq!(dir.kept().first(), Some(&(record(1), b"before".to_vec())));
}

#[test]
fn a_disk_that_is_ill_from_the_beginning_is_said_so() {
    let (dir, faults) = (Dir::new(), Faults::default());
    drop(open(&dir, &faults));
    faults.sync.store(true, Ordering::SeqCst);
    let (path, ill) = (dir.file(), faults.clone());
    let error = Store::open_with(&dir.file(), move || open_disk(&path, &ill), || NOW_S, Tempo::default());
    let error = error.expect_err("no store").to_string();
    assert!(error.contains("cannot open") && error.contains("the disk is ill"), "{error}");
}
