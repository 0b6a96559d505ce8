//! Records on disk: what the shards have promised to remember, for the time after a crash.
//!
//! No core ever waits for the disk. Each has a [`Desk`], where it orders records to be written and forgotten; one thread
//! for the whole process carries out all orders in groups, each group a transaction with one fsync, and says at each desk
//! how many of its orders are carried out. A core makes its promise to a peer then, and not before.
//!
//! A disk that fails loses nothing that was ordered: the group is tried again until it is written, and the desks say that
//! the store is failing. What is ordered meanwhile is kept in memory without a bound of ours, so those who order are to
//! refuse work for as long.
//!
//! The file is `records.redb` in the directory of the gateway, a redb database with two tables. `records` has keys of 18
//! octets, big endian, in the order of [`RecordId`]: expires_s (4), run (4), shard (2), number (8). `meta` has the number
//! of the format and that of the last run. Beside it lies `lock`, held for as long as the store is open.

mod desk;
mod directory;
mod disk;
mod error;
mod group;
mod orders;
mod shared;
mod writer;

use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam::sync::{Parker, Unparker};
use redb::{Database, DatabaseError};

use crate::engine::transport::RecordId;

pub use desk::Desk;
pub use error::StoreError;
pub use shared::Status;

use disk::Disk;
use shared::Shared;
use writer::Writer;

/// The store of a process, and its thread. Dropped, it is closed.
pub struct Store {
    shared: Arc<Shared>,
    unparker: Unparker,
    thread: Option<JoinHandle<()>>,
}

/// A store that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// The number of this run: higher than that of every run before it, so that no new record has the name of an old one.
    pub run: u32,
    /// The records of earlier runs that were not forgotten and whose time is not over, in the order of their names.
    pub kept: Vec<(RecordId, Vec<u8>)>,
}

/// The rhythm of the store's thread. Tests have a faster one.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    /// From the beginning of a transaction to that of the next one, at least. What is ordered after a longer rest is
    /// written at once. A transaction costs half a millisecond of CPU however small it is, so this bounds what a light
    /// load costs.
    pub commit: Duration,
    /// How long a failed transaction waits before it is tried again.
    pub retry: Duration,
    /// How often records beyond their time are looked for while nothing is ordered.
    pub look: Duration,
}

impl Default for Tempo {
    fn default() -> Tempo {
        Tempo { commit: Duration::from_millis(5), retry: Duration::from_secs(1), look: Duration::from_secs(60) }
    }
}

impl Store {
    /// Opens the store in `dir`, which is made if it is missing, for its owner alone. `clock` says the time in seconds
    /// since 1970-01-01T00:00:00Z; a record expires when it says more than its `expires_s`.
    ///
    /// # Errors
    /// If the directory is not to be used, if another process has it open, if a later version wrote it, if the file is
    /// damaged, or if the host refuses something else. Nothing that was there is lost by it.
    pub fn open(dir: &Path, clock: impl Fn() -> u32 + Send + 'static) -> Result<Opened, StoreError> {
        let mut files = directory::enter(dir)?;
        Store::open_with(&directory::file(dir), move || files.open(), clock, Tempo::default())
    }

    /// Opens the store in what `opener` opens, now and again after each failed transaction: the seam where tests put a
    /// disk that fails. `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        path: &Path,
        opener: impl FnMut() -> Result<Database, DatabaseError> + Send + 'static,
        clock: impl Fn() -> u32 + Send + 'static,
        tempo: Tempo,
    ) -> Result<Opened, StoreError> {
        let mut disk = Disk::new(Box::new(opener));
        let start = disk.start(path, clock())?;
        let (parker, shared) = (Parker::new(), Arc::new(Shared::default()));
        let unparker = parker.unparker().clone();
        let writer = Writer::new(Arc::clone(&shared), parker, disk, Box::new(clock), tempo);
        let thread = thread::Builder::new().name("store".into()).spawn(move || writer.run());
        let thread = Some(thread.map_err(|error| StoreError::other(path, error))?);
        Ok(Opened { store: Store { shared, unparker, thread }, run: start.run, kept: start.kept })
    }

    /// A desk for one core. `wake` is called by the store's thread, and so must be short, whenever there is something to
    /// ask: after each transaction with orders of this desk, and when the store begins or ceases to fail.
    #[must_use]
    pub fn desk(&self, wake: Box<dyn Fn() + Send + Sync>) -> Desk {
        Desk::new(Arc::clone(&self.shared), self.unparker.clone(), wake)
    }

    /// Whether nothing can be written at the moment. What was ordered is kept and tried again.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.shared.is_failing()
    }

    /// What the store has done and how it is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Writes what was handed in, ends the thread and closes the file. A disk that fails is tried a few times more; what
    /// the status counts as waiting was not written then.
    #[must_use = "it says what could not be written"]
    pub fn close(mut self) -> Status {
        self.end();
        self.status()
    }

    fn end(&mut self) {
        self.shared.close();
        self.unparker.unpark();
        if let Some(thread) = self.thread.take() {
            // A thread that died wrote nothing more, and the status says so.
            drop(thread.join());
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
