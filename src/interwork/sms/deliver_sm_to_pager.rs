//! SMS to Pager Mode CPM Standalone Message. OMA CPM IWF V3.0, 6.2.2.2.1, Tables 9 and 10.

use crate::interwork::address::{NCCSID_SMS, Number};
use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Record, Row, ValueMap};
use crate::policy::Policy;
use crate::wire::smpp::CommandStatus;

use super::parties::Parties;

/// A short message, its parts joined and its text decoded.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// source_addr_ton, source_addr_npi, source_addr as a number
    pub source: Number,
    /// dest_addr_ton, dest_addr_npi, destination_addr as a number
    pub dest: Number,
    /// priority_flag
    pub priority_flag: u8,
    /// language_indicator
    pub language_indicator: Option<u8>,
    /// short_message or message_payload, in UTF-8
    pub text: &'a str,
    /// User-Agent of the gateway (Appendix C)
    pub product: &'a [u8],
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The SIP MESSAGE it becomes.
#[derive(Clone, Debug, Default)]
pub struct PagerMessage<'a> {
    /// P-Asserted-Identity, From, Request-URI and To
    pub parties: Parties,
    /// Content-Language
    pub content_language: &'a [u8],
    /// Content-Length of the text in octets
    pub content_length: usize,
    /// Content-Type of the text
    pub content_type: &'a [u8],
    /// Priority
    pub priority: &'a [u8],
    /// User-Agent
    pub user_agent: &'a [u8],
    /// The body's text
    pub body: &'a str,
}

/// Names the record in tables.
pub enum ReceivedRecord {}

impl Record for ReceivedRecord {
    type Of<'a> = Received<'a>;
}

/// Names the record in tables.
pub enum PagerMessageRecord {}

impl Record for PagerMessageRecord {
    type Of<'a> = PagerMessage<'a>;
}

type Line = Row<ReceivedRecord, PagerMessageRecord>;

/// Table 9: SMS to Pager Mode CPM Standalone Message - SIP MESSAGE request details.
#[rustfmt::skip]
pub const TABLE_9: FieldTable<ReceivedRecord, PagerMessageRecord> = FieldTable { cite: IWF_V3.table("6.2.2.2.1", 9), rows: &[
    //  CPM SIP MESSAGE header        status     deliver_sm              rule
    Line::new("Content-Language",           Optional,  &["language_indicator"], content_language),
    Line::new("Content-Length",             Optional,  &["sm_length"],          content_length),
    Line::new("Content-Type",               Mandatory, &["data_coding"],        content_type),
    Line::new("P-Asserted-Identity, From",  Mandatory, &["source_addr_ton", "source_addr_npi", "source_addr"], from),
    Line::new("Priority",                   Optional,  &["priority_flag"],      priority),
    Line::new("To, Request-URI",            Mandatory, &["dest_addr_ton", "dest_addr_npi", "destination_addr"], to),
    Line::new("User-Agent",                 Mandatory, &[],                     user_agent),
    Line::new("body",                       Mandatory, &["short_message"],      body),
] };

/// Table 10, command_status: "e.g.", so the rest is policy. It is not the inverse of Table 2.
#[rustfmt::skip]
pub const SIP_TO_COMMAND_STATUS: ValueMap<u16, CommandStatus> = ValueMap { cite: IWF_V3.table("6.2.2.2.1", 10), rows: &[
    (202, CommandStatus::ESME_ROK),
    (404, CommandStatus::ESME_RINVDSTADR),
    (503, CommandStatus::ESME_RX_T_APPN),
    (403, CommandStatus::ESME_RX_P_APPN),
] };

/// 6.2.2.2.1 step 1: "a deliver_sm_resp response with a command_status of 0x65".
pub const NOT_E164: CommandStatus = CommandStatus::ESME_RX_P_APPN;

/// command_status for a SIP response code: Table 10, any other 2xx as the 202 it lists, or policy.
#[must_use]
pub fn command_status(code: u16, policy: &Policy) -> CommandStatus {
    let success = (200..300).contains(&code).then_some(CommandStatus::ESME_ROK);
    let listed = SIP_TO_COMMAND_STATUS.get(code).or(success);
    listed.unwrap_or_else(|| CommandStatus(policy.delivery.unmapped_sip_status.of(code)))
}

/// Content-Type of every text that came as SMS.
pub const CONTENT_TYPE: &[u8] = b"text/plain; charset=UTF-8";

type Filled = Result<(), NotConvertible>;

/// The inverse of Table 1's language_indicator.
fn content_language<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    let languages = &received.policy.submission.languages;
    let known = languages.iter().find(|known| Some(known.indicator) == received.language_indicator);
    message.content_language = known.map_or(b"", |language| language.tag.as_bytes());
    Ok(())
}

/// Of the text as it leaves: its coding changes.
fn content_length<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.content_length = received.text.len();
    Ok(())
}

/// "text/plain and character set parameter": UTF-8 holds every data_coding, which the text was decoded from.
fn content_type<'a>(_: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.content_type = CONTENT_TYPE;
    Ok(())
}

/// A SIP URI, if available, in both headers, the MSISDN as tel URI in P-Asserted-Identity beside it; otherwise the tel
/// URI in both. From carries nccsid=SMS.
fn from<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.parties.set_from(received.source, NCCSID_SMS, received.policy);
    Ok(())
}

/// "0=non-urgent; 1=normal; 2=urgent; in the case of GSM"
fn priority<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    let network_type = received.policy.submission.network_type;
    message.priority = received.policy.delivery.priority(received.priority_flag, network_type).as_bytes();
    Ok(())
}

/// "the IWF will use SIP URI if available, and otherwise translate MSISDN into TEL URI"
fn to<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.parties.set_to(received.dest, received.policy);
    Ok(())
}

/// Appendix C.
fn user_agent<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.user_agent = received.product;
    Ok(())
}

/// "wrapped in a CPIM wrapper": the wrapper is the writer's, the text ours.
fn body<'a>(received: &Received<'a>, message: &mut PagerMessage<'a>) -> Filled {
    message.body = received.text;
    Ok(())
}
