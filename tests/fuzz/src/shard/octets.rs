//! What the peers of the gateway write.

use isthmus::wire::sip::{Index, Message, Name, Writer};
use isthmus::wire::smpp::{self, CommandId, CommandStatus, DeliverSm, Response, Tag, Tlvs, tlv};

use super::super::input::Input;

const DISPOSITIONS: [&str; 4] =
    ["", "positive-delivery", "positive-delivery, negative-delivery", "negative-delivery, display, interworking"];

/// A MESSAGE that is as it should be. `what` says which text and which notifications.
pub fn message(number: usize, what: u8, transport: &str, text: &str) -> Vec<u8> {
    let wanted = match DISPOSITIONS[usize::from(what & 3)] {
        "" => String::new(),
        list => format!("imdn.Disposition-Notification: {list}\r\n"),
    };
    let body = format!(
        "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg{number}\r\n{wanted}\r\n\
         Content-Type: text/plain;charset=utf-8\r\n\r\n{text}"
    );
    let expires = if what & 4 == 0 { "" } else { "Expires: 3600\r\n" };
    let privacy = if what & 8 == 0 { "" } else { "Privacy: id\r\n" };
    let length = body.len();
    format!(
        "MESSAGE tel:+491710000001 SIP/2.0\r\n\
         Via: SIP/2.0/{transport} 192.0.2.1:5070;branch=z9hG4bK{transport}{number};rport\r\n\
         Max-Forwards: 69\r\nFrom: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>\r\n\
         Call-ID: {transport}{number}@192.0.2.1\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <tel:+491700000002>\r\n\
         {expires}{privacy}Conversation-ID: f81d4fae\r\nContribution-ID: abcdef00\r\n\
         Content-Type: message/cpim\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Some octets replaced, inserted and removed.
pub fn edited(mut octets: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
    for _ in 0..input.below(8) {
        let at = usize::from(input.u16()) % octets.len().max(1);
        let (how, octet) = (input.u8(), input.u8());
        match how % 5 {
            0 if at < octets.len() => octets[at] = octet,
            1 => octets.insert(at.min(octets.len()), octet),
            2 => drop(octets.drain(at..(at + usize::from(octet)).min(octets.len()).max(at))),
            3 => octets.truncate(at),
            _ => {
                let inserted = input.octets().iter().copied();
                octets.splice(at..at, inserted);
            }
        }
        octets.reserve(1);
    }
    octets
}

/// A response to a request of the gateway.
pub fn response(request: &[u8], code: u16) -> Option<Vec<u8>> {
    let mut index = Index::new();
    let request = Message::parse(request, &mut index).ok()?;
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, code, "X");
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        writer.header(name, request.header(name)?);
    }
    if code == 503 {
        writer.number(Name::RetryAfter, 2);
    }
    writer.end();
    Some(out)
}

/// A deliver_sm or data_sm with a text, or a part of one.
pub fn deliver(sequence: u32, input: &mut Input<'_>) -> Vec<u8> {
    let (what, part) = (input.u8(), input.u8());
    let (data_coding, esm_class) = ([0, 8, 3, 4, 0xF2, 1, 5, 0x10][usize::from(what & 7)], what & 0x40);
    let number = [b'1' + (what >> 3 & 3)];
    let source_addr = [b"49171000000".as_slice(), &number].concat();
    let octets = input.octets();
    let mut region = Vec::new();
    if what & 0x20 != 0 {
        tlv::put(&mut region, Tag::SAR_MSG_REF_NUM, &[0, part & 1]);
        tlv::put(&mut region, Tag::SAR_TOTAL_SEGMENTS, &[part >> 1 & 3]);
        tlv::put(&mut region, Tag::SAR_SEGMENT_SEQNUM, &[part >> 3 & 3]);
    }
    let in_payload = part & 0x80 != 0;
    if in_payload {
        tlv::put(&mut region, Tag::MESSAGE_PAYLOAD, octets);
    }
    let body = DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: &source_addr,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000002",
        esm_class,
        protocol_id: if part & 0x40 == 0 { 0 } else { 0x40 },
        data_coding,
        short_message: if in_payload { b"" } else { octets.get(..254).unwrap_or(octets) },
        tlvs: Tlvs::whole_ones(&region),
        ..DeliverSm::default()
    };
    pdu(CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence, |out| body.emit(out))
}

/// A status report for a message_id.
pub fn report(sequence: u32, id: &str, what: u8) -> Vec<u8> {
    let stat = ["DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "ENROUTE"];
    let stat = stat[usize::from(what & 7)];
    let text =
        format!("id:{id} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:{stat} err:000 text:x");
    let mut region = Vec::new();
    if what & 8 != 0 {
        tlv::put(&mut region, Tag::RECEIPTED_MESSAGE_ID, format!("{id}\0").as_bytes());
        tlv::put(&mut region, Tag::MESSAGE_STATE, &[what >> 4 & 0x0F]);
    }
    let body = DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491710000001",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000002",
        esm_class: 4,
        short_message: text.as_bytes(),
        tlvs: Tlvs::whole_ones(&region),
        ..DeliverSm::default()
    };
    pdu(CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence, |out| body.emit(out))
}

/// The response of an SM-SC.
pub fn smsc_response(request: smpp::Header, status: CommandStatus, id: &str) -> Vec<u8> {
    let mut region = Vec::new();
    let is_bind = matches!(request.command_id.0, 1 | 2 | 9);
    if is_bind {
        tlv::put(&mut region, Tag::SC_INTERFACE_VERSION, &[0x34]);
    }
    let has_id = is_bind || matches!(request.command_id, CommandId::SUBMIT_SM | CommandId::DATA_SM);
    let body = Response { id: has_id.then_some(id.as_bytes()), tlvs: Tlvs::whole_ones(&region) };
    pdu(request.command_id.response(), status, request.sequence_number, |out| body.emit(out))
}

pub fn pdu(id: CommandId, status: CommandStatus, sequence: u32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    smpp::emit(&mut out, id, status, sequence, body);
    out
}
