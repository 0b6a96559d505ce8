//! SIP and tel URIs: when they mean the same.

use isthmus::wire::sip::uri::{Uri, unescape};
use proptest::prelude::*;

use crate::tsv::rows;

#[test]
fn uris_are_compared_as_the_text_says() {
    for row in rows(include_str!("../spec/sip_uri_equality.tsv")) {
        let [same, one, other] = row[..] else { panic!("{row:?}") };
        let (a, b) = (Uri::parse(one.as_bytes()).unwrap(), Uri::parse(other.as_bytes()).unwrap());
        assert_eq!(a.is_equivalent(&b), same == "yes", "{one} and {other}");
        assert_eq!(b.is_equivalent(&a), same == "yes", "{other} and {one}");
        assert!(a.is_equivalent(&a) && b.is_equivalent(&b));
    }
}

proptest! {
    #[test]
    fn no_uri_makes_the_reader_panic(bytes: Vec<u8>, text in "(sip|tel):[ -~]{0,40}") {
        for uri in [bytes.as_slice(), text.as_bytes()] {
            if let Some(uri) = Uri::parse(uri) {
                prop_assert!(uri.is_equivalent(&uri));
            }
        }
    }

    #[test]
    fn unescaping_undoes_escaping(octets: Vec<u8>) {
        let escaped: String = octets.iter().map(|octet| format!("%{octet:02x}")).collect();
        let mut out = Vec::new();
        unescape(escaped.as_bytes(), &mut out);
        prop_assert_eq!(out, octets);
    }
}
