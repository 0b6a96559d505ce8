//! What arrives in the benches: one pager message, two short messages.

#![allow(dead_code, reason = "each bench uses some")]

use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Pdu, SubmitSm, Tag, Tlvs, tlv};

/// A pager message of about 700 octets with the header fields that an IMS core leaves in it.
pub(crate) const MESSAGE: &str = concat!(
    "MESSAGE sip:+491700000002@ims.example.net;user=phone SIP/2.0\r\n",
    "Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bK776asdhds83jf7h2;rport\r\n",
    "Max-Forwards: 68\r\n",
    "From: <sip:+491700000001@ims.example.net;user=phone>;tag=49583xk2\r\n",
    "To: <sip:+491700000002@ims.example.net;user=phone>\r\n",
    "Call-ID: asd88asd77a.1.4f2b@192.0.2.17\r\n",
    "CSeq: 1 MESSAGE\r\n",
    "P-Asserted-Identity: <tel:+491700000001>\r\n",
    "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\r\n",
    "Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\n",
    "Contribution-ID: abcdef-1234-5678-90ab-cdef01234567\r\n",
    "User-Agent: CPM-client/OMA2.2 example/1.0\r\n",
    "Content-Type: text/plain;charset=utf-8\r\n",
    "Content-Length: 59\r\n",
    "\r\n",
    "Are we still meeting at eight? I will be there before then.",
);

/// The same octets but for the start line, as HTTP; octet for octet as long.
pub(crate) fn http() -> String {
    let request_line = "MESSAGE /sip:+491700000002@ims.example.net;user=pho HTTP/1.1";
    MESSAGE.replacen(MESSAGE.split("\r\n").next().unwrap_or_default(), request_line, 1)
}

/// 150 characters: one short message in the default alphabet.
pub(crate) const TEXT: &str = "Are we still meeting at eight? I will be there before then, with everybody who wants to come \
                        along, so please keep two tables. Call me when in doubt!!";

/// deliver_sm with [`TEXT`].
pub(crate) fn deliver_sm() -> Vec<u8> {
    let body = DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491700000001",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000002",
        short_message: TEXT.as_bytes(),
        ..DeliverSm::default()
    };
    pdu(Pdu::DeliverSm(body), CommandId::DELIVER_SM)
}

/// deliver_sm with a status report in text and optional parameters.
pub(crate) fn status_report() -> Vec<u8> {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::RECEIPTED_MESSAGE_ID, b"0123456789\0");
    tlv::put(&mut tlvs, Tag::MESSAGE_STATE, &[2]);
    tlv::put(&mut tlvs, Tag::NETWORK_ERROR_CODE, &[3, 0, 0]);
    let body = DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491700000002",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000001",
        esm_class: 0x04,
        short_message: b"id:0123456789 sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD \
                         err:000 text:Are we still meeting",
        tlvs: Tlvs::parse(&tlvs).unwrap_or_default(),
        ..DeliverSm::default()
    };
    pdu(Pdu::DeliverSm(body), CommandId::DELIVER_SM)
}

/// What a pager message becomes.
pub(crate) fn submit_sm() -> SubmitSm<'static> {
    SubmitSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: b"491700000001",
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: b"491700000002",
        esm_class: 0x03,
        priority_flag: 1,
        validity_period: b"000002000000000R",
        registered_delivery: 1,
        short_message: TEXT.as_bytes(),
        ..SubmitSm::default()
    }
}

/// A whole PDU.
pub(crate) fn pdu(body: Pdu<'_>, command_id: CommandId) -> Vec<u8> {
    let mut pdu = Vec::new();
    body.emit(&mut pdu, command_id, CommandStatus::ESME_ROK, 7);
    pdu
}
