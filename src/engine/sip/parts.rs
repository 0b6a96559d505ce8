//! Octet strings that are kept together: one allocation for all of them.

/// `N` octet strings, one after another in one buffer.
#[derive(Clone, Debug)]
pub(super) struct Parts<const N: usize> {
    octets: Vec<u8>,
    ends: [u32; N],
}

impl<const N: usize> Parts<N> {
    /// Each part is written as pieces.
    pub(super) fn of(parts: [&[&[u8]]; N]) -> Parts<N> {
        let len = parts.iter().flat_map(|pieces| pieces.iter()).map(|piece| piece.len()).sum();
        let (mut octets, mut ends) = (Vec::with_capacity(len), [0; N]);
        for (pieces, end) in parts.iter().zip(&mut ends) {
            for piece in *pieces {
                octets.extend_from_slice(piece);
            }
            *end = at(octets.len());
        }
        Parts { octets, ends }
    }

    /// A part; the empty one if it was never set.
    pub(super) fn get(&self, part: usize) -> &[u8] {
        self.octets.get(self.place(part)).unwrap_or_default()
    }

    /// Octets of all parts.
    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    /// Puts another in its place.
    pub(super) fn set(&mut self, part: usize, octets: &[u8]) {
        let place = self.place(part);
        if self.octets.get(place.clone()) == Some(octets) {
            return;
        }
        let shift = |end: u32| at((end as usize + octets.len()).saturating_sub(place.len()));
        let ends = self.ends.map(shift);
        self.octets.reserve_exact(octets.len().saturating_sub(place.len()));
        self.octets.splice(place, octets.iter().copied());
        self.octets.shrink_to_fit();
        for (old, new) in self.ends.iter_mut().zip(ends).skip(part) {
            *old = new;
        }
    }

    fn place(&self, part: usize) -> core::ops::Range<usize> {
        let end = |part: usize| self.ends.get(part).map_or(0, |&end| end as usize);
        (if part == 0 { 0 } else { end(part - 1) })..end(part)
    }
}

fn at(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_changes_leaves_the_others_alone() {
        let mut parts = Parts::of([&[b"a", b"b"], &[], &[b"cde"], &[b"f"]]);
        for (part, octets) in [(1, b"longer".as_slice()), (2, b""), (0, b"x"), (3, b"four")] {
            parts.set(part, octets);
            assert_eq!(parts.get(part), octets);
        }
        let all = [0, 1, 2, 3].map(|part| parts.get(part));
        assert_eq!(all, [b"x".as_slice(), b"longer", b"", b"four"]);
        assert_eq!((parts.len(), parts.get(4)), (11, b"".as_slice()));
    }
}
