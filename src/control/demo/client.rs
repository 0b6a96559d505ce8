//! The CPM client: sends MESSAGEs over UDP, repeats what is not answered, answers what it gets.

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
use super::trace::{Party, Trace};
use crate::wire::cpim::{self, Dispositions, Wrapper, imdn};
use crate::wire::sip::{Index, Message, Name, Writer};

/// Timer E at first, and at most (RFC 3261 17.1.2.2).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(20);

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
    pub(super) text: &'m str,
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    address: SocketAddr,
    trace: Trace,
    happened: Sender<Happened>,
    loss: bool,
    stop: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests without a final response, by Call-ID.
    pending: BTreeMap<Vec<u8>, Pending>,
    /// Responses by branch.
    answered: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Branches of which the first copy was lost.
    lost: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Pending {
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
        let shared = Arc::new(Shared { socket, address, trace, happened, loss, stop, state });
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
        let first = request.clone();
        let pending = Pending { request, peer, next: Instant::now() + T1, interval: T1 };
        // The response may be here before `transmit` returns.
        self.shared.state().pending.insert(message.call_id.into(), pending);
        if self.shared.loss {
            self.shared.trace.line("        (the first copy of the request is lost)");
        } else {
            self.shared.transmit(&first, peer);
        }
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
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transmit(&self, octets: &[u8], peer: SocketAddr) {
        // A lost datagram is what SIP over UDP repeats.
        let _ = self.socket.send_to(octets, peer);
    }

    fn listen(&self) {
        let mut buffer = vec![0; 65_536];
        let mut index = Index::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.repeat();
            let Ok((len, peer)) = self.socket.recv_from(&mut buffer) else { continue };
            match Message::parse(&buffer[..len], &mut index) {
                Ok(message) if message.is_request() => self.asked(&message, peer),
                Ok(message) => self.answered(&message),
                Err(malformed) => self.tell(Happened::Wrong(format!("the gateway sent {malformed:?}"))),
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

    fn answered(&self, response: &Message<'_>) {
        let (code, call_id) = (response.code(), response.call_id().unwrap_or_default());
        if code < 200 || self.state().pending.remove(call_id).is_none() {
            return;
        }
        self.trace.crossed(Party::Gateway, Party::Cpm, &format!("SIP {code}"));
        let retry_after_s = response.header(Name::RetryAfter).and_then(|value| text(value).trim().parse().ok());
        self.tell(Happened::Answer { code, retry_after_s });
    }

    fn asked(&self, request: &Message<'_>, peer: SocketAddr) {
        let branch = request.top_via().ok().and_then(|via| via.branch()).unwrap_or_default().to_vec();
        if let Some(response) = self.state().answered.get(&branch) {
            return self.transmit(response, peer);
        }
        if self.loss && !self.state().lost.contains(&branch) {
            self.trace.line("        (the first copy of the gateway's request is lost)");
            return self.state().lost.push(branch);
        }
        let response = ok(request);
        self.transmit(&response, peer);
        self.state().answered.insert(branch, response);
        self.read(request);
    }

    fn read(&self, request: &Message<'_>) {
        let wrapped = cpim::Message::parse(request.body());
        if let Some(wrapped) = wrapped.ok().filter(cpim::Message::is_imdn) {
            return self.notified(wrapped.content());
        }
        let mut text = String::new();
        let content_type = request.header(Name::ContentType).unwrap_or_default();
        match cpim::text_of(content_type, request.body(), &mut text) {
            Ok(_) => {
                let what = format!("SIP MESSAGE: {}", super::trace::shown(&text));
                self.trace.crossed(Party::Gateway, Party::Cpm, &what);
                self.tell(Happened::TextAtCpm(text));
            }
            Err(why) => self.tell(Happened::Wrong(format!("a MESSAGE without text: {why:?}"))),
        }
    }

    fn notified(&self, content: &[u8]) {
        let Ok(document) = imdn::read(content) else {
            return self.tell(Happened::Wrong("an IMDN that cannot be read".into()));
        };
        for (notification, status) in document.notifications.iter() {
            let what = format!("SIP MESSAGE: IMDN {notification:?} {status:?} of {}", document.message_id);
            self.trace.crossed(Party::Gateway, Party::Cpm, &what);
            self.tell(Happened::Notified { message_id: document.message_id.to_string(), notification, status });
        }
    }

    fn tell(&self, happened: Happened) {
        // Nobody listens any more once the demonstration is over.
        let _ = self.happened.send(happened);
    }
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

fn wrap(message: &Outgoing<'_>, body: &mut Vec<u8>) {
    let (from, to) = (format!("tel:{}", message.from), format!("tel:{}", message.to));
    let wrapper = Wrapper {
        from: from.as_bytes(),
        to: to.as_bytes(),
        message_id: message.message_id.as_bytes(),
        date_time: b"2026-01-01T12:00:00Z",
        dispositions: Dispositions { positive_delivery: true, negative_delivery: true, ..Dispositions::NONE },
        content_type: b"text/plain;charset=UTF-8",
        ..Wrapper::default()
    };
    wrapper.write(message.text.as_bytes(), body);
}

fn ok(request: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, 200, "OK");
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        request.fields().filter(|field| field.name == name).for_each(|field| writer.header(name, field.value));
    }
    writer.end();
    out
}

fn text(octets: &[u8]) -> &str {
    core::str::from_utf8(octets).unwrap_or_default()
}
