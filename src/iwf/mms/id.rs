//! Ids that we mint for MM4 and for the CPM messages that come from it. Each names its owner, so that an answer finds it
//! from whatever core it arrives at.

use crate::engine::transport::ShardId;
use crate::wire::mail::mm4::id::unquoted;

/// What an id is of: its first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// X-Mms-Message-ID of a CPM message.
    Message,
    /// X-Mms-Transaction-ID.
    Transaction,
    /// imdn.Message-ID of an MM for a CPM user.
    Notification,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Kind::Message => b'm',
            Kind::Transaction => b't',
            Kind::Notification => b'n',
        }
    }
}

/// Hexadecimal digits of the shard and of the key.
const SHARD_DIGITS: usize = 4;
const KEY_DIGITS: usize = 14;

/// Appends an id: what it is of, its owner and his key (below 2^56), and `rest`, which makes it one of its own.
pub fn write(kind: Kind, owner: ShardId, key: u64, rest: u64, out: &mut Vec<u8>) {
    out.push(kind.letter());
    hex(u64::from(owner.0), SHARD_DIGITS, out);
    hex(key, KEY_DIGITS, out);
    out.push(b'-');
    hex(rest, 16, out);
}

/// The owner and his key in an id of ours, whatever quotes are around it; `None` if it is not ours.
#[must_use]
pub fn read(kind: Kind, id: &[u8]) -> Option<(ShardId, u64)> {
    let rest = unquoted(id).strip_prefix(&[kind.letter()])?;
    let (shard, rest) = rest.split_at_checked(SHARD_DIGITS)?;
    let (key, rest) = rest.split_at_checked(KEY_DIGITS)?;
    let shard = u16::try_from(of_hex(shard)?).ok()?;
    (rest.first() == Some(&b'-')).then_some((ShardId(shard), of_hex(key)?))
}

fn hex(value: u64, digits: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |at: usize| DIGITS[usize::try_from(value >> (4 * at) & 0xF).unwrap_or_default()];
    out.extend((0..digits).rev().map(digit));
}

fn of_hex(digits: &[u8]) -> Option<u64> {
    let digits = core::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_owner() {
        let mut id = Vec::new();
        write(Kind::Message, ShardId(7), (1 << 56) - 2, 0xABCD, &mut id);
        assert_eq!(id, b"m0007fffffffffffffe-000000000000abcd");
        let ours = Some((ShardId(7), (1 << 56) - 2));
        let quoted = [b"\"<", &*id, b"@gw.example.net>\""].concat();
        assert_eq!((read(Kind::Message, &id), read(Kind::Message, &quoted)), (ours, ours));
        assert_eq!(read(Kind::Transaction, &id), None);
        for other in [b"".as_slice(), b"m", b"m0007", b"mzzzzfffffffffffffe-0", b"m0007fffffffffffffe"] {
            assert_eq!(read(Kind::Message, other), None, "{}", other.escape_ascii());
        }
    }
}
