//! A connection's octets as pieces of chunks (RFC 4975 7.1, 9).

use core::time::Duration;

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::piece::Piece;
use crate::engine::Moment;
use crate::limits;
use crate::wire::Malformed;
use crate::wire::msrp::{Continuation, Heads, Scanned, Scanner};

/// How long a sender may take for one head once it has begun.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Octets that are copied at a time where a head spans buffers, so that little else is copied with it.
const HEAD_STEP_BYTES: usize = 512;

/// What a connection has for us.
#[derive(Debug)]
pub enum Framed<'a> {
    /// The next piece.
    Piece(Piece<'a>),
    /// Nothing more until octets arrive.
    Nothing,
    /// The framing is lost; the connection is of no more use, and this is why.
    Broken(Malformed),
}

/// The octets of a piece with a head, and the flag if it is whole.
type Start = (Bytes, Option<Continuation>);

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
    ready: VecDeque<Piece<'static>>,
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
    pub fn next_piece(&mut self) -> Framed<'_> {
        if let Some(piece) = self.ready.pop_front() {
            return Framed::Piece(piece);
        }
        if self.in_data {
            return self.go_on();
        }
        if let Some(why) = self.broken {
            return self.fail(why);
        }
        self.skip_line_ends();
        match if self.partial.is_empty() { self.head_in_buffer() } else { self.head_over_buffers() } {
            Ok(Some((octets, end))) => {
                Framed::Piece(Piece { octets, head: self.heads.last(), likeness: self.heads.likeness(), end })
            }
            Ok(None) => Framed::Nothing,
            Err(why) => self.fail(why),
        }
    }

    fn fail(&mut self, why: Malformed) -> Framed<'static> {
        self.buffer = Bytes::new();
        self.partial = BytesMut::new();
        Framed::Broken(*self.broken.get_or_insert(why))
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

    /// A head that lies in the buffer, and of what follows as much as belongs to it.
    fn head_in_buffer(&mut self) -> Result<Option<Start>, Malformed> {
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let Some(head) = self.heads.read(&self.buffer)? else {
            self.partial.extend_from_slice(&self.buffer);
            self.buffer = Bytes::new();
            return Ok(None);
        };
        self.began = None;
        let len = head.len();
        if head.end().is_some() {
            return Ok(Some((self.buffer.split_to(len), head.end())));
        }
        let scanned = self.scanner.begin_in(head, &self.buffer);
        let octets = self.buffer.split_to(len + scanned.data);
        self.pass_end(scanned);
        Ok(Some((octets, scanned.end.map(|end| end.continuation))))
    }

    /// A head of which a part came before. It leaves alone: it was copied.
    fn head_over_buffers(&mut self) -> Result<Option<Start>, Malformed> {
        while !self.buffer.is_empty() {
            let before = self.partial.len();
            let step = self.buffer.len().min(HEAD_STEP_BYTES);
            self.partial.extend_from_slice(self.buffer.get(..step).unwrap_or_default());
            if let Some(head) = self.heads.read(&self.partial)? {
                self.buffer.advance(head.len().saturating_sub(before));
                self.partial.truncate(head.len());
                let octets = core::mem::take(&mut self.partial).freeze();
                self.began = None;
                self.in_data = head.end().is_none();
                if self.in_data {
                    self.scanner.begin(head, &octets);
                }
                return Ok(Some((octets, head.end())));
            }
            self.buffer.advance(step);
        }
        Ok(None)
    }

    /// More data of the chunk that has begun.
    fn go_on(&mut self) -> Framed<'static> {
        if self.buffer.is_empty() {
            return Framed::Nothing;
        }
        let scanned = self.scanner.scan(&self.buffer);
        let data = self.buffer.split_to(scanned.data);
        let piece = Piece::of_data(data, scanned.end.map(|end| end.continuation));
        if scanned.released > 0 {
            self.ready.extend(self.held.drain(..).map(|data| Piece::of_data(data, None)));
        }
        self.pass_end(scanned);
        self.hand_out(piece)
    }

    /// Leaves the end line behind, and holds what may become one. The data before it were taken.
    fn pass_end(&mut self, scanned: Scanned) {
        self.in_data = scanned.end.is_none();
        match scanned.end {
            Some(end) => {
                self.held.clear();
                self.buffer.advance(end.at - scanned.data);
            }
            None => {
                let rest = core::mem::take(&mut self.buffer);
                self.held.extend(Some(rest).filter(|rest| !rest.is_empty()));
            }
        }
    }

    /// What was released comes before what was found behind it.
    fn hand_out(&mut self, piece: Piece<'static>) -> Framed<'static> {
        let says = piece.end.is_some() || !piece.octets.is_empty();
        if self.ready.is_empty() {
            return if says { Framed::Piece(piece) } else { Framed::Nothing };
        }
        self.ready.extend(Some(piece).filter(|_| says));
        self.ready.pop_front().map_or(Framed::Nothing, Framed::Piece)
    }
}

const _: () = assert!(HEAD_STEP_BYTES < limits::MSRP_HEADER_SECTION_BYTES_MAX);
