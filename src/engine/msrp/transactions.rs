//! Requests whose response may still come.

use std::collections::VecDeque;

use crate::engine::{Moment, Random};
use crate::limits;

/// Characters of a transaction id of ours: 80 random bits (RFC 4975 7.1 wants 64).
const ID_CHARS: usize = 16;

/// A transaction id of ours.
pub(super) type TransactionId = [u8; ID_CHARS];

/// An id that does not occur in `content`, so that nothing there can be taken for the end of the chunk (RFC 4975 7.1).
pub(super) fn mint(random: &mut Random, content: &[u8]) -> TransactionId {
    let mut id = [0; ID_CHARS];
    loop {
        random.token(&mut id);
        if memchr::memmem::find(content, &id).is_none() {
            return id;
        }
    }
}

/// What a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The empty SEND that binds a connection.
    Bind,
    /// A chunk of a message of ours.
    Chunk {
        /// Our number of the message.
        serial: u64,
        /// The caller's.
        token: u64,
    },
}

#[derive(Debug)]
struct Transaction {
    id: TransactionId,
    request: Request,
    deadline: Moment,
}

/// Requests in the order they were sent. All wait equally long, so the first times out first.
#[derive(Debug, Default)]
pub(super) struct Transactions(VecDeque<Transaction>);

impl Transactions {
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= limits::MSRP_TRANSACTIONS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers a request; the oldest is forgotten if there are too many.
    pub(super) fn push(&mut self, id: TransactionId, request: Request, deadline: Moment) {
        if self.is_full() {
            self.0.pop_front();
        }
        self.0.push_back(Transaction { id, request, deadline });
    }

    /// The request that a response answers. A peer answers in order, so the search ends where it starts.
    pub(super) fn take(&mut self, id: &[u8]) -> Option<Request> {
        let at = self.0.iter().position(|transaction| transaction.id == id)?;
        self.0.remove(at).map(|transaction| transaction.request)
    }

    /// The oldest request if its time is over.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<Request> {
        self.0.front().filter(|oldest| oldest.deadline <= now)?;
        self.0.pop_front().map(|transaction| transaction.request)
    }

    /// Forgets the chunks of a message.
    pub(super) fn forget(&mut self, message: u64) {
        let is_its = |request| matches!(request, Request::Chunk { serial, .. } if serial == message);
        self.0.retain(|transaction| !is_its(transaction.request));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.0.front().map(|oldest| oldest.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_in_the_content_is_not_used() {
        let first = mint(&mut Random::from_seed([1; 32]), b"");
        let content = [b"text -------".as_slice(), &first, b"$ text"].concat();
        let second = mint(&mut Random::from_seed([1; 32]), &content);
        assert_ne!(first, second);
    }

    #[test]
    fn requests_are_found_by_id_and_time_out_in_order() {
        let mut transactions = Transactions::default();
        let chunk = |serial| Request::Chunk { serial, token: 7 };
        let ids: Vec<_> = (0..4u8).map(|number| [number; ID_CHARS]).collect();
        for (at, id) in (0..).zip(&ids) {
            transactions.push(*id, chunk(at % 2), Moment(10 + at));
        }
        assert_eq!(transactions.take(&ids[1]), Some(chunk(1)));
        assert_eq!(transactions.take(&ids[1]), None);
        assert_eq!((transactions.take_due(Moment(9)), transactions.deadline()), (None, Some(Moment(10))));
        assert_eq!(transactions.take_due(Moment(10)), Some(chunk(0)));
        transactions.forget(1);
        assert_eq!(transactions.take(&ids[3]), None);
        assert_eq!(transactions.take(&ids[2]), Some(chunk(0)));
        assert!(transactions.is_empty());
    }
}
