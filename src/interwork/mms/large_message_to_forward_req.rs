//! Large Message Mode CPM Standalone Message to MMS Message. OMA CPM IWF V3.0, 6.3.1.1.2, Tables 15 and 16.

use crate::interwork::cite::IWF_V3;
use crate::interwork::cpm::{Standalone, StandaloneRecord};
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row};
use crate::policy::Policy;
use crate::wire::mail::mm4::RequestStatus;

use super::elements::{self, Filled};
use super::envelope::EnvelopeRecord;
use super::multimedia_message::{MultimediaMessage, MultimediaMessageRecord};
use super::pager_to_forward_req::sip_status;

type Command = Row<StandaloneRecord, EnvelopeRecord>;
type Line = Row<StandaloneRecord, MultimediaMessageRecord>;

/// Table 15: Large Message Mode CPM Standalone Message to MMS - SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_15: FieldTable<StandaloneRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.2", 15), rows: &[
    //            SMTP command  status     SIP INVITE header                 rule
    Command::new("MAIL From",  Mandatory, &["P-Asserted-Identity", "From"], elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &["Request-URI"],                 elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],                              elements::data),
] };

/// Table 16: Large Message Mode CPM Standalone Message to MMS - MM4_forward.REQ details.
#[rustfmt::skip]
pub const TABLE_16: FieldTable<StandaloneRecord, MultimediaMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.1.2", 16), rows: &[
    //         MM4 Information element       status       CPM headers                            rule
    Line::new("3GPP MMS Version",           Mandatory,   &[],                                   elements::version),
    Line::new("Message Type",               Mandatory,   &[],                                   elements::message_type),
    Line::new("Transaction ID",             Mandatory,   &[],                                   elements::transaction_id),
    Line::new("Message ID",                 Mandatory,   &["Conversation-ID", "Contribution-ID"], elements::message_id),
    Line::new("Recipient(s) address",       Mandatory,   &["Request-URI", "URI list body"],     elements::recipients),
    Line::new("Sender address",             Mandatory,   &["P-Asserted-Identity", "From"],      elements::sender),
    Line::new("Content type",               Mandatory,   &["Content-Type"],                     elements::content_type),
    Line::new("Date and time",              Mandatory,   &["Date", "CPIM DateTime"],            elements::date),
    Line::new("Time of Expiry",             Conditional, &["Message-Expires"],                  elements::expiry),
    Line::new("Delivery report",            Conditional, &["imdn.Disposition-Notification"],    elements::delivery_report),
    Line::new("Read reply",                 Conditional, &["imdn.Disposition-Notification"],    elements::read_reply),
    Line::new("Priority",                   Conditional, &[],                                   elements::priority),
    Line::new("Sender visibility",          Conditional, &["Privacy"],                          elements::visibility),
    Line::new("Subject",                    Conditional, &["Subject"],                          elements::subject),
    Line::new("Acknowledgement Request",    Optional,    &[],                                   ack_request),
    Line::new("Forward counter",            Conditional, &[],                                   elements::forward_counter),
    Line::new("Originator-System-Address",  Optional,    &[],                                   elements::originator_system),
    Line::new("Forward-Route",              Optional,    &[],                                   elements::forward_route),
    Line::new("Content",                    Conditional, &[],                                   elements::content),
] };

/// The MSRP response to the last chunk for the Request Status of an MM4_forward.RES. 6.3.1.1.2 step 6 knows 200 only; 6.1.2
/// wants the outcome, so an error is what Table 14 makes of it, in the codes of RFC 4975 10.
#[must_use]
pub fn msrp_status(status: RequestStatus, policy: &Policy) -> u16 {
    if status.is_ok() { 200 } else { msrp_status_of_sip(sip_status(status, policy)) }
}

/// The MSRP response that says what a SIP response code says.
#[must_use]
pub const fn msrp_status_of_sip(code: u16) -> u16 {
    match code {
        200..=299 => 200,
        401 | 403 | 404 | 407 | 433 | 603 => 403,
        408 | 480 | 500..=599 => 408,
        413 => 413,
        415 | 488 | 606 => 415,
        _ => 400,
    }
}

/// "Set per service provider policy."
fn ack_request<'a>(message: &Standalone<'a>, mms: &mut MultimediaMessage<'a>) -> Filled {
    mms.borrowed.ack_request = message.policy.mms.ack_request_large_message;
    Ok(())
}
