//! Reports about CPM messages that are MMs (IWF V3.0 6.3.1.1.3, 6.3.1.1.4): each becomes the notifications that were
//! requested, and is answered when the CPM side has these.

use crate::engine::Now;
use crate::interwork::mms::read_reply_to_imdn;
use crate::iwf::message::Minted;
use crate::iwf::mms::id::{self, Kind};
use crate::iwf::mms::notification::{self, Due, Told};
use crate::iwf::mms::response::Kept;
use crate::shard::Shard;
use crate::shard::event::Event;
use crate::shard::submit::ALARM_REFUSED;
use crate::shard::uac::{Ended, Purpose};
use crate::wire::cpim::imdn::Notification;
use crate::wire::mail::mm4::{DeliveryReportReq, MmStatus, ReadReplyReportReq, RequestStatus};
use crate::wire::smpp::CommandStatus;

use super::mails::{Brought, later, taken};
use super::responses::Owed;

/// A report whose notifications are on their way.
#[derive(Debug)]
pub(super) struct Telling {
    /// Whom to answer; nobody for what we found out ourselves.
    owed: Option<Owed>,
    message: u64,
    /// Notifications without outcome, and one more while the others are begun.
    open: u8,
    /// One was not taken, and may be later.
    failed: bool,
    /// Of what there is no more to tell after this.
    settled: Told,
}

/// A notification of ours: by which report, about what.
#[derive(Clone, Copy, Debug)]
pub(in crate::shard) struct About {
    telling: u64,
    message: u64,
    due: Due,
}

impl Shard {
    /// 6.3.1.1.3: an MM4_delivery_report.REQ.
    pub(super) fn take_delivery_report(&mut self, now: Now, brought: &Brought, report: &DeliveryReportReq<'_>) {
        let kept = || Kept::of_delivery_report(report, &brought.mail_from, &self.iwf.policy);
        let owed = Owed::new(brought, report.ack_request, kept);
        let Some(key) = self.reported_mm(now, report.message_id, &owed) else { return };
        self.tell_delivery(now, key, Some(owed), report);
    }

    fn tell_delivery(&mut self, now: Now, key: u64, owed: Option<Owed>, report: &DeliveryReportReq<'_>) {
        let Some(message) = self.mms.messages.get(key) else { return };
        let due: Vec<Due> = message.told.due(report.mm_status, message.requested, &self.iwf.policy).collect();
        if due.iter().any(|due| message.begun.has(*due)) {
            return self.tell_later(now, owed);
        }
        let telling = self.begin_telling(key, owed, Told::settled_by(report.mm_status, &self.iwf.policy));
        for due in due {
            self.notify(now, (telling, key), due, |shard, minted, out| {
                let Some(message) = shard.mms.messages.get(key) else { return };
                notification::write_delivery(&message.retained, report, due, &shard.iwf, minted, out);
            });
        }
        self.telling_less(now, telling, true);
    }

    /// 6.3.1.1.4: an MM4_read_reply_report.REQ.
    pub(super) fn take_read_reply(&mut self, now: Now, brought: &Brought, report: &ReadReplyReportReq<'_>) {
        let kept = || Kept::of_read_reply_report(report, &brought.mail_from, &self.iwf.policy);
        let owed = Owed::new(brought, report.ack_request, kept);
        let Some(key) = self.reported_mm(now, report.message_id, &owed) else { return };
        let Some(message) = self.mms.messages.get(key) else { return };
        let due = read_reply_to_imdn::outcome(report.read_status, message.requested, &self.iwf.policy);
        let due = due.map(|status| (Notification::Display, status)).filter(|due| !message.told.has(*due));
        if due.is_some_and(|due| message.begun.has(due)) {
            return self.tell_later(now, Some(owed));
        }
        let telling = self.begin_telling(key, Some(owed), Told { display: true, ..Told::default() });
        if let Some(due) = due {
            self.notify(now, (telling, key), due, |shard, minted, out| {
                let Some(message) = shard.mms.messages.get(key) else { return };
                notification::write_display(&message.retained, report, due, &shard.iwf, minted, out);
            });
        }
        self.telling_less(now, telling, true);
    }

    /// 6.3.1.1.2 step 6: the message was refused after its sender had been told that it was accepted.
    pub(super) fn tell_refused(&mut self, now: Now, key: u64) {
        let report = DeliveryReportReq { mm_status: MmStatus::Rejected, ..DeliveryReportReq::default() };
        self.tell_delivery(now, key, None, &report);
    }

    /// The CPM side was not available to hear it: nobody else will say it again.
    fn tell_refused_later(&mut self, now: Now, key: u64) {
        let wait = self.tell_again_wait();
        if self.mms.messages.get(key).is_some_and(|message| now.moment + wait < message.retained.until) {
            self.mms.untold += 1;
            self.arm(now.moment + wait, ALARM_REFUSED, key);
        }
    }

    /// It is time to say it again.
    pub(in crate::shard) fn tell_refused_again(&mut self, now: Now, key: u64) {
        self.mms.untold -= 1;
        self.tell_refused(now, key);
    }

    /// The CPM message that a report is about. One that is over, or was never here, is answered.
    fn reported_mm(&mut self, now: Now, message_id: &[u8], owed: &Owed) -> Option<u64> {
        self.stats.mms_reports += 1;
        let known = id::read(Kind::Message, message_id).and_then(|id| self.mm_named(id));
        if known.is_none() {
            self.stats.mm4_unmatched += 1;
            self.event(Event::MmReportUnmatched { peer: owed.peer.ip() });
            self.answer_mail(now, owed.whose, taken());
            self.send_response_mail(now, owed, RequestStatus::ErrorMessageNotFound, b"");
        }
        known
    }

    /// The same report came twice, and the first is not answered yet.
    fn tell_later(&mut self, now: Now, owed: Option<Owed>) {
        if let Some(owed) = owed {
            self.answer_mail(now, owed.whose, later(b"the same report is on its way"));
        }
    }

    fn begin_telling(&mut self, message: u64, owed: Option<Owed>, settled: Told) -> u64 {
        self.mms.telling.insert(Telling { owed, message, open: 1, failed: false, settled })
    }

    /// Sends one notification.
    fn notify(
        &mut self,
        now: Now,
        (telling, message): (u64, u64),
        due: Due,
        write: impl FnOnce(&Shard, &Minted<'_>, &mut Vec<u8>),
    ) {
        let (mut tag, mut message_id, mut call_id) = ([0; 12], [0; 24], Vec::new());
        self.random.token(&mut tag);
        self.random.token(&mut message_id);
        self.route.mint_call_id(self.settings.id, self.settings.sip.domain.as_bytes(), &mut self.random, &mut call_id);
        let minted = Minted { call_id: &call_id, tag: &tag, message_id: &message_id, ..Minted::default() };
        let mut written = Vec::new();
        write(self, &minted, &mut written);
        if let Some(telling) = self.mms.telling.get_mut(telling) {
            telling.open += 1;
        }
        if let Some(message) = self.mms.messages.get_mut(message) {
            message.begun.note(due);
        }
        self.send_written(now, Purpose::AboutMm(About { telling, message, due }), &written);
    }

    /// A notification has its outcome.
    pub(in crate::shard) fn about_mm_ended(&mut self, now: Now, about: About, ended: Ended) {
        let sent = matches!(ended, Ended::Answered(200..300));
        self.stats.imdns_sent += u64::from(sent);
        self.stats.imdns_failed += u64::from(!sent);
        if !sent {
            let call_id = self.mms.messages.get(about.message).map(|message| message.call_id).unwrap_or_default();
            self.event(Event::NotificationFailed { call_id, code: ended.code() });
        }
        let later = self.command_status_of(ended) == CommandStatus::ESME_RX_T_APPN;
        if let Some(message) = self.mms.messages.get_mut(about.message) {
            message.begun.forget(about.due);
            if !later {
                message.told.note(about.due);
            }
        }
        self.telling_less(now, about.telling, !later);
    }

    /// One reason less to wait; after the last the report is answered.
    fn telling_less(&mut self, now: Now, key: u64, told: bool) {
        let Some(telling) = self.mms.telling.get_mut(key) else { return };
        telling.failed |= !told;
        telling.open -= 1;
        if telling.open == 0
            && let Some(telling) = self.mms.telling.remove(key)
        {
            self.told_mm(now, &telling);
        }
    }

    /// Steps 4 and 5: the reply to the mail, and the response.
    fn told_mm(&mut self, now: Now, telling: &Telling) {
        match &telling.owed {
            Some(owed) if telling.failed => self.answer_mail(now, owed.whose, later(b"the CPM side is not available")),
            Some(owed) => {
                self.answer_mail(now, owed.whose, taken());
                self.send_response_mail(now, owed, RequestStatus::Ok, b"");
            }
            None if telling.failed => self.tell_refused_later(now, telling.message),
            None => {}
        }
        let Some(message) = self.mms.messages.get_mut(telling.message) else { return };
        if !telling.failed {
            message.told.settle(telling.settled);
        }
        let over = !message.told.awaits(message.requested, &self.iwf.policy);
        if over && message.begun == Told::default() && message.reply.is_none() {
            self.drop_mms(telling.message);
        }
    }
}
