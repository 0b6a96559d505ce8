//! What is stored of a CPM message, and the conditions that end it, "whichever comes first" (IWF 6.1.1 steps 2a and 2b, 6.1.2
//! steps 2, 6.1.4 step 4). Retention is data: the rows below are the whole rule.

use crate::engine::Moment;
use crate::wire::span::Span;

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Conversation-ID, Contribution-ID, InReplyTo-Contribution-ID and Expires, or Message-Expires.
    SipHeaders,
    /// The CPIM headers for IMDN (RFC 5438).
    ImdnHeaders,
}

/// How a message came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Procedure {
    /// Pager Mode (6.1.1).
    #[default]
    Pager,
    /// Large Message Mode (6.1.2).
    LargeMessage,
    /// As a chat message (6.1.5.1). The invitation itself is stored until the session is over; of the message there is a
    /// copy, which a notification may need after that (6.2.4 2b).
    Chat,
}

/// What has happened to a message that can end retention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each of which some condition asks for")]
pub struct Progress {
    /// How it came.
    pub procedure: Procedure,
    /// The SIP session that it came in was terminated.
    pub terminated: bool,
    /// A disposition notification was requested that SMS can give: delivery or interworking.
    pub report_requested: bool,
    /// The final SIP response was sent, which ends the transaction; a MESSAGE has no dialog that could outlive it.
    pub answered: bool,
    /// Every submission has its response.
    pub submitted: bool,
    /// Every requested report was received and relayed.
    pub relayed: bool,
    /// A display notification was received. SMS has none, so none is waited for.
    pub displayed: bool,
    /// The short message would have expired.
    pub expired: bool,
}

/// One condition of the text.
pub struct End {
    /// Of which messages.
    pub procedure: Procedure,
    /// What it ends.
    pub stored: Stored,
    /// The letter of the text: step, then condition.
    pub cite: &'static str,
    /// Whether it is met.
    pub met: fn(&Progress) -> bool,
}

/// IWF 6.1.1 steps 2a (a to c) and 2b (a to d), 6.1.2 step 2 of the INVITE (a to c) and of the SEND (a to c), in their
/// order; a chat message, for which the text has no rule, as in 6.1.1.
#[rustfmt::skip]
pub const ENDS: &[End] = &[
    End { procedure: Procedure::Pager,        stored: Stored::SipHeaders,  cite: "6.1.1 2a a",     met: |p| p.answered && !p.report_requested },
    End { procedure: Procedure::Pager,        stored: Stored::SipHeaders,  cite: "6.1.1 2a b",     met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::Pager,        stored: Stored::SipHeaders,  cite: "6.1.1 2a c",     met: |p| p.expired },
    End { procedure: Procedure::Pager,        stored: Stored::ImdnHeaders, cite: "6.1.1 2b a",     met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::Pager,        stored: Stored::ImdnHeaders, cite: "6.1.1 2b b",     met: |p| p.displayed },
    End { procedure: Procedure::Pager,        stored: Stored::ImdnHeaders, cite: "6.1.1 2b c",     met: |p| p.submitted && !p.report_requested },
    End { procedure: Procedure::Pager,        stored: Stored::ImdnHeaders, cite: "6.1.1 2b d",     met: |p| p.expired },
    End { procedure: Procedure::LargeMessage, stored: Stored::SipHeaders,  cite: "6.1.2 2 a",      met: |p| p.terminated && !p.report_requested },
    End { procedure: Procedure::LargeMessage, stored: Stored::SipHeaders,  cite: "6.1.2 2 b",      met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::LargeMessage, stored: Stored::SipHeaders,  cite: "6.1.2 2 c",      met: |p| p.expired },
    End { procedure: Procedure::LargeMessage, stored: Stored::ImdnHeaders, cite: "6.1.2 SEND 2 a", met: |p| p.terminated && !p.report_requested },
    End { procedure: Procedure::LargeMessage, stored: Stored::ImdnHeaders, cite: "6.1.2 SEND 2 b", met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::LargeMessage, stored: Stored::ImdnHeaders, cite: "6.1.2 SEND 2 c", met: |p| p.expired },
    End { procedure: Procedure::Chat,         stored: Stored::SipHeaders,  cite: "6.1.4 4",        met: |p| p.answered && !p.report_requested },
    End { procedure: Procedure::Chat,         stored: Stored::SipHeaders,  cite: "6.2.4 2b",       met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::Chat,         stored: Stored::SipHeaders,  cite: "6.1.1 2a c",     met: |p| p.expired },
    End { procedure: Procedure::Chat,         stored: Stored::ImdnHeaders, cite: "6.1.1 2b a",     met: |p| p.report_requested && p.relayed },
    End { procedure: Procedure::Chat,         stored: Stored::ImdnHeaders, cite: "6.1.1 2b c",     met: |p| p.submitted && !p.report_requested },
    End { procedure: Procedure::Chat,         stored: Stored::ImdnHeaders, cite: "6.1.1 2b d",     met: |p| p.expired },
];

impl Progress {
    /// The first condition that ends the retention of `stored`.
    #[must_use]
    pub fn end_of(&self, stored: Stored) -> Option<&'static End> {
        let own = |end: &&End| end.procedure == self.procedure && end.stored == stored;
        ENDS.iter().filter(own).find(|end| (end.met)(self))
    }

    /// Whether nothing needs to be kept any more. The response to the sender and the outcome of the submission must be
    /// known: until then the headers are in use.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ended = self.end_of(Stored::SipHeaders).is_some() && self.end_of(Stored::ImdnHeaders).is_some();
        ended && self.answered && (self.submitted || self.expired)
    }
}

/// The stored values, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Retained {
    /// The buffer that the spans point into.
    pub octets: Vec<u8>,
    /// SIP Conversation-ID.
    pub conversation_id: Span,
    /// SIP Contribution-ID.
    pub contribution_id: Span,
    /// SIP InReplyTo-Contribution-ID.
    pub in_reply_to_contribution_id: Span,
    /// imdn.Message-ID of the CPM message.
    pub imdn_message_id: Span,
    /// CPIM DateTime, or the time of arrival in the same form.
    pub date_time: Span,
    /// CPIM From.
    pub cpim_from: Span,
    /// CPIM To.
    pub cpim_to: Span,
    /// SIP To, its URI without parameters of the header.
    pub sip_to: Span,
    /// The originator's address from P-Asserted-Identity or From, as a URI.
    pub originator: Span,
    /// SIP Referred-By, a URI.
    pub referred_by: Span,
    /// imdn.Original-To.
    pub original_to: Span,
    /// imdn.IMDN-Record-Route values, each ended by a line feed, in order.
    pub imdn_record_route: Span,
    /// Message-Correlator: the SMS fingerprint, or the Message ID of an MM.
    pub correlator: Span,
    /// When the short message would have expired.
    pub until: Moment,
}

impl Retained {
    /// The octets of a stored value.
    #[must_use]
    pub fn get(&self, span: Span) -> &[u8] {
        span.of(&self.octets)
    }
}
