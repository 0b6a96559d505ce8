//! Sessions of the CPM client: dialogs over its UDP port (RFC 3261 12 to 15), each with an MSRP connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::Happened;
use super::client::{Outgoing, Shared, key, response, wrap};
use super::msrp_peer::MsrpPeer;
use super::trace::{Party, shown};
use crate::wire::sip::{Message, Name, Writer};

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    LargeMessage,
    Chat,
}

impl Service {
    /// The CPM Feature Tag as a parameter.
    fn feature(self) -> String {
        let name = match self {
            Service::LargeMessage => "largemsg",
            Service::Chat => "session",
        };
        format!("+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.{name}\"")
    }

    fn direction(self) -> &'static str {
        match self {
            Service::LargeMessage => "sendonly",
            Service::Chat => "sendrecv",
        }
    }
}

/// A dialog and its media.
#[derive(Debug)]
pub(super) struct Call {
    /// From and To of our requests.
    from: String,
    to: String,
    /// Request-URI within the dialog: the gateway's Contact.
    target: String,
    cseq: u32,
    local_path: String,
    /// The gateway's, from its description.
    peer_path: String,
    media: Option<MsrpPeer>,
}

/// A request of a dialog.
struct InDialog<'c> {
    method: &'c str,
    call_id: &'c str,
    cseq: u32,
}

impl Shared {
    /// Sends an INVITE, from and to whom `message` is.
    pub(super) fn invite(&self, peer: SocketAddr, service: Service, message: &Outgoing<'_>) {
        let Outgoing { from, to, call_id, .. } = *message;
        let call = Call {
            from: format!("<tel:{from}>;tag=demo"),
            to: format!("<tel:{to}>"),
            target: format!("tel:{to}"),
            cseq: 1,
            local_path: format!("msrp://{}/{call_id};tcp", self.address),
            peer_path: String::new(),
            media: None,
        };
        self.inbox.trace.crossed(Party::Cpm, Party::Gateway, &format!("SIP INVITE {call_id}"));
        let invite = self.invitation(service, message, &call);
        self.state().calls.insert(call_id.into(), call);
        self.begin(key(call_id.as_bytes(), b"INVITE"), invite, peer);
    }

    fn invitation(&self, service: Service, message: &Outgoing<'_>, call: &Call) -> Vec<u8> {
        let Outgoing { from, call_id, .. } = message;
        let mut out = Vec::new();
        let mut writer = self.within(&mut out, &InDialog { method: "INVITE", call_id, cseq: 1 }, call);
        writer.header(Name::Contact, format!("<sip:{}>;{}", self.address, service.feature()).as_bytes());
        writer.header(Name::PAssertedIdentity, format!("<tel:{from}>").as_bytes());
        writer.header(Name::AcceptContact, format!("*;{};require;explicit", service.feature()).as_bytes());
        writer.header(Name::Supported, b"timer");
        writer.header(Name::ConversationId, format!("conversation-{call_id}").as_bytes());
        writer.header(Name::ContributionId, format!("contribution-{call_id}").as_bytes());
        let offer = self.description(&call.local_path, "active", service.direction());
        writer.body(b"application/sdp", |body| body.extend_from_slice(offer.as_bytes()));
        out
    }

    /// Sends a message of a session; its response comes by the session as well.
    pub(super) fn say(&self, message: &Outgoing<'_>) -> io::Result<()> {
        let mut content = Vec::new();
        wrap(message, &mut content);
        let state = self.state();
        let media = state.calls.get(message.call_id.as_bytes()).and_then(|call| call.media.as_ref());
        let media = media.ok_or(io::ErrorKind::NotConnected)?;
        self.inbox.trace.line(&format!("        {} says {}", message.from, shown(message.text)));
        media.send(message.message_id, &content, &self.inbox)
    }

    /// Leaves a session.
    pub(super) fn leave(&self, peer: SocketAddr, call_id: &str) {
        let mut state = self.state();
        let Some(call) = state.calls.get_mut(call_id.as_bytes()) else { return };
        call.cseq += 1;
        let mut out = Vec::new();
        self.within(&mut out, &InDialog { method: "BYE", call_id, cseq: call.cseq }, call).end();
        drop(state);
        self.inbox.trace.crossed(Party::Cpm, Party::Gateway, &format!("SIP BYE {call_id}"));
        self.begin(key(call_id.as_bytes(), b"BYE"), out, peer);
    }

    /// A final response to INVITE: ACK, each time it comes (RFC 3261 13.2.2.4).
    pub(super) fn invite_answered(self: &Arc<Shared>, response: &Message<'_>, peer: SocketAddr, first: bool) {
        let call_id = response.call_id().unwrap_or_default();
        let mut state = self.state();
        let Some(call) = state.calls.get_mut(call_id) else { return };
        let accepted = response.code() < 300;
        if let Some(to) = response.header(Name::To) {
            call.to = String::from_utf8_lossy(to).into_owned();
        }
        if accepted {
            call.target = contact(response).unwrap_or_default();
            call.peer_path = path(response.body()).unwrap_or_default();
        }
        let mut ack = Vec::new();
        let name = String::from_utf8_lossy(call_id);
        // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 17.1.1.3).
        let within = InDialog { method: if accepted { "ACK" } else { "INVITE" }, call_id: &name, cseq: 1 };
        self.write_ack(&mut ack, &within, call);
        drop(state);
        self.transmit(&ack, peer);
        if accepted && first {
            self.connect(call_id);
        }
    }

    fn write_ack(&self, out: &mut Vec<u8>, within: &InDialog<'_>, call: &Call) {
        let mut writer = Writer::request(out, b"ACK", call.target.as_bytes());
        let branch = format!("SIP/2.0/UDP {};branch=z9hG4bK{}{}1;rport", self.address, within.call_id, within.method);
        writer.header(Name::Via, branch.as_bytes());
        writer.header(Name::MaxForwards, b"70");
        writer.header(Name::From, call.from.as_bytes());
        writer.header(Name::To, call.to.as_bytes());
        writer.header(Name::CallId, within.call_id.as_bytes());
        writer.header(Name::CSeq, b"1 ACK");
        writer.end();
    }

    fn connect(&self, call_id: &[u8]) {
        let mut state = self.state();
        let Some(call) = state.calls.get_mut(call_id).filter(|call| call.media.is_none()) else { return };
        let name = format!("bind-{}", String::from_utf8_lossy(call_id).chars().take(12).collect::<String>());
        let (ours, theirs) = (call.local_path.as_bytes(), call.peer_path.as_bytes());
        match MsrpPeer::connect(ours, theirs, &name, self.inbox.clone()) {
            Ok(media) => call.media = Some(media),
            Err(error) => self.inbox.tell(Happened::Wrong(format!("no MSRP connection: {error}"))),
        }
    }

    /// An INVITE of the gateway: a large message for this client.
    pub(super) fn invited(&self, request: &Message<'_>) -> Vec<u8> {
        let call_id = request.call_id().unwrap_or_default();
        let name = String::from_utf8_lossy(call_id).into_owned();
        let local_path = format!("msrp://{}/demo-{};tcp", self.address, name.split('@').next().unwrap_or_default());
        let answer = self.description(&local_path, "active", "recvonly");
        let call = Call {
            from: String::new(),
            to: String::new(),
            target: contact(request).unwrap_or_default(),
            cseq: 0,
            local_path,
            peer_path: path(request.body()).unwrap_or_default(),
            media: None,
        };
        self.inbox.crossed("SIP INVITE for a large message");
        self.inbox.trace.crossed(Party::Cpm, Party::Gateway, "SIP 200");
        self.state().calls.insert(call_id.into(), call);
        response(request, |mut writer| {
            let feature = Service::LargeMessage.feature();
            writer.header(Name::Contact, format!("<sip:{}>;{feature}", self.address).as_bytes());
            writer.body(b"application/sdp", |body| body.extend_from_slice(answer.as_bytes()));
        })
    }

    /// The ACK for our 200.
    pub(super) fn acknowledged(&self, request: &Message<'_>) {
        let call_id = request.call_id().unwrap_or_default();
        self.state().pending.remove(&key(call_id, b"200"));
        self.connect(call_id);
    }

    /// The gateway's BYE.
    pub(super) fn left(&self, request: &Message<'_>) {
        self.inbox.crossed("SIP BYE");
        self.inbox.trace.crossed(Party::Cpm, Party::Gateway, "SIP 200");
        self.state().calls.remove(request.call_id().unwrap_or_default());
        self.inbox.tell(Happened::Left);
    }

    /// Starts a request within a dialog.
    fn within<'o>(&self, out: &'o mut Vec<u8>, within: &InDialog<'_>, call: &Call) -> Writer<'o> {
        let InDialog { method, call_id, cseq } = within;
        let mut writer = Writer::request(out, method.as_bytes(), call.target.as_bytes());
        let via = format!("SIP/2.0/UDP {};branch=z9hG4bK{call_id}{method}{cseq};rport", self.address);
        writer.header(Name::Via, via.as_bytes());
        writer.header(Name::MaxForwards, b"70");
        writer.header(Name::From, call.from.as_bytes());
        writer.header(Name::To, call.to.as_bytes());
        writer.header(Name::CallId, call_id.as_bytes());
        writer.header(Name::CSeq, format!("{cseq} {method}").as_bytes());
        writer
    }

    /// SDP for MSRP (RFC 4975 8).
    fn description(&self, path: &str, setup: &str, direction: &str) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=message {port} TCP/MSRP *\r\n\
             a=accept-types:message/cpim\r\na=accept-wrapped-types:*\r\na=setup:{setup}\r\n\
             a=path:{path}\r\na={direction}\r\n"
        )
    }
}

/// The URI of Contact.
fn contact(message: &Message<'_>) -> Option<String> {
    let value = String::from_utf8_lossy(message.header(Name::Contact)?).into_owned();
    let (_, rest) = value.split_once('<')?;
    Some(rest.split_once('>')?.0.to_owned())
}

fn path(description: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(description).into_owned();
    text.lines().find_map(|line| line.strip_prefix("a=path:").map(|path| path.trim().to_owned()))
}
