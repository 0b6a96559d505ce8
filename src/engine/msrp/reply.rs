//! Answers to requests (RFC 4975 7.2): which are wanted, and what they need of the request.

use super::code::{NO_SESSION, OK, OTHER_CONNECTION, UNKNOWN_METHOD};
use super::config::Config;
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
#[inline]
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
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    transaction_id: Inline<TRANSACTION_ID_BYTES_MAX>,
    /// The hop it came from, if that is not the first of the peer's path.
    hop: Option<Box<[u8]>>,
    failure_report: FailureReport,
}

impl Reply {
    #[inline]
    pub(super) fn to(head: &Head, section: &[u8], peer_path: &[u8]) -> Reply {
        let path = head.from_path(section);
        // Nearly always it is the path of SDP.
        let differs = path.as_bytes() != peer_path && path.first() != Path::new(peer_path).first();
        Reply {
            transaction_id: Inline::from_slice(head.transaction_id(section)).unwrap_or_default(),
            hop: differs.then(|| path.first().into()),
            failure_report: head.failure_report(),
        }
    }

    /// To a request whose From-Path is that of one before, which was the path of SDP.
    #[inline]
    pub(super) fn to_usual_hop(head: &Head, section: &[u8]) -> Reply {
        let (start, len) = head.transaction_id_place();
        let id = section.get(start..).and_then(|id| Inline::from_first(id, len));
        Reply { transaction_id: id.unwrap_or_default(), hop: None, failure_report: head.failure_report() }
    }

    /// Whether it goes to the hop that the path of SDP names.
    pub(super) fn has_usual_hop(&self) -> bool {
        self.hop.is_none()
    }

    /// Appends the answer, if one is wanted. `usual` may hold what answers of this session have in common.
    pub(super) fn write(&self, code: u16, config: &Config, usual: &Usual, out: &mut Vec<u8>) {
        if !wants(self.failure_report, code) {
            return;
        }
        if code == OK && self.hop.is_none() && !usual.0.is_empty() {
            return usual.write_ok(&self.transaction_id, out);
        }
        let hop = self.hop.as_deref().unwrap_or_else(|| Path::new(&config.peer_path).first());
        let (id, local) = (&self.transaction_id, &config.local_path);
        Writer::response(out, id, code, comment(code), hop, local).end(Continuation::Complete);
    }
}

/// What the answers to the chunks of a message have in common, written once: the two paths.
#[derive(Debug, Default)]
pub(super) struct Usual(Box<[u8]>);

impl Usual {
    /// More answers are to be expected.
    pub(super) fn prepare(&mut self, config: &Config) {
        if self.0.is_empty() {
            self.0 = Usual::lines(config);
        }
    }

    /// Appends the 200 to a chunk whose From-Path is that of SDP, if one is wanted.
    #[inline]
    pub(super) fn acknowledge(&mut self, head: &Head, section: &[u8], config: &Config, out: &mut Vec<u8>) {
        if wants(head.failure_report(), OK) {
            self.prepare(config);
            self.write_ok(head.transaction_id(section), out);
        }
    }

    fn write_ok(&self, id: &[u8], out: &mut Vec<u8>) {
        for part in [BEGIN, id, &self.0, id, END] {
            out.extend_from_slice(part);
        }
    }

    /// What stands between the two transaction ids.
    fn lines(config: &Config) -> Box<[u8]> {
        const ID: &[u8] = b"0000";
        let mut out = Vec::new();
        let hop = Path::new(&config.peer_path).first();
        Writer::response(&mut out, ID, OK, comment(OK), hop, &config.local_path).end(Continuation::Complete);
        let end = out.len() - ID.len() - END.len();
        out.get(BEGIN.len() + ID.len()..end).unwrap_or_default().into()
    }
}

/// Before the first transaction id of an answer, and behind the second.
const BEGIN: &[u8] = b"MSRP ";
const END: &[u8] = b"$\r\n";

#[cfg(test)]
mod tests {
    use super::super::{Accept, Role, Settings};
    use super::*;

    #[test]
    fn the_usual_answer_is_written_as_any_other() {
        let config = Config {
            local_path: b"msrp://gw:1/ours;tcp".as_slice().into(),
            peer_path: b"msrp://relay:2;tcp msrp://peer:3/theirs;tcp".as_slice().into(),
            role: Role::Passive,
            accept: Accept::ANY,
            settings: Settings::default(),
        };
        let transaction_id = Inline::from_slice(b"id01").unwrap();
        let reply = Reply { transaction_id, hop: None, failure_report: FailureReport::Yes };
        let (mut usual, mut fast, mut slow) = (Usual::default(), Vec::new(), Vec::new());
        reply.write(OK, &config, &usual, &mut slow);
        usual.prepare(&config);
        reply.write(OK, &config, &usual, &mut fast);
        assert!(!slow.is_empty());
        assert_eq!(fast, slow);
    }
}
