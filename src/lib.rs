//! Isthmus: a gateway between CPM/RCS (SIP, MSRP, CPIM, IMDN) and SMS (SMPP 3.4), MMS (MM4) and e-mail.
//!
//! The rooms, from the bytes upwards. A room may import only the rooms named beside it; `tests/architecture.rs` holds
//! these arrows.
//!
//! | room | what it is | uses |
//! |---|---|---|
//! | [`limits`] | every bound, related by compile-time assertions | - |
//! | [`wire`] | bytes to typed values and back: no clock, no socket, no allocation on reading | limits |
//! | [`observe`] | what can be seen from outside: counters, gauges, latencies | - |
//! | [`policy`] | one named question per "service provider policy" of the documents, with a typed answer | - |
//! | [`engine`] | protocol state machines: bytes or events and `now` in, an outbox out | wire limits |
//! | [`queue`] | bounded lock-free rings from core to core, and the flag that says who sleeps | limits |
//! | [`interwork`] | the tables of the OMA documents as data | wire policy |
//! | [`iwf`] | the procedures of the Interworking Function: engines meet tables | engine wire interwork policy |
//! | [`shard`] | one core's world, single-threaded and still without I/O | iwf interwork engine wire policy observe limits |
//! | [`load`] | the load generator without its sockets: plan, checks, results | engine wire limits |
//! | `store` | records on disk, written by one thread for all cores: the feature `uring` | engine limits |
//! | `shell` | threads, sockets, clocks: the feature `uring` | shard store engine queue observe limits |
//!
//! Protocol logic is pure: it is handed the time, the bytes and its random seed, and returns values. Only `shell` and
//! `store` touch the operating system, and the crate compiles without it (`--no-default-features`).

#[cfg(feature = "uring")]
pub mod control;
pub mod engine;
pub mod interwork;
pub mod iwf;
pub mod limits;
pub mod load;
pub mod observe;
pub mod policy;
pub mod queue;
pub mod shard;
#[cfg(feature = "uring")]
pub mod shell;
#[cfg(feature = "uring")]
pub mod store;
pub mod wire;
