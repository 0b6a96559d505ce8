//! Lines of the log for what happens on the cores.

use core::fmt::Display;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::metrics::About;
use crate::limits::LOG_LINES_PER_SECOND_MAX;
use crate::observe::Overrun;
use crate::shard::event::{CallId, Event};
use crate::wire::smpp::CommandStatus;

/// Writes what happens on the cores, a bounded number of lines a second of what peers can cause: writing a line costs
/// the core that it happens on.
#[derive(Debug)]
pub struct EventLog {
    about: About,
    start: Instant,
    quotas: Vec<Quota>,
    left_out: AtomicU64,
}

/// Lines of the current second. One core writes each; nothing is ordered by it.
#[derive(Debug, Default)]
struct Quota {
    second: AtomicU64,
    lines: AtomicU64,
}

impl EventLog {
    /// For so many cores.
    #[must_use]
    pub fn new(about: About, cores: usize) -> EventLog {
        let quotas = (0..cores).map(|_| Quota::default()).collect();
        EventLog { about, start: Instant::now(), quotas, left_out: AtomicU64::new(0) }
    }

    /// Writes one line, or counts it as left out.
    pub fn log(&self, core: usize, event: &Event) {
        if self.is_admitted(core, event, self.start.elapsed().as_secs()) {
            log(&self.about, core, event);
        } else {
            self.left_out.fetch_add(1, Relaxed);
        }
    }

    /// Lines that were left out.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Relaxed)
    }

    fn is_admitted(&self, core: usize, event: &Event, second: u64) -> bool {
        let rare = matches!(
            event,
            Event::Bound { .. } | Event::BindRefused { .. } | Event::BindLost { .. } | Event::DeliverLost { .. }
        );
        let Some(quota) = self.quotas.get(core).filter(|_| !rare) else { return true };
        if quota.second.swap(second, Relaxed) != second {
            quota.lines.store(0, Relaxed);
        }
        quota.lines.fetch_add(1, Relaxed) < LOG_LINES_PER_SECOND_MAX
    }
}

fn log(about: &About, core: usize, event: &Event) {
    match *event {
        Event::Bound { .. } | Event::BindRefused { .. } | Event::BindLost { .. } | Event::Throttled { .. } => {
            link(about, core, event);
        }
        Event::Refused { ref call_id, code, why } => {
            tracing::info!(core, call_id = %call(call_id), code, why, "SIP request refused");
        }
        Event::RefusedBySmsc { ref call_id, code, status, partial } => {
            let (call_id, status) = (call(call_id), named(status));
            tracing::info!(core, %call_id, code, command_status = %status, partial, "message refused by the SM-SC");
        }
        Event::SessionMessageRefused { ref call_id, protocol, code, why } => {
            tracing::info!(core, call_id = %call(call_id), protocol, code, why, "message of a session refused");
        }
        Event::SessionLost { ref call_id, why } => {
            tracing::warn!(core, call_id = %call(call_id), why, "session lost");
        }
        Event::Unknown { ref call_id, code } => {
            let call_id = call(call_id);
            tracing::warn!(core, %call_id, code, "nobody said whether the message was taken");
        }
        Event::ReportUnmatched { smsc, ref message_id } => {
            let (smsc, message_id) = (name(about, smsc), message_id.escape_ascii());
            tracing::warn!(core, %smsc, %message_id, "status report for no open message");
        }
        Event::NotificationFailed { ref call_id, code } => {
            tracing::warn!(core, call_id = %call(call_id), code, "the CPM side did not take a notification");
        }
        Event::DeliverRefused { smsc, sequence_number, status, why } => {
            let (smsc, status) = (name(about, smsc), named(status));
            tracing::info!(core, %smsc, sequence_number, command_status = %status, why, "short message refused");
        }
        Event::TurnOverran(Overrun { step, step_us, turn_us, untold, preempted }) => {
            tracing::warn!(core, step = step.name(), step_us, turn_us, preempted, untold, "a turn took too long");
        }
        Event::RelayReady { .. } | Event::RelayLost { .. } | Event::RefusedByRelay { .. } => relay(about, core, event),
        Event::MailRefused { peer, code, why } => tracing::info!(core, %peer, code, why, "mail refused"),
        Event::MmReportUnmatched { peer } => tracing::warn!(core, %peer, "report for no open message"),
        Event::ResponseLost { peer } => {
            tracing::warn!(core, %peer, "no session with an MMS Relay/Server for a response to its request");
        }
        Event::DeliverLost { smsc } => {
            tracing::error!(core, smsc = %name(about, smsc), "short message given up after its parts were acknowledged");
        }
    }
}

fn link(about: &About, core: usize, event: &Event) {
    match *event {
        Event::Bound { smsc } => tracing::info!(core, smsc = %name(about, smsc), "bound"),
        Event::BindRefused { smsc, status } => {
            tracing::error!(core, smsc = %name(about, smsc), command_status = %named(status), "bind refused");
        }
        Event::BindLost { smsc, reason } => {
            tracing::warn!(core, smsc = %name(about, smsc), reason, "connection to the SM-SC is gone");
        }
        Event::Throttled { smsc, status } => {
            tracing::warn!(core, smsc = %name(about, smsc), command_status = %named(status), "the SM-SC asks for less");
        }
        _ => {}
    }
}

fn relay(about: &About, core: usize, event: &Event) {
    let name = |mmsc: u16| about.mmscs.get(usize::from(mmsc)).map_or("?", String::as_str);
    match *event {
        Event::RelayReady { mmsc } => tracing::info!(core, mmsc = %name(mmsc), "session with the MMS Relay/Server"),
        Event::RelayLost { mmsc, code, reason } => {
            tracing::warn!(core, mmsc = %name(mmsc), code, reason, "session with the MMS Relay/Server is over");
        }
        Event::RefusedByRelay { ref call_id, code, reply } => {
            tracing::info!(core, call_id = %call(call_id), code, reply, "message refused by the MMS Relay/Server");
        }
        _ => {}
    }
}

fn name(about: &About, smsc: u16) -> impl Display + '_ {
    about.smscs.get(usize::from(smsc)).map_or("?", String::as_str)
}

/// A peer chose it: what is not printable is escaped.
fn call(call_id: &CallId) -> impl Display + '_ {
    call_id.escape_ascii()
}

fn named(status: CommandStatus) -> String {
    status.name().map_or_else(|| format!("{:#010x}", status.0), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_what_is_rare_is_not() {
        let events = EventLog::new(About::default(), 2);
        let flood = Event::Throttled { smsc: 0, status: CommandStatus::ESME_RTHROTTLED };
        let admitted = |core, second| (0..1_000).filter(|_| events.is_admitted(core, &flood, second)).count() as u64;
        assert_eq!(
            (admitted(0, 1), admitted(0, 1), admitted(1, 1)),
            (LOG_LINES_PER_SECOND_MAX, 0, LOG_LINES_PER_SECOND_MAX)
        );
        assert!(events.is_admitted(0, &Event::DeliverLost { smsc: 0 }, 1));
        assert_eq!(admitted(0, 2), LOG_LINES_PER_SECOND_MAX);
    }
}
