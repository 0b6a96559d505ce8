//! Mail data and their end (RFC 5321 4.1.1.4, 4.5.2): a line that begins with a dot gets another one, and a line of one dot
//! alone is the end.
//!
//! Only CR LF ends a line. Servers that end mail data at other line ends let one mail be smuggled in another, so a line end
//! of another form never leaves, and never counts when it arrives.

use super::CRLF;
use crate::limits::SMTP_DATA_LINE_BYTES_MAX;

/// Writes mail data, piece by piece.
#[derive(Debug, Default)]
pub struct Stuffer {
    at: Writing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writing {
    #[default]
    LineBegin,
    Line,
    /// After a CR that was not written yet.
    Cr,
}

impl Stuffer {
    /// For a mail's first octet.
    #[must_use]
    pub fn new() -> Stuffer {
        Stuffer::default()
    }

    /// Appends the next octets, however the mail is cut. A bare CR or LF becomes CR LF.
    pub fn write(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut rest = octets;
        while let [first, after @ ..] = rest {
            rest = match (self.at, first) {
                (Writing::Cr, _) => {
                    self.end_line(out);
                    if *first == b'\n' { after } else { rest }
                }
                (Writing::LineBegin, b'.') => {
                    out.extend_from_slice(b"..");
                    self.at = Writing::Line;
                    after
                }
                _ => self.write_line(rest, out),
            };
        }
    }

    /// Appends the end of the data, and before it a line end if the last line has none.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        if self.at != Writing::LineBegin {
            self.end_line(out);
        }
        out.extend_from_slice(b".\r\n");
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(CRLF);
        self.at = Writing::LineBegin;
    }

    /// Up to what may be a line end, and past it.
    fn write_line<'a>(&mut self, octets: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let end = memchr::memchr2(b'\r', b'\n', octets).unwrap_or(octets.len());
        let (line, rest) = octets.split_at(end);
        out.extend_from_slice(line);
        self.at = Writing::Line;
        match rest.first() {
            Some(b'\r') => self.at = Writing::Cr,
            Some(_) => self.end_line(out),
            None => {}
        }
        rest.get(1..).unwrap_or_default()
    }
}

/// What is wrong with mail data that came to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They are more than was allowed, and were not kept.
    TooLarge,
    /// A CR without LF, or an LF without CR.
    BareLineEnd,
    /// A line of more than `SMTP_DATA_LINE_BYTES_MAX` octets.
    LongLine,
}

/// Reads mail data, piece by piece.
#[derive(Debug)]
pub struct Unstuffer {
    at: Reading,
    bytes_max: usize,
    line_bytes: usize,
    too_large: bool,
    bare_line_end: bool,
    long_line: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    LineBegin,
    /// After a dot at the begin of a line.
    Dot,
    /// After that and a CR.
    DotCr,
    Line,
    Cr,
}

impl Unstuffer {
    /// For mail data of at most `bytes_max` octets.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Unstuffer {
        let (too_large, bare_line_end, long_line) = (false, false, false);
        Unstuffer { at: Reading::LineBegin, bytes_max, line_bytes: 0, too_large, bare_line_end, long_line }
    }

    /// Appends what the next octets hold of the data to `out`, which holds what was read before. If the data end in them,
    /// says after how many.
    pub fn read(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut rest = octets;
        while let [first, after @ ..] = rest {
            rest = match (self.at, first) {
                (Reading::DotCr, b'\n') => return Some(octets.len() - after.len()),
                (Reading::LineBegin, b'.') => self.go(Reading::Dot, after),
                (Reading::Dot, b'\r') => self.go(Reading::DotCr, after),
                (Reading::Cr, b'\n') => {
                    self.end_line(out);
                    after
                }
                (Reading::Cr | Reading::DotCr, _) => {
                    self.bare_line_end = true;
                    self.keep(b"\r", out);
                    self.go(Reading::Line, rest)
                }
                (Reading::LineBegin | Reading::Dot | Reading::Line, _) => self.read_line(rest, out),
            };
        }
        None
    }

    /// What is wrong with them, the worst first.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let faults = [
            (self.too_large, Fault::TooLarge),
            (self.bare_line_end, Fault::BareLineEnd),
            (self.long_line, Fault::LongLine),
        ];
        faults.into_iter().find(|(is, _)| *is).map(|(_, fault)| fault)
    }

    fn go<'a>(&mut self, at: Reading, rest: &'a [u8]) -> &'a [u8] {
        self.at = at;
        rest
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        self.keep(CRLF, out);
        self.line_bytes = 0;
        self.at = Reading::LineBegin;
    }

    /// Up to what may be a line end, and past it. A bare LF is kept and begins no line.
    fn read_line<'a>(&mut self, octets: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let end = memchr::memchr2(b'\r', b'\n', octets).unwrap_or(octets.len());
        let (line, rest) = octets.split_at(end);
        self.keep(line, out);
        self.at = Reading::Line;
        match rest.first() {
            Some(b'\r') => self.at = Reading::Cr,
            Some(feed) => {
                self.bare_line_end = true;
                self.keep(&[*feed], out);
            }
            None => {}
        }
        rest.get(1..).unwrap_or_default()
    }

    /// Of data that are too large nothing is kept: they will be refused.
    fn keep(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.line_bytes = self.line_bytes.saturating_add(octets.len());
        self.long_line |= self.line_bytes > SMTP_DATA_LINE_BYTES_MAX;
        self.too_large |= octets.len() > self.bytes_max.saturating_sub(out.len());
        if self.too_large {
            *out = Vec::new();
        } else {
            out.extend_from_slice(octets);
        }
    }
}
