//! Whole shards under virtual time, with seeds, loss, reordering and crashes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "modules shared by test crates")]

mod audit;
mod carrier;
mod client;
mod connections;
mod cpm;
mod deliveries;
mod faults;
mod garbage;
mod mms_audit;
mod mms_plays;
mod mms_users;
mod mmsc;
mod multimedia;
mod outbind;
mod restarts;
mod session_users;
mod sessions;
mod smsc;
mod storms;
mod text;
mod world;
