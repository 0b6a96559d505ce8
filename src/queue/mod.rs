//! What crosses cores: bounded lock-free rings, one from each core to each other core, and the flag by which a sender
//! knows whether the receiver sleeps.
//!
//! One thread writes a ring and one reads it, so a value costs a store and a load and never a loop. A full ring gives
//! the value back: what that means is the sender's decision.
//!
//! Every order of events is tried by loom: `RUSTFLAGS="--cfg loom" cargo test --lib --no-default-features --release
//! queue` (tokio does not compile under that flag, hence no default features). What the unsafe blocks promise is checked
//! by Miri: `cargo +nightly miri test --lib --no-default-features queue`.

#![allow(unsafe_code, reason = "a ring slot is written by one thread and read by another; loom holds the hand-over")]

pub mod mesh;
pub mod ring;
pub mod sleep;
mod sync;

pub use mesh::{Post, mesh};
pub use ring::{Receiver, Sender, ring};
pub use sleep::Sleeper;
