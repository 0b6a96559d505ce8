//! Every bound of the gateway in one place, unit last. Relations between bounds are checked when the crate compiles.
//!
//! A bound is what we promise to hold however a peer behaves; what happens when it is reached is said beside it.

/// Cores a gateway can run on, and so shards it can have.
pub const SHARDS_MAX: usize = 64;
