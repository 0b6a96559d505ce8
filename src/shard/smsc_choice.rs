//! Which SM-SC and which core take a submission: the first SM-SC in configuration order with a bound transmitter; of its
//! cores the own one, else the others in turn.

use crate::engine::transport::ShardId;

/// What every shard knows of every core's binds.
#[derive(Debug)]
pub(super) struct SmscChoice {
    own: ShardId,
    /// Bound transmitters by SM-SC, then by shard.
    transmitters: Vec<Vec<u16>>,
    turn: usize,
}

impl SmscChoice {
    pub(super) fn new(own: ShardId, shards: u16, smscs: usize) -> SmscChoice {
        SmscChoice { own, transmitters: vec![vec![0; usize::from(shards)]; smscs], turn: 0 }
    }

    /// Takes note of another core's binds, or the own ones.
    pub(super) fn set(&mut self, smsc: u16, shard: ShardId, transmitters: u16) {
        let known =
            self.transmitters.get_mut(usize::from(smsc)).and_then(|shards| shards.get_mut(usize::from(shard.0)));
        if let Some(known) = known {
            *known = transmitters;
        }
    }

    /// Whether any SM-SC can take anything.
    pub(super) fn any(&self) -> bool {
        self.transmitters.iter().flatten().any(|&count| count > 0)
    }

    /// The first SM-SC for which `suits` is true and that has a transmitter, and the core to submit at.
    pub(super) fn choose(&mut self, suits: impl Fn(u16) -> bool) -> Option<(u16, ShardId)> {
        let smscs = u16::try_from(self.transmitters.len()).unwrap_or(u16::MAX);
        (0..smscs).filter(|&smsc| suits(smsc)).find_map(|smsc| Some((smsc, self.core_of(smsc)?)))
    }

    /// Another core at which this SM-SC has a transmitter.
    pub(super) fn another_core(&mut self, smsc: u16, but: ShardId) -> Option<ShardId> {
        let shards = self.transmitters.get(usize::from(smsc))?;
        self.turn = self.turn.wrapping_add(1);
        let from = self.turn % shards.len();
        let mut others = (0..shards.len()).map(|step| (from + step) % shards.len());
        let shard = others.find(|&shard| shard != usize::from(but.0) && shards[shard] > 0)?;
        u16::try_from(shard).ok().map(ShardId)
    }

    fn core_of(&mut self, smsc: u16) -> Option<ShardId> {
        let shards = self.transmitters.get(usize::from(smsc))?;
        if shards.get(usize::from(self.own.0)).is_some_and(|&count| count > 0) {
            return Some(self.own);
        }
        self.turn = self.turn.wrapping_add(1);
        let from = self.turn % shards.len();
        let shard = (0..shards.len()).map(|step| (from + step) % shards.len()).find(|&shard| shards[shard] > 0)?;
        u16::try_from(shard).ok().map(ShardId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_core_first_then_the_others_in_turn_then_the_next_smsc() {
        let mut choice = SmscChoice::new(ShardId(0), 3, 2);
        assert_eq!(choice.choose(|_| true), None);
        choice.set(1, ShardId(0), 1);
        assert_eq!(choice.choose(|_| true), Some((1, ShardId(0))));
        choice.set(0, ShardId(1), 1);
        choice.set(0, ShardId(2), 1);
        let first = choice.choose(|_| true).unwrap();
        let second = choice.choose(|_| true).unwrap();
        assert_eq!((first.0, second.0), (0, 0));
        assert_ne!(first.1, second.1);
        choice.set(0, ShardId(0), 1);
        assert_eq!(choice.choose(|_| true), Some((0, ShardId(0))));
        assert_eq!(choice.choose(|smsc| smsc != 0), Some((1, ShardId(0))));
    }
}
