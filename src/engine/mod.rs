//! Protocol state machines without I/O.
//!
//! Four kinds of methods: getters; `handle_*` for what happened (bytes, a closed connection, a timer that is due);
//! commands for what the layer above orders; `poll_*` to drain what came of it. After any `handle_*` or command drain
//! every `poll_*` until it is empty, the deadline last. Time always arrives as [`Now`].

pub mod arena;
pub mod joining;
pub mod keyed_hash;
pub mod msrp;
pub mod pool;
pub mod random;
mod reconnect;
pub mod sip;
pub mod smpp;
pub mod smtp;
pub mod time;
pub mod transport;
pub mod wheel;

pub use random::Random;
pub use time::{Moment, Now};
