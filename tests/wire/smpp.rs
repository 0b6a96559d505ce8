//! SMPP 3.4 PDUs: known octets, every PDU back and forth, no panic on any input.

use isthmus::wire::Framing;
use isthmus::wire::smpp::{CommandId, CommandStatus, Pdu, frame, status_report};
use proptest::prelude::*;

use crate::tsv::rows;

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

/// The number after `0x`.
fn number(text: &str) -> u32 {
    u32::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap()
}

#[test]
fn every_command_id_by_name() {
    let mut requests = 0;
    for row in rows(include_str!("../spec/smpp_command_id.tsv")) {
        let [name, request, response] = row[..] else { panic!("{row:?}") };
        if request != "-" {
            let id = CommandId(number(request));
            assert_eq!(id.name().map(str::to_ascii_lowercase).as_deref(), Some(name));
            assert!(!id.is_response());
            requests += 1;
        }
        if response != "none" {
            let id = CommandId(number(response));
            let named = if request == "-" { name.to_owned() } else { format!("{name}_resp") };
            assert_eq!(id.name().map(str::to_ascii_lowercase), Some(named));
            assert!(id.is_response());
            assert!(request == "-" || CommandId(number(request)).response() == id);
        }
    }
    assert_eq!(requests, 14);
    assert_eq!((0..0x200).filter(|id| CommandId(*id).name().is_some()).count(), requests);
}

#[test]
fn every_command_status_by_name_and_advice() {
    let mut named = 0;
    for row in rows(include_str!("../spec/smpp_command_status.tsv")) {
        let status = CommandStatus(number(row[0]));
        assert_eq!((status.name(), format!("{:?}", status.retry()).as_str()), (Some(row[1]), row[2]), "{row:?}");
        named += 1;
    }
    // Beyond lie the statuses of SMPP 5.0.
    assert_eq!(CommandStatus::ALL.iter().filter(|status| status.0 < 0x100).count(), named);
    assert_eq!(CommandStatus(0x0400).name(), None);
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
            prop_assert_eq!(again, bytes);
        }
    }
}
