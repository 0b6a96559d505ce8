//! SMS Status Report to CPM Delivery Notification. OMA CPM IWF V3.0, 6.2.2.1.2, Table 3.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::Status::{Conditional, Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Record, Row};
use crate::wire::cpim::imdn;

/// What a notification is made of: the original message as it was retained, and what the gateway mints. Empty fields are
/// absent headers.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// SIP To of the original, a URI
    pub sip_to: &'a [u8],
    /// CPIM To of the original, a URI
    pub cpim_to: &'a [u8],
    /// The originator: P-Asserted-Identity as in Table 1, a URI
    pub originator: &'a [u8],
    /// Conversation-ID
    pub conversation_id: &'a [u8],
    /// Contribution-ID
    pub contribution_id: &'a [u8],
    /// CPIM `DateTime`, or when it was received
    pub date_time: &'a [u8],
    /// imdn.Message-ID
    pub imdn_message_id: &'a [u8],
    /// imdn.IMDN-Record-Route values, each ended by a line feed
    pub imdn_record_route: &'a [u8],
    /// imdn.Original-To, a URI
    pub original_to: &'a [u8],
    /// The notification and the status that its message_state became
    pub status: (imdn::Notification, imdn::Status),
    /// User-Agent of the gateway (Appendix C)
    pub product: &'a [u8],
    /// Minted: a new imdn.Message-ID
    pub new_message_id: &'a [u8],
    /// Minted: a new Call-ID
    pub new_call_id: &'a [u8],
}

/// A CPM Delivery Notification.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryNotification<'a> {
    /// SIP P-Asserted-Identity and From
    pub from: &'a [u8],
    /// CPIM From
    pub cpim_from: &'a [u8],
    /// SIP Request-URI and To
    pub to: &'a [u8],
    /// CPIM To
    pub cpim_to: &'a [u8],
    /// SIP Conversation-ID
    pub conversation_id: &'a [u8],
    /// SIP Contribution-ID
    pub contribution_id: &'a [u8],
    /// SIP User-Agent
    pub user_agent: &'a [u8],
    /// CPIM imdn.Message-ID
    pub imdn_message_id: &'a [u8],
    /// Content-Disposition inside CPIM
    pub content_disposition: &'a [u8],
    /// `<delivery-notification>` or `<interworking-notification>`, and its `<status>`
    pub status: (imdn::Notification, imdn::Status),
    /// `<datetime>`
    pub datetime: &'a [u8],
    /// `<message-id>`
    pub message_id: &'a [u8],
    /// CPIM IMDN-Route values, each ended by a line feed
    pub imdn_route: &'a [u8],
    /// `<original-recipient-uri>`
    pub original_recipient_uri: &'a [u8],
    /// `<recipient-uri>`
    pub recipient_uri: &'a [u8],
    /// SIP Call-ID
    pub call_id: &'a [u8],
    /// SIP CSeq number
    pub cseq: u32,
    /// SIP Content-Type
    pub content_type: &'a [u8],
}

impl Default for DeliveryNotification<'_> {
    fn default() -> Self {
        let status = (imdn::Notification::Delivery, imdn::Status::Error);
        DeliveryNotification {
            from: b"",
            cpim_from: b"",
            to: b"",
            cpim_to: b"",
            conversation_id: b"",
            contribution_id: b"",
            user_agent: b"",
            imdn_message_id: b"",
            content_disposition: b"",
            status,
            datetime: b"",
            message_id: b"",
            imdn_route: b"",
            original_recipient_uri: b"",
            recipient_uri: b"",
            call_id: b"",
            cseq: 0,
            content_type: b"",
        }
    }
}

/// Names the record in tables.
pub enum OriginalRecord {}

impl Record for OriginalRecord {
    type Of<'a> = Original<'a>;
}

/// Names the record in tables.
pub enum DeliveryNotificationRecord {}

impl Record for DeliveryNotificationRecord {
    type Of<'a> = DeliveryNotification<'a>;
}

type Line = Row<OriginalRecord, DeliveryNotificationRecord>;

const SOURCE: &[&str] = &["source_addr_ton", "source_addr_npi", "source_addr"];
const DESTINATION: &[&str] = &["dest_addr_ton", "dest_addr_npi", "destination_addr"];
const STATUSES: &str = "Content-Disposition, <delivery-notification> <status>, <interworking-notification> <status>";

/// Table 3: CPM to SMS message - CPM Delivery Notification details.
#[rustfmt::skip]
pub const TABLE_3: FieldTable<OriginalRecord, DeliveryNotificationRecord> = FieldTable { cite: IWF_V3.table("6.2.2.1.2", 3), rows: &[
    //         CPM Delivery Notification                  presence     deliver_sm         rule
    Line::new("P-Asserted-Identity, From, CPIM From",    Mandatory,   SOURCE,            from),
    Line::new("Request-URI, To, CPIM To",                Mandatory,   DESTINATION,       to),
    Line::new("Conversation-ID",                         Mandatory,   &[],               conversation_id),
    Line::new("Contribution-ID",                         Mandatory,   &[],               contribution_id),
    Line::new("User-Agent",                              Mandatory,   &[],               user_agent),
    Line::new("imdn.Message-ID",                         Mandatory,   &[],               imdn_message_id),
    Line::new(STATUSES,                                  Mandatory,   &["message_state"],status),
    Line::new("<datetime>",                              Mandatory,   &[],               datetime),
    Line::new("<message-id>",                            Mandatory,   &[],               message_id),
    Line::new("IMDN-Route",                              Conditional, &[],               imdn_route),
    Line::new("<original-recipient-uri>",                Conditional, &[],               original_recipient_uri),
    Line::new("<recipient-uri>",                         Optional,    &[],               recipient_uri),
    Line::new("Call-ID",                                 Mandatory,   &[],               call_id),
    Line::new("CSeq",                                    Mandatory,   &[],               cseq),
    Line::new("Content-Type",                            Mandatory,   &[],               content_type),
] };

type Filled = Result<(), NotConvertible>;

/// "identical to the received SIP header To and the CPIM header To in the corresponding message"
fn from<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.from = original.sip_to;
    imdn.cpim_from = if original.cpim_to.is_empty() { original.sip_to } else { original.cpim_to };
    Ok(())
}

/// "a tel URI or SIP URI with user=phone parameter carrying the MSISDN extracted from the P-Asserted-Identity"
fn to<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.to = original.originator;
    imdn.cpim_to = original.originator;
    Ok(())
}

/// "Set to the Conversation-ID of the original SIP request"
fn conversation_id<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.conversation_id = original.conversation_id;
    Ok(())
}

/// "Set to the Contribution-ID of the original SIP request"
fn contribution_id<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.contribution_id = original.contribution_id;
    Ok(())
}

/// Appendix C.
fn user_agent<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.user_agent = original.product;
    Ok(())
}

/// "a message id newly generated by the IWF"
fn imdn_message_id<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.imdn_message_id = original.new_message_id;
    Ok(())
}

/// The values stand in `delivery_outcome`.
fn status<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.content_disposition = b"notification";
    imdn.status = original.status;
    Ok(())
}

/// "the received CPIM DateTime header […] or if not present […] the date and time" of reception
fn datetime<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.datetime = original.date_time;
    Ok(())
}

/// "the received imdn.Message-ID"
fn message_id<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.message_id = original.imdn_message_id;
    Ok(())
}

/// "Set to IMDN-Record-Route header, if present"
fn imdn_route<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.imdn_route = original.imdn_record_route;
    Ok(())
}

/// "Set to Original-To header, if present"
fn original_recipient_uri<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.original_recipient_uri = original.original_to;
    Ok(())
}

/// "set to CPIM To header received". RFC 5438 7.2.1.2 makes the element mandatory, so without one the SIP To stands in.
fn recipient_uri<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.recipient_uri = if original.cpim_to.is_empty() { original.sip_to } else { original.cpim_to };
    Ok(())
}

/// RFC 3261 8.1.1.4: a new one for each notification.
fn call_id<'a>(original: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.call_id = original.new_call_id;
    Ok(())
}

/// RFC 3261 8.1.1.5.
fn cseq<'a>(_: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.cseq = 1;
    Ok(())
}

/// "message/cpim according to RFC 5438"
fn content_type<'a>(_: &Original<'a>, imdn: &mut DeliveryNotification<'a>) -> Filled {
    imdn.content_type = b"message/cpim";
    Ok(())
}
