//! Header fields (RFC 5322 2.2, 3.6): found, walked, unfolded and written.
//!
//! A field goes on over the lines that begin with white space. Lines that are no field are passed over.

use crate::limits;
use crate::wire::cpim::mime::line;
use crate::wire::{Malformed, scan};

/// Octets of a line, without its end, that a fold avoids to exceed (RFC 5322 2.1.1).
const LINE_BYTES_WANTED: usize = 76;

/// A header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Name, without white space around it.
    pub name: &'a [u8],
    /// Value without white space around it; line ends inside belong to folds ([`unfolded`]).
    pub value: &'a [u8],
    /// The whole field as it stands, without its last line end.
    pub raw: &'a [u8],
}

/// The header section and the body behind the empty line. Line ends before the first field are passed over; a mail
/// without an empty line is all header section.
///
/// # Errors
/// [`Malformed`] if the header section is larger than [`limits::MAIL_HEADER_SECTION_BYTES_MAX`].
pub fn split(mail: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let start = mail.iter().position(|octet| !matches!(octet, b'\r' | b'\n')).unwrap_or(mail.len());
    let mut at = start;
    while let Some((found, next)) = line(mail, at) {
        if found.is_empty() {
            return Ok((mail.get(start..at).unwrap_or_default(), mail.get(next..).unwrap_or_default()));
        }
        if next - start > limits::MAIL_HEADER_SECTION_BYTES_MAX {
            return Err(Malformed::new("mail header section", at));
        }
        at = next;
    }
    Ok((mail.get(start..).unwrap_or_default(), b""))
}

/// The fields of a header section in order.
pub fn fields(head: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        loop {
            let start = at;
            at = end_of_field(head, start)?;
            if let Some(field) = Field::of(head.get(start..at)?) {
                return Some(field);
            }
        }
    })
}

/// The value of the first field `name` (any case).
#[must_use]
pub fn find<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    all(head, name).next()
}

/// The values of every field `name` (any case): how often Received stands there, say.
pub fn all<'a, 'n>(head: &'a [u8], name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
    fields(head).filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// The octets of a value without its folds: a line end inside is left out, the white space behind it stays.
pub fn unfolded(value: &[u8]) -> impl Iterator<Item = u8> {
    let next = value.iter().skip(1).map(Some).chain([None]);
    let kept = value.iter().zip(next).filter(|pair| !matches!(pair, (b'\n', _) | (b'\r', Some(b'\n'))));
    kept.map(|(octet, _)| *octet)
}

/// Appends a field; nothing if `value` is empty. Line ends are left out, so that no value can begin a field of its own; other
/// controls and octets beyond ASCII become question marks. Long lines are folded at white space; a word that no line can hold is broken.
pub fn write(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    Writer::new(name, out).value(value, b' ');
}

/// Appends a field whose value is a list, which can be folded behind commas, too.
pub fn write_list(name: &[u8], list: &[u8], out: &mut Vec<u8>) {
    Writer::new(name, out).value(list, b',');
}

struct Writer<'n, 'o> {
    name: &'n [u8],
    /// Octets in the line.
    column: usize,
    out: &'o mut Vec<u8>,
}

impl<'n, 'o> Writer<'n, 'o> {
    fn new(name: &'n [u8], out: &'o mut Vec<u8>) -> Writer<'n, 'o> {
        Writer { name, column: name.len() + 2, out }
    }

    fn value(&mut self, value: &[u8], end: u8) {
        let value = value.trim_ascii();
        if value.is_empty() {
            return;
        }
        self.out.extend_from_slice(self.name);
        self.out.extend_from_slice(b": ");
        words(value, end).for_each(|word| self.word(word));
        self.out.extend_from_slice(b"\r\n");
    }

    fn word(&mut self, word: &[u8]) {
        let begins_line = self.column <= self.name.len() + 2;
        // A line of white space alone looks like the end of the header section.
        let blank = printable(word).all(is_blank);
        if !begins_line && !blank && self.column + printable(word).count() > LINE_BYTES_WANTED {
            self.fold(printable(word).next().is_some_and(is_blank));
        }
        printable(word).for_each(|octet| self.put(octet));
    }

    fn fold(&mut self, blank_follows: bool) {
        self.out.extend_from_slice(if blank_follows { b"\r\n" } else { b"\r\n " });
        self.column = usize::from(!blank_follows);
    }

    fn put(&mut self, octet: u8) {
        if self.column >= limits::MAIL_LINE_BYTES_MAX {
            self.fold(false);
        }
        self.out.push(octet);
        self.column += 1;
    }
}

/// A value as it can be written.
fn printable(value: &[u8]) -> impl Iterator<Item = u8> {
    unfolded(value).map(|octet| if matches!(octet, b'\t' | b' '..=b'~') { octet } else { b'?' })
}

const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Cut where a fold can stand: in front of white space and behind `end`.
fn words(value: &[u8], end: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    core::iter::from_fn(move || {
        let blanks = rest.iter().take_while(|octet| is_blank(**octet)).count();
        let behind = rest.get(blanks..)?;
        let length = behind.iter().position(|octet| is_blank(*octet) || *octet == end).unwrap_or(behind.len());
        let ends = usize::from(end != b' ' && behind.get(length) == Some(&end));
        let (word, after) = rest.split_at_checked(blanks + length + ends)?;
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// Where the field that starts at `start` ends: behind its last line that begins with white space.
fn end_of_field(head: &[u8], start: usize) -> Option<usize> {
    let (_, mut at) = line(head, start)?;
    while matches!(head.get(at), Some(b' ' | b'\t')) {
        (_, at) = line(head, at)?;
    }
    Some(at)
}

impl<'a> Field<'a> {
    fn of(lines: &'a [u8]) -> Option<Field<'a>> {
        let raw = lines.strip_suffix(b"\n").unwrap_or(lines);
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let colon = scan::find(b':', raw)?;
        let name = raw.get(..colon)?.trim_ascii_end();
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        is_name.then_some(Field { name, value: raw.get(colon + 1..)?.trim_ascii(), raw })
    }
}
