//! The thread of one core: pinned, with a runtime as its host.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;

use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::task::LocalSet;

use super::bell::Bell;
use super::clock::Clock;
use super::common::Common;
use super::dns::Dns;
use super::epoll::EpollPort;
use super::outgoing::Outgoing;
use super::parcel::Parcel;
use super::port::Port;
use super::pump::{self, Pump};
use super::sockets::Listening;
use super::storage::{Records, Storage};
use super::ticks;
use super::uring::UringPort;
use super::wait::Edge;
use super::world::World;
use crate::engine::transport::ShardId;
use crate::observe::{ArrivedAt, ShellStats, TurnWatch};
use crate::queue::Post;

/// Where events go.
pub(super) type Sink<E> = dyn Fn(usize, E) + Send + Sync;

/// What a core needs to come to life, made where the gateway is started.
pub(super) struct Seed<W: World> {
    pub(super) id: ShardId,
    pub(super) cores: usize,
    /// Processor to run on; any if there is none.
    pub(super) processor: Option<usize>,
    pub(super) uring: bool,
    pub(super) sockets: Vec<Listening>,
    pub(super) post: Post<Parcel<W::Handoff>>,
    pub(super) common: Arc<Common>,
    pub(super) sink: Arc<Sink<W::Event>>,
    pub(super) make: Arc<dyn Fn(ShardId) -> W + Send + Sync>,
    /// Whether to time stages and steps.
    pub(super) profile: bool,
    /// Where records go.
    pub(super) storage: Option<Storage>,
    /// Told how coming to life went.
    pub(super) started: SyncSender<(ShardId, io::Result<()>)>,
}

/// Ends all cores if one panics: what it owned would be missing, and what the others hand to it would wait for ever.
struct AllOrNone(Arc<Common>);

impl Drop for AllOrNone {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Lives until all cores are done.
pub(super) fn run<W: World>(seed: Seed<W>) {
    let _guard = AllOrNone(Arc::clone(&seed.common));
    if let Err(error) = seed.processor.map_or(Ok(()), pin) {
        return tell(&seed.started, seed.id, Err(error));
    }
    if seed.uring {
        // tokio-uring hosts timers and cold I/O; packets go through the port's own ring.
        return tokio_uring::builder().entries(8).start(live(seed, UringPort::new));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => LocalSet::new().block_on(&runtime, live(seed, EpollPort::new)),
        Err(error) => tell(&seed.started, seed.id, Err(error)),
    }
}

fn pin(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    if processor >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

fn tell(started: &SyncSender<(ShardId, io::Result<()>)>, id: ShardId, how: io::Result<()>) {
    // Nobody listens any more if another core has failed before.
    drop(started.send((id, how)));
}

async fn live<W: World, P: Port>(mut seed: Seed<W>, open: impl FnOnce(Vec<Listening>, &Arc<Bell>) -> io::Result<P>) {
    let (started, id) = (seed.started.clone(), seed.id);
    let sockets = core::mem::take(&mut seed.sockets);
    let port = open(sockets, seed.common.bell(usize::from(id.0)));
    match port.and_then(|port| pump(seed, port)) {
        Ok(pump) => {
            tell(&started, id, Ok(()));
            drop(started);
            pump.run().await;
        }
        Err(error) => tell(&started, id, Err(error)),
    }
}

fn pump<W: World, P: Port>(seed: Seed<W>, port: P) -> io::Result<Pump<W, P>> {
    let clock = Clock::new();
    let bell = seed.common.bell(usize::from(seed.id.0)).duplicate()?;
    let mut world = (seed.make)(seed.id);
    if seed.profile {
        world.profile(ticks::exact);
    }
    let desk = seed.storage.map(|storage| {
        world.restore(clock.now(), &storage.kept);
        storage.desk(&seed.common, seed.id)
    });
    Ok(Pump {
        id: seed.id,
        world,
        port_edge: Edge::new(port.readable()?)?,
        bell_edge: Edge::new(bell)?,
        port,
        out: Outgoing::new(seed.post, seed.cores),
        common: seed.common,
        sink: seed.sink,
        clock,
        ticks: if seed.profile { ticks::exact } else { ticks::coarse },
        steps: seed.profile.then(Box::default),
        arrival: ArrivedAt::default(),
        watch: TurnWatch::default(),
        dns: Dns::new(),
        records: Records::new(desk),
        timer: pump::timer(clock),
        arrivals: Vec::new(),
        stats: ShellStats::default(),
        state: pump::State::default(),
    })
}
