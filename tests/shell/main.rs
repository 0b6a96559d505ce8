//! Cores, sockets and hand-overs with a world that echoes. Loopback only; every wait has a bound, no time is measured.
//!
//! Each test runs on both back ends, or on epoll alone where the host refuses io_uring.

#![cfg(feature = "uring")]

mod datagrams;
mod drain;
mod echo;
mod pour;
mod shards;
mod smsc;
mod streams;
