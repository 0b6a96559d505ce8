//! What file-selector says of a file (RFC 5547 6).

use crate::wire::sdp::decimal;

/// The value of a file-selector: `name:"a%20b.jpg" type:image/jpeg size:4092 hash:sha-1:72:24:…`, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSelector<'a>(&'a [u8]);

impl<'a> FileSelector<'a> {
    /// Takes the value as it is.
    #[must_use]
    pub const fn new(value: &'a [u8]) -> FileSelector<'a> {
        FileSelector(value)
    }

    /// Octets of the file.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.selector(b"size:").and_then(decimal)
    }

    /// Its media type, parameters included.
    #[must_use]
    pub fn media_type(&self) -> Option<&'a [u8]> {
        self.selector(b"type:")
    }

    /// Its name without quotes, escapes (`%XX`) as received.
    #[must_use]
    pub fn name(&self) -> Option<&'a [u8]> {
        self.selector(b"name:").map(|name| name.strip_prefix(b"\"").unwrap_or(name)).map(before_quote)
    }

    fn selector(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.selectors().find_map(|part| {
            let found = part.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
            found.then(|| part.get(name.len()..)).flatten()
        })
    }

    /// The parts between spaces that are not in quotes.
    fn selectors(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut quoted = false;
        self.0.split(move |octet| {
            quoted ^= *octet == b'"';
            !quoted && *octet == b' '
        })
    }
}

fn before_quote(name: &[u8]) -> &[u8] {
    name.get(..memchr::memchr(b'"', name).unwrap_or(name.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_found_in_any_order() {
        let file = FileSelector::new(b"name:\"My size:1 picture.jpg\" type:image/jpeg size:4092 hash:sha-1:72:24:5F");
        assert_eq!(file.name(), Some(b"My size:1 picture.jpg".as_slice()));
        assert_eq!((file.media_type(), file.size()), (Some(b"image/jpeg".as_slice()), Some(4_092)));
        let file = FileSelector::new(b"SIZE:7 type:message/cpim;x=\"a b\"");
        assert_eq!((file.size(), file.name()), (Some(7), None));
        assert_eq!(file.media_type(), Some(b"message/cpim;x=\"a b\"".as_slice()));
        assert_eq!(FileSelector::new(b"").size(), None);
    }
}
