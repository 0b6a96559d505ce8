//! How a request finds its server transaction (RFC 3261 17.2.3, 8.2.2.2).

use hashbrown::{HashMap, HashSet};

use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::wire::sip::{Message, Name};

/// A server transaction; of one that is gone it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// What a request is to the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A new one: it waits for `respond`.
    New(TransactionId),
    /// Seen before: absorbed, or answered with what was answered before.
    Retransmission,
    /// The same request by another path (RFC 3261 8.2.2.2): answered 482.
    Merged,
    /// The table is full: to be answered 503 without a transaction.
    Full,
}

/// What a request is to the transactions there are.
pub(super) enum Match<Place> {
    Again(Place),
    Merged,
    New(Keys),
}

/// By what a transaction is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    key: u64,
    merge: Option<u64>,
}

/// The places of transactions by their keys.
#[derive(Debug)]
pub(super) struct Matching<Place> {
    hash: KeyedHash,
    by_key: HashMap<u64, Place, Hashed>,
    by_merge: HashSet<u64, Hashed>,
}

impl<Place: Copy> Matching<Place> {
    pub(super) fn new(hash: KeyedHash) -> Matching<Place> {
        let by_key = HashMap::with_hasher(Hashed::default());
        Matching { hash, by_key, by_merge: HashSet::with_hasher(Hashed::default()) }
    }

    pub(super) fn find(&self, message: &Message<'_>) -> Match<Place> {
        let key = self.key_of(message);
        if let Some(&place) = self.by_key.get(&key) {
            return Match::Again(place);
        }
        let merge = self.merge_key_of(message);
        if merge.is_some_and(|merge| self.by_merge.contains(&merge)) {
            return Match::Merged;
        }
        Match::New(Keys { key, merge })
    }

    /// The INVITE that a CANCEL (RFC 3261 9.2) or an ACK means.
    pub(super) fn find_invite(&self, message: &Message<'_>) -> Option<Place> {
        self.by_key.get(&self.key(message, b"INVITE", to_tag_of)).copied()
    }

    /// The INVITE that an ACK of an RFC 2543 client may mean: its To tag is that of the response, to be compared by the
    /// caller.
    pub(super) fn find_invite_without_tag(&self, message: &Message<'_>) -> Option<Place> {
        let cookie = message.top_via().is_ok_and(|via| via.has_magic_cookie());
        if cookie { None } else { self.by_key.get(&self.key(message, b"INVITE", |_| b"")).copied() }
    }

    pub(super) fn insert(&mut self, keys: Keys, place: Place) {
        self.by_key.insert(keys.key, place);
        if let Some(merge) = keys.merge {
            self.by_merge.insert(merge);
        }
    }

    /// The transaction has moved.
    pub(super) fn moved(&mut self, keys: Keys, place: Place) {
        self.by_key.insert(keys.key, place);
    }

    pub(super) fn remove(&mut self, keys: Keys) {
        self.by_key.remove(&keys.key);
        if let Some(merge) = keys.merge {
            self.by_merge.remove(&merge);
        }
    }

    /// RFC 3261 8.2.7: the tag of a stateless response is the same for every retransmission.
    pub(super) fn stateless_tag(&self, message: &Message<'_>) -> [u8; 8] {
        self.key_of(message).to_be_bytes().map(|octet| b'a' + octet % 26)
    }

    fn key_of(&self, message: &Message<'_>) -> u64 {
        let method = message.cseq().map(|cseq| cseq.method).unwrap_or_default();
        self.key(message, method, to_tag_of)
    }

    /// RFC 3261 17.2.3: branch, sent-by and method; without the magic cookie the RFC 2543 fields.
    fn key<'a>(&self, message: &Message<'a>, method: &[u8], to_tag: fn(&Message<'a>) -> &'a [u8]) -> u64 {
        match message.top_via() {
            Ok(via) if via.has_magic_cookie() => {
                let port = via.port.unwrap_or(5060).to_be_bytes();
                self.hash.of(&[via.branch().unwrap_or_default(), via.host, &port, method])
            }
            _ => {
                let call_id = message.call_id().unwrap_or_default();
                let number = message.cseq().map(|cseq| cseq.number).unwrap_or_default().to_be_bytes();
                let from_tag = message.from().ok().and_then(|from| from.tag()).unwrap_or_default();
                let via = message.header(Name::Via).unwrap_or_default();
                self.hash.of(&[message.request_uri(), to_tag(message), from_tag, call_id, &number, method, via])
            }
        }
    }

    /// RFC 3261 8.2.2.2: From tag, Call-ID and CSeq of a request without To tag.
    fn merge_key_of(&self, message: &Message<'_>) -> Option<u64> {
        if message.to().is_ok_and(|to| to.tag().is_some()) {
            return None;
        }
        let from = message.from().ok()?;
        let cseq = message.cseq().ok()?;
        Some(self.hash.of(&[b"merge", from.tag()?, message.call_id()?, &cseq.number.to_be_bytes(), cseq.method]))
    }
}

fn to_tag_of<'a>(message: &Message<'a>) -> &'a [u8] {
    message.to().ok().and_then(|to| to.tag()).unwrap_or_default()
}
