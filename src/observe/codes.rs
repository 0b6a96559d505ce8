//! How often each result code came, in bounded space.

/// Counts of at most `N` codes; what finds no room is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes<const N: usize> {
    entries: [(u32, u64); N],
    other: u64,
}

impl<const N: usize> Codes<N> {
    /// One more of `code`.
    pub fn add(&mut self, code: u32) {
        match self.entries.iter_mut().find(|(of, count)| *of == code || *count == 0) {
            Some(entry) => *entry = (code, entry.1 + 1),
            None => self.other += 1,
        }
    }

    /// Codes and counts, in the order in which the codes first came.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.entries.iter().copied().take_while(|(_, count)| *count > 0)
    }

    /// How often there was no room.
    #[must_use]
    pub const fn other(&self) -> u64 {
        self.other
    }
}

impl<const N: usize> Default for Codes<N> {
    fn default() -> Codes<N> {
        Codes { entries: [(0, 0); N], other: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_together() {
        let mut codes = Codes::<2>::default();
        [0, 0x58, 0, 0x14, 0x45].into_iter().for_each(|code| codes.add(code));
        assert_eq!(codes.iter().collect::<Vec<_>>(), [(0, 2), (0x58, 1)]);
        assert_eq!(codes.other(), 2);
    }
}
