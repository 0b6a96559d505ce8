//! Framer: octets in, pieces out.

use core::time::Duration;

use bytes::Bytes;
use isthmus::engine::Moment;
use isthmus::engine::msrp::{Framed, Framer, OwnedPiece};
use isthmus::limits;
use isthmus::wire::msrp::Continuation;
use proptest::prelude::*;

use super::world::{LOCAL, PEER, request};

/// Head, content and flag of each frame; the content in the pieces it came in.
type Whole = (Option<Vec<u8>>, Vec<OwnedPiece>, Option<Continuation>);

fn drain(framer: &mut Framer, found: &mut Vec<Whole>) {
    loop {
        match framer.next_piece() {
            Framed::Piece(piece) => {
                if let Some((section, _)) = piece.head() {
                    found.push((Some(section.to_vec()), Vec::new(), None));
                }
                let last = found.last_mut().expect("a head comes first");
                assert!(last.2.is_none(), "nothing comes behind the end");
                last.2 = piece.end();
                last.1.extend(Some(piece.to_owned()).filter(|piece| !piece.lend().data().is_empty()));
            }
            Framed::Nothing => return,
            Framed::Broken(why) => panic!("{why}"),
        }
    }
}

fn send(id: &str, content: Option<&[u8]>, flag: char) -> Vec<u8> {
    let content_type = content.map_or("", |_| "Content-Type: text/plain\r\n");
    request(id, "SEND", (LOCAL, PEER), &format!("Message-ID: m1\r\n{content_type}"), content, flag)
}

#[test]
fn whole_chunks_stay_in_their_buffer() {
    let stream = Bytes::from([send("id01", Some(b"hello"), '+'), send("id02", Some(b""), '$')].concat());
    let (mut framer, mut found) = (Framer::new(), Vec::new());
    framer.push(Moment(0), stream.clone());
    drain(&mut framer, &mut found);
    assert_eq!(found.len(), 2);
    let place = stream.windows(5).position(|five| five == b"hello").unwrap();
    assert_eq!(found[0].1[0].lend().data().as_ptr(), stream[place..].as_ptr());
    assert_eq!((found[0].2, found[1].2), (Some(Continuation::More), Some(Continuation::Complete)));
    assert!(found[1].1.is_empty());
}

#[test]
fn line_ends_between_requests_are_passed_over() {
    let (mut framer, mut found) = (Framer::new(), Vec::new());
    for octets in [b"\r\n\r\n".to_vec(), b"\r".to_vec(), b"\n".to_vec(), send("id01", None, '$')] {
        framer.push(Moment(0), octets.into());
        assert_eq!(framer.deadline(), None);
        drain(&mut framer, &mut found);
    }
    assert_eq!((found.len(), framer.bytes_held()), (1, 0));
}

#[test]
fn a_head_must_be_whole_in_time_and_content_may_take_its_own() {
    let stream = send("id01", Some(b"hello"), '$');
    let (mut framer, mut found) = (Framer::new(), Vec::new());
    framer.push(Moment(5), Bytes::copy_from_slice(&stream[..20]));
    drain(&mut framer, &mut found);
    let deadline = Moment(5) + Duration::from_secs(10);
    assert_eq!(framer.deadline(), Some(deadline));
    framer.push(Moment(9), Bytes::copy_from_slice(&stream[20..40]));
    drain(&mut framer, &mut found);
    assert_eq!(framer.deadline(), Some(deadline), "more of a head earns no more time");
    framer.push(Moment(9), Bytes::copy_from_slice(&stream[40..stream.len() - 9]));
    drain(&mut framer, &mut found);
    assert_eq!((framer.deadline(), found.len()), (None, 1));
}

#[test]
fn what_is_no_msrp_breaks_the_connection_for_good() {
    let mut long = b"MSRP id01 SEND\r\nX: ".to_vec();
    long.resize(limits::MSRP_HEADER_SECTION_BYTES_MAX + 1_000, b'x');
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), b"MSRP x SEND\r\n\r\n".to_vec(), long] {
        for step in [1, 700, usize::MAX] {
            let mut framer = Framer::new();
            let mut broken = false;
            for octets in garbage.chunks(step.min(garbage.len())) {
                framer.push(Moment(0), Bytes::copy_from_slice(octets));
                broken |= matches!(framer.next_piece(), Framed::Broken(_));
                assert!(framer.bytes_held() <= limits::MSRP_HEADER_SECTION_BYTES_MAX);
            }
            assert!(broken);
            framer.push(Moment(0), send("id01", None, '$').into());
            assert!(matches!(framer.next_piece(), Framed::Broken(_)));
        }
    }
}

/// Content that looks like an end line up to its last octets.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop_oneof![
        Just(b"\r\n-------id".to_vec()),
        Just(b"\r\n-------id07x".to_vec()),
        Just(b"\r\n-------id07$\r".to_vec()),
        Just(b"-------id07$\r\n".to_vec()),
        Just(b"\r\n\r".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(telling, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    /// Wherever reads cut the stream, the frames are those that were sent.
    #[test]
    fn cuts_change_nothing(
        frames in proptest::collection::vec((0..9u8, proptest::option::of(content()), prop_oneof![Just('$'), Just('+'), Just('#')]), 1..6),
        cuts in proptest::collection::vec(1..120usize, 1..60),
    ) {
        let id = |number: u8| format!("id0{number}");
        // A sender chooses an id that is not in its content.
        let frames: Vec<_> = frames
            .into_iter()
            .filter(|(number, content, _)| {
                let end = format!("\r\n-------{}", id(*number)).into_bytes();
                content.as_ref().is_none_or(|content| !content.windows(end.len()).any(|part| part == end))
            })
            .collect();
        let stream: Vec<u8> =
            frames.iter().flat_map(|(number, content, flag)| send(&id(*number), content.as_deref(), *flag)).collect();
        let (mut framer, mut found, mut rest) = (Framer::new(), Vec::new(), stream.as_slice());
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            framer.push(Moment(0), Bytes::copy_from_slice(now));
            drain(&mut framer, &mut found);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(framer.bytes_held(), 0);
        prop_assert_eq!(found.len(), frames.len());
        for ((_, slices, end), (_, content, flag)) in found.iter().zip(&frames) {
            let octets: Vec<u8> = slices.iter().flat_map(|piece| piece.lend().data()).copied().collect();
            prop_assert_eq!(octets, content.clone().unwrap_or_default());
            prop_assert_eq!(end.map(|end| char::from(end.flag())), Some(*flag));
        }
    }
}
