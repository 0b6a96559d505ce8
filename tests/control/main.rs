//! The slow path: configuration, metrics, admin endpoints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod admin;
mod cli;
mod config;
mod exposition;
mod metrics;
mod process;
