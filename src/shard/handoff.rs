//! What may cross cores, by value. A hand-off to the own shard takes the same road, so one core or many behave alike.

use core::net::SocketAddr;

use bytes::Bytes;

use crate::engine::Moment;
use crate::engine::msrp::OwnedPiece;
use crate::engine::smpp::DeliveryId;
use crate::engine::transport::{LinkId, LinkRef, ShardId, Source};
use crate::limits;
use crate::observe::{ArrivedAt, Trace};
use crate::wire::inline::Inline;
use crate::wire::smpp::{CommandStatus, MessageState};
use crate::wire::smtp::Reply;

use super::mms::{Brought, MailRef, NotificationRef, Notified};
use super::smsc_choice::Transmitters;

/// A message_id (SMPP 3.4 5.2.23: at most 64 octets).
pub type MessageId = Inline<{ limits::SMPP_MESSAGE_ID_BYTES_MAX }>;

/// A message of the owner's, and one of its short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRef {
    /// The shard that owns the CPM message.
    pub owner: ShardId,
    /// Which message there.
    pub message: u64,
    /// Which of its short messages, from 0.
    pub segment: u8,
}

/// One connection of one bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BindRef {
    /// The core that holds the bind.
    pub shard: ShardId,
    /// Its number there.
    pub bind: u16,
    /// How often it was connected.
    pub connection: u32,
}

/// A deliver_sm or data_sm that waits for its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverRef {
    /// The core that holds the bind.
    pub shard: ShardId,
    /// The bind's number there.
    pub bind: u16,
    /// SM-SC number in configuration order.
    pub smsc: u16,
    /// Which delivery of that bind.
    pub delivery: DeliveryId,
}

impl DeliverRef {
    /// The connection it came on.
    #[must_use]
    pub fn bind_ref(&self) -> BindRef {
        BindRef { shard: self.shard, bind: self.bind, connection: self.delivery.connection }
    }
}

/// What a bind must know of the short messages of one CPM message.
#[derive(Clone, Copy, Debug)]
pub struct Submit {
    /// Whose they are; `segment` is ignored.
    pub whose: SegmentRef,
    /// SM-SC number in configuration order.
    pub smsc: u16,
    /// What has not left by then never does.
    pub until: Moment,
    /// Whether a throttled PDU is tried again until then, or reported at once.
    pub retry_throttled: bool,
    /// How long it took so far.
    pub trace: Trace,
}

/// What became of one short message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitOutcome {
    /// The SM-SC answered; `message_id` is as it was written, empty unless the status is ESME_ROK.
    Responded {
        /// command_status of the response.
        status: CommandStatus,
        /// The id.
        message_id: MessageId,
    },
    /// It left, and no response came: it may or may not have been taken.
    Unknown,
    /// It never left; another link may be tried.
    NotSent,
}

/// A status report on its way from the bind to the index shard and on to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The deliver_sm to answer.
    pub deliver: DeliverRef,
    /// Canonical message_id.
    pub message_id: MessageId,
    /// message_state.
    pub state: MessageState,
    /// Whether the short message may still change its state.
    pub intermediate: bool,
    /// How long it took so far.
    pub trace: Trace,
}

/// A session of any shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionRef {
    /// The shard that owns its dialog.
    pub shard: ShardId,
    /// Keyed hash of the session-id in our MSRP URI.
    pub session: u64,
}

/// What became of a short message that was offered to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// The CPM client took it, or it was meant for us.
    Taken,
    /// The final MSRP response was this.
    Refused(u16),
    /// There was no room for it, nobody answered, or the connection was lost: the SM-SC is to come again.
    NotTaken,
    /// It is no message of the session, or the session is over: it goes its own way (IWF 6.2.2.1.3 step 3A).
    NotOfSession {
        /// The text comes back.
        text: String,
    },
}

/// Everything that may cross.
#[derive(Debug)]
pub enum Handoff {
    /// A mail, for the owner of what it is about.
    Mail(Box<Brought>),
    /// The reply to a mail that a session of this core has brought.
    MailAnswer {
        /// Which mail.
        whose: MailRef,
        /// The reply.
        reply: Reply,
    },
    /// A notification, for the owner of the MM that it is about.
    Notified(Box<Notified>),
    /// What the notification of a transaction of this core is answered.
    NotificationAnswer {
        /// Whose it is.
        whose: NotificationRef,
        /// Whether it was taken.
        taken: bool,
    },
    /// One SIP message of a stream, for the owner of its Call-ID.
    Sip {
        /// Where it came from.
        source: Source,
        /// The whole message, still in its receive buffer where it arrived in one.
        bytes: Bytes,
        /// When it arrived.
        arrival: ArrivedAt,
    },
    /// Bytes for a connection of this core.
    StreamOut {
        /// The connection.
        link: LinkId,
        /// What to send.
        bytes: Vec<u8>,
        /// Where a new connection goes if that one is gone (RFC 3261 18.2.2).
        otherwise: SocketAddr,
    },
    /// Short messages for a bind of this core.
    Submit {
        /// Whose they are.
        submit: Submit,
        /// PDUs one after the other; the header's sequence_number is the segment's number from 0.
        pdus: Vec<u8>,
    },
    /// What became of one of them, for its owner.
    Submitted {
        /// Which one.
        whose: SegmentRef,
        /// Over which SM-SC.
        smsc: u16,
        /// How it ended.
        outcome: SubmitOutcome,
        /// How long it took so far.
        trace: Trace,
        /// When the response arrived, in the time of the trace.
        answered_ns: u64,
    },
    /// An accepted message_id, for the index shard of its hash.
    Register {
        /// Keyed hash of SM-SC and canonical id.
        hash: u64,
        /// Whose it is.
        whose: SegmentRef,
        /// When nobody waits for it any more.
        until: Moment,
    },
    /// The owner no longer waits for this id.
    Forget {
        /// Keyed hash of SM-SC and canonical id.
        hash: u64,
        /// Whose it was.
        whose: SegmentRef,
    },
    /// A status report, for the index shard of its message_id.
    Report {
        /// Keyed hash of SM-SC and canonical id.
        hash: u64,
        /// The report.
        report: Report,
    },
    /// A status report whose message was found, for that message's owner.
    Reported {
        /// Keyed hash of SM-SC and canonical id.
        hash: u64,
        /// Whose it is.
        whose: SegmentRef,
        /// The report.
        report: Report,
    },
    /// A short message for a CPM user, for the shard of its addresses.
    Deliver {
        /// Which deliver_sm to answer.
        deliver: DeliverRef,
        /// The whole PDU.
        pdu: Bytes,
        /// How long it took so far.
        trace: Trace,
    },
    /// The response to a deliver_sm, for the bind it came on.
    Answer {
        /// Which one.
        deliver: DeliverRef,
        /// With which command_status.
        status: CommandStatus,
        /// How long it took so far.
        trace: Trace,
    },
    /// A connection of a bind is gone; answers on it can no longer arrive.
    BindLost(BindRef),
    /// How many binds of an SM-SC can take submissions on the sending core now.
    Binds {
        /// SM-SC number.
        smsc: u16,
        /// Its binds there.
        transmitters: Transmitters,
    },
    /// Pieces of MSRP chunks, for the owner of their session.
    Msrp {
        /// Where they came from.
        link: LinkRef,
        /// Whose they are.
        session: u64,
        /// One after the other, their octets still in their receive buffers.
        pieces: Vec<OwnedPiece>,
        /// When they arrived.
        arrival: ArrivedAt,
    },
    /// A session uses a connection of this core.
    MsrpJoin {
        /// The connection.
        link: LinkId,
        /// The session, of the sending core.
        session: u64,
    },
    /// A session no longer uses a connection of this core.
    MsrpLeave {
        /// The connection.
        link: LinkId,
        /// The session, of the sending core.
        session: u64,
    },
    /// Octets of a session for a connection of this core.
    MsrpOut {
        /// The connection.
        link: LinkId,
        /// The session, of the sending core.
        session: u64,
        /// Whole chunks.
        bytes: Vec<u8>,
    },
    /// The socket took octets of a session of this core.
    MsrpRoom {
        /// The session.
        session: u64,
        /// How many.
        bytes: usize,
    },
    /// The connection that a session of this core used is gone.
    MsrpGone {
        /// The connection.
        link: LinkRef,
        /// The session.
        session: u64,
    },
    /// From now on, what an SMS user sends to a number belongs to a session.
    SessionOpened {
        /// Keyed hash of the SMS user's number and that number.
        between: u64,
        /// The session.
        whose: SessionRef,
    },
    /// From now on it does not.
    SessionEnded {
        /// Keyed hash of the two numbers.
        between: u64,
        /// The session.
        whose: SessionRef,
    },
    /// A short message for a session of this core.
    Offer {
        /// The session.
        session: u64,
        /// The sending core's name of the short message.
        delivery: u64,
        /// Its text.
        text: String,
        /// What the user chose of a prompt.
        user_response_code: Option<u8>,
    },
    /// What became of a short message that this core had offered.
    OfferEnded {
        /// Its name.
        delivery: u64,
        /// How it ended.
        outcome: Offered,
    },
    /// The sending core has finished what it accepted and will submit nothing more.
    Finished,
}
