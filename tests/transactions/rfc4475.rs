//! The torture messages of RFC 4475 at a server: every request that can be answered is, in one well-formed message that
//! finds its way, and a request without an identifier of its own is still told apart.

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, ClientInvite, ResponseRoute, SentBy, ServerInvite, ServerNonInvite};
use isthmus::engine::transport::{ListenerId, Road, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, check};

use crate::torture::{message, table};

const METHODS: &[&[u8]] = &[b"MESSAGE", b"OPTIONS"];
const NOW: Moment = Moment(0);

struct Bench {
    server: ServerNonInvite,
    random: Random,
}

impl Bench {
    fn new() -> Bench {
        Bench { server: ServerNonInvite::new(KeyedHash::new([1, 2])), random: Random::from_seed([3; 32]) }
    }

    fn arrive(&mut self, bytes: &[u8]) -> Arrived {
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).unwrap();
        self.server.handle_request(NOW, &message, &source(), &mut self.random)
    }

    /// The response that `request` gets: refused by check, or 200.
    fn answer(&mut self, request: &[u8]) -> (ResponseRoute, Vec<u8>) {
        let mut index = Index::new();
        let message = Message::parse(request, &mut index).unwrap();
        match check::request(&message, METHODS) {
            Err(refused) => {
                self.server.respond_statelessly(&message, &source(), refused.code, refused.reason, |headers| {
                    refused.write_headers(&message, METHODS, headers);
                });
            }
            Ok(()) => {
                let Arrived::New(id) = self.arrive(request) else { panic!("not new") };
                assert!(self.server.respond(NOW, id, 200, "OK", |_| {}));
            }
        }
        self.server.poll_transmit().unwrap()
    }
}

fn source() -> Source {
    Source { peer: "198.51.100.7:40000".parse().unwrap(), road: Road::Datagram(ListenerId(0)) }
}

fn values(message: &Message<'_>, name: Name) -> Vec<Vec<u8>> {
    let unfolded = |octet: &u8| if matches!(octet, b'\r' | b'\n') { b' ' } else { *octet };
    let fields = message.fields().filter(|field| field.name == name);
    fields.map(|field| field.value.iter().map(unfolded).collect()).collect()
}

/// The rows whose message is a request that parses, with their outcome at the gateway.
fn requests() -> impl Iterator<Item = (&'static str, &'static str, Vec<u8>)> {
    table().map(|row| (row[0], row[5], message(row[0]))).filter(|(_, _, bytes)| !bytes.starts_with(b"SIP/2.0"))
}

#[test]
fn every_request_gets_one_well_formed_response() {
    let mut seen = 0;
    for (name, outcome, bytes) in requests() {
        let mut bench = Bench::new();
        let (route, answer) = bench.answer(&bytes);
        let (mut asked, mut answered) = (Index::new(), Index::new());
        let asked = Message::parse(&bytes, &mut asked).unwrap();
        let answered = Message::parse(&answer, &mut answered).unwrap();
        let expected = if outcome == "ok" { "200" } else { &outcome[..3] };
        assert_eq!(answered.code().to_string(), expected, "{name}");
        assert!(answered.fields().all(|field| !field.raw_name.is_empty()), "{name}");
        assert_eq!((answered.content_length(), answered.body_len_received()), (Ok(Some(0)), 0), "{name}");
        assert_eq!(
            answered.fields().filter(|f| f.name == Name::Via).count(),
            values(&asked, Name::Via).len(),
            "{name}"
        );
        for copied in [Name::From, Name::CallId, Name::CSeq] {
            assert_eq!(values(&answered, copied), values(&asked, copied), "{name}: {}", copied.as_str());
        }
        assert!(matches!(route, ResponseRoute::Datagram { peer, .. } if peer.ip() == source().peer.ip()), "{name}");
        assert!(bench.server.poll_transmit().is_none(), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 44);
}

#[test]
fn a_response_to_a_request_that_was_accepted_has_our_tag() {
    for (name, _, bytes) in requests().filter(|(_, outcome, _)| *outcome == "ok") {
        let (_, answer) = Bench::new().answer(&bytes);
        let mut index = Index::new();
        assert!(Message::parse(&answer, &mut index).unwrap().to().unwrap().tag().is_some(), "{name}");
    }
}

/// 3.2.1: the bare cookie is no identifier; two requests with it are two, and one repeated is one.
#[test]
fn the_bare_cookie_matches_only_its_own_request() {
    let mut bench = Bench::new();
    let first = message("badbranch");
    let text = String::from_utf8(first.clone()).unwrap();
    let other = text.replace("CSeq: 8", "CSeq: 9").replace("sadonfo", "another");
    assert!(matches!(bench.arrive(&first), Arrived::New(_)));
    assert!(matches!(bench.arrive(other.as_bytes()), Arrived::New(_)));
    assert!(matches!(bench.arrive(&first), Arrived::Retransmission));
}

/// What a server transaction answers to an INVITE that passed `check`: by itself, ringing, and finally.
fn answers_to_invite(bytes: &[u8], code: u16) -> Vec<Vec<u8>> {
    let mut server = ServerInvite::new(KeyedHash::new([1, 2]));
    let mut index = Index::new();
    let invite = Message::parse(bytes, &mut index).unwrap();
    let arrived = server.handle_request(NOW, &invite, &source(), &mut Random::from_seed([3; 32]));
    let Arrived::New(id) = arrived else { panic!("{arrived:?}") };
    server.handle_timeout(Moment(200_000));
    assert!(server.respond(Moment(300_000), id, 180, "Ringing", None, |_| {}));
    assert!(server.respond(Moment(400_000), id, code, "X", None, |_| {}));
    std::iter::from_fn(|| server.poll_transmit()).map(|(_, bytes)| bytes).collect()
}

#[test]
fn every_invite_that_passes_gets_well_formed_responses() {
    let mut seen = 0;
    for (name, _, bytes) in requests() {
        let mut asked = Index::new();
        let asked = Message::parse(&bytes, &mut asked).unwrap();
        if asked.method() != b"INVITE" || check::request(&asked, &[b"INVITE"]).is_err() {
            continue;
        }
        seen += 1;
        for code in [200, 486] {
            let answers = answers_to_invite(&bytes, code);
            assert_eq!(answers.len(), 3, "{name}");
            for (answer, code) in answers.iter().zip([100, 180, code]) {
                let mut index = Index::new();
                let answer = Message::parse(answer, &mut index).unwrap();
                assert_eq!(answer.code(), code, "{name}");
                assert!(answer.fields().all(|field| !field.raw_name.is_empty()), "{name}");
                for copied in [Name::From, Name::CallId, Name::CSeq] {
                    assert_eq!(values(&answer, copied), values(&asked, copied), "{name}: {}", copied.as_str());
                }
                assert_eq!(answer.values(Name::Via).count(), asked.values(Name::Via).count(), "{name}");
                let tagged = asked.to().unwrap().tag().is_some() || code > 100;
                assert_eq!(answer.to().unwrap().tag().is_some(), tagged, "{name}: {code}");
            }
        }
    }
    assert_eq!(seen, 7);
}

/// Nothing of RFC 4475 is an answer to what we sent, an acknowledgement or a CANCEL of what we got; and nothing panics.
#[test]
fn torture_finds_no_invite_that_is_not_its_own() {
    let sent_by = SentBy::new(|_, _| b"gw:5060".to_vec());
    let mut client = ClientInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300);
    for bytes in table().map(|row| message(row[0])) {
        let mut index = Index::new();
        let Ok(message) = Message::parse(&bytes, &mut index) else { continue };
        let (mut server, mut random) = (ServerInvite::new(KeyedHash::new([1, 2])), Random::from_seed([3; 32]));
        assert_eq!(client.handle_response(NOW, &message, &mut random), None);
        assert!(!server.handle_ack(NOW, &message));
        assert_eq!(server.find_cancelled(&message), None);
        server.handle_request(NOW, &message, &source(), &mut random);
    }
    assert!(client.is_empty());
}
