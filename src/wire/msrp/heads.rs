//! The heads of one connection. Those of a message's chunks differ in transact-id and Byte-Range only, and comparing is
//! cheaper than reading.

use core::num::NonZeroU64;

use super::reader::MSRP;
use super::{ByteRange, Head, byte_range, is_ident};
use crate::limits;
use crate::wire::Malformed;
use crate::wire::span::Span;

/// Reads heads as [`Head::read`] does, faster when one repeats another.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// The index of the head that was read last.
    index: Option<Head>,
    /// What stands in it between the transact-id and Byte-Range, if it may be repeated.
    middle: Vec<u8>,
    has_model: bool,
    /// Octets of the first two numbers of its Byte-Range.
    numbers: usize,
    /// What follows them, from the slash: the same in the next head, the total included.
    tail: Vec<u8>,
    /// How many models there were.
    models: u64,
}

/// What heads of one connection have in common that differ in transact-id and Byte-Range only: all that was made out of
/// one holds for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness(NonZeroU64);

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
    #[inline]
    pub fn read(&mut self, stream: &[u8]) -> Result<Option<&Head>, Malformed> {
        match self.repeats(stream) {
            Some(Repeats::Whole) => Ok(self.last()),
            Some(Repeats::Partly) => Ok(None),
            None => self.read_anew(stream),
        }
    }

    #[inline(never)]
    fn read_anew(&mut self, stream: &[u8]) -> Result<Option<&Head>, Malformed> {
        let Some(head) = Head::read(stream)? else { return Ok(None) };
        self.has_model = may_be_repeated(&head);
        if self.has_model {
            self.models += 1;
            self.remember(&head, stream);
        }
        self.index = Some(head);
        Ok(self.last())
    }

    /// The head that was read last.
    #[must_use]
    pub fn last(&self) -> Option<&Head> {
        self.index.as_ref()
    }

    /// What the head that was read last has in common with others, if others like it are to be expected.
    #[must_use]
    pub fn likeness(&self) -> Option<Likeness> {
        NonZeroU64::new(self.models).filter(|_| self.has_model).map(Likeness)
    }

    /// `stream` begins with the model from now on.
    fn remember(&mut self, index: &Head, stream: &[u8]) {
        let value = index.byte_range_value;
        self.numbers = memchr::memchr(b'/', value.of(stream)).unwrap_or(0);
        let slash = value.start() + self.numbers;
        for (part, from, to) in
            [(&mut self.middle, index.transaction_id.end(), value.start()), (&mut self.tail, slash, index.len())]
        {
            part.clear();
            part.reserve_exact(to - from);
            part.extend_from_slice(stream.get(from..to).unwrap_or_default());
        }
    }

    /// Whether `stream` starts as the model does, but for a transact-id of the same length and the octets of the chunk.
    /// Then the index becomes that of its head.
    #[inline]
    fn repeats(&mut self, stream: &[u8]) -> Option<Repeats> {
        let index = self.index.as_mut().filter(|_| self.has_model)?;
        let (line, rest) = stream.split_at_checked(index.transaction_id.end())?;
        if !line.starts_with(MSRP) || !is_ident(index.transaction_id.of(line)) {
            return None;
        }
        let Some(rest) = rest.strip_prefix(&*self.middle) else {
            return self.middle.starts_with(rest).then_some(Repeats::Partly);
        };
        let (start, end, after) = byte_range::start_and_end(rest)?;
        let byte_range = ByteRange { start, end, total: index.byte_range?.total };
        if !after.starts_with(&self.tail) {
            return self.tail.starts_with(after).then_some(Repeats::Partly);
        }
        if !byte_range.is_plausible() {
            return None;
        }
        index.byte_range = Some(byte_range);
        let numbers = rest.len() - after.len();
        if numbers == self.numbers { Some(Repeats::Whole) } else { self.move_slash(numbers) }
    }

    /// A head repeats the model but for where its slash stands. It becomes the model: those behind it mostly have as many
    /// digits.
    #[inline(never)]
    fn move_slash(&mut self, numbers: usize) -> Option<Repeats> {
        let index = self.index.as_ref()?;
        let start = index.byte_range_value.start();
        let head = with_slash(index, start + self.numbers, start + numbers);
        (head.len() <= limits::MSRP_REPEATED_HEAD_BYTES_MAX).then(|| {
            self.numbers = numbers;
            self.index = Some(head);
            Repeats::Whole
        })
    }
}

/// How much of a head came that repeats the model.
enum Repeats {
    Partly,
    Whole,
}

/// Whether more chunks of the message are to be expected, with heads like this one.
fn may_be_repeated(head: &Head) -> bool {
    let is_part =
        head.byte_range.is_some_and(|range| range.start != 1 || range.end.is_none() || range.end != range.total);
    is_part && head.flaw.is_none() && head.end.is_none() && head.len() <= limits::MSRP_REPEATED_HEAD_BYTES_MAX
}

/// The index of a head whose slash stands at `slash` and not at `old_slash`.
fn with_slash(model: &Head, old_slash: usize, slash: usize) -> Head {
    let place = |at: usize| if at < old_slash { at } else { at + slash - old_slash };
    let moved = |span: Span| Span::new(place(span.start()), place(span.end()));
    Head {
        byte_range_value: moved(model.byte_range_value),
        len: u16::try_from(place(model.len())).unwrap_or(u16::MAX),
        headers: moved(model.headers),
        message_id: moved(model.message_id),
        status: moved(model.status),
        content_type: moved(model.content_type),
        ..*model
    }
}
