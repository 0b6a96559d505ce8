//! Pager Mode CPM Standalone Message to MMS Message. OMA CPM IWF V3.0, 6.3.1.1.1, Tables 12 to 14.

use crate::interwork::cite::IWF_V3;
use crate::interwork::cpm::{Standalone, StandaloneRecord};
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row, ValueMap};
use crate::policy::Policy;
use crate::wire::mail::mm4::RequestStatus;

use super::elements::{self, Filled};
use super::envelope::EnvelopeRecord;
use super::multimedia_message::{MultimediaMessage, MultimediaMessageRecord};

type Command = Row<StandaloneRecord, EnvelopeRecord>;
type Line = Row<StandaloneRecord, MultimediaMessageRecord>;

/// Table 12: Pager Mode CPM Standalone Message to MMS - SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_12: FieldTable<StandaloneRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.1", 12), rows: &[
    //            SMTP command  status     CPM SIP MESSAGE header            rule
    Command::new("MAIL From",  Mandatory, &["P-Asserted-Identity", "From"], elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &["Request-URI"],                 elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],                              elements::data),
] };

/// Table 13: Pager Mode CPM Standalone Message to MMS - MM4_forward.REQ details.
#[rustfmt::skip]
pub const TABLE_13: FieldTable<StandaloneRecord, MultimediaMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.1", 13), rows: &[
    //         MM4 Information element       status       CPM SIP MESSAGE header                 rule
    Line::new("3GPP MMS Version",           Mandatory,   &[],                                   elements::version),
    Line::new("Message Type",               Mandatory,   &[],                                   elements::message_type),
    Line::new("Transaction ID",             Mandatory,   &[],                                   elements::transaction_id),
    Line::new("Message ID",                 Mandatory,   &["Conversation-ID", "Contribution-ID"], elements::message_id),
    Line::new("Recipient(s) address",       Mandatory,   &["Request-URI", "URI list body"],     elements::recipients),
    Line::new("Sender address",             Mandatory,   &["P-Asserted-Identity", "From"],      elements::sender),
    Line::new("Content type",               Mandatory,   &["Content-Type"],                     elements::content_type),
    Line::new("Date and time",              Mandatory,   &["Date", "CPIM DateTime"],            elements::date),
    Line::new("Time of Expiry",             Conditional, &["Expires"],                          elements::expiry),
    Line::new("Delivery report",            Conditional, &["imdn.Disposition-Notification"],    elements::delivery_report),
    Line::new("Priority",                   Conditional, &[],                                   elements::priority),
    Line::new("Sender visibility",          Conditional, &["Privacy"],                          elements::visibility),
    Line::new("Read reply",                 Conditional, &["imdn.Disposition-Notification"],    elements::read_reply),
    Line::new("Subject",                    Conditional, &["Subject"],                          elements::subject),
    Line::new("Acknowledgement Request",    Optional,    &[],                                   ack_request),
    Line::new("Forward counter",            Conditional, &[],                                   elements::forward_counter),
    Line::new("Originator-System-Address",  Optional,    &[],                                   elements::originator_system),
    Line::new("Forward-Route",              Optional,    &[],                                   elements::forward_route),
    Line::new("Content",                    Conditional, &["Body"],                             elements::content),
] };

/// Table 14, response code. The page does not list every Request Status, so the rest is policy.
#[rustfmt::skip]
pub const REQUEST_STATUS_TO_SIP: ValueMap<RequestStatus, u16> = ValueMap { cite: IWF_V3.table("6.3.1.1.1", 14), rows: &[
    (RequestStatus::Ok,                        202),
    (RequestStatus::ErrorUnspecified,          400),
    (RequestStatus::ErrorNetworkProblem,       400),
    (RequestStatus::ErrorServiceDenied,        403),
    (RequestStatus::ErrorContentNotAccepted,   415),
    (RequestStatus::ErrorMessageFormatCorrupt, 415),
] };

/// The SIP response code for the Request Status of an MM4_forward.RES: Table 14, or policy.
#[must_use]
pub fn sip_status(status: RequestStatus, policy: &Policy) -> u16 {
    let unmapped = policy.mms.unmapped_request_status;
    REQUEST_STATUS_TO_SIP.get(status).unwrap_or(match status {
        RequestStatus::ErrorSendingAddressUnresolved => unmapped.sending_address_unresolved,
        RequestStatus::ErrorMessageNotFound => unmapped.message_not_found,
        RequestStatus::ErrorUnsupportedMessage => unmapped.unsupported_message,
        RequestStatus::ErrorTransient => unmapped.transient,
        _ => unmapped.other,
    })
}

/// "Always set to yes since SIP MESSAGE request must be acknowledged."
fn ack_request<'a>(_: &Standalone<'a>, mms: &mut MultimediaMessage<'a>) -> Filled {
    mms.borrowed.ack_request = true;
    Ok(())
}
