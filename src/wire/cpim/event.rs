//! The CPM event report of interworking: application/vnd.oma.cpm-eventfw+xml. CPM Conv-Func 6.7, IWF V3.0 6.2.3,
//! 6.2.3.2.
//!
//! The names of the elements are the document's; how they nest under the root follows the framework's other events,
//! since no schema of this one is published.

use super::xml::{element, tag};

/// The media type of the document.
pub const CONTENT_TYPE: &str = "application/vnd.oma.cpm-eventfw+xml";

/// What is reported to the CPM participating function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterworkingEvent<'a> {
    /// A message could not be delivered (6.2.3, 2).
    FailedIw {
        /// URI of the authenticated CPM user.
        cpm_user_address: &'a str,
        /// imdn.Message-ID as received.
        message_id: &'a str,
    },
    /// A recipient can be reached again (6.2.3.2).
    ReadyForSms {
        /// URI of the CPM user.
        cpm_user_address: &'a str,
    },
}

impl InterworkingEvent<'_> {
    /// Appends the document.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
        out.extend_from_slice(b"<cpm-evfw xmlns=\"urn:oma:xml:cpm:evfw\"><cpm-event-iw>");
        match self {
            InterworkingEvent::FailedIw { cpm_user_address, message_id } => {
                tag(b"<", "failed-iw", out);
                element("cpm-user-address", cpm_user_address, out);
                element("message-id", message_id, out);
                tag(b"</", "failed-iw", out);
            }
            InterworkingEvent::ReadyForSms { cpm_user_address } => {
                tag(b"<", "ready-for-sms", out);
                element("cpm-user-address", cpm_user_address, out);
                tag(b"</", "ready-for-sms", out);
            }
        }
        out.extend_from_slice(b"</cpm-event-iw></cpm-evfw>");
    }
}
