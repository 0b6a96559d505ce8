//! Requests of ours (RFC 4975 7.1).

use super::sender::{Report, Sending};
use super::transactions::TransactionId;
use crate::limits;
use crate::wire::msrp::{ByteRange, Continuation, Status, Writer};

/// Between whom the session is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths<'a> {
    pub(super) local: &'a [u8],
    pub(super) peer: &'a [u8],
}

impl Paths<'_> {
    fn request<'o>(&self, out: &'o mut Vec<u8>, id: &TransactionId, method: &[u8]) -> Writer<'o> {
        Writer::request(out, id, method, self.peer, self.local)
    }
}

/// A SEND without content, which tells the peer whose connection this is (RFC 4975 5.4).
pub(super) fn bind(paths: &Paths<'_>, id: &TransactionId, message_id: &[u8], out: &mut Vec<u8>) {
    let mut send = paths.request(out, id, b"SEND");
    send.message_id(message_id);
    send.byte_range(ByteRange::EMPTY);
    send.end(Continuation::Complete);
}

/// The next chunk of a message.
pub(super) fn chunk(
    paths: &Paths<'_>,
    id: &TransactionId,
    sending: &Sending,
    content: &[u8],
    flag: Continuation,
    out: &mut Vec<u8>,
) {
    let mut send = paths.request(out, id, b"SEND");
    send.message_id(&sending.what.message_id);
    send.byte_range(range(sending, content, flag));
    send.success_report(sending.what.success_report);
    send.failure_report(sending.what.failure_report);
    send.content(&sending.what.content_type, content, flag);
}

/// The end is said unless the chunk could be interrupted: because it is large, or was (RFC 4975 7.1.1).
fn range(sending: &Sending, content: &[u8], flag: Continuation) -> ByteRange {
    let (at, total) = (sending.at as u64, sending.total as u64);
    let open = flag == Continuation::Abort || content.len() > limits::MSRP_UNINTERRUPTIBLE_BYTES_MAX;
    let end = (!open).then_some(at + content.len() as u64);
    ByteRange { start: at + 1, end, total: Some(total) }
}

/// What became of a message of the peer (RFC 4975 7.1.2).
pub(super) fn report(paths: &Paths<'_>, id: &TransactionId, report: &Report, out: &mut Vec<u8>) {
    let mut request = paths.request(out, id, b"REPORT");
    request.message_id(&report.message_id);
    request.byte_range(ByteRange { start: 1, end: Some(report.octets), total: Some(report.octets) });
    request.status(Status::of_code(report.status, b""));
    request.end(Continuation::Complete);
}
