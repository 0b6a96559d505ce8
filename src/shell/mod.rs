//! What touches the operating system: threads, sockets, clocks, entropy, name service.
//!
//! One thread for each core, pinned, with a tokio runtime as its host. The packets do not go through that runtime but
//! through a `port`: our own io_uring, or epoll where that is refused. The `pump` carries what the port received to
//! the core's [`World`] and back what that orders, and between worlds what they hand over.

#![allow(unsafe_code, reason = "the kernel writes into memory that we hand it; each block says why it may")]

mod address;
mod bell;
mod buffers;
mod clock;
mod common;
mod core_thread;
mod credit;
mod dns;
mod entropy;
mod epoll;
mod gateway;
mod memory;
mod mmsg;
mod options;
mod outgoing;
mod parcel;
mod places;
mod port;
mod pump;
mod reserve;
mod send_queue;
mod shards;
mod slow_readers;
mod sockets;
mod stock;
mod storage;
mod ticks;
mod token;
mod uring;
mod usage;
mod wait;
mod world;

pub use buffers::Lease;
pub use gateway::Gateway;
pub use options::{Backend, Listener, Options, StartError};
pub use storage::Storage;
pub use world::World;
