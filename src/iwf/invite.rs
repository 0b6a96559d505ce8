//! What is kept of the INVITE of a session: its messages have no SIP headers of their own (IWF V3.0 6.1.2 step 2, 6.1.4
//! steps 3 and 4).

use crate::policy::Policy;
use crate::wire::sip::{Message, Name};
use crate::wire::span::Span;

use super::body::Body;
use super::pager::{Headers, NotAcceptable, Read, seconds};

/// Kept values, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Invite {
    octets: Box<[u8]>,
    spans: [Span; PLACES],
    anonymous: bool,
    /// Seconds that messages are valid, from Message-Expires or Expires.
    pub expires_s: Option<u32>,
}

/// Where what is kept.
#[derive(Clone, Copy)]
enum Place {
    RequestUri,
    To,
    From,
    PAssertedIdentity,
    SecondPAssertedIdentity,
    Originator,
    Priority,
    ContentLanguage,
    ConversationId,
    ContributionId,
    InReplyToContributionId,
    Contact,
    Subject,
}

const PLACES: usize = Place::Subject as usize + 1;

impl Invite {
    /// Of this INVITE.
    ///
    /// # Errors
    /// An address makes no sense.
    pub fn of(message: &Message<'_>, policy: &Policy) -> Result<Invite, NotAcceptable> {
        let headers = Headers::of(message, policy)?;
        let header = |name| message.header(name).unwrap_or_default();
        let expires = message.header_named(b"Message-Expires").or(message.header(Name::Expires));
        let mut octets = Vec::new();
        let spans = [
            headers.request_uri,
            headers.to,
            headers.from,
            headers.p_asserted_identity[0],
            headers.p_asserted_identity[1],
            headers.originator,
            headers.priority,
            headers.content_language,
            headers.conversation_id,
            headers.contribution_id,
            headers.in_reply_to_contribution_id,
            header(Name::Contact),
            header(Name::Subject),
        ]
        .map(|value| Span::append(&mut octets, value));
        let anonymous = headers.anonymous;
        Ok(Invite { octets: octets.into(), spans, anonymous, expires_s: expires.and_then(seconds) })
    }

    fn get(&self, place: Place) -> &[u8] {
        self.spans[place as usize].of(&self.octets)
    }

    fn headers(&self) -> Headers<'_> {
        Headers {
            request_uri: self.get(Place::RequestUri),
            to: self.get(Place::To),
            from: self.get(Place::From),
            p_asserted_identity: [Place::PAssertedIdentity, Place::SecondPAssertedIdentity]
                .map(|place| self.get(place)),
            originator: self.get(Place::Originator),
            anonymous: self.anonymous,
            priority: self.get(Place::Priority),
            content_language: self.get(Place::ContentLanguage),
            conversation_id: self.conversation_id(),
            contribution_id: self.contribution_id(),
            in_reply_to_contribution_id: self.in_reply_to_contribution_id(),
        }
    }

    /// Reads a message of the session; its text replaces what `text` holds.
    ///
    /// # Errors
    /// Why it is not acceptable.
    pub fn read<'a>(
        &'a self,
        content_type: &'a [u8],
        content: &'a [u8],
        body: Body<'a>,
        text: &mut String,
    ) -> Result<Read<'a>, NotAcceptable> {
        self.headers().read(self.expires_s, content_type, content, body, text)
    }

    /// Conversation-ID.
    #[must_use]
    pub fn conversation_id(&self) -> &[u8] {
        self.get(Place::ConversationId)
    }

    /// Contribution-ID.
    #[must_use]
    pub fn contribution_id(&self) -> &[u8] {
        self.get(Place::ContributionId)
    }

    /// InReplyTo-Contribution-ID.
    #[must_use]
    pub fn in_reply_to_contribution_id(&self) -> &[u8] {
        self.get(Place::InReplyToContributionId)
    }

    /// Contact, the whole value (6.1.4 step 3).
    #[must_use]
    pub fn contact(&self) -> &[u8] {
        self.get(Place::Contact)
    }

    /// Subject.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.get(Place::Subject)
    }

    /// The inviting user's address, as a URI.
    #[must_use]
    pub fn originator(&self) -> &[u8] {
        self.get(Place::Originator)
    }

    /// The invited user's address, as a URI.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.get(Place::RequestUri)
    }
}
