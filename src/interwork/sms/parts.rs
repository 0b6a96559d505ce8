//! Rows that Tables 1, 4 and 7 have in common: what is NULL, and what follows from the text's part.

use crate::interwork::cpm::{HasPart, Part};
use crate::interwork::table::NotConvertible;
use crate::wire::short_message::Concatenation;

use super::short_message::ShortMessage;

type Filled = Result<(), NotConvertible>;

/// Messaging Mode bits of esm_class (SMPP 3.4 5.2.12).
const TRANSACTION: u8 = 0x02;
const STORE_AND_FORWARD: u8 = 0x03;
/// GSM network specific feature: UDHI.
const UDHI: u8 = 0x40;

/// "Set by the IWF to NULL."
pub(super) fn service_type<'a, S: HasPart>(_: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.service_type = b"";
    Ok(())
}

/// "Store and Forward"; data_sm is there to be transactional (6.2.2), so it asks for Transaction mode.
pub(super) fn esm_class<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    let mode = if part.data_sm { TRANSACTION } else { STORE_AND_FORWARD };
    pdu.esm_class = mode | if part.segment.user_data_header { UDHI } else { 0 };
    Ok(())
}

/// "the appropriate value based on the network type"
pub(super) fn protocol_id<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.protocol_id = S::part(source).policy.submission.protocol_id();
    Ok(())
}

/// Tables 4 and 7: "based on the service provider policy", which has a value for messages without a Priority.
pub(super) fn priority_flag<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.priority_flag = S::part(source).policy.submission.priority_flag().absent;
    Ok(())
}

/// "NULL for immediate delivery"
pub(super) fn schedule_delivery_time<'a, S: HasPart>(_: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.schedule_delivery_time = b"";
    Ok(())
}

/// "Set by the IWF to NULL."
pub(super) fn replace_if_present_flag<'a, S: HasPart>(_: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.replace_if_present_flag = 0;
    Ok(())
}

/// "along with character set parameter of Content-Type based on SMPP and service provider policy": the text is Unicode
/// by then, and goes out in the smallest coding of this SM-SC that holds it.
pub(super) fn data_coding<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.data_coding = S::part(source).data_coding;
    Ok(())
}

/// "Set by the IWF to NULL."
pub(super) fn sm_default_msg_id<'a, S: HasPart>(_: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sm_default_msg_id = 0;
    Ok(())
}

/// "the length of the payload of the resulting short message"; 0 with message_payload (SMPP 3.4 5.3.2.32).
pub(super) fn sm_length<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    pdu.sm_length = if part.in_payload { 0 } else { u8::try_from(part.octets.len()).unwrap_or(u8::MAX) };
    Ok(())
}

/// "encoded using the encoding scheme indicated by data_coding", "restricted to only the text"
pub(super) fn short_message<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    pdu.message_payload = part.in_payload.then_some(part.octets);
    pdu.short_message = if part.in_payload { b"" } else { part.octets };
    Ok(())
}

fn by_sar(part: &Part<'_>) -> bool {
    part.segment.concatenation == Some(Concatenation::Sar)
}

/// "the newly generated reference number to the concatenated SMs"
pub(super) fn sar_msg_ref_num<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    pdu.sar_msg_ref_num = by_sar(part).then_some(part.segment.reference);
    Ok(())
}

/// "the ordering number of each concatenated SM"
pub(super) fn sar_segment_seqnum<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    pdu.sar_segment_seqnum = by_sar(part).then_some(part.segment.number);
    Ok(())
}

/// "the total number of concatenated SMs"
pub(super) fn sar_total_segments<'a, S: HasPart>(source: &S::Of<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let part = S::part(source);
    pdu.sar_total_segments = by_sar(part).then_some(part.segment.total);
    Ok(())
}
