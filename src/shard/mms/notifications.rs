//! Notifications of CPM users about MMs (IWF V3.0 6.3.1.2.3, 6.3.1.2.4): each becomes the reports that the MM's sender asked
//! for, and is answered when an MMS Relay/Server has taken these.

use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;

use crate::engine::sip::TransactionId;
use crate::engine::smtp::client::Outcome;
use crate::engine::transport::{RecordId, ShardId};
use crate::engine::wheel::TimerId;
use crate::engine::{Moment, Now};
use crate::interwork::mms::envelope::Envelope;
use crate::interwork::mms::forward_req_to_pager::left_s;
use crate::interwork::mms::imdn_to_read_reply::{Asked, due};
use crate::interwork::table::NotConvertible;
use crate::iwf::body::Body;
use crate::iwf::mms::id::{self, Id, Kind};
use crate::iwf::mms::report::{self, About, Headers};
use crate::iwf::mms::unix_s;
use crate::limits;
use crate::shard::Shard;
use crate::shard::handoff::Handoff;
use crate::shard::uas::Refusal;
use crate::wire::cpim::imdn::{self, Notification, Status};
use crate::wire::cpim::mime;
use crate::wire::mail::address;
use crate::wire::mail::mm4::ForwardReq;
use crate::wire::sip::Message as SipMessage;

use super::mails::{Sent, Written};

/// An MM that a CPM user has, as long as its sender waits for reports (6.3.1.2.1 step 4).
#[derive(Debug)]
pub(super) struct Original {
    pub(super) message_id: Vec<u8>,
    pub(super) originator: Vec<u8>,
    pub(super) peer: SocketAddr,
    /// What is still to be reported; a report on its way counts as one that arrives.
    pub(super) asked: Asked,
    /// Reports on their way.
    pub(super) under_way: u8,
    pub(super) alarm: Option<TimerId>,
    /// Nobody waits any longer.
    pub(super) until: Moment,
    /// What outlives the process of it, and its imdn.Message-ID if that is an earlier run's.
    pub(super) record: Option<RecordId>,
    pub(super) earlier: Option<Id>,
}

/// A notification that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct NotificationRef {
    shard: ShardId,
    transaction: TransactionId,
}

/// A notification on its way to the owner of its MM.
#[derive(Debug)]
pub struct Notified {
    whose: NotificationRef,
    original: Id,
    headers: Headers,
    statuses: Vec<(Notification, Status)>,
}

/// A notification whose reports are on their way.
#[derive(Debug)]
pub(super) struct Waiting {
    whose: NotificationRef,
    /// Reports without outcome, and one more while the others are begun.
    open: u8,
    /// One was not taken, and may be later.
    failed: bool,
}

/// A report of ours: whose notification, about what, and which of the two it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::shard) struct Report {
    waiting: u64,
    original: u64,
    is_delivery: bool,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// An MMS Relay/Server has it, or may have it.
    Sent,
    /// None will ever take it: to send the notification again would not help.
    Refused,
    /// It was not taken, and may be later.
    Later,
}

/// How long a report may wait for a session: the client waits for 32 s (Timer F).
const WAIT: Duration = Duration::from_secs(20);

impl Shard {
    /// Whether a MESSAGE with a notification is about an MM; its owner answers it then.
    pub(in crate::shard) fn hand_notification(
        &mut self,
        transaction: TransactionId,
        message: &SipMessage<'_>,
        body: &Body<'_>,
    ) -> bool {
        let Some(document) = document(body) else { return false };
        let Some(original) = id::read(Kind::Notification, document.message_id.as_bytes()) else { return false };
        let notified = Notified {
            whose: NotificationRef { shard: self.settings.id, transaction },
            original,
            headers: Headers::of(message),
            statuses: document.notifications.iter().collect(),
        };
        self.outbox.hand(self.owner_named(original), Handoff::Notified(Box::new(notified)));
        true
    }

    /// As owner of an MM: a notification about it. One about an MM that is over, or that nobody asked for, is answered.
    pub(in crate::shard) fn take_notification(&mut self, now: Now, notified: &Notified) {
        let Notified { whose, original, headers, statuses } = notified;
        let waiting = self.mms.waiting.insert(Waiting { whose: *whose, open: 1, failed: false });
        for status in statuses {
            if let Some(original) = self.original_named(*original) {
                self.send_reports(now, (waiting, original), headers, *status);
            }
        }
        self.waiting_less(now, waiting, true);
    }

    fn send_reports(
        &mut self,
        now: Now,
        (waiting, key): (u64, u64),
        headers: &Headers,
        status: (Notification, Status),
    ) {
        let Some(original) = self.mms.originals.get(key) else { return };
        let due = due(status, original.asked, &self.iwf.policy);
        if due.delivery_report.is_some() {
            let report = Report { waiting, original: key, is_delivery: true };
            self.send_report(now, report, headers, status, report::write_delivery_report);
        }
        if due.read_reply.is_some() {
            let report = Report { waiting, original: key, is_delivery: false };
            self.send_report(now, report, headers, status, report::write_read_reply);
        }
    }

    fn send_report(
        &mut self,
        now: Now,
        report: Report,
        headers: &Headers,
        status: (Notification, Status),
        write: Write,
    ) {
        let mut transaction_id = Vec::new();
        id::write(Kind::Transaction, self.id_of_nothing(), &mut transaction_id);
        let Some(original) = self.mms.originals.get_mut(report.original) else { return };
        let system_address = self.settings.mm4.system_address();
        let about = About {
            message_id: &original.message_id,
            originator: &original.originator,
            transaction_id: &transaction_id,
            domain: address::domain(address::first(&original.originator).address),
            own_domain: self.settings.mm4.domain.as_bytes(),
            system_address: &system_address,
        };
        let mut mail = Vec::new();
        // A reporter without a number can tell an MMS Relay/Server nothing: his notification is answered all the same.
        let Ok(Envelope { mail_from, rcpt_to, .. }) = write(headers, status, &about, now, &self.iwf, &mut mail) else {
            return;
        };
        original.asked.is_reported |= report.is_delivery;
        original.asked.read_reply &= report.is_delivery;
        original.under_way += 1;
        let peer = original.peer;
        let mmsc = self.mmsc_of(&rcpt_to, peer);
        if let Some(waiting) = self.mms.waiting.get_mut(report.waiting) {
            waiting.open += 1;
        }
        let written = Written { mail_from, rcpt_to, data: Bytes::from(mail), until: now.moment + WAIT };
        if !mmsc.is_some_and(|mmsc| self.send_mail(now, mmsc, Sent::Report(report), written)) {
            self.report_over(now, report, Fate::Later);
        }
    }

    /// What became of the mail of a report. A doubt counts as success: the sender may get a report twice otherwise.
    pub(super) fn report_ended(&mut self, now: Now, report: Report, outcome: &Outcome) {
        let fate = match outcome {
            Outcome::Accepted { .. } | Outcome::Unknown(_) => Fate::Sent,
            Outcome::Refused { reply, .. } if reply.is_permanent() => Fate::Refused,
            Outcome::Refused { .. } | Outcome::NotSent(_) => Fate::Later,
        };
        self.report_over(now, report, fate);
    }

    fn report_over(&mut self, now: Now, report: Report, fate: Fate) {
        self.stats.mms_reports_sent += u64::from(fate == Fate::Sent);
        self.stats.mms_reports_failed += u64::from(fate != Fate::Sent);
        let again = fate == Fate::Later;
        if let Some(original) = self.mms.originals.get_mut(report.original) {
            original.asked.is_reported &= !again || !report.is_delivery;
            original.asked.read_reply |= again && !report.is_delivery;
            original.under_way -= 1;
            let Asked { delivery_report, read_reply, is_reported } = original.asked;
            if original.under_way == 0 && !read_reply && (is_reported || !delivery_report) {
                self.drop_original(report.original);
            } else if !again {
                self.record_original(now, report.original);
            }
        }
        self.waiting_less(now, report.waiting, !again);
    }

    /// One reason less to wait; after the last the notification is answered.
    fn waiting_less(&mut self, now: Now, key: u64, over: bool) {
        let Some(waiting) = self.mms.waiting.get_mut(key) else { return };
        waiting.failed |= !over;
        waiting.open -= 1;
        if waiting.open == 0
            && let Some(Waiting { whose, failed, .. }) = self.mms.waiting.remove(key)
        {
            self.answer_notification_of(now, whose, !failed);
        }
    }

    fn answer_notification_of(&mut self, now: Now, whose: NotificationRef, taken: bool) {
        if whose.shard == self.settings.id {
            return self.answer_notification(now, whose, taken);
        }
        self.outbox.hand(whose.shard, Handoff::NotificationAnswer { whose, taken });
    }

    /// As owner of the transaction: "SHALL respond with a SIP 200 OK", or so that the client comes again.
    pub(in crate::shard) fn answer_notification(&mut self, now: Now, whose: NotificationRef, taken: bool) {
        if taken {
            return self.acknowledge_notification(now, whose.transaction);
        }
        let refusal = Refusal::because(503, "no MMS Relay/Server took the report");
        self.refuse(now, whose.transaction, refusal);
    }

    /// Keeps what notifications need, if reports were asked for; 0 otherwise.
    pub(super) fn keep_original(&mut self, now: Now, forward: &ForwardReq<'_>, peer: SocketAddr) -> u64 {
        let ForwardReq { delivery_report, read_reply, message_id, from, .. } = *forward;
        if !delivery_report && !read_reply {
            return 0;
        }
        if self.mms.originals.len() >= limits::MMS_ORIGINALS_MAX {
            self.drop_oldest_original();
        }
        let wait_s = left_s(forward, unix_s(now));
        let wait_s = wait_s.unwrap_or(limits::MMS_REPORT_WAIT_S_MAX).min(limits::MMS_REPORT_WAIT_S_MAX);
        let until = now.moment + Duration::from_secs(u64::from(wait_s));
        let key = self.insert_original(Original {
            message_id: message_id.to_vec(),
            originator: from.to_vec(),
            peer,
            asked: Asked { delivery_report, read_reply, is_reported: false },
            under_way: 0,
            alarm: None,
            until,
            record: None,
            earlier: None,
        });
        self.arm_original(key, until);
        key
    }

    pub(super) fn insert_original(&mut self, original: Original) -> u64 {
        let key = self.mms.originals.insert(original);
        self.mms.originals_in_order.push_back(key);
        key
    }

    fn drop_oldest_original(&mut self) {
        while let Some(oldest) = self.mms.originals_in_order.pop_front() {
            if self.mms.originals.get(oldest).is_some() {
                self.stats.reports_not_kept += 1;
                return self.drop_original(oldest);
            }
        }
    }

    pub(in crate::shard) fn drop_original(&mut self, key: u64) {
        let Some(original) = self.mms.originals.remove(key) else { return };
        if let Some(alarm) = original.alarm {
            self.alarms.cancel(alarm);
        }
        if let Some(record) = original.record {
            self.forget(record);
        }
        if let Some(id) = original.earlier {
            self.mms.earlier_originals.remove(&id);
        }
        // Keys of what is gone must not pile up.
        if self.mms.originals_in_order.len() > 2 * self.mms.originals.len() + 64 {
            let originals = &self.mms.originals;
            self.mms.originals_in_order.retain(|key| originals.get(*key).is_some());
        }
    }

    /// An imdn.Message-ID that leads back to an MM; without one a mere name.
    pub(super) fn mint_message_id(&mut self, original: u64) -> Vec<u8> {
        let mut message_id = Vec::new();
        let id = if original == 0 { self.id_of_nothing() } else { self.id_of(Kind::Notification, original) };
        id::write(Kind::Notification, id, &mut message_id);
        message_id
    }
}

type Write = fn(
    &Headers,
    (Notification, Status),
    &About<'_>,
    Now,
    &crate::iwf::Iwf,
    &mut Vec<u8>,
) -> Result<Envelope, NotConvertible>;

/// The document of a notification.
fn document<'a>(body: &Body<'a>) -> Option<imdn::Document<'a>> {
    let cpim = body.cpim.as_ref()?;
    let is_imdn = mime::is_type(cpim.content_type().unwrap_or_default(), imdn::CONTENT_TYPE.as_bytes());
    is_imdn.then(|| imdn::read(cpim.content()).ok())?
}
