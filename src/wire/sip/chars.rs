//! Which octets a rule of the grammar allows: one map of 256 entries per rule, the rule's name beside it.

/// The octets that one ABNF rule allows.
#[derive(Debug)]
pub(super) struct Class([bool; 256]);

impl Class {
    /// Nothing.
    const NONE: Class = Class([false; 256]);

    /// And these octets.
    const fn and(mut self, octets: &[u8]) -> Class {
        let mut at = 0;
        while at < octets.len() {
            self.0[octets[at] as usize] = true;
            at += 1;
        }
        self
    }

    /// And the octets from `first` to `last`, both included.
    const fn and_range(mut self, first: u8, last: u8) -> Class {
        let mut octet = first as usize;
        while octet <= last as usize {
            self.0[octet] = true;
            octet += 1;
        }
        self
    }

    /// Without these octets.
    const fn without(mut self, octets: &[u8]) -> Class {
        let mut at = 0;
        while at < octets.len() {
            self.0[octets[at] as usize] = false;
            at += 1;
        }
        self
    }

    const fn and_alphanum(self) -> Class {
        self.and_range(b'0', b'9').and_range(b'A', b'Z').and_range(b'a', b'z')
    }

    /// Whether the rule allows `octet`.
    #[must_use]
    pub(super) const fn has(&self, octet: u8) -> bool {
        self.0[octet as usize]
    }

    /// Whether the rule allows every one of `octets`; so it does if there is none.
    #[inline]
    #[must_use]
    pub(super) fn all(&self, octets: &[u8]) -> bool {
        // Without a way out of the loop it runs in larger steps.
        octets.iter().fold(true, |all, &octet| all & self.has(octet))
    }

    /// How many octets at the start of `octets` the rule allows.
    #[inline]
    #[must_use]
    pub(super) fn run(&self, octets: &[u8]) -> usize {
        let mut rest = octets;
        while let Some((eight, after)) = rest.split_first_chunk::<8>()
            && self.all(eight)
        {
            rest = after;
        }
        if let Some((four, after)) = rest.split_first_chunk::<4>()
            && self.all(four)
        {
            rest = after;
        }
        let few = rest.iter().position(|&octet| !self.has(octet)).unwrap_or(rest.len());
        octets.len() - rest.len() + few
    }
}

/// RFC 3261 25.1 `token`.
pub(super) static TOKEN: Class = Class::NONE.and_alphanum().and(b"-.!%*_+`'~");

/// RFC 3261 25.1 `SIP-URI` as far as its parts can be told apart: no white space, control, quote or angle bracket. Wider
/// than `uric`, because clients in the field leave '#' and UTF-8 unescaped.
pub(super) static URI: Class = Class::NONE.and_range(0x21, 0xff).without(b"\"<>\x7f");

/// What may stand in a Request-URI at all: what neither ends it nor hides where it ends.
pub(super) static REQUEST_URI: Class = Class::NONE.and_range(0x21, 0xff).without(b"\"<>");

/// RFC 3261 25.1 `scheme` after its first letter.
pub(super) static SCHEME: Class = Class::NONE.and_alphanum().and(b"+-.");

/// RFC 3261 25.1 `hostname` and `IPv4address`. The underscore is in use, though RFC 1035 does not know it.
pub(super) static HOST: Class = Class::NONE.and_alphanum().and(b".-_");

/// RFC 3261 25.1 `token` with white space and what UTF-8 needs: a display name without quotes.
pub(super) static DISPLAY_NAME: Class = Class::NONE.and_alphanum().and(b"-.!%*_+`'~ \t\r\n").and_range(0x80, 0xff);

/// RFC 3966 3 `phonedigit-hex`.
pub(super) static PHONE_DIGIT: Class =
    Class::NONE.and_range(b'0', b'9').and_range(b'A', b'F').and_range(b'a', b'f').and(b"*#-.()");

/// RFC 3261 25.1 `gen-value` without quotes, wider: IPv6 addresses, base64 and UTF-8 occur.
pub(super) static PARAMETER_VALUE: Class = Class::NONE.and_range(0x21, 0xff).without(b"\"<>,;\x7f");

/// Whether `octets` are a `token`.
pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && TOKEN.all(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_exactly_its_rule() {
        let token: Vec<u8> = (0..=255).filter(|&octet| TOKEN.has(octet)).collect();
        assert_eq!(token, b"!%'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_`abcdefghijklmnopqrstuvwxyz~");
        assert_eq!(TOKEN.run(b"Call-ID: x"), 7);
        assert!(TOKEN.all(b"") && !TOKEN.all(b"a b") && !URI.has(b' ') && URI.has(0xd0));
    }
}
