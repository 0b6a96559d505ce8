//! What Tables 35, 36, 39 and 40 say alike of both kinds of CPM Standalone Messages.

use crate::interwork::address::{self, NCCSID_MMS, Number};
use crate::interwork::sms::deliver_sm_to_chat::ANONYMOUS;
use crate::interwork::table::NotConvertible::{self, Anonymous, Originator};
use crate::policy::{Anonymity, Policy};
use crate::wire::mail::mm4::{ForwardReq, Visibility};
use crate::wire::mail::{address as mailbox, encoded_word};
use crate::wire::resource_lists::CopyControl;
use crate::wire::span::Span;

use super::cpm_message::{CpmMessage, Received};

pub(super) type Filled = Result<(), NotConvertible>;

/// Appendix C.
pub(super) fn user_agent<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.user_agent = received.product;
    Ok(())
}

/// "all recipients are added in the CPM Standalone Message body as part of a recipient-list-history body": those that are
/// phones, and whoever RCPT To names beside To and Cc has it as a blind copy.
pub(super) fn recipients<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    let ForwardReq { to, cc, .. } = received.forward_req;
    let policy = received.policy;
    let mut is_named = false;
    message.recipients.clear();
    for (list, copy_control) in [(to, CopyControl::To), (cc, CopyControl::Cc)] {
        for number in numbers(list, policy) {
            is_named |= number == received.recipient;
            message.recipients.push((message.parties.push(number, policy), copy_control));
        }
    }
    if !is_named {
        message.recipients.push((message.parties.push(received.recipient, policy), CopyControl::Bcc));
    }
    if message.recipients.len() == 1 {
        message.recipients.clear();
    }
    Ok(())
}

fn numbers<'a>(list: &'a [u8], policy: &'a Policy) -> impl Iterator<Item = Number> + 'a {
    mailbox::addresses(list).filter_map(|mailbox| number(mailbox.address, policy))
}

/// The number of an MMS address, if it is a phone's.
pub(super) fn number(address: &[u8], policy: &Policy) -> Option<Number> {
    address::of_mms(mailbox::number(address)?, &policy.addresses)
}

/// Steps 1 of both procedures: "If the MMS Sender requested anonymity (that is if Sender visibility is set to Hide) and
/// anonymity is not allowed". Otherwise From, and P-Asserted-Identity unless policy wants it, do not reveal the address.
pub(super) fn from<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    let policy = received.policy;
    let is_anonymous = is_anonymous(received);
    if is_anonymous && is_anonymity_refused(policy) {
        return Err(Anonymous);
    }
    let sender = number(mailbox::first(received.forward_req.from).address, policy);
    if !is_anonymous || policy.mms.assert_anonymous_originator {
        message.parties.set_from(sender.ok_or(Originator)?, NCCSID_MMS, policy);
    }
    if is_anonymous {
        let write = |octets: &mut Vec<u8>| octets.extend([ANONYMOUS.as_bytes(), NCCSID_MMS].concat());
        message.parties.from = Span::append_with(&mut message.parties.octets, write);
        message.display_name = "Anonymous";
    }
    Ok(())
}

fn is_anonymous(received: &Received<'_>) -> bool {
    received.forward_req.sender_visibility == Some(Visibility::Hide)
}

fn is_anonymity_refused(policy: &Policy) -> bool {
    !policy.switches.anonymous_messages || policy.mms.anonymous_originator == Anonymity::Refuse
}

/// "Set to date provided in MM4_forward.REQ, otherwise set to current date and time at the IWF."
pub(super) fn date<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.date_unix_s = received.forward_req.date_unix_s.unwrap_or(received.now_unix_s);
    Ok(())
}

/// "If the value received in Time of Expiry exceeds the service provider policy, set to the service provider value", or
/// "may be set by service provider policy if Time of Expiry is not provided".
pub(super) fn expires<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.expires_s = received.policy.mms.expires_s(left_s(&received.forward_req, received.now_unix_s));
    Ok(())
}

/// Seconds that a multimedia message is still valid: 0 if its Time of Expiry is over, `None` if it has none.
#[must_use]
pub fn left_s(forward_req: &ForwardReq<'_>, now_unix_s: i64) -> Option<u32> {
    let until = forward_req.expiry?.unix_s(forward_req.date_unix_s.unwrap_or(now_unix_s));
    let left_s = until.saturating_sub(now_unix_s).max(0);
    Some(u32::try_from(left_s).unwrap_or(u32::MAX))
}

/// "the Privacy header field values SHALL be set according to RFC 3323 and RFC 3325"
pub(super) fn privacy<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.privacy = if is_anonymous(received) { "id" } else { "" };
    Ok(())
}

/// "set to positive-delivery, negative-delivery"
pub(super) fn delivery_report<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    let policy = received.policy;
    let is_asked = received.forward_req.delivery_report && policy.switches.disposition_notifications;
    message.disposition_notification.positive_delivery = is_asked;
    message.disposition_notification.negative_delivery = is_asked && policy.reports.negative_delivery;
    Ok(())
}

/// "If Read reply is requested"
pub(super) fn read_reply<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    let is_asked = received.forward_req.read_reply && received.policy.switches.disposition_notifications;
    message.disposition_notification.display = is_asked;
    Ok(())
}

/// "Set only if Subject header is set in MMS message." An encoded word can hold a line end, which no SIP header may.
pub(super) fn subject<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.subject.clear();
    encoded_word::decode(received.forward_req.subject, &mut message.subject);
    if message.subject.contains(char::is_control) {
        message.subject = message.subject.replace(char::is_control, " ");
    }
    Ok(())
}

/// "Set per service provider policy."
pub(super) fn max_forwards<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.max_forwards = received.policy.mms.max_forwards;
    Ok(())
}

/// "Interwork the incoming MM4_forward.REQ Content to an RFC 3862 Body", and "function of the Byte-Range": the chunks are
/// the session's.
pub(super) fn body<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.body = received.forward_req.content;
    cpim_content_type(received, message)
}

/// "Set by the IWF": that of the content.
pub(super) fn cpim_content_type<'a>(received: &Received<'a>, message: &mut CpmMessage<'a>) -> Filled {
    message.cpim_content_type = received.forward_req.content_type;
    message.cpim_content_transfer_encoding = received.forward_req.content_transfer_encoding;
    Ok(())
}

/// "Set by the IWF": the same for every request, so the dialog, the session or the transaction writes it.
pub(super) fn by_the_iwf<'a>(_: &Received<'a>, _: &mut CpmMessage<'a>) -> Filled {
    Ok(())
}
