//! What the kernel has taken of connections that are watched.

use super::places::Places;
use crate::engine::transport::LinkId;

/// The count of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Credit {
    watched: bool,
    bytes: usize,
}

impl Credit {
    pub(super) fn watch(&mut self) {
        self.watched = true;
    }

    /// Counts; whether the connection has to be noted for `next`.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize) -> bool {
        let first = self.watched && bytes > 0 && self.bytes == 0;
        if self.watched {
            self.bytes += bytes;
        }
        first
    }
}

/// Takes the next count that was noted; those of connections that are gone are left out.
pub(super) fn next<T>(
    noted: &mut Vec<LinkId>,
    links: &mut Places<T>,
    credit: fn(&mut T) -> &mut Credit,
) -> Option<(LinkId, usize)> {
    loop {
        let id = noted.pop()?;
        if let Some(link) = links.get_mut(id) {
            return Some((id, core::mem::take(&mut credit(link).bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_is_told_once_and_only_of_those_who_asked() {
        let (mut links, mut noted) = (Places::new(3), Vec::new());
        let ids: Vec<_> = (0..3).map(|_| links.insert(Credit::default()).expect("room")).collect();
        ids[1..].iter().for_each(|id| links.get_mut(*id).expect("there").watch());
        for (id, bytes) in [(ids[0], 5), (ids[1], 7), (ids[2], 1), (ids[1], 8), (ids[2], 0)] {
            if links.get_mut(id).expect("there").add(bytes) {
                noted.push(id);
            }
        }
        links.remove(ids[2]);
        assert_eq!(next(&mut noted, &mut links, |credit| credit), Some((ids[1], 15)));
        assert_eq!(next(&mut noted, &mut links, |credit| credit), None);
        assert!(links.get_mut(ids[1]).expect("there").add(1));
    }
}
