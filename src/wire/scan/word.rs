//! Looking for four octets in much data, where data are cut into words of four: what seven octets in a row cannot miss.

#[cfg(target_arch = "x86_64")]
use super::avx2;

pub(super) type Word = [u8; 4];

/// Words that are compared before the next decision, far from the end and near to it.
const BLOCK_WORDS: usize = 128;
const FEW_WORDS: usize = 8;

/// Where the first `wanted` is, counted in words.
#[inline]
#[must_use]
pub fn find_word(wanted: Word, words: &[Word]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = avx2::find_word(wanted, words) {
        return found;
    }
    find_portably(wanted, words)
}

/// The same by what every processor has.
#[inline(never)]
fn find_portably(wanted: Word, words: &[Word]) -> Option<usize> {
    let mut at = without::<BLOCK_WORDS>(wanted, words);
    at += without::<FEW_WORDS>(wanted, words.get(at..)?);
    words.get(at..)?.iter().position(|word| *word == wanted).map(|within| at + within)
}

/// How many words at the start hold something else, in steps of a block.
#[inline]
fn without<const WORDS: usize>(wanted: Word, words: &[Word]) -> usize {
    let (blocks, _) = words.as_chunks::<WORDS>();
    let wanted = u32::from_ne_bytes(wanted);
    let is = |word: &Word| if u32::from_ne_bytes(*word) == wanted { u32::MAX } else { 0 };
    let has_some = |block: &[Word; WORDS]| block.iter().fold(0, |found, word| found | is(word)) != 0;
    blocks.iter().position(has_some).unwrap_or(blocks.len()) * WORDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WANTED: Word = *b"----";

    proptest! {
        /// Each way finds the first, wherever others stand and however long the data are.
        #[test]
        fn the_first_is_found(len in 0..400_usize, places in proptest::collection::vec(0..400_usize, 0..4)) {
            let mut words = vec![*b"---x"; len];
            places.iter().filter_map(|place| place.checked_rem(len)).for_each(|place| words[place] = WANTED);
            let first = words.iter().position(|word| *word == WANTED);
            prop_assert_eq!(find_portably(WANTED, &words), first);
            prop_assert_eq!(find_word(WANTED, &words), first);
        }
    }
}
