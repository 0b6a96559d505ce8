//! The CPM client: sends requests over UDP, repeats what is not answered, answers what it gets.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Happened;
use super::fault::Fault;
use super::inbox::Inbox;
use super::session_client::{Call, Service};
use super::trace::Trace;
use crate::wire::cpim::{Dispositions, Wrapper};
use crate::wire::sip::{Index, Message, Name, Writer};

/// Timer E at first, and at most (RFC 3261 17.1.2.2).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Content-Type of a text.
pub(super) const TEXT: &str = "text/plain;charset=UTF-8";

/// A user agent on a port of its own.
#[derive(Debug)]
pub(super) struct Client {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A text to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'m> {
    pub(super) from: &'m str,
    pub(super) to: &'m str,
    /// imdn.Message-ID
    pub(super) message_id: &'m str,
    /// Names the attempt; a new one for each.
    pub(super) call_id: &'m str,
    /// Of the text.
    pub(super) content_type: &'m str,
    pub(super) text: &'m str,
}

/// What the client and its threads have in common.
#[derive(Debug)]
pub(super) struct Shared {
    socket: UdpSocket,
    pub(super) address: SocketAddr,
    pub(super) inbox: Inbox,
    loss: bool,
    stop: AtomicBool,
    state: Mutex<State>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What is sent again until it is answered: requests, and 200s to INVITE, by [`key`].
    pub(super) pending: BTreeMap<Vec<u8>, Pending>,
    /// Dialogs by Call-ID.
    pub(super) calls: BTreeMap<Vec<u8>, Call>,
    /// Responses by branch.
    answered: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Branches of which the first copy was lost.
    lost: Vec<Vec<u8>>,
}

/// Something that is sent again.
#[derive(Debug)]
pub(super) struct Pending {
    request: Vec<u8>,
    peer: SocketAddr,
    next: Instant,
    interval: Duration,
}

impl Client {
    /// Opens a port and listens.
    pub(super) fn start(trace: Trace, happened: Sender<Happened>, faults: &[Fault]) -> io::Result<Client> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_read_timeout(Some(LOOK_EVERY))?;
        let (address, loss) = (socket.local_addr()?, faults.contains(&Fault::Loss));
        let (stop, state) = (AtomicBool::new(false), Mutex::default());
        let shared = Arc::new(Shared { socket, address, inbox: Inbox::new(trace, happened), loss, stop, state });
        let listener = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("demo-cpm".into()).spawn(move || listener.listen())?;
        Ok(Client { shared, thread: Some(thread) })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Sends a text to the gateway at `peer`.
    pub(super) fn send(&self, peer: SocketAddr, message: &Outgoing<'_>) {
        let request = request(self.shared.address, message);
        self.shared.begin(key(message.call_id.as_bytes(), b"MESSAGE"), request, peer);
    }

    /// Invites whom `message` is for; nothing of its text is in the INVITE.
    pub(super) fn invite(&self, peer: SocketAddr, service: Service, message: &Outgoing<'_>) {
        self.shared.invite(peer, service, message);
    }

    /// Sends a text in a session.
    pub(super) fn say(&self, message: &Outgoing<'_>) -> io::Result<()> {
        self.shared.say(message)
    }

    /// Leaves a session.
    pub(super) fn leave(&self, peer: SocketAddr, call_id: &str) {
        self.shared.leave(peer, call_id);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn transmit(&self, octets: &[u8], peer: SocketAddr) {
        // A lost datagram is what SIP over UDP repeats.
        let _ = self.socket.send_to(octets, peer);
    }

    /// Sends a request until it is answered.
    pub(super) fn begin(&self, key: Vec<u8>, request: Vec<u8>, peer: SocketAddr) {
        let first = request.clone();
        // The response may be here before `transmit` returns.
        self.state().pending.insert(key, Pending { request, peer, next: Instant::now() + T1, interval: T1 });
        if self.loss {
            self.inbox.trace.line("        (the first copy of the request is lost)");
        } else {
            self.transmit(&first, peer);
        }
    }

    fn listen(self: &Arc<Shared>) {
        let mut buffer = vec![0; 65_536];
        let mut index = Index::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.repeat();
            let Ok((len, peer)) = self.socket.recv_from(&mut buffer) else { continue };
            match Message::parse(&buffer[..len], &mut index) {
                Ok(message) if message.is_request() => self.asked(&message, peer),
                Ok(message) => self.answered(&message, peer),
                Err(malformed) => self.inbox.tell(Happened::Wrong(format!("the gateway sent {malformed:?}"))),
            }
        }
    }

    fn repeat(&self) {
        let now = Instant::now();
        for pending in self.state().pending.values_mut().filter(|pending| pending.next <= now) {
            pending.interval = (pending.interval * 2).min(T2);
            pending.next = now + pending.interval;
            self.transmit(&pending.request, pending.peer);
        }
    }

    fn answered(self: &Arc<Shared>, response: &Message<'_>, peer: SocketAddr) {
        let (code, call_id) = (response.code(), response.call_id().unwrap_or_default());
        let method = response.cseq().map(|cseq| cseq.method).unwrap_or_default();
        if code < 200 {
            return self.progressed(code, &key(call_id, method));
        }
        let first = self.state().pending.remove(&key(call_id, method)).is_some();
        if first {
            self.inbox.crossed(&format!("SIP {code}"));
        }
        if method == b"INVITE" {
            self.invite_answered(response, peer, first);
        }
        if method == b"BYE" {
            self.state().calls.remove(call_id);
        }
        if first {
            let retry_after_s = response.header(Name::RetryAfter).and_then(|value| text(value).trim().parse().ok());
            self.inbox.tell(Happened::Answer { code, retry_after_s });
        }
    }

    /// A provisional response ends the repetition of an INVITE (RFC 3261 17.1.1.2).
    fn progressed(&self, code: u16, key: &[u8]) {
        if let Some(pending) = self.state().pending.get_mut(key).filter(|_| key.ends_with(b"INVITE")) {
            pending.next = Instant::now() + Duration::from_secs(600);
        }
        if code > 100 {
            self.inbox.crossed(&format!("SIP {code}"));
        }
    }

    fn asked(&self, request: &Message<'_>, peer: SocketAddr) {
        let branch = request.top_via().ok().and_then(|via| via.branch()).unwrap_or_default().to_vec();
        if let Some(response) = self.state().answered.get(&branch) {
            return self.transmit(response, peer);
        }
        if self.loss && !self.state().lost.contains(&branch) {
            self.inbox.trace.line("        (the first copy of the gateway's request is lost)");
            return self.state().lost.push(branch);
        }
        match request.method() {
            b"ACK" => return self.acknowledged(request),
            b"INVITE" => self.accept(request, peer, branch),
            _ => self.answer(response(request, |writer| writer.end()), peer, branch),
        }
        match request.method() {
            b"BYE" => self.left(request),
            b"MESSAGE" => {
                let content_type = request.header(Name::ContentType).unwrap_or_default();
                self.inbox.read("SIP MESSAGE", content_type, request.body());
            }
            _ => {}
        }
    }

    fn answer(&self, response: Vec<u8>, peer: SocketAddr, branch: Vec<u8>) {
        self.transmit(&response, peer);
        self.state().answered.insert(branch, response);
    }

    /// The 200 to an INVITE is sent again until its ACK comes (RFC 3261 13.3.1.4).
    fn accept(&self, request: &Message<'_>, peer: SocketAddr, branch: Vec<u8>) {
        let response = self.invited(request);
        let key = key(request.call_id().unwrap_or_default(), b"200");
        let again = Pending { request: response.clone(), peer, next: Instant::now() + T1, interval: T1 };
        self.state().pending.insert(key, again);
        self.answer(response, peer, branch);
    }
}

/// Names what is sent again: a Call-ID and a method.
pub(super) fn key(call_id: &[u8], method: &[u8]) -> Vec<u8> {
    [call_id, b" ", method].concat()
}

fn request(local: SocketAddr, message: &Outgoing<'_>) -> Vec<u8> {
    let Outgoing { from, to, call_id, .. } = message;
    let mut out = Vec::new();
    let mut writer = Writer::request(&mut out, b"MESSAGE", format!("tel:{to}").as_bytes());
    writer.header(Name::Via, format!("SIP/2.0/UDP {local};branch=z9hG4bK{call_id};rport").as_bytes());
    writer.header(Name::MaxForwards, b"70");
    writer.header(Name::From, format!("<tel:{from}>;tag=demo").as_bytes());
    writer.header(Name::To, format!("<tel:{to}>").as_bytes());
    writer.header(Name::CallId, call_id.as_bytes());
    writer.header(Name::CSeq, b"1 MESSAGE");
    writer.header(Name::PAssertedIdentity, format!("<tel:{from}>").as_bytes());
    let icsi = br#"*;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg";require;explicit"#;
    writer.header(Name::AcceptContact, icsi);
    writer.header(Name::ConversationId, format!("conversation-{call_id}").as_bytes());
    writer.header(Name::ContributionId, format!("contribution-{call_id}").as_bytes());
    writer.body(b"message/cpim", |body| wrap(message, body));
    out
}

/// A text as message/cpim, with the wish for reports.
pub(super) fn wrap(message: &Outgoing<'_>, body: &mut Vec<u8>) {
    let (from, to) = (format!("tel:{}", message.from), format!("tel:{}", message.to));
    let wrapper = Wrapper {
        from: from.as_bytes(),
        to: to.as_bytes(),
        message_id: message.message_id.as_bytes(),
        date_time: b"2026-01-01T12:00:00Z",
        dispositions: Dispositions { positive_delivery: true, negative_delivery: true, ..Dispositions::NONE },
        content_type: message.content_type.as_bytes(),
        ..Wrapper::default()
    };
    wrapper.write(message.text.as_bytes(), body);
}

/// A 200 with what `finish` adds.
pub(super) fn response(request: &Message<'_>, finish: impl FnOnce(Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, 200, "OK");
    for name in [Name::Via, Name::From, Name::CallId, Name::CSeq] {
        request.fields().filter(|field| field.name == name).for_each(|field| writer.header(name, field.value));
    }
    let to = request.header(Name::To).unwrap_or_default();
    let tag: &[u8] = if memchr::memmem::find(to, b";tag=").is_some() { b"" } else { b";tag=demo" };
    writer.header_parts(Name::To, &[to, tag]);
    finish(writer);
    out
}

fn text(octets: &[u8]) -> &str {
    core::str::from_utf8(octets).unwrap_or_default()
}
