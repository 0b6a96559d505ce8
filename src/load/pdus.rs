//! PDUs as every side of SMPP treats them.

use super::desk::Desk;
use crate::engine::transport::LinkId;
use crate::wire::smpp::{CommandId, CommandStatus, Header, Pdu, Plain};

/// A PDU that arrived; one that cannot be read is answered with generic_nack.
pub(super) fn parsed<'a>(desk: &mut Desk, link: LinkId, octets: &'a [u8]) -> Option<(Header, Pdu<'a>)> {
    let unread = match Pdu::parse(octets) {
        Ok(parsed) => return Some(parsed),
        Err(unread) => unread,
    };
    desk.strange += 1;
    let sequence = Header::parse(octets).map_or(0, |header| header.sequence_number);
    nack(desk, link, sequence, unread.status);
    None
}

pub(super) fn reply(desk: &mut Desk, link: LinkId, to: Header, status: CommandStatus, pdu: &Pdu<'_>) {
    pdu.emit(desk.out.stream(link), to.command_id.response(), status, to.sequence_number);
}

/// Answers what is about no message: enquire_link, and requests that this side does not take.
pub(super) fn answer_other(desk: &mut Desk, link: LinkId, header: Header, pdu: &Pdu<'_>) {
    match pdu {
        Pdu::EnquireLink(body) => reply(desk, link, header, CommandStatus::ESME_ROK, &Pdu::EnquireLinkResp(*body)),
        _ if header.command_id.0 & 0x8000_0000 != 0 => {}
        _ => nack(desk, link, header.sequence_number, CommandStatus::ESME_RINVCMDID),
    }
}

fn nack(desk: &mut Desk, link: LinkId, sequence: u32, status: CommandStatus) {
    let body = Pdu::GenericNack(Plain::default());
    body.emit(desk.out.stream(link), CommandId::GENERIC_NACK, status, sequence);
}
