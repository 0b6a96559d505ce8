//! Peers that have called us and are owed much. Nothing more is read of them until they have read, so that what they ask
//! for cannot pile up here; who reads nothing at all for a while loses its connection.

use core::time::Duration;
use std::collections::VecDeque;

use super::places::Places;
use super::send_queue::{Length, SendQueue};
use crate::engine::Moment;
use crate::engine::transport::LinkId;

/// Time between two looks at such a peer; it has read something meanwhile.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// When to look at which of them.
#[derive(Debug, Default)]
pub(super) struct SlowReaders(VecDeque<Look>);

#[derive(Debug)]
struct Look {
    at: Moment,
    link: LinkId,
    /// Octets that had left by it at the look before.
    left: u64,
}

/// How slow a peer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slowness {
    has_called: bool,
    is_paused: bool,
    /// It is among the [`SlowReaders`].
    is_looked_at: bool,
}

impl Slowness {
    /// Of a peer that has called us, or that we call.
    pub(super) fn new(has_called: bool) -> Slowness {
        Slowness { has_called, is_paused: false, is_looked_at: false }
    }

    /// Whether nothing is read of it.
    pub(super) fn is_paused(self) -> bool {
        self.is_paused
    }

    /// Whether it is read again from now on, as it has read enough.
    pub(super) fn resume(&mut self, queue: &SendQueue) -> bool {
        let is_over = self.is_paused && queue.length() == Length::Usual;
        self.is_paused &= !is_over;
        is_over
    }
}

impl SlowReaders {
    /// Too much waits in the queue of this connection. Whether nothing is read of it from now on.
    pub(super) fn pause(&mut self, now: Moment, link: LinkId, queue: &SendQueue, slowness: &mut Slowness) -> bool {
        if !slowness.has_called || core::mem::replace(&mut slowness.is_paused, true) {
            return false;
        }
        if !core::mem::replace(&mut slowness.is_looked_at, true) {
            self.push(now, link, queue.left());
        }
        true
    }

    /// The next that has read nothing since the look before.
    pub(super) fn next_stuck<L>(
        &mut self,
        now: Moment,
        links: &mut Places<L>,
        parts: impl Fn(&mut L) -> (&SendQueue, &mut Slowness),
    ) -> Option<LinkId> {
        while let Some(look) = self.0.pop_front_if(|look| look.at <= now) {
            let Some((queue, slowness)) = links.get_mut(look.link).map(&parts) else { continue };
            if !slowness.is_paused {
                slowness.is_looked_at = false;
            } else if queue.left() == look.left {
                return Some(look.link);
            } else {
                self.push(now, look.link, queue.left());
            }
        }
        None
    }

    /// When to ask next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.0.front().map(|look| look.at)
    }

    fn push(&mut self, now: Moment, link: LinkId, left: u64) {
        self.0.push_back(Look { at: now + LOOK_AFTER, link, left });
    }
}
