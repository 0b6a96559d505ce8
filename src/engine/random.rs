//! Random bits as they are handed to pure code: a generator whose seed the shell (or a test) chose.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Characters of a token that is safe in SIP (RFC 3261 25.1 token), MSRP and IMDN identifiers, and case-insensitive.
const TOKEN: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";

/// Unguessable to a peer, reproducible from its seed.
#[derive(Debug)]
pub struct Random(ChaCha12Rng);

impl Random {
    /// A generator from 256 bits of entropy.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Random {
        Random(ChaCha12Rng::from_seed(seed))
    }

    /// Another generator, seeded by this one.
    #[must_use]
    pub fn fork(&mut self) -> Random {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        Random::from_seed(seed)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound` (exclusive; `bound` > 0). The bias is below 2^-32 for the small bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        u64::try_from((u128::from(self.next_u64()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// Fills `token` with lower-case characters, five random bits each.
    pub fn token(&mut self, token: &mut [u8]) {
        for octets in token.chunks_mut(12) {
            let mut bits = self.next_u64();
            for octet in octets {
                *octet = TOKEN[(bits & 31) as usize];
                bits >>= 5;
            }
        }
    }
}
