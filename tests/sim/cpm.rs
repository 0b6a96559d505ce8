//! A CPM Participating Function in memory: sends MESSAGEs as a SIP client with its retransmissions, answers those it gets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use isthmus::engine::Moment;
use isthmus::wire::sip::{Index, Message, Name, Writer};

/// Timer E at first, and Timer F (RFC 3261 17.1.2).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMER_F: Duration = Duration::from_secs(32);

/// A MESSAGE to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub call_id: String,
    pub from: String,
    pub to: String,
    pub dispositions: Option<&'static str>,
    pub imdn_message_id: String,
    pub text: String,
    /// More header lines, each ended by CRLF.
    pub headers: String,
}

impl Outgoing {
    /// The request as octets.
    pub fn bytes(&self, transport: &str, branch: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"MESSAGE", format!("tel:{}", self.to).as_bytes());
        writer.header(Name::Via, format!("SIP/2.0/{transport} 192.0.2.1:5070;branch={branch};rport").as_bytes());
        writer.header(Name::MaxForwards, b"70");
        writer.header(Name::From, format!("<tel:{}>;tag=a1", self.from).as_bytes());
        writer.header(Name::To, format!("<tel:{}>", self.to).as_bytes());
        writer.header(Name::CallId, self.call_id.as_bytes());
        writer.header(Name::CSeq, b"1 MESSAGE");
        writer.header(Name::PAssertedIdentity, format!("<tel:{}>", self.from).as_bytes());
        writer.header(
            Name::AcceptContact,
            br#"*;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg";require;explicit"#,
        );
        writer.header(Name::ConversationId, format!("conv-{}", self.call_id).as_bytes());
        writer.header(Name::ContributionId, format!("contrib-{}", self.call_id).as_bytes());
        for line in self.headers.split_terminator("\r\n") {
            let (name, value) = line.split_once(": ").expect("name: value");
            writer.header_named(name.as_bytes(), &[value.as_bytes()]);
        }
        writer.body(b"message/cpim", |body| body.extend_from_slice(self.cpim().as_bytes()));
        out
    }

    fn cpim(&self) -> String {
        let wanted =
            self.dispositions.map(|list| format!("imdn.Disposition-Notification: {list}\r\n")).unwrap_or_default();
        format!(
            "From: <tel:{}>\r\nTo: <tel:{}>\r\nDateTime: 2026-11-21T10:15:30Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
             imdn.Message-ID: {}\r\n{wanted}\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: {}\r\n\r\n{}",
            self.from,
            self.to,
            self.imdn_message_id,
            self.text.len(),
            self.text
        )
    }
}

#[derive(Debug)]
struct Transaction {
    bytes: Vec<u8>,
    next: Moment,
    interval: Duration,
    until: Moment,
    reliable: bool,
}

/// A request it got.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Moment,
    pub bytes: Vec<u8>,
    /// What it was answered; 0 if nothing yet.
    pub code: u16,
}

/// The Participating Function.
#[derive(Debug)]
pub struct Cpm {
    pub gateway: SocketAddr,
    pub address: SocketAddr,
    /// Final status code of each Call-ID it used; 0 is "Timer F".
    pub answers: BTreeMap<String, u16>,
    /// The responses, whole.
    pub responses: Vec<Vec<u8>>,
    /// Distinct requests it got.
    pub received: Vec<Received>,
    /// What it answers to requests; the front one is used up unless it is the last.
    pub respond: VecDeque<u16>,
    pub retransmissions: u64,
    /// Every n-th request is answered 503.
    pub busy_every: usize,
    /// Leave requests unanswered.
    pub silent: bool,
    transactions: BTreeMap<String, Transaction>,
    requests: usize,
    known: BTreeSet<Vec<u8>>,
    answered: BTreeMap<Vec<u8>, Vec<u8>>,
    waiting: VecDeque<(Moment, Vec<u8>)>,
}

impl Cpm {
    pub fn new(address: SocketAddr, gateway: SocketAddr) -> Cpm {
        Cpm {
            gateway,
            address,
            answers: BTreeMap::new(),
            responses: Vec::new(),
            received: Vec::new(),
            respond: VecDeque::from([200]),
            retransmissions: 0,
            busy_every: 0,
            silent: false,
            transactions: BTreeMap::new(),
            requests: 0,
            known: BTreeSet::new(),
            answered: BTreeMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Sends a MESSAGE over UDP.
    pub fn send(&mut self, now: Moment, message: &Outgoing) {
        let bytes = message.bytes("UDP", &format!("z9hG4bK{}", message.call_id.replace('@', "-")));
        self.send_bytes(now, &message.call_id, bytes, false);
    }

    /// Sends any octets as a request with this Call-ID.
    pub fn send_bytes(&mut self, now: Moment, call_id: &str, bytes: Vec<u8>, reliable: bool) {
        self.waiting.push_back((now, bytes.clone()));
        let transaction = Transaction { bytes, next: now + T1, interval: T1, until: now + TIMER_F, reliable };
        self.transactions.insert(call_id.to_owned(), transaction);
    }

    /// Octets from the gateway.
    pub fn on_datagram(&mut self, now: Moment, bytes: &[u8]) {
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).expect("the gateway sends SIP");
        if message.is_request() {
            self.on_request(now, &message, bytes)
        } else {
            self.on_response(now, &message, bytes)
        }
    }

    fn on_response(&mut self, now: Moment, message: &Message<'_>, bytes: &[u8]) {
        let call_id = String::from_utf8(message.call_id().expect("Call-ID").to_vec()).unwrap();
        if message.code() < 200 {
            if let Some(transaction) = self.transactions.get_mut(&call_id) {
                (transaction.interval, transaction.next) = (T2, now + T2);
            }
            return;
        }
        if self.transactions.remove(&call_id).is_some() {
            self.answers.insert(call_id, message.code());
            self.responses.push(bytes.to_vec());
        }
    }

    fn on_request(&mut self, now: Moment, message: &Message<'_>, bytes: &[u8]) {
        let branch = message.top_via().expect("Via").branch().expect("branch").to_vec();
        if let Some(response) = self.answered.get(&branch) {
            self.waiting.push_back((now, response.clone()));
            return;
        }
        if self.known.insert(branch.clone()) {
            self.received.push(Received { at: now, bytes: bytes.to_vec(), code: 0 });
        }
        if self.silent {
            return;
        }
        let code = self.code();
        let branch_of = |received: &&mut Received| received.bytes == bytes;
        self.received.iter_mut().filter(branch_of).for_each(|received| received.code = code);
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, code, "X");
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            writer.header(name, message.header(name).expect("mandatory header"));
        }
        writer.end();
        self.answered.insert(branch, out.clone());
        self.waiting.push_back((now, out));
    }

    fn code(&mut self) -> u16 {
        self.requests += 1;
        if self.busy_every > 0 && self.requests.is_multiple_of(self.busy_every) {
            return 503;
        }
        if self.respond.len() > 1 { self.respond.pop_front().unwrap() } else { self.respond[0] }
    }

    /// The next datagram that is due.
    pub fn poll(&mut self, now: Moment) -> Option<Vec<u8>> {
        self.retransmit(now);
        self.waiting.pop_front().map(|(_, bytes)| bytes)
    }

    fn retransmit(&mut self, now: Moment) {
        let over: Vec<String> =
            self.transactions.iter().filter(|(_, t)| t.until <= now).map(|(id, _)| id.clone()).collect();
        for call_id in over {
            self.transactions.remove(&call_id);
            self.answers.insert(call_id, 0);
        }
        for transaction in self.transactions.values_mut().filter(|t| !t.reliable && t.next <= now) {
            transaction.interval = (transaction.interval * 2).min(T2);
            transaction.next = now + transaction.interval;
            self.retransmissions += 1;
            self.waiting.push_back((now, transaction.bytes.clone()));
        }
    }

    /// When to poll next.
    pub fn deadline(&self) -> Option<Moment> {
        let waiting = self.waiting.iter().map(|(at, _)| *at);
        waiting.chain(self.transactions.values().map(|t| if t.reliable { t.until } else { t.next.min(t.until) })).min()
    }
}
