//! The slow path: configuration, metrics, admin endpoints.

mod config;
