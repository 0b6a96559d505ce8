//! The search of [`super::word`] in vectors of 256 bits, on processors that have AVX2. The portable one is its twin.

#![allow(unsafe_code, reason = "vectors are loaded by address, and only where the processor has them")]

use core::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_loadu_si256,
    _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_testz_si256,
};

use super::word::Word;

/// Words of a vector.
const LANES: usize = 8;
/// Vectors that are compared before the next decision, far from the end.
const VECTORS: usize = 8;
/// Lines of a cache that a block fills.
const LINES: usize = LANES * VECTORS * size_of::<Word>() / LINE_BYTES;
const LINE_BYTES: usize = 64;
/// How far ahead memory is asked for: what comes after a chunk is looked for next, and arrives while its head is read.
const AHEAD_BYTES: usize = 2_304;

/// Where the first `wanted` is, counted in words; `None` if the processor has no AVX2.
#[inline]
#[must_use]
pub(super) fn find_word(wanted: Word, words: &[Word]) -> Option<Option<usize>> {
    // SAFETY: the processor has AVX2, which is all that the function asks for.
    std::arch::is_x86_feature_detected!("avx2").then(|| unsafe { find(wanted, words) })
}

#[target_feature(enable = "avx2")]
fn find(wanted: Word, words: &[Word]) -> Option<usize> {
    let sought = _mm256_set1_epi32(i32::from_ne_bytes(wanted));
    let (blocks, _) = words.as_chunks::<{ LANES * VECTORS }>();
    let mut at = blocks.iter().position(|block| in_block(block, sought)).unwrap_or(blocks.len()) * LANES * VECTORS;
    let (vectors, rest) = words.get(at..)?.as_chunks::<LANES>();
    for vector in vectors {
        let hits = lanes(equal(vector, sought));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize);
        }
        at += LANES;
    }
    // The last vector overlaps those before it, in which nothing was found.
    let Some(last) = words.last_chunk().filter(|_| !rest.is_empty()) else {
        return rest.iter().position(|word| *word == wanted);
    };
    let hits = lanes(equal(last, sought));
    (hits != 0).then(|| words.len() - LANES + hits.trailing_zeros() as usize)
}

/// Asks for the octets that lie so far behind a block.
#[inline]
fn prefetch(block: &[Word; LANES * VECTORS]) {
    let ahead = block.as_ptr().cast::<i8>().wrapping_add(AHEAD_BYTES);
    for line in 0..LINES {
        // SAFETY: a prefetch touches no memory and faults at no address, and every x86-64 has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(line * LINE_BYTES)) };
    }
}

/// Whether what is sought is among so many words.
#[target_feature(enable = "avx2")]
#[inline]
fn in_block(block: &[Word; LANES * VECTORS], sought: __m256i) -> bool {
    prefetch(block);
    let (vectors, _) = block.as_chunks::<LANES>();
    let found =
        vectors.iter().fold(_mm256_setzero_si256(), |found, vector| _mm256_or_si256(found, equal(vector, sought)));
    _mm256_testz_si256(found, found) == 0
}

/// All ones in each lane that is what is sought.
#[target_feature(enable = "avx2")]
#[inline]
fn equal(words: &[Word; LANES], sought: __m256i) -> __m256i {
    // SAFETY: the array is 32 octets long, and the load asks for no alignment.
    let words = unsafe { _mm256_loadu_si256(words.as_ptr().cast()) };
    _mm256_cmpeq_epi32(words, sought)
}

/// A bit for each lane that is all ones.
#[target_feature(enable = "avx2")]
#[inline]
fn lanes(vector: __m256i) -> u32 {
    _mm256_movemask_ps(_mm256_castsi256_ps(vector)).cast_unsigned()
}
