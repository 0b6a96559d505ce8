//! What is worth a line in a log. No message text, and no address of a subscriber, is in any of them.

use core::net::IpAddr;

use crate::observe::Overrun;
use crate::wire::inline::Inline;
use crate::wire::smpp::CommandStatus;

use super::handoff::MessageId;

/// A Call-ID, cut to what fits: enough to find the message in a trace.
pub type CallId = Inline<96>;

/// Something that happened on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A bind is up.
    Bound {
        /// SM-SC number.
        smsc: u16,
    },
    /// The SM-SC refused the bind.
    BindRefused {
        /// SM-SC number.
        smsc: u16,
        /// Why.
        status: CommandStatus,
    },
    /// The connection to the SM-SC is gone, or could not be made.
    BindLost {
        /// SM-SC number.
        smsc: u16,
        /// Why.
        reason: &'static str,
    },
    /// The SM-SC asks for fewer requests.
    Throttled {
        /// SM-SC number.
        smsc: u16,
        /// ESME_RTHROTTLED or ESME_RMSGQFUL.
        status: CommandStatus,
    },
    /// A SIP request was refused.
    Refused {
        /// Its Call-ID.
        call_id: CallId,
        /// The response.
        code: u16,
        /// Why: a header, a policy, or what is missing.
        why: &'static str,
    },
    /// A message was refused by the SM-SC, at least in part.
    RefusedBySmsc {
        /// Its Call-ID.
        call_id: CallId,
        /// The response.
        code: u16,
        /// What the SM-SC said.
        status: CommandStatus,
        /// Whether some of its short messages had been taken.
        partial: bool,
    },
    /// A message of a session, or a large message, was not taken.
    SessionMessageRefused {
        /// Call-ID of the session.
        call_id: CallId,
        /// Whose code it is: "sip" for the response to our INVITE, "msrp" for that to the last chunk.
        protocol: &'static str,
        /// The response, 0 if there was none.
        code: u16,
        /// Why.
        why: &'static str,
    },
    /// A session ended although nobody left it.
    SessionLost {
        /// Its Call-ID.
        call_id: CallId,
        /// Why.
        why: &'static str,
    },
    /// Nobody knows whether the SM-SC took a message.
    Unknown {
        /// Its Call-ID.
        call_id: CallId,
        /// The response.
        code: u16,
    },
    /// A status report named a message that is not open here.
    ReportUnmatched {
        /// SM-SC number.
        smsc: u16,
        /// The id it named, in its canonical form.
        message_id: MessageId,
    },
    /// An MMS Relay/Server has accepted us.
    RelayReady {
        /// MMS Relay/Server number.
        mmsc: u16,
    },
    /// The session with an MMS Relay/Server is over, or could not be opened.
    RelayLost {
        /// MMS Relay/Server number.
        mmsc: u16,
        /// Its reply, 0 if there was none.
        code: u16,
        /// Why.
        reason: &'static str,
    },
    /// An MMS Relay/Server refused a message.
    RefusedByRelay {
        /// Its Call-ID.
        call_id: CallId,
        /// The response.
        code: u16,
        /// What SMTP said.
        reply: u16,
    },
    /// A mail was refused.
    MailRefused {
        /// Who brought it.
        peer: IpAddr,
        /// The reply.
        code: u16,
        /// Why.
        why: &'static str,
    },
    /// A report named a message that is not open here.
    MmReportUnmatched {
        /// Who brought it.
        peer: IpAddr,
    },
    /// A response could not be sent: there is no session with where it goes.
    ResponseLost {
        /// Who waits for it.
        peer: IpAddr,
    },
    /// The CPM side did not take a notification or an event.
    NotificationFailed {
        /// Call-ID of the message it was about; empty if that is over.
        call_id: CallId,
        /// The response, 0 if there was none.
        code: u16,
    },
    /// A short message for a CPM user was refused.
    DeliverRefused {
        /// SM-SC number.
        smsc: u16,
        /// Of the deliver_sm or data_sm.
        sequence_number: u32,
        /// What the SM-SC was told.
        status: CommandStatus,
        /// Why.
        why: &'static str,
    },
    /// A turn of the core's loop took too long.
    TurnOverran(Overrun),
    /// A message whose parts were acknowledged could not be delivered and was given up.
    DeliverLost {
        /// SM-SC number.
        smsc: u16,
    },
}

/// A Call-ID as events bear it.
#[must_use]
pub fn call_id(octets: &[u8]) -> CallId {
    let len = octets.len().min(96);
    Inline::from_slice(octets.get(..len).unwrap_or_default()).unwrap_or_default()
}
