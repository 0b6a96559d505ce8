//! Connections and what has arrived on them of a frame that is not whole.

use crate::engine::transport::LinkId;
use crate::wire::Framing;

/// Something for each connection.
#[derive(Debug)]
pub(super) struct Links<T> {
    places: Vec<Option<(LinkId, T)>>,
}

impl<T> Links<T> {
    pub(super) const fn new() -> Links<T> {
        Links { places: Vec::new() }
    }

    pub(super) fn insert(&mut self, link: LinkId, value: T) {
        let index = link.index as usize;
        if self.places.len() <= index {
            self.places.resize_with(index + 1, || None);
        }
        self.places[index] = Some((link, value));
    }

    pub(super) fn get(&self, link: LinkId) -> Option<&T> {
        let place = self.places.get(link.index as usize)?.as_ref();
        place.filter(|(known, _)| *known == link).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, link: LinkId) -> Option<&mut T> {
        let place = self.places.get_mut(link.index as usize)?.as_mut();
        place.filter(|(known, _)| *known == link).map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, link: LinkId) -> Option<T> {
        self.get_mut(link)?;
        self.places.get_mut(link.index as usize)?.take().map(|(_, value)| value)
    }
}

/// Hands every whole frame of what has arrived to `each`; keeps the rest in `unread`. False if the framing is lost.
pub(super) fn frames(
    unread: &mut Vec<u8>,
    bytes: &[u8],
    frame: impl Fn(&[u8]) -> Framing,
    mut each: impl FnMut(&[u8]),
) -> bool {
    if unread.is_empty() {
        let (read, sane) = whole_ones(bytes, &frame, &mut each);
        unread.extend_from_slice(bytes.get(read..).unwrap_or_default());
        return sane;
    }
    unread.extend_from_slice(bytes);
    let (read, sane) = whole_ones(unread, &frame, &mut each);
    unread.drain(..read);
    sane
}

fn whole_ones(bytes: &[u8], frame: impl Fn(&[u8]) -> Framing, each: &mut impl FnMut(&[u8])) -> (usize, bool) {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return (at, true);
        }
        match frame(rest) {
            Framing::Complete(len) => {
                each(rest.get(..len).unwrap_or_default());
                at += len;
            }
            Framing::Partial => return (at, true),
            Framing::Malformed(_) => return (at, false),
        }
    }
}
