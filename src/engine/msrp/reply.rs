//! Answers to requests (RFC 4975 7.2): which are wanted, and what they need of the request.

use super::code::{NO_SESSION, OK, OTHER_CONNECTION, UNKNOWN_METHOD};
use crate::wire::inline::Inline;
use crate::wire::msrp::{Continuation, FailureReport, Head, Method, Path, Start, TRANSACTION_ID_BYTES_MAX, Writer};

/// Answers a request whose To-Path is that of no session: 481, or 501 to a method that no session has. Appends the answer
/// to `out` and says `true`, or `false` if there is none to give: responses and REPORTs have none, and some senders do not
/// want one.
pub fn refuse_unknown(head: &Head, section: &[u8], out: &mut Vec<u8>) -> bool {
    refuse(head, section, NO_SESSION, out)
}

/// Answers a request to a session that is bound to another connection: 506 (RFC 4975 5.4, 10.13). As [`refuse_unknown`].
pub fn refuse_second_connection(head: &Head, section: &[u8], out: &mut Vec<u8>) -> bool {
    refuse(head, section, OTHER_CONNECTION, out)
}

fn refuse(head: &Head, section: &[u8], code: u16, out: &mut Vec<u8>) -> bool {
    let code = match head.start() {
        Start::Response { .. } | Start::Request { method: Method::Report } => return false,
        Start::Request { method: Method::Send } => code,
        Start::Request { .. } => UNKNOWN_METHOD,
    };
    let wanted = wants(head.failure_report(), code);
    if wanted {
        Writer::response_to(out, head, section, code, comment(code)).end(Continuation::Complete);
    }
    wanted
}

/// Whether a sender wants to hear this code (RFC 4975 7.2).
fn wants(failure_report: FailureReport, code: u16) -> bool {
    match failure_report {
        FailureReport::Yes => true,
        FailureReport::Partial => code != OK,
        FailureReport::No => false,
    }
}

/// For people who read traces.
fn comment(code: u16) -> &'static str {
    match code {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        408 => "Request Timeout",
        413 => "Stop Sending",
        415 => "Unsupported Media Type",
        423 => "Interval Out Of Bounds",
        481 => "No Such Session",
        501 => "Unknown Method",
        506 => "Session In Use",
        _ => "",
    }
}

/// What the answer to a request needs of it; the request's buffer is free again.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    transaction_id: Inline<TRANSACTION_ID_BYTES_MAX>,
    /// The hop it came from, if that is not the first of the peer's path.
    hop: Option<Box<[u8]>>,
    failure_report: FailureReport,
}

impl Reply {
    pub(super) fn to(head: &Head, section: &[u8], peer_path: &[u8]) -> Reply {
        let hop = head.from_path(section).first();
        Reply {
            transaction_id: Inline::from_slice(head.transaction_id(section)).unwrap_or_default(),
            hop: (hop != Path::new(peer_path).first()).then(|| hop.into()),
            failure_report: head.failure_report(),
        }
    }

    /// Appends the answer, if one is wanted.
    pub(super) fn write(&self, code: u16, local_path: &[u8], peer_path: &[u8], out: &mut Vec<u8>) {
        if wants(self.failure_report, code) {
            let hop = self.hop.as_deref().unwrap_or_else(|| Path::new(peer_path).first());
            let writer = Writer::response(out, &self.transaction_id, code, comment(code), hop, local_path);
            writer.end(Continuation::Complete);
        }
    }
}
