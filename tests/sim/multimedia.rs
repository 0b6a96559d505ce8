//! Multimedia messages for CPM users as their MMS Relay/Server brings them, and that Relay/Server both ways.

use std::time::Duration;

use isthmus::shard::settings::Settings;

use crate::mmsc::{Bringing, Mail, Mmsc};
use crate::world::World;

/// The MMS user and a CPM user.
pub const MMS_USER: &str = "+15550002";
pub const CPM_USER: &str = "+15550001";
/// Of the MMS Relay/Server and of the gateway.
pub const THERE: &str = "mms.example.com";
pub const HERE: &str = "mms.gw.example.net";

/// The address of a number.
pub fn phone(number: &str, domain: &str) -> String {
    format!("{number}/TYPE=PLMN@{domain}")
}

/// An MM4_forward.REQ.
#[derive(Clone, Debug)]
pub struct Mm {
    pub id: String,
    pub mail_from: String,
    pub rcpt_to: Vec<String>,
    pub to: String,
    /// More header lines, each ended by CRLF.
    pub headers: String,
    /// Header lines of the content.
    pub content_headers: String,
    pub content: String,
}

impl Mm {
    /// A text from the MMS user to the CPM user that asks for nothing.
    pub fn text(id: &str, text: &str) -> Mm {
        Mm {
            id: id.into(),
            mail_from: format!("system-user@{THERE}"),
            rcpt_to: vec![phone(CPM_USER, HERE)],
            to: phone(CPM_USER, HERE),
            headers: String::new(),
            content_headers: "Content-Type: text/plain; charset=utf-8\r\n".into(),
            content: text.into(),
        }
    }

    /// The same with more header lines.
    pub fn with(self, headers: &str) -> Mm {
        Mm { headers: format!("{}{headers}", self.headers), ..self }
    }

    /// The same, and its Relay/Server waits for a response.
    pub fn acknowledged(self) -> Mm {
        self.with("X-Mms-Ack-Request: Yes\r\n")
    }

    /// The same for these numbers.
    pub fn for_all(self, numbers: &[&str]) -> Mm {
        let rcpt_to: Vec<String> = numbers.iter().map(|number| phone(number, HERE)).collect();
        Mm { to: rcpt_to.join(", "), rcpt_to, ..self }
    }

    /// As a mail.
    pub fn mail(&self) -> Mail {
        let Mm { id, to, headers, content_headers, content, .. } = self;
        let from = if headers.contains("\r\nFrom: ") || headers.starts_with("From: ") {
            String::new()
        } else {
            format!("From: {}\r\n", phone(MMS_USER, THERE))
        };
        let data = format!(
            "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.REQ\r\nX-Mms-Transaction-ID: \"t-{id}\"\r\n\
             X-Mms-Message-ID: \"{id}\"\r\n{from}To: {to}\r\nX-Mms-Originator-System: system-user@{THERE}\r\n\
             Message-ID: <{id}@{THERE}>\r\n{headers}{content_headers}\r\n{content}"
        );
        Mail { mail_from: self.mail_from.clone(), rcpt_to: self.rcpt_to.clone(), data }
    }
}

/// A gateway, and the MMS Relay/Server that takes mails from each of its cores and brings some to one of them.
pub struct Sides {
    pub world: World,
    pub takes: Vec<Mmsc>,
    pub brings: Bringing,
}

impl Sides {
    /// A gateway with so many cores; mails are brought to the last.
    pub fn of(shards: u16, settings: &Settings) -> Sides {
        Sides::seeded(9, shards, settings)
    }

    /// The same in another world.
    pub fn seeded(seed: u8, shards: u16, settings: &Settings) -> Sides {
        Sides::around(World::new(seed, shards, settings))
    }

    /// Around a gateway that has just come up.
    pub fn around(mut world: World) -> Sides {
        let open: Vec<usize> = (0..world.tcp.len()).filter(|link| !world.tcp[*link].closed).collect();
        let takes: Vec<Mmsc> = open.into_iter().map(|link| Mmsc::greeted_on(&mut world, link)).collect();
        assert_eq!(takes.len(), world.shards.len(), "each core has its session");
        let last = world.shards.len() - 1;
        let brings = Bringing::connect(&mut world, last);
        Sides { world, takes, brings }
    }

    /// Lets seconds pass while the Relay/Server listens.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..2 * seconds {
            self.listen();
            self.world.run_for(Duration::from_millis(500));
        }
        self.listen();
    }

    /// The Relay/Server takes what has come.
    pub fn listen(&mut self) {
        self.takes.iter_mut().for_each(|mmsc| mmsc.listen(&mut self.world));
    }

    /// Brings a mail and waits for a second; what the gateway says to it.
    pub fn bring(&mut self, mail: &Mail) -> String {
        self.brings.bring(&mut self.world, mail);
        self.pass(1);
        self.brings.replies(&self.world)
    }

    /// Mails that came since the last time.
    pub fn mails(&mut self) -> Vec<Mail> {
        self.takes.iter_mut().flat_map(|mmsc| std::mem::take(&mut mmsc.mails)).collect()
    }

    /// X-Mms-Request-Status-Code of the responses that came since the last time.
    pub fn statuses(&mut self) -> Vec<String> {
        let mails = self.mails();
        mails.iter().map(|mail| mail.header("X-Mms-Request-Status-Code").expect("a response")).collect()
    }

    /// Nothing of any MM is left.
    pub fn nothing_stays(&mut self) {
        self.pass(400);
        let left = self.world.count(|s| s.open_mms + s.mms_awaited + s.client_transactions + s.server_transactions);
        assert_eq!(left, 0);
    }
}

/// A SEND of the gateway whose content may be any octets.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Its first line and header lines.
    pub head: String,
    pub content: Vec<u8>,
    /// `+` or `$`
    pub flag: u8,
}

impl Chunk {
    /// The value of a header.
    pub fn get(&self, name: &str) -> &str {
        let lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value).next().unwrap_or_default()
    }

    /// The first, the last and the number of octets that its Byte-Range names; an open end is where it ends.
    pub fn range(&self) -> (usize, usize, usize) {
        let (range, total) = self.get("Byte-Range").split_once('/').expect("a Byte-Range");
        let (first, last) = range.split_once('-').expect("a range");
        let first: usize = first.parse().unwrap();
        (first, last.parse().unwrap_or(first + self.content.len() - 1), total.parse().unwrap())
    }

    /// The 200 to it.
    pub fn accepted(&self) -> String {
        let id = self.head.split(' ').nth(1).unwrap();
        let (to, from) = (self.get("From-Path"), self.get("To-Path"));
        format!("MSRP {id} 200 OK\r\nTo-Path: {to}\r\nFrom-Path: {from}\r\n-------{id}$\r\n")
    }
}

/// The SENDs with content that the gateway wrote to a connection.
pub fn chunks(mut octets: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while let Some(line) = find(octets, b"\r\n") {
        let first = core::str::from_utf8(&octets[..line]).expect("ASCII").split(' ').collect::<Vec<_>>();
        let end_line = format!("-------{}", first[1]);
        let end = find(octets, end_line.as_bytes()).expect("an end line");
        let frame = &octets[..end];
        if let Some(empty) = find(frame, b"\r\n\r\n").filter(|_| first[2].starts_with("SEND")) {
            let head = String::from_utf8(frame[..empty].to_vec()).expect("UTF-8");
            let content = frame[empty + 4..].strip_suffix(b"\r\n").expect("a line end").to_vec();
            chunks.push(Chunk { head, content, flag: octets[end + end_line.len()] });
        }
        octets = &octets[end + end_line.len() + 3..];
    }
    chunks
}

/// Where `wanted` stands first.
pub fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

/// Base64 in lines of 76.
pub fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (number, three) in octets.chunks(3).enumerate() {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
            out.push(if at <= three.len() { digit } else { '=' });
        }
        if number % 19 == 18 {
            out.push_str("\r\n");
        }
    }
    out
}
