//! MMS Delivery Report to CPM Disposition Notification. OMA CPM IWF V3.0, 6.3.1.1.3, Tables 17 to 19.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row, ValueMap};
use crate::policy::{InterworkingFailure, Policy, UnmappedMmStatus};
use crate::wire::cpim::Dispositions;
use crate::wire::cpim::imdn::Status;
use crate::wire::mail::mm4::MmStatus;

use super::envelope::EnvelopeRecord;
use super::notification::{ReportNotificationRecord, ReportedRecord};
use super::notification_elements as elements;
use super::response::{RequestRecord, ResponseRecord};
use super::response_elements;

type Line = Row<ReportedRecord, ReportNotificationRecord>;
type Command = Row<RequestRecord, EnvelopeRecord>;
type Answer = Row<RequestRecord, ResponseRecord>;

const STATUSES: &str =
    "Content-Disposition, <delivery-notification>, <processing-notification>, <interworking-notification>";

/// Table 17: MMS delivery report to CPM - CPM Delivery Notification details.
#[rustfmt::skip]
pub const TABLE_17: FieldTable<ReportedRecord, ReportNotificationRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.3", 17), rows: &[
    //         CPM Delivery Notification                status       MM4 Information element   rule
    Line::new("User-Agent",                            Mandatory,   &[],                      elements::user_agent),
    Line::new("P-Asserted-Identity, From, CPIM From",  Mandatory,   &["Recipient Address"],   elements::from),
    Line::new("To, Request-URI, CPIM To",              Mandatory,   &["Sender Address"],      elements::to),
    Line::new("Conversation-ID, Contribution-ID",      Mandatory,   &[],                      elements::ids),
    Line::new(STATUSES,                                Mandatory,   &["MM Status"],           elements::status),
    Line::new("CPIM Message-ID",                       Mandatory,   &[],                      elements::imdn_message_id),
    Line::new("IMDN-Route",                            Conditional, &[],                      elements::imdn_route),
    Line::new("<original-recipient-uri>",              Conditional, &[],                      elements::original_recipient_uri),
    Line::new("<message-id>",                          Mandatory,   &[],                      elements::message_id),
    Line::new("<recipient-uri>",                       Optional,    &[],                      elements::recipient_uri),
    Line::new("Date",                                  Optional,    &["Date and Time"],       elements::date),
    Line::new("<datetime>",                            Mandatory,   &[],                      elements::datetime),
    Line::new("Call-ID",                               Mandatory,   &[],                      elements::call_id),
    Line::new("CSeq",                                  Mandatory,   &[],                      elements::cseq),
    Line::new("Content-Type",                          Mandatory,   &[],                      elements::content_type),
] };

/// Table 18: MMS delivery report to CPM - SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_18: FieldTable<RequestRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.3", 18), rows: &[
    //            SMTP command  status     source  rule
    Command::new("MAIL From",  Mandatory, &[],    response_elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &[],    response_elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],    response_elements::data),
] };

/// Table 19: MMS delivery report to CPM - MM4_delivery_report.RES details.
#[rustfmt::skip]
pub const TABLE_19: FieldTable<RequestRecord, ResponseRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.3", 19), rows: &[
    //           MM4 Information element         status     source  rule
    Answer::new("3GPP MMS Version",             Mandatory, &[],    response_elements::version),
    Answer::new("Message Type",                 Mandatory, &[],    response_elements::message_type),
    Answer::new("Transaction ID",               Mandatory, &[],    response_elements::transaction_id),
    Answer::new("Message ID",                   Mandatory, &[],    response_elements::message_id),
    Answer::new("Request Status",               Mandatory, &[],    response_elements::request_status),
    Answer::new("Originator-Recipient-Address", Optional,  &[],    response_elements::originator_recipient),
    Answer::new("Return-Route",                 Optional,  &[],    response_elements::return_route),
] };

/// `<status>` of each of the three notifications that an MM Status gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusAnswer {
    /// `<interworking-notification>`
    pub interworking: Option<Status>,
    /// `<delivery-notification>`
    pub delivery: Option<Status>,
    /// `<processing-notification>`
    pub processing: Option<Status>,
}

const fn answer(interworking: Option<Status>, delivery: Option<Status>, processing: Option<Status>) -> StatusAnswer {
    StatusAnswer { interworking, delivery, processing }
}

const FAILURE: StatusAnswer = answer(Some(Status::Failed), Some(Status::Failed), None);

/// Table 17, a) to c). The rest is policy.
#[rustfmt::skip]
pub const MM_STATUS_TO_STATUS: ValueMap<MmStatus, StatusAnswer> = ValueMap { cite: IWF_V3.table("6.3.1.1.3", 17), rows: &[
    //                              interworking              delivery                 processing
    (MmStatus::Retrieved,     answer(Some(Status::LegacyMms), Some(Status::Delivered), None)),
    (MmStatus::Rejected,      FAILURE),
    (MmStatus::Expired,       FAILURE),
    (MmStatus::Unrecognised,  FAILURE),
    (MmStatus::Indeterminate, answer(None,                    None,                    Some(Status::Processed))),
    (MmStatus::Forwarded,     answer(None,                    None,                    Some(Status::Processed))),
    (MmStatus::Deferred,      answer(None,                    None,                    Some(Status::Stored))),
] };

/// The notifications for an MM Status: Table 17, or policy; `<interworking-notification>` as policy words a failure.
#[must_use]
pub fn status_of(mm_status: MmStatus, policy: &Policy) -> StatusAnswer {
    let mut answer = MM_STATUS_TO_STATUS.get(mm_status).unwrap_or(match policy.mms.unmapped_mm_status {
        UnmappedMmStatus::Failure => FAILURE,
        UnmappedMmStatus::Ignore => StatusAnswer::default(),
    });
    if answer.interworking == Some(Status::Failed) && policy.mms.interworking_failure == InterworkingFailure::Error {
        answer.interworking = Some(Status::Error);
    }
    answer
}

/// Steps 1 and 2: of these, the ones that were requested in the original. Step 1 is about the delivery notification only;
/// otherwise step 2 would never come to pass for whom "interworking" is all that he requested.
#[must_use]
pub fn outcome(mm_status: MmStatus, requested: Dispositions, policy: &Policy) -> StatusAnswer {
    let StatusAnswer { interworking, delivery, processing } = status_of(mm_status, policy);
    let requested = if policy.switches.disposition_notifications { requested } else { Dispositions::NONE };
    let wants_delivery = match delivery {
        Some(Status::Delivered) => requested.positive_delivery,
        _ => requested.negative_delivery && policy.reports.negative_delivery,
    };
    StatusAnswer {
        interworking: interworking.filter(|_| requested.interworking),
        delivery: delivery.filter(|_| wants_delivery),
        processing: processing.filter(|_| requested.processing),
    }
}
