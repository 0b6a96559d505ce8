//! MMS Read Reply to CPM Standalone Message Disposition Notification. OMA CPM IWF V3.0, 6.3.1.1.4, Tables 20 to 22.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row, ValueMap};
use crate::policy::Policy;
use crate::wire::cpim::Dispositions;
use crate::wire::cpim::imdn::Status;
use crate::wire::mail::mm4::ReadStatus;

use super::envelope::EnvelopeRecord;
use super::notification::{ReportNotificationRecord, ReportedRecord};
use super::notification_elements as elements;
use super::response::{RequestRecord, ResponseRecord};
use super::response_elements;

type Line = Row<ReportedRecord, ReportNotificationRecord>;
type Command = Row<RequestRecord, EnvelopeRecord>;
type Answer = Row<RequestRecord, ResponseRecord>;

/// Table 20: MMS read reply to CPM - CPM Delivery Notification details.
#[rustfmt::skip]
pub const TABLE_20: FieldTable<ReportedRecord, ReportNotificationRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.4", 20), rows: &[
    //         CPM Delivery Notification                              status       MM4 Information element   rule
    Line::new("User-Agent",                                          Mandatory,   &[],                      elements::user_agent),
    Line::new("P-Asserted-Identity, From, CPIM From",                Mandatory,   &["Recipient Address"],   elements::from),
    Line::new("To, Request-URI, CPIM To",                            Mandatory,   &["Sender Address"],      elements::to),
    Line::new("Conversation-ID, Contribution-ID",                    Mandatory,   &[],                      elements::ids),
    Line::new("Content-Disposition, <display-notification> <status>", Mandatory,  &["Read Status"],         elements::status),
    Line::new("IMDN-Route",                                          Conditional, &[],                      elements::imdn_route),
    Line::new("<original-recipient-uri>",                            Conditional, &[],                      elements::original_recipient_uri),
    Line::new("imdn.Message-ID",                                     Mandatory,   &[],                      elements::imdn_message_id),
    Line::new("<recipient-uri>",                                     Optional,    &[],                      elements::recipient_uri),
    Line::new("<message-id>",                                        Mandatory,   &[],                      elements::message_id),
    Line::new("Date",                                                Optional,    &["Date and Time"],       elements::date),
    Line::new("<datetime>",                                          Mandatory,   &[],                      elements::datetime),
    Line::new("Call-ID",                                             Mandatory,   &[],                      elements::call_id),
    Line::new("CSeq",                                                Mandatory,   &[],                      elements::cseq),
    Line::new("Content-Type",                                        Mandatory,   &[],                      elements::content_type),
] };

/// Table 21: MMS read reply to CPM - SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_21: FieldTable<RequestRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.4", 21), rows: &[
    //            SMTP command  status     source  rule
    Command::new("MAIL From",  Mandatory, &[],    response_elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &[],    response_elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],    response_elements::data),
] };

/// Table 22: MMS read reply to CPM - MM4_read_reply_report.RES details.
#[rustfmt::skip]
pub const TABLE_22: FieldTable<RequestRecord, ResponseRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.4", 22), rows: &[
    //           MM4 Information element         status     source  rule
    Answer::new("3GPP MMS Version",             Mandatory, &[],    response_elements::version),
    Answer::new("Message Type",                 Mandatory, &[],    response_elements::message_type),
    Answer::new("Transaction ID",               Mandatory, &[],    response_elements::transaction_id),
    Answer::new("Message ID",                   Mandatory, &[],    response_elements::message_id),
    Answer::new("Request Status",               Mandatory, &[],    response_elements::request_status),
    Answer::new("Originator-Recipient-Address", Optional,  &[],    response_elements::originator_recipient),
    Answer::new("Return-Route",                 Optional,  &[],    response_elements::return_route),
] };

/// Table 20, `<display-notification>`: "a CPM Client should understand that error means deleted without being read".
#[rustfmt::skip]
pub const READ_STATUS_TO_STATUS: ValueMap<ReadStatus, Status> = ValueMap { cite: IWF_V3.table("6.3.1.1.4", 20), rows: &[
    (ReadStatus::Read,                    Status::Displayed),
    (ReadStatus::DeletedWithoutBeingRead, Status::Error),
] };

/// The display notification for a Read Status, if one was requested in the original; none for a value that the page does not
/// list.
#[must_use]
pub fn outcome(read_status: ReadStatus, requested: Dispositions, policy: &Policy) -> Option<Status> {
    let is_wanted = requested.display && policy.switches.disposition_notifications;
    READ_STATUS_TO_STATUS.get(read_status).filter(|_| is_wanted)
}
