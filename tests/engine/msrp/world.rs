//! One session, the peer's end of its connection, and the clock.

use core::time::Duration;

use bytes::Bytes;
use isthmus::engine::msrp::{
    Accept, Budget, Config, Event, Framed, Framer, Ident, IncomingId, Outgoing, Piece, Role, Session, Settings,
};
use isthmus::engine::{Now, Random};
use isthmus::wire::msrp::{ByteRange, Continuation, FailureReport, Method, Start};

pub(super) const LOCAL: &str = "msrp://gw.example.net:2855/00s3ss10n;tcp";
pub(super) const PEER: &str = "msrp://alice.example.net:7777/peer1;tcp";
pub(super) const BUDGET: usize = 1 << 20;

pub(super) fn ident(name: &str) -> Ident {
    Ident::from_slice(name.as_bytes()).unwrap()
}

pub(super) fn config(role: Role, settings: Settings) -> Config {
    let accept = Accept::only(&["text/plain", "message/cpim"]);
    Config { local_path: LOCAL.as_bytes().into(), peer_path: PEER.as_bytes().into(), role, accept, settings }
}

/// A message of text, with responses.
pub(super) fn outgoing(message_id: &str, body: &[u8]) -> Outgoing {
    Outgoing {
        message_id: ident(message_id),
        content_type: b"text/plain".as_slice().into(),
        body: Bytes::copy_from_slice(body),
        success_report: false,
        failure_report: FailureReport::Yes,
    }
}

/// What the session sent: a whole request or response.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) start: Start,
    pub(super) id: String,
    pub(super) message_id: String,
    pub(super) range: Option<ByteRange>,
    pub(super) failure_report: FailureReport,
    pub(super) status: Option<u16>,
    pub(super) body: Vec<u8>,
    pub(super) end: Continuation,
    pub(super) head: String,
}

impl Frame {
    pub(super) fn is_send(&self) -> bool {
        self.start == Start::Request { method: Method::Send }
    }

    pub(super) fn code(&self) -> Option<u16> {
        match self.start {
            Start::Response { code } => Some(code),
            Start::Request { .. } => None,
        }
    }
}

/// The frames of a stream, which must be whole.
pub(super) fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut framer = Framer::new();
    framer.push(Now::default().moment, Bytes::copy_from_slice(stream));
    let mut frames = Vec::new();
    while let Some(piece) = piece(&mut framer)
        && let (Some((section, head)), Some(end)) = (piece.head(), piece.end())
    {
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        frames.push(Frame {
            start: head.start(),
            id: text(head.transaction_id(section)),
            message_id: text(head.message_id(section)),
            range: head.byte_range(),
            failure_report: head.failure_report(),
            status: head.status(section).map(|status| status.code),
            body: piece.data().to_vec(),
            end,
            head: text(section),
        });
    }
    assert_eq!(framer.bytes_held(), 0, "half a frame was sent");
    frames
}

fn piece(framer: &mut Framer) -> Option<Piece<'_>> {
    match framer.next_piece() {
        Framed::Piece(piece) => Some(piece),
        Framed::Nothing => None,
        Framed::Broken(why) => panic!("{why}"),
    }
}

pub(super) struct World {
    pub(super) session: Session,
    pub(super) budget: Budget,
    pub(super) now: Now,
    pub(super) random: Random,
    pub(super) framer: Framer,
    transactions: u32,
}

impl World {
    /// A session whose peer has connected.
    pub(super) fn passive(settings: Settings) -> World {
        let mut world = World::unbound(Role::Passive, settings);
        world.session.handle_bound(world.now);
        world
    }

    pub(super) fn unbound(role: Role, settings: Settings) -> World {
        let budget = Budget::new(BUDGET);
        World {
            session: Session::new(config(role, settings), &budget),
            budget,
            now: Now::default(),
            random: Random::from_seed([5; 32]),
            framer: Framer::new(),
            transactions: 0,
        }
    }

    /// Octets of the peer.
    pub(super) fn give(&mut self, octets: impl Into<Bytes>) {
        self.framer.push(self.now.moment, octets.into());
        while let Some(piece) = piece(&mut self.framer) {
            self.session.handle_piece(self.now, piece);
        }
    }

    /// A request of the peer; its transaction id.
    pub(super) fn request(&mut self, method: &str, headers: &str, content: Option<&[u8]>, flag: char) -> String {
        self.transactions += 1;
        let id = format!("peer{}", self.transactions);
        let octets = request(&id, method, (LOCAL, PEER), headers, content, flag);
        self.give(octets);
        id
    }

    /// A chunk of text.
    pub(super) fn chunk(&mut self, message_id: &str, range: &str, content: &str, flag: char) -> String {
        let headers = format!("Message-ID: {message_id}\r\nByte-Range: {range}\r\nContent-Type: text/plain\r\n");
        self.request("SEND", &headers, Some(content.as_bytes()), flag)
    }

    pub(super) fn answer(&mut self, id: &str, code: u16) {
        self.give(format!("MSRP {id} {code} x\r\nTo-Path: {LOCAL}\r\nFrom-Path: {PEER}\r\n-------{id}$\r\n"));
    }

    /// What the session sends now; the socket takes it.
    pub(super) fn sent(&mut self) -> Vec<Frame> {
        let mut stream = Vec::new();
        while self.session.poll_transmit(self.now, &mut self.random, &mut stream) {
            self.session.handle_room(stream.len());
        }
        frames(&stream)
    }

    /// The codes it answers, by the transaction.
    pub(super) fn answers(&mut self) -> Vec<(String, u16)> {
        self.sent().into_iter().filter_map(|frame| Some((frame.id.clone(), frame.code()?))).collect()
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// Messages that came, without the other events.
    pub(super) fn received(&mut self) -> Vec<(IncomingId, String, Vec<u8>)> {
        let received = |event| match event {
            Event::Received { incoming, message } => {
                let mut content = Vec::new();
                message.copy_to(&mut content);
                Some((incoming, String::from_utf8(message.message_id.to_vec()).unwrap(), content))
            }
            _ => None,
        };
        self.events().into_iter().filter_map(received).collect()
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        if self.session.poll_timeout().is_some_and(|(at, _)| at <= self.now.moment) {
            self.session.handle_timeout(self.now);
        }
    }
}

/// A request as a peer writes it.
pub(super) fn request(
    id: &str,
    method: &str,
    (to, from): (&str, &str),
    headers: &str,
    content: Option<&[u8]>,
    flag: char,
) -> Vec<u8> {
    let mut octets = format!("MSRP {id} {method}\r\nTo-Path: {to}\r\nFrom-Path: {from}\r\n{headers}").into_bytes();
    if let Some(content) = content {
        octets.extend_from_slice(b"\r\n");
        octets.extend_from_slice(content);
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(format!("-------{id}{flag}\r\n").as_bytes());
    octets
}
