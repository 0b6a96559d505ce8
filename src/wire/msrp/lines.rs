//! The lines of a head (RFC 4975 9): each ends with CRLF, none is folded.

use memchr::memchr2;

use super::{Continuation, HYPHENS};
use crate::wire::Malformed;

/// The line at `start` without its CRLF, and where the next starts. `None` if it has not all arrived. A CR or LF alone
/// is refused: whoever took it for a line end would see other headers than we do.
#[inline]
pub(super) fn line(bytes: &[u8], start: usize) -> Result<Option<(&[u8], usize)>, Malformed> {
    let Some(rest) = bytes.get(start..) else { return Ok(None) };
    let Some(len) = memchr2(b'\r', b'\n', rest) else { return Ok(None) };
    match (rest.get(..len), rest.get(len), rest.get(len + 1)) {
        (Some(line), Some(b'\r'), Some(b'\n')) => Ok(Some((line, start + len + 2))),
        (_, Some(b'\r'), None) => Ok(None),
        _ => Err(Malformed::new("line end", start + len)),
    }
}

/// A header line as name, place of the value in the line, and value without the white space around it. `None` if it is
/// no header.
#[inline]
pub(super) fn field(line: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    let colon = line.iter().position(|&octet| octet == b':')?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?.trim_ascii_start());
    name.first().is_some_and(u8::is_ascii_alphabetic).then(|| (name, line.len() - value.len(), value.trim_ascii_end()))
}

/// The flag of `line` if it is the end line of the transaction.
pub(super) fn end_line(line: &[u8], transaction_id: &[u8]) -> Option<Continuation> {
    match line.strip_prefix(HYPHENS)?.strip_prefix(transaction_id)? {
        &[flag] => Continuation::from_flag(flag),
        _ => None,
    }
}
