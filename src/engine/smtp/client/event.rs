//! What comes out of a client session.

use crate::engine::Moment;
use crate::wire::smtp::{Extensions, Reply};

/// Something that happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server greeted us and accepted our name: mails can go.
    Ready {
        /// What it can do.
        extensions: Extensions,
    },
    /// What became of a mail. Comes once for each.
    Done {
        /// As given to `send`.
        token: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// The connection is gone, or could not be opened.
    Closed {
        /// Why.
        reason: CloseReason,
        /// When the next connection is tried, if one is.
        reconnect_at: Option<Moment>,
    },
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took it and answers for it.
    Accepted {
        /// What it said.
        reply: Reply,
        /// Recipients that it does not take it for, by their place in the mail.
        refused: Vec<(usize, Reply)>,
    },
    /// The server does not take it; or we know already that it would not, and then the reply is the one it would send.
    Refused {
        /// What was refused.
        stage: Stage,
        /// Why, and whether it may succeed later; of several refused recipients, the first one's.
        reply: Reply,
        /// Recipients that were refused, by their place in the mail; at the stage of recipients these are all.
        refused: Vec<(usize, Reply)>,
    },
    /// It was sent, and the server may or may not have taken it: it must not be sent again without a decision.
    Unknown(Doubt),
    /// Its end was never sent, so the server cannot have taken it; another link may.
    NotSent(NotSent),
}

/// What a server refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// MAIL: the sender, the size, or any mail.
    Sender,
    /// RCPT: every recipient.
    Recipients,
    /// DATA, or the content after it.
    Content,
}

/// Why the fate of a mail is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No reply to its end in time.
    ReplyTimeout,
    /// The connection was lost before that reply came, or something else came.
    ConnectionLost,
}

/// Why a mail was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The connection was lost, or could not be opened.
    ConnectionLost,
    /// The server closes (421), or no reply came in time.
    Unavailable,
    /// Its moment passed while it waited.
    Expired,
    /// The session drains.
    Draining,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The connection could not be opened.
    ConnectFailed,
    /// The server closed it, or it broke.
    PeerClosed,
    /// The server said that it closes (421).
    Unavailable(Reply),
    /// The server does not serve us: its greeting, or its reply to HELO.
    Refused(Reply),
    /// No reply in time.
    ReplyTimeout,
    /// A reply that cannot be read, or that answers nothing.
    FramingLost,
    /// There was no mail for a while.
    Idle,
    /// We drained and quit.
    Drained,
}

impl CloseReason {
    /// For a log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CloseReason::ConnectFailed => "the connection could not be opened",
            CloseReason::PeerClosed => "the server closed the connection, or it broke",
            CloseReason::Unavailable(_) => "the server said that it closes",
            CloseReason::Refused(_) => "the server does not serve us",
            CloseReason::ReplyTimeout => "no reply in time",
            CloseReason::FramingLost => "a reply that cannot be read",
            CloseReason::Idle => "no mail for a while",
            CloseReason::Drained => "drained",
        }
    }
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not connected.
    Closed,
    /// Connected; the greeting is awaited.
    Greeting,
    /// The reply to EHLO or HELO is awaited.
    Hello,
    /// A mail can go at once.
    Ready,
    /// A mail is under way, or RSET or NOOP.
    Busy,
    /// QUIT was sent.
    Quitting,
}

/// What the session needs done with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Open it; then `handle_connected` or `handle_connect_failed`.
    Connect,
    /// Close it once everything polled before was sent. `handle_closed` may follow or not, but not once the next connection is
    /// open: `Connect` may be ordered at once.
    Close,
}

/// Why a session wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerName {
    /// The server's greeting (RFC 5321 4.5.3.2.1).
    Greeting,
    /// The reply to a command (4.5.3.2.2, 4.5.3.2.3).
    Command,
    /// The reply to DATA (4.5.3.2.4).
    DataInitiation,
    /// The reply to the end of the mail data (4.5.3.2.6).
    DataTermination,
    /// The reply to QUIT.
    Quit,
    /// Silence: NOOP is due.
    Noop,
    /// No mail for a while: QUIT is due.
    Idle,
    /// A waiting mail's moment.
    Pending,
    /// The patience of a drain ends.
    Drain,
    /// The next connection is due.
    Reconnect,
}

/// Counted since the session was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Mails begun, repetitions on another connection included.
    pub mails: u64,
    /// Mails that the server took.
    pub accepted: u64,
    /// Mails that were refused.
    pub refused: u64,
    /// Mails whose fate is unknown.
    pub unknown: u64,
    /// Mails that were not sent.
    pub not_sent: u64,
    /// Mails begun once more on another connection, since theirs was closed before their end was sent.
    pub repeated: u64,
    /// Replies that did not come in time.
    pub reply_timeouts: u64,
    /// Connections closed for a reply that could not be read.
    pub framing_lost: u64,
    /// Connections on which the server accepted our name.
    pub ready: u64,
    /// NOOPs sent.
    pub noops: u64,
}
