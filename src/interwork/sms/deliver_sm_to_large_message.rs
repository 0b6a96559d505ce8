//! SMS to Large Message Mode CPM Standalone Message. OMA CPM IWF V3.0, 6.2.2.2.3, Table 11.

use crate::interwork::address::{NCCSID_SMS, Number};
use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Record, Row};
use crate::policy::Policy;

use super::parties::Parties;

/// A short message too large for a SIP MESSAGE, its parts joined. Its text goes by MSRP.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// source_addr_ton, source_addr_npi, source_addr as a number
    pub source: Number,
    /// dest_addr_ton, dest_addr_npi, destination_addr as a number
    pub dest: Number,
    /// The date and time as RFC 3261 20.17 has it
    pub date: &'a [u8],
    /// User-Agent of the gateway (Appendix C)
    pub product: &'a [u8],
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The SIP INVITE it becomes, as far as it is not the same for every INVITE.
#[derive(Clone, Debug, Default)]
pub struct LargeMessageInvite<'a> {
    /// To and Request-URI, P-Asserted-Identity, From
    pub parties: Parties,
    /// Contact: its parameter with the CPM Feature Tag
    pub contact: &'static str,
    /// Content-Type
    pub content_type: &'static str,
    /// Accept-Contact
    pub accept_contact: &'static str,
    /// Message-Expires, seconds
    pub message_expires_s: Option<u32>,
    /// Date
    pub date: &'a [u8],
    /// User-Agent
    pub user_agent: &'a [u8],
}

/// Names the record in tables.
pub enum ReceivedRecord {}

impl Record for ReceivedRecord {
    type Of<'a> = Received<'a>;
}

/// Names the record in tables.
pub enum LargeMessageInviteRecord {}

impl Record for LargeMessageInviteRecord {
    type Of<'a> = LargeMessageInvite<'a>;
}

type Line = Row<ReceivedRecord, LargeMessageInviteRecord>;

/// Table 11: SMS to Large Message Mode CPM Standalone Message - SIP INVITE request details.
#[rustfmt::skip]
pub const TABLE_11: FieldTable<ReceivedRecord, LargeMessageInviteRecord> = FieldTable { cite: IWF_V3.table("6.2.2.2.3", 11), rows: &[
    //         SIP INVITE header               status     deliver_sm        rule
    Line::new("To, Request-URI",              Mandatory, &["dest_addr_ton", "dest_addr_npi", "destination_addr"], to),
    Line::new("P-Asserted-Identity, From",    Mandatory, &["source_addr_ton", "source_addr_npi", "source_addr"], from),
    Line::new("Call-ID",                      Mandatory, &[],              by_the_dialog),
    Line::new("CSeq",                         Mandatory, &[],              by_the_dialog),
    Line::new("Max-Forwards",                 Mandatory, &[],              by_the_dialog),
    Line::new("Via",                          Mandatory, &[],              by_the_dialog),
    Line::new("Contact",                      Mandatory, &[],              contact),
    Line::new("Content-Type",                 Mandatory, &[],              content_type),
    Line::new("Accept-Contact",               Mandatory, &[],              accept_contact),
    Line::new("Message-Expires",              Optional,  &[],              message_expires),
    Line::new("Date",                         Optional,  &[],              date),
    Line::new("User-Agent",                   Mandatory, &[],              user_agent),
] };

/// The CPM Feature Tag of a large message (Conv-Func Appendix H), as a parameter of Contact.
pub const LARGEMSG: &str = "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.largemsg\"";
/// The same in Accept-Contact (RFC 3841).
pub const ACCEPT_LARGEMSG: &str =
    "*;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.largemsg\";require;explicit";

type Filled = Result<(), NotConvertible>;

/// "SIP URI if available, and otherwise translate MSISDN into TEL URI"
fn to<'a>(received: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.parties.set_to(received.dest, received.policy);
    Ok(())
}

/// As in Table 9.
fn from<'a>(received: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.parties.set_from(received.source, NCCSID_SMS, received.policy);
    Ok(())
}

/// "Set by the IWF according to RFC3261": the same for every INVITE, so the dialog and its transaction write it.
fn by_the_dialog<'a>(_: &Received<'a>, _: &mut LargeMessageInvite<'a>) -> Filled {
    Ok(())
}

/// "including the CPM Feature Tag"
fn contact<'a>(_: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.contact = LARGEMSG;
    Ok(())
}

/// "application/sdp"
fn content_type<'a>(_: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.content_type = "application/sdp";
    Ok(())
}

/// "including the CPM Feature Tag […] according to Appendix H and RFC3841"
fn accept_contact<'a>(_: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.accept_contact = ACCEPT_LARGEMSG;
    Ok(())
}

/// "according to service provider policy"
fn message_expires<'a>(received: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.message_expires_s = received.policy.sessions.message_expires_s;
    Ok(())
}

/// "the current date and time"
fn date<'a>(received: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.date = received.date;
    Ok(())
}

/// Appendix C.
fn user_agent<'a>(received: &Received<'a>, invite: &mut LargeMessageInvite<'a>) -> Filled {
    invite.user_agent = received.product;
    Ok(())
}
