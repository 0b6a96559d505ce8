//! What an SM-SC that takes everything responds.

use isthmus::wire::smpp::{CommandId, CommandStatus, Header, Pdu, Plain, Response, Tlvs};

/// Appends the response to a request, with `number` as the message_id if there is one.
pub fn answer(header: Header, number: u64, out: &mut Vec<u8>) {
    let id = digits(number);
    let named = Response { id: Some(&id), tlvs: Tlvs::default() };
    let body = match header.command_id {
        CommandId::SUBMIT_SM => Pdu::SubmitSmResp(named),
        CommandId::ENQUIRE_LINK => Pdu::EnquireLinkResp(Plain::default()),
        CommandId::UNBIND => Pdu::UnbindResp(Plain::default()),
        CommandId::BIND_TRANSCEIVER => Pdu::BindResp(named),
        _ => return,
    };
    body.emit(out, header.command_id.response(), CommandStatus::ESME_ROK, header.sequence_number);
}

/// A message_id as it is written everywhere.
pub fn digits(number: u64) -> [u8; 10] {
    let mut digits = [b'0'; 10];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap();
        rest /= 10;
    }
    digits
}
