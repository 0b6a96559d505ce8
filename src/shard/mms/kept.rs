//! What of MMS outlives the process: CPM messages that are MMs now and whose reports are awaited (IWF 6.3.1.1.1 step 5), and
//! MMs that CPM users have and whose senders wait for reports (6.3.1.2.1 step 4). Peers name both by ids of the run that
//! minted them.

use crate::engine::transport::{RecordId, ShardId};
use crate::engine::{Moment, Now};
use crate::interwork::mms::imdn_to_read_reply::Asked;
use crate::iwf::mms::id::{Id, Kind};
use crate::iwf::retained::Retained;
use crate::shard::Shard;
use crate::shard::event;
use crate::shard::records::fields::{Fields, Rest};
use crate::shard::records::message::{bits_of, dispositions_of, retained_of, write_values};
use crate::shard::records::{self, moment, unix_ms};
use crate::shard::submit::{ALARM_MMS, ALARM_ORIGINAL};

use super::forward::Message;
use super::notifications::Original;

impl Shard {
    /// Records a CPM message whose sender is told now that an MMS Relay/Server has it, if reports of it are awaited.
    pub(super) fn record_mm(&mut self, now: Now, key: u64) {
        let Some(message) = self.mms.messages.get(key).filter(|_| self.settings.durable) else { return };
        if message.record.is_some() || !message.told.awaits(message.requested, &self.iwf.policy) {
            return;
        }
        let until = message.retained.until;
        let record = self.record(now, until, records::Kind::Multimedia, |shard, octets| {
            let (Some(message), mut fields) = (shard.mms.messages.get(key), Fields(octets)) else { return };
            write_id(shard.id_of_message(key, message), &mut fields);
            fields.octets(&message.call_id);
            fields.number(bits_of(message.requested));
            fields.number(unix_ms(now, message.retained.until));
            write_values(&message.retained, &mut fields);
        });
        if let Some(message) = self.mms.messages.get_mut(key) {
            message.record = Some(record);
        }
    }

    /// What a record of either kind says, if its id names something of this core.
    pub(in crate::shard) fn restore_mms(
        &mut self,
        now: Now,
        (record, kind): (RecordId, records::Kind),
        mut fields: Rest<'_>,
    ) -> Option<()> {
        let id = read_id(&mut fields)?;
        if self.owner_named(id) != self.id() {
            return Some(());
        }
        if kind == records::Kind::Multimedia {
            self.restore_multimedia(now, (record, id), fields)
        } else {
            self.restore_original(now, (record, id), fields)
        }
    }

    fn restore_multimedia(&mut self, now: Now, whose: (RecordId, Id), mut fields: Rest<'_>) -> Option<()> {
        let call_id = event::call_id(fields.octets()?);
        let requested = dispositions_of(fields.number()?);
        let until = moment(now, fields.number()?);
        let retained = Retained { until, ..retained_of(self.stored.take(), &mut fields)? };
        let key = self.mms.messages.insert(Message::restored(now, call_id, requested, retained, whose));
        self.mms.earlier_messages.insert(whose.1, key);
        let alarm = self.arm(until, ALARM_MMS, key);
        if let Some(message) = self.mms.messages.get_mut(key) {
            message.alarm = Some(alarm);
        }
        Some(())
    }

    /// Records an MM that a CPM user has, in place of what was known before.
    pub(super) fn record_original(&mut self, now: Now, key: u64) {
        let Some(original) = self.mms.originals.get(key).filter(|_| self.settings.durable) else { return };
        let (earlier, until) = (original.record, original.until);
        let record = self.record_in_place_of(earlier, now, until, records::Kind::Original, |shard, octets| {
            let (Some(original), mut fields) = (shard.mms.originals.get(key), Fields(octets)) else { return };
            write_id(original.earlier.unwrap_or(shard.id_of(Kind::Notification, key)), &mut fields);
            fields.number(unix_ms(now, original.until));
            fields.octets(&original.message_id);
            fields.octets(&original.originator);
            fields.octets(original.peer.to_string().as_bytes());
            let Asked { delivery_report, read_reply, is_reported } = original.asked;
            for asked in [delivery_report, read_reply, is_reported] {
                fields.number(u64::from(asked));
            }
        });
        if let Some(original) = self.mms.originals.get_mut(key) {
            original.record = Some(record);
        }
    }

    fn restore_original(&mut self, now: Now, (record, id): (RecordId, Id), mut fields: Rest<'_>) -> Option<()> {
        let until = moment(now, fields.number()?);
        let (message_id, originator) = (fields.octets()?.to_vec(), fields.octets()?.to_vec());
        let peer = core::str::from_utf8(fields.octets()?).ok()?.parse().ok()?;
        let mut flag = || Some(fields.number()? != 0);
        let asked = Asked { delivery_report: flag()?, read_reply: flag()?, is_reported: flag()? };
        let (record, earlier) = (Some(record), Some(id));
        let original =
            Original { message_id, originator, peer, asked, under_way: 0, alarm: None, until, record, earlier };
        let key = self.insert_original(original);
        if let Some(older) = self.mms.earlier_originals.insert(id, key) {
            // The run ended between two records of one MM.
            self.drop_original(older);
            self.mms.earlier_originals.insert(id, key);
        }
        self.arm_original(key, until);
        Some(())
    }

    pub(super) fn arm_original(&mut self, key: u64, until: Moment) {
        let alarm = self.arm(until, ALARM_ORIGINAL, key);
        if let Some(original) = self.mms.originals.get_mut(key) {
            original.alarm = Some(alarm);
        }
    }
}

fn write_id(id: Id, fields: &mut Fields<'_>) {
    for number in [u64::from(id.owner.0), id.key, id.seal] {
        fields.number(number);
    }
}

fn read_id(fields: &mut Rest<'_>) -> Option<Id> {
    Some(Id { owner: ShardId(fields.small()?), key: fields.number()?, seal: fields.number()? })
}
