//! Via (RFC 3261 20.42, RFC 3581).

use super::lists::Params;
use super::trim;
use super::uri::host_port;

/// One Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// "SIP" in any case; anything else is a protocol we do not speak, but know whom to tell.
    pub protocol: &'a [u8],
    /// "2.0", or alike.
    pub version: &'a [u8],
    /// "UDP", "TCP" or another token, as written.
    pub transport: &'a [u8],
    /// sent-by host; an IPv6 reference keeps its brackets.
    pub host: &'a [u8],
    /// sent-by port.
    pub port: Option<u16>,
    /// branch, received, rport, maddr, ttl and extensions.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads `protocol / version / transport LWS host [: port] *(; param)`. `None` if it is not that.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Via<'a>> {
        let (protocol, rest) = before_slash(value)?;
        let (version, rest) = before_slash(rest)?;
        let rest = trim(rest);
        let end = rest.iter().position(|octet| octet.is_ascii_whitespace())?;
        let (transport, sent_by) = (rest.get(..end)?, trim(rest.get(end..)?));
        let semicolon = memchr::memchr(b';', sent_by).unwrap_or(sent_by.len());
        let (host, port) = host_port(trim(sent_by.get(..semicolon)?))?;
        let params = Params(sent_by.get(semicolon + 1..).unwrap_or_default());
        Some(Via { protocol, version, transport, host, port, params })
    }

    /// Whether it is of the SIP we speak.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.protocol.eq_ignore_ascii_case(b"SIP") && self.version == b"2.0"
    }

    /// The branch parameter.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.get(b"branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch is unique by RFC 3261 8.1.1.7. The bare cookie is not: nothing tells two of them apart.
    #[must_use]
    pub fn has_magic_cookie(&self) -> bool {
        self.branch().is_some_and(|branch| {
            branch.len() > 7 && branch.get(..7).is_some_and(|c| c.eq_ignore_ascii_case(b"z9hG4bK"))
        })
    }

    /// Whether the sender asks for the source port (RFC 3581 3).
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.get(b"rport").is_some_and(<[u8]>::is_empty)
    }
}

fn before_slash(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = memchr::memchr(b'/', bytes)?;
    Some((trim(bytes.get(..slash)?), bytes.get(slash + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_white_space_is_legal() {
        let via = Via::parse(b"SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 ;branch=390skdjuw ;rport").unwrap();
        assert_eq!((via.transport, via.host, via.port), (b"UDP".as_slice(), b"192.0.2.2".as_slice(), None));
        assert!(via.wants_rport() && !via.has_magic_cookie() && via.is_ours());
        let v6 = Via::parse(b"SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKa").unwrap();
        assert_eq!((v6.host, v6.port), (b"[2001:db8::9]".as_slice(), Some(5070)));
        assert!(!Via::parse(b"SIP/7.0/UDP h").unwrap().is_ours());
    }
}
