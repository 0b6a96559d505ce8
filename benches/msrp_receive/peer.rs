//! Who sends: the same message over and over, each time under another Message-ID.

use std::io::Write;
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

pub struct Peer {
    connection: TcpStream,
    octets: Vec<u8>,
    places: Vec<usize>,
    messages: u64,
}

impl Peer {
    pub fn connect(to: SocketAddr, responses: bool) -> Peer {
        pin(1);
        let connection = TcpStream::connect(to).unwrap();
        connection.set_nodelay(true).unwrap();
        let octets = message(responses);
        let places = (0..octets.len()).filter(|&at| octets[at..].starts_with(NUMBER)).collect();
        Peer { connection, octets, places, messages: 0 }
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

fn message(responses: bool) -> Vec<u8> {
    let mut octets = Vec::new();
    let content: Vec<u8> = (b' '..b'~').filter(|octet| *octet != b'#').cycle().take(CHUNK_BYTES).collect();
    for start in (0..MESSAGE_BYTES).step_by(CHUNK_BYTES) {
        let (first, last, transaction) = (start + 1, start + CHUNK_BYTES, start / CHUNK_BYTES);
        let flag = if last == MESSAGE_BYTES { '$' } else { '+' };
        let failure = if responses { "" } else { "Failure-Report: no\r\n" };
        let head = format!(
            "MSRP t{transaction:07} SEND\r\nTo-Path: {LOCAL_PATH}\r\nFrom-Path: {PEER_PATH}\r\nMessage-ID: m##########\r\n\
             Byte-Range: {first}-{last}/{MESSAGE_BYTES}\r\n{failure}Content-Type: text/plain;charset=utf-8\r\n\r\n"
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
