//! Status reports (SMPP 3.4 5.2.12, 5.3.2.12, 5.3.2.35 and the text of Appendix B in the forms SM-SCs really send).
//!
//! `id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD err:E Text: ...`
//!
//! Optional parameters win, the text fills what they leave open. In the text every key may be missing or in another
//! place; nothing after `text:` is read, because it quotes the message, and the message may say "id:" too.

use super::message_state::MessageState;
use super::{DataSm, DeliverSm, Tag, Tlvs};
use crate::limits::SMPP_MESSAGE_ID_BYTES_MAX;
use crate::wire::inline::Inline;

mod date;
mod text;

pub use date::DoneDate;
use text::ReceiptText;

/// Type bits of esm_class (SMPP 3.4 5.2.12).
const TYPE: u8 = 0x3C;
const DELIVERY_RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;
const UDHI: u8 = 0x40;

/// network_error_code (SMPP 3.4 5.3.2.31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkErrorCode {
    /// 1 ANSI-136, 2 IS-95, 3 GSM; SMPP 5.0 adds 4 to 8.
    pub network_type: u8,
    /// The network's code.
    pub error_code: u16,
}

/// What a status report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusReport<'a> {
    /// As written; empty if the report names none.
    pub message_id: Characters<'a>,
    /// UNKNOWN if the report does not say.
    pub state: MessageState,
    /// `err:` as written (digits, letters, negative, of any length), or empty.
    pub error: Characters<'a>,
    /// The optional parameter.
    pub network_error_code: Option<NetworkErrorCode>,
    /// `done date:` as written, or empty.
    pub done_date: Characters<'a>,
    /// Whether the short message may still change its state.
    pub intermediate: bool,
}

impl StatusReport<'_> {
    /// `done date:`, if it can be read.
    #[must_use]
    pub fn done_date(&self) -> Option<DoneDate> {
        DoneDate::read(&self.done_date)
    }
}

/// A word of a report: in place, or copied where the text is UCS-2.
#[derive(Clone, Copy)]
pub enum Characters<'a> {
    /// One octet per character in the PDU.
    InPlace(&'a [u8]),
    /// Characters that had two octets each.
    Copied(Inline<SMPP_MESSAGE_ID_BYTES_MAX>),
}

impl<'a> Characters<'a> {
    fn copied(word: &[u8]) -> Characters<'a> {
        let word = word.get(..SMPP_MESSAGE_ID_BYTES_MAX).unwrap_or(word);
        Characters::Copied(Inline::from_slice(word).unwrap_or_default())
    }
}

impl core::ops::Deref for Characters<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Characters::InPlace(word) => word,
            Characters::Copied(word) => word,
        }
    }
}

impl AsRef<[u8]> for Characters<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Characters<'_> {
    fn eq(&self, other: &Characters<'_>) -> bool {
        **self == **other
    }
}

impl Eq for Characters<'_> {}

impl core::fmt::Debug for Characters<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&**self, f)
    }
}

/// Whether esm_class marks a status report.
#[must_use]
pub const fn is_status_report(esm_class: u8) -> bool {
    matches!(esm_class & TYPE, DELIVERY_RECEIPT | INTERMEDIATE)
}

/// Whether there is a status report to read from a deliver_sm.
#[must_use]
pub fn is_in_deliver_sm(pdu: &DeliverSm<'_>) -> bool {
    is_status_report(pdu.esm_class) || is_said_by_tlvs(pdu.esm_class, &pdu.tlvs)
}

/// Whether there is a status report to read from a data_sm.
#[must_use]
pub fn is_in_data_sm(pdu: &DataSm<'_>) -> bool {
    is_status_report(pdu.esm_class) || is_said_by_tlvs(pdu.esm_class, &pdu.tlvs)
}

/// Some SM-SCs forget the esm_class, but no ordinary message names another message and its state.
fn is_said_by_tlvs(esm_class: u8, tlvs: &Tlvs<'_>) -> bool {
    let has = |tag| tlvs.get(tag).is_some();
    esm_class & TYPE == 0 && has(Tag::RECEIPTED_MESSAGE_ID) && has(Tag::MESSAGE_STATE)
}

/// Reads a status report from a deliver_sm; `None` if it is not one.
#[must_use]
pub fn from_deliver_sm<'a>(pdu: &DeliverSm<'a>) -> Option<StatusReport<'a>> {
    let payload = pdu.tlvs.get(Tag::MESSAGE_PAYLOAD);
    let text = if pdu.short_message.is_empty() { payload.unwrap_or_default() } else { pdu.short_message };
    Carrier { esm_class: pdu.esm_class, data_coding: pdu.data_coding, text, tlvs: pdu.tlvs }.read()
}

/// Reads a status report from a data_sm; `None` if it is not one.
#[must_use]
pub fn from_data_sm<'a>(pdu: &DataSm<'a>) -> Option<StatusReport<'a>> {
    let text = pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or_default();
    Carrier { esm_class: pdu.esm_class, data_coding: pdu.data_coding, text, tlvs: pdu.tlvs }.read()
}

/// The fields of deliver_sm and data_sm that make a status report.
struct Carrier<'a> {
    esm_class: u8,
    data_coding: u8,
    text: &'a [u8],
    tlvs: Tlvs<'a>,
}

/// Octets of a UCS-2 text that are read; the keys stand before the quoted message.
const NARROWED_BYTES_MAX: usize = 512;

impl<'a> Carrier<'a> {
    fn read(&self) -> Option<StatusReport<'a>> {
        if !is_status_report(self.esm_class) && !is_said_by_tlvs(self.esm_class, &self.tlvs) {
            return None;
        }
        let text = without_header(self.esm_class, self.text);
        if !is_ucs2(self.data_coding, text) {
            return Some(self.report(&ReceiptText::read(text), Characters::InPlace));
        }
        let mut narrowed = [0; NARROWED_BYTES_MAX / 2];
        for (unit, narrow) in text.chunks_exact(2).zip(&mut narrowed) {
            *narrow = if unit[0] == 0 { unit[1] } else { b'?' };
        }
        Some(self.report(&ReceiptText::read(&narrowed), Characters::copied))
    }

    fn report<'t>(&self, text: &ReceiptText<'t>, word: fn(&'t [u8]) -> Characters<'a>) -> StatusReport<'a> {
        let receipted_message_id = self.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).map(<[u8]>::trim_ascii);
        let receipted_message_id = receipted_message_id.filter(|id| !id.is_empty());
        let message_state = self.tlvs.u8(Tag::MESSAGE_STATE).map(MessageState);
        let state = message_state.or(text.state()).unwrap_or(MessageState::UNKNOWN);
        StatusReport {
            message_id: receipted_message_id.map_or_else(|| word(text.id), Characters::InPlace),
            state,
            error: word(text.err),
            network_error_code: self.tlvs.get(Tag::NETWORK_ERROR_CODE).and_then(network_error_code),
            done_date: word(text.done_date),
            intermediate: self.esm_class & TYPE == INTERMEDIATE || !state.is_final(),
        }
    }
}

fn network_error_code(value: &[u8]) -> Option<NetworkErrorCode> {
    let [network_type, high, low] = *value else { return None };
    Some(NetworkErrorCode { network_type, error_code: u16::from_be_bytes([high, low]) })
}

/// The text behind a user data header. One that does not fit is a bit set by mistake: some SM-SCs copy the esm_class of
/// the original message.
fn without_header(esm_class: u8, text: &[u8]) -> &[u8] {
    match text.first() {
        Some(&len) if esm_class & UDHI != 0 => text.get(1 + usize::from(len)..).unwrap_or(text),
        _ => text,
    }
}

/// By data_coding, or because there is a zero octet before the first character whatever data_coding says.
fn is_ucs2(data_coding: u8, text: &[u8]) -> bool {
    let by_coding = data_coding == 0x08 || (data_coding & 0xF0 == 0x10 && data_coding & 0x0C == 0x08);
    let zero_first = matches!(text, [0, second, ..] if *second != 0);
    (by_coding && text.contains(&0)) || zero_first
}
