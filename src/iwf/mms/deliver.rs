//! MMS to CPM Standalone Message (IWF V3.0 6.3.1.2.1, 6.3.1.2.2): MM4_forward.REQ becomes a SIP MESSAGE, or an INVITE and
//! what follows it by MSRP, for each of its recipients.

use crate::engine::Now;
use crate::interwork::address::Number;
use crate::interwork::mms::cpm_message::{CpmMessage, Received};
use crate::interwork::mms::forward_req_to_large_message::{MSRP_SEND, TABLE_39, TABLE_40};
use crate::interwork::mms::forward_req_to_pager::{TABLE_35, TABLE_36};
use crate::interwork::table::NotConvertible;
use crate::iwf::large_message::SERVICE;
use crate::iwf::message::{self, Minted, Sender, Service};
use crate::iwf::{Iwf, date_time};
use crate::limits;
use crate::wire::cpim::Wrapper;
use crate::wire::mail::mime::{self, Channel, Entity};
use crate::wire::mail::mm4::ForwardReq;
use crate::wire::resource_lists;
use crate::wire::sip::{Name, Writer};

use super::unix_s;

/// The content of an MM as CPM carries it: octets as they are, in the multipart that they came in.
#[derive(Clone, Debug, Default)]
pub struct Content {
    content_type: Vec<u8>,
    transfer_encoding: Vec<u8>,
    body: Vec<u8>,
}

impl Content {
    /// That of an MM4_forward.REQ.
    #[must_use]
    pub fn of(forward: &ForwardReq<'_>) -> Content {
        let mut content = Content::default();
        let whole = Entity::new(forward.content_type, forward.content_transfer_encoding, forward.content);
        let (content_type, body) = (&mut content.content_type, &mut content.body);
        let rewritten = mime::rewrite(whole, |_| true, Channel::Binary, content_type, body);
        content.transfer_encoding = rewritten.content_transfer_encoding.to_vec();
        content
    }

    /// Octets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Media types of its parts, and of what holds them, for a=accept-wrapped-types (6.3.1.2.2 step 2a).
    #[must_use]
    pub fn wrapped_types(&self) -> String {
        let mut types = String::new();
        for media_type in mime::leaf_types(&self.content_type, &self.body) {
            add_type(media_type, &mut types);
        }
        add_type(Entity::new(&self.content_type, b"", b"").media_type(), &mut types);
        types
    }
}

fn add_type(media_type: &[u8], types: &mut String) {
    let media_type = String::from_utf8_lossy(media_type).to_ascii_lowercase();
    if !media_type.is_empty() && !types.split(' ').any(|known| known == media_type) {
        types.push_str(if types.is_empty() { "" } else { " " });
        types.push_str(&media_type);
    }
}

/// How a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a MESSAGE.
    Pager,
    /// By MSRP, after an INVITE.
    Large,
}

/// The message for one recipient.
///
/// # Errors
/// Why there is none.
pub fn message<'a>(
    forward: &ForwardReq<'a>,
    content: &'a Content,
    recipient: Number,
    mode: Mode,
    now: Now,
    iwf: &'a Iwf,
) -> Result<CpmMessage<'a>, NotConvertible> {
    let forward_req = ForwardReq {
        content_type: &content.content_type,
        content_transfer_encoding: &content.transfer_encoding,
        content: &content.body,
        ..*forward
    };
    let (product, policy) = (iwf.mms_user_agent.as_bytes(), &iwf.policy);
    let received = Received { forward_req, recipient, now_unix_s: unix_s(now), product, policy };
    let mut message = CpmMessage::default();
    match mode {
        Mode::Pager => {
            TABLE_35.fill(&received, &mut message)?;
            TABLE_36.fill(&received, &mut message)?;
        }
        Mode::Large => {
            TABLE_39.fill(&received, &mut message)?;
            TABLE_40.fill(&received, &mut message)?;
            MSRP_SEND.fill(&received, &mut message)?;
        }
    }
    Ok(message)
}

/// 6.3.1.2: whether a MESSAGE of so many octets, Via aside, is larger than one may be.
#[must_use]
pub fn is_large(octets: usize, iwf: &Iwf) -> bool {
    let octets_max = usize::try_from(iwf.policy.mms.large_message_octets).unwrap_or(usize::MAX);
    octets + limits::SIP_VIA_BYTES_MAX > octets_max
}

/// Whether a content is too large for any MESSAGE, its headers and those of its wrapper counted.
#[must_use]
pub fn is_beyond_messages(content: &Content) -> bool {
    content.body.len() + HEADERS_BYTES_MAX > limits::SIP_MESSAGE_BYTES_MAX
}

/// Octets of the headers of a MESSAGE and of what is in it, a list of recipients included.
const HEADERS_BYTES_MAX: usize = 32 << 10;

/// Appends the MESSAGE.
pub fn write_pager(message: &CpmMessage<'_>, now: Now, minted: &Minted<'_>, out: &mut Vec<u8>) {
    let parties = &message.parties;
    let sender = Sender { display_name: message.display_name, uri: parties.from(), max_forwards: message.max_forwards };
    let mut writer = message::start_from(out, Service::Message, &sender, parties.to(), minted);
    write_headers(message, minted, &mut writer);
    if let Some(seconds) = message.expires_s {
        writer.number(Name::Expires, u64::from(seconds));
    }
    if !has_list(message) {
        writer.body(b"message/cpim", |body| write_cpim(message, now, minted, body));
    } else {
        writer.body(&mixed(minted), |body| {
            part(minted, b"Content-Type: message/cpim\r\n", body, |body| write_cpim(message, now, minted, body));
            write_list(message, minted, body);
        });
    }
}

/// The headers of the INVITE beside those of the dialog.
pub fn write_invite(message: &CpmMessage<'_>, minted: &Minted<'_>, headers: &mut Writer<'_>) {
    write_headers(message, minted, headers);
    headers.header(Name::PAssertedService, SERVICE);
    headers.header(Name::AcceptContact, message.accept_contact.as_bytes());
    if let Some(seconds) = message.expires_s {
        headers.header_named(b"Message-Expires", &[seconds.to_string().as_bytes()]);
    }
}

/// From of the INVITE.
#[must_use]
pub fn from(message: &CpmMessage<'_>) -> Vec<u8> {
    let space: &[u8] = if message.display_name.is_empty() { b"" } else { b" " };
    [message.display_name.as_bytes(), space, b"<", message.parties.from(), b">"].concat()
}

/// The body of the INVITE and its type: the offer, and beside it the list of recipients if there are several.
#[must_use]
pub fn offer(message: &CpmMessage<'_>, sdp: &[u8], minted: &Minted<'_>) -> (Vec<u8>, Vec<u8>) {
    if !has_list(message) {
        return (b"application/sdp".to_vec(), sdp.to_vec());
    }
    let mut body = Vec::new();
    part(minted, b"Content-Type: application/sdp\r\n", &mut body, |body| body.extend_from_slice(sdp));
    write_list(message, minted, &mut body);
    (mixed(minted), body)
}

fn write_headers(message: &CpmMessage<'_>, minted: &Minted<'_>, headers: &mut Writer<'_>) {
    message::asserted_parties(headers, &message.parties);
    headers.header_if(Name::Privacy, message.privacy.as_bytes());
    headers.header_if(Name::ConversationId, minted.conversation_id);
    headers.header_if(Name::ContributionId, minted.contribution_id);
    headers.header_if(Name::Subject, message.subject.as_bytes());
    headers.header(Name::Date, &date_time::of_sip(unix_ms(message.date_unix_s)));
    headers.header(Name::UserAgent, message.user_agent);
}

fn unix_ms(unix_s: i64) -> u64 {
    u64::try_from(unix_s).unwrap_or_default().saturating_mul(1_000)
}

/// Appends the message in its CPIM wrapper: the body of the MESSAGE, or what goes by MSRP.
pub fn write_cpim(message: &CpmMessage<'_>, now: Now, minted: &Minted<'_>, body: &mut Vec<u8>) {
    let date_time = date_time::of(now.unix_ms);
    let wrapper = Wrapper {
        from: message.parties.from(),
        to: message.parties.to(),
        message_id: minted.message_id,
        date_time: &date_time,
        dispositions: message.disposition_notification,
        subject: message.subject.as_bytes(),
        content_type: message.cpim_content_type,
        content_transfer_encoding: message.cpim_content_transfer_encoding,
        ..Wrapper::default()
    };
    wrapper.write(message.body, body);
}

/// Everybody is listed where there are several, but not so many that a MESSAGE could not hold them.
fn has_list(message: &CpmMessage<'_>) -> bool {
    (2..=limits::MMS_LISTED_RECIPIENTS_MAX).contains(&message.recipients.len())
}

fn mixed(minted: &Minted<'_>) -> Vec<u8> {
    [b"multipart/mixed;boundary=\"", minted.tag, b"\""].concat()
}

/// A part of a multipart whose boundary is the tag, which is minted and so in no part of it.
fn part(minted: &Minted<'_>, head: &[u8], body: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    body.extend_from_slice(&[b"--", minted.tag, b"\r\n", head, b"\r\n"].concat());
    content(body);
    body.extend_from_slice(b"\r\n");
}

/// RFC 5365 4: a list of everybody who got the message, for who wants to know.
fn write_list(message: &CpmMessage<'_>, minted: &Minted<'_>, body: &mut Vec<u8>) {
    let head = format!(
        "Content-Type: {}\r\nContent-Disposition: recipient-list-history; handling=optional\r\n",
        resource_lists::CONTENT_TYPE
    );
    part(minted, head.as_bytes(), body, |body| message.write_recipient_list(body));
    body.extend_from_slice(&[b"--", minted.tag, b"--\r\n"].concat());
}
