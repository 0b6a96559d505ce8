//! Status reports in the forms that SM-SCs send, row by row of `tests/spec/smpp_receipts.tsv`.

use isthmus::wire::smpp::status_report::{self, DoneDate, NetworkErrorCode, StatusReport};
use isthmus::wire::smpp::{DataSm, DeliverSm, MessageState, Tag, Tlvs, tlv};
use proptest::prelude::*;

use crate::tsv::rows;

/// What a peer sends, and what is to be read from it.
struct Receipt<'t> {
    what: &'t str,
    esm_class: u8,
    data_coding: u8,
    text: Vec<u8>,
    tlvs: Vec<u8>,
    /// id, state, err, done date, intermediate.
    expected: [&'t str; 5],
}

impl<'t> Receipt<'t> {
    fn from_row(row: &[&'t str]) -> Receipt<'t> {
        let [what, esm_class, data_coding, text, id, state, ..] = *row else { panic!("{row:?}") };
        let [hex_esm_class, hex_data_coding] =
            [esm_class, data_coding].map(|cell| u8::from_str_radix(cell, 16).unwrap());
        let mut tlvs = Vec::new();
        if !id.is_empty() {
            tlv::put(&mut tlvs, Tag::RECEIPTED_MESSAGE_ID, &octets(id));
        }
        if !state.is_empty() {
            tlv::put(&mut tlvs, Tag::MESSAGE_STATE, &[state.parse().unwrap()]);
        }
        Receipt {
            what,
            esm_class: hex_esm_class,
            data_coding: hex_data_coding,
            text: if hex_data_coding & 0x0C == 0x08 { wide(&octets(text)) } else { octets(text) },
            tlvs,
            expected: row[6..11].try_into().unwrap(),
        }
    }

    fn deliver_sm(&self) -> DeliverSm<'_> {
        DeliverSm {
            esm_class: self.esm_class,
            data_coding: self.data_coding,
            short_message: &self.text,
            tlvs: Tlvs::parse(&self.tlvs).unwrap(),
            ..DeliverSm::default()
        }
    }

    fn check(&self, report: Option<StatusReport<'_>>) {
        let report = report.unwrap_or_else(|| panic!("{}: no report", self.what));
        let [id, state, error, done, intermediate] = self.expected;
        assert_eq!(report.message_id.as_ref(), id.as_bytes(), "{}", self.what);
        assert_eq!(report.state, MessageState(state.parse().unwrap()), "{}", self.what);
        assert_eq!(report.error.as_ref(), error.as_bytes(), "{}", self.what);
        assert_eq!(report.done_date(), done_date(done), "{}", self.what);
        assert_eq!(report.intermediate, intermediate == "yes", "{}", self.what);
    }
}

/// `\n`, `\0` and `\xHH` in a cell stand for octets that a table cannot hold.
fn octets(cell: &str) -> Vec<u8> {
    let mut pieces = cell.split('\\');
    let mut octets = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (octet, rest) = match piece.as_bytes() {
            [b'n', rest @ ..] => (b'\n', rest),
            [b'0', rest @ ..] => (0, rest),
            [b'x', _, _, rest @ ..] => (u8::from_str_radix(&piece[1..3], 16).unwrap(), rest),
            _ => panic!("{cell}"),
        };
        octets.push(octet);
        octets.extend_from_slice(rest);
    }
    octets
}

fn wide(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|octet| [0, *octet]).collect()
}

fn done_date(cell: &str) -> Option<DoneDate> {
    let unix_seconds = cell.trim_end_matches('+');
    (!cell.is_empty())
        .then(|| DoneDate { unix_seconds: unix_seconds.parse().unwrap(), zone_known: cell.ends_with('+') })
}

fn receipts() -> impl Iterator<Item = Receipt<'static>> {
    rows(include_str!("../spec/smpp_receipts.tsv")).map(|row| Receipt::from_row(&row))
}

#[test]
fn every_form_in_short_message() {
    assert!(receipts().count() > 50);
    for receipt in receipts() {
        receipt.check(status_report::from_deliver_sm(&receipt.deliver_sm()));
    }
}

#[test]
fn every_form_in_message_payload() {
    for mut receipt in receipts() {
        tlv::put(&mut receipt.tlvs, Tag::MESSAGE_PAYLOAD, &receipt.text);
        let tlvs = Tlvs::parse(&receipt.tlvs).unwrap();
        let (esm_class, data_coding) = (receipt.esm_class, receipt.data_coding);
        let deliver_sm = DeliverSm { esm_class, data_coding, tlvs, ..DeliverSm::default() };
        receipt.check(status_report::from_deliver_sm(&deliver_sm));
        let data_sm = DataSm { esm_class, data_coding, tlvs, ..DataSm::default() };
        receipt.check(status_report::from_data_sm(&data_sm));
    }
}

#[test]
fn text_behind_a_user_data_header() {
    let text = b"\x05\x00\x03\x01\x02\x01id:7 stat:EXPIRED";
    let deliver_sm = DeliverSm { esm_class: 0x44, short_message: text, ..DeliverSm::default() };
    let report = status_report::from_deliver_sm(&deliver_sm).unwrap();
    assert_eq!((report.message_id.as_ref(), report.state), (b"7".as_slice(), MessageState::EXPIRED));
}

#[test]
fn ordinary_messages_are_no_reports() {
    let deliver_sm = DeliverSm { short_message: b"id:1 stat:DELIVRD", ..DeliverSm::default() };
    assert_eq!(status_report::from_deliver_sm(&deliver_sm), None);
    let answered = DeliverSm { esm_class: 0x08, ..deliver_sm };
    assert_eq!(status_report::from_deliver_sm(&answered), None);
}

#[test]
fn network_error_code_has_a_type_and_a_code() {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::NETWORK_ERROR_CODE, &[3, 0x02, 0x01]);
    let tlvs = Tlvs::parse(&tlvs).unwrap();
    let report = status_report::from_deliver_sm(&DeliverSm { esm_class: 4, tlvs, ..DeliverSm::default() }).unwrap();
    assert_eq!(report.network_error_code, Some(NetworkErrorCode { network_type: 3, error_code: 513 }));
}

proptest! {
    /// Whatever stands in a report, each word of it is a part of the text.
    #[test]
    fn any_text_is_read(keys in proptest::collection::vec("(id:|stat:|err:|done date:|text:|[ ,a-z0-9\0])", 0..20)) {
        let text = keys.concat();
        let deliver_sm = DeliverSm { esm_class: 4, short_message: text.as_bytes(), ..DeliverSm::default() };
        let report = status_report::from_deliver_sm(&deliver_sm).unwrap();
        prop_assert!(text.contains(std::str::from_utf8(&report.message_id).unwrap()));
    }
}
