//! SMS Status Report to CPM Delivery Notification (IWF V3.0 6.2.2.1.2 steps 3 and 4): the SIP MESSAGE with its IMDN.

use crate::interwork::sms::deliver_sm_to_chat::ANONYMOUS;
use crate::interwork::sms::parties::Parties;
use crate::interwork::sms::status_report_to_imdn::{DeliveryNotification, Original, TABLE_3};
use crate::policy;
use crate::wire::cpim::imdn::{self, InterworkingForm, Notification, Report, Status};
use crate::wire::cpim::{Dispositions, Wrapper};
use crate::wire::sip::Name;

use super::Iwf;
use super::message::{self, Minted, Service};
use super::retained::Retained;

/// IMDN-Route values that are passed on; RFC 5438 6.3.7 has one for each intermediary that asked for it.
const ROUTES_MAX: usize = 8;

/// Appends the MESSAGE that carries one notification about the message `original`.
pub fn write(original: &Retained, status: (Notification, Status), iwf: &Iwf, minted: &Minted<'_>, out: &mut Vec<u8>) {
    let notification = filled(original, status, iwf, minted);
    write_message(&notification, iwf.policy.reports.interworking_form, minted, out);
}

/// Appends the body of the MSRP SEND that carries it inside of the session (6.2.4 2a, 6.2.2.1.5); its type is message/cpim.
/// In a one-to-one session CPIM names nobody (6.1.5.1 step 2).
pub fn write_in_session(
    original: &Retained,
    status: (Notification, Status),
    iwf: &Iwf,
    minted: &Minted<'_>,
    body: &mut Vec<u8>,
) {
    let mut notification = filled(original, status, iwf, minted);
    (notification.cpim_from, notification.cpim_to) = (ANONYMOUS.as_bytes(), ANONYMOUS.as_bytes());
    write_cpim(&notification, iwf.policy.reports.interworking_form, body);
}

fn filled<'a>(
    original: &'a Retained,
    status: (Notification, Status),
    iwf: &'a Iwf,
    minted: &Minted<'a>,
) -> DeliveryNotification<'a> {
    let mut notification = DeliveryNotification::default();
    let source = Original {
        sip_to: original.get(original.sip_to),
        cpim_to: original.get(original.cpim_to),
        originator: original.get(original.originator),
        conversation_id: original.get(original.conversation_id),
        contribution_id: original.get(original.contribution_id),
        date_time: original.get(original.date_time),
        imdn_message_id: original.get(original.imdn_message_id),
        imdn_record_route: original.get(original.imdn_record_route),
        original_to: original.get(original.original_to),
        status,
        product: iwf.user_agent.as_bytes(),
        new_message_id: minted.message_id,
        new_call_id: minted.call_id,
    };
    // Its rules only copy: there is nothing that cannot be converted.
    let _filled = TABLE_3.fill(&source, &mut notification);
    notification
}

fn write_message(
    notification: &DeliveryNotification<'_>,
    form: policy::InterworkingForm,
    minted: &Minted<'_>,
    out: &mut Vec<u8>,
) {
    let mut writer = message::start(out, Service::Message, notification.from, notification.to, minted);
    message::asserted(&mut writer, notification.from, b"");
    writer.header_if(Name::ConversationId, notification.conversation_id);
    writer.header_if(Name::ContributionId, notification.contribution_id);
    writer.header(Name::UserAgent, notification.user_agent);
    writer.body(notification.content_type, |body| write_cpim(notification, form, body));
}

/// The MESSAGE for a report that names both parties itself; `date` may be empty.
pub(super) fn write_filled(
    notification: &DeliveryNotification<'_>,
    parties: &Parties,
    date: &[u8],
    iwf: &Iwf,
    minted: &Minted<'_>,
    out: &mut Vec<u8>,
) {
    let mut writer = message::start(out, Service::Message, notification.from, notification.to, minted);
    message::asserted_parties(&mut writer, parties);
    writer.header_if(Name::ConversationId, notification.conversation_id);
    writer.header_if(Name::ContributionId, notification.contribution_id);
    writer.header_if(Name::Date, date);
    writer.header(Name::UserAgent, notification.user_agent);
    let form = iwf.policy.reports.interworking_form;
    writer.body(notification.content_type, |body| write_cpim(notification, form, body));
}

fn write_cpim(notification: &DeliveryNotification<'_>, form: policy::InterworkingForm, body: &mut Vec<u8>) {
    let mut routes: [&[u8]; ROUTES_MAX] = [b""; ROUTES_MAX];
    let values = notification.imdn_route.split(|octet| *octet == b'\n').filter(|route| !route.is_empty());
    let count = routes.iter_mut().zip(values).map(|(place, route)| *place = route).count();
    let wrapper = Wrapper {
        from: notification.cpim_from,
        to: notification.cpim_to,
        message_id: notification.imdn_message_id,
        routes: routes.get(..count).unwrap_or_default(),
        dispositions: Dispositions::NONE,
        content_type: imdn::CONTENT_TYPE.as_bytes(),
        content_disposition: notification.content_disposition,
        ..Wrapper::default()
    };
    wrapper.write_with(|content| report(notification, form).write(content), body);
}

fn report<'a>(notification: &DeliveryNotification<'a>, form: policy::InterworkingForm) -> Report<'a> {
    let text = |octets: &'a [u8]| core::str::from_utf8(octets).unwrap_or_default();
    Report {
        message_id: text(notification.message_id),
        datetime: text(notification.datetime),
        recipient_uri: text(notification.recipient_uri),
        original_recipient_uri: text(notification.original_recipient_uri),
        subject: "",
        notification: notification.status.0,
        status: notification.status.1,
        interworking_form: match form {
            policy::InterworkingForm::OmaNamespace => InterworkingForm::OmaNamespace,
            policy::InterworkingForm::ImdnNamespace => InterworkingForm::ImdnNamespace,
        },
    }
}
