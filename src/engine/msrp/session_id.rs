//! The session-id of our MSRP URIs (RFC 4975 6): unguessable, and it says which core owns the session.

use crate::engine::Random;
use crate::engine::transport::ShardId;
use crate::limits::SHARDS_MAX;
use crate::wire::digits::hex;

/// Hexadecimal digits of the shard's number.
const SHARD_DIGITS: usize = 2;
/// Random characters of five bits each: 80 bits, as RFC 4975 14.1 wants.
const RANDOM_CHARS: usize = 16;
/// Octets of a session-id of ours.
pub const SESSION_ID_BYTES: usize = SHARD_DIGITS + RANDOM_CHARS;

const _: () = assert!(SHARDS_MAX <= 1 << (4 * SHARD_DIGITS));

/// A new session-id for a session of `shard`.
#[must_use]
pub fn mint(shard: ShardId, random: &mut Random) -> [u8; SESSION_ID_BYTES] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut id = [0; SESSION_ID_BYTES];
    id[0] = DIGITS[usize::from(shard.0 >> 4 & 15)];
    id[1] = DIGITS[usize::from(shard.0 & 15)];
    random.token(&mut id[SHARD_DIGITS..]);
    id
}

/// The shard that minted the session-id of a To-Path's last URI. Nothing else of the URI is looked at: whether there is
/// such a session is for that shard to say. `None` if the id cannot be ours.
#[must_use]
pub fn shard_of(to_path: &[u8]) -> Option<ShardId> {
    let uri = to_path.rsplit(|octet| *octet == b' ').find(|uri| !uri.is_empty())?;
    let id = session_id(uri).filter(|id| id.len() == SESSION_ID_BYTES)?;
    let shard = u16::from(hex(*id.first()?)?) << 4 | u16::from(hex(*id.get(1)?)?);
    (usize::from(shard) < SHARDS_MAX).then_some(ShardId(shard))
}

/// The session-id of an MSRP URI: what stands between the authority and the first parameter.
#[must_use]
pub fn session_id(uri: &[u8]) -> Option<&[u8]> {
    let scheme_end = memchr::memchr(b':', uri)?;
    let authority = uri.get(scheme_end..)?.strip_prefix(b"://")?;
    let id = authority.get(memchr::memchr(b'/', authority)? + 1..)?;
    id.get(..memchr::memchr(b';', id).unwrap_or(id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_is_read_back_and_ids_differ() {
        let mut random = Random::from_seed([3; 32]);
        let mut before = [0; SESSION_ID_BYTES];
        for shard in [0, 1, 15, 16, 63].map(ShardId) {
            let id = mint(shard, &mut random);
            assert_ne!(before[SHARD_DIGITS..], id[SHARD_DIGITS..]);
            before = id;
            let uri = [b"msrp://gw.example.net:2855/".as_slice(), &id, b";tcp"].concat();
            assert_eq!(shard_of(&uri), Some(shard));
            assert_eq!(shard_of(&[b"msrp://relay:9000;tcp ".as_slice(), &uri].concat()), Some(shard));
        }
    }

    #[test]
    fn what_is_not_ours_has_no_shard() {
        for uri in [
            "",
            "msrp://h:1;tcp",
            "msrp://h:1/;tcp",
            "msrp://h:1/short;tcp",
            "msrp://h:1/zz0123456789abcdef;tcp",
            "msrp://h:1/400123456789abcdef;tcp",
            "msrp:/000123456789abcdef;tcp",
            "/000123456789abcdef",
        ] {
            assert_eq!(shard_of(uri.as_bytes()), None, "{uri}");
        }
    }
}
