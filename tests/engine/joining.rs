//! Parts of concatenated short messages: any order, repeated, too many, too late.

use std::time::Duration;

use isthmus::engine::joining::{Incomplete, Joined, Joining, JoiningOptions, Outcome, Part};
use isthmus::engine::{Moment, Now};
use isthmus::wire::short_message::National;
use proptest::prelude::*;

fn at(seconds: u64) -> Now {
    Now { moment: Moment(seconds * 1_000_000), unix_ms: 0 }
}

fn part(number: u8, total: u8, octets: &[u8]) -> Part<'_> {
    Part { number, total, ticket: u64::from(number), data_coding: 0, national: National::NONE, octets }
}

fn table() -> Joining {
    Joining::new(JoiningOptions { timeout: Duration::from_secs(60), ..JoiningOptions::default() })
}

fn text(joined: &Joined) -> Vec<u8> {
    joined.parts().flat_map(|part| part.octets.to_vec()).collect()
}

fn complete(outcome: Outcome) -> Joined {
    match outcome {
        Outcome::Complete(joined) => joined,
        other => panic!("expected a complete set, got {other:?}"),
    }
}

#[test]
fn parts_in_any_order() {
    let mut joining = table();
    assert!(matches!(joining.handle_part(at(0), 7, part(3, 3, b"c")), Outcome::Stored));
    assert!(matches!(joining.handle_part(at(1), 7, part(1, 3, b"a")), Outcome::Stored));
    assert_eq!(joining.octets(), 2);
    let joined = complete(joining.handle_part(at(2), 7, part(2, 3, b"b")));
    assert_eq!(text(&joined), b"abc");
    assert_eq!(joined.parts().map(|part| part.ticket).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((joined.key(), joining.octets()), (7, 0));
}

#[test]
fn messages_do_not_mix() {
    let mut joining = table();
    joining.handle_part(at(0), 1, part(1, 2, b"a"));
    joining.handle_part(at(0), 2, part(1, 2, b"x"));
    assert_eq!(text(&complete(joining.handle_part(at(0), 2, part(2, 2, b"y")))), b"xy");
    assert_eq!(text(&complete(joining.handle_part(at(0), 1, part(2, 2, b"b")))), b"ab");
}

#[test]
fn repeated_parts_before_and_after_completion() {
    let mut joining = table();
    joining.handle_part(at(0), 1, part(1, 2, b"a"));
    assert!(matches!(joining.handle_part(at(1), 1, part(1, 2, b"a")), Outcome::Duplicate));
    complete(joining.handle_part(at(2), 1, part(2, 2, b"b")));
    assert!(matches!(joining.handle_part(at(3), 1, part(2, 2, b"b")), Outcome::Duplicate));
    joining.handle_timeout(at(60));
    assert!(joining.is_empty() && joining.poll_expired().is_none() && joining.poll_timeout().is_none());
}

#[test]
fn a_reused_reference_is_a_new_message() {
    let mut joining = table();
    joining.handle_part(at(0), 1, part(1, 2, b"old"));
    assert!(matches!(joining.handle_part(at(1), 1, part(1, 2, b"new")), Outcome::Stored));
    let expired = joining.poll_expired().unwrap();
    assert_eq!(text(&expired.joined), b"old");
    assert_eq!(text(&complete(joining.handle_part(at(2), 1, part(2, 2, b"!")))), b"new!");
    assert!(matches!(joining.handle_part(at(3), 1, part(2, 2, b"?")), Outcome::Stored));
    assert!(joining.poll_expired().is_none());
}

#[test]
fn what_stays_incomplete_ends_at_its_deadline() {
    let options =
        JoiningOptions { timeout: Duration::from_secs(60), incomplete: Incomplete::Refuse, ..Default::default() };
    let mut joining = Joining::new(options);
    joining.handle_part(at(0), 1, part(3, 3, b"c"));
    joining.handle_part(at(10), 2, part(1, 2, b"x"));
    joining.handle_part(at(50), 1, part(1, 3, b"a"));
    assert_eq!(joining.poll_timeout(), Some(at(60).moment));
    joining.handle_timeout(at(59));
    assert!(joining.poll_expired().is_none());
    joining.handle_timeout(at(60));
    let expired = joining.poll_expired().unwrap();
    assert_eq!((text(&expired.joined), expired.joined.is_complete()), (b"ac".to_vec(), false));
    assert_eq!(expired.incomplete, Incomplete::Refuse);
    joining.recycle(expired.joined);
    assert!(joining.poll_expired().is_none());
    assert_eq!((joining.poll_timeout(), joining.octets()), (Some(at(70).moment), 1));
}

#[test]
fn bounded_in_sets_and_octets() {
    let options = JoiningOptions { sets_max: 2, octets_max: 5, ..JoiningOptions::default() };
    let mut joining = Joining::new(options);
    joining.handle_part(at(0), 1, part(1, 2, b"ab"));
    joining.handle_part(at(0), 2, part(1, 2, b"cd"));
    assert!(matches!(joining.handle_part(at(0), 3, part(1, 2, b"e")), Outcome::Full));
    assert!(matches!(joining.handle_part(at(0), 2, part(2, 2, b"ef")), Outcome::Full));
    complete(joining.handle_part(at(0), 1, part(2, 2, b"!")));
    // what is only remembered makes room
    assert!(matches!(joining.handle_part(at(0), 3, part(1, 2, b"e")), Outcome::Stored));
    assert_eq!((joining.len(), joining.octets()), (2, 3));
}

#[test]
fn numbers_that_make_no_sense() {
    let mut joining = table();
    assert!(matches!(joining.handle_part(at(0), 1, part(0, 2, b"")), Outcome::Unusable));
    assert!(matches!(joining.handle_part(at(0), 1, part(3, 2, b"")), Outcome::Unusable));
    assert!(matches!(joining.handle_part(at(0), 1, part(1, 1, b"x")), Outcome::Single));
    assert!(joining.is_empty());
}

proptest! {
    #[test]
    fn every_order_with_repeats_gives_the_message(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 2..40),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..80),
    ) {
        let mut joining = table();
        let total = u8::try_from(pieces.len()).unwrap();
        let shuffled = order.iter().map(|index| index.index(pieces.len()));
        let mut found = Vec::new();
        for index in shuffled.chain(0..pieces.len()) {
            let number = u8::try_from(index + 1).unwrap();
            if let Outcome::Complete(joined) = joining.handle_part(at(0), 9, part(number, total, &pieces[index])) {
                found.push(text(&joined));
            }
        }
        prop_assert_eq!(found, [pieces.concat()]);
        prop_assert_eq!(joining.octets(), 0);
    }
}
