//! Large messages both ways: Table 1 over an INVITE, and Table 11.

use isthmus::interwork::sms::chat_to_submit_sm::msrp_status;
use isthmus::iwf::pager::{NotAcceptable, look_into};
use isthmus::iwf::retained::Retained;
use isthmus::iwf::short_message::Head;
use isthmus::iwf::{Iwf, date_time, large_message, session_media};
use isthmus::policy::{LargeMessageCounts, Policy};
use isthmus::wire::cpim;

use crate::cases::Case;
use crate::chats::body;
use crate::cpm_to_sms::{check, coding, form_of, split};
use crate::invitations::{header, stored};
use crate::read_back::of_cpim;
use crate::session_invitations::number;
use crate::status_report_to_imdn::{MINTED, NOW};

const TO_SMS: &str = include_str!("../spec/large_message_to_sms.tsv");
pub(crate) const TO_CPM: &str = include_str!("../spec/sms_to_large_message.tsv");

fn pdus(case: &Case<'_>) -> Result<Vec<Vec<u8>>, NotAcceptable> {
    let policy = case.policy();
    let invitation = stored(case.get("headers"), &policy)?;
    let body = body(case.get("cpim"), case.get("content"));
    let looked = look_into(b"message/cpim", &body, &policy)?;
    let (mut text, mut made, mut written) = (String::new(), Vec::new(), Vec::new());
    let read = large_message::read(&invitation, &looked, &mut text)?;
    let coding = coding(case.get("form"));
    let form = form_of(case.get("form"), &coding);
    let total = read.write_short_messages(&text, &form, 0xABCD, &policy, &mut made, &mut written)?;
    let pdus = split(&written);
    assert_eq!(pdus.len(), usize::from(total));
    Ok(pdus)
}

#[test]
fn every_large_message_gives_the_parameters_it_should() {
    for case in Case::all(TO_SMS) {
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

fn head(source: &str, destination: &str) -> Head {
    Head { source: number(source).unwrap(), dest: number(destination).unwrap(), ..Head::default() }
}

#[test]
fn every_short_message_gives_the_invitation_it_should() {
    for case in Case::all(TO_CPM) {
        let iwf = Iwf::new(case.policy());
        let date = date_time::of_sip(NOW.unix_ms);
        let head = head(case.get("source"), case.get("destination"));
        let invite = large_message::invite(&head, &date, &iwf, Vec::new());
        let mut body = Vec::new();
        large_message::write_message(&invite, "Hello", NOW, &MINTED, &mut body);
        let cpim = cpim::Message::parse(&body).unwrap();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        for (name, expected) in case.expected() {
            let got = match name {
                "Request-URI" => text(invite.parties.to()),
                "From" => text(invite.parties.from()),
                "Contact" => invite.contact.to_owned(),
                "Content-Type" => invite.content_type.to_owned(),
                "User-Agent" => text(invite.user_agent),
                _ if name.starts_with("CPIM") || name.starts_with("imdn.") || name == "body" => of_cpim(&cpim, name),
                _ => header(name, |headers| large_message::write_invite(&invite, &MINTED, headers)),
            };
            assert_eq!(got, expected, "{}: {name}", case.name());
        }
    }
}

/// [SMS-IN-02] [SMS-IN-X1] [SMS-INLMM-03] [ISF-05-N2b]
#[test]
fn a_text_that_no_pager_message_can_hold_is_a_large_message() {
    let mut iwf = Iwf::new(Policy::default());
    assert_eq!(iwf.policy.sessions.large_message_counts, LargeMessageCounts::Text);
    iwf.policy.sessions.large_message_counts = LargeMessageCounts::Request;
    let head = head("491700000001", "491700000002");
    let (mut made, mut out) = (Vec::new(), Vec::new());
    let mut is_due = |octets: usize, iwf: &Iwf| {
        large_message::is_due(&head, &"x".repeat(octets), NOW, iwf, &MINTED, &mut made, &mut out)
    };
    let largest = (0..2_000).rfind(|octets| !is_due(*octets, &iwf)).unwrap();
    assert!((300..700).contains(&largest), "the whole request counts: {largest}");
    assert!(!is_due(1, &iwf) && !is_due(largest, &iwf) && is_due(largest + 1, &iwf));
    iwf.policy.sessions.large_message_counts = LargeMessageCounts::Text;
    assert!(!is_due(1_300, &iwf) && is_due(1_301, &iwf));
    iwf.policy.sessions.large_message_octets = 200;
    assert!(!is_due(200, &iwf) && is_due(201, &iwf));
}

/// [SMS-OK-B1] [SMS-OK-B2]
#[test]
fn the_200_to_the_bye_tells_how_the_message_went() {
    let iwf = Iwf::new(Policy::default());
    let invitation = stored("", &iwf.policy).unwrap();
    let body = body("", "text/plain;charset=UTF-8 || Grüße {200*x}");
    let looked = look_into(b"message/cpim", &body, &iwf.policy).unwrap();
    let (mut text, mut retained) = (String::new(), Retained::default());
    let read = large_message::read(&invitation, &looked, &mut text).unwrap();
    read.retain(NOW, &text, &mut retained);
    let told = |name| header(name, |headers| large_message::write_bye_answered(&retained, headers));
    assert_eq!(told("Message-Context"), "pager-message");
    let mut fingerprint = Vec::new();
    isthmus::wire::short_message::fingerprint::write(&text, &mut fingerprint);
    assert_eq!(told("Message-Correlator").as_bytes(), fingerprint);
    assert!(told("Message-Correlator").starts_with("=?utf-8?b?"));
}
