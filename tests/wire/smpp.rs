//! SMPP 3.4 PDUs: known octets, every PDU back and forth, no panic on any input.

use isthmus::wire::Framing;
use isthmus::wire::smpp::{CommandId, CommandStatus, Destination, Pdu, Tag, Tlvs, frame, status_report, tlv};
use proptest::prelude::*;

use crate::tsv::rows;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Known PDUs in octets: what is read is written again unchanged. command_length is put right by the tests.
const VECTORS: &[&str] = &[
    "00000010 00000015 00000000 00000001",
    "00000020 00000009 00000000 00000001 69776600 73656372657400 00 34 00 00 00",
    "0000003e 00000004 00000000 00000002 00 0101 34393137303030303030303100 0101 34393137303030303030303200 03 00 01 00 00 01 00 00 00 05 4869200002",
    "00000015 80000004 00000000 00000002 3742324600",
    "00000011 80000005 00000000 00000009 00",
    "00000010 80000004 00000058 00000003",
    "00000010 80000000 00000003 00000007",
    // outbind
    "00000000 0000000b 00000000 00000001 736d736300 70617373776f726400",
    // bind_transceiver_resp with sc_interface_version
    "00000000 80000009 00000000 00000001 736d736300 0210 0001 34",
    // query_sm, query_sm_resp
    "00000000 00000003 00000000 00000006 3742324600 01 01 343900",
    "00000000 80000003 00000000 00000006 3742324600 3236313132313039333030303030342b00 02 00",
    // cancel_sm, replace_sm
    "00000000 00000008 00000000 00000007 00 3742324600 0101 343900 0101 343800",
    "00000000 00000007 00000000 00000008 3742324600 0101 343900 00 3030303030323030303030303030305200 01 00 03 616263",
    // submit_multi to an address and a list, and its response with one failure
    "00000000 00000021 00000000 00000009 00 0101 343900 02 01 0101 343800 02 667269656e647300 03 00 00 00 00 01 00 08 00 04 00480069",
    "00000000 80000021 00000000 00000009 3742324600 01 0101 343800 0000000b",
    // alert_notification
    "00000000 00000102 00000000 0000000a 0101 343900 0101 343800 0422 0001 00",
    // of a vendor
    "00000000 00010203 00000000 0000000b deadbeef",
    "00000000 00000103 00000000 00000005 00 0101 343900 0101 343800 02 01 00 0424 0003 616263 1400 0001 ff",
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

#[test]
fn the_destinations_of_submit_multi_are_walked() {
    let submit_multi =
        VECTORS.iter().map(|vector| hex(vector)).find(|bytes| bytes[7] == 0x21 && bytes[4] == 0).unwrap();
    let (_, Pdu::SubmitMulti(pdu)) = Pdu::parse(&submit_multi).unwrap() else { panic!("not a submit_multi") };
    let destinations = [Destination::Sme(1, 1, b"48"), Destination::DistributionList(b"friends")];
    assert_eq!(pdu.destinations().collect::<Vec<_>>(), destinations);
    assert_eq!((pdu.message.data_coding, pdu.message.short_message), (8, b"\0H\0i".as_slice()));
    let flag = submit_multi.iter().rposition(|octet| *octet == b'f').unwrap() - 1;
    let mut unknown_flag = submit_multi.clone();
    unknown_flag[flag] = 3;
    assert_eq!(Pdu::parse(&unknown_flag).unwrap_err().status, CommandStatus::ESME_RINVDESTFLAG);
}

#[test]
fn every_optional_parameter_by_name_and_length() {
    let mut named = 0;
    for row in rows(include_str!("../spec/smpp_tlv.tsv")) {
        let (tag, lengths) = (Tag(u16::try_from(number(row[0])).unwrap()), row[2].split('-'));
        let lengths: Vec<usize> = lengths.map(|length| length.parse().unwrap()).collect();
        assert_eq!(tag.name().map(str::to_ascii_lowercase).as_deref(), Some(row[1]), "{row:?}");
        assert_eq!((tag.lengths().start(), tag.lengths().end()), (&lengths[0], lengths.last().unwrap()), "{row:?}");
        let longest = vec![0; lengths.last().unwrap() + 1];
        let read = |length: usize| {
            let mut region = Vec::new();
            tlv::put(&mut region, tag, &longest[..length]);
            Tlvs::parse(&region).map(|tlvs| tlvs.get(tag).map(<[u8]>::len)).map_err(|why| why.status)
        };
        for length in &lengths {
            assert_eq!(read(*length), Ok(Some(*length)), "{row:?}");
        }
        if longest.len() <= 65_535 {
            assert_eq!(read(longest.len()), Err(CommandStatus::ESME_RINVPARLEN), "{row:?}");
        }
        named += 1;
    }
    assert_eq!((0..=u16::MAX).filter(|tag| Tag(*tag).name().is_some()).count(), named);
}

#[test]
fn of_two_optional_parameters_with_one_tag_the_first_counts() {
    let region = hex("1400 0002 0102 / 020c 0002 00a5 / 020e 0001 02 / 020c 0002 00a6");
    let tlvs = Tlvs::parse(&region).unwrap();
    assert_eq!((tlvs.u16(Tag::SAR_MSG_REF_NUM), tlvs.u8(Tag::SAR_TOTAL_SEGMENTS)), (Some(0xA5), Some(2)));
    assert_eq!(tlvs.get(Tag(0x1400)), Some([1, 2].as_slice()));
    assert_eq!(tlvs.u8(Tag::SAR_SEGMENT_SEQNUM), None);
}

/// [SMS-ESME-03a]
#[test]
fn a_response_keeps_its_message_id_whatever_follows() {
    for (body, id) in [("", None), ("00", Some("")), ("37423246 00", Some("7B2F")), ("37423246", Some("7B2F"))] {
        let bytes = hex(&format!("00000000 80000004 00000000 00000002 {body}"));
        let (_, Pdu::SubmitSmResp(response)) = Pdu::parse(&bytes).unwrap() else { panic!("not a submit_sm_resp") };
        assert_eq!(response.id, id.map(str::as_bytes), "{body}");
    }
    let broken = hex("00000000 80000004 00000000 00000002 37423246 00 0425 0001 02 0423 0003 03");
    let (_, Pdu::SubmitSmResp(response)) = Pdu::parse(&broken).unwrap() else { panic!("not a submit_sm_resp") };
    assert_eq!((response.id, response.tlvs.u8(Tag::DELIVERY_FAILURE_REASON)), (Some(b"7B2F".as_slice()), Some(2)));
}

#[test]
fn debug_output_shows_no_address_text_or_password() {
    for bytes in VECTORS.iter().map(|vector| hex(vector)) {
        let shown = format!("{:?}", Pdu::parse(&bytes).unwrap());
        for secret in [b"49".as_slice(), b"48", b"secret", b"password", b"Hi", b"abc", b"friends"] {
            let octets = format!("{secret:?}");
            assert!(!shown.contains(octets.trim_matches(['[', ']'])), "{shown}");
        }
    }
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

/// The command_id of any request.
fn request() -> impl Strategy<Value = u32> {
    prop_oneof![1u32..0x10, Just(0x15), Just(0x21), Just(0x102), Just(0x103), Just(0x8000_0021), Just(0x8000_0003)]
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
    fn what_can_be_read_is_written_again_unchanged(body in proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..80), id in request()) {
        let mut bytes = Vec::new();
        isthmus::wire::smpp::emit(&mut bytes, CommandId(id), CommandStatus(0), 7, |out| out.extend_from_slice(&body));
        if let Ok((header, pdu)) = Pdu::parse(&bytes) {
            let mut again = Vec::new();
            pdu.emit(&mut again, header.command_id, header.command_status, header.sequence_number);
            prop_assert_eq!(again, bytes);
        }
    }
}
