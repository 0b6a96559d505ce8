//! The media of the CPM client: one MSRP connection to the gateway, which the client opens (RFC 6135 active).

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use memchr::memmem;

use super::Happened;
use super::inbox::Inbox;
use super::trace::Party;
use crate::wire::msrp::{ByteRange, Continuation, FailureReport, Head, Method, MsrpUri, Start, Writer};

/// Octets of content in a chunk (RFC 4975 5.1).
const CHUNK_BYTES: usize = 512;

/// A connection with the session that uses it.
#[derive(Debug)]
pub(super) struct MsrpPeer {
    writing: Mutex<TcpStream>,
    reading: Option<JoinHandle<()>>,
    local_path: Vec<u8>,
    peer_path: Vec<u8>,
}

impl MsrpPeer {
    /// Connects to the gateway, and says with an empty SEND whose connection it is (RFC 4975 5.4).
    pub(super) fn connect(local_path: &[u8], peer_path: &[u8], name: &str, inbox: Inbox) -> io::Result<MsrpPeer> {
        let stream = TcpStream::connect(address_of(peer_path)?)?;
        stream.set_nodelay(true)?;
        let reading = stream.try_clone()?;
        let (local_path, peer_path) = (local_path.to_vec(), peer_path.to_vec());
        let mut peer = MsrpPeer { writing: Mutex::new(stream), reading: None, local_path, peer_path };
        inbox.trace.crossed(Party::Cpm, Party::Gateway, "MSRP SEND without content, on a connection of its own");
        peer.chunk(&format!("{name}.bind"), name, (b"", 0..0), Continuation::Complete)?;
        let thread = std::thread::Builder::new().name("demo-msrp".into());
        peer.reading = Some(thread.spawn(move || listen(reading, &inbox))?);
        Ok(peer)
    }

    /// Sends a message of type message/cpim in chunks.
    pub(super) fn send(&self, message_id: &str, content: &[u8], inbox: &Inbox) -> io::Result<()> {
        let mut at = 0;
        while at < content.len() {
            let end = content.len().min(at + CHUNK_BYTES);
            let what = format!("MSRP SEND {message_id}: octets {} to {end} of {}", at + 1, content.len());
            inbox.trace.crossed(Party::Cpm, Party::Gateway, &what);
            let (id, continuation) = match end == content.len() {
                true => (format!("{message_id}{LAST}"), Continuation::Complete),
                false => (format!("{message_id}.{end}"), Continuation::More),
            };
            self.chunk(&id, message_id, (content, at..end), continuation)?;
            at = end;
        }
        Ok(())
    }

    fn chunk(
        &self,
        id: &str,
        message_id: &str,
        (content, range): (&[u8], core::ops::Range<usize>),
        continuation: Continuation,
    ) -> io::Result<()> {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, id.as_bytes(), b"SEND", &self.peer_path, &self.local_path);
        writer.message_id(message_id.as_bytes());
        let (start, end, total) = (range.start as u64 + 1, range.end as u64, content.len() as u64);
        writer.byte_range(ByteRange { start, end: Some(end), total: Some(total) });
        writer.failure_report(FailureReport::Yes);
        match content.get(range) {
            Some(data) if !data.is_empty() => writer.content(b"message/cpim", data, continuation),
            _ => writer.end(continuation),
        }
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).write_all(&out)
    }
}

impl Drop for MsrpPeer {
    fn drop(&mut self) {
        let _ = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner).shutdown(Shutdown::Both);
        // What came before the end is told before it.
        if let Some(thread) = self.reading.take() {
            let _ = thread.join();
        }
    }
}

/// How the transaction of a message's last chunk is named.
const LAST: &str = ".last";

fn address_of(path: &[u8]) -> io::Result<SocketAddr> {
    let uri = MsrpUri::parse(path).ok_or(io::ErrorKind::InvalidData)?;
    let host = String::from_utf8_lossy(uri.host).into_owned();
    let port = uri.port.ok_or(io::ErrorKind::InvalidData)?;
    format!("{host}:{port}").parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

fn listen(mut stream: TcpStream, inbox: &Inbox) {
    let (mut unread, mut message, mut buffer) = (Vec::new(), Vec::new(), [0; 4_096]);
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        unread.extend_from_slice(&buffer[..len]);
        loop {
            match frame(&unread) {
                Ok(Some(frame)) => {
                    received(&frame, &unread, &mut message, &mut stream, inbox);
                    unread.drain(..frame.len);
                }
                Ok(None) => break,
                Err(why) => return inbox.tell(Happened::Wrong(why)),
            }
        }
    }
}

/// A request or response with all its data.
struct Frame {
    head: Head,
    data: core::ops::Range<usize>,
    continuation: Continuation,
    len: usize,
}

fn frame(unread: &[u8]) -> Result<Option<Frame>, String> {
    let read = Head::read(unread).map_err(|malformed| format!("the gateway sent {malformed:?}"))?;
    let Some(head) = read else { return Ok(None) };
    let start = head.len();
    if let Some(continuation) = head.end() {
        return Ok(Some(Frame { head, data: start..start, continuation, len: start }));
    }
    let end_line = [b"\r\n-------", head.transaction_id(unread)].concat();
    let Some(found) = memmem::find(&unread[start..], &end_line) else { return Ok(None) };
    let (end, flag_at) = (start + found, start + found + end_line.len());
    if unread.len() < flag_at + 3 {
        return Ok(None);
    }
    let continuation = Continuation::from_flag(unread[flag_at]).ok_or("the gateway sent a bad end line")?;
    Ok(Some(Frame { head, data: start..end, continuation, len: flag_at + 3 }))
}

fn received(frame: &Frame, octets: &[u8], message: &mut Vec<u8>, stream: &mut TcpStream, inbox: &Inbox) {
    let Frame { head, data, continuation, .. } = frame;
    match head.start() {
        Start::Response { code } => responded(code, head.transaction_id(octets), inbox),
        Start::Request { method: Method::Send } => {
            let mut out = Vec::new();
            Writer::response_to(&mut out, head, octets, 200, "OK").end(Continuation::Complete);
            // A closed connection shows itself at the next read.
            let _ = stream.write_all(&out);
            let data = &octets[data.clone()];
            if *continuation == Continuation::More || !message.is_empty() {
                inbox.crossed(&format!("MSRP SEND: a chunk of {} octets", data.len()));
            }
            message.extend_from_slice(data);
            if *continuation == Continuation::Complete && !message.is_empty() {
                inbox.read("MSRP SEND", head.content_type(octets), &core::mem::take(message));
            }
        }
        Start::Request { .. } => {}
    }
}

fn responded(code: u16, id: &[u8], inbox: &Inbox) {
    let id = String::from_utf8_lossy(id);
    match id.strip_suffix(LAST) {
        Some(message_id) => {
            inbox.crossed(&format!("MSRP {code}, the last of {message_id}"));
            inbox.tell(Happened::Responded { code });
        }
        None => inbox.crossed(&format!("MSRP {code}")),
    }
}
