//! A whole description and its lines (RFC 4566 5).

use super::address::{self, Address};
use super::media::Media;
use super::words;
use crate::limits;
use crate::wire::Malformed;

/// A received session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// The lines before the first m=.
    session_level: &'a [u8],
    /// The first m= and everything below it.
    media_level: &'a [u8],
    origin: Origin<'a>,
}

/// The o= line (RFC 4566 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The whole value. A description that is sent again without a change has the same one (RFC 3264 8).
    pub value: &'a [u8],
    /// sess-id: numeric by the text, of any size and form in the field.
    pub session_id: &'a [u8],
    /// sess-version, likewise.
    pub session_version: &'a [u8],
}

impl<'a> Session<'a> {
    /// Checks the shape of the lines and finds the media.
    ///
    /// # Errors
    /// [`Malformed`] if the first line is not v=0 or another v= follows, if o= is missing, if a line is none, if an m= or
    /// c= line lacks a word or has a port above 65535, or if a bound of [`limits`] is exceeded.
    pub fn parse(bytes: &'a [u8]) -> Result<Session<'a>, Malformed> {
        if bytes.len() > limits::SDP_BYTES_MAX {
            return Err(Malformed::new("SDP size", limits::SDP_BYTES_MAX));
        }
        let (mut origin, mut media_at, mut media, mut count) = (None, None, 0, 0);
        for line in Lines::new(bytes) {
            count += 1;
            match line.check(count)? {
                b'o' if media == 0 && origin.is_none() => origin = Some(read_origin(line)?),
                b'm' => {
                    media += 1;
                    media_at.get_or_insert(line.at);
                }
                _ => {}
            }
            if count > limits::SDP_LINES_MAX || media > limits::SDP_MEDIA_MAX {
                return Err(Malformed::new("SDP lines", line.at));
            }
        }
        let (session_level, media_level) = bytes.split_at(media_at.unwrap_or(bytes.len()));
        let origin = origin.ok_or(Malformed::new("o=", session_level.len()))?;
        Ok(Session { session_level, media_level, origin })
    }

    /// o=.
    #[must_use]
    pub const fn origin(&self) -> Origin<'a> {
        self.origin
    }

    /// The address of the session's c= line, which holds for media without one of their own.
    #[must_use]
    pub fn connection(&self) -> Option<Address<'a>> {
        values(self.session_level, b'c').next().and_then(address::read)
    }

    /// Every t= value, which an answer repeats (RFC 3264 6).
    pub fn times(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        values(self.session_level, b't')
    }

    /// The values of the session-level attribute `name`; empty for a flag.
    pub fn attributes(&self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        attributes(self.session_level, name)
    }

    /// The media descriptions in order.
    pub fn media(&self) -> impl Iterator<Item = Media<'a>> + use<'a> {
        let (session, mut rest) = (*self, self.media_level);
        core::iter::from_fn(move || {
            let head = Lines::new(rest).next()?;
            let below = rest.get(head.next..)?;
            let end = Lines::new(below).find(|line| line.letter() == Some(b'm')).map_or(below.len(), |line| line.at);
            let (section, after) = below.split_at(end);
            rest = after;
            Some(Media::new(head.value(), section, session))
        })
    }
}

/// One line that is not blank.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    text: &'a [u8],
    /// Where it starts.
    at: usize,
    /// Where the line after it starts.
    next: usize,
}

impl<'a> Line<'a> {
    /// The type letter, if this is a line of the form `x=...`.
    fn letter(self) -> Option<u8> {
        match self.text {
            [letter, b'=', ..] if letter.is_ascii_alphabetic() => Some(*letter),
            _ => None,
        }
    }

    /// What follows the `=`, without white space around it.
    fn value(self) -> &'a [u8] {
        self.text.get(2..).unwrap_or_default().trim_ascii()
    }

    /// The type letter of the line with number `count` if it may stand there.
    fn check(self, count: usize) -> Result<u8, Malformed> {
        let letter = self.letter().ok_or(Malformed::new("SDP line", self.at))?;
        // What is echoed into an answer must not be able to end a line there (RFC 4566 9 byte-string).
        if self.text.iter().any(|octet| matches!(octet, 0 | b'\r')) {
            return Err(Malformed::new("SDP byte-string", self.at));
        }
        let fine = match letter {
            b'v' => count == 1 && self.value() == b"0",
            b'm' => count > 1 && Media::is_well_formed(self.value()),
            b'c' => count > 1 && words(self.value()).count() >= 3,
            _ => count > 1,
        };
        fine.then_some(letter).ok_or(Malformed::new(line_name(letter), self.at))
    }
}

const fn line_name(letter: u8) -> &'static str {
    match letter {
        b'm' => "m=",
        b'c' => "c=",
        _ => "v=",
    }
}

/// The lines of a description; blank ones are passed over.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    const fn new(bytes: &'a [u8]) -> Lines<'a> {
        Lines { bytes, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let (at, rest) = (self.at, self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?);
            let end = memchr::memchr(b'\n', rest);
            self.at += end.map_or(rest.len(), |end| end + 1);
            let text = rest.get(..end.unwrap_or(rest.len()))?;
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if !text.trim_ascii().is_empty() {
                return Some(Line { text, at, next: self.at });
            }
        }
    }
}

fn read_origin(line: Line<'_>) -> Result<Origin<'_>, Malformed> {
    let value = line.value();
    let mut words = words(value);
    let (_username, session_id, session_version) = (words.next(), words.next(), words.next());
    let (Some(session_id), Some(session_version)) = (session_id, session_version) else {
        return Err(Malformed::new("o=", line.at));
    };
    Ok(Origin { value, session_id, session_version })
}

/// The values of the lines of one letter.
pub(super) fn values(section: &[u8], letter: u8) -> impl Iterator<Item = &[u8]> {
    Lines::new(section).filter(move |line| line.letter() == Some(letter)).map(Line::value)
}

/// The values of the attribute `name`, which is written in lower case by every RFC and in any by some clients.
pub(super) fn attributes<'a>(section: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    values(section, b'a').filter_map(move |attribute| {
        let end = memchr::memchr(b':', attribute).unwrap_or(attribute.len());
        let (found, value) = attribute.split_at(end);
        let value = value.strip_prefix(b":").unwrap_or_default();
        found.trim_ascii().eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}
