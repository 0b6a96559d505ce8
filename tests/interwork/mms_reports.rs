//! Reports both ways and the responses to requests: Tables 17 to 22, 37, 38 and 41 to 44, from the mail or the notification as
//! it arrives.

use isthmus::interwork::mms::delivery_report_to_imdn::{StatusAnswer, TABLE_17, TABLE_18, TABLE_19, outcome};
use isthmus::interwork::mms::envelope::{Envelope, EnvelopeRecord};
use isthmus::interwork::mms::forward_req_to_pager::{TABLE_37, TABLE_38};
use isthmus::interwork::mms::imdn_to_delivery_report::{TABLE_41, TABLE_42};
use isthmus::interwork::mms::imdn_to_read_reply::{Asked, TABLE_43, TABLE_44, due};
use isthmus::interwork::mms::notification::{ReportNotification, Reported};
use isthmus::interwork::mms::read_reply_to_imdn::{self, TABLE_20, TABLE_21, TABLE_22};
use isthmus::interwork::mms::report::{DeliveryReport, Notified, ReadReplyReport};
use isthmus::interwork::mms::response::{Request, RequestRecord, Response, ResponseRecord};
use isthmus::interwork::product::{IwfType, user_agent_of};
use isthmus::interwork::sms::status_report_to_imdn::Original;
use isthmus::interwork::table::{FieldTable, NotConvertible};
use isthmus::policy::Policy;
use isthmus::wire::cpim::Dispositions;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::mail::mm4::{self, Mm4, MmStatus, ReadStatus, RequestStatus, ResKind};

use crate::cases::{Case, changed, octets};
use crate::cpm_to_mms::{NOW_UNIX_S, command, field};

pub(crate) const TO_CPM: &str = include_str!("../spec/mms_report_to_imdn.tsv");
pub(crate) const TO_MMS: &str = include_str!("../spec/imdn_to_mms.tsv");
pub(crate) const RESPONSES: &str = include_str!("../spec/mm4_response.tsv");
const OUTCOMES: &str = include_str!("../spec/mm_status_outcome.tsv");
const DUE: &str = include_str!("../spec/mms_reports_due.tsv");

const SYSTEM: &[u8] = b"system-user@gw.example";

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// A request of an MMS Relay/Server: the ordinary one of its kind with the changes of a cell.
fn mail(kind: &str, changes: &str) -> Vec<u8> {
    let of_kind = match kind {
        "forward" => ("MM4_forward.REQ", "X-Mms-Priority", "Normal"),
        "delivery" => ("MM4_delivery_report.REQ", "X-Mms-MM-Status-Code", "Retrieved"),
        "read" => ("MM4_read_reply_report.REQ", "X-Mms-Read-Status", "Read"),
        other => panic!("no request {other}"),
    };
    let ordinary = [
        ("X-Mms-3GPP-MMS-Version", "6.3.0"),
        ("X-Mms-Message-Type", of_kind.0),
        ("X-Mms-Transaction-ID", "\"t9\""),
        ("X-Mms-Message-ID", "<m9@mms.example>"),
        ("From", "+491700000002/TYPE=PLMN@mms.example"),
        ("To", "+491700000001/TYPE=PLMN@gw.example"),
        ("Date", "Sat, 21 Nov 2026 10:00:00 +0000"),
        ("Sender", "system@mms.example"),
        (of_kind.1, of_kind.2),
    ];
    let lines = changed(&ordinary, changes).into_iter();
    let head: Vec<u8> =
        lines.flat_map(|(name, value)| [name.as_bytes(), b": ", &octets(&value), b"\r\n"].concat()).collect();
    [head.as_slice(), b"\r\n"].concat()
}

type Tables = (&'static FieldTable<RequestRecord, EnvelopeRecord>, &'static FieldTable<RequestRecord, ResponseRecord>);

fn tables(kind: &str) -> Tables {
    match kind {
        "forward" => (&TABLE_37, &TABLE_38),
        "delivery" => (&TABLE_18, &TABLE_19),
        _ => (&TABLE_21, &TABLE_22),
    }
}

fn request<'a>(mail: &'a [u8], mail_from: &'a [u8], status: &str, policy: &'a Policy) -> Request<'a> {
    let bare = Request {
        kind: ResKind::Forward,
        mail_from,
        originator_system: b"",
        transaction_id: b"",
        message_id: b"",
        forward_route: b"",
        originator_recipient_address: b"",
        request_status: RequestStatus::from_token(status.as_bytes()),
        now_unix_s: NOW_UNIX_S,
        system_address: SYSTEM,
        policy,
    };
    match mm4::read(mail).unwrap() {
        Mm4::ForwardReq(req) => bare.of_forward(&req),
        Mm4::DeliveryReportReq(req) => bare.of_delivery_report(&req),
        Mm4::ReadReplyReportReq(req) => bare.of_read_reply_report(&req),
        Mm4::Res(res) => panic!("{res:?}"),
    }
}

#[test]
fn every_request_gets_the_response_it_should() {
    for case in Case::all(RESPONSES) {
        let policy = case.policy();
        for kind in case.get("kind").split(' ') {
            let mail = mail(kind, case.get("mail"));
            let request = request(&mail, case.get("mail_from").as_bytes(), case.get("status"), &policy);
            let (commands, elements) = tables(kind);
            let (mut envelope, mut response, mut head) = (Envelope::default(), Response::default(), Vec::new());
            commands.fill(&request, &mut envelope).unwrap();
            elements.fill(&request, &mut response).unwrap();
            response.res().write_head(b"mail-1@gw.example", &mut head);
            for (name, expected) in case.expected() {
                let got = command(&envelope, name).unwrap_or_else(|| field(&head, name));
                assert_eq!(got, expected, "{kind}: {}: {name}", case.name());
            }
        }
    }
}

fn notification_of(cell: &str) -> (Notification, Status) {
    let (what, status) = cell.split_once(' ').expect("notification status");
    let known = [Notification::Delivery, Notification::Display, Notification::Processing, Notification::Interworking];
    let what = known.into_iter().find(|known| known.element() == format!("{what}-notification")).unwrap();
    (what, Status::ALL.into_iter().find(|known| known.element() == status).unwrap())
}

fn original<'a>(status: (Notification, Status), product: &'a [u8]) -> Original<'a> {
    Original {
        sip_to: b"tel:+491700000002",
        cpim_to: b"tel:+491700000002",
        originator: b"tel:+491700000001",
        conversation_id: b"conv-1",
        contribution_id: b"contrib-1",
        date_time: b"2026-11-20T08:00:00Z",
        imdn_message_id: b"imdn-1",
        imdn_record_route: b"",
        original_to: b"",
        status,
        product,
        new_message_id: b"minted-id",
        new_call_id: b"minted@gw.example",
    }
}

fn change<'a>(reported: &mut Reported<'a>, cell: &'a str) {
    for pair in cell.split(" & ").filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=value");
        let original = &mut reported.original;
        let place = match name {
            "SIP To" => &mut original.sip_to,
            "CPIM To" => &mut original.cpim_to,
            "originator" => &mut original.originator,
            "Conversation-ID" => &mut original.conversation_id,
            "Contribution-ID" => &mut original.contribution_id,
            "DateTime" => &mut original.date_time,
            "imdn.Message-ID" => &mut original.imdn_message_id,
            "IMDN-Record-Route" => &mut original.imdn_record_route,
            "Original-To" => &mut original.original_to,
            "Referred-By" => &mut reported.referred_by,
            other => panic!("no header {other}"),
        };
        *place = value.as_bytes();
    }
}

fn addresses(mail: &[u8]) -> (&[u8], &[u8], Option<i64>) {
    match mm4::read(mail).unwrap() {
        Mm4::DeliveryReportReq(req) => (req.from, req.to, req.date_unix_s),
        Mm4::ReadReplyReportReq(req) => (req.from, req.to, req.date_unix_s),
        other => panic!("{other:?}"),
    }
}

fn said(message: &ReportNotification<'_>, name: &str) -> String {
    let imdn = message.notification();
    let parties = &message.parties;
    text(match name {
        "User-Agent" => imdn.user_agent,
        "From" => imdn.from,
        "CPIM From" => imdn.cpim_from,
        "P-Asserted-Identity" => {
            let uris = [parties.p_asserted_identity_sip, parties.p_asserted_identity_tel].map(|span| parties.get(span));
            return uris.into_iter().filter(|uri| !uri.is_empty()).map(text).collect::<Vec<_>>().join(", ");
        }
        "Request-URI" => imdn.to,
        "CPIM To" => imdn.cpim_to,
        "Conversation-ID" => imdn.conversation_id,
        "Contribution-ID" => imdn.contribution_id,
        "Content-Disposition" => imdn.content_disposition,
        "status" => return format!("{} {}", imdn.status.0.element(), imdn.status.1.element()),
        "imdn.Message-ID" => imdn.imdn_message_id,
        "IMDN-Route" => imdn.imdn_route,
        "original-recipient-uri" => imdn.original_recipient_uri,
        "recipient-uri" => imdn.recipient_uri,
        "message-id" => imdn.message_id,
        "Date" => return message.date_unix_s.map(|date| date.to_string()).unwrap_or_default(),
        "datetime" => imdn.datetime,
        "Call-ID" => imdn.call_id,
        "CSeq" => return imdn.cseq.to_string(),
        "Content-Type" => imdn.content_type,
        other => panic!("no parameter {other}"),
    })
}

#[test]
fn every_report_gives_the_notification_it_should() {
    for case in Case::all(TO_CPM) {
        let policy = case.policy();
        let product = user_agent_of(IwfType::Mms, &policy.identity);
        for kind in case.get("kind").split(' ') {
            let mail = mail(kind, case.get("mail"));
            let (recipient_address, sender_address, date_unix_s) = addresses(&mail);
            let status = if kind == "read" { "display displayed" } else { "delivery delivered" };
            let status = if case.get("status").is_empty() { status } else { case.get("status") };
            let original = original(notification_of(status), product.as_bytes());
            let mut reported = Reported {
                original,
                referred_by: b"",
                recipient_address,
                sender_address,
                date_unix_s,
                policy: &policy,
            };
            change(&mut reported, case.get("original"));
            let mut notification = ReportNotification::default();
            let table = if kind == "read" { &TABLE_20 } else { &TABLE_17 };
            table.fill(&reported, &mut notification).unwrap();
            for (name, expected) in case.expected() {
                assert_eq!(said(&notification, name), expected, "{kind}: {}: {name}", case.name());
            }
        }
    }
}

/// The `requested` notifications of a status, delivery report or read reply.
fn told(report: &str, requested: Dispositions, policy: &Policy) -> String {
    let named = |what: &str, status: Option<Status>| status.map(|status| format!("{what} {}", status.element()));
    let told = match report.split_once(' ').expect("kind value") {
        ("delivery", status) => {
            let StatusAnswer { interworking, delivery, processing } =
                outcome(MmStatus::from_token(status.as_bytes()), requested, policy);
            vec![named("delivery", delivery), named("interworking", interworking), named("processing", processing)]
        }
        (_, status) => {
            let status = read_reply_to_imdn::outcome(ReadStatus::from_token(status.as_bytes()), requested, policy);
            vec![named("display", status)]
        }
    };
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[test]
fn who_is_told_what_of_a_multimedia_message_follows_what_was_requested() {
    for case in Case::all(OUTCOMES) {
        let requested = Dispositions::NONE.with_list(case.get("requested").as_bytes());
        assert_eq!(told(case.get("report"), requested, &case.policy()), case.get("expected"), "{}", case.name());
    }
}

fn notified<'a>(case: &Case<'a>, policy: &'a Policy) -> Notified<'a> {
    let mut notified = Notified {
        request_uri: b"tel:+491700000001",
        to: b"tel:+491700000001",
        from: b"tel:+491700000002",
        p_asserted_identity: [b"tel:+491700000002", b""],
        date: b"Sat, 21 Nov 2026 10:00:00 GMT",
        status: notification_of(case.get("status")),
        message_id: b"<m9@mms.example>",
        originator: b"Bob <+491700000001/TYPE=PLMN@mms.example>",
        now_unix_s: NOW_UNIX_S,
        transaction_id: b"s1-t5",
        mmsc_domain: b"mms.example",
        own_domain: b"gw.example",
        system_address: SYSTEM,
        policy,
    };
    for pair in case.get("changes").split(" & ").filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=value");
        let place = match name {
            "Request-URI" => &mut notified.request_uri,
            "To" => &mut notified.to,
            "From" => &mut notified.from,
            "P-Asserted-Identity" => &mut notified.p_asserted_identity[0],
            "Date" => &mut notified.date,
            "Message ID" => &mut notified.message_id,
            "originator" => &mut notified.originator,
            other => panic!("no header {other}"),
        };
        *place = value.as_bytes();
    }
    notified
}

/// The envelope and the mail of one of the two reports.
fn report(notified: &Notified<'_>, kind: &str) -> Result<(Envelope, Vec<u8>), NotConvertible> {
    let (mut envelope, mut head) = (Envelope::default(), Vec::new());
    if kind == "delivery" {
        let mut report = DeliveryReport::default();
        TABLE_41.fill(notified, &mut envelope)?;
        TABLE_42.fill(notified, &mut report)?;
        report.delivery_report_req().write_head(b"mail-1@gw.example", &mut head);
    } else {
        let mut report = ReadReplyReport::default();
        TABLE_43.fill(notified, &mut envelope)?;
        TABLE_44.fill(notified, &mut report)?;
        report.read_reply_report_req().write_head(b"mail-1@gw.example", &mut head);
    }
    Ok((envelope, head))
}

#[test]
fn every_notification_gives_the_report_it_should() {
    for case in Case::all(TO_MMS) {
        let policy = case.policy();
        for kind in case.get("kind").split(' ') {
            match (report(&notified(&case, &policy), kind), case.get("expected").strip_prefix("refused=")) {
                (Ok((envelope, head)), None) => {
                    for (name, expected) in case.expected() {
                        let got = command(&envelope, name).unwrap_or_else(|| field(&head, name));
                        assert_eq!(got, expected, "{kind}: {}: {name}", case.name());
                    }
                }
                (Err(why), Some(expected)) => assert_eq!(format!("{why:?}"), expected, "{kind}: {}", case.name()),
                (got, _) => panic!("{kind}: {}: {got:?}", case.name()),
            }
        }
    }
}

#[test]
fn a_report_goes_to_who_asked_for_it_and_once() {
    for case in Case::all(DUE) {
        let asked = case.get("asked");
        let asked = Asked {
            delivery_report: asked.contains("delivery"),
            read_reply: asked.contains("read"),
            is_reported: asked.contains("told"),
        };
        let due = due(notification_of(case.get("status")), asked, &case.policy());
        let delivery = due.delivery_report.map(|status| format!("delivery {}", text(status.token())));
        let read = due.read_reply.map(|status| format!("read {}", text(status.token())));
        let got = [delivery, read].into_iter().flatten().collect::<Vec<_>>().join(", ");
        assert_eq!(got, case.get("expected"), "{}", case.name());
    }
}
