//! Parameters of MAIL and RCPT (RFC 5321 4.1.1.11).

use crate::wire::Malformed;

/// What follows a path: keywords, some with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// Checks what follows a path: nothing, or a blank and parameters. Repeated and unknown ones are kept.
    ///
    /// # Errors
    /// Something that is no parameter.
    pub fn parse(octets: &'a [u8]) -> Result<Parameters<'a>, Malformed> {
        let parameters = Parameters(octets);
        let separate = octets.first().is_none_or(|octet| *octet == b' ');
        let fine = parameters.iter().all(|(keyword, value)| is_keyword(keyword) && value.is_none_or(is_value));
        if separate && fine { Ok(parameters) } else { Err(Malformed::new("parameter", 0)) }
    }

    /// Each keyword, and its value if it has one.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.0.split(|octet| *octet == b' ').filter(|word| !word.is_empty()).map(keyword_and_value)
    }

    /// As they stand, the blank before them included.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// The octets that SIZE announces (RFC 1870 4): up to 20 digits; what does not fit in 64 bits is the largest number.
#[must_use]
pub fn size(value: &[u8]) -> Option<u64> {
    let fine = (1..=20).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    fine.then(|| {
        value.iter().fold(0_u64, |size, digit| size.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}

fn keyword_and_value(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|octet| *octet == b'=') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
        None => (word, None),
    }
}

fn is_keyword(keyword: &[u8]) -> bool {
    let fine = keyword.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    fine && keyword.first().is_some_and(u8::is_ascii_alphanumeric)
}

fn is_value(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'=')
}
