//! Via (RFC 3261 20.42, RFC 3581).

use crate::wire::scan;
use crate::wire::span::Span;

use super::chars::HOST;
use super::lists::{self, Params};
use super::uri::host_port;
use super::{place, trim};

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
    branch: &'a [u8],
    maddr: &'a [u8],
    wants_rport: bool,
    is_well_formed: bool,
    behind_rport: Option<u32>,
}

/// Where the parts of a Via are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    protocol: Span,
    version: Span,
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
    branch: Span,
    maddr: Span,
    wants_rport: bool,
    is_well_formed: bool,
    behind_rport: Option<u32>,
}

impl Place {
    #[inline]
    pub(super) fn of(self, bytes: &[u8]) -> Via<'_> {
        Via {
            protocol: self.protocol.of(bytes),
            version: self.version.of(bytes),
            transport: self.transport.of(bytes),
            host: self.host.of(bytes),
            port: self.port,
            params: Params(self.params.of(bytes)),
            branch: self.branch.of(bytes),
            maddr: self.maddr.of(bytes),
            wants_rport: self.wants_rport,
            is_well_formed: self.is_well_formed,
            behind_rport: self.behind_rport,
        }
    }
}

impl<'a> Via<'a> {
    /// Where this is in `bytes`, from which it was read.
    #[inline]
    pub(super) fn place(&self, bytes: &[u8]) -> Place {
        Place {
            protocol: place(bytes, self.protocol),
            version: place(bytes, self.version),
            transport: place(bytes, self.transport),
            host: place(bytes, self.host),
            port: self.port,
            params: place(bytes, self.params.0),
            branch: place(bytes, self.branch),
            maddr: place(bytes, self.maddr),
            wants_rport: self.wants_rport,
            is_well_formed: self.is_well_formed,
            behind_rport: self.behind_rport,
        }
    }

    /// Reads `protocol / version / transport LWS host [: port] *(; param)`. `None` if it is not that.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Via<'a>> {
        let (protocol, version, rest) = match value.split_at_checked(8) {
            Some((b"SIP/2.0/", rest)) => (value.get(..3)?, value.get(4..7)?, rest),
            _ => {
                let (protocol, rest) = before_slash(value)?;
                let (version, rest) = before_slash(rest)?;
                (protocol, version, rest)
            }
        };
        let rest = trim(rest);
        let end = rest.iter().position(|octet| octet.is_ascii_whitespace())?;
        let (transport, sent_by) = (rest.get(..end)?, trim(rest.get(end..)?));
        let semicolon = scan::find(b';', sent_by).unwrap_or(sent_by.len());
        let (host, port) = host_port(trim(sent_by.get(..semicolon)?))?;
        let params = Params(sent_by.get(semicolon + 1..).unwrap_or_default());
        let via = Via { protocol, version, transport, host, port, params, ..Via::EMPTY };
        Some(if params.is_blank() { via } else { via.with_params() })
    }

    /// The same as [`Via::parse`] where neither white space nor quotes nor another value are in `value`, as nearly always;
    /// `None` says nothing.
    #[inline]
    pub(super) fn usual(value: &'a [u8]) -> Option<Via<'a>> {
        let (b"SIP/2.0/UDP " | b"SIP/2.0/TCP " | b"SIP/2.0/TLS ", sent_by) = value.split_first_chunk()? else {
            return None;
        };
        let (protocol, version, transport) = (value.get(..3)?, value.get(4..7)?, value.get(8..11)?);
        let (host, rest) = sent_by.split_at_checked(HOST.run(sent_by)).filter(|(host, _)| !host.is_empty())?;
        let (port, rest) = usual_port(rest)?;
        let params = Params(rest.get(1..).unwrap_or_default());
        Via { protocol, version, transport, host, port, params, ..Via::EMPTY }.with_usual_params(rest)
    }

    const EMPTY: Via<'static> = Via {
        protocol: b"",
        version: b"",
        transport: b"",
        host: b"",
        port: None,
        params: Params(b""),
        branch: b"",
        maddr: b"",
        wants_rport: false,
        is_well_formed: true,
        behind_rport: None,
    };

    /// The parameters that nearly every Via has and no other; `rest` begins with their semicolon.
    fn with_usual_params(mut self, mut rest: &'a [u8]) -> Option<Via<'a>> {
        let mut behind_rport = 0;
        while let [b';', param @ ..] = rest {
            rest = if let [b'b', b'r', b'a', b'n', b'c', b'h', b'=', value @ ..] = param
                && self.branch.is_empty()
            {
                let (branch, rest) = lists::value(value);
                self.branch = Some(branch).filter(|branch| !branch.is_empty())?;
                rest
            } else if let [b'r', b'p', b'o', b'r', b't', rest @ ..] = param
                && matches!(rest, [] | [b';', ..])
                && !self.wants_rport
            {
                self.wants_rport = true;
                behind_rport = rest.len();
                rest
            } else {
                return None;
            };
        }
        self.behind_rport = Some(u32::try_from(behind_rport).ok()?);
        rest.is_empty().then_some(self)
    }

    fn with_params(mut self) -> Via<'a> {
        let (mut branch, mut rport, mut maddr) = (None, None, None);
        for param in self.params.all() {
            self.is_well_formed &= param.is_well_formed;
            if branch.is_none() && param.is(b"branch") {
                branch = Some(param.text());
            } else if rport.is_none() && param.is(b"rport") {
                rport = Some(param.text());
            } else if maddr.is_none() && param.is(b"maddr") {
                maddr = Some(param.text());
            }
        }
        self.branch = branch.unwrap_or_default();
        self.maddr = maddr.unwrap_or_default();
        self.wants_rport = rport.is_some_and(<[u8]>::is_empty);
        self
    }

    /// The same without what [`Via::behind_rport`] knows.
    #[cfg(test)]
    pub(super) fn as_parsed(self) -> Via<'a> {
        Via { behind_rport: None, ..self }
    }

    /// Whether it is of the SIP we speak.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        scan::is(self.protocol, b"SIP") && self.version == b"2.0"
    }

    /// The branch parameter.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        Some(self.branch).filter(|branch| !branch.is_empty())
    }

    /// The maddr parameter.
    #[must_use]
    pub fn maddr(&self) -> Option<&'a [u8]> {
        Some(self.maddr).filter(|maddr| !maddr.is_empty())
    }

    /// Whether the branch is unique by RFC 3261 8.1.1.7. The bare cookie is not: nothing tells two of them apart.
    #[must_use]
    pub fn has_magic_cookie(&self) -> bool {
        let cookie = self.branch.split_at_checked(7);
        cookie.is_some_and(|(cookie, rest)| !rest.is_empty() && scan::is(cookie, b"z9hG4bK"))
    }

    /// Whether the sender asks for the source port (RFC 3581 3).
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.wants_rport
    }

    /// Octets behind a bare rport, or 0 if there is none: the text of this Via is all of its header field, without white
    /// space, quotes and received, and may be sent back as it came. `None` if it may not.
    #[must_use]
    pub fn behind_rport(&self) -> Option<usize> {
        self.behind_rport.map(|octets| octets as usize)
    }

    /// Whether its parameters are what the grammar allows; see [`Params::is_well_formed`].
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.is_well_formed
    }
}

/// The port behind a colon, if there is one, and what follows.
fn usual_port(bytes: &[u8]) -> Option<(Option<u16>, &[u8])> {
    let [b':', rest @ ..] = bytes else { return Some((None, bytes)) };
    let (mut port, mut behind) = (0_u16, rest);
    while let [digit @ b'0'..=b'9', after @ ..] = behind {
        port = port.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
        behind = after;
    }
    (behind.len() < rest.len()).then_some((Some(port), behind))
}

fn before_slash(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = scan::find(b'/', bytes)?;
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
