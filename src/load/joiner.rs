//! Short messages put together to texts again.

use core::hash::BuildHasher as _;
use std::collections::VecDeque;

use hashbrown::HashMap;

use super::remembered::Remembered;
use super::texts::{Judged, Texts};
use crate::engine::keyed_hash::Hashed;
use crate::limits::LOAD_JOINING_MAX;
use crate::wire::short_message::{Alphabet, DataCodingZero, National, UserData};
use crate::wire::smpp::{SubmitSm, Tag};

/// What a short message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A part of a text; others are missing.
    Part,
    /// A part that was there before.
    Again,
    /// The text is whole, and this is what it is. [`Joiner::ids`] has the ids of its parts.
    Whole(Judged),
}

/// Texts whose parts are not all there.
#[derive(Debug)]
pub(super) struct Joiner {
    data_coding_0: DataCodingZero,
    open: HashMap<u64, Open, Hashed>,
    /// In order of their first part, by their key and serial; some are whole by now, and their key may be another's.
    order: VecDeque<(u64, u64)>,
    serial: u64,
    /// Parts of texts that were whole.
    complete: Remembered,
    hash: Hashed,
    ids: Vec<u64>,
    text: String,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    serial: u64,
    total: u8,
    data_coding: u8,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    number: u8,
    national: National,
    octets: Vec<u8>,
    id: u64,
}

/// Reference, total, number.
type Place = (u16, u8, u8);

impl Joiner {
    pub(super) fn new(data_coding_0: DataCodingZero) -> Joiner {
        Joiner {
            data_coding_0,
            open: HashMap::with_hasher(Hashed::default()),
            order: VecDeque::new(),
            serial: 0,
            complete: Remembered::new(),
            hash: Hashed::default(),
            ids: Vec::new(),
            text: String::new(),
            scratch: Vec::new(),
        }
    }

    /// The ids of the parts of the text that was whole last.
    pub(super) fn ids(&self) -> &[u64] {
        &self.ids
    }

    /// Takes in a submit_sm or deliver_sm, which is called `id`.
    pub(super) fn hear(&mut self, pdu: &SubmitSm<'_>, id: u64, texts: &Texts) -> Heard {
        let octets = pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(pdu.short_message);
        let headed = pdu.esm_class & 0x40 != 0;
        let user_data = if headed { UserData::with_header(octets) } else { UserData::plain(octets) };
        let Ok(national) = user_data.national() else { return Heard::Whole(Judged::Unknown) };
        let in_header = user_data.concatenated.map(|part| (part.reference, part.total, part.number));
        match in_header.or_else(|| sar(pdu)).filter(|(_, total, _)| *total > 1) {
            Some(place) => self.part(pdu, place, national, user_data.text, id, texts),
            None => {
                self.ids.clear();
                self.ids.push(id);
                self.text.clear();
                let alphabet = Alphabet::of(pdu.data_coding, self.data_coding_0);
                let replaced = alphabet.decode(user_data.text, national, &mut self.text);
                Heard::Whole(self.judge(replaced, texts))
            }
        }
    }

    fn judge(&self, replaced: Option<usize>, texts: &Texts) -> Judged {
        match replaced {
            Some(_) => texts.judge(&self.text),
            None => Judged::Unknown,
        }
    }

    fn part(
        &mut self,
        pdu: &SubmitSm<'_>,
        (reference, total, number): Place,
        national: National,
        octets: &[u8],
        id: u64,
        texts: &Texts,
    ) -> Heard {
        let key = self.hash.hash_one((pdu.source_addr, pdu.destination_addr, reference, total));
        if !self.open.contains_key(&key) {
            if self.complete.has(self.hash.hash_one((key, number, octets))) {
                return Heard::Again;
            }
            self.make_room();
            self.serial += 1;
            self.order.push_back((key, self.serial));
            self.open.insert(key, Open { serial: self.serial, total, data_coding: pdu.data_coding, parts: Vec::new() });
        }
        let Some(open) = self.open.get_mut(&key) else { return Heard::Part };
        if open.parts.iter().any(|part| part.number == number) {
            return Heard::Again;
        }
        open.parts.push(Part { number, national, octets: octets.to_vec(), id });
        if open.parts.len() < usize::from(open.total) { Heard::Part } else { self.whole(key, texts) }
    }

    fn whole(&mut self, key: u64, texts: &Texts) -> Heard {
        let Some(mut open) = self.open.remove(&key) else { return Heard::Part };
        open.parts.sort_by_key(|part| part.number);
        self.ids.clear();
        for part in &open.parts {
            self.ids.push(part.id);
            self.complete.was_there(self.hash.hash_one((key, part.number, part.octets.as_slice())));
        }
        self.text.clear();
        let alphabet = Alphabet::of(open.data_coding, self.data_coding_0);
        let parts = open.parts.iter().map(|part| (part.national, part.octets.as_slice()));
        let replaced = alphabet.decode_parts(parts, &mut self.scratch, &mut self.text);
        Heard::Whole(self.judge(replaced, texts))
    }

    fn make_room(&mut self) {
        while self.order.len() >= LOAD_JOINING_MAX {
            let Some((key, serial)) = self.order.pop_front() else { return };
            if self.open.get(&key).is_some_and(|open| open.serial == serial) {
                self.open.remove(&key);
            }
        }
    }
}

fn sar(pdu: &SubmitSm<'_>) -> Option<Place> {
    let reference = pdu.tlvs.u16(Tag::SAR_MSG_REF_NUM)?;
    Some((reference, pdu.tlvs.u8(Tag::SAR_TOTAL_SEGMENTS)?, pdu.tlvs.u8(Tag::SAR_SEGMENT_SEQNUM)?))
}
