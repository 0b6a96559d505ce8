//! Status reports and what they become: questions of IWF V3.0 6.2.2.1.2 (Table 3), 6.2.3 and 6.2.4.

use serde::{Deserialize, Serialize};

/// How message_state becomes notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reports {
    /// Table 3, the states the page does not list.
    pub other_states: OtherStates,
    /// Whether negative-delivery is honoured (4.4: RCS neither requests nor generates it).
    pub negative_delivery: bool,
    /// Asks for failure reports also where the sender asked for none, so that 6.2.3 2) can tell the Participating
    /// Function of a later failure; Table 1 has NULL there.
    pub always_report_failure: bool,
    /// The outcome of a message of several segments.
    pub several_segments: SeveralSegments,
    /// Status reports about a state that is not final.
    pub intermediate_notification: IntermediateNotification,
    /// How `<interworking-notification>` is written.
    pub interworking_form: InterworkingForm,
    /// Seconds a status report is waited for where neither Expires nor policy says how long a message is valid.
    pub wait_without_validity_s: u32,
    /// Seconds a status report waits for the submit response that names its message_id.
    pub unmatched_hold_s: u32,
    /// The answer when none came.
    pub no_matching_message_id: NoMatchingMessageId,
}

impl Default for Reports {
    fn default() -> Reports {
        Reports {
            other_states: OtherStates::default(),
            negative_delivery: true,
            always_report_failure: false,
            several_segments: SeveralSegments::WorstState,
            intermediate_notification: IntermediateNotification::Ignore,
            interworking_form: InterworkingForm::OmaNamespace,
            wait_without_validity_s: 259_200,
            unmatched_hold_s: 5,
            no_matching_message_id: NoMatchingMessageId::InvalidMessageId,
        }
    }
}

/// `<status>` of `<delivery-notification>`, or that there is none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryAnswer {
    /// No notification: the state is not final.
    None,
    /// delivered
    Delivered,
    /// failed
    Failed,
    /// forbidden
    Forbidden,
    /// error
    Error,
}

/// `<status>` of `<interworking-notification>`, or that there is none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterworkingAnswer {
    /// No notification.
    None,
    /// legacy-sms
    LegacySms,
    /// error
    Error,
}

/// Both notifications for one message_state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateAnswer {
    /// `<delivery-notification>`
    pub delivery: DeliveryAnswer,
    /// `<interworking-notification>`
    pub interworking: InterworkingAnswer,
}

impl StateAnswer {
    const FAILED: StateAnswer =
        StateAnswer { delivery: DeliveryAnswer::Failed, interworking: InterworkingAnswer::Error };
    const NOT_FINAL: StateAnswer =
        StateAnswer { delivery: DeliveryAnswer::None, interworking: InterworkingAnswer::None };
}

/// Table 3 gives DELIVERED, REJECTED and UNKNOWN; these are the rest of SMPP 3.4 5.2.28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtherStates {
    /// ENROUTE, and SCHEDULED (0) of SMPP 5.0
    pub enroute: StateAnswer,
    /// EXPIRED
    pub expired: StateAnswer,
    /// DELETED
    pub deleted: StateAnswer,
    /// UNDELIVERABLE
    pub undeliverable: StateAnswer,
    /// ACCEPTED: read by the operator on behalf of the subscriber.
    pub accepted: StateAnswer,
    /// Values SMPP 3.4 does not know.
    pub reserved: StateAnswer,
}

impl Default for OtherStates {
    fn default() -> OtherStates {
        OtherStates {
            enroute: StateAnswer::NOT_FINAL,
            expired: StateAnswer::FAILED,
            deleted: StateAnswer::FAILED,
            undeliverable: StateAnswer::FAILED,
            accepted: StateAnswer::NOT_FINAL,
            reserved: StateAnswer::FAILED,
        }
    }
}

/// Which state counts for a message that went out as several short messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeveralSegments {
    /// The worst, when all are known.
    #[default]
    WorstState,
    /// The first that is final.
    FirstState,
}

/// What becomes of an intermediate notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntermediateNotification {
    /// None is asked for; one that comes is answered and forgotten.
    #[default]
    Ignore,
    /// Asked for where the sender wants `processing`, and sent on as `<processing-notification>` `stored`.
    Processing,
}

/// Two serialisations of `<interworking-notification>` are in the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterworkingForm {
    /// All in OMA's namespace, which the schema of RFC 5438 allows.
    #[default]
    OmaNamespace,
    /// Only legacy-sms in OMA's namespace, as newer clients write it.
    ImdnNamespace,
}

/// 6.2.2.1.2 step 1a.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMatchingMessageId {
    /// ESME_RINVMSGID, as the text has it.
    #[default]
    InvalidMessageId,
    /// ESME_ROK: SM-SCs that would repeat the report for hours stop.
    Ok,
}
