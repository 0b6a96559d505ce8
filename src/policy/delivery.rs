//! SMS to CPM: questions of IWF V3.0 6.2.2.2 and 6.2.2.2.1 (Tables 9 and 10).

use serde::{Deserialize, Serialize};

use super::NetworkType;

/// How a short message becomes a CPM message and how its PDU is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Table 9 P-Asserted-Identity and From: "a SIP URI, if available", with `{number}` for the E.164 number and its plus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originator_sip_uri: Option<String>,
    /// Table 9 To and Request-URI: the same for the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_sip_uri: Option<String>,
    /// Table 9 Priority: the header value by priority_flag, from 0; an empty one leaves the header out. A larger flag
    /// takes the last. Without a value it follows from `submission.network_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Vec<String>>,
    /// Table 10, every response code the page does not list.
    pub unmapped_sip_status: UnmappedSipStatus,
    /// 6.2.2.2.1 step 2: a concatenated message whose parts do not all come.
    pub incomplete_message: IncompleteMessage,
    /// How long its parts are waited for.
    pub joining_timeout_s: u32,
}

impl Default for Delivery {
    fn default() -> Delivery {
        Delivery {
            originator_sip_uri: None,
            recipient_sip_uri: None,
            priority: None,
            unmapped_sip_status: UnmappedSipStatus::default(),
            incomplete_message: IncompleteMessage::Deliver,
            joining_timeout_s: 300,
        }
    }
}

impl Delivery {
    /// Table 9 Priority for `priority_flag`, empty if there is none.
    #[must_use]
    pub fn priority(&self, priority_flag: u8, network_type: NetworkType) -> &str {
        let place = usize::from(priority_flag);
        match &self.priority {
            Some(own) => own.get(place).or(own.last()).map_or("", String::as_str),
            None => levels(network_type)[place.min(3)],
        }
    }
}

/// What the levels of SMPP 3.4 5.2.14 mean: in GSM Table 9 has 0 to 2; the inverse of
/// [`PriorityFlags`](super::PriorityFlags) for the others.
const fn levels(network_type: NetworkType) -> [&'static str; 4] {
    match network_type {
        NetworkType::Gsm | NetworkType::Tdma => ["non-urgent", "normal", "urgent", "emergency"],
        NetworkType::Cdma => ["normal", "normal", "urgent", "emergency"],
    }
}

/// command_status for response codes that Table 10 does not list. Other 2xx are a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnmappedSipStatus {
    /// For the codes in `temporary_codes`, ESME_RX_T_APPN by default: the SM-SC tries again.
    pub temporary: u32,
    /// For all others, ESME_RX_P_APPN by default.
    pub permanent: u32,
    /// Codes after which another attempt makes sense.
    pub temporary_codes: Vec<u16>,
}

impl Default for UnmappedSipStatus {
    fn default() -> UnmappedSipStatus {
        let temporary_codes = vec![408, 430, 480, 486, 487, 491, 500, 502, 504, 580, 600];
        UnmappedSipStatus { temporary: 0x64, permanent: 0x65, temporary_codes }
    }
}

impl UnmappedSipStatus {
    /// The answer for `code`.
    #[must_use]
    pub fn of(&self, code: u16) -> u32 {
        if self.temporary_codes.contains(&code) { self.temporary } else { self.permanent }
    }
}

/// A concatenated short message whose time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteMessage {
    /// The parts that came are delivered.
    #[default]
    Deliver,
    /// It is dropped; parts still unanswered get an error.
    Refuse,
}
