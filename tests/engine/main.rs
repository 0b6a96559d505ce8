//! Protocol state machines in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod joining;
mod msrp;
mod smpp;
mod smtp;
