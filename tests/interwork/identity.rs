//! Who the gateway says it is: Appendix C (User-Agent and Server) and Appendix D (where a request came from).

use isthmus::interwork::address::{NCCSID_MMS, NCCSID_SMS};
use isthmus::interwork::product::{IwfType, server, server_of, user_agent, user_agent_of};
use isthmus::policy::Identity;
use isthmus::wire::sip::uri::Uri;

fn identity(version: &str, further: &str) -> Identity {
    Identity { iwf_product_version: version.into(), further_products: further.into(), ..Identity::default() }
}

/// RFC 3261 25.1
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet))
}

/// product = token [SLASH product-version]
fn is_product(value: &str) -> bool {
    let (name, version) = value.split_once('/').map_or((value, None), |(name, version)| (name, Some(version)));
    is_token(name) && version.is_none_or(is_token)
}

/// The first server-val, taken apart: iwf-type-token, iwf-device-token, iwf-product-version.
fn iwf_product(value: &str) -> (String, String, String) {
    let first = value.split(' ').next().unwrap();
    let (name, version) = first.split_once('/').expect("SLASH iwf-product-version");
    let (kind, device) = name.rsplit_once('-').expect("iwf-type-token - iwf-device-token");
    (kind.to_owned(), device.to_owned(), version.to_owned())
}

/// [HDR-C-02] [HDR-C-03] [HDR-C-04] [HDR-C-05] [HDR-C-06] [HDR-C-07]
#[test]
fn the_first_product_is_the_iwf() {
    let own = Identity::default();
    let expect = |value: &str, device: &str| {
        assert_eq!(iwf_product(value), ("IWF-SMS".to_owned(), device.to_owned(), "OMA2.1".to_owned()));
        assert!(value.split(' ').all(is_product), "{value}");
    };
    expect(&user_agent(&own), "client");
    expect(&server(&own), "serv");
}

/// [HDR-C-06] [HDR-C-07]
#[test]
fn the_mms_iwf_has_a_token_of_its_own() {
    let own = identity("OMA2.1", "X/1");
    assert_eq!(user_agent_of(IwfType::Mms, &own), "IWF-MMS-client/OMA2.1 X/1");
    assert_eq!(server_of(IwfType::Mms, &own), "IWF-MMS-serv/OMA2.1 X/1");
    assert_eq!(user_agent_of(IwfType::Sms, &own), user_agent(&own));
    assert_eq!(server_of(IwfType::Sms, &own), server(&own));
}

/// [HDR-C-V10] [HDR-C-V20] [HDR-C-V21] [HDR-C-X1]
#[test]
fn the_release_is_the_service_provider_s_to_say_and_the_last_of_the_text_otherwise() {
    for version in ["OMA1.0", "OMA2.0", "OMA2.1", "OMA3.0"] {
        assert_eq!(user_agent(&identity(version, "")), format!("IWF-SMS-client/{version}"));
        assert_eq!(server(&identity(version, "")), format!("IWF-SMS-serv/{version}"));
    }
    assert_eq!(Identity::default().iwf_product_version, "OMA2.1");
}

/// [HDR-C-08]
#[test]
fn further_products_follow() {
    let further = identity("OMA2.1", "Arena-Messaging1000/v1.01 (a comment)");
    assert_eq!(user_agent(&further), "IWF-SMS-client/OMA2.1 Arena-Messaging1000/v1.01 (a comment)");
    let own = concat!(" Isthmus/", env!("CARGO_PKG_VERSION"));
    assert!(user_agent(&Identity::default()).ends_with(own));
}

/// [HDR-D-01] [HDR-D-02] [HDR-D-05] [HDR-D-06]
#[test]
fn the_identifier_is_a_uri_parameter_of_both_schemes() {
    assert_eq!((NCCSID_SMS, NCCSID_MMS), (b";nccsid=SMS".as_slice(), b";nccsid=MMS".as_slice()));
    for uri in ["tel:+491700000001", "sip:+491700000001@ims.example;user=phone"] {
        for (identifier, service) in [(NCCSID_SMS, b"SMS".as_slice()), (NCCSID_MMS, b"MMS")] {
            let written = [uri.as_bytes(), identifier].concat();
            let parsed = Uri::parse(&written).unwrap();
            assert_eq!(parsed.params().get(b"nccsid"), Some(service));
        }
    }
}
