//! Looking for an octet in a short string. A library that searches in vectors wins where there is much to pass over; a
//! header value is at its end before such a search has begun. So here eight octets are looked at together.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod word;

pub use word::find_word;

const WORD_BYTES: usize = 8;
const ONES: u64 = u64::MAX / 0xff;
const TOPS: u64 = ONES << 7;

/// Where the first `wanted` is.
#[inline]
#[must_use]
pub fn find(wanted: u8, octets: &[u8]) -> Option<usize> {
    first(octets, |word| equal(word, wanted))
}

/// Where the first of two octets is.
#[inline]
#[must_use]
pub fn find2(one: u8, other: u8, octets: &[u8]) -> Option<usize> {
    first(octets, |word| equal(word, one) | equal(word, other))
}

/// Where the first of three octets is.
#[inline]
#[must_use]
pub fn find3(one: u8, other: u8, third: u8, octets: &[u8]) -> Option<usize> {
    first(octets, |word| equal(word, one) | equal(word, other) | equal(word, third))
}

/// Where the first octet is that is not printable ASCII.
#[inline]
#[must_use]
pub fn find_odd(octets: &[u8]) -> Option<usize> {
    if octets.len() < 2 * WORD_BYTES { first(octets, odd) } else { find_odd_from(octets, 0) }
}

/// The same from `at` on, of sixteen octets or more; of fewer, `None`.
#[inline(always)]
#[must_use]
pub fn find_odd_from(octets: &[u8], mut at: usize) -> Option<usize> {
    while let Some(pair) = octets.get(at..)?.first_chunk() {
        if let Some(within) = odd_of_two(words(pair)) {
            return Some(at + within);
        }
        at += 2 * WORD_BYTES;
    }
    // The last sixteen octets, without those that were passed.
    let left = octets.len() - at;
    let last =
        u128::from_le_bytes(*octets.last_chunk()?).checked_shr(8 * u32::try_from(2 * WORD_BYTES - left).ok()?)?;
    odd_of_two(words(&last.to_le_bytes())).filter(|&within| within < left).map(|within| at + within)
}

#[inline]
fn odd_of_two(words: [u64; 2]) -> Option<usize> {
    let [one, other] = words.map(less_space);
    if (one | other) & TOPS == 0 {
        return None;
    }
    Some(if one & TOPS != 0 { lowest(one & TOPS) } else { WORD_BYTES + lowest(other & TOPS) })
}

/// Where the last `wanted` is.
#[inline]
#[must_use]
pub fn find_last(wanted: u8, octets: &[u8]) -> Option<usize> {
    let (rest, words) = octets.as_rchunks();
    for (at, word) in words.iter().enumerate().rev() {
        let hits = exactly(u64::from_le_bytes(*word) ^ (ONES * u64::from(wanted)));
        if hits != 0 {
            return Some(rest.len() + at * WORD_BYTES + WORD_BYTES - 1 - hits.leading_zeros() as usize / 8);
        }
    }
    rest.iter().rposition(|found| *found == wanted)
}

/// The top bit of each octet that is zero, and of no other: nothing is borrowed.
#[inline]
const fn exactly(differing: u64) -> u64 {
    !(((differing & !TOPS) + !TOPS) | differing | !TOPS)
}

/// Where the first line ends, and where the next begins. A line of printable ASCII is found by its carriage return.
#[inline]
#[must_use]
pub fn line(octets: &[u8]) -> Option<(usize, usize)> {
    match plain_line(octets) {
        Some(end) => Some((end, end + 2)),
        None => line_with_care(octets),
    }
}

/// Where the first line ends, if there is no control in it and it ends in CR LF, two octets before the next.
#[inline(always)]
#[must_use]
pub fn plain_line(octets: &[u8]) -> Option<usize> {
    let end = find_odd(octets)?;
    octets.get(end..)?.starts_with(b"\r\n").then_some(end)
}

/// The same as [`line`] by the line feed alone.
#[inline(never)]
fn line_with_care(octets: &[u8]) -> Option<(usize, usize)> {
    let feed = memchr::memchr(b'\n', octets)?;
    let line = octets.get(..feed)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line).len(), feed + 1))
}

/// Whether every octet is printable ASCII; `false` may also be said of some others.
#[inline]
#[must_use]
pub fn is_plain(octets: &[u8]) -> bool {
    find_odd(octets).is_none()
}

/// Whether every octet is a decimal digit.
#[inline]
#[must_use]
pub fn is_digits(octets: &[u8]) -> bool {
    first(octets, no_digit).is_none()
}

/// The top bit of each octet that is no decimal digit: beyond nine from '0' the addition reaches it.
#[inline]
const fn no_digit(word: u64) -> u64 {
    let value = word ^ (ONES * b'0' as u64);
    (((value & !TOPS) + ONES * (0x80 - 10)) | value) & TOPS
}

/// The top bit of each octet that is a control, and of most that are not ASCII. The lowest one is right, as below.
#[inline]
const fn odd(word: u64) -> u64 {
    less_space(word) & TOPS
}

#[inline]
const fn less_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20)
}

/// The top bit of each octet of `word` that is `wanted`. Those above the lowest such octet may be wrong, so the lowest
/// bit alone says where.
#[inline]
const fn equal(word: u64, wanted: u8) -> u64 {
    let differing = word ^ (ONES * wanted as u64);
    differing.wrapping_sub(ONES) & !differing & TOPS
}

/// Where the first hit is.
#[inline]
fn first(octets: &[u8], hits: impl Fn(u64) -> u64) -> Option<usize> {
    let Some(last) = octets.last_chunk() else { return first_of_few(octets, hits) };
    for (at, word) in octets.as_chunks().0.iter().enumerate() {
        let hits = hits(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(at * WORD_BYTES + lowest(hits));
        }
    }
    // The last word overlaps the one before it, in which nothing was found.
    let hits = hits(u64::from_le_bytes(*last));
    (hits != 0).then(|| octets.len() - WORD_BYTES + lowest(hits))
}

/// Two words at once.
#[inline]
#[must_use]
pub const fn words(octets: &[u8; 2 * WORD_BYTES]) -> [u64; 2] {
    let both = u128::from_le_bytes(*octets);
    #[allow(clippy::cast_possible_truncation, reason = "each half is taken")]
    [both as u64, (both >> 64) as u64]
}

/// The octets of a word up to the first `wanted`, that one included, then zeros; and where that one is.
#[inline]
#[must_use]
pub const fn until(word: u64, wanted: u8) -> Option<(u64, usize)> {
    match equal(word, wanted) {
        0 => None,
        hits => Some((word & (hits ^ (hits - 1)), lowest(hits))),
    }
}

/// The same in less than a word. What fills the word up may be hit as well.
#[inline(never)]
fn first_of_few(octets: &[u8], hits: impl Fn(u64) -> u64) -> Option<usize> {
    let word = match (octets.first_chunk(), octets.last_chunk()) {
        (Some(first), Some(last)) => {
            let overlap = u64::from(u32::from_le_bytes(*last)) << ((octets.len() - 4) * 8);
            u64::from(u32::from_le_bytes(*first)) | overlap
        }
        _ => octets.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet)),
    };
    Some(lowest(hits(word))).filter(|&at| at < octets.len())
}

/// The octet that the lowest bit stands in.
#[inline]
const fn lowest(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

/// Whether two short strings are the same.
#[inline]
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && match one.len() {
            17..=32 => same_ends::<16>(one, other),
            8..=16 => same_ends::<8>(one, other),
            4..8 => same_ends::<4>(one, other),
            2..4 => same_ends::<2>(one, other),
            _ => one == other,
        }
}

/// Whether the first and the last `N` octets are the same; of strings of one length up to twice that, all of them.
#[inline]
fn same_ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk() && one.last_chunk::<N>() == other.last_chunk()
}

/// Copies a string of one to two words without a zero to the start of `place`; `false` if it is none, or finds no room.
#[inline]
#[must_use]
pub fn copy_without_nul(octets: &[u8], place: &mut [u8]) -> bool {
    let (Some(first), Some(last)) = (octets.first_chunk(), octets.last_chunk()) else { return false };
    let zeros = equal(u64::from_le_bytes(*first), 0) | equal(u64::from_le_bytes(*last), 0);
    let Some(place) = place.get_mut(..octets.len()).filter(|place| zeros == 0 && place.len() <= 2 * WORD_BYTES) else {
        return false;
    };
    if let Some(start) = place.first_chunk_mut() {
        *start = *first;
    }
    if let Some(end) = place.last_chunk_mut() {
        *end = *last;
    }
    true
}

/// Whether a name is the known one in any case. Nearly every peer writes it as the specification does, and then a look at
/// words says so.
#[inline(always)]
#[must_use]
pub fn is(name: &[u8], known: &'static [u8]) -> bool {
    name.len() == known.len() && (name == known || name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_a_line_feed_alone() {
        for before in ["", "\t", "a\rb", "Zoë ", "\u{90}", "long enough for two words, and Zoë in it"] {
            for (end, after) in [("\n", ""), ("\r\n", "\n"), ("\n", "next\r\n"), ("\r\n", "next one")] {
                let text = [before, end, after].concat();
                assert_eq!(line(text.as_bytes()), Some((before.len(), before.len() + end.len())), "{text:?}");
                let plain = end == "\r\n" && before.bytes().all(|octet| (b' '..0xa0).contains(&octet));
                assert_eq!(plain_line(text.as_bytes()), plain.then_some(before.len()), "{text:?}");
            }
            assert_eq!(line(before.as_bytes()), None);
        }
    }

    #[test]
    fn strings_are_the_same_if_every_octet_is() {
        for len in 0..40 {
            let one: Vec<u8> = (0..len).collect();
            assert!(same(&one, &one) && !same(&one, &[&one[..], b"x"].concat()));
            for at in 0..one.len() {
                let mut other = one.clone();
                other[at] = b'x';
                assert!(!same(&one, &other), "{at} of {len}");
            }
        }
    }

    #[test]
    fn the_first_one_is_found_wherever_it_stands_and_nothing_beyond_the_end() {
        for len in 0..40 {
            let mut octets = vec![b'a'; len];
            assert_eq!((find(b':', &octets), find(0, &octets)), (None, None));
            assert!(is_plain(&octets));
            for at in (0..len).rev() {
                // The neighbours of a wanted octet are where a borrow would show.
                octets[at] = b'\r';
                assert_eq!(find_odd(&octets), Some(at));
                assert_eq!(find_odd_from(&octets, at), (len >= 16).then_some(at));
                octets[at] = b':' + 1;
                assert_eq!(find(b':', &octets[..=at]), None);
                assert_eq!(find_odd_from(&octets, at), None);
                octets[at] = b':';
                assert_eq!(find(b':', &octets), Some(at));
                assert_eq!(find2(b'x', b':', &octets), Some(at));
                assert_eq!(find3(b'x', b'y', b':', &octets), Some(at));
            }
        }
    }

    #[test]
    fn every_octet_is_told_from_every_other() {
        for octet in 0..=255_u8 {
            let octets = [octet; 11];
            assert_eq!(is_plain(&octets), (b' '..0xa0).contains(&octet), "{octet}");
            assert_eq!(line(&octets), (octet == b'\n').then_some((0, 1)));
            assert_eq!(is_digits(&octets), octet.is_ascii_digit());
            let mixed: Vec<u8> = octets.iter().copied().chain(*b"0123456789").collect();
            assert!((0..mixed.len()).all(|from| is_digits(&mixed[from..]) == (from >= 11 || octet.is_ascii_digit())));
            for wanted in 0..=255_u8 {
                assert_eq!(find(wanted, &octets), (octet == wanted).then_some(0));
            }
        }
    }

    #[test]
    fn the_last_one_is_found_wherever_it_stands() {
        for len in 0..40 {
            for at in 0..len {
                let mut octets = vec![b':' + 1; len];
                octets[at] = b':';
                octets[0] = b':';
                assert_eq!(find_last(b':', &octets), Some(at));
                assert_eq!(find_last(0, &octets), None);
            }
        }
    }

    #[test]
    fn strings_are_copied_if_no_octet_is_zero_and_they_are_neither_short_nor_long() {
        for len in 0..40 {
            let string: Vec<u8> = (1..=len).collect();
            let mut place = [0; 40];
            assert_eq!(copy_without_nul(&string, &mut place), (8..=16).contains(&len), "{len}");
            if (8..=16).contains(&len) {
                assert_eq!(place[..=string.len()], [&string[..], b"\0"].concat());
                assert!(!copy_without_nul(&string, &mut place[..string.len() - 1]));
            }
            for at in 0..string.len() {
                let mut with_zero = string.clone();
                with_zero[at] = 0;
                assert!(!copy_without_nul(&with_zero, &mut [0; 40]));
            }
        }
    }

    #[test]
    fn names_are_known_in_any_case() {
        assert!(is(b"DateTime", b"DateTime") && is(b"datetime", b"DateTime"));
        assert!(!is(b"DateTim", b"DateTime") && !is(b"DateTimf", b"DateTime"));
    }
}
