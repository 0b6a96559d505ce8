//! The load generator: results and reports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod coupled;
mod net;
#[cfg(feature = "uring")]
mod process;
mod report;
mod results;
mod room;
