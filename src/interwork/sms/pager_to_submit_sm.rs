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
use crate::wire::smpp::CommandStatus;
use crate::wire::smpp::command_status::Retry;

use super::parts;
use super::short_message::{ShortMessage, ShortMessageRecord};

type Line = Row<PagerRecord, ShortMessageRecord>;

/// Table 1: Pager Mode CPM Standalone Message to SMS - submit_sm request details.
#[rustfmt::skip]
pub const TABLE_1: FieldTable<PagerRecord, ShortMessageRecord> = FieldTable { cite: IWF_V3.table("6.2.2.1.1", 1), rows: &[
    //         SMPP parameter                                    status     CPM headers                         rule
    Line::new("service_type",                                   Mandatory, &[],                                parts::service_type::<PagerRecord>),
    Line::new("source_addr_ton, source_addr_npi, source_addr",  Mandatory, &["P-Asserted-Identity", "From"],   source_addr),
    Line::new("dest_addr_ton, dest_addr_npi, destination_addr", Mandatory, &["Request-URI", "To"],             destination_addr),
    Line::new("esm_class",                                      Mandatory, &[],                                parts::esm_class::<PagerRecord>),
    Line::new("protocol_id",                                    Mandatory, &[],                                parts::protocol_id::<PagerRecord>),
    Line::new("priority_flag",                                  Mandatory, &["Priority"],                      priority_flag),
    Line::new("schedule_delivery_time",                         Mandatory, &[],                                parts::schedule_delivery_time::<PagerRecord>),
    Line::new("validity_period",                                Mandatory, &["Expires"],                       validity_period),
    Line::new("registered_delivery",                            Mandatory, &["imdn.Disposition-Notification"], registered_delivery),
    Line::new("replace_if_present_flag",                        Mandatory, &[],                                parts::replace_if_present_flag::<PagerRecord>),
    Line::new("data_coding",                                    Mandatory, &["Content-Type"],                  parts::data_coding::<PagerRecord>),
    Line::new("sm_default_msg_id",                              Mandatory, &[],                                parts::sm_default_msg_id::<PagerRecord>),
    Line::new("sm_length",                                      Mandatory, &["Content-Length"],                parts::sm_length::<PagerRecord>),
    Line::new("short_message",                                  Mandatory, &["body"],                          parts::short_message::<PagerRecord>),
    Line::new("language_indicator",                             Optional,  &["Content-Language"],              language_indicator),
    Line::new("sar_msg_ref_num",                                Optional,  &[],                                parts::sar_msg_ref_num::<PagerRecord>),
    Line::new("sar_segment_seqnum",                             Optional,  &[],                                parts::sar_segment_seqnum::<PagerRecord>),
    Line::new("sar_total_segments",                             Optional,  &[],                                parts::sar_total_segments::<PagerRecord>),
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

/// "by extracting the E.164 number from a tel URI or a SIP URI with a user=phone parameter"
fn source_addr<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let policy = pager.part.policy;
    let number = source_of(&pager.p_asserted_identity, pager.from, pager.anonymous, policy)?;
    pdu.set_source(number, &policy.addresses);
    Ok(())
}

/// The number under which a CPM user sends, who may want to stay anonymous.
///
/// # Errors
/// There is none, or none that may be shown.
pub fn source_of(
    p_asserted_identity: &[&[u8]],
    from: &[u8],
    is_anonymous: bool,
    policy: &Policy,
) -> Result<Number, NotConvertible> {
    let originator = || originator_of(p_asserted_identity, from, &policy.addresses).map(|(_, number)| number);
    if is_anonymous { anonymous(originator, policy) } else { originator().ok_or(Originator) }
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
fn anonymous(originator: impl FnOnce() -> Option<Number>, policy: &Policy) -> Result<Number, NotConvertible> {
    let submission = &policy.submission;
    if !policy.switches.anonymous_messages {
        return Err(Anonymous);
    }
    match submission.anonymous_sender {
        AnonymousSender::Refuse => Err(Anonymous),
        AnonymousSender::Reveal => originator().ok_or(Originator),
        AnonymousSender::Replace => replacement(submission.anonymous_source_addr.as_bytes()).ok_or(Anonymous),
    }
}

fn replacement(digits: &[u8]) -> Option<Number> {
    let digits = Inline::from_slice(digits).filter(|digits| !digits.is_empty())?;
    Some(Number { digits, global: true })
}

/// "Request-URI or To"
fn destination_addr<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let addresses = &pager.part.policy.addresses;
    pdu.set_dest(target_of(pager.request_uri, pager.to, addresses)?, addresses);
    Ok(())
}

/// The number of the SMS user.
///
/// # Errors
/// Neither URI has one.
pub fn target_of(request_uri: &[u8], to: &[u8], addresses: &Addresses) -> Result<Number, NotConvertible> {
    address::of_uri(request_uri, addresses).or_else(|| address::of_uri(to, addresses)).ok_or(Target)
}

/// "normal = Level1 priority, in the case of GSM"; RFC 3261 20.26 has three more values.
fn priority_flag<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let flags = pager.part.policy.submission.priority_flag();
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

/// "based on the value of the Expires header if present; otherwise, as per service provider policy"
fn validity_period<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.validity_period_s = pager.part.policy.submission.validity_s(pager.expires_s);
    Ok(())
}

/// Bits of registered_delivery (SMPP 3.4 5.2.17).
const SUCCESS_OR_FAILURE: u8 = 0b01;
const FAILURE: u8 = 0b10;
const INTERMEDIATE: u8 = 0b1_0000;

fn registered_delivery<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.registered_delivery = registered_delivery_of(pager.disposition_notification, pager.part.policy);
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

/// "the corresponding value based on SMPP and service provider policy. Otherwise, NULL": the first language of the list
/// that has one, by its primary subtag.
fn language_indicator<'a>(pager: &Pager<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let mut tags = pager.content_language.split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
    let primary = |tag: &'a [u8]| tag.split(|octet| *octet == b'-').next().unwrap_or_default();
    let languages = &pager.part.policy.submission.languages;
    let known = |tag: &'a [u8]| languages.iter().find(|known| primary(tag).eq_ignore_ascii_case(known.tag.as_bytes()));
    pdu.language_indicator = tags.find_map(known).map(|language| language.indicator);
    Ok(())
}
