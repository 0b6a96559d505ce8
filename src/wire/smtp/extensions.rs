//! What a server says it can do (RFC 5321 4.1.1.1).

use super::{ReplyLines, parameters};

/// The extensions that concern us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SIZE (RFC 1870), and the octets of the largest mail; 0 if the server does not say.
    pub size: Option<u64>,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_status_codes: bool,
}

impl Extensions {
    /// Reads the reply to EHLO; its first line is a greeting. Others are passed over.
    #[must_use]
    pub fn read(reply: &ReplyLines<'_>) -> Extensions {
        let mut extensions = Extensions::default();
        reply.texts().skip(1).for_each(|line| extensions.add(line));
        extensions
    }

    fn add(&mut self, line: &[u8]) {
        let mut words = line.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default();
        let is = |name: &[u8]| keyword.eq_ignore_ascii_case(name);
        if is(b"SIZE") {
            self.size = Some(words.next().and_then(parameters::size).unwrap_or(0));
        }
        self.pipelining |= is(b"PIPELINING");
        self.eight_bit_mime |= is(b"8BITMIME");
        self.enhanced_status_codes |= is(b"ENHANCEDSTATUSCODES");
    }
}
