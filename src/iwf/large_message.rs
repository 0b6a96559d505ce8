//! Large Message Mode CPM Standalone Message handling (IWF V3.0 6.1.2, 6.2.4 B), and the other way: a short message too
//! large for a SIP MESSAGE (6.2.2.2.3).

use crate::engine::Now;
use crate::interwork::sms::deliver_sm_to_large_message::{LARGEMSG, LargeMessageInvite, Received, TABLE_11};
use crate::interwork::sms::parties::Parties;
use crate::limits;
use crate::policy::LargeMessageCounts;
use crate::wire::sip::{Name, Writer};

use super::Iwf;
use super::body::Body;
use super::invitation::Invitation;
use super::message::{self, Minted};
use super::pager::{NotAcceptable, Read, read_text};
use super::retained::Retained;
use super::short_message::{self, Head};

/// The CPM Feature Tag as a parameter of our Contact, in an INVITE and in its 200 (step 4c).
pub const CONTACT_PARAMETER: &str = LARGEMSG;
/// a=accept-types of our descriptions.
pub const ACCEPT_TYPES: &str = "message/cpim";
/// a=accept-wrapped-types of our descriptions: a part of a multipart that is no text is left out (6.2).
pub const ACCEPT_WRAPPED_TYPES: &str = "text/plain multipart/mixed multipart/alternative";
/// The service (Conv-Func Appendix H), in P-Asserted-Service.
pub(super) const SERVICE: &[u8] = b"urn:urn-7:3gpp-service.ims.icsi.oma.cpm.largemsg";

/// Steps 4a and 4b: headers of the 200 to the INVITE, beside those of the dialog.
pub fn write_accepted(invitation: &Invitation, headers: &mut Writer<'_>) {
    write_stored(invitation, headers);
}

/// The stored headers, in a response.
pub(super) fn write_stored(invitation: &Invitation, headers: &mut Writer<'_>) {
    headers.header_if(Name::ConversationId, invitation.conversation_id());
    headers.header_if(Name::ContributionId, invitation.contribution_id());
    headers.header_if(Name::InReplyToContributionId, invitation.in_reply_to_contribution_id());
}

/// Reads a message that came whole, and whose body was looked into ([`super::pager::look_into`]): its headers are those of
/// the INVITE, and Message-Expires takes the place of Expires. Its text replaces what `text` holds.
///
/// # Errors
/// Why it is not acceptable.
pub fn read<'a>(invitation: &'a Invitation, body: &Body<'a>, text: &mut String) -> Result<Read<'a>, NotAcceptable> {
    read_text(body, text)?;
    Ok(Read::new(invitation.headers(), body.cpim, invitation.message_expires_s))
}

/// 6.2.4 B): headers of the 200 to the BYE, beside those of the dialog. Without a message that went out as SMS there is
/// nothing that they could tell.
pub fn write_bye_answered(sent: &Retained, headers: &mut Writer<'_>) {
    headers.header(Name::MessageContext, b"pager-message");
    headers.header_if(Name::MessageCorrelator, sent.get(sent.correlator));
}

/// 6.2.2.2, 6.2.2.2.1 step 3: whether a text is "too large to be sent as one SIP MESSAGE request". `made` and `out` are
/// cleared and used.
#[must_use]
pub fn is_due(
    head: &Head,
    text: &str,
    now: Now,
    iwf: &Iwf,
    minted: &Minted<'_>,
    made: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> bool {
    let octets_max = usize::try_from(iwf.policy.sessions.large_message_octets).unwrap_or(usize::MAX);
    if text.len() > octets_max || iwf.policy.sessions.large_message_counts == LargeMessageCounts::Text {
        return text.len() > octets_max;
    }
    out.clear();
    short_message::write(head, text, now, iwf, minted, made, out);
    out.len() + limits::SIP_VIA_BYTES_MAX > octets_max
}

/// The INVITE for a short message: Table 11. `date` is [`super::date_time::of_sip`].
#[must_use]
pub fn invite<'a>(head: &Head, date: &'a [u8], iwf: &'a Iwf, octets: Vec<u8>) -> LargeMessageInvite<'a> {
    let Head { source, dest, .. } = *head;
    let received = Received { source, dest, date, product: iwf.user_agent.as_bytes(), policy: &iwf.policy };
    let parties = Parties { octets, ..Parties::default() };
    let mut invite = LargeMessageInvite { parties, ..LargeMessageInvite::default() };
    // Addresses are numbers already: there is nothing left that cannot be converted.
    let _filled = TABLE_11.fill(&received, &mut invite);
    invite
}

/// The headers of that INVITE, beside those of the dialog.
pub fn write_invite(invite: &LargeMessageInvite<'_>, minted: &Minted<'_>, headers: &mut Writer<'_>) {
    message::asserted_parties(headers, &invite.parties);
    headers.header(Name::PAssertedService, SERVICE);
    headers.header(Name::AcceptContact, invite.accept_contact.as_bytes());
    headers.header_if(Name::ConversationId, minted.conversation_id);
    headers.header_if(Name::ContributionId, minted.contribution_id);
    if let Some(seconds) = invite.message_expires_s {
        headers.header_named(b"Message-Expires", &[seconds.to_string().as_bytes()]);
    }
    headers.header_if(Name::Date, invite.date);
}

/// Appends the message that goes by MSRP: the text in the wrapper that a Pager Mode message has (Conv-Func 7.2.1.3). Its
/// type is message/cpim.
pub fn write_message(invite: &LargeMessageInvite<'_>, text: &str, now: Now, minted: &Minted<'_>, out: &mut Vec<u8>) {
    short_message::write_wrapped(&invite.parties, text, now, minted, out);
}
