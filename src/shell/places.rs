//! What a core has under way, each thing at a place that has had a number of uses.

use crate::engine::transport::LinkId;

use super::token::Token;

/// A bounded table. Things are named like connections, for most of them are.
#[derive(Debug)]
pub(super) struct Places<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    max: usize,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    thing: Option<T>,
}

impl<T> Places<T> {
    pub(super) const fn new(max: usize) -> Places<T> {
        Places { places: Vec::new(), free: Vec::new(), max }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    /// Adds a thing, unless all places are taken.
    pub(super) fn insert(&mut self, thing: T) -> Option<LinkId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() < self.max => self.grow(),
            None => return None,
        };
        let place = &mut self.places[index as usize];
        place.thing = Some(thing);
        Some(LinkId { index, generation: place.generation })
    }

    fn grow(&mut self) -> u32 {
        self.places.push(Place { generation: 0, thing: None });
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    /// The name of what an order was made for, if it is still there.
    pub(super) fn named(&self, token: Token) -> Option<LinkId> {
        let place = self.places.get(token.index as usize).filter(|place| place.thing.is_some())?;
        token.fits(place.generation).then_some(LinkId { index: token.index, generation: place.generation })
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&T> {
        let place = self.places.get(id.index as usize)?;
        if place.generation == id.generation { place.thing.as_ref() } else { None }
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut T> {
        let place = self.places.get_mut(id.index as usize)?;
        if place.generation == id.generation { place.thing.as_mut() } else { None }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.thing.as_ref())
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<T> {
        let place = self.places.get_mut(id.index as usize).filter(|place| place.generation == id.generation)?;
        let thing = place.thing.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn an_old_name_does_not_reach_a_new_thing() {
        let mut places = Places::new(1);
        let old = places.insert("old").expect("room");
        assert_eq!((places.is_full(), places.insert("none")), (true, None));
        assert_eq!(places.remove(old), Some("old"));
        let new = places.insert("new").expect("room");
        assert_eq!((old.index, places.get(old)), (new.index, None));
        assert_eq!(places.remove(old), None);
        assert_eq!((places.get(new), places.len()), (Some(&"new"), 1));
    }
}
