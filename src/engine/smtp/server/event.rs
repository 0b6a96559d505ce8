//! What comes out of a server session.

use bytes::Bytes;

/// Something that happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A mail, to be answered with [`super::Server::answer`].
    Mail {
        /// For the answer.
        id: MailId,
        /// Mailbox of MAIL FROM without brackets; empty for the null path, whose mail must never be answered by mail.
        mail_from: Vec<u8>,
        /// Mailboxes of RCPT TO without brackets, those that we accepted, none twice.
        rcpt_to: Vec<Vec<u8>>,
        /// The mail data, every line ending in CR LF, without the dots that were added and without the end.
        data: Bytes,
    },
    /// A mail was not answered in time, and was refused for now: its client will send it again.
    Expired {
        /// Which one.
        id: MailId,
    },
    /// The connection is over, or about to be.
    Closed {
        /// Why.
        reason: CloseReason,
        /// The mail that will not be answered: its client will send it again.
        unanswered: Option<MailId>,
    },
}

/// Names one mail of a session until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MailId(pub u32);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client closed the connection, or it broke.
    PeerClosed,
    /// The client sent QUIT.
    Quit,
    /// We drained.
    Drained,
    /// No command, or no mail data, in time.
    Timeout,
    /// Too many commands that were refused.
    TooManyErrors,
    /// Too many commands that bring no mail on.
    TooManyCommands,
    /// More octets than may wait, or a line without end.
    TooManyOctets,
    /// The client speaks another protocol.
    NotSmtp,
    /// The answer to a mail said that we close.
    Answered,
}

impl CloseReason {
    /// For a log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CloseReason::PeerClosed => "the client closed the connection, or it broke",
            CloseReason::Quit => "the client sent QUIT",
            CloseReason::Drained => "drained",
            CloseReason::Timeout => "no command or mail data in time",
            CloseReason::TooManyErrors => "too many commands that were refused",
            CloseReason::TooManyCommands => "too many commands that bring no mail on",
            CloseReason::TooManyOctets => "more octets than may wait",
            CloseReason::NotSmtp => "the client speaks another protocol",
            CloseReason::Answered => "closed with the answer to a mail",
        }
    }
}

/// Why a session wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerName {
    /// The client's next command.
    Command,
    /// The next mail data.
    Data,
    /// The end of the mail data.
    Mail,
    /// Our answer to a mail.
    Answer,
}

/// Counted since the session was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands, whatever they were.
    pub commands: u64,
    /// Commands refused with 5yz.
    pub commands_refused: u64,
    /// Recipients refused.
    pub recipients_refused: u64,
    /// Mails handed up.
    pub mails: u64,
    /// Mails refused for what their data were: too large, bare line ends, a line too long.
    pub mails_refused: u64,
    /// Mails whose answer did not come in time.
    pub mails_expired: u64,
    /// Answers whose mail was not waiting any more.
    pub answers_late: u64,
}
