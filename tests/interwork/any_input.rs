//! Whatever arrives: nothing panics, and what leaves can be read.

use proptest::prelude::*;

use isthmus::interwork::sms::delivery_outcome::{Outcome, outcome};
use isthmus::interwork::sms::pager_to_submit_sm::registered_delivery_of;
use isthmus::interwork::sms::session_invitation::answer_of;
use isthmus::iwf::invitation::{Invitation, Networks, procedure};
use isthmus::iwf::message::Minted;
use isthmus::iwf::pager::{self, Form};
use isthmus::iwf::retained::Retained;
use isthmus::iwf::session_leaving::is_leaving;
use isthmus::iwf::session_media::Between;
use isthmus::iwf::{Iwf, event_report, large_message, notification, session_invitation, session_media, short_message};
use isthmus::policy::{Events, Policy};
use isthmus::wire::Framing;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::cpim::{self, Dispositions};
use isthmus::wire::short_message::{CodingOptions, Concatenation, DataCodingZero};
use isthmus::wire::sip::{Index, Message, Writer};
use isthmus::wire::smpp::{self, CommandId, CommandStatus, DeliverSm, MessageState, Pdu, SHORT_MESSAGE_BYTES_MAX};

use crate::cpm_to_sms::request;
use crate::status_report_to_imdn::{MINTED, NOW};

/// Every set of the five tokens.
fn all_dispositions() -> impl Iterator<Item = Dispositions> {
    (0..32_u8).map(|bits| Dispositions {
        positive_delivery: bits & 1 != 0,
        negative_delivery: bits & 2 != 0,
        processing: bits & 4 != 0,
        display: bits & 8 != 0,
        interworking: bits & 16 != 0,
    })
}

/// [SMS-T1-registered_delivery] [SMS-T1-registered_delivery-any] [SMS-T1-registered_delivery-none]
#[test]
fn registered_delivery_of_every_set() {
    let policy = Policy::default();
    for requested in all_dispositions() {
        let expected = match requested {
            Dispositions { positive_delivery: true, .. } | Dispositions { interworking: true, .. } => 0b01,
            Dispositions { negative_delivery: true, .. } => 0b10,
            _ => 0,
        };
        assert_eq!(registered_delivery_of(requested, &policy), expected, "{requested:?}");
    }
}

/// Nobody hears what he did not ask for, a failure is never also a success, and no failure goes untold.
///
/// [SMS-RPT-02] [SMS-FAIL-1] [SMS-FAIL-2] [SMS-T3-which]
#[test]
fn outcomes_of_every_set_and_state() {
    let policy = Policy::default();
    for (requested, state) in all_dispositions().flat_map(|set| (0..=255).map(move |state| (set, MessageState(state))))
    {
        let Outcome { delivery, interworking, failed_iw } = outcome(state, requested, &policy);
        let delivered = state == MessageState::DELIVERED;
        assert_eq!(delivery == Some(Status::Delivered), delivered && requested.positive_delivery);
        assert!(interworking.is_none() || requested.interworking);
        let failure = delivery.is_some_and(|status| status != Status::Delivered);
        assert!(!failure || requested.negative_delivery);
        let failed = !delivered && !matches!(state.0, 0 | 1 | 6);
        assert_eq!(failure || failed_iw, failed, "{requested:?} {state:?}");
        assert!(!(failure && failed_iw), "told twice");
    }
}

/// [RCS-NONEGDEL-2] [SMS-FAIL-2]
#[test]
fn the_profile_rcs_never_makes_a_negative_notification() {
    for (requested, state) in all_dispositions().flat_map(|set| (0..=255).map(move |state| (set, MessageState(state))))
    {
        let delivery = outcome(state, requested, &Policy::rcs()).delivery;
        assert!(matches!(delivery, None | Some(Status::Delivered)), "{requested:?} {state:?}");
        assert_ne!(registered_delivery_of(requested, &Policy::rcs()) & 0b11, 0b10);
    }
}

/// Requests with a piece replaced by other octets.
fn damaged_request() -> impl Strategy<Value = Vec<u8>> {
    let whole = request(
        "Conversation-ID: c\\nContribution-ID: d\\nContent-Language: de\\nExpires: 60\\nPriority: urgent",
        "imdn.Disposition-Notification: positive-delivery\\nimdn.IMDN-Record-Route: <sip:a.example>\\nDateTime: x",
        "multipart/mixed;boundary=b || --b\\x0D\\x0AContent-Type: text/plain\\x0D\\x0A\\x0D\\x0AHello\\x0D\\x0A--b--",
    );
    let start = whole.windows(4).position(|octets| octets == b"Via:").unwrap();
    let telling = ["\r\n", "<", ">", "\"", ";", "%", "tel:", "--b", "+", "\r\n\r\n", "é", "=", "&lt;", "]]>", "\0"];
    let telling = prop::sample::select(telling.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let pieces = prop_oneof![proptest::collection::vec(any::<u8>(), 0..8), telling];
    (start..whole.len(), 0_usize..8, pieces).prop_map(move |(at, len, piece)| {
        let mut bytes = whole.clone();
        bytes.splice(at..(at + len).min(whole.len()), piece);
        bytes
    })
}

fn carry(bytes: &[u8], iwf: &Iwf) {
    let mut index = Index::new();
    let Ok(message) = Message::parse(bytes, &mut index) else { return };
    let mut text = String::new();
    let Ok(read) =
        pager::look(&message, &iwf.policy).and_then(|body| pager::read(&message, &body, &iwf.policy, &mut text))
    else {
        return;
    };
    let form = Form { coding: &CodingOptions::default(), concatenation: Concatenation::Sar, data_sm: false };
    let (mut octets, mut pdus) = (Vec::new(), Vec::new());
    if read.write_short_messages(&text, &form, 1, &iwf.policy, &mut octets, &mut pdus).is_ok() {
        all_are_submit_sm(&pdus);
    }
    let mut retained = Retained::default();
    read.retain(NOW, &text, &mut retained);
    notify(&retained, iwf);
}

fn all_are_submit_sm(mut pdus: &[u8]) {
    while let Framing::Complete(len) = smpp::frame(pdus, usize::MAX) {
        let (pdu, rest) = pdus.split_at(len);
        assert!(matches!(Pdu::parse(pdu), Ok((_, Pdu::SubmitSm(_)))));
        pdus = rest;
    }
    assert!(pdus.is_empty());
}

/// Headers of the requests that we originate, in order; no text of a peer may add one.
fn names(bytes: &[u8]) -> Vec<String> {
    let mut index = Index::new();
    let message = Message::parse(bytes, &mut index).unwrap();
    message.fields().map(|field| String::from_utf8_lossy(field.raw_name).into_owned()).collect()
}

fn notify(retained: &Retained, iwf: &Iwf) {
    let mut out = Vec::new();
    notification::write(retained, (Notification::Delivery, Status::Delivered), iwf, &MINTED, &mut out);
    let names = names(&out);
    let known = ["Max-Forwards", "From", "To", "Call-ID", "CSeq", "P-Asserted-Service", "Accept-Contact"];
    let more = ["P-Asserted-Identity", "Conversation-ID", "Contribution-ID", "User-Agent", "Content-Type"];
    assert!(names.iter().all(|name| known.contains(&&**name) || more.contains(&&**name) || name == "Content-Length"));
    out.clear();
    let events = Events { mcc: "262".into(), mnc: "01".into(), ..Events::default() }.resolved().unwrap();
    event_report::write_failed_iw(retained, &events, &iwf.user_agent, &MINTED, &mut out);
    assert!(Message::parse(&out, &mut Index::new()).is_ok());
}

/// An INVITE and what comes in its session, each with a piece replaced by other octets.
fn damaged_session() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let invite = crate::invitations::invite(
        "Conversation-ID: c\\nSubject: Lunch\\nMessage-Expires: 60\\nPriority: urgent\\nPrivacy: none\\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"",
    );
    let body = crate::chats::body("imdn.Disposition-Notification: positive-delivery\\nDateTime: x", "");
    let telling = ["\r\n", "<", ">", "\"", ";", "%", ",", "+", "\r\n\r\n", "é", "=", "{inviter}", "*", "\0"];
    let telling = prop::sample::select(telling.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let piece = prop_oneof![proptest::collection::vec(any::<u8>(), 0..8), telling].boxed();
    let damaged = |whole: Vec<u8>, from: usize, piece: BoxedStrategy<Vec<u8>>| {
        (from..whole.len(), 0_usize..8, piece).prop_map(move |(at, len, piece)| {
            let mut bytes = whole.clone();
            bytes.splice(at..(at + len).min(whole.len()), piece);
            bytes
        })
    };
    let start = invite.windows(4).position(|octets| octets == b"Via:").unwrap();
    (damaged(invite, start, piece.clone()), damaged(body, 0, piece))
}

fn carry_session(invite: &[u8], body: &[u8], iwf: &Iwf) {
    let mut index = Index::new();
    let Ok(message) = Message::parse(invite, &mut index) else { return };
    let networks = Networks { sms: true, mms: true };
    let _section = procedure(&message, networks, &iwf.policy);
    let Ok(invitation) = Invitation::store(&message, &iwf.policy) else { return };
    ask(&invitation, iwf);
    let (Ok(looked), Ok(sms_user), Ok(sender)) = (
        pager::look_into(b"message/cpim", body, &iwf.policy),
        invitation.sms_user(&iwf.policy),
        invitation.cpm_user(&iwf.policy),
    ) else {
        return;
    };
    let (mut text, mut octets, mut pdus, mut retained) = (String::new(), Vec::new(), Vec::new(), Retained::default());
    let form = Form { coding: &CodingOptions::default(), concatenation: Concatenation::Sar, data_sm: false };
    if let Ok(read) = large_message::read(&invitation, &looked, &mut text) {
        let _total = read.write_short_messages(&text, &form, 1, &iwf.policy, &mut octets, &mut pdus);
        read.retain(NOW, &text, &mut retained);
        notify(&retained, iwf);
    }
    if let Ok(read) = session_media::read(&invitation, &looked, &mut text) {
        session_media::introduce(&mut text, &invitation, true, &iwf.policy);
        let whose = (Between { sender, sms_user }, read.requested);
        let _total = session_media::write_short_messages(whose, &text, &form, 1, &iwf.policy, &mut octets, &mut pdus);
        read.retain(NOW, &text, &mut retained);
        notify(&retained, iwf);
    }
    all_are_submit_sm(&pdus);
}

/// The question to the SMS user, and headers of the 200: nothing of a peer's adds one.
fn ask(invitation: &Invitation, iwf: &Iwf) {
    let (mut text, mut octets, mut pdus, mut out) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    let form = Form { coding: &CodingOptions::default(), concatenation: Concatenation::Udh16, data_sm: false };
    if session_invitation::write_question(invitation, None, &iwf.policy, &mut text).is_ok() {
        let whose = (invitation, None);
        let total =
            session_invitation::write_short_messages(whose, &text, &form, 1, &iwf.policy, &mut octets, &mut pdus);
        assert!(total.is_ok(), "what has an inviter and a target can be asked");
        all_are_submit_sm(&pdus);
    }
    let mut writer = Writer::response(&mut out, 200, "OK");
    if let Ok(sms_user) = invitation.sms_user(&iwf.policy) {
        session_invitation::write_accepted(invitation, &sms_user, iwf, &mut writer);
    }
    writer.end();
    let known = ["Conversation-ID", "Contribution-ID", "P-Asserted-Identity", "Message-Context", "Content-Length"];
    assert!(names(&out).iter().all(|name| known.contains(&&**name)), "{:?}", String::from_utf8_lossy(&out));
}

fn deliver(pdu: &[u8], iwf: &Iwf, minted: &Minted<'_>) {
    let Ok(arrived) = short_message::read(pdu, iwf) else { return };
    let (mut made, mut text, mut out) = (Vec::new(), String::new(), Vec::new());
    let parts = [(arrived.national, arrived.octets)];
    if short_message::decode(arrived.data_coding, DataCodingZero::Gsm7, parts, &mut made, &mut text) {
        short_message::write(&arrived.head, &text, NOW, iwf, minted, &mut made, &mut out);
        let mut index = Index::new();
        let message = Message::parse(&out, &mut index).unwrap();
        let cpim = cpim::Message::parse(message.body()).unwrap();
        assert_eq!(cpim.content(), text.as_bytes());
    }
}

proptest! {
    #[test]
    fn a_damaged_request_is_carried_whole_or_not_at_all(bytes in damaged_request()) {
        carry(&bytes, &Iwf::new(Policy::default()));
    }

    #[test]
    fn a_damaged_session_is_carried_whole_or_not_at_all((invite, body) in damaged_session()) {
        carry_session(&invite, &body, &Iwf::new(Policy::default()));
    }

    #[test]
    fn any_text_answers_an_invitation_or_does_not(text in "\\PC{0,40}", code in any::<Option<u8>>()) {
        let policy = Policy::default();
        let answer = answer_of(&text, code, &policy);
        assert!(code.is_none() || answer.is_some());
        let _leaving = is_leaving(&text, &policy);
        let padded = answer_of(&format!(" {text}. "), code, &policy);
        assert_eq!(answer, padded);
    }

    #[test]
    fn any_text_of_an_sms_user_arrives_in_the_session(text in "\\PC{0,40}") {
        let policy = Policy::default();
        let mut body = Vec::new();
        session_media::write_message(&session_media::send(&text, &policy), NOW, MINTED.message_id, &mut body);
        let cpim = cpim::Message::parse(&body).unwrap();
        assert_eq!(cpim.content(), text.as_bytes());
    }

    #[test]
    fn any_short_message_is_carried_as_it_is_or_not_at_all(
        octets in proptest::collection::vec(any::<u8>(), 0..SHORT_MESSAGE_BYTES_MAX),
        (esm_class, data_coding, protocol_id, priority_flag, ton) in any::<(u8, u8, u8, u8, u8)>(),
        address in "[+0-9a-z]{0,20}",
    ) {
        let pdu = Pdu::DeliverSm(DeliverSm {
            source_addr_ton: ton % 7,
            source_addr: address.as_bytes(),
            dest_addr_ton: 1,
            destination_addr: b"491700000002",
            esm_class: esm_class & 0x43,
            data_coding,
            protocol_id,
            priority_flag,
            short_message: &octets,
            ..DeliverSm::default()
        });
        let mut bytes = Vec::new();
        pdu.emit(&mut bytes, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, 1);
        deliver(&bytes, &Iwf::new(Policy::default()), &MINTED);
    }
}
