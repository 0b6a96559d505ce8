//! A CPM side on one socket: sends requests by number, reads the answers, answers the gateway's requests with 200.

use std::net::{SocketAddr, UdpSocket};

use memchr::memmem;

use crate::mmsg::{BATCH, Batch};
use crate::request::Request;

pub struct Cpm {
    socket: UdpSocket,
    request: Request,
    out: Batch,
    back: Batch,
    response: Vec<u8>,
    /// Octets of the last datagram of each kind: what the floor is measured with.
    pub sizes: Sizes,
}

#[derive(Clone, Copy, Default)]
pub struct Sizes {
    pub request_out: usize,
    pub response_in: usize,
    pub request_in: usize,
    pub response_out: usize,
}

/// What the gateway sent.
pub enum Answer {
    /// 202 to the request of this number.
    Accepted(usize),
    /// Another answer to it, and whether it says when to try again.
    Refused { number: usize, code: u16, retry_after: bool },
    /// A request, which has its 200.
    Request,
}

impl Cpm {
    /// The gateway's requests are to go to its address; what it sends goes where `towards` says.
    pub fn new(reported: bool) -> Cpm {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let buffers = socket2::SockRef::from(&socket);
        buffers.set_recv_buffer_size(4 << 20).unwrap();
        let request = Request::from(socket.local_addr().unwrap(), reported);
        let (out, back) = (Batch::new(), Batch::new());
        Cpm { socket, request, out, back, response: Vec::new(), sizes: Sizes::default() }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn towards(&self, gateway: SocketAddr) {
        self.socket.connect(gateway).unwrap();
    }

    /// The request of this number.
    pub fn request(&mut self, number: usize) -> &[u8] {
        self.request.numbered(number)
    }

    /// Sends one, when `flush` is called at the latest.
    pub fn send(&mut self, number: usize) {
        let Cpm { socket, request, out, sizes, .. } = self;
        let request = request.numbered(number);
        sizes.request_out = request.len();
        out.put(socket, request);
    }

    pub fn flush(&mut self) {
        self.out.flush(&self.socket);
    }

    /// Takes what is there, a batch at most.
    pub fn receive(&mut self, mut each: impl FnMut(Answer)) {
        let got = self.back.receive(&self.socket, libc::MSG_DONTWAIT, false);
        assert!(got <= BATCH);
        for at in 0..got {
            let Cpm { socket, out, back, response, sizes, .. } = self;
            let datagram = back.received(at);
            if datagram.starts_with(b"MESSAGE ") {
                respond(datagram, response);
                out.put(socket, response);
                (sizes.request_in, sizes.response_out) = (datagram.len(), response.len());
                each(Answer::Request);
            } else {
                sizes.response_in = datagram.len();
                each(answer(datagram));
            }
        }
        if got > 0 {
            self.flush();
        }
    }
}

fn answer(response: &[u8]) -> Answer {
    let code = digits(&response[8..11]);
    let call_id = memmem::find(response, b"\r\nCall-ID: ").unwrap();
    let number = memchr::memchr(b'.', &response[call_id..]).unwrap() + call_id + 1;
    let number = digits(&response[number..number + 10]);
    if code == 202 {
        return Answer::Accepted(number);
    }
    let retry_after = memmem::find(response, b"\r\nRetry-After: ").is_some();
    Answer::Refused { number, code: u16::try_from(code).unwrap(), retry_after }
}

fn digits(octets: &[u8]) -> usize {
    octets.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

fn respond(request: &[u8], response: &mut Vec<u8>) {
    response.clear();
    response.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    let mut at = 0;
    while let Some(end) = memchr::memchr(b'\n', &request[at..]) {
        let line = &request[at..=at + end];
        at += end + 1;
        match line {
            b"\r\n" => break,
            [b'V', b'i', b'a', ..] | [b'F', b'r', ..] | [b'T', b'o', b':', ..] | [b'C', b'a' | b'S', ..] => {
                response.extend_from_slice(line);
            }
            _ => {}
        }
    }
    response.extend_from_slice(b"Content-Length: 0\r\n\r\n");
}
