//! Logs: to standard error, from a thread of its own, so that a full pipe never holds up a core.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::Subscriber;

use super::config::{Log, LogFormat};

/// Writes what is logged until it is dropped, and the rest then.
#[derive(Debug)]
pub struct Logging {
    dropped: ErrorCounter,
    _worker: WorkerGuard,
}

impl Logging {
    /// Logs from now on. Only the first call of a process has an effect on what is written.
    #[must_use]
    pub fn start(log: Log) -> Logging {
        let (writer, worker) = tracing_appender::non_blocking(io::stderr());
        let dropped = writer.error_counter();
        set(log, writer);
        Logging { dropped, _worker: worker }
    }

    /// Counts the lines that were dropped because nobody took them.
    #[must_use]
    pub fn dropped(&self) -> ErrorCounter {
        self.dropped.clone()
    }
}

fn set(log: Log, writer: NonBlocking) {
    // Libraries below us speak up only when something is wrong.
    let filter = EnvFilter::new(format!("{},isthmus={}", log.level.min(tracing::Level::WARN), log.level));
    let builder = Subscriber::builder().with_env_filter(filter).with_writer(writer).with_target(false);
    let _ = match log.format {
        LogFormat::Text => {
            tracing::subscriber::set_global_default(builder.with_ansi(io::stderr().is_terminal()).finish())
        }
        LogFormat::Json => tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish()),
    };
}
