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

/// One whose bind is gone, to be found by what it said.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    fingerprint: u64,
    first: DeliverRef,
    bind: BindRef,
    until: Moment,
}

/// Short messages whose fate is not certain. Several may have one fingerprint: people say the same thing twice, and so do
/// tests of load, thousands of times.
#[derive(Debug, Default)]
pub(super) struct Redelivery {
    entries: HashTable<Entry>,
    suspects: HashTable<Suspect>,
    /// The entries in the order of their arrival, to forget the oldest.
    order: VecDeque<(Moment, u64, DeliverRef)>,
}

impl Redelivery {
    /// A short message with this fingerprint came on `deliver`.
    pub(super) fn arrived(&mut self, now: Moment, fingerprint: u64, deliver: &DeliverRef) -> Seen {
        self.forget(now);
        let Some(entry) = self.take_suspect(now, fingerprint, deliver) else {
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

    /// The entry that one with this fingerprint repeats. It is no longer suspect.
    fn take_suspect(&mut self, now: Moment, fingerprint: u64, deliver: &DeliverRef) -> Option<&mut Entry> {
        let bind = deliver.bind_ref();
        let repeats = |one: &Suspect| one.fingerprint == fingerprint && one.until > now && one.bind != bind;
        let suspect = self.suspects.find_entry(fingerprint, repeats).ok()?;
        let (Suspect { first, .. }, _) = suspect.remove();
        self.entries.find_mut(place(fingerprint, first), |entry| entry.first == first)
    }

    fn insert(&mut self, now: Moment, fingerprint: u64, deliver: DeliverRef) {
        let entry = Entry { fingerprint, first: deliver, newest: deliver, state: State::Open, suspect_until: None };
        self.entries.insert_unique(place(fingerprint, deliver), entry, |entry| place(entry.fingerprint, entry.first));
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
        let found = self.entries.find_mut(place(fingerprint, first), |entry| entry.first == first);
        let Some(entry) = found else { return first };
        entry.state = State::Answered(status, now);
        entry.newest
    }

    /// A bind is gone. A repetition of what it carried may come.
    pub(super) fn bind_lost(&mut self, now: Moment, bind: BindRef) {
        let suspects = &mut self.suspects;
        self.entries.retain(|entry| {
            if entry.newest.bind_ref() != bind || entry.suspect_until.is_some() {
                return true;
            }
            if matches!(entry.state, State::Answered(_, at) if now.since(at) > ANSWER_IN_FLIGHT) {
                return false;
            }
            let until = now + if entry.state == State::Open { SUSPICION } else { SUSPICION_ANSWERED };
            entry.suspect_until = Some(until);
            let Entry { fingerprint, first, .. } = *entry;
            let suspect = Suspect { fingerprint, first, bind, until };
            suspects.insert_unique(fingerprint, suspect, |suspect| suspect.fingerprint);
            true
        });
    }

    /// Forgets what can no longer be repeated: answered for longer than an answer travels and its bind alive, or too old.
    fn forget(&mut self, now: Moment) {
        while let Some(&(at, fingerprint, first)) = self.order.front() {
            let young = now.since(at) < SUSPICION && self.order.len() < limits::DELIVERIES_MAX;
            if let Ok(entry) = self.entries.find_entry(place(fingerprint, first), |entry| entry.first == first) {
                if young && is_uncertain(entry.get(), now) {
                    return;
                }
                if entry.remove().0.suspect_until.is_some() {
                    let suspect = self.suspects.find_entry(fingerprint, |suspect| suspect.first == first);
                    suspect.ok().map(|suspect| suspect.remove());
                }
            }
            self.order.pop_front();
        }
    }
}

/// The hash under which an entry is found: other ones for equal texts. The fingerprint is a keyed hash.
fn place(fingerprint: u64, first: DeliverRef) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let delivery = u64::from(first.delivery.connection) << 32 | u64::from(first.delivery.sequence_number);
    let mixed = (fingerprint ^ delivery).wrapping_mul(ODD);
    mixed ^ mixed >> 32
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
        assert_eq!((seen.entries.len(), seen.suspects.len()), (1, 0), "nothing is kept for ever");
    }

    /// A thousand equal texts, of which each is found by its own name and each can come again.
    #[test]
    fn equal_texts_do_not_lie_in_each_others_way() {
        let mut seen = Redelivery::default();
        (0..1_000).for_each(|number| assert_eq!(seen.arrived(at(0), 7, &deliver(1, number)), Seen::New));
        let places: std::collections::BTreeSet<u64> = (0..1_000).map(|number| place(7, deliver(1, number))).collect();
        assert_eq!(places.len(), 1_000);
        assert!(places.iter().map(|place| place % 1_024).collect::<std::collections::BTreeSet<_>>().len() > 500);
        seen.bind_lost(at(1), deliver(1, 0).bind_ref());
        (0..1_000).for_each(|number| assert_eq!(seen.arrived(at(2), 7, &deliver(2, number)), Seen::Open));
        assert_eq!(seen.arrived(at(2), 7, &deliver(2, 1_000)), Seen::New);
    }
}
