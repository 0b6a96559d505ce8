//! Tables 1 and 2 from the request as it arrives to the PDUs as they leave, or the refusal.

use isthmus::iwf::pager::{self, Form, NotAcceptable};
use isthmus::wire::Framing;
use isthmus::wire::short_message::{CodingOptions, Concatenation, DataCodingZero};
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{self, DataSm, Pdu, SubmitSm, Tag, Tlvs};

use crate::cases::{Case, changed, octets, repeated};

pub(crate) const CASES: &str = include_str!("../spec/cpm_to_sms.tsv");

const SIP: &[(&str, &str)] = &[
    ("Request-URI", "tel:+491700000002"),
    ("Via", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1"),
    ("From", "<tel:+491700000001>;tag=a"),
    ("To", "<tel:+491700000002>"),
    ("Call-ID", "1@client.example"),
    ("CSeq", "1 MESSAGE"),
    ("Max-Forwards", "70"),
    ("P-Asserted-Identity", "<tel:+491700000001>"),
    ("Content-Type", "message/cpim"),
];

const CPIM: &[(&str, &str)] = &[
    ("From", "<tel:+491700000001>"),
    ("To", "<tel:+491700000002>"),
    ("NS", "imdn <urn:ietf:params:imdn>"),
    ("imdn.Message-ID", "m1"),
];

const CONTENT: &str = "text/plain;charset=UTF-8 || Hello";

/// A SIP MESSAGE as text: the ordinary one with the changes of three cells. `content` is `media type || body`; a body is
/// wrapped in CPIM unless the request's own Content-Type says otherwise.
pub(crate) fn request(headers: &str, cpim: &str, content: &str) -> Vec<u8> {
    let headers = changed(SIP, headers);
    let (media_type, body) = if content.is_empty() { CONTENT } else { content }.split_once(" || ").expect("a body");
    let (media_type, body) = (text_of(media_type), octets(&repeated(body)));
    let is_cpim = headers.iter().any(|(name, value)| name == "Content-Type" && value == "message/cpim");
    let body = if is_cpim { wrapped(cpim, &media_type, &body) } else { body };
    let (_, uri) = headers.iter().find(|(name, _)| name == "Request-URI").expect("a Request-URI");
    let mut request = format!("MESSAGE {uri} SIP/2.0\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "Request-URI") {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n", body.len());
    [request.into_bytes(), body].concat()
}

pub(crate) fn wrapped(changes: &str, media_type: &str, content: &[u8]) -> Vec<u8> {
    let mut head = String::new();
    for (name, value) in changed(CPIM, changes) {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), content].concat()
}

pub(crate) fn text_of(cell: &str) -> String {
    String::from_utf8(octets(cell)).unwrap()
}

/// How the SM-SC wants it, as the cell `form` says.
pub(crate) fn form_of<'a>(form: &str, coding: &'a CodingOptions) -> Form<'a> {
    let concatenation = match () {
        () if form.contains("udh8") => Concatenation::Udh8,
        () if form.contains("payload") => Concatenation::Payload,
        () => Concatenation::Sar,
    };
    Form { coding, concatenation, data_sm: form.contains("data_sm") }
}

pub(crate) fn coding(form: &str) -> CodingOptions {
    let zero = if form.contains("latin1") { DataCodingZero::Latin1 } else { DataCodingZero::Gsm7 };
    CodingOptions { data_coding_0: zero, transliterate: form.contains("look-alikes"), ..CodingOptions::default() }
}

/// The PDUs that a case's request becomes.
fn pdus(case: &Case<'_>) -> Result<Vec<Vec<u8>>, NotAcceptable> {
    let policy = case.policy();
    let bytes = request(case.get("headers"), case.get("cpim"), case.get("content"));
    let mut index = Index::new();
    let message = Message::parse(&bytes, &mut index).expect("a SIP message");
    let mut text = String::new();
    let read = pager::look(&message, &policy).and_then(|body| pager::read(&message, &body, &policy, &mut text))?;
    let coding = coding(case.get("form"));
    let form = form_of(case.get("form"), &coding);
    let (mut made, mut written) = (Vec::new(), Vec::new());
    let total = read.write_short_messages(&text, &form, 0xABCD, &policy, &mut made, &mut written)?;
    let pdus = split(&written);
    assert_eq!(pdus.len(), usize::from(total));
    Ok(pdus)
}

pub(crate) fn split(mut written: &[u8]) -> Vec<Vec<u8>> {
    let mut pdus = Vec::new();
    while let Framing::Complete(len) = smpp::frame(written, usize::MAX) {
        let (pdu, rest) = written.split_at(len);
        pdus.push(pdu.to_vec());
        written = rest;
    }
    assert!(written.is_empty());
    pdus
}

/// A parameter of a PDU as the tables write it: octets that are not printable as `\xNN`, "NULL" for an optional parameter
/// that is not there.
fn parameter(pdu: &[u8], name: &str) -> String {
    match Pdu::parse(pdu).expect("a PDU").1 {
        Pdu::SubmitSm(submit) => of_submit_sm(&submit, name).unwrap_or_else(|| optional(&submit.tlvs, name)),
        Pdu::DataSm(data) => of_data_sm(&data, name).unwrap_or_else(|| optional(&data.tlvs, name)),
        other => panic!("not a short message: {other:?}"),
    }
}

fn of_submit_sm(pdu: &SubmitSm<'_>, name: &str) -> Option<String> {
    Some(match name {
        "pdu" => "submit_sm".to_owned(),
        "service_type" => shown(pdu.service_type),
        "source" => address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
        "destination" => address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
        "esm_class" => format!("{:#04x}", pdu.esm_class),
        "protocol_id" => pdu.protocol_id.to_string(),
        "priority_flag" => pdu.priority_flag.to_string(),
        "schedule_delivery_time" => shown(pdu.schedule_delivery_time),
        "validity_period" => shown(pdu.validity_period),
        "registered_delivery" => format!("{:08b}", pdu.registered_delivery),
        "replace_if_present_flag" => pdu.replace_if_present_flag.to_string(),
        "data_coding" => pdu.data_coding.to_string(),
        "sm_default_msg_id" => pdu.sm_default_msg_id.to_string(),
        "sm_length" => pdu.short_message.len().to_string(),
        "short_message" => shown(pdu.short_message),
        _ => return None,
    })
}

fn of_data_sm(pdu: &DataSm<'_>, name: &str) -> Option<String> {
    Some(match name {
        "pdu" => "data_sm".to_owned(),
        "service_type" => shown(pdu.service_type),
        "source" => address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
        "destination" => address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
        "esm_class" => format!("{:#04x}", pdu.esm_class),
        "registered_delivery" => format!("{:08b}", pdu.registered_delivery),
        "data_coding" => pdu.data_coding.to_string(),
        _ => return None,
    })
}

fn optional(tlvs: &Tlvs<'_>, name: &str) -> String {
    let octet = |tag| tlvs.u8(tag).map(|value| value.to_string());
    let value = match name {
        "language_indicator" => octet(Tag::LANGUAGE_INDICATOR),
        "sar_msg_ref_num" => tlvs.u16(Tag::SAR_MSG_REF_NUM).map(|value| format!("{value:#06x}")),
        "sar_segment_seqnum" => octet(Tag::SAR_SEGMENT_SEQNUM),
        "sar_total_segments" => octet(Tag::SAR_TOTAL_SEGMENTS),
        "message_payload" => tlvs.get(Tag::MESSAGE_PAYLOAD).map(shown),
        "qos_time_to_live" => tlvs.u32(Tag::QOS_TIME_TO_LIVE).map(|value| value.to_string()),
        other => panic!("no parameter {other}"),
    };
    value.unwrap_or_else(|| "NULL".to_owned())
}

fn address(ton: u8, npi: u8, digits: &[u8]) -> String {
    format!("{ton}/{npi}/{}", shown(digits))
}

fn shown(octets: &[u8]) -> String {
    let octet = |octet: &u8| match octet {
        b' '..=b'~' => char::from(*octet).to_string(),
        _ => format!("\\x{octet:02X}"),
    };
    octets.iter().map(octet).collect()
}

/// `pdus` is their number; a name behind `n.` is of the n-th PDU; the first otherwise.
pub(crate) fn check(case: &Case<'_>, pdus: &[Vec<u8>]) {
    for (name, expected) in case.expected() {
        let (at, name) = match name.split_once('.') {
            Some((number, name)) => (number.parse::<usize>().unwrap() - 1, name),
            None => (0, name),
        };
        let got = match name {
            "pdus" => pdus.len().to_string(),
            _ => parameter(&pdus[at], name),
        };
        assert_eq!(got, repeated(expected), "{}: {name}", case.name());
    }
}

#[test]
fn every_case_gives_the_parameters_it_expects() {
    for case in Case::all(CASES) {
        match (pdus(&case), case.get("expected").strip_prefix("refused=")) {
            (Ok(pdus), None) => check(&case, &pdus),
            (Err(why), Some(expected)) => {
                let (code, reason) = pager::refusal(why, &case.policy());
                assert_eq!(format!("{code} {reason}"), expected, "{}", case.name());
            }
            (got, _) => panic!("{}: {got:?}", case.name()),
        }
    }
}
