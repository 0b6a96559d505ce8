//! What the cores and the gateway's owner share. Looked at once a turn, written rarely.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use super::bell::Bell;
use crate::observe::Snapshot;

/// One for all cores.
#[derive(Debug)]
pub(super) struct Common {
    bells: Vec<Arc<Bell>>,
    snapshots: Vec<Mutex<Snapshot>>,
    draining: AtomicBool,
    stopping: AtomicBool,
    drained: AtomicUsize,
}

impl Common {
    pub(super) fn new(cores: usize) -> io::Result<Common> {
        let bells: io::Result<_> = (0..cores).map(|_| Bell::new().map(Arc::new)).collect();
        Ok(Common {
            bells: bells?,
            snapshots: (0..cores).map(|core| Mutex::new(Snapshot { core, ..Snapshot::default() })).collect(),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            drained: AtomicUsize::new(0),
        })
    }

    pub(super) fn bell(&self, core: usize) -> &Arc<Bell> {
        &self.bells[core]
    }

    pub(super) fn ring(&self, core: usize) {
        if let Some(bell) = self.bells.get(core) {
            bell.ring();
        }
    }

    fn ring_all(&self) {
        self.bells.iter().for_each(|bell| bell.ring());
    }

    /// Asks every core to finish what was accepted.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.ring_all();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Ends every core at once.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.ring_all();
    }

    pub(super) fn must_stop(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A core has finished what it accepted. It goes on for the others until all have.
    pub(super) fn one_is_drained(&self) {
        if self.drained.fetch_add(1, Ordering::AcqRel) + 1 == self.bells.len() {
            self.ring_all();
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire) == self.bells.len()
    }

    pub(super) fn is_over(&self) -> bool {
        self.must_stop() || self.is_drained()
    }

    /// Brings a core's snapshot up to date, unless somebody is reading it: then false.
    pub(super) fn publish(&self, core: usize, fill: impl FnOnce(&mut Snapshot)) -> bool {
        let Some(snapshot) = self.snapshots.get(core) else { return true };
        match snapshot.try_lock() {
            Ok(mut snapshot) => fill(&mut snapshot),
            // Half of one is brought up to date as well as a whole one.
            Err(TryLockError::Poisoned(poisoned)) => fill(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }

    pub(super) fn snapshots(&self) -> Vec<Snapshot> {
        let read = |snapshot: &Mutex<Snapshot>| snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.snapshots.iter().map(read).collect()
    }
}
