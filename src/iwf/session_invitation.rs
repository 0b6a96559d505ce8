//! CPM Session Invitation handling (IWF V3.0 6.1.4, 6.2.2.1.3): what becomes of an invitation, the question to the SMS user,
//! and what its 200 says.

use crate::interwork::address::{NCCSID_SMS, Number};
use crate::interwork::cpm::{Part, SessionInvitation, SessionInvitationRecord};
use crate::interwork::sms::deliver_sm_to_large_message::LARGEMSG;
use crate::interwork::sms::session_invitation::{TABLE_4, has_text};
use crate::interwork::sms::short_message::ShortMessageRecord;
use crate::interwork::table::FieldTable;
use crate::policy::{self, ContactFeatureTag, NoAnswer, Policy};
use crate::wire::sip::{Name, Writer};

use super::Iwf;
use super::invitation::Invitation;
use super::large_message::write_stored;
use super::pager::{Form, NotAcceptable};
use super::split;

/// The CPM Feature Tag of a session, as a parameter of Contact.
const SESSION: &str = "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"";
/// a=accept-types of our descriptions.
pub const ACCEPT_TYPES: &str = "message/cpim";
/// a=accept-wrapped-types of our descriptions; notifications and who is writing are taken, and go no further.
pub const ACCEPT_WRAPPED_TYPES: &str = "text/plain message/imdn+xml application/im-iscomposing+xml";

/// Step 5: "step 6, step 7 or step 8 according to service provider policy".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Step 6: the 200 goes out.
    Accept,
    /// Step 7: this response goes out.
    Refuse(u16, &'static str),
    /// Step 8: the question goes to the SMS user, and 180 to the CPM user.
    Ask,
}

/// What becomes of an invitation.
#[must_use]
pub fn decide(policy: &Policy) -> Decision {
    match policy.session_invitation() {
        policy::SessionInvitation::Accept => Decision::Accept,
        policy::SessionInvitation::Refuse => Decision::Refuse(480, "Temporarily Unavailable"),
        policy::SessionInvitation::Ask => Decision::Ask,
    }
}

/// The response when the SMS user does not answer in time ("e.g., time-out reporting").
#[must_use]
pub const fn no_answer(policy: &Policy) -> (u16, &'static str) {
    match policy.sessions.no_answer {
        NoAnswer::TemporarilyUnavailable => (480, "Temporarily Unavailable"),
        NoAnswer::RequestTimeout => (408, "Request Timeout"),
    }
}

/// Whether a session may have as many media streams (4.4: RCS interworks none with several).
#[must_use]
pub const fn may_have_streams(count: usize, policy: &Policy) -> bool {
    count == 1 || (count > 1 && policy.switches.several_media_streams)
}

/// Step 6b: the CPM Feature Tag as a parameter of our Contact.
#[must_use]
pub const fn contact_parameter(policy: &Policy) -> &'static str {
    match policy.sessions.contact_feature_tag {
        ContactFeatureTag::Session => SESSION,
        ContactFeatureTag::LargeMessage => LARGEMSG,
    }
}

/// Steps 6a, 6c and 6g, and 6.2.4 A): headers of the 200 to the INVITE, beside those of the dialog and its session timer.
pub fn write_accepted(invitation: &Invitation, sms_user: &Number, iwf: &Iwf, headers: &mut Writer<'_>) {
    write_stored(invitation, headers);
    write_identity(sms_user, iwf, headers);
    headers.header(Name::MessageContext, b"pager-message");
}

/// Conv-Func 6.1, "Authenticated Originator's CPM Address".
fn write_identity(sms_user: &Number, iwf: &Iwf, headers: &mut Writer<'_>) {
    let policy = &iwf.policy;
    let mut tel = Vec::with_capacity(32);
    sms_user.write_tel(&policy.addresses, &mut tel);
    let nccsid = if policy.identity.nccsid_in_p_asserted_identity { NCCSID_SMS } else { b"" };
    headers.header_parts(Name::PAssertedIdentity, &[b"<", &tel, nccsid, b">"]);
}

/// Step 8a: the question, in place of what `text` holds; empty where the phone prompts. `assigned` is the number that the
/// session was given.
///
/// # Errors
/// The SMS user has no number, or the inviter none that may be shown.
pub fn write_question(
    invitation: &Invitation,
    assigned: Option<Number>,
    policy: &Policy,
    text: &mut String,
) -> Result<(), NotAcceptable> {
    text.clear();
    let question = policy.sessions.question(&invitation.sms_user(policy)?.digits);
    let Some(question) = question.filter(|_| has_text(assigned.is_some(), policy)) else { return Ok(()) };
    let subject = String::from_utf8_lossy(invitation.subject());
    let template = if subject.is_empty() { &question.text } else { &question.text_with_subject };
    let inviter = inviter(invitation, &question.anonymous_inviter, policy)?;
    let first = |words: &[String]| words.first().cloned().unwrap_or_default();
    let values = [
        ("{inviter}", inviter.as_str()),
        ("{subject}", &subject),
        ("{accept}", &first(&question.accept)),
        ("{decline}", &first(&question.decline)),
    ];
    fill(template, &values, text);
    Ok(())
}

/// "the identity of the inviting CPM User": his number, unless he keeps it.
pub(super) fn inviter(invitation: &Invitation, anonymous: &str, policy: &Policy) -> Result<String, NotAcceptable> {
    if invitation.is_anonymous() {
        return Ok(anonymous.to_owned());
    }
    let number = invitation.cpm_user(policy)?;
    let digits = String::from_utf8_lossy(&number.digits);
    Ok(if number.global { format!("+{digits}") } else { digits.into_owned() })
}

/// Appends `template` with values in the place of their names; what a value holds is never a name.
pub(super) fn fill(template: &str, values: &[(&str, &str)], out: &mut String) {
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let value = values.iter().find(|(name, _)| rest.starts_with(name));
        let (name, value) = value.copied().unwrap_or(("{", "{"));
        out.push_str(value);
        rest = &rest[name.len()..];
    }
    out.push_str(rest);
}

struct Question<'a> {
    invitation: &'a Invitation,
    assigned: Option<Number>,
}

impl split::Source for Question<'_> {
    type Record = SessionInvitationRecord;
    const TABLE: &'static FieldTable<SessionInvitationRecord, ShortMessageRecord> = &TABLE_4;

    fn of_part<'a>(&'a self, part: Part<'a>) -> SessionInvitation<'a> {
        let headers = self.invitation.headers();
        SessionInvitation {
            assigned: self.assigned,
            request_uri: headers.request_uri,
            to: headers.to,
            from: headers.from,
            p_asserted_identity: headers.p_asserted_identity,
            anonymous: headers.anonymous,
            part,
        }
    }
}

/// Step 8c: appends the short messages of a question (6.2.2.1.3 step 3) and says how many they are. `octets` is cleared and
/// used.
///
/// # Errors
/// Why they cannot be written.
pub fn write_short_messages(
    (invitation, assigned): (&Invitation, Option<Number>),
    text: &str,
    form: &Form<'_>,
    reference: u16,
    policy: &Policy,
    octets: &mut Vec<u8>,
    pdus: &mut Vec<u8>,
) -> Result<u8, NotAcceptable> {
    split::write(&Question { invitation, assigned }, text, form, reference, policy, octets, pdus)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_value_is_never_taken_for_a_name() {
        let mut out = String::new();
        fill("{a} {b}{ {c} {a", &[("{a}", "{b}"), ("{b}", "2")], &mut out);
        assert_eq!(out, "{b} 2{ {c} {a");
    }
}
