//! A connection's octets as pieces of chunks (RFC 4975 7.1, 9).

use core::time::Duration;

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::engine::Moment;
use crate::limits;
use crate::wire::Malformed;
use crate::wire::msrp::{Continuation, Head, Heads, Scanner};

/// How long a sender may take for one head once it has begun.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Octets that are copied at a time where a head spans buffers, so that little else is copied with it.
const HEAD_STEP_BYTES: usize = 512;

/// Part of a request or response: whole, if it came in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The head and its index, in the first piece.
    pub head: Option<(Bytes, Head)>,
    /// Content: a slice of the receive buffer. May be empty.
    pub data: Bytes,
    /// The flag of the end line, in the last piece.
    pub end: Option<Continuation>,
}

/// What a connection has for us.
#[derive(Debug)]
pub enum Framed {
    /// The next piece.
    Piece(Piece),
    /// Nothing more until octets arrive.
    Nothing,
    /// The framing is lost; the connection is of no more use, and this is why.
    Broken(Malformed),
}

/// The receiving half of one connection. Heads that span buffers are copied; content never is.
#[derive(Debug, Default)]
pub struct Framer {
    /// What arrived and was not looked at.
    buffer: Bytes,
    /// A head whose end has not come.
    partial: BytesMut,
    began: Option<Moment>,
    heads: Heads,
    scanner: Scanner,
    in_data: bool,
    /// What may be the begin of an end line: slices of earlier buffers.
    held: Vec<Bytes>,
    /// Pieces that were found together with one that was handed out.
    ready: VecDeque<Piece>,
    broken: Option<Malformed>,
}

impl Framer {
    /// For a new connection.
    #[must_use]
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes what arrived. Ask for pieces until there is nothing more before the next.
    pub fn push(&mut self, now: Moment, bytes: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = bytes;
        } else {
            self.buffer = [&*self.buffer, &*bytes].concat().into();
        }
        if !self.in_data && self.began.is_none() {
            self.began = Some(now);
        }
    }

    /// Octets that are kept for what has not arrived.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.buffer.len() + self.partial.len() + self.scanner.held()
    }

    /// When the head that has begun must be whole; past that the connection should be closed.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.began.filter(|_| !self.partial.is_empty()).map(|began| began + HEAD_TIME)
    }

    /// The next piece; call until there is none.
    pub fn next_piece(&mut self) -> Framed {
        if let Some(piece) = self.ready.pop_front() {
            return Framed::Piece(piece);
        }
        if self.in_data {
            return self.scan(None);
        }
        match self.read_head() {
            Ok(Some((octets, head))) => self.begin(octets, head),
            Ok(None) => Framed::Nothing,
            Err(why) => self.fail(why),
        }
    }

    fn fail(&mut self, why: Malformed) -> Framed {
        self.buffer = Bytes::new();
        self.partial = BytesMut::new();
        Framed::Broken(*self.broken.get_or_insert(why))
    }

    fn read_head(&mut self) -> Result<Option<(Bytes, Head)>, Malformed> {
        if let Some(why) = self.broken {
            return Err(why);
        }
        self.skip_line_ends();
        if self.partial.is_empty() { self.head_in_buffer() } else { self.head_over_buffers() }
    }

    fn begin(&mut self, octets: Bytes, head: Head) -> Framed {
        self.began = None;
        if let Some(end) = head.end() {
            return Framed::Piece(Piece { head: Some((octets, head)), data: Bytes::new(), end: Some(end) });
        }
        self.scanner.begin(&head, &octets);
        self.in_data = true;
        self.scan(Some((octets, head)))
    }

    /// Line ends between requests are nobody's; some peers keep their connection alive with them.
    fn skip_line_ends(&mut self) {
        let begins = self.buffer.first() == Some(&b'M');
        if self.partial.is_empty() && !begins {
            let blank = self.buffer.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
            self.buffer.advance(blank);
        }
        if self.buffer.is_empty() && self.partial.is_empty() {
            self.began = None;
        }
    }

    fn head_in_buffer(&mut self) -> Result<Option<(Bytes, Head)>, Malformed> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let head = self.heads.read(&self.buffer)?;
        if head.is_none() {
            self.partial.extend_from_slice(&self.buffer);
            self.buffer = Bytes::new();
        }
        Ok(head.map(|head| (self.buffer.split_to(head.len()), head)))
    }

    fn head_over_buffers(&mut self) -> Result<Option<(Bytes, Head)>, Malformed> {
        while !self.buffer.is_empty() {
            let before = self.partial.len();
            let step = self.buffer.len().min(HEAD_STEP_BYTES);
            self.partial.extend_from_slice(self.buffer.get(..step).unwrap_or_default());
            if let Some(head) = Head::read(&self.partial)? {
                self.buffer.advance(head.len().saturating_sub(before));
                self.partial.truncate(head.len());
                return Ok(Some((core::mem::take(&mut self.partial).freeze(), head)));
            }
            self.buffer.advance(step);
        }
        Ok(None)
    }

    /// The data that the buffer holds. A head leaves even without data.
    fn scan(&mut self, head: Option<(Bytes, Head)>) -> Framed {
        if self.buffer.is_empty() && head.is_none() {
            return Framed::Nothing;
        }
        let scanned = self.scanner.scan(&self.buffer);
        let data = self.buffer.split_to(scanned.data);
        let piece = Piece { head, data, end: scanned.end.map(|end| end.continuation) };
        if scanned.released > 0 {
            self.ready.extend(self.held.drain(..).map(|data| Piece { data, ..Piece::default() }));
        }
        match scanned.end {
            Some(end) => {
                self.held.clear();
                self.buffer.advance(end.at - scanned.data);
                self.in_data = false;
            }
            None => self.hold_rest(),
        }
        self.hand_out(piece)
    }

    fn hold_rest(&mut self) {
        let rest = core::mem::take(&mut self.buffer);
        self.held.extend(Some(rest).filter(|rest| !rest.is_empty()));
    }

    /// What was released comes before what was found behind it.
    fn hand_out(&mut self, piece: Piece) -> Framed {
        let says = piece.head.is_some() || piece.end.is_some() || !piece.data.is_empty();
        if self.ready.is_empty() {
            return if says { Framed::Piece(piece) } else { Framed::Nothing };
        }
        self.ready.extend(Some(piece).filter(|_| says));
        self.ready.pop_front().map_or(Framed::Nothing, Framed::Piece)
    }
}

const _: () = assert!(HEAD_STEP_BYTES < limits::MSRP_HEADER_SECTION_BYTES_MAX);
