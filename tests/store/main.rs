//! Records on disk: what is ordered goes in, and what a later run finds comes out. Every wait has a bound, no time is
//! measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod damage;
mod expiry;
mod failing;
mod keeping;
mod many;
mod surroundings;
