//! When two URIs mean the same (RFC 3261 19.1.4, RFC 3966 4).

use super::lists::Params;
use super::uri::{SipUri, TelUri, Uri, escape};

/// A SIP URI with one of these is not the same as one without it, not even if the value is the default.
const DECISIVE: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];

impl Uri<'_> {
    /// Whether both mean the same resource. Not transitive: a parameter that one of them lacks is ignored.
    #[must_use]
    pub fn is_equivalent(&self, other: &Uri<'_>) -> bool {
        match (self, other) {
            (Uri::Sip(one), Uri::Sip(other)) => one.is_equivalent(other),
            (Uri::Tel(one), Uri::Tel(other)) => one.is_equivalent(other),
            (Uri::Other { scheme, rest }, Uri::Other { scheme: other, rest: other_rest }) => {
                scheme.eq_ignore_ascii_case(other) && rest == other_rest
            }
            _ => false,
        }
    }
}

impl SipUri<'_> {
    /// RFC 3261 19.1.4.
    #[must_use]
    pub fn is_equivalent(&self, other: &SipUri<'_>) -> bool {
        self.secure == other.secure
            && same(self.user, other.user)
            && same(self.password, other.password)
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
            && agree(self.params, other.params)
            && agree(other.params, self.params)
            && are_headers_in(self.headers, other.headers)
            && are_headers_in(other.headers, self.headers)
    }
}

impl TelUri<'_> {
    /// RFC 3966 4: the digits without separators, every parameter of both.
    #[must_use]
    pub fn is_equivalent(&self, other: &TelUri<'_>) -> bool {
        digits(self.number).eq(digits(other.number))
            && are_params_in(self.params, other.params)
            && are_params_in(other.params, self.params)
    }
}

fn digits(number: &[u8]) -> impl Iterator<Item = u8> {
    let spoken = |octet: &&u8| !matches!(octet, b'-' | b'.' | b'(' | b')');
    number.iter().filter(spoken).map(u8::to_ascii_lowercase)
}

/// Whether `params` contradict nothing in `others`.
fn agree(params: Params<'_>, others: Params<'_>) -> bool {
    params.iter().all(|(name, value)| match find(others, name) {
        Some(other) => same_in_any_case(value.unwrap_or_default(), other),
        None => !DECISIVE.iter().any(|decisive| same_in_any_case(decisive, name)),
    })
}

fn are_params_in(params: Params<'_>, others: Params<'_>) -> bool {
    let there = |(name, value): (&[u8], Option<&[u8]>)| {
        find(others, name).is_some_and(|other| same_in_any_case(value.unwrap_or_default(), other))
    };
    params.iter().all(there)
}

/// The value of the parameter `name`, both written with or without escapes.
pub(super) fn find<'a>(params: Params<'a>, name: &[u8]) -> Option<&'a [u8]> {
    params.iter().find(|(other, _)| same_in_any_case(other, name)).map(|(_, value)| value.unwrap_or_default())
}

/// Whether every header of one URI is in the other: names in any case, values as they are.
fn are_headers_in(headers: &[u8], others: &[u8]) -> bool {
    let pairs = |list| <[u8]>::split(list, |&octet| octet == b'&').map(pair);
    pairs(headers)
        .all(|(name, value)| pairs(others).any(|(other, its)| same_in_any_case(name, other) && same(value, its)))
}

fn pair(header: &[u8]) -> (&[u8], &[u8]) {
    let equals = crate::wire::scan::find(b'=', header).unwrap_or(header.len());
    (header.get(..equals).unwrap_or_default(), header.get(equals + 1..).unwrap_or_default())
}

fn same(one: &[u8], other: &[u8]) -> bool {
    octets(one).eq(octets(other))
}

fn same_in_any_case(one: &[u8], other: &[u8]) -> bool {
    let folded = |text| octets(text).map(|(octet, escaped)| (octet.to_ascii_lowercase(), escaped));
    folded(one).eq(folded(other))
}

/// The octets that `text` stands for. An escaped one that the grammar reserves (RFC 3261 25.1) is marked: it is not the
/// same as the bare one.
fn octets(text: &[u8]) -> impl Iterator<Item = (u8, bool)> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (octet, escaped, after) = match escape(rest) {
            Some(octet) => (octet, b";/?:@&=+$,".contains(&octet), rest.get(3..)),
            None => (*rest.first()?, false, rest.get(1..)),
        };
        rest = after.unwrap_or_default();
        Some((octet, escaped))
    })
}
