//! MMS to Pager Mode CPM Standalone Message. OMA CPM IWF V3.0, 6.3.1.2.1, Tables 35 to 38.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Row, ValueMap};
use crate::policy::{Policy, RecipientUri, RequestError};
use crate::wire::mail::mm4::RequestStatus;

use super::cpm_elements::{self, Filled};
use super::cpm_message::{CpmMessage, CpmMessageRecord, Received, ReceivedRecord};
use super::envelope::EnvelopeRecord;
use super::response::{RequestRecord, ResponseRecord};
use super::response_elements;

pub use super::cpm_elements::left_s;

type Line = Row<ReceivedRecord, CpmMessageRecord>;
type Command = Row<RequestRecord, EnvelopeRecord>;
type Answer = Row<RequestRecord, ResponseRecord>;

/// Table 35: MMS to Pager Mode CPM Standalone Message - SMTP level.
#[rustfmt::skip]
pub const TABLE_35: FieldTable<ReceivedRecord, CpmMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.1", 35), rows: &[
    //         CPM SIP MESSAGE header  status     SMTP command   rule
    Line::new("Request-URI, To",      Mandatory, &["RCPT To:"], to),
] };

/// Table 36: MMS to Pager Mode CPM Standalone Message - MM4_forward.REQ level.
#[rustfmt::skip]
pub const TABLE_36: FieldTable<ReceivedRecord, CpmMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.1", 36), rows: &[
    //         CPM SIP MESSAGE header            status       MM4 Information element      rule
    Line::new("User-Agent",                     Mandatory,   &[],                         cpm_elements::user_agent),
    Line::new("recipient-list-history",         Optional,    &["Recipient(s) address"],   cpm_elements::recipients),
    Line::new("P-Asserted-Identity, From",      Mandatory,   &["Sender address"],         cpm_elements::from),
    Line::new("Date",                           Optional,    &["Date and time"],          cpm_elements::date),
    Line::new("Expires",                        Optional,    &["Time of Expiry"],         cpm_elements::expires),
    Line::new("imdn.Disposition-Notification",  Conditional, &["Delivery report"],        cpm_elements::delivery_report),
    Line::new("Privacy",                        Conditional, &["Sender visibility"],      cpm_elements::privacy),
    Line::new("imdn.Disposition-Notification",  Optional,    &["Read reply"],             cpm_elements::read_reply),
    Line::new("Subject",                        Optional,    &["Subject"],                cpm_elements::subject),
    Line::new("Max-Forwards",                   Mandatory,   &[],                         cpm_elements::max_forwards),
    Line::new("Body",                           Conditional, &["Content"],                cpm_elements::body),
    Line::new("Via",                            Mandatory,   &[],                         cpm_elements::by_the_iwf),
    Line::new("CSeq",                           Mandatory,   &[],                         cpm_elements::by_the_iwf),
    Line::new("Call-ID",                        Mandatory,   &[],                         cpm_elements::by_the_iwf),
] };

/// Table 37: MMS to Pager Mode CPM Standalone Message - response SMTP transaction details.
#[rustfmt::skip]
pub const TABLE_37: FieldTable<RequestRecord, EnvelopeRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.1", 37), rows: &[
    //            SMTP command  status     source  rule
    Command::new("MAIL From",  Mandatory, &[],    response_elements::mail_from),
    Command::new("RCPT To:",   Mandatory, &[],    response_elements::rcpt_to),
    Command::new("DATA",       Mandatory, &[],    response_elements::data),
] };

/// Table 38: MMS to Pager Mode CPM Standalone Message - MM4_forward.RES details.
#[rustfmt::skip]
pub const TABLE_38: FieldTable<RequestRecord, ResponseRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.1", 38), rows: &[
    //           MM4 Information element         status     CPM SIP MESSAGE header                 rule
    Answer::new("Request Status",               Mandatory, &["response code", "reason phrase"],   response_elements::request_status),
    Answer::new("3GPP MMS Version",             Mandatory, &[],                                   response_elements::version),
    Answer::new("Message Type",                 Mandatory, &[],                                   response_elements::message_type),
    Answer::new("Transaction ID",               Mandatory, &[],                                   response_elements::transaction_id),
    Answer::new("Message ID",                   Mandatory, &[],                                   response_elements::message_id),
    Answer::new("Return-Route",                 Optional,  &[],                                   response_elements::return_route),
    Answer::new("Originator-Recipient-Address", Optional,  &[],                                   response_elements::originator_recipient),
] };

/// Table 38, Request Status: "e.g.", so the rest is policy.
#[rustfmt::skip]
pub const SIP_TO_REQUEST_STATUS: ValueMap<u16, RequestStatus> = ValueMap { cite: IWF_V3.table("6.3.1.2.1", 38), rows: &[
    (200, RequestStatus::Ok),
    (202, RequestStatus::Ok),
    (401, RequestStatus::ErrorServiceDenied),
    (503, RequestStatus::ErrorServiceDenied),
] };

/// The Request Status for a final SIP response, or for the MSRP response to a large message: Table 38, any other 2xx as
/// those it lists, or policy.
#[must_use]
pub fn request_status(code: u16, policy: &Policy) -> RequestStatus {
    let success = (200..300).contains(&code).then_some(RequestStatus::Ok);
    let listed = SIP_TO_REQUEST_STATUS.get(code).or(success);
    listed.unwrap_or_else(|| match policy.mms.unmapped_sip_status.of(code) {
        RequestError::ServiceDenied => RequestStatus::ErrorServiceDenied,
        RequestError::MessageFormatCorrupt => RequestStatus::ErrorMessageFormatCorrupt,
        RequestError::SendingAddressUnresolved => RequestStatus::ErrorSendingAddressUnresolved,
        RequestError::NetworkProblem => RequestStatus::ErrorNetworkProblem,
        RequestError::ContentNotAccepted => RequestStatus::ErrorContentNotAccepted,
        RequestError::Unspecified => RequestStatus::ErrorUnspecified,
    })
}

/// The Request Status where no CPM message can be made: step 1 for anonymity, and what the text leaves open.
#[must_use]
pub const fn refusal(why: NotConvertible) -> RequestStatus {
    match why {
        NotConvertible::Anonymous => RequestStatus::ErrorUnsupportedMessage,
        NotConvertible::Target => RequestStatus::ErrorSendingAddressUnresolved,
        NotConvertible::Originator => RequestStatus::ErrorServiceDenied,
    }
}

/// "to the corresponding TEL URI format for the MSISDN carried in the RCPT To"
fn to<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    match received.policy.mms.pager_recipient_uri {
        RecipientUri::Tel => message.parties.set_to_tel(received.recipient, received.policy),
        RecipientUri::SipIfAvailable => message.parties.set_to(received.recipient, received.policy),
    }
    Ok(())
}
