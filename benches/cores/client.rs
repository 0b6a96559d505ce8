//! A CPM side that keeps a window of MESSAGE requests open over several sockets, so that they spread over cores.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::request::Request;

const SOCKETS: usize = 16;
const WINDOW: usize = 16;
struct Lane {
    socket: UdpSocket,
    request: Request,
    open: usize,
    sent: usize,
}

/// Sends `count` requests, numbered from `first`, and waits until each has its 202.
pub fn send(to: SocketAddr, count: usize, first: usize) {
    let mut lanes: Vec<Lane> = (0..SOCKETS).map(|_| lane(to)).collect();
    let (mut sent, mut answered) = (0, 0);
    let patience = Instant::now() + Duration::from_secs(60);
    while answered < count {
        for lane in &mut lanes {
            while lane.open < WINDOW && sent < count {
                lane.socket.send(lane.request.numbered(first + sent)).unwrap();
                (sent, lane.open, lane.sent) = (sent + 1, lane.open + 1, lane.sent + 1);
            }
            let answers = receive(&lane.socket);
            lane.open -= answers;
            answered += answers;
        }
        assert!(Instant::now() < patience, "{answered} of {count} answered");
    }
}

fn lane(to: SocketAddr) -> Lane {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(to).unwrap();
    socket.set_nonblocking(true).unwrap();
    let request = Request::from(socket.local_addr().unwrap());
    Lane { socket, request, open: 0, sent: 0 }
}

fn receive(socket: &UdpSocket) -> usize {
    let (mut buffer, mut answers) = ([0; 2048], 0);
    loop {
        match socket.recv(&mut buffer) {
            Ok(len) if buffer[..len].starts_with(b"SIP/2.0 202") => answers += 1,
            Ok(len) => panic!("{}", String::from_utf8_lossy(&buffer[..len])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return answers,
            Err(error) => panic!("{error}"),
        }
    }
}
