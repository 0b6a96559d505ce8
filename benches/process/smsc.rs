//! An SM-SC that takes everything, or as much as it is told to, and delivers what it is told to.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use std::vec;

use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Header, Pdu};

use crate::answer::answer;

/// On whose turn the caller is: nothing here blocks.
pub struct Smsc {
    listener: TcpListener,
    links: Vec<Link>,
    /// Submissions taken.
    pub taken: u64,
    /// message_ids of the next submissions; after these each has the number of how many were taken.
    pub ids: vec::IntoIter<u64>,
    /// The connection that the last submission came over.
    pub last: usize,
    /// The connection that deliveries go over.
    pub bearer: usize,
    /// Deliveries answered.
    pub delivered: u64,
    /// Time between two responses to submissions, if it is slow.
    pace: Option<Duration>,
    next_response: Instant,
    waiting: VecDeque<(usize, Header)>,
    chunk: Vec<u8>,
    number: u32,
}

struct Link {
    stream: TcpStream,
    unframed: Vec<u8>,
    out: Vec<u8>,
}

impl Smsc {
    pub fn new(pace: Option<Duration>) -> Smsc {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Smsc {
            listener,
            links: Vec::new(),
            taken: 0,
            ids: Vec::new().into_iter(),
            last: 0,
            bearer: 0,
            delivered: 0,
            pace,
            next_response: Instant::now(),
            waiting: VecDeque::new(),
            chunk: vec![0; 1 << 16],
            number: 0,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Takes connections that wait.
    pub fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            self.links.push(Link { stream, unframed: Vec::new(), out: Vec::new() });
        }
    }

    /// Reads, responds, and sends what was ordered.
    pub fn turn(&mut self) {
        for link in 0..self.links.len() {
            while let Ok(len @ 1..) = self.links[link].stream.read(&mut self.chunk) {
                self.links[link].unframed.extend_from_slice(&self.chunk[..len]);
                self.take_pdus(link);
                if len < self.chunk.len() {
                    break;
                }
            }
        }
        self.respond_in_time();
        self.links.iter_mut().for_each(Link::write);
    }

    fn take_pdus(&mut self, link: usize) {
        let mut at = 0;
        while let Some(header) = Header::parse(&self.links[link].unframed[at..]) {
            let len = usize::try_from(header.command_length).unwrap();
            if self.links[link].unframed.len() - at < len {
                break;
            }
            at += len;
            self.take(link, header);
        }
        self.links[link].unframed.drain(..at);
    }

    fn take(&mut self, link: usize, header: Header) {
        match header.command_id {
            CommandId::DELIVER_SM_RESP => {
                assert_eq!(header.command_status, CommandStatus::ESME_ROK);
                self.delivered += 1;
            }
            CommandId::SUBMIT_SM if self.pace.is_some() => self.waiting.push_back((link, header)),
            _ => self.respond(link, header),
        }
    }

    fn respond(&mut self, link: usize, header: Header) {
        let mut id = self.taken;
        if header.command_id == CommandId::SUBMIT_SM {
            (self.taken, self.last) = (self.taken + 1, link);
            id = self.ids.next().unwrap_or(self.taken);
        }
        answer(header, id, &mut self.links[link].out);
    }

    fn respond_in_time(&mut self) {
        let Some(pace) = self.pace else { return };
        let now = Instant::now();
        while self.next_response <= now
            && let Some((link, header)) = self.waiting.pop_front()
        {
            self.next_response += pace;
            self.respond(link, header);
        }
        // Time in which nothing waited is not made up for.
        if self.waiting.is_empty() {
            self.next_response = self.next_response.max(now);
        }
    }

    /// Delivers something when `turn` is called at the latest.
    pub fn deliver(&mut self, esm_class: u8, text: &[u8], from: &[u8], to: &[u8]) {
        self.number = self.number % 0x7FFF_FFFF + 1;
        let pdu = DeliverSm {
            source_addr_ton: 1,
            source_addr_npi: 1,
            source_addr: from,
            dest_addr_ton: 1,
            dest_addr_npi: 1,
            destination_addr: to,
            esm_class,
            short_message: text,
            ..DeliverSm::default()
        };
        let out = &mut self.links[self.bearer].out;
        Pdu::DeliverSm(pdu).emit(out, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, self.number);
    }
}

impl Link {
    fn write(&mut self) {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(sent) => drop(self.out.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.out.clear(),
            }
        }
    }
}
