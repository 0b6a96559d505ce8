//! SIP over a connection: octets in, whole messages out (RFC 3261 18.3; keep-alive RFC 5626 3.5.1).

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::sip;
use crate::wire::{Framing, Malformed};

/// What the stream holds next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// One whole message, still in its receive buffer if it arrived in one.
    Message(Bytes),
    /// A double CRLF: answered with a single one.
    Ping,
    /// More octets are needed.
    Wait,
    /// The framing is lost; the connection is of no more use.
    Broken(Malformed),
}

/// Octets that have arrived and are not yet framed.
#[derive(Debug, Default)]
pub(super) struct SipStream {
    /// The last receive buffer, as long as nothing older is unframed.
    chunk: Bytes,
    /// A message that spans receive buffers, put together here.
    partial: BytesMut,
}

impl SipStream {
    /// Takes what arrived. Only the unframed rest of an earlier buffer is ever copied.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.is_empty() {
            self.chunk = bytes;
            return;
        }
        self.partial.extend_from_slice(&self.chunk);
        self.partial.extend_from_slice(&bytes);
        self.chunk = Bytes::new();
    }

    /// Whether every octet was framed.
    fn is_empty(&self) -> bool {
        self.chunk.is_empty() && self.partial.is_empty()
    }

    /// Whether a message has begun and is not whole.
    pub(super) fn is_mid_message(&self) -> bool {
        self.unframed().iter().any(|&octet| !matches!(octet, b'\r' | b'\n'))
    }

    /// The next message; call until it says `Wait` or `Broken`.
    pub(super) fn next(&mut self) -> Next {
        match self.skip_line_ends() {
            Some(Next::Ping) => return Next::Ping,
            Some(_) => return Next::Wait,
            None => {}
        }
        match sip::frame(self.unframed()) {
            Framing::Complete(len) => Next::Message(self.take(len)),
            Framing::Partial => Next::Wait,
            Framing::Malformed(why) => Next::Broken(why),
        }
    }

    /// What comes behind the pings that wait, and how many they were: a peer that sends nothing else gets its answers in
    /// one piece, or each would cost us more than him.
    pub(super) fn next_but_pings(&mut self) -> (Next, usize) {
        let mut pings = 0;
        loop {
            match self.next() {
                Next::Ping => pings += 1,
                next => return (next, pings),
            }
        }
    }

    fn unframed(&self) -> &[u8] {
        if self.partial.is_empty() { &self.chunk } else { &self.partial }
    }

    /// Drops line ends before a start line (RFC 3261 7.5). Two of them alone are a ping.
    fn skip_line_ends(&mut self) -> Option<Next> {
        let unframed = self.unframed();
        let blank = unframed.iter().take_while(|&&octet| octet == b'\r' || octet == b'\n').count();
        let ping = unframed.starts_with(b"\r\n\r\n");
        let alone = blank == unframed.len();
        if alone && !ping {
            return Some(Next::Wait);
        }
        self.skip(if ping { 4 } else { blank });
        ping.then_some(Next::Ping)
    }

    fn skip(&mut self, len: usize) {
        if self.partial.is_empty() { self.chunk.advance(len) } else { self.partial.advance(len) }
    }

    fn take(&mut self, len: usize) -> Bytes {
        if self.partial.is_empty() { self.chunk.split_to(len) } else { self.partial.split_to(len).freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[u8] =
        b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn one_octet_at_a_time_gives_the_same_messages() {
        let mut stream = SipStream::default();
        let mut messages = 0;
        for &octet in [OPTIONS, b"\r\n\r\n".as_slice(), OPTIONS].concat().iter() {
            stream.push(Bytes::copy_from_slice(&[octet]));
            while let Next::Message(message) = stream.next() {
                assert_eq!(message, OPTIONS);
                messages += 1;
            }
        }
        assert_eq!(messages, 2);
        assert!(stream.is_empty());
    }

    #[test]
    fn a_double_crlf_is_a_ping_and_coalesced_messages_stay_in_their_buffer() {
        let mut stream = SipStream::default();
        let all = Bytes::from([b"\r\n\r\n".as_slice(), OPTIONS, OPTIONS].concat());
        stream.push(all.clone());
        assert_eq!(stream.next(), Next::Ping);
        let Next::Message(first) = stream.next() else { panic!("no message") };
        assert_eq!(first.as_ptr(), all[4..].as_ptr());
        assert!(matches!(stream.next(), Next::Message(_)));
        assert_eq!(stream.next(), Next::Wait);
    }
}
