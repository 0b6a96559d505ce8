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
    /// That character.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Kind::Message => b'm',
            Kind::Transaction => b't',
            Kind::Notification => b'n',
        }
    }
}

/// Hexadecimal digits of the shard, of the key and of the seal.
const SHARD_DIGITS: usize = 4;
const KEY_DIGITS: usize = 14;
const SEAL_DIGITS: usize = 16;

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Who has what it is of.
    pub owner: ShardId,
    /// His key, below 2^56. An earlier run may have given it to something else.
    pub key: u64,
    /// Tells ids with the same key apart: a keyed hash, whose key is this run's.
    pub seal: u64,
}

/// Appends an id: what it is of, and what it says.
pub fn write(kind: Kind, id: Id, out: &mut Vec<u8>) {
    out.push(kind.letter());
    hex(u64::from(id.owner.0), SHARD_DIGITS, out);
    hex(id.key, KEY_DIGITS, out);
    out.push(b'-');
    hex(id.seal, SEAL_DIGITS, out);
}

/// What an id of ours says, whatever quotes are around it; `None` if it is not ours.
#[must_use]
pub fn read(kind: Kind, id: &[u8]) -> Option<Id> {
    let rest = unquoted(id).strip_prefix(&[kind.letter()])?;
    let (owner, rest) = rest.split_at_checked(SHARD_DIGITS)?;
    let (key, rest) = rest.split_at_checked(KEY_DIGITS)?;
    let seal = rest.strip_prefix(b"-")?.get(..SEAL_DIGITS)?;
    let owner = ShardId(u16::try_from(of_hex(owner)?).ok()?);
    Some(Id { owner, key: of_hex(key)?, seal: of_hex(seal)? })
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
        let ours = Id { owner: ShardId(7), key: (1 << 56) - 2, seal: 0xABCD };
        write(Kind::Message, ours, &mut id);
        assert_eq!(id, b"m0007fffffffffffffe-000000000000abcd");
        let quoted = [b"\"<", &*id, b"@gw.example.net>\""].concat();
        assert_eq!((read(Kind::Message, &id), read(Kind::Message, &quoted)), (Some(ours), Some(ours)));
        assert_eq!(read(Kind::Transaction, &id), None);
        for other in [
            b"".as_slice(),
            b"m",
            b"m0007",
            b"mzzzzfffffffffffffe-0",
            b"m0007fffffffffffffe",
            b"m0007fffffffffffffe-00ab",
        ] {
            assert_eq!(read(Kind::Message, other), None, "{}", other.escape_ascii());
        }
    }
}
