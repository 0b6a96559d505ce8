//! Decisions drawn from fuzzed octets. When they are used up, every decision is zero.

/// What is left of the octets.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(octets: &'a [u8]) -> Input<'a> {
        Input(octets)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        let Some((octet, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *octet
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// A number below `bound`, which is 1 to 256.
    pub fn below(&mut self, bound: u16) -> usize {
        usize::from(u16::from(self.u8()) % bound)
    }

    /// As many octets as are there, at most `len`.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Octets that say their length themselves: one octet, then so many.
    pub fn octets(&mut self) -> &'a [u8] {
        let len = usize::from(self.u8());
        self.take(len)
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}
