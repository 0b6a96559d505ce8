//! Serving: start, wait for a signal, drain, end.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use tracing_appender::non_blocking::ErrorCounter;

use super::admin::{Admin, Source};
use super::config::Config;
use super::events::EventLog;
use super::log::Logging;
use super::metrics::About;
use super::profile;
use crate::engine::transport::Transport;
use crate::observe::Snapshot;
use crate::shell::{Gateway, Options, StartError, Storage};
use crate::store::{Status, Store, StoreError};

/// How often signals and cores are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Serves until SIGTERM or SIGINT, then drains. A second signal ends it at once.
///
/// With `profile`, every stage of every message is timed: SIGUSR1 and the end of the drain write a table to the log.
///
/// The exit code is 0 if everything that was accepted was finished, else 1.
#[must_use]
pub fn run(config: &Config, profile: bool) -> ExitCode {
    let logging = Logging::start(config.log);
    match serve(config, profile, logging.dropped()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Why a gateway did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("state_dir: {0}")]
    Store(#[from] StoreError),
    #[error("{0} octets of records could not be written to state_dir: {1}")]
    NotWritten(u64, String),
    #[error("{0}{hint}", hint = hint(.0))]
    Start(#[from] StartError),
    #[error("cannot listen on {0} (admin.listen): {1}{hint}", hint = advice(.1))]
    Admin(std::net::SocketAddr, io::Error),
    #[error("no signals from this host: {0}")]
    Signals(io::Error),
    #[error("the cores ended by themselves")]
    Ended,
    #[error("not everything was finished within runtime.drain_s: {0} messages were open")]
    Unfinished(u64),
}

/// What the admin server tells of.
struct Cores {
    gateway: Arc<Gateway>,
    about: About,
    events: Arc<EventLog>,
    log_lines_dropped: ErrorCounter,
    store: Option<Arc<Store>>,
}

impl Source for Cores {
    fn snapshots(&self) -> Vec<Snapshot> {
        self.gateway.snapshots()
    }
    fn about(&self) -> &About {
        &self.about
    }
    fn log_lines_dropped(&self) -> u64 {
        self.log_lines_dropped.dropped_lines() as u64 + self.events.left_out()
    }
    fn store(&self) -> Option<Status> {
        self.store.as_deref().map(Store::status)
    }
}

fn serve(config: &Config, profile: bool, log_lines_dropped: ErrorCounter) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1]).map_err(Failure::Signals)?;
    let events = event_log(config);
    let storage = open_storage(config)?;
    let store = storage.as_ref().map(|storage| Arc::clone(&storage.store));
    let gateway = Arc::new(start(config, Arc::clone(&events), profile, storage)?);
    let about = About { backend: gateway.backend().0.to_owned(), ..about(config) };
    let cores = Cores { gateway: Arc::clone(&gateway), about, events, log_lines_dropped, store: store.clone() };
    let admin = Admin::start(config.admin.listen, Arc::new(cores))
        .map_err(|error| Failure::Admin(config.admin.listen, error))?;
    announce(config, &gateway, &admin);
    let mut watch = StoreWatch::new(store.clone());
    wait_for_signal(&mut signals, &gateway, &mut watch)?;
    let drained = drain(config, &mut signals, &gateway, &mut watch);
    if profile {
        profile::log(&gateway.snapshots());
    }
    // The cores have ended with it, and what they ordered last is handed in.
    drop((admin, gateway, watch));
    let written = store.and_then(Arc::into_inner).map_or(Ok(()), close);
    if let (Err(_), Err(failure)) = (&drained, &written) {
        tracing::error!("{failure}");
    }
    drained?;
    written?;
    tracing::info!("drained");
    Ok(())
}

fn open_storage(config: &Config) -> Result<Option<Storage>, Failure> {
    if !config.durable {
        tracing::info!("durable is false: what is promised is forgotten when the process ends");
        return Ok(None);
    }
    let storage = Storage::open(&config.state_dir)?;
    let (run, records) = (storage.run, storage.kept.len());
    tracing::info!(run, records, state_dir = %config.state_dir.display(), "storage is open");
    Ok(Some(storage))
}

fn close(store: Store) -> Result<(), Failure> {
    let Status { waiting_bytes, last_error, .. } = store.close();
    if waiting_bytes == 0 { Ok(()) } else { Err(Failure::NotWritten(waiting_bytes, last_error)) }
}

/// Tells the log when the store begins, and when it ceases, to fail.
struct StoreWatch {
    store: Option<Arc<Store>>,
    failing: bool,
}

impl StoreWatch {
    const fn new(store: Option<Arc<Store>>) -> StoreWatch {
        StoreWatch { store, failing: false }
    }

    fn look(&mut self) {
        let Some(store) = &self.store else { return };
        let failing = store.is_failing();
        if core::mem::replace(&mut self.failing, failing) == failing {
            return;
        }
        if failing {
            let error = store.status().last_error;
            tracing::error!(error, "records cannot be written: nothing new is taken until they can");
        } else {
            tracing::info!("records are written again");
        }
    }
}

/// Where what happens on the cores is logged.
#[must_use]
pub fn event_log(config: &Config) -> Arc<EventLog> {
    Arc::new(EventLog::new(about(config), config.runtime.cores.len()))
}

/// Starts the cores, with a stopwatch if there is to be a `profile`. Without `storage`, what they promise lasts as long as
/// they do.
///
/// # Errors
/// As [`Gateway::start`].
pub fn start(
    config: &Config,
    events: Arc<EventLog>,
    profile: bool,
    storage: Option<Storage>,
) -> Result<Gateway, StartError> {
    let sink = move |core, event| events.log(core, &event);
    let options = Options { profile, storage, ..config.shell_options() };
    Gateway::start(&options, config.settings(), Arc::new(sink))
}

fn about(config: &Config) -> About {
    About {
        backend: String::new(),
        smscs: config.smscs.iter().map(|smsc| smsc.name.clone()).collect(),
        mmscs: config.mmscs.iter().map(|mmsc| mmsc.name.clone()).collect(),
    }
}

fn announce(config: &Config, gateway: &Gateway, admin: &Admin) {
    let (backend, because) = gateway.backend();
    let listeners: Vec<_> = gateway.listeners().iter().map(|one| url(one.transport, one.local)).collect();
    let (others, mail) = listeners.split_at(listeners.len() - config.mm4.listen.len());
    let (signalling, media) = others.split_at(others.len() - config.msrp.listen.len());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        backend,
        because,
        cores = ?config.runtime.cores,
        sip = signalling.join(" "),
        msrp = media.join(" "),
        mm4 = mail.join(" "),
        admin = %admin.address(),
        "started"
    );
    if config.sip.trusted.is_empty() {
        tracing::warn!("sip.trusted is empty: every request from CPM will be answered 403");
    }
    if config.msrp.listen.is_empty() {
        tracing::info!("msrp.listen is empty: no sessions and no large messages");
    }
    if config.mm4.settings.trusted.is_empty() && !config.mm4.listen.is_empty() {
        tracing::warn!("mm4.trusted is empty: every MMS Relay/Server that connects will be answered 554");
    }
    if config.mm4.listen.is_empty() && !config.mmscs.is_empty() {
        tracing::warn!("mm4.listen is empty: nothing comes from MMS, neither messages nor responses nor reports");
    }
}

fn url(transport: Transport, address: std::net::SocketAddr) -> String {
    let scheme = match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    format!("{scheme}://{address}")
}

fn wait_for_signal(signals: &mut Signals, gateway: &Gateway, store: &mut StoreWatch) -> Result<(), Failure> {
    while !gateway.is_finished() {
        store.look();
        if is_to_end(signals, gateway) {
            return Ok(());
        }
        sleep(LOOK_EVERY);
    }
    Err(Failure::Ended)
}

/// Whether a signal says so. SIGUSR1 asks for the table.
fn is_to_end(signals: &mut Signals, gateway: &Gateway) -> bool {
    let mut end = false;
    for signal in signals.pending() {
        match signal {
            SIGUSR1 => profile::log(&gateway.snapshots()),
            _ => end = true,
        }
    }
    end
}

fn drain(config: &Config, signals: &mut Signals, gateway: &Gateway, store: &mut StoreWatch) -> Result<(), Failure> {
    tracing::info!(open_messages = open_messages(gateway), "draining");
    gateway.drain();
    let until = Instant::now() + config.runtime.drain;
    while !gateway.is_finished() {
        store.look();
        if Instant::now() > until || is_to_end(signals, gateway) {
            return Err(Failure::Unfinished(open_messages(gateway)));
        }
        sleep(LOOK_EVERY);
    }
    // A core that panics ends them all.
    if gateway.is_drained() { Ok(()) } else { Err(Failure::Ended) }
}

fn open_messages(gateway: &Gateway) -> u64 {
    gateway.snapshots().iter().map(|snapshot| snapshot.stats.open_messages).sum()
}

fn hint(error: &StartError) -> &'static str {
    match error {
        StartError::Listen { error, .. } => advice(error),
        StartError::IoUring(_) => "; runtime.backend = \"auto\" or \"epoll\" does without it",
        _ => "",
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process has it: end that or choose another port",
        io::ErrorKind::AddrNotAvailable => "; this host does not have the address",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "",
    }
}
