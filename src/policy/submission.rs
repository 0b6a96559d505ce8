//! CPM to SMS: questions of IWF V3.0 6.1.1, 6.2.2.1.1 (Tables 1 and 2) and 6.6.

use serde::{Deserialize, Serialize};

/// How a CPM message becomes a submit_sm (or data_sm) and how its SIP request is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Submission {
    /// Table 1 validity_period: seconds when there is no Expires header; without a value the SM-SC decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity_without_expires_s: Option<u32>,
    /// Table 1 validity_period: most seconds asked for, whatever Expires says; without a value there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity_s_max: Option<u32>,
    /// Table 1 protocol_id and priority_flag: the network behind the SM-SC.
    pub network_type: NetworkType,
    /// Table 1 protocol_id; without a value it follows from `network_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_id: Option<u8>,
    /// Table 1 priority_flag; without a value it follows from `network_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_flag: Option<PriorityFlags>,
    /// Table 1 language_indicator: languages (RFC 5646 primary subtags) and their values, in both directions.
    pub languages: Vec<Language>,
    /// Table 1 data_coding: whether characters may be replaced by look-alikes where that makes a smaller coding do.
    pub transliteration: bool,
    /// Table 2, every command_status the page does not list.
    pub unmapped_command_status: UnmappedCommandStatus,
    /// Answers for single values that the page does not list, a vendor's for instance.
    pub command_status_overrides: Vec<StatusOverride>,
    /// 6.1.1: the answer before the SM-SC has responded.
    pub early_answer: EarlyAnswer,
    /// Milliseconds after which the request is answered whatever the SM-SC does; below 32 s, the end of Timer F at the
    /// sender (RFC 3261 17.1.2.2), and with room for proxies.
    pub answer_deadline_ms: u32,
    /// The answer when nobody knows whether the SM-SC took the message: the link broke, or it did not respond in time.
    pub unknown_outcome: UnknownOutcome,
    /// What becomes of a message whose submit was throttled.
    pub throttled_submit: ThrottledSubmit,
    /// A sender that wants to stay anonymous (RFC 3323 Privacy: id).
    pub anonymous_sender: AnonymousSender,
    /// source_addr for anonymous senders, digits; used if `anonymous_sender` is `replace`.
    pub anonymous_source_addr: String,
    /// 6.6: the refusal of a request that demands end to end protection.
    pub end_to_end_protection: EndToEndProtection,
    /// 6.6: media types whose content only the endpoints can read or vouch for.
    pub protected_content_types: Vec<String>,
}

impl Default for Submission {
    fn default() -> Submission {
        Submission {
            validity_without_expires_s: None,
            validity_s_max: None,
            network_type: NetworkType::Gsm,
            protocol_id: None,
            priority_flag: None,
            languages: Language::of_smpp(),
            transliteration: false,
            unmapped_command_status: UnmappedCommandStatus::default(),
            command_status_overrides: Vec::new(),
            early_answer: EarlyAnswer::None,
            answer_deadline_ms: 25_000,
            unknown_outcome: UnknownOutcome::Refuse,
            throttled_submit: ThrottledSubmit::Refuse,
            anonymous_sender: AnonymousSender::Replace,
            anonymous_source_addr: String::new(),
            end_to_end_protection: EndToEndProtection::NotAcceptableHere,
            protected_content_types: protected_content_types(),
        }
    }
}

impl Submission {
    /// Table 1 protocol_id. SMPP 3.4 5.2.17: in GSM a TP-PID, 0 for plain text between mobiles; others ignore it.
    #[must_use]
    pub fn protocol_id(&self) -> u8 {
        self.protocol_id.unwrap_or(match self.network_type {
            NetworkType::Gsm | NetworkType::Cdma | NetworkType::Tdma => 0,
        })
    }

    /// Table 1 priority_flag.
    #[must_use]
    pub fn priority_flag(&self) -> PriorityFlags {
        self.priority_flag.unwrap_or(PriorityFlags::of(self.network_type))
    }

    /// The validity of a message whose Expires header says `expires_s`; `None`: as long as the SM-SC likes.
    #[must_use]
    pub fn validity_s(&self, expires_s: Option<u32>) -> Option<u32> {
        let asked = expires_s.or(self.validity_without_expires_s)?;
        Some(self.validity_s_max.map_or(asked, |most| asked.min(most)))
    }
}

/// The radio network behind an SM-SC, as far as SMPP fields depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkType {
    /// GSM and its successors.
    #[default]
    Gsm,
    /// IS-95, CDMA2000.
    Cdma,
    /// ANSI-136.
    Tdma,
}

/// priority_flag for each value of the Priority header (RFC 3261 20.26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityFlags {
    /// non-urgent
    pub non_urgent: u8,
    /// normal, and values we do not know
    pub normal: u8,
    /// urgent
    pub urgent: u8,
    /// emergency
    pub emergency: u8,
    /// No Priority header.
    pub absent: u8,
}

impl PriorityFlags {
    /// The levels of SMPP 3.4 5.2.14; for GSM those of Tables 1 and 9 (1 = normal).
    #[must_use]
    pub const fn of(network_type: NetworkType) -> PriorityFlags {
        match network_type {
            // 0 bulk, 1 normal, 2 urgent, 3 very urgent
            NetworkType::Gsm | NetworkType::Tdma => {
                PriorityFlags { non_urgent: 0, normal: 1, urgent: 2, emergency: 3, absent: 1 }
            }
            // 0 normal, 1 interactive, 2 urgent, 3 emergency
            NetworkType::Cdma => PriorityFlags { non_urgent: 0, normal: 0, urgent: 2, emergency: 3, absent: 0 },
        }
    }
}

/// A language and its language_indicator (SMPP 3.4 5.3.2.19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Primary subtag, "en".
    pub tag: String,
    /// Value of the parameter.
    pub indicator: u8,
}

impl Language {
    fn of_smpp() -> Vec<Language> {
        let languages = [("en", 1), ("fr", 2), ("es", 3), ("de", 4), ("pt", 5)];
        languages.map(|(tag, indicator)| Language { tag: tag.into(), indicator }).into()
    }
}

/// SIP status codes by what an error says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnmappedCommandStatus {
    /// The same message would fail again.
    pub permanent: u16,
    /// It may succeed later: 480 lets the Participating Function defer (6.2.3 A). Also for reserved values.
    pub temporary: u16,
    /// The link, not the message, is at fault.
    pub session: u16,
}

impl Default for UnmappedCommandStatus {
    fn default() -> UnmappedCommandStatus {
        UnmappedCommandStatus { permanent: 488, temporary: 480, session: 503 }
    }
}

/// The SIP status code for one command_status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusOverride {
    /// As SMPP has it.
    pub command_status: u32,
    /// The final response.
    pub sip_status: u16,
}

/// 6.1.1: "MAY respond with either 202 or 408 prior to receiving a response".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyAnswer {
    /// The answer waits for the SM-SC.
    #[default]
    None,
    /// 202 as soon as the message is safe here.
    Accepted,
    /// 408 as the text has it, although RFC 4320 4.2 forbids it for such a request.
    RequestTimeout,
}

/// Whether a message that may or may not have been taken counts as taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOutcome {
    /// 480: the sender may try again, and the user may see the message twice.
    #[default]
    Refuse,
    /// 202: the user may never see it.
    Accept,
}

/// ESME_RTHROTTLED to a submit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottledSubmit {
    /// 503 at once, as Table 2 has it.
    #[default]
    Refuse,
    /// It is sent again until the answer is due.
    Retry,
}

/// What becomes of a message whose sender wants to stay anonymous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnonymousSender {
    /// It is refused.
    Refuse,
    /// It is sent with the identity; SMS has no trust domain that would keep it.
    Reveal,
    /// It is sent from `anonymous_source_addr`; without one it is refused.
    #[default]
    Replace,
}

/// The refusal of a request that demands end to end protection; the text gives no code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndToEndProtection {
    /// 488
    #[default]
    NotAcceptableHere,
    /// 403
    Forbidden,
}

fn protected_content_types() -> Vec<String> {
    let types = [
        "multipart/encrypted",
        "multipart/signed",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp-encrypted",
        "message/mls",
        "application/vnd.google.rcs.encrypted",
    ];
    types.map(String::from).into()
}
