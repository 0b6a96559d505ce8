//! Cores started, asked and ended together.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::common::Common;
use super::core_thread::{self, Seed, Sink};
use super::options::{Backend, Listener, Options, StartError};
use super::parcel::Parcel;
use super::sockets;
use super::uring;
use super::world::World;
use crate::engine::transport::ShardId;
use crate::limits;
use crate::observe::Snapshot;
use crate::queue::mesh;

/// How often the end of a drain is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Cores at work. Dropped, they are stopped.
#[derive(Debug)]
pub struct Gateway {
    common: Arc<Common>,
    listeners: Vec<Listener>,
    backend: (&'static str, String),
    drain: Duration,
    threads: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts worlds of any kind: `make` is called on each core's thread, with its number, its sockets' addresses known.
    ///
    /// # Errors
    /// If an address is not to be had, or a core could not be set up; nothing is left running then.
    pub fn start_worlds<W, M>(options: &Options, make: M, sink: Arc<Sink<W::Event>>) -> Result<Gateway, StartError>
    where
        W: World + 'static,
        W::Event: 'static,
        M: FnOnce(&[Listener]) -> Arc<dyn Fn(ShardId) -> W + Send + Sync>,
    {
        let cores = options.cores.len().max(1);
        if cores > limits::SHARDS_MAX {
            return Err(StartError::Cores(cores));
        }
        sockets::allow_many();
        let (sockets, listeners) = sockets::listen(&options.listen, cores)?;
        let backend = choose(options.backend)?;
        let common = Arc::new(Common::new(cores)?);
        let (started, starts) = sync_channel(cores);
        let make = make(&listeners);
        let mut gateway = Gateway { common, listeners, backend, drain: options.drain, threads: Vec::new() };
        let posts = mesh::<Parcel<W::Handoff>>(cores, limits::HANDOFFS_MAX);
        for (number, (post, sockets)) in posts.into_iter().zip(sockets).enumerate() {
            let seed = Seed {
                id: ShardId(u16::try_from(number).unwrap_or(u16::MAX)),
                cores,
                processor: options.cores.get(number).copied(),
                uring: gateway.backend.0 == IO_URING,
                sockets,
                post,
                common: Arc::clone(&gateway.common),
                sink: Arc::clone(&sink),
                make: Arc::clone(&make),
                profile: options.profile,
                storage: options.storage.clone(),
                started: started.clone(),
            };
            let thread = thread::Builder::new().name(format!("core-{number}"));
            gateway.threads.push(thread.spawn(move || core_thread::run(seed))?);
        }
        drop(started);
        all_started(&starts, cores)?;
        Ok(gateway)
    }

    /// The listening addresses in the order they were given, with the ports that are really open.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// The back end in use, and why it is not the better one, empty if it is or was not asked for.
    #[must_use]
    pub fn backend(&self) -> (&'static str, &str) {
        (self.backend.0, &self.backend.1)
    }

    /// The latest that each core published: about once a second, and at once when its readiness changes.
    #[must_use]
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.common.snapshots()
    }

    /// Asks every core to finish what it accepted.
    pub fn drain(&self) {
        self.common.drain();
    }

    /// Whether every core has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Whether every core has finished what it accepted.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.common.is_drained()
    }

    /// Drains, and waits until every core has ended or the time a drain may take is over. True if all finished what they
    /// had accepted.
    #[must_use]
    pub fn join(mut self) -> bool {
        self.drain();
        let until = Instant::now() + self.drain;
        while !self.is_finished() && Instant::now() < until {
            thread::sleep(LOOK_EVERY);
        }
        let drained = self.common.is_drained();
        self.end() && drained
    }

    /// Whether no thread had panicked.
    fn end(&mut self) -> bool {
        self.common.stop();
        self.threads.drain(..).filter_map(|thread| thread.join().err()).count() == 0
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}

const IO_URING: &str = "io_uring";
const EPOLL: &str = "epoll";

fn choose(wanted: Backend) -> Result<(&'static str, String), StartError> {
    if wanted == Backend::Epoll {
        return Ok((EPOLL, String::new()));
    }
    match (uring::probe(), wanted) {
        (Ok(()), _) => Ok((IO_URING, String::new())),
        (Err(refusal), Backend::IoUring) => Err(StartError::IoUring(refusal)),
        (Err(refusal), _) => Ok((EPOLL, refusal)),
    }
}

fn all_started(starts: &Receiver<(ShardId, io::Result<()>)>, cores: usize) -> Result<(), StartError> {
    for _ in 0..cores {
        match starts.recv() {
            Ok((_, Ok(()))) => {}
            Ok((id, Err(error))) => return Err(StartError::Core { core: usize::from(id.0), error }),
            Err(_) => return Err(StartError::Host(io::Error::other("a core ended while it started"))),
        }
    }
    Ok(())
}
