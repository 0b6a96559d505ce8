//! MSRP URIs and paths: what they are and when they are the same.

use isthmus::wire::msrp::uri::is_same;
use isthmus::wire::msrp::{MsrpUri, Path};
use proptest::prelude::*;

use crate::tsv::rows;

fn written(uri: &MsrpUri<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    uri.write(&mut out);
    out
}

#[test]
fn uris_are_compared_as_the_text_says() {
    for row in rows(include_str!("../spec/msrp_uri_equality.tsv")) {
        let [same, one, other] = row[..] else { panic!("{row:?}") };
        let (a, b) = (MsrpUri::parse(one.as_bytes()).unwrap(), MsrpUri::parse(other.as_bytes()).unwrap());
        assert_eq!(a.is_equivalent(&b), same == "yes", "{one} and {other}");
        assert_eq!(b.is_equivalent(&a), same == "yes", "{other} and {one}");
        assert_eq!(is_same(one.as_bytes(), other.as_bytes()), same == "yes");
        assert!(is_same(one.as_bytes(), &written(&a)) && is_same(other.as_bytes(), &written(&b)));
    }
}

#[test]
fn what_is_no_uri_is_the_same_as_nothing() {
    for row in rows(include_str!("../spec/msrp_uri_bad.tsv")) {
        assert!(MsrpUri::parse(row[0].as_bytes()).is_none(), "{}", row[0]);
        assert!(!is_same(row[0].as_bytes(), row[0].as_bytes()));
    }
}

#[test]
fn a_uri_has_its_parts() {
    let uri = MsrpUri::parse(b"msrps://bob@[2001:db8::1]:8493/si4/38=;tcp;a=b;c").unwrap();
    assert!(uri.secure);
    assert_eq!((uri.user_info, uri.host, uri.port), (b"bob".as_slice(), b"[2001:db8::1]".as_slice(), Some(8493)));
    assert_eq!(
        (uri.session_id, uri.transport, uri.params),
        (b"si4/38=".as_slice(), b"tcp".as_slice(), b"a=b;c".as_slice())
    );
    assert_eq!(written(&uri), b"msrps://bob@[2001:db8::1]:8493/si4/38=;tcp;a=b;c");
}

#[test]
fn paths_are_the_same_uri_for_uri() {
    let path = Path::new(b"msrp://r:2855;tcp  msrp://A:1/s;tcp ");
    assert!(path.is_equivalent(&Path::new(b"msrp://r:2855;tcp msrp://a:1/s;tcp")));
    for other in ["", "msrp://r:2855;tcp", "msrp://a:1/s;tcp msrp://r:2855;tcp", "msrp://r:2855;tcp msrp://a:1/S;tcp"] {
        assert!(!path.is_equivalent(&Path::new(other.as_bytes())), "{other}");
    }
    let empty = Path::new(b" ");
    assert!(empty.first().is_empty() && empty.last().is_empty());
}

proptest! {
    #[test]
    fn no_uri_makes_the_reader_panic(bytes: Vec<u8>, text in "(msrps?://)?[ -~]{0,40}", near in "msrp://[a.:@\\[\\]0-9]{0,9}/?[a;=]{0,4};tcp[a;=]{0,4}") {
        for uri in [bytes.as_slice(), text.as_bytes(), near.as_bytes()] {
            if let Some(parsed) = MsrpUri::parse(uri) {
                prop_assert!(parsed.is_equivalent(&parsed));
                prop_assert!(is_same(&written(&parsed), uri));
            }
            let _ = (Path::new(uri).first(), Path::new(uri).last(), Path::new(uri).is_equivalent(&Path::new(&bytes)));
        }
    }
}
