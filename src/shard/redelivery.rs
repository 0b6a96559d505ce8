//! Short messages that come again because their response was lost with its connection.
//!
//! SMPP 3.4 leaves open whether a deliver_sm_resp written just before a connection broke has arrived. An SM-SC that did
//! not get it delivers the short message again on a new bind; the CPM user must not get it twice. A short message is
//! taken for a repetition only if the bind of the first one is gone and its answer was missing or very young then.

use std::collections::VecDeque;

use core::time::Duration;
use hashbrown::HashTable;

use crate::engine::Moment;
use crate::limits;
use crate::wire::smpp::CommandStatus;

use super::handoff::{BindRef, DeliverRef};

/// An answer older than this when its connection broke has arrived.
const ANSWER_IN_FLIGHT: Duration = Duration::from_secs(2);
/// How long an SM-SC may take to come back with what was not answered.
const SUSPICION: Duration = Duration::from_secs(600);
/// The same for what was answered just before: most likely it will not, and the next equal text is a new message.
const SUSPICION_ANSWERED: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The outcome is open.
    Open,
    /// It was answered.
    Answered(CommandStatus, Moment),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fingerprint: u64,
    /// As it came first: its name here.
    first: DeliverRef,
    /// As it came last.
    newest: DeliverRef,
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

/// Short messages whose fate is not certain. Several may have one fingerprint: people say the same thing twice.
#[derive(Debug, Default)]
pub(super) struct Redelivery {
    entries: HashTable<Entry>,
    /// Them in the order of their arrival, to forget the oldest.
    order: VecDeque<(Moment, u64, DeliverRef)>,
}

impl Redelivery {
    /// A short message with this fingerprint came on `deliver`.
    pub(super) fn arrived(&mut self, now: Moment, fingerprint: u64, deliver: &DeliverRef) -> Seen {
        self.forget(now);
        let repeats = |entry: &Entry| {
            entry.fingerprint == fingerprint
                && entry.suspect_until.is_some_and(|until| until > now)
                && entry.newest.bind_ref() != deliver.bind_ref()
        };
        let Some(entry) = self.entries.find_mut(fingerprint, repeats) else {
            self.insert(now, fingerprint, *deliver);
            return Seen::New;
        };
        entry.newest = *deliver;
        entry.suspect_until = None;
        match &mut entry.state {
            State::Open => Seen::Open,
            State::Answered(status, at) => {
                *at = now;
                Seen::Answered(*status)
            }
        }
    }

    fn insert(&mut self, now: Moment, fingerprint: u64, deliver: DeliverRef) {
        let entry = Entry { fingerprint, first: deliver, newest: deliver, state: State::Open, suspect_until: None };
        self.entries.insert_unique(fingerprint, entry, |entry| entry.fingerprint);
        self.order.push_back((now, fingerprint, deliver));
    }

    /// The short message that came first as `first` is answered: the deliver_sm that waits for it.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        fingerprint: u64,
        first: DeliverRef,
        status: CommandStatus,
    ) -> DeliverRef {
        let Some(entry) = self.entries.find_mut(fingerprint, |entry| entry.first == first) else { return first };
        entry.state = State::Answered(status, now);
        entry.newest
    }

    /// A bind is gone. A repetition of what it carried may come.
    pub(super) fn bind_lost(&mut self, now: Moment, link: BindRef) {
        self.entries.retain(|entry| {
            if entry.newest.bind_ref() != link || entry.suspect_until.is_some() {
                return true;
            }
            let open = entry.state == State::Open;
            entry.suspect_until = Some(now + if open { SUSPICION } else { SUSPICION_ANSWERED });
            !matches!(entry.state, State::Answered(_, at) if now.since(at) > ANSWER_IN_FLIGHT)
        });
    }

    /// Forgets what can no longer be repeated: answered for longer than an answer travels and its bind alive, or too old.
    fn forget(&mut self, now: Moment) {
        while let Some(&(at, fingerprint, first)) = self.order.front() {
            let young = now.since(at) < SUSPICION && self.order.len() < limits::DELIVERIES_MAX;
            if let Ok(entry) = self.entries.find_entry(fingerprint, |entry| entry.first == first) {
                if young && is_uncertain(entry.get(), now) {
                    return;
                }
                entry.remove();
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

    fn deliver(connection: u32, sequence_number: u32) -> DeliverRef {
        let delivery = DeliveryId { connection, sequence_number, command_id: CommandId::DELIVER_SM };
        DeliverRef { shard: ShardId(0), bind: 0, smsc: 0, delivery }
    }

    const fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000)
    }

    const OK: CommandStatus = CommandStatus::ESME_ROK;

    #[test]
    fn the_same_text_on_a_living_bind_is_a_new_message() {
        let mut seen = Redelivery::default();
        assert_eq!(seen.arrived(at(0), 7, &deliver(1, 1)), Seen::New);
        seen.answered(at(1), 7, deliver(1, 1), OK);
        assert_eq!(seen.arrived(at(1), 7, &deliver(1, 2)), Seen::New);
        assert_eq!(seen.arrived(at(1), 7, &deliver(2, 1)), Seen::New);
    }

    #[test]
    fn after_its_bind_is_lost_it_is_a_repetition_once() {
        let mut seen = Redelivery::default();
        assert_eq!(seen.arrived(at(0), 7, &deliver(1, 1)), Seen::New);
        seen.answered(at(1), 7, deliver(1, 1), OK);
        seen.bind_lost(at(2), deliver(1, 1).bind_ref());
        assert_eq!(seen.arrived(at(3), 7, &deliver(2, 1)), Seen::Answered(OK));
        assert_eq!(seen.arrived(at(4), 7, &deliver(2, 2)), Seen::New);
    }

    #[test]
    fn an_old_answer_has_arrived_and_an_open_one_is_waited_for() {
        let mut seen = Redelivery::default();
        seen.arrived(at(0), 7, &deliver(1, 1));
        seen.answered(at(0), 7, deliver(1, 1), OK);
        seen.bind_lost(at(10), deliver(1, 1).bind_ref());
        assert_eq!(seen.arrived(at(11), 7, &deliver(2, 1)), Seen::New);
        seen.bind_lost(at(12), deliver(2, 1).bind_ref());
        assert_eq!(seen.arrived(at(13), 7, &deliver(3, 1)), Seen::Open);
        assert_eq!(seen.answered(at(14), 7, deliver(2, 1), OK), deliver(3, 1));
    }

    #[test]
    fn each_of_several_equal_messages_is_repeated_on_its_own() {
        let mut seen = Redelivery::default();
        assert_eq!(seen.arrived(at(0), 7, &deliver(1, 1)), Seen::New);
        assert_eq!(seen.arrived(at(0), 7, &deliver(1, 2)), Seen::New);
        assert_eq!(seen.answered(at(1), 7, deliver(1, 1), OK), deliver(1, 1));
        seen.bind_lost(at(1), deliver(1, 1).bind_ref());
        let again = [seen.arrived(at(2), 7, &deliver(2, 1)), seen.arrived(at(2), 7, &deliver(2, 2))];
        assert!(again.contains(&Seen::Open) && again.contains(&Seen::Answered(OK)), "{again:?}");
        assert_eq!(seen.arrived(at(3), 7, &deliver(2, 3)), Seen::New);
        let open = if again[0] == Seen::Open { deliver(2, 1) } else { deliver(2, 2) };
        assert_eq!(seen.answered(at(4), 7, deliver(1, 2), OK), open);
        assert_eq!(seen.answered(at(4), 7, deliver(2, 3), OK), deliver(2, 3));
    }

    #[test]
    fn failed_attempts_to_connect_change_nothing() {
        let mut seen = Redelivery::default();
        seen.arrived(at(0), 7, &deliver(1, 1));
        seen.bind_lost(at(1), deliver(1, 1).bind_ref());
        seen.answered(at(2), 7, deliver(1, 1), OK);
        seen.bind_lost(at(9), deliver(1, 1).bind_ref());
        assert_eq!(seen.arrived(at(10), 7, &deliver(2, 1)), Seen::Answered(OK));
        seen.arrived(at(700), 8, &deliver(2, 2));
        assert_eq!(seen.entries.len(), 1, "nothing is kept for ever");
    }
}
