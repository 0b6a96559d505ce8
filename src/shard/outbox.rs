//! What a shard has to say: transmits and hand-offs, each drained on its own.

use std::collections::VecDeque;

use crate::engine::transport::{ShardId, Transmit};

use super::handoff::Handoff;

/// Queues are emptied by the shell every turn, so each stays as long as one turn's work.
#[derive(Debug)]
pub(super) struct Outbox {
    own: ShardId,
    shards: u16,
    pub(super) transmits: VecDeque<Transmit>,
    pub(super) handoffs: VecDeque<(ShardId, Handoff)>,
    /// Hand-offs to the own shard: taken up before the turn ends.
    pub(super) local: VecDeque<Handoff>,
}

impl Outbox {
    pub(super) fn new(own: ShardId, shards: u16) -> Outbox {
        Outbox { own, shards, transmits: VecDeque::new(), handoffs: VecDeque::new(), local: VecDeque::new() }
    }

    /// Hands over by value, to another core or to ourselves.
    pub(super) fn hand(&mut self, to: ShardId, handoff: Handoff) {
        if to == self.own { self.local.push_back(handoff) } else { self.handoffs.push_back((to, handoff)) }
    }

    /// Tells every core, ourselves included.
    pub(super) fn broadcast(&mut self, handoff: impl Fn() -> Handoff) {
        for to in (0..self.shards).map(ShardId) {
            self.hand(to, handoff());
        }
    }
}
