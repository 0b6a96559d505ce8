//! What goes from this core to the others, and nothing of it gets lost.

use std::collections::VecDeque;

use super::common::Common;
use super::parcel::Parcel;
use crate::engine::transport::ShardId;
use crate::limits;
use crate::observe::ShellStats;
use crate::queue::{Post, Sleeper};

/// One core's end of the mesh, and what waits for room in it.
#[derive(Debug)]
pub(super) struct Outgoing<H> {
    post: Post<Parcel<H>>,
    /// For each core, in order.
    backlog: Vec<VecDeque<Parcel<H>>>,
    delayed: usize,
}

impl<H> Outgoing<H> {
    pub(super) fn new(post: Post<Parcel<H>>, cores: usize) -> Outgoing<H> {
        Outgoing { post, backlog: (0..cores).map(|_| VecDeque::new()).collect(), delayed: 0 }
    }

    /// Hands a parcel over, at once or when there is room. One for a core that does not exist is dropped.
    pub(super) fn hand(&mut self, to: ShardId, parcel: Parcel<H>, stats: &mut ShellStats) {
        let to = usize::from(to.0);
        let Some(backlog) = self.backlog.get_mut(to) else { return };
        let refused = if backlog.is_empty() { self.post.send(to, parcel).err() } else { Some(parcel) };
        match refused {
            None => stats.handoffs_out += 1,
            Some(parcel) => {
                backlog.push_back(parcel);
                self.delayed += 1;
                stats.handoffs_delayed += 1;
            }
        }
    }

    /// Hands over what waits.
    pub(super) fn retry(&mut self, stats: &mut ShellStats) {
        if self.delayed == 0 {
            return;
        }
        for (to, backlog) in self.backlog.iter_mut().enumerate() {
            while let Some(parcel) = backlog.pop_front() {
                if let Err(parcel) = self.post.send(to, parcel) {
                    backlog.push_front(parcel);
                    break;
                }
                self.delayed -= 1;
                stats.handoffs_out += 1;
            }
        }
    }

    /// Whether more may be taken in that might have to be handed over.
    pub(super) fn has_room(&self) -> bool {
        self.delayed < limits::HANDOFF_BACKLOG_MAX
    }

    /// Whether all was handed over.
    pub(super) fn is_empty(&self) -> bool {
        self.delayed == 0
    }

    /// Wakes the cores that were handed something and sleep.
    pub(super) fn wake(&mut self, common: &Common, stats: &mut ShellStats) {
        self.post.wake(|to| {
            stats.wakes += 1;
            common.ring(to);
        });
    }

    /// The next parcel from another core.
    pub(super) fn take(&mut self) -> Option<(ShardId, Parcel<H>)> {
        let (from, parcel) = self.post.take()?;
        Some((ShardId(u16::try_from(from).unwrap_or(u16::MAX)), parcel))
    }

    /// Whether the other cores have handed us nothing. Exact while we lie down.
    pub(super) fn nothing_came(&self) -> bool {
        self.post.is_empty()
    }

    /// How many parcels wait, in either direction.
    pub(super) fn waiting(&self) -> u64 {
        (self.post.waiting() + self.delayed) as u64
    }

    pub(super) fn sleeper(&self) -> &Sleeper {
        self.post.sleeper()
    }
}
