//! MMs that came lately: one that comes again, because its answer was lost, is answered again and not delivered twice.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::limits;
use crate::wire::mail::mm4::RequestStatus;

/// How far an MM has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was never here.
    New,
    /// It is on its way.
    Open,
    /// It ended so for each of its recipients.
    Ended(Box<[RequestStatus]>),
}

/// The MMs, by a hash of what names them.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    by_hash: HashMap<u64, Option<Box<[RequestStatus]>>, foldhash::fast::FixedState>,
    /// The oldest first.
    order: VecDeque<u64>,
}

impl Repeats {
    /// An MM came; from now on it is open.
    pub(super) fn came(&mut self, hash: u64) -> Seen {
        match self.by_hash.get(&hash) {
            Some(Some(statuses)) => Seen::Ended(statuses.clone()),
            Some(None) => Seen::Open,
            None => {
                self.keep(hash);
                Seen::New
            }
        }
    }

    fn keep(&mut self, hash: u64) {
        if self.order.len() >= limits::MMS_REPEATS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
        self.by_hash.insert(hash, None);
        self.order.push_back(hash);
    }

    /// It has ended; without statuses it may come again as if it were new.
    pub(super) fn ended(&mut self, hash: u64, statuses: Option<Box<[RequestStatus]>>) {
        if statuses.is_some() {
            if let Some(seen) = self.by_hash.get_mut(&hash) {
                *seen = statuses;
            }
        } else if self.by_hash.remove(&hash).is_some() {
            self.order.retain(|other| *other != hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_known() {
        let mut repeats = Repeats::default();
        assert_eq!([repeats.came(1), repeats.came(1)], [Seen::New, Seen::Open]);
        let statuses = [RequestStatus::Ok, RequestStatus::ErrorUnspecified];
        repeats.ended(1, Some(statuses.into()));
        assert_eq!(repeats.came(1), Seen::Ended(statuses.into()));
        assert_eq!(repeats.came(2), Seen::New);
        repeats.ended(2, None);
        assert_eq!(repeats.came(2), Seen::New);
        assert_eq!(repeats.order.len(), 2);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut repeats = Repeats::default();
        for hash in 0..=limits::MMS_REPEATS_MAX as u64 {
            assert_eq!(repeats.came(hash), Seen::New);
        }
        assert_eq!((repeats.came(1), repeats.by_hash.len()), (Seen::Open, limits::MMS_REPEATS_MAX));
        assert_eq!(repeats.came(0), Seen::New);
    }
}
