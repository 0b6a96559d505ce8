//! Chat messages both ways: Table 7, the response to the last chunk, 6.2.2.2.2, and notifications inside a session.

use isthmus::interwork::sms::chat_to_submit_sm::{
    BEARER_UNAVAILABLE, ENDING_TO_MSRP, Ending, ends_session, msrp_status,
};
use isthmus::interwork::sms::deliver_sm_to_chat::{MSRP_TO_COMMAND_STATUS, command_status};
use isthmus::iwf::pager::{NotAcceptable, look_into};
use isthmus::iwf::retained::Retained;
use isthmus::iwf::session_media::{self, Between};
use isthmus::iwf::{Iwf, notification};
use isthmus::policy::Policy;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::cpim::{self, Dispositions};
use isthmus::wire::smpp::CommandStatus;

use crate::cases::{Case, octets, repeated};
use crate::cpm_to_sms::{check, coding, form_of, split, text_of, wrapped};
use crate::invitations::stored;
use crate::read_back::of_cpim;
use crate::session_invitations::number;
use crate::status_report_to_imdn::{MINTED, NOW};

pub(crate) const CASES: &str = include_str!("../spec/chat_to_sms.tsv");
pub(crate) const TO_CPM: &str = include_str!("../spec/sms_to_chat.tsv");
const ENDINGS: &str = include_str!("../spec/ending_to_msrp.tsv");
const STATUSES: &str = include_str!("../spec/msrp_to_command_status.tsv");

/// The body of a message in a session: `content` is `media type || body`, wrapped in CPIM; or "raw", which is none.
pub(crate) fn body(cpim: &str, content: &str) -> Vec<u8> {
    if content == "raw" {
        return b"not a header\r\n\r\nHello".to_vec();
    }
    let content = if content.is_empty() { "text/plain;charset=UTF-8 || Hello" } else { content };
    let (media_type, body) = content.split_once(" || ").expect("a body");
    wrapped(cpim, &text_of(media_type), &octets(&repeated(body)))
}

fn pdus(case: &Case<'_>) -> Result<Vec<Vec<u8>>, NotAcceptable> {
    let policy = case.policy();
    let invitation = stored(case.get("headers"), &policy)?;
    let sms_user = invitation.sms_user(&policy)?;
    let sender = number(case.get("assigned")).map_or_else(|| invitation.cpm_user(&policy), Ok)?;
    let body = body(case.get("cpim"), case.get("content"));
    let looked = look_into(b"message/cpim", &body, &policy)?;
    let (mut text, mut made, mut written) = (String::new(), Vec::new(), Vec::new());
    let read = session_media::read(&invitation, &looked, &mut text)?;
    let coding = coding(case.get("form"));
    let form = form_of(case.get("form"), &coding);
    let whose = (Between { sender, sms_user }, read.requested);
    let total = session_media::write_short_messages(whose, &text, &form, 0xABCD, &policy, &mut made, &mut written)?;
    let pdus = split(&written);
    assert_eq!(pdus.len(), usize::from(total));
    Ok(pdus)
}

#[test]
fn every_chat_message_gives_the_parameters_it_should() {
    for case in Case::all(CASES) {
        match (pdus(&case), case.get("expected").strip_prefix("refused=")) {
            (Ok(pdus), None) => check(&case, &pdus),
            (Err(why), Some(expected)) => {
                let code = msrp_status(session_media::ending(why), &case.policy());
                assert_eq!(code.to_string(), expected, "{}", case.name());
            }
            (got, _) => panic!("{}: {got:?}", case.name()),
        }
    }
}

#[test]
fn every_ending_has_one_response_and_one_says_why_the_session_ends() {
    for case in Case::all(ENDINGS) {
        let policy = case.policy();
        let ending = Ending::ALL.into_iter().find(|ending| format!("{ending:?}") == case.get("ending")).unwrap();
        assert_eq!(msrp_status(ending, &policy).to_string(), case.get("code"), "{}", case.name());
        assert_eq!(if ends_session(ending) { "yes" } else { "no" }, case.get("bye"), "{}", case.name());
    }
    for ending in Ending::ALL {
        let rows = ENDING_TO_MSRP.rows.iter().filter(|(listed, _)| *listed == ending);
        assert_eq!(rows.count(), 1, "{ending:?}");
    }
    assert_eq!(BEARER_UNAVAILABLE, b"SIP;cause=480;text=\"Bearer unavailable\"");
}

#[test]
fn every_msrp_response_has_its_command_status() {
    for case in Case::all(STATUSES) {
        let status = command_status(case.get("code").parse().unwrap(), &case.policy());
        assert_eq!(format!("{:X}", status.0), case.get("expected"), "{}", case.name());
    }
    for (code, status) in MSRP_TO_COMMAND_STATUS.rows {
        assert_eq!(*code == 200, *status == CommandStatus::ESME_ROK, "{code}");
    }
}

#[test]
fn every_short_message_gives_the_send_it_should() {
    for case in Case::all(TO_CPM) {
        let policy = case.policy();
        let send = session_media::send("Hello", &policy);
        let mut body = Vec::new();
        session_media::write_message(&send, NOW, MINTED.message_id, &mut body);
        let cpim = cpim::Message::parse(&body).unwrap();
        for (name, expected) in case.expected() {
            let got = match name {
                "Content-Type" => send.content_type.to_owned(),
                "Success-Report" => send.success_report.to_string(),
                "Failure-Report" => format!("{:?}", send.failure_report),
                _ => of_cpim(&cpim, name),
            };
            assert_eq!(got, expected, "{}: {name}", case.name());
        }
    }
}

fn retained_of(cpim: &str, policy: &Policy) -> Retained {
    let invitation = stored("Conversation-ID: conversation\\nContribution-ID: contribution", policy).unwrap();
    let body = body(cpim, "");
    let looked = look_into(b"message/cpim", &body, policy).unwrap();
    let (mut text, mut retained) = (String::new(), Retained::default());
    session_media::read(&invitation, &looked, &mut text).unwrap().retain(NOW, &text, &mut retained);
    retained
}

const ASKING: &str = "From: <tel:+491700000077>\\nTo: <tel:+491700000078>\\nimdn.Message-ID: m7\\n\
    DateTime: 2026-11-21T08:00:00Z\\nimdn.Disposition-Notification: positive-delivery\\n\
    imdn.IMDN-Record-Route: <sip:relay.example>";

/// In the session CPIM names nobody; the document names the SMS user, since the wrapper's own addresses are ignored.
///
/// [SMS-CRPT-02] [GEN-MEDIA-08] [GEN-MEDIA-01]
#[test]
fn a_notification_inside_the_session() {
    let iwf = Iwf::new(Policy::default());
    let retained = retained_of(ASKING, &iwf.policy);
    let mut out = Vec::new();
    let status = (Notification::Delivery, Status::Delivered);
    notification::write_in_session(&retained, status, &iwf, &MINTED, &mut out);
    let cpim = cpim::Message::parse(&out).unwrap();
    let read = |name| of_cpim(&cpim, name);
    assert_eq!(read("CPIM From"), "sip:anonymous@anonymous.invalid");
    assert_eq!(read("CPIM To"), "sip:anonymous@anonymous.invalid");
    assert_eq!((read("imdn.Message-ID").as_str(), read("message-id").as_str()), ("minted-id", "m7"));
    assert_eq!(read("Content-Disposition"), "notification");
    assert_eq!(read("CPIM Content-Type"), "message/imdn+xml");
    assert_eq!(read("datetime"), "2026-11-21T08:00:00Z");
    assert_eq!(read("recipient-uri"), "tel:+491700000002");
    assert_eq!(read("IMDN-Route"), "<sip:relay.example>");
    assert_eq!(read("status"), "delivery-notification delivered");
    assert_eq!(read("imdn.Disposition-Notification"), "", "nobody is told about a notification");
}

/// When the session is over it goes as a MESSAGE, to the CPM user's own address.
///
/// [SMS-OK-02b]
#[test]
fn the_same_after_the_session() {
    let iwf = Iwf::new(Policy::default());
    let mut out = Vec::new();
    let status = (Notification::Interworking, Status::LegacySms);
    notification::write(&retained_of(ASKING, &iwf.policy), status, &iwf, &MINTED, &mut out);
    let mut index = isthmus::wire::sip::Index::new();
    let message = isthmus::wire::sip::Message::parse(&out, &mut index).unwrap();
    let read = |name| crate::read_back::parameter(&message, name);
    assert_eq!((read("Request-URI").as_str(), read("From").as_str()), ("tel:+491700000001", "tel:+491700000002"));
    assert_eq!((read("Conversation-ID").as_str(), read("Contribution-ID").as_str()), ("conversation", "contribution"));
    assert_eq!(read("status"), "interworking-notification legacy-sms");
}

#[test]
fn who_is_writing_and_notifications_are_told_from_messages() {
    let policy = Policy::default();
    let look = |content: &str| {
        let body = body("", content);
        let looked = look_into(b"message/cpim", &body, &policy).unwrap();
        (looked.composing, looked.notification)
    };
    assert_eq!(look("application/im-iscomposing+xml || <isComposing/>"), (true, false));
    assert_eq!(look("message/imdn+xml || <imdn/>"), (false, true));
    assert_eq!(look("text/plain || Hello"), (false, false));
    assert!(look_into(b"application/im-iscomposing+xml", b"<isComposing/>", &policy).unwrap().composing);
}

/// [SMS-T7-short_message-leave] [SMS-INV-01b]
#[test]
fn the_first_message_says_what_the_sms_user_must_know() {
    let introduced = |headers: &str, names_sender, policy: &Policy| {
        let mut text = "Hello".to_owned();
        session_media::introduce(&mut text, &stored(headers, policy).unwrap(), names_sender, policy);
        text
    };
    let mut policy = Policy::default();
    assert_eq!(introduced("", false, &policy), "Hello");
    assert_eq!(introduced("", true, &policy), "+491700000001: Hello");
    assert_eq!(introduced("Privacy: id", true, &policy), "Somebody: Hello");
    policy.sessions.leave_instructions = "({leave} to leave)".into();
    assert_eq!(introduced("", false, &policy), "Hello\n(#leave to leave)");
    policy.switches.leave_session = false;
    assert_eq!(introduced("", false, &policy), "Hello");
}

/// Nothing is asked for about a short message of our own.
#[test]
fn a_notice_asks_for_no_report() {
    let policy = Policy::default();
    let between = Between { sender: number("491700000001").unwrap(), sms_user: number("491700000002").unwrap() };
    let coding = coding("");
    let (mut octets, mut written) = (Vec::new(), Vec::new());
    let whose = (between, Dispositions::NONE);
    let form = form_of("", &coding);
    let total = session_media::write_short_messages(whose, "Bye", &form, 1, &policy, &mut octets, &mut written);
    assert_eq!((total, split(&written).len()), (Ok(1), 1));
}
