//! CPM Session leaving (IWF V3.0 6.1.6): the CPM user's, and the SMS user's by a keyword (6.2.2.2.2). The sections on how
//! they are mapped (6.2.2.1.4, 6.2.2.2.4) are void.

use crate::interwork::sms::session_invitation::matches_keyword;
use crate::policy::{KeywordMatch, LeavingNotice, Policy};

use super::invitation::Invitation;
use super::session_invitation::{fill, inviter};

/// Reason of our BYE when the SMS user leaves (RFC 3326).
pub const CALL_COMPLETED: &[u8] = b"SIP;cause=200;text=\"Call completed\"";

/// 6.2.2.2.2: whether a short message "indicates that the SMS user wishes to leave the session".
#[must_use]
pub fn is_leaving(text: &str, policy: &Policy) -> bool {
    let keywords = &policy.sessions.leave_keywords;
    let says = |keyword: &String| matches_keyword(text, keyword, KeywordMatch::Whole);
    policy.switches.leave_session && keywords.iter().any(says)
}

/// 6.1.6.1 step 3: what the SMS user is told when the CPM user has left, if anything (4.4: RCS tells nothing). `knows`: the
/// SMS user was asked about the session, or it has a number of its own.
#[must_use]
pub fn notice(invitation: &Invitation, knows: bool, policy: &Policy) -> Option<String> {
    let wanted = match policy.sessions.leaving_notice {
        LeavingNotice::Never => false,
        LeavingNotice::Known => knows,
        LeavingNotice::Always => true,
    };
    if !wanted || !policy.switches.inform_of_closing || policy.sessions.leaving_text.is_empty() {
        return None;
    }
    let sms_user = invitation.sms_user(policy).ok()?;
    let anonymous = policy.sessions.question(&sms_user.digits).map_or("", |question| &question.anonymous_inviter);
    let inviter = inviter(invitation, anonymous, policy).ok()?;
    let mut text = String::new();
    fill(&policy.sessions.leaving_text, &[("{inviter}", &inviter)], &mut text);
    Some(text)
}
