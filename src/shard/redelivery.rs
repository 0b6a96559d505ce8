//! Short messages that come again because their response was lost with its connection.
//!
//! SMPP 3.4 leaves open whether a deliver_sm_resp written just before a connection broke has arrived. An SM-SC that did
//! not get it delivers the short message again on a new bind; the CPM user must not get it twice. A short message is
//! taken for a repetition only if the bind of the first one is gone and its answer was missing or very young then.

use std::collections::VecDeque;

use core::time::Duration;
use hashbrown::HashMap;

use crate::engine::Moment;
use crate::limits;
use crate::wire::smpp::CommandStatus;

use super::handoff::{BindRef, DeliverRef};

/// An answer older than this when its connection broke has arrived.
const ANSWER_IN_FLIGHT: Duration = Duration::from_secs(2);
/// How long an SM-SC may take to come back with it.
const SUSPICION: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The outcome is open.
    Open,
    /// It was answered.
    Answered(CommandStatus, Moment),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    deliver: DeliverRef,
    arrived: Moment,
    /// Whether a repetition waits in the place of the first.
    repeated: bool,
    state: State,
    /// Its bind is gone; forget it then.
    suspect_until: Option<Moment>,
}

/// What a short message is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// New: deliver it.
    New,
    /// A repetition of one that had this outcome: answer so.
    Answered(CommandStatus),
    /// A repetition of one whose outcome is open: it will answer this one.
    Open,
}

/// Fingerprints of short messages whose fate is not certain.
#[derive(Debug, Default)]
pub(super) struct Redelivery {
    entries: HashMap<u64, Entry, foldhash::fast::FixedState>,
    /// Fingerprints in the order of their arrival, to forget the oldest.
    order: VecDeque<(Moment, u64)>,
}

impl Redelivery {
    /// A short message with this fingerprint came on `deliver`.
    pub(super) fn arrived(&mut self, now: Moment, fingerprint: u64, deliver: &DeliverRef) -> Seen {
        self.forget(now);
        match self.entries.get_mut(&fingerprint) {
            Some(entry)
                if entry.suspect_until.is_some_and(|until| until > now)
                    && entry.deliver.bind_ref() != deliver.bind_ref() =>
            {
                entry.deliver = *deliver;
                entry.repeated = true;
                entry.suspect_until = None;
                match entry.state {
                    State::Open => Seen::Open,
                    State::Answered(status, _) => {
                        entry.state = State::Answered(status, now);
                        Seen::Answered(status)
                    }
                }
            }
            _ => {
                let entry =
                    Entry { deliver: *deliver, arrived: now, repeated: false, state: State::Open, suspect_until: None };
                self.entries.insert(fingerprint, entry);
                self.order.push_back((now, fingerprint));
                Seen::New
            }
        }
    }

    /// The short message with this fingerprint was answered. If a repetition waits for that, it is told which.
    pub(super) fn answered(&mut self, now: Moment, fingerprint: u64, status: CommandStatus) -> Option<DeliverRef> {
        let entry = self.entries.get_mut(&fingerprint)?;
        entry.state = State::Answered(status, now);
        entry.repeated.then_some(entry.deliver)
    }

    /// A bind is gone. A repetition of what it carried may come.
    pub(super) fn bind_lost(&mut self, now: Moment, link: BindRef) {
        self.entries.retain(|_, entry| {
            if entry.deliver.bind_ref() != link || entry.suspect_until.is_some() {
                return true;
            }
            entry.suspect_until = Some(now + SUSPICION);
            !matches!(entry.state, State::Answered(_, at) if now.since(at) > ANSWER_IN_FLIGHT)
        });
    }

    /// Forgets what can no longer be repeated: answered for longer than an answer travels and its bind alive, or too old.
    fn forget(&mut self, now: Moment) {
        while let Some(&(at, fingerprint)) = self.order.front() {
            // The same text may have come again since, under a place of its own further back.
            let entry = self.entries.get(&fingerprint).filter(|entry| entry.arrived == at);
            let young = now.since(at) < SUSPICION && self.order.len() < limits::DELIVERIES_MAX;
            match entry {
                Some(entry) if young && is_uncertain(entry, now) => return,
                Some(_) => drop(self.entries.remove(&fingerprint)),
                None => {}
            }
            self.order.pop_front();
        }
    }
}

fn is_uncertain(entry: &Entry, now: Moment) -> bool {
    match (entry.suspect_until, entry.state) {
        (Some(until), _) => until > now,
        (None, State::Open) => true,
        (None, State::Answered(_, at)) => now.since(at) <= ANSWER_IN_FLIGHT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::smpp::DeliveryId;
    use crate::engine::transport::ShardId;
    use crate::wire::smpp::CommandId;

    fn deliver(connection: u32) -> DeliverRef {
        let delivery = DeliveryId { connection, sequence_number: 1, command_id: CommandId::DELIVER_SM };
        DeliverRef { shard: ShardId(0), bind: 0, smsc: 0, delivery }
    }

    const fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000)
    }

    #[test]
    fn the_same_text_on_a_living_bind_is_a_new_message() {
        let mut seen = Redelivery::default();
        assert_eq!(seen.arrived(at(0), 7, &deliver(1)), Seen::New);
        seen.answered(at(1), 7, CommandStatus::ESME_ROK);
        assert_eq!(seen.arrived(at(1), 7, &deliver(1)), Seen::New);
        assert_eq!(seen.arrived(at(1), 7, &deliver(2)), Seen::New);
    }

    #[test]
    fn after_its_bind_is_lost_it_is_a_repetition_once() {
        let mut seen = Redelivery::default();
        assert_eq!(seen.arrived(at(0), 7, &deliver(1)), Seen::New);
        seen.answered(at(1), 7, CommandStatus::ESME_ROK);
        seen.bind_lost(at(2), deliver(1).bind_ref());
        assert_eq!(seen.arrived(at(3), 7, &deliver(2)), Seen::Answered(CommandStatus::ESME_ROK));
        assert_eq!(seen.arrived(at(4), 7, &deliver(2)), Seen::New);
    }

    #[test]
    fn an_old_answer_has_arrived_and_an_open_one_is_waited_for() {
        let mut seen = Redelivery::default();
        seen.arrived(at(0), 7, &deliver(1));
        seen.answered(at(0), 7, CommandStatus::ESME_ROK);
        seen.bind_lost(at(10), deliver(1).bind_ref());
        assert_eq!(seen.arrived(at(11), 7, &deliver(2)), Seen::New);
        seen.bind_lost(at(12), deliver(2).bind_ref());
        assert_eq!(seen.arrived(at(13), 7, &deliver(3)), Seen::Open);
    }
}
