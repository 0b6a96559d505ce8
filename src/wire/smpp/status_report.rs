//! Status reports (SMPP 3.4 5.2.12, 5.3.2.12, 5.3.2.35 and the text of Appendix B in the forms SM-SCs really send).

use super::{DataSm, DeliverSm, MessageState, Tag, Tlvs};

/// Type bits of esm_class (SMPP 3.4 5.2.12).
const TYPE: u8 = 0x3C;
const DELIVERY_RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;

/// What a status report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusReport<'a> {
    /// As written; empty if the report names none.
    pub message_id: &'a [u8],
    /// UNKNOWN if the report does not say.
    pub state: MessageState,
    /// `err:` as written, or empty.
    pub error: &'a [u8],
    /// Whether the short message may still change its state.
    pub intermediate: bool,
}

/// Whether esm_class marks a status report.
#[must_use]
pub const fn is_status_report(esm_class: u8) -> bool {
    matches!(esm_class & TYPE, DELIVERY_RECEIPT | INTERMEDIATE)
}

/// Reads a status report from a deliver_sm; `None` if it is not one.
#[must_use]
pub fn from_deliver_sm<'a>(pdu: &DeliverSm<'a>) -> Option<StatusReport<'a>> {
    let payload = pdu.tlvs.get(Tag::MESSAGE_PAYLOAD);
    let text = if pdu.short_message.is_empty() { payload.unwrap_or_default() } else { pdu.short_message };
    read(pdu.esm_class, &pdu.tlvs, text)
}

/// Reads a status report from a data_sm; `None` if it is not one.
#[must_use]
pub fn from_data_sm<'a>(pdu: &DataSm<'a>) -> Option<StatusReport<'a>> {
    read(pdu.esm_class, &pdu.tlvs, pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or_default())
}

/// The TLVs win; the text fills what they leave open.
fn read<'a>(esm_class: u8, tlvs: &Tlvs<'a>, text: &'a [u8]) -> Option<StatusReport<'a>> {
    if !is_status_report(esm_class) {
        return None;
    }
    let text = Text::read(without_header(esm_class, text));
    let message_id = tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).filter(|id| !id.is_empty()).unwrap_or(text.id);
    let state = tlvs.u8(Tag::MESSAGE_STATE).map(MessageState).or(text.state).unwrap_or(MessageState::UNKNOWN);
    let intermediate = esm_class & TYPE == INTERMEDIATE || !state.is_final();
    Some(StatusReport { message_id, state, error: text.error, intermediate })
}

/// The text behind a user data header.
fn without_header(esm_class: u8, text: &[u8]) -> &[u8] {
    match text.first() {
        Some(&len) if esm_class & 0x40 != 0 => text.get(1 + usize::from(len)..).unwrap_or_default(),
        _ => text,
    }
}

#[derive(Default)]
struct Text<'a> {
    id: &'a [u8],
    state: Option<MessageState>,
    error: &'a [u8],
}

impl<'a> Text<'a> {
    /// Reads `key:value` pairs from left to right up to `text:`, whose value is the user's and may hold anything.
    fn read(text: &'a [u8]) -> Text<'a> {
        let mut found = Text::default();
        let mut rest = text;
        while let Some(colon) = memchr::memchr(b':', rest) {
            let key = last_word(rest.get(..colon).unwrap_or_default());
            let after = rest.get(colon + 1..).unwrap_or_default();
            if key.eq_ignore_ascii_case(b"text") {
                break;
            }
            found.take(key, first_word(after));
            rest = after;
        }
        found
    }

    fn take(&mut self, key: &[u8], value: &'a [u8]) {
        if key.eq_ignore_ascii_case(b"id") && self.id.is_empty() {
            self.id = value;
        } else if key.eq_ignore_ascii_case(b"stat") && self.state.is_none() {
            self.state = state(value);
        } else if key.eq_ignore_ascii_case(b"err") && self.error.is_empty() {
            self.error = value;
        }
    }
}

/// Words that vendors use beside those of Appendix B.
fn state(stat: &[u8]) -> Option<MessageState> {
    const VENDOR: [(&[u8], MessageState); 7] = [
        (b"FAILED", MessageState::UNDELIVERABLE),
        (b"FAIL", MessageState::UNDELIVERABLE),
        (b"SENT", MessageState::ENROUTE),
        (b"BUFFRED", MessageState::ENROUTE),
        (b"BUFFERED", MessageState::ENROUTE),
        (b"SKIPPED", MessageState::DELETED),
        (b"CANCELED", MessageState::DELETED),
    ];
    let vendor = VENDOR.iter().find(|(word, _)| stat.eq_ignore_ascii_case(word)).map(|(_, state)| *state);
    MessageState::from_stat(stat).or(vendor)
}

fn is_space(octet: u8) -> bool {
    octet == 0 || octet.is_ascii_whitespace()
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&octet| is_space(octet)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn last_word(text: &[u8]) -> &[u8] {
    let start = text.iter().rposition(|&octet| is_space(octet)).map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default()
}
