//! MMS Message to a Large Message Mode CPM Standalone Message. OMA CPM IWF V3.0, 6.3.1.2.2, Tables 39 and 40, and the table
//! of the MSRP SEND, which has lost its caption. Tables 37 and 38 answer the MM4_forward.REQ here as well.

use crate::interwork::cite::IWF_V3;
use crate::interwork::sms::deliver_sm_to_large_message::ACCEPT_LARGEMSG;
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row};

use super::cpm_elements::{self, Filled};
use super::cpm_message::{CpmMessage, CpmMessageRecord, Received, ReceivedRecord};

type Line = Row<ReceivedRecord, CpmMessageRecord>;

/// Table 39: MMS to Large Message Mode CPM Standalone Message - SIP INVITE, SMTP level.
#[rustfmt::skip]
pub const TABLE_39: FieldTable<ReceivedRecord, CpmMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.2", 39), rows: &[
    //         CPM SIP INVITE header  status     SMTP command   rule
    Line::new("Request-URI, To",     Mandatory, &["RCPT To:"], to),
] };

/// Table 40: MMS to Large Message Mode CPM Standalone Message - SIP INVITE, MM4_forward.REQ level.
#[rustfmt::skip]
pub const TABLE_40: FieldTable<ReceivedRecord, CpmMessageRecord> = FieldTable { cite: IWF_V3.table("6.3.1.2.2", 40), rows: &[
    //         CPM SIP INVITE header            status       MM4 Information element      rule
    Line::new("User-Agent",                    Mandatory,   &[],                         cpm_elements::user_agent),
    Line::new("recipient-list-history",        Optional,    &["Recipient(s) address"],   cpm_elements::recipients),
    Line::new("P-Asserted-Identity, From",     Mandatory,   &["Sender address"],         cpm_elements::from),
    Line::new("Date",                          Optional,    &["Date and time"],          cpm_elements::date),
    Line::new("Message-Expires",               Conditional, &["Time of Expiry"],         cpm_elements::expires),
    Line::new("Privacy",                       Conditional, &["Sender visibility"],      cpm_elements::privacy),
    Line::new("Subject",                       Optional,    &["Subject"],                cpm_elements::subject),
    Line::new("Max-Forwards",                  Mandatory,   &[],                         cpm_elements::max_forwards),
    Line::new("Accept-Contact",                Mandatory,   &[],                         accept_contact),
    Line::new("Via",                           Mandatory,   &[],                         cpm_elements::by_the_iwf),
    Line::new("CSeq",                          Mandatory,   &[],                         cpm_elements::by_the_iwf),
    Line::new("Call-ID",                       Mandatory,   &[],                         cpm_elements::by_the_iwf),
] };

/// MMS to Large Message Mode CPM Standalone Message - MSRP SEND, the table behind Table 40.
#[rustfmt::skip]
pub const MSRP_SEND: FieldTable<ReceivedRecord, CpmMessageRecord> = FieldTable { cite: IWF_V3.text("6.3.1.2.2"), rows: &[
    //         CPM MSRP SEND header             status       MM4 Information element             rule
    Line::new("To-Path",                       Mandatory,   &[],                                cpm_elements::by_the_iwf),
    Line::new("From-Path",                     Mandatory,   &[],                                cpm_elements::by_the_iwf),
    Line::new("Message-ID",                    Mandatory,   &[],                                cpm_elements::by_the_iwf),
    Line::new("Byte-Range",                    Mandatory,   &[],                                cpm_elements::by_the_iwf),
    Line::new("Content-Type",                  Mandatory,   &[],                                content_type),
    Line::new("CPIM Content-Type",             Mandatory,   &[],                                cpm_elements::cpim_content_type),
    Line::new("imdn.Disposition-Notification", Conditional, &["Delivery report", "Read reply"], disposition_notification),
    Line::new("CPIM Body",                     Mandatory,   &["Content"],                       cpm_elements::body),
] };

/// "to the CPM address of the CPM User"
fn to<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.parties.set_to(received.recipient, received.policy);
    Ok(())
}

/// "including the CPM Feature Tag"
fn accept_contact<'a>(_: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.accept_contact = ACCEPT_LARGEMSG;
    Ok(())
}

/// "Set to Message/CPIM"
fn content_type<'a>(_: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.content_type = "message/cpim";
    Ok(())
}

/// "positive-delivery and negative-delivery. Also include a value of display"
fn disposition_notification<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    cpm_elements::delivery_report(received, message)?;
    cpm_elements::read_reply(received, message)
}
