//! A Large Message becomes an MM (IWF V3.0 6.1.2, 6.3.1.1.2, Tables 15 and 16), and what its MMS Relay/Server says to it is
//! the answer to its last chunk.

use isthmus::wire::cpim::imdn::{Notification, Status};

use crate::client::{Client, LARGE_MESSAGE, SESSION, header, line};
use crate::mms::{CPM_USER, Gateway, MMS_USER, OURS, delivery_report, read_reply, response};
use crate::mmsc::Mail;
use crate::sip::{imdns, outcomes};
use crate::world::settings_with_mms;

/// Base64 of some 75,000 octets, in lines.
fn picture() -> String {
    let digits = (0_u32..).map(|n| char::from(b'A' + u8::try_from(n * 7 % 26).unwrap()));
    let digits: String = digits.take(100_016).collect();
    digits.as_bytes().chunks(76).map(|line| String::from_utf8(line.to_vec()).unwrap() + "\r\n").collect()
}

/// A presentation of a picture and a text.
fn presentation(picture: &str) -> String {
    format!(
        "--inner\r\nContent-Type: application/smil\r\nContent-ID: <s>\r\n\r\n<smil/>\r\n\
         --inner\r\nContent-Type: image/jpeg\r\nContent-ID: <p>\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n\
         --inner\r\nContent-Type: text/plain\r\nContent-ID: <t>\r\n\r\nBonjour\r\n--inner--\r\n"
    )
}

const KIND: &str = "multipart/related;type=\"application/smil\";boundary=inner";

/// It in its wrapper.
fn wrapped(id: &str, dispositions: &str, kind: &str, content: &str) -> String {
    let wanted = if dispositions.is_empty() {
        String::new()
    } else {
        format!("imdn.Disposition-Notification: {dispositions}\r\n")
    };
    format!(
        "From: <tel:+15550001>\r\nTo: <tel:+15550002>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: {id}\r\n{wanted}\r\nContent-Type: {kind}\r\n\r\n{content}"
    )
}

fn sender(call_id: &str) -> Client {
    let attributes = "a=accept-wrapped-types:multipart/related image/jpeg application/smil\r\na=sendonly\r\n".into();
    Client { attributes, ..Client::new(call_id, LARGE_MESSAGE) }
}

/// Says a message in chunks; the codes that came, and the mail that it became.
fn say(gateway: &mut Gateway, client: &mut Client, content: &str) -> (Vec<String>, Vec<Mail>) {
    client.establish(&mut gateway.world);
    let (_, answers) = client.say(&mut gateway.world, content, 8_000);
    gateway.pass(1);
    (codes(&answers), gateway.mails())
}

/// MMS alone has large messages whatever the switches say of SMS, and no sessions at all.
#[test]
fn without_sms_there_are_large_messages_and_no_sessions() {
    let mut settings = settings_with_mms(0);
    settings.policy.switches.sms_standalone_messages = false;
    let mut gateway = Gateway::of(1, &settings);
    let mut client = sender("alone@client");
    let (codes, mails) = say(&mut gateway, &mut client, &wrapped("alone", "", "text/plain", "Bonjour"));
    assert_eq!((codes.len(), mails.len()), (0, 1), "it waits for the response");
    let mut chat = Client::new("chat@client", SESSION);
    let responses = chat.invite(&mut gateway.world);
    assert!(responses.last().is_some_and(|last| last.starts_with("SIP/2.0 488 ")), "{responses:?}");
}

/// The codes of MSRP responses.
fn codes(frames: &[String]) -> Vec<String> {
    frames.iter().map(|frame| frame.split(' ').nth(2).expect("a code").to_owned()).collect()
}

/// Says the short message that most tests are about.
fn said(gateway: &mut Gateway, client: &mut Client, dispositions: &str) -> Mail {
    let content = wrapped("id1", dispositions, KIND, &presentation("R0lGODlh\r\n"));
    let (codes, mut mails) = say(gateway, client, &content);
    assert_eq!((codes, mails.len()), (vec![], 1));
    mails.remove(0)
}

/// [MM4-ROUTE-04] [MM4-OUT-03] [MM4-LMM-00a]
#[test]
fn the_offer_may_hold_what_mms_takes() {
    for (mms, code) in [(true, "200"), (false, "488")] {
        let mut settings = settings_with_mms(1);
        if !mms {
            settings.mmscs.clear();
        }
        let mut gateway = Gateway::of(1, &settings);
        let mut client = sender("one@a");
        let responses = client.invite(&mut gateway.world);
        let last = responses.last().expect("a response");
        assert!(last.starts_with(&format!("SIP/2.0 {code} ")), "{last}");
        assert_eq!(line(last, "a=accept-wrapped-types:").as_deref(), mms.then_some("*"), "{last}");
    }
}

/// [MM4-ROUTE-05a] [MM4-ROUTE-05b] [MM4-LMM-01] [MM4-LMM-02] [MM4-LMM-03] [MM4-LMM-04] [MM4-LMM-05] [MM4-LMM-06a]
/// [MM4-T15-mail_from] [MM4-T15-rcpt_to] [MM4-T15-data] [MM4-T16-version] [MM4-T16-message_type]
/// [MM4-T16-recipient-single] [MM4-T16-sender] [MM4-T16-content_type] [MM4-T16-date] [MM4-T16-expiry]
/// [MM4-T16-delivery_report] [MM4-T16-read_reply] [MM4-T16-priority] [MM4-T16-subject] [MM4-T16-ack_request]
/// [MM4-T16-forward_counter] [MM4-T16-originator_system] [MM4-T16-forward_route] [MM4-T16-content] [MM4-OK-B1]
/// [MM4-OK-B2]
#[test]
fn chunks_become_one_mail_and_its_response_answers_the_last() {
    let mut gateway = Gateway::new(1);
    let mut client = sender("two@a");
    client.headers = "Message-Expires: 3600\r\nSubject: Holiday\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n".into();
    let picture = picture();
    let content = wrapped("id2", "positive-delivery, display", KIND, &presentation(&picture));
    let chunks = content.len().div_ceil(8_000);
    let (codes_so_far, mut mails) = say(&mut gateway, &mut client, &content);
    assert_eq!(codes_so_far, vec!["200"; chunks - 1], "the last one waits");
    let mail = mails.pop().expect("a mail");
    assert!(mails.is_empty() && client.frames(&gateway.world).is_empty());
    assert_eq!((mail.mail_from.as_str(), mail.rcpt_to.as_slice()), (CPM_USER, &[MMS_USER.to_owned()][..]));
    for (name, value) in [
        ("X-Mms-3GPP-MMS-Version", "6.10.0"),
        ("X-Mms-Message-Type", "MM4_forward.REQ"),
        ("To", MMS_USER),
        ("From", CPM_USER),
        ("Date", "Sat, 21 Nov 2026 10:15:30 +0000"),
        ("X-Mms-Delivery-Report", "Yes"),
        ("X-Mms-Read-Reply", "Yes"),
        ("X-Mms-Priority", "Normal"),
        ("Subject", "Holiday"),
        ("X-Mms-Ack-Request", "Yes"),
        ("X-Mms-Forward-Counter", "1"),
        ("X-Mms-Originator-System", OURS),
        ("X-Mms-Forward-Route", OURS),
    ] {
        assert_eq!(mail.get(name), value, "{name}");
    }
    assert!(mail.header("X-Mms-Expiry").is_some() && mail.get("Content-Type").starts_with("multipart/related"));
    assert!(mail.body().replace("\r\n", "").contains(&picture.replace("\r\n", "")), "every octet of it");
    assert!(gateway.bring(0, &response(&mail, "Ok")).starts_with("250"));
    assert_eq!(codes(&client.frames(&gateway.world)), ["200"]);
    let bye = client.bye(&mut gateway.world);
    assert!(bye.starts_with("SIP/2.0 200 OK\r\n"), "{bye}");
    assert_eq!(header(&bye, "Message-Context").as_deref(), Some("multimedia-message"));
    assert_eq!(header(&bye, "Message-Correlator"), Some(mail.get("X-Mms-Message-ID")));
    gateway.bring(0, &delivery_report(&mail, "Retrieved"));
    gateway.bring(0, &read_reply(&mail, "Read"));
    let told = [(Notification::Delivery, Status::Delivered), (Notification::Display, Status::Displayed)];
    assert_eq!(outcomes(&gateway.world, "id2"), told);
    for imdn in imdns(&gateway.world) {
        assert_eq!(imdn.request.get("Conversation-ID"), "conv-two@a");
        assert_eq!(imdn.request.get("Contribution-ID"), "contrib-two@a");
    }
    gateway.nothing_stays();
}

/// X-Mms-Request-Status-Code, and the response of MSRP.
const STATUSES: [(&str, &str); 6] = [
    ("Error-service-denied", "403"),
    ("Error-sending-address-unresolved", "403"),
    ("Error-content-not-accepted", "415"),
    ("Error-unspecified", "400"),
    ("Error-network-problem", "400"),
    ("Error-transient-failure", "408"),
];

#[test]
fn a_refused_message_is_an_error_and_a_bye() {
    for (status, code) in STATUSES {
        let mut gateway = Gateway::new(1);
        let mut client = sender("three@a");
        let mail = said(&mut gateway, &mut client, "negative-delivery");
        gateway.bring(0, &response(&mail, status));
        assert_eq!(codes(&client.frames(&gateway.world)), [code], "{status}");
        client.take_bye(&mut gateway.world);
        assert!(imdns(&gateway.world).is_empty(), "its sender knows");
        gateway.nothing_stays();
    }
}

/// Reply to the end of the data, and the response of MSRP.
#[test]
fn a_mail_that_smtp_refuses_is_an_error_and_a_bye() {
    for (reply, code) in [
        ("552 5.3.4 too large", "413"),
        ("554 5.6.0 no", "403"),
        ("451 4.3.0 not now", "408"),
        ("501 5.5.4 what", "400"),
    ] {
        let mut gateway = Gateway::new(1);
        gateway.mmscs[0].reply = reply;
        let mut client = sender("four@a");
        let content = wrapped("id4", "", KIND, &presentation("R0lGODlh\r\n"));
        say(&mut gateway, &mut client, &content);
        assert_eq!(codes(&client.frames(&gateway.world)), [code], "{reply}");
        client.take_bye(&mut gateway.world);
        gateway.nothing_stays();
    }
}

/// [MM4-CONTENT-1d]
#[test]
fn a_message_larger_than_the_relay_takes_is_413() {
    let mut settings = settings_with_mms(0);
    settings.mmscs[0].message_bytes_max = 50_000;
    let mut gateway = Gateway::of(1, &settings);
    let mut client = sender("five@a");
    let content = wrapped("id5", "", KIND, &presentation(&picture()));
    let (codes, mails) = say(&mut gateway, &mut client, &content);
    assert_eq!((codes.last().map(String::as_str), mails.len()), (Some("413"), 0));
    client.take_bye(&mut gateway.world);
    gateway.nothing_stays();
}

/// [MM4-CONTENT-1e] [MM4-LMM-01] [SEC-02b]
#[test]
fn content_is_judged_as_that_of_a_pager_message() {
    let mixed = |types: [&str; 2]| {
        let parts = types.map(|kind| format!("--inner\r\nContent-Type: {kind}\r\n\r\nx{kind}x\r\n"));
        wrapped("id6", "", "multipart/mixed;boundary=inner", &format!("{}--inner--\r\n", parts.concat()))
    };
    for (content, code) in [
        (mixed(["image/gif", "application/zip"]), None),
        (mixed(["application/pdf", "application/zip"]), Some("415")),
        (mixed(["text/plain", "message/mls"]), Some("413")),
    ] {
        let mut gateway = Gateway::new(1);
        let mut client = sender("six@a");
        let (codes, mails) = say(&mut gateway, &mut client, &content);
        assert_eq!((codes.last().map(String::as_str), mails.len()), (code, usize::from(code.is_none())));
        for mail in mails {
            assert!(mail.data.contains("image/gif") && !mail.data.contains("zip"), "{}", mail.data);
        }
    }
}

/// [MM4-T16-ack_request] [MM4-LMM-06a]
#[test]
fn by_policy_nobody_waits_for_the_response() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.ack_request_large_message = false;
    let mut gateway = Gateway::of(1, &settings);
    let mut client = sender("seven@a");
    let content = wrapped("id7", "negative-delivery", KIND, &presentation("R0lGODlh\r\n"));
    let (_, mails) = say(&mut gateway, &mut client, &content);
    assert_eq!(mails[0].get("X-Mms-Ack-Request"), "No");
    assert_eq!(codes(&client.frames(&gateway.world)), ["200"], "the Relay/Server has the mail");
    client.bye(&mut gateway.world);
    gateway.bring(0, &delivery_report(&mails[0], "Rejected"));
    assert_eq!(outcomes(&gateway.world, "id7"), [(Notification::Delivery, Status::Failed)]);
    gateway.nothing_stays();
}

/// [MM4-LMM-06b]
#[test]
fn a_late_refusal_is_a_notification() {
    let mut gateway = Gateway::new(1);
    let mut client = sender("eight@a");
    let mail = said(&mut gateway, &mut client, "negative-delivery");
    gateway.pass(26);
    assert_eq!(codes(&client.frames(&gateway.world)), ["200"], "as policy has it");
    client.bye(&mut gateway.world);
    gateway.bring(0, &response(&mail, "Error-content-not-accepted"));
    assert_eq!(outcomes(&gateway.world, "id1"), [(Notification::Delivery, Status::Failed)]);
    let imdn = imdns(&gateway.world).remove(0);
    assert_eq!(imdn.request.first_line, "MESSAGE tel:+15550001 SIP/2.0");
    assert_eq!(imdn.request.get("Conversation-ID"), "conv-eight@a");
    gateway.nothing_stays();
}

/// The sender does not wait: his message goes on, and its reports find him.
#[test]
fn a_bye_before_the_response_loses_nothing() {
    for (status, told) in [("Ok", Status::Delivered), ("Error-unspecified", Status::Failed)] {
        let mut gateway = Gateway::new(1);
        let mut client = sender("nine@a");
        let mail = said(&mut gateway, &mut client, "positive-delivery, negative-delivery");
        let bye = client.bye(&mut gateway.world);
        assert!(bye.starts_with("SIP/2.0 200 OK\r\n") && header(&bye, "Message-Context").is_none(), "{bye}");
        gateway.bring(0, &response(&mail, status));
        if status == "Ok" {
            gateway.bring(0, &delivery_report(&mail, "Retrieved"));
        }
        assert_eq!(outcomes(&gateway.world, "id1"), [(Notification::Delivery, told)], "{status}");
        gateway.nothing_stays();
    }
}

#[test]
fn without_its_relay_the_last_chunk_is_408_and_a_bye() {
    let mut gateway = Gateway::new(1);
    gateway.world.accept_dials = false;
    gateway.mmscs[0].hang_up(&mut gateway.world);
    gateway.pass(2);
    let mut client = sender("ten@a");
    let content = wrapped("id10", "", KIND, &presentation("R0lGODlh\r\n"));
    let (codes, _) = say(&mut gateway, &mut client, &content);
    assert_eq!(codes, ["408"]);
    client.take_bye(&mut gateway.world);
    gateway.nothing_stays();
}

/// He cannot be told now either: what is kept of his message ends with its validity.
#[test]
fn a_sender_who_left_and_cannot_be_told_leaves_nothing() {
    let mut gateway = Gateway::new(1);
    let mut client = sender("left@a");
    client.headers = "Message-Expires: 600\r\n".into();
    let mail = said(&mut gateway, &mut client, "negative-delivery");
    client.bye(&mut gateway.world);
    gateway.world.cpm.respond = [480].into();
    gateway.bring(0, &response(&mail, "Error-unspecified"));
    assert_eq!(imdns(&gateway.world).len(), 1);
    gateway.world.run_for(std::time::Duration::from_secs(600));
    gateway.nothing_stays();
}

/// [MM4-LMM-00b]
#[test]
fn an_invite_with_errors_is_an_error() {
    let mut gateway = Gateway::new(1);
    let mut nobody = sender("nobody@a");
    nobody.to = "not-a-number".into();
    let mut no_path = sender("path@a");
    no_path.path = "nowhere".into();
    for mut client in [nobody, no_path] {
        let responses = client.invite(&mut gateway.world);
        let last = responses.last().expect("a response");
        assert!(last.starts_with("SIP/2.0 4"), "{last}");
        client.ack_refusal(&mut gateway.world);
    }
    assert!(gateway.mails().is_empty());
    gateway.nothing_stays();
}

/// [MM4-T16-transaction_id] [MM4-T16-message_id] [MM4-T16-visibility] [MM4-T16-sender] [MM4-T16-recipient-list]
/// [MM4-T16-recipient-to] [MM4-T16-recipient-cc] [MM4-T16-expiry-default]
#[test]
fn an_anonymous_sender_and_a_list_of_recipients() {
    let mut settings = settings_with_mms(0);
    settings.policy.mms.expiry_without_expires_s = Some(3_600);
    let mut gateway = Gateway::of(1, &settings);
    let mut client = sender("list@a");
    client.headers = "Privacy: id\r\n".into();
    let entry = |number: &str, control: &str| format!("<entry uri=\"tel:{number}\" cp:copyControl=\"{control}\"/>");
    let list = format!(
        "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\">\
         <list>{}{}{}</list></resource-lists>",
        entry("+15550002", "to"),
        entry("+15550003", "cc"),
        entry("office", "to")
    );
    let invite = listed_invite(&mut client, &list);
    let responses = client.send(&mut gateway.world, &invite);
    assert!(responses.last().is_some_and(|last| last.starts_with("SIP/2.0 200 ")), "{responses:?}");
    client.ack(&mut gateway.world);
    client.connect(&mut gateway.world, 0);
    client.bind(&mut gateway.world);
    client.say(&mut gateway.world, &wrapped("id1", "", KIND, &presentation("R0lGODlh\r\n")), 8_000);
    let mail = gateway.mail();
    assert_eq!((mail.rcpt_to.as_slice(), mail.get("To").as_str()), (&[MMS_USER.to_owned()][..], MMS_USER));
    assert_eq!(mail.get("Cc"), "+15550003/TYPE=PLMN@mms.example.com");
    assert_eq!((mail.get("From").as_str(), mail.get("X-Mms-Sender-Visibility").as_str()), (CPM_USER, "Hide"));
    assert!(mail.get("X-Mms-Transaction-ID").starts_with('t') && mail.get("X-Mms-Message-ID").starts_with('m'));
    assert!(mail.header("X-Mms-Expiry").is_some());
}

/// INVITE with an offer and the list of all recipients beside it.
fn listed_invite(client: &mut Client, list: &str) -> String {
    let headers = format!(
        "Contact: <sip:{}>;+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\";require;explicit\r\n\
         P-Asserted-Identity: <tel:+15550001>\r\n{}",
        client.address, client.headers
    );
    let body = format!(
        "--outer\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--outer\r\n\
         Content-Type: application/resource-lists+xml\r\nContent-Disposition: recipient-list-history\r\n\r\n{list}\r\n\
         --outer--\r\n",
        client.offer()
    );
    let invite = client.request("INVITE", &headers, &body);
    invite.replacen("Content-Type: application/sdp", "Content-Type: multipart/mixed;boundary=outer", 1)
}
