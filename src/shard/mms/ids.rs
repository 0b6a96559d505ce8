//! Ids that we mint for MMS. Peers name things by them hours later, and keys of an earlier run may be in use again: the seal
//! of an id, a hash whose key is this run's alone, tells whether it means what the key leads to now.

use crate::engine::transport::ShardId;
use crate::iwf::mms::id::{Id, Kind};
use crate::shard::Shard;

use super::forward::Message;

impl Shard {
    /// The id of what this core has under `key`; that of a CPM message is [`Shard::id_of_mm`].
    pub(super) fn id_of(&self, kind: Kind, key: u64) -> Id {
        let owner = self.settings.id;
        Id { owner, key, seal: self.route.hash(&[&[kind.letter()], &owner.0.to_be_bytes(), &key.to_be_bytes()]) }
    }

    /// X-Mms-Message-ID is "related to the Conversation-ID and the Contribution-ID" (IWF Tables 13 and 16).
    pub(super) fn id_of_mm(&self, key: u64, conversation_id: &[u8], contribution_id: &[u8]) -> Id {
        Id { owner: self.settings.id, key, seal: self.route.hash(&[conversation_id, b" ", contribution_id]) }
    }

    pub(super) fn id_of_message(&self, key: u64, Message { retained, .. }: &Message) -> Id {
        self.id_of_mm(key, retained.get(retained.conversation_id), retained.get(retained.contribution_id))
    }

    /// An id that leads nowhere.
    pub(super) fn id_of_nothing(&mut self) -> Id {
        Id { owner: self.settings.id, key: 0, seal: self.random.next_u64() }
    }

    /// The key of the CPM message that a Message ID names, if it is here and is that one.
    pub(super) fn mm_named(&self, id: Id) -> Option<u64> {
        let of_now = self.mms.messages.get(id.key).is_some_and(|message| self.id_of_message(id.key, message) == id);
        if of_now { Some(id.key) } else { self.mms.earlier_messages.get(&id).copied() }
    }

    /// The key of the MM that an imdn.Message-ID names, if it was here.
    pub(super) fn original_named(&self, id: Id) -> Option<u64> {
        let of_now = self.id_of(Kind::Notification, id.key) == id;
        if of_now { Some(id.key) } else { self.mms.earlier_originals.get(&id).copied() }
    }

    /// Which core has what an id names: of an earlier run there may have been more of them.
    pub(super) fn owner_named(&self, id: Id) -> ShardId {
        ShardId(id.owner.0 % self.settings.shards.max(1))
    }
}
