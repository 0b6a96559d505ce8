//! Durable storage, as the cores share it and as one of them has it.

use core::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::common::Common;
use crate::engine::transport::{RecordId, ShardId};
use crate::store::{Desk, Opened, Store, StoreError};

/// The store of a process, and what earlier runs left in it.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The store. It outlives the cores, so that all they ordered is written.
    pub store: Arc<Store>,
    /// Which run this is.
    pub run: u32,
    /// What earlier runs left.
    pub kept: Arc<Vec<(RecordId, Vec<u8>)>>,
}

impl Storage {
    /// Opens the store in `dir`.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(dir: &Path) -> Result<Storage, StoreError> {
        let (opened_s, since) = (unix_s(), Instant::now());
        // Steps of the clock on the wall while we run expire nothing.
        let clock = move || opened_s.saturating_add(u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX));
        let Opened { store, run, kept } = Store::open(dir, clock)?;
        Ok(Storage { store: Arc::new(store), run, kept: Arc::new(kept) })
    }

    pub(super) fn desk(&self, common: &Arc<Common>, core: ShardId) -> Desk {
        let bell = Arc::clone(common.bell(usize::from(core.0)));
        self.store.desk(Box::new(move || bell.ring()))
    }
}

fn unix_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

/// One core's orders; nothing where promises are not durable.
#[derive(Default)]
pub(super) struct Records {
    desk: Option<Desk>,
    failing: bool,
}

impl Records {
    pub(super) fn new(desk: Option<Desk>) -> Records {
        Records { desk, failing: false }
    }

    pub(super) fn write(&mut self, record: RecordId, octets: &[u8]) {
        if let Some(desk) = &mut self.desk {
            desk.write(record, octets);
        }
    }

    pub(super) fn forget(&mut self, record: RecordId) {
        if let Some(desk) = &mut self.desk {
            desk.forget(record);
        }
    }

    /// What a turn ordered goes to the store.
    pub(super) fn hand_in(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.hand_in();
        }
    }

    /// How many orders are carried out, if it is more than before.
    pub(super) fn done(&mut self) -> Option<u64> {
        self.desk.as_mut()?.done()
    }

    /// Whether the store is failing, if that is new.
    pub(super) fn failing(&mut self) -> Option<bool> {
        let failing = self.desk.as_ref()?.is_failing();
        (core::mem::replace(&mut self.failing, failing) != failing).then_some(failing)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("failing", &self.failing).finish_non_exhaustive()
    }
}
