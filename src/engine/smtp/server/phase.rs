//! Where a session is.

use super::MailId;
use crate::engine::Moment;
use crate::wire::smtp::Unstuffer;

/// What the next octets are.
#[derive(Debug)]
pub(super) enum Phase {
    /// Commands.
    Command,
    /// Mail data.
    Data(Incoming),
    /// Nothing yet: a mail waits for its answer, and further commands for that.
    Answer(MailId),
    /// Nobody's.
    Closed,
}

/// Mail data that arrive.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) unstuffer: Unstuffer,
    pub(super) octets: Vec<u8>,
    /// When the next must have arrived.
    pub(super) idle_until: Moment,
}

/// A mail that was begun: what MAIL and RCPT said.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) mail_from: Vec<u8>,
    pub(super) rcpt_to: Vec<Vec<u8>>,
    /// Octets that SIZE announced.
    pub(super) size: usize,
}
