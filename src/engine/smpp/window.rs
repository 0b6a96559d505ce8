//! Submissions in flight (SMPP 3.4 2.7): how many, whose, and since when.
//!
//! A slot's place is its sequence number modulo the capacity, so a response finds its request without a search. All
//! wait equally long, so the one with the lowest sequence number times out first.

use crate::engine::Moment;
use crate::wire::smpp::CommandId;

/// sequence_number runs from 1 to here and then from 1 again (SMPP 3.4 5.1.4).
const SEQUENCE_NUMBER_MAX: u32 = 0x7FFF_FFFF;

/// The sequence number after `sequence`.
pub(super) const fn after(sequence: u32) -> u32 {
    if sequence >= SEQUENCE_NUMBER_MAX { 1 } else { sequence + 1 }
}

/// A request that was sent.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) token: u64,
    pub(super) command_id: CommandId,
    pub(super) sent_at: Moment,
    /// Its rank among all submissions, to go back to its place in the queue.
    pub(super) rank: u64,
    /// Until when it may be sent again.
    pub(super) until: Moment,
    /// The PDU, if it may be sent again.
    pub(super) retained: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Slot {
    sequence_number: u32,
    in_flight: InFlight,
}

/// At most `limit` requests in flight.
#[derive(Debug)]
pub(super) struct Window {
    slots: Vec<Option<Slot>>,
    limit: usize,
    used: usize,
    /// Sequence number of the request in flight for longest; meaningless when there is none.
    oldest: u32,
}

impl Window {
    pub(super) fn new(limit: usize) -> Window {
        let capacity = limit.next_power_of_two();
        Window { slots: (0..capacity).map(|_| None).collect(), limit, used: 0, oldest: 0 }
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn is_full(&self) -> bool {
        self.used >= self.limit
    }

    fn place(&self, sequence_number: u32) -> usize {
        sequence_number as usize & (self.slots.len() - 1)
    }

    /// Whether a request with this number can be remembered. Among as many successive numbers as there are slots one
    /// can be, unless the window is full.
    pub(super) fn is_free(&self, sequence_number: u32) -> bool {
        self.slots[self.place(sequence_number)].is_none()
    }

    /// Remembers a request. Numbers must come in order and be free.
    pub(super) fn insert(&mut self, sequence_number: u32, in_flight: InFlight) {
        assert!(!self.is_full() && self.is_free(sequence_number));
        let place = self.place(sequence_number);
        self.slots[place] = Some(Slot { sequence_number, in_flight });
        if self.used == 0 {
            self.oldest = sequence_number;
        }
        self.used += 1;
    }

    /// Takes the request that a response with this number and id answers.
    pub(super) fn take(&mut self, sequence_number: u32, response: CommandId) -> Option<InFlight> {
        let slot = self.slots[self.place(sequence_number)].as_ref()?;
        let answers = response == slot.in_flight.command_id.response() || response == CommandId::GENERIC_NACK;
        (slot.sequence_number == sequence_number && answers).then(|| self.remove(sequence_number))?
    }

    /// Takes the request in flight for longest if it was sent at or before `sent_at`.
    pub(super) fn take_sent_by(&mut self, sent_at: Moment) -> Option<InFlight> {
        let due = self.oldest_sent_at().is_some_and(|oldest| oldest <= sent_at);
        due.then(|| self.remove(self.oldest))?
    }

    pub(super) fn oldest_sent_at(&self) -> Option<Moment> {
        let slot = self.slots[self.place(self.oldest)].as_ref().filter(|_| self.used > 0)?;
        Some(slot.in_flight.sent_at)
    }

    fn remove(&mut self, sequence_number: u32) -> Option<InFlight> {
        let place = self.place(sequence_number);
        let slot = self.slots[place].take()?;
        self.used -= 1;
        if sequence_number == self.oldest && self.used > 0 {
            self.find_oldest();
        }
        Some(slot.in_flight)
    }

    fn find_oldest(&mut self) {
        let holds = |window: &Window, number: u32| {
            window.slots[window.place(number)].as_ref().is_some_and(|slot| slot.sequence_number == number)
        };
        while !holds(self, self.oldest) {
            self.oldest = after(self.oldest);
        }
    }
}
