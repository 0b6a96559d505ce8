//! How a leaf's octets can pass a channel of seven bits and short lines.

use std::borrow::Cow;

use super::Entity;
use crate::limits;
use crate::wire::cpim::{mime, transfer};
use crate::wire::mail::{base64, quoted_printable};
use crate::wire::scan;

/// A body as it is to be written.
pub(super) enum Coded<'a> {
    /// Its lines as they are, whatever they encode.
    Lines(&'a [u8]),
    /// As quoted-printable.
    QuotedPrintable(Cow<'a, [u8]>),
    /// As base64.
    Base64(Cow<'a, [u8]>),
}

impl<'a> Coded<'a> {
    /// For a channel of seven bits, where a line end will follow.
    pub(super) fn in_mail(leaf: &Entity<'a>) -> Coded<'a> {
        // The line end would count as one of the octets.
        if leaf.is_identity() && !is_text(leaf) {
            return Coded::Base64(Cow::Borrowed(leaf.body));
        }
        Coded::in_part(leaf)
    }

    /// For a channel of seven bits, where a boundary will follow.
    pub(super) fn in_part(leaf: &Entity<'a>) -> Coded<'a> {
        let lines_may_change = is_text(leaf) || !leaf.is_identity();
        if is_seven_bit(leaf.body, lines_may_change) {
            return Coded::Lines(leaf.body);
        }
        let octets = decoded(leaf);
        if is_text(leaf) && quoted_printable::is_shorter(&octets) {
            Coded::QuotedPrintable(octets)
        } else {
            Coded::Base64(octets)
        }
    }

    /// The transfer encoding to name, if `leaf` was coded.
    pub(super) fn name(&self, leaf: &Entity<'a>) -> &'a [u8] {
        match self {
            Coded::Lines(_) if leaf.is_identity() => b"7bit",
            Coded::Lines(_) => leaf.content_transfer_encoding,
            Coded::QuotedPrintable(_) => b"quoted-printable",
            Coded::Base64(_) => b"base64",
        }
    }

    /// Appends it; the last line has no end unless it had one that says something.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Coded::Lines(lines) => write_lines(lines, out),
            Coded::QuotedPrintable(octets) => quoted_printable::encode(octets, out),
            Coded::Base64(octets) => {
                base64::encode_lines(octets, out);
                out.truncate(out.strip_suffix(b"\r\n").unwrap_or(out).len());
            }
        }
    }
}

/// A leaf's octets without their transfer encoding; as they are if nobody knows it.
pub(super) fn decoded<'a>(leaf: &Entity<'a>) -> Cow<'a, [u8]> {
    if leaf.is_identity() {
        return Cow::Borrowed(leaf.body);
    }
    let mut octets = Vec::with_capacity(leaf.body.len());
    let known = transfer::decode(Some(leaf.content_transfer_encoding), leaf.body, &mut octets);
    if known { Cow::Owned(octets) } else { Cow::Borrowed(leaf.body) }
}

/// Appends lines, each end as CRLF.
pub(super) fn write_lines(lines: &[u8], out: &mut Vec<u8>) {
    out.reserve(lines.len());
    let mut rest = lines;
    while let Some((end, next)) = scan::line(rest) {
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        out.extend_from_slice(b"\r\n");
        rest = rest.get(next..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Whether octets can stand in a mail, and if their line ends may not change, whether they are those of a mail.
pub(super) fn is_seven_bit(octets: &[u8], lines_may_change: bool) -> bool {
    let fits = |line: &[u8]| match line.split_last() {
        None => lines_may_change,
        Some((b'\r', line)) => line.len() <= limits::MAIL_LINE_BYTES_MAX && !line.contains(&b'\r'),
        Some(_) => lines_may_change && line.len() <= limits::MAIL_LINE_BYTES_MAX && !line.contains(&b'\r'),
    };
    let (lines, last) = match scan::find_last(b'\n', octets) {
        Some(at) => (octets.get(..at), octets.get(at + 1..).unwrap_or_default()),
        None => (None, octets),
    };
    let last_fits = last.len() <= limits::MAIL_LINE_BYTES_MAX && !last.contains(&b'\r');
    let ends_fit = lines.is_none_or(|lines| lines.split(|octet| *octet == b'\n').all(fits));
    octets.is_ascii() && !octets.contains(&0) && last_fits && ends_fit
}

/// Whether a leaf is text in octets that are ASCII where they can be: then CRLF and LF mean the same.
fn is_text(leaf: &Entity<'_>) -> bool {
    let media_type = leaf.media_type();
    let begins = |start: &[u8]| media_type.get(..start.len()).is_some_and(|top| top.eq_ignore_ascii_case(start));
    let ends_in_xml = media_type.last_chunk().is_some_and(|end: &[u8; 4]| end.eq_ignore_ascii_case(b"+xml"));
    (begins(b"text/") || begins(b"application/smil") || begins(b"application/xml") || ends_in_xml) && !is_wide(leaf)
}

/// UTF-16, UTF-32 and their like.
fn is_wide(leaf: &Entity<'_>) -> bool {
    let charset = mime::parameter(leaf.content_type, b"charset").unwrap_or_default();
    let begins = |start: &[u8]| charset.get(..start.len()).is_some_and(|label| label.eq_ignore_ascii_case(start));
    [&b"utf-16"[..], b"utf16", b"utf-32", b"utf32", b"ucs-", b"ucs2", b"iso-10646-ucs", b"unicode", b"csunicode"]
        .into_iter()
        .any(begins)
}
