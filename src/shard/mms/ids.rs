//! Ids that we mint for MMS. Peers name things by them hours later, and keys of an earlier run may be in use again: the seal
//! of an id, a hash whose key is this run's alone, tells whether it means what the key leads to now.

use crate::engine::transport::ShardId;
use crate::iwf::mms::id::{self, Id, Kind};
use crate::iwf::retained::Retained;
use crate::shard::Shard;

impl Shard {
    /// An id of what this core has under `key`; a CPM message's comes from [`Shard::message_seal`].
    pub(super) fn mint_id(&self, kind: Kind, key: u64, out: &mut Vec<u8>) {
        let owner = self.settings.id;
        id::write(kind, Id { owner, key, seal: self.seal(kind, owner, key) }, out);
    }

    /// An id that leads nowhere.
    pub(super) fn mint_name(&mut self, kind: Kind, out: &mut Vec<u8>) {
        let seal = self.random.next_u64();
        id::write(kind, Id { owner: self.settings.id, key: 0, seal }, out);
    }

    pub(super) fn seal(&self, kind: Kind, owner: ShardId, key: u64) -> u64 {
        self.route.hash(&[&[kind.letter()], &owner.0.to_be_bytes(), &key.to_be_bytes()])
    }

    /// The owner and his key in an id that some core of this run minted.
    pub(super) fn minted(&self, kind: Kind, id: &[u8]) -> Option<(ShardId, u64)> {
        let Id { owner, key, seal } = id::read(kind, id)?;
        (seal == self.seal(kind, owner, key)).then_some((owner, key))
    }

    /// X-Mms-Message-ID is "related to the Conversation-ID and the Contribution-ID" (IWF Tables 13 and 16).
    pub(super) fn message_seal(&self, conversation_id: &[u8], contribution_id: &[u8]) -> u64 {
        self.route.hash(&[conversation_id, b" ", contribution_id])
    }

    /// The key of the CPM message that a Message ID names, if it is here and is that one.
    pub(super) fn mm_named(&self, id: Id) -> Option<u64> {
        self.mm_of_now(id).or_else(|| self.earlier(id).filter(|key| self.mms.messages.get(*key).is_some()))
    }

    fn mm_of_now(&self, id: Id) -> Option<u64> {
        let message = self.mms.messages.get(id.key).filter(|_| id.owner == self.settings.id)?;
        let Retained { conversation_id, contribution_id, .. } = message.retained;
        let get = |span| message.retained.get(span);
        (self.message_seal(get(conversation_id), get(contribution_id)) == id.seal).then_some(id.key)
    }

    /// The key of the MM that an imdn.Message-ID names, if it is here.
    pub(super) fn original_named(&self, id: Id) -> Option<u64> {
        let of_now = id.owner == self.settings.id && id.seal == self.seal(Kind::Notification, id.owner, id.key);
        let key = of_now.then_some(id.key).or_else(|| self.earlier(id))?;
        self.mms.originals.get(key).map(|_| key)
    }

    fn earlier(&self, id: Id) -> Option<u64> {
        self.mms.earlier.get(&id).copied()
    }
}
