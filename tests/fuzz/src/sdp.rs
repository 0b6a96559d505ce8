//! A session description, as an offer to gateways of several kinds and as the answer to each of them.

use isthmus::limits;
use isthmus::wire::msrp::uri::MsrpUri;
use isthmus::wire::sdp::msrp::{Agreed, Change, FileSelector, Local, Setup, Wrapped, answer, change, read_answer};
use isthmus::wire::sdp::{Direction, Session};

pub fn run(data: &[u8]) {
    let Ok(session) = Session::parse(data) else { return };
    assert!(session.media().count() <= limits::SDP_MEDIA_MAX);
    for local in locals() {
        let mut out = b"before".to_vec();
        match answer(&session, &local, &mut out) {
            Ok(agreed) => answered(&session, &agreed, &out[6..]),
            Err(_) => assert_eq!(out, b"before", "what is refused leaves nothing behind"),
        }
        if let Ok(agreed) = read_answer(&session, &local) {
            fits(&agreed);
            assert!(local.direction.receives() || !agreed.direction.receives());
        }
    }
}

/// An answer has as many streams as the offer, in its order, and one of them is what was agreed (RFC 3264 6).
fn answered(offer: &Session<'_>, agreed: &Agreed, out: &[u8]) {
    fits(agreed);
    let written = Session::parse(out).expect("what we write");
    assert_eq!(offer.media().count(), written.media().count());
    assert!(offer.times().eq(written.times()) || offer.times().next().is_none());
    for (position, (offered, answered)) in offer.media().zip(written.media()).enumerate() {
        assert_eq!(offered.media.to_ascii_lowercase(), answered.media.to_ascii_lowercase());
        assert_eq!(answered.port != 0, position == agreed.position);
    }
    let stream = written.media().nth(agreed.position).expect("the stream");
    assert_eq!((stream.direction(), stream.has(b"msrp-cema")), (agreed.direction, agreed.cema));
    assert_eq!(change(offer, agreed), Change::Nothing);
}

fn fits(agreed: &Agreed) {
    assert!(agreed.peer_path.len() <= limits::MSRP_PATH_BYTES_MAX);
    assert!(agreed.peer_path.split(|octet| *octet == b' ').all(|uri| MsrpUri::parse(uri).is_some()));
    assert_eq!(agreed.connect.is_some(), agreed.setup == Setup::Active);
    assert!(agreed.accept_types.len() <= limits::SDP_TYPES_BYTES_MAX);
    let _ = (agreed.accepts(b"text/plain"), agreed.accepts_wrapped(b"text/plain"), agreed.takes_octets(1));
    if let Some(selector) = &agreed.file_selector {
        let file = FileSelector::new(selector);
        let _ = (file.size(), file.name(), file.media_type());
    }
}

fn locals() -> [Local<'static>; 3] {
    let chat = Local {
        address: [198, 51, 100, 7].into(),
        port: 2855,
        path: b"msrp://198.51.100.7:2855/own;tcp",
        session_id: 7,
        session_version: 1,
        accept_types: b"message/cpim application/im-iscomposing+xml",
        accept_wrapped_types: b"text/plain message/imdn+xml",
        wrapped: Wrapped::AnyOf,
        max_size: Some(1 << 20),
        setup: Setup::Active,
        direction: Direction::SendRecv,
        cema: true,
        file_transfer: true,
        attributes: &[b"connection:new"],
    };
    let large = Local { wrapped: Wrapped::AllOf, setup: Setup::Passive, direction: Direction::RecvOnly, ..chat };
    let ipv6 = Local { address: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into(), cema: false, setup: Setup::ActPass, ..chat };
    [chat, large, ipv6]
}
