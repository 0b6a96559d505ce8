//! The CPM side: sends MESSAGE requests, answers those it gets, and reads the texts and notifications in them.

use core::net::SocketAddr;

use bytes::Bytes;

use super::desk::Desk;
use super::flow::Answer;
use super::ledger::Flow;
use super::links::{Links, frames};
use super::mix::{Message, Way};
use super::remembered::Remembered;
use super::repeats::{Due, Repeats};
use super::request::{self, Requests, read_number};
use super::settings::CpmSettings;
use super::texts::Judged;
use crate::engine::keyed_hash::KeyedHash;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, Transport};
use crate::engine::{Moment, Now};
use crate::wire::cpim::{self, imdn, text_of};
use crate::wire::sip::{self, Index, Name, Writer};

/// After this long a connection that is gone is ordered again.
const RECONNECT_US: u64 = 1_000_000;

/// The CPM side.
#[derive(Debug)]
pub(super) struct Cpm {
    settings: CpmSettings,
    requests: Requests,
    branch: memchr::memmem::Finder<'static>,
    message_id: String,
    peers: Vec<Peer>,
    /// What has arrived of a message that is not whole.
    links: Links<Vec<u8>>,
    repeats: Repeats,
    answered: Remembered,
    hash: KeyedHash,
    index: Index,
    text: String,
}

/// One of those that send.
#[derive(Debug)]
struct Peer {
    sent_by: String,
    link: Option<LinkId>,
    /// When to connect.
    connect_at: Option<Moment>,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
enum Road {
    Datagram(ListenerId, SocketAddr),
    Stream(LinkId),
}

impl Cpm {
    pub(super) fn new(settings: CpmSettings, run: u32) -> Cpm {
        let stream = settings.transport == Transport::Tcp;
        let peer = |address: &SocketAddr| Peer {
            sent_by: address.to_string(),
            link: None,
            connect_at: stream.then(Moment::default),
        };
        Cpm {
            requests: Requests::new(&settings, run, if stream { "TCP" } else { "UDP" }),
            branch: memchr::memmem::Finder::new(request::branch(run).as_bytes()).into_owned(),
            message_id: request::message_id(run),
            peers: settings.peers.iter().map(peer).collect(),
            settings,
            links: Links::new(),
            repeats: Repeats::default(),
            answered: Remembered::new(),
            hash: KeyedHash::new([u64::from(run), 1]),
            index: Index::new(),
            text: String::new(),
        }
    }

    /// Whether every peer can send.
    pub(super) fn is_ready(&self) -> bool {
        self.settings.transport == Transport::Udp || self.peers.iter().all(|peer| peer.link.is_some())
    }

    /// Whether its connection can take a message now: as long as the gateway does not read, it cannot.
    pub(super) fn has_room(&self, desk: &Desk, number: u32) -> bool {
        let link = self.peers.get(self.place_of(number)).and_then(|peer| peer.link);
        link.is_none_or(|link| desk.out.has_room(link))
    }

    fn place_of(&self, number: u32) -> usize {
        number as usize % self.peers.len().max(1)
    }

    /// Sends a message.
    pub(super) fn send(&mut self, now: Now, desk: &mut Desk, message: &Message) {
        if !self.transmit(desk, message) {
            desk.ledger.answered(message.number, desk.us(now), Answer::Word("no connection"), false);
            return;
        }
        if message.repeated {
            self.transmit(desk, message);
        }
        if self.settings.transport == Transport::Udp {
            self.repeats.sent(message.number, desk.us(now));
        }
    }

    fn transmit(&self, desk: &mut Desk, message: &Message) -> bool {
        let place = self.place_of(message.number);
        let Some(peer) = self.peers.get(place) else { return false };
        match (self.settings.transport, peer.link) {
            (Transport::Udp, _) => {
                let mut bytes = desk.out.buffer();
                self.requests.write(message, &peer.sent_by, &desk.texts, &mut bytes);
                let listener = ListenerId(u16::try_from(place).unwrap_or(u16::MAX));
                desk.out.datagram(listener, self.settings.gateway, bytes);
            }
            (Transport::Tcp, Some(link)) => {
                self.requests.write(message, &peer.sent_by, &desk.texts, desk.out.stream(link));
            }
            (Transport::Tcp, None) => return false,
        }
        true
    }

    pub(super) fn on_datagram(
        &mut self,
        now: Now,
        desk: &mut Desk,
        listener: ListenerId,
        peer: SocketAddr,
        bytes: &[u8],
    ) {
        self.on_message(now, desk, Road::Datagram(listener, peer), bytes);
    }

    pub(super) fn on_accepted(&mut self, link: LinkId) {
        self.links.insert(link, Vec::new());
    }

    pub(super) fn on_connected(&mut self, desk: &mut Desk, link: LinkId, order: ConnectId) {
        self.links.insert(link, Vec::new());
        desk.out.watch(link);
        if let Some(peer) = usize::try_from(order.0).ok().and_then(|place| self.peers.get_mut(place)) {
            peer.link = Some(link);
        }
    }

    pub(super) fn on_connect_failed(&mut self, now: Now, order: ConnectId) {
        if let Some(peer) = usize::try_from(order.0).ok().and_then(|place| self.peers.get_mut(place)) {
            peer.connect_at = Some(Moment(now.moment.0 + RECONNECT_US));
        }
    }

    /// Says whether the connection was one of ours.
    pub(super) fn on_closed(&mut self, now: Now, link: LinkId) -> bool {
        for peer in self.peers.iter_mut().filter(|peer| peer.link == Some(link)) {
            (peer.link, peer.connect_at) = (None, Some(Moment(now.moment.0 + RECONNECT_US)));
        }
        self.links.remove(link).is_some()
    }

    /// Says whether the connection is one of ours.
    pub(super) fn on_stream(&mut self, now: Now, desk: &mut Desk, link: LinkId, bytes: &Bytes) -> bool {
        let Some(unread) = self.links.get_mut(link) else { return false };
        let mut unread = core::mem::take(unread);
        let each = |message: &[u8]| self.on_message(now, desk, Road::Stream(link), message);
        if !frames(&mut unread, bytes, framed, each) {
            desk.out.close(link);
        }
        if let Some(place) = self.links.get_mut(link) {
            *place = unread;
        }
        true
    }

    /// Connects, and sends again what nobody answers.
    pub(super) fn on_tick(&mut self, now: Now, desk: &mut Desk) {
        for (place, peer) in self.peers.iter_mut().enumerate() {
            if peer.connect_at.take_if(|at| *at <= now.moment).is_some() {
                desk.out.connect(ConnectId(place as u64), self.settings.gateway);
            }
        }
        let us = desk.us(now);
        while let Some(due) = self.repeats.poll(us, |number| desk.ledger.waits_since(number).is_some()) {
            match due {
                Due::Again(number) => {
                    desk.sent_again += 1;
                    let message = desk.texts.message(number);
                    self.transmit(desk, &message);
                }
                Due::Never(number) => desk.ledger.unanswered_for_good(number),
            }
        }
    }

    /// When to call `on_tick`.
    pub(super) fn poll_timeout(&self, desk: &Desk) -> Option<Moment> {
        let again = desk.start.zip(self.repeats.deadline_us()).map(|(start, us)| Moment(start.0 + us));
        self.peers.iter().filter_map(|peer| peer.connect_at).chain(again).min()
    }

    fn on_message(&mut self, now: Now, desk: &mut Desk, road: Road, bytes: &[u8]) {
        if let Some(code) = response_code(bytes) {
            self.on_response(now, desk, code, bytes);
        } else if bytes.len() > 4 {
            self.on_request(now, desk, road, bytes);
        }
    }

    fn on_response(&self, now: Now, desk: &mut Desk, code: u16, bytes: &[u8]) {
        let needle = self.branch.needle().len();
        let number = self.branch.find(bytes).and_then(|at| read_number(bytes.get(at + needle..)?));
        match number {
            Some(number) if code >= 200 => {
                desk.ledger.answered(number, desk.us(now), Answer::Sip(code), code < 300);
            }
            Some(_) => {}
            None => desk.strange += 1,
        }
    }

    fn on_request(&mut self, now: Now, desk: &mut Desk, road: Road, bytes: &[u8]) {
        let mut index = core::mem::take(&mut self.index);
        match sip::Message::parse(bytes, &mut index) {
            Ok(request) => self.on_parsed(now, desk, road, &request),
            Err(_) => desk.strange += 1,
        }
        self.index = index;
    }

    fn on_parsed(&mut self, now: Now, desk: &mut Desk, road: Road, request: &sip::Message<'_>) {
        let code = match request.method() {
            b"ACK" => return,
            b"MESSAGE" | b"OPTIONS" => 200,
            b"INVITE" => 488,
            _ => 501,
        };
        self.respond(desk, road, request, code);
        if request.method() != b"MESSAGE" {
            desk.strange += u64::from(code != 200);
            return;
        }
        let branch = request.top_via().ok().and_then(|via| via.branch()).unwrap_or_default();
        if self.answered.was_there(self.hash.of(&[branch])) {
            desk.repeated += 1;
            return;
        }
        self.on_content(now, desk, request);
    }

    fn respond(&self, desk: &mut Desk, road: Road, request: &sip::Message<'_>, code: u16) {
        match road {
            Road::Datagram(listener, peer) => {
                let mut bytes = desk.out.buffer();
                respond(request, code, &mut bytes);
                desk.out.datagram(listener, peer, bytes);
            }
            Road::Stream(link) => respond(request, code, desk.out.stream(link)),
        }
    }

    fn on_content(&mut self, now: Now, desk: &mut Desk, request: &sip::Message<'_>) {
        let content_type = request.header(Name::ContentType).unwrap_or_default();
        let wrapper = cpim::Message::parse(request.body()).ok();
        if let Some(notification) = wrapper.as_ref().filter(|wrapper| wrapper.is_imdn()) {
            return self.on_notification(now, desk, notification.content());
        }
        self.text.clear();
        let judged = match text_of(content_type, request.body(), &mut self.text) {
            Ok(_) => desk.texts.judge(&self.text),
            Err(_) => Judged::Unknown,
        };
        let us = desk.us(now);
        match judged {
            Judged::Intact(number) if desk.texts.message(number).way == Way::SmsToCpm => {
                desk.ledger.arrived(number, us, Way::SmsToCpm);
            }
            Judged::Damaged(number) => desk.ledger.damaged(Some(number), Way::SmsToCpm),
            Judged::Intact(_) | Judged::Unknown => desk.ledger.damaged(None, Way::SmsToCpm),
        }
    }

    fn on_notification(&self, now: Now, desk: &mut Desk, content: &[u8]) {
        let Ok(document) = imdn::read(content) else {
            desk.strange += 1;
            return;
        };
        let digits = document.message_id.strip_prefix(&self.message_id);
        let Some(number) = digits.and_then(|digits| read_number(digits.as_bytes())) else {
            desk.strange += 1;
            return;
        };
        let us = desk.us(now);
        let message = desk.texts.message(number);
        for (notification, status) in document.notifications.iter() {
            match notification {
                imdn::Notification::Interworking => desk.ledger.interworked(number, us),
                imdn::Notification::Delivery => {
                    let expected = (status == imdn::Status::Delivered) != message.undelivered && message.is_notified();
                    desk.ledger.notified(number, us, Flow::Notified, expected);
                }
                _ => desk.strange += 1,
            }
        }
    }
}

/// A message on a stream; line ends before one keep the connection alive (RFC 5626 3.5.1).
fn framed(stream: &[u8]) -> crate::wire::Framing {
    let blank = stream.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    if blank > 0 { crate::wire::Framing::Complete(blank) } else { sip::frame(stream) }
}

/// The status code if this is a response.
fn response_code(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"SIP/2.0 ")?.get(..3)?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

fn respond(request: &sip::Message<'_>, code: u16, out: &mut Vec<u8>) {
    let mut writer = Writer::response(out, code, if code == 200 { "OK" } else { "No" });
    for field in request.fields() {
        match field.name {
            Name::Via | Name::From | Name::CallId | Name::CSeq => writer.header(field.name, field.value),
            Name::To => {
                let tag: &[u8] = if memchr::memmem::find(field.value, b";tag=").is_some() { b"" } else { b";tag=load" };
                writer.header_parts(Name::To, &[field.value, tag]);
            }
            _ => {}
        }
    }
    writer.end();
}
