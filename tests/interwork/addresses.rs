//! Telephone numbers of both sides.

use isthmus::interwork::address::{Number, of_smpp, of_uri};
use isthmus::policy::Addresses;
use isthmus::wire::sip::uri::Uri;

use crate::cases::Case;

const CASES: &str = include_str!("../spec/addresses.tsv");

fn to_sm_sc(number: Number, addresses: &Addresses) -> String {
    let (ton, npi) = number.ton_npi(addresses);
    format!("{ton}/{npi}/{}", core::str::from_utf8(&number.digits).unwrap())
}

fn to_cpm(number: Number, addresses: &Addresses) -> String {
    let mut uri = Vec::new();
    number.write_tel(addresses, &mut uri);
    String::from_utf8(uri).unwrap()
}

/// `ton/npi/address`, if that is what the cell holds.
fn smpp(cell: &str) -> Option<(u8, &str)> {
    let (ton, rest) = cell.split_once('/')?;
    let (_, address) = rest.split_once('/')?;
    Some((ton.parse().ok()?, address))
}

#[test]
fn every_address_is_the_number_it_should_be() {
    for case in Case::all(CASES) {
        let addresses = case.policy().addresses;
        let got = match smpp(case.get("address")) {
            Some((ton, address)) => of_smpp(ton, address.as_bytes(), &addresses).map(|n| to_cpm(n, &addresses)),
            None => of_uri(case.get("address").as_bytes(), &addresses).map(|n| to_sm_sc(n, &addresses)),
        };
        assert_eq!(got.as_deref().unwrap_or("-"), case.get("expected"), "{}", case.name());
    }
}

/// [HDR-D-07] [HDR-D-02] [HDR-D-06]
#[test]
fn the_identifier_is_read_as_a_uri_parameter() {
    let examples = [
        ("sip:alice@example.com;nccsid=SMS", "SMS"),
        ("tel:+11234561111;nccsid=MMS", "MMS"),
        ("sip:bob@example.com;nccsid=Skype", "Skype"),
    ];
    for (uri, nccsid) in examples {
        let params = Uri::parse(uri.as_bytes()).unwrap().params();
        assert_eq!(params.get(b"nccsid"), Some(nccsid.as_bytes()), "{uri}");
    }
}
