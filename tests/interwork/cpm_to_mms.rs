//! Tables 12, 13, 15 and 16 from the CPM message to the head of the mail, or the refusal; Table 14 and its policy.

use isthmus::interwork::cpm::{Standalone, StandaloneRecord};
use isthmus::interwork::mms::envelope::{Envelope, EnvelopeRecord};
use isthmus::interwork::mms::large_message_to_forward_req::{TABLE_15, TABLE_16, msrp_status};
use isthmus::interwork::mms::multimedia_message::{MultimediaMessage, MultimediaMessageRecord};
use isthmus::interwork::mms::pager_to_forward_req::{TABLE_12, TABLE_13, sip_status};
use isthmus::interwork::mms::successful_transmission::{MESSAGE_CONTEXT, message_correlator};
use isthmus::interwork::table::{FieldTable, NotConvertible};
use isthmus::policy::Policy;
use isthmus::wire::cpim::Dispositions;
use isthmus::wire::mail::header;
use isthmus::wire::mail::mm4::RequestStatus;

use crate::cases::{Case, octets};

pub(crate) const CASES: &str = include_str!("../spec/cpm_to_mms.tsv");
const STATUSES: &str = include_str!("../spec/request_status_to_sip.tsv");

/// 2026-11-21T10:05:30Z
pub(crate) const NOW_UNIX_S: i64 = 1_795_255_530;

pub(crate) fn ordinary(policy: &Policy) -> Standalone<'_> {
    Standalone {
        request_uri: b"tel:+491700000002",
        from: b"tel:+491700000001",
        p_asserted_identity: [b"tel:+491700000001", b""],
        anonymous: false,
        recipient_list: b"",
        content_type: b"image/jpeg",
        content_transfer_encoding: b"base64",
        date_time: b"",
        date: b"",
        expires_s: None,
        disposition_notification: Dispositions::NONE,
        subject: b"",
        content: b"AAAA",
        now_unix_s: NOW_UNIX_S,
        transaction_id: b"t1",
        message_id: b"m1",
        mmsc_domain: b"mms.example",
        own_domain: b"gw.example",
        system_address: b"system-user@gw.example",
        policy,
    }
}

/// A list of recipients, ` ` between `copyControl=URI`.
fn list(cell: &str) -> Vec<u8> {
    let entry = |entry: &str| match entry.split_once('=') {
        Some(("", uri)) => format!("<entry uri=\"{uri}\"/>"),
        Some((copy_control, uri)) => format!("<entry uri=\"{uri}\" cp:copyControl=\"{copy_control}\"/>"),
        None => panic!("copyControl=URI: {entry}"),
    };
    let entries: String = cell.split(' ').map(entry).collect();
    format!(
        "<?xml version=\"1.0\"?><resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" \
         xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\"><list>{entries}</list></resource-lists>"
    )
    .into_bytes()
}

/// The changes of a case that own their octets: names and values.
fn changes(cell: &str) -> Vec<(&str, Vec<u8>)> {
    cell.split(" & ")
        .filter(|change| !change.is_empty())
        .map(|change| {
            let (name, value) = change.split_once('=').expect("name=value");
            (name, if name == "recipient-list" { list(value) } else { octets(value) })
        })
        .collect()
}

fn changed<'a>(mut message: Standalone<'a>, changes: &'a [(&str, Vec<u8>)]) -> Standalone<'a> {
    for (name, value) in changes {
        let number = || core::str::from_utf8(value).unwrap().parse().unwrap();
        match *name {
            "Request-URI" => message.request_uri = value,
            "From" => message.from = value,
            "P-Asserted-Identity" => message.p_asserted_identity[0] = value,
            "P-Asserted-Identity 2" => message.p_asserted_identity[1] = value,
            "Privacy" => message.anonymous = value == b"id",
            "recipient-list" => message.recipient_list = value,
            "Content-Type" => message.content_type = value,
            "Content-Transfer-Encoding" => message.content_transfer_encoding = value,
            "CPIM DateTime" => message.date_time = value,
            "Date" => message.date = value,
            "Expires" => message.expires_s = Some(number()),
            "imdn.Disposition-Notification" => message.disposition_notification = Dispositions::NONE.with_list(value),
            "Subject" => message.subject = value,
            "content" => message.content = value,
            "Transaction ID" => message.transaction_id = value,
            "Message ID" => message.message_id = value,
            other => panic!("no header {other}"),
        }
    }
    message
}

type Tables = (
    &'static FieldTable<StandaloneRecord, EnvelopeRecord>,
    &'static FieldTable<StandaloneRecord, MultimediaMessageRecord>,
);

fn tables(mode: &str) -> Tables {
    match mode {
        "pager" => (&TABLE_12, &TABLE_13),
        "large" => (&TABLE_15, &TABLE_16),
        other => panic!("no mode {other}"),
    }
}

/// The envelope, the head of the mail, and the content that would follow it.
pub(crate) fn mail(message: &Standalone<'_>, mode: &str) -> Result<(Envelope, Vec<u8>, Vec<u8>), NotConvertible> {
    let (commands, elements) = tables(mode);
    let (mut envelope, mut mms) = (Envelope::default(), MultimediaMessage::default());
    commands.fill(message, &mut envelope)?;
    elements.fill(message, &mut mms)?;
    let req = mms.forward_req();
    let mut head = Vec::new();
    req.write_head(b"mail-1@gw.example", &mut head);
    Ok((envelope, head, req.content.to_vec()))
}

/// A field of a head, unfolded; empty if it is absent.
pub(crate) fn field(head: &[u8], name: &str) -> String {
    let value = header::find(head, name.as_bytes()).unwrap_or_default();
    String::from_utf8(header::unfolded(value).collect()).unwrap()
}

pub(crate) fn command(envelope: &Envelope, name: &str) -> Option<String> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    match name {
        "MAIL From" => Some(text(&envelope.mail_from)),
        "RCPT To" => Some(text(&envelope.rcpt_to)),
        "DATA" => envelope.data.map(|data| format!("{data:?}")),
        _ => None,
    }
}

#[test]
fn every_case_gives_the_elements_it_expects() {
    for case in Case::all(CASES) {
        let policy = case.policy();
        let changes = changes(case.get("changes"));
        let message = changed(ordinary(&policy), &changes);
        for mode in case.get("mode").split(' ') {
            match (mail(&message, mode), case.get("expected").strip_prefix("refused=")) {
                (Ok((envelope, head, content)), None) => {
                    for (name, expected) in case.expected() {
                        let got = command(&envelope, name).unwrap_or_else(|| match name {
                            "content" => content.escape_ascii().to_string(),
                            _ => field(&head, name),
                        });
                        assert_eq!(got, expected, "{mode}: {}: {name}", case.name());
                    }
                }
                (Err(why), Some(expected)) => assert_eq!(format!("{why:?}"), expected, "{mode}: {}", case.name()),
                (got, _) => panic!("{mode}: {}: {got:?}", case.name()),
            }
        }
    }
}

#[test]
fn every_request_status_has_its_code() {
    for case in Case::all(STATUSES) {
        let status = RequestStatus::from_token(case.get("request_status").as_bytes());
        let policy = case.policy();
        assert_eq!(sip_status(status, &policy).to_string(), case.get("sip"), "{}", case.name());
        assert_eq!(msrp_status(status, &policy).to_string(), case.get("msrp"), "{}", case.name());
    }
}

/// Nothing that a CPM user writes begins a field or a line of its own, or ends an address.
///
/// [MM4-T13-subject] [MM4-T13-recipient-list]
#[test]
fn no_value_adds_a_field() {
    let policy = Policy::default();
    let names = |head: &[u8]| header::fields(head).map(|field| field.name.to_vec()).collect::<Vec<_>>();
    let (_, plain, _) = mail(&Standalone { subject: b"x", ..ordinary(&policy) }, "pager").unwrap();
    for evil in [b"x\r\nX-Mms-Forward-Counter: 9".as_slice(), b"\n.\r\n", b"=?UTF-8?Q?=0D=0ABcc:_a@b?="] {
        let (_, head, _) = mail(&Standalone { subject: evil, ..ordinary(&policy) }, "pager").unwrap();
        assert_eq!(names(&head), names(&plain), "{}", evil.escape_ascii());
        let refused = mail(&Standalone { p_asserted_identity: [evil, b""], from: evil, ..ordinary(&policy) }, "pager");
        assert!(refused.is_err(), "{}", evil.escape_ascii());
    }
}

/// [MM4-OK-A1] [MM4-OK-A2] [MM4-OK-B1] [MM4-OK-B2]
#[test]
fn a_success_is_told_with_the_id_of_the_message() {
    assert_eq!(MESSAGE_CONTEXT, b"multimedia-message");
    for message_id in [b"m1@gw.example".as_slice(), b"\"m1@gw.example\"", b"<m1@gw.example>", b" \"<m1@gw.example>\" "]
    {
        assert_eq!(message_correlator(message_id), b"m1@gw.example");
    }
}
