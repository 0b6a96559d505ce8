//! What comes out of a session.

use super::message::{Ident, Message};

/// Names a message until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncomingId(pub u64);

/// Something that happened, in order.
#[derive(Debug)]
pub enum Event {
    /// The peer has shown that it knows this connection for that of the session.
    Bound,
    /// A whole message. [`super::Session::respond`] gives the answer to the chunk that completed it.
    Received {
        /// For the answer.
        incoming: IncomingId,
        /// The message. It counts against the budget of its core until it is dropped.
        message: Message,
    },
    /// A message of which something came will not be completed.
    Discarded {
        /// Its name.
        message_id: Ident,
        /// Why.
        reason: DiscardReason,
    },
    /// What became of a message of ours. Comes once for each.
    Sent {
        /// As given to `send`.
        token: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// An error response to a message that was only written (Failure-Report: partial). Comes after its `Sent`.
    Failed {
        /// As given to `send`.
        token: u64,
        /// Response code.
        code: u16,
    },
    /// A REPORT on a message of ours (RFC 4975 7.1.3, 7.1.4).
    Reported {
        /// The name that was given to `send`.
        message_id: Ident,
        /// Code of its Status: 200, or why it failed.
        status: u16,
        /// First and last octet it speaks of, from 1, if it says so.
        octets: Option<(u64, u64)>,
    },
    /// The session can send nothing more; every message has had its `Sent`.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// What became of a message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every chunk was answered 200 (Failure-Report: yes).
    Delivered,
    /// Every chunk was written; no answer is to be expected (Failure-Report: partial or no).
    Written,
    /// A chunk was answered with this code.
    Refused(u16),
    /// A chunk was not answered in time (RFC 4975 7.1.1: as if it were 408).
    TimedOut,
    /// It was aborted by us, and not whole by then.
    Aborted,
    /// Nothing of it was handed out for sending.
    Unsent,
    /// The connection was lost before the last answer: the peer may or may not have it.
    Unknown,
}

/// Why an incoming message will not be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardReason {
    /// The sender gave it up (`#`).
    Aborted,
    /// Its next octet took too long.
    TimedOut,
    /// We refused it with this code.
    Refused(u16),
    /// The connection was lost, or the session closed.
    ConnectionLost,
}

/// Why a session can send nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer does not know the session (481).
    NoSuchSession,
    /// The peer has the session on another connection (506).
    OtherConnection,
    /// The peer did not answer the request that binds the connection.
    BindTimedOut,
    /// We closed it.
    Ordered,
}

/// Why a session wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerName {
    /// The oldest request without a response (RFC 4975 7.1.1: 30 seconds).
    Transaction,
    /// A message whose next octet takes too long.
    MessageIdle,
}

/// Counted since the session was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Chunks whose end has come, whatever they were.
    pub chunks_received: u64,
    /// Messages handed up.
    pub messages_received: u64,
    /// Chunks of messages that had been completed before.
    pub duplicates: u64,
    /// Requests answered with an error, or that would have been had they wanted an answer.
    pub refused: u64,
    /// Chunks written.
    pub chunks_sent: u64,
    /// Requests without a response in time.
    pub transaction_timeouts: u64,
    /// Responses that found no request.
    pub late_responses: u64,
    /// REPORTs that were not readable.
    pub malformed_reports: u64,
}
