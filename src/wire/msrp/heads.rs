//! The heads of one connection. Those of a message's chunks differ in transact-id and Byte-Range only, and comparing is
//! cheaper than reading.

use super::reader::MSRP;
use super::{ByteRange, Head, byte_range, is_ident};
use crate::limits;
use crate::wire::Malformed;
use crate::wire::span::Span;

/// Reads heads as [`Head::read`] does, faster when one repeats another.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// A head that may be repeated, and its index.
    model: Vec<u8>,
    index: Option<Head>,
    /// Where the slash of its Byte-Range stands; what follows is the same in the next head, the total included.
    slash: usize,
}

impl Heads {
    /// Of a connection that brought nothing yet. Allocates nothing before the first chunk that is not a whole message.
    #[must_use]
    pub fn new() -> Heads {
        Heads::default()
    }

    /// Indexes the head that `stream` starts with. `None` if it has not all arrived.
    ///
    /// # Errors
    /// As [`Head::read`].
    pub fn read(&mut self, stream: &[u8]) -> Result<Option<Head>, Malformed> {
        if let Some(head) = self.repeated(stream) {
            return Ok(head);
        }
        let head = Head::read(stream)?;
        if let Some(head) = head.filter(may_be_repeated) {
            self.remember(head, stream.get(..head.len()).unwrap_or_default());
        }
        Ok(head)
    }

    fn remember(&mut self, index: Head, head: &[u8]) {
        let value = index.byte_range_value;
        self.slash = value.start() + memchr::memchr(b'/', value.of(head)).unwrap_or(0);
        self.model.clear();
        self.model.extend_from_slice(head);
        self.index = Some(index);
    }

    /// What [`Head::read`] would say, if `stream` starts as the model does, but for a transact-id of the same length and
    /// the octets of the chunk.
    fn repeated(&self, stream: &[u8]) -> Option<Option<Head>> {
        let index = self.index.as_ref()?;
        let (id, range) = (index.transaction_id, index.byte_range_value);
        let is_fixed = |from: usize, to: usize| stream.get(from..to) == self.model.get(from..to);
        let until_range = range.start().min(stream.len().max(id.end()));
        if !is_fixed(id.end(), until_range) || !stream.starts_with(MSRP) || !is_ident(id.of(stream)) {
            return None;
        }
        if until_range < range.start() {
            return Some(None);
        }
        let (start, end, rest) = byte_range::start_and_end(stream.get(range.start()..)?)?;
        let byte_range = ByteRange { start, end, ..index.byte_range? };
        let total = self.model.get(self.slash..)?;
        if rest.len() < total.len() && total.starts_with(rest) {
            return Some(None);
        }
        let is_same = rest.starts_with(total) && byte_range.is_plausible();
        is_same.then(|| Some(with_range(index, byte_range, self.slash, stream.len() - rest.len())))
    }
}

/// Whether more chunks of the message are to be expected, with heads like this one.
fn may_be_repeated(head: &Head) -> bool {
    let is_part =
        head.byte_range.is_some_and(|range| range.start != 1 || range.end.is_none() || range.end != range.total);
    is_part && head.flaw.is_none() && head.end.is_none() && head.len() <= limits::MSRP_REPEATED_HEAD_BYTES_MAX
}

/// The index of a head with this range, whose slash stands at `slash` and not at `old_slash`.
fn with_range(model: &Head, byte_range: ByteRange, old_slash: usize, slash: usize) -> Head {
    let place = |at: usize| if at < old_slash { at } else { at + slash - old_slash };
    let moved = |span: Span| Span::new(place(span.start()), place(span.end()));
    Head {
        byte_range: Some(byte_range),
        byte_range_value: moved(model.byte_range_value),
        len: u16::try_from(place(model.len())).unwrap_or(u16::MAX),
        headers: moved(model.headers),
        message_id: moved(model.message_id),
        status: moved(model.status),
        content_type: moved(model.content_type),
        ..*model
    }
}
