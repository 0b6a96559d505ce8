//! The SMTP transaction around an MM4 message: the record that Tables 12, 15, 18, 21, 37, 41 and 43 fill.

use crate::interwork::table::Record;
use crate::wire::mail::mm4::ResKind;

/// The commands of Tables 12, 15, 18, 21, 37, 41 and 43.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL From, a mailbox without brackets
    pub mail_from: Vec<u8>,
    /// RCPT To, a mailbox without brackets
    pub rcpt_to: Vec<u8>,
    /// DATA: which message is in it
    pub data: Option<Data>,
}

/// "The generated […] request" or "response": the message of the other table of the procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// MM4_forward.REQ
    ForwardReq,
    /// MM4_delivery_report.REQ
    DeliveryReportReq,
    /// MM4_read_reply_report.REQ
    ReadReplyReportReq,
    /// The response to one of these.
    Res(ResKind),
}

/// Names the record in tables.
pub enum EnvelopeRecord {}

impl Record for EnvelopeRecord {
    type Of<'a> = Envelope;
}
