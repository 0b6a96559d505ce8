//! SMPP 3.4 PDUs: known octets, every PDU back and forth, no panic on any input.

use isthmus::wire::Framing;
use isthmus::wire::smpp::{CommandId, CommandStatus, MessageState, Pdu, Tag, frame, status_report};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Known PDUs in octets: what is read is written again unchanged.
const VECTORS: &[&str] = &[
    "00000010 00000015 00000000 00000001",
    "00000020 00000009 00000000 00000001 69776600 73656372657400 00 34 00 00 00",
    "0000003e 00000004 00000000 00000002 00 0101 34393137303030303030303100 0101 34393137303030303030303200 03 00 01 00 00 01 00 00 00 05 4869200002",
    "00000015 80000004 00000000 00000002 3742324600",
    "00000011 80000005 00000000 00000009 00",
    "00000010 80000004 00000058 00000003",
    "00000010 80000000 00000003 00000007",
    "0000002d 00000103 00000000 00000005 00 0101 343900 0101 343800 02 01 00 0424 0003 616263 1400 0001 ff",
];

#[test]
fn known_pdus_survive_unchanged() {
    for vector in VECTORS {
        let mut bytes = hex(vector);
        let len = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&len.to_be_bytes());
        let (header, pdu) = Pdu::parse(&bytes).unwrap_or_else(|why| panic!("{vector}: {why:?}"));
        let mut again = Vec::new();
        pdu.emit(&mut again, header.command_id, header.command_status, header.sequence_number);
        assert_eq!(again, bytes, "{vector}");
        assert_eq!(frame(&bytes, 1000), Framing::Complete(bytes.len()));
    }
}

#[test]
fn the_text_vector_reads_as_written() {
    let bytes = hex(VECTORS[2]);
    let (_, Pdu::SubmitSm(pdu)) = Pdu::parse(&bytes).unwrap() else { panic!("not a submit_sm") };
    assert_eq!((pdu.source_addr, pdu.destination_addr), (b"491700000001".as_slice(), b"491700000002".as_slice()));
    assert_eq!((pdu.esm_class, pdu.registered_delivery, pdu.short_message), (3, 1, b"Hi \x00\x02".as_slice()));
}

#[test]
fn lengths_that_lie_are_named() {
    assert!(matches!(frame(&hex("0000000f 00000015"), 1000), Framing::Malformed(_)));
    assert!(matches!(frame(&hex("00010000 00000015"), 1000), Framing::Malformed(_)));
    let past_the_end = hex("00000017 00000015 00000000 00000001 0424 00ff 61 61 61");
    assert_eq!(Pdu::parse(&past_the_end).unwrap_err().status, CommandStatus::ESME_RINVOPTPARSTREAM);
    let wrong_length = hex("00000016 00000015 00000000 00000001 020c 0001 61 00");
    assert_eq!(Pdu::parse(&wrong_length[..21]).unwrap_err().status, CommandStatus::ESME_RINVPARLEN);
    let no_nul = hex("00000014 00000006 00000000 00000001 61616161");
    assert!(Pdu::parse(&no_nul).is_err());
    let short_message =
        hex("00000023 00000005 00000000 00000001 00 0101 00 0101 00 00 00 00 00 00 00 00 00 00 09 6869");
    assert_eq!(Pdu::parse(&short_message).unwrap_err().status, CommandStatus::ESME_RINVMSGLEN);
}

fn receipt(esm_class: u8, text: &[u8], tlvs: &[(Tag, &[u8])]) -> Vec<u8> {
    let mut region = Vec::new();
    for (tag, value) in tlvs {
        isthmus::wire::smpp::tlv::put(&mut region, *tag, value);
    }
    let tlvs = isthmus::wire::smpp::Tlvs::parse(&region).unwrap();
    let pdu = isthmus::wire::smpp::DeliverSm { esm_class, short_message: text, tlvs, ..Default::default() };
    let mut bytes = Vec::new();
    Pdu::DeliverSm(pdu).emit(&mut bytes, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, 1);
    bytes
}

#[test]
fn receipts_in_the_forms_that_vendors_write() {
    const FULL: &[u8] = b"id:0123456789 sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD err:000 Text:id:9 stat:EXPIRED";
    type Case = (u8, &'static [u8], &'static [u8], MessageState, bool);
    const CASES: &[Case] = &[
        (0x04, FULL, b"0123456789", MessageState::DELIVERED, false),
        (0x44, b"\x05\x00\x03\x01\x02\x01id:7 stat:EXPIRED", b"7", MessageState::EXPIRED, false),
        (0x04, b"stat:undeliv err:0x1F id:7B2F-aa.bb\0", b"7B2F-aa.bb", MessageState::UNDELIVERABLE, false),
        (0x04, b"id:5 done date:20261121101559 stat:FAILED err:-1", b"5", MessageState::UNDELIVERABLE, false),
        (0x20, b"id:5 stat:ENROUTE", b"5", MessageState::ENROUTE, true),
        (0x04, b"id:5 stat:ACCEPTD", b"5", MessageState::ACCEPTED, true),
        (0x04, b"", b"", MessageState::UNKNOWN, false),
    ];
    for (esm_class, text, id, state, intermediate) in CASES {
        let bytes = receipt(*esm_class, text, &[]);
        let (_, Pdu::DeliverSm(pdu)) = Pdu::parse(&bytes).unwrap() else { panic!("not a deliver_sm") };
        let report = status_report::from_deliver_sm(&pdu).unwrap();
        assert_eq!((report.message_id, report.state, report.intermediate), (*id, *state, *intermediate), "{text:?}");
    }
}

#[test]
fn optional_parameters_win_over_the_text() {
    let bytes = receipt(4, b"id:1 stat:EXPIRED", &[(Tag::RECEIPTED_MESSAGE_ID, b"7B2F"), (Tag::MESSAGE_STATE, &[2])]);
    let (_, Pdu::DeliverSm(pdu)) = Pdu::parse(&bytes).unwrap() else { panic!("not a deliver_sm") };
    let report = status_report::from_deliver_sm(&pdu).unwrap();
    assert_eq!((report.message_id, report.state), (b"7B2F".as_slice(), MessageState::DELIVERED));
    let bytes = receipt(0, b"id:1 stat:DELIVRD", &[]);
    let (_, Pdu::DeliverSm(pdu)) = Pdu::parse(&bytes).unwrap() else { panic!("not a deliver_sm") };
    assert_eq!(status_report::from_deliver_sm(&pdu), None);
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), id in 0u32..0x110) {
        let mut bytes = bytes;
        if bytes.len() >= 16 {
            bytes[4..8].copy_from_slice(&id.to_be_bytes());
        }
        let _ = frame(&bytes, 100);
        if let Ok((_, Pdu::DeliverSm(pdu))) = Pdu::parse(&bytes) {
            let _ = status_report::from_deliver_sm(&pdu);
        }
    }

    #[test]
    fn what_can_be_read_is_written_again_unchanged(body in proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..80), id in 1u32..10) {
        let mut bytes = Vec::new();
        isthmus::wire::smpp::emit(&mut bytes, CommandId(id), CommandStatus(0), 7, |out| out.extend_from_slice(&body));
        if let Ok((header, pdu)) = Pdu::parse(&bytes) {
            let mut again = Vec::new();
            pdu.emit(&mut again, header.command_id, header.command_status, header.sequence_number);
            // sm_length 255 is reserved (SMPP 3.4 5.2.21) and written as 254.
            if again.len() == bytes.len() {
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
