//! SIP transactions in virtual time, to the figures of RFC 3261 and RFC 4320, and where requests go (RFC 3263).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod calls;
mod client;
mod dialog;
mod invite_any;
mod invite_client;
mod invite_loss;
mod invite_server;
mod locate;
mod rfc4475;
mod server;
mod session_timer;
#[path = "../wire/torture.rs"]
mod torture;

/// The rows of a table, without comments and the names of its columns.
fn rows(tsv: &str) -> impl Iterator<Item = Vec<&str>> {
    tsv.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t').collect())
}
