//! A CPM client with sessions, in memory: speaks SIP over UDP and MSRP over a connection of its own, octet by octet, and
//! shares no code with the gateway.

use std::fmt::Write as _;
use std::ops::Range;

use crate::world::World;

/// Feature tags as they stand in Accept-Contact and Contact, percent encoded.
pub const LARGE_MESSAGE: &str = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.largemsg";
pub const SESSION: &str = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session";
pub const GROUP_SESSION: &str = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session.group";
pub const FILE_TRANSFER: &str = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.filetransfer";

/// One session of one client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where it speaks SIP.
    pub address: &'static str,
    pub call_id: String,
    pub feature: &'static str,
    /// Telephone numbers.
    pub from: String,
    pub to: String,
    /// More header lines of the INVITE, each ended by CRLF.
    pub headers: String,
    /// More lines of the offer, each ended by CRLF.
    pub attributes: String,
    /// a=setup of the offer.
    pub setup: &'static str,
    pub path: String,
    /// The gateway's, from its answer.
    pub peer_path: String,
    pub to_tag: String,
    pub cseq: u32,
    /// Its MSRP connection: a place in `World::tcp`, and how much of it was read.
    pub link: Option<(usize, usize)>,
    pub seen: usize,
    pub serial: u32,
    /// How many messages it has said.
    pub message: u32,
}

impl Client {
    pub fn new(call_id: &str, feature: &'static str) -> Client {
        Client {
            address: "192.0.2.9:5060",
            call_id: call_id.to_owned(),
            feature,
            from: "+15550001".to_owned(),
            to: "+15550002".to_owned(),
            headers: String::new(),
            attributes: "a=sendrecv\r\n".to_owned(),
            setup: "actpass",
            path: format!("msrp://192.0.2.9:7394/{};tcp", call_id.replace('@', "-")),
            peer_path: String::new(),
            to_tag: String::new(),
            cseq: 0,
            link: None,
            seen: 0,
            serial: 0,
            message: 0,
        }
    }

    /// The offer.
    pub fn offer(&self) -> String {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=message 7394 TCP/MSRP *\r\n\
             a=accept-types:message/cpim\r\na=accept-wrapped-types:text/plain\r\na=setup:{}\r\na=path:{}\r\n{}",
            self.setup, self.path, self.attributes
        )
    }

    /// A request of the dialog, or the one that opens it.
    pub fn request(&mut self, method: &str, headers: &str, body: &str) -> String {
        if method != "ACK" && method != "CANCEL" {
            self.cseq += 1;
        }
        let (call_id, cseq, from, to) = (&self.call_id, self.cseq, &self.from, &self.to);
        let branch = format!("z9hG4bK{}{method}{cseq}", call_id.replace('@', "-")).replace("CANCEL", "INVITE");
        let tag =
            if self.to_tag.is_empty() || method == "CANCEL" { String::new() } else { format!(";tag={}", self.to_tag) };
        let mut out = format!(
            "{method} tel:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <tel:{from}>;tag=c1\r\nTo: <tel:{to}>{tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{headers}",
            self.address
        );
        let content_type = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        write!(out, "{content_type}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        out
    }

    /// Sends INVITE; the responses that came at once.
    pub fn invite(&mut self, world: &mut World) -> Vec<String> {
        let from = &self.from;
        let (tag, wanted) = match self.feature {
            "" => (String::new(), String::new()),
            feature => (
                format!(";+g.3gpp.icsi-ref=\"{feature}\""),
                format!("Accept-Contact: *;+g.3gpp.icsi-ref=\"{feature}\";require;explicit\r\n"),
            ),
        };
        let headers = format!(
            "Record-Route: <sip:{0};lr>\r\nContact: <sip:{0}>{tag}\r\nP-Asserted-Identity: <tel:{from}>\r\n{wanted}\
             Supported: timer\r\nConversation-ID: conv-{id}\r\nContribution-ID: contrib-{id}\r\n{1}",
            self.address,
            self.headers,
            id = self.call_id
        );
        let offer = self.offer();
        let invite = self.request("INVITE", &headers, &offer);
        self.send(world, &invite)
    }

    /// Sends a request and returns what came back at once.
    pub fn send(&mut self, world: &mut World, request: &str) -> Vec<String> {
        world.datagram_from(self.address, request.as_bytes());
        self.heard(world)
    }

    /// SIP that came since it was last asked. A 2xx to INVITE gives the gateway's tag and path.
    pub fn heard(&mut self, world: &mut World) -> Vec<String> {
        let address = self.address.parse().unwrap();
        let all: Vec<String> = world.strays.iter().filter(|(to, _)| *to == address).map(|(_, b)| text(b)).collect();
        let call_id = format!("Call-ID: {}\r\n", self.call_id);
        let own: Vec<String> = all.into_iter().filter(|message| message.contains(&call_id)).collect();
        let new = own.get(self.seen..).unwrap_or_default().to_vec();
        self.seen = own.len();
        for message in new.iter().filter(|message| message.starts_with("SIP/2.0 ")) {
            self.to_tag =
                header(message, "To").and_then(|to| Some(to.split_once(";tag=")?.1.to_owned())).unwrap_or_default();
            if let Some(path) = line(message, "a=path:") {
                self.peer_path = path;
            }
        }
        new
    }

    pub fn ack(&mut self, world: &mut World) {
        let ack = self.request("ACK", "", "");
        self.send(world, &ack);
    }

    /// ACK to a refusal: of the INVITE's transaction (RFC 3261 17.1.1.3).
    pub fn ack_refusal(&mut self, world: &mut World) {
        let ack = self.request("ACK", "", "");
        let (method, rest) = ack.split_at(3);
        let ack =
            format!("{method}{}", rest.replacen(&format!("ACK{}", self.cseq), &format!("INVITE{}", self.cseq), 1));
        self.send(world, &ack);
    }

    /// Sends CANCEL; what came back at once.
    pub fn cancel(&mut self, world: &mut World) -> Vec<String> {
        let cancel = self.request("CANCEL", "", "");
        self.send(world, &cancel)
    }

    /// Sends re-INVITE or UPDATE with the offer as it stands now, and ACK if it was an INVITE; the final response.
    pub fn offer_anew(&mut self, world: &mut World, method: &str) -> String {
        let (offer, address) = (self.offer(), self.address);
        let headers = format!("Contact: <sip:{address}>\r\nSupported: timer\r\n{}", self.headers);
        let request = self.request(method, &headers, &offer);
        let response = self.send(world, &request).pop().unwrap_or_default();
        if method == "INVITE" {
            self.ack(world);
        }
        response
    }

    /// The gateway's requests among the SIP that came since it was last asked.
    pub fn asked(&mut self, world: &mut World) -> Vec<String> {
        self.heard(world).into_iter().filter(|message| !message.starts_with("SIP/2.0 ")).collect()
    }

    /// Answers a request of the gateway.
    pub fn reply(&mut self, world: &mut World, request: &str, code: u16, headers: &str) {
        let own = ["Via", "From", "To", "Call-ID", "CSeq"];
        let same = request.split("\r\n").take_while(|line| !line.is_empty());
        let same: Vec<&str> =
            same.filter(|line| own.iter().any(|name| line.starts_with(&format!("{name}: ")))).collect();
        let address = self.address;
        let response = format!(
            "SIP/2.0 {code} X\r\n{}\r\nContact: <sip:{address}>\r\n{headers}Content-Length: 0\r\n\r\n",
            same.join("\r\n")
        );
        world.datagram_from(address, response.as_bytes());
    }

    /// Answers 200 to the gateway's BYE, which must have come; the BYE.
    pub fn take_bye(&mut self, world: &mut World) -> String {
        let bye = self.asked(world).into_iter().find(|request| request.starts_with("BYE ")).expect("a BYE");
        self.reply(world, &bye, 200, "");
        bye
    }

    /// Sends BYE; its final response.
    pub fn bye(&mut self, world: &mut World) -> String {
        let bye = self.request("BYE", "", "");
        self.send(world, &bye).pop().unwrap_or_default()
    }

    /// INVITE, the 200, ACK, and the MSRP connection with its first SEND.
    pub fn establish(&mut self, world: &mut World) {
        let responses = self.invite(world);
        let last = responses.last().expect("a response");
        assert!(last.starts_with("SIP/2.0 200 "), "{last}");
        self.ack(world);
        self.connect(world, 0);
        self.bind(world);
    }

    /// Opens its connection to one core.
    pub fn connect(&mut self, world: &mut World, shard: usize) {
        self.link = Some((world.msrp_open(shard, "192.0.2.9:40000"), 0));
    }

    /// The empty SEND that says whose connection it is; what came back at once.
    pub fn bind(&mut self, world: &mut World) -> Vec<String> {
        let id = self.next_id();
        let frame = self.frame(&id, "SEND", &format!("Message-ID: b{id}\r\nByte-Range: 1-0/0\r\n"), None, '$');
        let answers = self.push(world, frame.as_bytes());
        assert!(answers.concat().contains(&format!("MSRP {id} 200")), "{answers:?}");
        answers
    }

    fn next_id(&mut self) -> String {
        self.serial += 1;
        format!("t{:07}", self.serial)
    }

    /// A request frame.
    pub fn frame(&self, id: &str, method: &str, headers: &str, body: Option<(&str, &str)>, flag: char) -> String {
        let content = body.map(|(kind, data)| format!("Content-Type: {kind}\r\n\r\n{data}\r\n")).unwrap_or_default();
        format!(
            "MSRP {id} {method}\r\nTo-Path: {}\r\nFrom-Path: {}\r\n{headers}{content}-------{id}{flag}\r\n",
            self.peer_path, self.path
        )
    }

    /// Octets into its connection; the frames that came back at once.
    pub fn push(&mut self, world: &mut World, bytes: &[u8]) -> Vec<String> {
        let (place, _) = self.link.expect("a connection");
        world.tcp_send(place, bytes);
        self.frames(world)
    }

    /// Frames that came by its connection since it was last asked.
    pub fn frames(&mut self, world: &World) -> Vec<String> {
        let Some((place, read)) = self.link else { return Vec::new() };
        let received = world.tcp[place].received();
        let frames = split(&text(received.get(read..).unwrap_or_default()));
        self.link = Some((place, read + frames.iter().map(String::len).sum::<usize>()));
        frames
    }

    /// A CPIM message in chunks of at most `chunk` octets; the answers that came at once, and the Message-ID.
    pub fn say(&mut self, world: &mut World, cpim: &str, chunk: usize) -> (String, Vec<String>) {
        self.message += 1;
        let answers = self.say_some(world, cpim, chunk, 0..cpim.len().div_ceil(chunk));
        (self.message_id(), answers)
    }

    fn message_id(&self) -> String {
        format!("m{}-{}", self.call_id.replace('@', "-"), self.message)
    }

    /// Some of the chunks of such a message; the answers that came at once.
    pub fn say_some(&mut self, world: &mut World, cpim: &str, chunk: usize, which: Range<usize>) -> Vec<String> {
        let chunks = self.chunks(cpim, chunk, which);
        chunks.iter().flat_map(|chunk| self.push(world, chunk.as_bytes())).collect()
    }

    /// The same, not sent yet.
    pub fn chunks(&mut self, cpim: &str, chunk: usize, which: Range<usize>) -> Vec<String> {
        let pieces: Vec<&[u8]> = cpim.as_bytes().chunks(chunk).collect();
        let mut chunks = Vec::new();
        for number in which {
            let (id, at, piece) = (self.next_id(), number * chunk, pieces[number]);
            let range = format!("{}-{}/{}", at + 1, at + piece.len(), cpim.len());
            let headers = format!("Message-ID: {}\r\nByte-Range: {range}\r\n", self.message_id());
            let flag = if number + 1 == pieces.len() { '$' } else { '+' };
            chunks.push(self.frame(&id, "SEND", &headers, Some(("message/cpim", &text(piece))), flag));
        }
        chunks
    }

    /// This code to every SEND that it got; how many they were.
    pub fn refuse(&mut self, world: &mut World, code: u16) -> usize {
        let frames = self.frames(world);
        let sends: Vec<&String> =
            frames.iter().filter(|frame| frame.split(' ').nth(2).is_some_and(|m| m.starts_with("SEND"))).collect();
        for frame in &sends {
            let answer = self.answer(frame, code);
            world.tcp_send(self.link.expect("a connection").0, answer.as_bytes());
        }
        sends.len()
    }

    /// A 200 to every SEND that it got; the whole messages among them, content only.
    pub fn listen(&mut self, world: &mut World) -> Vec<String> {
        let mut messages = Vec::new();
        let mut parts = String::new();
        loop {
            let frames = self.frames(world);
            if frames.is_empty() {
                return messages;
            }
            for frame in frames.iter().filter(|frame| frame.split(' ').nth(2).is_some_and(|m| m.starts_with("SEND"))) {
                if let Some((_, content)) = frame.split_once("\r\n\r\n") {
                    let (data, end) = content.rsplit_once("\r\n-------").expect("an end line");
                    parts.push_str(data);
                    if end.ends_with("$\r\n") {
                        messages.push(std::mem::take(&mut parts));
                    }
                }
                let answer = self.answer(frame, 200);
                world.tcp_send(self.link.expect("a connection").0, answer.as_bytes());
            }
        }
    }

    /// A response to a frame.
    pub fn answer(&self, frame: &str, code: u16) -> String {
        let id = frame.split(' ').nth(1).expect("a transaction id");
        format!("MSRP {id} {code} X\r\nTo-Path: {}\r\nFrom-Path: {}\r\n-------{id}$\r\n", self.peer_path, self.path)
    }
}

/// A text in the wrapper that CPM wants.
pub fn cpim(message_id: &str, dispositions: &str, text: &str) -> String {
    let wanted = if dispositions.is_empty() {
        String::new()
    } else {
        format!("imdn.Disposition-Notification: {dispositions}\r\n")
    };
    format!(
        "From: <tel:+15550001>\r\nTo: <tel:+15550002>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: {message_id}\r\n{wanted}\r\n\
         Content-Type: text/plain;charset=utf-8\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

/// The value of a header's first line.
pub fn header(message: &str, name: &str) -> Option<String> {
    line(message, &format!("{name}: "))
}

/// What follows `start` in the first line that begins so.
pub fn line(message: &str, start: &str) -> Option<String> {
    message.split("\r\n").find_map(|line| line.strip_prefix(start)).map(str::to_owned)
}

/// MSRP frames one after the other; an unfinished one is left.
fn split(octets: &str) -> Vec<String> {
    let (mut frames, mut rest) = (Vec::new(), octets);
    while let Some(id) = rest.strip_prefix("MSRP ").and_then(|rest| rest.split(' ').next()) {
        let end = format!("-------{id}");
        let Some(at) =
            rest.match_indices(&end).map(|(at, _)| at + end.len() + 3).find(|at| rest.get(at - 2..*at) == Some("\r\n"))
        else {
            break;
        };
        frames.push(rest[..at].to_owned());
        rest = &rest[at..];
    }
    frames
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
