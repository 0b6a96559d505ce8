//! SMPP 3.4 PDUs, read in place and written losslessly.
//!
//! Guarantees: no accessor panics; a PDU that was read and is written again is the same octets; unknown commands,
//! statuses and optional parameters survive.

mod fields;

pub mod command_id;
pub mod command_status;
pub mod message_id;
pub mod message_state;
pub mod pdu;
pub mod pdus;
pub mod response;
pub mod status_report;
pub mod submit_multi;
pub mod time;
pub mod tlv;

pub use command_id::CommandId;
pub use command_status::CommandStatus;
pub use message_id::MessageIdForm;
pub use message_state::MessageState;
pub use pdu::Pdu;
pub use pdus::{
    AlertNotification, Bind, CancelSm, DataSm, DeliverSm, Outbind, Plain, QuerySm, QuerySmResp, ReplaceSm, SubmitSm,
};
pub use response::Response;
pub use submit_multi::{Destination, MultiMessage, SubmitMulti, SubmitMultiResp};
pub use tlv::{Tag, Tlvs};

use super::{Framing, Malformed};

/// Octets of a PDU header (SMPP 3.4 3.2).
pub const HEADER_BYTES: usize = 16;

/// sm_length is one octet of which 255 is reserved (SMPP 3.4 5.2.21).
pub const SHORT_MESSAGE_BYTES_MAX: usize = 254;

/// Why a PDU body cannot be read, and the command_status that says so to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PduError {
    /// For the response.
    pub status: CommandStatus,
    /// The field.
    pub what: &'static str,
    /// Offset in octets.
    pub at: usize,
}

impl PduError {
    /// The same place, but it is the message that is too short.
    pub(super) fn message_length(self) -> PduError {
        PduError { status: CommandStatus::ESME_RINVMSGLEN, ..self }
    }
}

/// The header of every PDU (SMPP 3.4 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Octets of the whole PDU, this header included.
    pub command_length: u32,
    /// Which PDU.
    pub command_id: CommandId,
    /// Result, in responses.
    pub command_status: CommandStatus,
    /// 1 to 0x7FFFFFFF; a response has its request's.
    pub sequence_number: u32,
}

impl Header {
    /// Reads a header; `None` if there are fewer than 16 octets.
    #[must_use]
    pub fn parse(pdu: &[u8]) -> Option<Header> {
        let word = |at: usize| pdu.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        Some(Header {
            command_length: word(0)?,
            command_id: CommandId(word(4)?),
            command_status: CommandStatus(word(8)?),
            sequence_number: word(12)?,
        })
    }
}

/// Header and body of a framed PDU; `None` if there are fewer than 16 octets.
#[must_use]
pub fn split(pdu: &[u8]) -> Option<(Header, &[u8])> {
    Some((Header::parse(pdu)?, pdu.get(HEADER_BYTES..)?))
}

/// The first PDU of a stream (SMPP 3.4 3.2: command_length counts the whole PDU).
#[must_use]
pub fn frame(stream: &[u8], bytes_max: usize) -> Framing {
    let Some(len) = stream.get(..4).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes) else {
        return Framing::Partial;
    };
    let len = len as usize;
    if len < HEADER_BYTES || len > bytes_max {
        return Framing::Malformed(Malformed::new("command_length", 0));
    }
    if len > stream.len() { Framing::Partial } else { Framing::Complete(len) }
}

/// How many whole PDUs stand in `pdus` one after the other.
#[must_use]
pub fn count(pdus: &[u8]) -> u64 {
    let (mut count, mut rest) = (0, pdus);
    while let Framing::Complete(len) = frame(rest, usize::MAX) {
        count += 1;
        rest = rest.get(len..).unwrap_or_default();
    }
    count
}

/// Appends a PDU: header, then the body `write` appends; command_length is put right afterwards.
pub fn emit(out: &mut Vec<u8>, id: CommandId, status: CommandStatus, sequence: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    let words = [0, id.0, status.0, sequence].map(u32::to_be_bytes);
    out.extend_from_slice(words.as_flattened());
    write(out);
    let len = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

/// Writes `sequence` into a PDU that was emitted before its number was known.
pub fn set_sequence_number(pdu: &mut [u8], sequence: u32) {
    if let Some(field) = pdu.get_mut(12..16) {
        field.copy_from_slice(&sequence.to_be_bytes());
    }
}
