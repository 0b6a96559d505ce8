//! Lines of the log for what happens on the cores.

use core::fmt::Display;

use super::metrics::About;
use crate::shard::event::{CallId, Event};
use crate::wire::smpp::CommandStatus;

/// Writes one line.
pub fn log(about: &About, core: usize, event: &Event) {
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
        Event::Unknown { ref call_id, code } => {
            let call_id = call(call_id);
            tracing::warn!(core, %call_id, code, "the SM-SC did not say whether it took the message");
        }
        Event::ReportUnmatched { smsc } => {
            tracing::warn!(core, smsc = %name(about, smsc), "status report for no open message");
        }
        Event::NotificationFailed { code } => {
            tracing::warn!(core, code, "the CPM side did not take a notification");
        }
        Event::DeliverRefused { smsc, status, why } => {
            let smsc = name(about, smsc);
            tracing::info!(core, %smsc, command_status = %named(status), why, "short message refused");
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
