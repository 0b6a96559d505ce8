//! Searches and comparisons of a few dozen octets, where a general one's preparations cost as much as its work.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Where `octet` first stands in `bytes`.
#[inline]
#[must_use]
pub(crate) fn first(octet: u8, bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks();
    let wanted = ONES * u64::from(octet);
    for (number, word) in words.iter().enumerate() {
        // An octet that became zero borrows from its own highest bit, and the lowest such octet is always a true one.
        let differing = u64::from_le_bytes(*word) ^ wanted;
        let found = differing.wrapping_sub(ONES) & !differing & HIGHS;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|found| *found == octet).map(|at| words.len() * 8 + at)
}

/// Whether `name` is the known one in any case. Nearly every peer writes it as the specification does, and then one look
/// at words says so.
#[inline(always)]
#[must_use]
pub(crate) fn is(name: &[u8], known: &'static [u8]) -> bool {
    name.len() == known.len() && (name == known || name.eq_ignore_ascii_case(known))
}

/// Where `octet` last stands in `bytes`.
#[inline]
#[must_use]
pub(crate) fn last(octet: u8, bytes: &[u8]) -> Option<usize> {
    let (rest, words) = bytes.as_rchunks();
    let wanted = ONES * u64::from(octet);
    for (number, word) in words.iter().enumerate().rev() {
        let differing = u64::from_le_bytes(*word) ^ wanted;
        // No borrow and no carry: what is found is exactly what is there.
        let found = !(((differing & !HIGHS) + !HIGHS) | differing | !HIGHS);
        if found != 0 {
            return Some(rest.len() + number * 8 + 7 - found.leading_zeros() as usize / 8);
        }
    }
    rest.iter().rposition(|found| *found == octet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_octet_finds(octet in 0..4_u8, bytes in proptest::collection::vec(0..4_u8, 0..40)) {
            prop_assert_eq!(super::first(octet, &bytes), bytes.iter().position(|found| *found == octet));
            let high: Vec<u8> = bytes.iter().map(|low| low | 0x80).collect();
            prop_assert_eq!(super::first(octet | 0x80, &high), bytes.iter().position(|found| *found == octet));
            prop_assert_eq!((super::first(octet, &high), super::last(octet, &high)), (None, None));
            prop_assert_eq!(super::last(octet, &bytes), bytes.iter().rposition(|found| *found == octet));
            prop_assert_eq!(super::last(octet | 0x80, &high), bytes.iter().rposition(|found| *found == octet));
        }
    }
}
