//! The slow path: configuration, command line, logs, and what operators ask. Never called by a shard.

pub mod admin;
pub mod config;
pub mod demo;
pub mod events;
pub mod flags;
pub mod load;
pub mod log;
pub mod metrics;
pub mod profile;
pub mod run;
