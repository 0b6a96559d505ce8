//! MSRP URIs (RFC 4975 6 and 9) and when two are the same (6.1).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{decimal, is_token};
use crate::limits;

/// `msrp://host:port/session-id;tcp`, in parts.
#[derive(Clone, Copy, Debug)]
pub struct MsrpUri<'a> {
    /// Whether the scheme is msrps: TLS to this hop.
    pub secure: bool,
    /// Before '@', as written; empty if there is none. No part of any comparison.
    pub user_info: &'a [u8],
    /// An IPv6 address keeps its brackets.
    pub host: &'a [u8],
    /// If written. There is no default for endpoints.
    pub port: Option<u16>,
    /// Names the session at its host; empty if there is none, which addresses a relay.
    pub session_id: &'a [u8],
    /// "tcp".
    pub transport: &'a [u8],
    /// What follows the transport, without the first semicolon. No part of any comparison.
    pub params: &'a [u8],
}

impl<'a> MsrpUri<'a> {
    /// Reads a URI. `None` if it is no MSRP URI.
    #[must_use]
    pub fn parse(uri: &'a [u8]) -> Option<MsrpUri<'a>> {
        let (secure, rest) = scheme(uri)?;
        let (before, params) = split_at(rest, b';')?;
        let (authority, session_id) = split_at(before, b'/').unwrap_or((before, b""));
        let (user_info, host_port) = match memchr::memrchr(b'@', authority) {
            Some(at) => (authority.get(..at)?, authority.get(at + 1..)?),
            None => (b"".as_slice(), authority),
        };
        let (host, port) = host_port_of(host_port)?;
        let (transport, params) = match split_at(params, b';') {
            Some((_, b"")) => return None,
            Some(parts) => parts,
            None => (params, b"".as_slice()),
        };
        let fine = !transport.is_empty()
            && transport.iter().all(u8::is_ascii_alphanumeric)
            && session_id.iter().all(|&octet| is_session_octet(octet))
            && are_params(params);
        fine.then_some(MsrpUri { secure, user_info, host, port, session_id, transport, params })
    }

    /// Whether both name the same session at the same place (RFC 4975 6.1): scheme, host and transport in any case,
    /// addresses by their value, port and session-id exactly, a missing one only like a missing one.
    #[must_use]
    pub fn is_equivalent(&self, other: &MsrpUri<'_>) -> bool {
        self.secure == other.secure
            && self.port == other.port
            && self.session_id == other.session_id
            && self.transport.eq_ignore_ascii_case(other.transport)
            && is_same_host(self.host, other.host)
    }

    /// Appends the URI as it was written, but for letters whose case means nothing.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.secure { b"msrps://" } else { b"msrp://" });
        if !self.user_info.is_empty() {
            out.extend_from_slice(self.user_info);
            out.push(b'@');
        }
        out.extend_from_slice(self.host);
        if let Some(port) = self.port {
            out.push(b':');
            crate::wire::digits::decimal(out, u64::from(port));
        }
        for (separator, part) in [(b'/', self.session_id), (b';', self.transport), (b';', self.params)] {
            if !part.is_empty() {
                out.push(separator);
                out.extend_from_slice(part);
            }
        }
    }
}

/// Whether two URIs, as written, are the same. What is no MSRP URI is the same as nothing.
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    match (MsrpUri::parse(one), MsrpUri::parse(other)) {
        (Some(one), Some(other)) => one.is_equivalent(&other),
        _ => false,
    }
}

/// The value of To-Path, From-Path or of the SDP attribute path: URIs with a space between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a>(&'a [u8]);

impl<'a> Path<'a> {
    /// Takes the value as it is.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> Path<'a> {
        Path(value)
    }

    /// The value as it was written.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Each URI as it was written, the next hop's first.
    pub fn uris(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
        self.0.split(|&octet| octet == b' ').filter(|uri| !uri.is_empty())
    }

    /// The first URI; empty if there is none.
    #[must_use]
    pub fn first(&self) -> &'a [u8] {
        self.uris().next().unwrap_or_default()
    }

    /// The last URI, which is an endpoint's; empty if there is none.
    #[must_use]
    pub fn last(&self) -> &'a [u8] {
        self.uris().next_back().unwrap_or_default()
    }

    /// Whether both hold the same URIs in the same order.
    #[must_use]
    pub fn is_equivalent(&self, other: &Path<'_>) -> bool {
        let (mut ours, mut theirs) = (self.uris(), other.uris());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if is_same(one, other) => {}
                _ => return false,
            }
        }
    }

    /// Whether it holds no more than [`limits::MSRP_PATH_URIS_MAX`] URIs.
    pub(super) fn is_within_limit(&self) -> bool {
        memchr::memchr_iter(b' ', self.0).count() < limits::MSRP_PATH_URIS_MAX
    }
}

fn scheme(uri: &[u8]) -> Option<(bool, &[u8])> {
    let (scheme, rest) = split_at(uri, b':')?;
    let secure = scheme.eq_ignore_ascii_case(b"msrps");
    (secure || scheme.eq_ignore_ascii_case(b"msrp")).then_some((secure, rest.strip_prefix(b"//")?))
}

/// What stands before and after the first `separator`.
fn split_at(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn host_port_of(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_end = match text.first()? {
        b'[' => memchr::memchr(b']', text)? + 1,
        _ => memchr::memchr(b':', text).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_end)?;
    let port = match rest.split_first() {
        None => None,
        Some((b':', digits)) => Some(u16::try_from(decimal(digits)?).ok()?),
        Some(_) => return None,
    };
    is_host(host).then_some((host, port))
}

fn is_host(host: &[u8]) -> bool {
    if host.starts_with(b"[") {
        return ipv6(host).is_some();
    }
    !host.is_empty() && host.iter().all(|&octet| octet.is_ascii_alphanumeric() || b".-_~%".contains(&octet))
}

/// RFC 4975 9 `session-id`.
const fn is_session_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'=' | b'/')
}

/// RFC 4975 9 `URI-parameter`, any number of them.
fn are_params(params: &[u8]) -> bool {
    let is_param = |param: &[u8]| match split_at(param, b'=') {
        Some((name, value)) => is_token(name) && is_token(value),
        None => is_token(param),
    };
    params.is_empty() || params.split(|&octet| octet == b';').all(is_param)
}

fn is_same_host(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
        || matches!((ipv6(one), ipv6(other)), (Some(one), Some(other)) if one == other)
        || matches!((ipv4(one), ipv4(other)), (Some(one), Some(other)) if one == other)
}

fn ipv6(host: &[u8]) -> Option<Ipv6Addr> {
    let address = host.strip_prefix(b"[")?.strip_suffix(b"]")?;
    core::str::from_utf8(address).ok()?.parse().ok()
}

fn ipv4(host: &[u8]) -> Option<Ipv4Addr> {
    core::str::from_utf8(host).ok()?.parse().ok()
}
