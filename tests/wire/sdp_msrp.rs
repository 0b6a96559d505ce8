//! Offers and answers about MSRP sessions.

use isthmus::limits;
use isthmus::wire::sdp::msrp::{
    self, Agreed, Change, Host, Local, NotAcceptable, Setup, Target, Wrapped, answer, change, read_answer,
};
use isthmus::wire::sdp::{Direction, Session};
use proptest::prelude::*;

use crate::tsv::rows;

const START: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
const PATH: &str = "a=path:msrp://192.0.2.9:7654/jshA7we;tcp";
const TYPES: &str = "a=accept-types:message/cpim|a=accept-wrapped-types:text/plain message/imdn+xml";

fn chat() -> Local<'static> {
    Local {
        address: "198.51.100.7".parse().unwrap(),
        port: 2855,
        path: b"msrp://198.51.100.7:2855/own;tcp",
        session_id: 77,
        session_version: 1,
        accept_types: b"message/cpim application/im-iscomposing+xml",
        accept_wrapped_types: b"text/plain message/imdn+xml",
        wrapped: Wrapped::AnyOf,
        max_size: None,
        setup: Setup::ActPass,
        direction: Direction::SendRecv,
        cema: true,
        file_transfer: false,
        attributes: &[],
    }
}

fn large() -> Local<'static> {
    Local {
        accept_types: b"message/cpim",
        accept_wrapped_types: b"text/plain multipart/mixed",
        wrapped: Wrapped::AllOf,
        max_size: Some(1_048_576),
        setup: Setup::Passive,
        direction: Direction::RecvOnly,
        ..chat()
    }
}

fn local(name: &str) -> Local<'static> {
    match name {
        "chat" => chat(),
        "large" => large(),
        "connecting" => Local { setup: Setup::Active, ..chat() },
        "plain" => Local { cema: false, ..chat() },
        "ipv6" => Local { address: "2001:db8::7".parse().unwrap(), ..chat() },
        _ => panic!("{name}"),
    }
}

/// A description from the cell of a table.
fn description(cell: &str) -> String {
    let lines = cell.replace("$P", PATH).replace("$T", TYPES).replace('|', "\r\n");
    if lines.starts_with("v=") { lines + "\r\n" } else { [START, &lines, "\r\n"].concat() }
}

fn role(agreed: &Agreed) -> String {
    match (&agreed.setup, &agreed.connect) {
        (Setup::Passive, None) => "passive".to_owned(),
        (Setup::Active, Some(target)) => format!("active {}", place(target)),
        wrong => panic!("{wrong:?}"),
    }
}

fn place(target: &Target) -> String {
    match &target.host {
        Host::Ip(ip) => std::net::SocketAddr::new(*ip, target.port).to_string(),
        Host::Name(name) => format!("{name}:{}", target.port),
    }
}

fn refusal(why: NotAcceptable) -> String {
    format!("{} {}", NotAcceptable::CODE, why.warning().0)
}

#[test]
fn offers_are_answered_as_the_table_says() {
    for row in rows(include_str!("../spec/sdp_answers.tsv")).skip(1) {
        let [_, ours, offer, outcome] = row[..] else { panic!("{row:?}") };
        let offer = description(offer);
        let session = Session::parse(offer.as_bytes()).unwrap();
        let mut out = Vec::new();
        let found = match answer(&session, &local(ours), &mut out) {
            Ok(agreed) => {
                is_proper_answer(&session, &agreed, &out);
                format!("{} {}", role(&agreed), std::str::from_utf8(agreed.direction.name()).unwrap())
            }
            Err(why) => {
                assert!(out.is_empty());
                refusal(why)
            }
        };
        assert_eq!(found, outcome, "{offer}");
    }
}

/// RFC 3264 6: as many streams as in the offer, in the same order; what was agreed is what is written.
fn is_proper_answer(offer: &Session<'_>, agreed: &Agreed, out: &[u8]) {
    let written = Session::parse(out).unwrap();
    let (offered, answered): (Vec<_>, Vec<_>) = (offer.media().collect(), written.media().collect());
    assert_eq!(offered.len(), answered.len());
    for (position, (offered, answered)) in offered.iter().zip(&answered).enumerate() {
        assert_eq!(offered.media, answered.media);
        assert_eq!(answered.port != 0, position == agreed.position);
    }
    let stream = answered[agreed.position];
    assert_eq!(stream.attribute(b"setup").and_then(Setup::read), Some(agreed.setup));
    assert_eq!((stream.direction(), stream.has(b"msrp-cema")), (agreed.direction, agreed.cema));
}

/// [GEN-LMM-04d1] [GEN-LMM-04d2] [GEN-LMM-04d3]
#[test]
fn the_answer_to_a_large_message() {
    let offer = description(
        "m=message 7654 TCP/MSRP *|a=accept-types:message/cpim|a=accept-wrapped-types:multipart/mixed text/plain|a=sendonly|\
         a=setup:actpass|a=path:msrp://192.0.2.9:7654/jshA7we;tcp|a=msrp-cema|a=file-selector:type:message/cpim size:20000",
    );
    let session = Session::parse(offer.as_bytes()).unwrap();
    let mut out = Vec::new();
    let agreed = answer(&session, &Local { file_transfer: true, ..large() }, &mut out).unwrap();
    let expected = "v=0|o=- 77 1 IN IP4 198.51.100.7|s=-|c=IN IP4 198.51.100.7|t=0 0|m=message 2855 TCP/MSRP *|\
        a=path:msrp://198.51.100.7:2855/own;tcp|a=accept-types:message/cpim|\
        a=accept-wrapped-types:text/plain multipart/mixed|a=max-size:1048576|a=setup:passive|a=msrp-cema|a=recvonly|\
        a=file-selector:type:message/cpim size:20000|";
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "|"), expected);
    assert_eq!(agreed.peer_path, b"msrp://192.0.2.9:7654/jshA7we;tcp");
    assert_eq!(agreed.file_selector.as_deref(), Some(b"type:message/cpim size:20000".as_slice()));
    assert!(agreed.accepts_wrapped(b"text/plain") && !agreed.accepts_wrapped(b"image/png"));
}

/// Streams that are not taken come back with port 0 and otherwise as they were; t= comes back too (RFC 3264 6).
#[test]
fn streams_that_are_not_taken_are_refused_one_by_one() {
    let offer = description(
        "m=audio 49170/2 RTP/AVP 0 8|a=rtpmap:0 PCMU/8000|m=message 7653 TCP/TLS/MSRP *|a=path:msrps://192.0.2.9:7653/s;tcp|\
         a=accept-types:*|m=message 7654 TCP/MSRP *|$P|$T|m=message 7655 TCP/MSRP *|a=path:msrp://192.0.2.9:7655/t;tcp|$T",
    )
    .replace("t=0 0", "t=2873397496 2873404696");
    let mut out = Vec::new();
    let agreed = answer(&Session::parse(offer.as_bytes()).unwrap(), &chat(), &mut out).unwrap();
    assert_eq!(agreed.position, 2);
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=") || line.starts_with("t=")).collect();
    let expected = [
        "t=2873397496 2873404696",
        "m=audio 0 RTP/AVP 0 8",
        "m=message 0 TCP/TLS/MSRP *",
        "m=message 2855 TCP/MSRP *",
        "m=message 0 TCP/MSRP *",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_offer_of_a_chat_over_ipv6() {
    let mut out = Vec::new();
    let path = b"msrp://[2001:db8::7]:2855/own;tcp";
    msrp::offer(&Local { path, attributes: &[b"connection:new"], ..local("ipv6") }, &mut out);
    let expected = "v=0|o=- 77 1 IN IP6 2001:db8::7|s=-|c=IN IP6 2001:db8::7|t=0 0|m=message 2855 TCP/MSRP *|\
        a=path:msrp://[2001:db8::7]:2855/own;tcp|a=accept-types:message/cpim application/im-iscomposing+xml|\
        a=accept-wrapped-types:text/plain message/imdn+xml|a=setup:actpass|a=msrp-cema|a=sendrecv|a=connection:new|";
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "|"), expected);
}

#[test]
fn answers_settle_who_connects() {
    for row in rows(include_str!("../spec/sdp_setup.tsv")).skip(1) {
        let [offered, path, answered, outcome] = row[..] else { panic!("{row:?}") };
        let text = format!("m=message 7654 TCP/MSRP *|a=path:msrp://{path}/a;tcp|$T|{answered}");
        let text = description(text.trim_end_matches('|'));
        let ours = Local { setup: Setup::read(offered.as_bytes()).unwrap(), ..chat() };
        let found = read_answer(&Session::parse(text.as_bytes()).unwrap(), &ours);
        assert_eq!(found.map_or_else(refusal, |agreed| role(&agreed)), outcome, "{row:?}");
    }
}

#[test]
fn an_answer_without_the_stream_is_a_refusal() {
    for (lines, why) in [
        ("m=message 0 TCP/MSRP *", NotAcceptable::NoStream),
        ("s=-", NotAcceptable::NoStream),
        ("m=message 7654 TCP/MSRP *|$T", NotAcceptable::Path),
        ("m=message 7654 TCP/MSRP *|$P|a=accept-types:text/html", NotAcceptable::AcceptTypes),
    ] {
        let text = description(lines);
        assert_eq!(read_answer(&Session::parse(text.as_bytes()).unwrap(), &chat()), Err(why), "{lines}");
    }
}

/// It was asked for these types and took the offer.
#[test]
fn an_answer_need_not_repeat_the_types() {
    let text = description("m=message 7654 TCP/MSRP *|$P|a=recvonly|a=max-size:4096");
    let agreed = read_answer(&Session::parse(text.as_bytes()).unwrap(), &chat()).unwrap();
    assert!(agreed.accepts(b"message/cpim") && !agreed.accepts(b"text/plain"));
    assert!(agreed.takes_octets(4_096) && !agreed.takes_octets(4_097));
    assert_eq!(agreed.direction, Direction::SendOnly);
}

#[test]
fn further_offers_are_compared_with_what_was_agreed() {
    let first = description("m=audio 0 RTP/AVP 0|m=message 7654 TCP/MSRP *|$P|$T");
    let before = answer(&Session::parse(first.as_bytes()).unwrap(), &chat(), &mut Vec::new()).unwrap();
    for (from, to, changed) in [
        ("", "", Change::Nothing),
        ("o=- 1 1 ", "o=- 1 2 ", Change::Terms),
        ("o=- 1 1 ", "o=- 2 1 ", Change::Terms),
        ("TCP/MSRP *", "TCP/MSRP *\r\na=inactive", Change::Terms),
        ("msrp://192", "MSRP://192", Change::Nothing),
        ("jshA7we", "jshA7wf", Change::Path),
        (":7654/", ":7655/", Change::Path),
        ("a=path:", "a=path:msrp://192.0.2.8:1/r;tcp ", Change::Path),
        ("a=path:", "a=xpath:", Change::Path),
        ("m=message 7654", "m=message 0", Change::Removal),
        ("m=message", "m=text", Change::Removal),
        ("m=audio 0 RTP/AVP 0\r\n", "", Change::Removal),
    ] {
        let text = first.replacen(from, to, 1);
        assert_eq!(change(&Session::parse(text.as_bytes()).unwrap(), &before), changed, "{from} to {to}");
    }
}

/// RFC 3264 8: with the same o= the same octets, so that the peer sees that nothing changed.
#[test]
fn the_same_offer_gets_the_same_answer() {
    let offer = description("m=audio 1 RTP/AVP 0|m=message 7654 TCP/MSRP *|$P|$T|a=setup:actpass");
    let session = Session::parse(offer.as_bytes()).unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let agreed = answer(&session, &chat(), &mut first).unwrap();
    assert_eq!(change(&session, &agreed), Change::Nothing);
    answer(&session, &Local { setup: agreed.setup, ..chat() }, &mut second).unwrap();
    assert_eq!(first, second);
}

/// A path is repeated in every request: it is bounded, and written with one space between its URIs.
#[test]
fn paths_are_kept_as_requests_need_them() {
    let path = |count: usize| "msrp://192.0.2.9:7654/a;tcp  ".repeat(count);
    let read = |path: &str| {
        let text = description(&format!("m=message 7654 TCP/MSRP *|a=path:{path}|$T"));
        answer(&Session::parse(text.as_bytes()).unwrap(), &chat(), &mut Vec::new()).map(|agreed| agreed.peer_path)
    };
    assert_eq!(read(&path(2)).unwrap(), b"msrp://192.0.2.9:7654/a;tcp msrp://192.0.2.9:7654/a;tcp");
    assert!(read(&path(limits::MSRP_PATH_URIS_MAX)).is_ok());
    assert_eq!(read(&path(limits::MSRP_PATH_URIS_MAX + 1)), Err(NotAcceptable::Path));
    let long = format!("msrp://192.0.2.9:7654/{};tcp", "a".repeat(limits::MSRP_PATH_BYTES_MAX));
    assert_eq!(read(&long), Err(NotAcceptable::Path));
}

/// RFC 3261 20.43: `warn-code SP warn-agent SP warn-text`.
#[test]
fn refusals_can_be_told() {
    let mut out = Vec::new();
    NotAcceptable::Transport.write_warning(b"gw.example.net", &mut out);
    assert_eq!(out, b"302 gw.example.net \"Incompatible transport protocol\"");
}

/// Of more types than are kept those beyond count as not accepted.
#[test]
fn accepted_types_are_bounded() {
    let many = "x/y ".repeat(limits::SDP_TYPES_BYTES_MAX / 4 - 20);
    for (more, accepted) in [("", true), ("x/y ".repeat(20).as_str(), false)] {
        let text = description(&format!("m=message 7654 TCP/MSRP *|$P|a=accept-types:{many}{more}message/cpim"));
        let found = answer(&Session::parse(text.as_bytes()).unwrap(), &chat(), &mut Vec::new());
        assert_eq!(found.is_ok(), accepted);
    }
}

/// A hold takes from what we send; what we refuse to receive stays refused (RFC 3264 8.4).
#[test]
fn hold_and_resume() {
    for (offered, chatting, receiving) in [
        ("sendonly", Direction::RecvOnly, Direction::RecvOnly),
        ("inactive", Direction::Inactive, Direction::Inactive),
        ("recvonly", Direction::SendOnly, Direction::Inactive),
        ("sendrecv", Direction::SendRecv, Direction::RecvOnly),
    ] {
        let text = description(&format!("m=message 7654 TCP/MSRP *|$P|a=accept-types:*|a={offered}"));
        let session = Session::parse(text.as_bytes()).unwrap();
        let answered = |local| answer(&session, &local, &mut Vec::new()).unwrap().direction;
        assert_eq!((answered(chat()), answered(large())), (chatting, receiving), "{offered}");
    }
}

/// RFC 3264 5: sess-id and sess-version fit 64 bits with a sign.
#[test]
fn session_ids_are_signed_numbers() {
    let mut out = Vec::new();
    msrp::offer(&Local { session_id: u64::MAX, ..chat() }, &mut out);
    assert_eq!(Session::parse(&out).unwrap().origin().session_id, b"9223372036854775807");
}

/// What comes from a peer into an answer or an offer adds no line to it.
#[test]
fn values_do_not_break_lines() {
    let mut out = Vec::new();
    msrp::offer(&Local { attributes: &[b"file-selector:name:\"a\r\nm=audio 1 x 2\""], ..chat() }, &mut out);
    assert_eq!(Session::parse(&out).unwrap().media().count(), 1);
}

/// Any of our offers is answered by any of us, and both sides agree.
fn a_local() -> impl Strategy<Value = Local<'static>> {
    let setup = prop::sample::select(vec![Setup::Active, Setup::Passive, Setup::ActPass]);
    let direction = prop::sample::select(Direction::ALL.to_vec());
    let version = 0..i64::MAX.unsigned_abs();
    (setup, direction, any::<bool>(), prop::option::of(any::<u64>()), version, any::<bool>()).prop_map(
        |(setup, direction, cema, max_size, session_version, is_large)| {
            let local = if is_large { large() } else { chat() };
            Local { setup, direction, cema, max_size, session_version, accept_wrapped_types: b"text/plain", ..local }
        },
    )
}

fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "v=0",
        "o=- 1 1 IN IP4 192.0.2.9",
        "s=-",
        "t=0 0",
        "c=IN IP4 192.0.2.9",
        "c=IN IP6 ::1",
        "m=message 7654 TCP/MSRP *",
        "m=message 0 TCP/MSRP *",
        "m=message 7654 TCP/TLS/MSRP",
        "m=audio 1/2 RTP/AVP 0",
        PATH,
        "a=path:msrp://a;tcp msrps://[::1]:9/b;tcp",
        "a=accept-types:*",
        "a=accept-wrapped-types:* text/plain",
        "a=setup:passive",
        "a=setup:active",
        "a=max-size:99999999999999999999",
        "a=msrp-cema",
        "a=inactive",
        "a=:",
        "a=",
    ]);
    let end = prop::sample::select(vec!["\r\n", "\n", "\r", "\n\n"]);
    prop::collection::vec((line, end), 0..12).prop_map(|parts| {
        let start = b"v=0\no=- 1 1 IN IP4 h\n".to_vec();
        parts.iter().fold(start, |text, (line, end)| [&text, line.as_bytes(), end.as_bytes()].concat())
    })
}

fn ask_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(session) = Session::parse(bytes) else { return Ok(()) };
    for ours in ["chat", "large", "connecting", "plain", "ipv6"].map(local) {
        let mut out = Vec::new();
        if let Ok(agreed) = answer(&session, &ours, &mut out) {
            is_proper_answer(&session, &agreed, &out);
            prop_assert!(matches!(change(&session, &agreed), Change::Nothing));
        }
        let _ = read_answer(&session, &ours);
    }
    Ok(())
}

proptest! {
    #[test]
    fn offerer_and_answerer_agree(offerer in a_local(), answerer in a_local()) {
        let (mut offer, mut answered) = (Vec::new(), Vec::new());
        msrp::offer(&offerer, &mut offer);
        let theirs = answer(&Session::parse(&offer).unwrap(), &answerer, &mut answered).unwrap();
        let ours = read_answer(&Session::parse(&answered).unwrap(), &offerer).unwrap();
        prop_assert_ne!(ours.setup, theirs.setup);
        prop_assert_eq!(ours.cema, theirs.cema);
        prop_assert_eq!(ours.direction.sends(), theirs.direction.receives());
        prop_assert_eq!(ours.direction.receives(), theirs.direction.sends());
        prop_assert_eq!((ours.max_size, theirs.max_size), (answerer.max_size, offerer.max_size));
        prop_assert_eq!(&ours.peer_path, answerer.path);
    }

    #[test]
    fn no_description_makes_the_reader_panic(bytes: Vec<u8>, lines in lines()) {
        ask_everything(&bytes)?;
        ask_everything(&lines)?;
    }
}
