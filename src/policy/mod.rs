//! What the documents leave to "service provider policy": one named question per phrase, with a typed answer.
//!
//! The names of the fields are the keys of the configuration. [`Policy::default`] is the profile `cpm`, which does all
//! that the documents describe; [`Policy::rcs`] is the profile `rcs`, which sets the switches of IWF V3.0 4.4.

pub mod addresses;
pub mod delivery;
pub mod identity;
pub mod mms;
pub mod reports;
pub mod selection;
pub mod sessions;
pub mod submission;
pub mod switches;

pub use addresses::{Addresses, Rewriting, ShortCodes, UnknownTon};
pub use delivery::{Delivery, IncompleteMessage, UnmappedSipStatus};
pub use identity::{Events, Identity};
pub use mms::{
    Anonymity, InterworkingFailure, Mms, NoResponse, RecipientUri, RequestError, RequestStatusByCode,
    ResponseRecipient, SmtpRefusal, TooLargeMms, UnmappedMmStatus, UnmappedRequestStatus, UnsupportedMms,
};
pub use reports::{
    DeliveryAnswer, IntermediateNotification, InterworkingAnswer, InterworkingForm, NoMatchingMessageId, OtherStates,
    Reports, SeveralSegments, StateAnswer,
};
pub use selection::{Network, Selection};
pub use sessions::{
    ContactFeatureTag, Decline, FailureReport, KeywordMatch, LargeMessageCounts, LeavingNotice, NoAnswer, Question,
    SessionInvitation, SessionSender, Sessions, UnsupportedContent, UntaggedInvitation,
};
pub use submission::{
    AnonymousSender, EarlyAnswer, EndToEndProtection, Language, NetworkType, PriorityFlags, StatusOverride, Submission,
    ThrottledSubmit, UnknownOutcome, UnmappedCommandStatus,
};
pub use switches::Switches;

use serde::{Deserialize, Serialize};

/// Every answer of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// IWF V3.0 4.4: what is interworked at all.
    pub switches: Switches,
    /// SMS or MMS.
    pub selection: Selection,
    /// CPM to SMS: 6.1.1, 6.2.2.1.1, Tables 1 and 2.
    pub submission: Submission,
    /// SMS to CPM: 6.2.2.2.1, Tables 9 and 10.
    pub delivery: Delivery,
    /// Status reports and notifications: 6.2.2.1.2, Table 3, 6.2.3, 6.2.4.
    pub reports: Reports,
    /// Sessions and large messages: 6.1.2, 6.1.4 to 6.1.6, Tables 4, 5, 7 and 11.
    pub sessions: Sessions,
    /// CPM to MMS and back: 6.3, Tables 12 to 22 and 35 to 44.
    pub mms: Mms,
    /// E.164 numbers and what is not one.
    pub addresses: Addresses,
    /// Who the gateway says it is: Appendix C and D.
    pub identity: Identity,
    /// Interworking events to the CPM Participating Function: 6.2.3.2.
    pub events: Events,
}

impl Policy {
    /// The profile `rcs`: IWF V3.0 4.4, "RCS does not support" and "RCS also doesn't support or make use of".
    #[must_use]
    pub fn rcs() -> Policy {
        let mut policy = Policy { switches: Switches::rcs(), ..Policy::default() };
        policy.submission.anonymous_sender = AnonymousSender::Refuse;
        policy.reports.negative_delivery = false;
        policy.mms.anonymous_sender = Anonymity::Refuse;
        policy.mms.anonymous_originator = Anonymity::Refuse;
        policy
    }

    /// 6.1.4 step 5, and 4.4: "the IWF shall always accept the session on behalf of the non-CPM user".
    #[must_use]
    pub const fn session_invitation(&self) -> SessionInvitation {
        if self.switches.ask_non_cpm_user { self.sessions.invitation } else { SessionInvitation::Accept }
    }

    /// 6.2.2.2.2 step 2d, and 4.4: "Such reports shall not be requested".
    #[must_use]
    pub const fn success_report(&self) -> bool {
        self.switches.msrp_success_reports && self.sessions.success_report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_the_configuration_format() {
        for policy in [Policy::default(), Policy::rcs()] {
            let text = toml::to_string(&policy).unwrap();
            assert_eq!(toml::from_str::<Policy>(&text).unwrap(), policy, "{text}");
        }
        assert!(toml::from_str::<Policy>("[submission]\nvalidity_s = 1").is_err());
    }
}
