//! What operators ask over HTTP. Runs on a thread of its own, so that no question can hold up a core.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::oneshot;

use super::metrics::{self, About};
use crate::observe::Snapshot;
use crate::store::Status;

/// Where answers come from.
pub trait Source: Send + Sync + 'static {
    /// What each core published last.
    fn snapshots(&self) -> Vec<Snapshot>;
    /// What does not change.
    fn about(&self) -> &About;
    /// Log lines that nobody could take in time.
    fn log_lines_dropped(&self) -> u64;
    /// What the store has done, if there is one.
    fn store(&self) -> Option<Status>;
}

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Opens `address` and answers from `source`.
    ///
    /// # Errors
    /// The address cannot be opened, or the host has no thread for us.
    pub fn start(address: SocketAddr, source: Arc<dyn Source>) -> io::Result<Admin> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("admin".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, source, stopped)) {
                tracing::error!(%error, "the admin server ended");
            }
        })?;
        Ok(Admin { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that is open.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether traffic should be sent here: every core would find a bind, and none drains.
///
/// # Errors
/// Why not.
pub fn readiness(about: &About, snapshots: &[Snapshot]) -> Result<(), String> {
    if snapshots.is_empty() {
        return Err("starting: no core has reported".into());
    }
    if snapshots.iter().any(|snapshot| snapshot.draining) {
        return Err("draining: no new work is taken".into());
    }
    if snapshots.iter().all(|snapshot| snapshot.ready) {
        return Ok(());
    }
    if snapshots.iter().any(|snapshot| snapshot.stats.storage_failing > 0) {
        return Err("records cannot be written: see the log".into());
    }
    let sessions: u64 = snapshots.iter().map(|snapshot| snapshot.stats.mms_sessions_ready).sum();
    if about.smscs.is_empty() {
        return Err(format!("not every core has a session with an MMS Relay/Server; sessions: {sessions}"));
    }
    let links = || snapshots.iter().flat_map(|snapshot| &snapshot.links);
    let smscs = about.smscs.iter().enumerate().map(|(at, name)| {
        let bound = links().filter(|link| usize::from(link.smsc) == at && link.bound != 0).count();
        format!("{name} {bound}")
    });
    Err(format!("not every core has a bind to submit on; bound: {}", smscs.collect::<Vec<_>>().join(", ")))
}

async fn serve(listener: TcpListener, source: Arc<dyn Source>, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(source);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let server = axum::serve(listener, routes).into_future();
    tokio::select! {
        ended = server => ended,
        // Questions under way are cut off: the process ends.
        _ = stopped => Ok(()),
    }
}

async fn readyz(State(source): State<Arc<dyn Source>>) -> (StatusCode, String) {
    match readiness(source.about(), &source.snapshots()) {
        Ok(()) => (StatusCode::OK, "ready\n".into()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}

async fn scrape(State(source): State<Arc<dyn Source>>) -> impl IntoResponse {
    let store = source.store();
    let text = metrics::text(source.about(), &source.snapshots(), source.log_lines_dropped(), store.as_ref());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}
