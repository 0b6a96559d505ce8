//! Which shard owns what. One row per kind of thing that arrives; everything else follows from these.
//!
//! | What arrives | Key | Owner |
//! |---|---|---|
//! | SIP request or response | Call-ID | its hash; Call-IDs we mint are rolled until they hash to their owner |
//! | submit_sm_resp, data_sm_resp | sequence_number | the shard holding that bind; its window slot names the owner |
//! | deliver_sm status report | message_id, minted by the SM-SC | the index shard by its hash names the owner |
//! | deliver_sm text | source and destination as numbers | its hash; that shard also knows the session between them |
//! | MSRP chunk | session-id in To-Path | we minted it, the shard number is inside |

use crate::engine::Random;
use crate::engine::keyed_hash::KeyedHash;
use crate::engine::transport::ShardId;

/// The ownership hash that all shards of one process share.
#[derive(Clone, Debug)]
pub struct Route {
    hash: KeyedHash,
    shards: u16,
}

impl Route {
    /// A route over `shards` shards (at least one) under `key`.
    #[must_use]
    pub fn new(shards: u16, key: [u64; 2]) -> Route {
        assert!(shards > 0, "a gateway has at least one shard");
        Route { hash: KeyedHash::new(key), shards }
    }

    /// Number of shards.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// Keyed hash of several octet strings.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> u64 {
        self.hash.of(parts)
    }

    /// The shard for a hash.
    #[must_use]
    pub fn of_hash(&self, hash: u64) -> ShardId {
        let scaled = (u128::from(hash) * u128::from(self.shards)) >> 64;
        ShardId(u16::try_from(scaled).unwrap_or(0))
    }

    /// The owner of a SIP call or transaction.
    #[must_use]
    pub fn of_call_id(&self, call_id: &[u8]) -> ShardId {
        self.of_hash(self.hash(&[call_id]))
    }

    /// Writes a new Call-ID that `owner` owns: `token@domain`. On average it rolls as often as there are shards.
    pub fn mint_call_id(&self, owner: ShardId, domain: &[u8], random: &mut Random, out: &mut Vec<u8>) {
        let start = out.len();
        loop {
            out.truncate(start);
            let mut token = [0; 24];
            random.token(&mut token);
            out.extend_from_slice(&token);
            out.push(b'@');
            out.extend_from_slice(domain);
            if self.of_call_id(out.get(start..).unwrap_or_default()) == owner {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_call_ids_belong_to_their_owner() {
        let route = Route::new(3, [7, 9]);
        let mut random = Random::from_seed([1; 32]);
        for owner in (0..3).map(ShardId) {
            let mut call_id = Vec::new();
            route.mint_call_id(owner, b"gw.example.net", &mut random, &mut call_id);
            assert_eq!(route.of_call_id(&call_id), owner);
        }
    }
}
