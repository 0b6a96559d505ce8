//! A sender that has a bounded number of octets on their way, and clients that read as they like.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use isthmus::engine::transport::{LinkId, Transmit};

use crate::echo::{ask, at_rest, backends, start, tcp, udp};

/// Octets on their way at most, and octets of one order.
const ROOM: usize = 64 << 10;
const ORDER: usize = 2_048;
/// Far more than the kernel keeps for a connection.
const OCTETS: usize = 64 << 20;

/// Octets of a crumb.
const CRUMB: usize = 16;

/// What the world sends.
pub(crate) struct Pour {
    pub(crate) link: LinkId,
    octets: usize,
    /// Octets of one order.
    order: usize,
    ordered: usize,
    written: usize,
    /// How often it was told of some that were written.
    told: usize,
}

impl Pour {
    pub(crate) fn new(link: LinkId, octets: usize) -> Pour {
        Pour { link, octets, order: ORDER, ordered: 0, written: 0, told: 0 }
    }

    pub(crate) fn of_crumbs(self) -> Pour {
        Pour { order: CRUMB, ..self }
    }

    pub(crate) fn written(&mut self, bytes: usize) {
        self.told += 1;
        self.written += bytes;
        assert!(bytes > 0 && self.written <= self.ordered, "{self}");
    }

    /// As much as there is room for.
    pub(crate) fn more(&mut self) -> Vec<Transmit> {
        let mut orders = Vec::new();
        while self.ordered < self.octets && self.ordered - self.written + self.order <= ROOM {
            let end = (self.ordered + self.order).min(self.octets);
            let bytes = (self.ordered..end).map(octet).collect();
            orders.push(Transmit::Stream { link: self.link, bytes });
            self.ordered = end;
        }
        orders
    }
}

impl fmt::Display for Pour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.ordered, self.written, self.told)
    }
}

fn octet(at: usize) -> u8 {
    u8::try_from(at % 251).expect("small")
}

/// Octets that the world has ordered, and of them those that left.
fn poured(client: &UdpSocket) -> (usize, usize) {
    let [ordered, written, _] = said(client);
    (ordered, written)
}

/// The same, and how often it was told.
fn said(client: &UdpSocket) -> [usize; 3] {
    // A question by UDP may overtake the order by TCP.
    let said = std::iter::repeat_with(|| ask(client, "0poured")).find(|said| said != "0:nothing").expect("without end");
    let mut numbers = said.strip_prefix("0:").expect("core 0").split(' ').map(|number| number.parse().expect("number"));
    core::array::from_fn(|_| numbers.next().expect("three numbers"))
}

fn read(client: &mut TcpStream, from: usize, octets: usize) {
    let mut heard = vec![0; octets];
    client.read_exact(&mut heard).expect("all in time");
    assert!(heard.iter().enumerate().all(|(at, heard)| *heard == octet(from + at)));
}

#[test]
fn every_octet_that_leaves_makes_room_for_another() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let (mut client, asking) = (tcp(&gateway), udp(&gateway));
        for octets in [1, ROOM, 3_000_001] {
            client.write_all(format!("pour {octets}").as_bytes()).expect("write");
            read(&mut client, 0, octets);
            while poured(&asking) != (octets, octets) {
                std::thread::yield_now();
            }
        }
        assert!(gateway.join());
    }
}

/// Answers to many short requests that came together, each in a buffer of its own: thousands leave at once, so that a peer
/// that sends more and more of them gets them all.
#[test]
fn however_many_orders_a_turn_has_they_leave_in_it() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let (mut client, asking) = (tcp(&gateway), udp(&gateway));
        client.write_all(format!("crumbs {ROOM}").as_bytes()).expect("write");
        read(&mut client, 0, ROOM);
        while poured(&asking) != (ROOM, ROOM) {
            std::thread::yield_now();
        }
        let [_, _, told] = said(&asking);
        assert!(told <= 2, "{} orders left in {told} turns", ROOM / CRUMB);
        assert!(gateway.join());
    }
}

/// Who does not read keeps its sender waiting, with no more octets between them than the kernel's buffers and the room.
#[test]
fn a_slow_reader_slows_its_sender_and_nobody_else() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let (mut client, mut neighbour, asking) = (tcp(&gateway), tcp(&gateway), udp(&gateway));
        client.write_all(format!("pour {OCTETS}").as_bytes()).expect("write");
        let (ordered, written) = at_rest(|| poured(&asking));
        assert!(ordered < OCTETS && ordered - written <= ROOM, "{ordered} {written}");
        neighbour.write_all(b"still here").expect("write");
        let mut heard = [0; 10];
        neighbour.read_exact(&mut heard).expect("answer in time");
        assert_eq!(&heard, b"still here");
        read(&mut client, 0, OCTETS / 2);
        read(&mut client, OCTETS / 2, OCTETS / 2);
        while poured(&asking) != (OCTETS, OCTETS) {
            std::thread::yield_now();
        }
        assert_eq!(gateway.snapshots()[0].shell.dropped_slow_reader, 0);
        assert!(gateway.join());
    }
}

/// What a connection that is gone still had to send is nobody's room.
#[test]
fn a_connection_that_ends_is_told_of_once_and_no_more() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let (mut client, asking) = (tcp(&gateway), udp(&gateway));
        client.write_all(format!("pour {OCTETS}").as_bytes()).expect("write");
        read(&mut client, 0, 1_000);
        drop(client);
        let (ordered, written) = at_rest(|| poured(&asking));
        assert!(written <= ordered && ordered < OCTETS, "{ordered} {written}");
        assert!(gateway.join());
    }
}
