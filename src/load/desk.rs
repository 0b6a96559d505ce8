//! What all sides of a load share.

use super::ledger::Ledger;
use super::outbox::Outbox;
use super::texts::Texts;
use crate::engine::{Moment, Now};

/// What all sides of a load share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) texts: Texts,
    pub(super) ledger: Ledger,
    pub(super) out: Outbox,
    /// When the first message is due, once that is known.
    pub(super) start: Option<Moment>,
    /// Messages that arrived and no flow is about: broken ones, and those of other runs.
    pub(super) strange: u64,
    /// Requests of the gateway that came again, and were answered again.
    pub(super) repeated: u64,
    /// Status reports that the gateway did not take for now.
    pub(super) reports_put_off: u64,
    /// Requests of ours that were sent again for want of an answer.
    pub(super) sent_again: u64,
}

impl Desk {
    /// Microseconds since the start.
    pub(super) fn us(&self, now: Now) -> u64 {
        self.start.map_or(0, |start| now.moment.0.saturating_sub(start.0))
    }
}
