//! What comes out of an SMPP session.

use bytes::Bytes;

use super::State;
use crate::engine::Moment;
use crate::limits::SMPP_MESSAGE_ID_BYTES_MAX;
use crate::wire::inline::Inline;
use crate::wire::smpp::{CommandId, CommandStatus};

/// Something that happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bind was accepted.
    Bound {
        /// Transmitter, receiver or transceiver.
        state: State,
        /// sc_interface_version, if the SM-SC said it.
        version: Option<u8>,
    },
    /// The bind was refused; `Closed` follows.
    BindRefused {
        /// Why.
        status: CommandStatus,
    },
    /// What became of a submission. Comes once for each.
    SubmitDone {
        /// As given to `submit`.
        token: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// A deliver_sm or data_sm, to be answered with [`super::Session::answer`].
    Delivered {
        /// For the answer.
        delivery: DeliveryId,
        /// The whole PDU, known to be readable.
        pdu: Bytes,
        /// Whether it is a status report.
        is_report: bool,
    },
    /// An alert_notification; there is nothing to answer.
    AlertNotification {
        /// The whole PDU, known to be readable.
        pdu: Bytes,
    },
    /// The SM-SC asked for fewer requests; nothing is submitted until then.
    Throttled {
        /// ESME_RTHROTTLED or ESME_RMSGQFUL.
        status: CommandStatus,
        /// The end of the pause.
        until: Moment,
    },
    /// The connection is gone, or could not be opened.
    Closed {
        /// Why.
        reason: CloseReason,
        /// When the next connection is tried, if one is.
        reconnect_at: Option<Moment>,
    },
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The SM-SC answered.
    Responded {
        /// Its verdict.
        status: CommandStatus,
        /// Its name for the message, as it wrote it; empty if it gave none.
        message_id: Inline<SMPP_MESSAGE_ID_BYTES_MAX>,
        /// delivery_failure_reason of a data_sm_resp.
        delivery_failure_reason: Option<u8>,
    },
    /// It was sent, and the SM-SC may or may not have taken it: it must not be sent again without a decision.
    Unknown(Doubt),
    /// It was never sent; another link may take it.
    NotSent(NotSent),
}

/// Why the fate of a submission is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No response in time.
    ResponseTimeout,
    /// The connection was lost before the response came.
    ConnectionLost,
}

/// Why a submission was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The connection was lost while it waited.
    ConnectionLost,
    /// Its deadline passed while it waited.
    DeadlinePassed,
    /// One side unbinds.
    Unbound,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The connection could not be opened.
    ConnectFailed,
    /// The peer closed it, or it broke.
    PeerClosed,
    /// The peer sent unbind.
    PeerUnbound,
    /// We drained and unbound.
    Unbound,
    /// The bind was refused.
    BindRefused(CommandStatus),
    /// No outbind or bind response in time.
    SessionInitTimeout,
    /// An outbind with the wrong password.
    OutbindRefused,
    /// No enquire_link_resp in time.
    EnquireLinkTimeout,
    /// A command_length that cannot be.
    FramingLost,
}

impl CloseReason {
    /// For a log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CloseReason::ConnectFailed => "the connection could not be opened",
            CloseReason::PeerClosed => "the SM-SC closed the connection, or it broke",
            CloseReason::PeerUnbound => "the SM-SC sent unbind",
            CloseReason::Unbound => "unbound",
            CloseReason::BindRefused(_) => "the bind was refused",
            CloseReason::SessionInitTimeout => "no bind response in time",
            CloseReason::OutbindRefused => "an outbind with the wrong password",
            CloseReason::EnquireLinkTimeout => "no enquire_link_resp in time",
            CloseReason::FramingLost => "a command_length that cannot be",
        }
    }
}

/// Names one delivery until it is answered. It dies with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId {
    /// Which connection of the session.
    pub connection: u32,
    /// The SM-SC's number.
    pub sequence_number: u32,
    /// deliver_sm or data_sm.
    pub command_id: CommandId,
}

/// What the session needs done with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Open it; then `handle_connected` or `handle_connect_failed`.
    Connect,
    /// Close it once everything polled before was sent. `handle_closed` may follow or not.
    Close,
}

/// Why a session wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerName {
    /// session_init_timer (SMPP 3.4 7.2): the bind is not answered.
    SessionInit,
    /// enquire_link_timer (7.2): silence, or an enquire_link without answer.
    EnquireLink,
    /// response_timer (7.2) of the oldest submission in flight.
    Response,
    /// response_timer of unbind.
    Unbind,
    /// The next submission may be sent: the rate allows it, or a throttling pause ends.
    Throughput,
    /// A waiting submission's deadline.
    Pending,
    /// The patience of a drain ends.
    Drain,
    /// The next connection is due.
    Reconnect,
}

/// Counted since the session was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Submissions written, repetitions after throttling included.
    pub submitted: u64,
    /// Responses that found their submission.
    pub responded: u64,
    /// Submissions without a response in time.
    pub response_timeouts: u64,
    /// Responses that found no request: late, doubled, or not to us.
    pub late_responses: u64,
    /// Responses that asked for fewer requests.
    pub throttled: u64,
    /// Deliveries handed up.
    pub delivered: u64,
    /// Deliveries refused because too many were unanswered, or because the session drains.
    pub deliveries_refused: u64,
    /// Answers whose connection was gone.
    pub answers_lost: u64,
    /// generic_nacks sent.
    pub generic_nacks_sent: u64,
    /// generic_nacks received.
    pub generic_nacks_received: u64,
    /// Requests refused for the state or for what they are.
    pub requests_refused: u64,
    /// PDUs that framed but could not be read.
    pub malformed: u64,
    /// Connections closed for an impossible command_length.
    pub framing_lost: u64,
    /// enquire_links sent.
    pub enquire_links_sent: u64,
    /// enquire_links answered.
    pub enquire_links_answered: u64,
    /// Binds accepted.
    pub bound: u64,
    /// PDUs received, whatever they were.
    pub pdus_received: u64,
    /// PDUs handed out for sending.
    pub pdus_sent: u64,
}
