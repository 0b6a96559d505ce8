//! MIME entities (RFC 2045, RFC 2046) in a mail or in an instant message: walked in place, and copied with what a channel
//! or a recipient does not take changed or left out.
//!
//! Read liberally: LF line ends, no final boundary, parts without headers, a transfer encoding on a multipart, WAP's names
//! for multiparts. A multipart without parts to be found is a leaf.

mod coding;
mod rewrite;

pub use rewrite::{Channel, LeftOut, Rewritten, rewrite};

use crate::limits;
use crate::wire::cpim::mime::{self, Parts, line};
use crate::wire::cpim::transfer;
use crate::wire::mail::header;
use crate::wire::scan;

/// Octets of a boundary (RFC 2046 5.1.1: 70); a longer one delimits nothing.
const BOUNDARY_BYTES_MAX: usize = 200;
/// WAP's names for multiparts (WAP-230), some of which are met on mails.
const WAP_NAMES: [(&[u8], &[u8]); 3] = [
    (b"application/vnd.wap.multipart.related", b"multipart/related"),
    (b"application/vnd.wap.multipart.mixed", b"multipart/mixed"),
    (b"application/vnd.wap.multipart.alternative", b"multipart/alternative"),
];

/// A body and what its headers say of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entity<'a> {
    /// Content-Type; empty if it is absent.
    pub content_type: &'a [u8],
    /// Content-Transfer-Encoding; empty if it is absent.
    pub content_transfer_encoding: &'a [u8],
    /// The header section of a part; empty if the headers are those of a mail or of an instant message.
    pub head: &'a [u8],
    /// The octets, encoded.
    pub body: &'a [u8],
}

impl<'a> Entity<'a> {
    /// The content of a mail or of an instant message.
    #[must_use]
    pub const fn new(content_type: &'a [u8], content_transfer_encoding: &'a [u8], body: &'a [u8]) -> Entity<'a> {
        Entity { content_type, content_transfer_encoding, head: b"", body }
    }

    /// What stands between two boundaries.
    #[must_use]
    pub fn of_part(part: &'a [u8]) -> Entity<'a> {
        let (head, body) = split_part(part);
        Entity {
            content_type: header::find(head, b"Content-Type").unwrap_or_default(),
            content_transfer_encoding: header::find(head, b"Content-Transfer-Encoding").unwrap_or_default(),
            head,
            body,
        }
    }

    /// Type and subtype, text/plain if nothing is said (RFC 2045 5.2), WAP's names in MIME's.
    #[must_use]
    pub fn media_type(&self) -> &'a [u8] {
        match mime::media_type(self.content_type) {
            b"" => b"text/plain",
            found => WAP_NAMES.iter().find(|(wap, _)| scan::is(found, wap)).map_or(found, |(_, name)| name),
        }
    }

    /// The parts of a multipart; `None` if it is none, or has no usable boundary, or its boundary is nowhere.
    #[must_use]
    pub fn parts(&self) -> Option<Parts<'a>> {
        mime::parts_of(self.body, self.boundary()?)
    }

    /// How many octets the body decodes to.
    #[must_use]
    pub fn decoded_octets(&self) -> usize {
        let is = |name| scan::is(self.content_transfer_encoding, name);
        match () {
            () if is(b"base64") => {
                let data = self.body.iter().take_while(|octet| **octet != b'=');
                data.filter(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')).count() * 3 / 4
            }
            () if is(b"quoted-printable") => self.body.len() - added_by_quoting(self.body),
            () => self.body.len(),
        }
    }

    fn boundary(&self) -> Option<&'a [u8]> {
        let is_multipart = self.media_type().get(..10).is_some_and(|top| top.eq_ignore_ascii_case(b"multipart/"));
        let boundary = is_multipart.then(|| mime::parameter(self.content_type, b"boundary"))??.trim_ascii_end();
        let is_usable = matches!(boundary.len(), 1..=BOUNDARY_BYTES_MAX) && boundary.iter().all(is_printable);
        is_usable.then_some(boundary)
    }

    /// Whether the body is there as it is.
    fn is_identity(&self) -> bool {
        self.content_transfer_encoding.is_empty() || transfer::is_identity(Some(self.content_transfer_encoding))
    }
}

/// Every entity that is no multipart, in order, through multiparts down to [`limits::MIME_DEPTH_MAX`]; deeper ones are leaves.
pub fn leaves(entity: Entity<'_>) -> impl Iterator<Item = Entity<'_>> {
    let mut first = Some(entity);
    let mut open = Open::default();
    core::iter::from_fn(move || {
        let mut entity = first.take().or_else(|| open.next_part())?;
        while let Some(parts) = entity.parts().filter(|_| open.has_room()) {
            open.push(parts);
            entity = open.next_part()?;
        }
        Some(entity)
    })
}

/// The media types of the leaves of a content.
pub fn leaf_types<'a>(content_type: &'a [u8], body: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    leaves(Entity::new(content_type, b"", body)).map(|leaf| leaf.media_type())
}

/// Octets of the leaves, decoded: what the limits of MMS relays count, about.
#[must_use]
pub fn decoded_octets(entity: Entity<'_>) -> usize {
    leaves(entity).map(|leaf| leaf.decoded_octets()).sum()
}

/// Multiparts whose parts are being walked, the outermost first.
#[derive(Default)]
struct Open<'a> {
    parts: [Option<Parts<'a>>; limits::MIME_DEPTH_MAX],
    depth: usize,
}

impl<'a> Open<'a> {
    fn has_room(&self) -> bool {
        self.depth < self.parts.len()
    }

    fn push(&mut self, parts: Parts<'a>) {
        if let Some(place) = self.parts.get_mut(self.depth) {
            *place = Some(parts);
            self.depth += 1;
        }
    }

    fn next_part(&mut self) -> Option<Entity<'a>> {
        loop {
            let innermost = self.parts.get_mut(self.depth.checked_sub(1)?)?;
            if let Some(part) = innermost.as_mut().and_then(Iterator::next) {
                return Some(Entity::of_part(part));
            }
            self.depth -= 1;
        }
    }
}

/// Header section and body; a part that does not begin with fields, or an empty line, is all body.
fn split_part(part: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some((found, next)) = line(part, at) {
        if found.is_empty() {
            return (part.get(..at).unwrap_or_default(), part.get(next..).unwrap_or_default());
        }
        let is_fold = at > 0 && matches!(found.first(), Some(b' ' | b'\t'));
        if !is_fold && header::fields(found).next().is_none() {
            return (b"", part);
        }
        at = next;
    }
    (part, b"")
}

/// What quoted-printable added: two octets to each octet it quotes, three in each soft line break.
fn added_by_quoting(body: &[u8]) -> usize {
    let mut added = 0;
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'=', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        added += match rest {
            [b'\r', b'\n', ..] => 3,
            [b'\n', ..] => 2,
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => 2,
            _ => 0,
        };
    }
    added
}

fn is_printable(octet: &u8) -> bool {
    matches!(octet, b' '..=b'~')
}
