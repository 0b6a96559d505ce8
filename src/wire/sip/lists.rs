//! Comma lists and parameters, with respect for quoted strings and angle brackets (RFC 3261 7.3.1, 25.1).

use crate::wire::scan;

use super::chars::{PARAMETER_VALUE, TOKEN, is_token};
use super::trim;

/// Where the first `wanted` octet stands outside quoted strings and angle brackets.
#[must_use]
pub fn find_outside(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + scan::find3(wanted, b'"', b'<', bytes.get(at..)?)?;
        let rest = bytes.get(found..)?;
        at = match *rest.first()? {
            octet if octet == wanted => return Some(found),
            b'"' => found + quoted_len(rest)?,
            _ => found + scan::find(b'>', rest)? + 1,
        };
    }
}

/// Octets of the quoted string that `bytes` start with, both quotes included (RFC 3261 25.1). `None` if it does not end.
#[must_use]
pub fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += scan::find2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// The values of a comma list.
#[derive(Clone, Debug)]
pub struct Values<'a>(Option<&'a [u8]>);

impl<'a> Values<'a> {
    /// The values in `list`.
    #[must_use]
    pub fn new(list: &'a [u8]) -> Values<'a> {
        Values(Some(list))
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let list = self.0.take()?;
        // Most lists have one value and no comma anywhere.
        let comma = scan::find(b',', list).and_then(|_| find_outside(list, b','));
        let Some(comma) = comma else { return Some(trim(list)) };
        self.0 = list.get(comma + 1..);
        Some(trim(list.get(..comma).unwrap_or_default()))
    }
}

/// `;name=value` parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(pub &'a [u8]);

/// One parameter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Param<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    /// Whether the name is a token, and the value a run without white space or a quoted string (RFC 3261 25.1
    /// generic-param, but for what IPv6 and UTF-8 need).
    pub(super) is_well_formed: bool,
}

impl<'a> Param<'a> {
    /// Whether this is its name.
    pub(super) fn is(&self, name: &[u8]) -> bool {
        scan::same(self.name, name) || self.name.eq_ignore_ascii_case(name)
    }

    /// The value, quotes removed; of a flag, the empty one.
    pub(super) fn text(&self) -> &'a [u8] {
        self.value.map_or(b"".as_slice(), unquote)
    }
}

impl<'a> Params<'a> {
    /// The parameters in order; a flag has the value `None`.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.all().filter(|param| !param.name.is_empty()).map(|param| (param.name, param.value))
    }

    /// Whether every semicolon has its parameter, and every parameter is what the grammar allows.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.is_blank() || self.all().all(|param| param.is_well_formed)
    }

    /// Whether there is nothing.
    pub(super) fn is_blank(&self) -> bool {
        trim(self.0).is_empty()
    }

    /// What stands between the semicolons, be it a parameter or not.
    pub(super) fn all(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = Some(self.0);
        core::iter::from_fn(move || {
            let (param, after) = first(rest.take()?);
            rest = after;
            Some(param)
        })
    }

    /// The value of a parameter, quotes removed; `Some(b"")` for a flag.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.all().find(|param| param.is(name)).map(|param| param.text())
    }

    /// Whether a parameter is there.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }
}

fn is_value(value: &[u8]) -> bool {
    match value.first() {
        Some(b'"') => quoted_len(value) == Some(value.len()),
        _ => PARAMETER_VALUE.all(value),
    }
}

/// What stands before the first semicolon, and what follows it. Nearly every parameter is a token, alone or with a value
/// that neither white space nor quotes surround.
#[inline]
fn first(bytes: &[u8]) -> (Param<'_>, Option<&[u8]>) {
    match usual(bytes) {
        Some((param, rest)) => (param, rest.get(1..)),
        None => first_with_care(bytes),
    }
}

/// The first parameter and what follows it, a semicolon or nothing, if neither white space nor quotes are there.
pub(super) fn usual(bytes: &[u8]) -> Option<(Param<'_>, &[u8])> {
    let (name, rest) = bytes.split_at_checked(TOKEN.run(bytes)).unwrap_or_default();
    let (value, rest) = match rest {
        [b'=', rest @ ..] => {
            let (value, rest) = value(rest);
            (Some(value), rest)
        }
        _ => (None, rest),
    };
    matches!(rest, [] | [b';', ..]).then_some((Param { name, value, is_well_formed: !name.is_empty() }, rest))
}

/// What a parameter may have for a value without quotes, and what follows it.
#[inline]
pub(super) fn value(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at_checked(PARAMETER_VALUE.run(bytes)).unwrap_or_default()
}

/// The same where there is white space, a quoted string or what does not belong there.
fn first_with_care(bytes: &[u8]) -> (Param<'_>, Option<&[u8]>) {
    match find_outside(bytes, b';') {
        Some(at) => (param(bytes.get(..at).unwrap_or_default()), bytes.get(at + 1..)),
        None => (param(bytes), None),
    }
}

fn param(one: &[u8]) -> Param<'_> {
    let (name, value) = match find_outside(one, b'=') {
        Some(at) => (trim(one.get(..at).unwrap_or_default()), one.get(at + 1..).map(trim)),
        None => (trim(one), None),
    };
    Param { name, value, is_well_formed: is_token(name) && value.is_none_or(is_value) }
}

/// Without the quotes of a quoted string; escapes inside stay.
#[must_use]
pub fn unquote(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let list = br#""a, \"b" <sip:x,y>, <tel:+1> , sip:z"#;
        let values: Vec<&[u8]> = Values::new(list).collect();
        assert_eq!(values, [br#""a, \"b" <sip:x,y>"#.as_slice(), b"<tel:+1>", b"sip:z"]);
    }

    #[test]
    fn parameters_in_any_case_with_flags_and_quotes() {
        let params = Params(b" ;Tag=x; lr ;q=\"a;b\"");
        assert_eq!(params.get(b"tag"), Some(b"x".as_slice()));
        assert_eq!(params.get(b"LR"), Some(b"".as_slice()));
        assert_eq!(params.get(b"q"), Some(b"a;b".as_slice()));
    }

    #[test]
    fn stray_separators_and_open_quotes_are_no_parameters() {
        for fine in ["", "a", "a;b = c", "tag=\"x;\\\"y\"", "received=2001:db8::1", "rport="] {
            assert!(Params(fine.as_bytes()).is_well_formed(), "{fine}");
        }
        for bad in [";", "a;;b", "a;", "=x", "a b", "a=b c", "a=\"b", "a=\"b\"c", "a,", "a=,"] {
            assert!(!Params(bad.as_bytes()).is_well_formed(), "{bad}");
        }
    }
}
