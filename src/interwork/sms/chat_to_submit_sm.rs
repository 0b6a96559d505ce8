//! CPM Chat Message to SMS. OMA CPM IWF V3.0, 6.2.2.1.5, Table 7, and what the last chunk is answered (6.1.2, 6.2.3 B).

use crate::interwork::cite::IWF_V3;
use crate::interwork::cpm::{ChatMessage, ChatMessageRecord};
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, NotConvertible, Row, ValueMap};
use crate::policy::{Policy, UnsupportedContent};

use super::pager_to_submit_sm::registered_delivery_of;
use super::parts;
use super::short_message::{ShortMessage, ShortMessageRecord};

type From = ChatMessageRecord;
type Line = Row<From, ShortMessageRecord>;

/// Table 7: CPM Chat Message to SMS - submit_sm request details.
#[rustfmt::skip]
pub const TABLE_7: FieldTable<From, ShortMessageRecord> = FieldTable { cite: IWF_V3.table("6.2.2.1.5", 7), rows: &[
    //         submit_sm parameter                               status     MSRP SEND                           rule
    Line::new("service_type",                                   Mandatory, &[],                                parts::service_type::<From>),
    Line::new("source_addr_ton, source_addr_npi, source_addr",  Mandatory, &[],                                source_addr),
    Line::new("dest_addr_ton, dest_addr_npi, destination_addr", Mandatory, &[],                                destination_addr),
    Line::new("esm_class",                                      Mandatory, &[],                                parts::esm_class::<From>),
    Line::new("protocol_id",                                    Mandatory, &[],                                parts::protocol_id::<From>),
    Line::new("priority_flag",                                  Mandatory, &[],                                parts::priority_flag::<From>),
    Line::new("schedule_delivery_time",                         Mandatory, &[],                                parts::schedule_delivery_time::<From>),
    Line::new("validity_period",                                Mandatory, &[],                                validity_period),
    Line::new("replace_if_present_flag",                        Mandatory, &[],                                parts::replace_if_present_flag::<From>),
    Line::new("data_coding",                                    Mandatory, &["Content-Type"],                  parts::data_coding::<From>),
    Line::new("sm_default_msg_id",                              Mandatory, &[],                                parts::sm_default_msg_id::<From>),
    Line::new("sm_length",                                      Mandatory, &["Content-Length"],                parts::sm_length::<From>),
    Line::new("short_message",                                  Mandatory, &["CPIM From", "body"],             parts::short_message::<From>),
    Line::new("sar_msg_ref_num",                                Optional,  &[],                                parts::sar_msg_ref_num::<From>),
    Line::new("sar_segment_seqnum",                             Optional,  &[],                                parts::sar_segment_seqnum::<From>),
    Line::new("sar_total_segments",                             Optional,  &[],                                parts::sar_total_segments::<From>),
    Line::new("registered_delivery",                            Mandatory, &["imdn.Disposition-Notification"], registered_delivery),
] };

/// How a message that came by MSRP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The SM-SC took every short message, or there was nothing to send: a notification, an empty message.
    Taken,
    /// Its content, or so much of it, cannot be interworked (6.2.2.1.5 step 2a).
    NotInterworkable,
    /// Its wrapper makes no sense.
    Malformed,
    /// The SM-SC refused it, nobody knows whether it did, or no link to it is left (6.2.3 B).
    Failed,
    /// It is answered before the SM-SC has responded ("MAY respond with a 408").
    TimedOut,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Ending; 5] =
        [Ending::Taken, Ending::NotInterworkable, Ending::Malformed, Ending::Failed, Ending::TimedOut];
}

/// The MSRP response to the last chunk. One code serves two causes: only after a failed delivery a BYE follows.
#[rustfmt::skip]
pub const ENDING_TO_MSRP: ValueMap<Ending, u16> = ValueMap { cite: IWF_V3.text("6.2.3"), rows: &[
    (Ending::Taken,            200), // 6.2.2.1.5 step 5
    (Ending::NotInterworkable, 413), // 6.2.2.1.5 step 2a
    (Ending::Malformed,        400), // RFC 4975 10.2
    (Ending::Failed,           413), // 6.2.3 B
    (Ending::TimedOut,         408), // 6.1.2
] };

/// Reason of the BYE that follows a failed delivery (6.2.3 B, RFC 3326).
pub const BEARER_UNAVAILABLE: &[u8] = b"SIP;cause=480;text=\"Bearer unavailable\"";

/// The MSRP response for an ending.
#[must_use]
pub fn msrp_status(ending: Ending, policy: &Policy) -> u16 {
    match (ending, policy.sessions.unsupported_content) {
        (Ending::NotInterworkable, UnsupportedContent::UnsupportedMediaType) => 415,
        // Every ending has a row: a test holds that.
        _ => ENDING_TO_MSRP.get(ending).unwrap_or(400),
    }
}

/// Whether the session ends with it: 6.2.3 B, "followed by a SIP BYE request".
#[must_use]
pub fn ends_session(ending: Ending) -> bool {
    ending == Ending::Failed
}

type Filled = Result<(), NotConvertible>;

/// "the corresponding routable address as per section 6.2.2.1.3"
fn source_addr<'a>(message: &ChatMessage<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.set_source(message.sender, &message.part.policy.addresses);
    Ok(())
}

/// "based on To header or Request-URI received in SIP INVITE request"
fn destination_addr<'a>(message: &ChatMessage<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.set_dest(message.sms_user, &message.part.policy.addresses);
    Ok(())
}

/// "Set to NULL."
fn validity_period<'a>(_: &ChatMessage<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.validity_period_s = None;
    Ok(())
}

/// "positive-delivery, negative-delivery, interworking or any combination of them": the values are those of Table 1.
fn registered_delivery<'a>(message: &ChatMessage<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.registered_delivery = registered_delivery_of(message.disposition_notification, message.part.policy);
    Ok(())
}
