//! Which core owns what, by the rules of `isthmus::shard::route`: so that only what is meant to crosses between cores.

use isthmus::engine::transport::ShardId;
use isthmus::shard::route::Route;
use isthmus::wire::sip::peek_call_id;
use isthmus::wire::smpp::message_id::{MessageIdForm, Origin};

use crate::answer::digits;

/// The same for all cores of one gateway.
pub struct Owners(Route);

impl Owners {
    pub fn new(cores: u16, hash_key: [u64; 2]) -> Owners {
        Owners(Route::new(cores, hash_key))
    }

    pub fn of_request(&self, request: &[u8]) -> ShardId {
        self.0.of_call_id(peek_call_id(request).unwrap())
    }

    /// Of short messages between these numbers.
    pub fn of_short_messages(&self, from: &[u8], to: &[u8]) -> ShardId {
        self.0.of_hash(self.0.hash(&[from, b"/", to]))
    }

    /// Who knows which message the first SM-SC gave this message_id.
    pub fn of_message_id(&self, number: u64) -> ShardId {
        let id = MessageIdForm::Opaque.canonical(digits(number), Origin::Receipt);
        self.0.of_hash(self.0.hash(&[b"message_id", &[0, 0], &id]))
    }
}
