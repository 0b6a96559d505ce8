//! Octets kept in place: a value of bounded length without a heap allocation.

/// At most `N` octets, `N <= 255`.
#[derive(Clone, Copy)]
pub struct Inline<const N: usize> {
    len: u8,
    octets: [u8; N],
}

impl<const N: usize> Inline<N> {
    const FITS: () = assert!(N <= 255);

    /// No octets.
    #[must_use]
    pub const fn new() -> Inline<N> {
        let () = Self::FITS;
        Inline { len: 0, octets: [0; N] }
    }

    /// A copy of `bytes`, or `None` if they are more than `N`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Inline<N>> {
        let mut inline = Inline::new();
        inline.extend(bytes).then_some(inline)
    }

    /// The first `len` octets of `bytes`, or `None` if they are more than `N` or not there. Copies all `N` where it can:
    /// copying a known number is cheaper.
    #[must_use]
    #[inline]
    pub fn from_first(bytes: &[u8], len: usize) -> Option<Inline<N>> {
        match bytes.first_chunk::<N>() {
            Some(octets) if len <= N => Some(Inline { len: u8::try_from(len).ok()?, octets: *octets }),
            _ => Inline::from_slice(bytes.get(..len)?),
        }
    }

    /// Appends all of `bytes`, or nothing and says `false`.
    #[must_use]
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) -> bool {
        let start = usize::from(self.len);
        let Some(room) = self.octets.get_mut(start..start + bytes.len()) else { return false };
        room.copy_from_slice(bytes);
        self.len += u8::try_from(bytes.len()).unwrap_or(0);
        true
    }

    /// Appends one octet, or says `false` if there is no room.
    #[must_use]
    #[inline]
    pub fn push(&mut self, octet: u8) -> bool {
        self.extend(&[octet])
    }
}

impl<const N: usize> core::ops::Deref for Inline<N> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl<const N: usize> AsRef<[u8]> for Inline<N> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> Default for Inline<N> {
    fn default() -> Inline<N> {
        Inline::new()
    }
}

impl<const N: usize> PartialEq for Inline<N> {
    fn eq(&self, other: &Inline<N>) -> bool {
        **self == **other
    }
}

impl<const N: usize> Eq for Inline<N> {}

impl<const N: usize> core::fmt::Debug for Inline<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&**self, f)
    }
}
