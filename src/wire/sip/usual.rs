//! What is read in a hurry, because nearly every peer writes it so, is what careful reading says: with usual values and with
//! the same values damaged.

use proptest::prelude::*;

use super::lists::Values;
use super::section::{self, Parts, Step, Walk};
use super::{CSeq, Name, NameAddr, Via, Writer};

/// `usual` with up to three octets replaced, inserted or removed.
fn damaged(usual: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n \t:;,<>\"\\?@=0a-/".to_vec())];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), octet, 0..3_u8), 0..4);
    (prop::sample::select(usual), edits).prop_map(|(usual, edits)| {
        let mut octets = usual.as_bytes().to_vec();
        for (place, octet, how) in edits {
            let at = place.index(octets.len());
            match how {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ if octets.len() > 1 => drop(octets.remove(at)),
                _ => {}
            }
        }
        octets
    })
}

const VIAS: &[&str] = &[
    "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;rport",
    "SIP/2.0/TCP host.example.net;rport;branch=z9hG4bK7",
    "SIP/2.0/TLS h:5061;branch=;branch=z9hG4bK1;rport=;rport",
    "SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.1;rport",
    "SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1, SIP/2.0/UDP h;branch=z9hG4bK2",
    "SIP/2.0/UDP h:5060",
];

const ADDRESSES: &[&str] = &[
    "<tel:+491700000002>;tag=8ae3c1",
    "<sip:+491700000002@ims.example.net;user=phone>",
    "<sip:a@b>;tag=1;x=2",
    "\"A <b>\" <sip:a@b>;tag=\"1\"",
    "sips:a@b;tag=1",
];

const CSEQS: &[&str] = &["1 MESSAGE", "4294967295 MESSAGE", "0007 MESSAGE", "MESSAGE", "1\r\n MESSAGE"];

const HEADS: &[&str] = &[
    "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: x@y\r\n\r\nbody",
    "P-Asserted-Identity: <tel:+1>\r\nP-Asserted-Service:x\r\nX-Mine-That-Is-Longer-Than-Most: a\r\n b\r\nX: y\r\n\r\n",
    "Content-Encoding: gzip\nCONTENT-LANGUAGE : de\r\nl: 4\r\nSubject:  Zo\u{eb} \r\nDate:\r\n\r\nbody and more of it",
    " fold\r\nno-colon\r\n: no name\r\nTo:<sip:a@b>\r\n\tCSeq: 1 INFO\r\nCSeq: 1 INFO\r\nRoute: <sip:a;lr>\r\n\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_usual_via_is_what_it_is_with_care(value in damaged(VIAS)) {
        if let Some(usual) = Via::usual(&value) {
            prop_assert_eq!(Some(usual.as_parsed()), Via::parse(&value));
            prop_assert_eq!(Values::new(&value).collect::<Vec<_>>(), [&value[..]]);
        }
    }

    #[test]
    fn a_usual_address_is_what_it_is_with_care(value in damaged(ADDRESSES)) {
        if let Some(usual) = NameAddr::usual(&value) {
            prop_assert_eq!(Some(usual), NameAddr::parse(&value));
        }
    }

    #[test]
    fn a_usual_cseq_is_what_it_is_with_care(value in damaged(CSEQS)) {
        if let Some(usual) = CSeq::of_method(&value, b"MESSAGE") {
            prop_assert_eq!(Some(usual), CSeq::parse(&value));
        }
    }

    #[test]
    fn a_usual_line_is_what_it_is_with_care(head in damaged(HEADS)) {
        let bytes = [b"INFO sip:a SIP/2.0\r\n", &head[..]].concat();
        if let Some((_, walk)) = section::start(&bytes) {
            walk_both_ways(&bytes, walk)?;
        }
    }
}

/// At each line, what reading in a hurry says, if it says anything, beside what careful reading says.
fn walk_both_ways(bytes: &[u8], mut walk: Walk<'_>) -> Result<(), TestCaseError> {
    loop {
        let mut usual = walk;
        let (parts, step) = (usual.usual(), walk.step());
        let Some(Step::Line(line)) = step else {
            prop_assert_eq!(parts, None);
            return Ok(());
        };
        let Some(parts) = parts else { continue };
        let careful = section::parts(bytes, line).unwrap();
        prop_assert_eq!(careful, Parts { is_usual: false, ..parts });
        let mut after = walk;
        prop_assert_eq!(usual.step(), after.step());
        let (mut written, line) = (Vec::new(), parts.usual_line().of(bytes));
        Writer::resume(&mut written).header(parts.name, parts.value.of(bytes));
        prop_assert!(line.is_empty() || line == written);
    }
}

#[test]
fn usual_values_are_read_in_a_hurry() {
    assert!(VIAS[..2].iter().all(|via| Via::usual(via.as_bytes()).is_some()));
    assert!(ADDRESSES[..2].iter().all(|address| NameAddr::usual(address.as_bytes()).is_some()));
    assert!(CSeq::of_method(CSEQS[0].as_bytes(), b"MESSAGE").is_some());
    let bytes = ["INFO sip:a SIP/2.0\r\n", HEADS[0]].concat();
    let (_, mut walk) = section::start(bytes.as_bytes()).unwrap();
    let names: Vec<Name> = core::iter::from_fn(|| walk.usual().map(|parts| parts.name)).collect();
    assert_eq!(names, [Name::Via, Name::MaxForwards, Name::From, Name::CallId]);
}
