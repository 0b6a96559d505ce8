//! SIP transactions in virtual time, to the figures of RFC 3261 and RFC 4320.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod client;
mod server;
