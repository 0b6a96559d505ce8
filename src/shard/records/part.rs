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
const OF_USE: Duration = Duration::from_secs(48 * 3_600);

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
        fields.octets(self.smsc_name(smsc).as_bytes());
        fields.octets(pdu);
    }

    /// The CPM side has a message whose last part was `pdu`: if the SM-SC misses the answer to that, it is no new message
    /// when it comes again.
    pub(in super::super) fn record_joined(&mut self, now: Now, smsc: u16, pdu: &[u8]) {
        if pdu.is_empty() {
            return;
        }
        let timeout = Duration::from_secs(u64::from(self.iwf.policy.delivery.joining_timeout_s));
        self.record(now, now.moment + timeout, Kind::Joined, |shard, octets| shard.write_part(smsc, pdu, octets));
    }

    /// The message of these parts is over.
    pub(in super::super) fn forget_parts(&mut self, joined: &Joined) {
        for part in joined.parts() {
            if let Some(Some(record)) = self.records.parts.remove(part.ticket) {
                self.forget(record);
            }
        }
    }

    /// Nothing but what can be read, and is ours.
    pub(super) fn restore_joined(&mut self, now: Now, mut fields: Rest<'_>) {
        let (Some(name), Some(pdu)) = (fields.octets(), fields.octets()) else { return };
        let Some(smsc) = self.smsc_named(name) else { return };
        if self.owner_of_delivery(pdu) == Some(self.settings.id)
            && let Ok(arrived) = short_message::read(pdu, &self.iwf)
            && let Some(place) = arrived.part
        {
            let (key, part) = self.part_of(Common::of(smsc, &arrived), &arrived, place, 0);
            self.joining.remember(now, key, part);
        }
    }

    pub(super) fn restore_part(&mut self, now: Now, record: RecordId, mut fields: Rest<'_>) -> Option<()> {
        let (name, pdu) = (fields.octets()?, fields.octets()?);
        let smsc = self.smsc_named(name)?;
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
        if self.joining.is_complete(key) {
            return self.drop_part(ticket);
        }
        let outcome = self.joining.handle_part(now, key, part);
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

    pub(super) fn smsc_name(&self, smsc: u16) -> &str {
        self.settings.smscs.get(usize::from(smsc)).map_or("", |smsc| &smsc.name)
    }

    pub(super) fn smsc_named(&self, name: &[u8]) -> Option<u16> {
        let at = self.settings.smscs.iter().position(|smsc| smsc.name.as_bytes() == name)?;
        u16::try_from(at).ok()
    }
}
