//! An MM that is small becomes a Pager Mode message for each of its recipients (IWF V3.0 6.3.1.2.1, Tables 35 to 38), and
//! what becomes of that is the answer to its mail, and its MM4_forward.RES.

use isthmus::policy::{Anonymity, Policy, Switches};

use crate::mmsc::Mail;
use crate::multimedia::{HERE, Mm, Sides, THERE, phone};
use crate::sip::{Cpim, Sip, requests};
use crate::world::settings_with_mms;

pub fn sides() -> Sides {
    Sides::of(1, &settings_with_mms(0))
}

pub fn sides_with(change: impl FnOnce(&mut Policy)) -> Sides {
    let mut settings = settings_with_mms(0);
    change(&mut settings.policy);
    Sides::of(1, &settings)
}

/// The only MESSAGE that came of a mail that was taken.
fn message_of(mm: &Mm) -> Sip {
    let mut sides = sides();
    assert_eq!(sides.bring(&mm.mail()), "250 2.0.0 taken\r\n");
    let mut messages = requests(&sides.world);
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn targets(sides: &Sides) -> Vec<String> {
    requests(&sides.world).iter().map(|message| message.first_line.clone()).collect()
}

/// [MM4-IN-01] [MM4-ROUTE-07] [MM4-ROUTE-09] [MM4-GEN-03] [MM4-INPAGER-02] [MM4-INPAGER-03] [MM4-CONTENT-2] [MM4-T35-to]
/// [MM4-T36-User-Agent] [MM4-T36-from] [MM4-T36-from-tel] [MM4-T36-from-nccsid] [MM4-T36-Date] [MM4-T36-Expires]
/// [MM4-T36-disposition-delivery] [MM4-T36-disposition-display] [MM4-T36-Subject] [MM4-T36-Max-Forwards] [MM4-T36-body]
/// [MM4-T36-Via] [MM4-T36-CSeq] [MM4-T36-Call-ID] [SEC-03b]
#[test]
fn a_small_mm_becomes_a_message_of_tables_35_and_36() {
    let message = message_of(&Mm::text("mm-1", "Grüße\r\n").with(
        "Date: Sat, 21 Nov 2026 11:00:30 +0100\r\nX-Mms-Expiry: 3600\r\nX-Mms-Delivery-Report: Yes\r\n\
         X-Mms-Read-Reply: Yes\r\nSubject: =?utf-8?Q?Sch=C3=B6n?=\r\nX-Mms-Priority: High\r\n",
    ));
    assert_eq!(message.first_line, "MESSAGE tel:+15550001 SIP/2.0");
    assert_eq!(message.get("To"), "<tel:+15550001>");
    assert!(message.get("From").starts_with("<tel:+15550002;nccsid=MMS>;tag="), "{}", message.get("From"));
    assert_eq!(message.get("P-Asserted-Identity"), "<tel:+15550002>");
    assert!(message.get("User-Agent").contains("/OMA"), "{message:?}");
    assert_eq!(message.get("Date"), "Sat, 21 Nov 2026 10:00:30 GMT");
    assert_eq!(message.get("Expires"), "3300", "an hour from its Date, of which five minutes are over");
    assert_eq!((message.get("Subject"), message.get("Max-Forwards")), ("Schön", "70"));
    assert!(message.get("Via").starts_with("SIP/2.0/UDP ") && message.get("CSeq").ends_with(" MESSAGE"));
    assert!(!message.get("Call-ID").is_empty() && !message.has("Privacy"));
    assert!(message.get("Accept-Contact").contains("urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"));
    for id in ["Conversation-ID", "Contribution-ID"] {
        assert_eq!(message.get(id).len(), 36, "{id}");
    }
    // One recipient, so no list; and nothing that only the endpoints could read or vouch for.
    assert_eq!(message.get("Content-Type"), "message/cpim");
    let cpim = Cpim::read(&message.body);
    assert_eq!((cpim.get("From"), cpim.get("To")), ("<tel:+15550002;nccsid=MMS>", "<tel:+15550001>"));
    assert_eq!(cpim.get("imdn.Disposition-Notification"), "positive-delivery, negative-delivery, display");
    assert_eq!((cpim.get("Subject"), cpim.get("imdn.Message-ID").is_empty()), ("Schön", false));
    assert_eq!((cpim.content_header("Content-Type"), &*cpim.content), ("text/plain; charset=utf-8", "Grüße\r\n"));
}

/// [MM4-T36-Date] [MM4-T36-disposition-delivery] [MM4-T36-disposition-display] [MM4-T36-Subject]
#[test]
fn what_an_mm_does_not_have_is_not_made_up() {
    let message = message_of(&Mm::text("mm-1", "Hello"));
    assert_eq!(message.get("Date"), "Sat, 21 Nov 2026 10:05:30 GMT", "now");
    assert!(!message.has("Subject") && !message.has("Expires"), "{message:?}");
    assert!(!message.body.contains("imdn.Disposition-Notification"), "{message:?}");
}

/// [MM4-T36-from-sip] [MM4-T36-Expires]
#[test]
fn policy_gives_sip_uris_and_bounds_the_validity() {
    let mut sides = sides_with(|policy| {
        policy.delivery.originator_sip_uri = Some("sip:{number}@gw.example.net;user=phone".into());
        policy.mms.expires_s_max = Some(600);
    });
    sides.bring(&Mm::text("mm-1", "Hello").with("X-Mms-Expiry: 3600\r\n").mail());
    let message = requests(&sides.world).remove(0);
    assert!(message.get("From").starts_with("<sip:+15550002@gw.example.net"), "{message:?}");
    assert!(message.get("From").contains(";nccsid=MMS"), "{message:?}");
    let asserted = message.all("P-Asserted-Identity").join(", ");
    assert!(asserted.contains("<sip:+15550002@gw.example.net") && asserted.contains("<tel:+15550002>"), "{asserted}");
    assert_eq!(message.get("Expires"), "600");
}

/// [MM4-CONTENT-2] [MM4-T36-body] Octets as they were written, and a multipart as it was brought.
#[test]
fn contents_pass_unmodified() {
    let part = |id: &str, kind: &str, body: &str| {
        format!("--b\r\nContent-Type: {kind}\r\nContent-ID: <{id}>\r\n\r\n{body}\r\n")
    };
    let smil = "<smil><body><par><text src=\"cid:a\"/></par></body></smil>";
    let content =
        format!("{}{}--b--\r\n", part("smil", "application/smil", smil), part("a", "text/plain", ".Hi\r\n..there"));
    let content_headers = "Content-Type: multipart/related; boundary=b; type=\"application/smil\"\r\n".to_owned();
    let cpim = Cpim::read(&message_of(&Mm { content: content.clone(), content_headers, ..Mm::text("mm-1", "") }).body);
    assert_eq!(cpim.content_header("Content-Type"), "multipart/related; boundary=b; type=\"application/smil\"");
    assert_eq!(cpim.content, content);

    let content_headers = "Content-Type: text/plain;charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n".to_owned();
    let content = "R3LDvMOf\r\nZQ==\r\n".to_owned();
    let message = message_of(&Mm { content, content_headers, ..Mm::text("mm-1", "") });
    let cpim = Cpim::read(&message.body);
    assert_eq!(cpim.content, "Grüße");
    assert!(!message.body.contains("base64"), "{message:?}");
}

/// [MM4-INPAGER-05] [MM4-INPAGER-06] [MM4-GEN-02a] [MM4-ROUTE-08a] [MM4-T37-mail_from] [MM4-T37-rcpt_to] [MM4-T37-data]
/// [MM4-T38-version] [MM4-T38-message_type] [MM4-T38-transaction_id] [MM4-T38-message_id] [MM4-T38-return_route]
/// [MM4-T38-originator_recipient]
#[test]
fn the_response_has_what_tables_37_and_38_say() {
    let mut sides = sides();
    let mm = Mm { mail_from: "relay-7@mms.example.com".into(), ..Mm::text("mm-1", "Hello").acknowledged() };
    let mm = mm.with("X-Mms-Forward-Route: system-user@first.example.com\r\n");
    let mm = mm.with("X-Mms-Originator-Recipient-Address: system-user@second.example.com\r\n");
    assert!(sides.bring(&mm.mail()).starts_with("250 "));
    let mails = sides.mails();
    assert_eq!(mails.len(), 1);
    let (response, system) = (&mails[0], format!("system-user@{HERE}"));
    assert_eq!((&response.mail_from, &*response.rcpt_to), (&system, ["relay-7@mms.example.com".to_owned()].as_slice()));
    let get = |name: &str| response.header(name).unwrap_or_else(|| panic!("{name} in {}", response.data));
    assert_eq!(get("X-Mms-3GPP-MMS-Version"), "6.10.0");
    assert_eq!(get("X-Mms-Message-Type"), "MM4_forward.RES");
    assert_eq!((&*get("X-Mms-Transaction-ID"), &*get("X-Mms-Message-ID")), ("\"t-mm-1\"", "\"mm-1\""));
    assert_eq!(get("X-Mms-Request-Status-Code"), "Ok");
    assert_eq!(get("X-Mms-Return-Route"), "system-user@first.example.com");
    assert_eq!(get("X-Mms-Originator-Recipient-Address"), format!("system-user@second.example.com, {system}"));
    assert_eq!((get("Sender"), get("Date").is_empty(), get("Message-ID").is_empty()), (system, false, false));
    assert!(response.body().trim().is_empty() && response.header("X-Mms-Request-Recipients").is_none());
}

/// What a SIP answer means: in MM4_forward.RES, and to the mail of who asks for none.
const ANSWERS: [(u16, &str, &str); 21] = [
    (200, "Ok", "250 2.0.0"),
    (202, "Ok", "250 2.0.0"),
    (400, "Error-message-format-corrupt", "554 5.0.0"),
    (401, "Error-service-denied", "554 5.0.0"),
    (403, "Error-service-denied", "554 5.0.0"),
    (404, "Error-sending-address-unresolved", "550 5.1.1"),
    (405, "Error-unspecified", "554 5.0.0"),
    (408, "Error-network-problem", "451 4.3.0"),
    (410, "Error-sending-address-unresolved", "550 5.1.1"),
    (413, "Error-content-not-accepted", "554 5.0.0"),
    (415, "Error-content-not-accepted", "554 5.0.0"),
    (433, "Error-service-denied", "554 5.0.0"),
    (480, "Error-network-problem", "451 4.3.0"),
    (484, "Error-sending-address-unresolved", "550 5.1.1"),
    (488, "Error-content-not-accepted", "554 5.0.0"),
    (500, "Error-network-problem", "451 4.3.0"),
    (503, "Error-service-denied", "554 5.0.0"),
    (504, "Error-network-problem", "451 4.3.0"),
    (603, "Error-service-denied", "554 5.0.0"),
    (604, "Error-sending-address-unresolved", "550 5.1.1"),
    (606, "Error-content-not-accepted", "554 5.0.0"),
];

/// [MM4-T38-status] [MM4-T38-ok-200] [MM4-T38-ok-202] [MM4-T38-denied-401] [MM4-T38-denied-503] [MM4-INPAGER-05]
#[test]
fn the_sip_answer_becomes_the_status_of_the_response() {
    for (code, status, _) in ANSWERS {
        let mut sides = sides();
        sides.world.cpm.respond = [code].into();
        assert_eq!(sides.bring(&Mm::text("mm-1", "Hello").acknowledged().mail()), "250 2.0.0 taken\r\n", "{code}");
        assert_eq!(sides.statuses(), [status], "{code}");
        sides.nothing_stays();
    }
}

/// [MM4-T38-status] Who asks for no response has the reply to the mail.
#[test]
fn without_a_response_the_reply_to_the_mail_says_it() {
    for (code, _, expected) in ANSWERS {
        let mut sides = sides();
        sides.world.cpm.respond = [code].into();
        let reply = sides.bring(&Mm::text("mm-1", "Hello").mail());
        assert!(reply.starts_with(expected), "{code}: {reply}");
        assert!(sides.mails().is_empty(), "{code}");
        sides.nothing_stays();
    }
}

#[test]
fn the_mail_is_answered_when_the_cpm_side_has_answered() {
    let mut sides = sides();
    sides.world.cpm.silent = true;
    assert_eq!(sides.bring(&Mm::text("mm-1", "patience").acknowledged().mail()), "");
    sides.pass(10);
    assert_eq!((sides.brings.replies(&sides.world), sides.mails().len()), (String::new(), 0));
    sides.world.cpm.silent = false;
    sides.pass(10);
    assert!(sides.brings.replies(&sides.world).starts_with("250 "));
    assert_eq!(sides.statuses(), ["Ok"]);
    sides.world.cpm.silent = true;
    assert_eq!(sides.bring(&Mm::text("mm-2", "in vain").acknowledged().mail()), "");
    sides.pass(40);
    assert!(sides.brings.replies(&sides.world).starts_with("250 "), "Timer F");
    assert_eq!(sides.statuses(), ["Error-network-problem"]);
    sides.nothing_stays();
}

/// A relay that cannot be answered by its return path is answered where its mail says.
#[test]
fn a_response_goes_to_the_system_of_a_mail_without_return_path() {
    let mut sides = sides();
    sides.bring(&Mm { mail_from: String::new(), ..Mm::text("mm-1", "Hello").acknowledged() }.mail());
    assert_eq!(sides.mails()[0].rcpt_to, [format!("system-user@{THERE}")]);
}

/// [MM4-IN-N] [MM4-T35-many] [MM4-T36-recipients] [MM4-T36-recipients-copy]
#[test]
fn each_recipient_has_a_message_of_his_own_with_the_list_of_all() {
    let mut sides = sides_with(|policy| policy.mms.large_message_octets = 8_000);
    let mut mm = Mm::text("mm-1", "Hello all").for_all(&["+15550001", "+15550003"]);
    mm = mm.with(&format!("Cc: {}\r\n", phone("+15550004", HERE)));
    mm.rcpt_to.extend([phone("+15550004", HERE), phone("+15550005", HERE)]);
    assert!(sides.bring(&mm.mail()).starts_with("250 "));
    let messages = requests(&sides.world);
    let numbers = ["+15550001", "+15550003", "+15550004", "+15550005"];
    assert_eq!(targets(&sides), numbers.map(|number| format!("MESSAGE tel:{number} SIP/2.0")));
    let mut ids: Vec<String> = messages.iter().map(|message| message.get("Call-ID").to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    for (message, number) in messages.iter().zip(numbers) {
        assert_eq!(message.get("To"), format!("<tel:{number}>"));
        assert!(message.get("Content-Type").starts_with("multipart/mixed;boundary="), "{message:?}");
        let body = &message.body;
        assert!(body.contains("Content-Type: application/resource-lists+xml\r\n"), "{body}");
        assert!(body.contains("Content-Disposition: recipient-list-history"), "{body}");
        for (entry, control) in [("+15550001", "to"), ("+15550003", "to"), ("+15550004", "cc")] {
            assert!(body.lines().any(|line| is_entry(line, entry, control)), "{entry} {control} in {body}");
        }
        let has_last = body.lines().any(|line| is_entry(line, "+15550005", "bcc"));
        assert_eq!(has_last, number == "+15550005", "only who is in no header knows of himself: {body}");
    }
}

fn is_entry(line: &str, number: &str, control: &str) -> bool {
    line.split("<entry").any(|entry| {
        entry.contains(&format!("uri=\"tel:{number}\"")) && entry.contains(&format!("copyControl=\"{control}\""))
    })
}

/// Nobody has it and all failed for good, or one of them may yet be reached.
#[test]
fn a_mail_that_nobody_gets_is_refused() {
    for (codes, expected) in [([404, 488], "550 5.1.1 "), ([404, 480], "451 4.3.0 ")] {
        let mut sides = sides_with(|policy| policy.mms.large_message_octets = 8_000);
        sides.world.cpm.respond = codes.into();
        let said = sides.bring(&Mm::text("mm-1", "Hello").for_all(&["+15550001", "+15550003"]).mail());
        assert!(said.starts_with(expected), "{codes:?}: {said}");
    }
}

/// [MM4-T38-status] One response for each status that some recipients have, and it names them.
#[test]
fn recipients_who_fare_differently_are_told_apart() {
    for ack in [true, false] {
        let mut sides = sides_with(|policy| policy.mms.large_message_octets = 8_000);
        sides.world.cpm.respond = [200, 404, 200, 488].into();
        let mut mm = Mm::text("mm-1", "Hello").for_all(&["+15550001", "+15550003", "+15550004", "+15550005"]);
        if ack {
            mm = mm.acknowledged();
        }
        assert_eq!(sides.bring(&mm.mail()), "250 2.0.0 taken\r\n", "some have it");
        let mails = sides.mails();
        let pairs: Vec<(String, String)> = mails.iter().map(status_and_recipients).collect();
        let all = |numbers: &[&str]| numbers.iter().map(|number| phone(number, HERE)).collect::<Vec<_>>().join(", ");
        let expected = [
            ("Ok", all(&["+15550001", "+15550004"])),
            ("Error-sending-address-unresolved", all(&["+15550003"])),
            ("Error-content-not-accepted", all(&["+15550005"])),
        ];
        let expected = expected.map(|(status, recipients)| (status.to_owned(), recipients));
        assert_eq!(pairs, if ack { expected.to_vec() } else { Vec::new() });
        // The same once more: nobody has the message twice, and each is told as before.
        assert_eq!(sides.bring(&mm.mail()), "250 2.0.0 taken\r\n");
        assert_eq!(sides.mails().iter().map(status_and_recipients).collect::<Vec<_>>(), pairs);
        assert_eq!(requests(&sides.world).len(), 4);
        sides.nothing_stays();
    }
}

fn status_and_recipients(response: &Mail) -> (String, String) {
    let get = |name: &str| response.header(name).unwrap_or_default();
    (get("X-Mms-Request-Status-Code"), get("X-Mms-Request-Recipients"))
}

/// [MM4-T36-from-anon] [MM4-T36-Privacy]
#[test]
fn who_hides_is_not_named() {
    let message = message_of(&Mm::text("mm-1", "Hello").with("X-Mms-Sender-Visibility: Hide\r\n"));
    let from = message.get("From");
    assert!(from.starts_with("Anonymous <sip:anonymous@anonymous.invalid;nccsid=MMS>;tag="), "{from}");
    assert_eq!((message.get("Privacy"), message.has("P-Asserted-Identity")), ("id", false));
    assert!(!format!("{message:?}").contains("15550002"), "{message:?}");
    let mut sides = sides_with(|policy| policy.mms.assert_anonymous_originator = true);
    sides.bring(&Mm::text("mm-1", "Hello").with("X-Mms-Sender-Visibility: Hide\r\n").mail());
    let message = requests(&sides.world).remove(0);
    assert_eq!(message.get("P-Asserted-Identity"), "<tel:+15550002>", "for the trust domain to take out");
    assert!(!message.get("From").contains("15550002") && !message.body.contains("15550002"), "{message:?}");
}

/// [MM4-INPAGER-01] [RCS-ANON-MMS]
#[test]
fn where_nobody_may_hide_the_mm_is_refused() {
    let rcs = |policy: &mut Policy| policy.switches = Switches::rcs();
    let refuse = |policy: &mut Policy| policy.mms.anonymous_originator = Anonymity::Refuse;
    for change in [&refuse as &dyn Fn(&mut Policy), &rcs] {
        let mut sides = sides_with(change);
        let mm = Mm::text("mm-1", "Hello").with("X-Mms-Sender-Visibility: Hide\r\n");
        assert!(sides.bring(&mm.mail()).starts_with("554 5.0.0 "), "nobody asked for a response");
        assert!(sides.bring(&mm.acknowledged().mail()).starts_with("250 "));
        assert_eq!(sides.statuses(), ["Error-unsupported-message"]);
        assert!(sides.bring(&Mm::text("mm-2", "Hello").mail()).starts_with("250 "), "others may pass");
        assert_eq!(requests(&sides.world).len(), 1);
    }
}

/// A message for an application is none for a person (TS 23.140 8.4.1); one from nobody with a number is refused.
#[test]
fn what_no_cpm_user_can_have_is_refused() {
    for (headers, status, reply) in [
        ("X-Mms-Applic-ID: com.example.game\r\n", "Error-unsupported-message", "554 5.0.0"),
        ("From: someone@example.com\r\n", "Error-service-denied", "554 5.0.0"),
        ("From: 12/TYPE=PLMN@mms.example.com\r\n", "Error-service-denied", "554 5.0.0"),
    ] {
        let mut sides = sides();
        let mm = Mm::text("mm-1", "Hello").with(headers);
        let said = sides.bring(&mm.mail());
        assert!(said.starts_with(reply), "{headers}: {said}");
        assert!(sides.bring(&mm.acknowledged().mail()).starts_with("250 "), "{headers}");
        assert_eq!(sides.statuses(), [status], "{headers}");
        assert!(requests(&sides.world).is_empty(), "{headers}");
        sides.nothing_stays();
    }
}
