//! Pager Mode CPM Standalone Message to SMS. OMA CPM IWF V3.0, 6.2.2.1.1, Tables 1 and 2.

use crate::interwork::address::{self, Number};
use crate::interwork::cite::IWF_V3;
use crate::interwork::cpm::{Pager, PagerRecord};
use crate::interwork::table::NotConvertible::{self, Anonymous, Originator, Target};
use crate::interwork::table::Status::{Mandatory, Optional};
use crate::interwork::table::{FieldTable, Row, ValueMap};
use crate::policy::{Addresses, AnonymousSender, IntermediateNotification, Policy};
use crate::wire::cpim::Dispositions;
use crate::wire::inline::Inline;
use crate::wire::short_message::Concatenation;
use crate::wire::smpp::CommandStatus;
use crate::wire::smpp::command_status::Retry;

use super::short_message::{ShortMessage, ShortMessageRecord};

type Line = Row<PagerRecord, ShortMessageRecord>;

/// Table 1: Pager Mode CPM Standalone Message to SMS - submit_sm request details.
#[rustfmt::skip]
pub const TABLE_1: FieldTable<PagerRecord, ShortMessageRecord> = FieldTable { cite: IWF_V3.table("6.2.2.1.1", 1), rows: &[
    //         SMPP parameter                                    status     CPM headers                         rule
    Line::new("service_type",                                   Mandatory, &[],                                service_type),
    Line::new("source_addr_ton, source_addr_npi, source_addr",  Mandatory, &["P-Asserted-Identity", "From"],   source_addr),
    Line::new("dest_addr_ton, dest_addr_npi, destination_addr", Mandatory, &["Request-URI", "To"],             destination_addr),
    Line::new("esm_class",                                      Mandatory, &[],                                esm_class),
    Line::new("protocol_id",                                    Mandatory, &[],                                protocol_id),
    Line::new("priority_flag",                                  Mandatory, &["Priority"],                      priority_flag),
    Line::new("schedule_delivery_time",                         Mandatory, &[],                                schedule_delivery_time),
    Line::new("validity_period",                                Mandatory, &["Expires"],                       validity_period),
    Line::new("registered_delivery",                            Mandatory, &["imdn.Disposition-Notification"], registered_delivery),
    Line::new("replace_if_present_flag",                        Mandatory, &[],                                replace_if_present_flag),
    Line::new("data_coding",                                    Mandatory, &["Content-Type"],                  data_coding),
    Line::new("sm_default_msg_id",                              Mandatory, &[],                                sm_default_msg_id),
    Line::new("sm_length",                                      Mandatory, &["Content-Length"],                sm_length),
    Line::new("short_message",                                  Mandatory, &["body"],                          short_message),
    Line::new("language_indicator",                             Optional,  &["Content-Language"],              language_indicator),
    Line::new("sar_msg_ref_num",                                Optional,  &[],                                sar_msg_ref_num),
    Line::new("sar_segment_seqnum",                             Optional,  &[],                                sar_segment_seqnum),
    Line::new("sar_total_segments",                             Optional,  &[],                                sar_total_segments),
] };

/// Table 2, response code: "e.g.", so the rest is policy. The numbers of the page are hexadecimal.
#[rustfmt::skip]
pub const COMMAND_STATUS_TO_SIP: ValueMap<CommandStatus, u16> = ValueMap { cite: IWF_V3.table("6.2.2.1.1", 2), rows: &[
    (CommandStatus::ESME_ROK,              202),
    (CommandStatus::ESME_RINVCMDID,        400),
    (CommandStatus::ESME_RINVDSTADR,       404),
    (CommandStatus::ESME_RTHROTTLED,       503),
    (CommandStatus::ESME_RDELIVERYFAILURE, 480),
] };

/// The SIP response code for a command_status: an override of the service provider, Table 2, or policy.
#[must_use]
pub fn sip_status(status: CommandStatus, policy: &Policy) -> u16 {
    let submission = &policy.submission;
    let own = submission.command_status_overrides.iter().find(|own| own.command_status == status.0);
    own.map(|own| own.sip_status).or(COMMAND_STATUS_TO_SIP.get(status)).unwrap_or_else(|| {
        let unmapped = &submission.unmapped_command_status;
        match status.retry() {
            Retry::Permanent => unmapped.permanent,
            Retry::Temporary | Retry::Success => unmapped.temporary,
            Retry::Session => unmapped.session,
        }
    })
}

type Filled = Result<(), NotConvertible>;

/// "Set by the IWF to NULL."
fn service_type<'a>(_: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.service_type = b"";
    Ok(())
}

/// "by extracting the E.164 number from a tel URI or a SIP URI with a user=phone parameter"
fn source_addr<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let addresses = &pager.policy.addresses;
    let number = if pager.anonymous { anonymous(pager)? } else { originator(pager).ok_or(Originator)? };
    pdu.set_source(number, addresses);
    Ok(())
}

fn originator(pager: &Pager<'_>) -> Option<Number> {
    let addresses = &pager.policy.addresses;
    let (_, number) = originator_of(&pager.p_asserted_identity, pager.from, addresses)?;
    Some(number)
}

/// "P-Asserted-Identity, if present, otherwise From": the first URI with a number, and that number.
#[must_use]
pub fn originator_of<'a>(
    p_asserted_identity: &[&'a [u8]],
    from: &'a [u8],
    addresses: &Addresses,
) -> Option<(&'a [u8], Number)> {
    let number = |uri: &'a [u8]| Some((uri, address::of_uri(uri, addresses)?));
    if p_asserted_identity.iter().all(|uri| uri.is_empty()) {
        return number(from);
    }
    p_asserted_identity.iter().copied().find_map(number)
}

/// A short message always shows its sender (RFC 3323 has no counterpart in SMPP), so policy decides.
fn anonymous(pager: &Pager<'_>) -> Result<Number, NotConvertible> {
    let submission = &pager.policy.submission;
    if !pager.policy.switches.anonymous_messages {
        return Err(Anonymous);
    }
    match submission.anonymous_sender {
        AnonymousSender::Refuse => Err(Anonymous),
        AnonymousSender::Reveal => originator(pager).ok_or(Originator),
        AnonymousSender::Replace => replacement(submission.anonymous_source_addr.as_bytes()).ok_or(Anonymous),
    }
}

fn replacement(digits: &[u8]) -> Option<Number> {
    let digits = Inline::from_slice(digits).filter(|digits| !digits.is_empty())?;
    Some(Number { digits, global: true })
}

/// "Request-URI or To"
fn destination_addr<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let addresses = &pager.policy.addresses;
    let target = address::of_uri(pager.request_uri, addresses).or_else(|| address::of_uri(pager.to, addresses));
    pdu.set_dest(target.ok_or(Target)?, addresses);
    Ok(())
}

/// Messaging Mode bits of esm_class (SMPP 3.4 5.2.12).
const TRANSACTION: u8 = 0x02;
const STORE_AND_FORWARD: u8 = 0x03;
/// GSM network specific feature: UDHI.
const UDHI: u8 = 0x40;

/// "Store and Forward"; data_sm is there to be transactional (6.2.2), so it asks for Transaction mode.
fn esm_class<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let mode = if pager.data_sm { TRANSACTION } else { STORE_AND_FORWARD };
    pdu.esm_class = mode | if pager.segment.user_data_header { UDHI } else { 0 };
    Ok(())
}

/// "the appropriate value based on the network type"
fn protocol_id<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.protocol_id = pager.policy.submission.protocol_id();
    Ok(())
}

/// "normal = Level1 priority, in the case of GSM"; RFC 3261 20.26 has three more values.
fn priority_flag<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let flags = pager.policy.submission.priority_flag();
    let is = |value: &[u8]| pager.priority.eq_ignore_ascii_case(value);
    pdu.priority_flag = match () {
        () if pager.priority.is_empty() => flags.absent,
        () if is(b"non-urgent") => flags.non_urgent,
        () if is(b"urgent") => flags.urgent,
        () if is(b"emergency") => flags.emergency,
        () => flags.normal,
    };
    Ok(())
}

/// "NULL for immediate delivery"
fn schedule_delivery_time<'a>(_: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.schedule_delivery_time = b"";
    Ok(())
}

/// "based on the value of the Expires header if present; otherwise, as per service provider policy"
fn validity_period<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.validity_period_s = pager.policy.submission.validity_s(pager.expires_s);
    Ok(())
}

/// Bits of registered_delivery (SMPP 3.4 5.2.17).
const SUCCESS_OR_FAILURE: u8 = 0b01;
const FAILURE: u8 = 0b10;
const INTERMEDIATE: u8 = 0b1_0000;

fn registered_delivery<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.registered_delivery = registered_delivery_of(pager.disposition_notification, pager.policy);
    Ok(())
}

/// The bits for a set of requested notifications.
#[must_use]
pub fn registered_delivery_of(requested: Dispositions, policy: &Policy) -> u8 {
    if !policy.switches.disposition_notifications {
        return 0;
    }
    let negative = requested.negative_delivery && policy.reports.negative_delivery;
    let receipt = if requested.positive_delivery || requested.interworking {
        SUCCESS_OR_FAILURE
    } else if negative || policy.reports.always_report_failure {
        FAILURE
    } else {
        0
    };
    let processing = policy.reports.intermediate_notification == IntermediateNotification::Processing;
    receipt | if processing && requested.processing { INTERMEDIATE } else { 0 }
}

/// Whether these bits ask for a report when the short message arrives; without, only its failure is heard of.
#[must_use]
pub const fn reports_success(registered_delivery: u8) -> bool {
    registered_delivery & FAILURE == 0
}

/// "Set by the IWF to NULL."
fn replace_if_present_flag<'a>(_: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.replace_if_present_flag = 0;
    Ok(())
}

/// "along with character set parameter of Content-Type based on SMPP and service provider policy": the text is Unicode
/// by then, and goes out in the smallest coding of this SM-SC that holds it.
fn data_coding<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.data_coding = pager.data_coding;
    Ok(())
}

/// "Set by the IWF to NULL."
fn sm_default_msg_id<'a>(_: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sm_default_msg_id = 0;
    Ok(())
}

/// "the length of the payload of the resulting short message"; 0 with message_payload (SMPP 3.4 5.3.2.32).
fn sm_length<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sm_length = if pager.in_payload { 0 } else { u8::try_from(pager.octets.len()).unwrap_or(u8::MAX) };
    Ok(())
}

/// "encoded using the encoding scheme indicated by data_coding", "restricted to only the text"
fn short_message<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.message_payload = pager.in_payload.then_some(pager.octets);
    pdu.short_message = if pager.in_payload { b"" } else { pager.octets };
    Ok(())
}

/// "the corresponding value based on SMPP and service provider policy. Otherwise, NULL": the first language of the list
/// that has one, by its primary subtag.
fn language_indicator<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let mut tags = pager.content_language.split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
    let primary = |tag: &'a [u8]| tag.split(|octet| *octet == b'-').next().unwrap_or_default();
    let languages = &pager.policy.submission.languages;
    let known = |tag: &'a [u8]| languages.iter().find(|known| primary(tag).eq_ignore_ascii_case(known.tag.as_bytes()));
    pdu.language_indicator = tags.find_map(known).map(|language| language.indicator);
    Ok(())
}

fn by_sar(pager: &Pager<'_>) -> bool {
    pager.segment.concatenation == Some(Concatenation::Sar)
}

/// "the newly generated reference number to the concatenated SMs"
fn sar_msg_ref_num<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sar_msg_ref_num = by_sar(pager).then_some(pager.segment.reference);
    Ok(())
}

/// "the ordering number of each concatenated SM"
fn sar_segment_seqnum<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sar_segment_seqnum = by_sar(pager).then_some(pager.segment.number);
    Ok(())
}

/// "the total number of concatenated SMs"
fn sar_total_segments<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sar_total_segments = by_sar(pager).then_some(pager.segment.total);
    Ok(())
}
