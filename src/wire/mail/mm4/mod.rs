//! The abstract messages between MMS Relay/Servers, one mail each (3GPP TS 23.140 8.4.5).
//!
//! A struct has the fields of one message in the order of the specification. Empty slices are absent fields. Values are
//! trimmed and otherwise as they stand in the mail: quotes, angle brackets, encoded words and folds are kept.

mod codes;
mod forward;
mod head;
pub mod id;
mod name;
mod read;
mod report;
mod response;

pub use codes::{Expiry, MmStatus, Priority, ReadStatus, RequestStatus, ResKind, Visibility};
pub use forward::ForwardReq;
pub use name::Name;
pub use read::{expiry, read};
pub use report::{DeliveryReportReq, ReadReplyReportReq};
pub use response::Res;

/// One abstract message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "read, looked at and dropped; never kept in numbers")]
pub enum Mm4<'a> {
    /// MM4_forward.REQ.
    ForwardReq(ForwardReq<'a>),
    /// MM4_delivery_report.REQ.
    DeliveryReportReq(DeliveryReportReq<'a>),
    /// MM4_read_reply_report.REQ.
    ReadReplyReportReq(ReadReplyReportReq<'a>),
    /// The response to one of these.
    Res(Res<'a>),
}
