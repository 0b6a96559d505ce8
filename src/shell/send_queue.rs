//! What waits to be sent on one connection.

use std::collections::VecDeque;

use crate::limits;

/// How much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Usual,
    /// Who is to read it is to ask for nothing more.
    Long,
    /// Who is to read it is too slow.
    TooLong,
}

/// Octets in order, in the buffers they were handed over in.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    buffers: VecDeque<Vec<u8>>,
    /// Octets of the first buffer that have left.
    sent: usize,
    bytes: usize,
    left: u64,
}

impl SendQueue {
    pub(super) fn push(&mut self, buffer: Vec<u8>) {
        self.bytes += buffer.len();
        self.buffers.push_back(buffer);
    }

    pub(super) fn length(&self) -> Length {
        if self.bytes > limits::LINK_SEND_QUEUE_BYTES_MAX {
            Length::TooLong
        } else if self.bytes > limits::LINK_UNREAD_BYTES_MAX {
            Length::Long
        } else {
            Length::Usual
        }
    }

    /// Octets that have left so far.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Buffers that they lie in.
    pub(super) fn buffers(&self) -> usize {
        self.buffers.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// What to send next, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let first = self.buffers.front().and_then(|buffer| buffer.get(self.sent..));
        first.into_iter().chain(self.buffers.iter().skip(1).map(Vec::as_slice)).filter(|part| !part.is_empty())
    }

    /// `sent` octets have left; buffers that are done with go to `spent`.
    pub(super) fn advance(&mut self, sent: usize, spent: &mut Vec<Vec<u8>>) {
        self.left += sent as u64;
        self.bytes = self.bytes.saturating_sub(sent);
        self.sent += sent;
        while self.buffers.front().is_some_and(|first| first.len() <= self.sent) {
            let Some(first) = self.buffers.pop_front() else { break };
            self.sent -= first.len();
            spent.push(first);
        }
    }

    /// Nothing more will leave.
    pub(super) fn give_up(&mut self, spent: &mut Vec<Vec<u8>>) {
        (self.bytes, self.sent) = (0, 0);
        spent.extend(self.buffers.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::SendQueue;

    #[test]
    fn whatever_the_pieces_the_octets_leave_in_order() {
        for step in 1..=12 {
            let (mut queue, mut spent, mut left) = (SendQueue::default(), Vec::new(), Vec::new());
            [&b"ab"[..], b"", b"cdef", b"g", b"hijkl"].into_iter().for_each(|part| queue.push(part.to_vec()));
            while !queue.is_empty() {
                let next: Vec<u8> = queue.parts().flatten().take(step).copied().collect();
                queue.advance(next.len(), &mut spent);
                left.extend(next);
            }
            assert_eq!((left.as_slice(), spent.len()), (&b"abcdefghijkl"[..], 5), "{step}");
        }
    }
}
