//! CPM Read Report to MMS MM4 Read Reply. OMA CPM IWF V3.0, 6.3.1.2.4, Tables 43 and 44.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row, ValueMap};
use crate::policy::Policy;
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::mail::mm4::{MmStatus, ReadStatus};

use super::envelope::{Data, Envelope, EnvelopeRecord};
use super::imdn_to_delivery_report::mm_status_of;
use super::report::{Notified, NotifiedRecord, ReadReplyReport, ReadReplyReportRecord};
use super::report_elements::{self as elements, Filled};

type Command = Row<NotifiedRecord, EnvelopeRecord>;
type Line = Row<NotifiedRecord, ReadReplyReportRecord>;

/// Table 43: CPM Read Report to MMS - SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_43: FieldTable<NotifiedRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.4", 43), rows: &[
    //            SMTP command  status     CPM SIP MESSAGE header  rule
    Command::new("MAIL From",  Mandatory, &[],                    elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &["Request-URI"],       elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],                    data),
] };

/// Table 44: CPM Read Report to MMS - MM4_read_reply_report.REQ details.
#[rustfmt::skip]
pub const TABLE_44: FieldTable<NotifiedRecord, ReadReplyReportRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.4", 44), rows: &[
    //         MM4 Information element     status     CPM notification                                      rule
    Line::new("3GPP MMS Version",         Mandatory, &[],                                                  version),
    Line::new("Message Type",             Mandatory, &[],                                                  message_type),
    Line::new("Transaction ID",           Mandatory, &[],                                                  transaction_id),
    Line::new("Message ID",               Mandatory, &["Conversation-ID", "Contribution-ID"],             message_id),
    Line::new("Recipient Address",        Mandatory, &["To"],                                              recipient),
    Line::new("Sender Address",           Mandatory, &["P-Asserted-Identity", "From"],                     sender),
    Line::new("Date and time",            Mandatory, &["Date"],                                            date),
    Line::new("Acknowledgement Request",  Optional,  &[],                                                  ack_request),
    Line::new("Read Status",              Mandatory, &["Content-Disposition", "<display-notification>"],        read_status),
    Line::new("Forward-Route",            Optional,  &[],                                                  forward_route),
] };

/// Table 44, Read Status.
#[rustfmt::skip]
pub const STATUS_TO_READ_STATUS: ValueMap<Status, ReadStatus> = ValueMap { cite: IWF_V3.table("6.3.1.2.4", 44), rows: &[
    (Status::Displayed, ReadStatus::Read),
] };

/// What the sender of a multimedia message asked for, and what he has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Delivery report: "Yes"
    pub delivery_report: bool,
    /// Read reply: "Yes"
    pub read_reply: bool,
    /// A delivery report about this recipient went out.
    pub is_reported: bool,
}

/// The reports that a notification gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// MM4_delivery_report.REQ with this MM Status.
    pub delivery_report: Option<MmStatus>,
    /// MM4_read_reply_report.REQ with this Read Status.
    pub read_reply: Option<ReadStatus>,
}

/// 6.3.1.2.3 step 1, 6.3.1.2.4 steps 1 and 3: of the reports, those that were asked for (6.3.1.2.1 step 4). That what was
/// displayed was delivered is told to whom it was not told before.
#[must_use]
pub fn due(status: (Notification, Status), asked: Asked, policy: &Policy) -> Due {
    let of_display = status.0 == Notification::Display;
    let wants_delivery = asked.delivery_report && !asked.is_reported;
    let wants_delivery = wants_delivery && (!of_display || policy.mms.displayed_is_delivered);
    Due {
        delivery_report: mm_status_of(status).filter(|_| wants_delivery),
        read_reply: read_status_of(status).filter(|_| asked.read_reply),
    }
}

/// The Read Status for a notification; `None` for what gives no report.
#[must_use]
pub fn read_status_of((notification, status): (Notification, Status)) -> Option<ReadStatus> {
    STATUS_TO_READ_STATUS.get(status).filter(|_| notification == Notification::Display)
}

/// "to the corresponding value of Content-Disposition"
fn read_status<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.read_status = read_status_of(notified.status).unwrap_or_default();
    Ok(())
}

/// "The […] MM4_read_reply_report.REQ request"
fn data<'a>(_: &Notified<'a>, envelope: &mut Envelope) -> Filled {
    envelope.data = Some(Data::ReadReplyReportReq);
    Ok(())
}

/// "the MMS protocol version supported by either the MM4 relay server or the IWF"
fn version<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.version = notified.policy.mms.version.as_bytes();
    Ok(())
}

/// The record is nothing else, so its writer names it.
fn message_type<'a>(_: &Notified<'a>, _: &mut ReadReplyReport<'a>) -> Filled {
    Ok(())
}

/// "Unique transaction identifier generated by the IWF."
fn transaction_id<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.transaction_id = notified.transaction_id;
    Ok(())
}

/// That of the original MMS: one of our own, as the page has it, would tell its Relay/Server nothing.
fn message_id<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.message_id = notified.message_id;
    Ok(())
}

/// "Set to the To header."
fn recipient<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    elements::recipient(notified, &mut report.between)
}

/// "P-Asserted-Identity, if present, otherwise, From"
fn sender<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    elements::sender(notified, &mut report.between)
}

/// "in order of preference"
fn date<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.date_unix_s = elements::date_unix_s(notified);
    Ok(())
}

/// "according to service provider policy"
fn ack_request<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.ack_request = notified.policy.mms.ack_request_reports;
    Ok(())
}

/// "its own address, formatted as an MMS R/S address"; the mail has it as its sender, too.
fn forward_route<'a>(notified: &Notified<'a>, report: &mut ReadReplyReport<'a>) -> Filled {
    report.borrowed.forward_route = notified.system_address;
    report.borrowed.sender = notified.system_address;
    Ok(())
}
