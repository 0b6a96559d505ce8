//! Orders as octets, one after the other in one buffer, so that a record costs no allocation on its way to the store.
//!
//! An order is the key of its record (18 octets), the length of what is to be remembered, and that. [`FORGET`] in the
//! place of the length is the order to forget.

use core::ops::Range;

use crate::engine::transport::{RecordId, ShardId};
use crate::limits;

/// Octets of a key.
const KEY_BYTES: usize = 18;

/// The name of a record in the file; in the order of the names.
pub(super) type Key = [u8; KEY_BYTES];

/// No record is as long.
const FORGET: usize = usize::MAX;

/// One order in a buffer of them.
pub(super) struct Order {
    /// The record.
    pub(super) key: Key,
    /// Where in the buffer stands what to remember; to forget if none.
    pub(super) octets: Option<Range<usize>>,
    /// Where the next order begins.
    pub(super) end: usize,
}

/// The key of a record.
pub(super) fn key(record: RecordId) -> Key {
    let [a, b, c, d] = record.expires_s.to_be_bytes();
    let [e, f, g, h] = record.run.to_be_bytes();
    let [i, j] = record.shard.0.to_be_bytes();
    let [k, l, m, n, o, p, q, r] = record.number.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r]
}

/// The record of a key.
pub(super) const fn record(key: &Key) -> RecordId {
    let [a, b, c, d, e, f, g, h, i, j, number @ ..] = *key;
    RecordId {
        expires_s: u32::from_be_bytes([a, b, c, d]),
        run: u32::from_be_bytes([e, f, g, h]),
        shard: ShardId(u16::from_be_bytes([i, j])),
        number: u64::from_be_bytes(number),
    }
}

/// Appends the order to write.
pub(super) fn write(orders: &mut Vec<u8>, record: RecordId, octets: &[u8]) {
    orders.extend_from_slice(&key(record));
    orders.extend_from_slice(&octets.len().to_ne_bytes());
    orders.extend_from_slice(octets);
}

/// Appends the order to forget.
pub(super) fn forget(orders: &mut Vec<u8>, record: RecordId) {
    orders.extend_from_slice(&key(record));
    orders.extend_from_slice(&FORGET.to_ne_bytes());
}

/// The order that begins at `begin`; none at the end.
pub(super) fn at(orders: &[u8], begin: usize) -> Option<Order> {
    let (key, rest) = orders.get(begin..)?.split_first_chunk::<KEY_BYTES>()?;
    let (length, rest) = rest.split_first_chunk::<{ size_of::<usize>() }>()?;
    let (length, start) = (usize::from_ne_bytes(*length), orders.len() - rest.len());
    let octets = (length != FORGET).then(|| start..start + length);
    let end = octets.as_ref().map_or(start, |octets| octets.end);
    Some(Order { key: *key, octets, end })
}

/// Empties a buffer, and gives back most of its memory if it has grown beyond measure.
pub(super) fn empty(orders: &mut Vec<u8>) {
    orders.clear();
    orders.shrink_to(limits::STORE_BUFFER_BYTES_MAX);
}

#[cfg(test)]
mod tests {
    use super::{at, forget, key, record, write};
    use crate::engine::transport::{RecordId, ShardId};

    const RECORD: RecordId =
        RecordId { expires_s: 0x0102_0304, run: 0x0506_0708, shard: ShardId(0x090A), number: 0x0B };

    #[test]
    fn keys_are_in_the_order_of_their_records() {
        let later = RecordId { expires_s: RECORD.expires_s + 1, run: 0, shard: ShardId(0), number: 0 };
        let other = RecordId { shard: ShardId(0x0A00), number: 0, ..RECORD };
        let next = RecordId { number: 256, ..RECORD };
        let mut records = [later, other, next, RECORD];
        records.sort();
        assert!(records.map(key).is_sorted());
        assert_eq!(records.map(|name| record(&key(name))), records);
        assert_eq!(key(RECORD), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0, 0, 11]);
    }

    #[test]
    fn orders_are_read_as_they_were_put() {
        let mut orders = Vec::new();
        write(&mut orders, RECORD, b"some");
        forget(&mut orders, RECORD);
        write(&mut orders, RECORD, b"");
        let first = at(&orders, 0).expect("an order");
        assert_eq!((first.key, first.octets.map(|place| &orders[place])), (key(RECORD), Some(&b"some"[..])));
        let second = at(&orders, first.end).expect("an order");
        assert_eq!(second.octets, None);
        let third = at(&orders, second.end).expect("an order");
        assert_eq!(third.octets, Some(orders.len()..orders.len()));
        assert!(at(&orders, third.end).is_none());
    }
}
