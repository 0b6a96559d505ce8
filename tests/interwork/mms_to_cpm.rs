//! Tables 35, 36, 39 and 40 and the MSRP SEND: from a mail as it arrives to what the CPM message says, or the refusal.

use isthmus::interwork::address;
use isthmus::interwork::mms::cpm_message::{CpmMessage, CpmMessageRecord, Received, ReceivedRecord};
use isthmus::interwork::mms::forward_req_to_large_message::{MSRP_SEND, TABLE_39, TABLE_40};
use isthmus::interwork::mms::forward_req_to_pager::{TABLE_35, TABLE_36, refusal, request_status};
use isthmus::interwork::product::{IwfType, user_agent_of};
use isthmus::interwork::table::{FieldTable, NotConvertible};
use isthmus::policy::Policy;
use isthmus::wire::mail::mm4::{self, Mm4};
use isthmus::wire::resource_lists;

use crate::cases::{Case, changed, octets};
use crate::cpm_to_mms::NOW_UNIX_S;

pub(crate) const CASES: &str = include_str!("../spec/mms_to_cpm.tsv");
const STATUSES: &str = include_str!("../spec/sip_to_request_status.tsv");

const MAIL: &[(&str, &str)] = &[
    ("X-Mms-3GPP-MMS-Version", "6.10.0"),
    ("X-Mms-Message-Type", "MM4_forward.REQ"),
    ("X-Mms-Transaction-ID", "\"t9\""),
    ("X-Mms-Message-ID", "<m9@mms.example>"),
    ("From", "+491700000001/TYPE=PLMN@mms.example"),
    ("To", "+491700000002/TYPE=PLMN@gw.example"),
    ("Date", "Sat, 21 Nov 2026 10:00:00 +0000"),
    ("Content-Type", "image/jpeg"),
    ("Content-Transfer-Encoding", "base64"),
];

/// A mail as text: the ordinary one with the changes of a cell.
fn mail(changes: &str) -> Vec<u8> {
    let mut mail = Vec::new();
    for (name, value) in changed(MAIL, changes) {
        mail.extend_from_slice(name.as_bytes());
        mail.extend_from_slice(b": ");
        mail.extend_from_slice(&octets(&value));
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend_from_slice(b"\r\nAAAA\r\n");
    mail
}

type Table = &'static FieldTable<ReceivedRecord, CpmMessageRecord>;

fn tables(mode: &str) -> &'static [Table] {
    match mode {
        "pager" => &[&TABLE_35, &TABLE_36],
        "large" => &[&TABLE_39, &TABLE_40, &MSRP_SEND],
        other => panic!("no mode {other}"),
    }
}

fn message<'a>(received: &Received<'a>, mode: &str) -> Result<CpmMessage<'a>, NotConvertible> {
    let mut message = CpmMessage::default();
    tables(mode).iter().try_for_each(|table| table.fill(received, &mut message))?;
    Ok(message)
}

/// What the message says, by the names of the pages; what is absent is empty.
fn parameter(message: &CpmMessage<'_>, name: &str) -> String {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let parties = &message.parties;
    match name {
        "Request-URI" => text(parties.to()),
        "From" => text(parties.from()),
        "display-name" => message.display_name.to_owned(),
        "P-Asserted-Identity" => {
            let uris = [parties.p_asserted_identity_sip, parties.p_asserted_identity_tel].map(|span| parties.get(span));
            uris.into_iter().filter(|uri| !uri.is_empty()).map(text).collect::<Vec<_>>().join(", ")
        }
        "User-Agent" => text(message.user_agent),
        "recipient-list-history" => recipients(message),
        "Date" => message.date_unix_s.to_string(),
        "Expires" => message.expires_s.map(|seconds| seconds.to_string()).unwrap_or_default(),
        "imdn.Disposition-Notification" => {
            let mut list = Vec::new();
            message.disposition_notification.write(&mut list);
            text(&list)
        }
        "Privacy" => message.privacy.to_owned(),
        "Subject" => message.subject.clone(),
        "Max-Forwards" => message.max_forwards.to_string(),
        "Accept-Contact" => message.accept_contact.to_owned(),
        "Content-Type" => message.content_type.to_owned(),
        "CPIM Content-Type" => text(message.cpim_content_type),
        "CPIM Content-Transfer-Encoding" => text(message.cpim_content_transfer_encoding),
        "body" => text(message.body).trim_end().to_owned(),
        other => panic!("no parameter {other}"),
    }
}

/// The list as its receiver reads it.
fn recipients(message: &CpmMessage<'_>) -> String {
    if message.recipients.is_empty() {
        return String::new();
    }
    let (mut document, mut found) = (Vec::new(), Vec::new());
    message.write_recipient_list(&mut document);
    resource_lists::read(&document, |uri, copy_control| found.push(format!("{copy_control:?}={uri}"))).unwrap();
    found.join(" ")
}

#[test]
fn every_case_gives_the_message_it_expects() {
    for case in Case::all(CASES) {
        let policy = case.policy();
        let product = user_agent_of(IwfType::Mms, &policy.identity);
        let mail = mail(case.get("mail"));
        let Ok(Mm4::ForwardReq(forward_req)) = mm4::read(&mail) else { panic!("{}", case.name()) };
        let number = if case.get("rcpt_to").is_empty() { "+491700000002" } else { case.get("rcpt_to") };
        let recipient = address::of_mms(number.as_bytes(), &policy.addresses).unwrap();
        let product = product.as_bytes();
        let received = Received { forward_req, recipient, now_unix_s: NOW_UNIX_S, product, policy: &policy };
        for mode in case.get("mode").split(' ') {
            match (message(&received, mode), case.get("expected").strip_prefix("refused=")) {
                (Ok(message), None) => {
                    for (name, expected) in case.expected() {
                        assert_eq!(parameter(&message, name), expected, "{mode}: {}: {name}", case.name());
                    }
                }
                (Err(why), Some(expected)) => {
                    let status = String::from_utf8(refusal(why).token().to_vec()).unwrap();
                    assert_eq!(status, expected, "{mode}: {}", case.name());
                }
                (got, _) => panic!("{mode}: {}: {got:?}", case.name()),
            }
        }
    }
}

#[test]
fn every_code_has_its_request_status() {
    for case in Case::all(STATUSES) {
        let status = request_status(case.get("code").parse().unwrap(), &case.policy());
        let status = String::from_utf8(status.token().to_vec()).unwrap();
        assert_eq!(status, case.get("expected"), "{}", case.name());
    }
}

/// [MM4-T38-status]
#[test]
fn only_a_success_is_one() {
    for code in 100..=999 {
        assert_eq!(request_status(code, &Policy::default()).is_ok(), (200..300).contains(&code), "{code}");
    }
}
