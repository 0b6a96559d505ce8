//! CPM Session Invitation to SMS, and the SMS user's answer. OMA CPM IWF V3.0, 6.2.2.1.3, Tables 4 and 5.

use crate::interwork::cite::IWF_V3;
use crate::interwork::cpm::{SessionInvitation, SessionInvitationRecord};
use crate::interwork::table::Status::Mandatory;
use crate::interwork::table::{FieldTable, NotConvertible, Row, ValueMap};
use crate::policy::{Decline, KeywordMatch, NetworkType, Policy};

use super::pager_to_submit_sm::{source_of, target_of};
use super::parts;
use super::short_message::{ShortMessage, ShortMessageRecord};

type From = SessionInvitationRecord;
type Line = Row<From, ShortMessageRecord>;

/// Table 4: CPM Session Initiation to SMS - submit_sm request details.
#[rustfmt::skip]
pub const TABLE_4: FieldTable<From, ShortMessageRecord> = FieldTable { cite: IWF_V3.table("6.2.2.1.3", 4), rows: &[
    //         submit_sm parameter                               status     SIP INVITE                        rule
    Line::new("service_type",                                   Mandatory, &[],                              parts::service_type::<From>),
    Line::new("source_addr_ton, source_addr_npi, source_addr",  Mandatory, &["P-Asserted-Identity", "From"], source_addr),
    Line::new("dest_addr_ton, dest_addr_npi, destination_addr", Mandatory, &["Request-URI", "To"],           destination_addr),
    Line::new("esm_class",                                      Mandatory, &[],                              parts::esm_class::<From>),
    Line::new("protocol_id",                                    Mandatory, &[],                              parts::protocol_id::<From>),
    Line::new("priority_flag",                                  Mandatory, &[],                              parts::priority_flag::<From>),
    Line::new("schedule_delivery_time",                         Mandatory, &[],                              parts::schedule_delivery_time::<From>),
    Line::new("validity_period",                                Mandatory, &[],                              validity_period),
    Line::new("registered_delivery",                            Mandatory, &[],                              registered_delivery),
    Line::new("replace_if_present_flag",                        Mandatory, &[],                              parts::replace_if_present_flag::<From>),
    Line::new("data_coding",                                    Mandatory, &[],                              parts::data_coding::<From>),
    Line::new("sm_default_msg_id",                              Mandatory, &[],                              sm_default_msg_id),
    Line::new("sm_length",                                      Mandatory, &[],                              parts::sm_length::<From>),
    Line::new("short_message",                                  Mandatory, &[],                              short_message),
] };

/// The SMS user's answer to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Accept,
    /// No.
    Decline,
}

/// Table 5, response code.
#[rustfmt::skip]
pub const ANSWER_TO_SIP: ValueMap<Answer, (u16, &str)> = ValueMap { cite: IWF_V3.table("6.2.2.1.3", 5), rows: &[
    (Answer::Accept,  (200, "OK")),
    (Answer::Decline, (603, "Decline")),
] };

/// 6.2.2.1.3 step 3: the answer that a short message holds, if it is one: "interpret the received text accordingly based
/// on the service provider policy", or the user_response_code of CDMA and TDMA. Keywords count in every language.
#[must_use]
pub fn answer_of(text: &str, user_response_code: Option<u8>, policy: &Policy) -> Option<Answer> {
    let sessions = &policy.sessions;
    if let Some(code) = user_response_code {
        let accepts = sessions.accept_codes.contains(&code);
        return Some(if accepts { Answer::Accept } else { Answer::Decline });
    }
    let is =
        |keywords: &[String]| keywords.iter().any(|keyword| matches_keyword(text, keyword, sessions.keyword_match));
    let accepts = sessions.questions.iter().any(|question| is(&question.accept));
    let declines = sessions.questions.iter().any(|question| is(&question.decline));
    match (accepts, declines) {
        (true, false) => Some(Answer::Accept),
        (false, true) => Some(Answer::Decline),
        _ => None,
    }
}

/// Whether `text` is `keyword`, or begins with it as `how` allows, in any case, with spaces and punctuation around it.
#[must_use]
pub fn matches_keyword(text: &str, keyword: &str, how: KeywordMatch) -> bool {
    let text = text.trim_matches(is_around);
    let mut rest = text.chars().flat_map(char::to_lowercase);
    let mut keyword = keyword.trim_matches(is_around).chars().flat_map(char::to_lowercase).peekable();
    if keyword.peek().is_none() || !keyword.all(|expected| rest.next() == Some(expected)) {
        return false;
    }
    match rest.next() {
        None => true,
        Some(next) => how == KeywordMatch::Beginning && !next.is_alphanumeric(),
    }
}

fn is_around(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | ',' | '!' | '?' | ';' | ':' | '"' | '\'' | '(' | ')' | '“' | '”' | '„' | '¡')
}

/// The SIP response to the INVITE: Table 5, and 6.1.4 step 8d, which leaves 480 or 603 to "the circumstances to decline".
#[must_use]
pub fn sip_status(answer: Answer, policy: &Policy) -> (u16, &'static str) {
    match (answer, policy.sessions.decline) {
        (Answer::Decline, Decline::TemporarilyUnavailable) => (480, "Temporarily Unavailable"),
        _ => ANSWER_TO_SIP.get(answer).unwrap_or((603, "Decline")),
    }
}

type Filled = Result<(), NotConvertible>;

/// "the corresponding routable originating user's address", or the address that was assigned (step 1).
fn source_addr<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let SessionInvitation { assigned, p_asserted_identity, from, anonymous, part, .. } = invitation;
    let own = || source_of(p_asserted_identity, from, *anonymous, part.policy);
    pdu.set_source(assigned.map_or_else(own, Ok)?, &part.policy.addresses);
    Ok(())
}

/// "Request-URI or To"
fn destination_addr<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let addresses = &invitation.part.policy.addresses;
    pdu.set_dest(target_of(invitation.request_uri, invitation.to, addresses)?, addresses);
    Ok(())
}

/// "based on the service provider's policy": a question that comes later than its answer is waited for is of no use.
fn validity_period<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.validity_period_s = Some(invitation.part.policy.sessions.answer_timeout_s);
    Ok(())
}

/// CDMA: SME Manual/User Acknowledgement requested; GSM: NULL.
fn registered_delivery<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    let policy = invitation.part.policy;
    pdu.registered_delivery = match policy.submission.network_type {
        NetworkType::Gsm => 0,
        NetworkType::Cdma | NetworkType::Tdma => policy.sessions.user_acknowledgement,
    };
    Ok(())
}

/// "based on the service provider policy. Otherwise, set to Null."
fn sm_default_msg_id<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    pdu.sm_default_msg_id = invitation.part.policy.sessions.sm_default_msg_id;
    Ok(())
}

/// "CDMA/TDMA: None, GSM: pre-defined text": the part has what there is. A question too long for one short message is
/// split as a chat message is (Table 7).
fn short_message<'a>(invitation: &SessionInvitation<'a>, pdu: &mut ShortMessage<'a>) -> Filled {
    parts::sar_msg_ref_num::<From>(invitation, pdu)?;
    parts::sar_segment_seqnum::<From>(invitation, pdu)?;
    parts::sar_total_segments::<From>(invitation, pdu)?;
    parts::short_message::<From>(invitation, pdu)
}

/// Whether the invitation has a text at all: the phone prompts where the network has user acknowledgement, but "if a new
/// address has been assigned, the identity of the inviting CPM User SHALL be included in the body".
#[must_use]
pub fn has_text(assigned: bool, policy: &Policy) -> bool {
    assigned || policy.submission.network_type == NetworkType::Gsm
}
