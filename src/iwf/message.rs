//! SIP MESSAGE requests that the gateway originates: the headers they have in common (RFC 3428, RFC 3261 8.1.1).

use crate::interwork::sms::parties::Parties;
use crate::wire::sip::{Name, Writer};

/// Accept-Contact of messages that are for a CPM client, Conv-Func 7.2.1 (RFC 3841).
const CPM_MSG: (&[u8], &[u8]) = (
    b"urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg",
    b"*;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit",
);
/// The same for event reports, Conv-Func 6.7.1.
const CPM_SYSTEMMSG: (&[u8], &[u8]) = (
    b"urn:urn-7:3gpp-service.ims.icsi.oma.cpm.systemmsg",
    b"*;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.systemmsg\";require;explicit",
);
/// RFC 3261 8.1.1.6.
const MAX_FORWARDS: u32 = 70;

/// Which service a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Pager Mode messages and their notifications.
    Message,
    /// Event reports.
    SystemMessage,
}

/// What is minted for one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Minted<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Tag of From.
    pub tag: &'a [u8],
    /// imdn.Message-ID.
    pub message_id: &'a [u8],
    /// Conversation-ID, where a conversation begins.
    pub conversation_id: &'a [u8],
    /// Contribution-ID, where a conversation begins.
    pub contribution_id: &'a [u8],
}

/// Who a MESSAGE is from.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// What stands before the address in From, quotes included; empty if nothing does.
    pub display_name: &'a str,
    /// From.
    pub uri: &'a [u8],
    /// Max-Forwards.
    pub max_forwards: u32,
}

/// Starts a MESSAGE from one URI to another.
pub fn start<'o>(out: &'o mut Vec<u8>, service: Service, from: &[u8], to: &[u8], minted: &Minted<'_>) -> Writer<'o> {
    start_from(out, service, &Sender { display_name: "", uri: from, max_forwards: MAX_FORWARDS }, to, minted)
}

/// The same for a sender who is more than a URI.
#[inline]
pub fn start_from<'o>(
    out: &'o mut Vec<u8>,
    service: Service,
    sender: &Sender<'_>,
    to: &[u8],
    minted: &Minted<'_>,
) -> Writer<'o> {
    let (asserted, contact) = match service {
        Service::Message => CPM_MSG,
        Service::SystemMessage => CPM_SYSTEMMSG,
    };
    let mut writer = Writer::request(out, b"MESSAGE", to);
    writer.number(Name::MaxForwards, u64::from(sender.max_forwards));
    let name = sender.display_name.as_bytes();
    writer.header_parts(
        Name::From,
        &[name, if name.is_empty() { b"<" } else { b" <" }, sender.uri, b">;tag=", minted.tag],
    );
    writer.header_parts(Name::To, &[b"<", to, b">"]);
    writer.header(Name::CallId, minted.call_id);
    writer.header(Name::CSeq, b"1 MESSAGE");
    writer.header(Name::PAssertedService, asserted);
    writer.header(Name::AcceptContact, contact);
    writer
}

/// Adds P-Asserted-Identity with the URIs that are not empty, as one list.
pub fn asserted(writer: &mut Writer<'_>, first: &[u8], second: &[u8]) {
    match (first.is_empty(), second.is_empty()) {
        (false, false) => writer.header_parts(Name::PAssertedIdentity, &[b"<", first, b">, <", second, b">"]),
        (false, true) => writer.header_parts(Name::PAssertedIdentity, &[b"<", first, b">"]),
        (true, false) => writer.header_parts(Name::PAssertedIdentity, &[b"<", second, b">"]),
        (true, true) => {}
    }
}

/// The same for both URIs of an SMS user.
pub fn asserted_parties(writer: &mut Writer<'_>, parties: &Parties) {
    let [sip, tel] = [parties.p_asserted_identity_sip, parties.p_asserted_identity_tel].map(|span| parties.get(span));
    asserted(writer, sip, tel);
}
