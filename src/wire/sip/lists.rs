//! Comma lists and parameters, with respect for quoted strings and angle brackets (RFC 3261 7.3.1, 25.1).

use memchr::{memchr, memchr2, memchr3};

use super::chars::{PARAMETER_VALUE, is_token};
use super::trim;

/// Where the first `wanted` octet stands outside quoted strings and angle brackets.
#[must_use]
pub fn find_outside(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr3(wanted, b'"', b'<', bytes.get(at..)?)?;
        let rest = bytes.get(found..)?;
        at = match *rest.first()? {
            octet if octet == wanted => return Some(found),
            b'"' => found + quoted_len(rest)?,
            _ => found + memchr(b'>', rest)? + 1,
        };
    }
}

/// Octets of the quoted string that `bytes` start with, both quotes included (RFC 3261 25.1). `None` if it does not end.
#[must_use]
pub fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
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
        let Some(comma) = find_outside(list, b',') else { return Some(trim(list)) };
        self.0 = list.get(comma + 1..);
        Some(trim(list.get(..comma).unwrap_or_default()))
    }
}

/// `;name=value` parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(pub &'a [u8]);

impl<'a> Params<'a> {
    /// The parameters in order; a flag has the value `None`.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.all().filter(|(name, _)| !name.is_empty())
    }

    /// Whether every semicolon has its parameter, every name is a token, and every value a run without white space or a
    /// quoted string (RFC 3261 25.1 generic-param, but for what IPv6 and UTF-8 need).
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        trim(self.0).is_empty() || self.all().all(|(name, value)| is_token(name) && value.is_none_or(is_value))
    }

    fn all(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = Some(self.0);
        core::iter::from_fn(move || {
            let bytes = rest.take()?;
            let (one, after) = match find_outside(bytes, b';') {
                Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..)),
                None => (bytes, None),
            };
            rest = after;
            Some(pair(one))
        })
    }

    /// The value of a parameter, quotes removed; `Some(b"")` for a flag.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        let found = self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(found.1.map_or(b"".as_slice(), unquote))
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

fn pair(one: &[u8]) -> (&[u8], Option<&[u8]>) {
    match find_outside(one, b'=') {
        Some(at) => (trim(one.get(..at).unwrap_or_default()), one.get(at + 1..).map(trim)),
        None => (trim(one), None),
    }
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
