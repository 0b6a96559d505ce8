//! What Tables 41 to 44 say alike of both reports.

use crate::interwork::address;
use crate::interwork::sms::pager_to_submit_sm::originator_of;
use crate::interwork::table::NotConvertible::{self, Originator, Target};
use crate::wire::mail::{address as mailbox, date};
use crate::wire::span::Span;

use super::envelope::Envelope;
use super::report::{Between, Notified};

pub(super) type Filled = Result<(), NotConvertible>;

/// "to its own SMTP address"
pub(super) fn mail_from<'a>(notified: &Notified<'a>, envelope: &mut Envelope) -> Filled {
    envelope.mail_from = notified.system_address.to_vec();
    Ok(())
}

/// "Request-URI, interworked by the MMS IWF"
pub(super) fn rcpt_to<'a>(notified: &Notified<'a>, envelope: &mut Envelope) -> Filled {
    envelope.rcpt_to.clear();
    write_originator(notified.request_uri, notified, &mut envelope.rcpt_to)
}

/// Recipient Address: "Set to the To header", who sent the multimedia message. TS 23.140 calls him its originator.
pub(super) fn recipient(notified: &Notified<'_>, between: &mut Between) -> Filled {
    let mut written = Ok(());
    let write = |octets: &mut Vec<u8>| written = write_originator(notified.to, notified, octets);
    between.originator = Span::append_with(&mut between.octets, write);
    written
}

/// The number of a URI; without one, as that of an anonymous sender, the address that the multimedia message had.
fn write_originator(uri: &[u8], notified: &Notified<'_>, octets: &mut Vec<u8>) -> Filled {
    if let Some(number) = address::of_uri(uri, &notified.policy.addresses) {
        number.write_mms(notified.mmsc_domain, octets);
        return Ok(());
    }
    let stored = mailbox::first(notified.originator).address;
    octets.extend_from_slice(stored);
    if stored.is_empty() { Err(Target) } else { Ok(()) }
}

/// Sender Address: "P-Asserted-Identity, if present, otherwise From", who has the multimedia message. TS 23.140 calls him its
/// recipient.
pub(super) fn sender(notified: &Notified<'_>, between: &mut Between) -> Filled {
    let Notified { p_asserted_identity, from, policy, .. } = notified;
    let (_, number) = originator_of(p_asserted_identity, from, &policy.addresses).ok_or(Originator)?;
    between.recipient = Span::append_with(&mut between.octets, |octets| number.write_mms(notified.own_domain, octets));
    Ok(())
}

/// "the Date of the CPM Delivery Notification if available, otherwise, the current date and time at the IWF"
pub(super) fn date_unix_s(notified: &Notified<'_>) -> Option<i64> {
    Some(date::unix_s(notified.date).unwrap_or(notified.now_unix_s))
}
