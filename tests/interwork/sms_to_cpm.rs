//! Table 9 from the deliver_sm (or data_sm) as it arrives to the SIP MESSAGE as the CPM side reads it.

use isthmus::interwork::sms::deliver_sm_to_pager::NOT_E164;
use isthmus::iwf::Iwf;
use isthmus::iwf::short_message::{self, NotTaken};
use isthmus::wire::short_message::DataCodingZero;
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{CommandId, CommandStatus, DataSm, DeliverSm, Pdu, Tag, Tlvs, tlv};

use crate::cases::{Case, octets};
use crate::read_back::{check_request, parameter};
use crate::status_report_to_imdn::{MINTED, NOW};

pub(crate) const CASES: &str = include_str!("../spec/sms_to_cpm.tsv");

/// The values of a PDU that own their octets.
struct Values {
    source: (u8, u8, String),
    destination: (u8, u8, String),
    esm_class: u8,
    protocol_id: u8,
    priority_flag: u8,
    data_coding: u8,
    short_message: Vec<u8>,
    tlvs: Vec<u8>,
}

fn address(cell: &str) -> (u8, u8, String) {
    let mut parts = cell.splitn(3, '/');
    let mut part = || parts.next().expect("ton/npi/address");
    (part().parse().unwrap(), part().parse().unwrap(), part().to_owned())
}

fn values(changes: &str) -> Values {
    let mut values = Values {
        source: address("1/1/491700000001"),
        destination: address("1/1/491700000002"),
        esm_class: 0,
        protocol_id: 0,
        priority_flag: 1,
        data_coding: 0,
        short_message: b"Hello".to_vec(),
        tlvs: Vec::new(),
    };
    for change in changes.split(" & ").filter(|change| !change.is_empty()) {
        let (name, value) = change.split_once('=').expect("name=value");
        set(&mut values, name, value);
    }
    values
}

fn set(values: &mut Values, name: &str, value: &str) {
    let octet = || value.parse::<u8>().expect("an octet");
    match name {
        "source" => values.source = address(value),
        "destination" => values.destination = address(value),
        "esm_class" => values.esm_class = octet(),
        "protocol_id" => values.protocol_id = octet(),
        "priority_flag" => values.priority_flag = octet(),
        "data_coding" => values.data_coding = octet(),
        "short_message" => values.short_message = octets(value),
        "user_response_code" => tlv::put(&mut values.tlvs, Tag::USER_RESPONSE_CODE, &[octet()]),
        "language_indicator" => tlv::put(&mut values.tlvs, Tag::LANGUAGE_INDICATOR, &[octet()]),
        "message_payload" => tlv::put(&mut values.tlvs, Tag::MESSAGE_PAYLOAD, &octets(value)),
        "sar_msg_ref_num" => {
            tlv::put(&mut values.tlvs, Tag::SAR_MSG_REF_NUM, &value.parse::<u16>().unwrap().to_be_bytes());
        }
        "sar_total_segments" => tlv::put(&mut values.tlvs, Tag::SAR_TOTAL_SEGMENTS, &[octet()]),
        "sar_segment_seqnum" => tlv::put(&mut values.tlvs, Tag::SAR_SEGMENT_SEQNUM, &[octet()]),
        other => panic!("no parameter {other}"),
    }
}

fn pdu(case: &Case<'_>) -> Vec<u8> {
    let values = values(case.get("changes"));
    let mut bytes = Vec::new();
    match case.get("pdu") {
        "data_sm" => data_sm(&values).emit(&mut bytes, CommandId::DATA_SM, CommandStatus::ESME_ROK, 7),
        _ => deliver_sm(&values).emit(&mut bytes, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, 7),
    }
    bytes
}

fn deliver_sm(values: &Values) -> Pdu<'_> {
    Pdu::DeliverSm(DeliverSm {
        source_addr_ton: values.source.0,
        source_addr_npi: values.source.1,
        source_addr: values.source.2.as_bytes(),
        dest_addr_ton: values.destination.0,
        dest_addr_npi: values.destination.1,
        destination_addr: values.destination.2.as_bytes(),
        esm_class: values.esm_class,
        protocol_id: values.protocol_id,
        priority_flag: values.priority_flag,
        data_coding: values.data_coding,
        short_message: &values.short_message,
        tlvs: Tlvs::parse(&values.tlvs).unwrap(),
        ..DeliverSm::default()
    })
}

fn data_sm(values: &Values) -> Pdu<'_> {
    Pdu::DataSm(DataSm {
        source_addr_ton: values.source.0,
        source_addr_npi: values.source.1,
        source_addr: values.source.2.as_bytes(),
        dest_addr_ton: values.destination.0,
        dest_addr_npi: values.destination.1,
        destination_addr: values.destination.2.as_bytes(),
        esm_class: values.esm_class,
        data_coding: values.data_coding,
        tlvs: Tlvs::parse(&values.tlvs).unwrap(),
        ..DataSm::default()
    })
}

/// The SIP MESSAGE that a case's short message becomes.
fn message(case: &Case<'_>) -> Result<Vec<u8>, NotTaken> {
    let iwf = Iwf::new(case.policy());
    let pdu = pdu(case);
    let arrived = short_message::read(&pdu, &iwf)?;
    let (mut decoded, mut text, mut out) = (Vec::new(), String::new(), Vec::new());
    let parts = [(arrived.national, arrived.octets)];
    let zero = DataCodingZero::Gsm7;
    if !short_message::decode(arrived.data_coding, zero, parts, &mut decoded, &mut text) {
        return Err(NotTaken::NotText);
    }
    short_message::write(&arrived.head, &text, NOW, &iwf, &MINTED, &mut decoded, &mut out);
    Ok(out)
}

#[test]
fn every_case_gives_the_message_it_expects() {
    for case in Case::all(CASES) {
        let bytes = match (message(&case), case.get("expected").strip_prefix("not taken=")) {
            (Ok(bytes), None) => bytes,
            (Err(why), Some(expected)) => {
                assert_eq!(format!("{why:?}"), expected, "{}", case.name());
                continue;
            }
            (got, _) => panic!("{}: {got:?}", case.name()),
        };
        let mut index = Index::new();
        let message = Message::parse(&bytes, &mut index).unwrap();
        check_request(&message);
        for (name, expected) in case.expected() {
            assert_eq!(parameter(&message, name), expected, "{}: {name}", case.name());
        }
    }
}

#[test]
fn a_sender_without_a_number_is_refused_with_the_status_of_the_text() {
    assert_eq!(NOT_E164, CommandStatus(0x65));
}

/// Whatever a short message says, it adds no header and no line to what it becomes.
///
/// [SMS-T9-short_message] [SEC-03a]
#[test]
fn a_text_stays_a_text() {
    let iwf = Iwf::new(isthmus::policy::Policy::default());
    let text = "x\r\n\r\nContent-Type: application/pkcs7-mime\r\n\r\nFrom: <sip:mallory@example.com>";
    let head = short_message::Head::default();
    let (mut made, mut out) = (Vec::new(), Vec::new());
    short_message::write(&head, text, NOW, &iwf, &MINTED, &mut made, &mut out);
    let mut index = Index::new();
    let message = Message::parse(&out, &mut index).unwrap();
    assert_eq!(parameter(&message, "Content-Type"), "message/cpim");
    assert_eq!(parameter(&message, "CPIM Content-Type"), "text/plain; charset=UTF-8");
    assert_eq!(parameter(&message, "body"), text);
}
