//! A connection's octets as pieces of chunks (RFC 4975 7.1, 9).

use core::time::Duration;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::piece::Piece;
use super::slices::Lent;
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

/// What one look found.
enum Found {
    /// A piece with a head: so many octets of the buffer, up to the flag if it is whole.
    InBuffer(usize, Option<Continuation>),
    /// The same, and its octets lie in `kept`.
    Kept(Option<Continuation>),
    Nothing,
}

/// What arrived last, and where in it begins what was not looked at.
#[derive(Debug, Default)]
struct Arrived {
    buffer: Bytes,
    at: usize,
}

impl Arrived {
    #[inline]
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }
}

/// The receiving half of one connection. Heads that span buffers are copied; content never is.
#[derive(Debug, Default)]
pub struct Framer {
    arrived: Arrived,
    /// A head whose end has not come.
    partial: BytesMut,
    began: Option<Moment>,
    heads: Heads,
    scanner: Scanner,
    in_data: bool,
    /// What may be the begin of an end line: slices of earlier buffers.
    held: Vec<Bytes>,
    /// Data of earlier buffers, which were found together with a piece that was handed out, and the flag behind them.
    ready: VecDeque<(Bytes, Option<Continuation>)>,
    /// What was handed out last, if it lies in no receive buffer, or in an earlier one.
    kept: Bytes,
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
        let rest = self.arrived.rest();
        let buffer = if rest.is_empty() { bytes } else { [rest, &*bytes].concat().into() };
        self.arrived = Arrived { buffer, at: 0 };
        if !self.in_data && self.began.is_none() {
            self.began = Some(now);
        }
    }

    /// Octets that are kept for what has not arrived.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.arrived.rest().len() + self.partial.len() + self.scanner.held()
    }

    /// When the head that has begun must be whole; past that the connection should be closed.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.began.filter(|_| !self.partial.is_empty()).map(|began| began + HEAD_TIME)
    }

    /// The next piece; call until there is none.
    pub fn next_piece(&mut self) -> Framed<'_> {
        if !self.ready.is_empty() || self.in_data {
            return self.go_on();
        }
        if let Some(why) = self.broken {
            return self.fail(why);
        }
        if self.arrived.rest().first() != Some(&b'M') {
            self.skip_line_ends();
        }
        let from = self.arrived.at;
        match if self.partial.is_empty() { self.head_in_buffer() } else { self.head_over_buffers() } {
            Ok(Found::InBuffer(len, end)) => self.with_head(Lent::of(&self.arrived.buffer, from, from + len), end),
            Ok(Found::Kept(end)) => self.with_head(Lent::whole(&self.kept), end),
            Ok(Found::Nothing) => self.nothing(),
            Err(why) => self.fail(why),
        }
    }

    #[inline]
    fn with_head<'a>(&'a self, octets: Lent<'a>, end: Option<Continuation>) -> Framed<'a> {
        Framed::Piece(Piece { octets, head: self.heads.last(), likeness: self.heads.likeness(), end })
    }

    /// Whoever waits for octets holds no buffer.
    fn nothing(&mut self) -> Framed<'static> {
        (self.arrived, self.kept) = (Arrived::default(), Bytes::new());
        Framed::Nothing
    }

    fn fail(&mut self, why: Malformed) -> Framed<'static> {
        self.nothing();
        self.partial = BytesMut::new();
        Framed::Broken(*self.broken.get_or_insert(why))
    }

    /// Line ends between requests are nobody's; some peers keep their connection alive with them.
    #[inline(never)]
    fn skip_line_ends(&mut self) {
        if self.partial.is_empty() {
            self.arrived.at += self.arrived.rest().iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        }
        if self.arrived.rest().is_empty() && self.partial.is_empty() {
            self.began = None;
        }
    }

    /// A head that lies in the buffer, and of what follows as much as belongs to it.
    #[inline]
    fn head_in_buffer(&mut self) -> Result<Found, Malformed> {
        let rest = self.arrived.rest();
        if rest.is_empty() {
            return Ok(Found::Nothing);
        }
        let Some(head) = self.heads.read(rest)? else {
            self.partial.extend_from_slice(rest);
            self.arrived.at = self.arrived.buffer.len();
            return Ok(Found::Nothing);
        };
        self.began = None;
        let len = head.len();
        if head.end().is_some() {
            self.arrived.at += len;
            return Ok(Found::InBuffer(len, head.end()));
        }
        let scanned = self.scanner.begin_in(head, rest);
        self.arrived.at += len;
        self.pass(scanned);
        Ok(Found::InBuffer(len + scanned.data, scanned.end.map(|end| end.continuation)))
    }

    /// A head of which a part came before. It leaves alone: it was copied.
    #[inline(never)]
    fn head_over_buffers(&mut self) -> Result<Found, Malformed> {
        while !self.arrived.rest().is_empty() {
            let (before, rest) = (self.partial.len(), self.arrived.rest());
            let step = rest.len().min(HEAD_STEP_BYTES);
            self.partial.extend_from_slice(rest.get(..step).unwrap_or_default());
            if let Some(head) = self.heads.read(&self.partial)? {
                self.arrived.at += head.len().saturating_sub(before);
                self.partial.truncate(head.len());
                self.kept = core::mem::take(&mut self.partial).freeze();
                self.began = None;
                self.in_data = head.end().is_none();
                if self.in_data {
                    self.scanner.begin(head, &self.kept);
                }
                return Ok(Found::Kept(head.end()));
            }
            self.arrived.at += step;
        }
        Ok(Found::Nothing)
    }

    /// More data of the chunk that has begun. What was released comes before what was found behind it.
    #[inline(never)]
    fn go_on(&mut self) -> Framed<'_> {
        if self.ready.is_empty() && !self.arrived.rest().is_empty() {
            let from = self.arrived.at;
            let scanned = self.scanner.scan(self.arrived.rest());
            if scanned.released > 0 {
                self.ready.extend(self.held.drain(..).map(|data| (data, None)));
            }
            self.pass(scanned);
            let (to, end) = (from + scanned.data, scanned.end.map(|end| end.continuation));
            let says = from < to || end.is_some();
            if says && self.ready.is_empty() {
                return data(Lent::of(&self.arrived.buffer, from, to), end);
            }
            self.ready.extend(says.then(|| (self.arrived.buffer.slice(from..to), end)));
        }
        match self.ready.pop_front() {
            Some((octets, end)) => {
                self.kept = octets;
                data(Lent::whole(&self.kept), end)
            }
            None => self.nothing(),
        }
    }

    /// Leaves data and end line behind, and holds what may become one.
    #[inline]
    fn pass(&mut self, scanned: Scanned) {
        self.in_data = scanned.end.is_none();
        match scanned.end {
            Some(end) => {
                // Mostly nothing is held, and then even to clear it would cost.
                if !self.held.is_empty() {
                    self.held.clear();
                }
                self.arrived.at += end.at;
            }
            None => self.hold(scanned.data),
        }
    }

    /// What follows so many octets of data may be the begin of an end line.
    #[inline(never)]
    fn hold(&mut self, data: usize) {
        let rest = self.arrived.buffer.slice(self.arrived.at + data..);
        self.held.extend(Some(rest).filter(|rest| !rest.is_empty()));
        self.arrived.at = self.arrived.buffer.len();
    }
}

/// A piece without a head.
fn data(octets: Lent<'_>, end: Option<Continuation>) -> Framed<'_> {
    Framed::Piece(Piece { octets, head: None, likeness: None, end })
}

const _: () = assert!(HEAD_STEP_BYTES < limits::MSRP_HEADER_SECTION_BYTES_MAX);
