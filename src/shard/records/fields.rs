//! The octets of a record: fields one after the other, octets with their length before them, numbers in eight octets, all
//! big endian. Only this gateway reads what it wrote, perhaps in a later version.

use crate::engine::transport::{RecordId, ShardId};

/// Appends fields.
#[derive(Debug)]
pub(in crate::shard) struct Fields<'a>(pub(in crate::shard) &'a mut Vec<u8>);

impl Fields<'_> {
    pub(in crate::shard) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    /// At most 4 GiB, far above what a message may have.
    pub(in crate::shard) fn octets(&mut self, octets: &[u8]) {
        let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(octets);
    }

    /// A list, closed by a mark.
    pub(in crate::shard) fn list<T>(&mut self, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        for item in items {
            self.0.push(1);
            write(self, item);
        }
        self.0.push(0);
    }

    pub(in crate::shard) fn id(&mut self, id: RecordId) {
        for number in [id.expires_s.into(), id.run.into(), id.shard.0.into(), id.number] {
            self.number(number);
        }
    }
}

/// Takes fields off, in the order they were written.
#[derive(Clone, Copy, Debug)]
pub(in crate::shard) struct Rest<'a>(pub(in crate::shard) &'a [u8]);

impl<'a> Rest<'a> {
    pub(in crate::shard) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    /// A number of a smaller type.
    pub(in crate::shard) fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    pub(in crate::shard) fn octets(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (octets, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        self.0 = rest;
        Some(octets)
    }

    pub(in crate::shard) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        loop {
            let (more, rest) = self.0.split_first()?;
            self.0 = rest;
            if *more == 0 {
                return Some(items);
            }
            items.push(read(self)?);
        }
    }

    pub(in crate::shard) fn id(&mut self) -> Option<RecordId> {
        let (expires_s, run, shard, number) = (self.small()?, self.small()?, ShardId(self.small()?), self.number()?);
        Some(RecordId { expires_s, run, shard, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_in_their_order_and_not_from_less() {
        let id = RecordId { expires_s: 7, run: 8, shard: ShardId(9), number: 10 };
        let mut octets = Vec::new();
        let mut fields = Fields(&mut octets);
        fields.number(300);
        fields.octets(b"abc");
        fields.list([4, 5].into_iter(), Fields::number);
        fields.id(id);
        let mut rest = Rest(&octets);
        assert_eq!(rest.small::<u8>(), None, "too large for it");
        assert_eq!(rest.octets(), Some(b"abc".as_slice()));
        assert_eq!((rest.list(Rest::number), rest.id()), (Some(vec![4, 5]), Some(id)));
        for len in 0..octets.len() {
            let mut cut = Rest(&octets[..len]);
            let all =
                cut.number().and_then(|_| cut.octets()).and_then(|_| cut.list(Rest::number)).and_then(|_| cut.id());
            assert_eq!(all, None, "of {len} octets");
        }
    }
}
