//! name-addr and addr-spec (RFC 3261 20.10, 25.1).

use crate::wire::scan;
use crate::wire::span::Span;

use super::chars::{DISPLAY_NAME, SCHEME, URI};
use super::lists::{self, Params, find_outside, quoted_len};
use super::{place, trim};

/// An address header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// As written, quotes included; empty if there is none.
    pub display_name: &'a [u8],
    /// Without angle brackets. Without brackets every parameter belongs to the header, not to the URI.
    pub uri: &'a [u8],
    /// Of the header.
    pub params: Params<'a>,
    tag: &'a [u8],
    is_well_formed: bool,
}

/// Where the parts of an address are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    display_name: Span,
    uri: Span,
    params: Span,
    tag: Span,
    is_well_formed: bool,
}

impl Place {
    #[inline]
    pub(super) fn of(self, bytes: &[u8]) -> NameAddr<'_> {
        NameAddr {
            display_name: self.display_name.of(bytes),
            uri: self.uri.of(bytes),
            params: Params(self.params.of(bytes)),
            tag: self.tag.of(bytes),
            is_well_formed: self.is_well_formed,
        }
    }
}

impl<'a> NameAddr<'a> {
    /// Where this is in `bytes`, from which it was read.
    pub(super) fn place(&self, bytes: &[u8]) -> Place {
        Place {
            display_name: place(bytes, self.display_name),
            uri: place(bytes, self.uri),
            params: place(bytes, self.params.0),
            tag: place(bytes, self.tag),
            is_well_formed: self.is_well_formed,
        }
    }

    /// Reads `["display" | tokens] <uri> *(;param)` or `uri *(;param)`. `None` if it is neither.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<NameAddr<'a>> {
        let value = trim(value);
        match open_bracket(value) {
            Some(open) => bracketed(value, open),
            None => bare(value),
        }
    }

    /// The same as [`NameAddr::parse`] for `<uri>` or `<uri>;tag=value`, as nearly every one is written; `None` says
    /// nothing.
    #[inline]
    pub(super) fn usual(value: &'a [u8]) -> Option<NameAddr<'a>> {
        let rest = value.strip_prefix(b"<")?;
        let (uri, rest) = rest.split_at_checked(uri_len(rest)?)?;
        let (params, tag) = match rest.strip_prefix(b">")? {
            [] => (b"".as_slice(), b"".as_slice()),
            [b';', params @ ..] => (params, params.strip_prefix(b"tag=")?),
            _ => return None,
        };
        let is_whole = lists::value(tag).1.is_empty();
        is_whole.then_some(NameAddr { display_name: b"", uri, params: Params(params), tag, is_well_formed: true })
    }

    /// The tag parameter (RFC 3261 19.3).
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        Some(self.tag).filter(|tag| !tag.is_empty())
    }

    /// Whether its parameters are what the grammar allows; see [`Params::is_well_formed`].
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.is_well_formed
    }

    fn new(display_name: &'a [u8], uri: &'a [u8], params: Params<'a>) -> NameAddr<'a> {
        let mut address = NameAddr { display_name, uri, params, tag: b"", is_well_formed: true };
        if params.is_blank() {
            return address;
        }
        let mut tag = None;
        for param in params.all() {
            address.is_well_formed &= param.is_well_formed;
            if tag.is_none() && param.is(b"tag") {
                tag = Some(param.text());
            }
        }
        address.tag = tag.unwrap_or_default();
        address
    }
}

/// Where the '<' is that is not inside a quoted display name.
fn open_bracket(value: &[u8]) -> Option<usize> {
    if value.first() == Some(&b'<') { Some(0) } else { find_outside(value, b'<') }
}

fn bracketed(value: &[u8], open: usize) -> Option<NameAddr<'_>> {
    let display_name = trim(value.get(..open)?);
    let rest = value.get(open + 1..)?;
    let (uri, rest) = rest.split_at_checked(uri_len(rest)?)?;
    let after = trim(rest.strip_prefix(b">")?);
    let params = if after.is_empty() { after } else { after.strip_prefix(b";")? };
    is_display_name(display_name).then(|| NameAddr::new(display_name, uri, Params(params)))
}

fn bare(value: &[u8]) -> Option<NameAddr<'_>> {
    let end = scan::find(b';', value).unwrap_or(value.len());
    let uri = trim(value.get(..end)?);
    let params = value.get(end + 1..).unwrap_or_default();
    // RFC 3261 20.10: a URI with comma, question mark or semicolon must stand in brackets.
    let fine = uri_len(uri) == Some(uri.len()) && scan::find2(b',', b'?', uri).is_none();
    fine.then(|| NameAddr::new(b"", uri, Params(params)))
}

/// A quoted string or tokens. Anything else before the bracket would be a guess.
fn is_display_name(name: &[u8]) -> bool {
    match name {
        [] => true,
        [b'"', ..] => quoted_len(name) == Some(name.len()),
        _ => DISPLAY_NAME.all(name),
    }
}

/// Octets of the URI that `bytes` start with: `scheme:rest` up to white space, a quote, a bracket or a control.
fn uri_len(bytes: &[u8]) -> Option<usize> {
    if let [b's', b'i', b'p', b':', rest @ ..] | [b't', b'e', b'l', b':', rest @ ..] = bytes {
        return Some(URI.run(rest)).filter(|&len| len > 0).map(|len| len + 4);
    }
    let scheme = SCHEME.run(bytes);
    let rest = bytes.get(scheme..)?;
    let len = URI.run(rest);
    let fine = bytes.first()?.is_ascii_alphabetic() && rest.starts_with(b":") && len > 1;
    fine.then_some(scheme + len)
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
