//! CPM Delivery Notification to MM4_delivery_report.REQ, and CPM Read Report to MM4_read_reply_report.REQ (IWF V3.0
//! 6.3.1.2.3, 6.3.1.2.4).

use crate::engine::Now;
use crate::interwork::mms::envelope::Envelope;
use crate::interwork::mms::imdn_to_delivery_report::{TABLE_41, TABLE_42};
use crate::interwork::mms::imdn_to_read_reply::{TABLE_43, TABLE_44};
use crate::interwork::mms::report::{DeliveryReport, Notified, ReadReplyReport};
use crate::interwork::table::NotConvertible;
use crate::iwf::Iwf;
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::sip::{Message, Name, NameAddr};

use super::unix_s;

/// The SIP headers of a notification, as they are handed to the owner of the MM.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// Request-URI
    pub request_uri: Vec<u8>,
    /// To, a URI
    pub to: Vec<u8>,
    /// From, a URI
    pub from: Vec<u8>,
    /// P-Asserted-Identity, URIs
    pub p_asserted_identity: [Vec<u8>; 2],
    /// Date
    pub date: Vec<u8>,
}

impl Headers {
    /// Those of a MESSAGE.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Headers {
        let mut p_asserted_identity = [Vec::new(), Vec::new()];
        let asserted = message.values(Name::PAssertedIdentity).filter_map(NameAddr::parse);
        p_asserted_identity.iter_mut().zip(asserted).for_each(|(place, address)| *place = address.uri.to_vec());
        Headers {
            request_uri: message.request_uri().to_vec(),
            to: message.to().map(|to| to.uri.to_vec()).unwrap_or_default(),
            from: message.from().map(|from| from.uri.to_vec()).unwrap_or_default(),
            p_asserted_identity,
            date: message.header(Name::Date).unwrap_or_default().to_vec(),
        }
    }
}

/// The MM that a notification is about, and who reports to whom.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its Message ID, as its request wrote it
    pub message_id: &'a [u8],
    /// Its sender's address, as its request wrote it
    pub originator: &'a [u8],
    /// Minted: Transaction ID
    pub transaction_id: &'a [u8],
    /// Host part of its sender's address
    pub domain: &'a [u8],
    /// Host part of our addresses
    pub own_domain: &'a [u8],
    /// Our address as an MMS Relay/Server
    pub system_address: &'a [u8],
}

/// Appends the mail that is MM4_delivery_report.REQ.
///
/// # Errors
/// Who reports, or to whom, has no address.
pub fn write_delivery_report(
    headers: &Headers,
    status: (Notification, Status),
    about: &About<'_>,
    now: Now,
    iwf: &Iwf,
    mail: &mut Vec<u8>,
) -> Result<Envelope, NotConvertible> {
    let notified = notified(headers, status, about, now, iwf);
    let (mut envelope, mut report) = (Envelope::default(), DeliveryReport::default());
    TABLE_41.fill(&notified, &mut envelope)?;
    TABLE_42.fill(&notified, &mut report)?;
    report.delivery_report_req().write_head(&mail_id(about), mail);
    Ok(envelope)
}

/// Appends the mail that is MM4_read_reply_report.REQ.
///
/// # Errors
/// Who reports, or to whom, has no address.
pub fn write_read_reply(
    headers: &Headers,
    status: (Notification, Status),
    about: &About<'_>,
    now: Now,
    iwf: &Iwf,
    mail: &mut Vec<u8>,
) -> Result<Envelope, NotConvertible> {
    let notified = notified(headers, status, about, now, iwf);
    let (mut envelope, mut report) = (Envelope::default(), ReadReplyReport::default());
    TABLE_43.fill(&notified, &mut envelope)?;
    TABLE_44.fill(&notified, &mut report)?;
    report.read_reply_report_req().write_head(&mail_id(about), mail);
    Ok(envelope)
}

fn mail_id(about: &About<'_>) -> Vec<u8> {
    [about.transaction_id, b"@", about.own_domain].concat()
}

fn notified<'a>(
    headers: &'a Headers,
    status: (Notification, Status),
    about: &About<'a>,
    now: Now,
    iwf: &'a Iwf,
) -> Notified<'a> {
    let [one, other] = &headers.p_asserted_identity;
    Notified {
        request_uri: &headers.request_uri,
        to: &headers.to,
        from: &headers.from,
        p_asserted_identity: [one, other],
        date: &headers.date,
        status,
        message_id: about.message_id,
        originator: about.originator,
        now_unix_s: unix_s(now),
        transaction_id: about.transaction_id,
        mmsc_domain: about.domain,
        own_domain: about.own_domain,
        system_address: about.system_address,
        policy: &iwf.policy,
    }
}
