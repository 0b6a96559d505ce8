//! What the shell is told, and how it fails to start.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use super::storage::Storage;
use crate::engine::transport::Transport;

/// What the shell is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Processors, one for each core, by their numbers in the host. Threads are not pinned if it is empty: then one core
    /// runs.
    pub cores: Vec<usize>,
    /// How the kernel is asked.
    pub backend: Backend,
    /// Addresses to listen on, port 0 for any.
    pub listen: Vec<(Transport, SocketAddr)>,
    /// How long a drain may take.
    pub drain: Duration,
    /// Whether to time the stages of messages and the steps of turns.
    pub profile: bool,
    /// Where records go that outlive the process; without it, promises last as long as the process.
    pub storage: Option<Storage>,
}

/// How the kernel is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// io_uring if the host allows it.
    #[default]
    Auto,
    /// io_uring or nothing.
    IoUring,
    /// epoll.
    Epoll,
}

/// One listening address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address, with the port that is really open.
    pub local: SocketAddr,
}

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// More cores than there can be.
    #[error("{0} cores, {max} at most", max = crate::limits::SHARDS_MAX)]
    Cores(usize),
    /// A listening address is not to be had.
    #[error("cannot listen on {transport}://{address}: {error}", transport = name(*transport))]
    Listen {
        /// UDP or TCP.
        transport: Transport,
        /// As it was asked for.
        address: SocketAddr,
        /// What the host said.
        error: io::Error,
    },
    /// io_uring was asked for and the host refuses it.
    #[error("io_uring is not available: {0}")]
    IoUring(String),
    /// A core's thread could not set itself up.
    #[error("core {core}: {error}")]
    Core {
        /// Its place in the list.
        core: usize,
        /// What the host said.
        error: io::Error,
    },
    /// The host has no file, no memory or no randomness for us.
    #[error(transparent)]
    Host(#[from] io::Error),
}

const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    }
}
