//! One message of each kind from what was read to what is written.

use isthmus::engine::{Moment, Now};
use isthmus::interwork::sms::delivery_outcome;
use isthmus::iwf::invitation::Invitation;
use isthmus::iwf::message::Minted;
use isthmus::iwf::pager::{self, Form};
use isthmus::iwf::retained::Retained;
use isthmus::iwf::session_media::Between;
use isthmus::iwf::{Iwf, date_time, large_message, notification, session_invitation, session_media, short_message};
use isthmus::policy::Policy;
use isthmus::wire::cpim::imdn::Notification;
use isthmus::wire::short_message::{CodingOptions, Concatenation, DataCodingZero};
use isthmus::wire::sip::{Index, Message, Writer};
use isthmus::wire::smpp::MessageState;

use super::Operation;
use crate::samples;
use crate::watch::Watch;

const NOW: Now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_123 };
const MINTED: Minted<'static> = Minted {
    call_id: b"a1b2c3d4e5f6a1b2c3d4e5f6@gw.example.net",
    tag: b"a1b2c3d4e5f6",
    message_id: b"a1b2c3d4e5f6a1b2c3d4e5f6",
    conversation_id: b"f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
    contribution_id: b"f81d4fae-7dec-41d0-a765-00a0c91e6bf7",
};
const CPIM: &[u8] = b"message/cpim";

pub(super) fn operations<W: Watch + 'static>() -> Vec<Operation> {
    vec![
        Operation { name: "interwork, pager to submit_sm", start: pager_to_submit_sm::<W> },
        Operation { name: "interwork, deliver_sm to pager", start: deliver_sm_to_pager::<W> },
        Operation { name: "interwork, status report to IMDN", start: status_report_to_imdn::<W> },
        Operation { name: "interwork, INVITE to question", start: invite_to_question::<W> },
        Operation { name: "interwork, chat to submit_sm", start: chat_to_submit_sm::<W> },
        Operation { name: "interwork, deliver_sm to chat", start: deliver_sm_to_chat::<W> },
        Operation { name: "interwork, large message to submit_sm", start: large_message_to_submit_sm::<W> },
        Operation { name: "interwork, deliver_sm to large message", start: deliver_sm_to_large_message::<W> },
    ]
}

/// A text of `length` characters in its CPIM wrapper.
fn wrapped(length: usize) -> Vec<u8> {
    let text: String = samples::TEXT.chars().cycle().take(length).collect();
    format!(
        "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg1234567\r\n\
         imdn.Disposition-Notification: positive-delivery\r\n\r\n\
         Content-Type: text/plain;charset=utf-8\r\n\r\n{text}"
    )
    .into_bytes()
}

/// A request that is there for the whole run.
fn request(method: &str, feature: &str, content_type: &str, body: &[u8]) -> Message<'static> {
    let head = format!(
        "{method} tel:+491710000001 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport\r\nMax-Forwards: 69\r\n\
         From: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:192.0.2.1:5070>\r\nP-Asserted-Identity: <tel:+491700000002>\r\nSubject: Lunch\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.{feature}\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\nContribution-ID: abcdef00-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let octets: &'static [u8] = [head.as_bytes(), body].concat().leak();
    Message::parse(octets, Box::leak(Box::new(Index::new()))).unwrap()
}

fn invitation(feature: &str, policy: &Policy) -> Invitation {
    Invitation::store(&request("INVITE", feature, "application/sdp", b""), policy).unwrap()
}

/// What is written into, and what is known.
struct Desk {
    iwf: Iwf,
    coding: CodingOptions,
    text: String,
    octets: Vec<u8>,
    out: Vec<u8>,
    retained: Retained,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            iwf: Iwf::new(Policy::default()),
            coding: CodingOptions::default(),
            text: String::new(),
            octets: Vec::new(),
            out: Vec::new(),
            retained: Retained::default(),
        }
    }

    fn clear(&mut self) {
        self.out.clear();
        self.retained.octets.clear();
    }
}

fn form(coding: &CodingOptions) -> Form<'_> {
    Form { coding, concatenation: Concatenation::Sar, data_sm: false }
}

/// Table 1, and what is kept for notifications.
fn pager_to_submit_sm<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, message) = (Desk::new(), request("MESSAGE", "msg", "message/cpim", &wrapped(150)));
    Box::new(move || {
        desk.clear();
        W::inside(|| carry_pager(&message, &mut desk));
        assert!(!desk.out.is_empty());
    })
}

fn carry_pager(message: &Message<'_>, desk: &mut Desk) {
    let Desk { iwf, coding, text, octets, out, retained } = desk;
    let Ok(body) = pager::look(message, &iwf.policy) else { return };
    let Ok(read) = pager::read(message, &body, &iwf.policy, text) else { return };
    if read.write_short_messages(text, &form(coding), 1, &iwf.policy, octets, out).is_ok() {
        read.retain(NOW, text, retained);
    }
}

/// Reads a deliver_sm: its text is on the desk.
fn read_text(pdu: &[u8], desk: &mut Desk) -> Option<short_message::Head> {
    let Desk { iwf, text, octets, .. } = desk;
    let arrived = short_message::read(pdu, iwf).ok()?;
    let parts = [(arrived.national, arrived.octets)];
    short_message::decode(arrived.data_coding, DataCodingZero::default(), parts, octets, text).then_some(arrived.head)
}

/// Table 9.
fn deliver_sm_to_pager<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, pdu) = (Desk::new(), samples::deliver_sm());
    Box::new(move || {
        desk.clear();
        W::inside(|| {
            let Some(head) = read_text(&pdu, &mut desk) else { return };
            let Desk { iwf, text, octets, out, .. } = &mut desk;
            short_message::write(&head, text, NOW, iwf, &MINTED, octets, out);
        });
        assert!(!desk.out.is_empty());
    })
}

/// Table 3, of a message that was retained.
fn status_report_to_imdn<W: Watch>() -> Box<dyn FnMut()> {
    let mut desk = Desk::new();
    carry_pager(&request("MESSAGE", "msg", "message/cpim", &wrapped(150)), &mut desk);
    Box::new(move || {
        desk.out.clear();
        let Desk { iwf, out, retained, .. } = &mut desk;
        let requested = isthmus::wire::cpim::Dispositions { positive_delivery: true, ..Default::default() };
        W::inside(|| {
            let outcome = delivery_outcome::outcome(MessageState::DELIVERED, requested, &iwf.policy);
            let Some(status) = outcome.delivery else { return };
            notification::write(retained, (Notification::Delivery, status), iwf, &MINTED, out);
        });
        assert!(!desk.out.is_empty());
    })
}

/// Table 4, the INVITE being stored before.
fn invite_to_question<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, invite) = (Desk::new(), request("INVITE", "session", "application/sdp", b""));
    Box::new(move || {
        desk.clear();
        W::inside(|| {
            let Desk { iwf, coding, text, octets, out, .. } = &mut desk;
            let Ok(invitation) = Invitation::store(&invite, &iwf.policy) else { return };
            let number = invitation.sms_user(&iwf.policy).ok();
            let _written = session_invitation::write_question(&invitation, number, &iwf.policy, text);
            let whose = (&invitation, number);
            let _total =
                session_invitation::write_short_messages(whose, text, &form(coding), 1, &iwf.policy, octets, out);
        });
        assert!(!desk.out.is_empty());
    })
}

/// Table 7.
fn chat_to_submit_sm<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, body) = (Desk::new(), wrapped(150));
    let invitation = invitation("session", &desk.iwf.policy);
    Box::new(move || {
        desk.clear();
        W::inside(|| {
            let Desk { iwf, coding, text, octets, out, retained } = &mut desk;
            let policy = &iwf.policy;
            let Ok(looked) = pager::look_into(CPIM, &body, policy) else { return };
            let Ok(read) = session_media::read(&invitation, &looked, text) else { return };
            let (Ok(sender), Ok(sms_user)) = (invitation.cpm_user(policy), invitation.sms_user(policy)) else { return };
            let whose = (Between { sender, sms_user }, read.requested);
            let _total = session_media::write_short_messages(whose, text, &form(coding), 1, policy, octets, out);
            read.retain(NOW, text, retained);
        });
        assert!(!desk.out.is_empty());
    })
}

/// 6.2.2.2.2.
fn deliver_sm_to_chat<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, pdu) = (Desk::new(), samples::deliver_sm());
    Box::new(move || {
        desk.clear();
        W::inside(|| {
            let Some(_) = read_text(&pdu, &mut desk) else { return };
            let Desk { iwf, text, out, .. } = &mut desk;
            session_media::write_message(&session_media::send(text, &iwf.policy), NOW, MINTED.message_id, out);
        });
        assert!(!desk.out.is_empty());
    })
}

/// Table 1 over an INVITE, seven segments.
fn large_message_to_submit_sm<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, body) = (Desk::new(), wrapped(1_000));
    let invitation = invitation("largemsg", &desk.iwf.policy);
    Box::new(move || {
        desk.clear();
        W::inside(|| {
            let Desk { iwf, coding, text, octets, out, retained } = &mut desk;
            let Ok(looked) = pager::look_into(CPIM, &body, &iwf.policy) else { return };
            let Ok(read) = large_message::read(&invitation, &looked, text) else { return };
            let _total = read.write_short_messages(text, &form(coding), 1, &iwf.policy, octets, out);
            read.retain(NOW, text, retained);
        });
        assert!(!desk.out.is_empty());
    })
}

/// Table 11: the headers of the INVITE and the message that follows it; the text is one that was joined.
fn deliver_sm_to_large_message<W: Watch>() -> Box<dyn FnMut()> {
    let (mut desk, pdu) = (Desk::new(), samples::deliver_sm());
    let head = read_text(&pdu, &mut desk).unwrap();
    desk.text = samples::TEXT.chars().cycle().take(2_000).collect();
    let mut body = Vec::new();
    Box::new(move || {
        desk.clear();
        body.clear();
        W::inside(|| {
            let Desk { iwf, text, octets, out, .. } = &mut desk;
            let date = date_time::of_sip(NOW.unix_ms);
            octets.clear();
            let invite = large_message::invite(&head, &date, iwf, std::mem::take(octets));
            large_message::write_invite(&invite, &MINTED, &mut Writer::resume(out));
            large_message::write_message(&invite, text, NOW, &MINTED, &mut body);
            *octets = invite.parties.octets;
        });
        assert!(!desk.out.is_empty() && body.len() > 2_000);
    })
}
