//! What became of each message. The slots are made at the start; nothing here grows with the run.

use super::flow::{Answer, FlowResult};
use super::mix::{Message, Way};

/// What is measured, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// A MESSAGE request and its final response.
    CpmAnswer,
    /// A MESSAGE request and its text at the SM-SC.
    CpmArrival,
    /// The text at the SM-SC and the notification that it was interworked.
    Interworked,
    /// A status report and the notification made of it.
    Notified,
    /// A deliver_sm and its response.
    SmsAnswer,
    /// A deliver_sm and its text at the CPM side.
    SmsArrival,
    /// A submit_sm of ours and its response.
    EsmeAnswer,
    /// A submit_sm of ours and its text in a deliver_sm.
    EsmeEcho,
    /// A submit_sm of ours and its status report.
    EsmeReport,
}

const FLOWS: [(Flow, &str); 9] = [
    (Flow::CpmAnswer, "CPM to SMS: answer"),
    (Flow::CpmArrival, "CPM to SMS: arrival"),
    (Flow::Interworked, "CPM to SMS: interworking notification"),
    (Flow::Notified, "status report: delivery notification"),
    (Flow::SmsAnswer, "SMS to CPM: answer"),
    (Flow::SmsArrival, "SMS to CPM: arrival"),
    (Flow::EsmeAnswer, "submit_sm: answer"),
    (Flow::EsmeEcho, "submit_sm: text back"),
    (Flow::EsmeReport, "submit_sm: status report"),
];

/// What is watched of a way besides its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) arrival: bool,
    pub(super) reports: bool,
}

mod flag {
    pub(super) const ANSWERED: u16 = 1;
    pub(super) const TAKEN: u16 = 1 << 1;
    pub(super) const ARRIVED: u16 = 1 << 2;
    pub(super) const COUNTED: u16 = 1 << 3;
    pub(super) const AWAITS_INTERWORKED: u16 = 1 << 4;
    pub(super) const GOT_INTERWORKED: u16 = 1 << 5;
    pub(super) const AWAITS_NOTIFICATION: u16 = 1 << 6;
    pub(super) const GOT_NOTIFICATION: u16 = 1 << 7;
    pub(super) const CLOSED: u16 = 1 << 8;
    pub(super) const DAMAGED: u16 = 1 << 9;
}

const NOBODY: u32 = u32::MAX;

/// One message. Times in microseconds after the start.
#[derive(Clone, Copy, Debug)]
struct Slot {
    number: u32,
    flags: u16,
    way: Way,
    due_us: u64,
    arrived_us: u64,
    reported_us: u64,
}

impl Slot {
    const EMPTY: Slot =
        Slot { number: NOBODY, flags: flag::CLOSED, way: Way::CpmToSms, due_us: 0, arrived_us: 0, reported_us: 0 };

    const fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }

    /// Whether its last status report is sent for the first time.
    const fn is_to_be_reported(&self) -> bool {
        self.has(flag::AWAITS_NOTIFICATION) && self.reported_us == 0
    }
}

/// Every message whose end is not known, and the results of all.
#[derive(Debug)]
pub(super) struct Ledger {
    slots: Vec<Slot>,
    flows: Vec<FlowResult>,
    watched: [Watched; 3],
    warm_up_us: u64,
    open: usize,
    unanswered: usize,
}

impl Ledger {
    /// `slots`: a power of two.
    pub(super) fn new(slots: usize, warm_up_us: u64, watched: [Watched; 3]) -> Ledger {
        Ledger {
            slots: vec![Slot::EMPTY; slots.next_power_of_two()],
            flows: FLOWS.iter().map(|(_, name)| FlowResult::new(*name)).collect(),
            watched,
            warm_up_us,
            open: 0,
            unanswered: 0,
        }
    }

    /// Messages that still have something to come.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// Messages without an answer.
    pub(super) const fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The flows of which anything happened.
    pub(super) fn flows(&self) -> impl Iterator<Item = &FlowResult> {
        self.flows.iter().filter(|flow| flow.counts != super::Counts::default())
    }

    /// A message that was due is sent.
    pub(super) fn sent(&mut self, message: &Message, due_us: u64, at_us: u64) {
        let watched = self.watched[message.way as usize];
        let slot = Slot {
            number: message.number,
            flags: self.flags_of(message, due_us),
            way: message.way,
            due_us,
            ..Slot::EMPTY
        };
        let place = self.place(message.number);
        let old = core::mem::replace(&mut self.slots[place], slot);
        self.give_up(old);
        self.open += 1;
        self.unanswered += 1;
        if slot.has(flag::COUNTED) {
            let (due_us, at_us) = (due_us - self.warm_up_us, at_us.saturating_sub(self.warm_up_us));
            for flow in [Some(answer_of(message.way)), watched.arrival.then_some(arrival_of(message.way))] {
                let Some(flow) = flow else { continue };
                self.flow(flow).counts.intended += 1;
                self.flow(flow).sent(due_us, at_us);
            }
        }
    }

    fn flags_of(&self, message: &Message, due_us: u64) -> u16 {
        let watched = self.watched[message.way as usize].reports;
        let when = |condition: bool, flag: u16| if condition { flag } else { 0 };
        when(due_us >= self.warm_up_us, flag::COUNTED)
            | when(watched && message.is_interworked(), flag::AWAITS_INTERWORKED)
            | when(watched && message.is_notified(), flag::AWAITS_NOTIFICATION)
    }

    /// The answer to a message; only the first counts. Says whether it was that.
    pub(super) fn answered(&mut self, number: u32, at_us: u64, answer: Answer, taken: bool) -> bool {
        let Some((place, slot)) = self.find(number).filter(|(_, slot)| !slot.has(flag::ANSWERED)) else { return false };
        self.unanswered -= 1;
        self.slots[place].flags |= flag::ANSWERED | if taken { flag::TAKEN } else { 0 };
        if slot.has(flag::COUNTED) {
            let (due_us, at_us) = self.counted(slot.due_us, at_us);
            let flow = self.flow(answer_of(slot.way));
            if taken {
                flow.taken(due_us, at_us, answer)
            } else {
                flow.refused(at_us, answer)
            }
            if !taken && self.watched[slot.way as usize].arrival {
                self.flow(arrival_of(slot.way)).counts.refused += 1;
            }
        }
        self.close_if_done(place);
        true
    }

    /// No answer came, and none is waited for any more.
    pub(super) fn unanswered_for_good(&mut self, number: u32) {
        let Some((place, slot)) = self.find(number).filter(|(_, slot)| !slot.has(flag::ANSWERED)) else { return };
        self.slots[place].flags |= flag::CLOSED;
        self.open -= 1;
        self.lose(slot);
    }

    /// The text of a message is at the other side. Says whether it was for the first time.
    pub(super) fn arrived(&mut self, number: u32, at_us: u64, way: Way) -> bool {
        let Some((place, slot)) = self.known(number).filter(|(_, slot)| !slot.has(flag::ARRIVED)) else {
            self.flow(arrival_of(way)).counts.doubled += 1;
            return false;
        };
        self.slots[place].flags |= flag::ARRIVED;
        self.slots[place].arrived_us = at_us;
        if slot.has(flag::COUNTED) {
            let (due_us, at_us) = self.counted(slot.due_us, at_us);
            let flow = self.flow(arrival_of(slot.way));
            flow.arrived(due_us, at_us);
            if slot.has(flag::CLOSED) && !slot.has(flag::ANSWERED) {
                flow.counts.late += 1;
                flow.counts.lost = flow.counts.lost.saturating_sub(1);
            }
        }
        self.close_if_done(place);
        true
    }

    /// A text arrived that no message has; `number` if it still says which one it was.
    pub(super) fn damaged(&mut self, number: Option<u32>, way: Way) {
        self.flow(arrival_of(way)).counts.damaged += 1;
        let Some((place, slot)) = number.and_then(|number| self.known(number)) else { return };
        if slot.has(flag::ARRIVED) {
            self.flow(arrival_of(way)).counts.doubled += 1;
        }
        // It is not lost as well.
        self.slots[place].flags |= flag::ARRIVED | flag::DAMAGED;
        self.close_if_done(place);
    }

    /// A part of a text came again.
    pub(super) fn doubled(&mut self, way: Way) {
        self.flow(arrival_of(way)).counts.doubled += 1;
    }

    /// The last status report of a message is sent.
    pub(super) fn reported(&mut self, number: u32, at_us: u64) {
        let Some((place, slot)) = self.known(number).filter(|(_, slot)| slot.is_to_be_reported()) else {
            return;
        };
        self.slots[place].reported_us = at_us;
        if slot.has(flag::COUNTED) {
            let at_us = at_us.saturating_sub(self.warm_up_us);
            self.flow(Flow::Notified).counts.intended += 1;
            self.flow(Flow::Notified).sent(at_us, at_us);
        }
    }

    /// The notification that a message was interworked.
    pub(super) fn interworked(&mut self, number: u32, at_us: u64) {
        let Some((place, slot)) = self.known(number).filter(|(_, slot)| !slot.has(flag::GOT_INTERWORKED)) else {
            self.flow(Flow::Interworked).counts.doubled += 1;
            return;
        };
        self.slots[place].flags |= flag::GOT_INTERWORKED;
        if slot.has(flag::COUNTED) {
            let since_us = if slot.has(flag::ARRIVED) { slot.arrived_us } else { slot.due_us };
            let (since_us, at_us) = self.counted(since_us, at_us);
            self.flow(Flow::Interworked).counts.intended += 1;
            self.flow(Flow::Interworked).sent(since_us, since_us);
            self.flow(Flow::Interworked).arrived(since_us, at_us);
        }
        self.close_if_done(place);
    }

    /// The notification made of a status report, or for a client the status report itself. `expected`: whether it says
    /// what it must.
    pub(super) fn notified(&mut self, number: u32, at_us: u64, flow: Flow, expected: bool) {
        let Some((place, slot)) = self.known(number).filter(|(_, slot)| !slot.has(flag::GOT_NOTIFICATION)) else {
            self.flow(flow).counts.doubled += 1;
            return;
        };
        self.slots[place].flags |= flag::GOT_NOTIFICATION;
        if !expected {
            self.flow(flow).counts.damaged += 1;
        }
        if slot.has(flag::COUNTED) {
            let since_us = if flow == Flow::Notified { slot.reported_us } else { slot.due_us };
            let (since_us, at_us) = self.counted(since_us, at_us);
            if flow == Flow::EsmeReport {
                self.flow(flow).counts.intended += 1;
                self.flow(flow).sent(since_us, since_us);
            }
            self.flow(flow).arrived(since_us, at_us);
        }
        self.close_if_done(place);
    }

    /// Whether a message still waits for its answer, and since when it was due.
    pub(super) fn waits_since(&self, number: u32) -> Option<u64> {
        self.find(number).filter(|(_, slot)| !slot.has(flag::ANSWERED)).map(|(_, slot)| slot.due_us)
    }

    /// Counts as lost what has not come to its end.
    pub(super) fn end(&mut self) {
        for place in 0..self.slots.len() {
            let slot = core::mem::replace(&mut self.slots[place], Slot::EMPTY);
            self.give_up(slot);
        }
    }

    fn give_up(&mut self, slot: Slot) {
        if slot.number != NOBODY && !slot.has(flag::CLOSED) {
            self.open -= 1;
            self.lose(slot);
        }
    }

    /// Losses of the warm-up count as well.
    fn lose(&mut self, slot: Slot) {
        if !slot.has(flag::ANSWERED) {
            self.unanswered -= 1;
            self.flow(answer_of(slot.way)).counts.lost += 1;
        }
        let refused = slot.has(flag::ANSWERED) && !slot.has(flag::TAKEN);
        if self.watched[slot.way as usize].arrival && !slot.has(flag::ARRIVED) && !refused {
            self.flow(arrival_of(slot.way)).counts.lost += 1;
        }
        if slot.has(flag::AWAITS_INTERWORKED) && !slot.has(flag::GOT_INTERWORKED) && slot.has(flag::TAKEN) {
            self.flow(Flow::Interworked).counts.lost += 1;
        }
        if slot.has(flag::AWAITS_NOTIFICATION) && !slot.has(flag::GOT_NOTIFICATION) && slot.has(flag::TAKEN) {
            self.flow(report_of(slot.way)).counts.lost += 1;
        }
    }

    fn close_if_done(&mut self, place: usize) {
        let slot = self.slots[place];
        let refused = slot.has(flag::ANSWERED) && !slot.has(flag::TAKEN);
        let arrived = slot.has(flag::ARRIVED) || !self.watched[slot.way as usize].arrival;
        let interworked = slot.has(flag::GOT_INTERWORKED) || !slot.has(flag::AWAITS_INTERWORKED);
        let notified = slot.has(flag::GOT_NOTIFICATION) || !slot.has(flag::AWAITS_NOTIFICATION);
        let done = slot.has(flag::ANSWERED) && arrived && interworked && notified;
        if (refused || done) && !slot.has(flag::CLOSED) {
            self.slots[place].flags |= flag::CLOSED;
            self.open -= 1;
        }
    }

    fn counted(&self, since_us: u64, at_us: u64) -> (u64, u64) {
        (since_us.saturating_sub(self.warm_up_us), at_us.saturating_sub(self.warm_up_us))
    }

    fn flow(&mut self, flow: Flow) -> &mut FlowResult {
        &mut self.flows[flow as usize]
    }

    const fn place(&self, number: u32) -> usize {
        number as usize & (self.slots.len() - 1)
    }

    /// The slot of a message that is not closed.
    fn find(&self, number: u32) -> Option<(usize, Slot)> {
        self.known(number).filter(|(_, slot)| !slot.has(flag::CLOSED))
    }

    /// The slot of a message, if it has not been given to another.
    fn known(&self, number: u32) -> Option<(usize, Slot)> {
        let place = self.place(number);
        let slot = *self.slots.get(place)?;
        (slot.number == number && number != NOBODY).then_some((place, slot))
    }
}

const fn answer_of(way: Way) -> Flow {
    match way {
        Way::CpmToSms => Flow::CpmAnswer,
        Way::SmsToCpm => Flow::SmsAnswer,
        Way::Esme => Flow::EsmeAnswer,
    }
}

const fn arrival_of(way: Way) -> Flow {
    match way {
        Way::CpmToSms => Flow::CpmArrival,
        Way::SmsToCpm => Flow::SmsArrival,
        Way::Esme => Flow::EsmeEcho,
    }
}

const fn report_of(way: Way) -> Flow {
    match way {
        Way::Esme => Flow::EsmeReport,
        Way::CpmToSms | Way::SmsToCpm => Flow::Notified,
    }
}
