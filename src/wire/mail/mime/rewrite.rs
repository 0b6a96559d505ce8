//! An entity copied for a channel, without the leaves that the recipient does not take.

use super::coding::{Coded, decoded, is_seven_bit, write_lines};
use super::{Entity, WAP_NAMES};
use crate::limits;
use crate::wire::cpim::mime::{self, Parts};
use crate::wire::mail::{encoded_word, header};
use crate::wire::scan;

/// What carries the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// SMTP without extensions: lines of at most 998 octets of ASCII, ended by CRLF. Leaves that are no such lines become
    /// quoted-printable, which is for text, or base64.
    SevenBit,
    /// SIP and MSRP: any octets. A content that is one leaf is decoded; parts of a multipart stay as they are encoded.
    Binary,
}

/// Which leaves the copy lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// None.
    Nothing,
    /// Some.
    Some,
    /// There was no leaf to be kept, and nothing was written.
    All,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten<'a> {
    /// Content-Transfer-Encoding of the copy; empty if it needs none.
    pub content_transfer_encoding: &'a [u8],
    /// What is missing.
    pub left_out: LeftOut,
}

/// Appends a copy of `entity`: the value of its Content-Type to `out_type`, its body to `out_body`. Leaves whose media type
/// `keep` refuses are left out, and multiparts of which nothing is left. Boundaries and the headers of parts stay as they
/// are, except for what the channel cannot carry; what stands before the first and behind the last boundary is left out.
pub fn rewrite<'a>(
    entity: Entity<'a>,
    keep: impl Fn(&[u8]) -> bool,
    channel: Channel,
    out_type: &mut Vec<u8>,
    out_body: &mut Vec<u8>,
) -> Rewritten<'a> {
    let mut copy = Copy { keep, channel, kept: 0, left_out: 0 };
    let content_transfer_encoding = match entity.parts() {
        Some(parts) => {
            copy.multipart(&entity, parts, 1, out_body);
            if copy.channel == Channel::SevenBit { &b"7bit"[..] } else { b"" }
        }
        None => copy.only_leaf(&entity, out_body),
    };
    if copy.kept > 0 {
        write_type(entity.content_type, channel, out_type);
    }
    Rewritten { content_transfer_encoding, left_out: copy.left_out() }
}

struct Copy<K> {
    keep: K,
    channel: Channel,
    kept: usize,
    left_out: usize,
}

impl<K: Fn(&[u8]) -> bool> Copy<K> {
    fn left_out(&self) -> LeftOut {
        match (self.kept, self.left_out) {
            (0, _) => LeftOut::All,
            (_, 0) => LeftOut::Nothing,
            _ => LeftOut::Some,
        }
    }

    /// Whether a leaf is to be written.
    fn keeps(&mut self, leaf: &Entity<'_>) -> bool {
        let kept = (self.keep)(leaf.media_type());
        *(if kept { &mut self.kept } else { &mut self.left_out }) += 1;
        kept
    }

    /// A content that is no multipart; its transfer encoding.
    fn only_leaf<'a>(&mut self, leaf: &Entity<'a>, out: &mut Vec<u8>) -> &'a [u8] {
        if !self.keeps(leaf) {
            return b"";
        }
        if self.channel == Channel::Binary {
            let octets = decoded(leaf);
            out.extend_from_slice(without_end_of_mail(leaf, &octets));
            return b"";
        }
        let coded = Coded::in_mail(leaf);
        coded.write(out);
        if !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
        coded.name(leaf)
    }

    /// The body of a multipart, unless nothing is left of it.
    fn multipart<'a>(&mut self, entity: &Entity<'a>, parts: Parts<'a>, depth: usize, out: &mut Vec<u8>) -> bool {
        let boundary = entity.boundary().unwrap_or_default();
        let mut any = false;
        for part in parts {
            let before = out.len();
            delimiter(boundary, b"", out);
            let kept = self.part(&Entity::of_part(part), depth, out);
            any |= kept;
            if !kept {
                out.truncate(before);
            }
        }
        if any {
            delimiter(boundary, b"--", out);
        }
        any
    }

    /// A part and the line end behind it, unless nothing is left of it.
    fn part(&mut self, part: &Entity<'_>, depth: usize, out: &mut Vec<u8>) -> bool {
        if let Some(parts) = part.parts().filter(|_| depth < limits::MIME_DEPTH_MAX) {
            write_head(part.head, b"", self.channel, out);
            return self.multipart(part, parts, depth + 1, out);
        }
        if !self.keeps(part) {
            return false;
        }
        if self.channel == Channel::Binary {
            write_head(part.head, part.content_transfer_encoding, self.channel, out);
            out.extend_from_slice(part.body);
        } else {
            let coded = Coded::in_part(part);
            write_head(part.head, coded.name(part), self.channel, out);
            coded.write(out);
        }
        out.extend_from_slice(b"\r\n");
        true
    }
}

/// The line end that every mail ends in is none of the text's.
fn without_end_of_mail<'o>(leaf: &Entity<'_>, octets: &'o [u8]) -> &'o [u8] {
    if scan::is(leaf.content_transfer_encoding, b"base64") {
        return octets;
    }
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    octets.strip_suffix(b"\r").unwrap_or(octets)
}

fn delimiter(boundary: &[u8], end: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"--");
    out.extend_from_slice(boundary);
    out.extend_from_slice(end);
    out.extend_from_slice(b"\r\n");
}

/// The fields of a part and the empty line behind them, with this transfer encoding; of an empty head or encoding, without.
fn write_head(head: &[u8], content_transfer_encoding: &[u8], channel: Channel, out: &mut Vec<u8>) {
    let mut named = false;
    for field in header::fields(head) {
        match () {
            () if scan::is(field.name, b"Content-Transfer-Encoding") => {
                if !named {
                    header::write(field.name, content_transfer_encoding, out);
                }
                named = true;
            }
            () if scan::is(field.name, b"Content-Type") && is_wap(field.value) => {
                let mut value = Vec::with_capacity(field.value.len());
                write_type(field.value, channel, &mut value);
                header::write(field.name, &value, out);
            }
            () => write_field(&field, channel, out),
        }
    }
    if !named && content_transfer_encoding != b"7bit" {
        header::write(b"Content-Transfer-Encoding", content_transfer_encoding, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// A field as it stands, if the channel can carry it.
fn write_field(field: &header::Field<'_>, channel: Channel, out: &mut Vec<u8>) {
    if channel == Channel::Binary || is_seven_bit(field.raw, true) {
        write_lines(field.raw, out);
        return out.extend_from_slice(b"\r\n");
    }
    let mut value = Vec::with_capacity(2 * field.value.len());
    encoded_word::encode_runs(field.value, &mut value);
    header::write(field.name, &value, out);
}

fn is_wap(content_type: &[u8]) -> bool {
    wap_name(content_type).is_some()
}

fn wap_name(content_type: &[u8]) -> Option<&'static [u8]> {
    let media_type = mime::media_type(content_type);
    WAP_NAMES.iter().find(|(wap, _)| scan::is(media_type, wap)).map(|(_, name)| *name)
}

/// A Content-Type in one line, WAP's names in MIME's; text/plain if there is none.
fn write_type(content_type: &[u8], channel: Channel, out: &mut Vec<u8>) {
    let content_type = if content_type.is_empty() { b"text/plain" } else { content_type };
    let (name, parameters) = match wap_name(content_type) {
        Some(name) => (name, content_type.get(mime::media_type(content_type).len()..).unwrap_or_default()),
        None => (&b""[..], content_type),
    };
    out.extend_from_slice(name);
    match channel {
        Channel::SevenBit => encoded_word::encode_runs(parameters, out),
        Channel::Binary => out.extend(header::unfolded(parameters)),
    }
}
