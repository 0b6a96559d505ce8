//! The directory of a store: who may use it, and how the file comes into it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

use super::error::StoreError;
use crate::limits;

/// Only the owner: records hold messages of people.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A directory that is ours for as long as this lives.
pub(super) struct Files {
    dir: PathBuf,
    opened: bool,
    /// Held. The database has a lock of its own, but not between a failure and its next opening.
    _lock: File,
}

/// Where the file of a store is.
pub(super) fn file(dir: &Path) -> PathBuf {
    dir.join("records.redb")
}

/// Makes the directory if it is missing, and locks it.
pub(super) fn enter(dir: &Path) -> Result<Files, StoreError> {
    let refused = |error| StoreError::directory(dir, error);
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(dir).map_err(refused)?;
    let lock = options().create(true).open(dir.join("lock")).map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => Ok(Files { dir: dir.into(), opened: false, _lock: lock }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: dir.into() }),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

impl Files {
    /// Opens the file; the first time it may be missing.
    pub(super) fn open(&mut self) -> Result<Database, DatabaseError> {
        let path = file(&self.dir);
        if !self.opened && !path.try_exists()? {
            create(&self.dir, &path)?;
        }
        let file = options().open(&path)?;
        if file.metadata()?.len() == 0 {
            // The database would make a new one of it, and the records that were in it would be lost without a word.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty").into());
        }
        let database = builder().create_file(file)?;
        self.opened = true;
        Ok(database)
    }
}

/// Makes the file under another name first: what a crash leaves of it half made is never taken for a damaged store.
fn create(dir: &Path, path: &Path) -> Result<(), DatabaseError> {
    let new = path.with_extension("new");
    drop(builder().create_file(options().create(true).truncate(true).open(&new)?)?);
    fs::rename(&new, path)?;
    File::open(dir)?.sync_all()?;
    // The directory itself may be as new. Who may not read above it has made it himself, and some time ago.
    dir.parent().and_then(|above| File::open(above).ok()).map_or(Ok(()), |above| Ok(above.sync_all()?))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE);
    options
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(limits::STORE_CACHE_BYTES);
    builder
}
