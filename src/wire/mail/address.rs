//! Mailboxes (RFC 5322 3.4) and the addresses of phones among them: `+447700900123/TYPE=PLMN@mms.example.net`
//! (3GPP TS 23.140 8.4.5.1).

use crate::wire::scan;

const PLMN: &[u8] = b"/TYPE=PLMN";

/// A mailbox of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox<'a> {
    /// What stands before the angle brackets, quotes around all of it removed; may be empty, or hold encoded words.
    pub display_name: &'a [u8],
    /// The address without brackets, source route and comment. It may lack a domain.
    pub address: &'a [u8],
}

/// The mailboxes of a list, those of groups included. Semicolons separate as commas do.
pub fn addresses(list: &[u8]) -> impl Iterator<Item = Mailbox<'_>> {
    let mut rest = list;
    core::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = end_of_item(rest);
            let item = rest.get(..end)?;
            rest = rest.get(end + 1..).unwrap_or_default();
            let found = mailbox(item);
            if !found.address.is_empty() {
                return Some(found);
            }
        }
        None
    })
}

/// The first mailbox of a list, From or Sender; an empty one if there is none.
#[must_use]
pub fn first(list: &[u8]) -> Mailbox<'_> {
    addresses(list).next().unwrap_or(Mailbox { display_name: b"", address: b"" })
}

/// What stands before the at sign, quotes removed; all of an address without a domain.
#[must_use]
pub fn local_part(address: &[u8]) -> &[u8] {
    let end = scan::find_last(b'@', address).unwrap_or(address.len());
    without_quotes(address.get(..end).unwrap_or_default())
}

/// What stands behind the at sign; empty if there is none.
#[must_use]
pub fn domain(address: &[u8]) -> &[u8] {
    scan::find_last(b'@', address).and_then(|at| address.get(at + 1..)).unwrap_or_default()
}

/// The phone number of an address, digits with or without a plus sign, as the peer writes it. Its local part is the number
/// and `/TYPE=PLMN` in any case, or the number alone. `None` for any other address.
#[must_use]
pub fn number(address: &[u8]) -> Option<&[u8]> {
    let local = local_part(address);
    let number = without_type(local).unwrap_or(local);
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    (!digits.is_empty() && scan::is_digits(digits)).then_some(number)
}

/// Appends the address of a phone: what of `number` is a digit or a plus sign, its type, and the domain unless that is
/// empty.
pub fn write_phone(number: &[u8], domain: &[u8], out: &mut Vec<u8>) {
    out.extend(number.iter().filter(|octet| octet.is_ascii_digit() || **octet == b'+'));
    out.extend_from_slice(PLMN);
    if !domain.is_empty() {
        out.push(b'@');
        out.extend_from_slice(domain);
    }
}

fn without_type(local: &[u8]) -> Option<&[u8]> {
    let (number, kind) = local.split_at_checked(local.len().checked_sub(PLMN.len())?)?;
    kind.eq_ignore_ascii_case(PLMN).then_some(number)
}

/// The first separator that stands in no quotes, brackets or comment.
fn end_of_item(list: &[u8]) -> usize {
    let mut inside = Inside::Nothing;
    let mut octets = list.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        inside = match (inside, octet) {
            (Inside::Nothing, b',' | b';') => return at,
            (Inside::Nothing, b'"') => Inside::Quotes,
            (Inside::Nothing, b'<') => Inside::Brackets,
            (Inside::Nothing, b'(') => Inside::Comment,
            (Inside::Quotes, b'"') | (Inside::Brackets, b'>') | (Inside::Comment, b')') => Inside::Nothing,
            (Inside::Quotes | Inside::Comment, b'\\') => {
                octets.next();
                inside
            }
            _ => inside,
        };
    }
    list.len()
}

#[derive(Clone, Copy)]
enum Inside {
    Nothing,
    Quotes,
    Brackets,
    Comment,
}

fn mailbox(item: &[u8]) -> Mailbox<'_> {
    if let Some(open) = scan::find_last(b'<', item) {
        let (name, inner) = item.split_at_checked(open).unwrap_or_default();
        let inner = inner.get(1..).unwrap_or_default();
        let address = inner.get(..scan::find(b'>', inner).unwrap_or(inner.len())).unwrap_or_default();
        let name = without_quotes(behind_group(name));
        return Mailbox { display_name: name, address: without_route(address.trim_ascii()) };
    }
    let bare = item.get(..scan::find(b'(', item).unwrap_or(item.len())).unwrap_or_default();
    Mailbox { display_name: b"", address: last_word(behind_group(bare)) }
}

/// Without the name of a group, or the scheme of a URI, in front of it.
fn behind_group(item: &[u8]) -> &[u8] {
    let item = item.trim_ascii();
    match scan::find3(b':', b'@', b'"', item) {
        Some(at) if item.get(at) == Some(&b':') => item.get(at + 1..).unwrap_or_default().trim_ascii(),
        _ => item,
    }
}

/// `<@relay,@relay:mailbox>` is `<mailbox>` (RFC 5321 4.1.1.3).
fn without_route(address: &[u8]) -> &[u8] {
    let behind = |colon: usize| address.get(colon + 1..).unwrap_or_default();
    if address.starts_with(b"@") { scan::find(b':', address).map_or(address, behind) } else { address }
}

/// Some write a name without brackets behind it; the address is the last word then.
fn last_word(bare: &[u8]) -> &[u8] {
    if bare.starts_with(b"\"") {
        return bare;
    }
    bare.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default()
}

fn without_quotes(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}
