//! Octets in receive buffers. Counting who uses a buffer costs more than finding a chunk in it, so it is done once for all
//! that is kept of one.

use bytes::Bytes;

/// Octets of a buffer that is somebody else's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lent<'a> {
    buffer: &'a Bytes,
    start: usize,
    end: usize,
}

impl<'a> Lent<'a> {
    /// All of a buffer.
    pub(super) fn whole(buffer: &'a Bytes) -> Lent<'a> {
        Lent::of(buffer, 0, buffer.len())
    }

    /// The octets from `start` to `end`, which lie in the buffer.
    #[inline]
    pub(super) fn of(buffer: &'a Bytes, start: usize, end: usize) -> Lent<'a> {
        debug_assert!(start <= end && end <= buffer.len());
        Lent { buffer, start, end }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.end == self.start
    }

    #[inline]
    pub(super) fn octets(&self) -> &'a [u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Without the first `count`, or none if they are fewer.
    #[inline]
    pub(super) fn from(self, count: usize) -> Lent<'a> {
        Lent { start: self.end.min(self.start + count), ..self }
    }

    /// To be kept by themselves.
    pub(super) fn to_bytes(self) -> Bytes {
        self.buffer.slice(self.start..self.end)
    }

    /// The buffer, to be kept, and where in it they are.
    pub(super) fn to_parts(self) -> (Bytes, usize, usize) {
        (self.buffer.clone(), self.start, self.end)
    }
}

/// Slices of buffers, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Slices {
    buffers: Vec<Bytes>,
    places: Vec<Place>,
}

/// Where a slice lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    buffer: u32,
    start: u32,
    end: u32,
}

impl Slices {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many slices have fewer octets.
    pub(super) fn shorter_than(&self, octets: usize) -> usize {
        self.places.iter().filter(|place| ((place.end - place.start) as usize) < octets).count()
    }

    #[inline]
    pub(super) fn push(&mut self, slice: Lent<'_>) {
        if !self.buffers.last().is_some_and(|last| is_same(last, slice.buffer)) {
            self.buffers.push(slice.buffer.clone());
        }
        let low = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let (start, end) = (low(slice.start), low(slice.end));
        self.places.push(Place { buffer: low(self.buffers.len() - 1), start, end });
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Lent<'_>> {
        self.places.iter().map(|place| {
            let buffer = &self.buffers[place.buffer as usize];
            Lent::of(buffer, place.start as usize, place.end as usize)
        })
    }
}

/// Whether both are the same octets of the same memory, which nobody can have written to while one is kept.
#[inline]
fn is_same(one: &Bytes, other: &Bytes) -> bool {
    core::ptr::eq(one.as_ptr(), other.as_ptr()) && one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_kept_once_for_all_its_slices() {
        let (one, other) = (Bytes::from(b"abcdef".to_vec()), Bytes::from(b"ghi".to_vec()));
        let mut slices = Slices::default();
        for slice in [Lent::of(&one, 0, 2), Lent::of(&one, 3, 5), Lent::whole(&other), Lent::of(&one, 5, 6)] {
            slices.push(slice);
        }
        let octets: Vec<&[u8]> = slices.iter().map(|slice| slice.octets()).collect();
        assert_eq!((octets.concat().as_slice(), slices.len()), (b"abdeghif".as_slice(), 4));
        assert_eq!(slices.buffers.len(), 3);
    }

    #[test]
    fn parts_stay_within() {
        let buffer = Bytes::from_static(b"abcdef");
        let lent = Lent::of(&buffer, 1, 5);
        assert_eq!((lent.octets(), lent.len()), (b"bcde".as_slice(), 4));
        assert!(lent.from(2).octets() == b"de" && lent.from(9).is_empty());
        assert_eq!(lent.to_bytes(), b"bcde".as_slice());
    }
}
