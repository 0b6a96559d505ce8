//! The file: a database with two tables.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, DatabaseError, Durability, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::engine::transport::{RecordId, ShardId};
use crate::limits;

use super::error::StoreError;
use super::group::{Effect, Group};
use super::orders::{self, Key};

/// The layout of this version.
const FORMAT: u32 = 1;

const RECORDS: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");

/// Opens the database, now or again.
pub(super) type Opener = Box<dyn FnMut() -> Result<Database, DatabaseError> + Send>;

/// The file, open or to be opened again.
pub(super) struct Disk {
    opener: Opener,
    database: Option<Database>,
}

/// What was there when the store was opened.
pub(super) struct Start {
    pub(super) run: u32,
    pub(super) kept: Vec<(RecordId, Vec<u8>)>,
}

/// What a transaction did.
#[derive(Default)]
pub(super) struct Done {
    /// Whether anything in the file is another now.
    pub(super) changed: bool,
    /// Records whose time was over.
    pub(super) expired: usize,
}

/// Why a file cannot be started with.
enum Trouble {
    LaterFormat(u32),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Trouble {
    fn from(error: E) -> Trouble {
        Trouble::Database(error.into())
    }
}

impl Disk {
    pub(super) const fn new(opener: Opener) -> Disk {
        Disk { opener, database: None }
    }

    /// Opens the file for a new run.
    pub(super) fn start(&mut self, path: &Path, now_s: u32) -> Result<Start, StoreError> {
        // The database panics on some files that are damaged.
        let start = catch_unwind(AssertUnwindSafe(|| start(self.database()?, now_s)));
        match start {
            Ok(Ok(start)) => Ok(start),
            Ok(Err(Trouble::LaterFormat(format))) => {
                Err(StoreError::LaterFormat { path: path.into(), format, known: FORMAT })
            }
            Ok(Err(Trouble::Database(error))) => Err(StoreError::database(path, &error)),
            Err(_) => Err(StoreError::damaged(path, "it cannot be read")),
        }
    }

    /// Carries a group out, and removes some records whose time is over. Either all of it is on disk afterwards, or
    /// nothing is for certain.
    ///
    /// # Errors
    /// Says why not. The file is closed then: after an error of the host the database does nothing before it is opened
    /// again.
    pub(super) fn carry_out(&mut self, group: &Group, now_s: u32) -> Result<Done, String> {
        let done = catch_unwind(AssertUnwindSafe(|| carry_out(self.database()?, group, now_s)));
        let done = done.map_or_else(|_| Err("the database panicked".into()), |done| done.map_err(|e| e.to_string()));
        if done.is_err() {
            self.database = None;
        }
        done
    }

    fn database(&mut self) -> Result<&Database, redb::Error> {
        match &mut self.database {
            Some(database) => Ok(database),
            closed => Ok(closed.insert((self.opener)()?)),
        }
    }
}

fn start(database: &Database, now_s: u32) -> Result<Start, Trouble> {
    let transaction = begin(database)?;
    let run = next_run(&transaction)?;
    let kept = kept(&transaction.open_table(RECORDS)?, now_s)?;
    transaction.commit()?;
    Ok(Start { run, kept })
}

/// Counts the run. It is on disk before anything is named after it.
fn next_run(transaction: &WriteTransaction) -> Result<u32, Trouble> {
    let mut meta = transaction.open_table(META)?;
    let number = |name| Ok::<_, redb::StorageError>(meta.get(name)?.map(|number| number.value()));
    let (format, last) = (number("format")?.unwrap_or(FORMAT), number("run")?.unwrap_or(0));
    if format > FORMAT {
        return Err(Trouble::LaterFormat(format));
    }
    let run = last.wrapping_add(1);
    meta.insert("format", FORMAT)?;
    meta.insert("run", run)?;
    Ok(run)
}

fn kept(
    records: &impl ReadableTable<&'static Key, &'static [u8]>,
    now_s: u32,
) -> Result<Vec<(RecordId, Vec<u8>)>, Trouble> {
    let first = orders::key(RecordId { expires_s: now_s, run: 0, shard: ShardId(0), number: 0 });
    let rest = records.range::<&Key>(&first..)?;
    rest.map(|entry| entry.map(|(key, octets)| (orders::record(key.value()), octets.value().to_vec())))
        .collect::<Result<_, _>>()
        .map_err(Trouble::from)
}

fn carry_out(database: &Database, group: &Group, now_s: u32) -> Result<Done, redb::Error> {
    let transaction = begin(database)?;
    let done = change(&mut transaction.open_table(RECORDS)?, group, now_s)?;
    if done.changed {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(done)
}

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

fn change(
    records: &mut Table<'_, &'static Key, &'static [u8]>,
    group: &Group,
    now_s: u32,
) -> Result<Done, redb::Error> {
    let mut done = Done::default();
    for (key, effect) in group.effects() {
        done.changed |= match effect {
            Effect::Write(octets) => records.insert(key, octets).map(|_| true)?,
            Effect::Remove => records.remove(key)?.is_some(),
            Effect::Nothing => false,
        };
    }
    while done.expired < limits::STORE_EXPIRED_PER_GROUP_MAX && first_is_over(records, now_s)? {
        drop(records.pop_first()?);
        done.expired += 1;
    }
    done.changed |= done.expired > 0;
    Ok(done)
}

fn first_is_over(records: &Table<'_, &'static Key, &'static [u8]>, now_s: u32) -> Result<bool, redb::Error> {
    let first = records.first()?;
    Ok(first.is_some_and(|(key, _)| orders::record(key.value()).expires_s < now_s))
}
