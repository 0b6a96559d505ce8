//! Lists of media types as accept-types and accept-wrapped-types write them (RFC 4975 8.6): `text/plain`, `text/*`, `*`.

use crate::wire::sdp::words;

/// Whether a list accepts `media_type`, whose parameters do not matter.
#[must_use]
pub fn accepts(list: &[u8], media_type: &[u8]) -> bool {
    words(list).any(|range| overlap(range, media_type))
}

/// Whether a type or range of one list is in the other.
#[must_use]
pub fn share(one: &[u8], other: &[u8]) -> bool {
    words(one).any(|range| accepts(other, range))
}

/// Whether every type or range of a list has something in common with the other list.
pub(super) fn are_all_in(list: &[u8], other: &[u8]) -> bool {
    words(list).all(|range| accepts(other, range))
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    let ((one, one_sub), (other, other_sub)) = (split(one), split(other));
    is_part(one, other) && is_part(one_sub, other_sub)
}

fn is_part(one: &[u8], other: &[u8]) -> bool {
    one == b"*" || other == b"*" || one.eq_ignore_ascii_case(other)
}

/// Type and subtype without parameters; of `*` alone both.
fn split(range: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b';', range).unwrap_or(range.len());
    let range = range.get(..end).unwrap_or_default().trim_ascii();
    match memchr::memchr(b'/', range) {
        Some(slash) => (range.get(..slash).unwrap_or_default(), range.get(slash + 1..).unwrap_or_default()),
        None if range == b"*" => (b"*", b"*"),
        None => (range, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_accept_their_types() {
        for (list, media_type, accepted) in [
            ("message/cpim", "message/cpim", true),
            ("text/plain Message/CPIM", "message/cpim", true),
            ("*", "image/png", true),
            ("text/plain message/*", "message/cpim", true),
            ("*/*", "a/b", true),
            ("text/plain;charset=utf-8", "text/plain", true),
            ("text/plain", "text/plain; charset=utf-8", true),
            ("text/*", "message/cpim", false),
            ("text/plain", "text/html", false),
            ("message", "message/cpim", false),
            ("", "text/plain", false),
        ] {
            assert_eq!(accepts(list.as_bytes(), media_type.as_bytes()), accepted, "{list} {media_type}");
        }
    }

    #[test]
    fn a_range_of_the_peer_is_met_by_a_type_of_ours() {
        assert!(are_all_in(b"text/* message/imdn+xml", b"text/plain message/imdn+xml"));
        assert!(!are_all_in(b"text/plain image/jpeg", b"text/plain"));
        assert!(share(b"image/jpeg text/plain", b"text/*") && !share(b"image/jpeg", b"text/*"));
    }
}
