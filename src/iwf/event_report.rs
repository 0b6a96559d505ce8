//! CPM Interworking Events handling (IWF V3.0 6.2.3.2).

use crate::policy::Events;
use crate::wire::cpim::event::{self, InterworkingEvent};
use crate::wire::sip::Name;

use super::message::{self, Minted, Service};
use super::retained::Retained;

/// Appends the MESSAGE that tells the Participating Function of a delivery that failed (6.2.3 2).
pub fn write_failed_iw(original: &Retained, events: &Events, user_agent: &str, minted: &Minted<'_>, out: &mut Vec<u8>) {
    let text = |span| core::str::from_utf8(original.get(span)).unwrap_or_default();
    let event = InterworkingEvent::FailedIw {
        cpm_user_address: text(original.originator),
        message_id: text(original.imdn_message_id),
    };
    let (from, to) = (events.iwf_address.as_bytes(), events.pf_address.as_bytes());
    let mut writer = message::start(out, Service::SystemMessage, from, to, minted);
    message::asserted(&mut writer, from, b"");
    writer.header(Name::UserAgent, user_agent.as_bytes());
    writer.body(event::CONTENT_TYPE.as_bytes(), |body| event.write(body));
}
