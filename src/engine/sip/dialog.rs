//! The state of a dialog and the requests in it (RFC 3261 12).
//!
//! All octets of a dialog are in one buffer: a gateway holds very many of them for hours.

use crate::engine::keyed_hash::KeyedHash;
use crate::limits;
use crate::wire::digits::digits;
use crate::wire::sip::lists::Values;
use crate::wire::sip::uri::Uri;
use crate::wire::sip::{Message, Name, NameAddr, Writer};

use super::parts::Parts;

/// Who of two sent a request, and who served it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user agent client.
    Uac,
    /// The user agent server.
    Uas,
}

impl Role {
    /// The other end's.
    #[must_use]
    pub const fn other(self) -> Role {
        match self {
            Role::Uac => Role::Uas,
            Role::Uas => Role::Uac,
        }
    }
}

/// Where what is kept in the buffer. Local and remote are whole header values with their tags: what is not ours to
/// understand comes back to the peer as it was.
#[derive(Clone, Copy)]
enum Part {
    CallId,
    Local,
    Remote,
    RemoteTarget,
    /// The values of Route, in the order of a request.
    RouteSet,
    Contact,
    /// Of the session, not of the dialog: the last session description that was sent.
    Description,
}

/// One end of a dialog. Before the peer's tag is known, the dialog that an INVITE of ours is about to make.
#[derive(Clone, Debug)]
pub struct Dialog {
    parts: Parts<7>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    role: Role,
}

/// What the first request of a dialog is made of.
#[derive(Clone, Copy, Debug)]
pub struct FirstRequest<'a> {
    /// Where to.
    pub request_uri: &'a [u8],
    /// Value of From, without tag.
    pub from: &'a [u8],
    /// Value of To, without tag.
    pub to: &'a [u8],
    /// Unique, and hashing to its owner.
    pub call_id: &'a [u8],
    /// Value of Contact, feature tags included.
    pub contact: &'a [u8],
}

impl Dialog {
    /// The UAS of an INVITE (RFC 3261 12.1.1); `contact` is the value of our Contact. `None` if the request has no Contact
    /// that could be used.
    #[must_use]
    pub fn uas(invite: &Message<'_>, local_tag: &[u8], contact: &[u8]) -> Option<Dialog> {
        let (to, from) = (invite.header(Name::To)?, invite.header(Name::From)?);
        let target = contact_uri(invite)?;
        let routes: Vec<&[u8]> = invite.values(Name::RecordRoute).filter(|value| !value.is_empty()).collect();
        let local: &[&[u8]] = &[to, b";tag=", local_tag];
        let call_id = invite.call_id()?;
        let route_set = routes.join(b", ".as_slice());
        let parts = Parts::of([&[call_id], local, &[from], &[target], &[&route_set], &[contact], &[]]);
        let remote_cseq = invite.cseq().ok().map(|cseq| cseq.number);
        Some(Dialog { parts, local_cseq: 0, remote_cseq, role: Role::Uas })
    }

    /// The UAC that is about to send an INVITE (RFC 3261 8.1.1).
    #[must_use]
    pub fn uac(first: &FirstRequest<'_>, local_tag: &[u8]) -> Dialog {
        let FirstRequest { request_uri, from, to, call_id, contact } = *first;
        let local: &[&[u8]] = &[from, b";tag=", local_tag];
        let parts = Parts::of([&[call_id], local, &[to], &[request_uri], &[], &[contact], &[]]);
        Dialog { parts, local_cseq: 0, remote_cseq: None, role: Role::Uac }
    }

    /// The dialog that a response to an INVITE of ours makes beside the one that is kept, as good as the response tells it:
    /// enough for what ends it (RFC 3261 13.2.2.4).
    #[must_use]
    pub fn beside(response: &Message<'_>) -> Dialog {
        let header = |name| response.header(name).unwrap_or_default();
        let parts = Parts::of([&[header(Name::CallId)], &[header(Name::From)], &[], &[], &[], &[], &[]]);
        let local_cseq = response.cseq().map_or(0, |cseq| cseq.number);
        let mut dialog = Dialog { parts, local_cseq, remote_cseq: None, role: Role::Uac };
        dialog.establish(response);
        dialog
    }

    /// The dialog that this response to our INVITE makes (RFC 3261 12.1.2). Without a Contact, which no such response may
    /// lack, the remote target stays the Request-URI.
    pub fn establish(&mut self, response: &Message<'_>) {
        let mut routes: Vec<&[u8]> = response.values(Name::RecordRoute).filter(|value| !value.is_empty()).collect();
        routes.reverse();
        self.set(Part::RouteSet, &routes.join(b", ".as_slice()));
        self.set(Part::Remote, response.header(Name::To).unwrap_or_default());
        self.refresh_target(response);
    }

    /// A target refresh: the Contact of a request or its 2xx takes the place of the remote target (RFC 3261 12.2). One that
    /// the dialog has no room for ([`limits::SIP_DIALOG_BYTES_MAX`]) is passed over.
    pub fn refresh_target(&mut self, message: &Message<'_>) {
        let room = limits::SIP_DIALOG_BYTES_MAX.saturating_sub(self.bytes() - self.remote_target().len());
        if let Some(uri) = contact_uri(message).filter(|uri| uri.len() <= room) {
            self.set(Part::RemoteTarget, uri);
        }
    }

    /// The Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &[u8] {
        self.part(Part::CallId)
    }

    /// Value of From in our requests, with our tag.
    #[must_use]
    pub fn local(&self) -> &[u8] {
        self.part(Part::Local)
    }

    /// Value of To in our requests, with the peer's tag if there is one.
    #[must_use]
    pub fn remote(&self) -> &[u8] {
        self.part(Part::Remote)
    }

    /// Our tag.
    #[must_use]
    pub fn local_tag(&self) -> &[u8] {
        tag_of(self.local())
    }

    /// The peer's tag; empty while it is not known, or if it is a peer of RFC 2543.
    #[must_use]
    pub fn remote_tag(&self) -> &[u8] {
        tag_of(self.remote())
    }

    /// The URI that requests in the dialog are for.
    #[must_use]
    pub fn remote_target(&self) -> &[u8] {
        self.part(Part::RemoteTarget)
    }

    /// The route set, as a value of Route.
    #[must_use]
    pub fn route_set(&self) -> &[u8] {
        self.part(Part::RouteSet)
    }

    /// Value of our Contact.
    #[must_use]
    pub fn contact(&self) -> &[u8] {
        self.part(Part::Contact)
    }

    /// Puts another value of our Contact in place.
    pub fn set_contact(&mut self, contact: &[u8]) {
        self.set(Part::Contact, contact);
    }

    /// The last session description that `describe` kept.
    #[must_use]
    pub fn description(&self) -> &[u8] {
        self.part(Part::Description)
    }

    /// Keeps the session description that was sent last.
    pub fn describe(&mut self, description: &[u8]) {
        self.set(Part::Description, description);
    }

    /// Our role in the INVITE that made it: the UAC gave the Call-ID.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// CSeq of our last request.
    #[must_use]
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// CSeq of the peer's last request, if there was one.
    #[must_use]
    pub fn remote_cseq(&self) -> Option<u32> {
        self.remote_cseq
    }

    /// Octets that its buffer holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.len()
    }

    /// Where its requests go first: the URI of the topmost Route, if there is a route set.
    #[must_use]
    pub fn first_hop(&self) -> Option<&[u8]> {
        let first = Values::new(self.route_set()).next()?;
        NameAddr::parse(first).map(|address| address.uri)
    }

    /// By what a request in it is found: Call-ID and both tags (RFC 3261 12).
    #[must_use]
    pub fn key(&self, hash: &KeyedHash) -> u64 {
        hash.of(&[self.call_id(), self.local_tag(), self.remote_tag()])
    }

    /// The `key` of the dialog that a request says to be in. `None` without a To tag: it is in none.
    #[must_use]
    pub fn key_of(request: &Message<'_>, hash: &KeyedHash) -> Option<u64> {
        let (local, remote) = tags_of(request)?;
        Some(hash.of(&[request.call_id()?, local, remote]))
    }

    /// Whether a request says to be in this dialog.
    #[must_use]
    pub fn has(&self, request: &Message<'_>) -> bool {
        request.call_id() == Some(self.call_id()) && tags_of(request) == Some((self.local_tag(), self.remote_tag()))
    }

    /// RFC 3261 12.2.2: `false` for a request with a lower CSeq than was seen; it gets 500. Not for ACK and CANCEL, which
    /// have the CSeq of their INVITE.
    #[must_use]
    pub fn is_in_order(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|seen| cseq >= seen);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// The CSeq of our next request (RFC 3261 12.2.1.1).
    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq = (self.local_cseq + 1) & 0x7FFF_FFFF;
        self.local_cseq
    }

    /// Begins a request in the dialog (RFC 3261 12.2.1.1), without Via, which its transaction adds. What follows is for the
    /// caller to write: Contact in a target refresh, the rest, the body.
    pub fn write_request<'o>(&self, method: &[u8], cseq: u32, out: &'o mut Vec<u8>) -> Writer<'o> {
        let mut writer = self.write_routed(method, out);
        writer.header(Name::MaxForwards, b"70");
        writer.header(Name::From, self.local());
        writer.header(Name::To, self.remote());
        writer.header(Name::CallId, self.call_id());
        writer.header_parts(Name::CSeq, &[&digits(u64::from(cseq)), b" ", method]);
        writer
    }

    /// Request-URI and Route. If the first route is no loose one, it is the Request-URI, and the remote target comes last.
    fn write_routed<'o>(&self, method: &[u8], out: &'o mut Vec<u8>) -> Writer<'o> {
        let mut routes = Values::new(self.route_set());
        let Some(strict) = routes.next().and_then(strict_route) else {
            let mut writer = Writer::request(out, method, self.remote_target());
            writer.header_if(Name::Route, self.route_set());
            return writer;
        };
        let last = [b"<".as_slice(), self.remote_target(), b">"].concat();
        let mut writer = Writer::request(out, method, strict);
        writer.list(Name::Route, routes.chain([last.as_slice()]));
        writer
    }

    fn part(&self, part: Part) -> &[u8] {
        self.parts.get(part as usize)
    }

    fn set(&mut self, part: Part, octets: &[u8]) {
        self.parts.set(part as usize, octets);
    }
}

/// The URI of a route without lr, as a Request-URI: headers are not allowed there (RFC 3261 19.1.1).
fn strict_route(value: &[u8]) -> Option<&[u8]> {
    let uri = NameAddr::parse(value)?.uri;
    let Uri::Sip(sip) = Uri::parse(uri)? else { return None };
    let headers = if sip.headers.is_empty() { 0 } else { sip.headers.len() + 1 };
    sip.param(b"lr").is_none().then(|| &uri[..uri.len() - headers])
}

/// To tag and From tag of a request: ours and the peer's. A peer of RFC 2543 has none.
fn tags_of<'a>(request: &Message<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let local = request.to().ok()?.tag()?;
    Some((local, request.from().ok()?.tag().unwrap_or_default()))
}

fn tag_of(value: &[u8]) -> &[u8] {
    NameAddr::parse(value).and_then(|address| address.tag()).unwrap_or_default()
}

fn contact_uri<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    message.values(Name::Contact).next().and_then(NameAddr::parse).map(|contact| contact.uri)
}
