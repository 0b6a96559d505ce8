//! Who sends: the same message over and over, each time under another Message-ID.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::net::{RecvFlags, recv};
use rustix::thread::{CpuSet, sched_setaffinity};

const MESSAGE_BYTES: usize = 10 << 20;
const CHUNK_BYTES: usize = 2_048;
/// Octets of one write.
const WRITE_BYTES: usize = 64 << 10;
/// A place that the number of a message is written into.
const NUMBER: &[u8] = b"##########";

/// What both sides call themselves.
pub const LOCAL_PATH: &str = "msrp://127.0.0.1:2855/our-session;tcp";
pub const PEER_PATH: &str = "msrp://127.0.0.1:9/their-session;tcp";
/// A request of no session, which is refused.
const STRAY: &[u8] = b"MSRP stray001 SEND\r\nTo-Path: msrp://127.0.0.1:2855/nobody;tcp\r\n\
    From-Path: msrp://127.0.0.1:9/their-session;tcp\r\nMessage-ID: stray\r\n-------stray001$\r\n";
const REFUSED: &[u8] = b"MSRP stray001 481";

/// How messages are sent.
pub struct Manner {
    /// Whether each chunk is to be answered.
    pub responses: bool,
    pub to_path: String,
    /// The flag of the last chunk: a gateway that has nobody to give a message of 10 MB to gets it taken back.
    pub last: char,
}

pub struct Peer {
    connection: TcpStream,
    octets: Vec<u8>,
    places: Vec<usize>,
    messages: u64,
}

impl Peer {
    pub fn connect(to: SocketAddr, manner: &Manner) -> Peer {
        pin(1);
        let connection = TcpStream::connect(to).unwrap();
        connection.set_nodelay(true).unwrap();
        let octets = message(manner);
        let places = (0..octets.len()).filter(|&at| octets[at..].starts_with(NUMBER)).collect();
        Peer { connection, octets, places, messages: 0 }
    }

    /// Waits until all that was sent has been gone through.
    pub fn await_end(&mut self) {
        self.connection.write_all(STRAY).unwrap();
        let (mut heard, mut buffer) = (Vec::new(), vec![0; WRITE_BYTES]);
        while memchr::memmem::find(&heard, REFUSED).is_none() {
            heard.drain(..heard.len().saturating_sub(REFUSED.len()));
            let len = self.connection.read(&mut buffer).unwrap();
            assert!(len > 0, "the connection was closed");
            heard.extend_from_slice(&buffer[..len]);
        }
    }

    pub fn send(&mut self, messages: u64) {
        for _ in 0..messages {
            self.messages += 1;
            let number = format!("{:010}", self.messages);
            self.places.iter().for_each(|&at| self.octets[at..at + NUMBER.len()].copy_from_slice(number.as_bytes()));
            for part in self.octets.chunks(WRITE_BYTES) {
                self.connection.write_all(part).unwrap();
                self.drop_responses();
            }
        }
    }

    fn drop_responses(&self) {
        let mut buffer = [0; 4 * WRITE_BYTES];
        while let Ok((1.., _)) = recv(&self.connection, &mut buffer, RecvFlags::DONTWAIT) {}
    }

    /// Octets sent so far.
    pub fn sent(&self) -> u64 {
        self.messages * self.octets.len() as u64
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
    }
}

fn message(manner: &Manner) -> Vec<u8> {
    let mut octets = Vec::new();
    let content: Vec<u8> = (b' '..b'~').filter(|octet| *octet != b'#').cycle().take(CHUNK_BYTES).collect();
    for start in (0..MESSAGE_BYTES).step_by(CHUNK_BYTES) {
        let (first, last, transaction) = (start + 1, start + CHUNK_BYTES, start / CHUNK_BYTES);
        let flag = if last == MESSAGE_BYTES { manner.last } else { '+' };
        let (failure, to_path) = (if manner.responses { "" } else { "Failure-Report: no\r\n" }, &manner.to_path);
        let head = format!(
            "MSRP t{transaction:07} SEND\r\nTo-Path: {to_path}\r\nFrom-Path: {PEER_PATH}\r\nMessage-ID: m##########\r\n\
             Byte-Range: {first}-{last}/{MESSAGE_BYTES}\r\n{failure}Content-Type: message/cpim\r\n\r\n"
        );
        octets.extend_from_slice(head.as_bytes());
        octets.extend_from_slice(&content);
        octets.extend_from_slice(format!("\r\n-------t{transaction:07}{flag}\r\n").as_bytes());
    }
    octets
}

/// Keeps this thread on one processor, so that sender and receiver do not take turns on the same.
pub fn pin(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    // With one processor there is nothing to choose.
    let _ = sched_setaffinity(None, &set);
}
