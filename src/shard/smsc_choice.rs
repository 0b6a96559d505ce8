//! Which SM-SC and which core take a submission: the first SM-SC in configuration order with a bound transmitter; of its
//! cores the own one, else the others in turn.

use crate::engine::transport::ShardId;

/// Transmitters and transceivers of one SM-SC at one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transmitters {
    /// That are bound.
    pub bound: u16,
    /// Of these, how many have room in their queue.
    pub free: u16,
}

/// What every shard knows of every core's binds.
#[derive(Debug)]
pub(super) struct SmscChoice {
    own: ShardId,
    /// By SM-SC, then by shard.
    transmitters: Vec<Vec<Transmitters>>,
    turn: usize,
}

impl SmscChoice {
    pub(super) fn new(own: ShardId, shards: u16, smscs: usize) -> SmscChoice {
        let none = vec![Transmitters::default(); usize::from(shards)];
        SmscChoice { own, transmitters: vec![none; smscs], turn: 0 }
    }

    /// Takes note of another core's binds, or the own ones.
    pub(super) fn set(&mut self, smsc: u16, shard: ShardId, transmitters: Transmitters) {
        let known =
            self.transmitters.get_mut(usize::from(smsc)).and_then(|shards| shards.get_mut(usize::from(shard.0)));
        if let Some(known) = known {
            *known = transmitters;
        }
    }

    /// Whether any SM-SC is bound.
    pub(super) fn any_bound(&self) -> bool {
        self.transmitters.iter().flatten().any(|transmitters| transmitters.bound > 0)
    }

    /// Whether any can take a submission now.
    pub(super) fn any_free(&self) -> bool {
        self.transmitters.iter().flatten().any(|transmitters| transmitters.free > 0)
    }

    /// The first SM-SC for which `suits` is true and that has a free transmitter, and the core to submit at.
    pub(super) fn choose(&mut self, suits: impl Fn(u16) -> bool) -> Option<(u16, ShardId)> {
        let smscs = u16::try_from(self.transmitters.len()).unwrap_or(u16::MAX);
        (0..smscs).filter(|&smsc| suits(smsc)).find_map(|smsc| Some((smsc, self.core_of(smsc)?)))
    }

    /// Another core at which this SM-SC has a free transmitter.
    pub(super) fn another_core(&mut self, smsc: u16, but: ShardId) -> Option<ShardId> {
        let shards = self.transmitters.get(usize::from(smsc))?;
        self.turn = self.turn.wrapping_add(1);
        let from = self.turn % shards.len();
        let mut others = (0..shards.len()).map(|step| (from + step) % shards.len());
        let shard = others.find(|&shard| shard != usize::from(but.0) && shards[shard].free > 0)?;
        u16::try_from(shard).ok().map(ShardId)
    }

    fn core_of(&mut self, smsc: u16) -> Option<ShardId> {
        let shards = self.transmitters.get(usize::from(smsc))?;
        if shards.get(usize::from(self.own.0)).is_some_and(|own| own.free > 0) {
            return Some(self.own);
        }
        self.turn = self.turn.wrapping_add(1);
        let from = self.turn % shards.len();
        let shard = (0..shards.len()).map(|step| (from + step) % shards.len()).find(|&shard| shards[shard].free > 0)?;
        u16::try_from(shard).ok().map(ShardId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Transmitters = Transmitters { bound: 1, free: 1 };

    #[test]
    fn own_core_first_then_the_others_in_turn_then_the_next_smsc() {
        let mut choice = SmscChoice::new(ShardId(0), 3, 2);
        assert_eq!(choice.choose(|_| true), None);
        choice.set(1, ShardId(0), ONE);
        assert_eq!(choice.choose(|_| true), Some((1, ShardId(0))));
        choice.set(0, ShardId(1), ONE);
        choice.set(0, ShardId(2), ONE);
        let first = choice.choose(|_| true).unwrap();
        let second = choice.choose(|_| true).unwrap();
        assert_eq!((first.0, second.0), (0, 0));
        assert_ne!(first.1, second.1);
        choice.set(0, ShardId(0), ONE);
        assert_eq!(choice.choose(|_| true), Some((0, ShardId(0))));
        assert_eq!(choice.choose(|smsc| smsc != 0), Some((1, ShardId(0))));
    }

    #[test]
    fn one_whose_queue_is_full_is_bound_and_not_chosen() {
        let mut choice = SmscChoice::new(ShardId(0), 2, 2);
        choice.set(0, ShardId(0), Transmitters { bound: 1, free: 0 });
        assert!(choice.any_bound() && !choice.any_free());
        assert_eq!(choice.choose(|_| true), None);
        choice.set(1, ShardId(1), ONE);
        assert_eq!(choice.choose(|_| true), Some((1, ShardId(1))));
        choice.set(0, ShardId(1), ONE);
        assert_eq!(choice.choose(|_| true), Some((0, ShardId(1))));
    }
}
