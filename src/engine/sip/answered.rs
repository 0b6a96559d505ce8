//! Final responses that may be wanted again until Timer J ends (RFC 3261 17.2.2).
//!
//! A request that comes again brings the headers that its response copies. So of a response only the rest is kept, in the
//! order of answering, which is the order in which they end: a busy shard keeps as many as it may, a million.

use std::collections::VecDeque;

use crate::engine::Moment;

use super::response::TAG_BYTES;
use super::server_matching::Keys;

/// Responses of one chunk. Chunks are what memory is taken and given back by.
const CHUNK_ANSWERS: usize = 256;
/// Chunks that are kept for reuse.
const SPARE_CHUNKS_MAX: usize = 16;

/// Where a response is, as long as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    chunk: u32,
    answer: u16,
}

/// What a response has that its request does not give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    pub(super) status_line: &'a [u8],
    pub(super) to_tag: [u8; TAG_BYTES],
    /// All that follows the copied headers.
    pub(super) rest: &'a [u8],
}

#[derive(Debug)]
struct Answer {
    keys: Keys,
    at: Moment,
    /// When its request was last heard of.
    heard: Moment,
    to_tag: [u8; TAG_BYTES],
    /// Where its octets end, which begin where those of the one before end.
    end: u32,
    status_line: u32,
}

#[derive(Debug, Default)]
struct Chunk {
    answers: Vec<Answer>,
    octets: Vec<u8>,
}

/// The responses, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Answered {
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk, and the oldest response in it.
    first: u32,
    oldest: u16,
    len: usize,
    spare: Vec<Chunk>,
}

impl Answered {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Keeps a response.
    pub(super) fn push(&mut self, now: Moment, keys: Keys, kept: Kept<'_>) -> Place {
        if self.chunks.back().is_none_or(|chunk| chunk.answers.len() == CHUNK_ANSWERS) {
            self.chunks.push_back(self.spare.pop().unwrap_or_default());
        }
        self.len += 1;
        let chunk = self.first.wrapping_add(narrow(self.chunks.len() - 1));
        let answer = self.chunks.back_mut().map_or(0, |chunk| chunk.push(now, keys, kept));
        Place { chunk, answer }
    }

    /// The response at a place.
    pub(super) fn get(&self, place: Place) -> Option<Kept<'_>> {
        self.chunks.get(self.index_of(place))?.get(place.answer.into())
    }

    /// Its request was heard of again.
    pub(super) fn hear(&mut self, now: Moment, place: Place) {
        let index = self.index_of(place);
        let chunk = self.chunks.get_mut(index);
        if let Some(answer) = chunk.and_then(|chunk| chunk.answers.get_mut(usize::from(place.answer))) {
            answer.heard = now;
        }
    }

    /// When the oldest was answered, and when its request was last heard of.
    pub(super) fn oldest(&self) -> Option<(Moment, Moment)> {
        let answer = self.chunks.front()?.answers.get(usize::from(self.oldest))?;
        Some((answer.at, answer.heard))
    }

    /// Forgets the oldest.
    pub(super) fn pop(&mut self) -> Option<Keys> {
        let chunk = self.chunks.front()?;
        let keys = chunk.answers.get(usize::from(self.oldest))?.keys;
        self.len -= 1;
        self.oldest += 1;
        if usize::from(self.oldest) == chunk.answers.len() {
            self.drop_first();
        }
        Some(keys)
    }

    /// Keeps the oldest as if it had been answered now.
    pub(super) fn renew(&mut self, now: Moment) -> Option<(Keys, Place)> {
        let kept = self.chunks.front()?.get(self.oldest.into())?;
        let (status_line, to_tag, rest) = (kept.status_line.to_vec(), kept.to_tag, kept.rest.to_vec());
        let keys = self.pop()?;
        Some((keys, self.push(now, keys, Kept { status_line: &status_line, to_tag, rest: &rest })))
    }

    fn drop_first(&mut self) {
        let Some(mut chunk) = self.chunks.pop_front() else { return };
        (self.first, self.oldest) = (self.first.wrapping_add(1), 0);
        if self.spare.len() < SPARE_CHUNKS_MAX {
            chunk.answers.clear();
            chunk.octets.clear();
            self.spare.push(chunk);
        }
    }

    fn index_of(&self, place: Place) -> usize {
        place.chunk.wrapping_sub(self.first) as usize
    }
}

impl Chunk {
    fn push(&mut self, now: Moment, keys: Keys, kept: Kept<'_>) -> u16 {
        self.octets.extend_from_slice(kept.status_line);
        self.octets.extend_from_slice(kept.rest);
        let (end, status_line) = (narrow(self.octets.len()), narrow(kept.status_line.len()));
        self.answers.push(Answer { keys, at: now, heard: now, to_tag: kept.to_tag, end, status_line });
        u16::try_from(self.answers.len() - 1).unwrap_or(u16::MAX)
    }

    fn get(&self, index: usize) -> Option<Kept<'_>> {
        let answer = self.answers.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.answers.get(before));
        let octets = self.octets.get(before.map_or(0, |before| before.end as usize)..answer.end as usize)?;
        let (status_line, rest) = octets.split_at_checked(answer.status_line as usize)?;
        Some(Kept { status_line, to_tag: answer.to_tag, rest })
    }
}

/// Of counts that are far below.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
