//! SMS to CPM Chat Message. OMA CPM IWF V3.0, 6.2.2.2.2 and 6.1.5.1: the text has no table, its steps are the rows.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Record, Row, ValueMap};
use crate::policy::{FailureReport, Policy};
use crate::wire::smpp::CommandStatus;

/// A short message of a session, its parts joined and its text decoded.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// short_message or message_payload, in UTF-8
    pub text: &'a str,
    /// The service provider's answers
    pub policy: &'a Policy,
}

/// The MSRP SEND it becomes. To-Path and From-Path are the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatSend<'a> {
    /// Content-Type
    pub content_type: &'static str,
    /// CPIM From
    pub cpim_from: &'static str,
    /// CPIM To
    pub cpim_to: &'static str,
    /// CPIM Content-Type
    pub cpim_content_type: &'static str,
    /// Success-Report: yes
    pub success_report: bool,
    /// Failure-Report
    pub failure_report: FailureReport,
    /// The content
    pub body: &'a str,
}

impl Default for ChatSend<'_> {
    fn default() -> Self {
        ChatSend {
            content_type: "",
            cpim_from: "",
            cpim_to: "",
            cpim_content_type: "",
            success_report: false,
            failure_report: FailureReport::Yes,
            body: "",
        }
    }
}

/// Names the record in tables.
pub enum ReceivedRecord {}

impl Record for ReceivedRecord {
    type Of<'a> = Received<'a>;
}

/// Names the record in tables.
pub enum ChatSendRecord {}

impl Record for ChatSendRecord {
    type Of<'a> = ChatSend<'a>;
}

type Line = Row<ReceivedRecord, ChatSendRecord>;

/// SMS to CPM Chat Message - MSRP SEND request details: 6.2.2.2.2 steps 2a to 2e, 6.1.5.1 step 2.
#[rustfmt::skip]
pub const CHAT_SEND: FieldTable<ReceivedRecord, ChatSendRecord> = FieldTable { cite: IWF_V3.text("6.2.2.2.2"), rows: &[
    //         MSRP SEND            status     deliver_sm         rule
    Line::new("Content-Type",      Mandatory, &[],               content_type),
    Line::new("CPIM From",         Mandatory, &[],               cpim_from),
    Line::new("CPIM To",           Mandatory, &[],               cpim_to),
    Line::new("CPIM Content-Type", Mandatory, &["data_coding"],  cpim_content_type),
    Line::new("Success-Report",    Optional,  &[],               success_report),
    Line::new("Failure-Report",    Optional,  &[],               failure_report),
    Line::new("body",              Mandatory, &["short_message"], body),
] };

/// CPIM From and To of a one-to-one session (6.1.5.1 step 2).
pub const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

/// "SHALL set the command_status header value […] along with the Response_code of the final MSRP response": the codes of
/// RFC 4975 10, as ESME_RX_T_APPN where the same message may pass later. 481 and 506 mean that the session is gone.
#[rustfmt::skip]
pub const MSRP_TO_COMMAND_STATUS: ValueMap<u16, CommandStatus> = ValueMap { cite: IWF_V3.text("6.2.2.2.2"), rows: &[
    (200, CommandStatus::ESME_ROK),
    (400, CommandStatus::ESME_RX_P_APPN),
    (403, CommandStatus::ESME_RX_P_APPN),
    (408, CommandStatus::ESME_RX_T_APPN),
    (413, CommandStatus::ESME_RX_P_APPN),
    (415, CommandStatus::ESME_RX_P_APPN),
    (423, CommandStatus::ESME_RX_P_APPN),
    (481, CommandStatus::ESME_RX_T_APPN),
    (501, CommandStatus::ESME_RX_P_APPN),
    (506, CommandStatus::ESME_RX_T_APPN),
] };

/// command_status for the final MSRP response: any other code as policy has it for SIP.
#[must_use]
pub fn command_status(code: u16, policy: &Policy) -> CommandStatus {
    let unmapped = || CommandStatus(policy.delivery.unmapped_sip_status.of(code));
    MSRP_TO_COMMAND_STATUS.get(code).unwrap_or_else(unmapped)
}

type Filled = Result<(), NotConvertible>;

/// Step 2a.
fn content_type<'a>(_: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.content_type = "message/cpim";
    Ok(())
}

/// 6.1.5.1 step 2: "if the CPM Session is a one-to-one session", and we have no others.
fn cpim_from<'a>(_: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.cpim_from = ANONYMOUS;
    Ok(())
}

/// The same.
fn cpim_to<'a>(_: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.cpim_to = ANONYMOUS;
    Ok(())
}

/// Step 2c; UTF-8 holds every data_coding, which the text was decoded from.
fn cpim_content_type<'a>(_: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.cpim_content_type = "text/plain; charset=UTF-8";
    Ok(())
}

/// Step 2d.
fn success_report<'a>(received: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.success_report = received.policy.success_report();
    Ok(())
}

/// Step 2d.
fn failure_report<'a>(received: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.failure_report = received.policy.sessions.failure_report;
    Ok(())
}

/// Step 2e: "restricted to text only"
fn body<'a>(received: &Received<'a>, send: &mut ChatSend<'a>) -> Filled {
    send.body = received.text;
    Ok(())
}
