//! name-addr and addr-spec (RFC 3261 20.10, 25.1).

use super::chars::{DISPLAY_NAME, SCHEME, URI};
use super::lists::{Params, find_outside, quoted_len};
use super::trim;

/// An address header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// As written, quotes included; empty if there is none.
    pub display_name: &'a [u8],
    /// Without angle brackets. Without brackets every parameter belongs to the header, not to the URI.
    pub uri: &'a [u8],
    /// Of the header.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads `["display" | tokens] <uri> *(;param)` or `uri *(;param)`. `None` if it is neither.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<NameAddr<'a>> {
        let value = trim(value);
        match open_bracket(value) {
            Some(open) => bracketed(value, open),
            None => bare(value),
        }
    }

    /// The tag parameter (RFC 3261 19.3).
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get(b"tag").filter(|tag| !tag.is_empty())
    }
}

/// Where the '<' is that is not inside a quoted display name.
fn open_bracket(value: &[u8]) -> Option<usize> {
    find_outside(value, b'<')
}

fn bracketed(value: &[u8], open: usize) -> Option<NameAddr<'_>> {
    let display_name = trim(value.get(..open)?);
    let close = open + memchr::memchr(b'>', value.get(open..)?)?;
    let uri = value.get(open + 1..close)?;
    let after = trim(value.get(close + 1..)?);
    let params = if after.is_empty() { after } else { after.strip_prefix(b";")? };
    let fine = is_display_name(display_name) && is_uri(uri);
    fine.then_some(NameAddr { display_name, uri, params: Params(params) })
}

fn bare(value: &[u8]) -> Option<NameAddr<'_>> {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let uri = trim(value.get(..end)?);
    let params = value.get(end + 1..).unwrap_or_default();
    // RFC 3261 20.10: a URI with comma, question mark or semicolon must stand in brackets.
    let fine = is_uri(uri) && !uri.iter().any(|octet| matches!(octet, b',' | b'?'));
    fine.then_some(NameAddr { display_name: b"", uri, params: Params(params) })
}

/// A quoted string or tokens. Anything else before the bracket would be a guess.
fn is_display_name(name: &[u8]) -> bool {
    match name {
        [] => true,
        [b'"', ..] => quoted_len(name) == Some(name.len()),
        _ => DISPLAY_NAME.all(name),
    }
}

/// `scheme:rest` without white space, quotes or controls.
fn is_uri(uri: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', uri) else { return false };
    let (scheme, rest) = uri.split_at(colon);
    scheme.first().is_some_and(u8::is_ascii_alphabetic) && SCHEME.all(scheme) && rest.len() > 1 && URI.all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_brackets_parameters_belong_to_the_header() {
        let bare = NameAddr::parse(b"sip:a@b;tag=1").unwrap();
        assert_eq!((bare.uri, bare.tag()), (b"sip:a@b".as_slice(), Some(b"1".as_slice())));
        let named = NameAddr::parse(br#""a <b>; \"c" <sip:a@b;user=phone>;tag=2"#).unwrap();
        assert_eq!((named.uri, named.tag()), (b"sip:a@b;user=phone".as_slice(), Some(b"2".as_slice())));
        assert!(NameAddr::parse(b"\"Mr. J. User <sip:j@example.com>").is_none());
        assert!(NameAddr::parse(b"<sip:a b@c>").is_none());
    }
}
