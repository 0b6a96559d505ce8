//! Replies (RFC 5321 4.2) and enhanced status codes (RFC 3463, RFC 2034).

use super::CRLF;
use crate::limits::{SMTP_REPLY_BYTES_MAX, SMTP_REPLY_TEXT_BYTES_MAX};
use crate::wire::digits::decimal;
use crate::wire::inline::Inline;
use crate::wire::{Framing, Malformed};

/// Class, subject and detail (RFC 3463 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnhancedStatus(pub u8, pub u16, pub u16);

impl EnhancedStatus {
    /// Reads the status that `text` begins with, and returns what follows it.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<(EnhancedStatus, &[u8])> {
        let (word, rest) = text.split_at(text.iter().position(|octet| *octet == b' ').unwrap_or(text.len()));
        let mut numbers = word.split(|octet| *octet == b'.').map(number);
        let class = numbers.next()??;
        let status = EnhancedStatus(u8::try_from(class).ok()?, numbers.next()??, numbers.next()??);
        let whole = numbers.next().is_none() && matches!(class, 2 | 4 | 5);
        whole.then(|| (status, rest.strip_prefix(b" ").unwrap_or(rest)))
    }

    fn emit(self, out: &mut Vec<u8>) {
        for (number, end) in [(u16::from(self.0), b'.'), (self.1, b'.'), (self.2, b' ')] {
            decimal(out, u64::from(number));
            out.push(end);
        }
    }
}

/// One to three digits.
fn number(digits: &[u8]) -> Option<u16> {
    let fine = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fine.then(|| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// A reply that is kept: its code, and what its first line says, cut at `SMTP_REPLY_TEXT_BYTES_MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits: 200 to 599.
    pub code: u16,
    /// Says more exactly what the code says.
    pub enhanced: Option<EnhancedStatus>,
    /// For people. Printable ASCII.
    pub text: Inline<SMTP_REPLY_TEXT_BYTES_MAX>,
}

impl Reply {
    /// A reply with an enhanced status code. A code beyond three digits is 554; what cannot be shown of `text` is a question
    /// mark.
    #[must_use]
    pub fn new(code: u16, enhanced: EnhancedStatus, text: &[u8]) -> Reply {
        Reply { enhanced: Some(enhanced), ..Reply::plain(code, text) }
    }

    /// A reply without one.
    #[must_use]
    pub fn plain(code: u16, text: &[u8]) -> Reply {
        let mut shown = Inline::new();
        for octet in text {
            let octet = if matches!(octet, b' '..=b'~') { *octet } else { b'?' };
            if !shown.push(octet) {
                break;
            }
        }
        Reply { code: if (200..600).contains(&code) { code } else { 554 }, enhanced: None, text: shown }
    }

    /// Done.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Go on.
    #[must_use]
    pub const fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// Refused for now; the same may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Refused for good.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// Appends it as one line.
    pub fn emit(&self, out: &mut Vec<u8>) {
        decimal(out, u64::from(self.code));
        out.push(b' ');
        if let Some(enhanced) = self.enhanced {
            enhanced.emit(out);
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(CRLF);
    }
}

/// As it stands on the wire, for a log.
impl core::fmt::Display for Reply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut line = Vec::new();
        self.emit(&mut line);
        f.write_str(core::str::from_utf8(line.trim_ascii_end()).unwrap_or_default())
    }
}

/// Appends a reply of several lines. They must be printable.
pub fn emit_lines(code: u16, lines: &[&[u8]], out: &mut Vec<u8>) {
    for (number, line) in lines.iter().enumerate() {
        decimal(out, u64::from(code));
        out.push(if number + 1 == lines.len() { b' ' } else { b'-' });
        out.extend_from_slice(line);
        out.extend_from_slice(CRLF);
    }
}

/// A reply as it arrived, of one line or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLines<'a> {
    code: u16,
    octets: &'a [u8],
}

impl<'a> ReplyLines<'a> {
    /// The first reply of a stream: up to the line whose code a blank follows. A bare line feed ends a line too.
    #[must_use]
    pub fn frame(stream: &[u8]) -> Framing {
        let within = stream.get(..SMTP_REPLY_BYTES_MAX).unwrap_or(stream);
        let mut at = 0;
        while let Some(len) = within.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            let line = within.get(at..at + len).unwrap_or_default();
            match line_code(line) {
                None => return Framing::Malformed(Malformed::new("reply code", at)),
                Some((_, true)) => return Framing::Complete(at + len + 1),
                Some((_, false)) => at += len + 1,
            }
        }
        if stream.len() < SMTP_REPLY_BYTES_MAX {
            Framing::Partial
        } else {
            Framing::Malformed(Malformed::new("reply", at))
        }
    }

    /// Reads a reply that was framed.
    ///
    /// # Errors
    /// A line without a code, or lines with different ones (RFC 5321 4.2.1).
    pub fn parse(octets: &'a [u8]) -> Result<ReplyLines<'a>, Malformed> {
        let code = lines(octets).next().and_then(line_code).map(|(code, _)| code);
        let same = |line| line_code(line).map(|(code, _)| code) == code;
        match code.filter(|_| lines(octets).all(same)) {
            Some(code) => Ok(ReplyLines { code, octets }),
            None => Err(Malformed::new("reply code", 0)),
        }
    }

    /// 200 to 599.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// What each line says behind its code; enhanced status codes are not taken off.
    pub fn texts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        lines(self.octets).map(|line| line.get(4..).unwrap_or_default())
    }

    /// What can be kept of it. The enhanced status code is taken only if its class is the code's.
    #[must_use]
    pub fn to_reply(&self) -> Reply {
        let text = self.texts().next().unwrap_or_default();
        match EnhancedStatus::read(text).filter(|(status, _)| u16::from(status.0) == self.code / 100) {
            Some((status, rest)) => Reply::new(self.code, status, rest),
            None => Reply::plain(self.code, text),
        }
    }
}

/// The lines without their ends.
fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// A line's code, and whether it is the last line. A code alone is a last line too (RFC 5321 4.2).
fn line_code(line: &[u8]) -> Option<(u16, bool)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let code = number(line.get(..3)?).filter(|code| (200..600).contains(code))?;
    match line.get(3) {
        None | Some(b' ') => Some((code, true)),
        Some(b'-') => Some((code, false)),
        Some(_) => None,
    }
}
