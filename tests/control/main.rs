//! The slow path: configuration, metrics, admin endpoints.

mod admin;
mod config;
mod exposition;
mod metrics;
