//! A CPM Delivery Notification that an MM4 report becomes: the records of Tables 17 and 20.

use crate::interwork::sms::parties::Parties;
use crate::interwork::sms::status_report_to_imdn::{DeliveryNotification, Original};
use crate::interwork::table::Record;
use crate::policy::Policy;

/// A report, and the original message that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Reported<'a> {
    /// The original as it was retained, the notification that the report became, and what the gateway mints
    pub original: Original<'a>,
    /// Referred-By of the original, a URI
    pub referred_by: &'a [u8],
    /// Recipient Address: that of the multimedia message, as the report writes it
    pub recipient_address: &'a [u8],
    /// Sender Address: that of the multimedia message, as the report writes it
    pub sender_address: &'a [u8],
    /// Date and Time, seconds since 1970-01-01T00:00:00Z
    pub date_unix_s: Option<i64>,
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The notification.
#[derive(Clone, Debug, Default)]
pub struct ReportNotification<'a> {
    /// What is the original's or the gateway's own.
    pub borrowed: DeliveryNotification<'a>,
    /// P-Asserted-Identity, From and CPIM From; Request-URI and To
    pub parties: Parties,
    /// SIP Date, seconds since 1970-01-01T00:00:00Z
    pub date_unix_s: Option<i64>,
}

impl ReportNotification<'_> {
    /// All of it. P-Asserted-Identity may have a second URI, which is in `parties`.
    #[must_use]
    pub fn notification(&self) -> DeliveryNotification<'_> {
        let (from, to) = (self.parties.from(), self.parties.to());
        let cpim_to = if self.borrowed.cpim_to.is_empty() { to } else { self.borrowed.cpim_to };
        DeliveryNotification { from, cpim_from: from, to, cpim_to, ..self.borrowed }
    }
}

/// Names the record in tables.
pub enum ReportedRecord {}

impl Record for ReportedRecord {
    type Of<'a> = Reported<'a>;
}

/// Names the record in tables.
pub enum ReportNotificationRecord {}

impl Record for ReportNotificationRecord {
    type Of<'a> = ReportNotification<'a>;
}
