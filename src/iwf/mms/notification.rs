//! MMS Delivery Report, and MMS Read Reply, to CPM Disposition Notification (IWF V3.0 6.3.1.1.3, 6.3.1.1.4): which ones are
//! due, and the SIP MESSAGE of each.

use crate::interwork::mms::notification::{ReportNotification, ReportNotificationRecord, Reported, ReportedRecord};
use crate::interwork::mms::{delivery_report_to_imdn, read_reply_to_imdn};
use crate::interwork::sms::status_report_to_imdn::Original;
use crate::interwork::table::FieldTable;
use crate::iwf::message::Minted;
use crate::iwf::retained::Retained;
use crate::iwf::{Iwf, date_time};
use crate::policy::Policy;
use crate::wire::cpim::Dispositions;
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::mail::mm4::{DeliveryReportReq, MmStatus, ReadReplyReportReq};

/// A notification, and its status.
pub type Due = (Notification, Status);

/// What was told of a message's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its delivery, or that it failed.
    pub delivery: bool,
    /// Its interworking.
    pub interworking: bool,
    /// That it was read, or never will be.
    pub display: bool,
    /// What was last said of its being processed.
    pub processing: Option<Status>,
}

impl Told {
    /// Notes that this was told.
    pub fn note(&mut self, due: Due) {
        match due.0 {
            Notification::Delivery => self.delivery = true,
            Notification::Interworking => self.interworking = true,
            Notification::Display => self.display = true,
            Notification::Processing => self.processing = Some(due.1),
        }
    }

    /// Notes that this was not told after all.
    pub fn forget(&mut self, due: Due) {
        match due.0 {
            Notification::Delivery => self.delivery = false,
            Notification::Interworking => self.interworking = false,
            Notification::Display => self.display = false,
            Notification::Processing => self.processing = None,
        }
    }

    /// Whether this was told.
    #[must_use]
    pub fn has(&self, due: Due) -> bool {
        match due.0 {
            Notification::Delivery => self.delivery,
            Notification::Interworking => self.interworking,
            Notification::Display => self.display,
            Notification::Processing => self.processing == Some(due.1),
        }
    }

    /// What an MM Status leaves nothing more to tell of, whether anybody asked or not: what is not delivered is not read.
    #[must_use]
    pub fn settled_by(status: MmStatus, policy: &Policy) -> Told {
        let delivery = delivery_report_to_imdn::status_of(status, policy).delivery;
        let [delivered, failed] = [delivery == Some(Status::Delivered), delivery == Some(Status::Failed)];
        let over = delivered || failed;
        Told { delivery: over, interworking: over, display: failed, processing: None }
    }

    /// Notes that there is no more to tell of this.
    pub fn settle(&mut self, settled: Told) {
        self.delivery |= settled.delivery;
        self.interworking |= settled.interworking;
        self.display |= settled.display;
    }

    /// Whether a report can come that somebody wants to hear of.
    #[must_use]
    pub fn awaits(&self, requested: Dispositions, policy: &Policy) -> bool {
        let delivery = requested.positive_delivery || (requested.negative_delivery && policy.reports.negative_delivery);
        let open = (delivery && !self.delivery)
            || (requested.interworking && !self.interworking)
            || (requested.display && !self.display);
        open && policy.switches.disposition_notifications
    }

    /// What an MM Status gives that was not told before.
    pub fn due(&self, status: MmStatus, requested: Dispositions, policy: &Policy) -> impl Iterator<Item = Due> + use<> {
        let answer = delivery_report_to_imdn::outcome(status, requested, policy);
        let delivery = answer.delivery.map(|status| (Notification::Delivery, status));
        let interworking = answer.interworking.map(|status| (Notification::Interworking, status));
        let processing = answer.processing.map(|status| (Notification::Processing, status));
        let told = *self;
        [delivery, interworking, processing].into_iter().flatten().filter(move |due| !told.has(*due))
    }
}

/// Appends the MESSAGE for a delivery report; without one the message could not be delivered at all, and its own addresses
/// say who it was for.
pub fn write_delivery(
    original: &Retained,
    report: &DeliveryReportReq<'_>,
    due: Due,
    iwf: &Iwf,
    minted: &Minted<'_>,
    out: &mut Vec<u8>,
) {
    let reported = Reported {
        recipient_address: report.from,
        sender_address: report.to,
        date_unix_s: report.date_unix_s,
        ..reported(original, due, iwf, minted)
    };
    write(&reported, &delivery_report_to_imdn::TABLE_17, iwf, minted, out);
}

/// Appends the MESSAGE for a read reply.
pub fn write_display(
    original: &Retained,
    report: &ReadReplyReportReq<'_>,
    due: Due,
    iwf: &Iwf,
    minted: &Minted<'_>,
    out: &mut Vec<u8>,
) {
    let reported = Reported {
        recipient_address: report.from,
        sender_address: report.to,
        date_unix_s: report.date_unix_s,
        ..reported(original, due, iwf, minted)
    };
    write(&reported, &read_reply_to_imdn::TABLE_20, iwf, minted, out);
}

type Page = FieldTable<ReportedRecord, ReportNotificationRecord>;

fn reported<'a>(original: &'a Retained, status: Due, iwf: &'a Iwf, minted: &Minted<'a>) -> Reported<'a> {
    let get = |span| original.get(span);
    let source = Original {
        sip_to: get(original.sip_to),
        cpim_to: get(original.cpim_to),
        originator: get(original.originator),
        conversation_id: get(original.conversation_id),
        contribution_id: get(original.contribution_id),
        date_time: get(original.date_time),
        imdn_message_id: get(original.imdn_message_id),
        imdn_record_route: get(original.imdn_record_route),
        original_to: get(original.original_to),
        status,
        product: iwf.mms_user_agent.as_bytes(),
        new_message_id: minted.message_id,
        new_call_id: minted.call_id,
    };
    Reported {
        original: source,
        referred_by: get(original.referred_by),
        recipient_address: b"",
        sender_address: b"",
        date_unix_s: None,
        policy: &iwf.policy,
    }
}

fn write(reported: &Reported<'_>, page: &Page, iwf: &Iwf, minted: &Minted<'_>, out: &mut Vec<u8>) {
    let mut filled = ReportNotification::default();
    // Addresses that cannot be read are those of the original: there is nothing that cannot be converted.
    let _filled = page.fill(reported, &mut filled);
    let date = filled.date_unix_s.and_then(|unix_s| u64::try_from(unix_s).ok());
    let date = date.map(|unix_s| date_time::of_sip(unix_s.saturating_mul(1_000)));
    let date = date.as_deref().unwrap_or_default();
    super::super::notification::write_filled(&filled.notification(), &filled.parties, date, iwf, minted, out);
}
