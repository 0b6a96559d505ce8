//! A CPM side that keeps a window of MESSAGE requests open over several sockets, so that they spread over cores.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const SOCKETS: usize = 16;
const WINDOW: usize = 16;
/// A place that the number of a request is written into.
const NUMBER: &[u8] = b"##########";

struct Lane {
    socket: UdpSocket,
    request: Vec<u8>,
    open: usize,
    sent: usize,
}

/// Sends `count` requests, numbered from `first`, and waits until each has its 202.
pub fn send(to: SocketAddr, count: usize, first: usize) {
    let mut lanes: Vec<Lane> = (0..SOCKETS).map(|_| lane(to)).collect();
    let places: Vec<usize> = places(&lanes[0].request);
    let (mut sent, mut answered) = (0, 0);
    let patience = Instant::now() + Duration::from_secs(60);
    while answered < count {
        for lane in &mut lanes {
            while lane.open < WINDOW && sent < count {
                fill(&mut lane.request, &places, first + sent);
                lane.socket.send(&lane.request).unwrap();
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
    let request = request(socket.local_addr().unwrap());
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

fn fill(request: &mut [u8], places: &[usize], number: usize) {
    let mut digits = [b'0'; 10];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap();
        rest /= 10;
    }
    places.iter().for_each(|&at| request[at..at + NUMBER.len()].copy_from_slice(&digits));
}

fn places(request: &[u8]) -> Vec<usize> {
    (0..request.len()).filter(|&at| request[at..].starts_with(NUMBER)).collect()
}

fn request(from: SocketAddr) -> Vec<u8> {
    let port = from.port();
    let body = "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
                NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg##########x\r\n\r\n\
                Content-Type: text/plain;charset=utf-8\r\n\r\nSee you at the station at half past seven.";
    let length = body.len();
    format!(
        "MESSAGE tel:+491710000001 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{port}.##########x;rport\r\n\
         Max-Forwards: 69\r\nFrom: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>\r\n\
         Call-ID: {port}.##########x@127.0.0.1\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <tel:+491700000002>\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Contribution-ID: abcdef00-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Content-Type: message/cpim\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
