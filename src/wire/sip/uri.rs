//! SIP and tel URIs (RFC 3261 19.1, RFC 3966).

use super::chars::{HOST, PHONE_DIGIT};
use super::lists::Params;
use super::{decimal, uri_equality};
use crate::wire::digits::hex;
use crate::wire::scan;

/// A URI by its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uri<'a> {
    /// sip: or sips:.
    Sip(SipUri<'a>),
    /// tel:.
    Tel(TelUri<'a>),
    /// Any other scheme.
    Other {
        /// Before the colon.
        scheme: &'a [u8],
        /// After it.
        rest: &'a [u8],
    },
}

/// RFC 3261 19.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// Whether the scheme is sips.
    pub secure: bool,
    /// As written, escapes included; empty if there is none. Parameters inside the user part are part of it.
    pub user: &'a [u8],
    /// After the user part's colon; empty if there is none. Sent in clear, so never used but for comparison.
    pub password: &'a [u8],
    /// An IPv6 reference keeps its brackets.
    pub host: &'a [u8],
    /// If written.
    pub port: Option<u16>,
    /// URI parameters.
    pub params: Params<'a>,
    /// After '?'.
    pub headers: &'a [u8],
}

/// RFC 3966 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelUri<'a> {
    /// As written, visual separators included.
    pub number: &'a [u8],
    /// phone-context, isub and others.
    pub params: Params<'a>,
}

impl<'a> Uri<'a> {
    /// Reads a URI without brackets. `None` if it has no scheme or, for the schemes we know, no sense.
    #[must_use]
    pub fn parse(uri: &'a [u8]) -> Option<Uri<'a>> {
        let colon = scan::find(b':', uri)?;
        let (scheme, rest) = (uri.get(..colon)?, uri.get(colon + 1..)?);
        if scheme.eq_ignore_ascii_case(b"sip") || scheme.eq_ignore_ascii_case(b"sips") {
            return sip(scheme.len() == 4, rest).map(Uri::Sip);
        }
        if scheme.eq_ignore_ascii_case(b"tel") {
            return tel(rest).map(Uri::Tel);
        }
        let fine = scheme.first().is_some_and(u8::is_ascii_alphabetic) && !rest.is_empty();
        fine.then_some(Uri::Other { scheme, rest })
    }

    /// The parameters of a sip or tel URI.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        match self {
            Uri::Sip(uri) => uri.params,
            Uri::Tel(uri) => uri.params,
            Uri::Other { .. } => Params::default(),
        }
    }
}

impl<'a> SipUri<'a> {
    /// The value of a URI parameter; its name may be written with escapes (RFC 3261 19.1.2). Empty for a flag.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        uri_equality::find(self.params, name)
    }
}

fn sip(secure: bool, rest: &[u8]) -> Option<SipUri<'_>> {
    let (rest, headers) = match scan::find(b'?', rest) {
        // A '?' may stand in the user part (RFC 3261 25.1 user-unreserved); headers follow the host.
        Some(at) if scan::find(b'@', rest.get(at..)?).is_none() => (rest.get(..at)?, rest.get(at + 1..)?),
        _ => (rest, b"".as_slice()),
    };
    let (user_info, rest) = match last_at(rest) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
        None => (b"".as_slice(), rest),
    };
    let colon = scan::find(b':', user_info).unwrap_or(user_info.len());
    let (user, password) = (user_info.get(..colon)?, user_info.get(colon + 1..).unwrap_or_default());
    let end = scan::find(b';', rest).unwrap_or(rest.len());
    let (host, port) = host_port(rest.get(..end)?)?;
    let params = Params(rest.get(end + 1..).unwrap_or_default());
    Some(SipUri { secure, user, password, host, port, params, headers })
}

/// Where the last '@' is.
fn last_at(bytes: &[u8]) -> Option<usize> {
    let mut at = scan::find(b'@', bytes)?;
    while let Some(next) = scan::find(b'@', bytes.get(at + 1..)?) {
        at += 1 + next;
    }
    Some(at)
}

fn tel(rest: &[u8]) -> Option<TelUri<'_>> {
    let end = scan::find(b';', rest).unwrap_or(rest.len());
    let number = rest.get(..end)?;
    let params = Params(rest.get(end + 1..).unwrap_or_default());
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    (PHONE_DIGIT.all(digits) && digits.iter().any(|octet| !matches!(octet, b'-' | b'.' | b'(' | b')')))
        .then_some(TelUri { number, params })
}

/// `host [: port]`, the host a name, an IPv4 address or an IPv6 reference in brackets.
#[must_use]
pub fn host_port(bytes: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let (host, rest) = bytes.split_at_checked(HOST.run(bytes))?;
    match rest {
        [] if !host.is_empty() => Some((host, None)),
        [b':', digits @ ..] if !host.is_empty() && digits.last().is_some_and(u8::is_ascii_digit) => {
            Some((host, Some(port(super::trim(digits))?)))
        }
        _ => host_port_with_care(bytes),
    }
}

fn port(digits: &[u8]) -> Option<u16> {
    decimal(digits).and_then(|port| u16::try_from(port).ok())
}

/// The same for an IPv6 reference, or with white space.
fn host_port_with_care(bytes: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_end = match bytes.strip_prefix(b"[") {
        Some(_) => scan::find(b']', bytes)? + 1,
        None => scan::find(b':', bytes).unwrap_or(bytes.len()),
    };
    let host = super::trim(bytes.get(..host_end)?);
    let port = match super::trim(bytes.get(host_end..)?) {
        [] => None,
        [b':', digits @ ..] => Some(port(super::trim(digits))?),
        _ => return None,
    };
    let fine = !host.is_empty() && (host.starts_with(b"[") || HOST.all(host));
    fine.then_some((host, port))
}

/// Appends `text` with its `%XX` escapes replaced; an escape that is none stays as it is (RFC 3261 19.1.2).
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(percent) = scan::find(b'%', rest) {
        let (before, from) = rest.split_at(percent);
        out.extend_from_slice(before);
        let escaped = escape(from);
        out.push(escaped.unwrap_or(b'%'));
        rest = from.get(if escaped.is_some() { 3 } else { 1 }..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// The octet that the escape at the start of `text` stands for.
pub(super) fn escape(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_parts_may_hold_parameters_and_escapes() {
        let Some(Uri::Sip(uri)) = Uri::parse(b"sip:user;par=u%40example.net@example.com;user=phone?x=y") else {
            panic!()
        };
        assert_eq!(uri.user, b"user;par=u%40example.net");
        assert_eq!(uri.params.get(b"user"), Some(b"phone".as_slice()));
        let mut user = Vec::new();
        unescape(uri.user, &mut user);
        assert_eq!(user, b"user;par=u@example.net");
    }

    #[test]
    fn tel_uris() {
        let Some(Uri::Tel(uri)) = Uri::parse(b"tel:+1-201-555-0123;nccsid=SMS") else { panic!() };
        assert_eq!((uri.number, uri.params.get(b"nccsid")), (b"+1-201-555-0123".as_slice(), Some(b"SMS".as_slice())));
        assert!(Uri::parse(b"tel:alice").is_none());
    }
}
