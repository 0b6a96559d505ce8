//! The embedded MMS Relay/Server: takes MMs by SMTP, answers and reports on them, and brings one of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Happened;
use super::trace::{Party, Trace, shown};
use crate::wire::mail::mime::{self, Channel, Entity};
use crate::wire::mail::mm4::{self, DeliveryReportReq, ForwardReq, Mm4, MmStatus, RequestStatus, Res, ResKind};

/// Host part of its users' addresses.
pub(super) const DOMAIN: &str = "mms.invalid";
const SYSTEM: &[u8] = b"system-user@mms.invalid";
const VERSION: &[u8] = b"6.10.0";
const PATIENCE: Duration = Duration::from_secs(15);

/// An MMS Relay/Server on a port of its own.
#[derive(Clone, Debug)]
pub(super) struct Mmsc {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    trace: Trace,
    happened: Sender<Happened>,
    /// Where it brings mail, once that is known.
    gateway: Mutex<Option<SocketAddr>>,
}

/// A mail that came.
#[derive(Debug, Default)]
struct Mail {
    rcpt_to: Vec<u8>,
    data: Vec<u8>,
}

impl Mmsc {
    /// Opens a port and takes mail.
    pub(super) fn start(trace: Trace, happened: Sender<Happened>) -> io::Result<Mmsc> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { trace, happened, gateway: Mutex::default() });
        let acceptor = Arc::clone(&shared);
        std::thread::Builder::new().name("demo-mmsc".into()).spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&acceptor);
                // A connection that breaks is the gateway's to open again.
                std::thread::spawn(move || drop(shared.serve(connection)));
            }
        })?;
        Ok(Mmsc { address, shared })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it can bring mail there.
    pub(super) fn knows(&self, gateway: SocketAddr) {
        *self.shared.gateway.lock().unwrap_or_else(PoisonError::into_inner) = Some(gateway);
    }

    /// Brings an MM with this content; the reply to it comes when the CPM client has it.
    pub(super) fn deliver(&self, from: &str, to: &str, content_type: &[u8], content: &[u8]) -> io::Result<()> {
        let (from, to) = (format!("{from}/TYPE=PLMN@{DOMAIN}"), format!("{to}/TYPE=PLMN@{}", super::MMS_DOMAIN));
        let mut data = Vec::new();
        let request = ForwardReq {
            version: VERSION,
            transaction_id: b"demo-transaction",
            message_id: b"demo-mm",
            from: from.as_bytes(),
            to: to.as_bytes(),
            content_type,
            ack_request: true,
            originator_system: SYSTEM,
            ..ForwardReq::default()
        };
        request.write_head(b"demo-mm@mms.invalid", &mut data);
        data.extend_from_slice(content);
        self.shared.trace.crossed(Party::Mmsc, Party::Gateway, &format!("MM4_forward.REQ, {} octets", data.len()));
        self.shared.bring(from.as_bytes(), to.as_bytes(), &data)
    }
}

impl Shared {
    fn tell(&self, happened: Happened) {
        // Nobody listens any more once the demonstration is over.
        let _ = self.happened.send(happened);
    }

    /// One connection of the gateway (RFC 5321 4.1).
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        connection.write_all(b"220 mms.invalid ESMTP\r\n")?;
        let mut lines = BufReader::new(connection.try_clone()?);
        let (mut mail, mut line) = (Mail::default(), Vec::new());
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let reply: &[u8] = match &*verb {
                b"DATA" => b"354 go on\r\n",
                b"QUIT" => return connection.write_all(b"221 bye\r\n"),
                _ => b"250 ok\r\n",
            };
            if verb == b"RCPT" {
                mail.rcpt_to = path(&line);
            }
            connection.write_all(reply)?;
            if verb == b"DATA" {
                mail.data = data(&mut lines)?;
                connection.write_all(b"250 taken\r\n")?;
                self.taken(core::mem::take(&mut mail));
            }
        }
    }

    fn taken(&self, mail: Mail) {
        match mm4::read(&mail.data) {
            Ok(Mm4::ForwardReq(request)) => self.forwarded(&request),
            Ok(Mm4::Res(response)) => {
                let status = String::from_utf8_lossy(response.request_status.token()).into_owned();
                self.trace.crossed(Party::Gateway, Party::Mmsc, &format!("MM4_forward.RES {status}"));
                self.tell(Happened::MmAnswered { ok: response.request_status.is_ok() });
            }
            other => self.tell(Happened::Wrong(format!("the gateway sent {other:?}"))),
        }
    }

    /// Says what the MM's text is, accepts it, and reports that it was retrieved.
    fn forwarded(&self, request: &ForwardReq<'_>) {
        let what = format!("MM4_forward.REQ, {} octets of content", request.content.len());
        self.trace.crossed(Party::Gateway, Party::Mmsc, &what);
        self.tell(Happened::MmAtMmsc(parts(request.content_type, request.content)));
        let answered = self.respond(request).and_then(|()| self.report(request));
        if let Err(error) = answered {
            self.tell(Happened::Wrong(format!("the gateway takes no mail: {error}")));
        }
    }

    fn respond(&self, request: &ForwardReq<'_>) -> io::Result<()> {
        let mut data = Vec::new();
        let response = Res {
            kind: ResKind::Forward,
            version: VERSION,
            transaction_id: request.transaction_id,
            message_id: request.message_id,
            request_status: RequestStatus::Ok,
            sender: SYSTEM,
            to: request.originator_system,
            ..Res::default()
        };
        response.write_head(b"demo-response@mms.invalid", &mut data);
        self.trace.crossed(Party::Mmsc, Party::Gateway, "MM4_forward.RES Ok");
        self.bring(SYSTEM, request.originator_system, &data)
    }

    fn report(&self, request: &ForwardReq<'_>) -> io::Result<()> {
        if !request.delivery_report {
            return Ok(());
        }
        let mut data = Vec::new();
        let report = DeliveryReportReq {
            version: VERSION,
            transaction_id: b"demo-report",
            message_id: request.message_id,
            from: request.to,
            to: request.from,
            mm_status: MmStatus::Retrieved,
            sender: SYSTEM,
            ..DeliveryReportReq::default()
        };
        report.write_head(b"demo-report@mms.invalid", &mut data);
        self.trace.crossed(Party::Mmsc, Party::Gateway, "MM4_delivery_report.REQ Retrieved");
        self.bring(SYSTEM, request.originator_system, &data)
    }

    /// Brings a mail; fails if the gateway does not take it.
    fn bring(&self, mail_from: &[u8], rcpt_to: &[u8], data: &[u8]) -> io::Result<()> {
        let gateway = *self.gateway.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = TcpStream::connect(gateway.ok_or(io::ErrorKind::NotConnected)?)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut talk = Talk { lines: BufReader::new(connection.try_clone()?), connection };
        talk.reply()?;
        talk.ask(b"EHLO mms.invalid\r\n")?;
        talk.ask(&[b"MAIL FROM:<", mail_from, b">\r\n"].concat())?;
        talk.ask(&[b"RCPT TO:<", rcpt_to, b">\r\n"].concat())?;
        talk.ask(b"DATA\r\n")?;
        talk.connection.write_all(data)?;
        talk.ask(b"\r\n.\r\n")?;
        talk.ask(b"QUIT\r\n")
    }
}

/// A session in which it is the client.
struct Talk {
    connection: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Talk {
    fn ask(&mut self, command: &[u8]) -> io::Result<()> {
        self.connection.write_all(command)?;
        self.reply()
    }

    /// Reads a reply of any number of lines.
    fn reply(&mut self) -> io::Result<()> {
        let mut line = String::new();
        while self.lines.read_line(&mut line)? > 0 {
            match (line.as_bytes().first(), line.as_bytes().get(3)) {
                (Some(b'2' | b'3'), Some(b'-')) => line.clear(),
                (Some(b'2' | b'3'), _) => return Ok(()),
                _ => return Err(io::Error::other(shown(line.trim_end()))),
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// The lines up to the one of a dot; none of those that the gateway writes here begins with one.
fn data(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let start = data.len();
        if lines.read_until(b'\n', &mut data)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if data.get(start..) == Some(b".\r\n") {
            data.truncate(start);
            return Ok(data);
        }
    }
}

fn path(line: &[u8]) -> Vec<u8> {
    line.split(|octet| matches!(octet, b'<' | b'>')).nth(1).unwrap_or_default().to_vec()
}

/// The parts of a content, decoded.
pub(super) fn parts(content_type: &[u8], content: &[u8]) -> Vec<Vec<u8>> {
    let decoded = |leaf: Entity<'_>| {
        let (mut media_type, mut octets) = (Vec::new(), Vec::new());
        mime::rewrite(leaf, |_| true, Channel::Binary, &mut media_type, &mut octets);
        octets
    };
    mime::leaves(Entity::new(content_type, b"", content)).map(decoded).collect()
}
