//! What is known of the short messages that one CPM message became: their responses and their status reports.
//!
//! IWF 6.2.2.1.1: the SIP response waits for the last submit_sm_resp. One IMDN answers all status reports: it is due when
//! every segment is decided, and the worst state wins.

use crate::wire::smpp::{CommandStatus, MessageState};

/// One bit for each of at most 255 segments (SMPP 3.4 5.3.2.23: sar_total_segments).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set([u64; 4]);

impl Set {
    /// Adds `segment` and says whether it is new.
    fn insert(&mut self, segment: u8) -> bool {
        let word = &mut self.0[usize::from(segment >> 6)];
        let bit = 1 << (segment & 63);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn contains(&self, segment: u8) -> bool {
        self.0[usize::from(segment >> 6)] & 1 << (segment & 63) != 0
    }

    /// Most words are zero, and bits are not counted in one instruction everywhere.
    fn len(&self) -> u32 {
        self.0.iter().filter(|word| **word != 0).map(|word| word.count_ones()).sum()
    }
}

/// How the submission of all segments ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// Responses are missing.
    Waiting,
    /// The SM-SC took every segment.
    Accepted,
    /// The SM-SC refused at least one; the status of the first refused in segment order.
    Refused(CommandStatus),
    /// The outcome of at least one segment is unknown and the others were taken.
    Unknown,
    /// Every other segment was taken, and these never left: they go to another link, or nowhere.
    Resend,
    /// At least one segment never left the gateway, and there is no way left for it.
    NotSent,
}

/// Responses of all segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Responses {
    answered: Set,
    accepted: u16,
    refused: Option<(u8, CommandStatus)>,
    unknown: bool,
    unsent: Set,
    not_sent: bool,
}

impl Responses {
    /// The SM-SC's answer to `segment`.
    pub fn responded(&mut self, segment: u8, status: CommandStatus) {
        if !self.answered.insert(segment) {
            return;
        }
        if status == CommandStatus::ESME_ROK {
            self.accepted += 1;
        } else if self.refused.is_none_or(|(first, _)| segment < first) {
            self.refused = Some((segment, status));
        }
    }

    /// `segment` left, and its fate is unknown.
    pub fn unknown(&mut self, segment: u8) {
        self.unknown |= self.answered.insert(segment);
    }

    /// `segment` never left; another link may take it.
    pub fn not_sent(&mut self, segment: u8) {
        if !self.answered.contains(segment) {
            self.unsent.insert(segment);
        }
    }

    /// The segments that never left, of `total`; they count as on their way again.
    pub fn take_unsent(&mut self, total: u8) -> impl Iterator<Item = u8> + use<> {
        let unsent = core::mem::take(&mut self.unsent);
        (0..total).filter(move |&segment| unsent.contains(segment))
    }

    /// No link is left: what never left never will.
    pub fn give_up(&mut self, total: u8) {
        for segment in self.take_unsent(total) {
            self.not_sent |= self.answered.insert(segment);
        }
    }

    /// Whether `segment` has its response, or never will.
    #[must_use]
    pub fn is_answered(&self, segment: u8) -> bool {
        self.answered.contains(segment)
    }

    /// Whether the SM-SC has taken at least one segment.
    #[must_use]
    pub fn any_accepted(&self) -> bool {
        self.accepted > 0
    }

    /// The outcome so far, for a message of `total` segments.
    #[must_use]
    pub fn outcome(&self, total: u8) -> Submission {
        if self.answered.len() + self.unsent.len() < u32::from(total) {
            return Submission::Waiting;
        }
        match self.refused {
            Some((_, status)) => Submission::Refused(status),
            // The recipient cannot get it whole any more; sending the rest would only leave pieces with him.
            None if self.not_sent || (self.unknown && self.unsent.len() > 0) => Submission::NotSent,
            None if self.unsent.len() > 0 => Submission::Resend,
            None if self.unknown => Submission::Unknown,
            None => Submission::Accepted,
        }
    }
}

/// What a status report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// This segment was decided before.
    Repeated,
    /// Other segments are undecided.
    Waiting,
    /// Every segment is decided; the worst of their states.
    Decided(MessageState),
}

/// Status reports of all segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reports {
    decided: Set,
    worst: Option<MessageState>,
    /// The id that was last named in a response, and the segment it stands for.
    last_id: Option<(u64, u8)>,
}

impl Reports {
    /// What a record of them says: the segments that are `decided` and the `worst` of their states.
    #[must_use]
    pub fn restored(decided: impl Iterator<Item = u8>, worst: Option<MessageState>) -> Reports {
        let mut reports = Reports { worst, ..Reports::default() };
        for segment in decided {
            reports.decided.insert(segment);
        }
        reports
    }

    /// The segments, of `total`, that are decided.
    pub fn decided(&self, total: u8) -> impl Iterator<Item = u8> + use<> {
        let decided = self.decided;
        (0..total).filter(move |&segment| decided.contains(segment))
    }

    /// The worst state reported so far.
    #[must_use]
    pub fn worst(&self) -> Option<MessageState> {
        self.worst
    }

    /// A final `state` for `segment`, of a message of `total` segments. With `first_failure` a failed segment decides the
    /// whole message at once.
    pub fn reported(&mut self, segment: u8, state: MessageState, total: u8, first_failure: bool) -> Tally {
        if !self.decided.insert(segment) {
            return Tally::Repeated;
        }
        let worst = self.worst.map_or(state, |worst| worse(worst, state));
        self.worst = Some(worst);
        if self.decided.len() >= u32::from(total) || (first_failure && worst != MessageState::DELIVERED) {
            return Tally::Decided(worst);
        }
        Tally::Waiting
    }

    /// `segment` was taken under `id`, a hash. Whether it is one with an earlier segment: an SM-SC that gives all of them
    /// one id reports on all at once, and `segment` needs no report of its own.
    pub fn shares_id(&mut self, segment: u8, id: u64) -> bool {
        let shared = self.last_id.is_some_and(|(last, first)| last == id && !self.decided.contains(first));
        if shared {
            self.decided.insert(segment);
        } else {
            self.last_id = Some((id, segment));
        }
        shared
    }

    /// `segment` is undecided again: its report could not be passed on and the SM-SC will repeat it.
    pub fn take_back(&mut self, segment: u8) {
        self.decided.0[usize::from(segment >> 6)] &= !(1 << (segment & 63));
    }
}

fn worse(a: MessageState, b: MessageState) -> MessageState {
    if severity(a) >= severity(b) { a } else { b }
}

/// Order of SMPP 3.4 5.2.28 states from best to worst: a part that nobody knows about is better than one that is lost
/// for certain, and a refusal by the recipient is the strongest statement.
fn severity(state: MessageState) -> u8 {
    match state {
        MessageState::DELIVERED => 0,
        MessageState::ENROUTE | MessageState::ACCEPTED => 1,
        MessageState::UNKNOWN => 2,
        MessageState::EXPIRED => 3,
        MessageState::DELETED => 4,
        MessageState::UNDELIVERABLE => 5,
        MessageState::REJECTED => 6,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_response_decides_and_the_first_refusal_in_order_is_told() {
        let mut responses = Responses::default();
        responses.responded(2, CommandStatus::ESME_RTHROTTLED);
        responses.responded(1, CommandStatus::ESME_RINVDSTADR);
        assert_eq!(responses.outcome(3), Submission::Waiting);
        responses.responded(0, CommandStatus::ESME_ROK);
        assert_eq!(responses.outcome(3), Submission::Refused(CommandStatus::ESME_RINVDSTADR));
    }

    #[test]
    fn what_never_left_is_sent_again_only_if_nothing_is_lost_or_in_doubt() {
        let mut responses = Responses::default();
        responses.not_sent(1);
        responses.responded(0, CommandStatus::ESME_ROK);
        assert_eq!(responses.outcome(2), Submission::Resend);
        let mut doubtful = Responses::default();
        doubtful.unknown(0);
        doubtful.not_sent(1);
        assert_eq!(doubtful.outcome(2), Submission::NotSent);
        let mut refused = Responses::default();
        refused.not_sent(1);
        refused.responded(0, CommandStatus::ESME_RINVDSTADR);
        assert_eq!(refused.outcome(2), Submission::Refused(CommandStatus::ESME_RINVDSTADR));
    }

    #[test]
    fn a_repeated_response_changes_nothing() {
        let mut responses = Responses::default();
        responses.responded(0, CommandStatus::ESME_ROK);
        responses.unknown(0);
        assert_eq!(responses.outcome(1), Submission::Accepted);
    }

    #[test]
    fn the_worst_state_wins_when_all_are_decided() {
        let mut reports = Reports::default();
        assert_eq!(reports.reported(1, MessageState::EXPIRED, 2, false), Tally::Waiting);
        assert_eq!(reports.reported(1, MessageState::DELIVERED, 2, false), Tally::Repeated);
        assert_eq!(reports.reported(0, MessageState::DELIVERED, 2, false), Tally::Decided(MessageState::EXPIRED));
    }
}
