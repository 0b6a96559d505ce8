//! Paths of MAIL and RCPT (RFC 5321 4.1.2).

use crate::limits::{SMTP_DOMAIN_BYTES_MAX, SMTP_LOCAL_PART_BYTES_MAX, SMTP_PATH_BYTES_MAX};
use crate::wire::Malformed;

/// A mailbox as it stands between angle brackets, its source route left out (RFC 5321 appendix C); or the null path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    mailbox: &'a [u8],
    /// Where the domain's `@` is; the end if there is none.
    at: usize,
}

impl<'a> Path<'a> {
    /// `<>`, whose mail must never be answered (RFC 5321 4.5.5).
    pub const NULL: Path<'static> = Path { mailbox: b"", at: 0 };

    /// Checks `local-part@domain`, or `local-part` alone, or nothing for the null path.
    ///
    /// # Errors
    /// What is no mailbox, or passes the bounds of RFC 5321 4.5.3.1.
    pub fn from_mailbox(mailbox: &'a [u8]) -> Result<Path<'a>, Malformed> {
        if mailbox.is_empty() {
            return Ok(Path::NULL);
        }
        let path = Path { mailbox, at: domain_at(mailbox) };
        if mailbox.len() + 2 > SMTP_PATH_BYTES_MAX {
            Err(Malformed::new("path", SMTP_PATH_BYTES_MAX))
        } else if !is_local_part(path.local_part()) {
            Err(Malformed::new("local-part", 0))
        } else if path.at < mailbox.len() && !is_domain_or_literal(path.domain()) {
            Err(Malformed::new("domain", path.at + 1))
        } else {
            Ok(path)
        }
    }

    /// Reads the path that `argument` begins with, and returns what follows it. Blanks before it and missing brackets are
    /// tolerated.
    ///
    /// # Errors
    /// There is none; offsets count from the begin of `argument`.
    pub fn read(argument: &'a [u8]) -> Result<(Path<'a>, &'a [u8]), Malformed> {
        let trimmed = argument.trim_ascii_start();
        let start = argument.len() - trimmed.len();
        let (mailbox, rest) = match trimmed.strip_prefix(b"<") {
            Some(inside) => bracketed(inside).ok_or(Malformed::new("path", start))?,
            None if trimmed.is_empty() => return Err(Malformed::new("path", start)),
            None => trimmed.split_at(unquoted(trimmed, b' ').unwrap_or(trimmed.len())),
        };
        Ok((Path::from_mailbox(mailbox)?, rest))
    }

    /// All of it, without brackets.
    #[must_use]
    pub const fn mailbox(&self) -> &'a [u8] {
        self.mailbox
    }

    /// Before the `@`; quotes are kept.
    #[must_use]
    pub fn local_part(&self) -> &'a [u8] {
        self.mailbox.get(..self.at).unwrap_or_default()
    }

    /// After the `@`: a name, or an address in square brackets; empty if there is none.
    #[must_use]
    pub fn domain(&self) -> &'a [u8] {
        self.mailbox.get(self.at + 1..).unwrap_or_default()
    }

    /// Whether it is `<>`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.mailbox.is_empty()
    }

    /// Appends it in angle brackets.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self.mailbox);
        out.push(b'>');
    }
}

/// Whether `name` can be said in EHLO: a domain, or an address in square brackets (RFC 5321 4.1.3).
#[must_use]
pub fn is_domain_or_literal(name: &[u8]) -> bool {
    match name.strip_prefix(b"[").map(|inside| inside.strip_suffix(b"]")) {
        Some(inside) => inside.is_some_and(|address| !address.is_empty() && address.iter().all(is_literal_octet)),
        None => is_domain(name),
    }
}

/// Labels of letters, digits and hyphens, and underscores, which are met.
fn is_domain(name: &[u8]) -> bool {
    name.len() <= SMTP_DOMAIN_BYTES_MAX && name.split(|octet| *octet == b'.').all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    let fine = label.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    fine && (1..=63).contains(&label.len()) && !label.starts_with(b"-") && !label.ends_with(b"-")
}

fn is_literal_octet(octet: &u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'[' | b']' | b'\\' | b'<' | b'>')
}

/// A quoted string, or atoms with dots wherever they are: doubled ones are met.
fn is_local_part(local: &[u8]) -> bool {
    let within = (1..=SMTP_LOCAL_PART_BYTES_MAX).contains(&local.len());
    within && (local.iter().all(is_atom_octet) || is_quoted_string(local))
}

fn is_atom_octet(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(octet)
}

/// From quote to quote, printable, with no quote inside but after a backslash.
fn is_quoted_string(local: &[u8]) -> bool {
    let printable = local.iter().all(|octet| matches!(octet, b' '..=b'~'));
    let Some(inside) = local.strip_prefix(b"\"") else { return false };
    printable && closing_quote(inside).is_some_and(|end| end + 1 == inside.len())
}

/// Where a quoted string ends whose begin was taken off.
fn closing_quote(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match inside.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Where the first `wanted` outside of quotes is.
fn unquoted(octets: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            octet if octet == wanted => return Some(at),
            b'"' => at += closing_quote(octets.get(at + 1..)?)? + 2,
            _ => at += 1,
        }
    }
}

/// Splits behind the closing bracket, and takes off a source route.
fn bracketed(inside: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = unquoted(inside, b'>')?;
    let (path, rest) = (inside.get(..end)?, inside.get(end + 1..)?);
    let mailbox = if path.starts_with(b"@") { path.get(unquoted(path, b':')? + 1..)? } else { path };
    Some((mailbox, rest))
}

fn domain_at(mailbox: &[u8]) -> usize {
    unquoted(mailbox, b'@').unwrap_or(mailbox.len())
}
