//! Lists of recipients: application/resource-lists+xml (RFC 4826) with who gets a copy openly (RFC 5364), as it stands in
//! a message to several (RFC 5365, RFC 5366).

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Malformed;
use crate::limits;

/// The media type.
pub const CONTENT_TYPE: &str = "application/resource-lists+xml";

/// How an entry got the message (RFC 5364 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyControl {
    /// As a recipient; also one that does not say.
    #[default]
    To,
    /// As a copy.
    Cc,
    /// As a copy that the others do not know of.
    Bcc,
}

impl CopyControl {
    const fn value(self) -> &'static str {
        match self {
            CopyControl::To => "to",
            CopyControl::Cc => "cc",
            CopyControl::Bcc => "bcc",
        }
    }
}

/// Tells every entry of a document: its URI and how it got the message. Those that are to stay anonymous (RFC 5364 5) are
/// left out.
///
/// # Errors
/// [`Malformed`] for what is no XML, more than [`limits::RESOURCE_LIST_BYTES_MAX`] octets, or a document type definition.
pub fn read(document: &[u8], mut each: impl FnMut(&str, CopyControl)) -> Result<(), Malformed> {
    if document.len() > limits::RESOURCE_LIST_BYTES_MAX {
        return Err(Malformed::new("resource list size", limits::RESOURCE_LIST_BYTES_MAX));
    }
    let text = str::from_utf8(document).map_err(|error| Malformed::new("resource list UTF-8", error.valid_up_to()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event().map_err(|_| Malformed::new("resource list XML", at))? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "entry" => entry(&tag, &mut each),
            Event::DocType(_) => return Err(Malformed::new("resource list DTD", at)),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn entry(tag: &BytesStart<'_>, each: &mut impl FnMut(&str, CopyControl)) {
    let (mut uri, mut copy_control, mut anonymous) = (None, CopyControl::To, false);
    for attribute in tag.attributes().flatten() {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
        match attribute.key.local_name().as_ref() {
            "uri" => uri = Some(value.into_owned()),
            "copyControl" if value.eq_ignore_ascii_case("cc") => copy_control = CopyControl::Cc,
            "copyControl" if value.eq_ignore_ascii_case("bcc") => copy_control = CopyControl::Bcc,
            "anonymize" => anonymous = value == "true" || value == "1",
            _ => {}
        }
    }
    if let Some(uri) = uri.filter(|uri| !anonymous && !uri.is_empty()) {
        each(&uri, copy_control);
    }
}

/// Appends a document with these entries.
pub fn write<'a>(entries: impl Iterator<Item = (&'a [u8], CopyControl)>, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" \
          xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\">\r\n<list>\r\n",
    );
    for (uri, copy_control) in entries {
        out.extend_from_slice(b"<entry uri=\"");
        attribute(uri, out);
        out.extend_from_slice(b"\" cp:copyControl=\"");
        out.extend_from_slice(copy_control.value().as_bytes());
        out.extend_from_slice(b"\"/>\r\n");
    }
    out.extend_from_slice(b"</list>\r\n</resource-lists>\r\n");
}

/// What a URI may not have in it (RFC 3986 2) is left out, so no value can end its attribute.
fn attribute(uri: &[u8], out: &mut Vec<u8>) {
    for octet in uri {
        match octet {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' | b'>' | b'"' => {}
            octet if octet.is_ascii_graphic() => out.push(*octet),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(document: &[u8]) -> Vec<(String, CopyControl)> {
        let mut found = Vec::new();
        read(document, |uri, copy_control| found.push((uri.to_owned(), copy_control))).unwrap();
        found
    }

    #[test]
    fn what_is_written_is_read() {
        let given = [
            (b"tel:+447700900123".as_slice(), CopyControl::To),
            (b"sip:a&b@example.com;user=phone", CopyControl::Cc),
            (b"tel:+447700900125", CopyControl::Bcc),
        ];
        let mut document = Vec::new();
        write(given.into_iter(), &mut document);
        let expected = given.map(|(uri, control)| (String::from_utf8(uri.to_vec()).unwrap(), control));
        assert_eq!(entries(&document), expected);
    }

    /// The forms of RFC 5365 9, with other prefixes.
    #[test]
    fn entries_of_any_prefix_are_read() {
        let document = b"<?xml version='1.0'?><rl:resource-lists xmlns:rl='urn:ietf:params:xml:ns:resource-lists' \
            xmlns:x='urn:ietf:params:xml:ns:copyControl'><rl:list><rl:entry uri='sip:bill@example.com' x:copyControl='to'/>\
            <rl:entry uri='sip:joe@example.org' x:copyControl='CC'><rl:display-name>Joe</rl:display-name></rl:entry>\
            <rl:entry uri='sip:ted@example.net'/><rl:entry uri='sip:anonymous@anonymous.invalid' x:anonymize='true' \
            x:count='2'/></rl:list></rl:resource-lists>";
        let bill = ("sip:bill@example.com".to_owned(), CopyControl::To);
        let joe = ("sip:joe@example.org".to_owned(), CopyControl::Cc);
        let ted = ("sip:ted@example.net".to_owned(), CopyControl::To);
        assert_eq!(entries(document), [bill, joe, ted]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for document in [b"<a".as_slice(), b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", b"\xFF"] {
            assert!(read(document, |_, _| {}).is_err(), "{}", document.escape_ascii());
        }
        assert!(read(&vec![b' '; limits::RESOURCE_LIST_BYTES_MAX + 1], |_, _| {}).is_err());
    }
}
