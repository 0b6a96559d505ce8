//! An INVITE: which CPM service it asks for (IWF V3.0 6.1), and what is stored of it until its session ends (6.1.2 step 2,
//! 6.1.4 steps 3 and 4).

use crate::interwork::address::Number;
use crate::interwork::sms::pager_to_submit_sm::{source_of, target_of};
use crate::limits;
use crate::policy::{Policy, UntaggedInvitation};
use crate::wire::mail::mime::{self, Entity};
use crate::wire::resource_lists;
use crate::wire::sip::lists::{Params, find_outside};
use crate::wire::sip::{Message, Name, NameAddr, uri};
use crate::wire::span::Span;

use super::headers::Headers;
use super::pager::{NotAcceptable, seconds};

/// The service that a CPM Feature Tag names (Conv-Func Appendix H).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// oma.cpm.largemsg
    LargeMessage,
    /// oma.cpm.session
    Session,
    /// oma.cpm.filetransfer, and its form for groups
    FileTransfer,
    /// Services for groups: oma.cpm.largemsg.group, oma.cpm.session.group
    Group,
    /// Another service
    Other,
    /// No tag
    None,
}

/// Which section an INVITE is handled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// 6.1.2
    LargeMessage,
    /// 6.1.4
    Session,
}

/// The service that an INVITE asks for: P-Asserted-Service says it, otherwise Accept-Contact, otherwise Contact.
#[must_use]
pub fn service(invite: &Message<'_>) -> Service {
    let asserted = invite.values(Name::PAssertedService).map(of_icsi).collect::<Found>();
    let wanted = || invite.values(Name::AcceptContact).map(of_feature_tags).collect::<Found>();
    let own = || invite.values(Name::Contact).map(of_feature_tags).collect::<Found>();
    asserted.or(wanted).or(own).0
}

/// Which networks there are beside CPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Networks {
    /// Short messages, and sessions by them.
    pub sms: bool,
    /// Multimedia messages.
    pub mms: bool,
}

/// 6.1: the section for an INVITE.
///
/// # Errors
/// Why it is refused with 488.
pub fn procedure(invite: &Message<'_>, networks: Networks, policy: &Policy) -> Result<Procedure, &'static str> {
    let switches = &policy.switches;
    let session = match (switches.terminating_sessions, networks.sms) {
        (true, true) => Ok(Procedure::Session),
        (true, false) => Err("MMS has no sessions"),
        (false, _) => Err("sessions are switched off"),
    };
    match service(invite) {
        Service::LargeMessage if switches.sms_standalone_messages || networks.mms => Ok(Procedure::LargeMessage),
        Service::LargeMessage => Err("Standalone Messages are switched off"),
        Service::Session => session,
        Service::FileTransfer => Err("SMS has no files"),
        Service::Group => Err("SMS has no groups"),
        Service::Other => Err("not a service that SMS has"),
        Service::None => match policy.sessions.untagged_invitation {
            UntaggedInvitation::Session => session,
            UntaggedInvitation::Refuse => Err("it names no CPM service"),
        },
    }
}

/// The first CPM service among several, or else that there is another.
struct Found(Service);

impl Found {
    fn or(self, other: impl FnOnce() -> Found) -> Found {
        if self.0 == Service::None { other() } else { self }
    }
}

impl FromIterator<Service> for Found {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Found {
        let better = |found, next| if matches!(found, Service::None | Service::Other) { next } else { found };
        let services = services.into_iter().filter(|service| *service != Service::None);
        Found(services.fold(Service::None, better))
    }
}

/// The parameter behind a `*` or an address; its value is a list of ICSIs (TS 24.229 7.9.2).
fn of_feature_tags(value: &[u8]) -> Service {
    let Some(start) = find_outside(value, b';') else { return Service::None };
    let params = Params(value.get(start..).unwrap_or_default());
    let list = params.get(b"+g.3gpp.icsi-ref").or_else(|| params.get(b"g.3gpp.icsi-ref")).unwrap_or_default();
    let icsis = list.split(|octet| matches!(octet, b',' | b';')).map(<[u8]>::trim_ascii);
    icsis.filter(|icsi| !icsi.is_empty()).map(of_icsi).collect::<Found>().0
}

/// `urn:urn-7:3gpp-service.ims.icsi.oma.cpm.…`, percent encoded or not (TS 24.229 7.2A.8.2).
fn of_icsi(icsi: &[u8]) -> Service {
    let mut urn = Vec::with_capacity(icsi.len());
    uri::unescape(icsi, &mut urn);
    urn.make_ascii_lowercase();
    let urn = urn.strip_prefix(b"urn:urn-7:").unwrap_or(&urn);
    match urn.strip_prefix(b"3gpp-service.ims.icsi.oma.cpm.") {
        Some(b"largemsg") => Service::LargeMessage,
        Some(b"session") => Service::Session,
        Some(b"filetransfer" | b"filetransfer.group") => Service::FileTransfer,
        Some(b"largemsg.group" | b"session.group") => Service::Group,
        _ => Service::Other,
    }
}

/// Subject, as far as it is kept.
fn subject(invite: &Message<'_>) -> String {
    let whole = String::from_utf8_lossy(invite.header(Name::Subject).unwrap_or_default());
    whole.chars().take(limits::SUBJECT_CHARACTERS_MAX).collect()
}

/// The session description of a request or response: its body, or the part of it that is one (RFC 5366 has it beside a
/// list of recipients).
#[must_use]
pub fn description<'a>(message: &Message<'a>) -> &'a [u8] {
    part(message, b"application/sdp").unwrap_or(message.body())
}

/// The list of all recipients beside it; empty if there is none.
fn recipient_list<'a>(message: &Message<'a>) -> &'a [u8] {
    part(message, resource_lists::CONTENT_TYPE.as_bytes()).unwrap_or_default()
}

fn part<'a>(message: &Message<'a>, media_type: &[u8]) -> Option<&'a [u8]> {
    let content_type = message.header(Name::ContentType)?;
    let is_multipart = content_type.get(..10).is_some_and(|top| top.eq_ignore_ascii_case(b"multipart/"));
    let whole = Entity::new(content_type, b"", message.body());
    let found =
        is_multipart.then(|| mime::leaves(whole).find(|leaf| leaf.media_type().eq_ignore_ascii_case(media_type)));
    found?.map(|leaf| leaf.body)
}

/// Referred-By, its URI (RFC 3892).
pub(super) fn referred_by<'a>(request: &Message<'a>) -> &'a [u8] {
    let value = request.header_named(b"Referred-By").or_else(|| request.header_named(b"b"));
    value.and_then(NameAddr::parse).map(|address| address.uri).unwrap_or_default()
}

/// What is stored of an INVITE, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Invitation {
    octets: Box<[u8]>,
    request_uri: Span,
    to: Span,
    from: Span,
    p_asserted_identity: [Span; 2],
    originator: Span,
    anonymous: bool,
    priority: Span,
    content_language: Span,
    conversation_id: Span,
    contribution_id: Span,
    in_reply_to_contribution_id: Span,
    contact: Span,
    subject: Span,
    date: Span,
    referred_by: Span,
    recipient_list: Span,
    session_replaces: Span,
    /// Message-Expires, seconds.
    pub message_expires_s: Option<u32>,
}

impl Invitation {
    /// Stores an INVITE.
    ///
    /// # Errors
    /// It has no From or To that could be read.
    pub fn store(invite: &Message<'_>, policy: &Policy) -> Result<Invitation, NotAcceptable> {
        let headers = Headers::of(invite, policy)?;
        let mut octets = Vec::new();
        // Addresses repeat each other: what is there already is not kept again.
        let mut keep = |value: &[u8]| match memchr::memmem::find(&octets, value) {
            Some(at) if !value.is_empty() => Span::new(at, at + value.len()),
            _ => Span::append(&mut octets, value),
        };
        let mut stored = Invitation {
            request_uri: keep(headers.request_uri),
            to: keep(headers.to),
            from: keep(headers.from),
            p_asserted_identity: headers.p_asserted_identity.map(&mut keep),
            originator: keep(headers.originator),
            anonymous: headers.anonymous,
            priority: keep(headers.priority),
            content_language: keep(headers.content_language),
            conversation_id: keep(headers.conversation_id),
            contribution_id: keep(headers.contribution_id),
            in_reply_to_contribution_id: keep(headers.in_reply_to_contribution_id),
            contact: keep(invite.header(Name::Contact).unwrap_or_default()),
            subject: keep(subject(invite).as_bytes()),
            date: keep(invite.header(Name::Date).unwrap_or_default()),
            referred_by: keep(referred_by(invite)),
            recipient_list: keep(recipient_list(invite)),
            session_replaces: keep(invite.header_named(b"Session-Replaces").unwrap_or_default()),
            message_expires_s: invite.header_named(b"Message-Expires").and_then(seconds),
            octets: Box::default(),
        };
        stored.octets = octets.into();
        Ok(stored)
    }

    fn get(&self, span: Span) -> &[u8] {
        span.of(&self.octets)
    }

    /// The headers as those of a request.
    pub(super) fn headers(&self) -> Headers<'_> {
        Headers {
            request_uri: self.get(self.request_uri),
            to: self.get(self.to),
            from: self.get(self.from),
            p_asserted_identity: self.p_asserted_identity.map(|uri| self.get(uri)),
            originator: self.get(self.originator),
            anonymous: self.anonymous,
            priority: self.get(self.priority),
            content_language: self.get(self.content_language),
            conversation_id: self.get(self.conversation_id),
            contribution_id: self.get(self.contribution_id),
            in_reply_to_contribution_id: self.get(self.in_reply_to_contribution_id),
        }
    }

    /// The number of the CPM user, or the one under which he may be shown.
    ///
    /// # Errors
    /// There is none.
    pub fn cpm_user(&self, policy: &Policy) -> Result<Number, NotAcceptable> {
        let Headers { p_asserted_identity, from, anonymous, .. } = self.headers();
        source_of(&p_asserted_identity, from, anonymous, policy).map_err(NotAcceptable::Address)
    }

    /// The number of the SMS user.
    ///
    /// # Errors
    /// There is none.
    pub fn sms_user(&self, policy: &Policy) -> Result<Number, NotAcceptable> {
        let target = target_of(self.get(self.request_uri), self.get(self.to), &policy.addresses);
        target.map_err(NotAcceptable::Address)
    }

    /// Whether the CPM user wants to stay anonymous.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        self.anonymous
    }

    /// The value of Contact (6.1.4 step 3).
    #[must_use]
    pub fn contact(&self) -> &[u8] {
        self.get(self.contact)
    }

    /// Subject, at most [`limits::SUBJECT_CHARACTERS_MAX`] characters of it.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.get(self.subject)
    }

    /// Date.
    #[must_use]
    pub fn date(&self) -> &[u8] {
        self.get(self.date)
    }

    /// The list of all recipients (RFC 5366), a document; empty if there is none.
    #[must_use]
    pub fn recipient_list(&self) -> &[u8] {
        self.get(self.recipient_list)
    }

    /// Referred-By, a URI.
    #[must_use]
    pub fn referred_by(&self) -> &[u8] {
        self.get(self.referred_by)
    }

    /// Conversation-ID.
    #[must_use]
    pub fn conversation_id(&self) -> &[u8] {
        self.get(self.conversation_id)
    }

    /// Contribution-ID.
    #[must_use]
    pub fn contribution_id(&self) -> &[u8] {
        self.get(self.contribution_id)
    }

    /// InReplyTo-Contribution-ID.
    #[must_use]
    pub fn in_reply_to_contribution_id(&self) -> &[u8] {
        self.get(self.in_reply_to_contribution_id)
    }

    /// Session-Replaces.
    #[must_use]
    pub fn session_replaces(&self) -> &[u8] {
        self.get(self.session_replaces)
    }

    /// Octets it occupies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Invitation>() + self.octets.len()
    }
}
