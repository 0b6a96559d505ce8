//! A MESSAGE of some 900 octets, over and over, each time with another number in what must differ.

use std::net::SocketAddr;

/// A place that the number of a request is written into.
const NUMBER: &[u8] = b"##########";

/// The requests of one sender.
pub struct Request {
    octets: Vec<u8>,
    places: Vec<usize>,
}

impl Request {
    /// As they come from this address; with `reported` they ask for a delivery report.
    pub fn from(from: SocketAddr, reported: bool) -> Request {
        let octets = template(from, reported);
        let places = (0..octets.len()).filter(|&at| octets[at..].starts_with(NUMBER)).collect();
        Request { octets, places }
    }

    /// The one with this number.
    pub fn numbered(&mut self, number: usize) -> &[u8] {
        let mut digits = [b'0'; 10];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap();
            rest /= 10;
        }
        self.places.iter().for_each(|&at| self.octets[at..at + NUMBER.len()].copy_from_slice(&digits));
        &self.octets
    }
}

fn template(from: SocketAddr, reported: bool) -> Vec<u8> {
    let port = from.port();
    let wanted = if reported { "imdn.Disposition-Notification: positive-delivery\r\n" } else { "" };
    let body = format!(
        "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
                NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg##########x\r\n{wanted}\r\n\
                Content-Type: text/plain;charset=utf-8\r\n\r\nSee you at the station at half past seven."
    );
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
