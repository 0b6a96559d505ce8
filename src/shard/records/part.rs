//! Parts of a short message that were acknowledged before the others came (IWF 6.2.2.2.1 step 2).

use core::time::Duration;

use crate::engine::Now;
use crate::engine::joining::{Joined, Outcome};
use crate::engine::transport::RecordId;
use crate::iwf::short_message::{self, Arrived};
use crate::observe::Trace;

use super::super::Shard;
use super::super::deliver::{Common, Delivery};
use super::Kind;
use super::fields::{Fields, Rest};

/// How long after it came a part can still be of use: joined, it is offered to the CPM side for about a day.
const OF_USE_S: u32 = 48 * 3_600;
const OF_USE: Duration = Duration::from_secs(OF_USE_S as u64);

/// The records of the parts that a record says were delivered; they may not have been forgotten yet.
pub(super) fn ended(octets: &[u8]) -> Vec<RecordId> {
    let Some((&kind, fields)) = octets.split_first() else { return Vec::new() };
    if kind == Kind::Joined as u8 { Rest(fields).list(Rest::id).unwrap_or_default() } else { Vec::new() }
}

impl Shard {
    /// A name for the record that a part may get.
    pub(in super::super) fn part_ticket(&mut self) -> u64 {
        if self.settings.durable { self.records.parts.insert(None) } else { 0 }
    }

    /// The part is not kept.
    pub(in super::super) fn drop_ticket(&mut self, ticket: u64) {
        self.records.parts.remove(ticket);
    }

    pub(in super::super) fn record_part(&mut self, now: Now, ticket: u64, smsc: u16, pdu: &[u8]) {
        if !self.settings.durable {
            return;
        }
        let record =
            self.record(now, now.moment + OF_USE, Kind::Part, |shard, octets| shard.write_part(smsc, pdu, octets));
        if let Some(kept) = self.records.parts.get_mut(ticket) {
            *kept = Some(record);
        }
    }

    fn write_part(&self, smsc: u16, pdu: &[u8], octets: &mut Vec<u8>) {
        let mut fields = Fields(octets);
        fields.octets(self.smsc_identity(smsc));
        fields.octets(pdu);
    }

    /// The CPM side has a message whose last part was `pdu`: if the SM-SC misses the answer to that, it is no new message
    /// when it comes again.
    pub(in super::super) fn record_joined(&mut self, now: Now, smsc: u16, pdu: &[u8], joined: &Joined) {
        if pdu.is_empty() {
            return;
        }
        let timeout = Duration::from_secs(u64::from(self.iwf.policy.delivery.joining_timeout_s));
        self.record(now, now.moment + timeout, Kind::Joined, |shard, octets| {
            let ended = joined.parts().filter_map(|part| shard.records.parts.get(part.ticket).copied().flatten());
            Fields(octets).list(ended, Fields::id);
            shard.write_part(smsc, pdu, octets);
        });
    }

    /// The message of these parts is over.
    pub(in super::super) fn forget_parts(&mut self, joined: &Joined) {
        for part in joined.parts() {
            if let Some(Some(record)) = self.records.parts.remove(part.ticket) {
                self.forget(record);
            }
        }
    }

    /// That a message was delivered, if it can be read and was ours.
    pub(super) fn restore_joined(&mut self, now: Now, mut fields: Rest<'_>) {
        let _ended = fields.list(Rest::id);
        let (Some(identity), Some(pdu)) = (fields.octets(), fields.octets()) else { return };
        let Some(smsc) = self.smsc_known(identity) else { return };
        if self.owner_of_delivery(pdu) == Some(self.settings.id)
            && let Ok(arrived) = short_message::read(pdu, &self.iwf)
            && let Some(place) = arrived.part
        {
            let (key, part) = self.part_of(Common::of(smsc, &arrived), &arrived, place, 0);
            self.joining.remember(now, key, part);
        }
    }

    pub(super) fn restore_part(&mut self, now: Now, record: RecordId, mut fields: Rest<'_>) -> Option<()> {
        let (identity, pdu) = (fields.octets()?, fields.octets()?);
        let smsc = self.smsc_known(identity)?;
        if self.owner_of_delivery(pdu)? != self.settings.id {
            return Some(());
        }
        let arrived = short_message::read(pdu, &self.iwf).ok()?;
        self.join_again(now, record, Common::of(smsc, &arrived), &arrived)
    }

    fn join_again(&mut self, now: Now, record: RecordId, common: Common, arrived: &Arrived<'_>) -> Option<()> {
        let place = arrived.part?;
        let ticket = self.records.parts.insert(Some(record));
        let (key, part) = self.part_of(common, arrived, place, ticket);
        let arrived_s = record.expires_s.saturating_sub(OF_USE_S);
        let first_s = *self.records.first_parts.entry(key).or_insert(arrived_s);
        if arrived_s > first_s.saturating_add(self.iwf.policy.delivery.joining_timeout_s) {
            // The reference was used again: the message before this one was to end as it was.
            self.joining.end_set(key);
            self.records.first_parts.insert(key, arrived_s);
        }
        let outcome = self.joining.handle_kept_part(now, key, part);
        // A set that this part ended has its head under the same key as the one it began.
        self.expire_joins(now);
        match outcome {
            Outcome::Stored => {
                self.joining_heads.insert(key, common);
            }
            // Every part was acknowledged: nobody will repeat one, and we deliver it.
            Outcome::Complete(joined) => {
                self.joining_heads.remove(&key);
                self.joined_open.insert(key);
                self.pass_on(now, Delivery::of_parts(now, common, joined, Trace::default()));
            }
            Outcome::Duplicate => return self.drop_part(ticket),
            Outcome::Single | Outcome::Unusable | Outcome::Full => return None,
        }
        Some(())
    }

    /// The part is on record twice, or its message is over.
    fn drop_part(&mut self, ticket: u64) -> Option<()> {
        let record = self.records.parts.remove(ticket)??;
        self.forget(record);
        Some(())
    }

    pub(super) fn smsc_identity(&self, smsc: u16) -> &[u8] {
        self.records.identities.get(usize::from(smsc)).map_or(b"", |identity| identity.as_bytes())
    }

    pub(super) fn smsc_known(&self, identity: &[u8]) -> Option<u16> {
        let at = self.records.identities.iter().position(|known| known.as_bytes() == identity)?;
        u16::try_from(at).ok()
    }
}
