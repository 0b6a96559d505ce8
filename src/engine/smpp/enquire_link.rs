//! Our enquire_links (SMPP 3.4 4.11, 7.2 enquire_link_timer).

use core::time::Duration;

use crate::engine::Moment;

/// Silence becomes a question, silence after the question a lost link.
#[derive(Debug)]
pub(super) struct EnquireLink {
    interval: Duration,
    response: Duration,
    last_pdu: Moment,
    asked: Option<(u32, Moment)>,
}

impl EnquireLink {
    pub(super) fn new(interval: Duration, response: Duration) -> EnquireLink {
        EnquireLink { interval, response, last_pdu: Moment(0), asked: None }
    }

    /// A new connection.
    pub(super) fn reset(&mut self, now: Moment) {
        self.last_pdu = now;
        self.asked = None;
    }

    /// A PDU went either way.
    pub(super) fn pdu(&mut self, now: Moment) {
        self.last_pdu = now;
    }

    pub(super) fn asked(&mut self, now: Moment, sequence_number: u32) {
        self.asked = Some((sequence_number, now));
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether this response answers the question.
    pub(super) fn answered(&mut self, sequence_number: u32) -> bool {
        let answers = self.asked.is_some_and(|(asked, _)| asked == sequence_number);
        if answers {
            self.asked = None;
        }
        answers
    }

    /// When to ask, or to give up.
    pub(super) fn deadline(&self) -> Option<Moment> {
        match self.asked {
            Some((_, asked_at)) => Some(asked_at + self.response),
            None => (!self.interval.is_zero()).then(|| self.last_pdu + self.interval),
        }
    }
}
