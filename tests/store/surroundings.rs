//! A directory that goes away, a clock that is set, records to write, and waiting.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use isthmus::engine::transport::{RecordId, ShardId};
use isthmus::store::{Desk, Opened, Store};

/// What the clock says at first.
pub(crate) const NOW_S: u32 = 1_800_000_000;

/// A directory of one test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    /// A name that nobody else has; nothing is there yet.
    pub(crate) fn new() -> Dir {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = env::temp_dir().join(format!("isthmus-store-{}-{serial}", process::id()));
        drop(fs::remove_dir_all(&dir));
        Dir(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("records.redb")
    }

    pub(crate) fn open(&self) -> Opened {
        Store::open(self.path(), || NOW_S).expect("a store")
    }

    /// What a later run finds.
    pub(crate) fn kept(&self) -> Vec<(RecordId, Vec<u8>)> {
        let opened = self.open();
        drop(opened.store.close());
        opened.kept
    }

    /// Another directory with the file as it is now, as after a crash.
    pub(crate) fn crashed(&self) -> Dir {
        let copy = Dir::new();
        fs::create_dir_all(copy.path()).expect("a directory");
        fs::copy(self.file(), copy.file()).expect("a copy");
        copy
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A clock that stands until it is set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU32>);

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock(Arc::new(AtomicU32::new(NOW_S)))
    }

    pub(crate) fn advance(&self, seconds: u32) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> impl Fn() -> u32 + Send + 'static + use<> {
        let clock = Arc::clone(&self.0);
        move || clock.load(Ordering::SeqCst)
    }
}

/// A record of the first run and shard with an hour left.
pub(crate) fn record(number: u64) -> RecordId {
    RecordId { expires_s: NOW_S + 3_600, run: 1, shard: ShardId(0), number }
}

pub(crate) fn desk(store: &Store) -> Desk {
    store.desk(Box::new(|| {}))
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until so many orders of a desk are carried out.
pub(crate) fn until_done(desk: &mut Desk, orders: u64) {
    let mut last = 0;
    until("done", || {
        let next = desk.done();
        assert!(next.is_none_or(|next| next > last), "{next:?} after {last}");
        last = next.unwrap_or(last);
        last >= orders
    });
    assert_eq!(last, orders);
}

/// Orders one record and waits for it.
pub(crate) fn write(desk: &mut Desk, record: RecordId, octets: &[u8]) {
    desk.write(record, octets);
    desk.hand_in();
    until("written", || desk.done().is_some());
}
