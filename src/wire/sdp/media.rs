//! One media description: an m= line and the lines below it (RFC 4566 5.14).

use super::session::{attributes, values};
use super::{Address, Direction, Session, address, decimal, words};

/// A media description of a [`Session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// "message", "audio", …
    pub media: &'a [u8],
    /// 0 if the stream is refused or removed.
    pub port: u16,
    /// "TCP/MSRP", "RTP/AVP", …
    pub protocol: &'a [u8],
    /// Everything after the protocol, "*" for MSRP; possibly empty.
    pub formats: &'a [u8],
    section: &'a [u8],
    session: Session<'a>,
}

impl<'a> Media<'a> {
    pub(super) fn new(line: &'a [u8], section: &'a [u8], session: Session<'a>) -> Media<'a> {
        let (media, rest) = split_word(line);
        let (port, rest) = split_word(rest);
        let (protocol, formats) = split_word(rest);
        Media { media, port: read_port(port).unwrap_or(0), protocol, formats, section, session }
    }

    /// Whether an m= value has its media, port and protocol.
    pub(super) fn is_well_formed(line: &[u8]) -> bool {
        let mut words = words(line);
        words.next().is_some() && words.next().is_some_and(|port| read_port(port).is_some()) && words.next().is_some()
    }

    /// The address of its c= line or, without one, of the session's.
    #[must_use]
    pub fn connection(&self) -> Option<Address<'a>> {
        match values(self.section, b'c').next() {
            Some(value) => address::read(value),
            None => self.session.connection(),
        }
    }

    /// The values of its attribute `name`; empty for a flag.
    pub fn attributes(&self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        attributes(self.section, name)
    }

    /// The first of them.
    #[must_use]
    pub fn attribute(&self, name: &'static [u8]) -> Option<&'a [u8]> {
        self.attributes(name).next()
    }

    /// Whether the flag `name` is set, for this stream or for the session.
    #[must_use]
    pub fn has(&self, name: &'static [u8]) -> bool {
        self.inherited(name).is_some()
    }

    /// The first value of the attribute `name`, of this stream or, without one, of the session.
    #[must_use]
    pub fn inherited(&self, name: &'static [u8]) -> Option<&'a [u8]> {
        self.attribute(name).or_else(|| self.session.attributes(name).next())
    }

    /// As its sender sees it; sendrecv unless it says something else (RFC 3264 5.1).
    #[must_use]
    pub fn direction(&self) -> Direction {
        let all = Direction::ALL.into_iter();
        let own = all.clone().find(|one| self.attribute(one.name()).is_some());
        own.or_else(|| all.clone().find(|one| self.has(one.name()))).unwrap_or_default()
    }
}

/// The first word of a line and the rest of it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|octet| matches!(octet, b' ' | b'\t')).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_ascii())
}

/// `port [/ number of ports]`.
fn read_port(word: &[u8]) -> Option<u16> {
    let end = memchr::memchr(b'/', word).unwrap_or(word.len());
    decimal(word.get(..end)?).and_then(|port| u16::try_from(port).ok())
}
